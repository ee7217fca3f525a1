"""Functions that are handed to libraries, which will call them, and what they are given then."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from headwater import limits
from headwater.apis import conditions
from headwater.apis.paths import ApiPath
from headwater.apis.schema import Callback
from headwater.index.entities import Cls, Fn, Inst
from headwater.taint import (
    addresses,
    schemas,
    slots,
)
from headwater.taint.arguments import Args
from headwater.taint.described import ANY, Schema
from headwater.taint.filled import filled
from headwater.taint.labels import (
    source_label,
)
from headwater.taint.reached import Reached
from headwater.taint.summary import Entry
from headwater.taint.value import (
    BOTTOM,
    Node,
    Shape,
    Value,
    captured_key,
    join,
    join_all,
    only_sources,
)

if TYPE_CHECKING:
    from headwater.taint.solve import Solver


class Handing(Reached):
    """Callbacks of libraries."""

    def __init__(self, solver: Solver, fn: Fn, traced: bool = False) -> None:
        super().__init__(solver, fn, traced)
        self.addressed: dict[Any, tuple[Any, ...]] = {}
        """The addresses under which decorators make functions routes, by the object that stands for the decorator."""

    def call(self, callee: Value, args: Args) -> Value:
        """The result of calling ``callee``."""
        raise NotImplementedError

    def _hand_over(self, callback: Callback, args: Args, node: ApiPath[Any] | None = None) -> Value:
        """A function given to a library that will call it."""
        made = BOTTOM
        state = (slots.place(self, callback.state, None, args) or "") if callback.state is not None else ""
        for value, schema in self._functions_of(callback, args):
            functions = [value]
            for alloc in value.allocs:
                if alloc.kind in ("dict", "list", "tuple", "set"):
                    functions.append(self.contents(alloc))
            for function in functions:
                if state and (function is not value or len(functions) == 1):
                    slots.hand_state(self, state, function, callback.parameters)
                if any(isinstance(ref, Fn | Cls | Inst) or (isinstance(ref, ApiPath) and ref.entries) for ref in function.refs):
                    made = join(made, self._handed_one(callback, args, function, state, schema, node))
                if not state:
                    self.hand_on(function, callback, schema, args)
        return made

    def hand_on(self, function: Value, callback: Callback, schema: Schema, args: Args) -> None:
        """A function given to a library that a caller may have handed over."""
        raise NotImplementedError

    def _handed_one(self, callback: Callback, args: Args, function: Value, state: str, schema: Schema, node: ApiPath[Any] | None) -> Value:
        """One of the functions given to a library."""
        made = BOTTOM
        if callback.at:
            position = self._argument(callback.at, args)
            if position is None or not isinstance(position.const, int) or position.const > limits.FIELDS:
                return made
            callback = msgspec.structs.replace(callback, given=[""] * position.const + callback.given)
        if callback.parameters or callback.by_name or callback.given or callback.is_:
            self.register(function, callback, state, schema)
        if callback.address is not None and node is not None:
            self.located(function, addresses.address(self, callback.address, node, args, callback.gives == "response"))
        if callback.gives in self.solver.classes:
            self.solver.used.update((self.fn.id, *(ref.id for ref in function.refs if isinstance(ref, Fn))))
            self.passed_on(callback.gives, self.call(function, Args([])), callback.is_)
        if callback.args or callback.spread or callback.spread_keywords or callback.result or callback.result_in:
            given = [found for one in callback.args if (found := self._argument(one, args)) is not None]
            star = None
            if callback.spread:
                tuple_ = self._argument(callback.spread, args)
                if tuple_ is not None:
                    numbered = [
                        self.cells[(alloc, key)]
                        for alloc in tuple_.allocs
                        for key in alloc.keys
                        if isinstance(key, int) and (alloc, key) in self.cells
                    ]
                    given += numbered
                    if not numbered:
                        star = self.elements(tuple_)
            spread = self._argument(callback.spread_keywords, args) if callback.spread_keywords else None
            result = self.call(function, Args(given, star=star, spread=spread))
            if callback.result_in:
                holder = self.alloc((self.at.start, "holder"), "instance")
                self.put(holder, callback.result_in, result)
                made = join(made, Value(allocs=(holder,)))
            elif callback.result:
                made = join(made, result)
        return made

    def _given(self, function: Value, callback: Callback) -> dict[str, Value]:
        """The arguments with which a library calls a function, where they are data of others."""
        given: dict[str, Value] = {}
        for ref in function.refs:
            if not isinstance(ref, Fn):
                continue
            defaults: dict[Any, Value] | None = None
            for param in ref.ir.params[1 if ref.bound else 0 :]:
                kind = callback.by_name.get(param.name, callback.parameters)
                type_ = self.symbols.type_value(ref.module, param.annotation, ref.cls)
                foreign = any(isinstance(one, ApiPath) and not one.text.startswith("builtins.") for one in type_.refs)
                checked = callback.validates and (type_.scalar or type_.literal)
                if not kind or foreign or param.name in callback.except_:
                    continue
                if param.default >= 0 and callback.except_:
                    defaults = self._defaults(ref) if defaults is None else defaults
                    if filled(self.solver, ref, param, callback, defaults):
                        continue
                if checked:
                    given[param.name] = Value()  # anything of its type
                    continue
                text = f"the argument {param.name} of the {callback.is_ or 'function'} {ref.name}()"
                label = source_label(self.solver.source(kind, ref, param.start, param.end, text))
                value = Value(frozenset((label,)), steps={label: Node(self.at.start, self.at.end, text, None)} if self.traced else None)
                given[param.name] = self.typed(value, type_) if type_.refs else value
        return given

    def _defaults(self, fn: Fn) -> dict[Any, Value]:
        """The defaults of the parameters of a function, by register."""
        frame = type(self)(self.solver, fn)
        frame.block(fn.ir.defaults)
        return frame.cells

    def _functions_of(self, callback: Callback, args: Args) -> list[tuple[Value, Schema]]:
        """The functions that an argument holds, each with what a schema says of the first argument that it is given."""
        where = conditions.argument(callback.function)
        if not callback.schema or "*" not in where.steps:
            value = self.argument(where, args)
            if value is None:
                return []
            callee = args.callee
            said = schemas.of_callback(self, callback, lambda one: callee if one == "callee" else self._argument(one, args))
            return [(value, said)]
        at = where.steps.index("*") + 1  # each element has its own
        found: list[tuple[Value, Schema]] = []
        container = self.argument(msgspec.structs.replace(where, steps=where.steps[: at - 1]), args) or BOTTOM
        for element in (self.cells.get((alloc, key), BOTTOM) for alloc in container.allocs for key in alloc.keys):
            function = self._inside(element, where.steps[at:])
            if function is not None:
                beside = functools.partial(self._beside, element, at)
                found.append((function, schemas.of_callback(self, callback, beside)))
        return found

    def located(self, function: Value, found: Iterable[tuple[str, str, str, bool]]) -> None:
        """The function answers requests at these addresses."""
        for router, method, path, returns in found:
            for ref in function.refs:
                if isinstance(ref, Fn):
                    self.solver.locate(addresses.Route(ref, router, method, path, returns))

    def _beside(self, element: Value, at: int, text: str) -> Value | None:
        """What an argument path means for one element."""
        return self._inside(element, conditions.argument(text).steps[at:])

    def register(self, function: Value, callback: Callback, state: str = "", schema: Schema = ANY) -> None:
        """The library calls the function with data of its own."""
        for ref in function.refs:
            if state and isinstance(ref, Fn):
                slots.announce(self, state, ref)
            if isinstance(ref, Fn):
                self.solver.entry(Entry(self.fn, ref, callback, self._taken(function, ref), state=state, schema=schema))
                if self._holds_given(function, ref):  # the caller is told what becomes of what it gave
                    self.call(Value(refs=(ref,), allocs=function.allocs), Args([]))
            elif isinstance(ref, Inst) and (method := ref.cls.method("__call__")) is not None:
                self.solver.entry(Entry(self.fn, method, callback, state=state))

    def _taken(self, function: Value, fn: Fn) -> tuple[Shape, ...]:
        """What a local function captured, without what depends on the caller of the function at hand."""
        return tuple(only_sources(self.export(value)) for value in self._captured_by(function, fn))

    def _captured_by(self, function: Value, fn: Fn) -> list[Value]:
        closures = [alloc for alloc in function.allocs if alloc.kind == "closure"]
        if not fn.ir.captured or not closures:
            return []
        names = [captured_key(fn, number) for number in range(len(fn.ir.captured))]
        return [join_all(self.cells.get((alloc, name), BOTTOM) for alloc in closures) for name in names]

    def _holds_given(self, function: Value, fn: Fn) -> bool:
        """Whether a local function captured what depends on the caller of the function at hand."""
        taken = self._captured_by(function, fn)
        return any(label.source is None for value in taken for label in self.collapse(value).labels)
