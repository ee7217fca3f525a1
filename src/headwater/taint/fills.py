"""What it shows that a list is not empty, or that a variable is true: the test that stood before it (``if ok(path): found = True``).

``matches = [root for root in roots if path.is_relative_to(root)]`` is a check of the path where the program asks next whether there is a
match. It speaks of what lies outside of the loop alone: of an element of the loop, another may have passed.
"""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from headwater.index.calls import instructions
from headwater.taint.labels import HELD
from headwater.taint.value import NO_CONST, Alloc, Fact, Pred, Value

if TYPE_CHECKING:
    from headwater.taint.frame import Frame

_FILLED = ("list", "set", "generator")


def empty(frame: Frame, value: Value) -> Alloc | None:
    """The list that a value is, where nothing is in it but what was put there behind a test."""
    if len(value.allocs) != 1 or value.labels:
        return None
    (alloc,) = value.allocs
    fresh = alloc.kind in _FILLED and alloc.closed and alloc.root is None and alloc.owner is None and not alloc.keys
    return alloc if alloc in frame.fills or fresh else None


def fill(frame: Frame, alloc: Alloc | None, known: dict[Any, int] | None) -> None:
    """Something was put into a list; ``known``: what was shown where that was done before."""
    if alloc is None:
        return
    now = shown_here(frame)
    frame.fills[alloc] = now if known is None else shared([known, now])


def shown_here(frame: Frame) -> dict[Any, int]:
    """What the branches around the instruction at hand have shown of what does not change in the loops around it."""
    found: dict[Any, int] = {}
    for journal in frame.journals:
        for cell, old in journal.items():
            value = frame.cells.get(cell)
            if cell in found or type(old) is not Value or value is None or not value.labels or not (value.proven & ~old.proven & HELD):
                continue
            if _origins(old) == _origins(value) and (cell[0] == "in" if type(cell) is tuple else not _set_in(frame, cell)):
                found[cell] = value.proven & ~old.proven & HELD
    return found


def shared(ways: list[dict[Any, int]]) -> dict[Any, int]:
    """What was shown on every way."""
    first, *others = ways or [{}]
    return {cell: bits for cell in first if (bits := reduce(and_, (one.get(cell, 0) for one in others), first[cell]))}


def _origins(value: Value) -> set[Any]:
    return {(one.source, one.param, one.path) for one in value.labels}


def _set_in(frame: Frame, register: int) -> bool:
    """Whether a loop around the instruction at hand gives a register another value."""
    return any(getattr(one, "dst", -1) == register for body in frame.bodies for one in instructions(body))


def facts(shown: dict[Any, int]) -> tuple[Fact, ...]:
    """The same as facts."""
    return tuple(((cell,), bits, 0, (), "") for cell, bits in shown.items() if bits)


def pred(frame: Frame, value: Value) -> Pred | None:
    """What it shows of other values whether this one is true."""
    if value.pred is not None or not frame.fills or value.const is not NO_CONST or len(value.allocs) != 1 or value.labels:
        return value.pred
    shown = facts(frame.fills.get(value.allocs[0], {}))
    return (shown, ()) if shown else None
