"""The line hash that GitHub code scanning matches alerts by (``primaryLocationLineHash``).

GitHub's upload action computes it from the checked-out file; where a report is uploaded by other ways nobody does, so it is
computed here, to the same bits: a polynomial of 37 over the 100 UTF-16 code units from the start of the line, blanks left
out, every line end counted as LF, modulo 2**64; then ``:n`` for the n-th line of the file with this hash.
"""

from __future__ import annotations

import array
import itertools
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Final

WINDOW: Final = 100
_FACTOR: Final = 37
_END: Final = "\uffff"  # stands after the last character, as the action has it
_WITHOUT_BLANKS: Final = str.maketrans("", "", " \t")


def hashes(data: bytes) -> list[str]:
    """The hash of each line of a file."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").translate(_WITHOUT_BLANKS) + _END
    units = _units(text)
    seen: Counter[str] = Counter()
    found = []
    for start in _starts(units):
        value = _hash(units[start : start + WINDOW])
        seen[value] += 1
        found.append(f"{value}:{seen[value]}")
    return found


def _starts(units: str) -> Iterator[int]:
    return itertools.chain((0,), (at + 1 for at, unit in enumerate(units) if unit == "\n"))


def _hash(window: str) -> str:
    value = 0
    for unit in window:
        value = value * _FACTOR + ord(unit)
    # What is missing beyond the end counts as NUL.
    return f"{value * _FACTOR ** (WINDOW - len(window)) % 2**64:x}"


def _units(text: str) -> str:
    """The text with one character for each UTF-16 code unit."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    units = array.array("H", text.encode("utf-16-le" if sys.byteorder == "little" else "utf-16-be"))
    return "".join(map(chr, units))
