"""The components that calls and classes make."""

from __future__ import annotations

from typing import Any, Final

from headwater import limits
from headwater.apis import conditions
from headwater.apis.paths import CALL, ApiPath, Sited
from headwater.apis.schema import Api
from headwater.index.entities import Cls, Fn, is_test
from headwater.system.graph import Key, elements, refs_in
from headwater.system.schemas import schemas
from headwater.system.starts import Starts
from headwater.taint.sights import HOLDS, JOINS, Sight, typed

_BY_CLASS: Final = frozenset({"llm", "embedding-model", "vector-store", "document-source", "model-file", "dataset", "tool"})
"""What is called by its class, where nothing names it."""
_UNNAMED: Final = frozenset({"execute", "func", "handler", "run", "callback", "invoke", "call", "implementation"})
"""Keys of the function in the object that is a tool."""
_OF_DOCUMENTS: Final = ("document-source", "embedding-model", "vector-store")
"""What a pipeline has that asks no model, but files documents."""
_DERIVED: Final = frozenset(
    {"agent", "retriever", "vector-store", "memory", "embedding-model", "llm", "guard", "document-source", "tool", "mcp-server"}
)
"""What a class of the project can be by what it is derived from."""


class Parts(Starts):
    """Makes components."""

    def _make(self, sight: Sight) -> None:
        """The component that a call makes."""
        place = (sight.fn.module.id, sight.start)
        if sight.kind == HOLDS:
            self.holders.setdefault(sight.site, []).append(sight)
            return
        if sight.kind == JOINS or not sight.kind:
            return
        if sight.kind == "llm-call" and self.places.call(sight.fn, sight.start, sight.end) is None:
            return  # a function that is called for what it returns, not where it stands
        if sight.kind == "llm-call" and (self._asks(sight) or self._of_another(sight)):
            return
        key: Key = (sight.kind, *place)
        if sight.kind == "prompt":
            self.of_site[sight.site] = [self._template(sight)]
            return
        name = sight.name
        if sight.kind == "llm-call":
            name = self._name_of(sight.fn)
        elif sight.kind == "guard" and not name and sight.fn.index:
            around = self.places.around(sight.fn) if sight.fn.name in _UNNAMED else None
            name = (around[2] if around is not None else "") or sight.fn.name
        elif not name and (sight.kind not in _BY_CLASS or (sight.kind == "tool" and last(sight.path)[:1].islower())):
            name = self.places.holder(sight.fn, sight.start, sight.end)
            if not name and sight.kind == "agent" and sight.fn.index and not sight.fn.name.startswith("<"):
                name = sight.fn.name
        classes = [ref for shape in sight.parts.values() for ref in shape.refs if isinstance(ref, Cls)] if sight.kind == "tool" else []
        if classes:  # tool(Answer)
            self.of_site[sight.site] = [self._of_class(one) for one in classes]
            return
        functions = [ref for shape in sight.parts.values() for ref in refs_in(shape) if type(ref) is Fn] if sight.kind == "tool" else []
        if len(functions) > 1 and not sight.name:  # one call in a loop makes them all
            self.of_site[sight.site] = [self._tool(function) for function in functions]
            return
        if sight.kind == "tool" and not sight.name:
            name = self.places.described(sight.fn, sight.start, sight.end) or name
        if functions and not sight.name and functions[0].name not in _UNNAMED:
            name = functions[0].name if functions[0].name.isidentifier() else name
        class_ = last(sight.path)
        if ":" in class_ or "/" in class_:  # what a package gives by default has the name under which it is imported
            class_ = self.places.callee(sight.fn, sight.start, sight.end) or class_
        node = self._node(key, sight.kind, name or class_, sight.fn, sight.start, sight.end)
        node.detail["api"] = sight.path
        if sight.kind == "agent":
            fields = (sight.parts["0"].fields or {}) if "0" in sight.parts else {}
            for field in ("id", "name"):
                told = fields[field].const if field in fields else None
                if isinstance(told, str):
                    self.called.setdefault(told, []).append(key)
        node.can = dict.fromkeys(sight.can, (sight.fn, sight.start))
        if sight.kind == "mcp-server":  # createMcpHandler((server) => server.tool(...))
            node.bodies = {ref.id: ref for shape in sight.parts.values() for ref in shape.refs if type(ref) is Fn}
        for function in functions:
            node.bodies[function.id] = function
            self.of_function.setdefault(function.id, key)
        if sight.kind != "llm-call":
            self.of_site[sight.site] = [key]
        if sight.kind == "guard" and not class_[:1].isupper():  # an object that guards does so where it is asked
            self.guards.setdefault(sight.fn.id, []).append((key, sight.start))
        if sight.kind == "tool" and sight.entry is not None and sight.entry.approval:
            self._approval(sight, sight.entry.approval, key)

    def _approval(self, sight: Sight, spec: str, tool: Key) -> None:
        """Somebody has to approve what a tool does."""
        call = self.places.call(sight.fn, sight.start, sight.end)
        for fn, register in self.places.argument(sight.fn, call, spec) if call is not None else ():
            if self.places.literal(fn, register) in (False, None):
                continue
            guard: Key = ("guard", fn.module.id, self.places.start(fn, register))
            self._node(guard, "guard", spec.rpartition(".")[2].lstrip("$"), fn, guard[2])
            self._edge(guard, tool, "guards", fn, guard[2])

    def _declared(self, sight: Sight) -> None:
        """Tools that stand as classes and as dictionaries in what a model or an agent is given."""
        call = self.places.call(sight.fn, sight.start, sight.end)
        if sight.entry is None or not sight.entry.tools or call is None:
            return
        where = conditions.argument(sight.entry.tools)
        for name in (str(where.position), where.keyword):
            for ref in elements(sight.parts[name]) if name in sight.parts else ():
                if isinstance(ref, Cls):
                    self._of_class(ref)
                elif isinstance(ref, ApiPath) and not ref.text.endswith(CALL):
                    self._ready(ref, sight)
        for fn, register in self.places.argument(sight.fn, call, sight.entry.tools):
            returned = [one for callee in self.places.functions(fn, register) for one in self.places.results(callee, "tools")]
            given = [(fn, register), *returned, *((fn, part) for part in self.places.appended(fn, register))]
            for at, schema, name in (one for place in given for one in schemas(self.places, *place)):
                key: Key = ("schema", at.module.id, schema.start)
                node = self._node(key, "tool", name[: limits.COMPONENT_NAME], at, schema.start)
                for bound in self.symbols.name(at.module, name) if name.isidentifier() else ():
                    if isinstance(bound, Fn) and bound not in (sight.fn, at):  # the function of that name is what it describes
                        node.bodies[bound.id] = bound
                        self.of_function.setdefault(bound.id, key)
                self.schemas.setdefault((sight.fn.id, *sight.key), []).append(key)

    def _ready(self, ref: ApiPath[Any], sight: Sight) -> None:
        """A tool that a library has ready, as an object."""
        for entry in ref.entries:
            if isinstance(entry, Api) and entry.is_ == "tool":
                key: Key = ("ready", sight.fn.module.id, sight.start, ref.text)
                node = self._node(key, "tool", ref.text.rpartition(".")[2], sight.fn, sight.start)
                node.can = dict.fromkeys(entry.can, (sight.fn, sight.start))
                self.schemas.setdefault((sight.fn.id, *sight.key), []).append(key)

    def _of_class(self, cls: Cls) -> Key:
        """The component that a class is, or one of its bases; else it is a tool."""
        known = next((self.of_class[one.id] for one in cls.mro if one.id in self.of_class), None)
        if known is None:
            known = self.of_class[cls.id] = ("class", cls.id)
            self._node(known, "tool", cls.name, cls.module.body, cls.ir.start)
        return known

    def _dispatched(self, sights: list[Sight]) -> None:
        """Tools that a server only declares: one function of the same file runs them, and the server there offers them."""
        for sight in sights:
            key: Key = (sight.kind, sight.fn.module.id, sight.start)
            if sight.kind != "tool" or not sight.path.endswith("Tool") or key not in self.nodes or self.nodes[key].bodies:
                continue
            running = [fn for fn in self.dispatchers if fn.module is sight.fn.module]
            servers = [
                other
                for other, node in self.nodes.items()
                if node.type == "mcp-server" and node.fn.module is sight.fn.module and "FastMCP" not in node.detail["api"]
            ]
            if running and servers:
                self.nodes[key].bodies = {fn.id: fn for fn in running}
                for server in servers:
                    self._edge(server, key, "offers-tool", sight.fn, sight.start)

    def _derived(self) -> None:
        """Classes that are agents, retrievers and the like by what they are derived from."""
        components = self.solver.catalogue.components
        for cls in self.symbols.classes:
            if is_test(cls.module.path):
                continue
            for path in cls.instance.paths:
                known = typed(path, components)
                if known is not None and known.is_ in _DERIVED:
                    key: Key = ("class", cls.id)
                    node = self._node(key, known.is_, cls.name, cls.module.body, cls.ir.start)
                    node.detail["api"] = path.text
                    self.of_class[cls.id] = key
                    for method in cls.methods.values():
                        node.bodies[method.id] = method
                        if known.is_ == "agent":
                            self.of_function[method.id] = key
                    break

    def _hold(self, sight: Sight) -> None:
        """What a call gives to an object that is no component; what a decorator calls a function."""
        if sight.kind == JOINS and sight.name and "0" in sight.parts:
            self.given_names |= {ref.id: sight.name for ref in sight.parts["0"].refs if type(ref) is Fn}
        if sight.kind == HOLDS:
            prompts = [self._prompt(text) for text in self._texts(sight)] if sight.entry is not None else []
            self.of_site[sight.site] = [*prompts, *self.schemas.get((sight.fn.id, *sight.key), ())]
        if sight.kind == JOINS and "self" in sight.parts:
            for ref in refs_in(sight.parts["self"]):
                if type(ref) is Sited and ref.site in self.holders:
                    self.holders[ref.site].append(sight)

    def _asks(self, sight: Sight) -> bool:
        """Whether a call asks an agent: it is no call of a model by itself."""
        return bool(self._asked(sight))

    def _asked(self, sight: Sight) -> list[Key]:
        """The agents that a call asks: of its receiver, else of its arguments (``Runner.run(agent)``)."""
        found: dict[Key, None] = {}
        for names in (("self",), ("0", "agent", "starting_agent")):
            for name in names:
                if name in sight.parts and not found:
                    found |= dict.fromkeys(
                        key for key in self._in(sight.parts[name], sight.fn, parts=name == "self") if self.nodes[key].type == "agent"
                    )
        return list(found)

    def _of_another(self, sight: Sight) -> bool:
        """Whether a call is one of an agent or an engine that is made nobody knows where."""
        components = self.solver.catalogue.components
        receiver = sight.parts.get("self")
        for ref in receiver.refs if receiver is not None else ():
            known = typed(ref, components) if isinstance(ref, ApiPath) else None
            if known is not None and known.is_ in ("agent", "retriever"):
                return True
        if receiver is not None and any(type(ref) is Sited and ref.site in self.holders for ref in receiver.refs):
            held = {self.nodes[key].type for key in self._in(receiver, sight.fn, parts=True)}
            return not held.isdisjoint(_OF_DOCUMENTS) and held.isdisjoint(("llm", "prompt", "agent", "llm-call"))
        return False


def last(path: str) -> str:
    """The class, else the function, that a path ends with."""
    steps = path.removesuffix("()").rpartition("()")[2].split(".")
    return next((step for step in reversed(steps) if step[:1].isupper()), steps[-1])
