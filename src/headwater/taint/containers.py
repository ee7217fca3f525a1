"""Methods of the builtin containers, on receivers that are displays or of unknown type: ``d.get(k)``, ``xs.append(x)``, ``d.items()``.

They are here and not in API models because they read and write the fields of objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.taint.value import BOTTOM, NO_CONST, Value, join

if TYPE_CHECKING:
    from headwater.taint.calls import Calls
from headwater.taint.arguments import Args


def method(frame: Calls, name: str, receiver: Value, args: Args) -> Value | None:
    """The result of ``receiver.name(args)``; None where the name is no container method (or cannot be one here)."""
    handler = _METHODS.get(name)
    if handler is None or args.star is not None:
        return None
    return handler(frame, receiver, args)


def _get(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if not args.positional or len(args.positional) > 2:
        return None
    index = args.positional[0]
    key = index.const if isinstance(index.const, str | int) and not isinstance(index.const, bool) else None
    if key is None and not (receiver.allocs or receiver.labels):
        return None
    made = frame.item(receiver, key, index)
    default = args.positional[1] if len(args.positional) > 1 else args.kw.get("default")
    if default is not None:
        made = join(made, default)
    if made.const is not NO_CONST and not any(alloc.closed for alloc in receiver.allocs):
        made = made.with_(const=NO_CONST)
    return made


def _pop(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if args.positional and isinstance(args.positional[0].const, str):
        return _get(frame, receiver, args)
    if not (receiver.allocs or receiver.labels):
        return None
    return frame.elements_or_whole(receiver)


def _setdefault(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if len(args.positional) != 2:
        return None
    key = args.positional[0].const
    frame.store(receiver, key if isinstance(key, str | int) and not isinstance(key, bool) else "*", args.positional[1], weak=True)
    return _get(frame, receiver, args)


def _list_of(frame: Calls, tag: str, element: Value) -> Value:
    alloc = frame.alloc((frame.at.start, tag), "list", closed=True)
    frame.put(alloc, "*", element)
    return Value(allocs=(alloc,))


def _items(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if args.positional or not (receiver.allocs or receiver.labels):
        return None
    pair = frame.alloc((frame.at.start, "pair"), "tuple", closed=True)
    frame.put(pair, 0, _key(frame, receiver))
    frame.put(pair, 1, frame.elements_or_whole(receiver))
    return _list_of(frame, "items", Value(allocs=(pair,)))


def _values(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if args.positional or not (receiver.allocs or receiver.labels):
        return None
    return _list_of(frame, "values", frame.elements_or_whole(receiver))


def _keys(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if args.positional or not (receiver.allocs or receiver.labels):
        return None
    made = _list_of(frame, "keys", _key(frame, receiver))
    constant = bool(receiver.allocs) and all(
        alloc.kind == "dict" and alloc.closed and (alloc, "$keys") not in frame.cells for alloc in receiver.allocs
    )
    for alloc in made.allocs:
        alloc.constant = constant
    return made


def _key(frame: Calls, receiver: Value) -> Value:
    made = BOTTOM
    for alloc in receiver.allocs:
        made = join(made, frame.cells.get((alloc, "$keys"), BOTTOM))
        if alloc.root is not None:
            made = join(made, frame.field(alloc, "*") or BOTTOM)
    return join(made, frame.part(frame.apart(receiver), "*")) if receiver.labels else made


def _append(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if not args.positional or not receiver.allocs:
        return None
    frame.store(receiver, "*", args.positional[-1], weak=True)
    return Value(const=None)


def _extend(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if len(args.positional) != 1 or not receiver.allocs:
        return None
    frame.store(receiver, "*", frame.elements(args.positional[0]), weak=True)
    return Value(const=None)


def _update(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if not receiver.allocs:
        return None
    for source in [*args.positional, *([args.spread] if args.spread is not None else [])]:
        for alloc in source.allocs:
            for key in list(alloc.keys):
                found = frame.cells.get((alloc, key))
                if found is not None and not (isinstance(key, str) and key.startswith("$")):
                    frame.store(receiver, key, found, weak=True)
        if source.labels:
            frame.store(receiver, "*", frame.elements_or_whole(source), weak=True)
    for name, value in args.kw.items():
        frame.store(receiver, name, value, weak=True)
    return Value(const=None)


def _copy(frame: Calls, receiver: Value, args: Args) -> Value | None:
    return frame.copy(receiver, "copy") if not args.positional and (receiver.allocs or receiver.labels) else None


_METHODS = {
    "get": _get,
    "pop": _pop,
    "popleft": _pop,
    "setdefault": _setdefault,
    "items": _items,
    "values": _values,
    "keys": _keys,
    "append": _append,
    "appendleft": _append,
    "add": _append,
    "insert": _append,
    "extend": _extend,
    "update": _update,
    "copy": _copy,
}
