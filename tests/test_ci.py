"""The action, the GitLab job and the hook: their scripts run as the services would run them, on repositories that mean harm.

``make test-system`` installs with them, and checks them with the schemas and tools of others.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import parse

import pytest
import yaml

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
JOB = yaml.safe_load((ROOT / "ci" / "gitlab" / "headwater.gitlab-ci.yml").read_text(encoding="utf-8"))["headwater"]
BAD = "import os\nfrom openai import OpenAI\n\nos.system(OpenAI().responses.create(input='x').output_text)\n"

Bash = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def bin(tmp_path: Path) -> Path:
    """A folder with the command ``headwater``, as an environment has it."""
    folder = tmp_path / "env" / "bin"
    folder.mkdir(parents=True)
    command = folder / "headwater"
    source = shlex.quote(str(ROOT / "src"))
    command.write_text(f'#!/bin/sh\nPYTHONPATH={source} exec {shlex.quote(sys.executable)} -P -m headwater "$@"\n')
    command.chmod(0o755)
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    (folder / "app.py").write_text(BAD)
    return folder


def bash(script: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    # The options that GitHub's runner gives for ``shell: bash``.
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder.parent), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


# ------------------------------------------------------------------------------------------------------------ action


class Runner:
    """Runs the action's review and gate: expressions become environment, files take outputs and the summary."""

    def __init__(self, folder: Path, bin: Path) -> None:
        self.folder = folder
        self.temporary = folder.parent / "runner temp"
        self.temporary.mkdir()
        self.bin = bin
        self.summary = ""
        self.outputs: dict[str, str] = {}

    def review(self, **inputs: str) -> subprocess.CompletedProcess[str]:
        values = {f"inputs.{name}": about["default"] for name, about in ACTION["inputs"].items()}
        values |= {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
        values["steps.install.outputs.bin"] = str(self.bin)
        output, summary = self.temporary / "output", self.temporary / "summary"
        output.write_text("")
        summary.write_text("")
        done = bash(
            STEPS["Review"]["run"],
            self.folder,
            {
                **{name: substituted(text, values) for name, text in STEPS["Review"]["env"].items()},
                "RUNNER_TEMP": str(self.temporary),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
                "GITHUB_ACTIONS": "true",
            },
        )
        self.summary = summary.read_text(encoding="utf-8")
        self.outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return done

    def gate(self) -> int:
        values = {"steps.review.outputs.status": self.outputs["status"]}
        environment = {name: substituted(text, values) for name, text in STEPS["Gate"]["env"].items()}
        return bash(STEPS["Gate"]["run"], self.folder, environment).returncode


def substituted(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{\s*(.+?)\s*\}\}", lambda found: values[found.group(1)], text)


@pytest.fixture
def runner(repository: Path, bin: Path) -> Runner:
    return Runner(repository, bin)


def test_the_action_reports_before_it_fails(runner: Runner) -> None:
    done = runner.review()
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("::error file=app.py,line=4,")
    assert "Model output is run as a command" in runner.summary
    report = json.loads(Path(runner.outputs["sarif-file"]).read_text(encoding="utf-8"))
    assert [result["ruleId"] for result in report["runs"][0]["results"]] == ["llm-output-to-shell"]
    assert runner.outputs["status"] == "1"
    assert runner.gate() == 1


def test_the_action_passes_what_is_below_the_gate(runner: Runner) -> None:
    runner.review(fail_on="never", format="text")
    assert runner.outputs["status"] == "0"
    assert runner.gate() == 0


@pytest.mark.parametrize(
    "inputs",
    [
        {"path": "$(touch owned); `touch owned`"},
        {"path": "--version"},
        {"fail_on": '"; touch owned; "'},
        {"format": "${IFS}touch owned"},
        {"args": "--unknown\n; touch owned\n$(touch owned)"},
    ],
)
def test_inputs_are_data(runner: Runner, inputs: dict[str, str]) -> None:
    """What is wrong with them is wrong usage, and no older report is taken for this run's."""
    runner.review()
    done = runner.review(**inputs)
    assert done.returncode == 0
    assert runner.outputs == {"status": "2"}
    assert runner.summary == ""
    assert runner.gate() == 2
    assert [path.name for path in runner.folder.parent.rglob("owned")] == []


def test_further_options_stand_one_on_a_line(runner: Runner) -> None:
    (runner.folder / "broken.py").write_text("def (:\n")
    assert runner.review(args="--strict-coverage\n--format\njson\n--output\nthe report.json\n", fail_on="never").returncode == 0
    assert runner.outputs["status"] == "3"
    assert json.loads((runner.folder / "the report.json").read_bytes())["coverage"]["status"] == "partial"


def test_links_of_the_checkout_are_not_written_through(runner: Runner) -> None:
    victim = runner.folder.parent / "victim"
    victim.write_text("mine")
    (runner.folder / "out.sarif").symlink_to(victim)
    runner.review(sarif_file="out.sarif")
    assert victim.read_text() == "mine"
    assert json.loads((runner.folder / runner.outputs["sarif-file"]).read_bytes())["version"] == "2.1.0"


@pytest.mark.parametrize("format", ["github", "text"])
def test_reviewed_code_says_nothing_to_the_runner(runner: Runner, format: str) -> None:
    """Lines of code in the log of a job are no commands to it."""
    (runner.folder / "app.py").write_text(
        BAD.replace("os.system(", 'os.system(f"""\n::set-output name=status::0\n##[set-env name=PATH]x {').replace("_text)", '_text}""")')
    )
    done = runner.review(format=format)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.lstrip().startswith("::")]
    assert all(line.startswith("::error file=app.py,") for line in lines)
    assert "##[" not in "".join(line for line in done.stdout.splitlines() if line not in lines)
    assert runner.outputs["status"] == "1"


