"""Reads reports of red-teaming tools: one module for each tool, and what tells their files apart."""

from __future__ import annotations

import os
from typing import Final

from headwater import limits
from headwater.redteam.evidence import Evidence
from headwater.redteam.formats.error import ReportError

__all__ = ["ReportError", "read"]

_SQLITE: Final = b"SQLite format 3\0"
_HEAD: Final = 1 << 16


def read(path: str) -> Evidence:
    """One report; raises ReportError where it is none that is known, or cannot be read."""
    # Imported late: a format costs only those who have such a file.
    from headwater.redteam.formats import garak, headwater, promptfoo, pyrit

    try:
        if not os.path.isfile(path):
            raise ReportError("no such file")
        if os.path.getsize(path) > limits.REDTEAM_BYTES:
            raise ReportError(f"larger than {limits.REDTEAM_BYTES:,} bytes")
        with open(path, "rb") as file:
            head = file.read(_HEAD)
        if head.startswith(_SQLITE):
            return pyrit.read(path)
        if headwater.is_report(head):
            return headwater.read(path)
        if garak.is_report(head):
            return garak.read(path)
        if promptfoo.is_report(head):
            return promptfoo.read(path)
    except OSError as error:
        raise ReportError(error.strerror or str(error)) from None
    raise ReportError("neither a report of Garak (JSON lines), nor a memory of PyRIT (SQLite), nor results of promptfoo (JSON)")
