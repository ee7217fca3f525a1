"""What an agent or a call of a model is given of which nothing is known: it stands in the map as unresolved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from headwater import ir
from headwater.index.entities import Fn
from headwater.system.graph import Graph, Key
from headwater.taint.sights import Sight

_TOLD: Final = {"tools": frozenset({"tool", "mcp-client", "mcp-server", "agent", "retriever"}), "model": frozenset({"llm"})}
"""What is found where it is known what a part is."""


def find(graph: Graph, sights: Iterable[Sight]) -> None:
    """Notes the tools and the models that a component is given and that are no component of the map."""
    given: dict[Key, set[str]] = {}
    for from_, to, _ in graph.edges:
        given.setdefault(from_, set()).add(graph.nodes[to].type)
    for sight in sights:
        key: Key = (sight.kind, sight.fn.module.id, sight.start)
        if key not in graph.nodes or sight.entry is None or sight.kind not in ("agent", "llm-call"):
            continue
        for what, spec in (("tools", sight.entry.tools), ("model", sight.entry.model)):
            if spec and spec != "self" and _TOLD[what].isdisjoint(given.get(key, ())) and _unknown(graph, sight, spec):
                graph.unresolved.setdefault((key, what), (sight.fn, sight.start))


def _unknown(graph: Graph, sight: Sight, spec: str) -> bool:
    """Whether an argument is given that is neither a text, nor nothing, nor an empty list."""
    call = graph.places.call(sight.fn, sight.start, sight.end)
    return call is not None and any(not _told(graph, fn, register) for fn, register in graph.places.argument(sight.fn, call, spec))


def _told(graph: Graph, fn: Fn, register: int) -> bool:
    made = graph.places.definitions(fn).get(register, ())
    if any(type(one) is ir.Const for one in made) or any(text.literal for text in graph.places.texts(fn, register)):
        return True
    return any(not build.parts for _, build in graph.places.displays(fn, register)) and not graph.places.appended(fn, register)
