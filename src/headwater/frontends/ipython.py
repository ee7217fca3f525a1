"""What IPython adds to Python, written as Python: ``!command``, ``%magic``, ``x = !command``, ``object?``.

A command becomes a call whose text is an f-string: ``{expression}`` and ``$name`` in it are data. Each piece of the new text
keeps where it came from. The rules are those of IPython 9 (``IPython.core.inputtransformer2`` and ``IPython.utils.text``).
"""

from __future__ import annotations

import keyword
import re
from typing import Final

from headwater.frontends.bounded import BoundedParser
from headwater.frontends.python import grammar as g
from headwater.frontends.rewritten import Rewritten

_CELL_MAGIC: Final = re.compile(rb"[ \t]*%%(\w*)[ \t]*([^\r\n]*)")
_ESCAPE: Final = re.compile(rb"[ \t]*(!!?|%{1,2}(?=[ \t]*\w))")
_HELP: Final = re.compile(rb"[ \t]*(?:\?[^\r\n]*|%{0,2}[\w.*\[\]-]+\?{1,2}[ \t]*;?[ \t]*)(?=\r|\n|\Z)")
_AUTOMAGIC: Final = re.compile(
    rb"[ \t]*(?:pip3?|conda|mamba|uv)[ \t]+(?:install|uninstall|update|upgrade|list|freeze|show|config|pip)[ \t][^\r\n]*"
)
_ASSIGNED: Final = re.compile(rb"[ \t]*([^=!%#\r\n]+?)[ \t]*=[ \t]*(?=(?:!|%[ \t]*\w)(?!=))")
_NAME: Final = re.compile(rb"[ \t]*([^\s]*)[ \t]*")
_COMMAND: Final = re.compile(rb"(?:[^\\\r\n]|\\(?:\r\n?|\n)?)*+")  # a backslash before the line end goes on, even one of two
_LINE: Final = re.compile(rb"[^\r\n]*+(?:\r\n?|\n)?")
_BLANK_LINES: Final = re.compile(rb"(?:[ \t\f]*+(?:\r\n?|\n))*+")
_INDENT: Final = re.compile(rb"[ \t]*+")
_PLAIN: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*\Z")
_DOLLAR: Final = re.compile(rb"\$(\$?[\w.\x80-\xff]+)")
_BRACE: Final = re.compile(rb"\{\{|\}\}|[{}]")
_ONE_BRACE: Final = re.compile(rb"[{}]")
_TOKEN: Final = re.compile(
    rb"#[^\r\n]*+"
    rb'|"""(?:[^"\\]|\\.|"(?!""))*+(?:"""|\Z)'
    rb"|'''(?:[^'\\]|\\.|'(?!''))*+(?:'''|\Z)"
    rb'|"(?:[^"\\\r\n]|\\(?:\r\n|.))*+"?'
    rb"|'(?:[^'\\\r\n]|\\(?:\r\n|.))*+'?"
    rb"|[(\[{]|[)\]}]|\\(?:\r\n|.)|\r\n?|\n",
    re.DOTALL,
)
_RUNS_PYTHON: Final = frozenset({b"time", b"timeit", b"prun", b"memit", b"mprun", b"lprun"})
_OPTIONS: Final = re.compile(rb"(?:-[fmsTD][ \t]+[^\s]+[ \t]+|--?\w+[ \t]+(?:\d+[ \t]+)?)*+[ \t]*+")
_SHELL_MAGICS: Final = frozenset({b"sx", b"system", b"!"})


def rewrite(parser: BoundedParser, source: bytes, start: int, end: int, out: Rewritten) -> None:
    """Adds one cell, the bytes from ``start`` to ``end``, as Python."""
    _Cell(parser, source, start, end, out).run()


