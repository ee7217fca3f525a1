"""The abstract value and its lattice: labels, references, a constant, objects, and what checks have proven.

Values are immutable. Objects (dicts, lists, instances, parameters) are *allocations*: a value names them, their
fields live in the frame's store, so that two names of one object see each other's writes. A :class:`Shape` is a value
with its fields, cut loose from any frame: what summaries, fields and module variables hold. Transfer functions are in
``headwater.taint.instructions`` and ``headwater.taint.branches``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from headwater import limits
from headwater.apis.paths import ApiPath, Sited
from headwater.index.entities import EXTERNAL, Fn, Inst
from headwater.taint import shells
from headwater.taint.described import Schema
from headwater.taint.labels import ALL, HANDED, OPERATORS, PATHS, RESOLVED, ROOTED, Label, derive, derive_all, widen


class _NoConst:
    """The value is no known constant."""

    def __repr__(self) -> str:
        return "-"


NO_CONST = _NoConst()
NO_LABELS: frozenset[Label] = frozenset()


WITHIN = "within"


class Alloc:
    """An object: a place whose fields the frame's store holds under ``(alloc, key)``."""

    __slots__ = ("closed", "constant", "copied", "exact_class", "id", "keyed", "keys", "kind", "mixed", "owner", "root", "version")

    def __init__(self, number: int, kind: str, root: tuple[int, tuple[str | int, ...]] | None = None, closed: bool = False) -> None:
        self.id = number
        self.kind = kind
        """dict, list, tuple, set, generator, instance, chain, closure, param, chosen, state."""
        self.root = root
        """Parameter and access path, for what came in from the caller."""
        self.closed = closed
        """Fields that are not in the store do not exist."""
        self.owner: tuple[str, Any, str | int] | None = None
        """The field or module variable that holds it: ``global`` or ``field``, module or class, name; ``WITHIN``, a container that one of
        them holds, and the key there."""
        self.mixed = False
        """Elements were stored at places that are not known: no place of a list is sure."""
        self.keyed = ""
        """The key of what was put under a key that the caller gives."""
        self.copied: tuple[Value, frozenset[str | int]] | None = None
        """Of a display into which objects were spread whose fields are not known: those, and the keys that are written behind them."""
        self.constant = False
        """A display of literals that nothing has changed."""
        self.exact_class = False
        """Made by calling a class here: it is that class and no subclass."""
        self.keys: dict[str | int, None] = {}
        self.version = 0
        """Raised by every write to a field."""


class Node:
    """A step of a trace within one function, linked to the one before it (traced runs only)."""

    __slots__ = ("end", "hop", "prev", "start", "what")

    def __init__(self, start: int, end: int, what: str, prev: Node | None, hop: Any = None) -> None:
        self.start = start
        self.end = end
        self.what = what
        self.prev = prev
        self.hop = hop


class PathOf(NamedTuple):
    """A cell that a path was made from: what a check shows of the path's place holds for the data in the cell too."""

    cell: Any
    part: bool
    """It was joined with others: joined so, it does not lead out."""
    maybe: bool = False
    """It is what the path was made from, or another path was made of it: what is shown of the one is little for the other."""


class ElementsOf(NamedTuple):
    """The elements of what a cell holds: each of them was checked."""

    cell: Any


Fact = tuple[tuple[Any, ...], int, int, tuple[Any, ...], str]
"""Cells, classes proven, classes weakly checked, references narrowed to, the weakness in words."""


class OnlyObjects(NamedTuple):
    """In a fact: references of which the value has one for sure, so that it is no text and no number."""

    refs: tuple[Any, ...]


