"""Text that was made from other text before it is parsed (a notebook, a component), and the way back from its places."""

from __future__ import annotations

import bisect
from typing import Any, NamedTuple

import msgspec

from headwater import ir


class Span(NamedTuple):
    """A piece of new text, from ``start`` to where the next one begins, and the old text that it stands for."""

    start: int
    old: int
    old_end: int
    same: bool
    """It is the old text itself."""


class Rewritten:
    """New text that knows what it was made from."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.spans: list[Span] = []

    def keep(self, source: bytes, start: int, end: int) -> None:
        """Adds old text as it is."""
        if start == end:
            return
        if self.spans and self.spans[-1].same and self.spans[-1].old_end == start:
            self.spans[-1] = self.spans[-1]._replace(old_end=end)
        else:
            self.spans.append(Span(len(self.data), start, end, True))
        self.data += source[start:end]

    def put(self, text: bytes, start: int, end: int) -> None:
        """Adds new text that stands for old text."""
        if text:
            self.spans.append(Span(len(self.data), start, end, False))
            self.data += text

    def old_start(self, offset: int) -> int:
        """The old offset of where something begins."""
        found = self._span(offset)
        if found is None:
            return 0
        return found.old + offset - found.start if found.same else found.old

    def old_end(self, offset: int) -> int:
        """The old offset of where something ends."""
        found = self._span(offset - 1)
        if found is None:
            return 0
        return found.old + offset - found.start if found.same else found.old_end

    def _span(self, offset: int) -> Span | None:
        index = bisect.bisect_right(self.spans, offset, key=lambda span: span.start) - 1
        return self.spans[max(index, 0)] if self.spans else None


def move(module: ir.Module, text: Rewritten) -> None:
    """Gives all that has a place its place in the old text."""
    done: set[int] = set()
    todo: list[Any] = [module.functions, module.classes]
    while todo:
        one = todo.pop()
        if isinstance(one, (list, tuple)):
            todo.extend(one)
        elif isinstance(one, dict):
            todo.extend(one.values())
        elif isinstance(one, msgspec.Struct) and id(one) not in done and not isinstance(one, ir.Type):
            done.add(id(one))  # a block may stand in two places
            for name in one.__struct_fields__:
                value = getattr(one, name)
                if name == "start":
                    one.start, one.end = _moved(text, value, one.end)  # type: ignore[attr-defined]
                elif not isinstance(value, (str, int)):
                    todo.append(value)
    module.gaps = [ir.Gap(*_moved(text, gap.start, gap.end), gap.reason) for gap in module.gaps]
    moved = {name: [_alias(text, alias) for alias in aliases] for name, aliases in module.imports.items()}
    module.imports = moved
    module.imported = [_alias(text, alias) for alias in module.imported]
    module.stars = [_alias(text, alias) for alias in module.stars]


def _alias(text: Rewritten, alias: ir.Alias) -> ir.Alias:
    return msgspec.structs.replace(alias, start=text.old_start(alias.start))


def _moved(text: Rewritten, start: int, end: int) -> tuple[int, int]:
    first = text.old_start(start)
    return first, max(first, text.old_end(end) if end > start else first)
