"""Files that a function loads after it has written them itself where they were missing: who has not chosen the place decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from headwater import ir
from headwater.index.calls import instructions

if TYPE_CHECKING:
    from headwater.taint.summary import Sink

_WRITES: Final = frozenset({"dump", "save", "savez", "savez_compressed", "to_pickle"})
"""Methods that write what the loading functions of the same libraries read."""
_OPENS: Final = frozenset({"open"})


def own(sink: Sink) -> bool:
    """Whether an operation loads a file from the place that one variable holds, and the same function writes a file there: its cache.

    A place that is a parameter as it came is the caller's, who may name any file; a variable that is set twice may be two places.
    """
    function = sink.fn.ir
    variables = set(function.names.values()) - set(range(len(function.params) + len(function.captured)))
    names: dict[int, str] = {}
    holders: dict[int, int] = {}
    places: dict[int, int] = {}
    times: dict[int, int] = {}
    loaded: set[int] = set()
    written: set[int] = set()
    for one in instructions(function.body):
        dst = getattr(one, "dst", -1)
        if dst in variables:
            times[dst] = times.get(dst, 0) + 1
        kind = type(one)
        if kind is ir.Name or kind is ir.Attr:
            names[dst] = one.name
            if kind is ir.Attr:
                holders[dst] = one.obj
        elif kind is ir.Enter:
            places[dst] = places.get(one.ctx, -1)
        elif kind is ir.Move:
            places[dst] = places.get(one.src, one.src)
        elif kind is ir.Call:
            held = {places.get(register, register) for register in one.args} & variables
            if names.get(one.fn) in _OPENS:
                of = holders.get(one.fn, -1)
                places[dst] = of if of in variables else places.get(one.args[0], one.args[0]) if one.args else -1
            if (one.start, one.end) == (sink.start, sink.end):
                loaded |= held
            elif names.get(one.fn) in _WRITES:
                written |= held
    return any(times.get(place) == 1 for place in loaded & written)
