"""The review as JSON, schema ``headwater-review`` version 1 (described in docs/json.md).

Only additions are made within a version. The same review gives the same bytes: no times, no absolute paths, fixed order.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from headwater import gate
from headwater.findings import Finding, Gap, Mapping_, Step, Trace
from headwater.reports import escape, evidence, redteam
from headwater.reports.view import CellSpan, Span, View

SCHEMA: Final = "headwater-review"
VERSION: Final = 1


def render(view: View) -> bytes:
    """One JSON object, indented, with a line end."""
    data = msgspec.json.encode(document(view))
    return escape.json(msgspec.json.format(data, indent=2)) + b"\n"


def document(view: View) -> dict[str, Any]:
    """The same as a value."""
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "tool": {"name": "headwater", "version": view.version},
        "selection": {
            "persona": view.config.persona,
            "min_confidence": view.config.min_confidence.word,
            "shown": len(view.findings),
            "hidden": view.hidden,
            "suppressed": len(view.suppressed),
            **({"known": len(view.known)} if view.comparison is not None else {}),
        },
        "gate": {
            "fail_on": view.gate.fail_on.word if view.gate.fail_on else "never",
            "failed": view.gate.failed,
            "counted": view.gate.counted,
        },
        "findings": [_finding(view, finding) for finding in view.findings],
        "suppressed": [{**_finding(view, finding), "suppression": _suppression(finding)} for finding in view.suppressed],
        **_compared(view),
        **({} if view.red_team is None else {"red_team": redteam.document(view.red_team)}),
        "coverage": {
            "status": view.coverage.status,
            "files": view.coverage.files,
            "lines": view.coverage.lines,
            "functions": view.coverage.functions,
            "by_language": dict(sorted(view.coverage.by_language.items())),
            "gaps": [_gap(gap) for gap in sorted(view.coverage.gaps)],
            "counts": dict(sorted(view.coverage.counts.items())),
        },
    }


def _compared(view: View) -> dict[str, Any]:
    one = view.comparison
    if one is None:
        return {}
    fixed = [{"rule": _text(gone.rule), "path": escape.path(gone.path), "function": _text(gone.function)} for gone in one.fixed]
    return {
        "known": [_finding(view, finding) for finding in view.known],
        "comparison": {"against": _text(one.against), "fixed": fixed, "unseen": one.unseen},
    }


def _finding(view: View, finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "title": finding.title,
        "message": _text(finding.message),
        "level": finding.level.word,
        "severity": finding.severity.word,
        "confidence": finding.confidence.word,
        "evidence": finding.evidence,
        **evidence.document(finding),
        **({"red_team": told} if (told := _text(redteam.about(finding, view.red_team))) else {}),
        "identity": {"headwater/v1": finding.identity, "headwater-moved/v1": finding.moved_identity},
        "place": _place(view.span(finding.place)),
        "function": _text(finding.function),
        "expression": _text(finding.expression),
        "ordinal": finding.ordinal,
        "shape": finding.shape,
        "around": list(finding.around),
        **({"state": finding.state} if finding.state else {}),
        "source_kind": finding.kind,
        "signed_in": finding.signed_in,
        "rank": gate.rank(finding),
        "sink_class": finding.sink_class,
        "traces": [_trace(view, trace) for trace in finding.traces],
        "weaknesses": [_text(weakness) for weakness in finding.weaknesses],
        "fix": _text(finding.fix),
        "cwe": list(finding.cwe),
        "mappings": [_mapping(mapping) for mapping in finding.mappings],
    }


def _suppression(finding: Finding) -> dict[str, Any]:
    found = finding.suppression
    assert found is not None
    return {"path": escape.path(found.path), "line": found.line, "reason": _text(found.reason), "until": found.until}


def _trace(view: View, trace: Trace) -> dict[str, Any]:
    return {"kind": trace.kind, "steps": [_step(view, step) for step in trace.steps]}


def _step(view: View, step: Step) -> dict[str, Any]:
    return {
        "role": step.role,
        "kind": step.kind,
        "what": _text(step.what),
        "function": _text(step.function),
        "place": _place(view.span(step.place)),
    }


def _place(span: Span) -> dict[str, Any]:
    return {
        "path": escape.path(span.path),
        **({"cell": _cell(span.cell)} if span.cell else {}),
        "start": {"line": span.line, "column": span.column},
        "end": {"line": span.end_line, "column": span.end_column},
        "code": _text(span.text),
    }


def _cell(cell: CellSpan) -> dict[str, int]:
    return {"number": cell.number, "line": cell.line, "end_line": cell.end_line}


def _mapping(mapping: Mapping_) -> dict[str, str]:
    return {"framework": mapping.framework, "edition": mapping.edition, "id": mapping.id, "name": mapping.name}


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "kind": gap.kind,
        "path": escape.path(gap.path),
        **({"cell": {"number": gap.cell, "line": gap.cell_line}} if gap.cell else {}),
        "line": gap.line,
        "reason": _text(gap.reason),
        "partial": gap.partial,
    }


def _text(text: str) -> str:
    # A lone surrogate has no place in UTF-8.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
