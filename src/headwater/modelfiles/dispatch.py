"""Finds the format of a file by its bytes, never by its name alone, and has it examined."""

from __future__ import annotations

import functools
import importlib
import os
from typing import Final, Protocol, cast

from headwater.modelfiles import formats
from headwater.modelfiles.blob import Blob, FileBlob
from headwater.modelfiles.verdicts import Examined
from headwater.modelfiles.work import Examination

HEAD: Final = 4096
"""Bytes from the start of a file that tell its format."""


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
    except RecursionError:
        work.concern("nesting", "inconclusive", "It is nested too deep to be read.")
    except MemoryError:
        work.concern("memory", "inconclusive", "It asks for more memory than there is.")
    except Exception as error:  # a file that breaks the examination costs its own verdict and no other
        work.concern("unreadable", "inconclusive", "It could not be read to its end.", f"{type(error).__name__}: {error}")


def scan_file(path: str, name: str) -> tuple[list[Examined], list[tuple[str, bytes]]]:
    """The file and what is packed in it, and the Python code in it. ``name`` is what results call it.

    Raises OSError where it cannot be opened. Links are not followed.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        blob = FileBlob(descriptor)
        work = Examination(name, examine=examine)
        examine(blob, work)
        return [work.result(blob), *work.members], work.sources
    finally:
        os.close(descriptor)
