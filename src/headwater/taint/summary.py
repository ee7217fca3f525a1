"""What a function does to the data of its caller: returns, effects, and what its checks prove.

A summary speaks of parameters by index and access path. Steps of traces are no part of it: an effect keeps one hop (the call and
the callee's effect), from which ``headwater.taint.trace`` rebuilds the path.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Set
from typing import Any

from headwater.apis import regex
from headwater.apis.schema import Callback
from headwater.index.entities import Cls, Fn
from headwater.taint.described import ANY, Schema
from headwater.taint.value import NOTHING, Node, Shape, Value

Path = tuple[str | int, ...]


class _Absent:
    """An argument that is not passed."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()
"""The value of a requirement that an argument is (not) left out."""


class Begins:
    """The value of a requirement that an argument is a text whose known beginning an expression finds something in."""

    __slots__ = ("pattern",)

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern

    def __repr__(self) -> str:
        return self.pattern

    def holds(self, value: Value) -> bool | None:
        """Whether it is so; None where no beginning is known."""
        known = value.const if isinstance(value.const, str) else value.head
        return regex.search(self.pattern, known) if known else None


class Sink:
    """An operation of the project and the class of damage that it can do: the identity of a finding."""

    __slots__ = ("class_", "confidence", "does", "end", "fn", "key", "little", "name", "note", "safe_if", "session", "start", "unexpected")

    def __init__(self, class_: str, fn: Fn, start: int, end: int, name: str, does: str, confidence: str, note: str = "") -> None:
        self.class_ = class_
        self.fn = fn
        self.start = start
        self.end = end
        self.name = name
        """The API path."""
        self.does = does
        self.confidence = confidence
        self.note = note
        """What it was found by besides the code, in words: a declared version."""
        self.safe_if = 0
        """What else may be proven of the data so that it does no damage."""
        self.session = False
        """It is there to run what it is sent."""
        self.little = False
        """What can be done by it is little."""
        self.unexpected = False
        """Callers of a function that hands them over do not expect it."""
        self.key = (fn.module.id, start, end, class_)


class Requirement:
    """A condition on a constant argument of the caller: parameter, access path, and the values that make the effect real."""

    __slots__ = ("default", "key", "negated", "param", "path", "value")

    def __init__(self, param: int, path: Path, value: Any, negated: bool) -> None:
        self.param = param
        self.path = path
        self.value = value
        self.negated = negated
        self.default: Any = None
        """The default of the field that the path ends in, by the class whose method asked."""
        self.key = (param, tuple(map(str, path)), str(type(value)), str(value), negated)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Requirement) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


class ToSink:
    """Data of a parameter reaches a sink."""

    __slots__ = ("drop", "exact", "gated", "hop", "key", "length", "param", "path", "requires", "sink", "steps", "weak")

    def __init__(
        self,
        param: int,
        path: Path,
        exact: bool,
        drop: int,
        weak: int,
        sink: Sink,
        requires: tuple[Requirement, ...],
        hop: tuple[int, int, Fn, Any] | None,
        length: int = 0,
    ) -> None:
        self.length = length
        """Calls to the sink. Of equal effects the shortest is kept, so that following hops always comes nearer to the sink."""
        self.param = param
        self.path = path
        self.exact = exact
        """The value reached the sink unchanged: what a caller has proven about it holds."""
        self.drop = drop
        self.weak = weak
        self.sink = sink
        self.requires = requires
        self.hop = hop
        """Start and end of the call here, the callee, the key of the callee's effect; None where the sink is here."""
        self.key = (
            param,
            tuple((0, k, "") if isinstance(k, int) else (1, 0, k) for k in path),
            sink.key,
            not exact,
            tuple(r.key for r in requires),
        )
        self.gated = False
        """Behind a switch that is off by default."""
        self.steps: Node | None = None


SLOT = -1
"""The parameter of an effect on a slot (``headwater.taint.slots``)."""


class ToParam:
    """A field of an argument (or a captured variable: no key; or a slot, whose name is the key: ``param`` is ``SLOT``) takes a value."""

    __slots__ = ("classes", "field", "key", "param", "path", "shape")

    def __init__(self, param: int, path: Path, field: str | int | None, shape: Shape, classes: tuple[Cls, ...] = ()) -> None:
        self.param = param
        self.path = path
        self.field = field
        self.shape = shape
        self.classes = classes
        """The classes whose objects take it, where not any object that the argument may be does; empty where that is not known."""
        self.key = (param, tuple(map(str, path)), str(field))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ToParam) and self.key == other.key and self.classes == other.classes and self.shape == other.shape

    __hash__ = None  # type: ignore[assignment]


class ToCallback:
    """A function that the caller handed over is called."""

    __slots__ = ("args", "end", "key", "kw", "param", "path", "spread", "starred", "start")

    def __init__(
        self,
        param: int,
        path: Path,
        args: tuple[Shape, ...],
        kw: tuple[tuple[str, Shape], ...],
        start: int,
        end: int,
        starred: Shape = NOTHING,
        spread: Shape = NOTHING,
    ) -> None:
        self.param = param
        self.path = path
        self.args = args
        self.kw = kw
        self.start = start
        self.end = end
        self.starred = starred
        """What is passed with a star, behind ``args``."""
        self.spread = spread
        self.key = (param, tuple(map(str, path)), start)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ToCallback)
            and self.key == other.key
            and self.args == other.args
            and self.kw == other.kw
            and self.starred == other.starred
            and self.spread == other.spread
        )

    __hash__ = None  # type: ignore[assignment]


