"""Files of no known format that have a pickle in them which acts: behind a header of their own, or hidden. Asked last of all."""

from __future__ import annotations

from typing import Final

from headwater.modelfiles import texts
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.formats.pickled import STORAGE
from headwater.modelfiles.pickles.stream import search
from headwater.modelfiles.verdicts import Concern
from headwater.modelfiles.work import Examination

NAME: Final = "pickle"
_BYTES: Final = 1 << 20
"""Of the file that are searched: a header is short, and what is behind gigabytes of numbers is found by nobody who loads the file."""


def matches(head: bytes, blob: Blob, path: str) -> bool:
    return len(head) > 16 and not texts.is_text(head) and STORAGE.search(path) is None and bool(_found(blob, Examination(path)))


def examine(blob: Blob, work: Examination) -> None:
    for one in _found(blob, work):
        work.concern(one.check, one.verdict, one.message, one.evidence, one.at)
    work.concern("pickle-hidden", "inconclusive", "A pickle stands in a file whose format is not known.")


def _found(blob: Blob, work: Examination) -> list[Concern]:
    notes: list[Concern] = []
    search(blob, 0, work, notes, _BYTES)
    return notes
