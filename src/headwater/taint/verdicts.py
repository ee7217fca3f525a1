"""Variables that hold the outcome of a check: it speaks of what the checked variable held then, and of nothing that it is given later.

``good = ok(name); name = other; if good: use(name)``: facts name places, so what they say of a place ends where it is written again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headwater.taint.value import GATE, Fact

if TYPE_CHECKING:
    from headwater.taint.instructions import Instructions


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


def forget(frame: Instructions, places: set[Any]) -> None:
    """Some places hold something else now."""
    for register in dict.fromkeys(one for place in places for one in frame.judged.pop(place, ())):
        value = frame.cells.get(register)
        if value is not None and value.pred is not None:
            true, false = (tuple(_without(fact, places) for fact in side) for side in value.pred)
            frame.write(register, value.with_(pred=(true, false)))


def _without(fact: Fact, places: set[Any]) -> Fact:
    cells, proven, weak, refs, text = fact
    kept = cells if cells is GATE else tuple(cell for cell in cells if getattr(cell, "cell", cell) not in places)
    return kept, proven, weak, refs, text
