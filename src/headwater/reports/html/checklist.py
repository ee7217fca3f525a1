"""The page for the person who reviews: what to ask and where to look, from the threat model, the map and the gaps."""

from __future__ import annotations

import hashlib
from typing import Final

from headwater.reports import words
from headwater.reports.html.context import Context, code, component_link, element_link, finding_link, spot
from headwater.reports.html.markup import Child, Markup, tag
from headwater.reports.html.threatmodel import LETTERS
from headwater.threats.model import Case

GAPS: Final = 60  # places of one kind


def page(context: Context) -> list[Child]:
    """Each question once, with the places that it is about."""
    questions: dict[str, list[Case]] = {}
    for case in context.model.cases:
        if case.state == "question":
            questions.setdefault(case.threat.id, []).append(case)
    parts: list[Child] = [
        tag("p", "What source alone cannot answer. A tick is kept by your browser, for this report only.", class_="quiet"),
    ]
    for letter, name in LETTERS.items():
        some = [cases for cases in questions.values() if cases[0].threat.letter == letter]
        if some:
            parts.append(tag("h2", name))
            parts += [_question(context, cases) for cases in some]
    unsure = [one for one in context.view.findings if one.weaknesses and words.unsure(one)]
    if unsure:
        items = [_item(context, one.identity, [finding_link(context, one.identity), f": {words.unsure(one)}"]) for one in unsure]
        parts += [tag("h2", "Findings that the analysis is not sure of"), tag("ul", items, class_="checks")]
    system = context.model.system
    if system.unresolved:
        items = [
            _item(
                context,
                f"{one.component}{one.what}{one.file}{one.line}",
                ["What is given to ", component_link(context, one.component), f" as {one.what}? ", code(f"{one.file}:{one.line}")],
            )
            for one in system.unresolved
        ]
        parts += [tag("h2", "Parts of the map that could not be resolved"), tag("ul", items, class_="checks")]
    gaps = [gap for gap in sorted(context.view.coverage.gaps) if gap.partial and gap.path]
    if gaps:
        items = [
            _item(context, f"{gap.kind}{gap.path}{gap.line}", [code(f"{gap.path}:{gap.line}" if gap.line else gap.path), f" {gap.reason}"])
            for gap in gaps[:GAPS]
        ]
        more = tag("p", f"and {len(gaps) - GAPS:,} more on the coverage page") if len(gaps) > GAPS else None
        parts += [tag("h2", "Code that was not looked at: read it by eye"), tag("ul", items, class_="checks"), more]
    if len(parts) == 1:
        parts.append(tag("p", "Nothing: no part of an AI system was found, and nothing was left out."))
    return parts


def _question(context: Context, cases: list[Case]) -> Markup:
    threat = cases[0].threat
    items = [
        _item(
            context,
            case.key,
            [case.type, " ", element_link(context, case.element, case.name), [[" ", spot(one)] for one in case.evidence[:4]]],
        )
        for case in cases
    ]
    return tag(
        "section",
        tag("h3", threat.question),
        tag("p", threat.title, ". ", threat.gains),
        tag("p", "What would answer it: ", threat.mitigation, class_="quiet"),
        tag("ul", items, class_="checks"),
    )


def _item(context: Context, key: str, said: Child) -> Markup:
    name = f"k{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
    if context.printed:
        return tag("li", "☐ ", said)
    return tag(
        "li", tag("input", type="checkbox", id=name, data_check=name, aria_labelledby=f"{name}-l"), tag("span", said, id=f"{name}-l")
    )
