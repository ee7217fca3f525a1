"""What is raised for a file that is no report, and bounded reading."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from headwater import limits


class ReportError(ValueError):
    """A file that cannot be read as a report; the message says why."""


def whole(path: str) -> bytes:
    """A report that is one JSON value."""
    with open(path, "rb") as file:
        data = file.read(limits.REDTEAM_JSON + 1)
    if len(data) > limits.REDTEAM_JSON:
        raise ReportError(f"larger than {limits.REDTEAM_JSON:,} bytes, which is much for one JSON value")
    return data


def lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines that hold something; None for one that is too long."""
    number = 0
    while True:
        line = file.readline(limits.REDTEAM_LINE + 1)
        if not line:
            return
        number += 1
        if len(line) > limits.REDTEAM_LINE and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = file.readline(limits.REDTEAM_LINE)
            yield number, None
        elif line.strip():
            yield number, line
