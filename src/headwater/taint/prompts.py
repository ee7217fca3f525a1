"""Messages to a language model: which of them speak with the authority of the operator, and what was handed over for that.

A chat message is a dict (or the arguments of a function that makes one) with a role and a content, whatever the client. Data that
somebody hands over under the name of a system prompt is asked for: who offers that lets the caller write it.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from headwater.taint.labels import ALL, ASKED, BIT, Label, ordered
from headwater.taint.value import BOTTOM, NO_CONST, Alloc, Fact, Value

if TYPE_CHECKING:
    from headwater.taint.instructions import Instructions

ROLES = frozenset({"system", "developer"})
SYSTEM = BIT["prompt-system"]
PARTS = frozenset({"role", "type", "content", "text", "parts"})
"""The parts of a message that are looked at together."""
_TEXTS = ("content", "parts", "text")

_CALLERS = frozenset({"http-input", "websocket-input", "network-peer", "user-prompt", "library-input", "cli", "tool-args", "llm-output"})
"""What whoever gets the answer has sent, or could have."""

_ASKED = re.compile(
    r"^(sys|system|developer|preamble|persona)$"
    r"|(^|_)(sys|system|developer|agent|assistant|bot|custom)_?(prompt|message|msg|instruction|instructions|context|template|text|role)s?(_|$)"
    r"|(^|_)instructions?$|(^|_)prompt_?template(_|$)",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


HIDDEN = frozenset({"system-prompt", "fixed-prompt"})
"""Source kinds of the text of a system message."""
_LEFT_OUT = re.compile(
    r"""(?:!=|not\s+in\b|is\s+not\b|==|\bin\b)[^\n]{0,40}["'](?:system|developer|user|assistant|human|ai)["']"""
    r"""|["'](?:system|developer|user)["'][^\n]{0,20}(?:!=|==)|\[\s*[1-9]\d*\s*:|\bisinstance\([^\n]{0,40}Message"""
)


_SHOWN = BIT["response"] | BIT["log"] | BIT["telemetry"] | BIT["egress"] | BIT["message"]
"""Where the text of a system message may be read by somebody."""


def left_out(text: str) -> bool:
    """Whether a function looks at who speaks in a message, or begins behind the first one: then it can be to leave the system's out."""
    return _LEFT_OUT.search(text) is not None


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
        if key in alloc.keys and "response" in frame.solver.classes:
            _hidden(frame, alloc, key, value)
        if not value.labels or value.proven & SYSTEM:
            continue
        sink = frame.solver.sink("prompt-system", frame.fn, start, end, "a message", "makes it part of the system prompt", "high")
        known = [label for held in frame.cells.values() if held.proven & ASKED for label in held.labels]
        for label in ordered(value.labels):
            if not label.cleared & SYSTEM and not any(_within(label, one) for one in known):
                frame._reach(label, value, sink, 0, 0, label.exact, (), None)


def _within(label: Label, message: Label) -> bool:
    """Whether data comes with a message that has the operator's role already, by whoever sent it: in another form it has it still."""
    if label.source is not None:
        return label.source is message.source
    return label.param == message.param and label.path[: len(message.path)] == message.path


def _hidden(frame: Instructions, alloc: Alloc, key: str, value: Value) -> None:
    """The system prompt is not for those who talk to the model: less so where it holds more than is written in the program."""
    kinds = {label.source.kind for label in value.labels if label.source is not None}
    if kinds - _CALLERS:
        made = frame.from_source("system-prompt", "the system prompt, with what was put into it", ALL & ~_SHOWN)
    elif not value.labels:
        made = frame.from_source("fixed-prompt", "the system prompt", ALL & ~_SHOWN)
    else:  # the caller's own, as far as is known
        return
    held = frame.cells[(alloc, key)]  # what is known of the text stays so
    frame.put(
        alloc, key, held.with_(labels=held.labels | made.labels, steps={**(held.steps or {}), **made.steps} if made.steps else held.steps)
    )


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
