"""The threat model as JSON: its form is ``docs/schemas/threats-1.schema.json``.

Made to be kept in git and compared: everything has a key without lines, and is in the order of these keys.
"""

from __future__ import annotations

from typing import Any, Final

from headwater.components import Component, Spot
from headwater.findings import Review
from headwater.reports.threats_shared import encoded
from headwater.threats.catalogue import LETTERS
from headwater.threats.model import ThreatModel, loose, mappings
from headwater.threats.zones import zones

SCHEMA: Final = "headwater-threats"
VERSION: Final = 1


def render(made: ThreatModel, review: Review) -> str:
    """One object."""
    return encoded(document(made, review))


def document(made: ThreatModel, review: Review) -> dict[str, Any]:
    """The same as a value."""
    used = {case.threat.id: case.threat for case in made.cases}
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "scope": review.scope,
        "coverage": review.coverage.status,
        "zones": [
            {"id": one.id, "name": one.name, "description": one.description, "run-by-others": one.network}
            for one in zones().values()
            if one.id == "outside" or one.id in made.zones.values()
        ],
        "actors": [{"id": one.id, "name": one.name} for one in made.actors],
        "assets": [
            {"id": one.id, "name": one.name, "why": one.why, "components": sorted(one.components)} for one in made.assets
        ],
        "components": sorted((_component(made, one) for one in made.system.components), key=lambda row: row["key"]),
        "flows": sorted(
            (
                {
                    "key": one.key,
                    "from": one.source,
                    "to": one.target,
                    "carries": one.carries,
                    "both-ways": one.both,
                    "crosses": one.crosses,
                    "place": place(one.spot),
                }
                for one in made.flows
            ),
            key=lambda row: str(row["key"]),
        ),
        "threats": sorted(
            (
                {
                    "key": case.key,
                    "threat": case.threat.id,
                    "element": case.element,
                    "state": case.state,
                    "severity": case.severity,
                    **({"answered-by": case.answer} if case.answer else {}),
                    **({"findings": [{"rule": rule, "identity": identity} for rule, identity in case.findings]} if case.findings else {}),
                    "evidence": [place(one) for one in case.evidence],
                }
                for case in made.cases
            ),
            key=lambda row: str(row["key"]),
        ),
        "catalogue": [
            {
                "id": one.id,
                "letter": one.letter,
                "title": one.title,
                "gains": one.gains,
                "mitigation": one.mitigation,
                "question": one.question,
                "mappings": [
                    {"framework": to.framework, "edition": to.edition, "id": to.id, "name": to.name} for to in mappings(one)
                ],
            }
            for one in sorted(used.values(), key=lambda one: (LETTERS.index(one.letter), one.id))
        ],
        "other-findings": sorted(
            ({"rule": one.rule, "identity": one.identity, "file": one.place.path} for one in loose(made, review)),
            key=lambda row: (row["file"], row["rule"], row["identity"]),
        ),
        "vectors": [
            {
                "attacker": one.attacker,
                "likelihood": one.likelihood,
                "impact": one.impact,
                "hops": [{"component": made.keys[hop.component], "how": hop.how, "place": place(hop.spot)} for hop in one.hops],
                "effect": one.effect.name,
                "place": place(one.effect.spot),
                "breaks": one.breaks,
            }
            for one in made.vectors
        ],
    }  # fmt: skip


def _component(made: ThreatModel, one: Component) -> dict[str, Any]:
    key = made.keys[one.id]
    row: dict[str, Any] = {
        "key": key,
        "type": one.type,
        "name": one.name,
        "zone": made.zones[key],
        "place": place(Spot(one.file, one.line)),
    }
    if one.detail:
        row["detail"] = one.detail
    if one.type == "tool":
        row["capabilities"] = list(one.capabilities)
    return row


def place(spot: Spot) -> str:
    """A file and a line."""
    return f"{spot.file}:{spot.line}"
