"""What a change does to the system map, as text or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from headwater.components import Edge
from headwater.reports import escape, map_json
from headwater.reports.map_text import title
from headwater.reports.threats_shared import encoded
from headwater.system.diff import Difference

VERSION: Final = 1


def text(found: Difference, against: str) -> str:
    """A line for each change."""
    return escape.log("".join(f"{line}\n" for line in _lines(found, against)))


def _lines(found: Difference, against: str) -> Iterator[str]:
    yield f"{'Nothing has changed in the map' if found.empty else 'What has changed in the map'} since {escape.line(against)}"
    yield from (f"+ {title(one)}" for one in found.new)
    yield from (f"- {title(one)}" for one in found.gone)
    for one, new, gone in found.able:
        signs = [*(f"+{name}" for name in new), *(f"-{name}" for name in gone)]
        yield f"~ {one.type} {escape.line(one.name)} can: {', '.join(signs)}  {escape.line(one.file)}:{one.line}"
    yield from (f"+ {_edge(*row)}" for row in found.edges)
    yield from (f"- {_edge(*row)}" for row in found.lost)


def _edge(from_: str, edge: Edge, to: str) -> str:
    return f"{escape.line(from_)} {edge.kind} {escape.line(to)}  {escape.line(edge.file)}:{edge.line}"


def json(found: Difference, against: str) -> str:
    """One object: what is new, gone and changed."""

    def edge(from_: str, one: Edge, to: str) -> dict[str, Any]:
        return {"from": from_, "kind": one.kind, "to": to, "file": one.file, "line": one.line}

    return encoded(
        {
            "schema": "headwater-map-diff",
            "version": VERSION,
            "against": against,
            "new": [map_json.component(one) for one in found.new],
            "gone": [map_json.component(one) for one in found.gone],
            "capabilities": [{"component": one.id, "new": list(new), "gone": list(gone)} for one, new, gone in found.able],
            "edges": {"new": [edge(*row) for row in found.edges], "gone": [edge(*row) for row in found.lost]},
        }
    )
