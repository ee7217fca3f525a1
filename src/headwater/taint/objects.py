"""Functions that take objects of scripts apart and put them together: ``Object.assign``, ``Object.entries``, ``new Map(pairs)``.

They are here and not in API models because fields stay apart. Each gives None where nothing is known of the fields: then the model speaks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.taint import containers
from headwater.taint.arguments import Args
from headwater.taint.value import BOTTOM, Value, join

if TYPE_CHECKING:
    from headwater.taint.calls import Calls

_NONE = Args([])


def _given(args: Args, most: int = 1) -> list[Value] | None:
    """The positional arguments, where these are all and there are not too many."""
    if args.star is not None or args.spread is not None or not 1 <= len(args.positional) <= most:
        return None
    return args.positional


def keys(frame: Calls, args: Args) -> Value | None:
    given = _given(args)
    if given and frame.fixed(given[0]):
        return _keys_of_table(frame, given[0])
    return containers.METHODS["keys"](frame, given[0], _NONE) if given else None


def values(frame: Calls, args: Args) -> Value | None:
    given = _given(args)
    if given and frame.fixed(given[0]) and all(alloc.constant for alloc in given[0].allocs):
        return _values_of_table(frame, given[0])
    return containers.METHODS["values"](frame, given[0], _NONE) if given and given[0].allocs else None


def entries(frame: Calls, args: Args) -> Value | None:
    given = _given(args)
    return containers.METHODS["items"](frame, given[0], _NONE) if given else None


def _keys_of_table(frame: Calls, table: Value) -> Value:
    """``Object.keys(table)`` of a table, or of an enumeration, that is written in the program."""
    if not table.allocs:
        return table
    made = frame.alloc((frame.at.start, "script", "keys"), "list", closed=True)
    for alloc in table.allocs:
        for number, key in enumerate(alloc.keys):
            frame.put(made, number, Value(const=key) if key != "*" else BOTTOM)
    made.constant = all(alloc.constant or "*" not in alloc.keys for alloc in table.allocs)
    return Value(allocs=(made,))


def _values_of_table(frame: Calls, table: Value) -> Value:
    """``Object.values(table)`` of such a table."""
    if not table.allocs:
        return table
    made = frame.alloc((frame.at.start, "script", "values"), "list", closed=True)
    for alloc in table.allocs:
        for number, key in enumerate(alloc.keys):
            frame.put(made, number, frame.cells.get((alloc, key), BOTTOM))
    made.constant = True
    return Value(allocs=(made,))


def assign(frame: Calls, args: Args) -> Value | None:
    """``Object.assign(target, source...)`` gives its target."""
    given = _given(args, 16)
    if not given or not given[0].allocs:
        return None
    for source in given[1:]:
        containers.store_items(frame, given[0], source)
    return given[0]


def clone(frame: Calls, args: Args) -> Value | None:
    given = _given(args, 2)
    return frame.copy(given[0], "clone") if given and given[0].allocs and not given[0].labels else None


def from_entries(frame: Calls, args: Args) -> Value | None:
    given = _given(args)
    return _of_pairs(frame, given[0], "fromEntries") if given else None


def map_of(frame: Calls, args: Args) -> Value | None:
    """``new Map([[key, value], ...])``: what ``get`` gives is one of the values."""
    if len(args.positional) > 1:
        return None
    return _of_pairs(frame, args.positional[0] if args.positional else BOTTOM, "Map")


def _of_pairs(frame: Calls, pairs: Value, tag: str) -> Value | None:
    """An object of pairs; those with a known key have a field of their own."""
    if pairs.labels and not pairs.allocs:
        return None
    made = frame.alloc((frame.at.start, "script", tag), "dict", closed=True)
    literal = bool(pairs.allocs) and all(alloc.kind == "list" and alloc.closed and "*" not in alloc.keys for alloc in pairs.allocs)
    if literal:
        for alloc in pairs.allocs:
            for place in [key for key in alloc.keys if isinstance(key, int)]:
                _put(frame, made, frame.cells.get((alloc, place), BOTTOM))
    else:
        elements = frame.elements(pairs)
        if elements.labels and not elements.allocs:
            return None
        _put(frame, made, elements)
    return Value(allocs=(made,))


def _put(frame: Calls, made: object, pair: Value) -> None:
    name = frame.item(pair, 0, None).const
    value = frame.item(pair, 1, None)
    key = name if isinstance(name, str) and not name.startswith(("*", "$")) else "*"
    frame.put(made, key, value if not pair.labels else join(value, Value(pair.labels)), weak=True)  # type: ignore[arg-type]