class _Cell:
    def __init__(self, parser: BoundedParser, source: bytes, start: int, end: int, out: Rewritten) -> None:
        self.parser = parser
        self.source = source
        self.end = end
        self.out = out
        self.at = start
        blank = _BLANK_LINES.match(source, start, end)
        self.body = blank.end() if blank else start
        indent = _INDENT.match(source, self.body, end)
        self.indent = indent.group() if indent else b""

    def run(self) -> None:
        out = self.out
        out.keep(self.source, self.at, self.body)
        self.at = self.body
        while (found := _CELL_MAGIC.match(self.source, self.at, self.end)) is not None:
            name, stop = found.group(1), found.end()
            if name == b"timeit" and found.group(2).strip():
                self._python(found.start(2), stop)
            else:
                out.put(b"pass", self.at, stop)
            self._to_next_line(stop)
        while self.at < self.end:
            self._skip_indent()
            stop = self._special()
            if stop < 0:
                self._plain(_statement_end(self.source, self.at, self.end))
            else:
                self._to_next_line(stop)

    def _skip_indent(self) -> None:
        """IPython takes the indentation of the first line from all of them."""
        if self.indent and self.source.startswith(self.indent, self.at, self.end):
            self.at += len(self.indent)

    def _plain(self, stop: int) -> None:
        while self.indent and self.at < stop:
            line = min(_line_end(self.source, self.at, stop), stop)
            self.out.keep(self.source, self.at, line)
            self.at = line
            if self.at < stop:
                self._skip_indent()
        self.out.keep(self.source, self.at, stop)
        self.at = max(self.at, stop)

    def _to_next_line(self, stop: int) -> None:
        end = _line_end(self.source, stop, self.end)
        self.out.keep(self.source, stop, end)
        self.at = end

    def _special(self) -> int:
        """Writes the statement that begins here if it is IPython's: where it ends, or -1."""
        source, at, end = self.source, self.at, self.end
        found = _HELP.match(source, at, end) or _AUTOMAGIC.match(source, at, end)
        if found is not None:
            self._indented(b"pass", found.end())
            return found.end()
        found = _ESCAPE.match(source, at, end)
        if found is not None:
            self.out.keep(source, at, found.start(1))
            return self._escaped(found.start(1))
        found = _ASSIGNED.match(source, at, end)
        if found is not None and _is_target(self.parser, found.group(1)):
            self.out.keep(source, at, found.end())
            return self._escaped(found.end(), assigned=True)
        return -1

    def _indented(self, text: bytes, stop: int) -> None:
        indent = _INDENT.match(self.source, self.at, stop)
        begin = indent.end() if indent else self.at
        self.out.keep(self.source, self.at, begin)
        self.out.put(text, begin, stop)

    def _escaped(self, at: int, assigned: bool = False) -> int:
        """``!command`` or ``%magic`` at an offset: where it ends."""
        source = self.source
        command = _COMMAND.match(source, at, self.end)
        stop = command.end() if command else self.end
        if source[at : at + 1] == b"!":
            double = source[at + 1 : at + 2] == b"!"
            self._call(b"getoutput(" if assigned or double else b"system(", at, at + 1 + double, stop)
            return stop
        after = at + (2 if source[at + 1 : at + 2] == b"%" else 1)
        name = _NAME.match(source, after, stop)
        assert name is not None
        word, rest = name.group(1), name.end()
        if word in _RUNS_PYTHON:
            self._python(rest, stop)
        elif word in _SHELL_MAGICS:
            self._call(b"getoutput(", at, rest, stop)
        else:
            quoted = word.replace(b"\\", b"").replace(b'"', b"")
            self._call(b'run_line_magic("' + quoted + b'", ', at, rest, stop)
        return stop

    def _python(self, at: int, stop: int) -> None:
        """A statement after a magic and its options."""
        options = _OPTIONS.match(self.source, at, stop)
        begin = options.end() if options else at
        if begin < stop:
            self.out.keep(self.source, begin, stop)
        else:
            self.out.put(b"pass", at, stop)

    def _call(self, method: bytes, at: int, begin: int, stop: int) -> None:
        """A method of ``get_ipython()``, with the text from ``begin`` to ``stop`` as its argument."""
        out, source = self.out, self.source
        out.put(b"get_ipython()." + method, at, begin)
        out.put(b'f"', begin, begin)
        for text, start, end in _expanded(self.parser, source, begin, stop):
            if text is None:
                out.put(b"{(", start, start)
                out.keep(source, start, end)
                # What is left of the expression may be a comment
                out.put(b"\n)}" if b"#" in source[start:end] else b")}", end, end)
            else:
                out.put(_quoted(text), start, end)
        out.put(b'")', stop, stop)


