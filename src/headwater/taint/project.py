"""Questions about the project that every function run asks again, answered once: bindings, overrides, defaults, models.

Nothing here changes while functions are solved; what functions do to one another's data is in ``headwater.taint.solve``.
"""

from __future__ import annotations

from typing import Any

from headwater import ir, limits
from headwater.apis import conditions
from headwater.apis.load import Catalogue
from headwater.apis.paths import CALL, ApiPath, expand, split
from headwater.apis.schema import Api
from headwater.files.versions import Versions
from headwater.index.calls import COMMON_METHODS, COMMON_OF_SCRIPTS, instructions
from headwater.index.entities import EXTERNAL, Cls, Fn, Inst, Mod, Var
from headwater.index.symbols import Symbols
from headwater.taint import amounts, secrets
from headwater.taint.labels import ALL, OBJECT, Source, bits
from headwater.taint.summary import Sink
from headwater.taint.validators import Body, declared
from headwater.taint.value import NO_CONST, Value

_VALIDATING = frozenset({"BaseModel", "SQLModel", "RootModel", "BaseSettings", "Struct"})
"""Names of base classes that check the annotated types of what they are given."""
_DATA = frozenset({
    "__add__", "__bytes__", "__call__", "__contains__", "__format__", "__fspath__", "__getattr__", "__getitem__", "__getstate__",
    "__html__", "__iter__", "__json__", "__len__", "__next__", "__radd__", "__str__", "as_dict", "asdict", "dict", "json", "model_dump",
    "model_dump_json", "serialize", "to_dict", "to_json", "to_string",
})  # fmt: skip
"""Methods of objects that are data, or can be made into data."""
_PLAIN_BASES = frozenset({"ABC", "Generic", "Module", "Protocol", "object"})
"""Names of bases of which an object is no data."""

_Scan = tuple[dict[int, tuple[tuple[ApiPath[Any], Api], ...]], dict[str, ApiPath[Any]]]


