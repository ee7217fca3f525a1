"""Forms of a path: what a variable holds that was made of another path, so that a check of the one says something of the other.

``PathOf`` says how it was made; what a check shows of a form is in ``headwater.taint.models`` (``learn``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from headwater.taint.labels import PATHS
from headwater.taint.value import PathOf, Value, as_given

if TYPE_CHECKING:
    from headwater.taint.instructions import Instructions

REPLACED: Final = frozenset({"replace", "replaceAll"})
"""Methods that give a text in another form: where the text is a whole path, as a rule that path."""
How = tuple[bool, bool]
"""Whether a path was joined with others, and whether it may be of another form: as in ``PathOf``."""


def or_given(cells: tuple[Any, ...], value: Value) -> tuple[Any, ...]:
    """The cells of a value, and the parameter that it is on one of the ways that lead here and was made of on the others."""
    params = {label.param if label.source is None and not label.path else -1 for label in value.labels}
    if len(params) != 1 or -1 in params or as_given(value) or not any(label.exact for label in value.labels):
        return cells
    return (*cells, PathOf(("in", params.pop()), False, True))


def set_again(frame: Instructions, register: int, value: Value) -> None:
    """A variable that holds a path gets something else: another form of that path, or another path."""
    if value.const is None:  # ``absolute(path) ? path : null``: null passes no check
        return
    known = frame.origins.pop(register, ())
    given = {(label.source, label.param) for label in value.labels if label.cleared & PATHS != PATHS}
    if len(given) != 1:
        return
    kept = [
        (PathOf(cell.cell, cell.part, True), held)
        for cell, held in known
        if type(cell) is PathOf and given == {(label.source, label.param) for label in held.labels}
    ]
    if kept:
        frame.origins[register] = tuple(kept)


def parameters(frame: Instructions, register: int) -> dict[int, How]:
    """The parameters that the path in a register was made of, and how."""
    made: dict[int, How] = {}
    for cell in frame.cells_of(register):
        whole = cell.cell if type(cell) is PathOf else cell
        if type(cell) is PathOf and type(whole) is tuple and whole[0] == "in":
            how = (cell.part, cell.maybe)
            made[whole[1]] = min(made.get(whole[1], how), how)
    return made


def either(one: How, other: How) -> How:
    """What holds of a path that is made in one of two ways."""
    return one[0] or other[0], one[1] or other[1]
