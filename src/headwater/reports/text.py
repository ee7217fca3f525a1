"""The review for a terminal: each finding with its code, its trace and its fix; then the gate and what was not looked at.

Nothing of the repository is interpreted: it passes ``headwater.reports.escape``, and rich gets ``Text``, never markup.
"""

from __future__ import annotations

import io
import itertools
from collections import Counter
from collections.abc import Iterable
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from headwater import limits
from headwater.findings import NOTES, Confidence, Finding, Gap, Severity, Trace
from headwater.redteam.evidence import Evidence
from headwater.reports import escape, evidence, redteam_text, words
from headwater.reports.view import Span, View

CONTEXT: Final = 2  # lines of code around a sink: what a reader needs to recognise the place
SINK_LINES: Final = 6  # of a call that goes over many lines
GAPS: Final = 4  # examples of one kind of gap; the JSON has them all
WIDTH_LEAST: Final = 40  # narrower terminals get overlong lines rather than columns of syllables
WIDTH_MOST: Final = 120  # prose in longer lines is hard to read

_STYLES: Final = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "bold magenta",
    Severity.MEDIUM: "bold yellow",
    Severity.LOW: "bold blue",
}
_QUIET: Final = "bright_black"
_CODE: Final = "cyan"
_TAB: Final = "    "


def render(view: View, *, color: bool = False, width: int = 80) -> str:
    """The whole report."""
    page = _Page(max(WIDTH_LEAST, min(width, WIDTH_MOST)), color)
    for finding in view.findings:
        _finding(page, view, finding)
    if view.red_team is not None:
        _red_team(page, view.red_team)
    _summary(page, view)
    return page.text()


class _Page:
    """Lines of text, wrapped here and never again."""

    def __init__(self, width: int, color: bool) -> None:
        self.width = width
        self._out = io.StringIO()
        self._console = Console(
            file=self._out,
            width=width,
            force_terminal=color,
            color_system="standard" if color else None,
            no_color=not color,
            markup=False,
            highlight=False,
            emoji=False,
            legacy_windows=False,
        )

    def text(self) -> str:
        return escape.log(self._out.getvalue())

    def line(self, *parts: str | Text | tuple[str, str]) -> None:
        """One line; it may be longer than the page (a path that must stay in one piece)."""
        self._put(Text.assemble(*parts, no_wrap=True, overflow="ignore", end=""))

    def wrapped(self, first: str | Text, rest: str, *parts: str | tuple[str, str]) -> None:
        """A paragraph; ``first`` begins its first line, ``rest`` the others."""
        lead = Text(first) if isinstance(first, str) else first
        room = max(20, self.width - max(lead.cell_len, cell_len(rest)))
        for number, line in enumerate(Text.assemble(*parts).wrap(self._console, room)):
            line.rstrip()
            self._put(Text.assemble(lead if number == 0 else rest, line, no_wrap=True, overflow="ignore", end=""))

    def _put(self, line: Text) -> None:
        line.rstrip()
        self._console.print(line, soft_wrap=True)


# ----------------------------------------------------------------------------------------------------------- finding


def _finding(page: _Page, view: View, finding: Finding) -> None:
    span = view.span(finding.place)
    style = _STYLES[finding.severity]
    page.wrapped("", "  ", (finding.severity.word, style), (f"[{finding.rule}]", style), ": ", (finding.title, "bold"))
    where = f" in {escape.line(finding.function)}" if finding.function else ""
    page.line(("  --> ", _QUIET), _place(span), (where, _QUIET), (f"  ({finding.confidence.word} confidence)", _QUIET))
    page.line()
    _frame(page, view, span)
    page.line()
    page.wrapped("  ", "  ", escape.visible(finding.message))
    if finding.traces:
        page.line()
        _trace(page, view, finding.traces[0])
    page.line()
    if len(finding.traces) > 1:
        _labelled(page, "Also from", _others(view, finding.traces[1:]))
    if finding.weaknesses and finding.confidence < Confidence.HIGH:
        _labelled(page, "Unsure", "; ".join(escape.line(weakness) for weakness in finding.weaknesses))
    if finding.state == "worse":
        _labelled(page, "Known", words.WORSE)
    if told := evidence.about(finding, view.red_team):
        _labelled(page, "Evidence", escape.line(told))
    _labelled(page, "Fix", escape.visible(finding.fix))
    standards = words.standards(finding.mappings, finding.cwe)
    if standards:
        _labelled(page, "Standards", standards)
    page.line()


def _labelled(page: _Page, label: str, text: str) -> None:
    page.wrapped(Text.assemble("  ", (f"{label + ':':<11}", "bold")), " " * 13, text)


def _place(span: Span) -> str:
    path = escape.line(escape.path(span.path))
    if span.cell is not None:
        return f"{path} cell {span.cell.number} line {span.cell.line}:{span.column}"
    return f"{path}:{span.line}:{span.column}"


