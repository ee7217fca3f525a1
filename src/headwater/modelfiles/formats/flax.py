"""MessagePack, as Flax writes it: extension types that no loader of weights knows, and what is packed in them."""

from __future__ import annotations

from typing import Final

from headwater import limits
from headwater.modelfiles import names, payload
from headwater.modelfiles.blob import Blob, PartBlob
from headwater.modelfiles.reader import EndedError, Reader
from headwater.modelfiles.work import Examination

NAME: Final = "flax"
_KNOWN: Final = {1: "array", 2: "complex number", 3: "scalar of NumPy", -1: "time"}
_SIZED: Final = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_FIXED: Final = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
_PROBE: Final = 400


def matches(head: bytes, blob: Blob, path: str) -> bool:
    if not head:
        return False
    named = names.extension(path) in ("msgpack", "flax")
    first = head[0]
    # A map whose first key is a text. Short ones of other formats are told apart by reading on.
    small = 0x81 <= first <= 0x8F
    if not (small or first in (0xDE, 0xDF)):
        return False
    start = 1 if small else 3 if first == 0xDE else 5
    if len(head) <= start or not (0xA1 <= head[start] <= 0xBF or head[start] in (0xD9, 0xDA, 0xDB)):
        return False
    probe = _Walk(blob, None, _PROBE)
    try:
        probe.read()
    except EndedError:
        return named
    except ValueError:
        return False
    return probe.done or probe.left < 0 or named


def examine(blob: Blob, work: Examination) -> None:
    walk = _Walk(blob, work, limits.MODEL_FIELDS)
    try:
        walk.read()
    except EndedError:
        work.concern("truncated", "inconclusive", "The file ends within its data.", at=blob.size)
    except ValueError:
        work.concern("broken", "inconclusive", "It is no whole MessagePack.")
    if walk.left < 0:
        work.concern("size", "inconclusive", "It has more entries than are read.")
    elif walk.done and walk.reader.left:
        at = walk.reader.at
        work.concern(
            "trailing-data", "review", "After the end of the data there are bytes that belong to nothing.", blob.read(at, 32).hex(), at
        )
        work.member("after-the-end", PartBlob(blob, at, blob.size - at))


class _Walk:
    """One pass over the values, without building them. A map or a list counts what is still to come."""

    def __init__(self, blob: Blob, work: Examination | None, left: int) -> None:
        self.blob = blob
        self.work = work
        self.left = left
        self.reader = Reader(blob)
        self.done = False

    def read(self) -> None:
        wanted = [1]
        reader = self.reader
        while wanted:
            if wanted[-1] == 0:
                wanted.pop()
                continue
            wanted[-1] -= 1
            self.left -= 1
            if self.left < 0:
                return
            at = reader.at
            first = reader.number(1)
            if first < 0x80 or first >= 0xE0 or first in (0xC0, 0xC2, 0xC3):
                continue
            if first < 0x90:
                wanted.append(2 * (first & 0xF))
            elif first < 0xA0:
                wanted.append(first & 0xF)
            elif first < 0xC0:
                self.text(reader.take(first & 0x1F), at)
            elif first in _SIZED:
                size = reader.number(_SIZED[first], "big")
                self.data(size, at, first >= 0xD9)
            elif first in _FIXED:
                reader.skip(_FIXED[first])
            elif 0xD4 <= first <= 0xD8:
                self.extension(reader.number(1, signed=True), 1 << (first - 0xD4), at)
            elif 0xC7 <= first <= 0xC9:
                size = reader.number(1 << (first - 0xC7), "big")
                self.extension(reader.number(1, signed=True), size, at)
            elif first in (0xDC, 0xDD):
                wanted.append(reader.number(2 if first == 0xDC else 4, "big"))
            elif first in (0xDE, 0xDF):
                wanted.append(2 * reader.number(2 if first == 0xDE else 4, "big"))
            else:
                raise ValueError
            if len(wanted) > limits.NESTING:
                raise ValueError
        self.done = True

    def text(self, data: bytes, at: int) -> None:
        if self.work is not None and len(data) > 24:
            payload.look(self.work, data.decode("utf-8", "replace"), "a text of the data", at)

    def data(self, size: int, at: int, text: bool) -> None:
        start = self.reader.at
        if text and size < 1 << 20:
            self.text(self.reader.take(size), at)
            return
        self.reader.skip(size)
        self.packed(start, size, "a run of bytes")

    def extension(self, kind: int, size: int, at: int) -> None:
        start = self.reader.at
        self.reader.skip(size)
        if self.work is None:
            return
        if kind in _KNOWN:
            self.packed(start, size, f"a value of type {kind}")
            return
        what = self.packed(start, size, f"a value of the extension type {kind}")
        if not what:
            message = f"A value has the extension type {kind}, which loaders of Flax do not have: one that knows it decides what is done."
            self.work.concern("extension-type", "review", message, self.blob.read(start, 40).hex(), at)

    def packed(self, start: int, size: int, where: str) -> str:
        if self.work is None or size < 12:
            return ""
        data = self.blob.read(start, min(size, 1 << 16))
        kind = payload.packed_in(data)
        if kind:
            message = f"There is a {kind} in {where}: a loader that hands it on runs it."
            self.work.concern("packed-in-data", "malicious", message, repr(data[:120]), start)
            self.work.member(f"bytes@{start}", PartBlob(self.blob, start, size))
        return kind