class ToEntry:
    """A function that the caller handed over is given to a framework, which calls it with data of its own."""

    __slots__ = ("asked", "callback", "key", "param", "path", "schema", "start")

    def __init__(self, param: int, path: Path, start: int, callback: Callback, schema: Schema, asked: tuple[int, Path] | None) -> None:
        self.param = param
        self.path = path
        self.start = start
        self.callback = callback
        self.schema = schema
        """What the framework has checked of the first parameter."""
        self.asked = asked
        """What of the caller's says that, if the caller decides it."""
        self.key = (param, tuple(map(str, path)), start, callback.function, tuple(callback.given))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ToEntry)
            and self.key == other.key
            and self.callback == other.callback
            and self.schema == other.schema
            and self.asked == other.asked
        )

    __hash__ = None  # type: ignore[assignment]


Proof = tuple[int, int, int, str]
"""Parameter, classes proven, classes weakly checked, the weakness in words."""
PartProof = tuple[int, Path, int, int, str]
"""The same of a member of a parameter, or of all of its elements."""
Verdict = tuple[str, tuple[Proof, ...], tuple[Proof, ...]]
"""The field of what is returned that says how a check went, and what it shows that it is true or false."""


class Summary:
    """All that callers need to know of one function."""

    __slots__ = (
        "callbacks", "entries", "mutations", "never", "parts", "paths", "proofs", "raises", "return_steps", "returns", "sinks",
        "verdicts", "when_false", "when_true"
    )  # fmt: skip

    def __init__(
        self,
        returns: Shape = NOTHING,
        sinks: tuple[ToSink, ...] = (),
        mutations: tuple[ToParam, ...] = (),
        callbacks: tuple[ToCallback, ...] = (),
        raises: Shape = NOTHING,
        proofs: tuple[Proof, ...] = (),
        when_true: tuple[Proof, ...] = (),
        when_false: tuple[Proof, ...] = (),
        never: bool = False,
        paths: tuple[tuple[int, bool, bool], ...] = (),
        entries: tuple[ToEntry, ...] = (),
        parts: tuple[tuple[PartProof, ...], tuple[PartProof, ...], tuple[PartProof, ...]] = ((), (), ()),
        verdicts: tuple[Verdict, ...] = (),
    ) -> None:
        self.returns = returns
        self.sinks = sinks
        self.mutations = mutations
        self.callbacks = callbacks
        self.entries = entries
        self.raises = raises
        self.proofs = proofs
        """What holds of the arguments after any normal return."""
        self.when_true = when_true
        self.when_false = when_false
        self.never = never
        """No call of it returns."""
        self.paths = paths
        """The parameters of which it gives a path, each as ``PathOf`` says: joined with others, or perhaps of another form."""
        self.parts = parts
        """What holds of members of the arguments after any normal return, and where it returns what is true or what is false."""
        self.verdicts = verdicts
        self.return_steps: dict[Any, Node] = {}

    def without(self, effects: Set[Any]) -> Summary:
        """The same but for some effects on data that reaches sinks, given by their keys."""
        made = copy.copy(self)
        made.sinks = tuple(one for one in self.sinks if one.key not in effects)
        return made

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Summary)
            and [(e.key, e.drop, e.weak) for e in self.sinks] == [(e.key, e.drop, e.weak) for e in other.sinks]
            and self.returns == other.returns
            and self.mutations == other.mutations
            and self.callbacks == other.callbacks
            and self.entries == other.entries
            and self.raises == other.raises
            and self.proofs == other.proofs
            and self.when_true == other.when_true
            and self.when_false == other.when_false
            and self.never == other.never
            and self.paths == other.paths
            and self.parts == other.parts
            and self.verdicts == other.verdicts
        )

    __hash__ = None  # type: ignore[assignment]


EMPTY = Summary()


class Entry:
    """A function that a framework calls with data of its own."""

    __slots__ = ("callback", "captured", "fn", "init", "key", "owner", "schema", "state")

    def __init__(
        self,
        owner: Fn,
        fn: Fn,
        callback: Callback,
        captured: tuple[Shape, ...] = (),
        init: Mapping[str, str] | None = None,
        state: str = "",
        schema: Schema = ANY,
    ) -> None:
        self.init = init or {}
        """Of a method: source kinds of parameters of the constructor that made its object."""
        self.owner = owner
        self.fn = fn
        self.callback = callback
        self.state = state
        """The slots of the state that the first parameter holds, and that what the function returns updates; or nothing."""
        self.schema = schema
        """What the framework has checked of the first parameter."""
        self.captured = captured
        """What the function took from the one around it, as far as no caller of that one decides it."""
        inside = sorted(label.key for shape in captured for label in shape.labels)
        self.key = (
            fn.id,
            callback.is_,
            callback.parameters,
            tuple(callback.given),
            tuple(sorted((*callback.by_name.items(), *self.init.items()))),
            tuple(inside),
            state,
            schema.key,
        )


class Issue:
    """A source meets a sink: seen in ``fn`` (the apex), where the sink may be many calls away."""

    __slots__ = ("apex", "drop", "entry", "gated", "hop", "key", "length", "sink", "source", "steps", "weak")

    def __init__(
        self, source: Any, drop: int, weak: int, sink: Sink, apex: Fn, hop: tuple[int, int, Fn, Any] | None, length: int = 0
    ) -> None:
        self.length = length
        self.source = source
        self.drop = drop
        self.weak = weak
        self.sink = sink
        self.apex = apex
        self.hop = hop
        self.gated = False
        """Behind a switch that is off by default."""
        self.entry = False
        """The apex is no code: a framework calls the function of the hop."""
        self.key = (sink.key, source.key)
        self.steps: Node | None = None
