"""The page of coverage: what was looked at, each gap with its place, and what the repository says of itself."""

from __future__ import annotations

from typing import Final

from headwater.reports import words
from headwater.reports.html.context import Context, code, search, table
from headwater.reports.html.executive import honesty
from headwater.reports.html.markup import Child, tag

MOST: Final = 500  # gaps of one kind; the ledger has at most a hundred


def page(context: Context) -> list[Child]:
    """Counts and gaps."""
    coverage = context.view.coverage
    counts: list[list[Child]] = [
        ["files", f"{coverage.files:,}"],
        ["lines", f"{coverage.lines:,}"],
        ["functions", f"{coverage.functions:,}"],
    ]
    counts += [[f"files of {language}", f"{number:,}"] for language, number in sorted(coverage.by_language.items())]
    engine: list[list[Child]] = [[name, f"{number:,}"] for name, number in sorted(coverage.counts.items())]
    rows: list[list[Child]] = []
    for kind, partial, gaps in words.gaps(coverage):
        for gap in gaps[:MOST]:
            place = code(f"{gap.path}:{gap.line}" if gap.line else gap.path) if gap.path else None
            rows.append([kind, place, gap.reason, "yes" if partial else "no"])
    parts: list[Child] = [
        tag("p", tag("span", coverage.status, class_=f"state {coverage.status}"), " ", f"{words.coverage(coverage)}."),
        honesty(context, link=False),
        tag("h2", "Looked at"),
        table(("What", "How many"), counts, "What was looked at"),
        tag("h2", "Gaps"),
    ]
    if rows:
        parts += [search(context, "gaps", "Search the gaps"), table(("Kind", "Where", "Why", "Makes it partial"), rows, "Gaps", "gaps")]
    else:
        parts.append(tag("p", "None."))
    if engine:
        parts += [tag("h2", "Figures of the engine"), table(("What", "How many"), engine, "Figures of the engine")]
    return parts
