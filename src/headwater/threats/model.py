"""Derives the threat model of a review: for each part of the map the threats of the catalogue that its place there makes possible.

STRIDE for LLM systems as ``headwater/knowledge/stride.yaml`` reads it. A threat is a *finding* where the review has shown it, *mitigated*
where the map shows what answers it, and otherwise a *question* that code cannot answer.
"""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.components import Component, Edge, Spot, SystemMap
from headwater.findings import Finding, Mapping_, Review
from headwater.knowledge.load import entry
from headwater.system import paths
from headwater.system.keys import keys
from headwater.threats.catalogue import FLOW, Threat, catalogue
from headwater.threats.zones import OUTSIDE, zone, zones

_CARRIES: Final = {
    "offers-tool": "arguments that the model writes, and results",
    "retrieves-from": "what was searched for, and what was found",
    "fills-slot": "text that becomes part of a prompt",
    "delegates-to": "a task, and its answer",
    "stores-in": "what is kept",
    "guards": "what is checked, and the verdict",
    "calls": "a request, and its answer",
}
_BACK: Final = frozenset({"retrieves-from"})
"""Edges against which the data goes that matters."""
_BOTH: Final = frozenset({"offers-tool", "retrieves-from", "delegates-to", "calls", "guards"})
_ACTING: Final = frozenset({"executes-shell", "executes-code", "writes-files", "database-write", "sends-messages", "spends-money"})
_LOCAL_ENTRIES: Final = frozenset({"script", "command"})


class Actor(msgspec.Struct, frozen=True):
    """Somebody outside who starts something."""

    id: str
    name: str
    reaches: tuple[str, ...]
    """Ids of components."""


class Flow(msgspec.Struct, frozen=True):
    """Data that goes from one part to another."""

    key: str
    source: str
    """Key of a component, or id of an actor."""
    target: str
    carries: str
    both: bool
    """Something comes back the same way."""
    spot: Spot
    crosses: str
    """``zone -> zone`` where it crosses a trust boundary, else empty."""


class Case(msgspec.Struct, frozen=True):
    """A threat to one component, or to the data that crosses one boundary."""

    key: str
    """The threat and the element: the same in every run, whatever the lines are."""
    threat: Threat
    element: str
    """Key of a component; of a flow its boundary."""
    type: str
    name: str
    state: str
    """``finding``, ``mitigated`` or ``question``."""
    severity: str
    evidence: tuple[Spot, ...]
    findings: tuple[tuple[str, str], ...] = ()
    """Rule and identity."""
    answer: str = ""
    """What mitigates it, in words."""
    mappings: tuple[Mapping_, ...] = ()


class Asset(msgspec.Struct, frozen=True):
    """What is worth something to an attacker."""

    id: str
    name: str
    why: str
    harm: tuple[int, int, int]
    """What a loss of confidentiality, integrity and availability is, 0 to 100: where a team has not said otherwise."""
    components: tuple[str, ...]
    """Keys."""


class ThreatModel(msgspec.Struct, frozen=True):
    """All of it."""

    system: SystemMap
    keys: dict[str, str]
    """Stable keys by the ids of components."""
    zones: dict[str, str]
    """Trust zone by key."""
    actors: tuple[Actor, ...]
    assets: tuple[Asset, ...]
    flows: tuple[Flow, ...]
    """Those that cross a boundary first."""
    cases: tuple[Case, ...]
    """By component, then by letter; those of flows last."""
    vectors: tuple[paths.AttackPath, ...]

    def zones_by_id(self) -> dict[str, str]:
        """Trust zone by the id of a component."""
        return {id_: self.zones[key] for id_, key in self.keys.items()}


def model(review: Review) -> ThreatModel:
    """The threat model of a review."""
    system = review.system
    known = keys(system)
    placed = {known[one.id]: zone(one) for one in system.components}
    actors = _actors(system)
    flows = _flows(system, known, placed, actors)
    look = _Look(system, known, placed)
    shown = _shown(review)
    cases = [
        _case(threat, one, look, shown.get(one.id, ()))
        for one in system.components
        for threat in catalogue()
        if one.type in threat.types and look.applies(threat, one)
    ]
    cases += _flow_cases(flows, placed, review, system, known)
    vectors = paths.vectors(paths.of(review))
    return ThreatModel(system, known, placed, actors, _assets(system, known), flows, tuple(cases), vectors)


def _actors(system: SystemMap) -> tuple[Actor, ...]:
    remote = tuple(one.id for one in system.components if one.type == "entry-point" and one.detail.get("kind") not in _LOCAL_ENTRIES)
    local = tuple(one.id for one in system.components if one.type == "entry-point" and one.detail.get("kind") in _LOCAL_ENTRIES)
    clients = tuple(one.id for one in system.components if one.type == "mcp-server")
    found = (
        Actor("actor:callers", "Users and callers", remote),
        Actor("actor:mcp-clients", "Models of MCP clients", clients),
        Actor("actor:operators", "Whoever starts it", local),
    )
    return tuple(one for one in found if one.reaches)


