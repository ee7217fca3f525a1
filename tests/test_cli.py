"""The command line: exit status, where reports go, what is said when something is wrong."""

from __future__ import annotations

import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import msgspec
import pytest

import headwater
from headwater.cli import run
from headwater.config import Config, Format
from headwater.files.source import Source
from headwater.findings import Confidence, Coverage, Finding, Gap, Place, Review, Severity

SOURCE = Source("a.py", b"exec(x)\n")
WHOLE = Coverage(1, 1, 1, {"python": 1}, (), {})
PARTIAL = msgspec.structs.replace(WHOLE, gaps=(Gap("parse-error", "b.py", 1, "broken"),))
NOTHING = msgspec.structs.replace(WHOLE, files=0)
BUDGET = msgspec.structs.replace(WHOLE, gaps=(Gap("too-many", "", 0, "more than 200,000 files"),))


def finding(severity: Severity = Severity.HIGH, confidence: Confidence = Confidence.HIGH) -> Finding:
    return Finding(
        "llm-output-to-code", "T", "M.", severity, confidence, Place("a.py", 0, 7), "f", "code", "env", "exec(x)", 0, (), "F.", (95,), ()
    )


Set = Callable[..., None]


@pytest.fixture
def result(monkeypatch: pytest.MonkeyPatch) -> Set:
    """Sets what the review finds."""

    def set_result(*findings: Finding, coverage: Coverage = WHOLE) -> None:
        found = Review("/nowhere", findings, coverage, {"a.py": SOURCE})
        monkeypatch.setattr(headwater, "review", lambda path, config=None, progress=None: found)

    set_result()
    return set_result