def _frame(page: _Page, view: View, span: Span) -> None:
    """The code of the sink: line numbers, ``>`` on its lines, carets below the first."""
    source = view.sources.get(span.path)
    if source is None:
        page.line(("  (the file is not there any more)", _QUIET))
        return
    cell = span.cell
    before, lines = (cell.before, cell.lines) if cell else (0, source.lines)
    line, end_line = (cell.line, cell.end_line) if cell else (span.line, span.end_line)
    last = min(end_line if span.end_column > 1 or end_line == line else end_line - 1, lines)
    # A note about one line takes as much room as the line.
    shown_last = last if last - line <= SINK_LINES else line + SINK_LINES - 1
    first, end = max(1, line - CONTEXT), min(lines, shown_last + CONTEXT)
    gutter = max(4, len(str(end)))
    room = page.width - gutter - 5
    for number in range(first, max(end, line) + 1):
        inside = line <= number <= last
        code = source.line_text(before + number)
        begin = span.column - 1 if number == line else 0
        stop = (span.end_column - 1 if end_line == line else len(code)) if number == line else 0
        text, start, length = _window(code, begin, stop, room)
        if not text and not inside:
            page.line((f"{number:>{gutter}} ", _QUIET), ("  |", _QUIET))
            continue
        page.line((f"{number:>{gutter}} ", _QUIET), (">" if inside else " ", "bold"), (" | ", _QUIET), (text, "" if inside else _QUIET))
        if number == line:
            marks = "^" * max(1, length)
            page.line(" " * (gutter + 2), (" | ", _QUIET), " " * start, (marks, "bold red"))
        if number == shown_last < last:
            rest = last - shown_last
            page.line((f"{'...':>{gutter}} ", _QUIET), (f"  | {rest} more {words.plural(rest, 'line')} of the same call", _QUIET))
            break


