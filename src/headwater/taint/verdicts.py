"""Variables that hold the outcome of a check, or decide whether one is made.

``good = ok(name); name = other; if good: use(name)``: facts name places, so what they say of a place ends where it is written again.
``if strict: check(name)``, and further down ``if strict: use(name)``: on the second way the first was taken too, where neither the flag
nor the name was written in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headwater import ir
from headwater.taint.labels import HELD
from headwater.taint.state import Cell
from headwater.taint.value import CHAIN, GATE, Fact, Pred, Value

if TYPE_CHECKING:
    from headwater.taint.calls import Calls
    from headwater.taint.instructions import Instructions
    from headwater.taint.learned import Learned


def follow(frame: Instructions, register: int) -> None:
    """An instruction has written a variable: if it is an outcome, that is kept; others that speak of the variable say nothing more."""
    pred = frame.cells[register].pred if register in frame.cells else None
    for cells, *_ in (*pred[0], *pred[1]) if pred is not None else ():
        for cell in cells if cells is not GATE else ():
            frame.judged.setdefault(getattr(cell, "cell", cell), {})[register] = None
    if register in frame.judged:
        forget(frame, {register})
    for shown in frame.fills.values():
        shown.pop(register, None)
    if frame.flags:
        _lose(frame, {register})


def say(frame: Calls, cell: Cell, field: Value, pred: Pred) -> None:
    """A field of what a call has returned says how a check went."""
    frame.write(cell, field.with_(pred=pred))
    for cells, *_ in (*pred[0], *pred[1]):
        for one in cells:
            frame.judged.setdefault(getattr(one, "cell", one), {})[cell] = None


def forget(frame: Learned, places: set[Any]) -> None:
    """Some places hold something else now."""
    if frame.flags:
        _lose(frame, places)
    for register in dict.fromkeys(one for place in places for one in frame.judged.pop(place, ())):
        value = frame.cells.get(register)
        if value is not None and value.pred is not None:
            true, false = (tuple(_without(fact, places) for fact in side) for side in value.pred)
            frame.write(register, value.with_(pred=(true, false)))


def _lose(frame: Learned, places: set[Any]) -> None:
    """Places were written: what was shown under them as flags, and of them, holds no more."""
    for key, shown in list(frame.flags.items()):
        if key[0] in places:
            del frame.flags[key]
        elif not places.isdisjoint(shown):
            frame.flags[key] = {cell: bits for cell, bits in shown.items() if cell not in places}


def leave(frame: Instructions, before: dict[tuple[Any, bool], dict[Any, int]]) -> None:
    """A block ends that may not have been run: what was shown in it is not known, what was written in it is lost."""
    now = frame.flags
    frame.flags = {key: {cell: bits for cell, bits in shown.items() if cell in now[key]} for key, shown in before.items() if key in now}


def _flags(frame: Instructions, register: int) -> list[Any]:
    """The places that a register is the value of: a variable, a parameter, a member."""
    return [
        cell
        for cell in frame.cells_of(register)
        if (type(cell) is int and cell in frame.variables) or (type(cell) is tuple and cell[0] == CHAIN)
    ]


def gained(frame: Instructions, delta: dict[Any, Value]) -> dict[Any, int]:
    """What a branch has shown of what it has not written."""
    found: dict[Any, int] = {}
    for cell, value in delta.items():
        base = frame.cells.get(cell)
        if base is not None and base.labels and frame.unchecked(value) is frame.unchecked(base):
            bits = value.proven & ~base.proven & HELD
            if bits:
                found[cell] = bits
    return found


def decide(frame: Instructions, cond: Any, outcome: bool, shown: dict[Any, int]) -> None:
    """A branch has ended that is taken where a condition has that outcome."""
    while type(cond) is ir.Not:
        cond, outcome = cond.part, not outcome
    if shown and type(cond) is ir.Leaf:
        for place in _flags(frame, cond.reg):
            old = frame.flags.get((place, outcome), {})
            frame.flags[(place, outcome)] = {cell: old.get(cell, 0) | shown.get(cell, 0) for cell in {**old, **shown}}


def decided(frame: Instructions, register: int, pred: Pred) -> Pred:
    """What a condition shows, with what was shown where it was asked before."""
    if not frame.flags:
        return pred
    sides = []
    for outcome, side in ((True, pred[0]), (False, pred[1])):
        more = [frame.flags.get((place, outcome), {}) for place in _flags(frame, register)]
        sides.append((*side, *(((cell,), bits, 0, (), "") for shown in more for cell, bits in shown.items())))
    return sides[0], sides[1]


def _without(fact: Fact, places: set[Any]) -> Fact:
    cells, proven, weak, refs, text = fact
    kept = cells if cells is GATE else tuple(cell for cell in cells if getattr(cell, "cell", cell) not in places)
    return kept, proven, weak, refs, text
