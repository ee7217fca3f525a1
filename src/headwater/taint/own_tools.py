"""Tools of frameworks that no model speaks of: classes that describe themselves, functions that are listed or decorated as tools.

A model fills in their arguments, whoever calls them in the end. What says so is a convention that these frameworks share: a class whose
base is called a tool, with a name and a description, and a method that runs it; ``tools=[function]``; ``add_tool(function)``; ``@tool``;
a table of tools with the modules that they come from. Parameters that frameworks fill themselves (the agent, its session, what cancels a
call) are known by their names and types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from headwater import ir
from headwater.apis.paths import ApiPath
from headwater.apis.schema import Callback
from headwater.index.calls import instructions
from headwater.index.entities import Cls, Fn, Mod, Var, is_test
from headwater.taint.summary import Entry

if TYPE_CHECKING:
    from headwater.taint.arguments import Args
    from headwater.taint.calls import Calls
    from headwater.taint.instructions import Instructions
    from headwater.taint.solve import Solver
    from headwater.taint.value import Value

_BASE: Final = re.compile(r"(?:^|[a-z0-9])Tool(?:Base|Interface|ABC|Protocol)?$")
_DESCRIBED: Final = ("description", "_description", "tool_description", "get_description")
_NAMED: Final = ("name", "_name", "tool_name", "get_name")
_RUNS: Final = (
    "run", "_run", "arun", "_arun", "run_async", "_run_async", "execute", "_execute", "aexecute", "_aexecute", "execute_async", "call",
    "_call", "acall", "_acall", "invoke", "_invoke", "ainvoke", "_ainvoke", "forward", "__call__", "handle", "use", "use_tool", "run_tool",
    "call_tool",
)  # fmt: skip
"""Methods by which frameworks run a tool with what the model has chosen."""
_TABLE: Final = re.compile(r"(?i)(?:^|_)tools?(?:_|$)")
_LISTS: Final = ("tools",)
_ADDS: Final = frozenset({"add_tool", "add_tools", "register_tool", "register_tools"})
_DECORATES: Final = re.compile(r"(?:^|_)tool$")
_OWN_NAME: Final = re.compile(
    r"^_|^(?:ctx|agent|session|state|runtime|config|logger|log|tracer|llm|kernel|env|environment|sandbox|memory|signal|cancel\w*|abort\w*"
    r"|callbacks?|on_\w+|progress\w*|run_manager|\w*_?context|\w+_config|\w+_manager|\w+_callbacks?|session_id|user_id|tenant_id|thread_id|run_id"
    r"|request_id|trace_id|tool_call_id|call_id|metadata|verbose|dry_run)$"
)
_OWN_TYPE: Final = re.compile(
    r"(?:Context|Agent|Session|Runtime|State|Config|Settings|Manager|Handler|Client|Sandbox|Env|Environment|Logger|Signal|Callback|Callable"
    r"|Tracer|Store|Memory|LLM|Kernel)$"
)
"""Types of what a framework fills in itself, and not the model."""


def of_classes(solver: Solver) -> list[Entry]:
    """The methods that run tools of the project's own kinds."""
    found = []
    for cls in solver.symbols.classes:
        if cls.module.script or is_test(cls.module.path) or not _is_tool(cls):
            continue
        for name in _RUNS:
            method = cls.methods.get(name)
            if method is None or not method.bound or "abstract" in method.ir.flags:
                continue
            if (callback := _callback(method)) is not None:
                found.append(Entry(method, method, callback))
    return found


def of_tables(solver: Solver) -> list[Entry]:
    """Functions that a table names as tools, with the modules that they are imported from: ``{"look": (".looking", None)}``."""
    found: dict[int, Entry] = {}
    for mod in solver.symbols.modules:
        if mod.script or is_test(mod.path) or not any(map(_TABLE.search, mod.body.ir.names)):
            continue
        made = {one.dst: one for one in mod.body.ir.body if isinstance(one, ir.Build | ir.Const | ir.Move)}
        for name, register in sorted(mod.body.ir.names.items()):
            table = made.get(register) if _TABLE.search(name) else None
            if isinstance(table, ir.Move):
                table = made.get(table.src)
            if not isinstance(table, ir.Build) or table.kind != "dict":
                continue
            for key, part in zip(table.keys, table.parts, strict=False):
                for fn in _named(solver, mod, str(key), _texts(made, part)):
                    if fn.id not in found and not is_test(fn.module.path) and (callback := _callback(fn)) is not None:
                        found[fn.id] = Entry(fn, fn, callback)
    return list(found.values())


