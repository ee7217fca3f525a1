"""What fields of classes, module variables and slots hold, by all who write them; and whose turn comes again when that changes.

When a function is interpreted, and in which order, is in ``headwater.taint.solve``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from headwater import limits
from headwater.apis.load import Catalogue
from headwater.apis.paths import ApiPath
from headwater.apis.schema import SINK_CLASSES
from headwater.files.versions import Versions
from headwater.index.calls import Edges
from headwater.index.entities import Cls, Fn, Inst, Mod
from headwater.index.symbols import Symbols
from headwater.taint import plug_ins, slots
from headwater.taint.addresses import Route
from headwater.taint.interest import Interest
from headwater.taint.labels import RECALLED
from headwater.taint.shared import Shared
from headwater.taint.value import NOTHING, Shape, join_refs, join_shapes, news, of_others, only_sources

NEW, WORKING, DONE = 0, 1, 2
"""How far the work on a function is."""
SLOTS = -1
"""The number of the module whose variables are the slots."""
CAPTURED = -2
"""The number of the module whose variables are those that the first function captures; the others follow below it."""


class _Held:
    """What a field of a class holds, by all who wrote it."""

    __slots__ = ("settled", "shape", "writers")

    def __init__(self, shape: Shape, writers: list[int]) -> None:
        self.shape = shape
        self.writers = writers
        self.settled = False
        """All writers are solved."""


class Stores(Shared):
    """What functions store and read, and what is known of their own turns."""

    def __init__(
        self, symbols: Symbols, catalogue: Catalogue, classes: Iterable[str] = SINK_CLASSES, versions: Versions | None = None
    ) -> None:
        super().__init__(symbols, catalogue, versions)
        self.fields: dict[tuple[int, str], dict[int, Shape]] = {}
        self.globals: dict[tuple[int, str], dict[int, Shape]] = {}
        self._field_cache: dict[str, dict[int, _Held]] = {}
        self._settled: set[tuple[int, str]] = set()
        """Fields (by class) all of whose writers are solved."""
        self._totals: dict[tuple[int, str], Shape] = {}
        """The join of all that is stored in a field, by class and name."""
        self._field_statics: dict[tuple[int, str], tuple[int, ...]] = {}
        self._global_statics: dict[tuple[int, str], tuple[int, ...]] = {}
        self._stale: dict[int, None] = {}
        """Readers of a field or module variable that was changed after they were solved."""
        self._stores: dict[int, dict[tuple[bool, int, str], None]] = {}
        """The fields (by class) and module variables (by module) that a function stores."""
        self._carrying: set[int] = set()
        """Readers of a slot that has changed, and who gets that from them: what they give back differs, though they do nothing with it."""
        self._columns: set[tuple[int, str]] = set()
        """Columns of classes that somebody reads."""
        self._kept_kinds: set[str] = set()
        """The kinds of slots that somebody reads."""
        self._moved: set[str] = set()
        """Of slots that have changed lately: their names without the last part."""
        self._field_readers: dict[tuple[int, str], set[int]] = {}
        self._global_readers: dict[tuple[int, str], set[int]] = {}
        self.edges = Edges(symbols)
        self.classes = frozenset({*classes, plug_ins.CLASS})
        self.interest = Interest(symbols, catalogue, self.edges.cards, self.classes)
        self._order: list[int] = []
        """Component index of each function."""
        self._state = bytearray(len(symbols.functions))
        self.tests: set[int] = set()
        """Functions of which it is asked what they show of their arguments, and not what they give."""
        self._observed: dict[int, dict[int, int]] = {}
        """What each function has read: functions, and those that write the fields and module variables that it reads; in which version."""
        self._changed = False
        self._repairing = -1
        """What is interpreted again: what it stores is kept in ``_fresh``, and then compared with what it stored before."""
        self._fresh: dict[tuple[bool, int, str], Shape] = {}
        self._closed = False

    # ------------------------------------------------------------------------------------------------ turns

    def _want(self, one: int) -> None:
        """A function is of interest: its turn comes."""
        raise NotImplementedError

    def _read(self, reader: Fn, target: int) -> None:
        """Note that ``reader`` depends on ``target``, which is solved first where that is possible."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------------ fields and variables

    def _stored_again(self, one: int, key: tuple[bool, int, str], shape: Shape) -> set[int]:
        """A function that was interpreted again stores ``shape``, instead of what it stored before; the readers who see a difference."""
        of_class, number, name = key
        writers = (self.fields if of_class else self.globals).setdefault((number, name), {})
        old = writers.get(one, NOTHING)
        if not news(old, shape) and not news(shape, old):
            return set()
        before = self._whole(key)
        if old is NOTHING and self._covered(key, shape, before):
            return set()
        if shape is NOTHING:
            del writers[one]
            del self._stores[one][key]
        else:
            writers[one] = shape
            self._stores.setdefault(one, {})[key] = None
            for interested in self.interest.stored(name, shape):
                self._want(interested)
        if of_class:
            self._field_cache.pop(name, None)
            if news(shape, old):
                self._totals.pop((number, name), None)  # what others store is joined again
            else:
                self._totals[(number, name)] = join_shapes(before, shape)
        now = self._whole(key)
        if not news(now, before) and not news(before, now):
            return set()
        if not of_class:
            return set(self._global_readers.get((number, name), ()))
        found: set[int] = set()
        for cls in self.family(self.symbols.classes[number]):
            found |= self._field_readers.get((cls.id, name), set())
        return found

    def _whole(self, key: tuple[bool, int, str]) -> Shape:
        """All that a field of one class, or a module variable, holds."""
        of_class, number, name = key
        if of_class:
            return self._total(self.symbols.classes[number], name)
        made = NOTHING
        writers = self.globals.get((number, name), {})
        for writer in sorted(writers):
            made = join_shapes(made, writers[writer])
        return made

    def _covered(self, key: tuple[bool, int, str], shape: Shape, whole: Shape) -> bool:
        """Whether a field, with those of the bases, holds ``shape`` anyway."""
        of_class, number, name = key
        bases = self.symbols.classes[number].mro[1:] if of_class else ()
        return any(join_shapes(held, shape) == held for held in (whole, *(self._total(base, name) for base in bases)))

    def read_field(self, reader: Fn, cls: Cls, name: str) -> Shape:
        """A class-wide field: what any method stores in it, its annotation, its default."""
        key = (cls.id, name)
        static = self._field_statics.get(key)
        if static is None:
            ids = [writer.id for one in self.family(cls) for writer in one.written.get(name, ())]
            children = cls.descendants(limits.OVERRIDES)
            if len(children) > limits.OVERRIDES and any(name in child.written for child in children):
                self.count("field-writers-cut")
            init = cls.method("__init__")
            if ids and init is not None:  # it knows what it gives to the constructor of a base that sets the field
                ids.append(init.id)
            ids += [
                one.module.functions[one.ir.function].id
                for one in self.family(cls)
                if name in one.ir.fields and one.ir.fields[name].value >= 0
            ]
            outer = self.edges.outer_writers.get(name, ())
            if len(outer) <= limits.OUTER_WRITERS:
                ids += outer
            static = self._field_statics[key] = tuple(dict.fromkeys(ids))
        if key not in self._settled and self._read_all(reader, static):
            self._settled.add(key)
        self._field_readers.setdefault(key, set()).add(reader.id)
        cache = self._field_cache.setdefault(name, {})
        cached = cache.get(cls.id)
        if cached is not None:
            if not cached.settled:
                cached.settled = self._read_all(reader, cached.writers)
            return cached.shape
        found: list[int] = []
        made = NOTHING
        for one in self.family(cls):
            writers = self.fields.get((one.id, name))
            if writers:
                known = sorted(writers)
                self._read_all(reader, known)
                found += known
                made = join_shapes(made, self._total(one, name))
        for one in cls.mro:
            field = one.ir.fields.get(name)
            if field is not None and field.annotation is not None:
                type_ = self.symbols.type_value(one.module, field.annotation, one)
                if type_.refs:  # what the author says of it beats what is seen stored: the stores add data, not types
                    refs = join_refs(type_.refs, tuple(filter(_of_library, made.refs))) if promises(type_.refs) else type_.refs
                    made = Shape(
                        made.labels, refs, made.const, made.fields if not made.refs else None, made.kind, False, False, made.proven
                    )
                elif type_.elements is not None and type_.elements.refs:
                    made = join_shapes(made, Shape(fields={"*": Shape(refs=type_.elements.refs)}, kind="list"))
                break
        cache[cls.id] = _Held(made, found)
        return made

    def _read_all(self, reader: Fn, writers: Collection[int]) -> bool:
        """Note that ``reader`` depends on who writes something; whether all of them are solved, so that nobody has to ask again."""
        state = self._state
        done = True
        for writer in writers:
            if state[writer] != DONE:
                if writer != reader.id:
                    self._read(reader, writer)
                done = done and state[writer] == DONE
        return done

    def _total(self, cls: Cls, name: str) -> Shape:
        """The join of all that is stored in a field of one class."""
        total = self._totals.get((cls.id, name))
        if total is None:
            total = NOTHING
            writers = self.fields.get((cls.id, name), {})
            for writer in sorted(writers):
                total = join_shapes(total, writers[writer])
            self._totals[(cls.id, name)] = total
        return total

    def store_field(self, fn: Fn, cls: Cls, name: str, export: Callable[[], Shape], outside: bool = False, clear: int = 0) -> None:
        """A function stores a field; ``outside``: one that is not of the class, so that the data loses a confidence step.

        ``clear``: what data of one object is cleared for in all others, where the object is a new one.
        """
        # That an object which is read later is the one that is written here is a guess itself: what it holds must be surer than the least.
        shape = only_sources(export(), limits.DROPS - (2 if outside else 1))
        if shape.empty or self._closed:  # what was run for its trace alone says nothing new
            return
        if outside:
            shape = of_others(shape, clear if clear and not self.symbols.handed(cls) else 0)
        if fn.id == self._repairing:
            self._fresh[(True, cls.id, name)] = join_shapes(self._fresh.get((True, cls.id, name), NOTHING), shape)
            return
        writers = self.fields.setdefault((cls.id, name), {})
        known = writers.get(fn.id, NOTHING)
        if known is NOTHING:
            for base in cls.mro[1:]:
                of_base = self._total(base, name)
                if of_base is not NOTHING and join_shapes(of_base, shape) == of_base:
                    return  # who reads the field of this class reads that of its bases too
        joined = join_shapes(known, shape)
        if joined != known:
            fresh = fn.id not in writers
            writers[fn.id] = joined
            self._stores.setdefault(fn.id, {})[(True, cls.id, name)] = None
            total = self._totals.get((cls.id, name))
            tells = news(total if total is not None else known, joined)
            self._changed = self._changed or tells
            if total is not None:
                whole = join_shapes(total, joined)
                if whole == total and not fresh:
                    return  # others store as much: no reader sees a difference
                self._totals[(cls.id, name)] = whole
            self._field_cache.pop(name, None)
            for interested in self.interest.stored(name, joined):
                self._want(interested)
            if tells:
                for one in self.family(cls):
                    self._outdate(self._field_readers.get((one.id, name), ()), fn)

    def read_global(self, reader: Fn, mod: Mod, name: str) -> Shape:
        """A module variable."""
        self._read_all(reader, (mod.body.id, *self._writers_of(mod, name), *self.globals.get((mod.id, name), ())))
        self._global_readers.setdefault((mod.id, name), set()).add(reader.id)
        writers = self.globals.get((mod.id, name))
        if not writers:
            return NOTHING
        if len(writers) == 1:
            return next(iter(writers.values()))
        made = NOTHING
        for writer in sorted(writers):
            made = join_shapes(made, writers[writer])
        return made

    def _writers_of(self, mod: Mod, name: str) -> tuple[int, ...]:
        """Functions that may set or change a module variable."""
        known = self._global_statics.get((mod.id, name))
        if known is None:
            functions = self.symbols.functions
            writers = self.edges.outer_writers.get(name, ())
            inside = [one for one in writers if functions[one].module is mod]
            known = tuple(inside if len(writers) > limits.OUTER_WRITERS else writers)
            self._global_statics[(mod.id, name)] = known
        return known

    def store_global(self, fn: Fn, mod: Mod, name: str, shape: Shape) -> None:
        """A function or the module body sets a module variable."""
        self._store_variable(fn, mod.id, name, only_sources(shape), False)

    def store_captured(self, fn: Fn, inner: Fn, name: str, shape: Shape) -> None:
        """A function tells one inside of it of what type a variable is that it captures."""
        self._store_variable(fn, CAPTURED - inner.id, name, shape, False)

    def read_captured(self, reader: Fn, name: str) -> Shape:
        """Of what type a variable is that a function captures."""
        outer = reader.module.functions[reader.ir.parent].id if reader.ir.parent > 0 else -1
        key = (CAPTURED - reader.id, name)
        if outer >= 0:
            self._read_all(reader, (outer,))
        self._global_readers.setdefault(key, set()).add(reader.id)
        return self.globals.get(key, {}).get(outer, NOTHING)

    def _store_variable(self, fn: Fn, number: int, name: str, shape: Shape, virtual: bool) -> None:
        """The variable of a module, or a slot, takes data; ``virtual``: by a call of the function that a framework makes."""
        if shape.empty or self._closed:
            return
        key = (False, number, name)
        if fn.id == self._repairing and not virtual:
            self._fresh[key] = join_shapes(self._fresh.get(key, NOTHING), shape)
            return
        writer = ~fn.id if virtual else fn.id
        writers = self.globals.setdefault((number, name), {})
        known = writers.get(writer)
        if known is None or known != shape:
            joined = shape if known is None else join_shapes(known, shape)
            if known is not None and joined == known:
                return
            writers[writer] = joined
            if not virtual:
                self._stores.setdefault(fn.id, {})[key] = None
            tells = news(known or NOTHING, joined)
            self._changed = self._changed or tells
            for interested in self.interest.stored(name, joined):
                self._want(interested)
            if tells:
                readers = self._global_readers.get((number, name), ())
                self._outdate(readers, fn)
                if number == SLOTS:
                    for reader in readers:  # one that is at work further up, and has called what writes here: its turn comes again
                        if self._state[reader] == WORKING and self._order[reader] == self._order[fn.id]:
                            self._observed[reader][reader] = -1
                if number == SLOTS or (readers and _functions(joined) - _functions(known or NOTHING)):
                    self._carrying.update(readers)
                if number == SLOTS:
                    self._moved.add(name.rpartition(slots.BETWEEN)[0])
            elif self.tests and (asked := self.tests.intersection(self._global_readers.get((number, name), ()))):
                self._outdate(asked, fn)  # what a list of words is compared with is known now

    # ------------------------------------------------------------------------------------------------ slots

    def store_slot(self, fn: Fn, slot: str, shape: Shape, sure: bool, virtual: bool) -> None:
        """Data goes into a slot; not ``sure``: that a reader reads what is written here is a guess."""
        # That a reader reads what is written here is a guess: of two guesses nothing is told.
        shape = only_sources(shape, limits.DROPS - 1 if sure else 0)
        self._store_variable(fn, SLOTS, slot, shape if sure else of_others(shape, weak=RECALLED), virtual)

    def know_slot(self, slot: str) -> None:
        """Somebody writes a slot, if only what is of no interest."""
        if slot not in self._slots:
            self._slots[slot] = None
            prefix = slot.rpartition(slots.BETWEEN)[0]
            self._moved.add(prefix)
            for reader in self._state_readers.get(prefix, ()):
                if self._state[reader] == DONE:
                    self._stale[reader] = None

    def read_slot(self, reader: Fn | None, slot: str) -> Shape:
        """What all who write a slot have put into it."""
        kind = slot.partition(slots.BETWEEN)[0]
        if kind not in self._kept_kinds:
            self._kept_kinds.add(kind)
            for one in self.interest.keepers(kind):
                self._want(one)
        writers = self.globals.get((SLOTS, slot), {})
        if reader is not None:
            self._read_all(reader, [writer for writer in writers if writer >= 0])
            self._global_readers.setdefault((SLOTS, slot), set()).add(reader.id)
        made = NOTHING
        for writer in sorted(writers):
            made = join_shapes(made, writers[writer])
        return made

    def want_inside(self, fn: Fn) -> None:
        """What stands in a function may change what that reads: it is of interest."""
        for one in inside(fn):
            self._want(one.id)

    def locate(self, route: Route) -> None:
        """A function answers requests at an address."""
        if self.routes.add(route):
            self._ask_again()

    def mount(self, child: str, parent: str, prefix: str) -> None:
        """A router is below another."""
        if self.routes.mount(child, parent, prefix):
            self._ask_again()

    def _ask_again(self) -> None:
        for reader in self.route_readers:
            if self._state[reader] == DONE:
                self._stale[reader] = None
            else:
                self._observed[reader][reader] = -1
        self._carrying.update(self.route_readers)

    def want_column(self, cls: Cls, name: str) -> None:
        """A column is read: who may write it is of interest."""
        if (cls.id, name) not in self._columns:
            self._columns.add((cls.id, name))
            for one in self.interest.writers_of(cls, name):
                self._want(one)

    def slot_writers(self, slot: str) -> list[tuple[int, Shape]]:
        """Who writes a slot, and what: functions by their number, calls that frameworks make of them by its complement, after those."""
        writers = self.globals.get((SLOTS, slot), {})
        return [(one, writers[one]) for one in sorted(writers, key=lambda one: (one < 0, abs(one)))]

    def _outdate(self, readers: Collection[int], writer: Fn) -> None:
        if writer.id in readers:
            self._observed[writer.id][writer.id] = -1  # it changes what it has read itself
        for reader in readers:
            state = self._state[reader]
            if reader != writer.id and (state == DONE or (state == WORKING and self._order[reader] != self._order[writer.id])):
                self._stale[reader] = None


def _functions(shape: Shape) -> set[int]:
    """Functions of the project that a value, or a part of it, may be: who reads it may call them."""
    found = {ref.id for ref in shape.refs if type(ref) is Fn}
    return found.union(*(_functions(part) for part in (shape.fields or {}).values()))


def promises(refs: tuple[Any, ...]) -> bool:
    """Whether types only say what their objects can do: the objects are of other classes, which may be a library's."""
    return bool(refs) and all(
        type(ref) is Inst and any("abstract" in method.ir.flags for method in ref.cls.methods.values()) for ref in refs
    )


def _of_library(ref: Any) -> bool:
    return isinstance(ref, ApiPath) and not ref.text.startswith("?")


def inside(fn: Fn) -> list[Fn]:
    """The functions that stand in a function, at any depth."""
    found: list[Fn] = []
    holders = {fn.index}
    for one in fn.module.functions:  # what stands inside comes behind
        if one.ir.parent in holders and one is not fn:
            holders.add(one.index)
            found.append(one)
    return found
