"""Which programs an operation starts: the first word of each text that its command may be, followed back to where these are written."""

from __future__ import annotations

from collections.abc import Container
from typing import Any, Final

from headwater import ir
from headwater.index.entities import Fn
from headwater.system.written import DEPTH, Places

_COMMAND: Final = ("args", "cmd", "command", "file", "program")
"""Keywords of the functions of libraries that start programs."""


def programs(places: Places, fn: Fn, start: int, end: int, callers: Container[Fn]) -> frozenset[str]:
    """The programs that a call starts, in a function that these call; none where one of them is not known."""
    call = places.call(fn, start, end)
    if call is None:
        return frozenset()
    given = call.args[0] if call.args else next((register for name, register in call.kw if name in _COMMAND), -1)
    return _Commands(places, callers).first(fn, given, 0) or frozenset()


def operand(places: Places, fn: Fn, start: int, end: int) -> int:
    """The variable that a call is given first; negative where it is given something else."""
    call = places.call(fn, start, end)
    register = call.args[0] if call is not None and call.args else -1
    for _ in range(DEPTH):
        made = places.definitions(fn).get(register, ())
        if register in fn.ir.names.values() or len(made) != 1 or type(made[0]) is not ir.Move:
            break
        register = made[0].src
    return register if register in fn.ir.names.values() else -1


class _Commands:
    """One search: of a text that grows by itself nothing is asked twice."""

    def __init__(self, places: Places, callers: Container[Fn]) -> None:
        self.places = places
        self.callers = callers
        self.seen: set[tuple[int, int]] = set()

    def first(self, fn: Fn, register: int, depth: int) -> frozenset[str] | None:
        """The first words of what a register may hold; None where one of them is not known."""
        if register < 0 or depth > DEPTH:
            return None
        if (fn.id, register) in self.seen:
            return frozenset()
        self.seen.add((fn.id, register))
        made = self.places.definitions(fn).get(register, ())
        ways = [self.begins(fn, one, depth + 1) for one in made if not (type(one) is ir.Const and one.value in ("", None))]
        if fn.index and register < len(fn.ir.params):
            given = [one for one in self.places.handed(fn, register) if one[0] in self.callers]
            ways += [self.first(at, inner, depth + 1) for at, inner in given] if given else [None]
        elif fn.index and register < len(fn.ir.params) + len(fn.ir.captured):
            ways += [self.first(at, inner, depth + 1) for at, inner in self.places.captured(fn, register)]
        return _all(ways)

    def begins(self, fn: Fn, one: Any, depth: int) -> frozenset[str] | None:
        """The first words of what an instruction makes."""
        kind = type(one)
        if kind is ir.Const and isinstance(one.value, str):
            return _word(one.value + " ")
        if kind is ir.Concat and (one.literals[0].strip() or not one.parts):
            return _word(one.literals[0])
        if kind is ir.Concat:
            return self.first(fn, one.parts[0], depth)
        if kind is ir.Move:
            return self.first(fn, one.src, depth)
        if kind is ir.Binary and one.op in ("+", "%"):
            return self.first(fn, one.left, depth)
        if kind is ir.Build and one.kind in ("list", "tuple") and one.parts and not any(one.spread[:1]):
            return self.first(fn, one.parts[0], depth)
        if kind is ir.Name:
            return _all([self.first(at, inner, depth) for at, inner, _ in self.places.variable(fn.module, one.name)])
        return None


def _all(ways: list[frozenset[str] | None]) -> frozenset[str] | None:
    known = [one for one in ways if one is not None]
    return frozenset().union(*known) if ways and len(known) == len(ways) else None


def _word(text: str) -> frozenset[str] | None:
    """The program that a text begins with, where its name ends in it."""
    words = text.split(None, 1)
    return frozenset({words[0].rpartition("/")[2]}) if words and (len(words) > 1 or text[-1].isspace()) else None
