"""Reads a Jupyter notebook (nbformat 3 and 4): the text of its Python cells, and where in the file each piece of it stands.

Outputs are not looked at. What IPython adds to Python inside a cell is the business of ``headwater.frontends.ipython``.
"""

from __future__ import annotations

import bisect
import json
import json.decoder
import json.scanner
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from headwater import limits
from headwater.files.source import Layout, Source
from headwater.findings import Gap

_LINE_END: Final = re.compile(r"\r\n?|\n")
_CELL_MAGIC: Final = re.compile(r"\s*%%(?!\w+\?)(\S+)[ \t]*([^\r\n]*)[\r\n]*")  # "%%name?" asks for help, and the rest is Python
_PYTHON: Final = ("python", "ipython", "pypy", "pyspark")
"""How the names of kernels' languages begin."""
_PYTHON_MAGICS: Final = frozenset({
    "time", "timeit", "capture", "prun", "memit", "python", "python2", "python3", "pypy", "px", "pyinstrument", "snakeviz", "wandb",
    "ipytest",
})  # fmt: skip
"""Cell magics after which the cell is Python."""
_QUIET_MAGICS: Final = frozenset({
    "bash", "sh", "shell", "cmd", "sx", "system", "!", "perl", "ruby", "html", "HTML", "svg", "SVG", "latex", "markdown", "sql", "bigquery",
    "R", "julia",
})  # fmt: skip
"""Cell magics for what is left out without effect in files of its own too; other ones may hide code of an AI system."""
_TEXT_FILE: Final = re.compile(r"\.(?:txt|md|rst|ya?ml|json|toml|csv|html?|css|cfg|ini|env|sh|sql|dockerfile)$|(?:^|[/ ])dockerfile$", re.I)
_WORD: Final = 40  # characters of a name of the notebook in a gap


class _NestedError(Exception):
    """The JSON is nested beyond the limit."""


class _Text(str):
    """A text of the file, with the offset of its quotation mark."""

    __slots__ = ("at",)
    at: int


class _Decoder(json.JSONDecoder):
    """Python's own decoder, whose texts know their places."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self.parse_string = _placed
        self.parse_object = self._nested(json.decoder.JSONObject)  # type: ignore[attr-defined]
        self.parse_array = self._nested(json.decoder.JSONArray)  # type: ignore[attr-defined]
        self.scan_once = json.scanner.py_make_scanner(self)  # type: ignore[attr-defined]

    def _nested(self, parse: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            self.depth += 1
            if self.depth > limits.NOTEBOOK_NESTING:
                raise _NestedError
            found = parse(*arguments)
            self.depth -= 1
            return found

        return counted


def _placed(text: str, begin: int, strict: bool) -> tuple[_Text, int]:
    value, end = json.decoder.scanstring(text, begin, strict)  # type: ignore[attr-defined]
    made = _Text(value)
    made.at = begin - 1
    return made, end


class _Cell(NamedTuple):
    """A cell of code as the file has it."""

    number: int
    at: int
    """Where it stands: the offset of its text, or of what was before it."""
    source: Any
    language: str


class _Lines:
    """Lines of the file's JSON text."""

    def __init__(self, text: str) -> None:
        self._ends = [found.end() for found in _LINE_END.finditer(text)]

    def of(self, at: int) -> int:
        return bisect.bisect_right(self._ends, at) + 1


def code_of(source: Source) -> tuple[Source | None, list[Gap]]:
    """The Python of a notebook as a source of its own, or None where there is none to be had; and what is to be said."""
    text = source.text
    path = source.path
    try:
        notebook = _Decoder().decode(text)
    except _NestedError:
        return None, [Gap("limit", path, 0, f"its JSON is nested beyond {limits.NOTEBOOK_NESTING}")]
    except json.JSONDecodeError as error:
        return None, [Gap("parse-error", path, _Lines(text).of(error.pos), "no notebook: its JSON is broken here")]
    except ValueError:  # a number of more digits than Python reads
        return None, [Gap("parse-error", path, 0, "no notebook: its JSON cannot be read")]
    found = _cells_of(notebook)
    if isinstance(found, str):
        return None, [Gap("parse-error", path, 0, f"no notebook: {found}")]
    language = _language(notebook)
    if not _is_python(language):
        return None, [Gap("language", path, 0, f"its kernel runs {_word(language)}: this language is not analysed")]
    return _joined(source, found, _Lines(text))


