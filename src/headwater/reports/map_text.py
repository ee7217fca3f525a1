"""The system map as a text tree: what comes in first, below each component what it uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from headwater.components import Component, SystemMap
from headwater.findings import Review
from headwater.reports import escape

_ORDER: Final = (
    "server", "entry-point", "mcp-server", "agent", "llm-call", "llm", "prompt", "tool", "guard", "retriever", "vector-store",
    "embedding-model", "memory", "document-source", "dataset", "model-file", "mcp-client", "secret",
)  # fmt: skip
_DEPTH: Final = 4


def render(review: Review) -> str:
    """The components by type, each with what it uses."""
    return "".join(f"{line}\n" for line in _lines(review.system))


def _lines(system: SystemMap) -> Iterator[str]:
    if not system.components:
        yield "No part of an AI system was found."
        return
    by_id = {one.id: one for one in system.components}
    uses: dict[str, list[tuple[str, str]]] = {}
    for edge in system.edges:
        uses.setdefault(edge.from_, []).append((edge.kind, edge.to))
    counts = {type_: sum(one.type == type_ for one in system.components) for type_ in _ORDER}
    yield ", ".join(f"{count} {type_}{'s' if count > 1 else ''}" for type_, count in counts.items() if count)
    for type_ in _ORDER:
        for one in system.components:
            if one.type == type_:
                yield ""
                yield title(one)
                yield from _below(one.id, uses, by_id, "  ", (one.id,))
    if system.unresolved:
        yield ""
        yield "Not resolved:"
        for gap in system.unresolved:
            yield f"  {escape.line(gap.what)} of {escape.line(by_id[gap.component].name)}  {escape.line(gap.file)}:{gap.line}"


def title(one: Component) -> str:
    """A component in one line."""
    can = f"  [{', '.join(one.capabilities)}]" if one.capabilities else ""
    return f"{one.type} {escape.line(one.name)}{can}  {escape.line(one.file)}:{one.line}"


def _below(
    key: str, uses: dict[str, list[tuple[str, str]]], by_id: dict[str, Component], indent: str, path: tuple[str, ...]
) -> Iterator[str]:
    for kind, to in uses.get(key, ()):
        yield f"{indent}{kind} {title(by_id[to])}"
        if to not in path and len(path) < _DEPTH and by_id[key].type in ("entry-point", "server"):
            yield from _below(to, uses, by_id, indent + "  ", (*path, to))
