"""Where the parts of a threat model stand in a diagram: zones side by side, in each the kinds of parts from left to right."""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.threats.model import ThreatModel
from headwater.threats.zones import OUTSIDE

WIDTH: Final = 160
HEIGHT: Final = 80
GAP: Final = 60
ROWS: Final = 9
"""Of one column: what is more begins the next one."""
MARGIN: Final = 60
"""Between the box of a zone and what is in it; its name stands there."""
ACTOR: Final = "actor"
_ZONES: Final = (OUTSIDE, "application", "data", "hosted-data", "third-party", "model-hub", "model-provider")
_TYPES: Final = (
    ACTOR, "document-source", "server", "mcp-server", "entry-point", "guard", "agent", "llm-call", "prompt", "tool", "retriever",
    "vector-store", "memory", "secret", "model-file", "dataset", "mcp-client", "embedding-model", "llm",
)  # fmt: skip


class Box(msgspec.Struct, frozen=True):
    """A rectangle; ``x`` and ``y`` are those of its upper left corner."""

    x: int
    y: int
    width: int
    height: int


class Layout(msgspec.Struct, frozen=True):
    """All rectangles."""

    zones: dict[str, Box]
    parts: dict[str, Box]
    """By key of a component, or id of an actor."""
    width: int
    height: int


def layout(made: ThreatModel) -> Layout:
    """The same model stands in the same places."""
    inside: dict[str, dict[str, list[str]]] = {}
    for actor in made.actors:
        inside.setdefault(OUTSIDE, {}).setdefault(ACTOR, []).append(actor.id)
    for one in made.system.components:
        key = made.keys[one.id]
        inside.setdefault(made.zones[key], {}).setdefault(one.type, []).append(key)
    zones: dict[str, Box] = {}
    parts: dict[str, Box] = {}
    left = GAP
    for zone in _ZONES:
        columns: list[list[str]] = []
        for type_ in _TYPES:
            found = inside.get(zone, {}).get(type_, [])
            columns += [found[start : start + ROWS] for start in range(0, len(found), ROWS)]
        if not columns:
            continue
        for number, column in enumerate(columns):
            for row, key in enumerate(column):
                x = left + MARGIN + number * (WIDTH + GAP)
                parts[key] = Box(x, GAP + MARGIN + row * (HEIGHT + GAP), WIDTH, HEIGHT)
        rows = max(len(column) for column in columns)
        width = 2 * MARGIN + len(columns) * (WIDTH + GAP) - GAP
        zones[zone] = Box(left, GAP, width, 2 * MARGIN + rows * (HEIGHT + GAP) - GAP)
        left += width + 2 * GAP
    height = max((box.y + box.height for box in zones.values()), default=0) + GAP
    return Layout(zones, parts, max(left, GAP), height)
