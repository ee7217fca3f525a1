"""Values cut loose from a function run as shapes, and made from shapes again where the function is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from headwater import limits
from headwater.apis.paths import CALL
from headwater.index.entities import Fn, Inst
from headwater.taint import addresses, hosts
from headwater.taint.labels import (
    ALL,
    BASED,
    DEEP,
    GUESSED,
    HANDED,
    HOST_ALONE,
    HOSTED,
    INSIDE,
    KEYED,
    OWN_NAMES,
    PARSED_URL,
    PATHS,
    RESOLVED,
    ROOTED,
    SERVICE,
    Label,
    derive,
    derive_all,
    if_resolved,
    ordered,
    settled,
    widen,
)
from headwater.taint.narrow import narrowed
from headwater.taint.state import State, cleared, unglued
from headwater.taint.summary import Path, ToCallback
from headwater.taint.value import (
    BOTTOM,
    KEYS,
    NO_CONST,
    NO_LABELS,
    NOTHING,
    Alloc,
    Node,
    Shape,
    Value,
    join,
    join_all,
    join_shapes,
    named_parts,
)

if TYPE_CHECKING:
    from headwater.taint.solve import Solver


class Actuals:
    """The arguments of one call by parameter, with what was projected from them."""

    __slots__ = ("callbacks", "called", "cells", "known", "values")

    def __init__(self, values: list[Value], cells: list[tuple[Any, ...]]) -> None:
        self.values = values
        self.cells = cells
        """The variables and fields that they were read from."""
        self.callbacks: tuple[ToCallback, ...] = ()
        """The calls of functions among the arguments."""
        self.called = False
        """All those functions are known here, or are the caller's: what they return says what becomes of what they are given."""
        self.known: dict[Any, Any] = {}
        """By parameter and path, and by label set; emptied when the call changes an argument."""


