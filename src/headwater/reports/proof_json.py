"""Runs of the application as JSON; its form is told in ``docs/prove.md`` and ``docs/schemas/proof-1.schema.json``. ``review --proof``
reads it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from headwater.findings import Finding
from headwater.matching import encodable
from headwater.proofs import Run, strongest
from headwater.reports import escape

VERSION: Final = 1


def render(runs: Sequence[Run], findings: Sequence[tuple[Finding, int]] = ()) -> bytes:
    """``findings``: those of the review, with their first lines."""
    made: dict[str, Any] = {
        "version": VERSION,
        "verdict": strongest(runs).word,
        "runs": [_encodable(msgspec.to_builtins(run)) for run in runs],
        "findings": [
            {
                "rule": finding.rule,
                "path": encodable(finding.place.path),
                "line": line,
                "identity": finding.identity,
                "state": finding.proof.state,
                "why": encodable(finding.proof.why),
            }
            for finding, line in findings
            if finding.proof is not None
        ],
    }
    return escape.json(msgspec.json.format(msgspec.json.encode(made), indent=1)) + b"\n"


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {key: _encodable(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encodable(one) for one in value]
    return value
