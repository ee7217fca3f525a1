"""Words that several reports share: numbers with nouns, the outcome in a line, places in standards, the steps worth showing."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from headwater import limits
from headwater.findings import Confidence, Coverage, Finding, Gap, Mapping_, Severity, Trace
from headwater.gate import Gate
from headwater.reports import escape
from headwater.reports.view import Span, View

WORSE: Final = "it was there before, but not as bad, or suppressed"


def plural(number: int, word: str) -> str:
    return word if number == 1 else f"{word}s"


def count(number: int, word: str) -> str:
    """``1 finding``, ``1,200 findings``."""
    return f"{number:,} {plural(number, word)}"


def outcome(view: View) -> str:
    """The result in a line."""
    parts = [count(len(view.findings), "finding" if view.comparison is None else "new finding")]
    if view.comparison is not None:
        parts += [f"{len(view.known):,} known", f"{len(view.comparison.fixed):,} fixed"]
    gate = "off" if view.gate.fail_on is None else "failed" if view.gate.failed else "passed"
    return ", ".join([*parts, f"gate {gate}", f"coverage {view.coverage.status}"])


def compared(view: View, known: str = "not shown") -> str:
    """What came of the comparison with an earlier review, as a sentence; empty where there is none. ``known`` is what becomes of those."""
    if view.comparison is None:
        return ""
    one = view.comparison
    number = len(one.fixed)
    parts = [f"{count(len(view.known), 'known finding')} {known}", f"{number:,} {'is' if number == 1 else 'are'} fixed"]
    if one.unseen:
        parts.append(f"{one.unseen:,} could not be looked for")
    worse = sum(finding.state == "worse" for finding in view.findings)
    if worse:
        parts.append(f"{worse:,} of the findings above {'was' if worse == 1 else 'were'} known, but not as bad")
    return f"Compared with {escape.line(one.against)}: {', '.join(parts)}."


def severities(view: View) -> str:
    """``5 critical, 1 low``."""
    number = Counter(finding.severity for finding in view.findings)
    return ", ".join(f"{number[severity]} {severity.word}" for severity in sorted(Severity, reverse=True) if number[severity])


def gate(gate: Gate) -> str:
    """The gate and why it passed or failed."""
    if gate.fail_on is None:
        return "off (--fail-on never)"
    confidence = f" with at least {gate.min_confidence.word} confidence" if gate.min_confidence > Confidence.LOW else ""
    what = f"{gate.fail_on.word} or above{confidence}"
    return f"failed, {count(gate.counted, 'finding')} {what}" if gate.failed else f"passed, no finding {what}"


def coverage(coverage: Coverage) -> str:
    """``partial, 16 files, 458 lines, 67 functions, 2 gaps``."""
    parts = [count(coverage.files, "file"), count(coverage.lines, "line"), count(coverage.functions, "function")]
    return ", ".join([coverage.status, *parts, *([count(len(coverage.gaps), "gap")] if coverage.gaps else [])])


def gaps(coverage: Coverage) -> Iterator[tuple[str, bool, list[Gap]]]:
    """The ledger by kind, what made the review partial first: the kind, whether it did, and its gaps."""
    ordered = sorted(coverage.gaps, key=lambda gap: (not gap.partial, gap))
    for (partial, kind), group in itertools.groupby(ordered, key=lambda gap: (gap.partial, gap.kind)):
        yield kind, partial, list(group)


def gap(gap: Gap) -> str:
    """``a.py:3: what is wrong with it``."""
    place = escape.line(escape.path(gap.path)) + (f":{gap.line}" if gap.line else "")
    return f"{place}: {escape.line(gap.reason)}" if place else escape.line(gap.reason)


def place(span: Span) -> str:
    """``a.py:3``."""
    return f"{escape.line(escape.path(span.path))}:{span.line}"


def steps(trace: Trace) -> list[int | None]:
    """The indices of the steps to show; None stands for the middle of a long trace."""
    shown: list[int | None] = list(range(len(trace.steps)))
    if len(shown) <= limits.TRACE_STEPS:
        return shown
    half = limits.TRACE_STEPS // 2
    return [*shown[:half], None, *shown[-half:]]


def left_out(trace: Trace) -> int:
    """How many steps the None stands for."""
    return len(trace.steps) - sum(index is not None for index in steps(trace))


def cut(text: str, most: int) -> str:
    """The text, with an ellipsis where it is longer."""
    return text if len(text) <= most else text[: most - 1] + "…"


def unsure(finding: Finding) -> str:
    """Why the analysis is not sure, as a sentence; empty where it is."""
    if not finding.weaknesses or finding.confidence >= Confidence.HIGH:
        return ""
    return f"Unsure: {'; '.join(finding.weaknesses)}."


def standards(mappings: Iterable[Mapping_], cwe: Iterable[int]) -> str:
    """All mappings in one line: ``OWASP LLM05:2025, LLM10:2026 | ASI05:2026 | ATLAS AML.T0050 | CWE-95, CWE-1426``."""
    ids: dict[str, list[str]] = {}
    for mapping in mappings:
        ids.setdefault(mapping.framework, []).append(f"CWE-{mapping.id}" if mapping.framework == "cwe" else mapping.id)
    weaknesses = ids.pop("cwe", [])
    weaknesses += [text for number in cwe if (text := f"CWE-{number}") not in weaknesses]
    names = {"owasp-llm": "OWASP ", "owasp-agentic": "", "owasp-mcp": "", "atlas": ""}
    parts = [names.get(framework, f"{framework} ") + ", ".join(some) for framework, some in ids.items()]
    return " | ".join([*parts, ", ".join(weaknesses)] if weaknesses else parts)
