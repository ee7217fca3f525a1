"""Searches a text by a regular expression in time linear in the text: all ways to match go on together, none is tried again.

The texts are those of the reviewed repository, whose author may know the expressions. What needs backtracking (look-around, back
references, atomic groups) has no such automaton: ``search`` leaves it to ``re``, and own rules and API models may not use it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from re import _parser  # type: ignore[attr-defined]  # what re itself reads its patterns with; there is no public way
from typing import Any, Final

from headwater import limits

_CATEGORIES: Final = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}
_FLAGS: Final = re.IGNORECASE | re.MULTILINE | re.DOTALL | re.ASCII
_INSIDE_NOTHING: Final = re.search(r"\B", "") is not None  # Python changed its mind in 3.14
_UNBOUNDED: Final = int(_parser.MAXREPEAT)


class RegexError(ValueError):
    """An expression that cannot be searched for in linear time; the message says why."""


_Char = Callable[[str], object]
_State = tuple[str, Any, tuple[int, ...]]
"""``char`` (with a test of it), ``at`` (with its name and flags) or ``split``, and where it goes on; or ``end``."""


def search(pattern: str, text: str) -> bool:
    """Whether the expression matches somewhere in the text."""
    automaton = _automaton(pattern)
    return automaton.search(text) if automaton is not None else re.search(pattern, text) is not None


@functools.lru_cache(maxsize=1024)
def _automaton(pattern: str) -> Automaton | None:
    try:
        return Automaton(pattern)
    except RegexError:
        return None


class Automaton:
    """An expression as states, all of which it may be in at a time; raises RegexError."""

    def __init__(self, pattern: str) -> None:
        self._states: list[_State] = []
        self._end = self._add("end", None)
        try:
            tree = _parser.parse(pattern)
            self._start = self._sequence(tree, int(tree.state.flags) & int(_FLAGS), self._end)
        except (re.error, OverflowError, RecursionError) as error:
            raise RegexError(str(error)) from None

    def search(self, text: str) -> bool:
        active: set[int] = set()
        for at in range(len(text) + 1):
            reached = self._closure((*active, self._start), text, at)
            if self._end in reached:
                return True
            if at < len(text):
                char = text[at]
                active = {state[2][0] for one in reached if (state := self._states[one])[0] == "char" and state[1](char)}
        return False

    def _closure(self, begin: Iterable[int], text: str, at: int) -> set[int]:
        """The states that can be reached without reading on."""
        reached = set(begin)
        waiting = list(reached)
        while waiting:
            kind, what, following = self._states[waiting.pop()]
            if kind == "split" or (kind == "at" and _holds(what[0], what[1], text, at)):
                for one in following:
                    if one not in reached:
                        reached.add(one)
                        waiting.append(one)
        return reached

    # Building goes from the end to the start: each part is told where it goes on.

    def _add(self, kind: str, what: Any, *following: int) -> int:
        if len(self._states) >= limits.REGEX_STATES:
            raise RegexError(f"it stands for more than {limits.REGEX_STATES:,} states")
        self._states.append((kind, what, following))
        return len(self._states) - 1

    def _sequence(self, parts: Any, flags: int, following: int) -> int:
        for operation, what in reversed(list(parts)):
            following = self._part(str(operation), what, flags, following)
        return following

    def _part(self, operation: str, what: Any, flags: int, following: int) -> int:
        if operation in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            return self._add("char", _char(operation, what, flags), following)
        if operation == "AT":
            return self._add("at", (str(what), flags), following)
        if operation == "SUBPATTERN":
            _, added, removed, inner = what
            return self._sequence(inner, (flags | added) & ~removed & int(_FLAGS), following)
        if operation == "BRANCH":
            return self._add("split", None, *(self._sequence(one, flags, following) for one in what[1]))
        if operation in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, inner = what
            return self._repeat(least, most, inner, flags, following)
        words = {"ASSERT": "look-around", "ASSERT_NOT": "look-around", "GROUPREF": "back references", "GROUPREF_EXISTS": "back references"}
        raise RegexError(f"{words.get(operation, 'atomic groups')} cannot be searched for in linear time")

    def _repeat(self, least: int, most: int, inner: Any, flags: int, following: int) -> int:
        if most == _UNBOUNDED:
            loop = self._add("split", None, following)
            again = self._sequence(inner, flags, loop)
            self._states[loop] = ("split", None, (following, again))
            following = loop
        else:
            after = following
            for _ in range(most - least):
                following = self._add("split", None, self._sequence(inner, flags, following), after)
        for _ in range(least):
            before = self._sequence(inner, flags, following)
            if before == following:  # nothing, however often
                break
            following = before
        return following


def _char(operation: str, what: Any, flags: int) -> _Char:
    """A test of one character, made by ``re`` itself so that case and categories are its own."""
    if operation == "ANY":
        source = "."
    elif operation == "IN":
        source = f"[{''.join(_member(str(kind), value) for kind, value in what)}]"
    else:
        source = f"[{'^' if operation == 'NOT_LITERAL' else ''}{_escaped(what)}]"
    return re.compile(source, flags & ~int(re.MULTILINE)).match


def _member(kind: str, value: Any) -> str:
    if kind == "NEGATE":
        return "^"
    if kind == "RANGE":
        return f"{_escaped(value[0])}-{_escaped(value[1])}"
    return _escaped(value) if kind == "LITERAL" else _CATEGORIES[str(value)]


def _escaped(code: int) -> str:
    return f"\\U{code:08x}"


def _holds(name: str, flags: int, text: str, at: int) -> bool:
    """Whether a place between two characters is what ``^``, ``$``, ``\\b`` and the like ask for."""
    before = text[at - 1 : at] if at else ""
    after = text[at : at + 1]
    lines = bool(flags & re.MULTILINE)
    if name == "AT_BEGINNING":
        return not before or (lines and before == "\n")
    if name == "AT_BEGINNING_STRING":
        return not before
    if name == "AT_END":
        return not after or (after == "\n" and (lines or at == len(text) - 1))
    if name == "AT_END_STRING":
        return not after
    if not text:
        return name == "AT_NON_BOUNDARY" and _INSIDE_NOTHING
    word = re.compile(r"\w", flags & re.ASCII).match
    return (bool(word(before)) != bool(word(after))) == (name == "AT_BOUNDARY")
