"""Microsoft's SARIF validator finds no error in a report of a real review, by the rules of the standard and of GitHub."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TOOL = ROOT / "build" / "system" / "node_modules" / "@microsoft" / "sarif-multitool-linux" / "Sarif.Multitool"
ACCEPTED = {"SARIF2005"}  # asks for an informationUri: the project has no page of its own


def validate(report: Path, tmp_path: Path) -> list[tuple[str, str, str]]:
    """Level, rule and text of what the validator says."""
    TOOL.chmod(0o755)  # npm may be told not to run the package's script that does it
    found = tmp_path / "validation.sarif"
    subprocess.run(
        [TOOL, "validate", report, "--output", found, "--log", "ForceOverwrite", "--rule-kind", "Sarif;Ghas", "--quiet"],
        check=False,
        # The validator is made without a need for ICU; without this it looks for it.
        env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1", "HOME": str(tmp_path)},
        timeout=120,
    )
    (run,) = json.loads(found.read_text(encoding="utf-8-sig"))["runs"]
    results = [(one.get("level", "warning"), one["ruleId"], json.dumps(one["message"])) for one in run.get("results", ())]
    trouble = [
        (one.get("level", "warning"), "notification", json.dumps(one["message"]))
        for invocation in run.get("invocations", ())
        for kind in ("toolExecutionNotifications", "toolConfigurationNotifications")
        for one in invocation.get(kind, ())
    ]
    return results + trouble


@pytest.mark.parametrize("example", ["vulnerable", "fixed"])
def test_reports_are_valid(example: str, tmp_path: Path) -> None:
    report = tmp_path / "report.sarif"
    arguments = ["--format", "sarif", "--output", str(report), "--persona", "audit", "--fail-on", "never", "--quiet"]
    subprocess.run([ROOT / ".venv" / "bin" / "headwater", "review", ROOT / "examples" / example, *arguments], check=True)
    said = validate(report, tmp_path)
    assert [one for one in said if one[0] == "error"] == []
    assert [one for one in said if one[0] == "warning" and one[1] not in ACCEPTED] == []


def test_the_validator_finds_errors(tmp_path: Path) -> None:
    """Otherwise its silence would prove nothing."""
    report = tmp_path / "report.sarif"
    report.write_text(json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {}}, "results": [{"message": {}}]}]}))
    assert any(one[0] == "error" for one in validate(report, tmp_path))
