"""The bytes of one file, and where its lines and columns are.

Offsets are byte offsets everywhere; lines and columns are computed here, only for what is shown.
"""

from __future__ import annotations

import bisect
import codecs
import hashlib
import itertools
import re
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec

BOM: Final = codecs.BOM_UTF8
_COOKIE: Final = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")  # PEP 263
_BLANK: Final = re.compile(rb"^[ \t\f]*(?:#.*)?$")
_LINE_END: Final = re.compile(rb"\r\n?|\n")
# Their decoders take quadratic time or no error handler; no real source uses them.
_REFUSED: Final = frozenset({"idna", "punycode", "undefined", "mbcs", "oem"})


def cookie(data: bytes) -> str:
    """The encoding that a Python file declares (PEP 263), as written; empty where there is none."""
    head = data[len(BOM) :] if data.startswith(BOM) else data
    begin = 0
    for _ in range(2):
        found = _LINE_END.search(head, begin)
        line = head[begin : found.start() if found else len(head)]
        declared = _COOKIE.match(line)
        if declared:
            return declared.group(1).decode("ascii", "replace")
        if found is None or not _BLANK.match(line):
            break
        begin = found.end()
    return ""


def codec(name: str) -> str | None:
    """Python's own name of a text encoding that a source file may declare; None if it has none.

    Codecs that are not text encodings (``zip``, ``hex``) never run: the name comes from the repository.
    """
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    if not getattr(found, "_is_text_encoding", False) or found.name in _REFUSED or found.name.startswith(("utf-16", "utf-32")):
        return None
    return "utf-8" if found.name in ("utf-8-sig", "ascii") else found.name


class Layout(msgspec.Struct, frozen=True, array_like=True):
    """Where the code of a notebook stands in its file: ``Source.data`` is the text of its Python cells, one after the other."""

    cells: list[tuple[int, int]]
    """Offset of each cell in ``data``, and its number among all cells of the notebook, from 1."""
    pieces: list[tuple[int, int]]
    """Offset of each piece of text in ``data``, and the line of the file that holds it."""


class Cell(NamedTuple):
    """A cell of a notebook: its number, the lines of ``Source.data`` before it, and its own."""

    number: int
    before: int
    lines: int


