"""Reads zip archives as lax readers do: by the directory and by the header of each member, whatever flags and checksums say."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from headwater import limits
from headwater.modelfiles.blob import PIECE, Blob
from headwater.modelfiles.compression import Stream
from headwater.modelfiles.spool import Broken

LOCAL: Final = b"PK\x03\x04"
CENTRAL: Final = b"PK\x01\x02"
END: Final = b"PK\x05\x06"
METHODS: Final = {8: "deflate", 12: "bzip2", 93: "zstd"}


class Entry(NamedTuple):
    """A member, as the directory or its own header says."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    at: int
    """Of its own header."""
    mode: int = 0


class Archive:
    """What an archive holds, by both accounts."""

    def __init__(self, blob: Blob) -> None:
        self.blob = blob
        self.entries: list[Entry] = []
        self.broken = ""
        self.end = blob.size
        """Where the archive ends."""
        self.start = 0
        """What the offsets of the directory count from: not 0 where something stands before the archive."""
        self.directory = -1
        self._find_directory()

    def _find_directory(self) -> None:
        tail_at = max(0, self.blob.size - 66_000)
        tail = self.blob.read(tail_at, 66_000)
        at = tail.rfind(END)
        if at < 0:
            self.broken = "it has no directory"
            return
        where = tail_at + at
        if len(tail) - at < 22:
            self.broken = "its directory is cut"
            return
        _, _, _, count, size, offset, comment = struct.unpack("<HHHHIIH", tail[at + 4 : at + 22])
        self.end = min(where + 22 + comment, self.blob.size)
        locator = self.blob.read(where - 20, 20) if where >= 20 else b""
        if locator[:4] == b"PK\x06\x07":
            for big_at in (int.from_bytes(locator[8:16], "little"), where - 20 - 56):
                big = self.blob.read(big_at, 56) if big_at >= 0 else b""
                if big[:4] == b"PK\x06\x06" and len(big) == 56:
                    if count == 0xFFFF or size == 0xFFFFFFFF or offset == 0xFFFFFFFF:
                        count, size, offset = struct.unpack("<QQQ", big[32:56])
                    where = big_at
                    break
        self.directory = where - size
        if self.directory < 0 or self.blob.read(self.directory, 4) not in (CENTRAL, b"PK\x05\x06", b"PK\x06\x06"):
            self.directory = offset
        self.start = max(self.directory - offset, 0)
        self._read_directory(self.directory, where, count)

    def _read_directory(self, at: int, stop: int, count: int) -> None:
        base, data = at, self.blob.read(at, PIECE)
        for number in range(count):
            if number >= limits.MODEL_MEMBERS:
                return
            if at - base + 70_000 * 3 > len(data) and base + len(data) < stop:
                base, data = at, self.blob.read(at, PIECE)
            head = data[at - base : at - base + 46]
            if len(head) < 46 or head[:4] != CENTRAL:
                self.broken = "its directory is damaged"
                return
            made, _, flags, method, _, _, crc, packed, size, names, extras, comments, _, _, outer, local = struct.unpack(
                "<HHHHHHIIIHHHHHII", head[4:]
            )
            begin = at - base + 46
            raw = data[begin : begin + names]
            extra = data[begin + names : begin + names + extras]
            packed, size, local = _wide(extra, packed, size, local)
            mode = outer >> 16 if made >> 8 == 3 else 0
            self.entries.append(Entry(_name(raw, flags), flags, method, crc, packed, size, local + self.start, mode))
            at += 46 + names + extras + comments

    def local(self, at: int) -> tuple[Entry, int] | None:
        """What the header at a place says, and where the bytes of the member begin."""
        head = self.blob.read(at, 30) if at >= 0 else b""
        if len(head) < 30 or head[:4] != LOCAL:
            return None
        _, flags, method, _, _, crc, packed, size, names, extras = struct.unpack("<HHHHHIIIHH", head[4:])
        rest = self.blob.read(at + 30, names + extras)
        packed, size, _ = _wide(rest[names:], packed, size, 0)
        return Entry(_name(rest[:names], flags), flags, method, crc, packed, size, at), at + 30 + names + extras

    def strays(self, begin: int, known: set[int]) -> Iterator[Entry]:
        """Members that their own headers have and the directory has not, from a place on, one behind the other."""
        at = begin
        for _ in range(limits.MODEL_MEMBERS):
            found = self.local(at)
            if found is None:
                return
            entry, data = found
            if at not in known:
                yield entry
            if entry.flags & 8 and not entry.packed:
                return  # its length stands behind it
            at = data + entry.packed


def _wide(extra: bytes, packed: int, size: int, local: int) -> tuple[int, int, int]:
    """Lengths beyond 4 GB stand in a field of their own."""
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack("<HH", extra[at : at + 4])
        if tag == 1:
            field = extra[at + 4 : at + 4 + length]
            values = [int.from_bytes(field[one : one + 8], "little") for one in range(0, len(field) - 7, 8)]
            if size == 0xFFFFFFFF and values:
                size = values.pop(0)
            if packed == 0xFFFFFFFF and values:
                packed = values.pop(0)
            if local == 0xFFFFFFFF and values:
                local = values.pop(0)
            break
        at += 4 + length
    return packed, size, local


def _name(raw: bytes, flags: int) -> str:
    if flags & 0x800:
        return raw.decode("utf-8", "replace")
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError:
        return raw.decode("cp437", "replace")


def pieces(blob: Blob, method: int, at: int, packed: int) -> Iterator[bytes]:
    """What a member unpacks to; Broken where it is damaged."""
    if method == 0:
        stop = at + packed
        while at < stop:
            piece = blob.read(at, min(PIECE, stop - at))
            if not piece:
                raise Broken("it ends in the middle")
            yield piece
            at += len(piece)
    elif method == 14:
        yield from _lzma(blob, at, packed)
    elif method in METHODS:
        yield from Stream(METHODS[method], blob, at, at + packed).pieces()
    else:
        raise Broken(f"it is packed by method {method}, which is not known here")


def _lzma(blob: Blob, at: int, packed: int) -> Iterator[bytes]:
    import lzma

    head = blob.read(at, 9)
    if len(head) < 9:
        raise Broken("it ends in the middle")
    length = int.from_bytes(head[2:4], "little")
    properties = blob.read(at + 4, length)
    if length != 5:
        raise Broken("its properties are damaged")
    first = properties[0]
    filters = [
        {
            "id": lzma.FILTER_LZMA1,
            "dict_size": min(int.from_bytes(properties[1:5], "little"), 1 << 27),
            "lc": first % 9,
            "lp": first // 9 % 5,
            "pb": first // 45,
        }
    ]
    try:
        decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
        stop = at + packed
        at += 4 + length
        while not decoder.eof and at < stop:
            data = blob.read(at, min(1 << 18, stop - at))
            if not data:
                break
            at += len(data)
            yield decoder.decompress(data, 1 << 20)
            while not decoder.needs_input and not decoder.eof:
                yield decoder.decompress(b"", 1 << 20)
    except lzma.LZMAError as error:
        raise Broken(f"it is damaged ({error})") from None
