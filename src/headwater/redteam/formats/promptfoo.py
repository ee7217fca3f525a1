"""Reads results of promptfoo: what ``promptfoo eval`` and ``promptfoo redteam eval`` write with ``--output``, as JSON or as lines of it.

A row passed where its assertions did. Rows with an error, without an answer, without an assertion, or whose grader failed are not judged:
promptfoo counts some of them as passed.
"""

from __future__ import annotations

import os
from typing import Any, Final

import msgspec

from headwater.redteam.collect import NOBODY, Collector
from headwater.redteam.evidence import Evidence
from headwater.redteam.formats.error import ReportError, lines, whole

_ERROR: Final = 2  # reason of a failure: the row was not asked, or not judged
_PARTS: Final = 100  # of the assertions of one row that are looked at


class _Assertion(msgspec.Struct):
    type: str = ""


class _Grading(msgspec.Struct, rename="camel"):
    assertion: _Assertion | None = None
    component_results: list[_Grading] = []
    metadata: dict[str, Any] | None = None
    passed: bool = msgspec.field(default=False, name="pass")
    reason: Any = ""


class _Test(msgspec.Struct):
    metadata: dict[str, Any] | None = None


class _Response(msgspec.Struct):
    output: Any = None
    error: Any = None


class _Prompt(msgspec.Struct):
    raw: Any = ""


class _Row(msgspec.Struct, rename="camel"):
    success: bool
    failure_reason: int = 0
    error: Any = None
    grading_result: _Grading | None = None
    test_case: _Test | None = None
    metadata: dict[str, Any] | None = None
    response: _Response | None = None
    prompt: _Prompt | None = None


class _Results(msgspec.Struct):
    results: list[msgspec.Raw]


class _Metadata(msgspec.Struct, rename="camel"):
    promptfoo_version: str = ""


class _File(msgspec.Struct):
    results: msgspec.Raw
    metadata: _Metadata | None = None


def is_report(head: bytes) -> bool:
    """Whether a file begins as such a report does."""
    start = head.lstrip()[: 1 << 12]
    return start.startswith(b"{") and any(key in start for key in (b'"evalId"', b'"promptIdx"', b'"failureReason"', b'"promptId"'))


def read(path: str) -> Evidence:
    """One file."""
    out = Collector("promptfoo", os.path.basename(path))
    if path.endswith(".jsonl"):
        with open(path, "rb") as file:
            for number, line in lines(file):
                if line is None:
                    out.miss("unreadable", "", f"line {number:,} is too long")
                else:
                    _try(out, line)
        return out.evidence()
    data = whole(path)
    for row in _rows(out, data):
        _try(out, row)
    return out.evidence()


def _rows(out: Collector, data: bytes) -> list[msgspec.Raw]:
    try:
        found = msgspec.json.decode(data, type=_File)
        if found.metadata is not None:
            out.version = found.metadata.promptfoo_version[:40]
        return msgspec.json.decode(found.results, type=_Results).results
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ReportError(f"not what promptfoo writes: {error}") from None


def _try(out: Collector, row: bytes | msgspec.Raw) -> None:
    try:
        _row(out, msgspec.json.decode(row, type=_Row))
    except (msgspec.MsgspecError, RecursionError):
        out.miss("unreadable", "", "a row that is not what promptfoo writes")


def _row(out: Collector, one: _Row) -> None:
    probe = _probe(one)
    grading = one.grading_result
    parts = [] if grading is None else [grading, *grading.component_results[:_PARTS]]
    asserted = [part for part in parts if part.assertion is not None and part.assertion.type]
    worst = next((part for part in asserted if not part.passed), asserted[0] if asserted else None)
    detector = worst.assertion.type if worst is not None and worst.assertion is not None else NOBODY
    output = "" if one.response is None else _text(one.response.output)
    problem = _text(one.error) or ("" if one.response is None else _text(one.response.error))
    if any((part.metadata or {}).get("graderError") for part in parts):
        out.miss("not-judged", probe, f"the grader failed: {_text(worst.reason if worst else '')}".rstrip(": "))
    elif one.failure_reason == _ERROR:
        out.miss("not-judged", probe, problem or "promptfoo calls it an error")
    elif not output:
        out.miss("no-answer", probe, problem or "the answer is empty")
    elif not asserted:
        out.miss("not-judged", probe, "it has no assertion: nothing was asked of the answer")
    elif one.success:
        out.add(probe, detector, passed=1)
        return
    else:
        out.add(probe, detector, failed=1)
        out.hit(probe, detector, _text(one.prompt.raw if one.prompt else ""), output)
        return
    out.add(probe, detector, unjudged=1)


def _probe(one: _Row) -> str:
    """The plugin, and the strategy that dressed it."""
    for metadata in (one.metadata, one.test_case.metadata if one.test_case else None):
        plugin = (metadata or {}).get("pluginId")
        if isinstance(plugin, str) and plugin:
            strategy = (metadata or {}).get("strategyId")
            return f"{plugin}/{strategy}" if isinstance(strategy, str) and strategy not in ("", "basic") else plugin
    return "test"


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode("utf-8", "replace")
