"""Derives the threat model of a review: for each component the threats of the catalogue that its place in the map makes possible.

STRIDE for LLM systems as ``headwater/knowledge/stride.yaml`` reads it. A threat is a *finding* where the review has shown it, *mitigated*
where the map shows what answers it, and otherwise a *question* that code cannot answer.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import Final

import msgspec
import yaml

from headwater.components import Component, Edge, Spot, SystemMap
from headwater.findings import Finding, Mapping_, Review
from headwater.knowledge.load import LOADER, entry
from headwater.system import paths

ZONES: Final = {
    "entry-point": "outside",
    "document-source": "outside",
    "mcp-client": "third party",
    "dataset": "third party",
    "vector-store": "data",
    "memory": "data",
    "retriever": "data",
    "secret": "data",
    "model-file": "data",
}
"""Trust zones by type; a hosted model is its provider's, all else is the application's."""
_LOCAL: Final = ("Ollama", "LlamaCpp", "Llama", "HuggingFacePipeline", "AutoModel", "SentenceTransformer", "GPT4All", "pipeline", "VLLM")


class Threat(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """One entry of the catalogue."""

    id: str
    letter: str
    types: list[str]
    title: str
    gains: str
    mitigation: str
    question: str
    when: list[str] = []
    rules: list[str] = []
    mitigated: str = ""
    """The kind of edges to the component that answer it."""
    standards: dict[str, list[str | int]] = {}


class Case(msgspec.Struct, frozen=True):
    """A threat to one component."""

    id: str
    """The threat and the component: the same in every run."""
    threat: Threat
    component: Component
    state: str
    """``finding``, ``mitigated`` or ``question``."""
    evidence: tuple[Spot, ...]
    findings: tuple[str, ...] = ()
    """Identities."""
    answer: str = ""
    """What mitigates it, in words."""
    mappings: tuple[Mapping_, ...] = ()


class Flow(msgspec.Struct, frozen=True):
    """Data that goes from one component to another."""

    edge: Edge
    crosses: str
    """``zone -> zone`` where it crosses a trust boundary, else empty."""


class ThreatModel(msgspec.Struct, frozen=True):
    """All of it."""

    system: SystemMap
    zones: dict[str, str]
    """Trust zone by component."""
    flows: tuple[Flow, ...]
    cases: tuple[Case, ...]
    """By component, then by letter."""
    vectors: tuple[paths.AttackPath, ...]


class _Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    threats: list[Threat]


@functools.cache
def catalogue() -> tuple[Threat, ...]:
    """The threats that are known."""
    text = resources.files("headwater.threats").joinpath("catalogue.yaml").read_bytes()
    return tuple(msgspec.convert(yaml.load(text, LOADER), _Catalogue).threats)


def model(review: Review) -> ThreatModel:
    """The threat model of a review."""
    system = review.system
    zones = {one.id: zone(one) for one in system.components}
    flows = tuple(Flow(edge, _crossing(zones[edge.from_], zones[edge.to])) for edge in system.edges)
    remote = _remote(system)
    by_id = {one.id: one for one in system.components}
    shown = _shown(review)
    cases = []
    for one in system.components:
        for threat in catalogue():
            if one.type in threat.types and _applies(threat, one, system, by_id, remote):
                cases.append(_case(threat, one, system, by_id, shown.get(one.id, ())))
    return ThreatModel(system, zones, flows, tuple(cases), paths.vectors(paths.of(review)))


def zone(one: Component) -> str:
    """The trust zone of a component."""
    if one.type in ("llm", "embedding-model"):
        return "application" if local(one) else "model provider"
    return ZONES.get(one.type, "application")


def local(one: Component) -> bool:
    """Whether a model runs in the application's own process or machine, by what makes it."""
    return any(word in one.detail.get("api", "") for word in _LOCAL)


def _crossing(from_: str, to: str) -> str:
    return f"{from_} -> {to}" if from_ != to else ""


def _remote(system: SystemMap) -> frozenset[str]:
    """Components that a request from outside leads to."""
    following: dict[str, list[str]] = {}
    for edge in system.edges:
        following.setdefault(edge.from_, []).append(edge.to)
    found = {
        one.id
        for one in system.components
        if one.type in ("entry-point", "mcp-server") and one.detail.get("kind") not in ("script", "command")
    }
    todo = list(found)
    while todo:
        for to in following.get(todo.pop(), ()):
            if to not in found:
                found.add(to)
                todo.append(to)
    return frozenset(found)


def _applies(threat: Threat, one: Component, system: SystemMap, by_id: dict[str, Component], remote: frozenset[str]) -> bool:
    """Whether one of the conditions of a threat holds."""
    return not threat.when or any(
        all(_holds(term.strip(), one, system, by_id, remote) for term in condition.split(" and ")) for condition in threat.when
    )


def _holds(term: str, one: Component, system: SystemMap, by_id: dict[str, Component], remote: frozenset[str]) -> bool:
    word, _, rest = term.partition(" ")
    if word == "can":
        return rest in one.capabilities
    if word == "remote":
        return one.id in remote
    if word in ("hosted", "local"):
        return local(one) == (word == "local")
    if word == "uses":
        return any(edge.from_ == one.id and edge.kind == rest for edge in system.edges)
    if word == "used-by":
        return any(edge.to == one.id and edge.kind == rest for edge in system.edges)
    if word == "with":
        return any(
            (edge.from_ == one.id and by_id[edge.to].type == rest) or (edge.to == one.id and by_id[edge.from_].type == rest)
            for edge in system.edges
        )
    raise ValueError(f"unknown term {term!r} in the catalogue of threats")


def _case(threat: Threat, one: Component, system: SystemMap, by_id: dict[str, Component], shown: tuple[tuple[Finding, Spot], ...]) -> Case:
    found = [(finding, spot) for finding, spot in shown if finding.rule in threat.rules]
    evidence = [Spot(one.file, one.line)]
    evidence += [ability.spot for ability in one.abilities if any(f"can {ability.name}" in condition for condition in threat.when)]
    state, answer = "question", ""
    if found:
        state = "finding"
        evidence += [spot for _, spot in found]
    elif threat.mitigated:
        answers = [edge for edge in system.edges if edge.to == one.id and edge.kind == threat.mitigated]
        if answers:
            state, answer = "mitigated", ", ".join(sorted({by_id[edge.from_].name for edge in answers}))
            evidence += [Spot(edge.file, edge.line) for edge in answers]
    mappings = tuple(
        Mapping_(framework, item.edition, item.id, item.name)
        for framework, ids in threat.standards.items()
        for item in (entry(framework, str(id_)) for id_ in ids)
    )
    identities = tuple(dict.fromkeys(finding.identity for finding, _ in found))
    return Case(f"{threat.id}:{one.id}", threat, one, state, tuple(dict.fromkeys(evidence)), identities, answer, mappings)


def _shown(review: Review) -> dict[str, tuple[tuple[Finding, Spot], ...]]:
    """Findings by the components that they are about."""
    made: dict[str, list[tuple[Finding, Spot]]] = {}
    lines = paths.lines(review)
    for finding in review.findings:
        if finding.is_open:
            for owner in paths.owners(finding, review.system, lines):
                made.setdefault(owner, []).append((finding, lines[finding.identity]))
    return {owner: tuple(found) for owner, found in made.items()}
