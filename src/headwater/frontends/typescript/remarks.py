"""Finds the comments that speak to Headwater, and the statement or line that each is about."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

from tree_sitter import Node, QueryCursor

from headwater import ir, limits
from headwater.frontends.typescript.grammar import Grammar

_MARK: Final = re.compile(rb"(?://+|/\*+)[ \t]*headwater[ \t]*:")


def remarks(data: bytes, root: Node, grammar: Grammar) -> list[ir.Remark]:
    """The comments ``// headwater: ...`` and ``/* headwater: ... */`` of a file, in order."""
    if b"headwater" not in data:
        return []
    comments = [node.byte_range for node in QueryCursor(grammar.comments).captures(root).get("comment", ())]
    every = sorted(comments)
    found = [span for span in every if _MARK.match(data, *span)][: limits.SUPPRESSIONS_OF_FILE + 1]
    return [_remark(data, start, end, every) for start, end in found]


def _remark(data: bytes, start: int, end: int, comments: list[tuple[int, int]]) -> ir.Remark:
    begin = data.rfind(b"\n", 0, start) + 1
    code = _without_comments(data, begin, start, comments)
    if not code.strip():  # on a line of its own: the next line with code
        at = end
        while at < len(data):
            stop = data.find(b"\n", at)
            stop = len(data) if stop < 0 else stop
            if at > end and _without_comments(data, at, stop, comments).strip():
                return ir.Remark(start, end, at, _logical_end(data, at, stop))
            if at == end and _without_comments(data, at, stop, comments).strip():
                return ir.Remark(start, end, begin, _logical_end(data, at, stop))
            at = stop + 1
        return ir.Remark(start, end, end, end)
    stop = data.find(b"\n", end)
    return ir.Remark(start, end, begin, len(data) if stop < 0 else stop + 1)


def _without_comments(data: bytes, start: int, end: int, comments: list[tuple[int, int]]) -> bytes:
    kept = b""
    at = start
    index = max(bisect_right(comments, (start, len(data))) - 1, 0)
    for begin, stop in comments[index:]:
        if begin >= end:
            break
        if stop <= at:
            continue
        kept += data[at : max(begin, at)]
        at = stop
    return kept + data[at:end] if at < end else kept


def _logical_end(data: bytes, start: int, stop: int) -> int:
    return min(stop + 1, len(data))
