"""Messages to a language model: which of them speak with the authority of the operator, and what was handed over for that.

A chat message is a dict (or the arguments of a function that makes one) with a role and a content, whatever the client. Data that
somebody hands over under the name of a system prompt is asked for: who offers that lets the caller write it.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from headwater.taint.labels import ASKED, BIT, ordered
from headwater.taint.value import BOTTOM, NO_CONST, Alloc, Fact, Value

if TYPE_CHECKING:
    from headwater.taint.instructions import Instructions

ROLES = frozenset({"system", "developer"})
SYSTEM = BIT["prompt-system"]
PARTS = frozenset({"role", "type", "content", "text", "parts"})
"""The parts of a message that are looked at together."""
_TEXTS = ("content", "parts", "text")

_ASKED = re.compile(
    r"^(sys|system|developer|preamble|persona)$"
    r"|(^|_)(sys|system|developer|agent|assistant|bot|custom)_?(prompt|message|msg|instruction|instructions|context|template|text|role)s?(_|$)"
    r"|(^|_)instructions?$|(^|_)prompt_?template(_|$)",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@functools.lru_cache(maxsize=1 << 16)
def asked_for(name: object) -> bool:
    """Whether what is handed over under this name is meant to be the system prompt."""
    return isinstance(name, str) and _ASKED.search(_CAMEL.sub("_", name)) is not None


def message(frame: Instructions, alloc: Alloc, start: int, end: int) -> None:
    """A dict was made: where its role is the operator's, its content is part of the system prompt."""
    if "prompt-system" not in frame.solver.classes or frame.cells.get((alloc, "role"), BOTTOM).const not in ROLES:
        return
    for key in _TEXTS:
        value = frame.collapse(frame.cells.get((alloc, key), BOTTOM))
        if not value.labels or value.proven & SYSTEM:
            continue
        sink = frame.solver.sink("prompt-system", frame.fn, start, end, "a message", "makes it part of the system prompt", "high")
        for label in ordered(value.labels):
            if not label.cleared & SYSTEM:
                frame._reach(label, value, sink, 0, 0, label.exact, (), None)


def role_checked(frame: Instructions, register: int, other: Value, other_register: int) -> tuple[Fact, ...]:
    """What it shows of a message that its role is the operator's: who sent it with that role was let write the system prompt."""
    holder = frame.holders.get(register)
    if holder is None or not _roles(frame, other, other_register):
        return ()
    parts = [part for part, of in frame.holders.items() if of == holder and part != register]
    first = frame.firsts.get(holder)
    again = (("first", first),) if first is not None else ()
    read = tuple(dict.fromkeys(cell for part in parts for cell in frame.cells_of(part)))
    return (((*frame.cells_of(holder), *again), ASKED, 0, (), ""), (read, SYSTEM, 0, (), ""))


def _roles(frame: Instructions, value: Value, register: int) -> bool:
    """Whether a value is the operator's role, a member of an enumeration called like it, or a collection of such."""
    if value.const is not NO_CONST:
        return value.const in ROLES
    if frame.named_calls.get(register) == "value" and register in frame.receivers:
        register = frame.receivers[register]
    if frame.named_calls.get(register, "").lower() in ROLES:
        return True
    parts = [frame.cells.get((alloc, key), BOTTOM).const for alloc in value.allocs if alloc.constant for key in alloc.keys]
    return bool(parts) and all(part in ROLES for part in parts)
