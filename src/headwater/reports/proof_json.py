"""Runs of the application as JSON; its form is told in ``docs/prove.md`` and ``docs/schemas/proof-1.schema.json``. ``review --proof``
reads it again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from headwater import limits
from headwater.findings import Finding
from headwater.matching import encodable
from headwater.proofs import WORDS, Run, strongest
from headwater.reports import escape

VERSION: Final = 1


def render(runs: Sequence[Run], scope: str, findings: Sequence[tuple[Finding, int]] = ()) -> bytes:
    """``scope``: the application's folder, relative to the root; ``findings``: those of the review, with their first lines."""
    made: dict[str, Any] = {
        "version": VERSION,
        "scope": encodable(scope),
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


class _Report(msgspec.Struct, frozen=True):
    version: int
    scope: str
    runs: tuple[Run, ...]


def read(path: Path) -> tuple[str, tuple[Run, ...]]:
    """The application's folder and the runs of a report. Raises ValueError, in words."""
    try:
        with path.open("rb") as file:
            report = msgspec.json.decode(file.read(limits.PROVE_REPORT_BYTES), type=_Report)
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ValueError(f"it is no report of 'headwater prove': {error}") from None
    if report.version != VERSION:
        raise ValueError(f"it is of version {report.version}, and this reads {VERSION}")
    words = {run.verdict for run in report.runs} | {proof.verdict for run in report.runs for proof in run.proofs}
    if unknown := sorted(words - set(WORDS)):
        raise ValueError(f"it is no report of 'headwater prove': {unknown[0]!r} is no verdict")
    return report.scope, report.runs


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {key: _encodable(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encodable(one) for one in value]
    return value
