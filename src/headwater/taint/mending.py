"""Mends what functions were told of one another and is so no more: where bounds have ended the work on functions that call each other.

An effect of a function on data that reaches an operation names the call by which it does, and the effect of what is called there. Followed
from what was found, these must end at the operation. They do not where a caller was interpreted before what it calls came to say less, or
where functions that call each other have told an effect to one another that none of them has any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

from headwater.taint.solve import Solver
from headwater.taint.summary import Issue

Stale = Mapping[int, Set[Any]]
"""Functions of which more was told than is so, with keys of the sinks to which they lead without ground."""


def mend(solver: Solver, stale: Stale) -> None:
    """Interpret functions again, and whoever reads what changes by that; what has no ground is forgotten first, wherever it is told."""
    dirty = set(stale)
    sinks = frozenset[Any]().union(*stale.values())
    for number, summary in enumerate(solver.summaries) if sinks else ():
        after = summary.without(sinks)
        if after is not summary:
            solver.summaries[number] = after
            dirty.add(number)
    solver.again(dirty)


def unfounded(solver: Solver, issues: Iterable[Issue]) -> Stale:
    """What the ways from issues to their sinks show to be stale, without a replay (``headwater.taint.trace`` sees the rest)."""
    stale: dict[int, set[Any]] = {}
    tables: dict[int, dict[Any, Any]] = {}
    """By function: where its effects lead, by their keys."""
    met: set[Any] = set()
    """Effects that were followed before: to the end, or to what is in ``stale``."""
    for issue in issues:
        at, hop = issue.apex.id, issue.hop
        way: set[Any] = set()
        while hop is not None:
            _, _, callee, key = hop
            if (callee.id, key) in way:
                stale.setdefault(callee.id, set()).add(issue.sink.key)
                break
            if (callee.id, key) in met:
                break
            way.add((callee.id, key))
            table = tables.get(callee.id)
            if table is None:
                table = tables[callee.id] = {one.key: one.hop for one in solver.summaries[callee.id].sinks}
            if key not in table:
                stale.setdefault(at, set())
                break
            at, hop = callee.id, table[key]
        met |= way
    return stale
