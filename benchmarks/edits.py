"""Changed texts that remember where each part of them stood before: the ground truth for the matching of findings."""

from __future__ import annotations

import ast
import bisect
import io
import itertools
import tokenize
from collections.abc import Iterator
from typing import NamedTuple


class Piece(NamedTuple):
    """A part of a changed file: bytes of the file ``path`` as it was; or ``text``, which may stand in the place of such bytes."""

    path: str = ""
    start: int = 0
    end: int = 0
    text: bytes | None = None


class Change:
    """A changed project: what differs from the files as they were."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.before = files
        self.pieces: dict[str, list[Piece]] = {}
        self.gone: set[str] = set()

    def of(self, path: str) -> list[Piece]:
        if path not in self.pieces:
            self.pieces[path] = [Piece(path, 0, len(self.before[path]))] if path in self.before else []
        return self.pieces[path]

    def replace(self, path: str, start: int, end: int, text: str) -> None:
        """Other bytes for those at ``start`` to ``end`` of the file as it was."""
        self._put(path, start, end, [Piece(path, start, end, text.encode())])

    def insert(self, path: str, at: int, text: str | list[Piece]) -> None:
        self._put(path, at, at, text if isinstance(text, list) else [Piece(text=text.encode())])

    def cut(self, path: str, start: int, end: int) -> list[Piece]:
        """Takes bytes out, for another place."""
        taken = self._put(path, start, end, [])
        return taken

    def _put(self, path: str, start: int, end: int, new: list[Piece]) -> list[Piece]:
        made: list[Piece] = []
        taken: list[Piece] = []
        done = False
        for piece in self.of(path):
            whole = piece.path != path or piece.text is not None
            if whole or piece.end < start or piece.start > end or (piece.end == start < end) or (done and piece.start >= end):
                inside = piece.path == path and start <= piece.start and piece.end <= end and start < end
                (taken if inside else made).append(piece)
                continue
            if piece.start < start:
                made.append(piece._replace(end=start))
            if not done:
                made += new
                done = True
            if max(piece.start, start) < min(piece.end, end):
                taken.append(piece._replace(start=max(piece.start, start), end=min(piece.end, end)))
            if piece.end > end:
                made.append(piece._replace(start=end))
        if not done:
            raise ValueError("the place is changed already")
        self.pieces[path] = made
        return taken

    def append(self, path: str, parts: list[Piece]) -> None:
        self.of(path).extend(parts)

    def rename(self, path: str, name: str) -> None:
        self.pieces[name] = self.of(path)
        del self.pieces[path]
        self.gone.add(path)

    def texts(self) -> dict[str, bytes]:
        """The changed files."""
        return {path: b"".join(self._bytes(one) for one in pieces) for path, pieces in self.pieces.items()}

    def _bytes(self, piece: Piece) -> bytes:
        return piece.text if piece.text is not None else self.before[piece.path][piece.start : piece.end]

    def places(self) -> Places:
        found: dict[str, list[tuple[int, int, str, int]]] = {}
        for path, pieces in self.pieces.items():
            at = 0
            for piece in pieces:
                size = len(self._bytes(piece))
                if piece.path:
                    found.setdefault(piece.path, []).append((piece.start, piece.end if piece.text is None else piece.start + 1, path, at))
                at += size
        return Places({path: sorted(parts) for path, parts in found.items()}, set(self.pieces) | self.gone)


class Places:
    """Where a place of before is now."""

    def __init__(self, parts: dict[str, list[tuple[int, int, str, int]]], changed: set[str]) -> None:
        self.parts = parts
        self.changed = changed

    def now(self, path: str, start: int) -> tuple[str, int] | None:
        if path not in self.changed:
            return path, start
        parts = self.parts.get(path, [])
        at = bisect.bisect_right(parts, start, key=lambda part: part[0]) - 1
        if at < 0 or start >= parts[at][1]:
            return None
        first, _, name, offset = parts[at]
        return name, offset + start - first


class Code:
    """A file with its tree, and byte offsets of nodes and tokens."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        self.tree = ast.parse(data)
        self.starts = list(itertools.accumulate(map(len, data.splitlines(keepends=True)), initial=0))

    def at(self, line: int, column: int) -> int:
        return self.starts[line - 1] + column

    def span(self, node: ast.AST) -> tuple[int, int]:
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def lines(self, node: ast.AST) -> tuple[int, int]:
        """Whole lines, from the first decorator on."""
        first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])  # type: ignore[attr-defined]
        return self.starts[first - 1], self.starts[min(node.end_lineno, len(self.starts) - 1)]  # type: ignore[attr-defined]

    def text(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.data[start:end].decode()

    def names(self, signs: bool = False) -> Iterator[tuple[str, int, int]]:
        """Every name of the text, with its bytes; with the signs that a formatter neither adds nor takes away."""
        lines = self.data.splitlines(keepends=True)
        for token in tokenize.tokenize(io.BytesIO(self.data).readline):
            if token.type == tokenize.NAME or (signs and token.type == tokenize.OP and token.string not in ("(", ")", ",")):
                (row, first), (_, last) = token.start, token.end
                line = lines[row - 1].decode()
                yield token.string, self.at(row, len(line[:first].encode())), self.at(row, len(line[:last].encode()))

    def functions(self) -> Iterator[tuple[ast.AST, ast.FunctionDef | ast.AsyncFunctionDef]]:
        """Every function with what holds it."""
        for parent in ast.walk(self.tree):
            for child in ast.iter_child_nodes(parent):
                if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield parent, child

    def holding(self, offset: int) -> tuple[ast.AST, ast.FunctionDef | ast.AsyncFunctionDef] | None:
        """The innermost function at an offset."""
        found = [pair for pair in self.functions() if self.span(pair[1])[0] <= offset < self.span(pair[1])[1]]
        return max(found, key=lambda pair: self.span(pair[1])[0]) if found else None

    def after_imports(self) -> int:
        """Where module-level code may be put."""
        last = None
        for node in self.tree.body:
            text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if not text and not isinstance(node, ast.Import | ast.ImportFrom):
                break
            last = node
        return self.lines(last)[1] if last else 0