class Shapes(State):
    """What goes in and out of a function run."""

    def __init__(self, solver: Solver, fn: Fn, traced: bool = False) -> None:
        super().__init__(solver, fn, traced)
        self.projecting = False
        """An argument's part is looked up: only what calls return counts."""

    def export(self, value: Value, depth: int = 0, budget: int = limits.SHAPE_NODES, path: tuple[Alloc, ...] = ()) -> Shape:
        """The value cut loose from this frame, with at most ``budget`` parts: what does not fit is kept as labels of the whole."""
        if value is BOTTOM:
            return NOTHING
        own = [
            alloc for alloc in value.allocs if alloc.root is None and alloc not in path
        ]  # of a parameter's object the caller knows: its label stands for it
        fields: dict[str | int, Shape] | None = None
        kind, closed, constant = "", False, False
        labels, proven = value.labels, value.proven
        if own:
            kind, closed, constant = own[0].kind, all(alloc.closed for alloc in own), all(alloc.constant for alloc in own)
            parts = [(key, found) for alloc in own for key in alloc.keys if (found := self.cells.get((alloc, key))) is not None]
            if kind == "instance" and len(parts) > limits.INSTANCE_FIELDS and any(isinstance(ref, Inst) for ref in value.refs):
                parts = [(key, found) for key, found in parts if self.collapse(found).labels]  # of the others the class knows as much
            if kind == "instance" and len(parts) >= budget > 1:  # what does not fit, its class knows; it is no data of the other fields
                parts = [(key, found) for key, found in parts if self.collapse(found).labels][: budget - 1]
            share = (budget - 1) // len(parts) if parts else 0
            fields = {}
            if share and depth < limits.SHAPE_DEPTH:
                inner = (*path, *own)
                for key, found in parts:
                    part = self.export(found, depth + 1, share, inner)
                    known = fields.get(key)
                    fields[key] = part if known is None else join_shapes(known, part)
            elif parts and not (kind == "instance" and any(isinstance(ref, Inst) for ref in value.refs)):  # its class knows its fields
                whole = self.collapse(value)
                proven, closed, constant = whole.proven, False, False
                if named_parts(kind, [key for key, _ in parts]):
                    labels = labels | derive_all(whole.labels - labels, drop=1, exact=True)
                else:
                    labels = whole.labels
                if kind == "instance":  # which field it is in is not known any more: to ask for one of them would be a guess
                    labels = derive_all(labels, clear=GUESSED, exact=True)
                fields = None if kind in ("list", "tuple", "set", "dict", "generator") else fields
        bound = None
        if value.bound is not None and budget > 2 and depth < limits.SHAPE_DEPTH and any(isinstance(ref, Fn) for ref in value.refs):
            bound = self.export(value.bound, depth + 2, budget // 2, path)
        if labels is NO_LABELS and not value.refs and fields is None and value.const is NO_CONST and bound is None:
            return NOTHING if not proven else Shape(proven=proven)
        return Shape(labels, value.refs, value.const, fields, kind, closed, constant, proven, bound, value.loose, value.head)

    def of_service(self, value: Value) -> Value:
        """What a service answers in its own form: it may say where the rest is, unlike a page whose links anybody may have written."""
        raise NotImplementedError

    def instantiate(self, shape: Shape, site: Any, what: str = "", actuals: Actuals | None = None, hop: Any = None) -> Value:
        """A shape as a value here; ``actuals`` replace parameters; ``what`` and ``hop`` are the step that a trace shows."""
        if shape.value is not None and not self.traced:
            return shape.value
        self.work += shape.value is None
        if (self.tired or self.work > limits.WORK_OF_CALL) and shape.value is None:
            return Value(refs=shape.refs, const=shape.const)
        if len(shape.labels) == 1 and actuals is not None and not self.traced and _only_labels(shape):
            (only,) = shape.labels  # most parts are an argument as it was given
            if only.source is None and only.exact and not (only.cleared or only.drop or only.weak):
                given = self.project(actuals, only.param, only.path)
                if given is None:
                    return BOTTOM
                if given.const is NO_CONST and (given.labels or not given.proven):
                    return given
        labels: set[Label] = set()
        steps: dict[Label, Node] = {}
        made = BOTTOM
        at = self.at
        inside = bool(shape.proven & INSIDE)
        hosted = 0
        """What is known of the host of an address, and so of the one that is made of it."""
        kept = inside or any(label.weak & HOSTED for label in shape.labels)
        memo = actuals.known if actuals is not None and not self.traced and not kept else None
        cached = memo.get(shape.labels) if memo is not None and shape.labels else None
        if cached is not None:
            made, done = cached
            return self._instance(shape, site, what, actuals, hop, made, done, None)
        handed = actuals is not None and actuals.called and any(CALL in label.path for label in shape.labels)
        for label in ordered(shape.labels):
            if label.weak & HANDED:
                if handed:
                    continue
                label = settled(label)
            if label.source is not None:
                labels.add(label)
                if self.traced and at is not None:
                    steps[label] = Node(at.start, at.end, what, None, (hop, label) if hop is not None else (site, label))
                continue
            if actuals is None:
                continue
            actual = self.project(actuals, label.param, label.path)
            if actual is None or actual is BOTTOM:
                continue
            if inside and actual.proven & RESOLVED:  # the check that it went through holds
                label = settled(label, PATHS)
            if label.weak & BASED and actual.proven & PATHS == PATHS:
                label = derive(label, clear=PATHS, exact=True) or label
            if label.weak & HOSTED and (shown := hosts.shown(label.weak, actual.proven)):
                if label.weak & HOST_ALONE:
                    label = derive(label, clear=shown, exact=True) or label
                elif len(shape.labels) == 1:
                    hosted = shown
            if label.exact and not label.cleared & ~ROOTED and not label.drop and not label.weak:
                if label.cleared:
                    actual = cleared(actual, ROOTED)
                if self.traced and hop is not None and actual.steps:
                    actual = actual.with_(
                        steps={
                            one: Node(at.start, at.end, what, node, (hop, label)) for one, node in actual.steps.items() if node is not None
                        }
                    )
                made = join(made, actual)
                continue
            inner = self.collapse(actual)
            if label.weak & SERVICE:
                inner = self.of_service(inner)
            if inner.proven & ALL == ALL:
                continue  # one of a fixed set of values: so is what the function made of it
            if not self.traced:
                labels |= derive_all(inner.labels, label.cleared, label.drop, label.weak, label.exact)
                continue
            for one in ordered(inner.labels):
                after = derive(one, label.cleared, label.drop, label.weak, label.exact)
                if after is not None:
                    labels.add(after)
                    before = inner.steps.get(one) if inner.steps else None
                    steps[after] = Node(at.start, at.end, what, before, (hop, label) if hop is not None else None)
        done = widen(frozenset(labels))
        if memo is not None and shape.labels:
            memo[shape.labels] = (made, done)
        made = self._instance(shape, site, what, actuals, hop, made, done, steps)
        return made.with_(proven=made.proven | hosted) if hosted else made

    def _instance(
        self,
        shape: Shape,
        site: Any,
        what: str,
        actuals: Actuals | None,
        hop: Any,
        made: Value,
        labels: frozenset[Label],
        steps: dict[Label, Node] | None,
    ) -> Value:
        """The value of a shape whose own labels are replaced: its object and the join with what the caller gave."""
        at = self.at
        allocs: tuple[Alloc, ...] = ()
        if shape.fields is not None:
            start = at.start if at is not None else -1
            alloc = self.alloc((start, type(at), site), shape.kind or "instance", shape.closed)
            alloc.constant = shape.constant
            alloc.exact_class = shape.kind == "instance"
            for key, part in shape.fields.items():
                alloc.keys[key] = None
                self.write((alloc, key), self.instantiate(part, (site, key), what, actuals, hop))
            allocs = (alloc,)
        bound = self.instantiate(shape.bound, (site, "$self"), what, actuals, hop) if shape.bound is not None else None
        if made is not BOTTOM and shape.proven:  # it holds for the whole: for what the caller gave too
            made = made.with_(proven=made.proven | if_resolved(shape.proven, made.proven))
            if shape.proven & RESOLVED:
                made = unglued(made)
        whole = Value(labels, shape.refs, shape.const, allocs, shape.proven, bound, shape.loose, None, steps if self.traced else None)
        whole.head = shape.head
        if made is BOTTOM:
            return whole
        if shape.proven & ~made.proven and made.labels:  # what a check or an operation in the callee has shown of what it was given
            made = made.with_(proven=made.proven | if_resolved(shape.proven, made.proven))
        return join(made, whole)

    def project(self, actuals: Actuals, param: int, path: Path) -> Value | None:
        """What the caller's argument holds at an access path; None where there is no such argument."""
        values = actuals.values
        if param >= len(values):
            return None
        value = values[param]
        if not path or value is BOTTOM:
            return value
        found = actuals.known.get((param, path))
        if found is None:
            if CALL in path and actuals.callbacks:
                called = path.index(CALL)
                value, path_of_result = self._handed_result(actuals, param, path[:called]), path[called + 1 :]
                found = self._project(value, path_of_result, actuals) if value is not BOTTOM else value
            else:
                found = self._project(value, path, actuals)
            if found is not BOTTOM and param < len(actuals.cells):
                found = self.as_checked(actuals.cells[param], path, found)
            actuals.known[(param, path)] = found
        return cast(Value, found)

    def _handed_result(self, actuals: Actuals, param: int, path: Path) -> Value:
        """What a function among the arguments returns, called with what the callee calls it with."""
        key = (param, path, CALL)
        known = actuals.known.get(key)
        if known is None:
            actuals.known[key] = BOTTOM  # it may be called with its own result
            function = self.project(actuals, param, path) or BOTTOM
            outer, self.projecting = self.projecting, True
            try:
                known = join_all(
                    self.pass_on(function, one, key, "", actuals) for one in actuals.callbacks if one.param == param and one.path == path
                )
            finally:
                self.projecting = outer
            actuals.known[key] = known
        return cast(Value, known)

    def _project(self, value: Value, path: Path, actuals: Actuals) -> Value:
        outer, self.projecting = self.projecting, True
        try:
            return self._part_at(value, path, actuals)
        finally:
            self.projecting = outer

    def keyed(self, index: Value | None) -> str:
        """The key of an object of a caller where that is what the caller gives: which one it is, the caller can tell."""
        if index is not None and len(index.labels) == 1 and index.const is NO_CONST:
            (label,) = index.labels
            if label.source is None and label.exact and not (label.path or label.cleared or label.drop or label.weak):
                return f"{KEYED}{label.param}"
        return "*"

    def given_key(self, key: str | int, actuals: Actuals) -> str | int:
        """The key that the arguments of a call say."""
        if type(key) is not str or not key.startswith(KEYED):
            return key
        number = key[len(KEYED) :]
        value = actuals.values[int(number)] if number.isdecimal() and int(number) < len(actuals.values) else BOTTOM
        const = value.const
        return const if isinstance(const, str | int) and not isinstance(const, bool) else self.keyed(value)

    def _under(self, value: Value, key: str | int) -> Value:
        """What is under a key in a value, where an access path says so."""
        if key == "*":
            return self.elements_or_whole(value)
        if type(key) is not str or not key.startswith(KEYED):
            return self.item(value, key, None)
        made = BOTTOM
        for alloc in value.allocs:
            found = self.field(alloc, key) if alloc.root is not None else self.contents(alloc)
            made = join(made, found or BOTTOM)
        rest = value.with_(allocs=(), labels=self.apart(value).labels)
        return join(made, self.elements(rest))

    def key_of(self, mapping: Value) -> Value:
        """A key of a mapping: of an object of a caller, the caller knows them."""
        made = BOTTOM
        if mapping.proven & OWN_NAMES:
            return made
        for alloc in mapping.allocs:
            found = self.cells.get((alloc, KEYS))
            made = join(made, self.default(alloc, KEYS) if found is None and alloc.root is not None else found or BOTTOM)
            if alloc.copied is not None:
                made = join(made, self.part(self.apart(alloc.copied[0]), KEYS))
        return join(made, self.part(self.apart(mapping), KEYS)) if mapping.labels else made

    def _part_at(self, value: Value, path: Path, actuals: Actuals | None = None) -> Value:
        deep = False
        for key in path:
            if key == DEEP:
                deep = True
            elif type(key) is str and key.startswith(addresses.ASKED):
                value = addresses.told(self, key, value)
            elif (classes := self.solver.objects.get(key)) is not None:
                value = narrowed(self, value, classes)
            elif key == CALL:
                value = self.call_value(value, [], {})
            elif key == "*":
                value = self.elements_or_whole(value)
            elif actuals is not None and type(key) is str and key.startswith(KEYED):
                value = self._under(value, self.given_key(key, actuals))
            elif isinstance(key, int):
                value = self.item(value, key, None)
            elif key == KEYS:
                value = self.key_of(value)
            elif key == "href" and value.proven & PARSED_URL and not deep:
                value = hosts.as_text(value)
            else:
                value = self.below(value, key) if deep else self._get(value, key)
            if value is BOTTOM:
                break
        return value

    def elements_or_whole(self, value: Value) -> Value:
        """Any element, values of a dict included."""
        made = self.elements(value)
        for alloc in value.allocs:
            if alloc.kind == "dict":
                made = join(made, self.contents(alloc))
        return made

    def _get(self, value: Value, key: str) -> Value:
        """A field by attribute or by key: an access path does not tell them apart."""
        if value.refs:
            return self.attribute(value, key)
        made = join_all(found for alloc in value.allocs if (found := self.field(alloc, key)) is not None)
        return join(made, self.part(self.apart(value), key)) if value.labels else made

    def lower(self, value: Value) -> Value:
        raise NotImplementedError

    def call_function(self, fn: Fn, receiver: Value | None, args: list[Value], kw: dict[str, Value]) -> Value:
        raise NotImplementedError

    def call_value(self, value: Value, args: list[Value], kw: dict[str, Value]) -> Value:
        raise NotImplementedError

    def pass_on(self, function: Value, callback: ToCallback, site: Any, what: str, actuals: Actuals, asked: bool = True) -> Value:
        raise NotImplementedError

    def as_checked(self, cells: tuple[Any, ...], path: Path, value: Value) -> Value:
        """A part of what was read from some cells, with what checks have shown of it."""
        raise NotImplementedError

    def attribute(self, value: Value, name: str) -> Value:
        """An attribute of a value."""
        raise NotImplementedError

    def elements(self, value: Value) -> Value:
        """Any element of a value."""
        raise NotImplementedError

    def item(self, value: Value, key: str | int | None, index: Value | None) -> Value:
        """The element of a value under a key."""
        raise NotImplementedError


def guessed_again(value: Value) -> Value:
    """A field of an object into which data may have gone somewhere: where that was a guess, that it is this field is a second one."""
    made: dict[Label, Label] = {}
    for label in value.labels:
        if label.exact or not label.drop:
            made[label] = label
        elif label.drop < limits.DROPS and (after := derive(label, drop=1)) is not None:
            made[label] = after
    labels = frozenset(made.values())
    if labels == value.labels:
        return value
    steps = {new: value.steps[old] for old, new in made.items() if old in value.steps} if value.steps else None
    return value.with_(labels=labels, steps=steps)


def _only_labels(shape: Shape) -> bool:
    """Whether a shape says nothing but where its data is from."""
    return (
        not shape.refs and shape.const is NO_CONST and shape.fields is None and shape.bound is None and not shape.proven and not shape.loose
    )
