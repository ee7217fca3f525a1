"""Arrays of numpy (.npy), one or several: those of objects are pickles."""

from __future__ import annotations

import ast
from typing import Final

from headwater.modelfiles.blob import Blob, PartBlob
from headwater.modelfiles.pickles import arrays
from headwater.modelfiles.pickles.stream import Stream
from headwater.modelfiles.work import Examination

NAME: Final = "numpy"
_MAGIC: Final = b"\x93NUMPY"
_LONGEST: Final = 1 << 20


def matches(head: bytes, blob: Blob, path: str) -> bool:
    return head.startswith(_MAGIC)


def examine(blob: Blob, work: Examination) -> None:
    at = 0
    for _ in range(100_000):
        at = _one(blob, at, work)
        if at < 0 or at >= blob.size:
            return
        if blob.read(at, len(_MAGIC)) != _MAGIC:
            break
    rest = PartBlob(blob, at, blob.size - at)
    if rest.read(0, 1 << 20).strip(b"\0"):
        before = len(work.members)
        work.member(f"behind the array at {at}", rest)
        if work.members[before:] and work.members[before].format == "unknown":
            work.concern(
                "numpy-trailing", "inconclusive", f"Behind the array follow {rest.size} bytes that are of no known format.", "", at
            )


def _one(blob: Blob, at: int, work: Examination) -> int:
    """One array; where it ends, -1 where that is not known."""
    head = blob.read(at, 12)
    wide = head[6:7] not in (b"\x01",)
    begin = at + (12 if wide else 10)
    length = int.from_bytes(head[8:12] if wide else head[8:10], "little")
    if head[6:7] not in (b"\x01", b"\x02", b"\x03") or length > _LONGEST or begin + length > blob.size:
        work.concern("numpy-header", "inconclusive", "The header of the array cannot be read.", "", at)
        return -1
    text = blob.read(begin, length).decode("utf-8" if head[6:7] == b"\x03" else "latin-1", "replace")
    try:
        said = ast.literal_eval(text.strip())
        kind, shape = said["descr"], said["shape"]
        count = 1
        for one in shape:
            count *= int(one)
        size = _size(kind)
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        work.concern("numpy-header", "inconclusive", "The header of the array cannot be read.", text[:200], at)
        return -1
    at = begin + length
    if size is None or count < 0:
        work.concern("numpy-header", "inconclusive", "The type of the array is not known.", text[:200], at)
        return -1
    if size == 0:
        part = PartBlob(blob, at, blob.size - at)
        Stream(part, work, "Loading it with numpy.load(allow_pickle=True)").all()
        return -1
    if at + size * count > blob.size:
        work.concern("numpy-truncated", "inconclusive", "It ends before the array does.", "", at)
        return -1
    return at + size * count


def _size(kind: object) -> int | None:
    """Bytes of one item; 0 where it holds objects."""
    if isinstance(kind, str):
        return arrays.item(kind)
    if isinstance(kind, tuple) and len(kind) == 2 and isinstance(kind[1], tuple | int):
        inner = _size(kind[0])
        count = 1
        for one in kind[1] if isinstance(kind[1], tuple) else (kind[1],):
            count *= int(one)
        return None if inner is None else inner * count
    if isinstance(kind, list):
        total = 0
        for field in kind:
            inner = _size(field[1])
            if inner is None:
                return None
            if inner == 0 and not (isinstance(field[1], str) and field[1].lstrip("<>|=")[1:] == "0"):
                return 0
            for one in field[2] if len(field) > 2 else ():
                inner *= int(one)
            total += inner
        return total
    return None
