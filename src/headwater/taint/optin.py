"""Dangerous operations behind a setting that is off by default: who switches it on has been told what it does.

A setting counts if its name says that it is dangerous, no class gives it the value True, and nothing in the project sets it or passes
it as True: an application that has opted in is not excused by the library's default.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from headwater import ir
from headwater.index.calls import instructions
from headwater.index.entities import Inst
from headwater.taint.value import Fact, Value

if TYPE_CHECKING:
    from headwater.taint.solve import Solver

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


def off_by_default(solver: Solver, base: Value, name: str, value: Value) -> bool:
    """Whether the field of an object of the project is such a setting, and nothing switches it on."""
    classes = [ref.cls for ref in base.refs if isinstance(ref, Inst)]
    if not classes or value.const is True or name in _switched_on(solver):
        return False
    return not any(shape.const is True for cls in classes for one in cls.mro for shape in solver.fields.get((one.id, name), {}).values())


def _switched_on(solver: Solver) -> frozenset[str]:
    """Names of switches that are passed or set as True anywhere in the project, or are so by default."""
    found: frozenset[str] | None = solver.switched_on
    if found is None:
        found = solver.switched_on = frozenset(name for fn in solver.symbols.functions for name in _set_in(fn.ir))
    return found


def _set_in(function: ir.Function) -> set[str]:
    found: set[str] = set()
    true: set[int] = set()
    for instr in instructions(function.defaults + function.body):
        kind = type(instr)
        if kind is ir.Const and instr.value is True:
            true.add(instr.dst)
        elif kind is ir.Call:
            found |= {name for name, register in instr.kw if register in true and is_switch(name)}
        elif kind is ir.StoreAttr and instr.src in true and is_switch(instr.name):
            found.add(instr.name)
    found |= {param.name for param in function.params if param.default in true and is_switch(param.name)}
    return found
