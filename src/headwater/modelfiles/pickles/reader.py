"""Reads the arguments of opcodes from a blob, piece by piece; what is long is passed over, not read."""

from __future__ import annotations

from headwater import limits
from headwater.modelfiles.blob import PIECE, Blob
from headwater.modelfiles.pickles.values import Big


class Ended(Exception):  # noqa: N818 - the end of the bytes, no error of ours
    """The bytes end before the pickle does."""


class Reader:
    """A place in a blob."""

    def __init__(self, blob: Blob, at: int = 0) -> None:
        self.blob = blob
        self._piece = b""
        self._base = at
        self._next = 0

    @property
    def at(self) -> int:
        return self._base + self._next

    def seek(self, at: int) -> None:
        if self._base <= at <= self._base + len(self._piece):
            self._next = at - self._base
        else:
            self._piece, self._base, self._next = b"", at, 0

    def byte(self) -> int:
        """The next byte; -1 at the end."""
        if self._next >= len(self._piece):
            self._base, self._next = self.at, 0
            self._piece = self.blob.read(self._base, PIECE)
            if not self._piece:
                return -1
        value = self._piece[self._next]
        self._next += 1
        return value

    def take(self, count: int) -> bytes:
        """So many bytes, all of them. For short ones."""
        end = self._next + count
        if end > len(self._piece):
            self._base, self._next, end = self.at, 0, count
            self._piece = self.blob.read(self._base, max(PIECE, count))
            if count > len(self._piece):
                raise Ended
        value = self._piece[self._next : end]
        self._next = end
        return value

    def number(self, count: int) -> int:
        """An unsigned number in little endian order."""
        return int.from_bytes(self.take(count), "little")

    def chunk(self, count: int, text: bool) -> bytes | Big:
        """So many bytes, or where they are when they are long."""
        if count <= limits.MODEL_PICKLE_KEPT:
            return self.take(count)
        at = self.at
        if count > self.blob.size - at:
            raise Ended
        head = self.blob.read(at, 4096)
        self.seek(at + count)
        return Big(at, count, head, text)

    def line(self) -> bytes:
        """The bytes up to the end of the line, without it; ended where there is none."""
        end = self._piece.find(b"\n", self._next)
        if end >= 0:
            value = self._piece[self._next : end]
            self._next = end + 1
            return value
        parts = []
        while True:
            piece = self._piece[self._next :] or self.blob.read(self.at, PIECE)
            start = self.at
            if not piece:
                raise Ended
            end = piece.find(b"\n")
            if end >= 0:
                parts.append(piece[:end])
                self._piece, self._base, self._next = piece, start, end + 1
                return b"".join(parts)
            parts.append(piece)
            if sum(map(len, parts)) > limits.MODEL_PICKLE_LINE:
                raise Ended
            self._piece, self._base, self._next = b"", start + len(piece), 0
