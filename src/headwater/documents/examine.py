"""Examines the files beside the code for what rules ask by the name of a shape: one pass over their bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from headwater import ir
from headwater.documents import manifests, packages, servers, told
from headwater.documents.told import Told
from headwater.files.papers import most_bytes
from headwater.files.read import Entry, UnreadableError, read_bytes
from headwater.files.source import Source
from headwater.findings import Finding, Gap
from headwater.rules.load import Rule

_REMARK: Final = re.compile(rb"(?:#+|//+|<!--)[ \t]*headwater[ \t]*:[^\r\n]*")
_LINE: Final = re.compile(rb"[^\r\n]*\r?\n?")


class Examined(NamedTuple):
    """What was found, and the files that it names."""

    findings: list[Finding]
    sources: dict[str, Source]
    remarks: dict[str, list[ir.Remark]]
    gaps: list[Gap]


def examine(papers: Iterable[Entry], rules: Mapping[str, Rule]) -> Examined:
    """All files; what cannot be read is told."""
    asked = told.shapes(rules)
    gaps: list[Gap] = []
    found: list[Told] = []
    kept: dict[str, bytes] = {}
    declared: dict[str, list[manifests.Pin]] = {}
    own: set[str] = set()
    """Packages of the repository itself."""
    for entry in papers:
        try:
            data = read_bytes(entry.absolute, most_bytes(entry.path.rpartition("/")[2]))
        except UnreadableError as error:
            gaps.append(Gap(error.kind, entry.path, 0, f"it was not searched for what it declares: {error.reason}", partial=False))
            continue
        if b"\0" in data:
            continue
        if (name := manifests.own_name(entry.path, data)) is not None:
            own.add(":".join(name))
        if manifests.kind_of(entry.path) and packages.VULNERABLE in asked:
            pins = list(manifests.pins(entry.path, data))
            if pins:
                declared[entry.path] = pins
                kept[entry.path] = data
        if servers.UNPINNED in asked and (here := list(servers.told(entry.path, data))):
            found += here
            kept[entry.path] = data
    found = [one for one in found if one.shape != servers.UNPINNED or one.known_by not in own]
    if packages.VULNERABLE in asked:
        found += packages.vulnerable(declared)
    sources = {path: Source(path, kept[path], encoding="utf-8") for path in sorted({one.path for one in found})}
    remarks = {path: made for path, source in sources.items() if (made := remarks_of(source.data))}
    return Examined(told.findings(found, asked), sources, remarks, gaps)


def remarks_of(data: bytes) -> list[ir.Remark]:
    """The comments that speak to Headwater: each about its line, or where it has one of its own, about the next."""
    made = []
    for one in _REMARK.finditer(data) if b"headwater" in data else ():
        first = max(data.rfind(b"\n", 0, one.start()), data.rfind(b"\r", 0, one.start())) + 1
        last = _end(data, first)
        if not data[first : one.start()].strip(b" \t"):
            first, last = last, _end(data, last)
        made.append(ir.Remark(one.start(), one.end(), first, last))
    return made


def _end(data: bytes, start: int) -> int:
    found = _LINE.match(data, start)
    return found.end() if found is not None else len(data)
