"""What is left of a value that was found to be an object of some classes of the project (``isinstance(value, Picture)``).

Text from elsewhere is no such object, nor are displays and objects of other classes. Of what a caller gives, the label is told apart:
its access path says of which classes it has to be, and the caller's own value is looked at in the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater import limits
from headwater.index.entities import Cls, Inst
from headwater.taint.labels import extend, of_object, ordered
from headwater.taint.value import NO_LABELS, Value, join

if TYPE_CHECKING:
    from headwater.taint.project import Project
    from headwater.taint.shapes import Shapes

_DISPLAYS = ("dict", "list", "tuple", "set", "generator")
"""The kinds of objects that are of a builtin type."""


def narrowed(frame: Shapes, value: Value, classes: tuple[Cls, ...]) -> Value:
    """The value as an object of one of ``classes``; of any class of the project, where there are none."""
    if len(classes) >= limits.REFS:  # of so many classes not all are known
        classes = ()
    if any(alloc.kind in _DISPLAYS for alloc in value.allocs):
        value = value.with_(allocs=tuple(alloc for alloc in value.allocs if alloc.kind not in _DISPLAYS))
    kinds = [ref for ref in value.refs if type(ref) is Inst]
    if classes and not value.loose and (others := [ref for ref in kinds if not can_be(frame.solver, ref.cls, classes)]):
        value = value.with_(refs=tuple(ref for ref in value.refs if ref not in others))
        if len(others) == len(kinds):
            value = value.with_(refs=(), allocs=tuple(alloc for alloc in value.allocs if alloc.kind != "instance"), bound=None)
        kinds = [ref for ref in kinds if ref not in others]
    if not value.labels or (kinds and all(type(ref) is Inst or any(ref in one.paths for one in kinds) for ref in value.refs)):
        return value
    objects = tuple(alloc for alloc in value.allocs if alloc.root is None or alloc.keys)
    if objects and any(alloc.root is not None for alloc in objects):
        return value if kinds else as_object(value)  # its fields were set here
    key = frame.solver.object_key(classes)
    made = value.with_(labels=NO_LABELS, allocs=objects, steps=None)
    for label in ordered(value.labels):
        steps = value.steps
        if not label.exact:
            if kinds:  # an object that was made of it
                made = join(made, Value(frozenset((label,)), steps=steps))
        elif of_object(label.path):
            made = join(made, value.with_(labels=frozenset((label,)), allocs=value.allocs))
        elif not (label.cleared or label.drop or label.weak) and len(label.path) < limits.ACCESS_PATH:
            made = join(made, frame.param_value(label.param, (*label.path, key)))
        else:
            after = extend(label, key)
            steps = {after: steps[label]} if steps and label in steps else steps
            made = join(made, value.with_(labels=frozenset((after,)), allocs=(), steps=steps))
    return made


def can_be(solver: Project, cls: Cls, classes: tuple[Cls, ...]) -> bool:
    """Whether an object that is said to be of ``cls`` can be of one of some classes: one derives from the other, or a third from both."""
    return any(_related(solver, cls, one) for one in classes)


def _related(solver: Project, one: Cls, other: Cls) -> bool:
    key = (one.id, other.id)
    known = solver.related.get(key)
    if known is None:
        known = solver.related[key] = one in other.mro or other in one.mro or _open(other) or _meet(one, other)
    return known


def _open(cls: Cls) -> bool:
    """Whether a class says itself what is of it, by more than its name."""
    return "__subclasshook__" in cls.methods or any(base.name.rpartition(".")[2] == "Protocol" for base in cls.ir.bases)


def _meet(one: Cls, other: Cls) -> bool:
    """Whether a class derives from both, or so many do that it is not looked for."""
    below = one.descendants(limits.OVERRIDES)
    return len(below) > limits.OVERRIDES or any(other in cls.mro for cls in below)


def as_object(value: Value) -> Value:
    """A value that is an object of a class: text and numbers from elsewhere are none. What a caller gives may be."""
    if all(label.exact for label in value.labels):
        return value
    labels = frozenset(label for label in value.labels if label.exact)
    return value.with_(labels=labels, steps={label: node for label, node in (value.steps or {}).items() if label in labels} or None)
