"""The review as JUnit XML, as GitLab, Jenkins and other servers show it: what was found as failed tests.

Errors and warnings are failures, notes and known findings are skipped tests, whatever the gate: it speaks by the exit status. Names hold no
lines, so that a server that compares two reports follows a finding whose line has moved.
"""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from headwater.findings import Finding, Level
from headwater.reports import escape, words
from headwater.reports.view import View

NAME: Final = 200  # servers show names in one line of a list
GAPS: Final = 20  # examples of one kind of gap; the JSON has them all


def render(view: View) -> bytes:
    """One suite: a test that says what was looked at, and one for each finding; a passed one where there is none."""
    cases = [_coverage(view), *(_finding(view, finding) for finding in (*view.findings, *view.known))]
    if not view.findings and not view.known:
        cases.append(_case("headwater", "no findings"))
    suites = Element("testsuites", name="headwater")
    suite = SubElement(suites, "testsuite", name="headwater", tests=str(len(cases)))
    for kinds, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(kinds, str(sum(case.find(kind) is not None for case in cases)))
    suite.extend(cases)
    said = [f"headwater {view.version}: {words.outcome(view)}", words.compared(view, "skipped")]
    SubElement(suite, "system-out").text = _text("\n".join(said).rstrip())
    indent(suites)
    # A server may print what it reads into a log.
    text = escape.log(tostring(suites, encoding="unicode"), bracket="&#91;", colon="&#58;")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + text.encode("utf-8") + b"\n"


def _case(group: str, name: str) -> Element:
    return Element("testcase", classname=group, name=name)


def _finding(view: View, finding: Finding) -> Element:
    which = f" #{finding.ordinal + 1}" if finding.ordinal else ""
    where = ": ".join(part for part in (escape.path(finding.place.path), finding.function, finding.expression) if part)
    name = escape.line(where) + which
    case = _case(f"headwater.{finding.rule}", name if len(name) <= NAME else f"{words.cut(name, NAME)} {finding.identity[:8]}")
    kind = "skipped" if finding.level == Level.NOTE or finding.known else "failure"
    title = f"known: {finding.title}" if finding.known else finding.title
    result = SubElement(case, kind, type=finding.severity.word, message=_text(title))
    result.text = _text("\n".join(_details(view, finding)))
    return case


def _details(view: View, finding: Finding) -> list[str]:
    lines = [
        f"{words.place(view.span(finding.place))}  {finding.severity.word}, {finding.confidence.word} confidence",
        finding.message,
        *([unsure] if (unsure := words.unsure(finding)) else []),
    ]
    for trace in finding.traces[:1]:
        lines.append(f"Trace of {trace.kind}:")
        for index in words.steps(trace):
            if index is None:
                lines.append(f"  ... {words.left_out(trace)} more steps")
                continue
            step = trace.steps[index]
            lines.append(f"  {index + 1}  {words.place(view.span(step.place))}  {escape.line(step.what)}")
    lines.append(f"Fix: {finding.fix}")
    if standards := words.standards(finding.mappings, finding.cwe):
        lines.append(f"Standards: {standards}")
    return lines


def _coverage(view: View) -> Element:
    """Skipped where not everything could be looked at; an error where nothing could, or where everything must be."""
    case = _case("headwater", "coverage")
    status = view.coverage.status
    text = _text("\n".join(_ledger(view)))
    if status == "complete":
        SubElement(case, "system-out").text = text
        return case
    kind = "error" if status == "failed" or view.config.strict_coverage else "skipped"
    SubElement(case, kind, type=status, message=f"coverage {status}").text = text
    return case


def _ledger(view: View) -> list[str]:
    lines = [words.coverage(view.coverage)]
    for kind, partial, gaps in words.gaps(view.coverage):
        lines.append(f"{len(gaps):,} {kind}{'' if partial else ', without effect'}")
        lines += [f"  {words.gap(gap)}" for gap in gaps[:GAPS]]
        if len(gaps) > GAPS:
            lines.append(f"  and {len(gaps) - GAPS:,} more")
    return lines


def _text(text: str) -> str:
    # Besides markup, which is escaped when it is written, XML has no control characters and no surrogates.
    return escape.visible(text)
