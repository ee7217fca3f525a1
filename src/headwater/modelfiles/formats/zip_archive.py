"""Zip archives: torch, TorchScript, torch.export, TorchServe, Keras 3, skops, npz, plain ones. Both accounts of members are read."""

from __future__ import annotations

import posixpath
from typing import Final

from headwater.modelfiles import members
from headwater.modelfiles.blob import Blob, PartBlob
from headwater.modelfiles.compression import Missing
from headwater.modelfiles.formats import executable, keras, pickled, skops
from headwater.modelfiles.formats.pickled import STORAGE
from headwater.modelfiles.spool import Spooled, unpack
from headwater.modelfiles.work import Examination
from headwater.modelfiles.zipread import END, LOCAL, Archive, Entry, pieces

NAME: Final = "zip"

_LINK: Final = 0o120000
_KIND: Final = 0o170000
_DESCRIPTOR: Final = 24
"""Bytes that may stand behind a member: its checksum and lengths."""


def matches(head: bytes, blob: Blob, path: str) -> bool:
    if head.startswith((LOCAL, END)):
        return True
    if blob.size < 22:
        return False
    tail = blob.read(max(0, blob.size - 66_000), 66_000)
    if END not in tail:
        return False
    archive = Archive(blob)
    return any(archive.local(entry.at) is not None for entry in archive.entries[:4])


def kind(names: list[str]) -> str:
    """The format of an archive by its members."""
    bases = {posixpath.basename(name) for name in names}
    if any(name.startswith("MAR-INF/") for name in names):
        return "torchserve"
    if members.is_torchscript(names):
        return "torchscript"
    if any(name.endswith(("models/model.json", "archive_format")) for name in names) and bases & {
        "archive_version",
        "version",
        "model.json",
    }:
        return "torch-export"
    if "data.pkl" in bases:
        return "torch"
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    return NAME


def examine(blob: Blob, work: Examination) -> None:
    archive = Archive(blob)
    if archive.broken:
        work.concern("zip-directory", "inconclusive", f"The archive is damaged: {archive.broken}. What could be found was looked at.")
    _Zip(blob, archive, work).run()


def _acts(blob: Blob, name: str) -> bool:
    """Whether what should be the numbers of a tensor is a pickle, a program or an archive."""
    head = blob.read(0, 4096)
    return any(form.matches(head, blob, name) for form in (pickled, executable)) or (head.startswith(LOCAL) and matches(head, blob, name))