class Source:
    """One file. ``data`` are the bytes that offsets refer to: the file's own, unless it had to be transcoded, or is a notebook.

    ``encoding`` is found by PEP 263 where it is not given. Bytes that it cannot decode count as U+FFFD.
    Lines end with LF, CRLF or CR. A byte order mark belongs to no column.
    """

    __slots__ = ("_digest", "_encoding", "_starts", "_text", "data", "layout", "path")

    def __init__(self, path: str, data: bytes, *, encoding: str = "", digest: str = "", layout: Layout | None = None) -> None:
        self.path = path
        self.data = data
        self.layout = layout
        """Of a notebook."""
        self._encoding = encoding
        self._digest = digest
        self._starts: list[int] | None = None
        self._text: str | None = None

    def __repr__(self) -> str:
        return f"Source({self.path!r}, {len(self.data)} bytes)"

    @property
    def encoding(self) -> str:
        """Python's name of the encoding of ``data``."""
        if not self._encoding:
            declared = "" if self.data.startswith(BOM) else cookie(self.data)
            self._encoding = (codec(declared) if declared else None) or "utf-8"
        return self._encoding

    @property
    def digest(self) -> str:
        """SHA-256 of the file as it is on disk, in hex."""
        if not self._digest:
            self._digest = hashlib.sha256(self.data).hexdigest()
        return self._digest

    @property
    def text(self) -> str:
        """All of it, without a byte order mark; line ends as they are."""
        if self._text is None:
            self._text = self._decode(self._bom, len(self.data))
        return self._text

    @property
    def lines(self) -> int:
        """Number of lines; a line end at the end of the file begins no further one."""
        data = self.data
        count = data.count(b"\n")
        if b"\r" in data:
            count += data.count(b"\r") - data.count(b"\r\n")
        return count + (1 if len(data) > self._bom and data[-1] not in b"\r\n" else 0)

    def position(self, offset: int) -> tuple[int, int]:
        """1-based line and 1-based column in Unicode code points; inside a character it is that of the character."""
        line, before = self._before(offset)
        return line, (before if isinstance(before, int) else len(before)) + 1

    def utf16_column(self, offset: int) -> int:
        """1-based column in UTF-16 code units (SARIF, LSP)."""
        _, before = self._before(offset)
        if isinstance(before, int):
            return before + 1
        return len(before) + sum(char > "\uffff" for char in before) + 1

    def line_start(self, line: int) -> int:
        """Offset of the first character of a 1-based line, kept within the file."""
        starts = self._line_starts()
        if line <= 1:
            return self._bom
        return starts[line - 1] if line <= len(starts) else len(self.data)

    def line_text(self, line: int) -> str:
        """The text of a 1-based line without its end; empty beyond the file."""
        return self._decode(self.line_start(line), self._line_stop(line))

    def slice(self, start: int, end: int) -> str:
        """The text of a half-open byte range."""
        return self._decode(max(start, self._bom), end)

    def offset(self, line: int, column: int) -> int:
        """The byte offset of a line and a code point column, both 1-based, kept within the line."""
        start, stop = self.line_start(line), self._line_stop(line)
        if column <= 1:
            return start
        if self.data[start:stop].isascii() and self.encoding == "utf-8":
            return min(start + column - 1, stop)
        # Columns only grow with the offset, whatever the encoding.
        return min(bisect.bisect_left(range(start, stop + 1), column, key=lambda at: self.position(at)[1]) + start, stop)

    def cell(self, line: int) -> Cell | None:
        """The cell of a notebook that holds a 1-based line of ``data``."""
        cells = self.layout.cells if self.layout is not None else []
        index = bisect.bisect_right(cells, self.line_start(line), key=itemgetter(0)) - 1
        if index < 0:
            return None
        starts = self._line_starts()
        offset, number = cells[index]
        before = bisect.bisect_left(starts, offset)
        end = bisect.bisect_left(starts, cells[index + 1][0]) if index + 1 < len(cells) else self.lines
        return Cell(number, before, end - before)

    def file_line(self, line: int) -> int:
        """The line of the file on which a 1-based line of ``data`` stands: another one only in a notebook."""
        if self.layout is None:
            return line
        pieces = self.layout.pieces
        index = bisect.bisect_right(pieces, self.line_start(line), key=itemgetter(0)) - 1
        return pieces[index][1] if index >= 0 else 1

    def place(self, offset: int) -> str:
        """The path and line of an offset in words."""
        line = self.position(offset)[0]
        cell = self.cell(line)
        return f"{self.path}:{line}" if cell is None else f"{self.path} cell {cell.number} line {line - cell.before}"

    # ------------------------------------------------------------------------------------------------------------

    @property
    def _bom(self) -> int:
        return len(BOM) if self.data.startswith(BOM) else 0

    def _line_starts(self) -> list[int]:
        if self._starts is None:
            data = self.data
            # bytes.splitlines knows exactly LF, CRLF and CR.
            starts = list(itertools.accumulate(map(len, data.splitlines(keepends=True)), initial=0))
            if data and data[-1] not in b"\r\n":
                starts.pop()
            self._starts = starts
        return self._starts

    def _line_stop(self, line: int) -> int:
        """Where a line's text ends."""
        starts = self._line_starts()
        if line < 1 or line > len(starts):
            return self.line_start(line)
        end = starts[line] if line < len(starts) else len(self.data)
        begin = self.line_start(line)
        if end > begin and self.data[end - 1] == 0x0A:
            end -= 1
            if end > begin and self.data[end - 1] == 0x0D:
                end -= 1
        elif end > begin and self.data[end - 1] == 0x0D:
            end -= 1
        return end

    def _decode(self, start: int, end: int) -> str:
        return self.data[start:end].decode(self.encoding, "replace")

    def _before(self, offset: int) -> tuple[int, int | str]:
        """The line, and the characters of it before the offset (only their number where they are ASCII)."""
        data = self.data
        offset = max(0, min(offset, len(data)))
        line = bisect.bisect_right(self._line_starts(), offset)
        start = self.line_start(line)
        prefix = data[start:offset]
        if self.encoding != "utf-8":
            return line, codecs.getincrementaldecoder(self.encoding)("replace").decode(prefix)
        if prefix.isascii():
            return line, len(prefix)
        return line, data[start : _character(data, start, offset)].decode("utf-8", "replace")


def _character(data: bytes, start: int, offset: int) -> int:
    """Where the UTF-8 character that holds ``offset`` begins: what the decoder turns into one U+FFFD counts as one."""
    begin = offset
    while begin > max(start, offset - 3) and begin < len(data) and data[begin] & 0xC0 == 0x80:
        begin -= 1
    if begin == offset or data[begin] < 0xC0:
        return offset
    size = 2 if data[begin] < 0xE0 else 3 if data[begin] < 0xF0 else 4
    try:
        data[begin : begin + size].decode("utf-8")
    except UnicodeDecodeError as error:
        size = error.end
    return begin if offset < begin + size else offset
