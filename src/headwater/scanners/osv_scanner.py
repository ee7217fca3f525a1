"""Reads what ``osv-scanner --format json`` writes: the files that it read, their packages, and the advisories on them."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from headwater import limits
from headwater.scanners import texts
from headwater.scanners.values import Advised, Report

TOOL: Final = "OSV-Scanner"
_WORDS: Final = {"CRITICAL": "critical", "HIGH": "high", "MODERATE": "medium", "MEDIUM": "medium", "LOW": "low"}
_SCORES: Final = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.1, "low"))


class _Event(msgspec.Struct):
    fixed: str = ""


class _Range(msgspec.Struct):
    type: str = ""
    events: list[_Event] = []


class _Name(msgspec.Struct):
    name: str
    ecosystem: str = ""
    version: str = ""


class _Affected(msgspec.Struct):
    package: _Name | None = None
    ranges: list[_Range] | None = None


class _Advisory(msgspec.Struct):
    id: str
    aliases: list[str] | None = None
    summary: str = ""
    details: str = ""
    affected: list[_Affected] | None = None
    database_specific: dict[str, Any] | None = None


class _Group(msgspec.Struct):
    ids: list[str] = []
    aliases: list[str] | None = None
    max_severity: str = ""


class _Package(msgspec.Struct):
    package: _Name
    vulnerabilities: list[_Advisory] | None = None
    groups: list[_Group] | None = None


class _Source(msgspec.Struct):
    path: str = ""


class _Result(msgspec.Struct):
    source: _Source
    packages: list[_Package] | None = None


def read(root: Any) -> Report | None:
    """None where it is no such report."""
    results = root.get("results") if isinstance(root, dict) else None
    if not isinstance(results, list) or not all(isinstance(one, dict) and "source" in one for one in results):
        return None
    made: list[Advised] = []
    for result in msgspec.convert(results, list[_Result]):
        path = texts.path(result.source.path)
        for package in result.packages or ():
            made += _advised(package, path)
    notes = (f"more than {limits.IMPORT_ITEMS:,} advisories: the rest is not known here",) if len(made) > limits.IMPORT_ITEMS else ()
    return Report(TOOL, tuple(made[: limits.IMPORT_ITEMS]), notes=notes)


def _advised(package: _Package, path: str) -> list[Advised]:
    """One for each group: records of several databases about the same thing."""
    ecosystem, name = texts.package(package.package.ecosystem, package.package.name)
    records = (package.vulnerabilities or [])[: limits.IMPORT_ITEMS]
    groups = {id: group for group in package.groups or () for id in group.ids}
    made: dict[tuple[str, ...], Advised] = {}
    for one in records:
        group = groups.get(one.id)
        ids = texts.ids([one.id, *(one.aliases or ()), *(group.ids if group else ()), *((group.aliases or ()) if group else ())])
        if not ids or not name:
            continue
        summary = texts.line(one.summary or one.details.strip().partition("\n")[0])
        fixed = tuple(
            texts.name(event.fixed)
            for affected in one.affected or ()
            if affected.package is not None and texts.package(affected.package.ecosystem, affected.package.name) == (ecosystem, name)
            for span in affected.ranges or ()
            if span.type != "GIT"
            for event in span.events
            if event.fixed
        )[: limits.IMPORT_ALIASES]
        key = tuple(sorted(group.ids)) if group else (one.id,)
        known = made.get(key)
        if known is None or (not known.summary and summary):
            version = texts.name(package.package.version)
            severity = "malware" if one.id.startswith("MAL-") else _severity(one, group)
            made[key] = Advised(ecosystem, name, version, ids, summary, fixed or (known.fixed if known else ()), severity, path)
    return list(made.values())


def _severity(one: _Advisory, group: _Group | None) -> str:
    said = (one.database_specific or {}).get("severity")
    if isinstance(said, str) and said.upper() in _WORDS:
        return _WORDS[said.upper()]
    try:
        score = float(group.max_severity) if group else 0.0
    except ValueError:
        return "unknown"
    return next((word for least, word in _SCORES if score >= least), "unknown")
