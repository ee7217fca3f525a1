"""The commands beside ``review``: suppressions, rules, doctor; and the options that choose a configuration."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from headwater.cli import doctor, output, run
from headwater.rules.load import load_rules

CODE = """\
import os
from flask import request


def act():
    x = request.args['x']
    os.system(x)  # headwater: ignore[remote-input-to-shell] only operators reach it
"""
OLD = "    os.system('a ' + x)  # headwater: ignore[remote-input-to-shell] old until=2026-01-31\n"

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")  # 2026-05-28


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text(CODE)
    return tmp_path


# ------------------------------------------------------------------------------------------------------ suppressions


def test_suppressions_are_listed(project: Path, capsys: Captured) -> None:
    (project / "a.py").write_text(CODE + OLD + "    y = 1  # headwater: ignore[\x1b[2J] x\n")
    assert run(["suppressions", str(project)]) == 0
    assert capsys.readouterr().out == (
        "a.py:7: used [remote-input-to-shell]\n"
        "    only operators reach it\n"
        "a.py:8: expired [remote-input-to-shell]\n"
        "    old until 2026-01-31 (its last day was 2026-01-31)\n"
        "a.py:9: malformed []\n"
        "    (it is not understood: write 'headwater: ignore[rule-id] reason')\n"
        "3 suppressions: 1 expired, 1 malformed, 1 used\n"
    )


def test_suppressions_as_json(project: Path, capsys: Captured) -> None:
    assert run(["suppressions", str(project), "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["schema"], report["version"], report["coverage"]) == ("headwater-suppressions", 1, "complete")
    assert report["suppressions"] == [
        {
            "path": "a.py",
            "line": 7,
            "rule": "remote-input-to-shell",
            "state": "used",
            "reason": "only operators reach it",
            "until": "",
            "problem": "",
        }
    ]


def test_hostile_text_in_a_suppression_steers_no_terminal(project: Path, capsys: Captured) -> None:
    code = "x = 1  # headwater: ignore[a\x1b[2Jb] \x1b]0;pwned\x07 \u202e reason\ny = 2  # headwater: ignore[c\x07] \u202e\n"
    (project / "a.py").write_text(code)
    for format_ in ("text", "json"):
        assert run(["suppressions", str(project), "--format", format_]) == 0
        assert not set(capsys.readouterr().out) & set("\x1b\x07\u202e")


@pytest.mark.parametrize(("code", "status"), [(CODE, 0), (CODE + OLD, 1)])
def test_suppressions_can_be_checked(project: Path, code: str, status: int) -> None:
    (project / "a.py").write_text(code)
    assert run(["suppressions", str(project), "--check"]) == status


def test_suppressions_of_nothing(tmp_path: Path, capsys: Captured) -> None:
    assert run(["suppressions", str(tmp_path)]) == 3
    assert capsys.readouterr().out == "0 suppressions\n"


# ------------------------------------------------------------------------------------------------------------- review


def test_a_suppressed_finding_does_not_fail_the_gate(project: Path, capsys: Captured) -> None:
    assert run(["review", str(project), "-q"]) == 0
    assert "1 suppressed by comments in the code" in capsys.readouterr().out
    assert run(["review", str(project), "-q", "--no-repo-config"]) == 1
    assert run(["review", str(project), "-q", "--no-config"]) == 1


def test_an_expired_one_fails_it_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "a.py").write_text(CODE.replace("reach it", "reach it until=2026-06-30"))
    assert run(["review", str(project), "-q"]) == 0
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    assert run(["review", str(project), "-q"]) == 1


def test_the_configuration_file_sets_what_is_not_given(project: Path, capsys: Captured) -> None:
    (project / "a.py").write_text(CODE.replace("# headwater", "# "))
    (project / "headwater.toml").write_text("fail-on = 'never'\n")
    assert run(["review", str(project), "-q"]) == 0
    assert "headwater.toml: the configuration file sets fail-on = never" in " ".join(capsys.readouterr().out.split())
    assert run(["review", str(project), "-q", "--fail-on", "high"]) == 1
    assert run(["review", str(project), "-q", "--no-repo-config"]) == 1


def test_a_rule_that_is_off_is_no_rule_of_the_report(project: Path, capsys: Captured) -> None:
    (project / "headwater.toml").write_text("[rules]\nflask-debug = 'off'\n")
    run(["review", str(project), "-q", "--format", "sarif"])
    (one,) = json.loads(capsys.readouterr().out)["runs"]
    assert {rule["id"] for rule in one["tool"]["driver"]["rules"]} == set(load_rules()) - {"flask-debug"}


@pytest.mark.parametrize("command", ["review", "suppressions"])
@pytest.mark.parametrize(
    ("text", "message"),
    [("a\x1b[2J = 1", "headwater: headwater.toml"), ('"a\\u001b[2J" = 1', r"headwater: headwater.toml: there is no setting 'a\x1b[2J'")],
)
def test_a_wrong_configuration_is_status_2(project: Path, capsys: Captured, command: str, text: str, message: str) -> None:
    (project / "headwater.toml").write_text(text)
    assert run([command, str(project)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(message)
    assert "\x1b" not in captured.err


def test_a_file_outside_is_taken_instead(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (project / "headwater.toml").write_text("fail-on = 'nonsense'\n")
    policy = tmp_path_factory.mktemp("policy") / "policy.toml"
    policy.write_text("fail-on = 'critical'\nprocesses = 1\n")
    assert run(["review", str(project), "-q", "--config", str(policy)]) == 0
    assert run(["review", str(project), "-q", "--config", str(policy), "--no-repo-config"]) == 1
    assert run(["review", str(project), "-q", "--config", "missing.toml"]) == 2


# -------------------------------------------------------------------------------------------------------------- rules


def test_rules_are_listed(capsys: Captured) -> None:
    assert run(["rules", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(load_rules())
    assert any(line.split()[1:] == ["high", "The", "Werkzeug", "debugger", "is", "on"] for line in lines)


def test_rules_as_json(capsys: Captured) -> None:
    assert run(["rules", "list", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["schema"], report["version"]) == ("headwater-rules", 1)
    rules = {rule["id"]: rule for rule in report["rules"]}
    assert rules.keys() == load_rules().keys()
    assert rules["remote-input-to-shell"]["to"] == ["shell"]
    assert "78" in [one["id"] for one in rules["remote-input-to-shell"]["mappings"] if one["framework"] == "cwe"]


@pytest.mark.parametrize("rule", load_rules())
def test_every_rule_explains_itself(capsys: Captured, rule: str) -> None:
    assert run(["rules", "explain", rule]) == 0
    page = capsys.readouterr().out
    assert page.startswith(f"# {load_rules()[rule].head.title}\n")
    assert f"`# headwater: ignore[{rule}] reason`" in page
    assert "## How to fix" in page
    assert "# expect:" not in page


def test_a_terminal_gets_a_page_and_no_markdown(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(output, "is_terminal", lambda stream: True)
    assert run(["rules", "explain", "flask-debug"]) == 0
    page = capsys.readouterr().out
    assert "How to fix" in page
    assert "##" not in page


def test_an_unknown_rule_is_wrong_usage(capsys: Captured) -> None:
    assert run(["rules", "explain", "flask-debgu"]) == 2
    assert "Did you mean flask-debug?" in capsys.readouterr().err
    assert run(["rules", "explain", "zzzzzzzz"]) == 2
    assert "'headwater rules list' shows them all" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------------- doctor


def test_a_whole_installation(project: Path, capsys: Captured) -> None:
    assert run(["doctor", str(project)]) == 0
    found = capsys.readouterr().out
    assert "FAIL" not in found
    for line in (
        "parser             Python",
        "workers            start",
        f"rules              {len(load_rules())}",
        "no configuration file",
    ):
        assert line in found


def test_a_missing_package_is_told_and_status_1(project: Path) -> None:
    code = f"import sys; sys.modules['msgspec'] = None; from headwater.cli import run; sys.exit(run(['doctor', {str(project)!r}]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "FAIL  rules              ModuleNotFoundError: import of msgspec halted" in done.stdout
    assert done.stderr == ""


def test_workers_that_do_not_start(project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert run(["doctor", str(project)]) == 1
    assert "FAIL  workers            WorkerError: a worker process could not be started" in capsys.readouterr().out


def test_a_wrong_configuration_is_told(project: Path, capsys: Captured) -> None:
    (project / "headwater.toml").write_text("fail_on = 1\n")
    assert run(["doctor", str(project)]) == 1
    assert "FAIL  configuration      headwater.toml:1: there is no setting 'fail_on'" in capsys.readouterr().out
    (project / "headwater.toml").write_text("fail-on = 'low'\n")
    assert run(["doctor", str(project)]) == 0
    assert "ok    configuration      the configuration file headwater.toml is valid" in capsys.readouterr().out


def test_the_doctor_knows_all_dependencies() -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [requirement.partition(">=")[0] for requirement in project["dependencies"]] == list(doctor.NEEDED)
    assert project["requires-python"] == f">={doctor.PYTHON[0]}.{doctor.PYTHON[1]}"