class Project:
    """The index and the models, with what was asked of them before."""

    def __init__(self, symbols: Symbols, catalogue: Catalogue, versions: Versions | None = None) -> None:
        self.symbols = symbols
        self.versions = versions or Versions()
        """What is declared of the versions of libraries."""
        self.catalogue = catalogue
        self.classes: frozenset[str] = frozenset()
        """The sink classes of which a rule speaks."""
        self.counts: dict[str, int] = {}
        self._doing: dict[int, bool] = {}
        self._mappings: dict[int, bool] = {}
        self.classes_in: dict[int, list[Cls]] = {}
        """The classes whose bodies are in a function."""
        for cls in symbols.classes:
            self.classes_in.setdefault(cls.module.functions[cls.ir.function].id, []).append(cls)
        self.unknowns: tuple[ApiPath[Any] | None, ApiPath[Any] | None] = (catalogue.paths.root("?"), catalogue.paths.root("?:"))
        """Receivers of which nothing is known, in Python and in scripts."""
        self.names_of: tuple[dict[str, ApiPath[Any]], dict[str, ApiPath[Any]]] = ({}, {})
        """Those of which the name alone is known."""
        self.libraries = catalogue.once("libraries", catalogue.paths.first_names)
        """First names of the libraries of which models speak."""
        for name in catalogue.once("names", lambda: sorted(name for name in self.libraries if name.startswith("?"))):
            node = catalogue.paths.root(name) if name not in ("?", "?:") else None
            if node is not None:
                self.names_of[name.startswith("?:")][name.lstrip("?:")] = node
        models = catalogue.once("models", lambda: tuple(_models_among(names, catalogue) for names in self.names_of))
        self.models_of = tuple({name: names[name] for name in among} for names, among in zip(self.names_of, models, strict=True))
        """Those of them that are names of language models and chains."""
        self.operators = catalogue.operators
        chain = catalogue.paths.find("langchain_core.runnables.RunnableSequence()")
        self.chain_refs: tuple[Any, ...] = (chain,) if chain is not None else ()
        self._sources: dict[Any, Source] = {}
        self._sinks: dict[Any, Sink] = {}
        self._bindings: dict[tuple[int, str], tuple[Any, ...]] = {}
        self._methods: dict[tuple[int, str], tuple[Fn, ...]] = {}
        self._receivers: dict[tuple[tuple[Any, ...], tuple[Cls, ...], bool], tuple[Any, ...]] = {}
        self._family: dict[int, tuple[Cls, ...]] = {}
        self._defaults: dict[tuple[int, int], Any] = {}
        self._switches: dict[tuple[int, str], Any] = {}
        self._clean: dict[str, frozenset[str]] = {}
        self._clears: dict[str, int] = {}
        self._iteration: dict[int, tuple[Fn | None, Fn | None]] = {}
        self._checked: dict[tuple[int, str], tuple[int, tuple[Fn, ...]]] = {}
        self._bodies: dict[int, Body] = {}
        self._scans: dict[tuple[int, int], _Scan] = {}
        self._answerers = catalogue.once("answerers", lambda: _answerers(catalogue))
        """Libraries with decorators that say something of what a function returns."""
        self._stateful: dict[str, bool] = {}
        self._candidates: dict[tuple[str, bool], tuple[Any, ...]] = {}
        self._replaced: dict[tuple[int, str], bool] = {}
        self.objects: dict[str | int, tuple[Cls, ...]] = {}
        """Keys of access paths that say of which classes an object is."""
        self.related: dict[tuple[int, int], bool] = {}
        """Whether an object of a class can be of another, as far as somebody has asked."""

    def count(self, what: str, number: int = 1) -> None:
        """Count an event for the ledger."""
        self.counts[what] = self.counts.get(what, 0) + number

    def object_key(self, classes: tuple[Cls, ...]) -> str:
        """The key of an access path that says that what comes before is an object of one of some classes."""
        key = OBJECT + ",".join(sorted(str(cls.id) for cls in classes))
        self.objects[key] = classes
        return key

    def family(self, cls: Cls) -> tuple[Cls, ...]:
        """The classes whose methods may write a field of an instance: its MRO and its subclasses, where they are few."""
        known = self._family.get(cls.id)
        if known is None:
            children = cls.descendants(limits.OVERRIDES)
            if len(children) > limits.OVERRIDES:
                children = []  # what an instance of any of many classes holds says little of this one
            known = self._family[cls.id] = tuple(dict.fromkeys((*cls.mro, *children)))
        return known

    def bindings(self, mod: Mod, name: str) -> tuple[Any, ...]:
        """What a free name is in a function of ``mod``."""
        key = (mod.id, name)
        known = self._bindings.get(key)
        if known is None:
            known = self._bindings[key] = tuple(one for one in self.symbols.name(mod, name))
        return known

    def methods(self, cls: Cls, name: str) -> tuple[Fn, ...]:
        """The method of an instance and its overrides in subclasses (an abstract one gives way to them)."""
        key = (cls.id, name)
        known = self._methods.get(key)
        if known is not None:
            return known
        own = cls.method(name)
        made: list[Fn] = [own] if own is not None else []
        if own is not None and not cls.children and any(base.name.rpartition(".")[2] == "Protocol" for base in cls.ir.bases):
            candidates = self.symbols.methods_named(name, cls.module)
            if len(candidates) <= limits.OVERRIDES:
                made += [fn for fn in candidates if fn is not own]
        if own is not None or cls.children:
            children, all_of_them = cls.overriders(own)
            over = [child.methods[name] for child in children if name in child.methods]
            if all_of_them:
                made += over
            elif over:
                self.count("overrides-cut")
        self._methods[key] = tuple(dict.fromkeys(made))
        return self._methods[key]

    def computed(self, cls: Cls, getter: Fn) -> bool:
        """Whether a property is no more than what getters return: it has no setter, and no class has a field in its place."""
        name, own = getter.name, getter.cls
        if own is None or len(own.ir.methods[name]) > 1 or "abstract" in getter.ir.flags:
            return False
        return not any(name in one.written or name in one.ir.fields for one in self.family(cls))

    def receivers(self, refs: tuple[Any, ...], classes: tuple[Cls, ...], bases: bool = False) -> tuple[Any, ...]:
        """What a value can be that is of one of some classes, the class of a method that is called on it: of what it may be, that alone.

        ``bases``: where it is said to be of a base, it is of the class.
        """
        if not refs or (len(refs) == 1 and len(classes) == 1 and refs[0] is classes[0].instance):
            return refs
        key = (refs, classes, bases)
        known = self._receivers.get(key)
        if known is None:
            theirs = [ref for ref in refs if type(ref) is Inst]
            kept = [ref for ref in theirs if any(cls in ref.cls.mro for cls in classes)]
            for cls in classes if bases else ():
                if cls.instance not in kept and any(ref not in kept and ref.cls in cls.mro for ref in theirs):
                    kept.append(cls.instance)
            if not kept or kept == theirs:
                known = refs
            else:
                paths = {path for ref in theirs if ref not in kept for path in ref.paths}.difference(*(ref.paths for ref in kept))
                others = [ref for ref in refs if type(ref) is not Inst and ref not in paths]
                known = tuple(sorted((*kept, *others), key=lambda ref: ref.key))
            self._receivers[key] = known
        return known

    def switch(self, cls: Cls, name: str) -> Any:
        """The default of a field that is a truth value: in the class body, or of the parameter that the constructor keeps in it."""
        key = (cls.id, name)
        if key not in self._switches:
            self._switches[key] = self._switch(cls, name)
        return self._switches[key]

    def _switch(self, cls: Cls, name: str) -> Any:
        init = cls.method("__init__")
        if init is not None:
            for instr in init.ir.body:
                if isinstance(instr, ir.StoreAttr) and instr.obj == 0 and instr.name == name:
                    default = self.default(init, instr.src) if instr.src < len(init.ir.params) else NO_CONST
                    return default if isinstance(default, bool) else NO_CONST
        for one in cls.mro:
            field = one.ir.fields.get(name)
            if field is None or field.value < 0:
                continue
            known: dict[int, Any] = {}
            for instr in one.module.functions[0].ir.body:
                if isinstance(instr, ir.Const):
                    known[instr.dst] = instr.value
                elif isinstance(instr, ir.Call):  # Field(False, ...), field(default=False)
                    named = dict(instr.kw)
                    first = named.get("default", instr.args[0] if instr.args else -1)
                    known[instr.dst] = known.get(first, NO_CONST)
                if getattr(instr, "dst", -1) == field.value:
                    break
            default = known.get(field.value, NO_CONST)
            return default if isinstance(default, bool) else NO_CONST
        return NO_CONST

    def default(self, fn: Fn, param: int) -> Any:
        """The default of a parameter where it is a literal."""
        key = (fn.id, param)
        if key not in self._defaults:
            found: Any = NO_CONST
            if param < len(fn.ir.params):
                register = fn.ir.params[param].default
                for instr in fn.ir.defaults:
                    if isinstance(instr, ir.Const) and instr.dst == register:
                        found = instr.value
            self._defaults[key] = found
        return self._defaults[key]

    def candidates(self, name: str, mod: Mod) -> tuple[Any, ...]:
        """Candidates for an attribute of a receiver about which nothing is known, in code of the language of ``mod``."""
        known = self._candidates.get((name, mod.script))
        if known is None:
            unknown = self.unknowns[mod.script]
            child = unknown.child(name) if unknown is not None else None
            found: list[Any] = [child] if child is not None else []
            common = COMMON_OF_SCRIPTS if mod.script else COMMON_METHODS
            methods = self.symbols.methods_named(name, mod) if name not in common else []
            if len(methods) <= limits.CANDIDATES:
                found += [method for method in methods if "property" not in method.ir.flags]
            known = self._candidates[(name, mod.script)] = tuple(found)
        return known

    def replaced(self, cls: Cls, name: str) -> bool:
        """Whether objects of a class get another function in the place of a method (``self.run = run``)."""
        known = self._replaced.get((cls.id, name))
        if known is None:
            known = self._replaced[(cls.id, name)] = any(name in one.written for one in self.family(cls))
        return known

    def iteration(self, cls: Cls) -> tuple[Fn | None, Fn | None]:
        """The methods that give the next element and the iterator of an instance."""
        known = self._iteration.get(cls.id)
        if known is None:
            known = (cls.method("__next__") or cls.method("__anext__"), cls.method("__iter__") or cls.method("__aiter__"))
            self._iteration[cls.id] = known
        return known

    def answers(self, fn: Fn) -> tuple[tuple[ApiPath[Any], Api], ...]:
        """The decorators of a function that make its calls return data of others."""
        return tuple(one for one in self._decorators(fn) if one[1].decorates is not None and one[1].decorates.returns)

    def gives(self, fn: Fn) -> tuple[str, ...]:
        """The sink classes of what a function returns, by its decorators: the answer of a route, a part of the system prompt."""
        found = [one[1].decorates.gives for one in self._decorators(fn) if one[1].decorates is not None]
        for path in fn.cls.instance.paths if fn.cls is not None else ():
            child = path.child(fn.ir.name)
            callbacks = (getattr(entry, "overridden", None) for entry in (child.entries if child is not None else ()))
            found += [one.gives for one in callbacks if one is not None]
        return tuple(dict.fromkeys(class_ for class_ in found if class_ in self.classes))

    def _decorators(self, fn: Fn) -> tuple[tuple[ApiPath[Any], Api], ...]:
        """The decorators that say something of what a function returns."""
        if fn.ir.parent < 0:
            return ()
        return self._scanned(fn.module, fn.ir.parent)[0].get(fn.index, ())

    def _scanned(self, mod: Mod, parent: int) -> _Scan:
        """Such decorators of the functions in one function (or module body), read from names alone: callers may be solved first.

        With them, what the named variables are.
        """
        key = (mod.id, parent)
        known = self._scans.get(key)
        if known is None:
            self._scans[key] = ({}, {})  # of modules that import one another
            known = self._scans[key] = self._scan(mod, parent)
        return known

    def _scan(self, mod: Mod, parent: int) -> _Scan:
        found: dict[int, tuple[tuple[ApiPath[Any], Api], ...]] = {}
        if not self._knows(mod) and not any(self._path_of(mod, name) for name in mod.ir.imports):
            return {}, {}
        paths: dict[int, ApiPath[Any] | None] = {}
        functions: dict[int, int] = {}
        for instr in instructions(mod.ir.functions[parent].body):
            kind = type(instr)
            if kind is ir.Name:
                paths[instr.dst] = self._path_of(mod, instr.name)
            elif kind is ir.Move:
                paths[instr.dst] = paths.get(instr.src)
            elif kind is ir.Attr or kind is ir.Call:
                before = paths.get(instr.obj if kind is ir.Attr else instr.fn)
                paths[instr.dst] = before.child(instr.name if kind is ir.Attr else CALL) if before is not None else None
            elif kind is ir.Func:
                functions[instr.dst] = instr.function
            elif kind is ir.Decorate and instr.target in functions:
                function = functions[instr.dst] = functions[instr.target]
                node = paths.get(instr.decorator)
                for entry in node.entries if node is not None else ():
                    if isinstance(entry, Api) and entry.decorates is not None and (entry.decorates.returns or entry.decorates.gives):
                        assert node is not None
                        found[function] = (*found.get(function, ()), (node, entry))
        names = mod.ir.functions[parent].names
        return found, {name: path for name, register in names.items() if (path := paths.get(register)) is not None}

    def _path_of(self, mod: Mod, name: str) -> ApiPath[Any] | None:
        """What a free name is in a library, also by way of a variable of a module (``app = FastAPI()``)."""
        for one in self.bindings(mod, name):
            if isinstance(one, ApiPath):
                return one
            if isinstance(one, Var) and self._knows(one.module):
                return self._scanned(one.module, 0)[1].get(one.name)
        return None

    def _knows(self, mod: Mod) -> bool:
        """Whether a file imports a library that has such decorators."""
        return any(alias.path.partition(".")[0] in self._answerers for alias in mod.ir.imported)

    def declared(self, fn: Fn, condition: str) -> str:
        """What is declared of the libraries that a condition asks for, in words."""
        libraries = conditions.libraries(conditions.condition(condition))
        return "; ".join(words for one in libraries if (words := self.versions.words(fn.module.path, one)))

    def clean_of(self, node: ApiPath[Any]) -> frozenset[str]:
        """Attributes of a call's result that carry no data of others."""
        known = self._clean.get(node.text)
        if known is None:
            call = self.catalogue.paths.find(node.text[: -len(CALL)])
            known = frozenset(name for entry in (call.entries if call is not None else ()) for name in getattr(entry, "clean", ()))
            self._clean[node.text] = known
        return known

    def checked_field(self, cls: Cls, name: str) -> tuple[int, tuple[Fn, ...]]:
        """For which sink classes a field is safe because the class checks what it is given (pydantic), and the functions that check it.

        Numbers and words of a fixed set are safe for all.
        """
        key = (cls.id, name)
        known = self._checked.get(key)
        if known is None:
            safe = 0
            checks: list[Fn] = []
            if any(base.name.rpartition(".")[2] in _VALIDATING for one in cls.mro for base in one.ir.bases):
                for one in cls.mro:
                    field = one.ir.fields.get(name)
                    if field is not None:
                        type_ = self.symbols.type_value(one.module, field.annotation, one)
                        body = self._class_body(one)
                        safe = ALL if type_.scalar or type_.literal else body.pattern(field.value) | declared(field.annotation)
                        if type_.scalar and amounts.limits_work(name):
                            limited = amounts.constrained(field.annotation, body.keywords(field.value))
                            safe = ALL if limited else amounts.FOLLOWED
                        break
                for one in cls.mro:
                    checks += self._class_body(one).validators(one).get(name, ())
            known = self._checked[key] = safe, tuple(checks)
        return known

    def _class_body(self, cls: Cls) -> Body:
        known = self._bodies.get(cls.id)
        if known is None:
            known = self._bodies[cls.id] = Body(cls.module.functions[cls.ir.function].ir.body)
        return known

    def setting(self, cls: Cls, name: str) -> bool:
        """Whether a field of a class holds a secret that is read from the environment (pydantic-settings), as text that shows it."""
        if not secrets.named(name) or not any(base.name.rpartition(".")[2] == "BaseSettings" for one in cls.mro for base in one.ir.bases):
            return False
        field = next((one.ir.fields[name] for one in cls.mro if name in one.ir.fields), None)
        return field is not None and field.annotation is not None and not _hides(field.annotation)

    def does_things(self, cls: Cls) -> bool:
        """Whether objects of a class do things and are no data (an agent, a client): what one of their fields holds is not what they are.

        Such a class has methods, none that makes it data, and bases that are known, or it is a kind of such a class.
        """
        known = self._doing.get(cls.id)
        if known is None:
            self._doing[cls.id] = False  # of classes that derive from one another
            names = {name for one in cls.mro for name in one.methods}
            known = any(self.does_things(base) for base in cls.mro[1:]) or (
                names.isdisjoint(_DATA)
                and any(not name.startswith("__") for name in names)
                and not any(one.ir.decorators for one in cls.mro)
                and all(self._known_base(cls, one, base.name) for one in cls.mro for base in one.ir.bases)
            )
            self._doing[cls.id] = known
        return known

    def is_mapping(self, cls: Cls) -> bool:
        """Whether a class says of a dict which keys it has (``TypedDict``)."""
        known = self._mappings.get(cls.id)
        if known is None:
            named = {base.name.rpartition(".")[2] for one in cls.mro for base in one.ir.bases}
            typed = any("Mapping" in path.types for path in cls.instance.paths)
            known = self._mappings[cls.id] = typed or "TypedDict" in named
        return known

    def _known_base(self, cls: Cls, one: Cls, name: str) -> bool:
        """Whether a base of a class says nothing of data: it is in the project, or a plain one."""
        return name.rpartition(".")[2] in _PLAIN_BASES or any(found in cls.mro for found in self.symbols.type_names(one.module, name))

    def clears_when_read(self, node: ApiPath[Any]) -> int:
        """Sink classes for which an attribute is safe when it is read (``Path(x).name``)."""
        known = self._clears.get(node.text)
        if known is None:
            known = 0
            for entry in node.entries:
                known |= bits(getattr(entry, "clears", []))
            self._clears[node.text] = known
        return known

    def holds_state(self, node: ApiPath[Any]) -> bool:
        """Whether methods of the object change it (``StringIO().write``)."""
        known = self._stateful.get(node.text)
        if known is None:
            known = False
            for name in self.catalogue.paths.names_after(node):
                child = node.child(name)
                known = known or (child is not None and any("self" in getattr(entry, "into", ()) for entry in child.entries))
            self._stateful[node.text] = known
        return known

    def unknown_thing(self, value: Value) -> bool:
        """Whether nothing is known of a value, or only that a library made it of which no model speaks."""
        return not value.allocs and value.const is NO_CONST and self.foreign(value)

    def foreign(self, value: Value) -> bool:
        """Whether a value is nothing of the project or of a library of which models speak, as far as is known."""
        return all(
            ref is EXTERNAL
            or (isinstance(ref, ApiPath) and not ref.entries and (ref.text[0] == "?" or ref.text.partition(".")[0] not in self.libraries))
            for ref in value.refs
        )

    def makes_chain(self, left: Value, right: Value) -> bool:
        """Whether ``left | right`` is a chain."""
        before, after = _types_of(left), _types_of(right)
        return any(
            one.op == "|" and (not one.left or one.left in before) and (not one.right or one.right in after) for one in self.operators
        )

    def source(self, kind: str, fn: Fn, start: int, end: int, text: str) -> Source:
        """The source at a place (one object for each)."""
        made = Source(kind, fn, start, end, text)
        return self._sources.setdefault((made.key), made)

    def sources(self, kind: str) -> list[Source]:
        """All sources of a kind, in the order in which they were met."""
        return [one for one in self._sources.values() if one.kind == kind]

    def sink(self, class_: str, fn: Fn, start: int, end: int, name: str, does: str, confidence: str, note: str = "") -> Sink:
        """The sink at a place (one object for each)."""
        made = Sink(class_, fn, start, end, name, does, confidence, note)
        return self._sinks.setdefault(made.key, made)


