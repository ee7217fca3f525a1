"""Templates of prompts: which of their variables stand in the system prompt, and what these are filled with later.

A template is made in one place (``ChatPromptTemplate.from_messages([("system", "You help {name}.")])``) and filled in another
(``chain.invoke({"name": ...})``). The names of such variables are kept with the template's object, in a field of their own.
"""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, Any

from headwater.taint import prompts
from headwater.taint.state import lacks
from headwater.taint.value import BOTTOM, Value, join_all

if TYPE_CHECKING:
    from headwater.taint.arguments import Args
    from headwater.taint.models import Models

_HOLES = "$holes"
_DOUBLE = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")


def names(text: Any) -> list[str]:
    """The variables of a template: ``{name}``, or ``{{ name }}`` where there are no others."""
    if not isinstance(text, str) or "{" not in text:
        return []
    try:
        found = [name for _, name, _, _ in string.Formatter().parse(text) if name]
    except ValueError:  # the text was cut, or is a template of another kind
        found = re.findall(r"(?<!\{)\{([A-Za-z_]\w*)\}(?!\})", text)
    return found or _DOUBLE.findall(text)


def made(frame: Models, places: list[str], args: Args) -> Value:
    """A template: an object that knows the variables of its texts for the system, and of the templates that it is made of."""
    found: dict[str, None] = {}
    for place in places:
        value = frame._argument(place, args) or BOTTOM
        found.update(dict.fromkeys(names(value.const)))
    for value in args.everything():
        for part in (value, *(frame.cells.get((alloc, key), BOTTOM) for alloc in value.allocs for key in alloc.keys)):
            found.update(dict.fromkeys(_holes(frame, part)))
    if not found:
        return BOTTOM
    alloc = frame.alloc((frame.at.start, frame.at.end, "template"), "instance")
    frame.put(alloc, _HOLES, Value(const=",".join(found)))
    return Value(allocs=(alloc,))


def filled(frame: Models, args: Args) -> None:
    """What a template is filled with becomes part of the system prompt, where a variable of it stands there."""
    holes = _holes(frame, args.receiver or BOTTOM)
    if not holes:
        return
    mapping = args.positional[0] if args.positional else None
    if mapping is not None and any(alloc.kind == "list" for alloc in mapping.allocs):
        mapping = frame.elements(mapping)  # several, each filled by itself
    given: list[Value] = []
    for name in holes:
        if prompts.asked_for(name):
            continue
        value = args.kw.get(name)
        if value is None and mapping is not None:
            value = frame.item(mapping, name, None)
            if lacks(mapping, name) is not False:
                value = frame.lower(value)
        if value is not None:
            given.append(frame.collapse(value))
    whole = join_all(given)
    if whole.labels and "prompt-system" in frame.solver.classes:
        frame.passed_on("prompt-system", whole, "a template")


def _holes(frame: Models, value: Value) -> list[str]:
    """The variables that a template has in its texts for the system."""
    found: dict[str, None] = {}
    for alloc in value.allocs:
        kept = frame.cells.get((alloc, _HOLES), BOTTOM)
        if isinstance(kept.const, str):
            found.update(dict.fromkeys(kept.const.split(",")))
    return list(found)
