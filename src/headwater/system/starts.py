"""Where the system is started from outside, and the tools and secrets of its code."""

from __future__ import annotations

from typing import Final

from headwater import ir, limits
from headwater.index.entities import Cls, Fn, is_test
from headwater.system import scripts
from headwater.system.graph import OUTSIDE, Key, Node, refs_in
from headwater.system.prompts import Prompts
from headwater.taint.sights import JOINS, Sight
from headwater.taint.summary import Entry

_INWARD: Final = frozenset(
    {"tool", "guardrail", "node", "step", "instructions", "dependency", "callback", "constructor", "public function"}
)
"""What a library calls for a purpose of its own."""
_UNNAMED: Final = frozenset({"handler", "execute", "fetch"})
"""Keys of functions in objects, which say nothing."""
_ENTRIES: Final = frozenset({"route", "command", "ui", "server action"})


class Starts(Prompts):
    """Finds entry points."""

    def _entries(self) -> list[Entry]:
        entries = [one for number in sorted(self.solver.entries) for one in self.solver.entries[number].values()]
        return [one for one in entries + self.solver.overridden() if not is_test(one.fn.module.path)]

    def _entry(self, entry: Entry) -> None:
        """A function that a framework calls: a tool, or where something from outside comes in."""
        callback, fn = entry.callback, entry.fn
        if callback.is_ == "tool":
            if fn.id in self.of_function:
                return
            if callback.dispatches:
                self.dispatchers.append(fn)
                return
            if entry.owner is fn and fn.cls is not None:
                key = ("class", fn.cls.id)
                node = self._node(key, "tool", self._text_field(fn.cls, "name") or fn.cls.name, fn.cls.module.body, fn.cls.ir.start)
                self.of_class[fn.cls.id] = key
            else:
                key = ("function", fn.id)
                around = self.places.around(fn) if fn.module.script else None
                if around is not None:
                    holder, build, name = around
                    node = self._node(key, "tool", self.places.said(holder, build, "name") or name or fn.name, holder, build.start)
                else:
                    node = self._node(key, "tool", self.given_names.get(fn.id) or fn.name, fn, fn.ir.start)
            node.bodies[fn.id] = fn
            self.of_function[fn.id] = key
        elif callback.is_ == "guardrail":
            key = ("function", fn.id)
            around = self.places.around(fn) if fn.module.script else None
            if around is not None:
                name = self.places.said(around[0], around[1], "name") or around[2] or fn.name
                self._node(key, "guard", name, around[0], around[1].start).bodies[fn.id] = fn
            else:
                self._node(key, "guard", fn.name, fn, fn.ir.start).bodies[fn.id] = fn
            self.of_function[fn.id] = key
        elif callback.is_ not in _INWARD and fn.id not in self.passing:
            kinds = {*callback.given, *callback.by_name.values(), callback.parameters}
            if callback.is_ in _ENTRIES or kinds & OUTSIDE:
                self._entry_point(fn, callback.is_)

    def _routes(self, sights: list[Sight]) -> None:
        """The functions at which routes end, with method and path; of scripts, those before them pass requests on."""
        for number, route in self.solver.routes.told().items():
            self.routed[number] = route[: limits.COMPONENT_NAME]
        for sight in sights:
            if sight.kind != JOINS or sight.entry is None or not any(one.is_ == "route" for one in sight.entry.calls):
                continue
            method = sight.path.rpartition(".")[2]
            handlers = [
                ref for number in sorted(filter(str.isdigit, sight.parts)) for ref in refs_in(sight.parts[number]) if type(ref) is Fn
            ]
            address = sight.parts["0"].const if "0" in sight.parts else None
            for fn in handlers:
                if (method == "use" or fn is not handlers[-1]) and (
                    len(fn.ir.params) > 2 or any(one.name == "next" for one in fn.ir.params)
                ):
                    self.passing.add(fn.id)
            if handlers and isinstance(address, str) and method != "use":
                self.routed.setdefault(handlers[-1].id, f"{method.upper()} {address}"[: limits.COMPONENT_NAME])

    def _entry_point(self, fn: Fn, what: str) -> None:
        key = ("function", fn.id)
        if fn.id not in self.of_function:
            route = self.routed.get(fn.id, "")
            name = fn.name if fn.name.isidentifier() and fn.name not in _UNNAMED else route or self.places.named(fn)
            node = self._node(key, "entry-point", name or fn.name, fn, fn.ir.start)
            node.detail["kind"] = what
            if route:
                node.detail["route"] = route
            node.bodies[fn.id] = fn
            self.of_function[fn.id] = key

    def _mains(self) -> None:
        """Scripts that are started by themselves."""
        for mod in self.symbols.modules:
            if is_test(mod.path):
                continue
            if mod.script:
                program = self.files[mod.path].text.startswith("#!")
                for fn in (*scripts.started(self.places, mod, program), *scripts.exported(self.places, mod)):
                    self._entry_point(fn, "script")
                continue
            if self.places.draws(mod):
                key: Key = ("main", mod.id)
                node = self._node(key, "entry-point", mod.path.rpartition("/")[2].removesuffix(".py"), mod.body, 0)
                node.detail["kind"] = "ui"
                self.of_function.setdefault(mod.body.id, key)
                node.bodies[mod.body.id] = mod.body
                continue
            names = {one.dst for one in mod.body.ir.body if type(one) is ir.Name and one.name == "__name__"}
            for arm in (arm for one in mod.body.ir.body if type(one) is ir.If for arm in one.arms):
                cond = arm.cond
                pre = cond.pre if type(cond) is ir.Leaf else []
                names |= {one.dst for one in pre if type(one) is ir.Name and one.name == "__name__"}
                if any(type(one) is ir.Test and one.op == "==" and {one.left, one.right} & names for one in pre):
                    key = ("main", mod.id)
                    self.of_function.setdefault(mod.body.id, key)
                    node = self._node(key, "entry-point", "__main__", mod.body, pre[0].start)
                    node.detail["kind"] = "script"
                    node.bodies[mod.body.id] = mod.body
                    break

    def _scripts(self) -> None:
        """The functions that console scripts of the package start."""
        for folder, module, name in self.beside.scripts:
            ending = module.replace(".", "/")
            for mod in self.symbols.modules:
                path = mod.path.removesuffix(".py").removesuffix("/__init__")
                if not mod.script and path.startswith(folder) and (path == ending or path.endswith(f"/{ending}")):
                    for bound in self.symbols.name(mod, name):
                        if isinstance(bound, Fn):
                            self._entry_point(bound, "script")

    def _runs(self) -> None:
        """A ``__main__.py``, and a ``main.py`` that asks a model or an agent where it is run."""
        for mod in self.symbols.modules:
            file = mod.path.rpartition("/")[2]
            if file not in ("__main__.py", "main.py") or ("main", mod.id) in self.nodes or is_test(mod.path):
                continue
            uses = self.calls_in.get(mod.body.id, ())
            start = min((at for _, _, at in uses), default=-1)
            if file == "__main__.py" and start < 0:
                start = max((one.start for one in mod.body.ir.body if type(one) is ir.Call), default=-1)
            if start >= 0:
                node = self._node(("main", mod.id), "entry-point", file.removesuffix(".py"), mod.body, start)
                node.detail["kind"] = "script"
                node.bodies[mod.body.id] = mod.body

    def _approvals(self) -> None:
        """Functions that ask a person before something goes on."""
        for fn in self.symbols.functions:
            if fn.index and not fn.module.script and not is_test(fn.module.path):
                places = self.places.approvals(fn)
                if places:
                    key: Key = ("approval", fn.id)
                    self._node(key, "guard", fn.name, fn, fn.ir.start)
                    self.calls_in.setdefault(fn.id, [])
                    self.guards.setdefault(fn.id, []).append((key, places[0]))

    def _secrets(self) -> None:
        """Keys and passwords that the code reads: one for each name and file."""
        kept: set[str] = set()
        for cls in self.symbols.classes:
            for name, start in self.places.fields(cls) if not is_test(cls.module.path) else ():
                kept.add(name)
                self._node(("secret", cls.module.id, name), "secret", name, cls.module.body, start)
        for source in sorted(self.solver.sources("secret"), key=lambda one: (one.fn.module.id, one.start)):
            name = source.text.rpartition(" ")[2]
            if not is_test(source.fn.module.path) and name not in kept:  # of settings, the field is where it comes in
                self._node(("secret", source.fn.module.id, name), "secret", name, source.fn, source.start)
        for fn in self.symbols.functions:
            if not fn.module.script and not is_test(fn.module.path):
                for name, start in self.places.settings(fn):
                    key = ("secret", fn.module.id, name)
                    if key not in self.nodes or self.nodes[key].start > start:
                        self.nodes[key] = Node("secret", name, fn, start, self.line_end(fn, start))

    def _text_field(self, cls: Cls, name: str) -> str:
        for at in cls.mro:
            field = at.ir.fields.get(name)
            if field is not None and field.value >= 0:
                fn = at.module.functions[at.ir.function]
                return next((text.literal for text in self.places.texts(fn, field.value) if text.fixed), "")[: limits.COMPONENT_NAME]
        return ""

    def _tool(self, fn: Fn) -> Key:
        """A function that is a tool."""
        key = self.of_function.get(fn.id)
        if key is None:
            key = self.of_function[fn.id] = ("function", fn.id)
            self._node(key, "tool", fn.name, fn, fn.ir.start).bodies[fn.id] = fn
        return key
