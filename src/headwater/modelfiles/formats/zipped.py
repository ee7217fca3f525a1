"""Zip archives that are a format of their own by their members: Keras 3 and skops."""

from __future__ import annotations

import io
import zipfile
from typing import Final, cast

from headwater import limits
from headwater.modelfiles.blob import Blob, BytesBlob
from headwater.modelfiles.formats import keras, skops
from headwater.modelfiles.work import Examination

NAME: Final = "zip"
_MEMBER: Final = 256 << 20


class _File(io.RawIOBase):
    """A blob as a file."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + (0, self._at, self._blob.size)[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        data = self._blob.read(self._at, self._blob.size - self._at if size < 0 else size)
        self._at += len(data)
        return data


def _open(blob: Blob) -> zipfile.ZipFile | None:
    try:
        return zipfile.ZipFile(cast("io.BufferedIOBase", _File(blob)))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError):
        return None


def matches(head: bytes, blob: Blob, path: str) -> bool:
    if not head.startswith(b"PK\3\4"):
        return False
    archive = _open(blob)
    members = set() if archive is None else set(archive.namelist())
    return keras.is_one(members) or skops.is_one(members)


def examine(blob: Blob, work: Examination) -> None:
    archive = _open(blob)
    if archive is None:
        return
    form = keras if keras.is_one(set(archive.namelist())) else skops
    work.format = form.NAME
    for info in archive.infolist():
        if info.is_dir():
            continue
        try:
            with archive.open(info) as member:
                data = member.read(min(_MEMBER, max(0, work.budget.unpacked)) + 1)
        except (zipfile.BadZipFile, RuntimeError, OSError, ValueError, NotImplementedError, EOFError) as error:
            work.concern("broken-member", "inconclusive", f"The member '{info.filename[:200]}' cannot be read.", str(error))
            continue
        work.budget.unpacked -= len(data)
        if len(data) > _MEMBER or work.budget.unpacked < 0:
            work.concern("size", "inconclusive", f"The member '{info.filename[:200]}' is too long to be read.", str(limits.MODEL_TEXT))
            continue
        if info.filename in (keras._PART, skops._PART):
            form.examine_config(BytesBlob(data), work)
        else:
            work.member(info.filename, BytesBlob(data))
