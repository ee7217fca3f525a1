"""What the analysis of flows asks of the map: which code has a model act, and what tools are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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
    tools = {key: node for key, node in builder.nodes.items() if node.type == "tool"}
    acting = {key for key in tools if not _ACTS.isdisjoint(builder.abilities_of(key))}
    for from_, to, kind in builder.edges:
        node = builder.nodes[from_]
        if kind == "offers-tool" and node.type in _ASKERS and (to in acting or builder.nodes[to].type == "mcp-client"):
            solver.acting.add(node.fn.module.id)
            solver.acting.update(solver.symbols.functions[number].module.id for number in builder.reached(node.fn))
    for node in tools.values():
        solver.tool_names.update((body, node.name) for body in node.bodies)
