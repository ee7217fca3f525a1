"""Members that are read twice: ``if (!KNOWN.has(req.query.word)) return; run(req.query.word)``.

What has an object of its own keeps there what was shown of its fields. Of data of others each read is a new value: what was shown of the
first is kept by what it was read from and by the names, and holds for the second where nothing was written in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from headwater.apis.paths import ApiPath
from headwater.taint.doubt import Doubt
from headwater.taint.labels import ALL, HELD, NEAR
from headwater.taint.value import Value

if TYPE_CHECKING:
    from headwater.taint.instructions import Instructions

CHAIN: Final = "chain"
_LENGTH: Final = 6
"""Names in a chain: nobody reads the same member deeper than that twice."""


def read(frame: Instructions, register: int, obj: int, name: str | int | None, value: Value) -> Value:
    """The value that a register takes from a member: what was shown of it when it was read before is added."""
    chains = frame.chains
    if name is None or not value.labels:
        chains.pop(register, None)
        return value
    key = _key(frame, obj, name)
    if key is None:
        chains.pop(register, None)
        return value
    chains[register] = key
    known = frame.cells.get(key)
    if known is None:
        frame.cells[key] = value  # not journalled: so it was read in every branch
        frame.chained.append(key)
        return value
    return _again(frame, value, known) if _origins(value) <= _origins(known) and known.allocs == value.allocs else value


def _origins(value: Value) -> set[Any]:
    """Where data comes from, whatever place reads it."""
    return {(label.param, label.path) if label.source is None else (label.source.kind, label.source.text) for label in value.labels}


def _key(frame: Instructions, obj: int, name: str | int) -> Any:
    outer = frame.chains.get(obj)
    if outer is not None:
        return (*outer, name) if len(outer) < _LENGTH + 2 else None
    base = frame.cells.get(obj)
    if base is None:
        return None
    if base.labels:
        return (CHAIN, frame._unchecked(base), name)
    if base.refs and all(type(ref) is ApiPath for ref in base.refs):
        return (CHAIN, base.refs, name)
    return None


def _again(frame: Instructions, value: Value, known: Value) -> Value:
    """A fresh read, with what is known of the first."""
    gained = known.proven & ~value.proven & HELD
    if gained:
        value = value.with_(proven=value.proven | gained)
    weak = _weak(known) & ~_weak(value) & (ALL | NEAR)
    return frame.hindered(value, weak, _said(known)) if known.labels and value.labels and weak else value


def _said(value: Value) -> str:
    """How a check of it can be passed, where that is its last step."""
    steps = (value.steps or {}).values()
    return next((node.what.text for node in steps if isinstance(node.what, Doubt)), "")


def _weak(value: Value) -> int:
    """What stands in the way of all of its data."""
    found = -1
    for label in value.labels:
        found &= label.weak
    return found


def written(frame: Instructions, obj: int, name: str | int | None) -> None:
    """A member is given another value: nothing is known of it and what is inside any more."""
    if not frame.chains:
        return
    key = _key(frame, obj, name) if name is not None else frame.chains.get(obj)
    outer = frame.chains.get(obj) if key is None else key
    if outer is None:
        return
    for cell in frame.chained:
        if cell[: len(outer)] == outer and cell in frame.cells:
            frame.write(cell, frame._unchecked(frame.cells[cell]))
