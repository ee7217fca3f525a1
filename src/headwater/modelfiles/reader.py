"""Reads small fields one after another from a blob of any size."""

from __future__ import annotations

from typing import Final

from headwater.modelfiles.blob import Blob

WINDOW: Final = 1 << 16


class EndedError(Exception):
    """The bytes end before what they announce."""


class Reader:
    """A place in a blob between ``start`` and ``end``. What is skipped is not read."""

    def __init__(self, blob: Blob, at: int = 0, end: int | None = None) -> None:
        self._blob = blob
        self.at = at
        self.end: Final = blob.size if end is None else min(end, blob.size)
        self._window = b""
        self._base = 0

    @property
    def left(self) -> int:
        return max(0, self.end - self.at)

    def peek(self, count: int) -> bytes:
        """Up to ``count`` bytes, which stay where they are."""
        count = min(count, self.end - self.at)
        if count <= 0:
            return b""
        start = self.at - self._base
        if start < 0 or start + count > len(self._window):
            self._window = self._blob.read(self.at, max(count, WINDOW))
            self._base = self.at
            start = 0
        return self._window[start : start + count]

    def take(self, count: int) -> bytes:
        if count < 0 or count > self.left:
            raise EndedError
        data = self.peek(count)
        if len(data) < count:
            raise EndedError
        self.at += count
        return data

    def skip(self, count: int) -> None:
        if count < 0 or count > self.left:
            raise EndedError
        self.at += count

    def number(self, size: int, order: str = "little", signed: bool = False) -> int:
        return int.from_bytes(self.take(size), "big" if order == "big" else "little", signed=signed)
