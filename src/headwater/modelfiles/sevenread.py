"""Reads 7z archives by hand: their header, and folders packed with what the standard library can unpack."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from headwater import limits
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.spool import Broken

MAGIC: Final = b"7z\xbc\xaf\x27\x1c"
_HEADER: Final = 64 << 20
_BCJ: Final = {
    b"\x03\x03\x01\x03": lzma.FILTER_X86,
    b"\x04": lzma.FILTER_X86,
    b"\x03\x03\x02\x05": lzma.FILTER_POWERPC,
    b"\x03\x03\x04\x01": lzma.FILTER_IA64,
    b"\x03\x03\x05\x01": lzma.FILTER_ARM,
    b"\x03\x03\x07\x01": lzma.FILTER_ARMTHUMB,
    b"\x03\x03\x08\x05": lzma.FILTER_SPARC,
}
_AES: Final = b"\x06\xf1\x07\x01"


class Unsupported(Exception):  # noqa: N818 - a fact of the file
    """Packed by a method that is not known here."""


class Coder(NamedTuple):
    id: bytes
    properties: bytes


class Folder(NamedTuple):
    """Members that are packed together."""

    chain: tuple[Coder, ...]
    """From the packed bytes to the plain ones."""
    size: int


class Member(NamedTuple):
    name: str
    size: int
    mode: int
    stream: bool


class _Bytes:
    """A place in a header."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.data):
            raise Broken("its header is cut")
        self.at += count
        return self.data[self.at - count : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        first = self.byte()
        mask, value = 0x80, 0
        for count in range(8):
            if not first & mask:
                return value | (first & (mask - 1)) << (8 * count)
            value |= self.byte() << (8 * count)
            mask >>= 1
        return value

    def count(self) -> int:
        value = self.number()
        if value > min(limits.MODEL_MEMBERS, 8 * len(self.data)):
            raise Broken("its header counts too much")
        return value

    def bits(self, count: int) -> list[bool]:
        raw = self.take((count + 7) // 8)
        return [bool(raw[at // 8] & 0x80 >> at % 8) for at in range(count)]

    def defined(self, count: int) -> list[bool]:
        return [True] * count if self.byte() else self.bits(count)


class Streams:
    """Where packed bytes are and how they are packed."""

    def __init__(self, raw: _Bytes) -> None:
        self.start = 0
        self.packed: list[int] = []
        self.folders: list[Folder] = []
        self.parts: list[list[int]] = []
        """For each folder the lengths of its members."""
        while (kind := raw.byte()) != 0:
            if kind == 6:
                self._pack(raw)
            elif kind == 7:
                self._folders(raw)
            elif kind == 8:
                self._parts(raw)
            else:
                raise Broken("its header is damaged")
        if not self.parts:
            self.parts = [[folder.size] for folder in self.folders]

    def _pack(self, raw: _Bytes) -> None:
        self.start = raw.number()
        count = raw.count()
        while (kind := raw.byte()) != 0:
            if kind == 9:
                self.packed = [raw.number() for _ in range(count)]
            elif kind == 10:
                raw.take(4 * sum(raw.defined(count)))
            else:
                raise Broken("its header is damaged")

    def _folders(self, raw: _Bytes) -> None:
        if raw.byte() != 11:
            raise Broken("its header is damaged")
        count = raw.count()
        if raw.byte():
            raise Unsupported("its header is split")
        shapes = [_folder(raw) for _ in range(count)]
        if raw.byte() != 12:
            raise Broken("its header is damaged")
        for order, coders in shapes:
            sizes = [raw.number() for _ in range(len(coders))]
            self.folders.append(Folder(tuple(coders[at] for at in order), sizes[order[-1]]))
        while (kind := raw.byte()) != 0:
            if kind != 10:
                raise Broken("its header is damaged")
            raw.take(4 * sum(raw.defined(count)))

    def _parts(self, raw: _Bytes) -> None:
        counts = [1] * len(self.folders)
        kind = raw.byte()
        if kind == 13:
            counts = [raw.count() for _ in self.folders]
            kind = raw.byte()
        for folder, count in zip(self.folders, counts, strict=True):
            sizes = [raw.number() for _ in range(count - 1)] if kind == 9 and count else []
            if count and kind != 9 and count > 1:
                raise Broken("its header is damaged")
            self.parts.append([*sizes, folder.size - sum(sizes)] if count else [])
        if kind == 9:
            kind = raw.byte()
        unknown = sum(count for count in counts)
        while kind != 0:
            if kind != 10:
                raise Broken("its header is damaged")
            raw.take(4 * sum(raw.defined(unknown)))
            kind = raw.byte()


def _folder(raw: _Bytes) -> tuple[list[int], list[Coder]]:
    coders: list[Coder] = []
    for _ in range(raw.count()):
        flags = raw.byte()
        name = raw.take(flags & 15)
        if flags & 0x10 and (raw.number(), raw.number()) != (1, 1):
            raise Unsupported("it is packed by a method that has several streams (BCJ2)")
        coders.append(Coder(name, raw.take(raw.number()) if flags & 0x20 else b""))
    if not coders or len(coders) > 8:
        raise Broken("its header is damaged")
    pairs = {}
    for _ in range(len(coders) - 1):
        into, out = raw.number(), raw.number()
        pairs[out] = into
    first = [at for at in range(len(coders)) if at not in pairs.values()]
    if len(first) != 1:
        raise Broken("its header is damaged")
    order = [first[0]]
    while order[-1] in pairs and len(order) <= len(coders):
        order.append(pairs[order[-1]])
    if sorted(order) != list(range(len(coders))):
        raise Broken("its header is damaged")
    return order, coders


def _filter(coder: Coder) -> dict[str, Any]:
    if coder.id == b"\x03\x01\x01" and len(coder.properties) == 5:
        first = coder.properties[0]
        size = struct.unpack("<I", coder.properties[1:])[0]
        return {
            "id": lzma.FILTER_LZMA1,
            "lc": first % 9,
            "lp": first // 9 % 5,
            "pb": first // 45,
            "dict_size": min(max(size, 4096), 1 << 28),
        }
    if coder.id == b"\x21" and len(coder.properties) == 1:
        bits = coder.properties[0]
        size = (2 | bits & 1) << (bits // 2 + 11) if bits < 40 else 1 << 28
        return {"id": lzma.FILTER_LZMA2, "dict_size": min(max(size, 4096), 1 << 28)}
    if coder.id == b"\x03" and len(coder.properties) == 1:
        return {"id": lzma.FILTER_DELTA, "dist": coder.properties[0] + 1}
    if coder.id in _BCJ:
        return {"id": _BCJ[coder.id]}
    if coder.id == _AES:
        raise Unsupported("it is encrypted")
    raise Unsupported(f"it is packed by the method {coder.id.hex()}")


def plain(blob: Blob, at: int, packed: int, folder: Folder) -> Iterator[bytes]:
    """What a folder unpacks to."""
    chain = [coder for coder in folder.chain if coder.id != b"\0"]
    decoder: Any = None
    if len(chain) == 1 and chain[0].id == b"\x04\x02\x02":
        decoder = bz2.BZ2Decompressor()
    elif len(chain) == 1 and chain[0].id == b"\x04\x01\x08":
        decoder = _Deflate()
    elif chain:
        decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[_filter(coder) for coder in reversed(chain)])
    left, stop = folder.size, at + packed
    while left > 0:
        data = b""
        if decoder is None or decoder.needs_input:
            data = blob.read(at, min(1 << 18, stop - at))
            at += len(data)
            if not data:
                break
        try:
            piece = data if decoder is None else decoder.decompress(data, min(left, 1 << 20))
        except (lzma.LZMAError, zlib.error, OSError, ValueError, EOFError) as error:
            raise Broken(f"it is damaged ({error})") from None
        piece = piece[:left]
        left -= len(piece)
        yield piece
        if decoder is not None and decoder.eof:
            break
    if 0 < left <= 16 and len(chain) > 1:
        yield b"\0" * left  # the library keeps back the last bytes behind a filter for programs
    elif left:
        raise Broken("it ends in the middle")


class _Deflate:
    def __init__(self) -> None:
        self._inner = zlib.decompressobj(-15)
        self.eof = False
        self.needs_input = True

    def decompress(self, data: bytes, count: int) -> bytes:
        piece = self._inner.decompress(self._inner.unconsumed_tail + data, count)
        self.eof, self.needs_input = self._inner.eof, not self._inner.unconsumed_tail
        return piece


def read(blob: Blob) -> tuple[Streams | None, list[Member]]:
    """The folders of an archive, and its members in their order."""
    start = blob.read(0, 32)
    if len(start) < 32:
        raise Broken("its header is cut")
    offset, size = struct.unpack("<QQ", start[12:28])
    if not size:
        return None, []
    if size > _HEADER or 32 + offset + size > blob.size:
        raise Broken("its header is not where it says")
    data = blob.read(32 + offset, size)
    for _ in range(4):
        raw = _Bytes(data)
        kind = raw.byte()
        if kind == 1:
            return _members(raw)
        if kind != 23:
            break
        streams = Streams(raw)
        if len(streams.folders) != 1 or not streams.packed or streams.folders[0].size > _HEADER:
            break
        data = b"".join(plain(blob, 32 + streams.start, streams.packed[0], streams.folders[0]))
    raise Broken("its header is damaged")


def _members(raw: _Bytes) -> tuple[Streams | None, list[Member]]:
    streams: Streams | None = None
    members: list[Member] = []
    while (kind := raw.byte()) != 0:
        if kind == 4:
            streams = Streams(raw)
        elif kind == 5:
            members = _files(raw, [size for part in streams.parts for size in part] if streams else [])
        elif kind == 2:
            while raw.byte() != 0:
                raw.take(raw.number())
        else:
            raise Unsupported("its header has a part that is not known here")
    return streams, members


def _files(raw: _Bytes, sizes: list[int]) -> list[Member]:
    count = raw.count()
    names = [""] * count
    modes = [0] * count
    empty = [False] * count
    while (kind := raw.byte()) != 0:
        part = _Bytes(raw.take(raw.number()))
        if kind == 14:
            empty = part.bits(count)
        elif kind == 17 and not part.byte():
            text = part.data[1:].decode("utf-16-le", "replace").split("\0")
            names = [*text[:count], *names[len(text[:count]) :]]
        elif kind == 21:
            there = part.defined(count)
            if not part.byte():
                for at, one in enumerate(there):
                    if one:
                        value = struct.unpack("<I", part.take(4))[0]
                        modes[at] = value >> 16 if value & 0x8000 else 0
    found = []
    rest = iter(sizes)
    for name, mode, none in zip(names, modes, empty, strict=True):
        found.append(Member(name, 0 if none else next(rest, 0), mode, not none))
    return found
