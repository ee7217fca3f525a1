"""Which payloads an argument is given: at first one of each kind, to see what it comes to; then all that fit the operations that it
reaches.

The monitors see every operation that a token comes to, so a value that is refused or harmless there still tells what the argument is used
for.
What reaches nothing is not tried with a hundred variants of the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from headwater.prove.arguments import Plan

LIKELY: Final = 0.3
"""Weight from which a payload is tried before anything is known."""
_CLASSES: Final[Mapping[str, tuple[str, ...]]] = {
    "compile": ("code", "template"),
    "exec": ("code",),
    "process": ("shell",),
    "read": ("path-read", "path-write"),
    "write": ("path-write", "path-read"),
    "sql": ("sql",),
    "connect": ("url",),
    "outside": ("url",),
    "request": ("url",),
    "import": ("import", "code"),
    "unpickle": ("deserialize",),
    "template": ("template",),
}
"""By kind of event: the classes whose payloads fit."""


def classes_of(kinds: Iterable[str]) -> frozenset[str]:
    """The sink classes of operations of these kinds."""
    return frozenset(one for kind in kinds for one in _CLASSES.get(kind, ()))


def ordered(plans: Sequence[Plan], tool: str, reached: Mapping[tuple[str, str], frozenset[str]]) -> Iterator[Plan]:
    """The plans that are worth a request, in the order in which they are tried: for what is reached first, then likely ones, then one of
    each class."""
    later: list[Plan] = []
    last: list[Plan] = []
    seen: set[tuple[str, str]] = set()
    for plan in plans:
        known = reached.get((tool, plan.argument), frozenset())
        if plan.payload.sink_class in known:
            yield plan
        elif plan.weight >= LIKELY and not known:
            later.append(plan)
        else:
            place = (plan.argument, plan.payload.sink_class)
            if place not in seen:
                last.append(plan)
        seen.add((plan.argument, plan.payload.sink_class))
    yield from later
    yield from last