CHAIN = "chain"
"""What the cell begins with of a member of what has no object of its own (``headwater.taint.chains``)."""
EACH = "*"
"""The name of all elements in such a cell."""
CHOSEN = "chosen"
"""The kind of an allocation that stands for any attribute of an object: ``$name`` is the name, from elsewhere, that was looked up."""
ANSWER = "$answer"
"""The field of a response that holds what a route answers."""
IDENTITY = "$identity"
"""The field of an object that holds what it is known by in every function: a constant text."""
STATE = "state"
"""The kind of an allocation that stands for the state that functions share: what is under ``*`` is in no key that is known."""
KEYS = "$keys"
"""Of a mapping: what its keys are, where they are not written."""
ITEMS = "$items"
"""The field of a parameter's object that holds the mappings whose items were stored in it, each under its name."""
LAST = "$last"
"""The field of a list of the parts of a text that holds the last one, in which no separator is left."""


CAPTURED = "$c"
"""What the names of fields begin with that hold what a closure captured."""


def captured_key(fn: Fn, number: int) -> str:
    """The field of a closure that holds what a function took from around it: a value may be one of several closures."""
    return f"{CAPTURED}{fn.id}.{number}"


GATE: tuple[Any, ...] = ("$switch",)
"""The cells of a fact that speaks of no data: the place is behind a switch that is off by default."""
Pred = tuple[tuple[Fact, ...], tuple[Fact, ...]]
"""What holds where the value is true, and where it is false."""


class Value:
    """What a register or field may hold."""

    __slots__ = ("allocs", "bound", "const", "form", "head", "labels", "loose", "origin", "pred", "proven", "refs", "steps", "subject")

    def __init__(
        self,
        labels: frozenset[Label] = NO_LABELS,
        refs: tuple[Any, ...] = (),
        const: Any = NO_CONST,
        allocs: tuple[Alloc, ...] = (),
        proven: int = 0,
        bound: Value | None = None,
        loose: bool = False,
        pred: Pred | None = None,
        steps: Mapping[Label, Node] | None = None,
    ) -> None:
        self.labels = labels or NO_LABELS  # each empty set is an object of 200 bytes
        self.refs = refs
        self.const = const
        self.allocs = allocs
        self.proven = proven
        """Sink classes for which a check has shown the value to be safe (and marks: resolved, parsed-url)."""
        self.bound = bound
        """The receiver of a method."""
        self.loose = loose
        """The references are candidates by name."""
        self.pred = pred
        self.steps = steps
        self.subject: tuple[Any, ...] = ()
        """The cells of the address that this is a parsed part of: a check of the host speaks of the whole address."""
        self.origin: tuple[Any, ...] = ()
        """The cells of the path that this is the resolved form of: a check of the one holds for the other."""
        self.head = ""
        """What a text begins with whose end is not known."""
        self.form = ""
        """Of a text that may be an address, the whole, with marks for what is not known (``headwater.taint.addresses``)."""

    def with_(self, **changes: Any) -> Value:
        """A copy with some parts changed."""
        made = Value(self.labels, self.refs, self.const, self.allocs, self.proven, self.bound, self.loose, self.pred, self.steps)
        made.subject, made.head, made.origin, made.form = self.subject, self.head, self.origin, self.form
        for name, value in changes.items():
            setattr(made, name, value)
        return made

    def __repr__(self) -> str:
        return f"Value({sorted(map(repr, self.labels))} {self.refs} {self.const!r} {[a.id for a in self.allocs]} p={self.proven:x})"


BOTTOM = Value()
NONE = Value(const=None)
UNKNOWN_TEXT = Value(const=NO_CONST)


def as_given(value: Value) -> bool:
    """Whether a value is a parameter as it came in: what its caller knows of it holds."""
    return bool(value.labels) and all(label.source is None and label.exact and not label.path for label in value.labels)


def same(a: Value, b: Value) -> bool:
    """Whether two values are equal (steps and predicates left out)."""
    return a is b or (
        a.labels == b.labels
        and a.refs == b.refs
        and a.allocs == b.allocs
        and a.proven == b.proven
        and a.loose == b.loose
        and a.head == b.head
        and a.form == b.form
        and (a.const is b.const or (type(a.const) is type(b.const) and a.const == b.const))
        and (a.bound is b.bound or (a.bound is not None and b.bound is not None and same(a.bound, b.bound)))
    )