class _Zip:
    def __init__(self, blob: Blob, archive: Archive, work: Examination) -> None:
        self.blob = blob
        self.archive = archive
        self.work = work
        self.names = [entry.name for entry in archive.entries]
        self.script = members.is_torchscript(self.names)
        self.system = members.is_system(self.names)
        self.package = members.is_package(self.names)
        self.spans: list[tuple[int, int]] = []
        self.left = blob.size
        known = set(self.names)
        self.numbers = any(posixpath.basename(name) == "data.pkl" for name in self.names)
        self.form = next((form for form in (keras, skops) if form.is_one(known)), None)
        work.format = self.form.NAME if self.form is not None else kind(self.names)

    def run(self) -> None:
        seen: set[str] = set()
        for entry in self.archive.entries:
            if entry.name in seen:
                said = f"Two of its members are called {entry.name[:200]!r}: loaders differ in which of them they take."
                self.work.concern("zip-duplicate", "review", said, entry.name)
            seen.add(entry.name)
            if not self.listed(entry):
                break
        self.gaps()

    def listed(self, entry: Entry) -> bool:
        """A member of the directory; False where no more of them are looked at."""
        members.name(entry.name, self.work)
        found = self.archive.local(entry.at)
        if found is None:
            said = f"The member {entry.name[:200]!r} is not where the directory says."
            self.work.concern("zip-member", "inconclusive", said, entry.name)
            return True
        local, data = found
        if local.name != entry.name and local.name.replace("\\", "/") != entry.name.replace("\\", "/"):
            said = (
                f"The directory calls a member {entry.name[:150]!r}, its own header {local.name[:150]!r}: loaders differ in what they take."
            )
            self.work.concern("zip-name", "review", said, f"{entry.name} / {local.name}")
            members.name(local.name, self.work)
        self.spans.append((entry.at, data + entry.packed))
        self.left -= entry.packed
        if self.left < 0:
            said = "Its members overlap: together they are longer than the archive, as in bombs."
            self.work.concern("zip-overlap", "review", said)
            return False
        self.content(entry, local, data)
        return True

    def content(self, entry: Entry, local: Entry, data: int) -> None:
        name = entry.name
        if name.endswith("/") and not entry.size:
            return
        flagged = (entry.flags | local.flags) & 1
        if flagged and entry.method == 0 and entry.packed != entry.size:
            return self.work.concern("encrypted", "inconclusive", f"The member {name[:200]!r} is encrypted.", name)
        if entry.method == 0:
            part = PartBlob(self.blob, data, entry.packed)
            if part.size < entry.packed:
                self.work.concern("zip-member", "inconclusive", f"The member {name[:200]!r} ends in the middle.", name)
            self.lie(flagged, name)
            return self.plain(entry, part)
        with self.unpacked(entry, data, entry.method) as spooled:
            if spooled.cut not in ("", "bomb", "size") and local.method != entry.method:
                with self.unpacked(entry, data, local.method) as other:
                    if not other.cut:
                        said = (
                            f"The directory and the header of {name[:200]!r} differ in how it is packed: loaders differ in what they read."
                        )
                        self.work.concern("zip-method", "review", said, name)
                        return self.plain(entry, other.blob())
            if spooled.cut not in ("", "bomb", "size"):
                if flagged:
                    return self.work.concern("encrypted", "inconclusive", f"The member {name[:200]!r} is encrypted.", name)
                said = f"The member {name[:200]!r} cannot be unpacked to its end: {spooled.cut}."
                self.work.concern("zip-member", "inconclusive", said, name)
            else:
                self.lie(flagged, name)
            self.plain(entry, spooled.blob())

    def unpacked(self, entry: Entry, data: int, method: int) -> Spooled:
        try:
            return unpack(pieces(self.blob, method, data, entry.packed), self.work, entry.packed)
        except Missing as missing:
            spooled = Spooled()
            spooled.cut = f"install the extra 'models' ({missing})"
            return spooled

    def lie(self, flagged: int, name: str) -> None:
        if flagged:
            said = f"The member {name[:200]!r} is marked as encrypted and is not: torch reads it, other readers give up."
            self.work.concern("zip-flags", "review", said, name)

    def plain(self, entry: Entry, blob: Blob) -> None:
        if entry.mode & _KIND == _LINK:
            target = blob.read(0, 4096).decode("utf-8", "replace")
            return members.link(entry.name, target, self.work, self.system)
        if self.form is not None and entry.name == self.form.PART:
            self.form.examine_config(blob, self.work)
        elif self.numbers and STORAGE.search(entry.name) and not _acts(blob, entry.name):
            return  # numbers may look like any format; torch takes them for nothing else
        else:
            members.content(entry.name, blob, self.work, self.script, self.package)

    def gaps(self) -> None:
        """What no member of the directory covers: other members, and what is before, between and behind."""
        at = 0
        directory = self.archive.directory if self.archive.directory >= 0 else self.blob.size
        for begin, stop in [*sorted(self.spans), (directory, self.archive.end)]:
            if begin > at:
                self.gap(at, min(begin, self.blob.size))
            at = max(at, stop)
        if self.archive.end < self.blob.size:
            self.gap(self.archive.end, self.blob.size)

    def gap(self, begin: int, stop: int) -> None:
        if stop - begin <= _DESCRIPTOR and begin:
            return
        if begin == 0 and self.blob.read(0, 4) != LOCAL and (first := self.first(stop)) > 0:
            self.other(0, first)
            begin = first
        at = begin
        for entry in self.archive.strays(begin, {one for one, _ in self.spans}):
            if at >= stop:
                break
            found = self.archive.local(entry.at)
            if found is None:
                break
            said = f"A member {entry.name[:200]!r} is in the archive and not in its directory: only some loaders see it."
            self.work.concern("zip-hidden", "inconclusive" if self.archive.broken else "review", said, entry.name, entry.at)
            packed = entry.packed or (stop - found[1] if entry.flags & 8 else 0)
            at = found[1] + packed
            self.left -= packed
            if self.left < 0:
                return
            members.name(entry.name, self.work)
            self.content(entry._replace(packed=packed, size=entry.size or packed), found[0], found[1])
        if at < stop:
            self.other(at, stop)

    def first(self, stop: int) -> int:
        """Where the first header of a member is."""
        data = self.blob.read(0, min(stop, 1 << 20))
        return data.find(LOCAL)

    def other(self, begin: int, stop: int) -> None:
        part = PartBlob(self.blob, begin, stop - begin)
        if not part.read(0, 1 << 20).strip(b"\0 \r\n\t") and stop - begin <= 1 << 20:
            return
        where = "before the archive" if begin == 0 else "behind the archive" if stop == self.blob.size else f"between members at {begin}"
        if part.read(0, 4) == LOCAL:  # a header whose member cannot be told: as an archive of its own it would be the same again
            self.work.concern("zip-member", "inconclusive", f"A member at {begin} has no end.", "", begin)
            part = PartBlob(part, 4, part.size)
        before = len(self.work.members)
        self.work.member(where, part)
        if begin == 0 or stop == self.blob.size:
            said = (
                f"{stop - begin} bytes stand {where}: who reads the file from its start and who reads it from its end see different things."
            )
            self.work.concern("polyglot", "review", said, "", begin)
        elif self.work.members[before:] and self.work.members[before].format == "unknown":
            del self.work.members[before:]
