"""Reads objects of a git repository, loose or packed, without running git. Every object is checked against its id.

The repository is hostile: sizes, chains of deltas and counts are bounded, and what another repository lends (alternates) is not followed.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import zlib
from typing import Final, NamedTuple

from headwater import limits
from headwater.files.read import UnreadableError, read_bytes

_KINDS: Final = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_OFFSET_DELTA: Final = 6
_ID_DELTA: Final = 7
_CHUNK: Final = 65_536
_HEADER: Final = re.compile(rb"(commit|tree|blob|tag) (\d{1,12})\0")
_FANOUT: Final = 8
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class GitError(Exception):
    """Why something of the repository cannot be read, in words."""


class MissingError(GitError):
    """An object that is not there."""


class LargeError(GitError):
    """An object over the limit that was asked for."""


class Object(NamedTuple):
    kind: str
    data: bytes


class Objects:
    """The objects in a folder ``objects``, by id."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._packs: list[_Pack] | None = None

    def read(self, id: str, kind: str, most: int) -> bytes:
        """The content of an object; raises :class:`GitError`."""
        found = self._loose(id, most) or self._packed(id, most)
        if found is None:
            raise MissingError(f"the object {id[:12]} is not there{self._why()}")
        name = hashlib.sha1 if len(id) == 40 else hashlib.sha256
        if name(b"%s %d\0" % (found.kind.encode(), len(found.data)) + found.data).hexdigest() != id:
            raise GitError(f"the object {id[:12]} is not what its name says")
        if found.kind != kind:
            raise GitError(f"the object {id[:12]} is a {found.kind}, not a {kind}")
        return found.data

    def has(self, id: str) -> bool:
        return os.path.lexists(self._path(id)) or any(pack.find(bytes.fromhex(id)) is not None for pack in self.packs(len(id) // 2))

    def begin_with(self, prefix: str, size: int) -> set[str]:
        """Ids of ``size`` digits that begin so; at most some."""
        found: set[str] = set()
        try:
            names = os.listdir(os.path.join(self._folder, prefix[:2]))
        except OSError:
            names = []
        found.update(prefix[:2] + name for name in names if name.startswith(prefix[2:]) and len(name) == size - 2)
        for pack in self.packs(size // 2):
            found.update(pack.begin_with(prefix))
        return found

    def packs(self, size: int) -> list[_Pack]:
        if self._packs is None:
            folder = os.path.join(self._folder, "pack")
            try:
                names = sorted(os.listdir(folder))
            except OSError:
                names = []
            wanted = [name for name in names if name.startswith("pack-") and name.endswith(".idx")]
            if len(wanted) > limits.GIT_PACKS:
                raise GitError(f"the repository has more than {limits.GIT_PACKS:,} packs: run git gc")
            self._packs = [_Pack(os.path.join(folder, name.removesuffix(".idx")), size) for name in wanted]
        return self._packs

    def _path(self, id: str) -> str:
        return os.path.join(self._folder, id[:2], id[2:])

    def _loose(self, id: str, most: int) -> Object | None:
        try:
            packed = read_bytes(self._path(id), most + _CHUNK)
        except UnreadableError as error:
            if error.kind == "vanished":
                return None
            if error.kind == "too-large":
                raise LargeError(f"the object {id[:12]} is too large") from None
            raise GitError(f"the object {id[:12]} cannot be read: {error.reason}") from None
        try:
            unpacker = zlib.decompressobj()
            data = unpacker.decompress(packed, most + 64)
        except zlib.error:
            raise GitError(f"the object {id[:12]} is damaged") from None
        header = _HEADER.match(data)
        if header is None:
            raise GitError(f"the object {id[:12]} is damaged")
        if int(header[2]) > most:
            raise LargeError(f"the object {id[:12]} is too large")
        return Object(header[1].decode(), data[header.end() :])

    def _packed(self, id: str, most: int) -> Object | None:
        for pack in self.packs(len(id) // 2):
            at = pack.find(bytes.fromhex(id))
            if at is not None:
                return self._entry(pack, at, most)
        return None

    def _entry(self, pack: _Pack, at: int, most: int) -> Object:
        """An object of a pack: what it is made from first, then the changes to that."""
        deltas: list[bytes] = []
        base: Object | None = None
        while base is None:
            if len(deltas) > limits.GIT_DELTAS:
                raise GitError("a chain of deltas in a pack is too long")
            known = pack.cached(at)
            if known is not None:
                base = known
                break
            kind, size, body, other = pack.entry(at)
            bound = most if kind in _KINDS and not deltas else max(most, limits.GIT_OBJECT_BYTES)
            if size > bound:
                raise LargeError("an object of a pack is too large")
            data = pack.inflated(body, size)
            if kind in _KINDS:
                base = Object(_KINDS[kind], data)
                pack.keep(at, base)
                break
            deltas.append(data)
            if isinstance(other, int):
                at = other
            else:  # of the same pack, as git demands of packs on disk
                found = pack.find(other)
                if found is None:
                    raise MissingError("a delta in a pack has no base")
                at = found
        data = base.data
        for number, delta in enumerate(reversed(deltas)):
            data = _patched(data, delta, most if number == len(deltas) - 1 else max(most, limits.GIT_OBJECT_BYTES))
        return Object(base.kind, data)

    def _why(self) -> str:
        if os.path.lexists(os.path.join(self._folder, "info", "alternates")):
            return ": the repository borrows objects from another one, which is not followed"
        try:
            names = os.listdir(os.path.join(self._folder, "pack"))
        except OSError:
            names = []
        if any(name.endswith(".promisor") for name in names):
            return ": the clone is partial, and nothing is fetched"
        return ""


class _Pack:
    """One pack with its index (version 2)."""

    def __init__(self, path: str, size: int) -> None:
        self._path = path
        self._size = size
        self._index: bytes | None = None
        self._file = -1
        self._cache: dict[int, Object] = {}
        self._cached = 0

    def __del__(self) -> None:
        if self._file >= 0:
            os.close(self._file)

    @property
    def index(self) -> bytes:
        if self._index is None:
            try:
                data = read_bytes(self._path + ".idx", limits.GIT_INDEX_BYTES)
            except UnreadableError as error:
                raise GitError(f"an index of a pack cannot be read: {error.reason}") from None
            if data[:8] != b"\xfftOc\0\0\0\2" or len(data) < _FANOUT + 1024:
                raise GitError("an index of a pack is damaged, or of a version that is not known")
            count = struct.unpack_from(">I", data, _FANOUT + 255 * 4)[0]
            if len(data) < _FANOUT + 1024 + count * (self._size + 8):
                raise GitError("an index of a pack is damaged, or of a version that is not known")
            self._index = data
        return self._index

    def _row(self, wanted: bytes) -> int:
        """Where an id is, or would be, among all ids."""
        index, size = self.index, self._size
        first = wanted[0]
        low = struct.unpack_from(">I", index, _FANOUT + (first - 1) * 4)[0] if first else 0
        high = min(struct.unpack_from(">I", index, _FANOUT + first * 4)[0], self._count)
        names = _FANOUT + 1024
        while low < high:
            middle = (low + high) // 2
            if index[names + middle * size : names + middle * size + size] < wanted:
                low = middle + 1
            else:
                high = middle
        return int(low)

    @property
    def _count(self) -> int:
        return int(struct.unpack_from(">I", self.index, _FANOUT + 255 * 4)[0])

    def _id(self, row: int) -> bytes:
        at = _FANOUT + 1024 + row * self._size
        return self.index[at : at + self._size]

    def find(self, id: bytes) -> int | None:
        """The offset of an object in the pack."""
        row = self._row(id)
        if row >= self._count or self._id(row) != id:
            return None
        count = self._count
        offsets = _FANOUT + 1024 + count * (self._size + 4)
        at = int(struct.unpack_from(">I", self.index, offsets + row * 4)[0])
        if at & 0x80000000:
            try:
                at = int(struct.unpack_from(">Q", self.index, offsets + count * 4 + (at & 0x7FFFFFFF) * 8)[0])
            except struct.error:
                raise GitError("an index of a pack is damaged, or of a version that is not known") from None
        return at

    def begin_with(self, prefix: str) -> set[str]:
        row = self._row(bytes.fromhex(prefix.ljust(self._size * 2, "0")))
        found: set[str] = set()
        while row < self._count and len(found) < 3 and self._id(row).hex().startswith(prefix):
            found.add(self._id(row).hex())
            row += 1
        return found

    def _bytes(self, at: int, size: int) -> bytes:
        try:
            if self._file < 0:
                self._file = os.open(self._path + ".pack", _FLAGS)
            os.lseek(self._file, at, os.SEEK_SET)
            return os.read(self._file, size)
        except (OSError, OverflowError):
            raise GitError("a pack cannot be read") from None

    def entry(self, at: int) -> tuple[int, int, int, int | bytes]:
        """Kind and size of an entry, where its content begins, and of a delta what it is based on: an offset or an id."""
        data = self._bytes(at, 64)
        try:
            byte, used = data[0], 1
            kind, size, shift = byte >> 4 & 7, byte & 15, 4
            while byte & 0x80:
                byte = data[used]
                used += 1
                size |= (byte & 0x7F) << shift
                shift += 7
            other: int | bytes = 0
            if kind == _OFFSET_DELTA:
                byte = data[used]
                used += 1
                back = byte & 0x7F
                while byte & 0x80:
                    byte = data[used]
                    used += 1
                    back = ((back + 1) << 7) | (byte & 0x7F)
                if not 0 < back <= at:
                    raise GitError("a pack is damaged")
                other = at - back
            elif kind == _ID_DELTA:
                other = data[used : used + self._size]
                used += self._size
            elif kind not in _KINDS:
                raise GitError("a pack is damaged")
        except IndexError:
            raise GitError("a pack is damaged") from None
        return kind, size, at + used, other

    def inflated(self, at: int, size: int) -> bytes:
        unpacker = zlib.decompressobj()
        made: list[bytes] = []
        got = 0
        try:
            while not unpacker.eof and got <= size:
                chunk = self._bytes(at, min(_CHUNK, max(512, size)))
                if not chunk:
                    break
                at += len(chunk)
                while chunk and got <= size:
                    part = unpacker.decompress(chunk, size + 1 - got)
                    chunk = unpacker.unconsumed_tail
                    made.append(part)
                    got += len(part)
        except zlib.error:
            raise GitError("a pack is damaged") from None
        if got != size:
            raise GitError("a pack is damaged")
        return b"".join(made)

    def cached(self, at: int) -> Object | None:
        return self._cache.get(at)

    def keep(self, at: int, found: Object) -> None:
        if self._cached > limits.GIT_OBJECT_BYTES:
            self._cache.clear()
            self._cached = 0
        self._cache[at] = found
        self._cached += len(found.data)


def _patched(base: bytes, delta: bytes, most: int) -> bytes:
    """What a delta makes of its base."""
    try:
        source, at = _size(delta, 0)
        target, at = _size(delta, at)
        if source != len(base):
            raise GitError("a pack is damaged")
        if target > most:
            raise LargeError("an object of a pack is too large")
        made: list[bytes] = []
        got = 0
        while at < len(delta):
            code = delta[at]
            at += 1
            if code & 0x80:
                offset = size = 0
                for bit in range(4):
                    if code & (1 << bit):
                        offset |= delta[at] << (8 * bit)
                        at += 1
                for bit in range(3):
                    if code & (16 << bit):
                        size |= delta[at] << (8 * bit)
                        at += 1
                part = base[offset : offset + (size or 0x10000)]
            elif code:
                part = delta[at : at + code]
                at += code
            else:
                raise GitError("a pack is damaged")
            made.append(part)
            got += len(part)
            if got > target:
                raise GitError("a pack is damaged")
    except IndexError:
        raise GitError("a pack is damaged") from None
    if got != target:
        raise GitError("a pack is damaged")
    return b"".join(made)


def _size(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at
        if shift > 56:
            raise GitError("a pack is damaged")
