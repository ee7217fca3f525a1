"""The threat model as Markdown, for people: what is at stake, what was shown, what is answered, and what only the team can say.

What many parts share stands once, with its places. All text of the repository passes ``markdown.plain`` or ``markdown.code``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from headwater.components import Spot
from headwater.findings import Finding, Review
from headwater.reports import escape, words
from headwater.reports.markdown import code, plain
from headwater.system.paths import AttackPath
from headwater.threats.catalogue import ELEMENTS, FLOW, LETTERS, Threat, elements, letters
from headwater.threats.model import Case, Flow, ThreatModel, loose, mappings
from headwater.threats.zones import zones

PLACES: Final = 6
"""Of one row; the JSON has all."""
NAMES: Final = 4
GAPS: Final = 20
_STATES: Final = {"finding": "shown", "mitigated": "answered", "question": "open"}
_FRAMEWORKS: Final = {"owasp-llm": "OWASP LLM", "owasp-agentic": "OWASP agentic", "owasp-mcp": "OWASP MCP", "atlas": "ATLAS", "cwe": "CWE"}
_ASK: Final = (
    "agent", "llm-call", "prompt", "tool", "mcp-server", "mcp-client", "guard", "entry-point", "server", "retriever", "vector-store",
    "memory", "document-source", "llm", "embedding-model", "model-file", "dataset", "secret", FLOW,
)  # fmt: skip


def render(made: ThreatModel, review: Review) -> str:
    """The whole document."""
    lines = [
        "# Threat model",
        "",
        *_scope(made, review),
        *_vectors(made),
        *_assets(made),
        *_boundaries(made),
        *_flows(made),
        *_matrix(made),
        *_threats(made),
        *_loose(made, review),
        *_questions(made),
        *_coverage(made, review),
    ]
    return escape.log("\n".join(lines).rstrip() + "\n", bracket="&#91;", colon="&#58;")


def _scope(made: ThreatModel, review: Review) -> Iterator[str]:
    counts = {state: sum(case.state == state for case in made.cases) for state in _STATES}
    yield "Made by Headwater from the source alone: what stands here can be found at the file and line beside it, and is made anew from"
    yield "each version. It says what the code shows, what answers a threat, and what only people can know."
    yield ""
    yield "## Scope"
    yield ""
    yield f"- What: {code(review.scope) if review.scope else 'the whole repository'}"
    types = sorted({one.type for one in made.system.components})
    parts = [words.count(sum(one.type == type_ for one in made.system.components), type_) for type_ in types]
    yield f"- Parts of the system: {', '.join(parts) if parts else 'none were found'}"
    shown, answered, left = (counts[state] for state in _STATES)
    yield f"- Threats: {shown} shown by findings, {answered} answered in the code, {left} open for the team"
    yield f"- Coverage: {plain(words.coverage(review.coverage), 1_000)}"
    yield "- Not in scope: the machines, networks and people around the code, and what configuration outside of the repository sets"
    yield ""


def _vectors(made: ThreatModel) -> Iterator[str]:
    yield "## What an attacker would do first"
    yield ""
    if not made.vectors:
        yield "No chain from somebody outside to an effect was found in the map."
        yield ""
        return
    by_id = {one.id: one for one in made.system.components}
    for number, one in enumerate(made.vectors, 1):
        figures = f"Likelihood {one.likelihood} of 5, impact {one.impact} of 5."
        yield f"{number}. {plain(one.attacker).capitalize()} could {_effect(one)}. {figures}"
        for hop in one.hops:
            part = by_id[hop.component]
            how = f": {plain(hop.how)}" if hop.how else ""
            yield f"   - {part.type} {code(part.name)} {_place(hop.spot)}{how}"
        yield f"   - the effect: {code(one.effect.name)} {_place(one.effect.spot)}"
        yield f"   - what breaks it for the least work: {plain(one.breaks, 500)}"
    yield ""


def _effect(one: AttackPath) -> str:
    return f"have this happen: {plain(one.effect.words)}" if one.effect.finding else plain(one.effect.words)


def _assets(made: ThreatModel) -> Iterator[str]:
    yield "## Assets"
    yield ""
    if not made.assets:
        yield "None were found."
    else:
        yield "| Asset | Why it matters | Parts |"
        yield "|---|---|---|"
        names = _names(made)
        for one in made.assets:
            yield f"| {one.name} | {one.why} | {_some((names[key] for key in one.components), len(one.components))} |"
    yield ""


def _boundaries(made: ThreatModel) -> Iterator[str]:
    yield "## Trust boundaries"
    yield ""
    yield "| Zone | What it is | Parts |"
    yield "|---|---|---|"
    names = _names(made)
    for one in zones().values():
        inside = [names[key] for key, zone in made.zones.items() if zone == one.id]
        inside += [actor.name for actor in made.actors if one.id == "outside" and actor.id != "actor:operators"]
        if inside:
            yield f"| {one.name} | {one.description} | {_some(inside, len(inside))} |"
    yield ""


def _flows(made: ThreatModel) -> Iterator[str]:
    yield "## Data flows"
    yield ""
    if not made.flows:
        yield "None were found."
        yield ""
        return
    yield "Those that cross a trust boundary come first."
    yield ""
    yield "| Boundary | From | To | What | Where |"
    yield "|---|---|---|---|---|"
    names = _names(made)
    rows: dict[tuple[str, str, str, str, bool], list[Flow]] = {}
    for flow in made.flows:  # one row for all that ask the same model, or come from the same users
        shared = flow.target if flow.crosses and not flow.source.startswith("actor:") else ""
        rows.setdefault((flow.crosses, _kind(flow.source), shared or _kind(flow.target), flow.carries, flow.both), []).append(flow)
    for (crosses, _, _, carries, both), found in rows.items():
        sources = list(dict.fromkeys(names[one.source] for one in found))
        targets = list(dict.fromkeys(names[one.target] for one in found))
        over = " → ".join(zones()[zone].name for zone in crosses.split(" -> ")) if crosses else "none"
        where = _places(dict.fromkeys(one.spot for one in found))
        arrow = "⇄ " if both else ""
        yield f"| {over} | {_some(sources, len(sources))} | {arrow}{_some(targets, len(targets))} | {carries} | {where} |"
    yield ""


def _kind(key: str) -> str:
    return key if key.startswith("actor:") else key.partition(":")[0]


def _matrix(made: ThreatModel) -> Iterator[str]:
    yield "## STRIDE for each kind of part"
    yield ""
    for letter in LETTERS:
        name, property_, reading = letters()[letter]
        yield f"- **{letter}** {name} (against {property_}): {reading}"
    yield ""
    yield "Threats that are shown, answered and open, as *shown/answered/open*; a dash where the letter does not belong to the kind."
    yield ""
    yield f"| Kind | {' | '.join(LETTERS)} |"
    yield f"|---|{'---|' * len(LETTERS)}"
    for type_ in _ASK:
        found = [case for case in made.cases if case.type == type_]
        if not found:
            continue
        cells = []
        for letter in LETTERS:
            here = [case.state for case in found if case.threat.letter == letter]
            if letter not in elements()[ELEMENTS[type_]]:
                cells.append("–")
            else:
                cells.append("/".join(str(here.count(state)) for state in _STATES) if here else "0")
        yield f"| {type_} | {' | '.join(cells)} |"
    yield ""


def _threats(made: ThreatModel) -> Iterator[str]:
    yield "## Threats"
    yield ""
    for letter in LETTERS:
        found = [case for case in made.cases if case.threat.letter == letter]
        if not found:
            continue
        yield f"### {letters()[letter][0]}"
        yield ""
        yield "| Threat | State | What an attacker gains, and what helps | Where | Standards |"
        yield "|---|---|---|---|---|"
        told: set[str] = set()
        for state, cases in _grouped(found):
            threat = cases[0].threat
            helps = "as above" if threat.id in told else f"{plain(threat.gains, 500)} *Helps:* {plain(threat.mitigation, 500)}"
            told.add(threat.id)
            yield f"| {plain(threat.title)} | {_state(state, cases)} | {helps} | {_where(cases)} | {_standards(threat)} |"
        yield ""


def _grouped(cases: Iterable[Case]) -> list[tuple[str, list[Case]]]:
    """By threat and state, with the state: those that are shown first, the worst before others."""
    found: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        found.setdefault((case.threat.id, case.state), []).append(case)
    states, worst = list(_STATES), ["critical", "high", "medium", "low"]

    def rank(row: tuple[tuple[str, str], list[Case]]) -> tuple[int, int, str]:
        (id_, state), cases = row
        return states.index(state), min(worst.index(case.severity) for case in cases), id_

    return [(state, cases) for (_, state), cases in sorted(found.items(), key=rank)]


def _state(state: str, cases: list[Case]) -> str:
    severity = max((case.severity for case in cases), key=["low", "medium", "high", "critical"].index)
    if state == "finding":
        rules = dict.fromkeys(rule for case in cases for rule, _ in case.findings)
        return f"**shown** ({severity}) by {', '.join(code(rule) for rule in rules)}"
    if state == "mitigated":
        return f"answered by {_some((code(case.answer) for case in cases), len(cases))}"
    return f"open ({severity} at worst)"


def _where(cases: list[Case]) -> str:
    """The parts with their places: of what is shown also where the finding is."""
    most = PLACES if len(cases) > 1 else 1
    shown = []
    for case in cases[:most]:
        places = case.evidence if case.state == "finding" else case.evidence[:2]
        shown.append(f"{plain(case.name) if case.type == FLOW else code(case.name)} {_places(places)}")
    if len(cases) > most:
        shown.append(f"and {len(cases) - most} more")
    return "<br>".join(shown)


def _standards(threat: Threat) -> str:
    found: dict[str, list[str]] = {}
    for one in mappings(threat):
        found.setdefault(one.framework, []).append(one.id)
    return "; ".join(f"{_FRAMEWORKS[framework]} {', '.join(ids)}" for framework, ids in found.items())


def _loose(made: ThreatModel, review: Review) -> Iterator[str]:
    found: dict[str, list[Finding]] = {}
    for one in loose(made, review):
        found.setdefault(one.rule, []).append(one)
    if not found:
        return
    yield "### Findings beside the parts"
    yield ""
    yield "Shown by the review, and of no part of the map above."
    yield ""
    yield "| Finding | Severity | Where |"
    yield "|---|---|---|"
    for rule, findings in sorted(found.items(), key=lambda item: (-max(one.severity for one in item[1]), item[0])):
        spots = dict.fromkeys(_spot(review, one) for one in findings)
        yield f"| {plain(findings[0].title)} {code(rule)} | {max(one.severity for one in findings).word} | {_places(spots)} |"
    yield ""


def _spot(review: Review, one: Finding) -> Spot:
    source = review.sources[one.place.path]
    return Spot(one.place.path, source.file_line(source.position(one.place.start)[0]))


def _questions(made: ThreatModel) -> Iterator[str]:
    yield "## Questions that code cannot answer"
    yield ""
    rows: dict[tuple[str, str], list[Case]] = {}
    order = sorted(made.cases, key=lambda case: _ASK.index(case.type))
    for case in order:
        if case.state == "question":
            rows.setdefault((case.type, case.threat.id), []).append(case)
    if not rows:
        yield "None are left."
        yield ""
        return
    heading = ""
    for (type_, _), cases in rows.items():
        if type_ != heading:
            if heading:
                yield ""
            heading = type_
            yield f"### {'What crosses a boundary' if type_ == FLOW else type_}"
            yield ""
        about = _some((plain(case.name) if type_ == FLOW else code(case.name) for case in cases), len(cases))
        yield f"- [ ] {plain(cases[0].threat.question, 500)} ({about})"
    yield ""


def _coverage(made: ThreatModel, review: Review) -> Iterator[str]:
    yield "## What was not looked at"
    yield ""
    by_id = {one.id: one for one in made.system.components}
    for gap in made.system.unresolved[:GAPS]:
        yield f"- what {code(by_id[gap.component].name)} is given as {code(gap.what)} is not known {_place(Spot(gap.file, gap.line))}"
    if len(made.system.unresolved) > GAPS:
        yield f"- and {len(made.system.unresolved) - GAPS} more of that kind"
    for kind, partial, gaps in words.gaps(review.coverage):
        yield f"- {len(gaps):,} {plain(kind)}{'' if partial else ', without effect'}: {code(words.gap(gaps[0]))}"
    if not made.system.unresolved and not review.coverage.gaps:
        yield "Nothing was left out."
    yield ""


def _names(made: ThreatModel) -> dict[str, str]:
    """How parts and actors are called, by key."""
    found = {made.keys[one.id]: f"{one.type} {code(one.name)}" for one in made.system.components}
    return found | {one.id: one.name for one in made.actors}


def _some(names: Iterable[str], number: int) -> str:
    """The first ones, each said once."""
    found = list(dict.fromkeys(names))
    times = f" ({number} places)" if len(found) == 1 and number > 1 else ""
    more = f" and {len(found) - NAMES} more" if len(found) > NAMES else ""
    return ", ".join(found[:NAMES]) + more + times


def _place(spot: Spot) -> str:
    return code(f"{spot.file}:{spot.line}")


def _places(spots: Iterable[Spot]) -> str:
    found = list(spots)
    more = f" and {len(found) - PLACES} more" if len(found) > PLACES else ""
    return ", ".join(_place(one) for one in found[:PLACES]) + more
