"""The system map as a picture: SVG without a script, alone (``headwater map --format svg``) or in a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from headwater.components import Component, SystemMap
from headwater.findings import Review
from headwater.reports import escape, words
from headwater.reports.html import style
from headwater.reports.html.markup import Markup, inner, tag, trusted
from headwater.reports.map_layout import SMALL_TYPES, Box, layout
from headwater.system import paths
from headwater.threats import model as threats
from headwater.threats.zones import zones as known_zones

NAME: Final = 22  # characters that fit into a box
DENSE: Final = 150  # lines; with more they are drawn lighter, so that what lies below can be read
KIND: Final = 30  # the same of the smaller line
GROUPS: Final = {
    "entry-point": "way-in", "server": "way-in", "document-source": "way-in", "mcp-server": "way-in", "mcp-client": "way-in",
    "agent": "agents", "prompt": "agents", "llm-call": "agents", "guard": "guards",
    "llm": "models", "embedding-model": "models", "model-file": "models", "tool": "tools",
}  # fmt: skip
"""Colour by type; all else is data."""


def render(review: Review) -> str:
    """A file of its own."""
    model = threats.model(review)
    look = style.read("theme.css", "map.css")
    made = picture(review.system, model.zones_by_id(), hops(model.vectors), look)
    if made is None:
        made = _svg(400, 60, tag("text", "No part of an AI system was found.", x=20, y=35), look=look)
    return escape.log(inner(made), bracket="&#91;", colon="&#58;") + "\n"


def hops(vectors: Iterable[paths.AttackPath]) -> frozenset[tuple[str, str]]:
    """The pairs of components that attack paths go along."""
    return frozenset((one.hops[number - 1].component, one.hops[number].component) for one in vectors for number in range(1, len(one.hops)))


def picture(
    system: SystemMap,
    zones: Mapping[str, str],
    hot: frozenset[tuple[str, str]] = frozenset(),
    look: str = "",
    anchors: Mapping[str, str] | None = None,
    worst: Mapping[str, str] | None = None,
) -> Markup | None:
    """The map, None where there is none.

    ``look``: a style sheet of its own, where it does not have the page's. With ``anchors`` each component is a link. ``worst``: the highest
    severity of the findings about a component.
    """
    if not system.components:
        return None
    placed = layout(system, zones)
    numbers = {one.id: number for number, one in enumerate(system.components, 1)}
    lines: dict[tuple[str, str], list[str]] = {}
    for edge in system.edges:
        lines.setdefault((edge.from_, edge.to), []).append(edge.kind)
    near: dict[str, set[int]] = {}
    for from_, to in lines:
        near.setdefault(from_, set()).add(numbers[to])
        near.setdefault(to, set()).add(numbers[from_])
    names = {one.id: one.name for one in system.components}
    parts = [_zone(name, box) for name, box in placed.zones]
    for (from_, to), kinds in lines.items():
        is_hot = (from_, to) in hot or (to, from_) in hot
        kind = ["line", "hot" if is_hot else "", "crossing" if zones[from_] != zones[to] else ""]
        parts.append(
            tag(
                "path",
                tag("title", f"{escape.line(names[from_])} {', '.join(sorted(set(kinds)))} {escape.line(names[to])}"),
                d=_curve(placed.boxes[from_], placed.boxes[to]),
                class_=" ".join(one for one in kind if one),
                marker_end="url(#arrow-hot)" if is_hot else "url(#arrow)",
                data_line=f"{numbers[from_]} {numbers[to]}",
            )
        )
    alike = Counter((one.type, one.name) for one in system.components)
    for one in system.components:
        file = one.file.rpartition("/")[2] if alike[one.type, one.name] > 1 else ""
        ids = " ".join(map(str, sorted(near.get(one.id, ()))))
        parts.append(_node(one, placed.boxes[one.id], numbers[one.id], ids, (anchors or {}).get(one.id), (worst or {}).get(one.id), file))
    return _svg(placed.width, placed.height, *parts, look=look, alone=anchors is None, dense=len(lines) > DENSE)


def _svg(width: int, height: int, *parts: Markup, look: str, alone: bool = True, dense: bool = False) -> Markup:
    return tag(
        "svg",
        tag("style", trusted(look)) if look else None,
        tag("defs", [_arrow("arrow"), _arrow("arrow-hot")]),
        tag("rect", width=width, height=height, class_="paper") if alone else None,
        parts,
        xmlns="http://www.w3.org/2000/svg",
        class_="map dense" if dense else "map",
        width=width,
        height=height,
        viewBox=f"0 0 {width} {height}",
        role="img" if alone else "group",
        aria_label="The system map",
        id=None if alone else "picture",
    )


def _arrow(name: str) -> Markup:
    return tag(
        "marker",
        tag("path", d="M0 0L8 4L0 8z", class_=name),
        id=name,
        viewBox="0 0 8 8",
        refX=8,
        refY=4,
        markerWidth=7,
        markerHeight=7,
        markerUnits="userSpaceOnUse",
        orient="auto-start-reverse",
    )


def _zone(name: str, box: Box) -> Markup:
    return tag(
        "g",
        tag("rect", x=box.x, y=box.y, width=box.width, height=box.height, rx=10),
        tag("text", known_zones()[name].name, x=box.x + 14, y=box.y + 22),
        class_="zone",
    )


def _node(one: Component, box: Box, number: int, near: str, anchor: str | None, worst: str | None, file: str) -> Markup:
    name = words.cut(escape.line(one.name), NAME)
    can = f"\ncan: {', '.join(one.capabilities)}" if one.capabilities else ""
    said = f", findings up to {worst}" if worst else ""
    small = one.type in SMALL_TYPES
    parts = [
        tag("title", f"{one.type} {escape.line(one.name)}{said}\n{escape.line(escape.path(one.file))}:{one.line}{can}"),
        tag("rect", x=box.x, y=box.y, width=box.width, height=box.height, rx=5, class_="box"),
        tag("rect", x=box.x, y=box.y, width=5, height=box.height, rx=2, class_="stripe"),
    ]
    if small:
        parts.append(tag("text", name, x=box.x + 13, y=box.y + 15, class_="name"))
    else:
        what = f"{one.type}: {', '.join(one.capabilities)}" if one.abilities else one.type
        what = f"{what}, {escape.line(escape.path(file))}" if file else what
        parts += [
            tag("text", words.cut(what, KIND), x=box.x + 13, y=box.y + 15, class_="type"),
            tag("text", name, x=box.x + 13, y=box.y + 31, class_="name"),
        ]
    if worst:
        parts.append(tag("circle", cx=box.x + box.width - 10, cy=box.y + 11, r=5, class_=f"dot {worst}"))
    attributes: dict[str, str | int] = {"class_": f"node {GROUPS.get(one.type, 'stores')}", "data_node": number, "data_near": near}
    if anchor is None:
        return tag("g", parts, **attributes)
    return tag("a", parts, href=f"#{anchor}", **attributes)


def _curve(from_: Box, to: Box) -> str:
    """From side to side; within a column along its right."""
    y1, y2 = from_.y + from_.height // 2, to.y + to.height // 2
    if to.x > from_.x:
        x1, x2 = from_.x + from_.width, to.x
    elif to.x < from_.x:
        x1, x2 = from_.x, to.x + to.width
    else:
        x1 = x2 = from_.x + from_.width
        bend = x1 + 22 + min(abs(y2 - y1) // 12, 30)
        return f"M{x1} {y1}C{bend} {y1} {bend} {y2} {x2} {y2}"
    bend = max(24, abs(x2 - x1) // 2) * (1 if x2 > x1 else -1)
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
