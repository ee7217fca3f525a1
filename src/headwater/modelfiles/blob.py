"""Bytes at any place of a file or of a member of one: a file of any size is read in pieces, never whole."""

from __future__ import annotations

import os
from typing import Final, Protocol

PIECE: Final = 1 << 20


class Blob(Protocol):
    """``size`` bytes that can be read at any place."""

    @property
    def size(self) -> int: ...

    def read(self, at: int, count: int) -> bytes:
        """Up to ``count`` bytes from ``at`` on; fewer only at the end."""
        ...


class FileBlob:
    """An open file. The descriptor stays the caller's."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size

    def read(self, at: int, count: int) -> bytes:
        parts: list[bytes] = []
        while count > 0 and (part := os.pread(self._descriptor, count, at)):
            parts.append(part)
            at += len(part)
            count -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


class BytesBlob:
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, at: int, count: int) -> bytes:
        return self._data[at : at + max(count, 0)] if at >= 0 else b""


class PartBlob:
    """A part of another one: a member that is stored as it is."""

    def __init__(self, whole: Blob, start: int, size: int) -> None:
        self._whole = whole
        self._start = start
        self.size = max(0, min(size, whole.size - start))

    def read(self, at: int, count: int) -> bytes:
        return self._whole.read(self._start + at, min(count, self.size - at)) if 0 <= at < self.size else b""
