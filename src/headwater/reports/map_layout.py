"""Lays the system map out: trust zones side by side, in each its components in columns by type, so that data flows from left to right.

Columns are ordered by what their components are joined with (the barycentre heuristic), so that few lines cross. All figures are counted
from the map alone: the same map gives the same picture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import msgspec

from headwater.components import Component, SystemMap

WIDTH: Final = 196
HEIGHT: Final = 40
SMALL: Final = 22  # of components that are told in one line: secrets, of which there are many
ROW_GAP: Final = 12
COLUMN_GAP: Final = 64  # between columns of different types: lines bend there
WRAP_GAP: Final = 22  # between columns of one type
PADDING: Final = 14
TITLE: Final = 26  # above the columns of a zone
ZONE_GAP: Final = 34
SWEEPS: Final = 8  # more do not change the order of maps of 200 components
SMALL_TYPES: Final = frozenset({"secret"})

_ZONES: Final[tuple[tuple[tuple[str, tuple[tuple[str, ...], ...]], ...], ...]] = (
    (
        ("outside", (("document-source", "entry-point"),)),
        ("third-party", (("mcp-client", "dataset"),)),
        ("model-hub", (("llm", "embedding-model", "model-file", "dataset"),)),
    ),
    (
        (
            "application",
            (
                ("entry-point", "server", "mcp-server", "guard"),
                ("agent",),
                ("prompt", "llm-call"),
                ("tool",),
                ("llm", "embedding-model"),
            ),
        ),
    ),
    (
        ("model-provider", (("llm", "embedding-model"),)),
        ("hosted-data", (("retriever", "vector-store", "memory", "dataset"),)),
        ("data", (("retriever", "vector-store", "memory", "model-file", "dataset"), ("secret",))),
    ),
)
"""From left to right, in each from top to bottom: a zone, and the types of its columns. What is not named stands in the last column."""


class Box(msgspec.Struct, frozen=True):
    """A rectangle."""

    x: int
    y: int
    width: int
    height: int


class Layout(msgspec.Struct, frozen=True):
    """Where everything stands."""

    boxes: dict[str, Box]
    """By component."""
    zones: tuple[tuple[str, Box], ...]
    width: int
    height: int


def layout(system: SystemMap, zones: Mapping[str, str]) -> Layout:
    """Places all components; ``zones``: the trust zone of each."""
    stacks = [[(zone, _layers(system, zones, zone, types)) for zone, types in stack] for stack in _ZONES]
    _order([layer for stack in stacks for _, layers in stack for layer in layers], system)
    tallest = max(12, math.ceil(1.5 * math.sqrt(len(system.components)))) * (HEIGHT + ROW_GAP)
    boxes: dict[str, Box] = {}
    frames: list[tuple[str, Box]] = []
    x, height = ZONE_GAP // 2, 0
    for stack in stacks:
        used = [(zone, [layer for layer in layers if layer]) for zone, layers in stack if any(layers)]
        y, wide = ZONE_GAP // 2, 0
        for zone, layers in used:
            right, bottom = _place(layers, x + PADDING, y + TITLE + PADDING, tallest // len(used), boxes)
            frames.append((zone, Box(x, y, right + PADDING - x, bottom + PADDING - y)))
            wide = max(wide, right + PADDING - x)
            y = bottom + PADDING + ZONE_GAP
            height = max(height, y)
        x += wide + ZONE_GAP * 2 if used else 0
    return Layout(boxes, tuple(frames), max(x - ZONE_GAP * 3 // 2, 1), max(height - ZONE_GAP // 2, 1))


def _layers(system: SystemMap, zones: Mapping[str, str], zone: str, types: tuple[tuple[str, ...], ...]) -> list[list[Component]]:
    known = {one for layer in types for one in layer}
    made: list[list[Component]] = [[] for _ in types]
    for one in system.components:
        if zones[one.id] == zone:
            at = next((number for number, layer in enumerate(types) if one.type in layer), None)
            made[len(types) - 1 if at is None or one.type not in known else at].append(one)
    for layer, order in zip(made, types, strict=True):
        layer.sort(key=lambda one: order.index(one.type) if one.type in order else len(order))
    return made


def _order(layers: list[list[Component]], system: SystemMap) -> None:
    """Moves what is joined to the same height; types stay together."""
    near: dict[str, list[str]] = {}
    for edge in system.edges:
        near.setdefault(edge.from_, []).append(edge.to)
        near.setdefault(edge.to, []).append(edge.from_)
    height: dict[str, float] = {}

    def measure(layer: list[Component]) -> None:
        for number, one in enumerate(layer):
            height[one.id] = (number + 0.5) / len(layer)

    for layer in layers:
        measure(layer)
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            types = list(dict.fromkeys(one.type for one in layer))
            wanted = {
                one.id: sum(height[other] for other in near[one.id]) / len(near[one.id]) if one.id in near else height[one.id]
                for one in layer
            }
            layer.sort(key=lambda one: (types.index(one.type), one.id not in near, wanted[one.id], height[one.id]))
            measure(layer)


def _place(layers: list[list[Component]], x: int, y: int, tallest: int, boxes: dict[str, Box]) -> tuple[int, int]:
    """The columns of one zone; gives its right and lower end."""
    right = bottom = 0
    for layer in layers:
        top = y
        for one in layer:
            tall = SMALL if one.type in SMALL_TYPES else HEIGHT
            if top > y and top + tall > y + tallest:
                x, top = x + WIDTH + WRAP_GAP, y
            boxes[one.id] = Box(x, top, WIDTH, tall)
            right, bottom = x + WIDTH, max(bottom, top + tall)
            top += tall + (ROW_GAP if tall == HEIGHT else ROW_GAP // 2)
        x += WIDTH + COLUMN_GAP
    return right, bottom
