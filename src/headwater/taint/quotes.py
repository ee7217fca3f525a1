"""Texts made fit to stand between the quotes of a shell by hand: all that is special there was taken away, or escaped.

Between single quotes that is the quote itself, between double quotes the quote, the backquote, the dollar and the backslash. The labels
remember which of them are gone, so that the quotes may stand in another function. Where the quotes stand inside others, it was for nothing.

What stands behind a single quote is remembered too: in a query it is a value, which is not for its writer to end.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from headwater.apis import patterns
from headwater.taint.labels import BIT, IN_QUOTES, LITERAL, WORD, derive, uncleared
from headwater.taint.value import BOTTOM, Value

if TYPE_CHECKING:
    from headwater.taint.arguments import Args
    from headwater.taint.frame import Frame

METHODS: Final = frozenset({"replace", "replaceAll"})
_SINGLE, _DOUBLE = "'", '"`$\\'
_GONE: Final = {one: IN_QUOTES << number for number, one in enumerate(_SINGLE + _DOUBLE)}
"""The bits in ``Label.cleared``."""
_OUTSIDE: Final = frozenset({"'\\''", "'\"'\"'"})
"""What stands for a single quote: the quotes end, a quote that is written otherwise follows, they begin again."""
_ONE: Final = re.compile(r"\(?(?:\\?([^\w\s\\]|\\))\)?", re.S)
"""An expression that finds one sign."""
_ESCAPED: Final = frozenset({"\\$&", "\\$1", "\\\\$&", "\\\\$1"})
_PROGRAM: Final = re.compile(r"(?i)(?:^|\s)(?:-\w*c|/c|-command|-e|eval)\s*$|\b(?:ssh|cmd|pwsh|powershell)(?:\.exe)?\s")
"""Before the quotes: what stands in them is a program of its own, or for a shell with other rules."""
_VALUE: Final = re.compile(r"(?:^|[\s=(,>|\[])'[^'\s]{0,40}\Z")
"""The end of a text whose last quote begins a value: those of a word before (don't) or of a value that has ended stand behind a letter."""
_GAPS: Final = {"%": re.compile(r"%(?:\(\w+\))?s"), "format": re.compile(r"\{[^{}]*\}")}


def replaced(frame: Frame, args: Args, receiver: Value, result: Value) -> Value:
    """The result of a replacement: which signs are gone, or escaped, and which have come."""
    signs = _signs(frame, args)
    by = args.positional[1].const if len(args.positional) == 2 else None
    if not isinstance(by, str) or not (signs or any(label.cleared & sum(_GONE.values()) for label in receiver.labels)):
        return result
    made = {}
    for label in result.labels:
        gone = 0
        for sign in [one for one in _GONE if one in signs]:
            whole = sign == "\\" or bool(label.cleared & _GONE["\\"]) or "\\" in signs
            escaped = by in _OUTSIDE if sign == _SINGLE else whole and (by == "\\" + sign or by in _ESCAPED)
            if escaped or not set(by) & _GONE.keys():
                gone |= _GONE[sign]
        come = sum(_GONE[one] for one in set(by) & _GONE.keys()) if not gone or by in _OUTSIDE else 0
        made[label] = derive(uncleared(label, come & ~gone), gone, exact=True)
    steps = {after: result.steps[one] for one, after in made.items() if after and one in result.steps} if result.steps else None
    return result.with_(labels=frozenset(after for after in made.values() if after is not None), steps=steps)


def _signs(frame: Frame, args: Args) -> frozenset[str]:
    """The signs that are replaced, each wherever it stands."""
    what = args.positional[0] if args.positional else BOTTOM
    if not isinstance(what.const, str):
        return frozenset()
    kinds = [getattr(ref, "text", "") for ref in what.refs]
    if not any("RegExp" in one for one in kinds):
        everywhere = args.name == "replaceAll" or not frame.mod.script
        return frozenset(what.const) if everywhere and len(what.const) == 1 else frozenset()
    if not any(one.startswith("js:RegExp.all") for one in kinds):
        return frozenset()
    found = _ONE.fullmatch(what.const)
    if found is not None and found[1] not in "^$.|?*+()[]{}":
        return frozenset(found[1])
    if found is not None:
        return frozenset(found[1]) if "\\" in what.const else frozenset()
    refused = patterns.read(what.const.removeprefix("(").removesuffix(")")).refused
    return frozenset(one for one in _GONE if refused & patterns.mask(one))


def inside(text: str, value: Value) -> Value:
    """What is put behind a text that has begun quotes: nothing in it ends them, or is special there."""
    if not any(label.cleared & sum(_GONE.values()) for label in value.labels):
        return value
    at = _open(text)
    needed = sum(_GONE[one] for one in (_SINGLE if text[at:][:1] == _SINGLE else _DOUBLE)) if at >= 0 else 0
    if not needed or _PROGRAM.search(text[:at]):
        return value
    made = {label: derive(label, BIT["shell"] | WORD, exact=True) if label.cleared & needed == needed else label for label in value.labels}
    steps = {after: value.steps[one] for one, after in made.items() if after and one in value.steps} if value.steps else None
    return value.with_(labels=frozenset(after for after in made.values() if after is not None), steps=steps)


def in_values(form: Value, value: Value, op: str) -> Value:
    """What is put into a form (with ``%`` or ``format``) all of whose gaps for text are values of a query."""
    gaps = [form.const[: gap.start()] for gap in _GAPS[op].finditer(form.const)] if isinstance(form.const, str) else []
    return in_value(gaps[0], value) if gaps and all(map(_VALUE.search, gaps)) else value


def in_value(text: str, value: Value) -> Value:
    """What is put behind a text that has begun a value of a query."""
    if not value.labels or not _VALUE.search(text):
        return value
    made = {label: derive(label, weak=LITERAL, exact=True) for label in value.labels}
    steps = {after: value.steps[one] for one, after in made.items() if after and one in value.steps} if value.steps else None
    return value.with_(labels=frozenset(after for after in made.values() if after is not None), steps=steps)


def _open(text: str) -> int:
    """Where the quotes begin that a text leaves open; -1 where there are none, or others in them."""
    at, begun, mixed = 0, -1, False
    while at < len(text):
        one = text[at]
        if one == "\\" and (begun < 0 or text[begun] == '"'):
            at += 2
            continue
        if one in "'\"":
            if begun < 0:
                begun, mixed = at, False
            elif text[begun] == one:
                begun = -1
            else:
                mixed = True
        elif begun >= 0 and text[begun] == '"' and (one == "`" or text[at : at + 2] == "$("):
            mixed = True
        at += 1
    return -1 if mixed else begun
