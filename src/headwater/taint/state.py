"""The state of one function run: registers, objects and their fields, branches and joins.

Writes go to one dictionary of cells (registers by number, fields by ``(allocation, key)``); a branch keeps a journal
of what it changed, so that a join costs what the branches wrote and not what the function holds. What names, attributes
and elements mean is in ``headwater.taint.frame``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from headwater import ir, limits
from headwater.index.entities import Fn, Inst
from headwater.taint import prompts, secrets
from headwater.taint.labels import (
    ALL,
    DEEP,
    ENDED,
    GLUED,
    GUESSED,
    NO_NAMES,
    NUMERIC,
    ONE_NAME,
    PARTS,
    PATHS,
    PROGRAM,
    ROOTED,
    TEXTUAL,
    Label,
    derive,
    derive_all,
    extend,
    extend_all,
    extend_deep,
    ordered,
    param_label,
    settled,
    uncleared,
    widen,
)
from headwater.taint.summary import Path
from headwater.taint.value import ANSWER, BOTTOM, LAST, NO_CONST, STATE, WITHIN, Alloc, Node, Value, join

if TYPE_CHECKING:
    from headwater.taint.solve import Solver

Cell = Any
_MISSING: Any = object()


_HOLDING = frozenset({"dict", "list", "set"})
"""Kinds of what is changed where it stands, in a container of another kind or of its own."""


def own_inside(alloc: Alloc, key: str | int, held: Value) -> None:
    """Mark containers as held by one that a field or module variable holds: ``HANDLERS[event].append(function)``."""
    for inner in held.allocs:
        if inner.root is None and inner.owner is None and inner is not alloc and inner.kind in _HOLDING:
            inner.owner = (WITHIN, alloc, key)


class State:
    """Registers, objects and branches of one run of the abstract interpreter over one function."""

    def __init__(self, solver: Solver, fn: Fn, traced: bool = False) -> None:
        self.solver = solver
        self.symbols = solver.symbols
        self.fn = fn
        self.mod = fn.module
        self.names = solver.names_of[fn.module.script]
        self.known_models = solver.models_of[fn.module.script]
        """Names of variables that are a library's objects, and those of them that are language models."""
        self.traced = traced
        self.cells: dict[Cell, Value] = {}
        self.journal: dict[Cell, Any] | None = None
        """First value before the innermost branch wrote the cell."""
        self.journals: list[dict[Cell, Any]] = []
        """The journals of all open branches, the innermost last."""
        self.dead = False
        self.work = 0
        self.calls = 0
        """Calls met so far."""
        self.tired = False
        """So much was made anew that calls are taken to pass on what they are given."""
        self.version = 0
        """Raised by every write to an object."""
        self.collapsed: dict[int, tuple[int, Value, Value, list[tuple[Alloc, int]]]] = {}
        """What values hold in all: at which version of the objects, the value, the result, and the objects that were looked at."""
        self.allocs: dict[Any, Alloc] = {}
        self.given: dict[tuple[int, Path], Value] = {}
        """Parameters and their parts as they came in."""
        self.at: ir.Instr | Any = None
        """The instruction at hand."""

    # ------------------------------------------------------------------------------------------------ cells

    def write(self, cell: Cell, value: Value) -> None:
        journal = self.journal
        if journal is not None and cell not in journal:
            journal[cell] = self.cells.get(cell, _MISSING)
        self.cells[cell] = value
        if type(cell) is tuple:
            self.version += 1
            if type(cell[0]) is Alloc:
                cell[0].version += 1

    def begin(self) -> None:
        """Open a branch."""
        self.journal = {}
        self.journals.append(self.journal)

    def end(self, kept: frozenset[int] | None = None) -> dict[Cell, Value]:
        """Close the innermost branch: cells are as before it; what it made of them is returned, of registers only those in ``kept``."""
        journal, cells = self.journal, self.cells
        assert journal is not None
        delta = {}
        for cell, old in journal.items():
            if type(cell) is tuple and type(cell[0]) is Alloc:
                cell[0].version += 1
            if old is not _MISSING:
                delta[cell] = cells[cell]
                cells[cell] = old
            elif kept is None or cell in kept or type(cell) is tuple:
                delta[cell] = cells.pop(cell)
            else:
                del cells[cell]
        self.version += 1
        self.journals.pop()
        self.journal = self.journals[-1] if self.journals else None
        return delta

    def merge(self, branches: list[dict[Cell, Value]], covers: bool) -> None:
        """Join branches into the cells; ``covers``: one of them was taken for sure."""
        if not branches:
            return
        if len(branches) == 1 and covers:
            for cell, value in branches[0].items():
                self.write(cell, value)
            return
        made: dict[Cell, Value] = {}
        counts: dict[Cell, int] = {}
        for branch in branches:
            for cell, value in branch.items():
                known = made.get(cell)
                made[cell] = value if known is None else join(known, value)
                counts[cell] = counts.get(cell, 0) + 1
        whole = len(branches) if covers else -1
        for cell, value in made.items():
            self.write(cell, value if counts[cell] == whole else join(value, self.cells.get(cell, BOTTOM)))

    # ----------------------------------------------------------------------------------------------- objects

    def alloc(self, site: Any, kind: str, closed: bool = False, root: tuple[int, Path] | None = None) -> Alloc:
        """The object made at ``site`` (the same one every time that the site is run)."""
        made = self.allocs.get(site)
        if made is None:
            made = self.allocs[site] = Alloc(len(self.allocs), kind, root, closed)
        return made

    def param_value(self, index: int, path: Path) -> Value:
        """What the caller gave: symbolic, with an object for its fields."""
        root = (index, path)
        known = self.given.get(root)
        if known is None:
            label = param_label(index, path)
            allocs = () if len(path) >= limits.ACCESS_PATH else (self.alloc(("param", root), "param", root=root),)
            steps = {label: self._handed(index)} if self.traced else None
            known = self.given[root] = Value(frozenset((label,)), allocs=allocs, steps=steps)
        return known

    def _handed(self, index: int) -> Node:
        """The first step of what a caller gives: the parameter."""
        function = self.fn.ir
        if index >= len(function.params):  # captured from the function around this one
            return Node(function.start, function.start, "", None)
        param = function.params[index]
        own = self.fn.bound and not index
        return Node(param.start, param.end, "" if own else f"the parameter {param.name} of {function.qualname}()", None)

    def put(self, alloc: Alloc, key: str | int, value: Value, weak: bool = False) -> None:
        """Write a field; ``weak``: it may also stay as it was."""
        keys = alloc.keys
        if key not in keys:
            if len(keys) >= (limits.KEYS if type(key) is str else limits.FIELDS):
                self.solver.count("widened-objects")
                key, weak = "*", True
                if value.labels:  # to find it in one of the fields would be a guess
                    value = cleared(value, GUESSED)
            keys[key] = None
        if key == "*" and LAST in keys:  # what is appended is the last part now
            self.write((alloc, LAST), join(self.cells.get((alloc, LAST), BOTTOM), value))
        if key == "*":
            alloc.copied = None
        cell = (alloc, key)
        if weak:
            old = self.cells.get(cell)
            if old is not None:
                value = join(old, value)
            elif alloc.root is not None:
                value = join(value, self.default(alloc, key))
        self.write(cell, value)

    def default(self, alloc: Alloc, key: str | int) -> Value:
        """A field of a parameter that nothing here has written."""
        assert alloc.root is not None
        index, path = alloc.root
        return self.param_value(index, (*path, key))

    def field(self, alloc: Alloc, key: str | int) -> Value | None:
        """A field of an object; None where nothing is known of it."""
        found = self.cells.get((alloc, key))
        if alloc.keyed and key != alloc.keyed:
            found = self._other_keys(alloc, key, found)
        if found is not None:
            if key != "*" and (alloc.mixed or alloc.kind not in ("tuple", "list", STATE)) and (alloc, "*") in self.cells:
                return join(found, self._rest(alloc, key))  # what was appended to a list stands behind its known places
            return found
        star = self._rest(alloc, key) if key != "*" and (alloc, "*") in self.cells else None
        if alloc.root is not None:
            made = self.default(alloc, key)
            if star is not None:
                made = join(made, star)
            if key not in alloc.keys and len(alloc.keys) < limits.KEYS:
                self.cells[(alloc, key)] = made  # not journalled: it is what the field is in every branch
                alloc.version += 1
            return made
        return star

    def _rest(self, alloc: Alloc, key: str | int) -> Value:
        """What stands under keys that are not known, as far as it may be this one: of an object that was spread, its field of that name."""
        star = self._any(alloc)
        if alloc.copied is None or type(key) is not str:
            return star
        spread, behind = alloc.copied
        whole = extend_all(spread.labels, "*")
        held = tuple(one for one in star.allocs if one.root is None or one.root[1][-1:] != ("*",))
        other = star.with_(
            labels=star.labels - whole,
            allocs=held,
            steps={one: node for one, node in (star.steps or {}).items() if one not in whole} or None,
        )
        return other if key in behind else join(other, self.part(spread, key))

    def _other_keys(self, alloc: Alloc, key: str | int, found: Value | None) -> Value | None:
        """A field of a parameter's object, into which something was put under a key that the caller gives."""
        written = self.cells.get((alloc, alloc.keyed))
        if written is None:
            return found
        index, path = alloc.root or (-1, ())
        given = param_label(index, (*path, alloc.keyed))
        labels = written.labels - {given}
        held = tuple(one for one in written.allocs if one.root != (index, (*path, alloc.keyed)))
        if not labels and not held and not written.refs:
            return found
        other = written.with_(labels=labels, allocs=held, steps={one: node for one, node in (written.steps or {}).items() if one in labels})
        return join(found if found is not None else self.default(alloc, key), other)

    def _any(self, alloc: Alloc) -> Value:
        """What was stored in an object under names that are not known: of what a caller gave, each name has its own part."""
        star = self.cells[(alloc, "*")]
        if alloc.root is None:
            return star
        index, path = alloc.root
        given = param_label(index, (*path, "*"))
        if given not in star.labels:
            return star
        labels = star.labels - {given}
        if not labels:
            return Value(refs=star.refs)  # list[T] says it of all places
        held = tuple(one for one in star.allocs if one.root != (index, (*path, "*")))
        return star.with_(
            labels=labels, allocs=held, steps=star.steps and {label: star.steps[label] for label in labels if label in star.steps}
        )

    def contents(self, alloc: Alloc) -> Value:
        """The join of all fields."""
        made = BOTTOM
        for key in alloc.keys:
            if not (isinstance(key, str) and key.startswith("$")):
                found = self.cells.get((alloc, key))
                if found is not None:
                    made = join(made, found)
        return made

    def holds_something(self, value: Value, depth: int = 0) -> bool:
        """Whether a value is, or has in it, data of others, a caller's own, or something that can be called or looked into."""
        if value.labels or value.refs or (value.bound is not None and self.holds_something(value.bound, depth)):
            return True
        if depth >= limits.SHAPE_DEPTH:
            return bool(value.allocs)
        return any(
            alloc.root is not None or any(self.holds_something(self.cells.get((alloc, key), BOTTOM), depth + 1) for key in alloc.keys)
            for alloc in value.allocs
        )

    def collapse(self, value: Value) -> Value:
        """The value with the labels of everything inside."""
        if not value.allocs:
            return value
        known = self.collapsed.get(id(value))
        if known is not None and known[1] is value:
            if known[0] == self.version:
                return known[2]
            for alloc, version in known[3]:
                if alloc.version != version:
                    break
            else:
                self.collapsed[id(value)] = (self.version, *known[1:])
                return known[2]
        made, seen = self._collapse(value)
        self.collapsed[id(value)] = (self.version, value, made, [(alloc, alloc.version) for alloc in seen])
        return made

    def _collapse(self, value: Value) -> tuple[Value, dict[Alloc, None]]:
        labels, steps, proven = value.labels, value.steps, value.proven
        cells = self.cells
        seen = dict.fromkeys(self._data_of(value))
        level = list(seen)
        for _ in range(limits.SHAPE_DEPTH):
            deeper: list[Alloc] = []
            for alloc in level:
                for key in alloc.keys:
                    found = cells.get((alloc, key))
                    if found is None or key is ANSWER:  # who has asked a route gets it, and nobody else
                        continue
                    if found.labels and not found.labels <= labels:
                        proven = proven & found.proven if labels else found.proven
                        labels = labels | found.labels
                        if found.steps:
                            steps = {**found.steps, **steps} if steps else found.steps
                    for one in self._data_of(found) if found.allocs else ():
                        if one not in seen:
                            seen[one] = None
                            deeper.append(one)
            if not deeper:
                break
            level = deeper
        if labels is value.labels:
            return value, seen
        return Value(widen(labels), value.refs, value.const, value.allocs, proven, value.bound, value.loose, None, steps), seen

    def text_of(self, value: Value, class_: int) -> Value:
        """The value with what is inside, as an operation on texts sees it; of an object it would be a guess to say which field is meant."""
        return value if class_ & GUESSED and any(alloc.kind == "instance" for alloc in value.allocs) else self.collapse(value)

    def _data_of(self, value: Value) -> tuple[Alloc, ...]:
        """The objects of a value that are data: what an agent or a client keeps is no data of the agent."""
        for ref in value.refs:
            if type(ref) is Inst and self.solver.does_things(ref.cls):
                return tuple(alloc for alloc in value.allocs if alloc.kind not in ("instance", "param"))
        return value.allocs

    def apart(self, value: Value) -> Value:
        """The value with those of its labels alone that no object stands for: a parameter's own label stands for the parameter's object."""
        if not value.allocs or not value.labels:
            return value
        if len(value.labels) == 1:
            (label,) = value.labels
            if not label.exact:
                return value
            for alloc in value.allocs:
                if alloc.root == (label.param, label.path):
                    return BOTTOM
            return value
        roots = {alloc.root for alloc in value.allocs}
        labels = frozenset(label for label in value.labels if not label.exact or (label.param, label.path) not in roots)
        return value if labels == value.labels else Value(labels, steps=value.steps)

    def part(self, value: Value, key: str | int) -> Value:
        """A part of a value of which only labels are known."""
        if not value.labels:
            return BOTTOM
        self.work += 1
        labels = extend_all(value.labels, key)
        steps: _Steps = None
        if value.steps:
            steps = {extend(label, key): value.steps[label] for label in ordered(value.labels) if label in value.steps}
        labels, steps = called(key, labels, steps)
        roots = tuple(
            self.alloc(("param", (label.param, label.path)), "param", root=(label.param, label.path))
            for label in ordered(labels)
            if label.exact and label.source is None and not label.cleared and not label.drop and len(label.path) < limits.ACCESS_PATH
        )
        return Value(widen(labels), allocs=roots[: limits.REFS], steps=steps)

    def below(self, value: Value, key: str) -> Value:
        """What has a name, however deep inside a value."""
        made = self._below(value, key)
        for alloc in self._collapse(value)[1]:
            for name in alloc.keys:
                found = self.cells.get((alloc, name))
                if found is None:
                    continue
                if name == key:
                    made = join(made, found)
                elif found.labels and (found.allocs or alloc.kind not in ("instance", "list", "tuple", "set")):
                    made = join(made, self._below(found, key))  # a text in a field or list has no names
        return made if made.const is NO_CONST else made.with_(const=NO_CONST)

    def _below(self, value: Value, key: str) -> Value:
        """What has a name inside a value of which only labels are known."""
        if not value.labels:
            return BOTTOM
        self.work += 1
        labels = frozenset(extend_deep(label, key) for label in value.labels)
        steps: Mapping[Label, Node] | None = None
        if value.steps:
            steps = {extend_deep(label, key): value.steps[label] for label in ordered(value.labels) if label in value.steps}
        labels, steps = called(key, labels, steps)
        return Value(widen(labels), proven=value.proven, steps=steps)

    def derived(self, values: Iterable[Value], what: str = "", clear: int = 0, drop: int = 0, weak: int = 0, exact: bool = False) -> Value:
        """The result of an operation on ``values``: their labels, changed."""
        labels: set[Label] = set()
        steps: dict[Label, Node] = {}
        at = self.at
        values = tuple(values)
        for value in values:
            value = self.collapse(value)
            if value.proven & ALL == ALL:
                continue  # one of a fixed set of values: whatever is made of it is one of a fixed set too
            shown = clear | (value.proven & TEXTUAL)
            if value.proven & (NO_NAMES | ONE_NAME):
                shown |= PROGRAM if value.proven & NO_NAMES else 0
                shown |= PATHS if value.proven & ONE_NAME and not any(map(_has_slash, values)) else 0
            if not self.traced:
                labels |= derive_all(value.labels, shown, drop, weak, exact)
                continue
            for label in ordered(value.labels):
                made = derive(label, shown, drop, weak, exact)
                if made is None:
                    continue
                labels.add(made)
                if made not in steps:
                    before = value.steps.get(label) if value.steps else None
                    steps[made] = Node(at.start, at.end, what, before) if what else before  # type: ignore[assignment]
        if not labels:
            return BOTTOM
        return Value(widen(frozenset(labels)), steps=steps if self.traced else None)

    def own(self, value: Value, owner: tuple[str, Any, str | int]) -> Value:
        """Mark the containers of a value, and those right inside them, as held by a field or module variable."""
        for alloc in value.allocs:
            if alloc.root is None:
                alloc.owner = owner
                for key in alloc.keys if owner[0] != "slot" and alloc.kind in _HOLDING else ():
                    held = self.cells.get((alloc, key))
                    if held is not None and held.allocs:
                        own_inside(alloc, key, held)
        return value

    def copy(self, value: Value, tag: str) -> Value:
        """A shallow copy of the containers of a value."""
        if not any(alloc.root is None for alloc in value.allocs):
            return value
        made = []
        for alloc in value.allocs:
            if alloc.root is not None:
                made.append(alloc)
                continue
            twin = self.alloc((self.at.start, self.at.end, tag, alloc.id), alloc.kind, alloc.closed)
            twin.constant = alloc.constant
            twin.mixed = alloc.mixed
            for key in list(alloc.keys):
                found = self.cells.get((alloc, key))
                if found is not None:
                    self.put(twin, key, found)
            made.append(twin)
        return value.with_(allocs=tuple(made))