def _one_const(a: Any, b: Any) -> Any:
    """The constant that two values both are, or one that does for both."""
    if type(a) is not type(b):
        return NO_CONST
    if a == b:
        return a
    if type(a) is str and (both := shells.one_for(a, b)):
        return both
    return NO_CONST


def join(a: Value, b: Value) -> Value:
    """The least value that covers both."""
    if a is b or b is BOTTOM:
        return a
    if a is BOTTOM:
        return b
    labels, others = a.labels, b.labels
    steps, other_steps = a.steps, b.steps
    proven = a.proven if labels else b.proven if others else a.proven & b.proven
    if labels and others and proven != b.proven:
        proven = _both(a, b)
        labels, steps = _kept(a, others, proven)
        others, other_steps = _kept(b, a.labels, proven)
    if others and others is not labels and not others <= labels:
        labels = others if labels <= others else widen(labels | others)
    refs = a.refs
    if b.refs and b.refs != refs:
        refs = join_refs(refs, b.refs)
    allocs = a.allocs
    if b.allocs and b.allocs != allocs:
        both = {*allocs, *b.allocs}
        if len(both) > len(allocs):
            allocs = tuple(sorted(both, key=_alloc_id))[: limits.OBJECTS]
    const = a.const if a.const is b.const else _one_const(a.const, b.const)
    bound = a.bound if b.bound is None or a.bound is b.bound else b.bound if a.bound is None else join(a.bound, b.bound)
    if other_steps:
        steps = {**other_steps, **steps} if steps else other_steps
    pred = a.pred if a.pred == b.pred or _silent(b) else b.pred if _silent(a) else _if_true(a, b) or _if_true(b, a)
    subject = a.subject if a.subject == b.subject or _silent(b) else b.subject if _silent(a) else ()
    if a.head == b.head and (const is not NO_CONST or a.const is b.const):
        head = a.head
    else:
        head = a.head if _silent(b) else b.head if _silent(a) else _begun(a, b)
    form = a.form if a.form == b.form or _silent(b) else b.form if _silent(a) else ""
    if (
        labels is a.labels
        and refs is a.refs
        and allocs is a.allocs
        and const is a.const
        and proven == a.proven
        and bound is a.bound
        and steps is a.steps
        and pred is a.pred
        and subject is a.subject
        and head == a.head
        and form == a.form
        and (a.loose or not b.loose)
    ):
        return a
    made = Value(labels, refs, const, allocs, proven, bound, a.loose or b.loose, pred, steps)
    made.subject, made.head, made.form = subject, head, form
    return made


def _both(a: Value | Shape, b: Value | Shape) -> int:
    """What is shown of either of two values: of one as a fact, of the other as a part that was made safe, or is the operator's own."""
    proven = a.proven & b.proven
    for one, other in ((a, b), (b, a)):
        if lost := one.proven & ~other.proven & ALL:
            for label in other.labels:
                if label.source is None or label.source.kind not in OPERATORS:
                    lost &= label.cleared
            proven |= lost
    return proven


def _kept(value: Value, others: frozenset[Label], proven: int) -> tuple[frozenset[Label], Mapping[Label, Node] | None]:
    """The labels of a value that is joined with other data, and their steps: that its path is safe stays with its own data.

    Of its address as a whole the same is not said: what is then taken out of it is not the whole.
    """
    lost = value.proven & ~proven & (PATHS | ROOTED)
    if not lost or value.labels <= others:
        return value.labels, value.steps
    made = {label: label if label in others else derive(label, lost, exact=True) for label in value.labels}
    if all(after is label for label, after in made.items()):
        return value.labels, value.steps
    steps = {after: value.steps[one] for one, after in made.items() if after and one in value.steps} if value.steps else None
    return frozenset(after for after in made.values() if after is not None), steps


def _silent(value: Value) -> bool:
    """Whether a value says nothing but what it refers to."""
    if value.labels or value.pred is not None or value.allocs or value.subject or value.head or value.form:
        return False
    return value.const in (NO_CONST, "", None)  # of `x or ""`


_WHOLE_WORD = re.compile(r"(\S+)\s")


