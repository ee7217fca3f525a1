"""The *lethal trifecta* (Simon Willison, 2025): an agent that reads private data, reads what others have written, and has a way out.

Whoever writes what it reads has it send the data.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from headwater.index.entities import Fn
from headwater.system.build import Builder
from headwater.system.graph import Key
from headwater.system.reported import Report, Step

_PRIVATE: Final = ("database-read", "reads-files")
"""Not the keys that a tool reads to call a service: it does not give them back."""
_OUT: Final = ("sends-messages", "network-out", "executes-shell", "executes-code")
_WORDS: Final = {
    "database-read": "reads the database",
    "reads-files": "reads files",
    "sends-messages": "sends messages",
    "network-out": "sends requests",
    "executes-shell": "runs commands",
    "executes-code": "runs code",
}


def trifectas(builder: Builder) -> Iterator[Report]:
    """The agents that have all three."""
    for key, node in builder.ordered():
        if node.type == "agent" and (found := _trifecta(builder, key)):
            why, steps = found
            yield Report(node.fn, node.start, node.end, why, tuple(steps), f"{node.name} has them all")


def _trifecta(builder: Builder, agent: Key) -> tuple[str, list[Step]] | None:
    """The tools that make the three, in words and as steps; nothing where one is missing, or a guard stands before it."""
    near = [(to, kind) for from_, to, kind in builder.edges if from_ == agent]
    if any(to == agent and kind == "guards" for _, to, kind in builder.edges):
        return None
    tools = [(to, builder.abilities_of(to)) for to, kind in near if kind == "offers-tool" and builder.nodes[to].type == "tool"]
    guarded = {to for _, to, kind in builder.edges if kind == "guards"}
    out = _first([(to, _chosen(builder, can)) for to, can in tools], _OUT, guarded)
    fetch = next(((tool, "network-out") for tool, can in tools if "network-out" in can), None)
    read = [to for to, kind in near if kind == "retrieves-from" and builder.nodes[to].type in ("retriever", "vector-store")]
    client = next((to for to, kind in near if builder.nodes[to].type == "mcp-client"), None)
    brings = fetch[0] if fetch is not None else client
    private = _first([one for one in tools if one[0] != brings and _of_choice(builder, one[0])], _PRIVATE, frozenset())
    kept = private[0] if private is not None else next(iter(read), None)
    if out is None or brings is None or kept is None or kept == brings:
        return None
    name = {one: builder.nodes[one].name for one in (out[0], brings, kept)}
    holds = _WORDS[private[1]] if private is not None else "holds documents"
    why = f"`{name[kept]}` {holds}, `{name[brings]}` brings in what others have written, and `{name[out[0]]}` {_WORDS[out[1]]}"
    steps = [
        _step(builder, brings, "brings in what others have written"),
        _step(builder, kept, holds),
        _step(builder, out[0], _WORDS[out[1]]),
    ]
    return why, steps


def _first(
    tools: list[tuple[Key, dict[str, tuple[Fn, int]]]], wanted: tuple[str, ...], but: frozenset[Key] | set[Key]
) -> tuple[Key, str] | None:
    """The first tool that can do one of these, and what."""
    return next(((tool, one) for one in wanted for tool, can in tools if one in can and tool not in but), None)


def _chosen(builder: Builder, can: dict[str, tuple[Fn, int]]) -> dict[str, tuple[Fn, int]]:
    """What a tool can do, less requests to a service that does not belong to whoever writes what is found there."""
    return {name: (fn, at) for name, (fn, at) in can.items() if name != "network-out" or (fn.id, at) not in builder.solver.services}


def _of_choice(builder: Builder, tool: Key) -> bool:
    """Whether a tool reads a database, or a file that its arguments name: settings that it reads for itself are no private data."""
    bodies = builder.nodes[tool].bodies.values()
    reads = (effect.sink.class_ for body in bodies for effect in builder.solver.summaries[body.id].sinks)
    return "database-read" in builder.abilities_of(tool) or "path-read" in reads


def _step(builder: Builder, key: Key, what: str) -> Step:
    node = builder.nodes[key]
    return node.fn, node.start, node.end, f"{node.name} {what}"
