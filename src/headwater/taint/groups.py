"""What the groups of a regular expression hold: ``text.match(/^notes\\/([^/]+)$/)[1]`` is one name, whatever the rest of the text is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from headwater.apis import patterns
from headwater.taint.labels import ADDRESS, BIT, PATHS, TEXTUAL, bits
from headwater.taint.state import cleared
from headwater.taint.value import BOTTOM, Value

if TYPE_CHECKING:
    from headwater.taint.arguments import Args
    from headwater.taint.instructions import Instructions

METHODS: Final = frozenset({"exec", "match"})

_BROKEN_OUT_OF: Final = (TEXTUAL | PATHS | ADDRESS | BIT["code"] | BIT["sandboxed-code"] | BIT["import"]) & ~BIT["log"]
"""Where the characters decide; of what else is done with a group, such as to tell a secret, they say nothing."""


def called(frame: Instructions, args: Args, receiver: Value, result: Value) -> Value:
    """The result of ``match`` and ``exec`` in a script: a list of the whole that was found and of the groups, each with what it can do."""
    pattern = receiver if args.name == "exec" else args.positional[0] if args.positional else BOTTOM
    kinds = [getattr(ref, "text", "") for ref in pattern.refs]
    if not isinstance(pattern.const, str) or not any("RegExp" in one for one in kinds):
        return result
    if args.name == "match" and any(one.startswith("js:RegExp.all") for one in kinds):  # all that was found, and no groups
        return result
    groups = patterns.groups(pattern.const)
    if not groups:
        return result
    whole = Value(result.labels, steps=result.steps)
    alloc = frame.alloc((frame.at.start, frame.at.end, "groups"), "list")
    by_name = frame.alloc((frame.at.start, frame.at.end, "named groups"), "dict")
    frame.put(alloc, "*", whole)
    frame.put(by_name, "*", whole)
    for number, (name, classes) in enumerate(groups, 1):
        found = cleared(whole, bits(list(classes)) & _BROKEN_OUT_OF)
        frame.put(alloc, number, found)
        if name:
            frame.put(by_name, name, found)
    frame.put(alloc, "groups", Value(allocs=(by_name,)))
    return Value(refs=result.refs, allocs=(alloc,), pred=result.pred)