def _line_end(source: bytes, at: int, end: int) -> int:
    """Where the line at an offset ends, its line end included."""
    found = _LINE.match(source, at, end)
    return found.end() if found else end


def _statement_end(source: bytes, at: int, end: int) -> int:
    """Where the logical line at an offset ends, its line end included."""
    depth = 0
    for token in _TOKEN.finditer(source, at, end):
        first = token.group()[:1]
        if first in b"([{":
            depth += 1
        elif first in b")]}":
            depth = max(0, depth - 1)
        elif first in b"\r\n" and not depth:
            return token.end()
    return end


def _quoted(text: bytes) -> bytes:
    """Text as it stands in an f-string."""
    text = text.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"{", b"{{").replace(b"}", b"}}")
    return text.replace(b"\r", b"\\r").replace(b"\n", b"\\n")


def _expanded(parser: BoundedParser, source: bytes, begin: int, end: int) -> list[tuple[bytes | None, int, int]]:
    """The pieces of a command: text (as it reaches the command), or None for an expression that stands at a range.

    Where one part is no expression IPython hands on the whole command as it is written (``awk '{print $1}'``).
    """
    as_written: list[tuple[bytes | None, int, int]] = [(source[begin:end], begin, end)]
    made: list[tuple[bytes | None, int, int]] = []
    at = begin
    while (found := _BRACE.search(source, at, end)) is not None:
        brace = found.start()
        if found.group() in (b"{{", b"}}"):
            if not _dollars(source, at, brace + 1, made):
                return as_written
            at = brace + 2
            continue
        stop = _closing(source, brace, end)
        expression = stop - 1 if source[stop - 1 : stop] == b":" else stop
        if source[expression - 2 : expression] in (b"!r", b"!s", b"!a"):
            expression -= 2
        if stop < 0 or not _dollars(source, at, brace, made) or not _is_expression(parser, source[brace + 1 : expression]):
            return as_written
        made.append((None, brace + 1, expression))
        at = stop + 1
    return made if _dollars(source, at, end, made) else as_written


def _dollars(source: bytes, begin: int, end: int, made: list[tuple[bytes | None, int, int]]) -> bool:
    """Adds text in which ``$name`` is data outside of single quotes and ``$$name`` is not; false where ``$`` begins no expression."""
    quotes = source.count(b"'", begin, end)
    at = seen = begin
    for found in _DOLLAR.finditer(source, begin, end):
        quotes -= source.count(b"'", seen, found.start())
        seen = found.start()
        if quotes % 2:
            continue
        name = found.group(1)
        if name.startswith(b"$"):
            made.append((source[at : found.start()] + name, at, found.end()))
        elif name.isdigit():
            continue
        elif not _PLAIN.match(name.decode("utf-8", "replace")):
            return False
        else:
            made.append((source[at : found.start()], at, found.start()))
            made.append((None, found.start(1), found.end()))
        at = found.end()
    made.append((source[at:end], at, end))
    return True


def _closing(source: bytes, at: int, end: int) -> int:
    """Where the brace that opens at an offset is closed; -1 where it is not, or where it is one that closes."""
    depth = 0
    for found in _ONE_BRACE.finditer(source, at, end):
        depth += 1 if found.group() == b"{" else -1
        if depth <= 0:
            return found.start() if depth == 0 and found.start() > at else -1
    return -1


def _is_expression(parser: BoundedParser, text: bytes) -> bool:
    """Whether text is one expression of Python."""
    plain = text.decode("utf-8", "replace").strip(" \t")
    if _PLAIN.match(plain) and not any(keyword.iskeyword(part) for part in plain.split(".")):
        return True
    if not plain:
        return False
    whole = b"(" + text + b"\n)"
    root = parser.parse(whole).root_node
    if root.has_error or root.named_child_count != 1:
        return False
    statement = root.named_children[0]
    inner = statement.named_children
    return statement.kind_id == g.EXPRESSION_STATEMENT and len(inner) == 1 and inner[0].byte_range == (0, len(whole))


def _is_target(parser: BoundedParser, text: bytes) -> bool:
    """Whether text is what stands before ``=`` in an assignment, and no piece of something else."""
    root = parser.parse(text + b" = 0\n").root_node
    return not root.has_error and root.named_child_count == 1 and root.named_children[0].kind_id == g.EXPRESSION_STATEMENT
