"""Examines the files beside the code for what rules ask by the name of a shape: one pass over their bytes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from headwater import ir, limits
from headwater.documents import (
    accounts,
    commands,
    indexes,
    installs,
    keys,
    launch,
    manifests,
    names,
    packages,
    pipelines,
    reported,
    servers,
    told,
    weights,
)
from headwater.documents.commands import Command
from headwater.documents.reported import Paths, Reported
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
from headwater.scanners.values import Report

_REMARK: Final = re.compile(rb"(?:#+|//+|<!--)[ \t]*headwater[ \t]*:[^\r\n]*")
_OF_OTHERS: Final = frozenset({servers.UNPINNED, installs.UNPINNED})
"""Shapes that say nothing of packages of the repository itself."""
_OF_PINS: Final = frozenset({packages.VULNERABLE, names.MISSPELT, servers.UNPINNED})
"""Shapes that need to know which packages are declared."""
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


def examine(
    papers: Sequence[Entry],
    code: Mapping[str, Source],
    keyed: Collection[str],
    notebooks: Sequence[Entry],
    rules: Mapping[str, Rule],
    reports: Sequence[Report] = (),
) -> Examined:
    """All files; what cannot be read is told. Of the code those are looked at that may hold a key (``keyed``), or that a report names."""
    paths = [entry.path for entry in papers]
    secrets = Reported(reports, [*paths, *code, *(entry.path for entry in notebooks)])
    installed = any(path.startswith(servers.PLUGIN) for path in paths)
    one = _Examiner(told.shapes(rules), reports, Paths(paths), secrets, installed, code)
    for entry in papers:
        data = one.read(entry)
        if data is not None and b"\0" not in data:
            one.guarded(entry.path, data)
    outputs = {entry.path: entry for entry in notebooks}
    for path, source in code.items():
        if path not in outputs and (path in keyed or path in secrets):
            one.keys(keys.in_text(path, source.data, secrets))
    for path, entry in outputs.items():
        data = one.read(entry)
        if data is not None:
            one.notebook(path, data, code.get(path))
    return one.result()


class _Examiner:
    def __init__(
        self,
        asked: Mapping[str, tuple[Rule, ShapePattern]],
        reports: Sequence[Report],
        papers: Paths,
        secrets: Reported,
        installed: bool,
        code: Mapping[str, Source],
    ) -> None:
        self.asked = asked
        self.code = code
        self.installed = installed
        """Whether users of the repository get the configuration at its root."""
        self.reports = reports
        self.papers = papers
        self.reported = secrets
        self.scanned = {papers.find(one.path) for report in reports for one in report.advised if one.path}
        self.gaps: list[Gap] = []
        self.found: list[Told] = []
        self.kept: dict[str, Source] = {}
        self.declared: dict[str, list[manifests.Pin]] = {}
        self.starts: dict[str, bytes] = {}
        """What may start programs of packages, or ask for a part of one."""
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

    def guarded(self, path: str, data: bytes) -> None:
        """What a file says; a reader that fails on it costs this file and no more."""
        try:
            self.paper(path, data)
        except Exception as error:
            # Only the name of the error: its text may hold text of the repository.
            reason = f"it was not searched for what it declares: a reader failed on it ({type(error).__name__})"
            self.gaps.append(Gap("crash", path, 0, reason))

    def paper(self, path: str, data: bytes) -> None:
        before = len(self.found)
        if (name := manifests.own_name(path, data)) is not None:
            self.own.add(":".join(name))
        pins = list(manifests.pins(path, data)) if self.asked.keys() & _OF_PINS else []
        if commands.is_read(path):
            pins += self.script(path, data, list(commands.commands(path, data)))
        elif pipelines.is_read(path):
            pins += self.script(path, data, list(pipelines.commands(path, data)))
        if packages.VULNERABLE in self.asked and len(data) <= limits.SERVERS_BYTES and _starts(path):
            self.starts[path] = data
        started = list(servers.read(path, data))
        pins += servers.pins(started)
        self.told(servers.told(path, started, self.installed))
        self.told(indexes.of_settings(path, data))
        if pins:
            self.declared[path] = pins
        self.told(accounts.in_text(path, data))
        if not manifests.is_lock(path) or path in self.reported:  # else nothing but hashes
            self.keys(keys.in_text(path, data, self.reported))
        if pins or self.named(path) or len(self.found) > before:
            self.kept[path] = Source(path, data, encoding="utf-8")

    def script(self, path: str, data: bytes, said: list[Command]) -> list[manifests.Pin]:
        """What commands fetch, and the packages that they install."""
        installed = list(installs.installs(said))
        self.told(indexes.of_commands(path, said, installed))
        self.told(weights.told(path, data, said))
        self.told(accounts.in_commands(path, said))
        self.told(installs.told(path, installed))
        pins = [pin for one in installed for pin in one.pins]
        for words in (command.words for command in said if command.words):
            if (found := launch.fetched([word.text for word in words])) is not None:
                pins += launch.pin(found, words[0].start, words[-1].end)
        return pins[: limits.DECLARATIONS]

    def told(self, found: Iterable[Told]) -> None:
        self.found += [one for one in found if one.shape in self.asked]

    def named(self, path: str) -> bool:
        """Whether a finding about a package that nothing declares may be told of a file."""
        return any(report.advised for report in self.reports) and (bool(manifests.kind_of(path)) or path in self.scanned)

    def notebook(self, path: str, raw: bytes, code: Source | None) -> None:
        if code is None:
            self.guarded(path, raw)
            return
        told_, source = keys.in_notebook(path, raw, code, self.reported)
        self.keys(told_)
        if source is not code:
            self.kept[path] = source

    def keys(self, found: Iterable[tuple[Told, list[str], int]]) -> None:
        for one, values, shown in found:
            self.values.update(((value, shown), None) for value in values)
            if keys.WRITTEN in self.asked:
                self.found.append(one)

    def fixed(self, one: Told) -> bool:
        """Whether what is started is a dependency in an exact version, which ``npx`` takes before it asks the registry."""
        ecosystem, _, name = one.known_by.partition(":")
        if ecosystem != "npm" or one.sink != f"`{name}`":  # else a version is asked for, whatever is there
            return False
        folder = one.path
        while folder:
            folder = folder.rpartition("/")[0]
            here = self.declared.get(f"{folder}/package.json" if folder else "package.json", ())
            if any(pin.ecosystem == "npm" and pin.name == name and pin.exact for pin in here):
                return True
        return False

    def is_own(self, known_by: str) -> bool:
        """Whether a package is one of the repository itself, or an image is called like one."""
        ecosystem, _, name = known_by.partition(":")
        if ecosystem != "image":
            return known_by in self.own
        return name.rpartition("/")[2].lower() in {own.partition(":")[2].rpartition("/")[2] for own in self.own}

    def result(self) -> Examined:
        found = [one for one in self.found if one.shape not in _OF_OTHERS or not self.is_own(one.known_by)]
        found = [one for one in found if one.shape != servers.UNPINNED or not self.fixed(one)]
        if packages.VULNERABLE in self.asked:
            whole = sorted((path for path in self.kept if manifests.kind_of(path)), key=lambda path: (path.count("/"), path))
            at, loose, lost = packages.placed(self.reports, self.declared, whole, self.papers)
            found += [*packages.vulnerable(self.declared, at, self.code, self.starts), *loose]
            self.gaps += [Gap("import", "", 0, reason, partial=False) for reason in lost]
        if names.MISSPELT in self.asked:
            found += [one for one in names.misspelt(self.declared) if one.known_by not in self.own]
        self.gaps += [*self.reported.gaps(), *reported.notes(self.reports)]
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


def _starts(path: str) -> bool:
    """Whether a file may start programs, or says which parts of packages are installed."""
    by_hand = manifests.kind_of(path) and not manifests.is_lock(path)
    return bool(by_hand) or commands.is_read(path) or pipelines.is_read(path) or path.endswith((".yaml", ".yml", "Procfile", "Makefile"))
