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


def _leading(builder: Builder, asking: dict[int, None]) -> set[int]:
    """The functions from which these are reached."""
    callers: dict[int, list[int]] = {}
    for reader, called in builder.solver.called.items() if asking else ():
        for other in called:
            callers.setdefault(other, []).append(reader)
    found, todo = set(asking), list(asking)
    while todo:
        fn = builder.symbols.functions[todo.pop()]
        outer = [fn.module.functions[fn.ir.parent].id] if fn.ir.parent > 0 else []  # what stands in a function is run by it
        for caller in (*callers.get(fn.id, ()), *outer):
            if caller not in found:
                found.add(caller)
                todo.append(caller)
    return found


def note(builder: Builder) -> None:
    """Tell the solver, before the components of examples are taken out of the map."""
    solver = builder.solver
    tools = {key: node for key, node in builder.nodes.items() if node.type == "tool"}
    acting = {key for key, node in tools.items() if not node.bodies or not _ACTS.isdisjoint(builder.abilities_of(key))}
    asking: dict[int, None] = {}
    for from_, to, kind in builder.edges:
        node = builder.nodes[from_]
        if kind == "offers-tool" and node.type in _ASKERS and (to in acting or builder.nodes[to].type == "mcp-client"):
            asking.update((fn.id, None) for fn in (node.fn, *node.bodies.values()))
            solver.acting.update(fn.id for fn in node.fn.module.functions)
    solver.acting.update(number for one in asking for number in builder.reached(solver.symbols.functions[one]))
    solver.acting.update(_leading(builder, asking))
    for node in tools.values():
        solver.tool_names.update((body, node.name) for body in node.bodies)
