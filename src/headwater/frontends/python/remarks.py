"""Finds the comments that speak to Headwater, and the logical line that each is about.

Comments are nodes of the tree: text in a string is none. What a comment says is read by ``headwater.suppressions``.
"""

from __future__ import annotations

import re
from typing import Final

from tree_sitter import Node, Query, QueryCursor

from headwater import ir, limits
from headwater.files.source import BOM
from headwater.frontends.python.grammar import LANGUAGE
from headwater.frontends.remarks import about

_MARK: Final = re.compile(rb"#+[ \t]*headwater[ \t]*:")
_LINE_END: Final = re.compile(rb"\r\n?|\n")
_BLANK: Final = b" \t\f\r\n" + BOM
_COMMENTS: Final = Query(LANGUAGE, "(comment) @comment")
# What holds line ends that end no logical line.
_JOINING: Final = Query(LANGUAGE, '(string) @whole (line_continuation) @whole ["(" "[" "{"] @open [")" "]" "}"] @close')


def remarks(data: bytes, root: Node) -> list[ir.Remark]:
    """The comments ``# headwater: ...`` of a file, in order."""
    if b"headwater" not in data:
        return []
    comments = [node.byte_range for node in QueryCursor(_COMMENTS).captures(root).get("comment", ())]
    found = sorted(span for span in comments if _MARK.match(data, *span))[: limits.SUPPRESSIONS_OF_FILE + 1]
    if not found:
        return []
    starts = _logical_lines(data, root)
    ends = [*starts[1:], len(data)]
    code = [n for n, start in enumerate(starts) if data[start : ends[n]].lstrip(_BLANK)[:1] not in (b"", b"#")]
    return about(data, found, starts, code, _BLANK)


def _logical_lines(data: bytes, root: Node) -> list[int]:
    """Where the logical lines begin."""
    captured = QueryCursor(_JOINING).captures(root)
    joined = [node.byte_range for node in captured.get("whole", ())]
    brackets = [(node.start_byte, 1) for node in captured.get("open", ())] + [(node.end_byte, -1) for node in captured.get("close", ())]
    depth = begin = 0
    for at, step in sorted(brackets):
        if depth == 0:
            begin = at
        depth += step
        if depth == 0:
            joined.append((begin, at))
    joined.sort()
    starts = [0]
    inside, following = 0, 0  # up to where the ranges seen so far join, and the next range
    for line_end in _LINE_END.finditer(data):
        while following < len(joined) and joined[following][0] <= line_end.start():
            inside = max(inside, joined[following][1])
            following += 1
        if line_end.start() >= inside and line_end.end() < len(data):
            starts.append(line_end.end())
    return starts
