"""What functions inside others capture: what kind of object it is tells the function around them, with whatever its own caller gives.

The data of a captured variable comes with each call, as that of a parameter does. Its type is the same in all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.index.entities import Fn
from headwater.taint.value import IDENTITY, NO_LABELS, NOTHING, Shape, Value

if TYPE_CHECKING:
    from headwater.taint.frame import Frame

_CONTAINERS = frozenset({"dict", "list", "tuple"})


def tell(frame: Frame, inner: Fn, registers: tuple[int, ...]) -> None:
    """The function around ``inner`` makes it, or ends: of what types the variables are that it captures."""
    for name, register in zip(inner.ir.captured, registers, strict=False):
        value = frame.cells.get(register)
        if value is not None and (value.refs or value.allocs):
            shape = _types(frame.export(value))
            for alloc in value.allocs:
                known = frame.cells.get((alloc, IDENTITY))
                if known is not None and shape.fields is None:  # which object it is holds for all callers too
                    shape = Shape(NO_LABELS, shape.refs, fields={IDENTITY: Shape(const=known.const)}, kind="instance")
            frame.solver.store_captured(frame.fn, inner, name, shape)


def typed(frame: Frame, index: int, name: str, value: Value) -> Value:
    """The captured variable ``name``, with the type that the function around this one tells."""
    shape = frame.solver.read_captured(frame.fn, name)
    if shape.fields:
        for alloc in value.allocs:
            for key, part in shape.fields.items():
                if key == IDENTITY:
                    frame.put(alloc, key, Value(const=part.const))
                elif part.refs and alloc.root is not None:
                    alloc.keys[key] = None
                    alloc.version += 1
                    frame.cells[(alloc, key)] = frame.of_type(frame.param_value(index, (key,)), part.refs)
    return frame.of_type(value, shape.refs) if shape.refs else value


def _types(shape: Shape) -> Shape:
    """What a shape says of types: its own, and those of the parts of a container."""
    parts = {key: Shape(refs=part.refs) for key, part in (shape.fields or {}).items() if part.refs} if shape.kind in _CONTAINERS else {}
    if not shape.refs and not parts:
        return NOTHING
    return Shape(NO_LABELS, shape.refs, fields=parts or None, kind=shape.kind if parts else "")
