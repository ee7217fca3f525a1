"""Parsing that leaves no error in the tree: what the grammar does not read is blanked, length kept, and told."""

from __future__ import annotations

import codecs
import re

from tree_sitter import Node, Parser, Tree

from headwater import ir
from headwater.frontends.python import grammar as g

ROUNDS = 8  # of blanking lines; each doubles what it takes away round an error
ERRORS = 400  # places looked at in one round
_LONE_RETURN = re.compile(rb"\r(?!\n)")
_HEADER = re.compile(rb"([ \t\f]*)(async[ \t]+def|def|class|if|while|for|with|async[ \t]+for|async[ \t]+with)\b[ \t]*(\w*).*:[ \t]*(#.*)?$")
_WORDS_OF_BLOCKS = (b"else", b"elif", b"except", b"finally", b"case")


def _mask(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "_" * (error.end - error.start), error.end


codecs.register_error("headwater.mask", _mask)


def parse(parser: Parser, data: bytes) -> tuple[Tree, list[ir.Gap]]:
    """A tree without errors, with what was blanked to get there."""
    gaps: list[ir.Gap] = []
    source = _prepared(data, gaps)
    tree = parser.parse(source)
    for round_ in range(ROUNDS + 2):
        if not tree.root_node.has_error:
            return tree, _merged(gaps)
        spans = _spans(tree.root_node, source, round_)
        buffer = bytearray(source)
        for start, end, reason in spans:
            gaps.append(ir.Gap(start, end, reason))
            _blank(buffer, start, end)
            if reason == _SYNTAX:
                _keep_header(buffer, source, start, end)
        source = bytes(buffer)
        tree = parser.parse(source)
    if tree.root_node.has_error:
        gaps = [ir.Gap(0, len(data), _SYNTAX)]
        tree = parser.parse(re.sub(rb"[^\n]", b" ", source))
    return tree, _merged(gaps)


_SYNTAX = "syntax not understood"


def _prepared(data: bytes, gaps: list[ir.Gap]) -> bytes:
    if b"\0" in data:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            gaps.append(ir.Gap(0, len(data), "not UTF-8: UTF-16"))
            return b" " * len(data)
        for match in re.finditer(rb"\0+", data):
            gaps.append(ir.Gap(match.start(), match.end(), "NUL byte"))
            if len(gaps) == ERRORS:
                break
        data = data.replace(b"\0", b" ")
    if b"\r" in data:
        data = _LONE_RETURN.sub(b"\n", data)
    if not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            # A wrong byte would end the literal or comment that it stands in
            data = data.decode("utf-8", "headwater.mask").encode("utf-8")
    return data


def _errors(root: Node) -> list[tuple[Node, Node | None]]:
    """The outermost broken nodes, each with its parent."""
    found: list[tuple[Node, Node | None]] = []
    todo: list[tuple[Node, Node | None]] = [(root, None)]
    while todo and len(found) < ERRORS:
        node, parent = todo.pop()
        if node.is_error or node.is_missing:
            found.append((node, parent))
        elif node.has_error:
            todo.extend((child, node) for child in reversed(node.children) if child.has_error or child.is_missing)
    return found


def _spans(root: Node, source: bytes, round_: int) -> list[tuple[int, int, str]]:
    """What to blank in this round."""
    spans: list[tuple[int, int, str]] = []
    last = -1
    for node, parent in _errors(root):
        start, end = node.byte_range
        if start < last:
            continue
        if round_ == 0 and parent is not None and parent.kind_id == g.TYPE_PARAMETER:
            defaults = _type_defaults(source, parent.start_byte, parent.end_byte)
            if defaults:
                spans += defaults
                last = parent.end_byte
                continue
        if round_ >= ROUNDS:
            # The lines round an error were not enough: the whole statement of the module
            top = _child_at(root, start)
            start, end = (top.start_byte, top.end_byte) if top is not None else (start, len(source))
            start, end = _lines(source, start, max(end, start), 0)
        elif round_ == 0 and node.is_error and end - start <= 16 and not node.named_child_count and b"\n" not in source[start:end] and end > start:
            pass  # a few strange characters
        else:
            start, end = _lines(source, start, start, (1 << round_) - 1 if round_ else 0)
        if end > start:
            spans.append((start, end, _SYNTAX))
        last = max(last, end)
    return spans or [(0, len(source), _SYNTAX)]


def _child_at(root: Node, at: int) -> Node | None:
    children = root.children
    for child in children:
        if child.end_byte > at:
            return child
    return children[-1] if children else None


def _lines(source: bytes, start: int, end: int, more: int) -> tuple[int, int]:
    """Widens a range to whole lines (at least one that is not blank), and to ``more`` lines after it."""
    while start < len(source) and end <= start and source[start : start + 1].isspace():
        start += 1
        end = start
    if start >= len(source):
        # An error at the end of the file stands for the line before it
        end = len(source.rstrip())
        start = max(0, end - 1)
    begin = source.rfind(b"\n", 0, start) + 1
    for _ in range(more + 1):
        found = source.find(b"\n", end)
        if found < 0:
            return begin, len(source)
        end = found + 1
    return begin, end - 1


def _type_defaults(source: bytes, start: int, end: int) -> list[tuple[int, int, str]]:
    """The defaults in ``[T = int, *Ts = *tuple[int]]``."""
    spans: list[tuple[int, int, str]] = []
    depth = 0
    begin = -1
    for at in range(start, end):
        byte = source[at]
        if byte in b"([{":
            depth += 1
        elif byte in b")]}":
            depth -= 1
        if byte == 0x3D and depth == 1 and begin < 0:  # "="
            begin = at
        elif begin >= 0 and (depth == 0 or (depth == 1 and byte == 0x2C)):  # ","
            spans.append((begin, at, "default of a type parameter"))
            begin = -1
    return spans


def _blank(buffer: bytearray, start: int, end: int) -> None:
    buffer[start:end] = re.sub(rb"[^\n]", b" ", bytes(buffer[start:end]))


def _keep_header(buffer: bytearray, source: bytes, start: int, end: int) -> None:
    """Puts a plain header where that of a block was blanked, so that its body is still read."""
    if start > 0 and source[start - 1] != 10:
        return
    line_end = source.find(b"\n", start, end)
    line = source[start : line_end if line_end >= 0 else end].rstrip(b"\r")
    match = _HEADER.match(line)
    if match is None:
        return
    indent, word, name = match.groups()[:3]
    if word.endswith(b"def"):
        header = b"def " + name + b"():"
    elif word == b"class":
        header = b"class " + name + b":"
    else:
        header = b"if 1:"
    plain = indent + header
    if len(plain) <= len(line) and (name or header == b"if 1:") and plain != line.rstrip():
        buffer[start : start + len(plain)] = plain


def _merged(gaps: list[ir.Gap]) -> list[ir.Gap]:
    """Gaps in order, those inside others left out."""
    made: list[ir.Gap] = []
    for gap in sorted(gaps, key=lambda x: (x.start, -x.end)):
        if made and gap.end <= made[-1].end and gap.start >= made[-1].start and gap.reason == made[-1].reason:
            continue
        made.append(gap)
    return made
