"""Killed workers, a killed review, an interrupt, a full disk: nothing is lost but that run, nothing is left behind, and a line says why."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path

import pytest

import headwater.__main__
from headwater.cli import output, run
from headwater.files.discover import discover
from headwater.frontends.pool import lower_all

SOURCE = Path(headwater.__main__.__file__).parent.parent
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")
FUNCTION = "def f{0}(a, b):\n    if a > {0}:\n        return [str(x) for x in b if x.y]\n    return a.z['k'] + str(b)\n\n\n"


def made(root: Path, files: int, functions: int) -> Path:
    text = "import os\nfrom flask import request\n\n\n" + "".join(FUNCTION.format(number) for number in range(functions))
    for number in range(files):
        (root / f"m{number:02}.py").write_text(f"{text}def way_in():\n    os.system(request.args['x'])\n")
    return root


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("project"), 80, 4)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Takes seconds to be reviewed."""
    return made(tmp_path_factory.mktemp("large"), 60, 200)


def begun(project: Path, *arguments: str, processes: int = 2, cache: str = "off") -> subprocess.Popen[bytes]:
    """A review as a shell begins it in the foreground: in a group of its own, with interrupts as they are by default."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "headwater", "review", str(project), "--processes", str(processes), "--format", "json", *arguments],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "HEADWATER_CACHE": cache},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def processes_of(group: int) -> list[int]:
    """The processes of a group besides its leader, zombies not included."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(fields[2]) == group and fields[0] != "Z" and int(folder.name) != group:
            found.append(int(folder.name))
    return found


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture(scope="module")
def undisturbed(project: Path) -> bytes:
    report: bytes = begun(project, processes=1).communicate(timeout=120)[0]
    assert report.startswith(b"{")
    return report


@needs_proc
@pytest.mark.parametrize("number", [1, 2], ids=["one", "both"])
def test_a_killed_worker_changes_nothing(project: Path, undisturbed: bytes, number: int) -> None:
    review = begun(project)
    until(lambda: len(processes_of(review.pid)) == 2)
    for worker in processes_of(review.pid)[:number]:
        os.kill(worker, signal.SIGKILL)
    report, errors = review.communicate(timeout=120)
    assert report == undisturbed, errors


@needs_proc
def test_workers_that_are_killed_at_work_lose_no_file(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number:02}.py").write_text("x = 1\n")
    results = lower_all(discover(tmp_path).entries, 2, lowerer="lowerers:slow")
    found = [next(results)]
    for worker in [pid for pid in processes_of(os.getpgid(0)) if b"lowerers:slow" in Path(f"/proc/{pid}/cmdline").read_bytes()]:
        os.kill(worker, signal.SIGKILL)
    found += results
    assert [one.gaps for one in found] == [[]] * 30
    assert all(one.module is not None for one in found)


@needs_proc
def test_a_killed_review_leaves_no_worker_and_a_good_cache(project: Path, undisturbed: bytes, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    review = begun(project, cache=cache)
    until(lambda: len(processes_of(review.pid)) == 2)
    review.kill()
    review.communicate()
    until(lambda: not processes_of(review.pid))
    for _ in range(2):
        assert begun(project, cache=cache).communicate(timeout=120)[0] == undisturbed


@needs_proc
def test_workers_at_work_end_when_the_parent_is_killed(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"{number}.py").write_text("x = 1\n")
    program = f"""
import sys
sys.path[:0] = [{str(SOURCE)!r}, {os.path.dirname(__file__)!r}]
from headwater.files.discover import discover
from headwater.frontends.pool import lower_all
for one in lower_all(discover({str(tmp_path)!r}).entries, 2, lowerer="lowerers:slow"):
    print("one", flush=True)
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True)
    assert parent.stdout is not None
    parent.stdout.readline()
    assert len(processes_of(parent.pid)) == 2
    parent.kill()
    parent.communicate()
    until(lambda: not processes_of(parent.pid), 5)


@needs_proc
@pytest.mark.parametrize(("processes", "seconds"), [(2, 0.0), (2, 0.6), (1, 0.7), (1, 1.5)])
def test_an_interrupt_ends_at_once_and_in_one_line(large: Path, processes: int, seconds: float, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text("old")
    review = begun(large, "--output", str(report), processes=processes)
    if processes > 1:
        until(lambda: len(processes_of(review.pid)) == processes)
    time.sleep(seconds)
    assert review.poll() is None
    began = time.monotonic()
    os.killpg(review.pid, signal.SIGINT)  # as a terminal does: to all processes of the group
    out, errors = review.communicate(timeout=20)
    assert time.monotonic() - began < 2
    assert (review.returncode, out, errors.strip()) == (130, b"", b"headwater: interrupted")
    assert processes_of(review.pid) == []
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    assert report.read_text() == "old"


def test_an_interrupt_while_modules_are_imported(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    class Interrupted(types.ModuleType):
        def __getattr__(self, name: str) -> object:
            raise KeyboardInterrupt

    def ended(status: int) -> None:
        raise SystemExit(status)

    monkeypatch.setitem(sys.modules, "headwater.cli", Interrupted("headwater.cli"))
    monkeypatch.setattr(os, "_exit", ended)
    monkeypatch.setattr(headwater.__main__.gc, "disable", lambda: None)
    with pytest.raises(SystemExit) as status:
        headwater.__main__.main()
    assert status.value.code == 130
    assert capfd.readouterr() == ("", "headwater: interrupted\n")


def test_an_interrupt_while_the_report_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = tmp_path / "report.json"
    report.write_text("old")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    for step in ("fchmod", "replace"):
        with monkeypatch.context() as here:
            here.setattr(output.os, step, interrupted)
            with pytest.raises(KeyboardInterrupt):
                output.write(str(report), b"new")
        assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
        assert report.read_text() == "old"


def test_a_disk_that_is_full_before_the_report_is_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The system's own limit on files stands for it: the first kilobyte can be written."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text("x = 1\n")
    report = tmp_path / "report.sarif"
    report.write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_024, before[1]))
    try:
        status = run(["review", str(tmp_path / "code"), "-q", "--no-cache", "--format", "sarif", "--output", str(report)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert status == 2
    assert capsys.readouterr().err == f"headwater: cannot write {report}: File too large\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["code", "report.sarif"]
    assert report.read_text() == "old"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_a_folder_in_which_nothing_can_be_written(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    assert run(["review", str(tmp_path), "-q", "--format", "json", "--output", "/proc/report.json"]) == 2
    assert capsys.readouterr().err.startswith("headwater: cannot write /proc/report.json: ")


@pytest.mark.parametrize(
    ("redirected", "status", "errors"),
    [
        (">&-", 2, "headwater: cannot write to standard output: it is closed\n"),
        ("> /dev/full", 2, "headwater: cannot write to standard output: No space left on device\n"),
        ("> /dev/null 2> /dev/full", 0, ""),
        ("--no-such 2> /dev/full", 2, ""),
        ("--no-such 2>&-", 2, ""),
    ],
)
def test_streams_that_are_closed_or_full(tmp_path: Path, redirected: str, status: int, errors: str) -> None:
    """The status is never that of a failed gate."""
    (tmp_path / "a.py").write_text("x = 1\n")
    command = f'"$1" -P -m headwater review "$2" --format json {redirected}'
    done = subprocess.run(
        ["sh", "-c", command, "sh", sys.executable, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "HEADWATER_CACHE": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (status, errors)
