"""Names to entities: module names, imports, re-exports, classes with their MRO, types of annotations.

Aliases are resolved lazily, each at most once, with a check for cycles. Edges between functions are in ``headwater.index.calls``.
"""

from __future__ import annotations

import builtins
from collections import defaultdict
from functools import cached_property
from typing import Any

from headwater import ir, limits
from headwater.apis.paths import CALL, ApiPath, Patterns
from headwater.files.npm import Npm
from headwater.index.entities import EXTERNAL, Binding, Cls, Fn, Inst, Mod, Var, is_test
from headwater.index.scripts import Scripts

_BUILTINS = frozenset(dir(builtins)) | {
    "unicode", "raw_input", "file", "long", "xrange", "basestring", "reduce", "execfile", "unichr",  # Python 2
    "get_ipython",  # of notebooks, and of scripts made from them
}  # fmt: skip
_WORDS = frozenset({"super", "str", "float", "bool", "None"})
"""What the frontend of scripts says with Python's words."""
_TRANSPARENT = frozenset({"Optional", "Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly", "Awaitable", "Self"})
_UNIONS = frozenset({"Union", "|", "Optional"})
_ADDRESSES = frozenset({"str", "URL", "RequestInfo"})
_REQUEST = "js:Request()"
"""An address or a request is what is handed to ``fetch``: it goes out, and has not come in."""
_SEQUENCES = frozenset({
    "list", "List", "tuple", "Tuple", "set", "Set", "frozenset", "FrozenSet", "deque", "Deque", "AbstractSet", "Collection", "Iterable",
    "Iterator", "Sequence", "MutableSequence", "Generator", "AsyncIterable", "AsyncIterator", "AsyncGenerator",
})  # fmt: skip
_ENUMS = frozenset({"Enum", "StrEnum", "IntEnum", "IntFlag", "Flag"})
_MAPPINGS = frozenset({"dict", "Dict", "Mapping", "MutableMapping", "DefaultDict", "OrderedDict", "defaultdict"})


_MRO = 65
"""Classes of one MRO."""


class TypeValue:
    """What a type expression says of a value: references of an instance, and those of its elements."""

    __slots__ = ("elements", "held", "literal", "refs", "scalar")

    def __init__(
        self,
        refs: tuple[Any, ...] = (),
        elements: TypeValue | None = None,
        scalar: bool = False,
        literal: bool = False,
        held: tuple[str, TypeValue] | None = None,
    ) -> None:
        self.refs = refs
        self.elements = elements
        self.held = held
        """An attribute whose type the expression tells: ``.deps`` of a ``RunContext[Deps]``."""
        self.scalar = scalar
        """A number, a truth value, an enumeration, a UUID: no text of an attacker fits in."""
        self.literal = literal


_HOLDERS = {"RunContext": "deps", "RunContextWrapper": "context", "ToolContext": "context", "AgentHookContext": "context"}
"""Names of generic classes of libraries that hold what the caller of an agent hands to its functions, and the attribute that it is."""
_NO_TYPE = ir.Type("?")
_NOTHING = TypeValue()
_SCALARS = frozenset({
    "int", "float", "bool", "complex", "None", "uuid.UUID", "decimal.Decimal", "datetime.datetime", "datetime.date", "datetime.timedelta",
})  # fmt: skip


