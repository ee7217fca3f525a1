"""Data in which no dot is left, such as what stands behind the last dot of a name: behind something written it leads out of no folder.

Alone it may still be a path that begins with a slash, and so may what is joined to a folder by a function that lets a path begin anew.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from headwater import ir
from headwater.taint import texts
from headwater.taint.labels import NO_DOT, NO_UP, PATHS, RESOLVED, derive, uncleared
from headwater.taint.state import cleared
from headwater.taint.value import BOTTOM, LAST, Value

if TYPE_CHECKING:
    from headwater.taint.arguments import Args
    from headwater.taint.instructions import Instructions

_PLACES: Final = frozenset({"lastIndexOf", "rfind", "rindex"})
_CUTS: Final = frozenset({"slice", "substr", "substring"})
_LAST: Final = {"rpartition": 2, "rsplit": 1}
_KEEPS: Final = frozenset({"lower", "lstrip", "rstrip", "strip", "toLowerCase", "toUpperCase", "trim", "trimEnd", "trimStart", "upper"})
"""Methods of texts that put no dots together that stood apart."""
_LEADING: Final = re.compile(r"^\^\((?:\?:)?\\\.(?:\\\.|\{2\})\((?:\?:)?(?:\\?/\|\\\\|\\\\\|\\?/|\[(?:\\?/\\\\|\\\\\\?/)\])\|\$\)\)[+*]$")
"""``^(\\.\\.(\\/|\\\\|$))+``: one .. after another, each up to the end of its name."""
_PUT_IN: Final = {"join": 0, "replace": 1, "replaceAll": 1}
"""Methods of texts that put another text in, by the argument which that is."""


def called(frame: Instructions, i: ir.Call, args: Args, receiver: Value, result: Value) -> Value:
    """The result of a method of a text, with what it says of dots."""
    first = args.positional[0] if args.positional else BOTTOM
    name = args.name
    if receiver.proven & NO_UP and result.labels and (name in _KEEPS or (name in _PUT_IN and name != "join" and _apart(args))):
        result = result.with_(proven=result.proven | NO_UP)
    if receiver.proven & RESOLVED and result.labels and _takes_beginning(name, args):
        result = result.with_(proven=result.proven | NO_UP)
    if name in _PLACES and len(args.positional) == 1 and (first.const == "." or texts.separator(first)):
        frame.dots[i.dst] = args.receiver_cells, receiver, first.const == ".", False
    elif not result.labels:
        return result
    elif name in _CUTS and len(args.positional) == 1 and (place := frame.dots.get(i.args[0])) is not None:
        cells, text, dot, after = place
        if not after or text.labels != receiver.labels or set(cells).isdisjoint(args.receiver_cells):
            return result
        return cleared(result, NO_DOT) if dot else texts.no_slash(result)
    elif name in _PUT_IN:
        at = _PUT_IN[name]
        put = args.positional[at] if len(args.positional) > at else BOTTOM
        if name == "join" and not frame.mod.script:
            put = receiver
        return result if isinstance(put.const, str) and "." not in put.const else _with_dots(result)
    elif first.const == "." and name == "split" and (frame.mod.script or (len(args.positional) == 1 and not args.kw)):
        return cleared(result, NO_DOT)
    elif first.const == "." and name in _LAST and not args.kw:
        return _cut(frame, name, args, result)
    return result


def _takes_beginning(name: str, args: Args) -> bool:
    """Whether each .. at the beginning is taken away: in a path that was made normal it stands nowhere else."""
    first, *others = (one.const for one in args.positional) if args.positional else (None,)
    return name == "replace" and isinstance(first, str) and bool(_LEADING.match(first)) and others == [""]


def _apart(args: Args) -> bool:
    """Whether something without a dot is put in the place of what is taken away, so that no two dots come together."""
    put = args.positional[1].const if len(args.positional) > 1 else None
    return isinstance(put, str) and put != "" and "." not in put and "$" not in put


def added(frame: Instructions, i: ir.Binary, left: Value, right: Value) -> Value:
    """What is added to a text or a number: behind the place of the last dot comes what holds none."""
    if i.op != "+":
        return right
    frame.dots.pop(i.dst, None)
    frame.tails.pop(i.dst, None)
    if right.const == 1 and i.left in frame.dots:
        frame.dots[i.dst] = (*frame.dots[i.left][:3], True)
    if isinstance(right.const, str) and i.dst not in frame.variables:
        frame.tails[i.dst] = frame.tails.get(i.left, "\0") + right.const
    return behind(left.const if isinstance(left.const, str) else frame.tails.get(i.left, ""), right)


def _cut(frame: Instructions, name: str, args: Args, result: Value) -> Value:
    """``name.rsplit(".", 1)``, ``name.rpartition(".")``: no dot is in the last part."""
    alloc = frame.alloc((frame.at.start, frame.at.end, "cut"), "list")
    whole = Value(result.labels, steps=result.steps)
    last = cleared(whole, NO_DOT)
    frame.put(alloc, "*", whole)
    frame.put(alloc, LAST, last)
    if name == "rpartition" or (len(args.positional) == 2 and args.positional[1].const == 1):
        frame.put(alloc, _LAST[name], last)
    return Value(refs=result.refs, allocs=(alloc,))


def _with_dots(value: Value) -> Value:
    """A text into which dots may have been put."""
    if not any(label.cleared & NO_DOT for label in value.labels):
        return value
    made = {label: uncleared(label, NO_DOT) for label in value.labels}
    steps = {made[label]: node for label, node in value.steps.items() if label in made} if value.steps else None
    return value.with_(labels=frozenset(made.values()), steps=steps)


def behind(text: str, value: Value) -> Value:
    """What is put behind a text: data without a dot stays in the folder where the text names one, or has begun a name."""
    folder, _, name = text.rpartition("/")
    if not (folder.strip("/") or name.strip("\0")) or "\\" in name or not any(label.cleared & NO_DOT for label in value.labels):
        return value
    made = {label: derive(label, clear=PATHS, exact=True) if label.cleared & NO_DOT else label for label in value.labels}
    steps = {new: value.steps[old] for old, new in made.items() if new is not None and old in value.steps} if value.steps else None
    return value.with_(labels=frozenset(new for new in made.values() if new is not None), steps=steps)
