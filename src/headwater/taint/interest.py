"""Which functions are worth interpreting: those that name an operation with consequences, and those that may call them.

A review asks what reaches an operation that a model or a rule speaks of. Only a function that names such an operation, or
names a function that was found to lead to one, can add to the answer; every other function is interpreted when one of
them reads it (``headwater.taint.solve``), which for much of a large project is never. Names are taken as written, so that
what is missed is at most what no name leads to.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from typing import Any

from headwater import ir, limits
from headwater.apis.load import CallRule, Catalogue
from headwater.apis.paths import CALL, ELEMENT, UNKNOWN, ApiPath, expand, split
from headwater.apis.schema import Api
from headwater.index.calls import COMMON_METHODS, Card
from headwater.index.entities import Cls, Fn, Inst, Mod
from headwater.index.symbols import Symbols
from headwater.taint import personal, secrets, slots
from headwater.taint.sights import kind_of
from headwater.taint.summary import SLOT, Summary
from headwater.taint.value import CHOSEN, Shape

_IMPLICIT = (
    "__call__", "forward", "__enter__", "__aenter__", "__iter__", "__aiter__", "__next__", "__anext__", "__getitem__", "__getattr__",
    "__add__", "__truediv__", "__mod__", "__or__", "__sub__", "__mul__", "__matmul__",
)  # fmt: skip
"""Methods that are called without being named."""
CONSTRUCTORS = frozenset({"__init__", "__new__", "__post_init__", "model_post_init"})


class Operations:
    """The names of operations of libraries."""

    def __init__(self) -> None:
        self.members: dict[str, set[str]] = {}
        """Last name of an operation on an object, to the libraries whose object it is."""
        self.functions: dict[str, set[str]] = {}
        """Last name of an operation of a module, to the libraries."""
        self.all: set[str] = set()
        """Libraries of which every operation counts."""

    def enter(self, path: str, types: dict[str, list[str]]) -> None:
        """An operation, by its API path."""
        for one in expand(path):
            typed = types.get(split(one)[0])
            last, of_object, roots, makers = _read(one, None if typed is None else tuple(typed))
            if last in ("*", "**"):
                self.all |= roots
                continue
            (self.members if of_object else self.functions).setdefault(last, set()).update(roots)
            for name, root in makers:
                self.functions.setdefault(name, set()).add(root)


@functools.lru_cache(limits.PATTERNS_READ)
def _read(path: str, typed: tuple[str, ...] | None) -> tuple[str, bool, frozenset[str], tuple[tuple[str, str], ...]]:
    """The last name of an operation, whether it is one of an object, its libraries, and who makes the object, with the library.

    ``typed``: what the type stands for with which the path begins.
    """
    steps = list(split(path))
    roots = {split(first)[0] for first in typed} if typed is not None else {steps[0]}
    if any(root.startswith(UNKNOWN) for root in roots):
        roots = {UNKNOWN}
    roots = {_GLOBAL if root.startswith(_GLOBAL) else root for root in roots}
    while steps[-1] in (CALL, ELEMENT):
        steps.pop()
    if steps[0].startswith(_GLOBAL):  # a global name of scripts
        steps = [steps[0].removeprefix(_GLOBAL), *steps[1:]]
    of_object = typed is not None or roots == {UNKNOWN} or CALL in steps or ELEMENT in steps
    made = [split(first) for first in (typed or (path,))] if of_object else []
    makers = tuple((one[one.index(CALL) - 1], one[0]) for one in made if CALL in one and one.index(CALL) > 1)
    return steps[-1], of_object, frozenset(roots), makers


class Names:
    """What the models and rules of a catalogue speak of, by names: the same for every project."""

    def __init__(self, catalogue: Catalogue, classes: frozenset[str], follow_secrets: bool) -> None:
        """``classes``: the sink classes that count."""
        self.operations = Operations()
        self.makers = Operations()
        """Calls that make components of the system map."""
        self.sources = Operations()
        """Calls, and members of objects, that bring in data of others."""
        self.keepers: dict[str, dict[str, set[str]]] = {}
        """Of each kind of slots the names of what keeps data in them, and the libraries that have them."""
        for path, payload in catalogue.placed:
            for one in payload.keeps if isinstance(payload, Api) else ():
                self._keep(one.in_, path, catalogue.types)
            if _counts(payload, classes) or (follow_secrets and _brings_secrets(payload)):
                self.operations.enter(path, catalogue.types)
            elif isinstance(payload, Api) and kind_of(payload, None, {}):
                self.makers.enter(path, catalogue.types)
            elif isinstance(payload, Api) and not {payload.returns, payload.yields} <= _NO_SOURCES:
                self.sources.enter(path, catalogue.types)
        for type_ in catalogue.components:
            for path in catalogue.types.get(type_, ()):
                self.makers.enter(path, catalogue.types)
        self.called = frozenset({*self.operations.members, *self.operations.functions})
        """Names of operations that are reported."""

    def _keep(self, kind: str, path: str, types: dict[str, list[str]]) -> None:
        for one in expand(path):
            steps = split(one)
            roots = {split(first)[0] for first in types.get(steps[0], [one])}
            names = [step for step in steps if step.isidentifier() and not (step.startswith("__") and step.endswith("__"))]
            if names:
                self.keepers.setdefault(kind, {}).setdefault(names[-1], set()).update(
                    UNKNOWN if root.startswith(UNKNOWN) else root for root in roots
                )


class Interest:
    """Names of operations, and who names whom."""

    def __init__(self, symbols: Symbols, catalogue: Catalogue, cards: list[Card], classes: frozenset[str]) -> None:
        self.symbols = symbols
        self.cards = cards
        self._classes = classes - secrets.CLASSES
        follow_secrets = self._classes != classes
        names_key = (Names, self._classes, follow_secrets)
        self._names = catalogue.once(names_key, lambda: Names(catalogue, self._classes, follow_secrets))
        self._telling: dict[int, set[str]] = {}
        """Of the names of operations on objects, those that say something by themselves here, by whose names they are."""
        self._mentions: dict[str, list[int]] = {}
        for number, card in enumerate(cards):
            for name in {*card.names, *card.attributes, *card.self_reads, *(path.rpartition(".")[2] for path, _ in card.imported)}:
                self._mentions.setdefault(name, []).append(number)
        self._renamed: dict[str, set[str]] = {}
        self._roots: dict[int, frozenset[str]] = {}
        for mod in symbols.modules:
            for local, aliases in mod.ir.imports.items():
                for alias in aliases:
                    last = _last(alias)
                    if last != local:
                        self._renamed.setdefault(last, set()).add(local)
        self._setting: dict[str, list[int]] = {}
        """Functions that store a field of this name in an object that is not their own."""
        for number, card in enumerate(cards):
            for name in card.outer_writes:
                self._setting.setdefault(name, []).append(number)
        self._hot: dict[str, set[int | None]] = {}
        """Fields whose data reaches operations: the classes that have them, None for an object of which only the field's name is known."""
        self._setters: dict[str, dict[int, bool]] = {}
        """Functions that set a field of this name to what their callers give them; whether it is one of their own object."""
        self._naming: set[int] = set()
        """Functions that name an operation."""
        self._leading: set[int] = set()
        """Functions with effects on operations."""
        self._held: dict[int, dict[str, None]] = {}
        """Names of the fields, variables and functions through which a function is passed on, by function."""
        self._carriers: dict[int, dict[str, None]] = {}
        """The same of instances, by class."""
        self._methods: dict[int, dict[str, None]] = {}
        """Methods with effects on operations that only the type of a receiver tells, by class."""
        self._implicits: dict[int, tuple[Fn, ...]] = {}
        self._paths = catalogue.paths
        self._library: dict[str, dict[str, None]] = {}
        """Names through which an object of a library is passed on, by API path."""
        self._common: dict[str, tuple[str, ...]] = {}
        self._known: set[tuple[str, str]] = set()
        self._occurs: dict[str, frozenset[int]] = {}
        self._fields: dict[str, int] = {}
        """Names of fields, and how many classes have one of this name."""
        for cls in symbols.classes:
            for name in {**cls.written, **cls.ir.fields}:
                self._fields[name] = self._fields.get(name, 0) + 1
        self._imports: dict[int, frozenset[str]] = {}

    # ------------------------------------------------------------------------------------------------ the start

    def may_be_called(self, name: str) -> bool:
        """Whether an attribute of this name, of an object that a caller hands over, can be something that a caller knows."""
        known = name in self._names.called or name in self._fields
        return known or name in self.symbols.methods_by_name or name in self._setting or bool(_HANDLER.match(name))

    def seeds(self) -> list[int]:
        """The functions that name an operation, and all module bodies."""
        members = self._members_of(self._names.operations)
        found = []
        prompts = "prompt-system" in self._classes
        for fn, card in zip(self.symbols.functions, self.cards, strict=True):
            if (
                fn.index == 0
                or card.dynamic
                or (prompts and card.messages)
                or any(map(personal.grave, card.attributes))
                or self._names_operation(fn, card, self._names.operations, members)
            ):
                found.append(fn.id)
                if fn.index:
                    self._naming.add(fn.id)
        return found

    def makers(self) -> list[int]:
        """The functions that name what makes components of the system map."""
        members = self._members_of(self._names.makers)
        named = zip(self.symbols.functions, self.cards, strict=True)
        return [fn.id for fn, card in named if self._names_operation(fn, card, self._names.makers, members)]

    def matters(self, fn: Fn) -> bool:
        """Whether a function names an operation, a source or a component, or is known to lead to an operation."""
        if self.leads(fn.id) or fn.index == 0:
            return True
        card = self.cards[fn.id]
        return any(self._names_operation(fn, card, one, self._members_of(one)) for one in (self._names.makers, self._names.sources))

    def _members_of(self, operations: Operations) -> set[str]:
        """Names of operations on objects that say something by themselves in this project."""
        known = self._telling.get(id(operations))
        if known is None:
            everywhere = {UNKNOWN}.union(*(self._roots_of(mod) for mod in self.symbols.modules))
            names = operations.members.items()
            known = {name for name, roots in names if roots & everywhere and name not in COMMON_METHODS}
            self._telling[id(operations)] = known
        return known

    def leads(self, one: int) -> bool:
        """Whether a function names an operation, or is known to lead to one."""
        return one in self._leading or one in self._naming

    def _names_operation(self, fn: Fn, card: Card, operations: Operations, members: set[str]) -> bool:
        mod = fn.module
        here = self._roots_of(mod)
        functions, of_objects = operations.functions, operations.members
        for name in (*card.attributes, *card.self_reads):
            if name in members and not (name in card.self_reads and name not in card.attributes and self._own_field(fn, name)):
                return True
            wanted = functions.get(name)
            if wanted is not None and wanted & here:
                if name not in COMMON_METHODS or not wanted.isdisjoint(self._roots_in(fn, card)):
                    return True
            wanted = of_objects.get(name) if name in COMMON_METHODS else None
            if wanted is not None and wanted & here:
                return True
        for name in card.names:
            wanted = functions.get(name)
            if wanted is not None and ((_GLOBAL if mod.script else "builtins") in wanted or (mod.ir.stars and wanted & here)):
                return True
            for alias in mod.ir.imports.get(name, ()):
                wanted = functions.get(_last(alias))
                if wanted is not None and wanted & here:
                    return True
        for path, _ in card.imported:
            wanted = functions.get(path.rpartition(".")[2])
            if wanted is not None and wanted & here:
                return True
        return bool(operations.all & here)

    def _own_field(self, fn: Fn, name: str) -> bool:
        """Whether ``self.name`` is a field that the class sets itself, and so no operation of something unknown."""
        return fn.cls is not None and any(name in one.written for one in fn.cls.mro)

    def _roots_in(self, fn: Fn, card: Card) -> set[str]:
        """The libraries whose modules a function names."""
        found = {path.partition(".")[0] for path, level in card.imported if not level}
        if fn.module.ir.stars:
            found |= self._roots_of(fn.module)
        for name in card.names:
            if name in fn.module.ir.imports:
                for ref in self.symbols.lookup(fn.module, name):
                    if isinstance(ref, ApiPath):
                        found.add(ref.text.partition(".")[0])
        return found

    def _roots_of(self, mod: Mod) -> frozenset[str]:
        """The libraries whose names a file can use."""
        known = self._roots.get(mod.id)
        if known is not None:
            return known
        found = {_GLOBAL if mod.script else "builtins"}
        for alias in (*mod.ir.imported, *mod.ir.stars):
            if not alias.level:
                found.add(alias.path.partition(".")[0])
        self._roots[mod.id] = frozenset(found)  # of files that import one another
        for name in mod.ir.imports:
            for ref in self.symbols.lookup(mod, name):
                if isinstance(ref, ApiPath):
                    found.add(ref.text.partition(".")[0])
        for star in mod.ir.stars:
            for target in self.symbols.alias(mod, star):
                if isinstance(target, Mod):
                    found |= self._roots_of(target)
        self._roots[mod.id] = made = frozenset(found)
        return made

    def keepers(self, kind: str) -> list[int]:
        """The functions that name something that keeps data in slots of a kind."""
        found: dict[int, None] = {}
        everywhere = {"builtins", UNKNOWN}.union(*(self._roots_of(mod) for mod in self.symbols.modules))
        for name, roots in sorted(self._names.keepers.get(kind, {}).items()):
            if roots & everywhere:
                mentions = self._mentions.get(name, [])
                if name in COMMON_METHODS:
                    mentions = [one for one in mentions if roots & self._roots_of(self.symbols.functions[one].module)]
                found.update(dict.fromkeys(mentions))
        return sorted(found)[: limits.SLOT_WRITERS]

    def writers_of(self, cls: Cls, name: str) -> list[int]:
        """The functions that may make an object of a class, or set a field of this name on one."""
        found = dict.fromkeys((*self._mention(cls.name), *self._setting.get(name, ())))
        return sorted(found)[: limits.SLOT_WRITERS]

    # ---------------------------------------------------------------------------------------------- what follows

    def solved(self, fn: Fn, summary: Summary) -> Iterator[int]:
        """The functions that are of interest now that ``fn`` is known."""
        if fn.cls is None or fn.name not in COMMON_METHODS:  # of a method that many types have, the name says nothing
            yield from self.stored(fn.name, summary.returns)
        for mutation in summary.mutations:
            if mutation.param == SLOT:
                if slots.is_variable(str(mutation.field)):
                    continue  # who gives it a function that matters names that
                yield from self._callers(fn)
                continue
            if any(isinstance(ref, Fn) for ref in mutation.shape.refs) and (mutation.param or not fn.bound):
                yield from self.stored(fn.name, mutation.shape)  # who hands something over to it has the function then
            if isinstance(mutation.field, str) and any(label.source is None for label in mutation.shape.labels):
                own = fn.cls is not None and not mutation.param and not mutation.path
                self._setters.setdefault(mutation.field, {})[fn.id] = own
                if self._is_hot(fn, mutation.field, own):
                    yield from self._givers(fn, mutation.field)
        counting = [effect for effect in summary.sinks if effect.sink.class_ in self._classes]
        if not counting:
            return
        for effect in counting:
            if effect.exact and effect.path and isinstance(effect.path[-1], str) and effect.path[-1].isidentifier():
                own = fn.cls is not None and not effect.param and len(effect.path) == 1
                yield from self._heat(effect.path[-1], fn.cls if own else None)
        if fn.id in self._leading:
            return
        self._leading.add(fn.id)
        if fn.ir.parent > 0:
            yield fn.module.functions[fn.ir.parent].id
        for name in self._held.get(fn.id, ()):
            yield from self._mention(name)
        yield from self._callers(fn)

    def _is_hot(self, fn: Fn, field: str, own: bool) -> bool:
        known = self._hot.get(field)
        return known is not None and (not own or None in known or (fn.cls is not None and fn.cls.id in known))

    def _heat(self, field: str, cls: Cls | None) -> Iterator[int]:
        """A field reaches an operation: who sets it is of interest, and who calls who sets it to an argument."""
        known = self._hot.setdefault(field, set())
        if cls is not None and cls.id not in known:
            family = (*cls.mro, *cls.descendants(limits.OVERRIDES))
            known.update(one.id for one in family)
            for one in family:
                yield from (writer.id for writer in one.written.get(field, ()))
        elif cls is None and None not in known and self._fields.get(field, 0) <= limits.SETTERS:  # else the name says nothing
            known.add(None)
        else:
            return
        outer = self._setting.get(field, ())
        if len(outer) <= limits.SETTERS:
            yield from outer
        for number, own in list(self._setters.get(field, {}).items()):
            fn = self.symbols.functions[number]
            if self._is_hot(fn, field, own):
                yield from self._givers(fn, field)

    def _givers(self, fn: Fn, field: str) -> Iterator[int]:
        """Who may call a function for the field that it sets: not of a class that much of a large project is derived from."""
        owners = [one for one in fn.cls.mro if one is fn.cls or field in one.written] if fn.cls is not None else []
        if all(len(one.descendants(limits.MADE_FAMILY + 1)) <= limits.MADE_FAMILY for one in owners):
            yield from self._callers(fn)

    def _callers(self, fn: Fn) -> Iterator[int]:
        """The functions that may call ``fn``, by the names that they use."""
        cls = fn.cls
        if cls is None:
            yield from self._users(fn)
            return
        heirs = [one for one in cls.descendants(limits.NAMED_FAMILY) if one.method(fn.name) is fn]
        if fn.name in CONSTRUCTORS or fn.name in _IMPLICIT:
            for one in cls.children:
                if fn.name in one.methods:  # calls what it overrides, by super
                    yield one.methods[fn.name].id
            for one in (cls, *heirs):
                yield from self._mention(one.name)
            if fn.name in CONSTRUCTORS:
                return
        if fn.name not in COMMON_METHODS and len(self.symbols.methods_by_name.get(fn.name, ())) <= limits.CANDIDATES:
            for number in self._mentions.get(fn.name, ()):  # the engine finds it by its name alone, as a member of something
                card = self.cards[number]
                if fn.name in card.attributes or fn.name in card.self_reads:
                    yield number
            return
        for one in {other.id: other for other in (*cls.mro, *heirs)}.values():
            self._methods.setdefault(one.id, {})[fn.name] = None
            for carrier in (one.name, *self._carriers.get(one.id, ())):
                yield from self._typed(carrier, fn.name)
        if len(heirs) <= limits.MADE_FAMILY:
            for one in (cls, *heirs):  # who makes an object hands it to who calls the method
                yield from self._mention(one.name)
        for number in self._mentions.get(fn.name, ()):
            user = self.symbols.functions[number].cls
            if user is not None and (cls in user.mro or user in cls.mro):
                yield number

    def _users(self, fn: Fn) -> Iterator[int]:
        """The functions that may name a function of a module: in its own file, by an import, or as a member of a module."""
        name = fn.name
        of_objects = name in self._fields or name in self.symbols.methods_by_name
        place = fn.module.name.rpartition(".")[2]
        for number in self._mentions.get(name, ()):
            card, mod = self.cards[number], self.symbols.functions[number].module
            if name in card.names:
                found = mod is fn.module or (fn.ir.parent <= 0 and (name in mod.ir.imports or bool(mod.ir.stars)))
            elif fn.ir.parent > 0:
                found = False  # known by its name only around it; where it is handed on, ``stored`` finds who has it
            else:
                found = (
                    not of_objects  # else most members of that name are something else
                    or any(path.rpartition(".")[2] == name for path, _ in card.imported)
                    or (
                        name in card.attributes
                        and (place in self._modules_of(mod) or any((one, name) in card.members for one in mod.ir.imports))
                    )
                )
            if found:
                yield number
        for local in sorted(self._renamed.get(name, ())):
            yield from self._mentions.get(local, ())

    def _modules_of(self, mod: Mod) -> frozenset[str]:
        """The last names of what a file imports."""
        known = self._imports.get(mod.id)
        if known is None:
            aliases = (*mod.ir.imported, *(alias for found in mod.ir.imports.values() for alias in found))
            known = self._imports[mod.id] = frozenset(alias.path.rpartition(".")[2] for alias in aliases)
        return known

    def _typed(self, carrier: str, method: str) -> Iterator[int]:
        """Functions that name a method, in files that name something that holds an object which has it."""
        if (carrier, method) in self._known:
            return
        self._known.add((carrier, method))
        named = self._files(carrier)
        for number in self._mentions.get(method, ()):
            if self.symbols.functions[number].module.id in named:
                yield number

    def _files(self, name: str) -> frozenset[int]:
        """The files in which a name occurs."""
        known = self._occurs.get(name)
        if known is None:
            functions = self.symbols.functions
            known = self._occurs[name] = frozenset(functions[number].module.id for number in self._mention(name))
        return known

    def stored(self, name: str, shape: Shape, depth: int = 0) -> Iterator[int]:
        """The functions that are of interest now that something can be reached through a name."""
        leads = shape.kind == CHOSEN  # to call it is an operation
        for ref in shape.refs:
            if isinstance(ref, ApiPath):
                leads = leads or any(isinstance(entry, Api) and _damages(entry, self._classes) for entry in ref.entries)
                if name not in self._library.setdefault(ref.text, {}):
                    self._library[ref.text][name] = None
                    for method in self._common_after(ref):
                        yield from self._typed(name, method)
                continue
            methods: Iterable[Fn] = ()
            if isinstance(ref, Fn):
                methods = (ref,)
            elif isinstance(ref, Inst):
                methods = self._implicit(ref.cls)
                carriers = self._carriers.setdefault(ref.cls.id, {})
                if name not in carriers:
                    carriers[name] = None
                    for method in self._methods.get(ref.cls.id, ()):
                        yield from self._typed(name, method)
            for one in methods:
                if one.id in self._leading:
                    leads = True
                else:
                    self._held.setdefault(one.id, {})[name] = None
        if leads:
            yield from self._mention(name)
        if shape.fields and depth < limits.HELD_DEPTH:
            for part in shape.fields.values():
                yield from self.stored(name, part, depth + 1)

    def _common_after(self, node: ApiPath[Any]) -> tuple[str, ...]:
        """Operations on an object of a library whose names say nothing by themselves."""
        known = self._common.get(node.text)
        if known is None:
            names = (name for name in self._paths.names_after(node) if name in COMMON_METHODS)
            known = self._common[node.text] = tuple(name for name in names if self._operation(node.child(name)))
        return known

    def _operation(self, node: ApiPath[Any] | None) -> bool:
        return node is not None and any(isinstance(entry, Api | CallRule) and _counts(entry, self._classes) for entry in node.entries)

    def _implicit(self, cls: Cls) -> tuple[Fn, ...]:
        known = self._implicits.get(cls.id)
        if known is None:
            known = self._implicits[cls.id] = tuple(method for one in _IMPLICIT if (method := cls.method(one)) is not None)
        return known

    def _mention(self, name: str) -> Iterator[int]:
        yield from self._mentions.get(name, ())
        for local in sorted(self._renamed.get(name, ())):
            yield from self._mentions.get(local, ())


