"""Dangerous operations behind a setting that is off by default: who switches it on has been told what it does.

A setting counts if its name says that it is dangerous, no class gives it the value True, and nothing in the project sets it or passes
it as True: an application that has opted in is not excused by the library's default.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from headwater import ir
from headwater.index.calls import instructions
from headwater.index.entities import Cls, Fn, Inst, is_test
from headwater.taint.value import Fact, Value

if TYPE_CHECKING:
    from headwater.taint.solve import Solver

_MAKERS = frozenset({"__init__", "__new__", "__post_init__", "model_post_init"})
_VALIDATORS = frozenset({"field_validator", "model_validator", "root_validator", "validator"})
"""Decorators of methods that are run whenever an object of the class is made."""
CELL = "opted in"
"""The cell that is true where such a setting has been tested."""
FACT: Fact = ((CELL,), 0, 0, (), "")

_NAME = re.compile(
    r"(^|_)(dangerous|dangerously|unsafe|insecure|trust|trusted)(_|$)"
    r"|(^|_)allow(s|ed)?_(arbitrary|code|command|commands|deserialization|eval|exec|execution|import|imports|pickle|remote|shell)(_|$)"
)


_PERMISSION = re.compile(
    r"(^|_)((allow|enable|permit|trust)(s|d|ed|ted)?|unsafe|insecure|safe|strict|secure|restricted|sandboxed)(_|$)",
    re.IGNORECASE,
)


@functools.lru_cache(maxsize=1 << 16)
def is_permission(name: str) -> bool:
    """Whether a setting is called like one that an operator decides on: what is off by default is then off for most."""
    return _PERMISSION.search(name) is not None or is_switch(name)


@functools.lru_cache(maxsize=1 << 16)  # asked at every attribute
def is_switch(name: str) -> bool:
    """Whether a setting is called like one that lets something dangerous happen."""
    return _NAME.search(name) is not None


def so_unless_set(cond: Any) -> bool:
    """Whether a condition holds as long as no operator sets an environment variable that is called like a permission: what it guards is
    done then, and who sets the variable has decided otherwise (``if os.environ.get("ALLOW_PRIVATE") != "true": check(url)``)."""
    negated = type(cond) is ir.Not
    leaf = cond.part if negated else cond
    if type(leaf) is not ir.Leaf:
        return False
    made = {getattr(one, "dst", -1): one for one in leaf.pre}
    test = made.get(leaf.reg)
    if type(test) is not ir.Test:
        default = _of_environment(made, leaf.reg)
        return default is not None and bool(default.value) is negated
    default, other = _of_environment(made, test.left), made.get(test.right)
    if default is None or type(other) is not ir.Const or test.op not in ("==", "!=", "is", "is not"):
        return False
    return ((default.value == other.value) is (test.op in ("==", "is"))) is not negated


def _of_environment(made: dict[int, Any], register: int) -> ir.Const | None:
    """What an environment variable that is called like a permission is if nobody sets it."""
    one = made.get(register)
    while type(one) is ir.Call and not one.args:  # os.getenv("ALLOW_PRIVATE", "").lower()
        method = made.get(one.fn)
        one = made.get(method.obj) if type(method) is ir.Attr and method.name in ("lower", "upper", "strip") else None
    if type(one) is not ir.Call or not one.args:
        return None
    asked, key = made.get(one.fn), made.get(one.args[0])
    named = getattr(made.get(asked.obj), "name", "") if type(asked) is ir.Attr else ""
    reads = getattr(asked, "name", "") == "getenv" or (getattr(asked, "name", "") == "get" and named == "environ")
    if not reads or type(key) is not ir.Const or not isinstance(key.value, str) or not is_permission(key.value):
        return None
    default = made.get(one.args[1]) if len(one.args) > 1 else ir.Const(0, 0, 0, None)
    return default if type(default) is ir.Const else None


def off_by_default(solver: Solver, base: Value, name: str, value: Value) -> bool:
    """Whether the field of an object of the project is such a setting, and nothing switches it on."""
    classes = [ref.cls for ref in base.refs if isinstance(ref, Inst)]
    if not classes or value.const is True or set_anywhere(solver, name, True, classes):
        return False
    return not any(shape.const is True for cls in classes for one in cls.mro for shape in solver.fields.get((one.id, name), {}).values())


def demanded(solver: Solver, fn: Fn) -> bool:
    """Whether a method belongs to objects that are only made where such a setting is true: what makes them raises otherwise."""
    if fn.cls is None or not fn.bound:
        return False
    known: dict[int, bool] = solver.demanding
    cls = fn.cls
    if cls.id not in known:
        names = {name for one in cls.mro for maker in _makers(one) for name in _needed(maker.ir)}
        known[cls.id] = any(not set_anywhere(solver, name, True, (cls,)) for name in names)
    return known[cls.id] and fn not in list(_makers(cls))


def _makers(cls: Cls) -> Iterator[Fn]:
    """The methods of a class that are run whenever an object is made."""
    functions = cls.module.functions
    decorated: set[int] = set()
    made: dict[int, Any] = {}
    methods: dict[int, int] = {}
    """Registers that hold a method, decorated or not."""
    for instr in functions[cls.ir.function].ir.body:
        if type(instr) is ir.Func:
            methods[instr.dst] = instr.function
        elif type(instr) is ir.Decorate and instr.target in methods:
            maker = made.get(instr.decorator)
            maker = made.get(maker.fn) if type(maker) is ir.Call else maker
            methods[instr.dst] = methods[instr.target]
            if getattr(maker, "name", "") in _VALIDATORS:
                decorated.add(methods[instr.dst])
        made[getattr(instr, "dst", -1)] = instr
    for name, numbers in cls.ir.methods.items():
        yield from (functions[number] for number in numbers if name in _MAKERS or number in decorated)


def _needed(function: ir.Function) -> Iterator[str]:
    """The settings without which a function raises, whatever else is so."""
    for instr in function.body:
        if type(instr) is ir.If and instr.arms and instr.arms[0].body and type(instr.arms[0].body[-1]) is ir.Raise:
            yield from _false(instr.arms[0].cond, function)


def _false(cond: Any, function: ir.Function) -> Iterator[str]:
    """The settings whose falsehood makes a condition true."""
    if type(cond) is ir.AnyOf:
        for part in cond.parts:
            yield from _false(part, function)
    elif type(cond) is ir.Not and type(cond.part) is ir.Leaf:
        yield from _setting(cond.part.pre, cond.part.reg, function)
    elif type(cond) is ir.Leaf:
        made = {getattr(one, "dst", -1): one for one in cond.pre}
        test = made.get(cond.reg)
        if type(test) is ir.Test:
            other = made.get(test.right)
            if type(other) is ir.Const and other.value is (test.op in ("is not", "!=")) and test.op in ("is", "is not", "==", "!="):
                yield from _setting(cond.pre, test.left, function)


def _setting(block: list[Any], register: int, function: ir.Function) -> Iterator[str]:
    """The name of the field, parameter or key that is read into a register, where it is that of a switch."""
    made = {getattr(one, "dst", -1): one for one in block}
    one = made.get(register)
    name: ir.Literal = ""
    if one is None:
        name = function.params[register].name if 0 <= register < len(function.params) else ""
    elif type(one) is ir.Call:  # values.get("allow_dangerous_requests")
        key = made.get(one.args[0]) if one.args and getattr(made.get(one.fn), "name", "") == "get" else None
        name = key.value if type(key) is ir.Const else ""
    else:
        name = one.key if type(one) is ir.Item else getattr(one, "name", "") if type(one) is ir.Attr else ""
    if isinstance(name, str) and is_switch(name):
        yield name


def set_anywhere(solver: Solver, name: str, value: bool, classes: Iterable[Cls] = ()) -> bool:
    """Whether a setting, of objects of these classes if they are known, is passed or set as this truth value anywhere in the project, or is
    so by default. What tests of the project pass does not count."""
    found: dict[tuple[str, bool], set[str]] | None = solver.switched
    if found is None:
        found = solver.switched = {}
        for fn in solver.symbols.functions:
            if not is_test(fn.module.path):
                for key, whose in _set_in(fn.ir):
                    found.setdefault(key, set()).add(whose)
    owners = found.get((name, value))
    if not owners or not classes:
        return bool(owners)
    names = {one.name for cls in classes for one in cls.mro}
    return any(not owner[:1].isupper() or owner in names or _below(solver, owner, classes) for owner in owners)


def _below(solver: Solver, name: str, classes: Iterable[Cls]) -> bool:
    return any(one.name == name and any(cls in one.mro for cls in classes) for one in solver.symbols.classes)


def _set_in(function: ir.Function) -> Iterator[tuple[tuple[str, bool], str]]:
    """The settings that a function gives a truth value, each with the name of what it is given to."""
    known: dict[int, bool] = {}
    named: dict[int, str] = {}
    own = function.qualname.partition(".")[0] if function.cls >= 0 else ""
    for instr in instructions(function.defaults + function.body):
        kind = type(instr)
        if kind is ir.Const and isinstance(instr.value, bool):
            known[instr.dst] = instr.value
        elif kind is ir.Name or kind is ir.Attr:
            named[instr.dst] = instr.name
        elif kind is ir.Call:
            for name, register in instr.kw:
                if register in known and is_permission(name):
                    yield (name, known[register]), named.get(instr.fn, "")
        elif kind is ir.StoreAttr and instr.src in known and is_permission(instr.name):
            yield (instr.name, known[instr.src]), own if instr.obj == 0 else ""
    for param in function.params:
        if param.default in known and is_permission(param.name):
            yield (param.name, known[param.default]), own
