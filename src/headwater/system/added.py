"""What an agent is given after it was made: ``boss.handoffs = [clerk]``, ``boss.tools.append(ask)``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from headwater import ir
from headwater.index.calls import instructions
from headwater.index.entities import Fn, is_test
from headwater.system.crew import Crews
from headwater.system.graph import Key

_HELD: Final = frozenset({"tools", "handoffs", "sub_agents", "subAgents", "mcp_servers", "mcpServers", "agents", "managed_agents"})
"""Fields of an agent that hold what it may use."""
_ADDS: Final = frozenset({"append", "extend", "insert", "push", "unshift"})


def added(graph: Crews) -> Iterator[tuple[Key, Key, Fn, int]]:
    """Agents, what they are given, and where."""
    modules = {node.fn.module.id for node in graph.nodes.values() if node.type == "agent"}
    for fn in graph.symbols.functions:
        if fn.module.id not in modules or is_test(fn.module.path):
            continue
        definitions = graph.places.definitions(fn)
        for one in instructions(fn.ir.body):
            if type(one) is ir.StoreAttr and one.name in _HELD:
                owner, given = one.obj, [one.src]
            elif type(one) is ir.Call and one.args:
                held = [
                    it.obj
                    for callee in definitions.get(one.fn, ())
                    if type(callee) is ir.Attr and callee.name in _ADDS
                    for it in definitions.get(callee.obj, ())
                    if type(it) is ir.Attr and it.name in _HELD
                ]
                if not held:
                    continue
                owner, given = held[0], [register for register in one.args if register >= 0]
            else:
                continue
            for agent in _of(graph, fn, owner):
                if graph.nodes[agent].type == "agent":
                    for register in given:
                        for part in _parts(graph, fn, register):
                            yield agent, part, fn, one.start


def _parts(graph: Crews, fn: Fn, register: int) -> Iterator[Key]:
    """The components in a value, or in the list that it is."""
    yield from _of(graph, fn, register)
    for at, build in graph.places.displays(fn, register):
        for part in build.parts:
            yield from _of(graph, at, part)


def _of(graph: Crews, fn: Fn, register: int) -> Iterator[Key]:
    """The components that a register holds."""
    for function in graph.places.functions(fn, register):
        if function.id in graph.of_function:
            yield graph.of_function[function.id]
    for at, made in graph.places.made(fn, register):
        yield from (key for key in graph.of_site.get((at.module.id, made.start, made.end), ()) if key in graph.nodes)