def cleared(value: Value, classes: int) -> Value:
    """The value without harm for some sink classes."""
    made = {label: new for label in value.labels if (new := derive(label, clear=classes, exact=True)) is not None}
    steps = {new: value.steps[old] for old, new in made.items() if old in value.steps} if value.steps else None
    return value.with_(labels=frozenset(made.values()), steps=steps)


def followed_by(value: Value, ended: bool) -> Value:
    """A folder behind which a name is put: ``ended`` where the program writes that name."""
    return _settled(value, ENDED, ENDED if ended else 0)


def _has_slash(value: Value) -> bool:
    """Whether a value is a text of the program that separates folders, which may be put in."""
    return isinstance(value.const, str) and ("/" in value.const or "\\" in value.const)


def piece(value: Value) -> Value:
    """A piece of a text: of a secret it is none, but numbers that a model computes are what they were."""
    value = unrooted(value)
    computed = frozenset(label for label in value.labels if computes(label))
    if not computed:
        return cleared(value, secrets.SHOWN)
    return join(cleared(value.with_(labels=value.labels - computed), secrets.SHOWN), value.with_(labels=computed))


def unrooted(value: Value) -> Value:
    """A part of a text, which need not begin as the whole does."""
    if not value.proven & ROOTED and not any(label.cleared & ROOTED for label in value.labels):
        return value
    made = {label: uncleared(label, ROOTED) for label in value.labels}
    steps = {made[old]: node for old, node in value.steps.items() if old in made} if value.steps else None
    return value.with_(labels=frozenset(made.values()), steps=steps, proven=value.proven & ~ROOTED)