@pytest.mark.parametrize(
    ("findings", "coverage", "arguments", "status"),
    [
        ([], WHOLE, [], 0),
        ([finding()], WHOLE, [], 1),
        ([finding()], WHOLE, ["--fail-on", "critical"], 0),
        ([finding()], WHOLE, ["--fail-on", "never"], 0),
        ([finding(Severity.MEDIUM)], WHOLE, [], 0),
        ([finding(Severity.MEDIUM)], WHOLE, ["--fail-on", "medium"], 1),
        ([finding(confidence=Confidence.LOW)], WHOLE, ["--min-confidence", "medium"], 0),
        ([], PARTIAL, [], 0),
        ([], PARTIAL, ["--strict-coverage"], 3),
        ([], NOTHING, [], 3),
        ([], BUDGET, [], 3),
        ([finding()], PARTIAL, ["--strict-coverage"], 1),
        ([finding()], BUDGET, [], 1),
    ],
)
def test_exit_status(result: Set, tmp_path: Path, findings: list[Finding], coverage: Coverage, arguments: list[str], status: int) -> None:
    result(*findings, coverage=coverage)
    assert run(["review", str(tmp_path), "-q", *arguments]) == status


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["review", "missing"], "'missing' does not exist"),
        (["review", "--format", "xml"], "'xml' is not one of"),
        (["review", "--fail-on", "all"], "'all' is not one of"),
        (["review", "--processes", "0"], "0 is not in the range"),
        (["review", "--output", "x.json"], "x.json has no --format"),
        (["review", "--format", "json", "--format", "sarif"], "Only one format can go to standard output"),
        (["review", "--format", "json", "--output", "x", "--format", "sarif", "--output", "./x"], "the same file"),
        (["review", "--format", "json", "--output", "missing/x"], "there is no folder"),
        (["review", "--format", "json", "--output", "."], "it is a folder"),
        (["unknown"], "No such command 'unknown'"),
        (["review", "--unknown"], "No such option"),
    ],
)
def test_usage_errors(
    result: Set, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert list(tmp_path.iterdir()) == []


def test_machine_formats_have_standard_output_for_themselves(result: Set, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result(finding())
    assert run(["review", str(tmp_path), "--format", "json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["schema"] == "headwater-review"
    assert captured.err == "headwater: 1 finding, gate failed, coverage complete\n"


def test_the_nth_output_belongs_to_the_nth_format(result: Set, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    arguments = ["--format", "sarif", "--format", "json", "--format", "text", "--output", str(one), "--output", str(two), "-q"]
    assert run(["review", str(tmp_path), *arguments]) == 0
    assert json.loads(one.read_bytes())["version"] == "2.1.0"
    assert json.loads(two.read_bytes())["version"] == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("No findings.\n")
    assert captured.err == ""


@pytest.mark.parametrize("format", get_args(Format))
def test_every_format_names_the_finding(result: Set, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], format: Format) -> None:
    result(finding())
    if format == "pdf":
        pytest.skip("its text is packed: tests/system reads it")
    target = tmp_path / "report"
    assert run(["review", str(tmp_path), "-q", "--format", format, "--output", str(target)]) == 1
    assert b"llm-output-to-code" in target.read_bytes()
    assert run(["review", str(tmp_path), "-q", "--format", format]) == 1
    assert b"llm-output-to-code" in capsysbinary.readouterr().out


def test_a_wrong_time_is_an_error_before_the_review(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "now")
    monkeypatch.setattr(headwater, "review", None)
    assert run(["review", str(tmp_path), "--format", "gitlab-sast"]) == 2
    assert capsys.readouterr().err == "headwater: SOURCE_DATE_EPOCH is not a number of seconds: 'now'\n"


@pytest.mark.parametrize(("error", "said"), [(ImportError(), "pip install 'headwater[pdf]'"), (OSError(), "needs Pango")])
def test_what_a_pdf_needs_is_asked_for_before_the_review(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], error: Exception, said: str
) -> None:
    from headwater.reports import pdf

    def missing(name: str) -> None:
        raise error

    monkeypatch.setattr(pdf, "importlib", SimpleNamespace(import_module=missing))
    monkeypatch.setattr(headwater, "review", None)
    assert run(["review", str(tmp_path), "--format", "pdf", "--output", str(tmp_path / "report.pdf")]) == 2
    assert said in capsys.readouterr().err


def test_outputs_are_replaced_as_a_whole(result: Set, tmp_path: Path) -> None:
    target, link = tmp_path / "report.json", tmp_path / "link.json"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    assert run(["review", str(tmp_path), "-q", "--format", "json", "--output", str(link)]) == 0
    assert link.is_symlink()
    assert json.loads(target.read_bytes())["version"] == 1
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.json", "report.json"]


def test_a_full_device_is_an_error_in_words(result: Set, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["review", str(tmp_path), "-q", "--format", "json", "--output", "/dev/full"]) == 2
    assert "headwater: cannot write /dev/full: No space left on device" in capsys.readouterr().err


def test_a_crash_is_status_3_and_says_where(
    result: Set, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(path: Path, config: Config | None = None, progress: object = None) -> Review:
        raise RuntimeError("lost \x1b[2J")

    monkeypatch.setattr(headwater, "review", broken)
    assert run(["review", str(tmp_path)]) == 3
    error = capsys.readouterr().err
    assert "internal error at test_cli.py:" in error
    assert r"RuntimeError: lost \x1b[2J" in error


def test_an_interrupt_is_no_finding(result: Set, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(path: Path, config: Config | None = None, progress: object = None) -> Review:
        raise KeyboardInterrupt

    monkeypatch.setattr(headwater, "review", interrupted)
    assert run(["review", str(tmp_path)]) == 130


def headwater_process(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "headwater", *arguments], capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def test_version_is_quick() -> None:
    headwater_process("--version")  # fills the file cache
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = headwater_process("--version")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stdout == f"headwater {headwater.__version__}\n"
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.15


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["review", "--help"]])
def test_help(arguments: list[str]) -> None:
    done = headwater_process(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Exit status" in done.stdout


def test_no_command_shows_the_help() -> None:
    done = headwater_process()
    assert done.returncode == 2
    assert "review" in done.stderr


def test_a_closed_pipe_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "headwater", "review", str(tmp_path), "--format", "json", "-q"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert done.returncode == 2
    assert done.stderr == "headwater: standard output was closed before the report was written whole\n"


@pytest.mark.parametrize("arguments", [[], ["--format", "json"], ["--format", "sarif"]])
def test_standard_output_of_any_encoding(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "ü.py").write_text("import os, sys\nos.system('ls ' + sys.argv[1])  # 波\n")
    done = headwater_process("review", str(tmp_path), "--persona", "audit", *arguments, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode in (0, 1), done.stderr
