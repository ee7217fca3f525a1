"""Runs the interpreter over all functions in dependency order until summaries, fields and module variables are stable.

Components of functions are solved callees first, each from nothing until it is stable. Edges that only values show (a
method found through a factory) are noticed when a function reads what is not solved yet; they are added and what
depends on them is solved again. Frameworks' calls of entry points come last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from headwater import ir, limits
from headwater.apis.load import CallRule, Catalogue
from headwater.apis.paths import CALL, ApiPath, expand
from headwater.apis.schema import Callback
from headwater.index.calls import Edges, components, instructions, sizes
from headwater.index.entities import Cls, Fn, Mod
from headwater.index.symbols import Symbols
from headwater.taint.labels import Source, bits, source_label
from headwater.taint.models import Args
from headwater.taint.summary import EMPTY, Issue, Sink, Summary
from headwater.taint.transfer import Interpreter
from headwater.taint.value import BOTTOM, NO_CONST, NOTHING, Node, Shape, Value, join_shapes, only_sources

_VALIDATING = frozenset({"BaseModel", "SQLModel", "RootModel", "BaseSettings", "Struct"})
"""Names of base classes that check the annotated types of what they are given."""


class CallReport:
    """A call that is wrong by itself."""

    __slots__ = ("end", "fn", "key", "name", "rule", "start")

    def __init__(self, rule: CallRule, fn: Fn, name: str, start: int, end: int) -> None:
        self.rule = rule
        self.fn = fn
        self.name = name
        self.start = start
        self.end = end
        self.key = (fn.module.id, start, end, rule.rule)


class Entry:
    """A function that a framework calls with data of its own."""

    __slots__ = ("callback", "fn", "key", "owner")

    def __init__(self, owner: Fn, fn: Fn, callback: Callback) -> None:
        self.owner = owner
        self.fn = fn
        self.callback = callback
        self.key = (fn.id, callback.is_, callback.parameters, tuple(sorted(callback.by_name.items())))


class Solver:
    """The whole-project state of the analysis."""

    def __init__(self, symbols: Symbols, catalogue: Catalogue, progress: Callable[[int, int], None] | None = None) -> None:
        self.symbols = symbols
        self.catalogue = catalogue
        self.progress = progress
        self.summaries: list[Summary] = [EMPTY] * len(symbols.functions)
        self.fields: dict[tuple[int, str], dict[int, Shape]] = {}
        self.globals: dict[tuple[int, str], dict[int, Shape]] = {}
        self.issues: dict[int, list[Issue]] = {}
        self.reports: dict[int, dict[Any, CallReport]] = {}
        self.entries: dict[int, dict[Any, Entry]] = {}
        self.virtual: list[Issue] = []
        self.annotated: dict[tuple[int, int], Any] = {}
        self.receivers: dict[int, dict[int, int]] = {}
        self.counts: dict[str, int] = {}
        self._sources: dict[Any, Source] = {}
        self._sinks: dict[Any, Sink] = {}
        self._bindings: dict[tuple[int, str], tuple[Any, ...]] = {}
        self._methods: dict[tuple[int, str], tuple[Fn, ...]] = {}
        self._family: dict[int, tuple[Cls, ...]] = {}
        self._field_cache: dict[str, dict[int, tuple[Shape, tuple[int, ...]]]] = {}
        self._totals: dict[tuple[int, str], Shape] = {}
        """The join of all that is stored in a field, by class and name."""
        self._field_statics: dict[tuple[int, str], tuple[int, ...]] = {}
        self._defaults: dict[tuple[int, int], Any] = {}
        self._clean: dict[str, frozenset[str]] = {}
        self._clears: dict[str, int] = {}
        self._iteration: dict[int, tuple[Fn | None, Fn | None]] = {}
        self._stale: dict[int, dict[int, None]] = {}
        """Readers of a field or module variable that was changed after they were solved, with who changed it."""
        self._checked: dict[tuple[int, str], bool] = {}
        self._stateful: dict[str, bool] = {}
        self.unknown: ApiPath[Any] | None = catalogue.paths.root("?")
        self.names: dict[str, ApiPath[Any]] = {
            name[1:]: node
            for name in sorted(catalogue.paths.first_names())
            if name.startswith("?") and len(name) > 1 and (node := catalogue.paths.root(name)) is not None
        }
        self.operators = catalogue.operators
        chain = catalogue.paths.find("langchain_core.runnables.RunnableSequence()")
        self.chain_refs: tuple[Any, ...] = (chain,) if chain is not None else ()
        self.edges = Edges(symbols)
        self._order: list[int] = []
        """Component index of each function."""
        self._done: list[bool] = []
        self._late: dict[int, dict[int, None]] = {}
        self._observed: dict[int, dict[int, None]] = {}
        self._changed = False
        self._reran: set[int] = set()
        self.largest = 0

    def count(self, what: str, number: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + number

    # ------------------------------------------------------------------------------------------- the solution

    def solve(self) -> None:
        """Solve everything; results are in ``issues``, ``virtual`` and ``reports``."""
        total = len(self.symbols.functions)
        self._done = [False] * total
        dirty: set[int] | None = None
        for round_ in range(limits.LATE_ROUNDS):
            groups = components(self.edges.edges)
            if round_ == 0:
                self.counts.update(sizes(groups))
                self.largest = self.counts["largest-component"]
            self._order = [0] * total
            for number, group in enumerate(groups):
                for one in group:
                    self._order[one] = number
            if dirty is not None:
                dirty = self._dependents(dirty, groups)
                for one in dirty:
                    self._forget(one)
            self._late = {}
            finished = 0
            for group in groups:
                if dirty is None or group[0] in dirty:
                    self._component(group)
                finished += len(group)
                if self.progress is not None and finished % 512 < len(group):
                    self.progress(finished, total)
            self._run_entries()
            dirty = self._late_readers()
            if not dirty:
                break
            self.count("late-rounds")
        else:
            self.count("late-edges-left", len(dirty or ()))
        if self.progress is not None:
            self.progress(total, total)

    def _component(self, group: list[int]) -> None:
        functions = [self.symbols.functions[one] for one in group]
        changed: set[int] = set(group)
        for round_ in range(limits.COMPONENT_ROUNDS):
            before_round, changed = changed, set()
            for fn in functions:
                if round_:
                    reads = self._observed.get(fn.id, {})
                    if not any(one in reads for one in changed) and not any(one in reads for one in before_round):
                        continue
                self._changed = False
                before = self.summaries[fn.id]
                after = self._interpret(fn)
                if self._changed or before != after:
                    changed.add(fn.id)
                self.summaries[fn.id] = after
            if not changed or (len(group) == 1 and group[0] not in self._observed.get(group[0], {})):
                break
            if round_ + 1 == limits.COMPONENT_ROUNDS:
                self.count("components-widened")
        for one in group:
            self._done[one] = True

    def _interpret(self, fn: Fn) -> Summary:
        self._observed[fn.id] = {}
        self.reports.pop(fn.id, None)
        self.entries.pop(fn.id, None)
        frame = Interpreter(self, fn)
        summary = frame.run()
        self.count("evaluations")
        if frame.issues:
            self.issues[fn.id] = [issue for _, issue in sorted(frame.issues.items(), key=lambda item: item[0])]
        else:
            self.issues.pop(fn.id, None)
        return summary

    def _forget(self, one: int) -> None:
        """Begin a function again from nothing."""
        self.summaries[one] = EMPTY
        self._done[one] = False
        self.issues.pop(one, None)
        for table in (self.fields, self.globals):
            for writers in table.values():
                writers.pop(one, None)
        self._totals.clear()
        self._field_cache.clear()

    def _dependents(self, dirty: set[int], groups: list[list[int]]) -> set[int]:
        """Everything that reads what is dirty, whole components at a time."""
        readers: dict[int, list[int]] = {}
        for reader, targets in enumerate(self.edges.edges):
            for target in targets:
                readers.setdefault(target, []).append(reader)
        for reader, observed in self._observed.items():
            for target in observed:
                readers.setdefault(target, []).append(reader)
        group_of = {one: group for group in groups for one in group}
        found: set[int] = set()
        todo = sorted(dirty)
        while todo:
            one = todo.pop()
            if one in found:
                continue
            for member in group_of[one]:
                if member not in found:
                    found.add(member)
                    todo += [reader for reader in readers.get(member, ()) if reader not in found]
        return found

    def _late_readers(self) -> set[int]:
        """Functions that read something before it was solved, and it turned out to be something; their edges are added."""
        dirty: set[int] = set()
        for reader, targets in sorted(self._late.items()):
            for target in sorted(targets):
                if target in self.edges.edges[reader]:
                    continue
                if not _matters(self.summaries[target]) and target not in self._writers:
                    continue  # what an unknown call does was assumed of it, and that is what it does
                self.edges.edges[reader][target] = None
                dirty.add(reader)
        for reader, writers in sorted(self._stale.items()):
            dirty.add(reader)
            for writer in writers:
                self.edges.edges[reader][writer] = None
        self._stale = {}
        self.count("late-edges", len(dirty))
        return dirty

    _writers: set[int]
    _field_readers: dict[tuple[int, str], set[int]]
    _global_readers: dict[tuple[int, str], set[int]]

    def prepare(self) -> None:
        """Make what loops over all functions would make again and again."""
        self._writers = set()
        self._field_readers = {}
        self._global_readers = {}

    # ---------------------------------------------------------------------------------------------- reading

    def _read(self, reader: Fn, target: int) -> None:
        one = reader.id
        observed = self._observed.setdefault(one, {})
        observed[target] = None
        if not self._done[target] and self._order[target] != self._order[one]:
            self._late.setdefault(one, {})[target] = None

    def summary(self, reader: Fn, fn: Fn) -> Summary | None:
        """The summary of ``fn`` as it is known now; None where it is solved later."""
        self._read(reader, fn.id)
        if not self._done[fn.id] and self._order[fn.id] != self._order[reader.id]:
            return None
        return self.summaries[fn.id]

    def family(self, cls: Cls) -> tuple[Cls, ...]:
        """The classes whose methods may write a field of an instance: its MRO and its nearest subclasses."""
        known = self._family.get(cls.id)
        if known is None:
            children = cls.descendants(limits.OVERRIDES)
            known = self._family[cls.id] = tuple(dict.fromkeys((*cls.mro, *children[: limits.OVERRIDES])))
        return known

    def read_field(self, reader: Fn, cls: Cls, name: str) -> Shape:
        """A class-wide field: what any method stores in it, its annotation, its default."""
        key = (cls.id, name)
        static = self._field_statics.get(key)
        if static is None:
            ids = [writer.id for one in self.family(cls) for writer in one.written.get(name, ())]
            ids += [
                one.module.functions[one.ir.function].id
                for one in self.family(cls)
                if name in one.ir.fields and one.ir.fields[name].value >= 0
            ]
            static = self._field_statics[key] = tuple(dict.fromkeys(ids))
        for writer_id in static:
            self._read(reader, writer_id)
        self._field_readers.setdefault(key, set()).add(reader.id)
        cache = self._field_cache.setdefault(name, {})
        cached = cache.get(cls.id)
        if cached is not None:
            for writer_id in cached[1]:
                self._read(reader, writer_id)
            return cached[0]
        found: list[int] = []
        made = NOTHING
        for one in self.family(cls):
            writers = self.fields.get((one.id, name))
            if writers:
                for writer_id in sorted(writers):
                    found.append(writer_id)
                    self._read(reader, writer_id)
                total = self._totals.get((one.id, name))
                if total is None:
                    total = NOTHING
                    for writer_id in sorted(writers):
                        total = join_shapes(total, writers[writer_id])
                    self._totals[(one.id, name)] = total
                made = join_shapes(made, total)
        for one in cls.mro:
            field = one.ir.fields.get(name)
            if field is not None and field.annotation is not None:
                type_ = self.symbols.type_value(one.module, field.annotation, one)
                if type_.refs:  # what the author says of it beats what is seen stored: the stores add data, not types
                    made = Shape(
                        made.labels, type_.refs, made.const, made.fields if not made.refs else None, made.kind, False, False, made.proven
                    )
                elif type_.elements is not None and type_.elements.refs:
                    made = join_shapes(made, Shape(fields={"*": Shape(refs=type_.elements.refs)}, kind="list"))
                break
        cache[cls.id] = (made, tuple(found))
        return made

    def store_field(self, fn: Fn, cls: Cls, name: str, export: Callable[[], Shape]) -> None:
        """A method stores a field."""
        shape = only_sources(export())
        if shape.empty:
            return
        writers = self.fields.setdefault((cls.id, name), {})
        known = writers.get(fn.id, NOTHING)
        joined = join_shapes(known, shape)
        if joined != known:
            fresh = fn.id not in writers
            writers[fn.id] = joined
            self._writers.add(fn.id)
            self._changed = True
            total = self._totals.get((cls.id, name))
            if total is not None:
                whole = join_shapes(total, joined)
                if whole == total and not fresh:
                    return  # others store as much: no reader sees a difference
                self._totals[(cls.id, name)] = whole
            self._field_cache.pop(name, None)
            for one in self.family(cls):
                self._outdate(self._field_readers.get((one.id, name), ()), fn)

    def read_global(self, reader: Fn, mod: Mod, name: str) -> Shape:
        """A module variable."""
        self._read(reader, mod.body.id)
        self._global_readers.setdefault((mod.id, name), set()).add(reader.id)
        for writer_id in self.globals.get((mod.id, name), ()):
            self._read(reader, writer_id)
        writers = self.globals.get((mod.id, name))
        if not writers:
            return NOTHING
        if len(writers) == 1:
            return next(iter(writers.values()))
        made = NOTHING
        for writer in sorted(writers):
            made = join_shapes(made, writers[writer])
        return made

    def store_global(self, fn: Fn, mod: Mod, name: str, shape: Shape) -> None:
        """A function or the module body sets a module variable."""
        shape = only_sources(shape)
        if shape.empty:
            return
        writers = self.globals.setdefault((mod.id, name), {})
        known = writers.get(fn.id)
        if known is None or known != shape:
            joined = shape if known is None else join_shapes(known, shape)
            if known is not None and joined == known:
                return
            writers[fn.id] = joined
            self._writers.add(fn.id)
            self._changed = True
            self._outdate(self._global_readers.get((mod.id, name), ()), fn)

    def _outdate(self, readers: Iterable[int], writer: Fn) -> None:
        for reader in readers:
            if self._done[reader] and reader != writer.id:
                self._stale.setdefault(reader, {})[writer.id] = None

    # --------------------------------------------------------------------------------------------- the index

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
            candidates = self.symbols.methods_by_name.get(name, [])
            if len(candidates) <= limits.OVERRIDES:
                made += [fn for fn in candidates if fn is not own]
        if own is not None or cls.children:
            children = cls.descendants(limits.OVERRIDES)
            over = [child.methods[name] for child in children if name in child.methods]
            if len(children) <= limits.OVERRIDES:
                made += over
            elif over:
                self.count("overrides-cut")
        self._methods[key] = tuple(dict.fromkeys(made))
        return self._methods[key]

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

    def iteration(self, cls: Cls) -> tuple[Fn | None, Fn | None]:
        """The methods that give the next element and the iterator of an instance."""
        known = self._iteration.get(cls.id)
        if known is None:
            known = (cls.method("__next__") or cls.method("__anext__"), cls.method("__iter__") or cls.method("__aiter__"))
            self._iteration[cls.id] = known
        return known

    def receivers_of(self, fn: Fn) -> dict[int, int]:
        """The register that each attribute is read from."""
        made = {instr.dst: instr.obj for instr in instructions(fn.ir.defaults + fn.ir.body) if type(instr) is ir.Attr}
        if len(self.receivers) > 64:
            self.receivers.clear()
        self.receivers[fn.id] = made
        return made

    def clean_of(self, node: ApiPath[Any]) -> frozenset[str]:
        """Attributes of a call's result that carry no data of others."""
        known = self._clean.get(node.text)
        if known is None:
            call = self.catalogue.paths.find(node.text[: -len(CALL)])
            known = frozenset(name for entry in (call.entries if call is not None else ()) for name in getattr(entry, "clean", ()))
            self._clean[node.text] = known
        return known

    def checked_field(self, cls: Cls, name: str) -> bool:
        """Whether a field can only hold numbers or words of a fixed set, because the class checks what it is given (pydantic)."""
        key = (cls.id, name)
        known = self._checked.get(key)
        if known is None:
            known = False
            if any(base.name.rpartition(".")[2] in _VALIDATING for one in cls.mro for base in one.ir.bases):
                for one in cls.mro:
                    field = one.ir.fields.get(name)
                    if field is not None:
                        type_ = self.symbols.type_value(one.module, field.annotation, one)
                        known = type_.scalar or type_.literal
                        break
            self._checked[key] = known
        return known

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

    def makes_chain(self, left: Value, right: Value) -> bool:
        """Whether ``left | right`` is a chain."""
        types = {name for value in (left, right) for ref in value.refs for name in getattr(ref, "types", ())}
        for value in (left, right):
            for ref in value.refs:
                for path in getattr(ref, "paths", ()):
                    types |= path.types
        return any(operator.op == "|" and ({operator.left, operator.right} & types) for operator in self.operators)

    # ----------------------------------------------------------------------------------- sources, sinks, entries

    def source(self, kind: str, fn: Fn, start: int, end: int, text: str) -> Source:
        """The source at a place (one object for each)."""
        made = Source(kind, fn, start, end, text)
        return self._sources.setdefault((made.key), made)

    def sink(self, class_: str, fn: Fn, start: int, end: int, name: str, does: str, confidence: str) -> Sink:
        """The sink at a place (one object for each)."""
        made = Sink(class_, fn, start, end, name, does, confidence)
        return self._sinks.setdefault(made.key, made)

    def report_call(self, fn: Fn, rule: CallRule, name: str, start: int, end: int) -> None:
        report = CallReport(rule, fn, name, start, end)
        self.reports.setdefault(fn.id, {})[report.key] = report

    def entry(self, owner: Fn, fn: Fn, callback: Callback) -> None:
        """A framework will call ``fn``."""
        made = Entry(owner, fn, callback)
        self.entries.setdefault(owner.id, {})[made.key] = made

    def overridden(self) -> list[Entry]:
        """Methods that libraries call because they override a method that a model speaks of."""
        found = []
        for cls in self.symbols.classes:
            for path in cls.instance.paths:
                for name, method in sorted(cls.methods.items()):
                    child = path.child(name)
                    for entry in child.entries if child is not None else ():
                        callback = getattr(entry, "overridden", None)
                        if callback is not None:
                            found.append(Entry(method, method, callback))
        return found

    def _run_entries(self) -> None:
        """Call every entry point as its framework does."""
        unique: dict[Any, Entry] = {}
        for entry in [one for owner in sorted(self.entries) for one in self.entries[owner].values()] + self.overridden():
            unique.setdefault(entry.key, entry)
        self.counts["entry-points"] = len(unique)
        self.virtual = []
        for _, entry in sorted(unique.items(), key=lambda item: str(item[0]).zfill(12)):
            self.virtual += run_entry(self, entry)


