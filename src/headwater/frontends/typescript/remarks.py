"""Finds the comments that speak to Headwater, and the logical lines of a script.

Comments are nodes of the tree: text in a string is none. Inside of brackets a line goes on, but not in a block within them.
"""

from __future__ import annotations

import re
from typing import Final

from tree_sitter import Node, Query

from headwater import ir, limits
from headwater.files.source import BOM
from headwater.frontends.remarks import about
from headwater.frontends.typescript.grammar import PLAIN, WITH_TAGS, Grammar, captures

_MARK: Final = re.compile(rb"(?://+|/\*+)[ \t]*headwater[ \t]*:")
_LINE_END: Final = re.compile(rb"\r\n?|\n")
_BLANK: Final = b" \t\f\r\n" + BOM
_NOT_NEWLINE: Final = re.compile(rb"[^\r\n]")
_LINES: Final = """
["(" "["] @open [")" "]"] @close
(object "{" @open "}" @close) (object_pattern "{" @open "}" @close) (template_substitution "${" @open "}" @close)
(named_imports "{" @open "}" @close) (export_clause "{" @open "}" @close)
(statement_block "{" @begin "}" @end) (class_body "{" @begin "}" @end) (switch_body "{" @begin "}" @end)
(template_string) @whole
"""
_QUERIES: Final = {id(grammar): Query(grammar.language, _LINES) for grammar in (PLAIN, WITH_TAGS)}


def remarks(data: bytes, root: Node, grammar: Grammar) -> list[ir.Remark]:
    """The comments ``// headwater: ...`` and ``/* headwater: ... */`` of a file, in order."""
    if b"headwater" not in data:
        return []
    comments = sorted(node.byte_range for node in captures(grammar.comments, root).get("comment", ()))
    found = [span for span in comments if _MARK.match(data, *span)][: limits.SUPPRESSIONS_OF_FILE + 1]
    if not found:
        return []
    bare = bytearray(data)
    for start, end in comments:
        bare[start:end] = _NOT_NEWLINE.sub(b" ", data[start:end])
    starts = _logical_lines(bytes(bare), root, grammar)
    ends = [*starts[1:], len(data)]
    code = [n for n, start in enumerate(starts) if bare[start : ends[n]].strip(_BLANK)]
    return about(bytes(bare), found, starts, code, _BLANK)


def _logical_lines(data: bytes, root: Node, grammar: Grammar) -> list[int]:
    """Where the logical lines begin."""
    found = captures(_QUERIES[id(grammar)], root)
    events: list[tuple[int, int]] = []
    for name, what in (("open", 1), ("close", -1), ("begin", 2), ("end", -2)):
        events += [(node.start_byte, what) for node in found.get(name, ())]
    for node in found.get("whole", ()):
        events += [(node.start_byte, 1), (node.end_byte, -1)]
    events.sort()
    depths = [0]
    starts = [0]
    following = 0
    for line_end in _LINE_END.finditer(data):
        while following < len(events) and events[following][0] <= line_end.start():
            what = events[following][1]
            following += 1
            if what == 2:
                depths.append(0)
            elif what == -2:
                if len(depths) > 1:
                    depths.pop()
            else:
                depths[-1] = max(depths[-1] + what, 0)
        if not depths[-1] and line_end.end() < len(data):
            starts.append(line_end.end())
    return starts
