"""Entry points: functions that a framework calls with data of its own, run as calls that no code of the project makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater import ir
from headwater.apis.schema import Callback, is_object
from headwater.taint import amounts, prompts, schemas, slots
from headwater.taint.arguments import Args
from headwater.taint.described import ANY
from headwater.taint.filled import filled
from headwater.taint.labels import ALL, bits, source_label
from headwater.taint.summary import Entry as Entry
from headwater.taint.summary import Issue
from headwater.taint.transfer import Interpreter
from headwater.taint.validators import Body, declared
from headwater.taint.value import BOTTOM, Node, Value, captured_key

if TYPE_CHECKING:
    from headwater.taint.solve import Solver


def run_entry(solver: Solver, entry: Entry, traced: bool = False) -> list[Issue]:
    """The issues of one call of an entry point by its framework."""
    frame = call_entry(solver, entry, traced)
    for issue in frame.issues.values():
        issue.entry = True
    return [issue for _, issue in sorted(frame.issues.items(), key=lambda item: item[0])]


def call_entry(solver: Solver, entry: Entry, traced: bool = False) -> Interpreter:
    """The run of such a call."""
    frame = Interpreter(solver, entry.fn, traced)
    frame.virtual = True
    try:
        _call(frame, entry)
    finally:
        frame.release()
    return frame


def _call(frame: Interpreter, entry: Entry) -> None:
    fn, callback, solver, traced = entry.fn, entry.callback, frame.solver, frame.traced
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
        if entry.init:
            _construct(frame, entry, receiver, traced)
    kw: dict[str, Value] = {}
    positional: list[Value] = []
    star = spread = None
    given = BOTTOM
    what = callback.is_ or "entry point"
    taken = next((number for number, kind in enumerate(callback.given) if kind), 0)  # what a schema speaks of
    for number, param in enumerate(params[first:]):
        kind = callback.by_name.get(param.name, callback.parameters)
        if number < len(callback.given):
            kind = callback.given[number]
        if is_object(kind):
            value = BOTTOM  # the function itself knows what it is
        elif not kind or filled(solver, fn, param, callback, defaults):
            value = defaults.get(param.default, BOTTOM) if param.default >= 0 else BOTTOM
        else:
            type_ = solver.symbols.type_value(fn.module, param.annotation, fn.cls)
            safe = declared(param.annotation) if callback.validates else 0
            if callback.validates and param.default >= 0 and not safe:
                safe = Body(fn.ir.defaults).pattern(param.default)
            plain = callback.validates and (type_.scalar or type_.literal)
            if plain and type_.scalar and amounts.limits_work(param.name):
                given_by = Body(fn.ir.defaults).keywords(param.default) if param.default >= 0 else ()
                plain, safe = amounts.constrained(param.annotation, given_by), amounts.FOLLOWED
            if plain or safe == ALL:
                value = Value()  # anything of its type: the default is only one of the values that it may have
            else:
                text = f"the argument {param.name} of the {what} {fn.name}()"
                source = solver.source(kind, fn, param.start, param.end, text)
                harmless = safe | (bits(callback.first_harmless) if param is params[first] else 0)
                label = source_label(source, cleared=harmless | (prompts.SYSTEM if prompts.asked_for(param.name) else 0))
                value = Value(frozenset((label,)), steps={label: Node(param.start, param.end, text, None)} if traced else None)
                if number == taken:
                    frame.at = ir.Move(param.start, param.end, 0, 0)
                    schema = schemas.of_field(frame, callback, receiver) if receiver is not None else ANY
                    value = schemas.applied(frame, schema if entry.schema == ANY else entry.schema, value, "given")
                    frame.at = ir.Move(fn.ir.start, fn.ir.start, 0, 0)
                if entry.state and param is params[first]:
                    frame.at = ir.Move(param.start, param.end, 0, 0)
                    value = given = slots.state(frame, entry.state, value)
                    frame.at = ir.Move(fn.ir.start, fn.ir.start, 0, 0)
                value = frame.typed(value, type_) if type_.refs else value
        if param.kind == "star":
            star = value
        elif param.kind == "stars":
            spread = value
        elif param.kind == "positional":
            positional.append(value)
        else:
            kw[param.name] = value
    result = frame._apply(fn, receiver, Args(positional, kw, star, spread), False, _closure(frame, entry))
    if entry.state:
        slots.returned(frame, entry.state, given, result, bool(callback.state and callback.state.items))


def _construct(frame: Interpreter, entry: Entry, receiver: Value, traced: bool) -> None:
    """The constructor runs first, with data of others."""
    init = entry.fn.cls.method("__init__") if entry.fn.cls is not None else None
    if init is None:
        return
    kw: dict[str, Value] = {}
    for param in init.ir.params:
        kind = entry.init.get(param.name)
        if kind:
            text = f"the argument {param.name} of {init.ir.qualname.removesuffix('.__init__')}()"
            label = source_label(frame.solver.source(kind, init, param.start, param.end, text))
            kw[param.name] = Value(frozenset((label,)), steps={label: Node(param.start, param.end, text, None)} if traced else None)
    frame._apply(init, receiver, Args([], kw), False, None)


def generated_services(solver: Solver) -> list[Entry]:
    """Methods of gRPC services: of a class derived from one that the compiler of protocols made, which often is not in the repository."""
    found = []
    for cls in solver.symbols.classes:
        if cls.name.endswith("Servicer") or not any(base.name.endswith("Servicer") for one in cls.mro for base in one.ir.bases):
            continue
        for name, method in sorted(cls.methods.items()):
            params = method.ir.params
            if len(params) == 3 and not name.startswith("_") and params[2].name.lstrip("_") in ("context", "ctx"):
                found.append(Entry(method, method, Callback(function="", by_name={params[1].name: "network-peer"}, is_="handler")))
    return found


def _closure(frame: Interpreter, entry: Entry) -> Value:
    """The function with what it took from the function around it."""
    alloc = frame.alloc("closure", "closure", closed=True)
    for number, shape in enumerate(entry.captured):
        frame.put(alloc, captured_key(entry.fn, number), frame.instantiate(shape, ("captured", entry.fn.id, number)))
    return Value(refs=(entry.fn,), allocs=(alloc,))
