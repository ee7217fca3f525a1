"""What the analysis of flows asks of the map: which code has a model act, and what tools are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from headwater.system.effects import said

if TYPE_CHECKING:
    from headwater.system.build import Builder

_ASKERS: Final = frozenset({"agent", "llm", "llm-call"})
_ACTS: Final = frozenset(
    {
        "database-read",
        "database-write",
        "executes-code",
        "executes-shell",
        "reads-files",
        "reads-secrets",
        "sends-messages",
        "spends-money",
        "writes-files",
    }
)
"""What a tool can do that whoever talks to the model could not do himself; a request to a search service is not among it."""


def note(builder: Builder) -> None:
    """Tell the solver, before the components of examples are taken out of the map."""
    solver = builder.solver
    callers: dict[int, list[int]] = {}
    for reader, called in solver.called.items():
        for other in called:
            callers.setdefault(other, []).append(reader)
    asking: dict[int, None] = {}
    for from_, to, kind in builder.edges:
        node, offered = builder.nodes[from_], builder.nodes[to]
        if kind != "offers-tool" or node.type not in _ASKERS or offered.type not in ("tool", "mcp-client"):
            continue
        functions = [node.fn, *node.bodies.values()]
        if offered.type == "tool" and not offered.bodies:  # whoever asks, or whoever has it ask, does what the model wants
            near = [one for fn in functions for one in (fn, *(solver.symbols.functions[number] for number in callers.get(fn.id, ())))]
            acts = any(not _ACTS.isdisjoint(solver.abilities.get(number, ())) for fn in near for number in builder.reached(fn))
        else:
            acts = offered.type != "tool" or not _ACTS.isdisjoint(builder.abilities_of(to))
        if acts:
            asking.update((fn.id, None) for fn in functions)
            solver.acting.update(fn.id for fn in node.fn.module.functions)
    solver.acting.update(number for one in asking for number in builder.reached(solver.symbols.functions[one]))
    solver.acting.update(_leading(builder, asking, callers))
    for key, node in builder.nodes.items():
        if node.type == "tool":
            solver.tool_names.update((body, node.name) for body in node.bodies)
            tells = said(builder, key)
            if tells.whole:
                solver.tools_said.setdefault(node.fn.module.id, {})[node.name] = tells.text


def _leading(builder: Builder, asking: Mapping[int, None], callers: Mapping[int, list[int]]) -> set[int]:
    """The functions from which these are reached."""
    found, todo = set(asking), list(asking)
    while todo:
        fn = builder.symbols.functions[todo.pop()]
        outer = [fn.module.functions[fn.ir.parent].id] if fn.ir.parent > 0 else []  # what stands in a function is run by it
        for caller in (*callers.get(fn.id, ()), *outer):
            if caller not in found:
                found.add(caller)
                todo.append(caller)
    return found
