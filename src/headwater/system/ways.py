"""Ways in: functions that requests run, and calls that are wrong only where anybody can have them made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from headwater.index.entities import is_test
from headwater.system.build import Builder
from headwater.taint.entries import Entry
from headwater.taint.openness import Openness
from headwater.taint.solve import Told

_WHO: Final = ("anybody", "request")
_WAYS_IN: Final = frozenset({"route", "handler", "server action"})


def entries(builder: Builder) -> Iterator[Entry]:
    """The functions that requests run."""
    solver = builder.solver
    named = [entry for owner in sorted(solver.entries) for entry in solver.entries[owner].values()]
    for entry in (*named, *solver.overridden()):
        if entry.callback.is_ in _WAYS_IN and not is_test(entry.fn.module.path):
            yield entry


def check(builder: Builder) -> None:
    """Find of the calls that are wrong where a request leads to them those that are so."""
    solver = builder.solver
    asked = [report for one in sorted(solver.reports) for report in solver.reports[one].values() if report.rule.reach in _WHO]
    if not asked:
        return
    openness = Openness(solver.symbols, builder.files)
    ways = [(entry.fn, frozenset(builder.reached(entry.fn))) for entry in entries(builder)]
    for report in asked:
        leading = [fn for fn, inside in ways if report.fn.id in inside]
        anybody = next((fn for fn in leading if openness.way((fn,), report.fn)), None)
        way = anybody if report.rule.reach == "anybody" or anybody is not None else next(iter(leading), None)
        if way is not None and (anybody is not None) == (report.rule.reach == "anybody"):
            steps = ((way, way.ir.start, way.ir.end, f"whoever sends a request runs {way.name}()"),)
            solver.led_to[report.key] = Told(f"{way.name}() is run by whoever sends a request", steps)
