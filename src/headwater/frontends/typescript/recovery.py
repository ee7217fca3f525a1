"""Parsing of what the grammar does not read: such bytes are blanked, length kept, and told; so are errors that stay."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tree_sitter import Node, Tree

from headwater import ir
from headwater.frontends.bounded import BoundedParser
from headwater.frontends.text import MASK, SYNTAX, TOO_LONG

ERRORS: Final = 400  # places that are told of one file
WIDE: Final = 5_000  # tokens side by side in one broken place: the time of looking through them is quadratic, and it is no script
NO_SCRIPT: Final = f"not a script: {WIDE:,} or more words without a meaning"
_NOT_NEWLINE: Final = re.compile(rb"[^\n]")
_WORD: Final = rb"[A-Za-z_$][\w$]*"
_GAPS: Final[tuple[tuple[re.Pattern[bytes], int, str], ...]] = (
    (re.compile(rb"\bexport\s+(type)\s*(?=\*)"), 1, "export type *"),
    (re.compile(rb"\bimport\s+(defer|source)\s+(?=[\w$*{])(?!from\b)"), 1, "import defer"),
    (
        re.compile(rb"[<,]\s*((?:const\s+)?(?:in\s+out|in|out))\s+(?=" + _WORD + rb"\s*(?:[,>=]|extends\b))"),
        1,
        "variance of a type parameter",
    ),
    (re.compile(rb"^[ \t]*((?:await[ \t]+)?using)[ \t]+(?=" + _WORD + rb"\s*[=:])", re.MULTILINE), 1, ""),
)
"""What the grammar does not read: where it stands, and its name (empty: it has the meaning of ``const`` here, and is no gap)."""


_ALONE: Final = re.compile(rb"&(?!#?\w+;)")
_IMPORTED_TYPE: Final = re.compile(rb"[:|&<,=(]\s*(import\(\s*(?:'[^'\n]*'|\"[^\"\n]*\")\s*\)\s*\.\s*)(?=" + _WORD + rb"\s*<)")
"""Where a type comes from that has arguments: without this the type is read, by its name."""


class Parsed(NamedTuple):
    """A tree, and what of the file it does not tell."""

    tree: Tree
    gaps: list[ir.Gap]


def parse(parsers: list[BoundedParser], data: bytes) -> tuple[Parsed, int]:
    """The tree of a file, by the first grammar or the one that gives fewer errors; and the number of that grammar."""
    gaps: list[ir.Gap] = []
    source = _prepared(data, gaps)
    tree = parsers[0].parse(source)
    which = 0
    if tree.root_node.has_error:
        source, found = _without_gaps(_without_ampersands(source, tree.root_node))
        gaps += found
        best = ERRORS + 1
        for number, parser in enumerate(parsers):
            this = parser.parse(source)
            errors = len(_errors(this.root_node)) if this.root_node.has_error else 0
            if errors < best:
                best, tree, which = errors, this, number
            if not errors:
                break
        if best and any(node.child_count >= WIDE for node in _errors(tree.root_node, inside=False)):
            return Parsed(parsers[which].parse(b""), [ir.Gap(0, len(data), NO_SCRIPT)]), which
        gaps += [ir.Gap(start, end, SYNTAX) for start, end in _spans(tree.root_node)] if best else []
    return Parsed(tree, sorted(gaps, key=lambda gap: (gap.start, gap.end, gap.reason))), which


def given_up(parser: BoundedParser, data: bytes) -> Parsed:
    """Of a file that the parser would need too long for."""
    return Parsed(parser.parse(b""), [ir.Gap(0, len(data), TOO_LONG)])


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
    if not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            # A wrong byte would end the literal or comment that it stands in
            data = data.decode("utf-8", MASK).encode("utf-8")
    return data


def _without_ampersands(source: bytes, root: Node) -> bytes:
    """In the text of an element an ampersand may stand alone, which the grammar takes for the start of a character reference."""
    alone = [
        match.start()
        for node in _errors(root)
        if source[node.start_byte : node.start_byte + 1] == b"&" and node.parent is not None and node.parent.type.startswith("jsx_")
        for match in _ALONE.finditer(source, node.start_byte, node.end_byte)
    ]
    if not alone:
        return source
    buffer = bytearray(source)
    for at in alone:
        buffer[at] = ord(" ")
    return bytes(buffer)


def _without_gaps(source: bytes) -> tuple[bytes, list[ir.Gap]]:
    gaps: list[ir.Gap] = []
    buffer = bytearray(source)
    for match in _IMPORTED_TYPE.finditer(source):
        start, end = match.span(1)
        buffer[start:end] = _NOT_NEWLINE.sub(b" ", bytes(buffer[start:end]))
    for pattern, group, reason in _GAPS:
        for match in pattern.finditer(source):
            start, end = match.span(group)
            if reason:
                buffer[start:end] = _NOT_NEWLINE.sub(b" ", bytes(buffer[start:end]))
                gaps.append(ir.Gap(start, end, reason))
            else:
                buffer[start:end] = b"const".ljust(end - start)
    return bytes(buffer), gaps


def _errors(root: Node, inside: bool = True) -> list[Node]:
    """The broken nodes; of one over several lines, where ``inside``, those inside it, which are nearer to the cause."""
    found: list[Node] = []
    todo = [root]
    while todo and len(found) < ERRORS:
        node = todo.pop()
        inner = [child for child in node.children if child.has_error or child.is_missing] if node.has_error else []
        if (node.is_error or node.is_missing) and not (inside and inner and node.end_point.row > node.start_point.row):
            found.append(node)
        else:
            todo.extend(reversed(inner))
    return found


def _spans(root: Node) -> list[tuple[int, int]]:
    """The places to tell. Of an error over several lines, only what stands before, between and after the statements in it."""
    spans: list[tuple[int, int]] = []
    for node in _errors(root):
        if node.end_point.row == node.start_point.row:
            spans.append(node.byte_range)
            continue
        last = None
        for child in node.children:
            if child.type.endswith(("_statement", "_declaration", "comment")):
                last = None
            elif last is None or len(spans) >= ERRORS:
                last = len(spans)
                spans.append(child.byte_range)
            else:
                spans[last] = (spans[last][0], child.end_byte)
    return spans[:ERRORS] or [root.byte_range]
