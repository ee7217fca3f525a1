"""Finds the format of a file by its bytes, never by its name alone, and has it examined."""

from __future__ import annotations

import functools
import importlib
import os
import stat
from typing import Final, Protocol, cast

from headwater.modelfiles import formats, names, pycode, texts
from headwater.modelfiles.blob import Blob, FileBlob
from headwater.modelfiles.verdicts import Concern, Examined
from headwater.modelfiles.work import Examination

HEAD: Final = 4096
"""Bytes from the start of a file that tell its format."""


_FLAGS: Final = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_POINTER: Final = b"version https://git-lfs.github.com/spec/"


class Format(Protocol):
    """A module of ``formats``."""

    NAME: str

    @staticmethod
    def matches(head: bytes, blob: Blob, path: str) -> bool:
        """Whether the file is of this format. Reads no more than it must; must not raise."""
        ...

    @staticmethod
    def examine(blob: Blob, work: Examination) -> None:
        """Notes all concerns. What it raises makes the file inconclusive; a format raises nothing that it knows of."""
        ...


@functools.cache
def known() -> tuple[Format, ...]:
    return tuple(cast(Format, importlib.import_module(f"{formats.__name__}.{name}")) for name in formats.ORDER)


def examine(blob: Blob, work: Examination) -> None:
    """Has a file examined by the first format that it is of."""
    try:
        head = blob.read(0, HEAD)
        for form in known():
            if form.matches(head, blob, work.path):
                work.format = form.NAME
                form.examine(blob, work)
                return
        _unknown(head, blob, work)
    except RecursionError:
        work.concern("nesting", "inconclusive", "It is nested too deep to be read.")
    except MemoryError:
        work.concern("memory", "inconclusive", "It asks for more memory than there is.")
    except Exception as error:  # a file that breaks the examination costs its own verdict and no other
        work.concern("unreadable", "inconclusive", "It could not be read to its end.", f"{type(error).__name__}: {error}")


def _unknown(head: bytes, blob: Blob, work: Examination) -> None:
    """A file of no known format is no model file, unless its name says that it is one of a format that its bytes would tell."""
    if head.startswith(_POINTER):
        work.format = "git-lfs-pointer"
        work.concern(
            "pointer", "inconclusive", "The file is a pointer of Git LFS: the model itself is not here.", head[:200].decode("latin-1")
        )
    elif not work.depth and blob.size and names.extension(work.path) in names.KNOWN_BY_BYTES and not texts.is_text(head):
        message = f"The file is called '.{names.extension(work.path)}', and its bytes are of no format that is known."
        work.concern("unknown-format", "inconclusive", message, head[:16].hex(), 0)


def scan_file(path: str, name: str, hashed: bool = True) -> tuple[list[Examined], list[tuple[str, bytes]]]:
    """The file and what is packed in it, and the Python code in it. ``name`` is what results call it. Links are not followed.

    A file that cannot be opened is inconclusive. ``hashed``: whether the digest of all of its bytes is wanted.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "its name cannot be opened"
        return [unreadable(name, "unreadable", f"It cannot be read: {reason}.")], []
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return [unreadable(name, "unreadable", "It is no regular file.")], []
        blob = FileBlob(descriptor)
        work = Examination(name, examine=examine, beside=lambda other: _beside(path, other))
        examine(blob, work)
        try:
            return [work.result(blob, hashed), *work.members], work.sources
        except OSError as error:  # the disk fails, or the file became shorter
            return [unreadable(name, "unreadable", f"It cannot be read: {error.strerror}.")], []
    finally:
        os.close(descriptor)


def _beside(path: str, name: str) -> bytes | None:
    """A regular file of the same folder, if it is as small as code is. No link is followed."""
    try:
        descriptor = os.open(os.path.join(os.path.dirname(path), name), _FLAGS)
    except (OSError, ValueError):
        return None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > pycode.LARGEST:
            return None
        return os.read(descriptor, pycode.LARGEST)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def is_looked_at(path: str, name: str) -> bool:
    """Whether a file of a folder is examined: programs, documents and pictures that are what their names say are not."""
    if not (names.is_code(name) or names.extension(name) in names.MEDIA):
        return True
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError):
        return False
    try:
        head = os.read(descriptor, HEAD)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return not (names.is_media(name, head) or not head or (names.is_code(name) and texts.is_text(head)))


def unreadable(name: str, check: str, message: str, evidence: str = "") -> Examined:
    """The result for a file that could not be examined at all."""
    return Examined(name, "unknown", 0, "", "inconclusive", (Concern(check, "inconclusive", message, evidence),))
