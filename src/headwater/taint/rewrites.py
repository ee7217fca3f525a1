"""Files that a function reads after it has written them itself: what it reads is what was written, and the write is told at its place.

Only where the write is sure to come first: a file that is written where it is missing, and read in any case, may be anybody's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from headwater import ir
from headwater.index.calls import instructions
from headwater.index.entities import Fn
from headwater.taint.cleanups import WRITES

if TYPE_CHECKING:
    from headwater.taint.solve import Solver
    from headwater.taint.summary import Issue, Sink

_LISTS: Final = "lists it"
_FLAGS: Final[frozenset[Any]] = frozenset({"flag", "flags"})
_ANEW: Final = ("w", "wb", "x", "xb", "wt")
"""Modes in which a file is written from its beginning, with nothing left of what was in it."""


def reads(groups: dict[Any, list[Issue]], solver: Solver) -> list[Any]:
    """The keys of operations that read what the same function, or one that it calls, has written before, at the same place."""
    written: dict[int, dict[tuple[int, int], Sink]] = {}
    for issues in groups.values():
        sink = issues[0].sink
        if sink.class_ == "path-write" and sink.name.rpartition(".")[2].removesuffix("()") in WRITES:
            written.setdefault(sink.fn.id, {})[(sink.start, sink.end)] = sink
    if not written:
        return []
    asked = [(key, issues[0].sink) for key, issues in groups.items() if issues[0].sink.class_ == "path-read"]
    return [key for key, sink in asked if sink.does != _LISTS and _Function(sink.fn).reads_own(sink, written, solver)]


class _Function:
    """What is needed of one function."""

    def __init__(self, fn: Fn) -> None:
        self.fn = fn
        self.variables = set(fn.ir.names.values()) | set(range(len(fn.ir.params)))
        self.made: dict[int, list[Any]] = {}
        for one in instructions(fn.ir.body):
            if (register := getattr(one, "dst", None)) is not None:
                self.made.setdefault(register, []).append(one)

    def reads_own(self, sink: Sink, written: dict[int, dict[tuple[int, int], Sink]], solver: Solver) -> bool:
        """Whether one of these writes to the place that an operation reads, and is sure to come first."""
        way = list(_before(self.fn.ir.body, (sink.start, sink.end)))
        if not way or type(way[-1]) is not ir.Call:
            return False
        place = self.variable(way[-1].args[0]) if way[-1].args else -1
        last = max((one.start for one in self.made.get(place, ())), default=-1)  # what is set again later is another place
        for one in way[:-1] if place >= 0 else ():
            given = [self.variable(register) for register in one.args] if type(one) is ir.Call and one.start > last else []
            if place not in given:
                continue
            if (one.start, one.end) in written.get(self.fn.id, ()) and given[0] == place and self.anew(one):
                return True
            if any(_writes(callee, given.index(place), written) for callee in self.callees(one, solver)):
                return True
        return False

    def variable(self, register: int) -> int:
        """The variable whose value a register has."""
        seen: set[int] = set()
        while register not in self.variables and register not in seen:
            seen.add(register)
            made = self.made.get(register, ())
            if len(made) != 1 or type(made[0]) is not ir.Move:
                return -1
            register = made[0].src
        return register if register in self.variables else -1

    def anew(self, call: ir.Call) -> bool:
        """Whether a call writes all of a file: nothing else is in it afterwards."""
        options = [register for register in call.args[1:] if register >= 0] + [register for _, register in call.kw]
        made = [one for register in options for one in self.made.get(register, ())]
        if any(type(one) is ir.Build and _FLAGS & set(one.keys) for one in made):
            return False
        name = next((one.name for one in self.made.get(call.fn, ()) if type(one) in (ir.Name, ir.Attr)), "")
        return name != "open" or any(type(one) is ir.Const and one.value in _ANEW for one in made)

    def callees(self, call: ir.Call, solver: Solver) -> list[Fn]:
        """The functions of the project that a call names, where it is a single one."""
        names: Collection[str] = {one.name for one in self.made.get(call.fn, ()) if type(one) is ir.Name}
        found = [solver.symbols.functions[number] for number in solver.called.get(self.fn.id, ())]
        known = [one for one in found if one.name in names]
        return known if len(known) == 1 else []


def _writes(callee: Fn, param: int, written: dict[int, dict[tuple[int, int], Sink]]) -> bool:
    """Whether a function is sure to write to the place that it is given."""
    places = written.get(callee.id)
    if places is None or param >= len(callee.ir.params):
        return False
    function = _Function(callee)
    if param in function.made:
        return False
    calls = (one for one in callee.ir.body if type(one) is ir.Call and (one.start, one.end) in places and one.args)
    return any(function.variable(one.args[0]) == param and function.anew(one) for one in calls)


def _before(block: Sequence[Any], place: tuple[int, int]) -> Iterator[Any]:
    """The instructions that are run for sure before the call at a place, with it; nothing where it is not in the block."""
    todo = [block]
    while todo:
        passed: list[Any] = []
        for item in todo.pop():
            if type(item) is ir.Call and (item.start, item.end) == place:
                yield from (*passed, item)
                return
            inner = next((one for one in _blocks(item) if any((it.start, it.end) == place for it in instructions(list(one)))), None)
            if inner is not None:
                yield from passed
                todo.append(inner)
                break
            passed.append(item)


def _blocks(item: Any) -> list[Sequence[Any]]:
    kind = type(item)
    if kind is ir.If:
        return [*(arm.body for arm in item.arms), item.orelse]
    if kind is ir.Loop:
        return [item.body, item.orelse]
    if kind is ir.Try:
        return [item.body, *(handler.body for handler in item.handlers), item.orelse, item.final]
    return []