_HANDLER = re.compile(r"(?:on|set|handle)[A-Z]")
"""How components call what others hand them to be told of something."""
_GLOBAL = "js:"
"""What the names of globals of scripts begin with."""


def _last(alias: ir.Alias) -> str:
    """The last name of what an import binds."""
    return alias.member if alias.member not in ("", "*", "default") else alias.path.rpartition(".")[2]


_SECRETS = frozenset({"env", *secrets.KINDS}) - {"model-internals"}
"""Without what only a route answers: that asks for it itself, and a library of models computes nothing else."""


_NO_SOURCES = frozenset({"", "model-internals"})
"""What numbers bring in only a route gives away, as above."""


def _brings_secrets(payload: Any) -> bool:
    return isinstance(payload, Api) and not {payload.returns, payload.yields}.isdisjoint(_SECRETS)


def _damages(payload: Api, classes: frozenset[str]) -> bool:
    return any(sink.class_ in classes for sink in payload.sinks)


def _counts(payload: Any, classes: frozenset[str]) -> bool:
    """Whether a model says something that a review reports: a sink, an entry point, or a call that is wrong by itself."""
    if isinstance(payload, CallRule):
        return True
    return (
        _damages(payload, classes)
        or any(one.parameters or one.by_name or one.given or one.gives in classes for one in payload.calls)
        or payload.decorates is not None
    )
