"""The system map as JSON; its form is told in ``docs/map.md``."""

from __future__ import annotations

import json
from typing import Any

from headwater.components import VERSION, Component
from headwater.findings import Review


def render(review: Review) -> str:
    """One object: components, edges, what is unresolved."""
    system = review.system
    made = {
        "version": VERSION,
        "coverage": review.coverage.status,
        "components": [component(one) for one in system.components],
        "edges": [{"from": one.from_, "to": one.to, "kind": one.kind, "file": one.file, "line": one.line} for one in system.edges],
        "unresolved": [{"component": one.component, "what": one.what, "file": one.file, "line": one.line} for one in system.unresolved],
    }
    return json.dumps(made, indent=2, ensure_ascii=True) + "\n"


def component(one: Component) -> dict[str, Any]:
    """One component."""
    made: dict[str, Any] = {"id": one.id, "type": one.type, "name": one.name, "file": one.file, "line": one.line}
    if one.detail:
        made["detail"] = one.detail
    if one.type == "tool":
        made["capabilities"] = list(one.capabilities)
        made["evidence"] = {ability.name: f"{ability.spot.file}:{ability.spot.line}" for ability in one.abilities}
    return made
