"""Members that are read twice: ``if (!KNOWN.has(req.query.word)) return; run(req.query.word)``.

What has an object of its own keeps there what was shown of its fields. Of data of others each read is a new value: what was shown of the
first is kept by what it was read from and by the names, and holds for the second where nothing was written in between. An element of a
loop is a member too: in the round at hand it has a name of its own, and what every round has shown is kept under the name of all elements.
What a function shows of members and elements of its parameters, its callers are told by the same names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from headwater.apis.paths import ApiPath
from headwater.taint import verdicts
from headwater.taint.doubt import Doubt
from headwater.taint.labels import ALL, FIRSTS, HELD, NEAR
from headwater.taint.state import cleared
from headwater.taint.summary import PartProof, Path
from headwater.taint.value import BOTTOM, CHAIN, EACH, ElementsOf, Fact, Value

if TYPE_CHECKING:
    from headwater.taint.binding import Binding
    from headwater.taint.instructions import Instructions
    from headwater.taint.shapes import Actuals

_LENGTH: Final = 6
"""Names in a chain: nobody reads the same member deeper than that twice."""
_CHANGES: Final = frozenset({"append", "extend", "fill", "insert", "push", "setdefault", "splice", "unshift", "update"})
"""Methods that put something into what they are called on."""


def element(frame: Instructions, register: int, source: int, at: int, value: Value) -> Value:
    """The value that a register takes in a round of a loop: of another round, nothing holds but what holds of all elements.

    The element is named by all, and by the place of the loop.
    """
    return read(frame, register, source, (EACH, at), value)


def read(frame: Instructions, register: int, obj: int, name: Any, value: Value) -> Value:
    """The value that a register takes from a member: what was shown of it when it was read before is added."""
    chains = frame.chains
    if name is None or not value.labels:
        chains.pop(register, None)
        return value
    key = _key(frame, obj, name)
    if key is None:
        chains.pop(register, None)
        return value
    chains[register] = key
    known = frame.cells.get(key)
    if known is None:
        _note(frame, key, value)
    elif _alike(frame, value, known):
        value = _again(frame, value, known)
    return _of_each(frame, key, value) if frame.over_each else value


def _note(frame: Binding, key: Any, value: Value) -> None:
    frame.cells[key] = value  # not journalled: so it was read in every branch
    frame.chained.append(key)


def _alike(frame: Binding, value: Value, known: Value) -> bool:
    return origins(value) <= origins(frame.unchecked(known)) and known.allocs == value.allocs


def _of_each(frame: Binding, key: Any, value: Value) -> Value:
    """The value with what is known of all elements that it is one of, or is a member of."""
    for form in _forms(key):
        known = frame.cells.get(form)
        if known is not None and _alike(frame, value, known):
            value = _again(frame, value, known)
    return value


def _forms(key: Any) -> list[Any]:
    """The names under which is kept what holds of all elements that a member is one of."""
    made = [key[:2]]
    for one in key[2:]:
        steps = (one, EACH) if type(one) is tuple or type(one) is int else (one,)
        made = [(*before, step) for before in made for step in steps]
    return made[1:] if len(made) > 1 else []


def origins(value: Value) -> set[Any]:
    """Where data comes from, whatever place reads it, and whichever element it is."""
    made: set[Any] = set()
    for label in value.labels:
        path = tuple(EACH if type(one) is int else one for one in label.path)
        made.add((label.param, path) if label.source is None else (label.source.kind, label.source.text))
    return made


def _key(frame: Instructions, obj: int, name: Any) -> Any:
    outer = frame.chains.get(obj) or _root(frame, frame.cells.get(obj, BOTTOM))
    return (*outer, name) if outer is not None and len(outer) < _LENGTH + 2 else None


def _root(frame: Binding, base: Value) -> Any:
    """What the names of the members of a value begin with."""
    if base.labels:
        return CHAIN, frame.unchecked(base)
    return (CHAIN, base.refs) if base.refs and all(type(ref) is ApiPath for ref in base.refs) else None


def _again(frame: Binding, value: Value, known: Value) -> Value:
    """A fresh read, with what is known of the first."""
    gained = known.proven & ~value.proven & HELD
    if gained:
        value = value.with_(proven=value.proven | gained)
    safe = _cleared(known) & ~_cleared(frame.unchecked(known)) & ALL  # all elements of a list were checked
    if safe and value.labels:
        value = cleared(value, safe)
    weak = _weak(known) & ~_weak(value) & (ALL | NEAR)
    return frame.hindered(value, weak, _said(known)) if known.labels and value.labels and weak else value


def _cleared(value: Value) -> int:
    """What all of its data is cleared for."""
    found = -1
    for label in value.labels:
        found &= label.cleared
    return found


def _said(value: Value) -> str:
    """How a check of it can be passed, where that is its last step."""
    steps = (value.steps or {}).values()
    return next((node.what.text for node in steps if isinstance(node.what, Doubt)), "")


def _weak(value: Value) -> int:
    """What stands in the way of all of its data."""
    found = -1
    for label in value.labels:
        found &= label.weak
    return found


def written(frame: Instructions, obj: int, name: str | int | None) -> None:
    """A member is given another value: nothing is known of it and what is inside any more."""
    if name is not None:
        verdicts.forget(frame, {(alloc, name) for alloc in frame.cells.get(obj, BOTTOM).allocs})
    if not frame.chained:
        return
    outer = frame.chains.get(obj) or _root(frame, frame.cells.get(obj, BOTTOM))
    if outer is None:
        return
    _forget(frame, (*outer, name) if name is not None else outer)


def written_by(frame: Binding, cells: tuple[Any, ...], path: Path, field: str | int) -> None:
    """A function gives a member of an argument another value."""
    some = str(field)[:1] in ("*", "$")  # whichever that is
    for key in _members(frame, cells, path if some else (*path, field)) if frame.chained else ():
        _forget(frame, key)


def _forget(frame: Binding, key: Any) -> None:
    """Nothing is known of a member and what is inside any more."""
    lost = {key, *_forms(key)}
    gone = {cell for cell in frame.chained if cell[: len(key)] in lost or not lost.isdisjoint(_forms(cell[: len(key)]))}
    for cell in frame.chained:
        if cell in gone and cell in frame.cells:
            frame.write(cell, frame.unchecked(frame.cells[cell]))
    verdicts.forget(frame, gone)


def changed(frame: Instructions, obj: int, method: str) -> None:
    """A method is called: one that puts something in leaves nothing known of the elements."""
    if method in _CHANGES and frame.over_each:
        written(frame, obj, None)


def each(frame: Instructions, source: int, at: int, delta: dict[Any, Value]) -> None:
    """A loop over all elements has ended, of which every round came to its end: what a round has shown of its element holds of all."""
    begin = _key(frame, source, (EACH, at))
    if begin is None:
        return
    for key in list(frame.chained):
        checked = delta.get(key) if key[: len(begin)] == begin else None
        before = frame.cells.get(key)
        if checked is not None and before is not None:
            proven, weak = checked.proven & ~before.proven & HELD, _weak(checked) & ~_weak(before) & ALL
            _show(frame, (*begin[:-1], EACH, *key[len(begin) :]), before, proven, weak, _said(checked))


def of_each_within(frame: Instructions, cells: tuple[Any, ...]) -> tuple[Any, ...]:
    """Members of the elements that a loop within the instruction at hand goes through, under the names of all elements."""
    made: dict[Any, None] = {}
    for cell in cells:
        held = frame.cells.get(cell) if type(cell) is tuple and cell[0] == CHAIN else None
        if held is None:
            continue
        key = tuple(EACH if type(one) is tuple and frame.at.start <= one[1] < frame.at.end else one for one in cell[2:])
        if key != cell[2:]:
            key = (*cell[:2], *key)
            if key not in frame.cells:
                _note(frame, key, frame.unchecked(held))
            frame.over_each = True
            made[key] = None
    return tuple(made)


def _show(frame: Binding, key: Any, value: Value, proven: int, weak: int, text: str) -> None:
    """Something was shown of a member that may not have been read yet."""
    if not proven and not weak:
        return
    if key not in frame.cells:
        _note(frame, key, frame.unchecked(value))
    frame.over_each = frame.over_each or EACH in key
    frame.learn(((key,), proven, weak, (), text))


def shown(frame: Binding, facts: tuple[Fact, ...] = ()) -> dict[tuple[int, Path], tuple[int, int]]:
    """What is shown of members of the parameters: here, and by some facts."""
    found: dict[tuple[int, Path], tuple[int, int]] = {}
    roots: dict[Any, int] = {}
    for index in range(len(frame.fn.ir.params)) if frame.chained else ():
        given = frame.unchecked(frame.cells.get(("in", index), BOTTOM))
        if given.labels:
            roots[given] = index
    for key in frame.chained if roots else ():
        index = roots.get(key[1], -1)
        value = frame.cells.get(key)
        if index < 0 or value is None or any(type(one) is tuple for one in key[2:]):
            continue
        proven, weak = value.proven, max(_weak(value), 0)
        for cells, more, doubted, _, _ in facts:
            if key in cells:
                proven, weak = proven | more, weak | doubted
        proven, weak = proven & HELD & ~FIRSTS, weak & (ALL | NEAR)
        if proven or weak:
            found[index, key[2:]] = proven, weak
    return found


def shared(exits: list[dict[tuple[int, Path], tuple[int, int]]]) -> tuple[PartProof, ...]:
    """What is shown at every exit."""
    first, *others = exits or [{}]
    made: list[PartProof] = []
    for place, (proven, weak) in first.items():
        for other in others:
            one = other.get(place, (0, 0))
            proven, weak = proven & one[0], weak & (one[0] | one[1])
        if proven or weak:
            made.append((*place, proven, weak, "the check of it can be passed" if weak else ""))
    return tuple(sorted(made, key=lambda one: (one[0], tuple(map(str, one[1])))))


def facts(frame: Binding, proofs: tuple[PartProof, ...], cells: list[tuple[Any, ...]], actuals: Actuals) -> tuple[Fact, ...]:
    """What a function shows of members of its arguments, said of the members of what a caller has given."""
    made: list[Fact] = []
    for index, path, proven, weak, text in proofs:
        if index >= len(cells) or not cells[index]:
            continue
        part = frame.project(actuals, index, path) or BOTTOM
        places = list(_fields(frame, actuals.values[index], path))
        for key in _members(frame, cells[index], path):
            if key not in frame.cells and part.labels:
                _note(frame, key, frame.unchecked(part))
            frame.over_each = frame.over_each or EACH in key
            places.append(key)
        if places:
            made.append((tuple(places), proven, weak, (), text))
    return tuple(made)


def told(frame: Binding, cells: tuple[Any, ...], path: Path, value: Value) -> Value:
    """The part of an argument that a function does something with: with what was shown of it before."""
    for key in _members(frame, cells, path) if frame.chained else ():
        known = frame.cells.get(key)
        if known is not None and _alike(frame, value, known):
            value = _again(frame, value, known)
        value = _of_each(frame, key, value) if frame.over_each else value
    return value


def _members(frame: Binding, cells: tuple[Any, ...], path: Path) -> list[Any]:
    """The names of a member of what is in one of some cells."""
    made: list[Any] = []
    for cell in cells:
        steps = path
        if type(cell) is ElementsOf:
            cell, steps = cell.cell, (EACH, *path)
        if type(cell) is tuple and cell[0] == CHAIN:
            root: Any = cell
        else:
            root = frame.chains.get(cell) or _root(frame, frame.cells.get(cell, BOTTOM)) if type(cell) is int else None
        if root is not None and len(root) + len(steps) <= _LENGTH + 2:
            made.append((*root, *steps))
    return list(dict.fromkeys(made))


def _fields(frame: Binding, value: Value, path: Path) -> list[Any]:
    """The cells of a member of an object that was made here."""
    holders = [value]
    places: list[Any] = []
    for key in path:
        places = [
            (alloc, one)
            for holder in holders
            if len(holder.allocs) == 1
            for alloc in holder.allocs
            for one in (alloc.keys if key == EACH and alloc.kind in ("list", "tuple", "set") else (key,))
            if alloc.root is None and (alloc, one) in frame.cells
        ]
        holders = [frame.cells[place] for place in places]
    return places
