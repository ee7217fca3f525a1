"""Released packages with known weaknesses, and versions without them, under ``headwater prove``: the small rows of ``make proof``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import proof

ROWS, ENVIRONMENTS = proof.rows()


@pytest.mark.parametrize("row", [row for row in ROWS if row.quick], ids=lambda row: row.name)
def test_verdict(row: proof.Row) -> None:
    spec = ENVIRONMENTS[row.environment]
    if "python" in spec and not proof.interpreter():
        pytest.skip("old releases have no wheels for Pythons later than 3.11, which is missing")
    proof.made(row.environment, spec, keep=False)
    result = proof.tried(row)
    assert result.right, f"{result.verdict}, not {row.expect}: {result.by}"
    assert result.calls > 0, "nothing was asked"
