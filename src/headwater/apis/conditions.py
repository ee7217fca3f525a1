"""Conditions and argument paths of the model language, parsed.

The grammar is told in ``headwater.apis.schema``; what a condition means for the values of a call is decided in ``headwater.taint.calls``.
"""

from __future__ import annotations

import functools
import re

import msgspec


class ConditionError(ValueError):
    """Text that is no condition or no argument path."""


class Where(msgspec.Struct, frozen=True):
    """A step to those elements of which a part is one of these texts: ``[0=system|developer]``."""

    part: str | int
    values: tuple[str, ...]


Step = str | int | Where


class Argument(msgspec.Struct, frozen=True):
    """An argument of a call: ``self``, ``$0``, ``$name``, ``$0/name``, ``$*``, ``$any``; then steps into the value."""

    receiver: bool
    position: int
    """-1: by keyword only; -2: all positional; -3: all."""
    keyword: str
    steps: tuple[Step, ...]


class Term(msgspec.Struct, frozen=True):
    """``argument is (not) value``; ``form`` tells how to read ``value``: const, absent, constant, list, own, text, api, matches, begins.

    In the form ``declared`` there is no argument, and ``value`` is library, operator and version, with spaces between.
    """

    argument: Argument
    negated: bool
    form: str
    value: str | int | float | bool | None


Condition = tuple[tuple[Term, ...], ...]
"""Any of: all of."""

_ARGUMENT = re.compile(
    r"(self|\$\*|\$any\b|\$(?P<position>\d+)(?:/(?P<both>\w+))?|\$(?P<name>[A-Za-z_]\w*))"
    r"(?P<steps>(?:\.\w+|\[[^\]]*\])*)"
)
_TERM = re.compile(r"^(?P<argument>\S+?)\s+(?:(?P<matches>matches|begins)|is(?P<not>\s+not)?)\s+(?P<value>.+)$", re.S)
_DECLARED = re.compile(r"^declared\s+(?P<library>[A-Za-z0-9][\w.-]*)\s+(?P<not>not\s+)?(?P<operator><|>=)\s*(?P<version>\d[\w.]*)$")
_VERSION = re.compile(r"\d{1,9}(\.\d{1,9}){0,9}((a|b|rc)\d{1,9})?")
_NOTHING = Argument(False, -1, "", ())
_STEP = re.compile(r"\.(\w+)|\[([^\]]*)\]")
_NAMED = {"True": True, "False": False, "None": None}


@functools.cache
def argument(text: str) -> Argument:
    """Parse an argument path; raises ConditionError."""
    match = _ARGUMENT.fullmatch(text.strip())
    if match is None:
        raise ConditionError(f"not an argument: {text!r} (self, $0, $name, $0/name, $* or $any, then .attr or [key])")
    steps: list[Step] = []
    for name, key in _STEP.findall(match["steps"]):
        if name:
            steps.append(name)
        elif key.strip() in ("", "*"):
            steps.append("*")
        else:
            part, chosen, values = key.partition("=")
            bare = part.strip().strip("\"'")
            step = int(bare) if re.fullmatch(r"-?\d+", bare) else bare
            steps.append(Where(step, tuple(values.split("|"))) if chosen else step)
    head = match[1]
    if head == "self":
        return Argument(True, -1, "", tuple(steps))
    if head == "$*":
        return Argument(False, -2, "", tuple(steps))
    if head == "$any":
        return Argument(False, -3, "", tuple(steps))
    if match["position"] is not None:
        return Argument(False, int(match["position"]), match["both"] or "", tuple(steps))
    return Argument(False, -1, match["name"], tuple(steps))


@functools.cache
def condition(text: str) -> Condition:
    """Parse a condition; raises ConditionError."""
    if not text.strip():
        return ()
    return tuple(tuple(_term(one) for one in _cut(branch, " and ")) for branch in _cut(text, " or "))


def _cut(text: str, word: str) -> list[str]:
    """Split at ``word`` outside quotes."""
    if word not in text:
        return [text]
    parts, quote, begin, at = [], "", 0, 0
    while at < len(text):
        char = text[at]
        if quote:
            if char == quote:
                quote = ""
        elif char in "\"'":
            quote = char
        elif text.startswith(word, at):
            parts.append(text[begin:at])
            at += len(word)
            begin = at
            continue
        at += 1
    parts.append(text[begin:])
    return parts


def libraries(parsed: Condition) -> list[str]:
    """The libraries whose declared versions a condition asks for, each once."""
    return list(dict.fromkeys(str(term.value).split()[0] for branch in parsed for term in branch if term.form == "declared"))


def _term(text: str) -> Term:
    about = _DECLARED.match(text.strip())
    if about is not None:
        if not _VERSION.fullmatch(about["version"]):
            raise ConditionError(f"not a version: {about['version']!r}")
        return Term(_NOTHING, bool(about["not"]), "declared", f"{about['library']} {about['operator']} {about['version']}")
    match = _TERM.match(text.strip())
    if match is None:
        raise ConditionError(f'not a term: {text.strip()!r} (ARG is VALUE, ARG is not VALUE, ARG matches "regex", ARG begins "regex")')
    where, negated, value = argument(match["argument"]), bool(match["not"]), match["value"].strip()
    if value[:1] in "\"'":
        if len(value) < 2 or value[-1] != value[0]:
            raise ConditionError(f"unfinished text in {text.strip()!r}")
        inner = value[1:-1]
        if match["matches"]:
            try:
                re.compile(inner)
            except (re.error, OverflowError, RecursionError) as error:
                raise ConditionError(f"bad regular expression in {text.strip()!r}: {error}") from None
            return Term(where, negated, match["matches"], inner)
        return Term(where, negated, "const", inner)
    if match["matches"]:
        raise ConditionError(f"{match['matches']} needs a quoted regular expression: {text.strip()!r}")
    if value in _NAMED:
        return Term(where, negated, "const", _NAMED[value])
    if value in ("absent", "constant", "list", "own", "text"):
        return Term(where, negated, value, None)
    if re.fullmatch(r"-?\d+", value):
        return Term(where, negated, "const", int(value))
    if re.fullmatch(r"-?\d+\.\d+", value):
        return Term(where, negated, "const", float(value))
    if re.fullmatch(r"[\w.*{},()\[\]@/:-]+", value):
        return Term(where, negated, "api", value)
    raise ConditionError(f"not a value: {value!r}")
