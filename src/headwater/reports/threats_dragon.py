"""The threat model as a file of OWASP Threat Dragon, version 2: one diagram with trust boundaries, parts, flows and their threats."""

from __future__ import annotations

import uuid
from typing import Any, Final

from headwater.components import Spot
from headwater.findings import Review
from headwater.reports import words
from headwater.reports.threats_json import place
from headwater.reports.threats_layout import Box, layout
from headwater.reports.threats_shared import encoded, shown, space, standards
from headwater.threats.catalogue import FLOW, letters
from headwater.threats.model import Case, ThreatModel
from headwater.threats.zones import zones

VERSION: Final = "2.4.0"
NAME: Final = 60
_STORES: Final = frozenset({"vector-store", "memory", "retriever", "secret", "dataset", "document-source", "model-file", "prompt"})
_KINDS: Final = {"actor": "tm.Actor", "process": "tm.Process", "store": "tm.Store"}
_OPEN: Final = "#ff0000"
_CALM: Final = "#333333"


def render(made: ThreatModel, review: Review, title: str) -> str:
    """One object."""
    numbers = {case.key: number for number, case in enumerate(sorted(made.cases, key=lambda case: case.key), 1)}
    diagram = {
        "id": 0,
        "title": "Data flows",
        "diagramType": "STRIDE",
        "placeholder": "",
        "description": "Derived from the source code; the zones are those of who runs what.",
        "thumbnail": "./public/content/images/thumbnail.stride.jpg",
        "version": VERSION,
        "cells": _cells(made, numbers),
    }
    about = f"Derived by Headwater from the source. Coverage: {words.coverage(review.coverage)}"
    return encoded(
        {
            "version": VERSION,
            "summary": {"title": title, "owner": "", "description": shown(about), "id": 0},
            "detail": {
                "contributors": [],
                "diagrams": [diagram],
                "diagramTop": 1,
                "reviewer": "",
                "threatTop": len(made.cases),
            },
        }
    )


def _cells(made: ThreatModel, numbers: dict[str, int]) -> list[dict[str, Any]]:
    drawn = layout(made)
    cells = [_boundary(id_, box) for id_, box in drawn.zones.items()]
    cells += [_actor(one.id, one.name, drawn.parts[one.id]) for one in made.actors]
    about: dict[str, list[Case]] = {}
    for case in made.cases:
        about.setdefault(case.element, []).append(case)
    for one in made.system.components:
        key = made.keys[one.id]
        kind = "store" if one.type in _STORES else "process"
        text = f"{one.type} at {place(Spot(one.file, one.line))}"
        if one.capabilities:
            text += f"; can: {', '.join(one.capabilities)}"
        cells.append(_node(key, kind, f"{one.type}: {one.name}", text, drawn.parts[key], about.get(key, []), numbers))
    told: set[str] = set()
    for flow in made.flows:
        boundary = " / ".join(sorted(flow.crosses.split(" -> "))) if flow.crosses else ""
        cases = about.get(boundary, []) if boundary not in told else []  # once, at the first flow over the boundary
        told.add(boundary)
        network = any(zones()[zone].network for zone in boundary.split(" / ")) if boundary else False
        cells.append(
            {
                "shape": "flow",
                "id": _id(FLOW, flow.key),
                "zIndex": 10,
                "connector": "smooth",
                "source": {"cell": _id("part", flow.source)},
                "target": {"cell": _id("part", flow.target)},
                "labels": [flow.carries] if flow.crosses else [],
                "attrs": {
                    "line": {
                        "stroke": _colour(cases),
                        "strokeWidth": 1.5,
                        "targetMarker": {"name": "block"},
                        "sourceMarker": {"name": "block" if flow.both else ""},
                        "strokeDasharray": None,
                    }
                },
                "data": {
                    "type": "tm.Flow",
                    "name": flow.carries,
                    "description": shown(f"{place(flow.spot)}{f'; crosses {flow.crosses}' if flow.crosses else ''}"),
                    "outOfScope": False,
                    "reasonOutOfScope": "",
                    "isBidirectional": flow.both,
                    "isEncrypted": False,
                    "isPublicNetwork": network,
                    "protocol": "",
                    **_threats(cases, numbers),
                },
            }
        )
    return cells


def _boundary(id_: str, box: Box) -> dict[str, Any]:
    zone = zones()[id_]
    return {
        "shape": "trust-boundary-box",
        "id": _id("zone", id_),
        "zIndex": -1,
        "visible": True,
        **_box(box),
        "attrs": {"label": {"text": zone.name}},
        "data": {
            "type": "tm.BoundaryBox",
            "name": zone.name,
            "description": zone.description,
            "isTrustBoundary": True,
            "hasOpenThreats": False,
        },
    }


def _actor(id_: str, name: str, box: Box) -> dict[str, Any]:
    return _node(id_, "actor", name, "", box, [], {})


def _node(key: str, kind: str, name: str, text: str, box: Box, cases: list[Case], numbers: dict[str, int]) -> dict[str, Any]:
    called = shown(name, NAME)
    return {
        "shape": kind,
        "id": _id("part", key),
        "zIndex": 1,
        "visible": True,
        **_box(box),
        "attrs": {"text": {"text": called}, "body": {"stroke": _colour(cases), "strokeWidth": 1.5, "strokeDasharray": None}},
        "data": {
            "type": _KINDS[kind],
            "name": called,
            "description": shown(text),
            "outOfScope": False,
            "reasonOutOfScope": "",
            **_threats(cases, numbers),
        },
    }


def _threats(cases: list[Case], numbers: dict[str, int]) -> dict[str, Any]:
    return {
        "hasOpenThreats": any(case.state != "mitigated" for case in cases),
        "threats": [_threat(case, numbers[case.key]) for case in cases],
    }


def _threat(case: Case, number: int) -> dict[str, Any]:
    rules = ", ".join(dict.fromkeys(rule for rule, _ in case.findings))
    first = {
        "finding": f"Shown by {rules}",
        "mitigated": f"Answered by {case.answer}",
        "question": f"Question for the team: {case.threat.question}",
    }[case.state]
    where = ", ".join(place(one) for one in case.evidence[:6])
    return {
        "id": _id("threat", case.key),
        "threatId": _id("threat", case.key),
        "number": number,
        "title": case.threat.title,
        "type": letters()[case.threat.letter][0],
        "modelType": "STRIDE",
        "severity": case.severity.capitalize(),
        "status": "Mitigated" if case.state == "mitigated" else "Open",
        "score": "",
        "new": False,
        "description": f"{case.threat.gains}\n{space(first)}\n{space(f'Where: {where}')}\n{standards(case)}",
        "mitigation": case.threat.mitigation,
    }


def _colour(cases: list[Case]) -> str:
    return _OPEN if any(case.state == "finding" for case in cases) else _CALM


def _box(box: Box) -> dict[str, Any]:
    return {"position": {"x": box.x, "y": box.y}, "size": {"width": box.width, "height": box.height}}


def _id(kind: str, key: str) -> str:
    """The same in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"headwater:{kind}:{key.encode('utf-8', 'backslashreplace').decode()}"))