def _matters(summary: Summary) -> bool:
    """Whether a function does more than pass data on."""
    return bool(summary.sinks or summary.callbacks) or _brings(summary.returns, 0)


def _brings(shape: Shape, depth: int) -> bool:
    """Whether a shape holds data of a source, or something that can be called."""
    if any(label.source is not None for label in shape.labels) or shape.refs:
        return True
    return depth < 2 and any(_brings(part, depth + 1) for part in (shape.fields or {}).values())


def run_entry(solver: Solver, entry: Entry, traced: bool = False) -> list[Issue]:
    """The issues of one call of an entry point by its framework."""
    fn, callback = entry.fn, entry.callback
    frame = Interpreter(solver, fn, traced)
    frame.at = ir.Move(fn.ir.start, fn.ir.start, 0, 0)
    frame.block(fn.ir.defaults)
    defaults = dict(frame.cells)
    frame.at = ir.Move(fn.ir.start, fn.ir.start, 0, 0)
    frame.dead = False
    receiver: Value | None = None
    params = fn.ir.params
    first = 0
    if fn.bound and params:
        first = 1
        assert fn.cls is not None
        alloc = frame.alloc("self", "instance")
        receiver = Value(refs=(fn.cls.instance,), allocs=(alloc,))
    kw: dict[str, Value] = {}
    positional: list[Value] = []
    star = spread = None
    what = callback.is_ or "entry point"
    for param in params[first:]:
        kind = callback.by_name.get(param.name, callback.parameters)
        if not kind or _filled(solver, fn, param, callback, defaults):
            value = defaults.get(param.default, BOTTOM) if param.default >= 0 else BOTTOM
        else:
            type_ = solver.symbols.type_value(fn.module, param.annotation, fn.cls)
            if callback.validates and (type_.scalar or type_.literal):
                value = BOTTOM
            else:
                text = f"the argument {param.name} of the {what} {fn.name}()"
                source = solver.source(kind, fn, param.start, param.end, text)
                label = source_label(source)
                value = Value(frozenset((label,)), steps={label: Node(param.start, param.end, text, None)} if traced else None)
                value = frame.typed(value, type_) if type_.refs else value
        if param.kind == "star":
            star = value
        elif param.kind == "stars":
            spread = value
        elif param.kind == "positional":
            positional.append(value)
        else:
            kw[param.name] = value
    frame._apply(fn, receiver, Args(positional, kw, star, spread), False, None)
    for issue in frame.issues.values():
        issue.entry = True
    return [issue for _, issue in sorted(frame.issues.items(), key=lambda item: item[0])]


def _filled(solver: Solver, fn: Fn, param: ir.Param, callback: Callback, defaults: dict[Any, Value]) -> bool:
    """Whether the framework fills a parameter with something of its own."""
    names = {one for name in callback.except_ for one in expand(name)}
    if param.name in names:
        return True
    texts: set[str] = set()
    if param.default >= 0:
        texts |= {getattr(ref, "text", "") for ref in defaults.get(param.default, BOTTOM).refs}
    todo = [param.annotation] if param.annotation is not None else []
    while todo:
        type_ = todo.pop()
        todo += type_.args
        for found in solver.symbols.type_names(fn.module, type_.name.removesuffix(CALL), fn.cls):
            text = getattr(found, "text", "")
            if text:
                texts |= {text, text + CALL}
        texts.add(type_.name.rpartition(".")[2].removesuffix(CALL))
    for wanted in names:
        if any(
            text and (text == wanted or text == wanted + CALL or re.sub(r"\(\)$", "", text) == re.sub(r"\(\)$", "", wanted))
            for text in texts
        ):
            return True
        last = wanted.removesuffix(CALL).rpartition(".")[2]
        if last[:1].isupper() and last in texts:
            return True
    return False
