"""What speaks for or against a finding beside its trace: runs of the application, and reports of red-teaming tools."""

from __future__ import annotations

from typing import Any

from headwater.findings import Finding
from headwater.matching import encodable
from headwater.redteam.evidence import Evidence
from headwater.reports import redteam


def about(finding: Finding, red_team: Evidence | None) -> str:
    """In words; empty where there is none."""
    parts = [f"{finding.proof.state}: {finding.proof.why}"] if finding.proof is not None else []
    return "; ".join([*parts, *filter(None, [redteam.about(finding, red_team)])])


def document(finding: Finding) -> dict[str, Any]:
    """What runs showed, for the formats for programs; empty where none was looked at."""
    evidence = finding.proof
    if evidence is None:
        return {}
    told: dict[str, Any] = {"state": evidence.state, "why": encodable(evidence.why)}
    if evidence.proof is not None:
        one = evidence.proof
        told |= {
            "verdict": one.verdict,
            "payload": one.payload,
            "channel": one.channel,
            "tool": encodable(one.tool),
            "argument": encodable(one.argument),
            "value": encodable(one.value),
            "event": encodable(one.event),
            "what": encodable(one.what),
            "blocked": one.blocked,
            "stack": [f"{encodable(frame.file)}:{frame.line} {encodable(frame.function)}" for frame in one.stack],
        }
    return {"proof": told}
