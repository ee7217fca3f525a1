"""The bundled example under a compromised model: every planted weakness that one start can show is proved; the fixed one is silent."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from headwater.prove import launch

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / "build" / "system" / "example"
NUMBER = re.compile(r"\b\d[\d,]*\b")
NEEDS_TORCH = "supportdesk/classifier.py"
"""The example loads a model there only where torch is installed and the file is there."""


@pytest.fixture(scope="module")
def commands() -> dict[str, str]:
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        pytest.skip("make test-system makes the example's environment")
    return {**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}


def proved(name: str, environment: dict[str, str], *more: str) -> tuple[int, dict[str, Any]]:
    options = ["--trust-config", "--scenario", "service", "--scenario", "tools", "--format", "json", "--output", "-", "--quiet"]
    command = [sys.executable, "-P", "-m", "headwater", "prove", str(ROOT / "examples" / name), *options, *more]
    done = subprocess.run(command, env=environment, capture_output=True, check=False, cwd="/")
    assert done.returncode in (0, 1), done.stderr.decode()
    return done.returncode, json.loads(done.stdout)


def test_the_vulnerable_one(commands: dict[str, str], tmp_path: Path) -> None:
    status, report = proved("vulnerable", commands, "--format", "text", "--output", str(tmp_path / "shown.txt"))
    assert status == 1
    jsonschema.validate(report, json.loads((ROOT / "docs" / "schemas" / "proof-1.schema.json").read_text(encoding="utf-8")))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^\$ headwater prove [^\n]*\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    assert found is not None
    shown = (tmp_path / "shown.txt").read_text(encoding="utf-8")
    # How much is asked depends on what the releases of the day describe; what kept it in, on the system.
    parts = [NUMBER.sub("0", part.strip("\n")) for part in found[1].split("[...]\n")]
    assert [part for part in (parts if launch.can_separate() else parts[:1]) if part not in NUMBER.sub("0", shown)] == []
    states = {(one["path"].partition("vulnerable/")[2], one["rule"], one["line"]): one["state"] for one in report["findings"]}
    assert [one for one, state in states.items() if state not in ("proved", "granted") and one[0] != NEEDS_TORCH] == []
    assert len(states) >= 20


def test_the_fixed_one(commands: dict[str, str]) -> None:
    status, report = proved("fixed", commands)
    assert status == 0
    assert [proof for run in report["runs"] for proof in run["proofs"] if proof["verdict"] in ("effect", "executed")] == []
    assert all(run["exercised"]["attempts"] > 50 and run["exercised"]["monitored"] for run in report["runs"])
