"""Reads what ``gitleaks`` writes with ``--report-format json`` or ``sarif``: secrets in files and in commits."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote

import msgspec

from headwater import limits
from headwater.scanners import texts
from headwater.scanners.values import Leaked, Report

TOOL: Final = "gitleaks"
_HIDDEN: Final = "REDACTED"


class _Leak(msgspec.Struct, rename="pascal"):
    rule: str = msgspec.field(name="RuleID")
    file: str
    start_line: int
    secret: str
    match: str = ""
    commit: str = ""


class _Text(msgspec.Struct):
    text: str = ""


class _Region(msgspec.Struct, rename="camel"):
    start_line: int = 0
    snippet: _Text = msgspec.field(default_factory=_Text)


class _Artifact(msgspec.Struct):
    uri: str = ""


class _Physical(msgspec.Struct, rename="camel"):
    artifact_location: _Artifact
    region: _Region = msgspec.field(default_factory=_Region)


class _Location(msgspec.Struct, rename="camel"):
    physical_location: _Physical


class _Prints(msgspec.Struct, rename="camel"):
    commit_sha: str = ""


class _Result(msgspec.Struct, rename="camel"):
    rule_id: str
    locations: list[_Location]
    partial_fingerprints: _Prints = msgspec.field(default_factory=_Prints)


class _Driver(msgspec.Struct):
    name: str


class _Tool(msgspec.Struct):
    driver: _Driver


class _Run(msgspec.Struct):
    tool: _Tool
    results: list[_Result] | None = None


class _Sarif(msgspec.Struct):
    runs: list[_Run]


def read(root: Any) -> Report | None:
    """None where it is no such report."""
    if isinstance(root, list) and all(isinstance(one, dict) and "RuleID" in one for one in root):
        return _report([_leaked(one) for one in msgspec.convert(root[: limits.IMPORT_ITEMS], list[_Leak])], len(root))
    if isinstance(root, dict) and isinstance(root.get("runs"), list) and _is_of_gitleaks(root["runs"]):
        results = [one for run in msgspec.convert(root, _Sarif).runs for one in run.results or ()]
        made = [_told(one, place.physical_location) for one in results[: limits.IMPORT_ITEMS] for place in one.locations[:1]]
        return _report(made, len(results))
    return None


def _is_of_gitleaks(runs: list[Any]) -> bool:
    return all(isinstance(run, dict) and _name(run).lower() == TOOL for run in runs) and bool(runs)


def _name(run: dict[str, Any]) -> str:
    at: Any = run
    for key in ("tool", "driver", "name"):
        at = at.get(key) if isinstance(at, dict) else None
    return at if isinstance(at, str) else ""


def _report(made: list[Leaked], count: int) -> Report:
    notes = (f"more than {limits.IMPORT_ITEMS:,} secrets: the rest is not known here",) if count > limits.IMPORT_ITEMS else ()
    return Report(TOOL, leaked=tuple(made), notes=notes)


def _leaked(one: _Leak) -> Leaked:
    before = after = ""
    hidden = one.secret.startswith(_HIDDEN) or one.secret.endswith("...")  # all of it, or all but its begin
    if hidden:
        before, _, after = one.match.partition(one.secret)
    return Leaked(
        texts.name(one.rule),
        texts.path(one.file),
        max(0, one.start_line),
        "" if hidden else one.secret[: limits.IMPORT_SECRET],
        before[: limits.IMPORT_TEXT],
        after[: limits.IMPORT_TEXT],
        texts.name(one.commit),
    )


def _told(one: _Result, place: _Physical) -> Leaked:
    value = place.region.snippet.text
    hidden = value.startswith(_HIDDEN) or value.endswith("...")
    return Leaked(
        texts.name(one.rule_id),
        texts.path(unquote(place.artifact_location.uri.removeprefix("file://"))),
        max(0, place.region.start_line),
        "" if hidden else value[: limits.IMPORT_SECRET],
        commit=texts.name(one.partial_fingerprints.commit_sha),
    )
