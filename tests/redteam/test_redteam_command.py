"""The command line: what is imported, shown and answered, and what is said where something is wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import redteam_reports as made

from headwater.cli import run

Captured = pytest.CaptureFixture[str]
CODE = """\
import os
from openai import OpenAI

client = OpenAI()
os.system(client.chat.completions.create(model="m", messages=[]).choices[0].message.content)
"""
UNREACHED = ["--endpoint", "http://127.0.0.1:9/?q=$INPUT"]


def report(folder: Path, passed: int, failed: int, name: str = "a.report.jsonl") -> str:
    entries = [made.setup(), made.init(), made.evaluation("dan.Dan_11_0", "dan.DAN", passed, failed), made.completion()]
    return made.lines(folder / name, entries)


@pytest.mark.parametrize(
    ("passed", "failed", "arguments", "status"),
    [(2, 0, [], 0), (2, 1, [], 0), (2, 1, ["--fail-on-hit"], 1), (2, 0, ["--fail-on-hit"], 0), (0, 0, [], 3), (0, 0, ["--fail-on-hit"], 3)],
)
def test_the_status_of_an_import(tmp_path: Path, capsys: Captured, passed: int, failed: int, arguments: list[str], status: int) -> None:
    assert run(["redteam", "import", report(tmp_path, passed, failed), *arguments]) == status
    said = capsys.readouterr().out
    assert ("Nothing was judged" in said) == (status == 3)


def test_several_files_become_one_that_a_review_reads(tmp_path: Path, capsys: Captured) -> None:
    files = [report(tmp_path, 1, 1), report(tmp_path, 2, 0, "b.report.jsonl")]
    out = tmp_path / "evidence.json"
    assert run(["redteam", "import", *files, "--format", "json", "--output", str(out)]) == 0
    whole = json.loads(out.read_text())
    assert (whole["schema"], whole["version"], whole["judged"], whole["failed"], whole["files"]) == (
        "headwater-redteam", 1, 4, 1, ["a.report.jsonl", "b.report.jsonl"],
    )  # fmt: skip
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "a.py").write_text(CODE)
    capsys.readouterr()
    assert run(["review", str(tmp_path / "app"), "-q", "--no-cache", "--redteam", str(out), "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["red_team"]["judged"], told["red_team"]["failed"]) == (4, 1)


def test_what_a_model_was_seen_to_write_stands_at_the_finding(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "a.py").write_text(CODE)
    outside = tmp_path.parent / f"{tmp_path.name}-reports"
    outside.mkdir()
    memory = made.Memory(outside / "pyrit.db")
    memory.attack("success", labels={"headwater-probe": "headwater.shell"}, scorer="ShellCommandOutputScorer")
    arguments = ["review", str(tmp_path), "-q", "--no-cache"]
    assert run([*arguments, "--redteam", str(memory.path), "--format", "json"]) == 1
    found = {one["rule"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert found["llm-output-to-shell"]["evidence"] == "red-team"
    assert "headwater.shell" in found["llm-output-to-shell"]["red_team"]
    assert {one["evidence"] for rule, one in found.items() if rule != "llm-output-to-shell"} <= {"static"}
    assert run([*arguments, "--redteam", str(memory.path)]) == 1
    text = capsys.readouterr().out
    assert "Red team:  red-team: pyrit headwater.shell" in text
    assert "Red team: model-level evidence" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["redteam", "import", __file__], "neither a report of Garak"),
        (["review", ".", "--redteam", __file__], "neither a report of Garak"),
        (["redteam", "import"], "Missing argument"),
        (["redteam", "run", "nmap", "--output", "o"], "'nmap' is not one of"),
        (["redteam", "run", "garak", "--output", "o"], "One target is needed"),
        (["redteam", "run", "garak", "--output", "o", *UNREACHED, "--run", "x"], "One target is needed"),
        (["redteam", "run", "garak", "--output", "o", "--endpoint", "http://127.0.0.1/"], "where the prompt goes"),
        (["redteam", "run", "garak", "--output", "o", "--run", "x", "--header", "a: b"], "belong to --endpoint"),
        (["redteam", "run", "garak", "--output", "o", "--run", "x", "--serve", "y"], "--serve needs"),
        (["redteam", "run", "garak", "--output", "o", "--openai", "http://127.0.0.1:9/v1", "--key-from", "NO_SUCH"], "no NO_SUCH"),
        (["redteam", "run", "garak", "--output", "o", *UNREACHED, "--python", sys.executable, "--environment", "x"], "give one"),
        (["redteam", "run", "garak", "--output", "o", *UNREACHED, "--python", sys.executable], "has no garak"),
    ],
)
def test_wrong_usage_is_said(capsys: Captured, arguments: list[str], message: str) -> None:
    assert run(arguments) == 2
    assert message in capsys.readouterr().err


def test_nothing_is_installed_unasked(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_CACHE", str(tmp_path / "cache"))
    assert run(["redteam", "run", "garak", "--output", str(tmp_path / "o"), *UNREACHED]) == 2
    said = capsys.readouterr().err
    assert "garak 0.17.1 would be installed into" in said
    assert "GB" in said
    assert "--install" in said
    assert not (tmp_path / "cache").exists()


def test_the_plan_is_shown(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "a.py").write_text(CODE)
    assert run(["redteam", "plan", str(tmp_path), "-q", "--no-cache"]) == 0
    said = capsys.readouterr().out
    assert "headwater.shell  (output-shell)\n      because of sink:shell (llm-output-to-shell, a.py:5)" in said
    assert "promptinject.HijackHateHumans" in said
    (tmp_path / "a.py").write_text("print(1)\n")
    assert run(["redteam", "plan", str(tmp_path), "-q", "--no-cache"]) == 0
    assert capsys.readouterr().out.startswith("Nothing in what was read calls for a probe")
