"""Edges that carry data between functions, before any value is known, and the components that they form.

An edge from f to g says that the summary of g (or a field or variable that g writes) may be read by f: direct calls, methods on self
and its overrides, methods of annotated or constructed types, by-name candidates under a cap, fields and module variables. Edges that
only values show are added later by ``headwater.taint.solve``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from headwater import ir, limits
from headwater.index.entities import Cls, Fn, Inst, Mod, Var
from headwater.index.symbols import Symbols

COMMON_METHODS = frozenset(name for type_ in (str, bytes, list, dict, set, tuple, int, float) for name in dir(type_)) | {
    "close", "open", "read", "write", "info", "debug", "warning", "error", "exception", "put", "send", "run_until_complete",
    "shape", "dim", "view", "reshape", "to", "cpu", "cuda", "clone", "numpy",
    "item", "mean", "sum", "backward", "step", "eval", "train", "forward",
    "result", "done", "cancel", "wait", "set_result", "flush", "seek", "tell", "group", "match", "search", "exists", "is_file", "is_dir",
    "mkdir",
}  # fmt: skip
"""Method names of builtin and everywhere-used types: a by-name edge for them would be chance."""


COMMON_OF_SCRIPTS = COMMON_METHODS | {
    "at", "catch", "charAt", "concat", "emit", "end", "endsWith", "entries", "every", "fill", "filter", "finally", "find", "findIndex",
    "flat", "flatMap", "forEach", "from", "has", "includes", "indexOf", "keys", "lastIndexOf", "length", "map", "match", "matchAll", "next",
    "of", "off", "on", "once", "padEnd", "padStart", "parse", "pipe", "push", "reduce", "repeat", "replaceAll", "resolve", "reject",
    "reverse", "set", "shift", "slice", "some", "splice", "startsWith", "stringify", "substr", "substring", "then", "toLowerCase",
    "toString", "toUpperCase", "trim", "trimEnd", "trimStart", "unshift", "values", "call", "apply", "bind", "json", "text", "log",
    "warn", "delete",
}  # fmt: skip
"""The same of scripts."""

_CHANGERS = frozenset(
    {"add", "append", "appendleft", "extend", "insert", "push", "put", "put_nowait", "set", "setdefault", "update", "write"}
)
"""Methods of containers and other holders that put something in."""
_LOOKUPS = frozenset({"getattr", "globals", "locals", "vars"})
"""Functions that find something by a name that need not be written down."""


class Card:
    """The names that one function uses."""

    __slots__ = (
        "attributes",
        "called",
        "dynamic",
        "imported",
        "kept",
        "members",
        "messages",
        "names",
        "outer_writes",
        "self_reads",
        "self_writes",
    )

    def __init__(self) -> None:
        self.names: dict[str, None] = {}
        self.members: dict[tuple[str, str], None] = {}
        self.attributes: dict[str, None] = {}
        self.self_reads: dict[str, None] = {}
        self.self_writes: dict[str, None] = {}
        self.outer_writes: dict[str, None] = {}
        """Fields of other objects, and module variables, that are set or changed."""
        self.called: list[int] = []
        self.imported: dict[tuple[str, int], None] = {}
        """Paths and levels of import statements inside the function."""
        self.dynamic = False
        """Something got by a name that is not written down is called, or given back."""
        self.messages = False
        """A dict is made that has a role, as messages to a model have."""
        self.kept: frozenset[int] = frozenset()
        """Registers that outlive the block in which they are written: targets of moves, and what local functions capture."""


def made_of(one: Any) -> list[int]:
    """The registers that the result of an instruction is a copy, a part or a text of."""
    kind = type(one)
    if kind is ir.Move:
        return [one.src]
    if kind is ir.Concat:
        return list(one.parts)
    if kind is ir.Binary:
        return [one.left, one.right]
    return [one.obj] if kind in (ir.Attr, ir.Item) else []


def instructions(block: list[Any]) -> Iterator[Any]:
    """Every instruction below ``block``, in source order, without recursion."""
    stack: list[Iterator[Any]] = [iter(block)]
    while stack:
        for item in stack[-1]:
            kind = type(item)
            if kind is ir.If:
                yield item
                stack.append(iter([part for arm in item.arms for part in (arm.cond, *arm.body)] + item.orelse))
                break
            if kind is ir.Loop:
                yield item
                stack.append(iter(([item.cond] if item.cond is not None else []) + item.body + item.orelse))
                break
            if kind is ir.Try:
                yield item
                stack.append(iter(item.body + [part for handler in item.handlers for part in handler.body] + item.orelse + item.final))
                break
            if kind is ir.Leaf:
                stack.append(iter(item.pre))
                break
            if kind is ir.Not:
                stack.append(iter([item.part]))
                break
            if kind is ir.AllOf or kind is ir.AnyOf:
                stack.append(iter(item.parts))
                break
            yield item
        else:
            stack.pop()


def card(fn: Fn) -> Card:
    """Collect the names that ``fn`` uses."""
    made = Card()
    from_name: dict[int, str] = {}
    from_attr: dict[int, tuple[int, str]] = {}
    found: set[int] = set()  # what was found by name
    chosen: set[int] = set()  # the same, by a name that is not written down
    literals: set[int] = set()
    method = fn.bound and bool(fn.ir.params)
    kept: set[int] = set()

    def changed(register: int) -> None:
        """An object is changed: so is the field or variable that it was read from."""
        source = from_attr.get(register)
        if source is not None:
            (made.self_writes if method and source[0] == 0 else made.outer_writes)[source[1]] = None
        elif register in from_name:
            made.outer_writes[from_name[register]] = None

    for instr in instructions(fn.ir.defaults + fn.ir.body if fn.ir.defaults else fn.ir.body):
        kind = type(instr)
        if kind is ir.Attr:
            from_attr[instr.dst] = (instr.obj, instr.name)
            if method and instr.obj == 0:
                made.self_reads[instr.name] = None
            else:
                made.attributes[instr.name] = None
                base = from_name.get(instr.obj)
                if base is not None:
                    made.members[(base, instr.name)] = None
        elif kind is ir.Name:
            made.names[instr.name] = None
            from_name[instr.dst] = instr.name
        elif kind is ir.StoreAttr:
            made.attributes["__setattr__"] = None
            (made.self_writes if method and instr.obj == 0 else made.outer_writes)[instr.name] = None
        elif kind is ir.StoreItem:
            made.attributes["__setitem__"] = None
            changed(instr.obj)
        elif kind is ir.StoreGlobal:
            made.outer_writes[instr.name] = None
        elif kind is ir.Call:
            callee = from_attr.get(instr.fn)
            if callee is not None and callee[1] in _CHANGERS:
                changed(callee[0])
            if instr.fn in found:
                made.dynamic = True
            if instr.kw and from_name.get(instr.fn) == "dict" and any(name == "role" for name, _ in instr.kw):
                made.messages = True
            if from_name.get(instr.fn) in _LOOKUPS:
                found.add(instr.dst)
                if len(instr.args) > 1 and instr.args[1] not in literals:
                    chosen.add(instr.dst)
        elif kind is ir.Const:
            literals.add(instr.dst)
        elif kind is ir.Build:
            if instr.kind == "dict" and "role" in instr.keys:
                made.messages = True
        elif kind is ir.Return:
            if instr.src in chosen:
                made.dynamic = True
        elif kind is ir.Item:
            if instr.obj in found:
                found.add(instr.dst)
        elif kind is ir.Import:
            made.imported[(instr.path, instr.level)] = None
        elif kind is ir.Move:
            kept.add(instr.dst)
            for table in (from_name, from_attr):
                if instr.src in table:
                    table[instr.dst] = table[instr.src]  # type: ignore[assignment]
            if instr.src in found:
                found.add(instr.dst)
                if instr.src in chosen:
                    chosen.add(instr.dst)
        elif kind is ir.Func:
            kept.update(instr.captures)
            if fn.index:
                made.called.append(instr.function)
    made.kept = frozenset(kept)
    return made


class Edges:
    """The edges of one project and its components."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        self.cards = [card(fn) for fn in symbols.functions]
        for fn, one in zip(symbols.functions, self.cards, strict=True):
            if fn.cls is not None:
                for name in one.self_writes:
                    fn.cls.written.setdefault(name, []).append(fn)
        self.outer_writers: dict[str, list[int]] = {}
        """Functions that set or change a field of another object, or a module variable, by its name."""
        for number, one in enumerate(self.cards):
            for name in one.outer_writes:
                self.outer_writers.setdefault(name, []).append(number)
        self.edges: list[dict[int, None]] = [self._of(fn, one) for fn, one in zip(symbols.functions, self.cards, strict=True)]

    def _of(self, fn: Fn, names: Card) -> dict[int, None]:
        symbols, mod = self.symbols, fn.module
        out: dict[int, None] = {}
        body = mod.body.id
        types: dict[int, Cls] = {}

        def to(target: Any) -> None:
            if isinstance(target, Fn):
                out[target.id] = None
            elif isinstance(target, Cls):
                types[target.id] = target
                for name in ("__init__", "__new__", "__post_init__", "__call__"):
                    method = target.method(name)
                    if method is not None:
                        out[method.id] = None
            elif isinstance(target, Var):
                out[target.module.body.id] = None

        for name in names.names:
            for target in symbols.lookup(mod, name):
                if isinstance(target, Fn) and fn.index == 0:
                    out[target.id] = None
                else:
                    to(target)
        for path, level in names.imported:
            for target in symbols.alias(mod, ir.Alias(path, level)):
                to(target)
                if mod.script and isinstance(target, Mod):
                    for name in names.attributes:
                        for member in symbols.member(target, name) if name in target.ir.exported else ():
                            to(member)
        for base, name in names.members:
            for holder in symbols.lookup(mod, base):
                if isinstance(holder, Mod):
                    for target in symbols.member(holder, name):
                        to(target)
                elif isinstance(holder, Cls):
                    method = holder.method(name)
                    if method is not None:
                        out[method.id] = None
        for index in names.called:
            out[mod.functions[index].id] = None
        for annotation in (*(param.annotation for param in fn.ir.params), *fn.ir.annotations.values()):
            if annotation is not None:
                self._types(symbols.type_value(mod, annotation, fn.cls), types)
        if fn.ir.parent > 0:
            out[mod.functions[fn.ir.parent].id] = None  # what it captures was made there
        if fn.cls is not None:
            self._of_self(fn.cls, names, out, types)
        for cls in types.values():
            for name in names.attributes:
                method = cls.method(name)
                if method is not None:
                    out[method.id] = None
                    for child in cls.overriders(method)[0]:
                        over = child.methods.get(name)
                        if over is not None:
                            out[over.id] = None
        common = COMMON_OF_SCRIPTS if mod.script else COMMON_METHODS
        for name in names.attributes:
            if name not in common:
                candidates = symbols.methods_named(name, mod)
                if len(candidates) <= limits.CANDIDATES:
                    for method in candidates:
                        out[method.id] = None
        out.pop(fn.id, None)
        if fn.index and any(isinstance(t, Var) for name in names.names for t in symbols.lookup(mod, name)):
            out[body] = None
        return out

    def _types(self, value: Any, types: dict[int, Cls]) -> None:
        for ref in value.refs:
            if isinstance(ref, Inst):
                types[ref.cls.id] = ref.cls
        if value.elements is not None:
            self._types(value.elements, types)

    def _of_self(self, cls: Cls, names: Card, out: dict[int, None], types: dict[int, Cls]) -> None:
        family = (*cls.mro, *cls.descendants(limits.OVERRIDES)[: limits.OVERRIDES])
        for name in names.self_reads:
            method = cls.method(name)
            if method is not None:
                out[method.id] = None
            for one in family:
                over = one.methods.get(name)
                if over is not None:
                    out[over.id] = None
                for writer in one.written.get(name, ()):
                    out[writer.id] = None
                field = one.ir.fields.get(name)
                if field is not None:
                    if field.annotation is not None:
                        self._types(self.symbols.type_value(one.module, field.annotation, one), types)
                    if field.value >= 0:
                        out[one.module.body.id] = None


