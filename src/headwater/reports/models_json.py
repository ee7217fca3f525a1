"""The examination of model files as JSON; its form is told in ``docs/models.md`` and ``docs/schemas/models-1.schema.json``."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from headwater.matching import encodable
from headwater.modelfiles.result import Result
from headwater.modelfiles.verdicts import Examined
from headwater.reports import escape

VERSION: Final = 1


def render(result: Result) -> bytes:
    made = {
        "version": VERSION,
        "verdict": result.verdict,
        "counts": result.counts,
        "skipped": result.skipped,
        "files": [entry(one) for one in result.files],
    }
    return escape.json(msgspec.json.format(msgspec.json.encode(made), indent=1)) + b"\n"


def entry(one: Examined) -> dict[str, Any]:
    """One file or member."""
    return {
        "path": encodable(one.path),
        "format": one.format,
        "size": one.size,
        "sha256": one.sha256,
        "verdict": one.verdict,
        "findings": [
            {
                "check": concern.check,
                "verdict": concern.verdict,
                "message": encodable(concern.message),
                "evidence": encodable(concern.evidence),
                "offset": concern.at,
            }
            for concern in one.concerns
        ],
    }