class Symbols:
    """The index of one project."""

    def __init__(self, modules: list[ir.Module], paths: Patterns[Any], npm: Npm | None = None) -> None:
        self.paths = paths
        self.libraries = paths.first_names()
        self.modules = [Mod(number, module) for number, module in enumerate(modules)]
        self.scripts = Scripts((mod for mod in self.modules if mod.script), npm or Npm())
        self.functions: list[Fn] = []
        self.classes: list[Cls] = []
        self._by_name: dict[str, list[Mod]] = defaultdict(list)
        self._by_place: dict[str, Mod] = {}
        self._beside: set[int] = set()
        """Modules with the name of a library, which their neighbours import by a longer name."""
        self._bindings: dict[tuple[int, str], tuple[Binding, ...]] = {}
        self._resolving: set[tuple[int, str]] = set()
        self._nothing: set[tuple[int, str]] = set()
        """Names that were found to be bound by nothing, in the lookup at hand."""
        self._stars: dict[int, list[list[Binding]]] = {}
        self._plain: dict[tuple[int, str], tuple[Binding, ...]] | None = None
        """While it is looked up what the modules of star imports are, and star imports do not count: what was found so far."""
        self._aliases: dict[int, dict[str, ir.Type]] = {}
        self._handed: set[int] | None = None
        self._types: dict[tuple[int, ir.Type], TypeValue] = {}
        self.methods_by_name: dict[str, list[Fn]] = defaultdict(list)
        self._name_modules()
        for mod in self.modules:
            self._enter(mod)
        self._link_classes()
        self._name_publicly()

    # ---------------------------------------------------------------------------------------------- modules

    def _name_modules(self) -> None:
        packages = {mod.path.rpartition("/")[0] for mod in self.modules if mod.is_package}
        like: dict[tuple[str, ...], list[Mod]] = defaultdict(list)
        for mod in self.modules:
            folder, _, file = mod.path.rpartition("/")
            stem = file.rpartition(".")[0]
            if mod.script or file.endswith(".ipynb"):  # scripts are found by their places, and nothing imports a notebook
                mod.name = stem
                continue
            place = folder if mod.is_package else f"{folder}/{stem}".lstrip("/")
            if place not in self._by_place or not mod.path.endswith(".pyi"):
                self._by_place[place] = mod
            parts = [part for part in place.split("/") if part]
            # The root of its package tree: the highest folder above it in an unbroken line of packages.
            top = folder
            while top in packages and "/" in top and top.rpartition("/")[0] in packages:
                top = top.rpartition("/")[0]
            above = top.rpartition("/")[0] if top in packages else folder
            skip = len([part for part in above.split("/") if part])
            names = []
            if parts[skip:]:
                names.append(".".join(parts[skip:]))
            if "src" in parts[:-1]:  # src/ layout with namespace packages
                names.append(".".join(parts[parts.index("src") + 1 :]))
            if parts:
                names.append(".".join(parts))
            mod.names = tuple(dict.fromkeys(name for name in names if name))
            if skip and len(parts) > skip and parts[skip] in self.libraries:
                like[tuple(parts[: skip + 1])].append(mod)
            mod.name = mod.names[0] if mod.names else (stem or "__init__")
        for place_of, mods in like.items():
            self._told_from_library(place_of, mods)
        for mod in self.modules:
            for name in mod.names:
                if mod not in self._by_name[name]:
                    self._by_name[name].append(mod)

    def _told_from_library(self, top: tuple[str, ...], mods: list[Mod]) -> None:
        """Modules in a folder (or file) that has the name of a library: where the project imports them by a longer name only, from a
        folder above that is no package (``stores.duckdb``), their own ``import duckdb`` is the library."""
        longer = next((name for start in range(len(top) - 1) if (name := ".".join(top[start:])) in self._imported), "")
        if not longer:
            return
        short = top[-1]
        for mod in mods:
            rest = mod.names[0].removeprefix(short)
            if rest and mod.names[0] in self._imported:
                return  # some file is started beside it
            passed_on = (name for name, made in mod.ir.imports.items() if any(one.level for one in made))
            own = {*mod.ir.definitions, *mod.ir.functions[0].names, *passed_on}
            if any(f"{mod.names[0]}.{name}" in self._imported for name in own):
                return
        for mod in mods:
            self._beside.add(mod.id)
            mod.names = tuple(dict.fromkeys([longer + mod.names[0].removeprefix(short), *mod.names[1:]]))
            mod.name = mod.names[0]

    @cached_property
    def _imported(self) -> set[str]:
        """The absolute dotted names that the project imports, and what they begin with."""
        made: set[str] = set()
        for mod in self.modules:
            for aliases in mod.ir.imports.values() if not mod.script else ():
                for one in aliases:
                    path = "" if one.level else one.path
                    while path and path not in made:
                        made.add(path)
                        path = path.rpartition(".")[0]
        return made

    def module(self, name: str, importer: Mod | None = None) -> Mod | None:
        """The module of a dotted name; of several, the one nearest to the importer."""
        found = self._by_name.get(name)
        if not found:
            return None
        if len(found) == 1 or importer is None:
            return found[0]
        here = importer.path.split("/")

        def near(mod: Mod) -> int:
            count = 0
            for a, b in zip(mod.path.split("/"), here, strict=False):
                if a != b:
                    break
                count += 1
            return count

        return max(found, key=lambda mod: (near(mod), not mod.path.endswith(".pyi"), -mod.id))

    def _place(self, mod: Mod, level: int, path: str) -> str:
        """The place (folder/file without suffix) of a relative import."""
        parts = mod.path.split("/")[:-1]
        up = level - 1
        if up > len(parts):
            return "\0"
        parts = parts[: len(parts) - up]
        return "/".join(parts + ([part for part in path.split(".") if part] if path else []))

    # -------------------------------------------------------------------------------------------- entities

    def _enter(self, mod: Mod) -> None:
        for cls in mod.ir.classes:
            made = Cls(len(self.classes), mod, cls)
            self.classes.append(made)
            mod.classes.append(made)
        for index, function in enumerate(mod.ir.functions):
            fn = Fn(len(self.functions), mod, index, function)
            self.functions.append(fn)
            mod.functions.append(fn)
            if function.cls >= 0:
                fn.cls = mod.classes[function.cls]
        mod.body = mod.functions[0]
        for cls_ in mod.classes:
            for name, indices in cls_.ir.methods.items():
                real = [mod.functions[index] for index in indices]
                plain = [fn for fn in real if "overload" not in fn.ir.flags and "setter" not in fn.ir.flags] or real
                cls_.methods[name] = plain[-1]
                if len(real) > 1 or "setter" in real[0].ir.flags:
                    setters = [fn for fn in real if "setter" in fn.ir.flags]
                    cls_.setters |= {name: setters[-1]} if setters else {}
                if not is_test(mod.path):  # what a test makes in place of the real thing is no real thing
                    self.methods_by_name[name].append(plain[-1])
        for fn in mod.functions:
            if fn.cls is not None and fn.bound and fn.ir.params and fn.ir.annotations:
                self._fields_of_method(fn, fn.cls.ir.fields)

    @staticmethod
    def _fields_of_method(fn: Fn, fields: dict[str, ir.Field]) -> None:
        """``self.client: T = ...`` in a method declares a field as the class body does; what the body says comes first."""
        for text, annotation in fn.ir.annotations.items():
            owner, _, name = text.partition(".")
            if owner == fn.ir.params[0].name and name and "." not in name and name not in fields:
                # ClassVar: no argument of a constructor that is made from the fields (dataclass, pydantic).
                fields[name] = ir.Field(name, fn.ir.start, fn.ir.start, ir.Type("ClassVar", (annotation,)))

    def lookup(self, mod: Mod, name: str) -> tuple[Binding, ...]:
        """What a module-level name of ``mod`` is; empty where nothing binds it."""
        key = (mod.id, name)
        known = self._bindings.get(key)
        if known is not None:
            return known
        if self._plain is not None and key in self._plain:
            return self._plain[key]
        if key in self._resolving or (self._plain is None and key in self._nothing) or len(self._resolving) >= limits.IMPORT_CHAIN:
            return ()
        self._resolving.add(key)
        try:
            found = self._lookup(mod, name)
        finally:
            self._resolving.discard(key)
        if self._plain is not None:
            self._plain[key] = found
            return found
        if not self._resolving:
            self._bindings[key] = found  # inside a cycle the answer may be partial: only whole ones are kept
            self._nothing.clear()
        elif found:
            self._bindings[key] = found
        else:
            self._nothing.add(key)
        return found

    def _starred(self, mod: Mod) -> list[list[Binding]]:
        """What the star imports of a file take their names from: modules that exist, and names that are bound by name."""
        known = self._stars.get(mod.id)
        if known is None:
            outer, self._resolving, self._plain = self._resolving, set(), {}  # the answer is kept: it is no part of the lookup at hand
            self._stars[mod.id] = known = [self.alias(mod, star) for star in mod.ir.stars]
            self._resolving, self._plain = outer, None
        return known

    def _lookup(self, mod: Mod, name: str) -> tuple[Binding, ...]:
        found: list[Binding] = []
        for kind, index in mod.ir.definitions.get(name, ()):
            found.append(mod.functions[index] if kind == "function" else mod.classes[index])
        found = found[-2:]
        for alias in mod.ir.imports.get(name, ()):
            found += self.alias(mod, alias)
        if name in mod.body.ir.names:
            found.append(Var(mod, name))
        if not found and mod.is_package:
            sub = self._by_place.get(f"{mod.path.rpartition('/')[0]}/{name}".lstrip("/"))
            if sub is not None:
                found.append(sub)
        if not found and self._plain is None and not (name.startswith("_") and not name.startswith("__")):
            for targets in self._starred(mod):
                for target in targets:
                    if isinstance(target, Mod) and target is not mod:
                        found += self.lookup(target, name)
                    elif isinstance(target, ApiPath):
                        child = target.child(name)
                        if child is not None:
                            found.append(child)
                if found:
                    break
        return tuple(dict.fromkeys(found))[: limits.REFS]

    def member(self, mod: Mod, name: str) -> tuple[Binding, ...]:
        """What ``name`` of a module is for others: of a script, what it exports."""
        return self._exported(mod, name, 0) if mod.script else self.lookup(mod, name)

    def _exported(self, mod: Mod, name: str, depth: int) -> tuple[Binding, ...]:
        local = mod.ir.exported.get(name)
        if local is not None:
            return self.lookup(mod, local)
        if name == "default":  # the whole of a CommonJS module
            return (mod,)
        for star in mod.ir.stars if depth < limits.IMPORT_CHAIN else ():
            target = self.scripts.find(mod, star.path)
            found = self._exported(target, name, depth + 1) if target is not None and target is not mod else ()
            if found:
                return found
        if "default" in mod.ir.exported:  # module.exports = { name }
            for one in self.lookup(mod, mod.ir.exported["default"]):
                if isinstance(one, Mod) and one is not mod and depth < limits.IMPORT_CHAIN:
                    return self._exported(one, name, depth + 1)
        return ()

    def _script_alias(self, mod: Mod, alias: ir.Alias) -> list[Binding]:
        """What an import of a script binds."""
        target = self.scripts.find(mod, alias.path)
        whole = alias.member in ("", "*")
        if target is not None:
            if whole and set(target.ir.exported) == {"default"} and target.ir.language == "javascript":
                return [*self.lookup(target, target.ir.exported["default"])]  # module.exports = something
            return [target] if whole else [*self._exported(target, alias.member, 0)]
        node: ApiPath[Any] | None = self.paths.root(alias.path) if not alias.path.startswith(".") else None
        if node is not None and not whole and alias.member != "default":
            node = node.child(alias.member)
        return [node] if node is not None else [EXTERNAL]

    def alias(self, mod: Mod, alias: ir.Alias) -> list[Binding]:
        """What an import binds."""
        if mod.script:
            return self._script_alias(mod, alias)
        if alias.level:
            return self._relative(mod, alias)
        return self.dotted(mod, alias.path)

    def _relative(self, mod: Mod, alias: ir.Alias) -> list[Binding]:
        parts = alias.path.split(".") if alias.path else []
        for length in range(len(parts), -1, -1):
            target = self._by_place.get(self._place(mod, alias.level, ".".join(parts[:length])))
            if target is None:
                continue
            if target is mod and length < len(parts):  # `from . import x` in the package itself: the submodule first
                sub = self._by_place.get(self._place(mod, alias.level, ".".join(parts)))
                if sub is not None:
                    return [sub]
            found = self._members(target, parts[length:])
            if found or length == len(parts):
                return found
        return []

    def dotted(self, mod: Mod | None, path: str) -> list[Binding]:
        """What an absolute dotted name is: the longest module of the project, then members; else an API path."""
        parts = path.split(".")
        for length in range(len(parts), 0, -1):
            target = self.module(".".join(parts[:length]), mod)
            if target is None and length == 1 and mod is not None and "/" in mod.path:
                # A script's neighbour: Python puts the folder of the script on its path.
                target = self._by_place.get(f"{mod.path.rpartition('/')[0]}/{parts[0]}")
                if target is mod or (target is not None and target.id in self._beside):
                    target = None
            if target is not None:
                found = self._members(target, parts[length:])
                if found:
                    return found
        node: ApiPath[Any] | None = self.paths.root(parts[0])
        if mod is not None:
            found = self._above(mod, parts, known=node is not None and parts[0] in self.libraries)
            if found:
                return found
        for part in parts[1:]:
            if node is None:
                break
            node = node.child(part)
        return [node] if node is not None else [EXTERNAL]

    def _above(self, mod: Mod, parts: list[str], known: bool) -> list[Binding]:
        """What a dotted name is below a folder above the importer: programs are started in one of them, whatever the packages say.

        ``known``: a library has the first name too. Then a program's own folder of that name counts where it has what is imported.
        """
        folder = mod.path.rpartition("/")[0]
        while folder:
            for length in range(len(parts) - known, known, -1):
                target = self._by_place.get("/".join((folder, *parts[:length])))
                if target is not None and target is not mod and not (known and folder in self._by_place):
                    found = self._members(target, parts[length:])
                    if found:
                        return found
            folder = folder.rpartition("/")[0]
        return []

    def _members(self, target: Mod, rest: list[str]) -> list[Binding]:
        found: list[Binding] = [target]
        for name in rest:
            after: list[Binding] = []
            for one in found:
                if isinstance(one, Mod):
                    after += self.lookup(one, name)
                elif isinstance(one, Cls):
                    method = one.method(name)
                    if method is not None:
                        after.append(method)
                elif isinstance(one, ApiPath):
                    after.append(one.child(name) or EXTERNAL)
                elif one is EXTERNAL:
                    after.append(EXTERNAL)
            found = after
        return found

    def methods_named(self, name: str, mod: Mod) -> list[Fn]:
        """Methods of a name, of classes in the language of ``mod``."""
        return [method for method in self.methods_by_name.get(name, ()) if method.module.script == mod.script]

    def name(self, mod: Mod, name: str) -> tuple[Binding, ...]:
        """What a free name in a function of ``mod`` is: module level, then builtins."""
        found = self.lookup(mod, name)
        if not found and mod.script and (name == "str" or name not in _WORDS):
            return (self.paths.root("js:String" if name == "str" else f"js:{name}") or EXTERNAL,)
        if not found and name in _BUILTINS:
            root = self.paths.root("builtins")
            node = root.child(name) if root is not None else None
            return (node if node is not None else EXTERNAL,)
        return found

    # --------------------------------------------------------------------------------------------- classes

    def _link_classes(self) -> None:
        for cls in self.classes:
            for base in cls.ir.bases:
                for found in self.type_names(cls.module, base.name, cls):
                    if isinstance(found, Cls) and found is not cls:
                        if found not in cls.bases:
                            cls.bases.append(found)
                    elif isinstance(found, ApiPath) and found not in cls.externals:
                        cls.externals.append(found)
        self._linearise()
        for cls in self.classes:
            for parent in cls.bases:
                stands_in = is_test(cls.module.path) and not is_test(parent.module.path)
                if cls not in parent.children and not stands_in:
                    parent.children.append(cls)

    def _linearise(self) -> None:
        """The MRO of every class, bases before what derives from them, without recursion."""
        done: set[int] = set()
        opened: set[int] = set()
        for cls in self.classes:
            stack = [cls]
            while stack:
                one = stack[-1]
                if one.id in done:
                    stack.pop()
                    continue
                waiting = [base for base in one.bases if base.id not in done and base.id not in opened]
                if waiting and one.id not in opened:
                    opened.add(one.id)
                    stack += waiting
                    continue
                stack.pop()
                one.mro = self._mro(one, done)
                done.add(one.id)

    def _mro(self, cls: Cls, done: set[int]) -> tuple[Cls, ...]:
        """C3 from the orders of the bases, as Python has it; depth first where there is none, and on cycles."""
        if all(base.id in done for base in cls.bases):
            merged = _merge([*(base.mro for base in cls.bases), tuple(cls.bases)])
            if merged is not None and cls not in merged:
                return (cls, *merged)[:_MRO]
        return self._depth_first(cls)

    @staticmethod
    def _depth_first(cls: Cls) -> tuple[Cls, ...]:
        """Each class once, at its first position."""
        order: list[Cls] = []
        stack = [cls]
        seen: set[int] = set()
        while stack:
            one = stack.pop()
            if one.id in seen:
                continue
            seen.add(one.id)
            order.append(one)
            stack += reversed(one.bases)
            if len(order) >= _MRO:
                break
        return tuple(order)

    def type_names(self, mod: Mod, dotted: str, cls: Cls | None = None) -> list[Binding]:
        """What a dotted name in a type expression is."""
        first, _, rest = dotted.partition(".")
        found: list[Binding] = list(self.name(mod, first))
        if not found:  # a class nested in a class or function
            found += [one for one in mod.classes if one.name == first][-1:]
        for step in rest.split(".") if rest else []:
            after: list[Binding] = []
            for one in found:
                if isinstance(one, Mod):
                    after += self.member(one, step)
                elif isinstance(one, ApiPath):
                    child = one.child(step)
                    if child is not None:
                        after.append(child)
                elif isinstance(one, Cls):
                    after += [c for c in one.module.classes if c.ir.qualname == f"{one.ir.qualname}.{step}"]
            found = after
        return found

    def type_value(self, mod: Mod, type_: ir.Type | None, cls: Cls | None = None, depth: int = 0) -> TypeValue:
        """What a type expression says of a value."""
        if type_ is None or depth > 8:
            return _NOTHING
        key = (mod.id, type_)
        if cls is None or type_.name != "Self":
            known = self._types.get(key)
            if known is not None:
                return known
        made = self._type_value(mod, type_, cls, depth)
        if type_.name != "Self":
            self._types[key] = made
        return made

    def _type_value(self, mod: Mod, type_: ir.Type, cls: Cls | None, depth: int) -> TypeValue:
        last = type_.name.rpartition(".")[2]
        if last == "Self" and cls is not None:
            return TypeValue(instance_refs(cls))
        if last == "Literal":
            return TypeValue(literal=True)
        if last in _UNIONS:
            parts = [self.type_value(mod, arg, cls, depth + 1) for arg in type_.args if arg.name not in ("None", "?")]
            refs = tuple(dict.fromkeys(ref for part in parts for ref in part.refs))[: limits.REFS]
            if any(arg.name in _ADDRESSES for arg in type_.args):
                refs = tuple(ref for ref in refs if getattr(ref, "text", "") != _REQUEST)
            elements = next((part.elements for part in parts if part.elements is not None), None)
            closed = bool(parts) and all(part.scalar or part.literal for part in parts)
            return TypeValue(refs, elements, scalar=closed)
        if last in _TRANSPARENT and type_.args:
            return self.type_value(mod, type_.args[0], cls, depth + 1)
        if last in _SEQUENCES and type_.args:
            return TypeValue(elements=self.type_value(mod, type_.args[0], cls, depth + 1))
        if last in _MAPPINGS and len(type_.args) > 1:
            return TypeValue(elements=self.type_value(mod, type_.args[1], cls, depth + 1))
        if last in ("Type", "type") and type_.args:
            inner = self.type_value(mod, type_.args[0], cls, depth + 1)
            return TypeValue(tuple(ref.cls for ref in inner.refs if isinstance(ref, Inst)))
        if type_.name in _SCALARS:
            return TypeValue(scalar=True)
        refs_: list[Any] = []
        scalar = False
        held = None
        for found in self.type_names(mod, type_.name, cls):
            if isinstance(found, Cls):
                if self.is_enum(found):
                    scalar = True
                refs_ += instance_refs(found)
            elif isinstance(found, ApiPath):
                if found.text in _SCALARS:
                    scalar = True
                if last in _HOLDERS and type_.args:
                    held = (_HOLDERS[last], self.type_value(mod, type_.args[0], cls, depth + 1))
                made = found.child(CALL)
                if made is not None:
                    refs_.append(made)
            elif isinstance(found, Var):
                bound = self._bound(found, depth)
                alias = self.alias_type(found) if bound is None else None
                if alias is not None:
                    bound = self.type_value(found.module, alias, cls, depth + 1)
                if bound is not None:
                    return bound
        return TypeValue(tuple(dict.fromkeys(refs_))[: limits.REFS], scalar=scalar, held=held)

    def handed(self, cls: Cls) -> bool:
        """Whether objects of a class are what the caller of an agent hands to its functions: who reads one reads such an object."""
        if self._handed is None:
            self._handed = set()
            for fn in self.functions:
                for param in fn.ir.params[:2]:
                    if param.annotation is not None and param.annotation.name.rpartition(".")[2] in _HOLDERS:
                        held = self.type_value(fn.module, param.annotation, fn.cls).held
                        self._handed |= {ref.cls.id for ref in (held[1].refs if held is not None else ()) if isinstance(ref, Inst)}
        return cls.id in self._handed

    def _bound(self, var: Var, depth: int) -> TypeValue | None:
        """``T = TypeVar("T", bound=X)`` at module level, read from the instructions of the body."""
        body = var.module.body.ir
        register = body.names.get(var.name)
        names: dict[int, str] = {}
        for instr in body.body:
            if isinstance(instr, ir.Name):
                names[instr.dst] = instr.name
            elif isinstance(instr, ir.Call) and names.get(instr.fn) == "TypeVar":
                for key, value in instr.kw:
                    if key == "bound" and value in names:
                        found = self.type_value(var.module, ir.Type(names[value]), None, depth + 1)
                        moved = any(isinstance(one, ir.Move) and one.dst == register and one.src == instr.dst for one in body.body)
                        if moved or instr.dst == register:
                            return found
        return None

    def alias_type(self, var: Var) -> ir.Type | None:
        """``Current = Annotated[User, Depends(user)]``, ``Maybe = User | None``: the type expression that a module variable stands for."""
        known = self._aliases.get(var.module.id)
        if known is None:
            known = self._aliases[var.module.id] = _type_aliases(var.module.body.ir)
        return known.get(var.name)

    def is_enum(self, cls: Cls) -> bool:
        """Whether only the members of the class can be its values."""
        return any(base.name.rpartition(".")[2] in _ENUMS for one in cls.mro for base in one.ir.bases)

    # ---------------------------------------------------------------------------------------- public names

    def _name_publicly(self) -> None:
        """Attach the API paths by which the outside knows entities: a library under review is the package its models speak of."""
        known = self.paths.first_names()
        for name, mods in sorted(self._by_name.items()):
            if "." not in name and name in known:
                root = self.paths.root(name)
                if root is not None:
                    self._walk_public(root, mods[0], 0, set())
        for cls in self.classes:
            top = cls.module.name.partition(".")[0]
            if top in known or self.paths.root(top) is not None:
                node = self.paths.find(f"{cls.module.name}.{cls.ir.qualname}")
                if node is not None and node not in cls.api:
                    cls.api += (node,)
        for fn in self.functions:
            top = fn.module.name.partition(".")[0]
            if fn.cls is None and fn.index and self.paths.root(top) is not None:
                node = self.paths.find(f"{fn.module.name}.{fn.ir.qualname}")
                if node is not None and node not in fn.api:
                    fn.api += (node,)
        for cls in self.classes:
            paths: list[ApiPath[Any]] = []
            for one in cls.mro:
                for node in (*one.api, *one.externals):
                    made = node.child(CALL)
                    if made is not None and made not in paths:
                        paths.append(made)
            cls.instance.paths = tuple(paths[: limits.REFS])

    def _walk_public(self, node: ApiPath[Any], mod: Mod, depth: int, seen: set[tuple[int, str]]) -> None:
        if depth > 6 or (mod.id, node.text) in seen:
            return
        seen.add((mod.id, node.text))
        for name in self.paths.names_after(node):
            child = node.child(name)
            if child is None:
                continue
            for found in self.lookup(mod, name):
                if isinstance(found, Mod):
                    self._walk_public(child, found, depth + 1, seen)
                elif isinstance(found, Cls | Fn) and child not in found.api:
                    found.api += (child,)


