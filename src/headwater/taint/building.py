"""Instructions that build collections, and that store in them, in objects and in variables of modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headwater import ir, limits
from headwater.apis.paths import ApiPath
from headwater.apis.schema import Callback
from headwater.index.entities import EXTERNAL, Cls, Fn, Inst
from headwater.taint import (
    chains,
    fills,
    hosts,
    prompts,
    schemas,
    slots,
)
from headwater.taint.arguments import Args
from headwater.taint.instructions import Instructions
from headwater.taint.value import (
    BOTTOM,
    KEYS,
    NO_CONST,
    Alloc,
    Value,
    join,
)

if TYPE_CHECKING:
    pass


_SCHEMAS = frozenset({
    "args_schema", "function_parameters", "input_schema", "inputSchema", "parameters", "params", "parameters_schema", "schema"
})  # fmt: skip
"""Keys under which the description of a tool holds its parameters."""
_CALLABLES = frozenset({"callable", "callback", "execute", "fn", "func", "function", "handler", "implementation"})
"""Keys under which it holds the function."""
_LISTS = frozenset({"params"})
"""Keys that hold a list of words rather, where it is a script."""
_REQUESTS = frozenset({"c", "client", "context", "ctx", "e", "event", "interaction", "message", "msg", "req", "request", "socket"})
"""What the first parameter is called of functions that get no arguments of a tool there."""


class Building(Instructions):
    """Collections and objects that are made and written to."""

    def i_store_attr(self, i: ir.StoreAttr) -> None:
        value = self.cells.get(i.src, BOTTOM)
        base = self.cells.get(i.obj, BOTTOM)
        chains.written(self, i.obj, i.name)
        self.store(base, i.name, self._stepped(value, i, f"kept in .{i.name}"))
        hosts.changed(self, i, base, value)
        for ref in base.refs:
            if isinstance(ref, Cls):
                self.solver.store_field(self.fn, ref, i.name, lambda: self.export(value))
            elif isinstance(ref, Inst) and (setter := ref.cls.setter(i.name)) is not None and setter is not self.fn:
                self.call_function(setter, base, [value], {})
        if base.refs:
            self._stored_in_library(base, "__setattr__", Value(const=i.name), value)
        if self.mod.script and (value.labels or value.allocs) and all(map(_unknown, base.refs)):
            node = self.solver.unknowns[True]
            child = node.child("__setattr__") if node is not None else None
            if child is not None:
                args = Args([Value(const=i.name), value])
                args.receiver = base
                self._api(child, args, False)

    def _stored_in_library(self, base: Value, method: str, key: Value, value: Value) -> None:
        """``a.b = c`` and ``a[b] = c`` are calls of ``__setattr__`` and ``__setitem__`` where a model speaks of them."""
        for ref in base.refs:
            child = ref.child(method) if isinstance(ref, ApiPath) else None
            if child is not None:
                args = Args([key, value])
                args.receiver = base
                args.name = method
                self._api(child, args, False)

    def i_store_item(self, i: ir.StoreItem) -> None:
        value = self.cells.get(i.src, BOTTOM)
        base = self.cells.get(i.obj, BOTTOM)
        chains.written(self, i.obj, i.key)
        key: str | int | None = i.key
        if key is None and i.reg >= 0:
            index = self.cells.get(i.reg, BOTTOM)
            if isinstance(index.const, str | int) and not isinstance(index.const, bool):
                key = index.const
            elif index.labels:
                for alloc in base.allocs:
                    if alloc.kind == "dict":
                        self.put(alloc, KEYS, self.derived([index]), weak=True)
        if key is None and i.reg >= 0:
            for alloc in base.allocs:
                alloc.mixed = True
        # A comprehension over a fixed collection: what it makes of each element is as fixed.
        fixed = [one for one in base.allocs if one.constant] if key is None and self.over and self.over[-1] and not value.labels else []
        filled = fills.empty(self, base) if key is None and i.reg < 0 else None
        known = self.fills.get(filled) if filled is not None else None
        if key is None and not any(isinstance(ref, Inst) for ref in base.refs):
            place: str | int = self.keyed(self.cells.get(i.reg, BOTTOM) if i.reg >= 0 else None)
        else:
            place = "*" if key is None else key
        self.store(base, place, self._stepped(value, i, "put into a container") if value.labels else value)
        for alloc in fixed:
            alloc.constant = True
        fills.fill(self, filled, known)
        if base.refs:
            given = Value(const=key) if key is not None else self.cells.get(i.reg, BOTTOM) if i.reg >= 0 else BOTTOM
            self._stored_in_library(base, "__setitem__", given, value)

    def i_store_global(self, i: ir.StoreGlobal) -> None:
        value = self.cells.get(i.src, BOTTOM)
        annotation = self.mod.body.ir.annotations.get(i.name)
        if (
            annotation is not None and not value.refs and value.const is NO_CONST
        ):  # one of the kind that is declared, which one is not known
            type_ = self.symbols.type_value(self.mod, annotation, None)
            value = value.with_(refs=type_.refs, loose=True) if type_.refs else value
        self.solver.store_global(self.fn, self.mod, i.name, self.export(value))
        self.remember(i.name, value)
        if value.labels:
            slots.given_to(self, self.mod, i.name, value)

    def i_build(self, i: ir.Build) -> None:
        alloc = self.alloc((i.start, i.end, "build", i.dst), i.kind, closed=True)
        alloc.constant = True
        behind = False  # of a spread: places are not known any more
        spread: Value | None = None
        for number, part in enumerate(i.parts):
            value = self.cells.get(part, BOTTOM)
            key = i.keys[number] if number < len(i.keys) else number
            if i.spread and i.spread[number]:
                alloc.constant = alloc.constant and bool(value.allocs) and all(one.constant for one in value.allocs)
                behind = behind or i.kind == "list"
                self._spread(alloc, value)
                spread = self._unknown_fields(i, value, spread)
                continue
            if value.labels or (
                value.const is NO_CONST and not value.refs and not (value.allocs and all(one.constant for one in value.allocs))
            ):
                alloc.constant = False
            if key is None:
                key = "*" if i.kind in ("dict", "set") else number
            if i.kind == "set":
                key = number
            if behind:
                key = "*"
            self.put(alloc, key, self._called(i, value) if i.kind == "list" else value, weak=key == "*")
        if i.kind == "dict":
            if len(i.keys) > 2:
                self._described(alloc, i.keys)
            if "role" in i.keys:
                prompts.message(self, alloc, i.start, i.end)
        if spread is not None:
            last = max(number for number, spreads in enumerate(i.spread) if spreads)
            alloc.copied = (spread, frozenset(key for key in i.keys[last + 1 :] if key is not None))
        made = Value(allocs=(alloc,))
        self.write(i.dst, made)
        if not i.parts and not self.fn.index:
            self._opened(i.dst, made)

    def _opened(self, register: int, made: Value) -> None:
        """The body of a module makes a container that it calls by a name: what it calls before it ends may put something there."""
        if self.holders_of is None:
            self.holders_of = {}
            for name, known in self.fn.ir.names.items():
                self.holders_of.setdefault(known, []).append((self.mod, name))
            for cls in self.solver.classes_in.get(self.fn.id, ()):
                for name, field in cls.ir.fields.items():
                    self.holders_of.setdefault(field.value, []).append((cls, name))
        for owner, name in self.holders_of.get(register, ()):
            if isinstance(owner, Cls):
                self.solver.store_field(self.fn, owner, name, lambda: self.export(made))
            else:
                self.solver.store_global(self.fn, owner, name, self.export(made))

    def _described(self, alloc: Alloc, keys: tuple[Any, ...]) -> None:
        """A function beside a description and a schema of its parameters is a tool: the model chooses those that the schema names."""
        schema = next((key for key in keys if key in _SCHEMAS), None)
        if schema is None or not any(isinstance(key, str) and key.endswith("description") for key in keys):
            return
        named: set[Any] = set()
        self._names_in(self.cells.get((alloc, schema), BOTTOM), named, limits.SHAPE_DEPTH)
        for key in keys:
            function = self.cells.get((alloc, key), BOTTOM) if key in _CALLABLES else BOTTOM
            for ref in function.refs:
                if isinstance(ref, Fn):
                    given = {param.name: "tool-args" for param in ref.ir.params if param.name in named}
                    if given:
                        self.register(function.with_(refs=(ref,)), Callback(function="", by_name=given, is_="tool"))
                    elif self.mod.script and schema not in _LISTS:
                        self._takes_all(function.with_(refs=(ref,)), ref, self.cells.get((alloc, schema), BOTTOM))

    def _takes_all(self, function: Value, fn: Fn, schema: Value) -> None:
        """A tool of a script gets all that the model has chosen as its first argument."""
        params = fn.ir.params[1 if fn.bound else 0 :]
        said = schemas.read(self, schema, True)
        if said.fields is not None and params and params[0].name not in _REQUESTS:
            self.register(function, Callback(function="", given=["tool-args", ""], is_="tool"), "", said)

    def _names_in(self, value: Value, names: set[Any], depth: int) -> None:
        """The keys and texts of a literal."""
        for alloc in value.allocs if depth else ():
            for key in alloc.keys:
                part = self.cells.get((alloc, key), BOTTOM)
                names.add(key)
                if isinstance(part.const, str):
                    names.add(part.const)
                self._names_in(part, names, depth - 1)

    def _unknown_fields(self, i: ir.Build, value: Value, before: Value | None) -> Value | None:
        """The objects of a display whose fields are not known, with one more that is spread into it."""
        if i.kind != "dict" or not value.labels or any(one.closed for one in value.allocs):
            return before
        return value if before is None else join(before, value)

    def _spread(self, alloc: Alloc, value: Value) -> None:
        for one in value.allocs:
            if one is alloc:
                continue
            for key in list(one.keys):
                found = self.cells.get((one, key))
                if found is not None:
                    named = alloc.kind == "dict" and key != one.keyed
                    self.put(alloc, key if named else "*", found, weak=not named)
        if value.labels and not any(one.closed for one in value.allocs):
            for key in [key for key in alloc.keys if isinstance(key, str) and key[:1] not in "*$"] if alloc.kind == "dict" else ():
                self.put(alloc, key, self.part(value, key), weak=True)  # it may have a key of that name, which counts
            self.put(alloc, "*", self.part(value, "*"), weak=True)
        elif not value.allocs and self.mod.script and not schemas.put_fields(self, alloc, value):
            self.put(alloc, schemas.OPEN, Value())


def _unknown(ref: Any) -> bool:
    """Whether a reference says nothing of an object: of what a script calls an element, often its name alone is known."""
    return ref is EXTERNAL or (isinstance(ref, ApiPath) and not ref.types)
