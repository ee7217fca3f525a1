"""Files that a function reads or removes after it has written them itself: what can be done is done by the write, and told there.

A read is left out only where the write is sure to come first: a file that is written where it is missing, and read in any case, may be
anybody's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from headwater import ir
from headwater.index.calls import instructions
from headwater.index.entities import Fn
from headwater.taint.cleanups import REMOVES, WRITES

if TYPE_CHECKING:
    from headwater.taint.solve import Solver
    from headwater.taint.summary import Issue, Sink

_LISTS: Final = "lists it"
_MOVES: Final = 4
"""From a variable back to the call that makes its value."""
_FLAGS: Final[frozenset[Any]] = frozenset({"flag", "flags"})
_ANEW: Final = ("w", "wb", "x", "xb", "wt")
"""Modes in which a file is written from its beginning, with nothing left of what was in it."""


def again(groups: dict[Any, list[Issue]], solver: Solver) -> list[Any]:
    """The keys of operations on what the same function, or one that it calls, has written before, at the same place."""
    sinks = {key: issues[0].sink for key, issues in groups.items()}
    written: dict[int, dict[tuple[int, int], Sink]] = {}
    for sink in sinks.values():
        if sink.class_ == "path-write" and _name(sink) in WRITES:
            written.setdefault(sink.fn.id, {})[(sink.start, sink.end)] = sink
    reading = [key for key, sink in sinks.items() if sink.class_ == "path-read" and sink.does != _LISTS]
    removing = [key for key, sink in sinks.items() if sink.class_ == "path-write" and _name(sink) in REMOVES]
    found = [key for key in reading if _Function(sinks[key].fn).reads_own(sinks[key], written, solver)]
    functions = {key: _Function(sinks[key].fn) for key in removing}
    found += [key for key in removing if functions[key].removes_made(sinks[key], written, solver)]
    return found + [key for key in removing if key not in found and functions[key].removes_flagged(sinks[key], solver)]


def _name(sink: Sink) -> str:
    return sink.name.rpartition(".")[2].removesuffix("()")


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

    def removes_made(self, sink: Sink, written: dict[int, dict[tuple[int, int], Sink]], solver: Solver) -> bool:
        """Whether what an operation removes is a file that a function has made which gave its place back."""
        calls = (
            one for made in self.made.values() for one in made if type(one) is ir.Call and (one.start, one.end) == (sink.start, sink.end)
        )
        place = next((self.variable(one.args[0]) for one in calls if one.args), -1)
        ways = [self.origin(one) for one in self.made.get(place, ())] if place >= len(self.fn.ir.params) else []
        return bool(ways) and all(
            type(way) is ir.Call and any(_gives_back(callee, written) for callee in self.callees(way, solver)) for way in ways
        )

    def removes_flagged(self, sink: Sink, solver: Solver) -> bool:
        """Whether a file is removed only where a flag is set, and that only where the variable was given a file of the function's own."""
        place = (sink.start, sink.end)
        holds = [one for one in instructions(self.fn.ir.body) if type(one) is ir.If]
        around = [arm for one in holds for arm in one.arms if any((it.start, it.end) == place for it in instructions(arm.body))]
        flags = {flag for arm in around for flag in self.demanded(arm.cond)}
        calls = [one for arm in around for one in instructions(arm.body) if type(one) is ir.Call and (one.start, one.end) == place]
        variable = self.variable(calls[0].args[0]) if calls and calls[0].args else -1
        return variable >= 0 and any(self.set_with_own(flag, variable, holds, solver) for flag in sorted(flags))

    def demanded(self, cond: Any) -> Iterator[int]:
        """The variables without whose truth a condition does not hold."""
        if type(cond) is ir.AllOf:
            for part in cond.parts:
                yield from self.demanded(part)
        elif type(cond) is ir.Leaf and (register := self.variable(cond.reg)) >= 0:
            yield register

    def set_with_own(self, flag: int, place: int, holds: list[ir.If], solver: Solver) -> bool:
        """Whether a flag is true only where, in the same branch, a variable was given a file that is written there."""
        made = [self.origin(one) for one in self.made.get(flag, ())]
        if flag < len(self.fn.ir.params) or not made or not all(type(one) is ir.Const and isinstance(one.value, bool) for one in made):
            return False
        for one, value in zip(self.made[flag], made, strict=True):
            if not value.value:
                continue
            arms = [(hold, arm.body) for hold in holds for arm in hold.arms if any(it is one for it in arm.body)]
            if len(arms) != 1:
                return False
            hold, branch = arms[0]
            inside = [it for it in self.made.get(place, ()) if any(it is other for other in instructions(branch))]
            later = [it for it in self.made.get(place, ()) if it.start > one.start and not hold.start <= it.start < hold.end]
            if later or not inside or not all(self.own(it, place, branch, solver) for it in inside):
                return False
        return any(one.value for one in made)

    def own(self, made: Any, place: int, branch: Sequence[Any], solver: Solver) -> bool:
        """Whether a variable is given the place of a file that the function, or one that it calls, writes there."""
        way = self.origin(made)
        if type(way) is ir.Call and any(_Function(callee).gives_written() for callee in self.callees(way, solver, methods=True)):
            return True
        return any(it.start > made.start for it in branch if type(it) is ir.Call and self.written(it) == place)

    def written(self, call: ir.Call) -> int:
        """The variable that holds the place where a call writes; negative where it is none."""
        names = {one.name for one in self.made.get(call.fn, ()) if type(one) in (ir.Name, ir.Attr)}
        return self.variable(call.args[0]) if call.args and not WRITES.isdisjoint(names) else -1

    def gives_written(self) -> bool:
        """Whether all that the function gives back is a place where it has written."""
        calls = (one for made in self.made.values() for one in made if type(one) is ir.Call)
        variables = {self.written(one) for one in calls} - {-1}
        given = [one.src for one in instructions(self.fn.ir.body) if type(one) is ir.Return]
        return bool(given and variables) and all(register >= 0 and self.variable(register) in variables for register in given)

    def origin(self, one: Any) -> Any:
        """The instruction that makes what another moves."""
        for _ in range(_MOVES):
            made = self.made.get(one.src, ()) if type(one) is ir.Move else ()
            if len(made) != 1:
                break
            one = made[0]
        return one

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

    def callees(self, call: ir.Call, solver: Solver, methods: bool = False) -> list[Fn]:
        """The functions of the project that a call names, where it is a single one."""
        names: Collection[str] = {
            one.name for one in self.made.get(call.fn, ()) if type(one) is ir.Name or (methods and type(one) is ir.Attr)
        }
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


def _gives_back(callee: Fn, written: dict[int, dict[tuple[int, int], Sink]]) -> bool:
    """Whether all that a function gives back is the place where it has written."""
    function, places = _Function(callee), written.get(callee.id, {})
    calls = [one for made in function.made.values() for one in made if type(one) is ir.Call and (one.start, one.end) in places and one.args]
    variables = {function.variable(one.args[0]) for one in calls} - {-1}
    given = [one.src for one in instructions(callee.ir.body) if type(one) is ir.Return]
    return bool(given and variables) and all(register >= 0 and function.variable(register) in variables for register in given)


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