def _type_aliases(body: ir.Function) -> dict[str, ir.Type]:
    """The module variables that are set to a generic type or a union, read from the instructions."""
    names = {register: name for name, register in body.names.items()}
    types: dict[int, ir.Type] = {}
    rows: dict[int, tuple[ir.Type, ...]] = {}
    found: dict[str, ir.Type] = {}
    for instr in body.body:
        made: ir.Type | None = None
        if isinstance(instr, ir.Build):
            rows[instr.dst] = tuple(types.get(part, _NO_TYPE) for part in instr.parts)
        elif isinstance(instr, ir.Name):
            made = ir.Type(instr.name)
        elif isinstance(instr, ir.Const):
            text = "None" if instr.value is None else instr.value
            made = ir.Type(text) if isinstance(text, str) and text.isidentifier() else _NO_TYPE
        elif isinstance(instr, ir.Attr) and instr.obj in types:
            made = ir.Type(f"{types[instr.obj].name}.{instr.name}")
        elif isinstance(instr, ir.Call) and instr.fn in types:
            made = ir.Type(types[instr.fn].name + CALL)
        elif isinstance(instr, ir.Item) and instr.obj in types and (instr.reg in rows or instr.reg in types):
            made = ir.Type(types[instr.obj].name, rows[instr.reg] if instr.reg in rows else (types[instr.reg],))
        elif isinstance(instr, ir.Binary) and instr.op == "|" and instr.left in types and instr.right in types:
            made = ir.Type("|", (types[instr.left], types[instr.right]))
        if made is not None and isinstance(instr, ir.Name | ir.Const | ir.Attr | ir.Call | ir.Item | ir.Binary):
            types[instr.dst] = made
            if instr.dst in names and isinstance(instr, ir.Item | ir.Binary):
                found[names[instr.dst]] = made
    return found


def _merge(orders: list[tuple[Cls, ...]]) -> list[Cls] | None:
    """The C3 merge: always the first head that stands in no tail; None where there is none."""
    tails: dict[int, int] = {}
    for order in orders:
        for one in order[1:]:
            tails[one.id] = tails.get(one.id, 0) + 1
    at = [0] * len(orders)
    merged: list[Cls] = []
    while len(merged) < _MRO:
        heads = [order[n] for order, n in zip(orders, at, strict=True) if n < len(order)]
        if not heads:
            break
        head = next((one for one in heads if not tails.get(one.id)), None)
        if head is None:
            return None
        merged.append(head)
        for number, order in enumerate(orders):
            if at[number] < len(order) and order[at[number]] is head:
                at[number] += 1
                if at[number] < len(order):
                    tails[order[at[number]].id] -= 1
    return merged


def instance_refs(cls: Cls) -> tuple[Any, ...]:
    """The references of an instance of ``cls``."""
    return (cls.instance, *cls.instance.paths)[: limits.REFS]
