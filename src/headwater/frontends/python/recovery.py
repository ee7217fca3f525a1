"""Parsing that leaves no error in the tree: what the grammar does not read is blanked, length kept, and told."""

from __future__ import annotations

import re
from typing import NamedTuple

from tree_sitter import Node, Tree

from headwater import ir
from headwater.frontends.bounded import BoundedParser
from headwater.frontends.python import grammar as g
from headwater.frontends.text import MASK, SYNTAX, TOO_LONG

# Levels of indentation. Beyond about 380 the grammar's scanner writes past the end of its buffer, which can end the process;
# CPython itself reads 100.
INDENTS = 300
ROUNDS = 3  # of blanking single lines round errors, before chunks of the file are tried on their own
LATE_ROUNDS = 5  # after that; each doubles the lines it takes away
ERRORS = 400  # places looked at in one round
CHUNKS = 200  # pieces of a broken file that are found to be broken: error recovery is slow, and no file written by hand has more
CHUNK_BYTES = 3  # times the size of the file that is parsed so
CHUNK_DEPTH = 6  # levels of indentation that are taken apart
JOINED = 64  # lines joined by backslashes one after the other: shorter runs cost the parser nothing
_OLD_EXEC = re.compile(rb"(?:^|[;:])[ \t]*(exec)(?=[ \t]+[^\s=.,):(])", re.MULTILINE)
_CONTINUATION = re.compile(rb"\\\r?\n")
_CONTINUATIONS = re.compile(rb"(?:\\\r?\n[ \t\f]*){%d,}" % JOINED)
_INDENT = re.compile(rb"(?:^|[\r\f]) +", re.MULTILINE)
_LONE_RETURN = re.compile(rb"\r(?!\n)")
_DOT_AT_END = re.compile(rb"^([^#\"'\n]*[\w)\]]\.)(\r?\n)(?=[ \t\f]*[^\W\d])", re.MULTILINE)
_HEADER = re.compile(rb"([ \t\f]*)(async[ \t]+def|def|class|if|while|for|with|async[ \t]+for|async[ \t]+with)\b[ \t]*(\w*).*:[ \t]*(#.*)?$")
_NOT_NEWLINE = re.compile(rb"[^\n]")
_CONTINUES = re.compile(rb"(?:else|elif|except|finally|case)\b|[)\]}]")


class Parsed(NamedTuple):
    """A tree without errors, what was blanked to get there, and where ``exec code`` was made ``not  code``."""

    tree: Tree
    gaps: list[ir.Gap]
    old_exec: frozenset[int]
    source: bytes
    """What the tree is of: as long as the file."""


def parse(parser: BoundedParser, data: bytes) -> Parsed:
    gaps: list[ir.Gap] = []
    old_exec: frozenset[int] = frozenset()
    source = _prepared(data, gaps)
    tree = parser.parse(source)
    if tree.root_node.has_error:
        # Inside brackets the grammar does not read a line that ends in a dot where the next one is indented less.
        joined = _DOT_AT_END.sub(lambda m: m.group(1) + b" " * len(m.group(2)), source)
        if joined != source and not (again := parser.parse(joined)).root_node.has_error:
            return Parsed(again, _merged(gaps), old_exec, joined)
        # It reads the exec statement of Python 2 only with a name or a text.
        found = frozenset(match.start(1) for match in _OLD_EXEC.finditer(source))
        if found:
            changed = _OLD_EXEC.sub(lambda m: m.group()[:-4] + b"not ", source)
            again = parser.parse(changed)
            if len(_errors(again.root_node)) < len(_errors(tree.root_node)):
                source = changed
                tree = again
                old_exec = found
        errors = _errors(tree.root_node)
        if len(errors) == ERRORS and len({node.start_point.row for node, _ in errors}) > ERRORS // 4:
            gaps = [ir.Gap(0, len(data), f"not Python: {ERRORS} or more syntax errors")]
            source = _NOT_NEWLINE.sub(b" ", source)
            return Parsed(parser.parse(source), gaps, old_exec, source)
    for round_ in range(ROUNDS + 1 + LATE_ROUNDS):
        if not tree.root_node.has_error:
            return Parsed(tree, _merged(gaps), old_exec, source)
        spans = _broken_chunks(parser, source) if round_ == ROUNDS else _spans(tree.root_node, source, round_)
        buffer = bytearray(source)
        for start, end, reason in spans:
            gaps.append(ir.Gap(start, end, reason))
            _blank(buffer, start, end)
            if reason == SYNTAX:
                _keep_header(buffer, source, start, end)
        source = bytes(buffer)
        tree = parser.parse(source)
    if tree.root_node.has_error:
        gaps = [ir.Gap(0, len(data), SYNTAX)]
        source = _NOT_NEWLINE.sub(b" ", source)
        tree = parser.parse(source)
    return Parsed(tree, _merged(gaps), old_exec, source)


