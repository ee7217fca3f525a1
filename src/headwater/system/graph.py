"""The components and edges of a system map while it is built, and which of them a value is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from headwater import ir, limits
from headwater.apis.paths import Site, Sited
from headwater.files.beside import Beside
from headwater.files.source import Source
from headwater.index.calls import instructions
from headwater.index.entities import Cls, Fn, Inst
from headwater.system.reads import Reads
from headwater.taint.sights import HOLDS, Sight, labels_in
from headwater.taint.solve import Solver
from headwater.taint.value import Shape

OUTSIDE: Final = frozenset({"http-input", "websocket-input", "user-prompt", "network-peer", "cli"})
"""What an entry point is called with."""
Key = tuple[Any, ...]
"""What a component is known by while the map is built."""
Want = tuple[int, int, tuple[Any, ...]]
"""A function, one of its parameters, and an access path below that."""

_GIVEN_BACK: Final = frozenset({"memory", "retriever"})
"""What a function that is handed over is asked for."""


class Node:
    """A component being made."""

    def __init__(self, type_: str, name: str, fn: Fn, start: int, end: int) -> None:
        self.type = type_
        self.name = name
        self.fn = fn
        self.start = start
        self.end = end
        self.detail: dict[str, str] = {}
        self.text = ""
        """Of a prompt: what is fixed of it."""
        self.bodies: dict[int, Fn] = {}
        """The functions that run when it is used."""
        self.can: dict[str, tuple[Fn, int]] = {}
        """What it can do by code of a library, and where it is made."""
        self.spot: tuple[str, int] | None = None
        """File and line, where it does not stand in code."""


class Graph:
    """What is known of a map so far."""

    def __init__(self, solver: Solver, files: Mapping[str, Source], beside: Beside) -> None:
        self.solver = solver
        self.symbols = solver.symbols
        self.files = files
        self.beside = beside
        self.places = Reads(solver.symbols, solver.called)
        self.nodes: dict[Key, Node] = {}
        self.examples: dict[Key, Node] = {}
        """Components of examples, once the map has been made without them."""
        self.edges: dict[tuple[Key, Key, str], tuple[Fn, int]] = {}
        self.unresolved: dict[tuple[Key, str], tuple[Fn, int]] = {}
        self.of_function: dict[int, Key] = {}
        """Tools and entry points by the function that they are."""
        self.guards: dict[int, list[tuple[Key, int]]] = {}
        """Guards in the code of a function, and where."""
        self.steps: set[int] = set()
        """Functions that agents run."""
        self.given_names: dict[int, str] = {}
        """What decorators call functions."""
        self.passing: set[int] = set()
        """Functions that pass requests on."""
        self.routed: dict[int, str] = {}
        """Method and path of the functions at which routes end."""
        self.dispatchers: list[Fn] = []
        """Functions that run whichever tool is asked for."""
        self.called: dict[str, list[Key]] = {}
        """Agents by the names that they are given."""
        self.of_class: dict[int, Key] = {}
        self.of_site: dict[Site, list[Key]] = {}
        """Objects by where they are made."""
        self.schemas: dict[Key, list[Key]] = {}
        """Tools that are written as dictionaries, by the call that is given them."""
        self.slotted: set[Key] = set()
        """Prompts into which something is filled."""
        self.of_text: dict[tuple[int, int, int], Key] = {}
        """Prompts by the places of the texts that are parts of them."""
        self.holders: dict[Site, list[Sight]] = {}
        """Objects that are no components, by where they are made: the calls that give them something."""
        self.calls_in: dict[int, list[tuple[Key, str, int]]] = {}
        """Components that the code of a function uses, how, and where."""
        self._reading = {source.fn.id: source.start for source in solver.sources("secret")}
        """Functions that read secrets, and where."""
        self._reached: dict[int, tuple[int, ...]] = {}
        self._started: dict[int, list[Key]] | None = None
        self.settled = False
        """All components are made: what is found from now on stays."""
        self._held: tuple[dict[Want, tuple[Key, ...]], dict[Want, tuple[Key, ...]]] = ({}, {})
        """What callers give that is a component, and that may be a part of one."""
        self._brought: dict[Want, tuple[Key, ...]] = {}
        self._origin_of: dict[Any, tuple[Key, ...]] = {}
        self._looked: dict[Any, int] = {}
        """What was looked at for the question at hand, and how many steps away."""

    def _node(self, key: Key, type_: str, name: str, fn: Fn, start: int, end: int = -1) -> Node:
        node = self.nodes.get(key)
        if node is None:
            node = self.nodes[key] = Node(type_, name, fn, start, self.line_end(fn, start) if end < 0 else end)
        return node

    def known(self, key: Key) -> Node | None:
        """A component, also one that is not in the map because it belongs to an example; None where it turned out to be none."""
        return self.nodes.get(key) or self.examples.get(key)

    def line_end(self, fn: Fn, start: int) -> int:
        """The end of the line at a place: of a definition, its first line."""
        source = self.files[fn.module.path]
        return max(start, source.line_start(source.position(start)[0] + 1) - 1)

    def _name_of(self, fn: Fn) -> str:
        """What the code of a function is called by: its name, else its route, else what it stands in."""
        if "<lambda>" not in fn.ir.qualname:
            return fn.ir.qualname
        one = fn
        while one.index and one.ir.parent >= 0 and one.id not in self.routed:
            one = one.module.functions[one.ir.parent]
        return self.routed.get(one.id) or self.places.named(fn) or fn.ir.qualname

    def _in(self, shape: Shape, fn: Fn, seen: frozenset[Key] = frozenset(), parts: bool = False) -> tuple[Key, ...]:
        """The components that a value of a function may be or hold; what callers give is looked up there. ``parts``: or be a part of."""
        found: dict[Key, None] = {}
        todo = [shape]
        labels: set[Any] = set()
        refs: dict[Any, None] = {}
        while todo:
            one = todo.pop(0)
            refs.update(dict.fromkeys(one.refs))
            labels |= one.labels
            if one.bound is not None:
                todo.append(one.bound)
            if one.fields:
                todo += one.fields.values()
        for ref in refs:
            with self._query(seen):
                found.update(dict.fromkeys(key for key in self._of_ref(ref, seen, parts) if key in self.nodes))
        ask = self._in_parts if parts else self._in
        for label in sorted(labels, key=lambda label: label.key):
            if label.source is None:
                found.update(dict.fromkeys(self._handed((fn.id, label.param, label.path), seen, ask, self._held[parts])))
        return tuple(key for key in found if key in self.nodes)  # a component may have turned out to be none since it was noted

    @contextlib.contextmanager
    def _query(self, seen: frozenset[Key]) -> Iterator[None]:
        """A question that comes of no other one: what was looked at for earlier ones does not count for it."""
        outer = self._looked
        if not seen:
            self._looked = {}
        try:
            yield
        finally:
            self._looked = outer

    def _news(self, what: Any, seen: frozenset[Key]) -> bool:
        """Whether something was not looked at yet for this question, or only from farther away; each way to it would tell the same."""
        key = (what, any(one[0] == "back" for one in seen))  # below a function that gives back, only some components count
        news = len(seen) < self._looked.get(key, limits.SIGHT_CALLERS + 2)
        if news:
            self._looked[key] = len(seen)
        return news

    def _in_parts(self, shape: Shape, fn: Fn, seen: frozenset[Key]) -> tuple[Key, ...]:
        return self._in(shape, fn, seen, True)

    def _of_ref(self, ref: Any, seen: frozenset[Key], parts: bool) -> Iterator[Key]:
        """The components that one thing is, or holds."""
        if type(ref) is Sited and (parts or not ref.part):
            yield from self.of_site.get(ref.site, ())
            held = ("held", *ref.site)
            if ref.site in self.holders and held not in seen and len(seen) <= limits.SIGHT_CALLERS and self._news((*held, parts), seen):
                named = [one for giving in self.holders[ref.site] for one in self._looked_up(giving)]
                for one, fn in named:
                    yield from self._in(one, fn, seen | {held})
                if not named:
                    names = [giving.parts["0"].const for giving in self.holders[ref.site] if giving.entry is None and "0" in giving.parts]
                    yield from (key for name in names if isinstance(name, str) for key in self.called.get(name, ()))
                for giving in self.holders[ref.site] if not named else ():
                    for name, part in giving.parts.items():
                        if giving.kind == HOLDS or name != "self":
                            yield from self._in(part, giving.fn, seen | {held}, name == "self")
        elif type(ref) is Fn:
            key = self.of_function.get(ref.id)
            if key is not None:
                yield key
            elif ("back", ref.id) not in seen and self._news(("back", ref.id), seen):  # lambda session: history
                yield from self._given_back(ref, seen | {("back", ref.id)})
        elif isinstance(ref, Inst | Cls):
            cls = ref.cls if isinstance(ref, Inst) else ref
            key = next((self.of_class[one.id] for one in cls.mro if one.id in self.of_class), None)
            if key is not None:
                yield key

    def _looked_up(self, giving: Sight) -> Iterator[tuple[Shape, Fn]]:
        """What a registry gives for a name: ``mastra.getAgent("weather")``."""
        name = giving.parts["0"].const if "0" in giving.parts else None
        if not isinstance(name, str) or giving.entry is not None:
            return
        receiver = giving.parts.get("self")
        registries = [ref.site for ref in receiver.refs if type(ref) is Sited] if receiver is not None else []
        for site in registries or self.holders:  # one that a library hands over may be any
            for made in self.holders.get(site, ()):
                for part in made.parts.values():
                    for group in (part.fields or {}).values():
                        found = (group.fields or {}).get(name)
                        if found is not None:
                            yield found, made.fn

    def _sources(self, shape: Shape, fn: Fn, seen: frozenset[Key] = frozenset()) -> tuple[Key, ...]:
        """The components whose data is in a value."""
        found: dict[Key, None] = {}
        for label in labels_in(shape):
            if label.source is not None:
                origins = self._origin_of.get(label.source.key)
                if origins is None:
                    origins = self._origin_of[label.source.key] = tuple(self._origins(label.source))
                found.update(dict.fromkeys(origins))
            else:
                found.update(dict.fromkeys(self._handed((fn.id, label.param, label.path), seen, self._sources, self._brought)))
        return tuple(found)

    def _handed(
        self,
        want: Want,
        seen: frozenset[Key],
        ask: Callable[[Shape, Fn, frozenset[Key]], tuple[Key, ...]],
        known: dict[Want, tuple[Key, ...]],
    ) -> tuple[Key, ...]:
        """What callers give a function, as far as ``ask`` finds components in it."""
        if want in known:
            return known[want]
        if want in seen or len(seen) >= limits.SIGHT_CALLERS:
            return ()
        found: dict[Key, None] = {}
        given = self.solver.given.get(want, {})
        with self._query(seen):
            for caller, start in sorted(given) if self._news((want, ask.__name__), seen) else ():
                found.update(dict.fromkeys(ask(given[(caller, start)], self.symbols.functions[caller], seen | {want})))
        if not seen and self.settled:
            known[want] = tuple(found)
        return tuple(found)

    def _given_back(self, fn: Fn, seen: frozenset[Key]) -> Iterator[Key]:
        """The memories and retrievers that a function gives to whom it is handed."""
        yield from (key for key in self._in(self.solver.summaries[fn.id].returns, fn, seen) if self.nodes[key].type in _GIVEN_BACK)
        for one in instructions(fn.ir.body):
            if type(one) is ir.Return and one.src >= 0:
                for at, made in self.places.made(fn, one.src):
                    yield from (key for key in self.of_site.get((at.module.id, made.start, made.end), ()) if self._gives(key))
            elif type(one) is ir.Call and fn.index:
                yield from (key for key in self.of_site.get((fn.module.id, one.start, one.end), ()) if self._gives(key))

    def _gives(self, key: Key) -> bool:
        return key in self.nodes and self.nodes[key].type in _GIVEN_BACK

    def _origins(self, source: Any) -> list[Key]:
        """The component that a source is of: the object that was asked, what is made there, or the function that was called with it."""
        asked = self.solver_origin(source.fn.id, source.start, source.end)
        if asked:
            return asked
        made = next(iter(self.of_site.get((source.fn.module.id, source.start, source.end), ())), None)
        asking: Key = ("llm-call", source.fn.module.id, source.start)
        if made is None and asking in self.nodes:
            made = asking
        if made is None:
            made = self.of_function.get(source.fn.id)
            if made in self.nodes and self.nodes[made].type == "entry-point" and source.kind not in OUTSIDE:
                return []  # a setting that it reads
        return [made] if made is not None and made in self.nodes else []

    def solver_origin(self, fn: int, start: int, end: int) -> list[Key]:
        """The objects that the call at a place asks."""
        sight = self.solver.uses.get((fn, start, end))
        found = list(self._in(sight, self.symbols.functions[fn], parts=True)) if sight is not None else []
        asked = [one for one in found if self.nodes[one].type not in ("tool", "prompt")]
        return asked or found  # what a chat was given besides is not what was asked

    def reached(self, fn: Fn) -> tuple[int, ...]:
        """The functions that a function may run: itself, those that it calls, those that stand in it; not those that are components."""
        known = self._reached.get(fn.id)
        if known is not None:
            return known
        found: dict[int, None] = {fn.id: None}
        todo = [fn]
        while todo and len(found) < limits.MAP_REACH:
            for other in self.following(todo.pop()):
                if other.id not in found:
                    found[other.id] = None
                    todo.append(other)
        self._reached[fn.id] = made = tuple(found)
        return made

    def following(self, fn: Fn) -> Iterator[Fn]:
        """The functions that a function may run itself; not those that are components."""
        inner = [other.id for other in fn.module.functions if other.ir.parent == fn.index and other.index] if fn.index else []
        for number in (*self.solver.called.get(fn.id, ()), *inner, *(other.id for other in self.places.by_hand(fn))):
            key = self.of_function.get(number)
            stops = self.known(key) if key is not None else None
            if number not in self.steps and (stops is None or stops.type == "entry-point"):
                yield self.symbols.functions[number]

    def _outside(self, shape: Shape) -> list[Key]:
        """The entry points whose code reads what comes from outside and is in a value."""
        sources = [label.source for label in labels_in(shape) if label.source is not None and label.source.kind in OUTSIDE]
        return [key for source in sources if not self._origins(source) for key in self._starters(source.fn.id)]

    def _starters(self, number: int) -> list[Key]:
        """The entry points whose code runs a function."""
        if self._started is None:
            self._started = {}
            for key, node in self.nodes.items():
                for body in node.bodies.values() if node.type == "entry-point" else ():
                    for inner in self.reached(body):
                        self._started.setdefault(inner, []).append(key)
        return self._started.get(number, [])

    def _edge(self, from_: Key, to: Key, kind: str, fn: Fn, start: int) -> None:
        if from_ != to:
            self.edges.setdefault((from_, to, kind), (fn, start))


def refs_in(shape: Shape) -> Iterator[Any]:
    """All that a value and its parts may be."""
    yield from shape.refs
    for part in (shape.fields or {}).values():
        yield from refs_in(part)


def elements(shape: Shape) -> Iterator[Any]:
    """All that a value, or an element of the list that it is, may be."""
    yield from shape.refs
    for key, part in (shape.fields or {}).items():
        if not isinstance(key, str) or not key.isidentifier():
            yield from elements(part)
