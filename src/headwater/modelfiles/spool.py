"""Unpacks a stream of bytes to where they can be read at any place: memory while they are few, else a file without a name."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from typing import IO, Final

from headwater import limits
from headwater.modelfiles.blob import Blob, BytesBlob, FileBlob
from headwater.modelfiles.work import Examination

MEMORY: Final = 16 << 20
RATIO: Final = 200
LARGE: Final = 100_000_000


class Spooled:
    """What was unpacked. Closing it removes it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._file: IO[bytes] | None = None
        self.size = 0
        self.cut = ""

    def add(self, data: bytes) -> None:
        self.size += len(data)
        if self._file is None:
            self._parts.append(data)
            if self.size > MEMORY:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - close() closes it
                self._file.writelines(self._parts)
                self._parts.clear()
        else:
            self._file.write(data)

    def blob(self) -> Blob:
        if self._file is None:
            data = b"".join(self._parts)
            self._parts = [data]
            return BytesBlob(data)
        self._file.flush()
        return FileBlob(self._file.fileno())

    def close(self) -> None:
        self._parts.clear()
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Spooled:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def unpack(pieces: Iterable[bytes], work: Examination, packed: int) -> Spooled:
    """Takes all pieces while the budget lasts; ``cut`` tells why it has not all of them. ``packed`` is what they come from, in bytes."""
    spooled = Spooled()
    try:
        for piece in pieces:
            if not piece:
                continue
            work.budget.unpacked -= len(piece)
            spooled.add(piece)
            if spooled.size > LARGE and spooled.size > RATIO * max(packed, 1):
                said = f"It unpacks to more than {RATIO} times its size ({spooled.size} bytes of {packed} so far), as bombs do."
                work.concern("bomb", "review", said)
                spooled.cut = "bomb"
                break
            if work.budget.unpacked < 0:
                said = f"It unpacks to more than {limits.MODEL_UNPACKED_BYTES:,} bytes; the rest was not looked at."
                work.concern("unpacked-size", "inconclusive", said)
                spooled.cut = "size"
                break
    except (Broken, EOFError, OSError, ValueError) as error:  # what was unpacked before is still looked at
        spooled.cut = str(error) or "it is broken"
    return spooled


class Broken(Exception):  # noqa: N818 - a fact of the file
    """The packed bytes are damaged here."""
