"""Reads the findings of an earlier report, JSON or SARIF, that a review is compared with. The file is taken as hostile: bounded, typed."""

from __future__ import annotations

import os
from typing import Any, Final, TypeVar
from urllib.parse import unquote

import msgspec

from headwater import limits
from headwater.comparison import Known
from headwater.files.read import UnreadableError, read_bytes
from headwater.findings import Level, Severity
from headwater.matching import Item

_SEVERITIES: Final = {one.word: one for one in Severity}
_LEVELS: Final = {one.word: one for one in Level}
_T = TypeVar("_T")


class BaselineError(ValueError):
    """A file that is no report to compare with; the message says why."""


class _Start(msgspec.Struct):
    line: int = 0


class _Place(msgspec.Struct):
    path: str
    start: _Start


class _Finding(msgspec.Struct):
    """What counts of a finding of the JSON report."""

    rule: str
    severity: str
    level: str
    place: _Place
    function: str
    expression: str
    ordinal: int
    sink_class: str
    shape: str
    around: tuple[str, str]


class _Report(msgspec.Struct):
    findings: list[_Finding]
    suppressed: list[_Finding]
    version: int
    known: list[_Finding] = []


class _Region(msgspec.Struct, rename="camel"):
    start_line: int = 0


class _Artifact(msgspec.Struct):
    uri: str


class _Physical(msgspec.Struct, rename="camel"):
    artifact_location: _Artifact
    region: _Region


class _Location(msgspec.Struct, rename="camel"):
    physical_location: _Physical


class _Properties(msgspec.Struct, rename="camel"):
    severity: str
    sink_class: str
    function: str
    expression: str
    ordinal: int
    shape: str
    around: tuple[str, str]


class _Result(msgspec.Struct, rename="camel"):
    """What counts of a result of the SARIF report."""

    rule_id: str
    level: str
    locations: list[_Location]
    properties: _Properties
    suppressions: list[dict[str, Any]] = []


class _Driver(msgspec.Struct):
    name: str


class _Tool(msgspec.Struct):
    driver: _Driver


class _OfRun(msgspec.Struct, rename="camel"):
    results_left_out: int = 0


class _Run(msgspec.Struct):
    tool: _Tool
    results: list[_Result]
    properties: _OfRun = msgspec.field(default_factory=_OfRun)


class _Log(msgspec.Struct):
    runs: list[_Run]


class _Either(msgspec.Struct):
    """What tells one report from the other."""

    schema: Any = None
    runs: msgspec.Raw = msgspec.Raw()


def read(path: str | os.PathLike[str]) -> tuple[Known, ...]:
    """The findings of a report; raises :class:`BaselineError`."""
    try:
        data = read_bytes(os.path.realpath(path), limits.BASELINE_BYTES)
    except UnreadableError as error:
        raise BaselineError("there is no such file" if error.kind == "vanished" else error.reason) from None
    kind = _decoded(data, _Either)
    if bytes(kind.runs):
        found = _of_sarif(_decoded(data, _Log))
    elif kind.schema == "headwater-review":
        found = _of_json(_decoded(data, _Report))
    else:
        raise BaselineError("it is no report of headwater review, neither JSON nor SARIF")
    if len(found) > limits.BASELINE_FINDINGS:
        raise BaselineError(f"it has more than {limits.BASELINE_FINDINGS:,} findings")
    return tuple(found)


def _decoded(data: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(data, type=kind)
    except RecursionError:
        raise BaselineError("it is nested too deeply") from None
    except msgspec.ValidationError as error:
        raise BaselineError(f"it is no report of this version of headwater review: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BaselineError(f"it is no JSON: {error}") from None


def _of_json(report: _Report) -> list[Known]:
    if report.version != 1:
        raise BaselineError(f"it is of version {report.version} of the JSON report; known is version 1")
    made = []
    for some, suppressed in ((report.findings, False), (report.known, False), (report.suppressed, True)):
        for one in some:
            of = Item(
                rule=one.rule,
                class_=one.sink_class or one.rule,
                path=one.place.path,
                function=one.function,
                expression=one.expression[: limits.EXPRESSION_CHARS],
                shape=one.shape,
                around=one.around,
                ordinal=one.ordinal,
                line=one.place.start.line,
            )
            made.append(Known(of, _word(_SEVERITIES, one.severity), _word(_LEVELS, one.level), suppressed))
    return made


def _of_sarif(log: _Log) -> list[Known]:
    made = []
    for run in log.runs:
        if run.tool.driver.name != "Headwater":
            raise BaselineError(f"it is a SARIF report of {run.tool.driver.name[:100]!r}, not of Headwater")
        if run.properties.results_left_out:
            raise BaselineError("results are left out of it, because readers of SARIF refuse larger files; compare with a JSON report")
        for one in run.results:
            if not one.locations:
                raise BaselineError("one of its results has no place")
            place, said = one.locations[0].physical_location, one.properties
            of = Item(
                rule=one.rule_id,
                class_=said.sink_class or one.rule_id,
                path=unquote(place.artifact_location.uri, errors="backslashreplace"),
                function=said.function,
                expression=said.expression[: limits.EXPRESSION_CHARS],
                shape=said.shape,
                around=said.around,
                ordinal=said.ordinal,
                line=place.region.start_line,
            )
            made.append(Known(of, _word(_SEVERITIES, said.severity), _word(_LEVELS, one.level), bool(one.suppressions)))
    return made


def _word(words: dict[str, _T], word: str) -> _T:
    if word not in words:
        raise BaselineError(f"{word[:100]!r} is not one of {', '.join(words)}")
    return words[word]
