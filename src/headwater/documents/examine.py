"""Examines the files beside the code for what rules ask by the name of a shape: one pass over their bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from headwater import ir
from headwater.documents import keys, manifests, names, packages, servers, told
from headwater.documents.told import Told
from headwater.files.discover import FRONTENDS
from headwater.files.papers import most_bytes
from headwater.files.read import Entry, UnreadableError, read_bytes
from headwater.files.read import most_bytes as most_of_code
from headwater.files.secrets import Mask
from headwater.files.source import Source
from headwater.findings import Finding, Gap
from headwater.rules.load import Rule
from headwater.rules.schema import ShapePattern

_REMARK: Final = re.compile(rb"(?:#+|//+|<!--)[ \t]*headwater[ \t]*:[^\r\n]*")
_LINE: Final = re.compile(rb"[^\r\n]*\r?\n?")


class Examined(NamedTuple):
    """What was found, and the files that it names."""

    findings: list[Finding]
    sources: dict[str, Source]
    """Files beside the code, and notebooks with a comment for what stands in their outputs."""
    remarks: dict[str, list[ir.Remark]]
    gaps: list[Gap]
    mask: Mask
    """Writes stars over the keys that were found, whether a rule asks for them or not."""


def examine(papers: Iterable[Entry], code: Mapping[str, Source], notebooks: Iterable[Entry], rules: Mapping[str, Rule]) -> Examined:
    """All files; what cannot be read is told."""
    one = _Examiner(told.shapes(rules))
    for entry in papers:
        data = one.read(entry)
        if data is not None and b"\0" not in data:
            one.paper(entry.path, data)
    outputs = {entry.path: entry for entry in notebooks}
    for path, source in code.items():
        if path not in outputs:
            one.keys(keys.in_text(path, source.data))
    for path, entry in outputs.items():
        data = one.read(entry)
        if data is not None:
            one.notebook(path, data, code.get(path))
    return one.result()


class _Examiner:
    def __init__(self, asked: Mapping[str, tuple[Rule, ShapePattern]]) -> None:
        self.asked = asked
        self.gaps: list[Gap] = []
        self.found: list[Told] = []
        self.kept: dict[str, Source] = {}
        self.declared: dict[str, list[manifests.Pin]] = {}
        self.own: set[str] = set()
        """Packages of the repository itself."""
        self.values: dict[tuple[str, int], None] = {}
        """Keys, with the lengths of their prefixes."""

    def read(self, entry: Entry) -> bytes | None:
        most = most_of_code(entry.language) if entry.language in FRONTENDS else most_bytes(entry.path.rpartition("/")[2])
        try:
            return read_bytes(entry.absolute, most)
        except UnreadableError as error:
            if entry.language not in FRONTENDS:  # else it is told already
                reason = f"it was not searched for what it declares: {error.reason}"
                self.gaps.append(Gap(error.kind, entry.path, 0, reason, partial=False))
            return None

    def paper(self, path: str, data: bytes) -> None:
        before = len(self.found)
        if (name := manifests.own_name(path, data)) is not None:
            self.own.add(":".join(name))
        pins = list(manifests.pins(path, data)) if self.asked.keys() & {packages.VULNERABLE, names.MISSPELT} else []
        if pins:
            self.declared[path] = pins
        if servers.UNPINNED in self.asked:
            self.found += servers.told(path, data)
        if not manifests.is_lock(path):  # nothing but hashes
            self.keys(keys.in_text(path, data))
        if pins or len(self.found) > before:
            self.kept[path] = Source(path, data, encoding="utf-8")

    def notebook(self, path: str, raw: bytes, code: Source | None) -> None:
        if code is None:
            self.paper(path, raw)
            return
        told_, source = keys.in_notebook(path, raw, code)
        self.keys(told_)
        if source is not code:
            self.kept[path] = source

    def keys(self, found: Iterable[tuple[Told, str, int]]) -> None:
        for one, value, shown in found:
            self.values[value, shown] = None
            if keys.WRITTEN in self.asked:
                self.found.append(one)

    def result(self) -> Examined:
        found = [one for one in self.found if one.shape != servers.UNPINNED or one.known_by not in self.own]
        if packages.VULNERABLE in self.asked:
            found += packages.vulnerable(self.declared)
        if names.MISSPELT in self.asked:
            found += [one for one in names.misspelt(self.declared) if one.known_by not in self.own]
        named = {one.path for one in found}
        sources = {path: self.kept[path] for path in sorted(named & self.kept.keys())}
        remarks = {path: made for path, one in sources.items() if one.layout is None and (made := remarks_of(one.data))}
        return Examined(told.findings(found, self.asked), sources, remarks, self.gaps, Mask(self.values))


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