def given_up(parser: BoundedParser, data: bytes) -> Parsed:
    """Of a file that the parser would need too long for."""
    blank = _NOT_NEWLINE.sub(b" ", data)
    return Parsed(parser.parse(blank), [ir.Gap(0, len(data), TOO_LONG)], frozenset(), blank)


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
    # The parser's time is quadratic in the length of such a run; joined lines have the same meaning
    if data.count(b"\\") >= JOINED:
        data = _CONTINUATIONS.sub(lambda m: b" " * len(m.group()), data)
    if _too_indented(data):
        gaps[:] = [ir.Gap(0, len(data), f"more than {INDENTS} levels of indentation")]
        return b" " * len(data)
    if not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            # A wrong byte would end the literal or comment that it stands in
            data = data.decode("utf-8", MASK).encode("utf-8")
    return data


def _too_indented(data: bytes) -> bool:
    """Whether more levels of indentation are possible than the parser bears."""
    flat = data.replace(b"\t", b" " * 8) if b"\t" in data else data
    if b"\\" in flat:
        flat = _CONTINUATION.sub(b"", flat)
    if b" " * INDENTS not in flat:
        return False
    return len({len(match.group()) for match in _INDENT.finditer(flat)}) > INDENTS


def _errors(root: Node) -> list[tuple[Node, Node | None]]:
    """The broken nodes, each with its parent; of one over several lines those inside it, which are nearer to the cause."""
    found: list[tuple[Node, Node | None]] = []
    todo: list[tuple[Node, Node | None]] = [(root, None)]
    while todo and len(found) < ERRORS:
        node, parent = todo.pop()
        if node.is_error or node.is_missing:
            inner = [c for c in node.children if c.has_error or c.is_missing] if node.end_point.row > node.start_point.row else []
            if inner:
                todo.extend((child, node) for child in reversed(inner))
            else:
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
        few = node.is_error and not node.named_child_count and 0 < end - start <= 16 and b"\n" not in source[start:end]
        if round_ or not few:  # else only the strange characters themselves
            more = (1 << round_ - ROUNDS) - 1 if round_ > ROUNDS else 0
            start, end = _lines(source, start, start, more)
        if end > start:
            spans.append((start, end, SYNTAX))
        last = max(last, end)
    return spans or [(0, len(source), SYNTAX)]


def _broken_chunks(parser: BoundedParser, source: bytes) -> list[tuple[int, int, str]]:
    """The smallest pieces of the file (a statement with what is indented below it) that do not parse on their own."""
    spans: list[tuple[int, int, str]] = []
    todo = [(0, len(source), 0)]
    failed = 0
    budget = CHUNK_BYTES * len(source)
    while todo:
        begin, end, depth = todo.pop()
        for start, stop, body in _chunks(source, begin, end):
            budget -= stop - start
            if failed > CHUNKS or budget < 0:
                spans.append((start, end, SYNTAX))
                break
            if not parser.parse(source[start:stop]).root_node.has_error:
                continue
            failed += 1
            head = source[start:body].rstrip()
            if depth < CHUNK_DEPTH and body < stop and head.endswith(b":") and not parser.parse(head + b" pass\n").root_node.has_error:
                todo.append((body, stop, depth + 1))
            else:
                spans.append((start, stop, SYNTAX))
    return sorted(spans) or [(0, len(source), SYNTAX)]


def _chunks(source: bytes, begin: int, end: int) -> list[tuple[int, int, int]]:
    """Start and end of each piece at the least indentation, and the start of the first line indented more."""
    lines: list[tuple[int, int, bool]] = []
    at = begin
    while at < end:
        stop = source.find(b"\n", at, end) + 1 or end
        text = source[at:stop].lstrip()
        if text and not text.startswith(b"#"):
            lines.append((at, stop - at - len(text), _CONTINUES.match(text) is not None))
        at = stop
    if not lines:
        return []
    least = min(indent for _, indent, _ in lines)
    starts: list[int] = []
    bodies: list[int] = []
    decorated = False
    for at, indent, continues in lines:
        if not starts or (indent == least and not continues and not decorated):
            starts.append(at)
            bodies.append(end)
        elif indent > least and bodies[-1] == end:
            bodies[-1] = at
        decorated = indent == least and source[at + indent : at + indent + 1] == b"@"
    stops = [*starts[1:], end]
    return [(start, stop, min(body, stop)) for start, stop, body in zip(starts, stops, bodies, strict=True)]


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
    buffer[start:end] = _NOT_NEWLINE.sub(b" ", bytes(buffer[start:end]))


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
    # Names stay where they are: they are read from the file as it is
    if word == b"class" or word.endswith(b"def"):
        plain = line[: match.end(3)] + (b":" if word == b"class" else b"():") if name else b""
    else:
        plain = indent + b"if True:"
        if len(plain) > len(line):
            plain = indent + b"try:"
    if 0 < len(plain) <= len(line) and plain != line.rstrip():
        buffer[start : start + len(plain)] = plain


def _merged(gaps: list[ir.Gap]) -> list[ir.Gap]:
    """Gaps in order, those inside others left out."""
    made: list[ir.Gap] = []
    for gap in sorted(gaps, key=lambda x: (x.start, -x.end)):
        if made and gap.end <= made[-1].end and gap.start >= made[-1].start and gap.reason == made[-1].reason:
            continue
        made.append(gap)
    return made
