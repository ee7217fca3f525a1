"""Plots as SVG without a script: severity by component, and likelihood against impact of the attack paths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from headwater.findings import Severity
from headwater.reports import escape, words
from headwater.reports.html.markup import Markup, tag, trusted
from headwater.system.paths import AttackPath

LABEL: Final = 230
BAR: Final = 360
ROW: Final = 26
CELL: Final = 52


def severities(rows: Sequence[tuple[str, Counter[Severity]]], look: str = "") -> Markup:
    """A bar for each component, in it a part for each severity. ``look``: a style sheet of its own, where it does not have the page's."""
    most = max((sum(counts.values()) for _, counts in rows), default=1)
    parts: list[Markup] = []
    for place, (name, counts) in enumerate(rows):
        y = place * ROW
        parts.append(tag("text", words.cut(escape.line(name), 34), x=LABEL - 8, y=y + 17, class_="label"))
        x = LABEL
        for severity in sorted(Severity, reverse=True):
            if counts[severity]:
                wide = max(18, BAR * counts[severity] // most)
                parts.append(tag("rect", x=x, y=y + 3, width=wide - 1, height=ROW - 6, class_=f"bar {severity.word}"))
                parts.append(tag("text", counts[severity], x=x + wide // 2, y=y + 17, class_="on"))
                x += wide
    said = "; ".join(f"{escape.line(name)}: {counted(counts)}" for name, counts in rows)
    return _svg(LABEL + BAR + 80, len(rows) * ROW + 4, parts, f"Findings by component. {said}", look)


def counted(counts: Counter[Severity]) -> str:
    """``2 critical, 1 low``."""
    return ", ".join(f"{counts[severity]} {severity.word}" for severity in sorted(Severity, reverse=True) if counts[severity])


def matrix(chains: Iterable[AttackPath], look: str = "") -> Markup:
    """How many attack paths there are of each likelihood and impact."""
    counts = Counter((one.likelihood, one.impact) for one in chains)
    left, parts = 74, []
    for likelihood in range(1, 6):
        for impact in range(1, 6):
            x, y = left + (likelihood - 1) * CELL, (5 - impact) * CELL
            score = likelihood * impact
            grade = "critical" if score >= 20 else "high" if score >= 12 else "medium" if score >= 6 else "low"
            number = counts[likelihood, impact]
            parts.append(tag("rect", x=x + 1, y=y + 1, width=CELL - 2, height=CELL - 2, class_=f"cell {grade}{' has' if number else ''}"))
            if number:
                parts.append(tag("text", number, x=x + CELL // 2, y=y + CELL // 2 + 6, class_="on count"))
    for number in range(1, 6):
        parts.append(tag("text", number, x=left + number * CELL - CELL // 2, y=5 * CELL + 18, class_="axis"))
        parts.append(tag("text", number, x=left - 12, y=(5 - number) * CELL + CELL // 2 + 5, class_="axis"))
    parts.append(tag("text", "likelihood", x=left + 5 * CELL // 2, y=5 * CELL + 38, class_="axis"))
    parts.append(tag("text", "impact", x=30, y=5 * CELL // 2 + 5, class_="axis"))
    said = ", ".join(f"{number} with likelihood {a} and impact {b}" for (a, b), number in sorted(counts.items(), reverse=True))
    return _svg(left + 5 * CELL + 8, 5 * CELL + 46, parts, f"Attack paths: {said or 'none'}", look)


def _svg(width: int, height: int, parts: list[Markup], label: str, look: str) -> Markup:
    return tag(
        "svg",
        tag("style", trusted(look)) if look else None,
        parts,
        xmlns="http://www.w3.org/2000/svg",
        class_="plot",
        width=width,
        height=height,
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_label=label,
    )
