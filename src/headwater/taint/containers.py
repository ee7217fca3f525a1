"""Methods of the builtin containers, on receivers that are displays or of unknown type: ``d.get(k)``, ``xs.append(x)``, ``d.items()``.

They are here and not in API models because they read and write the fields of objects.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from headwater.taint import fills
from headwater.taint.state import rough
from headwater.taint.value import BOTTOM, ITEMS, KEYS, NO_CONST, Alloc, Value, join

if TYPE_CHECKING:
    from headwater.taint.calls import Calls
    from headwater.taint.frame import Frame
from headwater.taint.arguments import Args


def method(frame: Calls, name: str, receiver: Value, args: Args) -> Value | None:
    """The result of ``receiver.name(args)``; None where the name is no container method (or cannot be one here)."""
    handler = METHODS.get(name)
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
    frame.pairs[pair] = receiver
    frame.put(pair, 0, frame.key_of(receiver))
    frame.put(pair, 1, frame.elements_or_whole(receiver))
    return _list_of(frame, "items", Value(allocs=(pair,)))


def _values(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if args.positional or not (receiver.allocs or receiver.labels):
        return None
    made = _list_of(frame, "values", frame.elements_or_whole(receiver))
    for alloc in made.allocs:
        alloc.constant = frame.fixed(receiver)
    return made


def _keys(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if args.positional or not (receiver.allocs or receiver.labels):
        return None
    made = _list_of(frame, "keys", rough(frame.key_of(receiver)))  # names are no numbers
    constant = bool(receiver.allocs) and all(
        alloc.kind == "dict" and alloc.closed and (alloc, KEYS) not in frame.cells for alloc in receiver.allocs
    )
    for alloc in made.allocs:
        alloc.constant = constant
    return made


def _append(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if not args.positional or not receiver.allocs:
        return None
    filled = fills.empty(frame, receiver)
    known = frame.fills.get(filled) if filled is not None else None
    frame.store(receiver, "*", args.positional[-1], weak=True)
    fills.fill(frame, filled, known)
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
        store_items(frame, receiver, source)
    for name, value in args.kw.items():
        frame.store(receiver, name, value, weak=True)
    return Value(const=None)


def store_items(frame: Frame, target: Value, mapping: Value, asked: bool = False) -> None:
    """Every item of a mapping becomes the item, or the field, of its name: callers who know the names see each in its place."""
    target = target.with_(allocs=tuple(map(partial(_whose, frame), target.allocs)))
    for alloc in mapping.allocs:
        for key in list(alloc.keys):
            found = frame.cells.get((alloc, key))
            if found is not None and not (isinstance(key, str) and (key.startswith("$") or (key[:1] == "*" and alloc.root is not None))):
                frame.store(target, key, found, weak=True, asked=asked)
                if key == "*":
                    _mix(target)
    if not mapping.labels:
        return
    rest = frame.derived([frame.elements_or_whole(mapping)], exact=True)
    given = Value(mapping.labels, steps=mapping.steps)
    if all(label.source is None and label.exact and not (label.cleared or label.drop or label.weak) for label in mapping.labels):
        for alloc in target.allocs:
            if alloc.root is not None:
                frame.write((alloc, ITEMS), join(frame.cells.get((alloc, ITEMS), BOTTOM), given))
                alloc.keys[ITEMS] = None
                frame.mutated(alloc.root, ITEMS)
                frame.put(alloc, "*", rest, weak=True)
            else:
                frame.store(target.with_(allocs=(alloc,)), "*", rest, weak=True, asked=asked)
    else:
        frame.store(target, "*", rest, weak=True, asked=asked)
    _mix(target)


def _whose(frame: Frame, alloc: Alloc) -> Alloc:
    """What is stored in the ``__dict__`` of an object is stored in the object."""
    if alloc.root is None or alloc.root[1][-1:] != ("__dict__",):
        return alloc
    root = (alloc.root[0], alloc.root[1][:-1])
    return frame.alloc(("param", root), "param", root=root)


def _mix(target: Value) -> None:
    """What is stored under a name that is not known may be any field of an object."""
    for alloc in target.allocs:
        alloc.mixed = alloc.mixed or alloc.kind in ("instance", "param")


def _copy(frame: Calls, receiver: Value, args: Args) -> Value | None:
    return frame.copy(receiver, "copy") if not args.positional and (receiver.allocs or receiver.labels) else None


METHODS = {
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
