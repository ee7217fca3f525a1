"""Builds the system map from what the analysis has seen: components first, then what they are given, then who reaches whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from headwater import ir, limits
from headwater.apis.paths import Sited
from headwater.components import Ability, Component, Edge, Spot, SystemMap, Unresolved
from headwater.files.source import Source
from headwater.index.entities import Cls, Fn, Inst, is_test
from headwater.system.written import Places, Text
from headwater.taint.sights import JOINS, Sight, labels_in
from headwater.taint.solve import Solver
from headwater.taint.summary import Entry
from headwater.taint.value import Shape

Key = tuple[Any, ...]
"""What a component is known by while the map is built."""
Want = tuple[int, int, tuple[Any, ...]]
"""A function, one of its parameters, and an access path below that."""

_OUTSIDE: Final = frozenset({"http-input", "websocket-input", "user-prompt", "network-peer", "cli"})
"""What an entry point is called with."""
_INWARD: Final = frozenset(
    {"tool", "guardrail", "node", "step", "instructions", "dependency", "callback", "constructor", "public function"}
)
"""What a library calls for a purpose of its own."""
_ENTRIES: Final = frozenset({"route", "command", "ui", "server action"})
_HOLDERS: Final = frozenset(
    {"agent", "llm", "llm-call", "mcp-server", "retriever", "vector-store", "memory", "tool", "guard", "embedding-model"}
)
_EDGES: Final = {
    "tool": "offers-tool",
    "mcp-client": "offers-tool",
    "llm": "calls",
    "embedding-model": "calls",
    "vector-store": "retrieves-from",
    "retriever": "retrieves-from",
    "memory": "retrieves-from",
    "agent": "delegates-to",
    "model-file": "calls",
}
"""How a component that is made uses another that it is given, by what the other is."""
_BY_CLASS: Final = frozenset({"llm", "embedding-model", "vector-store", "document-source", "model-file", "dataset"})
"""What is called by its class, where nothing names it."""
_MESSAGE_DEPTH: Final = 4
"""A list of messages, a message, its content, the parts of that."""
_ASIDE: Final = frozenset({"examples", "example", "docs", "doc", "cookbook", "cookbooks", "samples", "demos", "notebooks"})


class _Node:
    """A component being made."""

    def __init__(self, type_: str, name: str, fn: Fn, start: int, end: int) -> None:
        self.type = type_
        self.name = name
        self.fn = fn
        self.start = start
        self.end = end
        self.detail: dict[str, str] = {}
        self.bodies: dict[int, Fn] = {}
        """The functions that run when it is used."""


class Builder:
    """One run over what a solver has seen."""

    def __init__(self, solver: Solver, files: Mapping[str, Source]) -> None:
        self.solver = solver
        self.symbols = solver.symbols
        self.files = files
        self.places = Places(solver.symbols)
        self.nodes: dict[Key, _Node] = {}
        self.edges: dict[tuple[Key, Key, str], tuple[Fn, int]] = {}
        self.unresolved: dict[tuple[Key, str], tuple[Fn, int]] = {}
        self.of_function: dict[int, Key] = {}
        """Tools and entry points by the function that they are."""
        self.of_class: dict[int, Key] = {}
        self.of_site: dict[tuple[int, int], Key] = {}
        """Objects by where they are made."""
        self.calls_in: dict[int, list[tuple[Key, str, int]]] = {}
        """Components that the code of a function uses, how, and where."""
        self._reading = {source.fn.id: source.start for source in solver.sources("secret")}
        """Functions that read secrets, and where."""
        self._reached: dict[int, tuple[int, ...]] = {}
        self._held: dict[Want, tuple[Key, ...]] = {}
        self._brought: dict[Want, tuple[Key, ...]] = {}
        self._origin_of: dict[Any, tuple[Key, ...]] = {}

    def build(self) -> SystemMap:
        sights = [one for number in sorted(self.solver.sights) for _, one in sorted(self.solver.sights[number].items())]
        sights = [one for one in sights if not is_test(one.fn.module.path)]
        for sight in sights:
            self._make(sight)
        for entry in self._entries():
            self._entry(entry)
        self._mains()
        self._secrets()
        for sight in sights:
            self._join(sight)
        for key in list(self.nodes):
            self._reach(key)
        return self._map()

    # -------------------------------------------------------------------------------------------- components

    def _node(self, key: Key, type_: str, name: str, fn: Fn, start: int, end: int = -1) -> _Node:
        node = self.nodes.get(key)
        if node is None:
            if end < 0:  # a definition: its first line
                source = self.files[fn.module.path]
                end = max(start, source.line_start(source.position(start)[0] + 1) - 1)
            node = self.nodes[key] = _Node(type_, name, fn, start, end)
        return node

    def _make(self, sight: Sight) -> None:
        """The component that a call makes."""
        if sight.kind == JOINS or not sight.kind:
            return
        place = (sight.fn.module.id, sight.start)
        if sight.kind == "llm-call" and self._asks(sight):
            return
        key: Key = (sight.kind, *place)
        if sight.kind == "prompt":
            texts = self._texts(sight)
            for text in texts:
                self._prompt(text)
            if texts:
                self.of_site[place] = self._prompt(texts[0])
                return
        name = sight.name
        if sight.kind == "llm-call":
            name = sight.fn.ir.qualname
        elif not name and sight.kind not in _BY_CLASS:
            name = self.places.holder(sight.fn, sight.start, sight.end) or (
                sight.fn.name if sight.fn.index and not sight.fn.name.startswith("<") else ""
            )
        functions = [ref for shape in sight.parts.values() for ref in _refs(shape) if type(ref) is Fn] if sight.kind == "tool" else []
        if functions and not sight.name:
            name = functions[0].name if functions[0].name.isidentifier() else name
        node = self._node(key, sight.kind, name or _last(sight.path), sight.fn, sight.start, sight.end)
        node.detail["api"] = sight.path
        for function in functions:
            node.bodies[function.id] = function
            self.of_function.setdefault(function.id, key)
        if sight.kind != "llm-call":
            self.of_site[place] = key

    def _asks(self, sight: Sight) -> bool:
        """Whether a call asks an agent: it is no call of a model by itself."""
        receiver = sight.parts.get("self")
        return receiver is not None and any(self.nodes[key].type == "agent" for key in self._in(receiver, sight.fn))

    def _entries(self) -> list[Entry]:
        entries = [one for number in sorted(self.solver.entries) for one in self.solver.entries[number].values()]
        return [one for one in entries + self.solver.overridden() if not is_test(one.fn.module.path)]

    def _entry(self, entry: Entry) -> None:
        """A function that a framework calls: a tool, or where something from outside comes in."""
        callback, fn = entry.callback, entry.fn
        if callback.is_ == "tool":
            if fn.id in self.of_function:
                return
            if entry.owner is fn and fn.cls is not None:
                key = ("class", fn.cls.id)
                node = self._node(key, "tool", self._text_field(fn.cls, "name") or fn.cls.name, fn.cls.module.body, fn.cls.ir.start)
                self.of_class[fn.cls.id] = key
            else:
                key = ("function", fn.id)
                node = self._node(key, "tool", fn.name, fn, fn.ir.start)
            node.bodies[fn.id] = fn
            self.of_function[fn.id] = key
        elif callback.is_ == "guardrail":
            key = ("function", fn.id)
            self._node(key, "guard", fn.name, fn, fn.ir.start).bodies[fn.id] = fn
            self.of_function[fn.id] = key
        elif callback.is_ not in _INWARD:
            kinds = {*callback.given, *callback.by_name.values(), callback.parameters}
            if callback.is_ in _ENTRIES or kinds & _OUTSIDE:
                self._entry_point(fn, callback.is_)

    def _entry_point(self, fn: Fn, what: str) -> None:
        key = ("function", fn.id)
        if fn.id not in self.of_function:
            node = self._node(key, "entry-point", fn.name, fn, fn.ir.start)
            node.detail["kind"] = what
            node.bodies[fn.id] = fn
            self.of_function[fn.id] = key

    def _mains(self) -> None:
        """Scripts that are started by themselves."""
        for mod in self.symbols.modules:
            if is_test(mod.path) or mod.script:
                continue
            names = {one.dst for one in mod.body.ir.body if type(one) is ir.Name and one.name == "__name__"}
            for arm in (arm for one in mod.body.ir.body if type(one) is ir.If for arm in one.arms):
                cond = arm.cond
                pre = cond.pre if type(cond) is ir.Leaf else []
                names |= {one.dst for one in pre if type(one) is ir.Name and one.name == "__name__"}
                if any(type(one) is ir.Test and one.op == "==" and {one.left, one.right} & names for one in pre):
                    key = ("main", mod.id)
                    node = self._node(key, "entry-point", "__main__", mod.body, pre[0].start)
                    node.detail["kind"] = "script"
                    node.bodies[mod.body.id] = mod.body
                    break

    def _secrets(self) -> None:
        """Keys and passwords that the code reads: one for each name and file."""
        for source in sorted(self.solver.sources("secret"), key=lambda one: (one.fn.module.id, one.start)):
            name = source.text.rpartition(" ")[2]
            if not is_test(source.fn.module.path):
                self._node(("secret", source.fn.module.id, name), "secret", name, source.fn, source.start)

    def _text_field(self, cls: Cls, name: str) -> str:
        for at in cls.mro:
            field = at.ir.fields.get(name)
            if field is not None and field.value >= 0:
                fn = at.module.functions[at.ir.function]
                return next((text.literal for text in self.places.texts(fn, field.value) if text.fixed), "")[: limits.COMPONENT_NAME]
        return ""

    # ------------------------------------------------------------------------------------------------ prompts

    def _prompt(self, text: Text) -> Key:
        key: Key = ("prompt", text.fn.module.id, text.start)
        if key not in self.nodes:
            node = self._node(key, "prompt", text.name or text.fn.ir.qualname, text.fn, text.start)
            node.detail["begins"] = " ".join(text.literal.split())[: limits.COMPONENT_NAME]
        return key

    def _texts(self, sight: Sight) -> list[Text]:
        """The texts for a model among the arguments of a call."""
        entry = sight.entry
        call = self.places.call(sight.fn, sight.start, sight.end)
        if entry is None or call is None:
            return []
        found: list[Text] = []
        system = [entry.system] if isinstance(entry.system, str) else list(entry.system)
        template = [entry.template] if isinstance(entry.template, str) else list(entry.template)
        for spec in (*system, *template):
            for fn, register in self.places.argument(sight.fn, call, spec) if spec else ():
                found += self.places.texts(fn, register)
        if entry.prompt:
            for fn, register in self.places.argument(sight.fn, call, entry.prompt):
                found += [text for text in self._messages(fn, register) if len(text.literal.strip()) >= limits.PROMPT_CHARS]
        return list(dict.fromkeys(found))

    def _messages(self, fn: Fn, register: int, depth: int = 0) -> list[Text]:
        """The texts of a prompt: a text, or messages with contents."""
        displays = self.places.displays(fn, register) if depth < _MESSAGE_DEPTH else []
        if not displays:
            return self.places.texts(fn, register)
        found: list[Text] = []
        for at, build in displays:
            if build.kind == "dict":
                parts = [part for key, part in zip(build.keys, build.parts, strict=True) if key in ("content", "text", "parts")]
            else:
                parts = list(build.parts)
            for part in parts:
                found += self._messages(at, part, depth + 1)
        return found

    # --------------------------------------------------------------------------------------------------- edges

    def _in(self, shape: Shape, fn: Fn, seen: frozenset[Key] = frozenset()) -> tuple[Key, ...]:
        """The components that a value of a function may be or hold; what callers give is looked up there."""
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
            key: Key | None = None
            if type(ref) is Sited:
                key = self.of_site.get(ref.site)
            elif type(ref) is Fn:
                key = self.of_function.get(ref.id)
            elif isinstance(ref, Inst | Cls):
                cls = ref.cls if isinstance(ref, Inst) else ref
                key = next((self.of_class[one.id] for one in cls.mro if one.id in self.of_class), None)
            if key is not None and key in self.nodes:
                found[key] = None
        for label in sorted(labels, key=lambda label: label.key):
            if label.source is None:
                found.update(dict.fromkeys(self._handed((fn.id, label.param, label.path), seen, self._in, self._held)))
        return tuple(found)

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
        for caller, start in sorted(given):
            found.update(dict.fromkeys(ask(given[(caller, start)], self.symbols.functions[caller], seen | {want})))
        if not seen:
            known[want] = tuple(found)
        return tuple(found)

    def _origins(self, source: Any) -> list[Key]:
        """The component that a source is of: the object that was asked, what is made there, or the function that was called with it."""
        asked = self.solver_origin(source.fn.id, source.start)
        if asked:
            return asked
        at = (source.fn.module.id, source.start)
        made = self.of_site.get(at) or self.of_function.get(source.fn.id)
        if made is None and ("llm-call", *at) in self.nodes:
            made = ("llm-call", *at)
        return [made] if made is not None and made in self.nodes else []

    def solver_origin(self, fn: int, start: int) -> list[Key]:
        """The objects that were asked where a source is read."""
        sight = self.solver.uses.get((fn, start))
        return list(self._in(sight, self.symbols.functions[fn])) if sight is not None else []

    def _edge(self, from_: Key, to: Key, kind: str, fn: Fn, start: int) -> None:
        if from_ != to:
            self.edges.setdefault((from_, to, kind), (fn, start))

    def _join(self, sight: Sight) -> None:
        """What a component is given, and whom a call asks."""
        place = (sight.fn.module.id, sight.start)
        key: Key | None = (sight.kind, *place)
        owners: list[Key] = [key] if key in self.nodes else []
        receiver = list(dict.fromkeys(self._in(sight.parts["self"], sight.fn))) if "self" in sight.parts else []
        if sight.kind == JOINS:
            owners = receiver
        elif sight.kind == "llm-call":
            agents = [one for one in receiver if self.nodes[one].type == "agent"]
            if agents:
                owners = agents
                for agent in agents:
                    self.calls_in.setdefault(sight.fn.id, []).append((agent, "calls", sight.start))
            else:
                for one in receiver:
                    self._given(key, one, sight) if key in self.nodes else None
                if key in self.nodes:
                    self.calls_in.setdefault(sight.fn.id, []).append((key, "calls", sight.start))
        elif owners:
            for one in receiver:
                self._given(owners[0], one, sight)
        for owner in owners:
            for name, shape in sight.parts.items():
                if name == "self":
                    continue
                for one in dict.fromkeys(self._in(shape, sight.fn)):
                    self._given(owner, one, sight)
                if self.nodes[owner].type in ("vector-store", "memory"):
                    for one in dict.fromkeys(self._sources(shape, sight.fn)):
                        if self.nodes[one].type in ("document-source", "entry-point", "tool", "llm-call", "dataset"):
                            self._edge(one, owner, "stores-in", sight.fn, sight.start)
            self._texts_of(owner, sight)

    def _given(self, owner: Key, part: Key, sight: Sight) -> None:
        kind, mine = self.nodes[part].type, self.nodes[owner].type
        if kind == "prompt":
            self._edge(part, owner, "fills-slot", sight.fn, sight.start)
        elif kind == "guard":
            self._edge(part, owner, "guards", sight.fn, sight.start)
        elif kind == "document-source" and mine in ("vector-store", "retriever", "memory"):
            self._edge(part, owner, "stores-in", sight.fn, sight.start)
        elif kind == "agent" and mine == "tool":
            self._edge(owner, part, "calls", sight.fn, sight.start)
        elif kind in _EDGES and mine in _HOLDERS:
            self._edge(owner, part, _EDGES[kind], sight.fn, sight.start)

    def _texts_of(self, owner: Key, sight: Sight) -> None:
        """Prompts that are written out where a component is made or asked, and whose data fills them."""
        if sight.kind == "prompt" or sight.entry is None:
            return
        texts = self._texts(sight)
        prompts = [self._prompt(text) for text in texts]
        for prompt in prompts:
            self._edge(prompt, owner, "fills-slot", sight.fn, sight.start)
        if not sight.entry.prompt and not sight.entry.system:
            return
        filled = [one for one, text in zip(prompts, texts, strict=True) if not text.fixed] or [
            from_ for from_, to, kind in self.edges if to == owner and kind == "fills-slot" and self.nodes[from_].type == "prompt"
        ]
        for name, shape in sight.parts.items():
            if name != "self":
                for source in dict.fromkeys(self._sources(shape, sight.fn)):
                    for prompt in filled:
                        self._edge(source, prompt, "fills-slot", sight.fn, sight.start)

    # ------------------------------------------------------------------------------------------- who reaches whom

    def reached(self, fn: Fn) -> tuple[int, ...]:
        """The functions that a function may run: itself, those that it calls, those that stand in it; not those that are components."""
        known = self._reached.get(fn.id)
        if known is not None:
            return known
        found: dict[int, None] = {fn.id: None}
        todo = [fn]
        while todo and len(found) < limits.MAP_REACH:
            one = todo.pop()
            inner = [other for other in one.module.functions if other.ir.parent == one.index and other.index] if one.index else []
            for number in (*self.solver.called.get(one.id, ()), *(other.id for other in inner)):
                if number not in found and number not in self.of_function:
                    found[number] = None
                    todo.append(self.symbols.functions[number])
        self._reached[fn.id] = made = tuple(found)
        return made

    def _reach(self, key: Key) -> None:
        """Whom an entry point or a tool uses by what its code does."""
        node = self.nodes[key]
        if node.type not in ("entry-point", "tool", "guard", "agent"):
            return
        for body in node.bodies.values():
            for number in self.reached(body):
                for other, kind, start in self.calls_in.get(number, ()):
                    self._edge(key, other, kind, self.symbols.functions[number], start)
                for at in self.solver.uses_in.get(number, ()):
                    for other in self.solver_origin(number, at):
                        type_ = self.nodes[other].type
                        if type_ in ("retriever", "vector-store", "memory"):
                            self._edge(key, other, "retrieves-from", self.symbols.functions[number], at)

    def abilities_of(self, key: Key) -> dict[str, tuple[Fn, int]]:
        """What the code of a tool can do, and where."""
        node = self.nodes[key]
        found: dict[str, tuple[Fn, int]] = {}
        for body in node.bodies.values():
            for number in self.reached(body):
                fn = self.symbols.functions[number]
                for name, (start, _) in self.solver.abilities.get(number, {}).items():
                    found.setdefault(name, (fn, start))
                if number in self._reading:
                    found.setdefault("reads-secrets", (fn, self._reading[number]))
        return found

    def _abilities(self, key: Key) -> tuple[Ability, ...]:
        return tuple(Ability(name, self._spot(fn, start)) for name, (fn, start) in sorted(self.abilities_of(key).items()))

    # ----------------------------------------------------------------------------------------------------- result

    def _spot(self, fn: Fn, start: int) -> Spot:
        source = self.files[fn.module.path]
        return Spot(fn.module.path, source.file_line(source.position(start)[0]))

    def _map(self) -> SystemMap:
        if any(not self.aside(node) for node in self.nodes.values()):
            self.nodes = {key: node for key, node in self.nodes.items() if not self.aside(node)}
        rows = sorted(
            ((self._spot(node.fn, node.start), node.type, node.name, key) for key, node in self.nodes.items()), key=lambda row: row[:3]
        )
        ids: dict[Key, str] = {}
        components = []
        for spot, type_, name, key in rows:
            base = f"{type_}:{spot.file}:{spot.line}:{name}"
            number = sum(one == base or one.startswith(f"{base}#") for one in ids.values()) if base in ids.values() else 0
            ids[key] = base if not number else f"{base}#{number + 1}"
            node = self.nodes[key]
            abilities = self._abilities(key) if type_ == "tool" else ()
            components.append(Component(ids[key], type_, name, spot.file, spot.line, dict(sorted(node.detail.items())), abilities))
        edges = []
        for (from_, to, kind), (fn, start) in self.edges.items():
            if from_ in ids and to in ids:
                spot = self._spot(fn, start)
                edges.append(Edge(ids[from_], ids[to], kind, spot.file, spot.line))
        unresolved = [
            Unresolved(ids[key], what, self._spot(fn, start).file, self._spot(fn, start).line)
            for (key, what), (fn, start) in self.unresolved.items()
            if key in ids
        ]
        return SystemMap(tuple(components), tuple(sorted(edges)), tuple(sorted(unresolved)))

    def aside(self, node: _Node) -> bool:
        """Whether a component is in an example or in the documentation."""
        return not _ASIDE.isdisjoint(node.fn.module.path.split("/")[:-1])


def _refs(shape: Shape) -> Iterator[Any]:
    yield from shape.refs
    for part in (shape.fields or {}).values():
        yield from _refs(part)


def _last(path: str) -> str:
    return path.removesuffix("()").rpartition(".")[2]
