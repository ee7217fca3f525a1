"""Reads FlatBuffers without a schema: tables by the numbers of their fields, every offset checked."""

from __future__ import annotations

from collections.abc import Iterator

from headwater.modelfiles.blob import Blob


class BrokenError(Exception):
    """An offset leads out of the file."""


class Table:
    """A table at a place of a blob."""

    def __init__(self, blob: Blob, at: int) -> None:
        self._blob = blob
        self._at = at
        back = int.from_bytes(_read(blob, at, 4), "little", signed=True)
        table = at - back
        size = int.from_bytes(_read(blob, table, 2), "little")
        self._fields = _read(blob, table, size)[4:] if size >= 4 else b""

    def _field(self, number: int) -> int:
        """Where a field lies; 0 if it is not there."""
        entry = self._fields[2 * number : 2 * number + 2]
        offset = int.from_bytes(entry, "little")
        return self._at + offset if offset else 0

    def number(self, number: int, size: int) -> int:
        at = self._field(number)
        return int.from_bytes(_read(self._blob, at, size), "little") if at else 0

    def _target(self, number: int) -> int:
        at = self._field(number)
        return at + int.from_bytes(_read(self._blob, at, 4), "little") if at else 0

    def text(self, number: int) -> str:
        at = self._target(number)
        if not at:
            return ""
        size = int.from_bytes(_read(self._blob, at, 4), "little")
        return _read(self._blob, at + 4, min(size, 1 << 20)).decode("utf-8", "replace")

    def bytes_at(self, number: int) -> tuple[int, int]:
        """Where a list of bytes begins, and what it says of its length."""
        at = self._target(number)
        return (at + 4, int.from_bytes(_read(self._blob, at, 4), "little")) if at else (0, 0)

    def table(self, number: int) -> Table | None:
        at = self._target(number)
        return Table(self._blob, at) if at else None

    def tables(self, number: int, most: int) -> Iterator[Table]:
        at = self._target(number)
        if not at:
            return
        count = int.from_bytes(_read(self._blob, at, 4), "little")
        if count * 4 > self._blob.size or count > most:
            raise BrokenError(f"a list of {count} tables")
        for one in range(count):
            place = at + 4 + 4 * one
            yield Table(self._blob, place + int.from_bytes(_read(self._blob, place, 4), "little"))


def root(blob: Blob) -> Table:
    return Table(blob, int.from_bytes(_read(blob, 0, 4), "little"))


def _read(blob: Blob, at: int, count: int) -> bytes:
    if at < 0 or at + count > blob.size:
        raise BrokenError(f"an offset of {at}")
    data = blob.read(at, count)
    if len(data) < count:
        raise BrokenError(f"an offset of {at}")
    return data
