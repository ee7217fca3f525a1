"""The logical line that each comment to Headwater is about; frontends find the comments and the lines."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from headwater import ir


def about(data: bytes, comments: Sequence[tuple[int, int]], starts: Sequence[int], code: Sequence[int], blank: bytes) -> list[ir.Remark]:
    """A remark for each comment: about the line that it stands in, or the next one with code where it has one of its own.

    ``starts`` are those of the logical lines, ``code`` the numbers of those with code, ``blank`` what stands before a comment of its own.
    """
    made = []
    for start, end in comments:
        number = bisect_right(starts, start) - 1
        if not data[starts[number] : start].strip(blank):
            below = bisect_left(code, number)
            number = code[below] if below < len(code) else -1
        last = starts[number + 1] if 0 <= number < len(starts) - 1 else len(data)
        made.append(ir.Remark(start, end, starts[number], last) if number >= 0 else ir.Remark(start, end, end, end))
    return made
