"""What a test that is handed over shows of what it has captured, in terms of its first argument: ``known.some((one) => one === word)``.

Inside of the test nobody knows what the argument is: it is noted that something is equal to it, on its host, or holds it. Who calls the
test with the elements of a list knows the list, and settles what that shows. What is shown of the argument itself is shown of the elements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.taint import texts
from headwater.taint.labels import ADDRESS, ALL, CONTAINED, DENIED, FIRST, FIRST_BEGINS, FIRST_HOST, FIRST_IN, FIRSTS, PATHS
from headwater.taint.value import BOTTOM, CHAIN, EACH, ElementsOf, Fact, Pred, Value

if TYPE_CHECKING:
    from headwater.taint.calls import Calls
    from headwater.taint.frame import Frame


def is_first(frame: Frame, value: Value) -> bool:
    """Whether a value is the first argument of a local function as it came in, or made of nothing else."""
    fn = frame.fn
    if not fn.ir.captured or fn.bound or not fn.ir.params:
        return False
    return bool(value.labels) and all(label.source is None and label.param == 0 for label in value.labels)


def cells_of_elements(cells: tuple[object, ...]) -> tuple[object, ...]:
    """The cells that stand for the first argument of a test."""
    return tuple(ElementsOf(cell) for cell in cells if type(cell) is not ElementsOf)


def without(pred: Pred | None) -> Pred | None:
    """A predicate of a caller that calls no list through: what was noted of the first argument says nothing there."""
    if pred is None or not any(fact[1] & FIRSTS for side in pred for fact in side):
        return pred
    true, false = (
        tuple((cells, proven & ~FIRSTS, weak, refs, text) for cells, proven, weak, refs, text in side if proven & ~FIRSTS or weak or refs)
        for side in pred
    )
    return (true, false) if true or false else None


def of_some(frame: Calls, elements: Value, pred: Pred | None) -> Pred | None:
    """What it shows whether a test holds for one of the elements of a list."""
    return _settled(frame, elements, pred, 1)


def of_every(frame: Calls, elements: Value, pred: Pred | None) -> Pred | None:
    """What it shows whether a test holds for all of them."""
    return _settled(frame, elements, pred, 0)


def _settled(frame: Calls, elements: Value, pred: Pred | None, all_side: int) -> Pred | None:
    if pred is None:
        return None
    sides = [tuple(made for fact in pred[side] for made in _fact(frame, elements, fact, side == all_side)) for side in (0, 1)]
    return (sides[0], sides[1]) if sides[0] or sides[1] else None


def _fact(frame: Calls, elements: Value, fact: Fact, of_all: bool) -> list[Fact]:
    cells, proven, weak, refs, text = fact
    own = tuple(cell for cell in cells if type(cell) is ElementsOf)
    cells = tuple(cell for cell in cells if type(cell) is not ElementsOf and (of_all or not _of_each(cell)))
    made: list[Fact] = []
    if own and of_all and proven & ALL:
        made.append((own, proven & ALL, 0, (), ""))
    if not cells:
        return made
    shown = proven & ~FIRSTS
    if proven & FIRST and _of_program(frame, elements):
        words = _words(frame, elements)
        shown |= ALL | (CONTAINED if words and not any("/" in one or "\\" in one for one in words) else 0)
    if proven & FIRST_HOST and _of_program(frame, elements):
        shown |= ADDRESS
    if proven & FIRST_BEGINS:
        words = _words(frame, elements)
        shown |= ADDRESS if words and all("://" in one and texts.WITH_HOST.match(one) for one in words) else 0
        weak &= ~shown
    if shown or weak or refs:
        made.append((cells, shown, weak, refs, text if weak else ""))
    if proven & FIRST_IN and of_all:
        words = _words(frame, elements)
        if "/" in words:
            made.append((cells, PATHS | (CONTAINED if ".." in words else 0), 0, (), ""))
        denied = DENIED & ~PATHS if "/" in words else DENIED
        made.append((cells, 0, denied, (), "a list of what is refused can be passed"))
    return made


def _of_each(cell: object) -> bool:
    """Whether a cell is a member of all elements of a list: what is shown of one of them is shown of no other."""
    return type(cell) is tuple and cell[0] == CHAIN and EACH in cell[2:]


def _of_program(frame: Calls, elements: Value) -> bool:
    """Whether the elements of a list are the program's own, or the operator's."""
    if frame.fixed(elements):
        return True
    inside = frame.collapse(elements)
    if not inside.labels:
        return bool(elements.allocs) and all(alloc.closed and alloc.root is None for alloc in elements.allocs)
    return frame.own_data(inside) and all(label.source is not None for label in inside.labels)


def _words(frame: Calls, elements: Value) -> list[str]:
    """The words of a list that is written in the program; none where one is not known."""
    if not frame.fixed(elements):
        return []
    found = [frame.cells.get((alloc, key), BOTTOM).const for alloc in elements.allocs for key in alloc.keys]
    return [one for one in found if isinstance(one, str)] if all(isinstance(one, str) for one in found) else []
