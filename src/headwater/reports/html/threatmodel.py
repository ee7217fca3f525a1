"""The page of the threat model: trust zones, what crosses their boundaries, and the threats by state."""

from __future__ import annotations

from collections import Counter
from typing import Final

from headwater.reports import words
from headwater.reports.html import consequences
from headwater.reports.html.context import Context, code, element_link, finding_link, search, spot, table
from headwater.reports.html.markup import Child, tag
from headwater.threats.model import Case
from headwater.threats.zones import zones as known_zones

LETTERS: Final = {
    "S": "Spoofing",
    "T": "Tampering",
    "R": "Repudiation",
    "I": "Information disclosure",
    "D": "Denial of service",
    "E": "Elevation of privilege",
}
STATES: Final = {"finding": "shown by a finding", "mitigated": "answered in the code", "question": "a question for people"}
SPOTS: Final = 4  # of one case


def page(context: Context) -> list[Child]:
    """Zones, flows, cases."""
    model = context.model
    if not model.system.components:
        return [tag("p", "There is no map, so there is no threat model.")]
    known = known_zones()
    zones: dict[str, Counter[str]] = {}
    for one in model.system.components:
        zones.setdefault(model.zones[model.keys[one.id]], Counter())[one.type] += 1
    zone_rows: list[list[Child]] = [
        [known[name].name, consequences.listed([consequences.number(number, type_) for type_, number in sorted(counts.items())])]
        for name, counts in sorted(zones.items())
    ]
    flow_rows: list[list[Child]] = [
        [
            flow.crosses.replace("->", "→"),
            element_link(context, flow.source),
            flow.carries,
            element_link(context, flow.target),
            spot(flow.spot),
        ]
        for flow in sorted((flow for flow in model.flows if flow.crosses), key=lambda flow: (flow.crosses, flow.key))
    ]
    states = Counter(case.state for case in model.cases)
    counted = ", ".join(f"{states[state]} {said}" for state, said in STATES.items() if states[state])
    parts: list[Child] = [
        tag(
            "p",
            f"{words.count(len(model.cases), 'threat')} to {words.count(len(model.system.components), 'component')}: "
            f"{counted or 'none'}. By STRIDE, read for AI systems.",
        ),
        tag("h2", "Trust zones"),
        table(("Zone", "What is in it"), zone_rows, "Trust zones"),
        tag("h2", "Flows across boundaries"),
    ]
    if flow_rows:
        parts += [
            search(context, "flows", "Search the flows"),
            table(("Boundary", "From", "How", "To", "Where"), flow_rows, "Flows that cross a trust boundary", "flows"),
        ]
    else:
        parts.append(tag("p", "No flow of the map crosses a boundary."))
    parts += [tag("h2", "Threats"), search(context, "cases", "Search the threats")]
    order = list(STATES)
    cases = sorted(model.cases, key=lambda case: order.index(case.state))
    parts.append(
        table(("State", "Threat", "To", "What answers it"), [_row(context, case) for case in cases], "Threats, shown ones first", "cases")
    )
    return parts


def _row(context: Context, case: Case) -> list[Child]:
    threat = case.threat
    found = [finding_link(context, identity) for _, identity in case.findings]
    if found:
        answer: list[Child] = [tag("p", threat.mitigation), tag("ul", [tag("li", link) for link in found])]
    elif case.answer:
        answer = [tag("p", tag("strong", "Answered by "), code(case.answer)), tag("p", threat.mitigation)]
    else:
        answer = [tag("p", threat.mitigation), tag("p", tag("strong", "Ask: "), threat.question)]
    standards = words.standards(case.mappings, ())
    return [
        tag("span", STATES[case.state], class_=f"state {case.state}"),
        [
            tag("strong", threat.title),
            tag("p", threat.gains),
            tag("p", f"{LETTERS.get(threat.letter, threat.letter)}. {standards}", class_="quiet small"),
        ],
        [
            element_link(context, case.element, case.name),
            tag("br"),
            case.type,
            [[tag("br"), spot(one)] for one in case.evidence[:SPOTS]],
        ],
        answer,
    ]
