"""The page of the map: a picture and a table of the components."""

from __future__ import annotations

from headwater.findings import Severity
from headwater.reports import words
from headwater.reports.html import consequences, style
from headwater.reports.html.context import WORDS, Context, code, component_link, finding_link, search, severity, spot
from headwater.reports.html.markup import Child, Markup, tag
from headwater.reports.map_svg import hops, picture

DETAILS = 4  # of one component
EDGES = 12  # of one component; the JSON of the map has all


def page(context: Context) -> list[Child]:
    """Picture, table, what is unresolved."""
    system = context.model.system
    if not system.components:
        return [tag("p", "No part of an AI system was found in what was looked at.")]
    parts: list[Child] = [search(context, "components", "Search the picture and the table")]
    worst = _worst(context)
    made = picture(
        system,
        context.model.zones_by_id(),
        hops(context.model.vectors),
        style.fixed("map.css") if context.printed else "",
        context.anchors,
        {key: one.word for key, one in worst.items()},
    )
    zoom: Child = None
    if not context.printed:
        buttons = (("out", "smaller"), ("in", "larger"), ("fit", "fit to width"))
        zoom = tag("div", [tag("button", said, type="button", data_zoom=what) for what, said in buttons], class_="tools needs-script")
    parts += [
        zoom,
        tag("div", made, class_="scroll picture", tabindex=0, role="region", aria_label="Picture of the system map"),
        _legend(),
        tag("h2", "Components"),
        _table(context, worst),
    ]
    if system.unresolved:
        parts += [
            tag("h2", "Not resolved"),
            tag("p", "What these are given could not be told from the source; somebody who knows the code should look."),
            tag(
                "ul",
                [
                    tag("li", one.what, " of ", component_link(context, one.component), " ", code(f"{one.file}:{one.line}"))
                    for one in system.unresolved
                ],
            ),
        ]
    return parts


def _worst(context: Context) -> dict[str, Severity]:
    worst: dict[str, Severity] = {}
    for identity, owners in context.owners.items():
        for owner in owners:
            worst[owner] = max(worst.get(owner, Severity.LOW), context.findings[identity].severity)
    return worst


def _legend() -> Markup:
    return tag(
        "p",
        "A red line belongs to one of the ways that an attacker would take. A dashed line crosses from one trust zone to another. "
        "A dot on a component: findings about it, in the colour of the worst. "
        "Point at a component, or move to it with the keyboard, "
        "to see what it is joined with; follow it to its row in the table.",
        class_="quiet",
    )


def _table(context: Context, worst: dict[str, Severity]) -> Markup:
    system = context.model.system
    out: dict[str, list[Child]] = {}
    for edge in system.edges:
        out.setdefault(edge.from_, []).append([edge.kind, " ", component_link(context, edge.to)])
        out.setdefault(edge.to, []).append([component_link(context, edge.from_), f" {edge.kind} this"])
    about: dict[str, list[str]] = {}
    for identity, owners in context.owners.items():
        for owner in owners:
            about.setdefault(owner, []).append(identity)
    rows = []
    for one in system.components:
        details = [f"{key}: {words.cut(value, WORDS)}" for key, value in sorted(one.detail.items())][:DETAILS]
        can: list[Child] = [tag("li", consequences.CAN[ability.name], " ", spot(ability.spot)) for ability in one.abilities]
        joined = out.get(one.id, [])
        links: list[Child] = [tag("li", item) for item in joined[:EDGES]]
        if len(joined) > EDGES:
            links.append(tag("li", f"and {len(joined) - EDGES:,} more"))
        found: list[Child] = [tag("li", severity(worst[one.id].word), " ", finding_link(context, key)) for key in about.get(one.id, ())]
        rows.append(
            tag(
                "tr",
                tag("th", code(one.name, 80), scope="row"),
                tag("td", one.type, tag("br"), tag("span", context.model.zones[context.model.keys[one.id]], class_="quiet")),
                tag("td", code(f"{one.file}:{one.line}"), [tag("div", detail, class_="quiet small") for detail in details]),
                tag("td", tag("ul", can) if can else None, tag("ul", found) if found else None),
                tag("td", tag("ul", links) if links else None),
                id=context.anchors[one.id],
            )
        )
    head = ("Name", "Type and zone", "Where", "What it can do, findings", "Joined with")
    return tag(
        "div",
        tag(
            "table",
            tag("caption", "Components of the system"),
            tag("thead", tag("tr", [tag("th", one, scope="col") for one in head])),
            tag("tbody", rows),
            id="components",
        ),
        class_="scroll",
        tabindex=0,
        role="region",
        aria_label="Components of the system",
    )