def _flows(system: SystemMap, known: dict[str, str], placed: dict[str, str], actors: tuple[Actor, ...]) -> tuple[Flow, ...]:
    by_id = {one.id: one for one in system.components}
    found: dict[str, Flow] = {}
    for actor in actors:
        for id_ in actor.reaches:
            one = by_id[id_]
            crosses = f"{OUTSIDE} -> {placed[known[id_]]}" if actor.id != "actor:operators" else ""
            key = f"{actor.id} -> {known[id_]}"
            found[key] = Flow(key, actor.id, known[id_], "a request, and its answer", True, Spot(one.file, one.line), crosses)
    for edge in system.edges:
        from_, to = (known[edge.to], known[edge.from_]) if edge.kind in _BACK else (known[edge.from_], known[edge.to])
        crosses = f"{placed[from_]} -> {placed[to]}" if placed[from_] != placed[to] else ""
        key = f"{known[edge.from_]} {edge.kind} {known[edge.to]}"
        found.setdefault(key, Flow(key, from_, to, _CARRIES[edge.kind], edge.kind in _BOTH, Spot(edge.file, edge.line), crosses))
    return tuple(sorted(found.values(), key=lambda one: (not one.crosses, one.crosses, one.key)))


class _Look:
    """What conditions ask of a map, looked up once."""

    def __init__(self, system: SystemMap, known: dict[str, str], placed: dict[str, str]) -> None:
        self.known = known
        self.placed = placed
        self.by_id = {one.id: one for one in system.components}
        self.out: dict[str, list[Edge]] = {}
        self.in_: dict[str, list[Edge]] = {}
        for edge in system.edges:
            self.out.setdefault(edge.from_, []).append(edge)
            self.in_.setdefault(edge.to, []).append(edge)
        self.remote = self._remote()

    def _remote(self) -> frozenset[str]:
        """Components that a request from outside leads to."""
        found = {
            one.id
            for one in self.by_id.values()
            if one.type in ("entry-point", "mcp-server") and one.detail.get("kind") not in _LOCAL_ENTRIES
        }
        todo = list(found)
        while todo:
            for edge in self.out.get(todo.pop(), ()):
                if edge.to not in found:
                    found.add(edge.to)
                    todo.append(edge.to)
        return frozenset(found)

    def tools(self, one: Component) -> list[Component]:
        """The tools that a component offers to a model."""
        return [self.by_id[edge.to] for edge in self.out.get(one.id, ()) if edge.kind == "offers-tool"]

    def applies(self, threat: Threat, one: Component) -> bool:
        """Whether one of the conditions of a threat holds."""
        return not threat.when or any(all(self._holds(term, one) for term in condition.split(" and ")) for condition in threat.when)

    def _holds(self, term: str, one: Component) -> bool:
        word, _, rest = term.strip().partition(" ")
        if word == "can":
            return rest in one.capabilities
        if word == "offers":
            return any(rest in tool.capabilities for tool in self.tools(one))
        if word == "remote":
            return one.id in self.remote
        if word == "in":
            return self.placed[self.known[one.id]] == rest
        if word == "uses":
            return any(edge.kind == rest for edge in self.out.get(one.id, ()))
        if word == "used-by":
            return any(edge.kind == rest for edge in self.in_.get(one.id, ()))
        if word == "with":
            near = [edge.to for edge in self.out.get(one.id, ())] + [edge.from_ for edge in self.in_.get(one.id, ())]
            return any(self.by_id[id_].type == rest for id_ in near)
        raise ValueError(f"unknown term {term!r} in the catalogue of threats")

    def answers(self, threat: Threat, one: Component) -> list[Edge]:
        """Edges that answer a threat: those to the component, or one for each of its tools that can do what matters."""
        found = [edge for edge in self.in_.get(one.id, ()) if edge.kind == threat.mitigated]
        if found:
            return found
        given = self.tools(one)
        acting = [tool for tool in given if tool.type == "mcp-client" or not _ACTING.isdisjoint(tool.capabilities)]
        each = [[edge for edge in self.in_.get(tool.id, ()) if edge.kind == threat.mitigated] for tool in acting]
        return [edge for edges in each for edge in edges] if all(each) else []


def _case(threat: Threat, one: Component, look: _Look, shown: tuple[tuple[Finding, Spot], ...]) -> Case:
    found = [(finding, spot) for finding, spot in shown if finding.rule in threat.rules]
    evidence = [Spot(one.file, one.line)]
    evidence += [ability.spot for ability in one.abilities if any(f"can {ability.name}" in condition for condition in threat.when)]
    state, answer, severity = "question", "", threat.severity
    if found:
        state = "finding"
        evidence += [spot for _, spot in found]
        severity = max(finding.severity for finding, _ in found).word
    elif threat.mitigated:
        edges = look.answers(threat, one)
        if edges:
            state, answer = "mitigated", ", ".join(sorted({look.by_id[edge.from_].name for edge in edges}))
            evidence += [Spot(edge.file, edge.line) for edge in edges]
    key = look.known[one.id]
    rows = tuple(dict.fromkeys((finding.rule, finding.identity) for finding, _ in found))
    places = tuple(dict.fromkeys(evidence))
    return Case(f"{threat.id} {key}", threat, key, one.type, one.name, state, severity, places, rows, answer, mappings(threat))


