"""Reads Protocol Buffers in their wire format, without a schema and without copying what is skipped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from headwater import limits
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.reader import EndedError, Reader

TEXT: Final = 1 << 20
"""Bytes of a string that are looked at: names, paths and operators are far shorter."""


class WireError(Exception):
    """It is no Protocol Buffers message, or a broken one."""


class SpentError(Exception):
    """It has more fields than are read."""


class Field(NamedTuple):
    """A field of a message: ``value`` for numbers, ``start`` and ``end`` of what is inside for all else."""

    number: int
    kind: int
    value: int
    start: int
    end: int


class Message:
    """A message that is packed at a place of a blob. All that are made of one share a budget of fields."""

    def __init__(self, blob: Blob, start: int = 0, end: int | None = None, budget: list[int] | None = None) -> None:
        self._blob = blob
        self.start: Final = start
        self.end: Final = blob.size if end is None else end
        self._budget = [limits.MODEL_FIELDS] if budget is None else budget

    def __iter__(self) -> Iterator[Field]:
        reader = Reader(self._blob, self.start, self.end)
        try:
            while reader.left:
                self._budget[0] -= 1
                if self._budget[0] < 0:
                    raise SpentError
                key = varint(reader)
                number, kind = key >> 3, key & 7
                if not 0 < number < 1 << 29:
                    raise WireError
                at = reader.at
                if kind == 0:
                    yield Field(number, kind, varint(reader), at, reader.at)
                elif kind == 1:
                    yield Field(number, kind, reader.number(8), at, reader.at)
                elif kind == 5:
                    yield Field(number, kind, reader.number(4), at, reader.at)
                elif kind == 2:
                    size = varint(reader)
                    at = reader.at
                    reader.skip(size)
                    yield Field(number, kind, 0, at, reader.at)
                elif kind not in (3, 4):  # groups have no bytes of their own
                    raise WireError
        except EndedError:
            raise WireError from None

    def inside(self, field: Field) -> Message:
        """The message that a field holds."""
        if field.kind != 2:
            raise WireError
        return Message(self._blob, field.start, field.end, self._budget)

    def all(self, number: int) -> Iterator[Message]:
        """The messages in the fields of a number."""
        return (self.inside(field) for field in self if field.number == number and field.kind == 2)

    def data(self, field: Field, most: int = TEXT) -> bytes:
        return self._blob.read(field.start, min(field.end - field.start, most)) if field.kind == 2 else b""

    def text(self, field: Field, most: int = TEXT) -> str:
        return self.data(field, most).decode("utf-8", "replace")

    def texts(self, number: int) -> list[str]:
        """The strings in the fields of a number."""
        return [self.text(field) for field in self if field.number == number]

    def first(self, number: int) -> str:
        """The string of a field that stands once; the last counts, as it does for readers."""
        return next(iter(self.texts(number)[::-1]), "")

    def pairs(self, number: int) -> Iterator[tuple[str, str]]:
        """A map of strings: key 1, value 2."""
        return ((entry.first(1), entry.first(2)) for entry in self.all(number))


def varint(reader: Reader) -> int:
    value = shift = 0
    while True:
        byte = reader.peek(1)
        if not byte:
            raise EndedError
        reader.at += 1
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF
        shift += 7
        if shift > 63:
            raise WireError


def shape(blob: Blob, most: int = 64, start: int = 0, end: int | None = None) -> list[Field] | None:
    """The first fields, to know a message by; None where it is none. Fields that run over the end count as no message."""
    found: list[Field] = []
    try:
        for field in Message(blob, start, end):
            found.append(field)
            if len(found) >= most:
                break
    except (WireError, SpentError):
        return None
    return found
