"""The review as workflow commands of GitHub Actions: annotations in a pull request, where no SARIF can be uploaded (forks).

The runner parses each line of a log; how it unescapes is its ``ActionCommand.cs``. The job summary is the Markdown report.
"""

from __future__ import annotations

from typing import Final

from headwater.findings import Finding, Gap, Level
from headwater.reports import escape, words
from headwater.reports.view import View

MESSAGE: Final = 4_000  # the runner cuts a message after 4,096 characters, and does not say so
SHOWN: Final = 10  # annotations of one level that GitHub shows of one step; the worst findings come first
GAPS: Final = 2  # examples of one kind of gap

_COMMANDS: Final = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def render(view: View) -> bytes:
    """One command for an incomplete coverage, one for each finding, and the outcome as a plain line."""
    lines = [] if view.coverage.status == "complete" else [_coverage(view)]
    lines += [_finding(view, finding) for finding in view.findings]
    shown = f"; GitHub annotates the first {SHOWN} of each level" if len(view.findings) > SHOWN else ""
    lines.append(f"headwater: {words.outcome(view)}{shown}")
    lines += [f"headwater: {compared}"] if (compared := words.compared(view)) else []
    return ("\n".join(lines) + "\n").encode("utf-8")


def _finding(view: View, finding: Finding) -> str:
    span = view.span(finding.place)
    properties = {"file": escape.line(escape.path(span.path)), "line": str(span.line), "endLine": str(span.end_line)}
    if span.end_line == span.line:  # GitHub refuses columns over several lines
        properties |= {"col": str(span.column), "endColumn": str(span.end_column)}
    properties["title"] = f"{finding.title} ({finding.rule}, {finding.severity.word})"
    parts = [finding.message, *([unsure] if (unsure := words.unsure(finding)) else []), f"Fix: {finding.fix}"]
    for trace in finding.traces[:1]:
        parts.append(f"Trace of {trace.kind}:")
        for index in words.steps(trace):
            if index is None:
                parts.append(f"... {words.left_out(trace)} more steps")
                continue
            step = trace.steps[index]
            parts.append(f"{index + 1}. {words.place(view.span(step.place))} {escape.line(step.what)}")
    return _command(_COMMANDS[finding.level], properties, "\n".join(parts))


def _coverage(view: View) -> str:
    """First of all, so that it is among those that GitHub shows."""
    status = view.coverage.status
    parts = ["Problems may be hidden in what was not looked at." if status == "partial" else "Nothing could be analysed."]
    for kind, partial, gaps in words.gaps(view.coverage):
        if partial or status == "failed":
            parts.append(f"{len(gaps):,} {kind}: {_examples(gaps)}")
    level = Level.ERROR if status == "failed" else Level.WARNING
    return _command(_COMMANDS[level], {"title": f"headwater: coverage {status}"}, "\n".join(parts))


def _examples(gaps: list[Gap]) -> str:
    more = [f"and {len(gaps) - GAPS:,} more"] if len(gaps) > GAPS else []
    return "; ".join([words.gap(gap) for gap in gaps[:GAPS]] + more)


def _command(name: str, properties: dict[str, str], message: str) -> str:
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {listed}::{_data(words.cut(message, MESSAGE))}"


def _data(text: str) -> str:
    return escape.visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
