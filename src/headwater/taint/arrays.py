"""Methods of arrays, maps, sets and promises in scripts, on receivers of which no model speaks: ``xs.map(f)``, ``m.get(k)``, ``p.then(f)``.

They are here and not in API models because they read and write the fields of objects, or call what they are given with parts of them.
A promise is what it gives: ``await`` adds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.apis.schema import is_object
from headwater.index.entities import Fn
from headwater.taint import containers, fills, firsts
from headwater.taint.arguments import Args
from headwater.taint.labels import ALL
from headwater.taint.state import cleared, piece, unrooted
from headwater.taint.value import BOTTOM, ElementsOf, Pred, Value, join, join_all

if TYPE_CHECKING:
    from headwater.taint.calls import Calls

PROMISED = frozenset({"then", "catch", "finally"})
OF_FUNCTIONS = frozenset({"bind", "call", "apply"})


def method(frame: Calls, name: str, receiver: Value, args: Args) -> Value | None:
    """The result of ``receiver.name(args)``; None where the name is no such method (or cannot be one here)."""
    handler = _METHODS.get(name)
    if handler is None:
        return None
    if name in OF_FUNCTIONS:
        functions = any(isinstance(ref, Fn) for ref in receiver.refs) or (receiver.labels and not receiver.refs)
        return handler(frame, receiver, args) if functions else None
    if name not in PROMISED and not (receiver.allocs or receiver.labels):
        return None
    return handler(frame, receiver, args)


def _callback(frame: Calls, args: Args, *given: Value, tests: bool = False) -> Value:
    """Call the function that is handed over; one that ``tests`` elements may be told what they are elements of."""
    if not args.positional:
        return BOTTOM
    passed = Args(list(given))
    if tests:
        passed.cells = [firsts.cells_of_elements(args.receiver_cells)]
    return frame.call(args.positional[0], passed)


def _list(frame: Calls, tag: str, element: Value) -> Value:
    alloc = frame.alloc((frame.at.start, "script", tag), "list", closed=True)
    frame.put(alloc, "*", element, weak=True)
    return Value(allocs=(alloc,))


def _map(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if not args.positional:
        return None
    made = _callback(frame, args, frame.elements_or_whole(receiver), Value(), receiver, tests=True)
    return _list(frame, "map", made.with_(pred=None) if made.pred is not None else made)


def _flat_map(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if not args.positional:
        return None
    made = _callback(frame, args, frame.elements_or_whole(receiver), Value(), receiver, tests=True)
    return _list(frame, "flatMap", join(frame.elements(made), Value(made.labels, made.refs, steps=made.steps)))


def _each(frame: Calls, receiver: Value, args: Args) -> Value | None:
    """``forEach``: where the function raises, what it looks at was checked."""
    if not args.positional:
        return None
    _callback(frame, args, frame.elements_or_whole(receiver), Value(), receiver, tests=True)
    return Value()


def _some(frame: Calls, receiver: Value, args: Args) -> Value | None:
    """``some``, ``every``: what they show of what the function has captured holds here too."""
    if not args.positional:
        return None
    made = _callback(frame, args, frame.elements_or_whole(receiver), Value(), receiver, tests=True)
    settle = firsts.of_some if args.name == "some" else firsts.of_every
    return Value(pred=settle(frame, receiver, made.pred))


def _filter(frame: Calls, receiver: Value, args: Args) -> Value | None:
    """``filter``: those of which the test shows that they do no harm; that there is one shows what ``some`` shows."""
    if not args.positional:
        return None
    test = _callback(frame, args, frame.elements_or_whole(receiver), Value(), receiver, tests=True).pred
    shown = firsts.of_some(frame, receiver, test)
    safe = _shown_of_elements(test)
    if safe and (receiver.labels or receiver.allocs):
        element = cleared(frame.elements_or_whole(receiver), safe)
        alloc = frame.alloc((frame.at.start, "script", "kept"), "list", closed=True)
        frame.put(alloc, "*", element.with_(pred=None), weak=True)
        return Value(allocs=(alloc,), pred=shown)
    return receiver.with_(pred=shown) if shown is not None else receiver


def _shown_of_elements(test: Pred | None) -> int:
    """The sink classes for which an element is safe for which a test holds."""
    safe = 0
    for cells, proven, _, _, _ in test[0] if test is not None else ():
        if any(type(cell) is ElementsOf for cell in cells):
            safe |= proven & ALL
    return safe


def _find(frame: Calls, receiver: Value, args: Args) -> Value | None:
    """``find``: that there is one shows what ``some`` shows."""
    if not args.positional:
        return None
    element = frame.elements_or_whole(receiver)
    test = _callback(frame, args, element, Value(), receiver, tests=True).pred
    element = cleared(element, safe) if (safe := _shown_of_elements(test)) else element
    shown = firsts.of_some(frame, receiver, test)
    return element.with_(pred=shown) if shown is not None else element


def _find_index(frame: Calls, receiver: Value, args: Args) -> Value | None:
    """``findIndex``: a number; -1 where there is none."""
    if not args.positional:
        return None
    test = _callback(frame, args, frame.elements_or_whole(receiver), Value(), receiver, tests=True).pred
    return Value(pred=firsts.of_some(frame, receiver, test))


def _sort(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if not args.positional:
        return receiver
    element = frame.elements_or_whole(receiver)
    _callback(frame, args, element, element)
    return receiver


def _reduce(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if not args.positional:
        return None
    begin = args.positional[1] if len(args.positional) > 1 else BOTTOM
    element = frame.elements_or_whole(receiver)
    made = join(begin, _callback(frame, args, begin, element, Value(), receiver))
    return join(made, _callback(frame, args, made, element, Value(), receiver))


def _join(frame: Calls, receiver: Value, args: Args) -> Value | None:
    return frame.derived([frame.elements_or_whole(receiver), *args.positional])


def _whole(frame: Calls, receiver: Value, args: Args) -> Value | None:
    """``reverse``, ``sort``, ``flat``: elements of the same."""
    return receiver


def _slice(frame: Calls, receiver: Value, args: Args) -> Value | None:
    """Elements of the same; the last letters of a text, or those between two places, are a piece of it, of a secret none."""
    if not args.positional or any(alloc.kind in ("list", "tuple") for alloc in receiver.allocs):
        return receiver
    receiver = unrooted(receiver)
    begin = args.positional[0].const
    last = isinstance(begin, int | float) and begin < 0
    return piece(receiver) if last or len(args.positional) > 1 else receiver  # ``slice(7)`` takes "Bearer " away, and leaves the token


def _concat(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if not receiver.allocs:  # of texts it is a sum
        return None
    return join_all([receiver, *args.positional])


def _element(frame: Calls, receiver: Value, args: Args) -> Value | None:
    return frame.elements_or_whole(receiver)


def _pop(frame: Calls, receiver: Value, args: Args) -> Value | None:
    return frame.item(receiver, -1, None) if receiver.allocs else frame.elements_or_whole(receiver)


def _at(frame: Calls, receiver: Value, args: Args) -> Value | None:
    last = len(args.positional) == 1 and args.positional[0].const == -1
    return _pop(frame, receiver, args) if last else frame.elements_or_whole(receiver)


def _push(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if not receiver.allocs:
        return None
    filled = fills.empty(frame, receiver)
    known = frame.fills.get(filled) if filled is not None else None
    for value in args.positional:
        frame.store(receiver, "*", value, weak=True)
    if args.star is not None:
        frame.store(receiver, "*", args.star, weak=True)
    fills.fill(frame, filled, known)
    return Value()


def _set(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if len(args.positional) != 2 or not receiver.allocs:
        return None
    key = args.positional[0].const
    frame.store(receiver, key if isinstance(key, str | int) and not isinstance(key, bool) else "*", args.positional[1], weak=True)
    return receiver


def _of(receiver: Value, args: Args) -> Value:
    """A function whose ``this`` is the first argument: what follows are the parameters, not that."""
    return receiver.with_(bound=args.positional[0].with_(bound=None)) if args.positional else receiver


def _bind(frame: Calls, receiver: Value, args: Args) -> Value | None:
    """The function with what ``this`` is in it; called with what it is given already."""
    function = _of(receiver, args)
    if len(args.positional) > 1:
        frame.call(function, Args(args.positional[1:]))
    return function


def _call(frame: Calls, receiver: Value, args: Args) -> Value | None:
    return frame.call(_of(receiver, args), Args(args.positional[1:], star=args.star))


def _apply(frame: Calls, receiver: Value, args: Args) -> Value | None:
    given = Args([], star=frame.elements(args.positional[1]) if len(args.positional) > 1 else None)
    given.starred = args.positional[1] if len(args.positional) > 1 else None
    return frame.call(_of(receiver, args), given)


def _then(frame: Calls, receiver: Value, args: Args) -> Value | None:
    if not args.positional or args.positional[0].const is None:
        return receiver
    made = frame.call(args.positional[0], Args([receiver]))
    if len(args.positional) > 1:
        made = join(made, frame.call(args.positional[1], Args([])))
    return made


def _catch(frame: Calls, receiver: Value, args: Args) -> Value | None:
    return join(receiver, _callback(frame, args, Value()))


def promise(frame: Calls, args: Args) -> Value | None:
    """``new Promise((resolve, reject) => ...)``: the function is called at once; the promise is what it resolves it with."""
    if not args.positional:
        return None
    executor = args.positional[0]
    frame.call(executor, Args([]))
    made = BOTTOM
    for ref in executor.refs:
        summary = frame.solver.summary(frame.fn, ref) if isinstance(ref, Fn) and ref.ir.params and not ref.bound else None
        if summary is None:
            continue
        actuals = frame.bind(ref, None, Args([]), executor)
        for callback in summary.callbacks:
            if callback.param == 0 and not callback.path and callback.args:
                site = ("promise", ref.id, callback.key)
                made = join(made, frame.instantiate(callback.args[0], site, "resolved by the promise", actuals))
        for entry in summary.entries:  # resolved in a function that a library calls with data of others
            kind = entry.callback.given[0] if entry.param == 0 and not entry.path and entry.callback.given else ""
            if kind and not is_object(kind):
                made = join(made, frame.from_source(kind, "what the promise is resolved with"))
    return made


def _next(frame: Calls, receiver: Value, args: Args) -> Value | None:
    """Of an iterator: ``{value, done}``."""
    if not receiver.allocs or args.positional:
        return None
    made = frame.alloc((frame.at.start, "script", "next"), "dict", closed=True)
    frame.put(made, "value", frame.elements(receiver))
    return Value(allocs=(made,))


_METHODS = {
    "next": _next,
    "map": _map,
    "flatMap": _flat_map,
    "forEach": _each,
    "some": _some,
    "every": _some,
    "filter": _filter,
    "find": _find,
    "findLast": _find,
    "findIndex": _find_index,
    "findLastIndex": _find_index,
    "reduce": _reduce,
    "reduceRight": _reduce,
    "join": _join,
    "slice": _slice,
    "reverse": _whole,
    "toReversed": _whole,
    "sort": _sort,
    "toSorted": _sort,
    "flat": _whole,
    "concat": _concat,
    "at": _at,
    "pop": _pop,
    "shift": _element,
    "splice": _whole,
    "push": _push,
    "unshift": _push,
    "add": _push,
    "set": _set,
    "get": containers.METHODS["get"],
    "entries": containers.METHODS["items"],
    "values": containers.METHODS["values"],
    "keys": containers.METHODS["keys"],
    "bind": _bind,
    "call": _call,
    "apply": _apply,
    "then": _then,
    "catch": _catch,
    "finally": _catch,
}