def _hides(type_: ir.Type) -> bool:
    """Whether a type shows stars instead of what it holds."""
    return type_.name.rpartition(".")[2] in ("SecretStr", "SecretBytes", "Secret") or any(_hides(one) for one in type_.args)


def _answerers(catalogue: Catalogue) -> frozenset[str]:
    return frozenset(
        split(root)[0]
        for path, entry in catalogue.placed
        if isinstance(entry, Api) and entry.decorates is not None and (entry.decorates.returns or entry.decorates.gives)
        for one in expand(path)
        for typed in catalogue.types.get(split(one)[0], [one])
        for root in expand(typed)
    )


def _models_among(names: dict[str, ApiPath[Any]], catalogue: Catalogue) -> list[str]:
    return [name for name, node in names.items() if _is_model(node, catalogue)]


def _is_model(node: ApiPath[Any], catalogue: Catalogue) -> bool:
    """Whether a name is one of a language model: some method of it asks the model."""
    children = (node.child(name) for name in catalogue.paths.names_after(node))
    return any(getattr(entry, "is_", "") == "llm-call" for child in children if child is not None for entry in child.entries)


def _types_of(value: Value) -> set[str]:
    """The types of models that a value is, or an instance of a class that derives from one."""
    found: set[str] = set()
    for ref in value.refs:
        found |= getattr(ref, "types", frozenset())
        for path in getattr(ref, "paths", ()):
            found |= path.types
    return found
