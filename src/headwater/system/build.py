"""Builds the system map from what the analysis has seen: components first, then what they are given, then who reaches whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from headwater.apis.paths import ApiPath, Sited
from headwater.components import Ability, Component, Edge, Spot, SystemMap, Unresolved
from headwater.index.entities import Fn, is_test
from headwater.system import acting, gaps
from headwater.system.added import added
from headwater.system.crew import Crews
from headwater.system.graph import Key, Node, refs_in
from headwater.system.parts import last
from headwater.taint.sights import HOLDS, JOINS, Sight, labels_in

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
_FILLS: Final = frozenset({"entry-point", "retriever", "tool", "memory", "document-source", "dataset"})
"""Whose data counts in a slot of a prompt."""
_OF_STORES: Final = {"retrieves-from": "database-read", "stores-in": "database-write"}
"""What a tool can do by what it does with a store."""
_SHARED: Final = 3
"""Prompts that one call asks with; of one that asks for all, it is not known which prompt it is that a person's text fills."""
_ASIDE: Final = frozenset({"examples", "example", "docs", "doc", "cookbook", "cookbooks", "samples", "demos", "notebooks"})


class Builder(Crews):
    """One run over what a solver has seen."""

    def build(self) -> SystemMap:
        sights = [one for number in sorted(self.solver.sights) for _, one in sorted(self.solver.sights[number].items())]
        sights = [one for one in sights if not is_test(one.fn.module.path)]
        self._routes(sights)
        self._derived()
        for sight in sights:
            if sight.kind != "llm-call":
                self._make(sight)
        for sight in sights:
            self._declared(sight)
            self._hold(sight)
        for sight in sights:
            if sight.kind == "llm-call":
                self._make(sight)
        entries = self._entries()
        stepping = {entry.fn.id for entry in entries if entry.callback.is_ == "step"}
        for entry in entries:
            if entry.callback.is_ != "tool" or entry.callback.function or entry.fn.id not in stepping:  # a step only looks like a tool
                self._entry(entry)
        self._mains()
        self._scripts()
        self._secrets()
        self._approvals()
        self._crews(sights)
        self._dispatched(sights)
        self.settled = True
        for sight in sights:
            self._steps(sight)
        for sight in sights:
            self._join(sight)
        for agent, part, fn, start in added(self):
            kind = _EDGES.get(self.nodes[part].type)
            if kind is not None and self.nodes[part].type in ("tool", "agent", "mcp-client"):
                self._edge(agent, part, kind, fn, start)
        self._guard()
        self._set_up(sights)
        self._runs()
        self._embedders()
        self._prompted()
        for key in list(self.nodes):
            self._reach(key)
        self._memories()
        self._through()
        self._name_tools()
        self._joined()
        gaps.find(self, sights)
        acting.note(self)
        return self._map()

    def _join(self, sight: Sight) -> None:
        """What a component is given, and whom a call asks."""
        place = (sight.fn.module.id, sight.start)
        key: Key | None = (sight.kind, *place)
        owners: list[Key] = [key] if key in self.nodes else []
        if sight.kind == "prompt":
            owners = [one for one in self.of_site.get(sight.site, ()) if one in self.nodes]
        receiver = list(dict.fromkeys(self._in(sight.parts["self"], sight.fn, parts=True))) if "self" in sight.parts else []
        if sight.kind == HOLDS:  # a collection of a store, with a model of its own
            stores = [one for one in receiver if self.nodes[one].type == "vector-store"]
            parts = [one for name, shape in sight.parts.items() if stores and name != "self" for one in self._in(shape, sight.fn)]
            for store, one in ((store, one) for store in stores for one in parts if self.nodes[one].type == "embedding-model"):
                self._given(store, one, sight)
        held = sight.kind == JOINS and self._is_held(sight)
        if sight.kind == JOINS:
            owners = receiver
        elif sight.kind == "llm-call":
            agents = self._asked(sight)
            if agents:
                owners = agents
                for agent in agents:
                    self.calls_in.setdefault(sight.fn.id, []).append((agent, "calls", sight.start))
            else:
                for one in receiver or self._alike(sight):
                    self._given(key, one, sight) if key in self.nodes else None
                self._mixed([*receiver, *(self._in(sight.parts["chain"], sight.fn) if "chain" in sight.parts else ())], sight)
                if key in self.nodes:
                    self.calls_in.setdefault(sight.fn.id, []).append((key, "calls", sight.start))
        elif owners:
            for one in receiver:
                if sight.kind == "tool" and self.nodes[one].type == "mcp-server":  # server.tool(name, handler)
                    self._edge(one, owners[0], "offers-tool", sight.fn, sight.start)
                elif self.nodes[one].type != "llm" or sight.kind not in ("tool", "retriever"):  # what a client makes is not given it
                    self._given(owners[0], one, sight)
        for owner in owners:
            for one in self.schemas.get((sight.fn.id, *sight.key), ()):
                self._given(owner, one, sight)
            for name, shape in sight.parts.items():
                if name == "self":
                    continue
                if self.nodes[owner].type == "agent" and any(type(ref) is Fn and ref.id not in self.of_function for ref in shape.refs):
                    continue  # a step of it: what its code uses is found there
                for one in dict.fromkeys(self._in(shape, sight.fn)) if not held else ():
                    if sight.kind != "llm-call" or one not in owners:  # of several that may be asked, none is given the others
                        self._given(owner, one, sight)
                for one in dict.fromkeys(self._in(shape, sight.fn)) if held else ():
                    for from_, to in ((one, owner), (owner, one)):
                        if self.nodes[from_].type == "document-source" and self.nodes[to].type == "vector-store":
                            self._edge(from_, to, "stores-in", sight.fn, sight.start)
                if self.nodes[owner].type in ("vector-store", "memory"):
                    for one in dict.fromkeys(self._sources(shape, sight.fn)):
                        if self.nodes[one].type in ("document-source", "entry-point", "tool", "llm-call", "dataset"):
                            self._edge(one, owner, "stores-in", sight.fn, sight.start)
            self._texts_of(owner, sight)

    def _steps(self, sight: Sight) -> None:
        """Functions that an agent is given as steps: what their code does, the agent does."""
        owners: list[Key] = [(sight.kind, sight.fn.module.id, sight.start)]
        if sight.kind == JOINS and "self" in sight.parts:
            owners = list(self._in(sight.parts["self"], sight.fn, parts=True))
        for owner in owners:
            if owner in self.nodes and self.nodes[owner].type == "agent":
                for shape in sight.parts.values():
                    for ref in refs_in(shape):
                        for step in self._run_by(ref):
                            self.nodes[owner].bodies[step.id] = step
                            self.steps.add(step.id)

    def _is_held(self, sight: Sight) -> bool:
        """Whether what a call gives belongs to an object that only holds components: they are not given one another."""
        refs = [ref for ref in sight.parts["self"].refs if type(ref) is Sited] if "self" in sight.parts else []
        return bool(refs) and all(not ref.part and ref.site in self.holders for ref in refs)

    def _run_by(self, ref: Any) -> Iterator[Fn]:
        """The functions that a step is, or that the object that it is runs."""
        if type(ref) is Fn and ref.id not in self.of_function:
            yield ref
        for made in self.holders.get(ref.site, ()) if type(ref) is Sited and not ref.part else ():
            if made.entry is not None and any(one.is_ == "step" for one in made.entry.calls):
                yield from (inner for shape in made.parts.values() for inner in refs_in(shape) if type(inner) is Fn)

    def _mixed(self, given: list[Key], sight: Sight) -> None:
        """In one chain, what is found or remembered fills the prompt."""
        prompts = [one for one in given if self.nodes[one].type == "prompt"]
        for one in given if prompts else ():
            if self.nodes[one].type in ("retriever", "memory"):
                for prompt in prompts:
                    self._edge(one, prompt, "fills-slot", sight.fn, sight.start)

    def _alike(self, sight: Sight) -> list[Key]:
        """The models that a call may ask, where there are so many that it is not known where each was made."""
        receiver = sight.parts.get("self")
        paths = {ref.text for ref in receiver.refs if isinstance(ref, ApiPath)} if receiver is not None else set()
        for param in labels_in(receiver) if receiver is not None else ():
            for shape in self.solver.given.get((sight.fn.id, param.param, param.path), {}).values():
                paths |= {ref.text for ref in shape.refs if isinstance(ref, ApiPath)}
        return [key for key, node in self.nodes.items() if node.type == "llm" and f"{node.detail.get('api', '')}()" in paths]

    def _given(self, owner: Key, part: Key, sight: Sight) -> None:
        kind, mine = self.nodes[part].type, self.nodes[owner].type
        if kind == "agent" and mine == "prompt":
            self._edge(owner, part, "fills-slot", sight.fn, sight.start)
        elif mine == "server":
            if kind == "entry-point":
                self._edge(owner, part, "calls", sight.fn, sight.start)
        elif kind == "prompt":
            if mine in ("agent", "llm-call"):
                self._edge(part, owner, "fills-slot", sight.fn, sight.start)
        elif mine == "guard":
            return
        elif kind == "guard":
            self._edge(part, owner, "guards", sight.fn, sight.start)
        elif kind == "document-source" and mine in ("vector-store", "retriever", "memory"):
            self._edge(part, owner, "stores-in", sight.fn, sight.start)
        elif kind == "agent" and mine == "tool":
            self._edge(owner, part, "calls", sight.fn, sight.start)
        elif kind == "llm" and mine in ("vector-store", "memory", "prompt", "llm"):
            return  # a setting that has a model too
        elif kind in _EDGES and mine in _HOLDERS and (kind, mine) != ("tool", "tool"):
            self._edge(owner, part, _EDGES[kind], sight.fn, sight.start)
            if kind == "memory" and mine in ("agent", "llm-call"):  # what is said is kept there
                self._edge(owner, part, "stores-in", sight.fn, sight.start)

    def _texts_of(self, owner: Key, sight: Sight) -> None:
        """Prompts that are written out where a component is made or asked, and whose data fills them."""
        if sight.kind in ("prompt", "tool") or sight.entry is None:  # what describes a tool is no prompt
            return
        texts = self._texts(sight)
        if sight.kind == "agent" and isinstance(sight.entry.system, list):  # role, goal and backstory are one
            for text in texts[1:]:
                self.of_text.setdefault(text.place, self._prompt(texts[0]))
        prompts = [self._prompt(text) for text in texts]
        self._templates_of(owner, sight)
        for prompt, text in zip(prompts, texts, strict=True):
            if not text.name and self.nodes[owner].type in ("agent", "llm"):
                self.nodes[prompt].name = self.nodes[owner].name
        for prompt in prompts:
            self._edge(prompt, owner, "fills-slot", sight.fn, sight.start)
        given = [from_ for from_, to, kind in self.edges if to == owner and kind == "fills-slot" and from_ not in prompts]
        whole = [shape for name, shape in sight.parts.items() if name != "self"]
        filled = [(prompt, self._around(sight, text)) for prompt, text in zip(prompts, texts, strict=True)]
        for prompt, shapes in (*filled, *((one, whole) for one in given)):
            for shape in (shapes or whole) if prompt in self.slotted else ():
                sources = [*self._sources(shape, sight.fn), *(self._outside(shape) if len(filled) <= _SHARED else ())]
                for source in dict.fromkeys(sources):
                    if self.nodes[source].type in _FILLS:
                        self._edge(source, prompt, "fills-slot", sight.fn, sight.start)

    def _templates_of(self, owner: Key, sight: Sight) -> None:
        """Templates of which a call is given what they make of their slots."""
        call = self.places.call(sight.fn, sight.start, sight.end)
        entry = sight.entry
        system = [entry.system] if entry is not None and isinstance(entry.system, str) else entry.system if entry is not None else []
        for spec in (*system, entry.prompt if entry is not None else ""):
            for fn, register in self.places.argument(sight.fn, call, spec) if spec and call is not None else ():
                for at, made in self.places.made(fn, register):
                    for key in self.of_site.get((at.module.id, made.start, made.end), ()):
                        if key in self.nodes and self.nodes[key].type == "prompt":
                            self._edge(key, owner, "fills-slot", sight.fn, sight.start)

    def _fills(self, key: Key, number: int) -> None:
        """A tool whose code asks a model fills the prompts that it asks with."""
        calls = {other for other, _, _ in self.calls_in.get(number, ()) if self.nodes[other].type == "llm-call"}
        for (from_, to, kind), (fn, start) in list(self.edges.items()) if calls else ():
            if to in calls and kind == "fills-slot" and self.nodes[from_].type == "prompt" and from_ in self.slotted:
                self._edge(key, from_, "fills-slot", fn, start)

    def _set_up(self, sights: list[Sight]) -> None:
        """Tools that a function gives to the server that a library hands to it."""
        offered = {to for _, to, kind in self.edges if kind == "offers-tool"}
        for key, node in self.nodes.items():
            functions = {number for body in node.bodies.values() for number in self.reached(body)} if node.type == "mcp-server" else set()
            for sight in sights if functions else ():
                tool: Key = (sight.kind, sight.fn.module.id, sight.start)
                if (
                    sight.kind == "tool"
                    and "self" in sight.parts
                    and sight.fn.id in functions
                    and tool in self.nodes
                    and tool not in offered
                ):
                    self._edge(key, tool, "offers-tool", sight.fn, sight.start)

    def _prompted(self) -> None:
        """A prompt that a model is made with reaches those who ask it."""
        callers: dict[Key, list[Key]] = {}
        for from_, to, kind in self.edges:
            if kind == "calls" and self.nodes[to].type == "llm":
                callers.setdefault(to, []).append(from_)
        for (from_, to, kind), (fn, start) in list(self.edges.items()):
            if kind == "fills-slot" and self.nodes[to].type == "llm":
                del self.edges[(from_, to, kind)]
                for caller in callers.get(to, ()):
                    if self.nodes[caller].type in ("llm-call", "agent"):
                        self._edge(from_, caller, kind, fn, start)

    def _embedders(self) -> None:
        """A client that is asked for embeddings alone is no language model: the calls are the components."""
        used: dict[Key, set[str]] = {}
        for from_, to, _ in self.edges:
            if self.nodes[to].type == "llm":
                used.setdefault(to, set()).add(self.nodes[from_].type)
        for key, kinds in used.items():
            if kinds == {"embedding-model"}:
                del self.nodes[key]
        self.edges = {
            edge: at
            for edge, at in self.edges.items()
            if edge[0] in self.nodes and edge[1] in self.nodes and (edge[0][0], self.nodes[edge[1]].type) != ("embedding-model", "llm")
        }

    def _reach(self, key: Key) -> None:
        """Whom an entry point or a tool uses by what its code does."""
        node = self.nodes[key]
        if node.type not in ("entry-point", "tool", "guard", "agent"):
            return
        for body in node.bodies.values():
            for number in self.reached(body):
                if node.type == "tool":
                    self._fills(key, number)
                for other, kind, start in self.calls_in.get(number, ()):
                    between = node.type == self.nodes[other].type == "agent"
                    self._edge(key, other, "delegates-to" if between else kind, self.symbols.functions[number], start)
                for at, end in self.solver.uses_in.get(number, ()):
                    origin = self.solver_origin(number, at, end)
                    types = {self.nodes[other].type for other in origin}
                    files = "document-source" in types and "retriever" not in types  # a pipeline that files documents
                    for other in origin:
                        if self.nodes[other].type in ("retriever", "vector-store", "memory"):
                            self._edge(key, other, "stores-in" if files else "retrieves-from", self.symbols.functions[number], at)

    def _guard(self) -> None:
        """A guard stands before what its function asks after it."""
        for number, guards in self.guards.items():
            for key, start in guards:
                fn = self.symbols.functions[number]
                after = [other for other, _, at in self.calls_in.get(number, ()) if at > start]
                if not after:
                    after = [other for inner in self.reached(fn) if inner != number for other, _, _ in self.calls_in.get(inner, ())]
                after = [other for other in after if self.nodes[other].type in ("agent", "llm-call", "tool")]
                if not after:  # a step by itself
                    after = [other for other, node in self.nodes.items() if node.type == "agent" and number in node.bodies]
                for other in after:
                    self._edge(key, other, "guards", fn, start)

    def _memories(self) -> None:
        """A memory that keeps what it is told in another one: who uses the one uses the other."""
        inner: dict[Key, list[Key]] = {}
        for from_, to, _ in list(self.edges):
            if self.nodes[from_].type == self.nodes[to].type == "memory" and to not in inner.setdefault(from_, []):
                inner[from_].append(to)
        for (from_, to, kind), (fn, start) in list(self.edges.items()):
            for one in inner.get(to, ()) if self.nodes[from_].type != "memory" else ():
                self._edge(from_, one, kind, fn, start)

    def _name_tools(self) -> None:
        """A tool that a class makes of an agent has the agent's name."""
        asked: dict[Key, list[Key]] = {}
        for from_, to, kind in self.edges:
            if kind == "calls" and self.nodes[to].type == "agent" and self.nodes[from_].type == "tool" and not self.nodes[from_].bodies:
                asked.setdefault(from_, []).append(to)
        for tool, agents in asked.items():
            if len(agents) == 1 and self.nodes[tool].name == last(self.nodes[tool].detail.get("api", "")):
                self.nodes[tool].name = self.nodes[agents[0]].name

    def _through(self) -> None:
        """What one call asks a retriever for, the retriever has from its store."""
        kind = "retrieves-from"
        stores: dict[Key, set[Key]] = {}
        for from_, to, _ in (edge for edge in self.edges if edge[2] == kind and self.nodes[edge[0]].type == "retriever"):
            stores.setdefault(from_, set()).add(to)
        for (from_, to, _), place in [(edge, place) for edge, place in self.edges.items() if edge[2] == kind and edge[1] in stores]:
            for store in stores[to] if from_ not in stores else ():
                if self.edges.get((from_, store, kind)) == place:
                    del self.edges[(from_, store, kind)]

    def ordered(self) -> list[tuple[Key, Node]]:
        """The components outside of examples, in the order of the source."""
        shown = [(key, node) for key, node in self.nodes.items() if not self.aside(node)]
        return sorted(shown or self.nodes.items(), key=lambda item: (item[1].fn.module.id, item[1].start, item[1].type))

    def abilities_of(self, key: Key) -> dict[str, tuple[Fn, int]]:
        """What the code of a tool can do, and where."""
        node = self.nodes[key]
        found = dict(node.can)
        for (from_, to, kind), place in self.edges.items():
            if from_ == key and self.nodes[to].type in ("retriever", "vector-store") and kind in _OF_STORES:
                found.setdefault(_OF_STORES[kind], place)
        for body in node.bodies.values():
            for number in self.reached(body):
                fn = self.symbols.functions[number]
                for name, (start, _) in self.solver.abilities.get(number, {}).items():
                    found.setdefault(name, (fn, start))
                for at, end in self.solver.uses_in.get(number, ()):
                    for other in self.solver_origin(number, at, end):  # tools of libraries that its code runs
                        found.update({name: (fn, at) for name in self.nodes[other].can if name not in found})
                if number in self._reading:
                    found.setdefault("reads-secrets", (fn, self._reading[number]))
        return found

    def _abilities(self, key: Key) -> tuple[Ability, ...]:
        return tuple(Ability(name, self._spot(fn, start)) for name, (fn, start) in sorted(self.abilities_of(key).items()))

    def _spot(self, fn: Fn, start: int) -> Spot:
        source = self.files[fn.module.path]
        return Spot(fn.module.path, source.file_line(source.position(start)[0]))

    def _joined(self) -> None:
        """Edges of components that were taken away go too."""
        self.edges = {edge: at for edge, at in self.edges.items() if edge[0] in self.nodes and edge[1] in self.nodes}

    def _map(self) -> SystemMap:
        if any(not self.aside(node) for node in self.nodes.values()):
            self.examples = {key: node for key, node in self.nodes.items() if self.aside(node)}
            self.nodes = {key: node for key, node in self.nodes.items() if key not in self.examples}
            self._joined()
        rows = sorted(
            (
                (self._spot(node.fn, node.start) if node.spot is None else Spot(*node.spot), node.type, node.name, key)
                for key, node in self.nodes.items()
            ),
            key=lambda row: row[:3],
        )
        ids: dict[Key, str] = {}
        alike: Counter[str] = Counter()
        components = []
        for spot, type_, name, key in rows:
            base = f"{type_}:{spot.file}:{spot.line}:{name}"
            alike[base] += 1
            ids[key] = base if alike[base] == 1 else f"{base}#{alike[base]}"
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

    def aside(self, node: Node) -> bool:
        """Whether a component is in an example or in the documentation."""
        return not _ASIDE.isdisjoint(node.fn.module.path.split("/")[:-1])
