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


def mend(solver: Solver, stale: Stale) -> bool:
    """Interpret functions again, and whoever tells what has no ground after that; what goes round in circles is forgotten first.

    Who reads what these turn out to do besides is not: that may bring new ways each time. Whether anything is told otherwise now.
    """
    empty = _groundless(solver, frozenset().union(*stale.values()))
    for number, effects in empty.items():
        solver.summaries[number] = solver.summaries[number].without(effects)
    telling = {
        number
        for number, issues in solver.issues.items()
        if empty and any(issue.hop is not None and issue.hop[3] in empty.get(issue.hop[2].id, ()) for issue in issues)
    }
    dirty = {*stale, *empty, *telling}
    before = {number: _told(solver, number) for number in dirty}
    solver.again(dirty, empty.keys())
    return bool(empty) or any(_told(solver, number) != told for number, told in before.items())


def _told(solver: Solver, number: int) -> Any:
    """What is told of one function, as far as ways are followed over it."""
    effects = [(one.key, one.hop) for one in solver.summaries[number].sinks]
    issues = [(one.key, one.hop) for one in (*solver.issues.get(number, ()), *(one for one in solver.virtual if one.apex.id == number))]
    return effects, issues


def _groundless(solver: Solver, sinks: Set[Any]) -> dict[int, set[Any]]:
    """The effects, by function, on data that is said to reach some of these sinks, and from which no way leads there."""
    hops: dict[tuple[int, Any], tuple[int, Any] | None] = {}
    for number, summary in enumerate(solver.summaries) if sinks else ():
        for one in summary.sinks:
            if one.sink.key in sinks:
                hops[number, one.key] = (one.hop[2].id, one.hop[3]) if one.hop is not None else None
    ends: dict[tuple[int, Any], bool] = {}
    """Of those that were followed: whether they lead to the sink."""
    for effect in hops:
        way: dict[tuple[int, Any], None] = {}
        at: tuple[int, Any] | None = effect
        while at is not None and at in hops and at not in ends and at not in way:
            way[at] = None
            at = hops[at]
        ends.update(dict.fromkeys(way, at is None or ends.get(at, False)))
    found: dict[int, set[Any]] = {}
    for (number, key), grounded in ends.items():
        if not grounded:
            found.setdefault(number, set()).add(key)
    return found


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
