"""The page of model-level evidence: each probe with what came of it, some of the answers, and what is missing."""

from __future__ import annotations

from typing import Final

from headwater.redteam.evidence import MISSING, Hit
from headwater.reports import redteam, words
from headwater.reports.html.context import Context, code, search, table
from headwater.reports.html.markup import Child, Markup, tag

MOST: Final = 500  # pairs of probe and detector, and things that are missing; the JSON report has all


def page(context: Context) -> list[Child]:
    """Results, answers, gaps."""
    evidence = context.view.red_team
    if evidence is None:
        return []
    parts: list[Child] = [
        tag("p", tag("strong", redteam.outcome(evidence))),
        tag("p", redteam.MEANING),
        tag("p", "From: ", words.cut(", ".join(evidence.files), 400), class_="quiet") if evidence.files else None,
        tag("h2", "Probes"),
    ]
    rows: list[list[Child]] = []
    for one in evidence.results[:MOST]:
        told: list[Child] = [
            redteam.tally(one),
            tag("br") if one.worth else None,
            tag("span", one.worth, class_="quiet") if one.worth else None,
        ]
        about: list[Child] = [one.kind or "not in the table", " ", tag("span", words.standards(one.mappings, ()), class_="quiet")]
        rows.append([[one.tool, " ", code(one.probe)], code(one.detector), told, about])
    if rows:
        caption = "Probes, with what detectors say of the answers"
        parts += [search(context, "probes", "Search the probes"), table(("Probe", "Detector", "Answers", "About"), rows, caption, "probes")]
    else:
        parts.append(tag("p", "None."))
    bad = [one for one in evidence.results[:MOST] if one.hits]
    if bad:
        parts.append(tag("h2", "Answers that detectors call bad"))
        parts += [_hits(context, f"{one.tool} {one.probe}, {one.detector}", one.hits) for one in bad]
    parts.append(tag("h2", "What is missing"))
    gaps: list[list[Child]] = []
    for kind, found in redteam.gaps(evidence):
        gaps += [[kind, [one.tool, " ", code(one.probe) if one.probe else None], one.reason] for one in found[:MOST]]
    if not gaps:
        return [*parts, tag("p", "Nothing.")]
    meaning = [tag("li", tag("strong", kind), f": {MISSING[kind]}") for kind, _ in redteam.gaps(evidence)]
    return [*parts, tag("p", "None of it is a pass."), tag("ul", meaning), table(("Kind", "Where", "Why"), gaps, "What is missing")]


def _hits(context: Context, title: str, hits: tuple[Hit, ...]) -> Markup:
    shown = [[tag("dt", "Asked"), tag("dd", code(one.prompt, 600)), tag("dt", "Answer"), tag("dd", code(one.output, 600))] for one in hits]
    return tag("details", tag("summary", words.cut(title, 200)), tag("dl", shown), open=context.printed)
