"""What the pages of the HTML report share: the review with its threat model, names of anchors, and small elements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from headwater.components import Component, Spot
from headwater.findings import Finding, Review
from headwater.reports import escape, words
from headwater.reports.html.markup import Child, Markup, tag
from headwater.reports.view import View
from headwater.system import paths
from headwater.threats import model as threats

MESSAGE: Final = 2_000  # characters of a message or a fix; real ones have under 600
WORDS: Final = 200  # of a name, a path, a line of code
_BYTES: Final = re.compile("[\udc80-\udcff]")  # of paths that are not UTF-8, as Python reads them
_BACKTICKS: Final = re.compile(r"`([^`]+)`")


class Context(msgspec.Struct, frozen=True):
    """One report that is being written."""

    view: View
    model: threats.ThreatModel
    """Of the findings that the report shows."""
    chains: tuple[paths.AttackPath, ...]
    components: Mapping[str, Component]
    anchors: Mapping[str, str]
    """By id of a component and by identity of a finding."""
    findings: Mapping[str, Finding]
    """By identity."""
    owners: Mapping[str, tuple[str, ...]]
    """Components that a finding is about, by its identity."""
    spots: Mapping[str, Spot]
    ids: Mapping[str, str]
    """Ids of components by their keys in the threat model."""
    printed: bool = False
    """Nothing is folded, and nothing is there to be used."""


def context(view: View, printed: bool = False) -> Context:
    """Works out what the pages need."""
    review: Review = msgspec.structs.replace(view.review, findings=view.findings)
    system = review.system
    spots = paths.lines(review)
    anchors = {one.id: f"c{number}" for number, one in enumerate(system.components, 1)}
    anchors |= {one.identity: f"f{number}" for number, one in enumerate(view.findings, 1)}
    model = threats.model(review)
    return Context(
        view=view,
        model=model,
        chains=paths.of(review),
        components={one.id: one for one in system.components},
        anchors=anchors,
        findings={one.identity: one for one in view.findings},
        owners={one.identity: tuple(paths.owners(one, system, spots)) for one in view.findings},
        spots=spots,
        ids={key: id_ for id_, key in model.keys.items()},
        printed=printed,
    )


def code(text: str, most: int = WORDS) -> Markup:
    """A name or a piece of code on one line."""
    return tag("code", words.cut(escape.line(_BYTES.sub(_byte, text)), most))


def _byte(found: re.Match[str]) -> str:
    return f"\\x{ord(found.group()) - 0xDC00:02x}"


def spot(one: Spot) -> Markup:
    """``a.py:3``."""
    return code(f"{one.file}:{one.line}")


def prose(text: str) -> list[Child]:
    """A message: what stands in backticks is code."""
    parts = _BACKTICKS.split(words.cut(text, MESSAGE))
    return [code(part, MESSAGE) if place % 2 else part for place, part in enumerate(parts)]


def severity(word: str) -> Markup:
    """A badge; the word is in it, so that nothing depends on the colour."""
    return tag("span", word, class_=f"badge {word}")


def finding_link(context: Context, identity: str) -> Child:
    """A link to a finding, by its place."""
    found = context.findings.get(identity)
    if found is None:
        return None
    where = words.cut(words.place(context.view.span(found.place)), WORDS)
    return tag("a", f"{found.title}, {where}", href=f"#{context.anchors[identity]}")


def component_link(context: Context, key: str) -> Child:
    """A link to a component in the table of the map."""
    one = context.components[key]
    return tag("a", words.cut(escape.line(one.name), 80), href=f"#{context.anchors[key]}")


def element_link(context: Context, key: str, name: str = "") -> Child:
    """A link to the component of a key of the threat model; what is no component by its name."""
    id_ = context.ids.get(key)
    if id_ is not None:
        return component_link(context, id_)
    actor = next((one.name for one in context.model.actors if one.id == key), "")
    return words.cut(escape.line(name or actor or key), 80)


def table(head: tuple[str, ...], rows: list[list[Child]], caption: str, name: str = "", **attributes: str) -> Markup:
    """A table that scrolls by itself where it is wider than the page. Its rows can be searched where ``name`` is given."""
    return tag(
        "div",
        tag(
            "table",
            tag("caption", caption),
            tag("thead", tag("tr", [tag("th", one, scope="col") for one in head])),
            tag("tbody", [tag("tr", [tag("td", cell) for cell in row]) for row in rows]),
            id=name or None,
            **attributes,
        ),
        class_="scroll",
        tabindex=0,
        role="region",
        aria_label=caption,
    )


def search(context: Context, target: str, label: str) -> Child:
    """A field that hides the rows of a table, or the findings of a list, which do not have the words."""
    if context.printed:
        return None
    return tag(
        "div",
        tag("label", label, for_=f"{target}-search"),
        tag("input", type="search", id=f"{target}-search", data_search=target, autocomplete="off", spellcheck="false"),
        tag("span", class_="quiet", role="status", id=f"{target}-count"),
        class_="tools needs-script",
    )
