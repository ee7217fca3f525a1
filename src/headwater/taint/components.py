"""The state of components: what one function puts there with a setter, the next drawing of the component reads (``useState`` of React).

Each place that asks for a state has a slot of its own (``headwater.taint.slots``). Its setter is known in every function by that place, so
that it can be captured, handed to other components and returned. An API model says which calls make such a pair (``cell``), and that what
the pair's second part is called with is kept (``keeps`` with the key ``function``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headwater.apis.paths import CALL, ELEMENT, ApiPath
from headwater.taint import slots
from headwater.taint.arguments import Args
from headwater.taint.value import BOTTOM, IDENTITY, Value, join

if TYPE_CHECKING:
    from headwater.apis.schema import Cell
    from headwater.taint.models import Models


def pair(frame: Models, cell: Cell, node: ApiPath[Any], args: Args) -> Value:
    """What the state holds, and what changes it."""
    place = f"{frame.mod.path}:{frame.at.start}"
    slot = slots.BETWEEN.join((cell.in_, place))
    frame.solver.want_inside(frame.fn)
    held = slots.made_by(frame, frame._argument(cell.value, args) or BOTTOM, BOTTOM)
    recalled = slots.recall(frame, slot)
    reducer = frame._argument(cell.reducer, args) if cell.reducer else None
    if reducer is not None:  # what is put there says what is to be done: what becomes of the state another function says
        recalled = frame.call(reducer, Args([held, recalled]))
    made = node.child(CALL)
    setter = made.child(ELEMENT) if made is not None else None
    known = frame.alloc((frame.at.start, "setter"), "instance")
    frame.put(known, IDENTITY, Value(const=place))
    both = frame.alloc((frame.at.start, "cell"), "tuple", closed=True)
    frame.put(both, 0, join(held, recalled))
    frame.put(both, 1, Value(refs=(setter,) if setter is not None else (), allocs=(known,)))
    return Value(allocs=(both,))