def _flow_cases(flows: tuple[Flow, ...], placed: dict[str, str], review: Review, system: SystemMap, known: dict[str, str]) -> list[Case]:
    """The threats to what crosses a boundary behind which others are, once for each boundary."""
    over: dict[str, list[Flow]] = {}
    for flow in flows:
        if flow.crosses:
            over.setdefault(" / ".join(sorted(flow.crosses.split(" -> "))), []).append(flow)
    lines = paths.lines(review)
    cases = []
    for boundary, found in sorted(over.items()):
        sides = boundary.split(" / ")
        if not any(zones()[side].network for side in sides):
            continue
        ends = {end for flow in found for end in (flow.source, flow.target)}
        files = {flow.spot.file for flow in found} | {one.file for one in system.components if known[one.id] in ends}
        for threat in catalogue():
            if FLOW not in threat.types:
                continue
            shown = [one for one in review.findings if one.is_open and one.rule in threat.rules and one.place.path in files]
            spots = [lines[one.identity] for one in shown] + sorted({flow.spot for flow in found})
            rows = tuple(dict.fromkeys((one.rule, one.identity) for one in shown))
            severity = max(one.severity for one in shown).word if shown else threat.severity
            name = " and ".join(zones()[side].name.lower() for side in sides)
            state = "finding" if shown else "question"
            cases.append(
                Case(
                    f"{threat.id} {boundary}",
                    threat,
                    boundary,
                    FLOW,
                    name,
                    state,
                    severity,
                    tuple(dict.fromkeys(spots)),
                    rows,
                    "",
                    mappings(threat),
                )
            )
    return cases


def mappings(threat: Threat) -> tuple[Mapping_, ...]:
    """The places in standards of a threat."""
    return tuple(
        Mapping_(framework, item.edition, item.id, item.name)
        for framework, ids in threat.standards.items()
        for item in (entry(framework, str(id_)) for id_ in ids)
    )


def _assets(system: SystemMap, known: dict[str, str]) -> tuple[Asset, ...]:
    def of(*types: str) -> tuple[str, ...]:
        return tuple(known[one.id] for one in system.components if one.type in types)

    acting = tuple(known[one.id] for one in system.components if one.type == "tool" and one.capabilities)
    found = (
        Asset("credentials", "Keys and passwords", "They open services in your name and at your expense.", (100, 70, 60), of("secret")),
        Asset("rights", "What tools may do", "Whoever steers the model has these rights.", (80, 90, 50), acting),
        Asset(
            "knowledge", "Documents and what is found in them", "They may belong to one user or customer, and the model believes them.",
            (80, 80, 50), of("vector-store", "retriever", "document-source"),
        ),
        Asset("memories", "Conversations and memories", "They hold what users said, and steer later answers.", (80, 70, 40), of("memory")),
        Asset("prompts", "Prompts", "They say what the model is to do; what they hold gets known.", (40, 80, 30), of("prompt")),
        Asset(
            "models", "Models and accounts at their providers", "Answers are as good as they are, and each one costs money.",
            (50, 80, 60), of("llm", "embedding-model", "model-file"),
        ),
        Asset("data", "Data for training and evaluation", "What is in it is learned, and told again.", (60, 80, 30), of("dataset")),
    )  # fmt: skip
    return tuple(one for one in found if one.components)


def _shown(review: Review) -> dict[str, tuple[tuple[Finding, Spot], ...]]:
    """Findings by the components that they are about: whose data they follow, and what they reach."""
    made: dict[str, list[tuple[Finding, Spot]]] = {}
    lines = paths.lines(review)
    able: dict[Spot, list[str]] = {}
    for one in review.system.components:
        for ability in one.abilities:
            able.setdefault(ability.spot, []).append(one.id)
    for finding in review.findings:
        if finding.is_open:
            spot = lines[finding.identity]
            owners = [*paths.owners(finding, review.system, lines), *able.get(spot, ()), *_prompted(finding, review.system, spot)]
            for owner in dict.fromkeys(owners):
                made.setdefault(owner, []).append((finding, spot))
    return {owner: tuple(found) for owner, found in made.items()}


def _prompted(finding: Finding, system: SystemMap, spot: Spot) -> list[str]:
    """Of a finding about a prompt: the prompt, and what is asked with it."""
    if finding.sink_class not in ("prompt", "prompt-system"):
        return []
    near = {(step.place.path, step.function) for trace in finding.traces for step in trace.steps if step.function}
    return [
        one.id
        for one in system.components
        if one.type in ("prompt", "llm-call", "agent") and ((one.file, one.name) in near or (one.file, one.line) == (spot.file, spot.line))
    ]


def loose(made: ThreatModel, review: Review) -> list[Finding]:
    """Open findings that no threat of the model shows: they belong to no part of the map."""
    known = {identity for case in made.cases for _, identity in case.findings}
    return [one for one in review.findings if one.is_open and one.identity not in known]
