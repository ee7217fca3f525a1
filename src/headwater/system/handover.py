"""Work that agents hand to each other: in circles that nothing ends, and from one that reads what others write to one that acts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from headwater import limits
from headwater.index.entities import Fn
from headwater.system import approvals
from headwater.system.build import Builder
from headwater.system.effects import effects, said
from headwater.system.graph import Key
from headwater.system.reported import Report, Step
from headwater.system.words import stems, words
from headwater.taint.loops import bounded
from headwater.taint.sights import DEEDS

_HOPS: Final = 2
"""Hand-overs between the agent that reads and the one that acts: a supervisor stands between many of them."""


class Way(NamedTuple):
    """One agent gives work to another."""

    to: Key
    nested: bool
    """It waits for the answer: the other runs with limits of its own."""
    fn: Fn
    start: int
    tool: Key | None
    """By which tool."""


def ways(builder: Builder) -> dict[Key, list[Way]]:
    """To whom each agent gives work."""
    made: dict[Key, list[Way]] = {}
    runs: dict[Key, list[tuple[Key, Fn, int]]] = {}
    for (from_, to, kind), (fn, start) in builder.edges.items():
        if builder.nodes[from_].type == "tool" and builder.nodes[to].type == "agent" and kind == "calls":
            runs.setdefault(from_, []).append((to, fn, start))
    for (from_, to, kind), (fn, start) in builder.edges.items():
        if builder.nodes[from_].type != "agent":
            continue
        if kind == "delegates-to" and builder.nodes[to].type == "agent":
            made.setdefault(from_, []).append(Way(to, False, fn, start, None))
        elif kind == "offers-tool" and to in runs:
            made.setdefault(from_, []).extend(Way(other, True, at, place, to) for other, at, place in runs[to])
    return made


def circles(builder: Builder) -> Iterator[Report]:
    """Agents that are handed back what they gave away, again and again."""
    given = ways(builder)
    told: set[Key] = set()
    for key, node in builder.ordered():
        if node.type != "agent" or key in told or key not in given:
            continue
        circle = _back(given, key)
        if not circle:
            continue
        told |= {key, *(one.to for one in circle)}
        nested = any(one.nested for one in circle)
        if nested and any(bounded(body) for one in circle if one.tool is not None for body in builder.nodes[one.tool].bodies.values()):
            continue
        names = " to ".join(f"`{builder.nodes[one].name}`" for one in (key, *(one.to for one in circle)))
        how = "each waits for the other's answer, and every run has its own limit of steps" if nested else "all the work counts as one run"
        steps = tuple(_step(builder, one) for one in circle)
        yield Report(node.fn, node.start, node.end, f"{names}: {how}", steps, f"{node.name} gives its work away", "" if nested else "low")


def _back(given: dict[Key, list[Way]], start: Key) -> list[Way]:
    """The shortest way by which work comes back to an agent; one that asks itself is in a circle too."""
    came: dict[Key, list[Way]] = {start: []}
    todo = [start]
    while todo:
        at = todo.pop(0)
        if len(came[at]) >= limits.ATTACK_HOPS:
            continue
        for way in given.get(at, ()):
            if way.to == start:
                return [*came[at], way]
            if way.to not in came:
                came[way.to] = [*came[at], way]
                todo.append(way.to)
    return []


def _step(builder: Builder, way: Way) -> Step:
    how = f"waits for {builder.nodes[way.to].name}" if way.nested else f"hands over to {builder.nodes[way.to].name}"
    return way.fn, way.start, way.start, how


def read_for_another(builder: Builder) -> Iterator[Report]:
    """Agents that act on what another one has read, which others have written."""
    given = ways(builder)
    near: dict[Key, list[tuple[Key, Way]]] = {}
    for from_, all_ in given.items():
        for way in all_:  # the answer goes back too
            near.setdefault(from_, []).append((way.to, way))
            near.setdefault(way.to, []).append((from_, way))
    for key, node in builder.ordered():
        if node.type != "agent" or key not in near or _reads(builder, key) is not None:
            continue
        acting = _acts(builder, key)
        if acting is None:
            continue
        found = _reader(builder, near, key)
        if found is None:
            continue
        reader, source, steps = found
        tool, what, step = acting
        why = f"`{builder.nodes[reader].name}` reads what others have written with `{builder.nodes[source].name}`"
        first = builder.nodes[source]
        places = ((first.fn, first.start, first.end, f"{first.name} brings in what others have written"), *steps, step)
        last = f"{node.name} acts on it: {builder.nodes[tool].name} {what}"
        yield Report(node.fn, node.start, node.end, why, places, last, "", f" Its tool `{builder.nodes[tool].name}` {what}.")


def _reads(builder: Builder, agent: Key) -> Key | None:
    """The part by which an agent reads what others have written."""
    for from_, to, kind in builder.edges:
        if from_ != agent or kind not in ("offers-tool", "retrieves-from"):
            continue
        node = builder.nodes[to]
        if node.type == "mcp-client":
            return to
        if node.type == "tool" and "network-out" in builder.abilities_of(to):
            brings = frozenset(stems(" ".join(words().brings)))
            if not brings.isdisjoint(stems(f"{said(builder, to).text} {node.detail.get('api', '')}")):
                return to
    return None


def _acts(builder: Builder, agent: Key) -> tuple[Key, str, Step] | None:
    """The tool by which an agent does something on what the model chooses, with nobody asked."""
    for from_, to, kind in builder.edges:
        if from_ != agent or kind != "offers-tool" or builder.nodes[to].type != "tool":
            continue
        node = builder.nodes[to]
        found = [one for one in effects(builder, to) if one.deed.steered]
        if not found and not node.bodies:
            can = [one for one in builder.abilities_of(to) if one in DEEDS]
            if can and not approvals.stands(builder, to, [agent]):
                kind_ = words().kind(can[0])
                return to, kind_.does, (node.fn, node.start, node.end, kind_.does)
        elif found and not said(builder, to).asks and not approvals.stands(builder, to, [agent]):
            return to, found[0].kind.does, (found[0].fn, found[0].deed.start, found[0].deed.end, found[0].kind.does)
    return None


def _reader(builder: Builder, near: dict[Key, list[tuple[Key, Way]]], agent: Key) -> tuple[Key, Key, tuple[Step, ...]] | None:
    """The nearest agent whose work reaches this one and that reads what others have written; with the way."""
    came: dict[Key, tuple[Step, ...]] = {agent: ()}
    todo = [agent]
    while todo:
        at = todo.pop(0)
        source = _reads(builder, at) if at != agent else None
        if source is not None:
            return at, source, came[at]
        if len(came[at]) < _HOPS:
            for other, way in near.get(at, ()):
                if other not in came:
                    words_ = f"what {builder.nodes[other].name} has found reaches {builder.nodes[at].name}"
                    came[other] = ((way.fn, way.start, way.start, words_), *came[at])
                    todo.append(other)
    return None