def _begun(a: Value | Shape, b: Value | Shape) -> str:
    """What both of two texts begin with: of one that is the other with more behind it (a query to which a condition may be added) all of
    that, of two others the whole words."""
    one, other = (value.const if isinstance(value.const, str) else value.head for value in (a, b))
    if other.startswith(one) or one.startswith(other):
        return min(one, other, key=len)
    words = zip(_WHOLE_WORD.findall(one), _WHOLE_WORD.findall(other), strict=False)
    return "".join(f"{word} " for word, _ in itertools.takewhile(lambda two: two[0] == two[1], words))


def _if_true(value: Value, other: Value) -> Pred | None:
    """What it shows that a value is true that may be false besides."""
    return (value.pred[0], ()) if value.pred is not None and value.pred[0] and other.const is False else None


def join_all(values: Iterable[Value]) -> Value:
    """The join of many."""
    made = BOTTOM
    for value in values:
        made = join(made, value)
    return made


def join_refs(a: tuple[Any, ...], b: tuple[Any, ...]) -> tuple[Any, ...]:
    """The union of references, ordered, under the cap."""
    if not a or a == b:
        return b
    if not b:
        return a
    known = _JOINED.get((a, b))
    if known is None:
        known = _join_refs(a, b)
        known = _JOINED[(a, b)] = a if known == a else known
    return known


_JOINED: dict[tuple[tuple[Any, ...], tuple[Any, ...]], tuple[Any, ...]] = {}


def clear_joined() -> None:
    """Forget the unions of references: between two analyses in one process."""
    _JOINED.clear()
    _KINDS.clear()


def _join_refs(a: tuple[Any, ...], b: tuple[Any, ...]) -> tuple[Any, ...]:
    both = sorted({*a, *b}, key=_key)
    if len(both) > limits.REFS and any(type(ref) is Sited for ref in both):  # of those that are alike, one stands for all
        alike: dict[Any, Any] = {}
        for ref in both:
            alike.setdefault(ref.base if type(ref) is Sited else ref, ref)
        both = list(alike.values())
    if len(both) > limits.REFS:  # some of each kind: a table of functions may be long, API paths come last in the order
        counts: dict[int, int] = {}
        kept = []
        for ref in both:
            kind = ref.key[0]
            counts[kind] = counts.get(kind, 0) + 1
            if counts[kind] <= (limits.DISPATCH if isinstance(ref, Fn | Inst) else limits.REFS):
                kept.append(ref)
        both = kept
    return tuple(both)


def _key(ref: Any) -> Any:
    return ref.key


def _alloc_id(alloc: Alloc) -> int:
    return alloc.id