def _joined(source: Source, cells: list[Any], lines: _Lines) -> tuple[Source | None, list[Gap]]:
    data = bytearray()
    layout = Layout([], [])
    gaps: list[Gap] = []
    further, matters = 0, False
    for cell in _code_cells(cells):
        parts = _parts(cell.source)
        line = lines.of(cell.at)
        said = _left_out(cell, parts)
        if said is not None:
            kind, reason, partial = said
            if len(gaps) < limits.GAPS_OF_KIND - 1:
                gaps.append(Gap(kind, source.path, line, reason, partial, cell.number, 1))
            else:
                further, matters = further + 1, matters or partial
            continue
        begin = len(data)
        for part in parts or ():
            if part:
                layout.pieces.append((len(data), lines.of(part.at)))
                data += part.encode("utf-8", "replace")
        if len(data) == begin:
            continue
        layout.cells.append((begin, cell.number))
        if not data.endswith(b"\n"):
            data += b"\n"
    if further:
        gaps.append(Gap("language", source.path, 0, f"{further:,} more cells that were left out", matters))
    if len(data) > limits.FILE_BYTES:
        reason = f"{len(data):,} bytes of code; the limit is {limits.FILE_BYTES:,}"
        return None, [*gaps, Gap("too-large", source.path, 0, reason)]
    return Source(source.path, bytes(data), encoding="utf-8", digest=source.digest, layout=layout), gaps


def _cells_of(notebook: Any) -> list[Any] | str:
    """The cells of a notebook as they are, or what is wrong."""
    if not isinstance(notebook, dict):
        return "it is no JSON object"
    version = notebook.get("nbformat", 4)
    if isinstance(version, bool) or version not in (3, 4):
        return f"its nbformat is not 3 or 4 but {_word(str(version)) if isinstance(version, int) else 'no number'}"
    if version == 4:
        cells = notebook.get("cells")
        return cells if isinstance(cells, list) else "it has no list of cells"
    sheets = notebook.get("worksheets")
    if not isinstance(sheets, list):
        return "it has no list of worksheets"
    cells = []
    for sheet in sheets:
        inner = sheet.get("cells") if isinstance(sheet, dict) else None
        if not isinstance(inner, list):
            return "a worksheet has no list of cells"
        cells += inner
    return cells


def _code_cells(cells: list[Any]) -> Iterator[_Cell]:
    """The cells that run, and those of which that is not known; numbers count all cells, as Jupyter shows them."""
    at = 0
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict):
            yield _Cell(number, at, None, "")
            continue
        type_ = cell.get("cell_type")
        at = next((value.at for value in (type_, *cell.values()) if isinstance(value, _Text)), at)
        if type_ in ("markdown", "raw", "heading", "html"):
            continue
        source = cell.get("source", cell.get("input")) if type_ == "code" else None  # nbformat 3 calls it input
        first = source[0] if isinstance(source, list) and source else source
        at = first.at if isinstance(first, _Text) else at
        language = cell.get("language")  # of nbformat 3
        yield _Cell(number, at, source, language if isinstance(language, str) else "")


def _parts(source: Any) -> list[_Text] | None:
    """The pieces of a cell's text; None where it is none."""
    parts = [source] if isinstance(source, str) else source
    return parts if isinstance(parts, list) and all(isinstance(part, _Text) for part in parts) else None


def _left_out(cell: _Cell, parts: list[_Text] | None) -> tuple[str, str, bool] | None:
    """Why a cell is not analysed: kind of the gap, reason, and whether it makes the review partial; None where it is Python."""
    if parts is None:
        return "parse-error", "the cell is malformed; it was left out", True
    if not _is_python(cell.language):
        return "language", f"a cell of {_word(cell.language)}: this language is not analysed", True
    text = "".join(parts)
    at = 0
    while (found := _CELL_MAGIC.match(text, at)) and found[1] in _PYTHON_MAGICS:  # what they run may be a magic again
        at = found.end()
    if found is None:
        return None
    name, rest = found.groups()
    quiet = name in _QUIET_MAGICS or (name in ("writefile", "file") and _TEXT_FILE.search(rest.strip()) is not None)
    return "language", f"a cell of %%{_word(name)}: it is not Python", not quiet


def _language(notebook: dict[str, Any]) -> str:
    """The language of the kernel as the notebook names it; empty where it does not."""
    metadata = notebook.get("metadata")
    for key, name in (("kernelspec", "language"), ("language_info", "name")):
        about = metadata.get(key) if isinstance(metadata, dict) else None
        language = about.get(name) if isinstance(about, dict) else None
        if isinstance(language, str) and language.strip():
            return language.strip()
    return ""


def _is_python(language: str) -> bool:
    return not language or language.lower().startswith(_PYTHON)


def _word(text: str) -> str:
    return text if len(text) <= _WORD else text[: _WORD - 1] + "…"
