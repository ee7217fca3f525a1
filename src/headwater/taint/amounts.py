"""Numbers that a caller sets and that decide how much is done: the longest answer, the most steps.

A number is harmless otherwise, so it is followed only where its name says that it is such a limit and nothing bounds it: no
constraint of the field or the parameter (``Field(le=1000)``), no validator, no comparison and no ``min()`` in a function on its way.
"""

from __future__ import annotations

import functools
import re

from headwater import ir
from headwater.taint.labels import ALL, BIT

CLASS = "limit"
FOLLOWED = ALL & ~BIT[CLASS]
"""What a number that is a limit does no harm to."""
_NAME = re.compile(
    r"^(max_?(new_?|output_?|completion_?|response_?)?tokens|num_predict|max_?(agent_?|tool_?)?(steps|turns|iterations|iters|rounds)|recursion_limit)$",
    re.IGNORECASE,
)
_COMPARED = re.compile(r"(?<![-=<>])[<>]=?(?![<>])|\b(?:min|clip|clamp|clamped|bounded)\(")
_BOUNDS = frozenset({"le", "lt", "max_value"})


@functools.lru_cache(maxsize=1 << 16)
def limits_work(name: object) -> bool:
    """Whether a number of this name says how much may be done."""
    return isinstance(name, str) and _NAME.search(name) is not None


def constrained(type_: ir.Type | None, keywords: tuple[str, ...]) -> bool:
    """Whether a type, or the call that declares a default, has a constraint: ``Annotated[int, Field(le=9)]``, ``Query(9, le=99)``."""
    if not _BOUNDS.isdisjoint(keywords):
        return True
    todo = [type_] if type_ is not None else []
    while todo:
        one = todo.pop()
        if one.name.rpartition(".")[2] == "Annotated" or one.name.endswith("()") or "Positive" in one.name:
            return True
        todo += one.args
    return False


def compared(text: str) -> bool:
    """Whether a function compares anything: then it can be the number."""
    return _COMPARED.search(text) is not None
