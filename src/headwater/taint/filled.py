"""Which parameters of a function that a framework calls are filled by the framework with something of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headwater import ir
from headwater.apis.paths import CALL, expand
from headwater.apis.schema import Callback
from headwater.index.entities import Fn, Var
from headwater.taint.value import BOTTOM, Value

if TYPE_CHECKING:
    from headwater.taint.project import Project


def filled(solver: Project, fn: Fn, param: ir.Param, callback: Callback, defaults: dict[Any, Value]) -> bool:
    """Whether the framework fills a parameter with something of its own."""
    names = {one for name in callback.except_ for one in expand(name)}
    if param.name in names:
        return True
    texts: set[str] = set()
    if param.default >= 0:
        texts |= {getattr(ref, "text", "").removesuffix(CALL) for ref in defaults.get(param.default, BOTTOM).refs}
    todo = [(fn.module, param.annotation, 0)] if param.annotation is not None else []
    while todo:
        module, type_, depth = todo.pop()
        todo += [(module, one, depth) for one in type_.args]
        for found in solver.symbols.type_names(module, type_.name.removesuffix(CALL), fn.cls):
            if isinstance(found, Var) and depth < 4:
                alias = solver.symbols.alias_type(found)
                if alias is not None:
                    todo.append((found.module, alias, depth + 1))
            texts.add(getattr(found, "text", "").removesuffix(CALL))
        texts.add(type_.name.rpartition(".")[2].removesuffix(CALL))
    for wanted in names:
        name = wanted.removesuffix(CALL)
        if name in texts:
            return True
        last = name.rpartition(".")[2]
        if last[:1].isupper() and last in texts:
            return True
    return False
