"""The threat model in the Open Threat Model format, 0.2."""

from __future__ import annotations

from typing import Any, Final

from headwater.components import Spot
from headwater.findings import Review
from headwater.reports import words
from headwater.reports.threats_json import place
from headwater.reports.threats_layout import Box, layout
from headwater.reports.threats_shared import encoded, shown, space, standards
from headwater.threats.catalogue import letters
from headwater.threats.model import Case, ThreatModel
from headwater.threats.zones import OUTSIDE, zones

_DIAGRAM: Final = "diagram"
_CODE: Final = "code"
_IMPACT: Final = {"critical": 95, "high": 75, "medium": 50, "low": 25}
_LIKELY: Final = {"finding": 75, "mitigated": 25, "question": 50}
_STATES: Final = {"finding": "exposed", "mitigated": "mitigated", "question": "exposed"}


def render(made: ThreatModel, review: Review, title: str) -> str:
    """One object."""
    drawn = layout(made)
    about: dict[str, list[Case]] = {}
    for case in made.cases:
        about.setdefault(case.element, []).append(case)
    used = [zone for zone in zones().values() if zone.id in drawn.zones]
    return encoded(
        {
            "otmVersion": "0.2.0",
            "project": {
                "name": title,
                "id": "headwater",
                "description": shown(f"Derived by Headwater from the source. Coverage: {words.coverage(review.coverage)}"),
            },
            "representations": [
                {"name": "Data flows", "id": _DIAGRAM, "type": "diagram", "size": {"width": drawn.width, "height": drawn.height}},
                {"name": "Source", "id": _CODE, "type": "code"},
            ],
            "assets": [
                {
                    "name": one.name,
                    "id": one.id,
                    "description": one.why,
                    "risk": {
                        "confidentiality": one.harm[0],
                        "integrity": one.harm[1],
                        "availability": one.harm[2],
                        "comment": "Usual values for assets of this kind: code does not say what this one is worth.",
                    },
                }
                for one in made.assets
            ],
            "trustZones": [
                {
                    "id": one.id,
                    "name": one.name,
                    "type": one.id,
                    "description": one.description,
                    "risk": {"trustRating": one.rating},
                    "representations": [_drawn(one.id, drawn.zones[one.id], None)],
                }
                for one in used
            ],
            "components": [
                {
                    "id": one.id,
                    "name": one.name,
                    "type": "actor",
                    "parent": {"trustZone": OUTSIDE},
                    "representations": [_drawn(one.id, drawn.parts[one.id], drawn.zones[OUTSIDE])],
                }
                for one in made.actors
            ]
            + [_component(made, one, drawn.parts, drawn.zones, about) for one in made.system.components],
            "dataflows": _flows(made, about),
            "threats": [_threat(case) for case in made.cases],
            "mitigations": [
                {"id": f"answer-{one.id}", "name": one.title, "description": one.mitigation, "riskReduction": 50}
                for one in sorted({case.threat.id: case.threat for case in made.cases}.values(), key=lambda one: one.id)
            ],
        }
    )


def _component(made: ThreatModel, one: Any, parts: dict[str, Box], boxes: dict[str, Box], about: dict[str, list[Case]]) -> dict[str, Any]:
    key = made.keys[one.id]
    zone = made.zones[key]
    source = {"representation": _CODE, "id": space(f"code:{key}"), "file": space(one.file), "line": one.line}
    row: dict[str, Any] = {
        "id": space(key),
        "name": shown(one.name, 100),
        "type": one.type,
        "description": shown(f"{one.type} at {place(Spot(one.file, one.line))}"),
        "parent": {"trustZone": zone},
        "representations": [_drawn(key, parts[key], boxes[zone]), source],
        "assets": {"processed": [], "stored": [asset.id for asset in made.assets if key in asset.components]},
        "threats": [_instance(case) for case in about.get(key, [])],
        "tags": [*one.capabilities],
    }
    return row


def _flows(made: ThreatModel, about: dict[str, list[Case]]) -> list[dict[str, Any]]:
    told: set[str] = set()
    rows = []
    for flow in made.flows:
        boundary = " / ".join(sorted(flow.crosses.split(" -> "))) if flow.crosses else ""
        cases = about.get(boundary, []) if boundary not in told else []  # once, at the first flow over the boundary
        told.add(boundary)
        rows.append(
            {
                "id": space(flow.key),
                "name": flow.carries,
                "description": shown(place(flow.spot)),
                "bidirectional": flow.both,
                "source": space(flow.source),
                "destination": space(flow.target),
                "tags": [f"crosses {flow.crosses}"] if flow.crosses else [],
                "threats": [_instance(case) for case in cases],
            }
        )
    return rows


def _instance(case: Case) -> dict[str, Any]:
    state = "implemented" if case.state == "mitigated" else "recommended"
    return {
        "threat": space(case.key),
        "state": _STATES[case.state],
        "mitigations": [{"mitigation": f"answer-{case.threat.id}", "state": state}],
    }


def _threat(case: Case) -> dict[str, Any]:
    where = ", ".join(place(one) for one in case.evidence[:6])
    said = {
        "finding": f"Shown by {', '.join(dict.fromkeys(rule for rule, _ in case.findings))}.",
        "mitigated": f"Answered by {case.answer}.",
        "question": f"Question for the team: {case.threat.question}",
    }[case.state]
    return {
        "id": space(case.key),
        "name": case.threat.title,
        "description": f"{case.threat.gains}\n{space(said)}\n{space(f'Where: {where}')}\n{standards(case)}",
        "categories": [letters()[case.threat.letter][0]],
        "cwes": [f"CWE-{one.id}" for one in case.mappings if one.framework == "cwe"],
        "risk": {
            "likelihood": _LIKELY[case.state],
            "likelihoodComment": "By its state: shown in the code, open, or answered.",
            "impact": _IMPACT[case.severity],
            "impactComment": f"Severity: {case.severity}.",
        },
        "attributes": {"state": case.state},
    }


def _drawn(key: str, box: Box, inside: Box | None) -> dict[str, Any]:
    """A rectangle in the diagram; what is in a zone is placed relative to it."""
    x, y = (box.x, box.y) if inside is None else (box.x - inside.x, box.y - inside.y)
    return {
        "representation": _DIAGRAM,
        "id": space(f"box:{key}"),
        "position": {"x": x, "y": y},
        "size": {"width": box.width, "height": box.height},
    }
