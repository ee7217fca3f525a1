"""The review for GitLab: its Code Quality report, which every edition shows, and its SAST report.

Code Quality has no place for a trace or for coverage; the SAST report has, and JUnit beside it. Known findings stand in both: GitLab
itself compares the report of a change with that of its target, and would call fixed what is missing.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec

from headwater.findings import Finding, Level, Severity, Trace
from headwater.knowledge import load as knowledge
from headwater.reports import escape, markdown, words
from headwater.reports.sarif import mapped
from headwater.reports.view import View

SCHEMA: Final = "15.0.7"  # GitLab refuses what it does not know; every version since 15.4 knows this one
NAME: Final = 255
SOLUTION: Final = 7_000
GAPS: Final = 20  # examples of one kind of gap; the JSON has them all

_QUALITY: Final = {Severity.CRITICAL: "blocker", Severity.HIGH: "critical", Severity.MEDIUM: "major", Severity.LOW: "minor"}
_IDS: Final = uuid.UUID("6f3c1f0e-6a51-5f0c-9f0e-1c7f0d7b6a10")  # only a name space for the ids below
_FRAMEWORKS: Final = {"owasp-llm": "owasp_llm", "owasp-agentic": "owasp_agentic", "atlas": "mitre_atlas", "cwe": "cwe"}

Json = dict[str, Any]


def code_quality(view: View) -> bytes:
    """A list of issues; an incomplete coverage is one for each kind of gap, at the first file that it concerns."""
    issues = [_issue(view, finding) for finding in (*view.findings, *view.known)]
    for kind, partial, gaps in words.gaps(view.coverage):
        if partial:
            text = f"Coverage {view.coverage.status}: {words.count(len(gaps), 'gap')} of the kind {kind}. {words.gap(gaps[0])}"
            path = next((gap.path for gap in gaps if gap.path), ".")
            line = gaps[0].line if gaps[0].path == path else 0
            issues.append(_entry(f"coverage/{kind}", text, sha256(f"coverage\0{kind}".encode()).hexdigest()[:32], "info", path, line or 1))
    if view.coverage.status == "failed" and not issues:
        issues.append(_entry("coverage", "Nothing could be analysed.", sha256(b"coverage").hexdigest()[:32], "info", ".", 1))
    return _encoded(issues)


def _issue(view: View, finding: Finding) -> Json:
    severity = "info" if finding.level == Level.NOTE or finding.known else _QUALITY[finding.severity]
    text = f"{'Known: ' if finding.known else ''}{finding.title}: {finding.message}"
    return _entry(finding.rule, text, finding.identity, severity, finding.place.path, view.span(finding.place).line)


def _entry(name: str, text: str, fingerprint: str, severity: str, path: str, line: int) -> Json:
    return {
        "type": "issue",
        "check_name": name,
        "description": escape.visible(text),
        "categories": ["Security"],
        "severity": severity,
        "fingerprint": fingerprint,
        "location": {"path": escape.path(path), "lines": {"begin": line}},
    }


def moment(environment: Mapping[str, str]) -> datetime.datetime:
    """The time that a report states: SOURCE_DATE_EPOCH where it is set, else now; ValueError where it is no time."""
    given = environment.get("SOURCE_DATE_EPOCH", "")
    if not given:
        return datetime.datetime.now(datetime.UTC)
    try:
        return datetime.datetime.fromtimestamp(int(given), datetime.UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"SOURCE_DATE_EPOCH is not a number of seconds: {given!r}") from None


def sast(view: View, at: datetime.datetime) -> bytes:
    """The SAST report. It needs times; the rest of it is the same for the same review."""
    tool = {"id": "headwater", "name": "Headwater", "version": view.version, "vendor": {"name": "Headwater"}}
    time = at.strftime("%Y-%m-%dT%H:%M:%S")
    return _encoded(
        {
            "version": SCHEMA,
            "scan": {
                "analyzer": tool,
                "scanner": tool,
                "type": "sast",
                "start_time": time,
                "end_time": time,
                "status": "failure" if view.coverage.status == "failed" else "success",
                "messages": _messages(view),
            },
            "vulnerabilities": [_vulnerability(view, finding) for finding in (*view.findings, *view.known)],
        }
    )


def _messages(view: View) -> list[Json]:
    level = {"complete": "info", "partial": "warn", "failed": "fatal"}[view.coverage.status]
    found = [{"level": level, "value": f"Coverage: {words.coverage(view.coverage)}"}]
    if compared := words.compared(view, "marked"):
        found.append({"level": "info", "value": escape.visible(compared)})
    for kind, partial, gaps in words.gaps(view.coverage):
        rest = f"; and {len(gaps) - GAPS:,} more" if len(gaps) > GAPS else ""
        value = f"{len(gaps):,} {kind}: {'; '.join(words.gap(gap) for gap in gaps[:GAPS])}{rest}"
        found.append({"level": "warn" if partial else "info", "value": escape.visible(value)})
    return found


def _vulnerability(view: View, finding: Finding) -> Json:
    span = view.span(finding.place)
    path = escape.path(span.path)
    lines = {"start_line": span.line, "end_line": max(span.line, span.end_line)}
    found: Json = {
        "id": str(uuid.uuid5(_IDS, finding.identity)),
        "name": words.cut(escape.line(finding.title), NAME),
        "description": markdown.message(
            " ".join(one for one in (finding.message, words.unsure(finding)) if one)
        ),  # GitLab shows it as Markdown, the rest as plain text
        "severity": finding.severity.word.capitalize(),
        "solution": words.cut(escape.visible(finding.fix), SOLUTION),
        # The first one is what GitLab follows a finding by.
        "identifiers": [{"type": "headwater_rule", "name": f"Headwater {finding.rule}", "value": finding.rule}, *_identifiers(finding)],
        "location": {"file": path, **lines, **({"method": escape.line(finding.function)} if finding.function else {})},
        "tracking": {
            "type": "source",
            "items": [{"file": path, **lines, "signatures": [{"algorithm": "hash", "value": finding.identity}]}],
        },
    }
    if finding.traces:
        found["details"] = {"trace": _trace(view, finding.traces[0])}
    return found


def _identifiers(finding: Finding) -> list[Json]:
    found = []
    for mapping in mapped(finding):
        entry = knowledge.entries(mapping.framework).get(mapping.id)
        name = f"CWE-{mapping.id}" if mapping.framework == "cwe" else mapping.id
        found.append(
            {
                "type": _FRAMEWORKS.get(mapping.framework, mapping.framework),
                "name": f"{name} {mapping.name}".strip() if mapping.framework != "cwe" else name,
                "value": mapping.id,
                **({"url": entry.url} if entry and entry.url else {}),
            }
        )
    return found


def _trace(view: View, trace: Trace) -> Json:
    items = []
    for index in words.steps(trace):
        if index is None:
            text = f"... {words.left_out(trace)} more steps"
        else:
            step = trace.steps[index]
            text = f"{words.place(view.span(step.place))} {escape.line(step.what)}"
        items.append({"type": "text", "value": text})
    return {"name": f"Trace of {escape.line(trace.kind)}", "type": "list", "items": items}


def _encoded(value: object) -> bytes:
    return escape.json(msgspec.json.format(msgspec.json.encode(value), indent=2)) + b"\n"
