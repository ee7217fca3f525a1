"""Attack paths: ranked chains from where an attacker gets text into the system to what that text can do there.

A chain goes along what influences what: a request reaches an agent, a document that was stored reaches the retriever, what a tool brings
back from outside reaches the agent that called it, an agent decides what its tools are called with. Its end is a capability of a tool, or a
finding in the code that a component runs. Likelihood and impact are small whole numbers with their reason in words, so that two people
come to the same order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from headwater import limits
from headwater.components import Component, Edge, Spot, SystemMap
from headwater.findings import Finding, Place, Review, Severity


class Hop(msgspec.Struct, frozen=True):
    """One component gets influence over the next."""

    component: str
    how: str
    """In words, of the influence on this component; empty for the first."""
    spot: Spot
    """Where the code joins the two; of the first, where the component is."""


class Effect(msgspec.Struct, frozen=True):
    """What an attacker does in the end."""

    name: str
    """A capability, or the rule of a finding."""
    words: str
    spot: Spot
    finding: str = ""
    """The identity of the finding; empty where it is what a tool is there to do."""


class AttackPath(msgspec.Struct, frozen=True):
    """One chain."""

    attacker: str
    """Who, in words."""
    hops: tuple[Hop, ...]
    effect: Effect
    likelihood: int
    """1 to 5: who can begin it, and how much stands in between."""
    impact: int
    """1 to 5."""
    why: tuple[str, ...]
    """Reasons for the two figures."""
    breaks: str
    """What breaks the chain for the least work."""

    @property
    def score(self) -> int:
        return self.likelihood * self.impact


_IMPACT: Final = {
    "executes-shell": (5, "run commands on the machine"),
    "executes-code": (5, "run code in the process"),
    "writes-files": (4, "write files"),
    "database-write": (4, "change the database"),
    "spends-money": (4, "spend money"),
    "sends-messages": (3, "send messages in your name"),
    "reads-secrets": (3, "use keys that the tool reads"),
    "network-out": (3, "send data to an address of their choice, or reach inner services"),
    "database-read": (3, "read the database"),
    "reads-files": (3, "read files"),
}
_SEVERITY: Final = {Severity.CRITICAL: 5, Severity.HIGH: 4, Severity.MEDIUM: 3, Severity.LOW: 2}
_BREAKS: Final = {
    "executes-shell": "Ask a person before the tool runs, or have one tool for each command that is needed, with arguments as a list.",
    "executes-code": "Run the code in a sandbox without network and files, or ask a person before it runs.",
    "writes-files": "Keep the tool in one folder: resolve the path and refuse what lies outside; ask before it overwrites.",
    "database-write": "Give the tool a user of the database that may only do what its description says, and ask before changes.",
    "spends-money": "Ask a person before each payment, and set a limit for each user.",
    "sends-messages": "Allow fixed recipients only, or show the message to a person before it is sent.",
    "reads-secrets": "Take the key out of the tool's reach: call the service from code that the model does not steer.",
    "network-out": "Allow a list of hosts, and refuse inner addresses after the name was resolved.",
    "database-read": "Filter by the user who asks, in the query and not in the prompt.",
    "reads-files": "Keep the tool in one folder: resolve the path and refuse what lies outside.",
}
_BRINGS: Final = frozenset({"network-out", "database-read", "reads-files"})
"""Capabilities of tools that bring back what others have written."""


def paths(system: SystemMap, findings: Iterable[Finding], places: dict[str, Spot]) -> tuple[AttackPath, ...]:
    """All chains, the worst first; ``places``: as ``lines`` gives them."""
    by_id = {one.id: one for one in system.components}
    influence = _influence(system, by_id)
    effects = _effects(system, by_id, findings, places)
    found: list[AttackPath] = []
    for start in system.components:
        begins = _attacker(start, system)
        if begins is None:
            continue
        who, likelihood, reason = begins
        for hops in _walks(start, influence, by_id):
            last = by_id[hops[-1].component]
            for effect, impact, breaks in effects.get(last.id, ()):
                guarded = _guards(hops, system)
                likely = max(1, likelihood - (len(hops) > 4) - 2 * bool(guarded))
                why = [reason, effect.words]
                if guarded:
                    why.append(f"{by_id[guarded[0]].name} stands in between")
                found.append(AttackPath(who, hops, effect, likely, impact, tuple(why), breaks))
    found.sort(key=lambda one: (-one.score, len(one.hops), one.hops[0].component, one.effect.name, one.hops[-1].component))
    return tuple(found[: limits.ATTACK_PATHS])


def of(review: Review) -> tuple[AttackPath, ...]:
    """The chains of a review."""
    return paths(review.system, review.findings, lines(review))


def lines(review: Review) -> dict[str, Spot]:
    """The place of each finding by its identity, and of its strongest source by that and ``:source``."""
    found: dict[str, Spot] = {}
    for finding in review.findings:
        found[finding.identity] = _spot(review, finding.place)
        if finding.traces:
            found[f"{finding.identity}:source"] = _spot(review, finding.traces[0].source.place)
    return found


def _spot(review: Review, place: Place) -> Spot:
    source = review.sources[place.path]
    return Spot(place.path, source.file_line(source.position(place.start)[0]))


def vectors(found: Iterable[AttackPath], most: int = 5) -> tuple[AttackPath, ...]:
    """The worst of each kind of end: what a lead has to know of a system."""
    chosen: dict[tuple[str, str], AttackPath] = {}
    for one in found:
        chosen.setdefault((one.hops[-1].component, one.effect.name), one)
    worst: list[AttackPath] = []
    seen: dict[str, int] = {}
    for one in chosen.values():  # not five times the same effect where there are others
        if seen.get(one.effect.name, 0) < 2:
            seen[one.effect.name] = seen.get(one.effect.name, 0) + 1
            worst.append(one)
    return tuple(worst[:most])


def _attacker(one: Component, system: SystemMap) -> tuple[str, int, str] | None:
    """Who can begin at a component, how likely, and why."""
    if one.type == "entry-point":
        kind = one.detail.get("kind", "")
        if kind == "command" or kind == "script":
            return None  # whoever starts it may do all that it does
        return "anyone who can send it a request", 5, f"{one.name} takes what anyone sends"
    if one.type == "mcp-server":
        return "whoever steers the model of a client", 4, "the client's model decides what its tools are called with"
    if one.type == "mcp-client":
        return "whoever runs or compromises the MCP server", 2, f"descriptions and results of {one.name} come from another party"
    if one.type == "document-source":
        return "whoever can write the documents", 3, f"{one.name} reads what others have written"
    if one.type == "tool" and "network-out" in one.capabilities:
        return "whoever writes what the tool fetches", 3, f"{one.name} brings back text of others"
    if one.type in ("dataset", "model-file"):
        return "whoever can change the data or the model at its source", 2, f"{one.name} comes from outside"
    return None


def _influence(system: SystemMap, by_id: dict[str, Component]) -> dict[str, list[tuple[str, str, Edge]]]:
    """By component: whom it influences, and how."""
    made: dict[str, list[tuple[str, str, Edge]]] = {}

    def add(from_: str, to: str, how: str, edge: Edge) -> None:
        made.setdefault(from_, []).append((to, how, edge))

    for edge in system.edges:
        from_, to = by_id[edge.from_], by_id[edge.to]
        if edge.kind == "calls" and from_.type in ("entry-point", "tool") and to.type in ("agent", "llm-call", "tool"):
            add(from_.id, to.id, "its input becomes part of the prompt", edge)
        elif edge.kind == "fills-slot":
            add(from_.id, to.id, "its text becomes part of the prompt", edge)
        elif edge.kind == "offers-tool":
            if to.type == "tool":
                add(from_.id, to.id, "decides what the tool is called with", edge)
                if not _BRINGS.isdisjoint(to.capabilities):
                    add(to.id, from_.id, "what it brings back is read by the model", edge)
            else:
                add(to.id, from_.id, "its tools' descriptions and results are read by the model", edge)
        elif edge.kind == "retrieves-from":
            add(to.id, from_.id, "what it holds is read", edge)
        elif edge.kind == "stores-in":
            add(from_.id, to.id, "what it brings is kept", edge)
        elif edge.kind == "delegates-to":
            add(from_.id, to.id, "hands its task over", edge)
            add(to.id, from_.id, "its answer is read", edge)
    for following in made.values():
        following.sort(key=lambda one: (one[0], one[1]))
    return made


def _walks(start: Component, influence: dict[str, list[tuple[str, str, Edge]]], by_id: dict[str, Component]) -> list[tuple[Hop, ...]]:
    """The shortest chain from a component to each one that it influences, itself included."""
    chains: dict[str, tuple[Hop, ...]] = {start.id: (Hop(start.id, "", Spot(start.file, start.line)),)}
    todo = [start.id]
    while todo:
        at = todo.pop(0)
        if len(chains[at]) >= limits.ATTACK_HOPS:
            continue
        for to, how, edge in influence.get(at, ()):
            if to not in chains:
                chains[to] = (*chains[at], Hop(to, how, Spot(edge.file, edge.line)))
                todo.append(to)
    steered = [one for one, hops in chains.items() if len(hops) > 1 or by_id[one].type != "tool"]
    return [chains[one] for one in steered]


def _effects(
    system: SystemMap, by_id: dict[str, Component], findings: Iterable[Finding], lines: dict[str, Spot]
) -> dict[str, list[tuple[Effect, int, str]]]:
    """By component: what can be done through it."""
    made: dict[str, list[tuple[Effect, int, str]]] = {}
    for one in system.components:
        if one.type == "tool":
            for ability in one.abilities:
                impact, words = _IMPACT[ability.name]
                effect = Effect(ability.name, f"make {one.name} {words}", ability.spot)
                made.setdefault(one.id, []).append((effect, impact, _BREAKS[ability.name]))
    places: dict[tuple[str, int], list[str]] = {}
    for one in system.components:
        places.setdefault((one.file, one.line), []).append(one.id)
    for finding in findings:
        if not finding.is_open or not finding.traces or finding.identity not in lines:
            continue
        for number, owner in enumerate(owners(finding, system, lines)):
            if number >= limits.ATTACK_OWNERS:
                break
            effect = Effect(finding.rule, finding.title, lines[finding.identity], finding.identity)
            made.setdefault(owner, []).append((effect, _SEVERITY[finding.severity], finding.fix))
    return made


def owners(finding: Finding, system: SystemMap, lines: dict[str, Spot]) -> list[str]:
    """The components whose data a finding is about: the model call that it comes from, or the tool or route that it is in."""
    if not finding.traces:
        at = lines[finding.identity]
        here = [one.id for one in system.components if (one.file, one.line) == (at.file, at.line)]
        return here or [one.id for one in system.components if one.file == at.file and one.type in ("server", "mcp-server")]
    wanted = {
        "llm-output": ("llm-call", "agent"),
        "tool-args": ("tool",),
        "retrieved-content": ("retriever", "vector-store"),
        "tool-result": ("tool",),
    }
    types = wanted.get(finding.kind, ("entry-point",))
    steps = [step for trace in finding.traces for step in trace.steps]
    near = {(step.place.path, step.function.rpartition(".")[2]) for step in steps}
    spots = {(spot.file, spot.line) for key in (f"{finding.identity}:source",) if (spot := lines.get(key)) is not None}
    found = [one.id for one in system.components if one.type in types and (one.file, one.line) in spots]
    return found or [one.id for one in system.components if one.type in types and (one.file, one.name.rpartition(".")[2]) in near]


def _guards(hops: tuple[Hop, ...], system: SystemMap) -> list[str]:
    """Guards that stand before a component of a chain."""
    on_way = {hop.component for hop in hops}
    return [edge.from_ for edge in system.edges if edge.kind == "guards" and edge.to in on_way]