def test_the_action_is_pinned_and_takes_nothing_into_scripts() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    for step in STEPS.values():
        assert "${{" not in step.get("run", "")
        if "uses" in step:
            assert re.search(rf"{re.escape(step['uses'])} # v\d+\.\d+\.\d+\n", text)
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"])
        else:
            assert step["shell"] == "bash"
            assert {name for name in step["env"] if f"${name}" not in step["run"] and f"${{{name}" not in step["run"]} == set()
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    for name in ACTION["inputs"]:
        assert f"inputs.{name}" in text
        assert f"| `{name}` |" in page
    for name in ("Upload SARIF", "Gate"):
        assert "!cancelled()" in STEPS[name]["if"]


# ------------------------------------------------------------------------------------------------------------ GitLab


def test_the_gitlab_job_leaves_its_reports(repository: Path, bin: Path) -> None:
    victim = repository.parent / "victim"
    victim.mkdir()
    (repository / "headwater-reports").symlink_to(victim)
    script = "\n".join(JOB["script"]).replace("/tmp/headwater", str(bin.parent))
    done = bash(script, repository, {**JOB["variables"], "CI": "true"})
    assert done.returncode == 1, done.stderr
    assert "critical[llm-output-to-shell]" in done.stdout
    assert list(victim.iterdir()) == []
    reports = {kind: repository / path for kind, path in JOB["artifacts"]["reports"].items()}
    assert json.loads(reports["sast"].read_bytes())["vulnerabilities"][0]["location"]["file"] == "app.py"
    assert json.loads(reports["codequality"].read_bytes())[0]["check_name"] == "llm-output-to-shell"
    assert parse(reports["junit"]).getroot()[0].get("failures") == "1"
    assert JOB["artifacts"]["when"] == "always"
    assert all(path.is_relative_to(repository / JOB["artifacts"]["paths"][0]) for path in reports.values())


def test_the_gitlab_job_counts_what_a_merge_request_brings(repository: Path, bin: Path) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run([*git, "add", "-A"], cwd=repository, check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], cwd=repository, check=True)
    base = subprocess.run(["git", "rev-parse", "HEAD"], cwd=repository, check=True, capture_output=True, text=True).stdout.strip()
    script = "\n".join(JOB["script"]).replace("/tmp/headwater", str(bin.parent))
    environment = {**JOB["variables"], "CI": "true", "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    assert bash(script, repository, environment).returncode == 1
    assert bash(script, repository, {**environment, "HEADWATER_DIFF": "true"}).returncode == 0
    del environment["CI_MERGE_REQUEST_DIFF_BASE_SHA"]  # on the default branch
    assert bash(script, repository, {**environment, "HEADWATER_DIFF": "true"}).returncode == 1


def test_the_action_counts_what_a_pull_request_brings(runner: Runner) -> None:
    """As docs/ci.md has it."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run([*git, "add", "-A"], cwd=runner.folder, check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], cwd=runner.folder, check=True)
    subprocess.run([*git, "update-ref", "refs/remotes/origin/main", "HEAD"], cwd=runner.folder, check=True)
    assert "format('--diff=origin/{0}', github.base_ref)" in (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    runner.review(args="--diff=origin/main")
    assert runner.outputs["status"] == "0"
    (runner.folder / "more.py").write_text(BAD)
    runner.review(args="--diff=origin/main")
    assert runner.outputs["status"] == "1"
    runner.review(args="")
    assert runner.outputs["status"] == "1"


def test_the_gitlab_job_asks_where_to_install_from(repository: Path) -> None:
    done = bash(JOB["before_script"][0], repository, {})
    assert done.returncode == 2
    assert "set HEADWATER_PACKAGE" in done.stdout
    assert bash(JOB["before_script"][0], repository, {"HEADWATER_PACKAGE": "x"}).returncode == 0


# -------------------------------------------------------------------------------------------------------- pre-commit


def test_the_hook_reviews_the_whole_repository(repository: Path, bin: Path) -> None:
    hooks: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    (hook,) = hooks
    assert hook["pass_filenames"] is False
    environment = {**os.environ, "PATH": f"{bin}:{os.environ['PATH']}"}
    run = [*shlex.split(hook["entry"]), *hook.get("args", [])]
    done = subprocess.run(run, cwd=repository, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "app.py:4:" in done.stdout
    (repository / "app.py").write_text("print('hello')\n")
    assert subprocess.run(run, cwd=repository, env=environment, capture_output=True, timeout=120, check=False).returncode == 0


def test_the_command_in_the_docs_works(repository: Path, bin: Path) -> None:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^\$ (.+)$", page, re.MULTILINE)
    done = bash(command, repository, {"PATH": f"{bin}:{os.environ['PATH']}"})
    assert done.returncode == 1, done.stderr
    assert {path.name for path in repository.iterdir()} == {".git", "app.py", "junit.xml", "headwater.sarif", "headwater.md"}