def computes(label: Label) -> bool:
    """Whether it stands for numbers that a model computes."""
    return label.source is not None and label.source.kind == NUMERIC


def rough(value: Value) -> Value:
    """One of many numbers that a model computes, or such a number with a few digits: it says little of the model."""
    return cleared(value, PARTS) if any(computes(label) for label in value.labels) else value


def unglued(value: Value) -> Value:
    """A path in which ``..`` has taken away the name that stood before it, whether there is such a folder or not."""
    return _settled(value, GLUED)


def _settled(value: Value, weak: int, instead: int = 0) -> Value:
    made = {label: settled(label, weak, instead) for label in value.labels}
    steps = {made[old]: node for old, node in value.steps.items() if old in made} if value.steps else None
    return value.with_(labels=frozenset(made.values()), steps=steps)


_Steps = Mapping[Label, Node] | None


def called(key: object, labels: frozenset[Label], steps: _Steps) -> tuple[frozenset[Label], _Steps]:
    """The labels of a part by its name."""
    if prompts.asked_for(key):
        labels, steps = _inexact(labels, steps, prompts.SYSTEM)  # whether a parameter's part is a system prompt, the caller sees
    if secrets.plain(key):
        labels, steps = secrets.shown(labels, steps)
    return labels, steps


def guessed(value: Value) -> Value:
    """What is found under a name in a mapping that may not have it; a parameter's part of that name is no guess."""
    if not value.labels:
        return value
    labels, steps = _inexact(value.labels, value.steps, GUESSED)
    return value if labels == value.labels else value.with_(labels=labels, steps=steps)


def _inexact(labels: frozenset[Label], steps: Mapping[Label, Node] | None, clear: int) -> tuple[frozenset[Label], dict[Label, Node] | None]:
    made = {label: label if label.exact and DEEP not in label.path else derive(label, clear=clear, exact=True) for label in labels}
    told = {new: steps[old] for old, new in made.items() if new is not None and old in steps} if steps else None
    return frozenset(new for new in made.values() if new is not None), told


def lacks(value: Value, key: str | int) -> bool | None:
    """Whether a dict, list or tuple surely has no such key (True) or surely has it (False)."""
    if value.refs or (value.labels and not value.allocs) or not value.allocs:
        return None
    sure = True
    for alloc in value.allocs:
        if key in alloc.keys:
            return False
        sure = sure and alloc.closed and alloc.kind in ("dict", "list", "tuple") and "*" not in alloc.keys
    if not sure or value.labels or (isinstance(key, int) and key < 0):
        return None
    return True
