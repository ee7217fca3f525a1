"""Reads the headers of tar archives by hand: a member is where its header says, whatever else the archive claims."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from headwater import limits
from headwater.modelfiles.blob import Blob

BLOCK: Final = 512
_META: Final = 1 << 20
_PAX: Final = re.compile(rb"(\d{1,9}) ([^=\n]{1,200})=")


class Entry(NamedTuple):
    name: str
    kind: bytes
    link: str
    at: int
    size: int
    sparse: bool


def _number(raw: bytes) -> int:
    """A number in octal digits, or in binary as GNU writes large ones; -1 where it is none."""
    if raw[:1] in (b"\x80", b"\xff"):
        return int.from_bytes(raw[1:], "big") if raw[0] == 0x80 else -1
    text = raw.split(b"\0")[0].strip()
    try:
        return int(text, 8) if text else 0
    except ValueError:
        return -1


def checksum(block: bytes) -> bool:
    """Whether a block is a header: its sum is right, by either way to add."""
    if len(block) < BLOCK or (block[:1] == b"\0" and not block.strip(b"\0")):
        return False
    told = _number(block[148:156])
    if told <= 0:
        return False
    blanked = block[:148] + b" " * 8 + block[156:BLOCK]
    unsigned = sum(blanked)
    return told in (unsigned, unsigned - 256 * sum(1 for one in blanked if one > 127))


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("utf-8", "replace")


def entries(blob: Blob, found: list[Entry]) -> tuple[int, str]:
    """Fills in the members; where the archive ends, and what is wrong with it."""
    at = 0
    long: dict[str, str] = {}
    shared: dict[str, str] = {}
    steps = 0
    while at + BLOCK <= blob.size:
        block = blob.read(at, BLOCK)
        steps += 1
        if steps > limits.MODEL_MEMBERS * 2:
            return blob.size, "it has too many members to look into all of them"
        if not block.strip(b"\0"):
            at = _over_zeros(blob, at)
            continue
        if not checksum(block):
            return at, "" if found else "its first header is wrong"
        size = _number(block[124:136])
        kind = block[156:157]
        if size < 0:
            return at, "a length is no number"
        begin = at + BLOCK
        if kind in (b"L", b"K", b"x", b"X", b"g"):
            if size > _META:
                return at, "a name is too long"
            data = blob.read(begin, size)
            if kind in (b"L", b"K"):
                long["path" if kind == b"L" else "linkpath"] = _text(data)
            else:
                (shared if kind == b"g" else long).update(_pax(data))
            at = begin + (size + BLOCK - 1) // BLOCK * BLOCK
            continue
        said = {**shared, **long}
        long = {}
        name = said.get("GNU.sparse.name") or said.get("path") or _text(block[:100])
        if "path" not in said and block[257:262] == b"ustar" and block[345:346] != b"\0" and block[257:265] != b"ustar  \0":
            name = f"{_text(block[345:500])}/{name}"
        if said.get("size", "").isdigit():
            size = int(said["size"])
        sparse = kind == b"S" or any(key.startswith("GNU.sparse.") for key in said)
        if kind == b"S" and block[482:483] != b"\0":
            while begin + BLOCK <= blob.size:
                more = blob.read(begin, BLOCK)
                begin += BLOCK
                if more[504:505] == b"\0":
                    break
        if kind in (b"1", b"2", b"3", b"4", b"5", b"6") and kind != b"1":
            size = 0
        if name.endswith("/") and kind in (b"\0", b"0"):
            kind = b"5"
        if begin + size > blob.size:
            found.append(Entry(name, kind, said.get("linkpath") or _text(block[157:257]), begin, blob.size - begin, sparse))
            return blob.size, f"the member {name[:100]!r} ends in the middle"
        found.append(Entry(name, kind, said.get("linkpath") or _text(block[157:257]), begin, size, sparse))
        at = begin + (size + BLOCK - 1) // BLOCK * BLOCK
    return at, ""


def _over_zeros(blob: Blob, at: int) -> int:
    while at < blob.size:
        piece = blob.read(at, 1 << 20)
        rest = piece.lstrip(b"\0")
        if rest:
            return at + (len(piece) - len(rest)) // BLOCK * BLOCK
        at += len(piece)
    return at


def _pax(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while match := _PAX.match(data, at):
        length = int(match[1])
        if length <= match.end() - at or at + length > len(data):
            break
        found[match[2].decode("utf-8", "replace")] = data[match.end() : at + length - 1].decode("utf-8", "replace")
        at += length
    return found