class Shape:
    """A value with its fields, independent of any frame."""

    __slots__ = (
        "bound",
        "closed",
        "const",
        "constant",
        "fields",
        "given",
        "head",
        "kind",
        "labels",
        "loose",
        "proven",
        "refs",
        "size",
        "value",
    )

    def __init__(
        self,
        labels: frozenset[Label] = NO_LABELS,
        refs: tuple[Any, ...] = (),
        const: Any = NO_CONST,
        fields: dict[str | int, Shape] | None = None,
        kind: str = "",
        closed: bool = False,
        constant: bool = False,
        proven: int = 0,
        bound: Shape | None = None,
        loose: bool = False,
        head: str = "",
    ) -> None:
        self.labels = labels = labels or NO_LABELS
        self.head = head
        """What a text begins with that a function returns (``Value.head``); what a field holds begins in many ways."""
        self.refs = refs
        self.const = const
        self.fields = fields
        """None: no object of its own."""
        self.kind = kind
        self.closed = closed
        self.constant = constant
        self.proven = proven
        self.bound = bound
        self.loose = loose
        given = bound is not None and bound.given
        size: int = 1 if bound is None else 1 + bound.size
        if fields:
            for part in fields.values():
                size += part.size
                given = given or part.given
        self.size: int = size
        """Shapes in it, itself included."""
        self.value: Value | None = None
        """The value that it is in every frame, where it has no fields, no parameters and no receiver."""
        for label in labels:
            if label.source is None or label.weak & HANDED:
                given = True
                break
        self.given: bool = given
        """Whether some of it is of the caller, or went through a function of the caller."""
        if fields is None and not given and bound is None:
            self.value = Value(labels, refs, const, (), proven, None, loose)
            self.value.head = head

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return (
            isinstance(other, Shape)
            and self.labels == other.labels
            and self.refs == other.refs
            and (self.const is other.const or (type(self.const) is type(other.const) and self.const == other.const))
            and self.kind == other.kind
            and self.closed == other.closed
            and self.constant == other.constant
            and self.proven == other.proven
            and self.loose == other.loose
            and self.head == other.head
            and self.bound == other.bound
            and self.fields == other.fields
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Shape({sorted(map(repr, self.labels))} {self.refs} {self.const!r} {self.fields})"

    @property
    def empty(self) -> bool:
        """Whether it says nothing."""
        return not self.labels and not self.refs and self.const is NO_CONST and self.fields is None and self.bound is None


NOTHING = Shape()


def join_shapes(a: Shape, b: Shape) -> Shape:
    """The least shape that covers both."""
    if a is b or b is NOTHING or a == b:
        return a
    if a is NOTHING:
        return b
    fields: dict[str | int, Shape] | None
    if a.fields is None or b.fields is None:
        fields = a.fields if b.fields is None else b.fields
    else:
        fields = dict(a.fields)
        for key, shape in b.fields.items():
            known = fields.get(key)
            if known is not None:
                fields[key] = join_shapes(known, shape)
            elif len(fields) < (limits.KEYS if type(key) is str else limits.FIELDS):
                fields[key] = shape
            else:
                fields["*"] = join_shapes(fields.get("*", NOTHING), shape)
    if a.labels:
        proven = _both(a, b) if b.labels else a.proven
    else:
        proven = b.proven if b.labels else a.proven & b.proven
    bound = a.bound if b.bound is None else b.bound if a.bound is None else join_shapes(a.bound, b.bound)
    made = Shape(
        widen(a.labels | b.labels),
        join_refs(a.refs, b.refs),
        _one_const(a.const, b.const),
        fields,
        a.kind or b.kind,
        a.closed and b.closed,
        a.constant and b.constant,
        proven,
        bound,
        a.loose or b.loose,
        a.head if a.head == b.head and a.const is b.const else a.head if _wordless(b) else b.head if _wordless(a) else _begun(a, b),
    )
    return shrink(made) if made.size > limits.SHAPE_NODES else made


def _wordless(shape: Shape) -> bool:
    """Whether a shape is no text that says something."""
    return not shape.labels and not shape.head and shape.const in (NO_CONST, "", None)


def shrink(shape: Shape) -> Shape:
    """The shape with less detail inside, so that it has at most ``limits.SHAPE_NODES`` parts."""
    for depth in range(limits.SHAPE_DEPTH - 1, -1, -1):
        made = _cut(shape, depth)
        if made.size <= limits.SHAPE_NODES:
            return made
    return made


def _cut(shape: Shape, depth: int) -> Shape:
    if shape.fields is None and shape.bound is None:
        return shape
    if depth <= 0:
        labels, proven = _inside(shape)
        if labels is not shape.labels and named_parts(shape.kind, shape.fields or ()):
            labels = shape.labels | derive_all(labels - shape.labels, drop=1, exact=True)
        return Shape(widen(labels), shape.refs, shape.const, None, shape.kind, False, False, proven, None, shape.loose)
    fields = {key: _cut(part, depth - 1) for key, part in shape.fields.items()} if shape.fields is not None else None
    bound = _cut(shape.bound, depth - 1) if shape.bound is not None else None
    return Shape(
        shape.labels,
        shape.refs,
        shape.const,
        fields,
        shape.kind,
        shape.closed,
        shape.constant,
        shape.proven,
        bound,
        shape.loose,
        shape.head,
    )


def named_parts(kind: str, keys: Iterable[str | int]) -> bool:
    """Whether an object has parts by names: of what is somewhere in it, that it has one of the names is a guess."""
    return kind in ("dict", "instance") and sum(type(key) is str and key != "*" for key in keys) > 1


def _inside(shape: Shape) -> tuple[frozenset[Label], int]:
    """All labels in a shape, and what is proven of all of them."""
    labels, proven = shape.labels, shape.proven if shape.labels else -1
    for part in (shape.fields or {}).values():
        more, held = _inside(part)
        if more:
            labels = labels | more
            proven &= held
    return labels, max(proven, 0)


def kinds(labels: frozenset[Label]) -> frozenset[Any]:
    """What labels say apart from the place: a second source of a kind makes no other finding."""
    made = _KINDS.get(labels)
    if made is None:
        made = _KINDS[labels] = frozenset(
            (label.source.kind if label.source is not None else (label.param, label.path), label.cleared, label.weak) for label in labels
        )
    return made


_KINDS: dict[frozenset[Label], frozenset[Any]] = {}


def news(known: Shape, whole: Shape) -> bool:
    """Whether ``whole`` says something of data or of what can be called that ``known`` does not."""
    if whole is known:
        return False
    if whole.labels and (whole.proven != known.proven or not kinds(whole.labels) <= kinds(known.labels)):
        return True
    if whole.refs != known.refs and any(ref not in known.refs and not _plain(ref) for ref in whole.refs):
        return True
    if type(whole.const) is Schema and whole.const != known.const:
        return True
    if whole.bound is not None and news(known.bound or NOTHING, whole.bound):
        return True
    parts = known.fields or {}
    return any(news(parts.get(key, NOTHING), part) for key, part in (whole.fields or {}).items())


def _plain(ref: Any) -> bool:
    """Whether a reference is one of a builtin type, or of something that nobody knows."""
    return ref is EXTERNAL or (isinstance(ref, ApiPath) and ref.text.startswith("builtins."))


def only_sources(shape: Shape, guesses: int = limits.DROPS, depth: int = 0) -> Shape:
    """The shape without what depends on a caller, and with data of at most so many guesses: what a field or module variable may keep."""
    labels, fields = shape.labels, shape.fields
    if any(label.source is None or label.drop > guesses for label in labels):
        labels = frozenset(label for label in labels if label.source is not None and label.drop <= guesses)
    if fields is not None:
        if shape.kind == "instance" and len(fields) > limits.INSTANCE_FIELDS:
            fields = {}  # its class knows them
        elif depth < limits.SHAPE_DEPTH:
            made = {key: only_sources(part, guesses, depth + 1) for key, part in fields.items()}
            fields = fields if all(made[key] is part for key, part in fields.items()) else made
        else:
            fields = None
    bound = only_sources(shape.bound, guesses, depth + 1) if shape.bound is not None and depth < limits.SHAPE_DEPTH else None
    proven = shape.proven if labels else shape.proven & (ALL | RESOLVED)
    if labels is shape.labels and fields is shape.fields and bound is shape.bound and proven == shape.proven and not shape.head:
        return shape
    return Shape(labels, shape.refs, shape.const, fields, shape.kind, shape.closed, shape.constant, proven, bound, shape.loose)


def of_others(shape: Shape, clear: int = 0, weak: int = 0) -> Shape:
    """What code outside of a class puts into a field of one object, as the field of any object of the class: one confidence step less."""
    labels = shape.labels
    if labels:
        labels = widen(frozenset(made for label in labels if (made := of_other(label, clear, weak)) is not None))
    fields = shape.fields
    if fields:
        fields = {key: of_others(part, clear, weak) for key, part in fields.items()}
    bound = of_others(shape.bound, clear, weak) if shape.bound is not None else None
    if labels == shape.labels and not fields and bound is None:
        return shape
    return Shape(labels, shape.refs, shape.const, fields, shape.kind, shape.closed, shape.constant, shape.proven, bound, shape.loose)


def of_other(label: Label, clear: int = 0, weak: int = 0) -> Label | None:
    """The label of such data."""
    return derive(label, clear=clear, drop=1, weak=weak, exact=True)
