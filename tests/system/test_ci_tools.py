"""The action, the GitLab job, the hook and the JUnit report: installed for real, and checked by the schemas and tools of others."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
TOOLS = Path(os.environ.get("HEADWATER_SYSTEM_TOOLS", ROOT / "build" / "system" / "venv" / "bin"))
BAD = "import os\nfrom openai import OpenAI\n\nos.system(OpenAI().responses.create(input='x').output_text)\n"


def check(*command: object, cwd: Path = ROOT, **environment: str) -> str:
    """What a tool says that must succeed."""
    done = run(*command, cwd=cwd, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run(*command: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    arguments = [str(part) for part in command]
    return subprocess.run(arguments, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=600, check=False)


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / "docs" / "ci.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_files_fit_the_schemas(tmp_path: Path) -> None:
    schema = (TOOLS / "check-jsonschema", "--builtin-schema")
    check(*schema, "vendor.github-actions", "action.yml")
    check(*schema, "vendor.gitlab-ci", "--data-transform", "gitlab-ci", "ci/gitlab/headwater.gitlab-ci.yml")
    check(TOOLS / "pre-commit", "validate-manifest", ".pre-commit-hooks.yaml")
    github, pull_requests, gitlab, hook = examples("yaml")
    before, steps, _ = github.partition("    steps:\n")
    files = {"workflow.yml": github, "pull.yml": before + steps + pull_requests, "gitlab.yml": gitlab, ".pre-commit-config.yaml": hook}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    check(*schema, "vendor.github-workflows", tmp_path / "workflow.yml", tmp_path / "pull.yml")
    check(*schema, "vendor.gitlab-ci", tmp_path / "gitlab.yml")
    check(TOOLS / "pre-commit", "validate-config", tmp_path / ".pre-commit-config.yaml")


def test_the_action_is_safe() -> None:
    """zizmor, with its strictest persona."""
    assert "No findings to report" in check(TOOLS / "zizmor", "--offline", "--persona", "auditor", "action.yml")


@pytest.mark.parametrize("example", ["vulnerable", "fixed"])
def test_junit_fits_the_schema_of_jenkins(example: str, tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    arguments = ["--format", "junit", "--output", str(report), "--persona", "audit", "--fail-on", "never", "--quiet"]
    check(sys.executable, "-P", "-m", "headwater", "review", ROOT / "examples" / example, *arguments)
    check(TOOLS / "xmlschema-validate", "--schema", "tests/data/junit-10.xsd", report)
    report.write_text("<testsuites><testsuite/></testsuites>")
    assert run(TOOLS / "xmlschema-validate", "--schema", "tests/data/junit-10.xsd", report, cwd=ROOT).returncode != 0


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A checkout with modules that must not be imported, named as what the scripts run."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("pip", "venv", "ensurepip", "headwater", "click", "msgspec", "yaml", "json", "site", "sitecustomize"):
        (folder / f"{name}.py").write_text("raise SystemExit('imported from the checkout')\n")
    (folder / "app.py").write_text(BAD)
    return folder


def test_the_action_installs_itself(hostile: Path, tmp_path: Path) -> None:
    steps = {step["name"]: step for step in yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]}
    output = tmp_path / "output"
    places = {"RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    bash = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
    check(*bash, steps["Install Headwater"]["run"], cwd=hostile, HEADWATER_PYTHON=sys.executable, GITHUB_ACTION_PATH=str(ROOT), **places)
    bin = output.read_text().partition("bin=")[2].strip()
    inputs = {"HEADWATER_PATH": ".", "HEADWATER_FAIL_ON": "high", "HEADWATER_FORMAT": "github", "HEADWATER_SARIF": "", "HEADWATER_ARGS": ""}
    assert "::error file=app.py,line=4" in check(*bash, steps["Review"]["run"], cwd=hostile, HEADWATER_BIN=bin, **inputs, **places)
    assert "status=1\n" in output.read_text()


def test_the_gitlab_job_installs_what_it_is_told(hostile: Path, tmp_path: Path) -> None:
    job = yaml.safe_load((ROOT / "ci" / "gitlab" / "headwater.gitlab-ci.yml").read_text(encoding="utf-8"))["headwater"]
    script = "\n".join([*job["before_script"], *job["script"]]).replace("/tmp/headwater", str(tmp_path / "env"))
    script = script.replace("python -I -m venv", f"{sys.executable} -I -m venv")
    done = run("bash", "-eo", "pipefail", "-c", script, cwd=hostile, HEADWATER_PACKAGE=str(ROOT), **job["variables"])
    assert done.returncode == 1, done.stderr
    assert "critical[llm-output-to-shell]" in done.stdout
    assert all((hostile / path).is_file() for path in job["artifacts"]["reports"].values())


def test_pre_commit_runs_the_hook(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    folder.mkdir()
    check("git", "init", "-q", cwd=folder)
    (folder / "app.py").write_text(BAD)
    check("git", "add", ".", cwd=folder)
    done = run(TOOLS / "pre-commit", "try-repo", ROOT, "headwater", cwd=folder, PRE_COMMIT_HOME=str(tmp_path / "home"))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "app.py:4:" in done.stdout
