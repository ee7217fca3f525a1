"""The same bytes on a project so large that bounds are met: an order that is not fixed shows there first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from releases import unpacked

RELEASE = "langroid==0.59.32"
RUNS = [("0", "1"), ("1", "2"), ("2", "1")]
"""Hash seeds, and numbers of processes."""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked(RELEASE, tmp_path_factory.mktemp("langroid"))


def test_the_same_bytes(release: Path, tmp_path: Path) -> None:
    outputs = []
    for seed, processes in RUNS:
        target = tmp_path / f"{seed}.json"
        command = [sys.executable, "-P", "-m", "headwater", "review", str(release), "--format", "json", "--output", str(target)]
        command += ["--processes", processes, "--persona", "audit", "--min-confidence", "low", "--fail-on", "never", "--quiet"]
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, check=True)
        outputs.append(target.read_bytes())
    assert outputs[0].count(b'"rule"') > 20
    assert [output == outputs[0] for output in outputs] == [True] * len(RUNS)