def _texts(made: Mapping[int, ir.Build | ir.Const | ir.Move], register: int) -> list[str]:
    """The texts of a literal: one, or those of a tuple or list."""
    one = made.get(register)
    parts = one.parts if isinstance(one, ir.Build) and one.kind in ("tuple", "list") else (register,)
    found = [made.get(part) for part in parts]
    return [known.value for known in found if isinstance(known, ir.Const) and isinstance(known.value, str)]


def _named(solver: Solver, mod: Mod, key: str, texts: list[str]) -> Iterator[Fn]:
    """The functions that an entry of such a table names: by module and name, by class and method, or by one dotted name."""
    place = re.fullmatch(r"(\.*)([A-Za-z_][\w.]*)(?::(\w+))?", texts[0]) if texts else None
    if place is None:
        return
    alias = ir.Alias(place[2], len(place[1]))
    for target in solver.symbols.alias(mod, alias):
        if isinstance(target, Mod):
            for one in solver.symbols.member(target, place[3] or (texts[1] if len(texts) > 1 else key)):
                yield from _functions(solver, one, key)
        else:
            yield from _functions(solver, target, key)


def _functions(solver: Solver, one: Any, key: str) -> Iterator[Fn]:
    if isinstance(one, Var):
        yield from (ref for ref in solver.read_global(one.module.body, one.module, one.name).refs if isinstance(ref, Fn))
    elif isinstance(one, Cls) and (method := one.method(key)) is not None:
        yield method
    elif isinstance(one, Fn):
        yield one


def _is_tool(cls: Cls) -> bool:
    """Whether a class is a tool by its base, and says what it is for; what a model speaks of is left to that."""
    bases = {base.name.rpartition(".")[2].removesuffix("()") for one in cls.mro for base in one.ir.bases}
    if not any(map(_BASE.search, bases)) or any(_modelled(path, name) for path in cls.instance.paths for name in _RUNS):
        return False
    own = {name for one in cls.mro for name in (*one.ir.fields, *one.methods, *one.written)}
    return not own.isdisjoint(_DESCRIBED) and not own.isdisjoint(_NAMED)


def _modelled(path: ApiPath[Any], name: str) -> bool:
    child = path.child(name)
    return child is not None and bool(child.entries)


def _callback(fn: Fn) -> Callback | None:
    """How a framework calls a function that is a tool; None where there is nothing for the model to choose."""
    chosen = {param.name: "tool-args" for param in fn.ir.params[1 if fn.bound else 0 :] if _chosen(param)}
    return Callback(function="", by_name=chosen, is_="tool", validates=True) if chosen else None


def _chosen(param: ir.Param) -> bool:
    """Whether the model chooses an argument."""
    if param.kind == "star" or _OWN_NAME.search(param.name):
        return False
    return param.annotation is None or not _OWN_TYPE.search(param.annotation.name.rpartition(".")[2])


def listed(frame: Calls, args: Args) -> None:
    """A call of something that is not part of the project, which may be given functions as tools."""
    if frame.mod.script or is_test(frame.mod.path):
        return
    given = [args.kw[name] for name in _LISTS if name in args.kw]
    if args.name in _ADDS:
        given += [*args.positional, *args.kw.values()]
    for value in given:
        _register(frame, value)
        for alloc in value.allocs:
            if alloc.kind in ("dict", "list", "tuple", "set"):
                _register(frame, frame.contents(alloc))


def decorated(frame: Instructions, i: ir.Decorate, decorator: Value, target: Value) -> None:
    """A function that a decorator of nobody knows which framework makes a tool."""
    if frame.mod.script or is_test(frame.mod.path) or any(isinstance(ref, ApiPath) and ref.entries for ref in decorator.refs):
        return
    if frame.makers is None:
        frame.makers = {one.dst: one for one in instructions(frame.fn.ir.body) if type(one) in (ir.Name, ir.Attr, ir.Call)}
    made = frame.makers.get(i.decorator)
    named = frame.makers.get(made.fn) if type(made) is ir.Call else made  # @tool, @tool(name="look")
    if isinstance(named, ir.Name | ir.Attr) and _DECORATES.search(named.name):
        _register(frame, target)


def _register(frame: Calls, value: Value) -> None:
    for ref in value.refs:
        if isinstance(ref, Fn) and not is_test(ref.module.path) and (callback := _callback(ref)) is not None:
            frame.register(value.with_(refs=(ref,)), callback)