def components(edges: list[dict[int, None]]) -> list[list[int]]:
    """Strongly connected components, callees first (Tarjan, without recursion); each sorted."""
    order: list[int] = [-1] * len(edges)
    low: list[int] = [0] * len(edges)
    on_stack = bytearray(len(edges))
    stack: list[int] = []
    found: list[list[int]] = []
    count = 0
    for start in range(len(edges)):
        if order[start] >= 0:
            continue
        work: list[tuple[int, Iterator[int]]] = []
        order[start] = low[start] = count
        count += 1
        stack.append(start)
        on_stack[start] = 1
        work.append((start, iter(edges[start])))
        while work:
            node, rest = work[-1]
            for target in rest:
                if order[target] < 0:
                    order[target] = low[target] = count
                    count += 1
                    stack.append(target)
                    on_stack[target] = 1
                    work.append((target, iter(edges[target])))
                    break
                if on_stack[target] and order[target] < low[node]:
                    low[node] = order[target]
            else:
                work.pop()
                if work and low[node] < low[work[-1][0]]:
                    low[work[-1][0]] = low[node]
                if low[node] == order[node]:
                    group = []
                    while True:
                        one = stack.pop()
                        on_stack[one] = 0
                        group.append(one)
                        if one == node:
                            break
                    found.append(sorted(group))
    return found


def callees_first(edges: Mapping[int, Iterable[int]]) -> dict[int, int]:
    """The place of each caller in an order in which what it calls comes before it, wherever there is such an order."""
    places: dict[int, int] = {}
    met: set[int] = set()
    for start in sorted(edges):
        work = [(start, iter(edges[start]))] if start not in met else []
        met.add(start)
        while work:
            node, rest = work[-1]
            for target in rest:
                if target not in met and target in edges:
                    met.add(target)
                    work.append((target, iter(edges[target])))
                    break
            else:
                work.pop()
                places[node] = len(places)
    return places


def sizes(groups: Iterable[list[int]]) -> dict[str, int]:
    """The figures of the component sizes that are reported."""
    lengths = sorted((len(group) for group in groups), reverse=True)
    return {
        "components": len(lengths),
        "largest-component": lengths[0] if lengths else 0,
        "components-over-100": sum(n > 100 for n in lengths),
    }