def _window(code: str, begin: int, stop: int, room: int) -> tuple[str, int, int]:
    """A line of code cut to ``room`` cells so that the marked part is seen: the text, and cell and length of the mark."""
    before, marked, after = (escape.visible(part).replace("\t", _TAB) for part in (code[:begin], code[begin:stop], code[stop:]))
    if cell_len(before) + cell_len(marked) + cell_len(after) <= room:
        return (before + marked + after).rstrip(), cell_len(before), cell_len(marked)
    if cell_len(before) > room // 2 and cell_len(before) + min(cell_len(marked), room // 2) > room - 1:
        keep = max(0, room // 4)
        before = "…" + _last_cells(before, keep)
    text = _cut(before + marked + after, room)
    start = cell_len(before)
    return text, start, max(1, min(cell_len(marked), cell_len(text) - start))


def _cut(text: str, room: int) -> str:
    """The text, with an ellipsis where it is too long."""
    if cell_len(text) <= room:
        return text
    return set_cell_size(text, max(1, room - 1)).rstrip() + "…"


def _last_cells(text: str, cells: int) -> str:
    while text and cell_len(text) > cells:
        text = text[max(1, (cell_len(text) - cells) // 2) :]
    return text


def _trace(page: _Page, view: View, trace: Trace) -> None:
    files = len({step.place.path for step in trace.steps})
    across = f" across {files} files" if files > 1 else ""
    page.wrapped("  ", "    ", ("Trace", "bold"), f" of {escape.line(trace.kind)}, {words.count(len(trace.steps), 'step')}{across}:")
    digits = len(str(len(trace.steps)))
    kind = trace.kind
    for index in words.steps(trace):
        if index is None:
            page.line((f"    {'':>{digits}}  ... {words.left_out(trace)} more steps", _QUIET))
            continue
        step = trace.steps[index]
        span = view.span(step.place)
        indent = " " * (digits + 6)
        changed = f"  [{escape.line(step.kind)}]" if step.kind != kind else ""
        kind = step.kind
        lead = Text.assemble((f"    {index + 1:>{digits}}", "bold"), "  ", (_place(span), _CODE), "  ")
        if lead.cell_len > page.width // 2 and lead.cell_len + cell_len(step.what) + len(changed) > page.width:
            page.line(lead)
            page.wrapped(indent, indent, escape.line(step.what), (changed, _QUIET))
        else:
            page.wrapped(lead, indent, escape.line(step.what), (changed, _QUIET))
        if span.text.strip():
            lead_cells = len(span.text) - len(span.text.lstrip())
            code, _, _ = _window(span.text.strip(), max(0, span.column - 1 - lead_cells), len(span.text), page.width - len(indent) - 2)
            page.line(indent, (f"  {code}", _QUIET))


def _others(view: View, traces: Iterable[Trace]) -> str:
    """The other sources, shortly."""
    listed = list(traces)
    parts = []
    for trace in listed[: limits.TRACES]:
        at = f" at {_place(view.span(trace.source.place))}" if trace.steps else ""
        parts.append(f"{escape.line(trace.kind)}{at} ({len(trace.steps)} {words.plural(len(trace.steps), 'step')})")
    if len(listed) > limits.TRACES:
        parts.append(f"{len(listed) - limits.TRACES} more")
    return "; ".join(parts)


# ---------------------------------------------------------------------------------------------------------- red team


def _red_team(page: _Page, evidence: Evidence) -> None:
    first, *rest = redteam_text.lines(evidence)
    page.line((first, "bold"))
    for line in rest:
        indent = " " * (len(line) - len(line.lstrip()))
        page.wrapped(indent, f"{indent}  ", line.strip())
    page.line()


# ----------------------------------------------------------------------------------------------------------- summary


def _summary(page: _Page, view: View) -> None:
    status = view.coverage.status
    shown = view.findings
    if shown:
        number = Counter(finding.severity for finding in shown)
        new = "" if view.comparison is None else "new "
        parts: list[str | tuple[str, str]] = [(f"{len(shown)} {new}{words.plural(len(shown), 'finding')}", "bold"), ": "]
        for place, severity in enumerate(severity for severity in sorted(Severity, reverse=True) if number[severity]):
            parts += [", " if place else "", (f"{number[severity]} {severity.word}", _STYLES[severity])]
        page.wrapped("", "  ", *parts)
    elif status == "complete":
        page.line(("No findings." if view.comparison is None else "No new findings.", "bold"))
    else:
        page.line(("No findings in what was looked at; not everything was.", "bold"))
    if view.hidden:
        page.wrapped(
            "", "  ", f"{view.hidden} more of lower level or confidence not shown (--persona audit and --min-confidence low show all)."
        )
    if compared := words.compared(view):
        page.wrapped("", "  ", compared)
    if view.suppressed:
        page.wrapped("", "  ", f"{len(view.suppressed)} suppressed by comments in the code (headwater suppressions shows them).")
    _gate(page, view)
    _coverage(page, view)
    _notes(page, [gap for gap in view.coverage.gaps if gap.kind in NOTES])


def _gate(page: _Page, view: View) -> None:
    gate = view.gate
    label, rest = Text("Gate:     ", "bold"), " " * 10
    if gate.fail_on is None:
        page.wrapped(label, rest, "off (--fail-on never)")
        return
    confidence = f" with at least {gate.min_confidence.word} confidence" if gate.min_confidence > Confidence.LOW else ""
    what = f"{gate.fail_on.word} or above{confidence}"
    if gate.failed:
        page.wrapped(label, rest, ("failed", "bold red"), f", {gate.counted} {words.plural(gate.counted, 'finding')} {what}")
    else:
        page.wrapped(label, rest, ("passed", "bold green"), f", no finding {what}")


def _coverage(page: _Page, view: View) -> None:
    coverage = view.coverage
    style = {"complete": "bold green", "partial": "bold yellow", "failed": "bold red"}[coverage.status]
    languages = ", ".join(
        f"{name} {number:,}" for name, number in sorted(coverage.by_language.items(), key=lambda item: (-item[1], item[0]))
    )
    page.wrapped(
        Text("Coverage: ", "bold"),
        " " * 10,
        (coverage.status, style),
        f", {coverage.files:,} {words.plural(coverage.files, 'file')}, {coverage.lines:,} {words.plural(coverage.lines, 'line')}, ",
        f"{coverage.functions:,} {words.plural(coverage.functions, 'function')}",
        f" ({escape.line(languages)})" if languages else "",
    )
    gaps = sorted((gap for gap in coverage.gaps if gap.kind not in NOTES), key=lambda gap: (not gap.partial, gap))
    if not gaps:
        return
    page.wrapped(
        " " * 10,
        " " * 10,
        {
            "complete": "Left out, without effect on the result:",
            "partial": "Problems may be hidden in what was not looked at:",
            "failed": "Nothing could be analysed:",
        }[coverage.status],
    )
    for kind, group in itertools.groupby(gaps, key=lambda gap: (gap.partial, gap.kind)):
        _gaps(page, kind[1], list(group), coverage.status != "complete")


def _notes(page: _Page, notes: list[Gap]) -> None:
    """What the repository says to Headwater, and what is wrong with it."""
    if notes:
        page.line(("Notes:", "bold"))
    for kind, group in itertools.groupby(sorted(notes), key=lambda gap: gap.kind):
        _gaps(page, kind, list(group), False)


def _gaps(page: _Page, kind: str, gaps: list[Gap], telling: bool) -> None:
    effect = "" if gaps[0].partial or not telling else ", without effect"
    page.line(" " * 10, (f"{len(gaps):>4} ", "bold"), escape.line(kind), (effect, _QUIET))
    for gap in gaps[:GAPS]:
        where = f" cell {gap.cell} line {gap.cell_line}" if gap.cell else f":{gap.line}" if gap.line else ""
        place = escape.line(escape.path(gap.path)) + where
        page.wrapped(" " * 15, " " * 17, (place, _CODE) if place else "", ": " if place else "", (escape.line(gap.reason), _QUIET))
    if len(gaps) > GAPS:
        page.line(" " * 15, (f"and {len(gaps) - GAPS:,} more", _QUIET))
