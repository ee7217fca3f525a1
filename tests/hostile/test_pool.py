"""Workers that crash, hang and lie: each file costs only itself, and the result is the same for any number of processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

import headwater
from headwater import limits
from headwater.files.discover import discover
from headwater.files.read import Entry
from headwater.frontends import pool
from headwater.frontends.pool import Lowered, WorkerError, lower_all

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(headwater.__file__)))


def files(root: Path, texts: Sequence[str]) -> list[Entry]:
    for number, text in enumerate(texts):
        (root / f"{number:03}.py").write_text(text)
    return discover(root).entries


def told(results: Sequence[Lowered]) -> list[object]:
    out: list[object] = []
    for one in results:
        source = one.source and (one.source.path, one.source.data, one.source.digest, one.source.encoding)
        out.append((one.entry, source, one.module, one.gaps))
    return out


def crashes(results: Sequence[Lowered]) -> dict[str, str]:
    return {gap.path: gap.reason for one in results for gap in one.gaps if gap.kind == "crash"}


def test_the_same_for_any_number_of_processes(tmp_path: Path) -> None:
    texts = [f"x = {number}\n" * (number % 7) for number in range(150)]
    texts[3] = "# coding: latin-1\nx = 'é'\n"
    texts[40] = "y = 1\n" * 60_000  # larger than a chunk
    texts[41] = "raise\n"
    texts[42] = "recurse\n"
    texts[43] = "integer\n"
    texts[44] = "malformed\n"
    entries = files(tmp_path, texts)
    (tmp_path / "009.py").unlink()
    here = list(lower_all(entries, 1, lowerer="lowerers:by_text"))
    assert [one.entry for one in here] == entries
    assert set(crashes(here)) == {"041.py", "042.py", "043.py", "044.py"}
    expected = told(here)
    for processes in (2, 3):
        results = list(lower_all(entries, processes, lowerer="lowerers:by_text"))
        assert told(results) == expected
        assert all(one.module == (one.packed and pool.unpack(one.packed)) for one in results)


def test_progress_and_order(tmp_path: Path) -> None:
    entries = files(tmp_path, ["x = 1\n"] * 200)
    seen: list[tuple[int, int]] = []
    for processes in (1, 2):
        seen.clear()
        results = list(lower_all(entries, processes, lambda done, of: seen.append((done, of)), lowerer="lowerers:good"))
        assert [one.entry for one in results] == entries
        assert seen == [(done, 200) for done in range(1, 201)]


def test_no_files() -> None:
    assert list(lower_all([], 2)) == []


def test_crashes_cost_one_file(tmp_path: Path) -> None:
    texts = ["x = 1\n"] * 60
    for number, word in ((5, "segfault"), (6, "exit"), (30, "kill"), (31, "raise"), (59, "exit")):
        texts[number] = word + "\n"
    entries = files(tmp_path, texts)
    results = list(lower_all(entries, 2, lowerer="lowerers:by_text"))
    assert [one.entry for one in results] == entries
    assert crashes(results) == {
        "005.py": "the frontend crashed on it",
        "006.py": "the frontend crashed on it",
        "030.py": "the frontend crashed on it",
        "031.py": "the frontend failed on it (ValueError)",
        "059.py": "the frontend crashed on it",
    }
    assert sum(one.module is not None for one in results) == 55


def test_a_crash_that_is_not_the_files_fault(tmp_path: Path) -> None:
    entries = files(tmp_path, ["x = 1\n", f"kill {tmp_path / 'marker'}\n", "x = 2\n"])
    results = list(lower_all(entries, 2, lowerer="lowerers:once"))
    assert crashes(results) == {}
    assert all(one.module is not None for one in results)


def test_hangs_cost_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FILE_SECONDS", 1.0)
    texts = ["x = 1\n"] * 40
    texts[7] = texts[8] = "hang\n"
    begin = time.monotonic()
    results = list(lower_all(files(tmp_path, texts), 2, lowerer="lowerers:by_text"))
    assert crashes(results) == dict.fromkeys(("007.py", "008.py"), "the frontend gave no answer within 1 seconds")
    assert sum(one.module is not None for one in results) == 38
    assert time.monotonic() - begin < 15


def test_a_slow_caller_is_no_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FILE_SECONDS", 0.5)
    results = []
    for number, one in enumerate(lower_all(files(tmp_path, ["x = 1\n"] * 300), 2, lowerer="lowerers:good")):
        if number == 0:
            time.sleep(1.2)
        results.append(one)
    assert crashes(results) == {}


def test_too_many_crashes_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CRASHES", 2)
    entries = files(tmp_path, ["exit\n"] * 30)
    results = list(lower_all(entries, 2, lowerer="lowerers:by_text"))
    assert [one.entry for one in results] == entries
    assert len(crashes(results)) == 30
    assert "not looked at: the frontend crashed on too many files" in crashes(results).values()


def test_memory_is_bounded(tmp_path: Path) -> None:
    results = list(lower_all(files(tmp_path, ["memory\n", "x = 1\n"]), 2, lowerer="lowerers:by_text"))
    assert crashes(results) == {"000.py": "the frontend failed on it (MemoryError)"}


def test_what_a_parser_prints_is_no_answer(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    results = list(lower_all(files(tmp_path, ["print\n", "x = 1\n"]), 2, lowerer="lowerers:by_text"))
    assert all(one.module is not None for one in results)
    assert capfd.readouterr() == ("", "")


def test_workers_that_cannot_start(tmp_path: Path) -> None:
    with pytest.raises(WorkerError):
        list(lower_all(files(tmp_path, ["x = 1\n"] * 3), 2, lowerer="no_such_module:lower"))


def test_a_worker_that_ends_as_it_starts_gets_a_second_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the system ends it because memory runs out."""
    modules, code = tmp_path / "modules", tmp_path / "code"
    modules.mkdir()
    code.mkdir()
    marker = f"{str(tmp_path / 'marker')!r}"
    text = f"import os\nif not os.path.exists({marker}):\n    open({marker}, 'w')\n    os._exit(1)\nfrom lowerers import good\n"
    (modules / "ends_once.py").write_text(text)
    monkeypatch.syspath_prepend(modules)
    results = list(lower_all(files(code, ["x = 1\n"] * 3), 2, lowerer="ends_once:good"))
    assert all(one.module is not None for one in results)
    assert (tmp_path / "marker").exists()


def children() -> list[int]:
    """Processes that this one began and that still are there, zombies included."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it ended meanwhile
            continue
        if parent == os.getpid():
            found.append(int(folder.name))
    return found


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")


@needs_proc
def test_closing_ends_all_workers(tmp_path: Path) -> None:
    threads, before = threading.active_count(), children()
    results = lower_all(files(tmp_path, ["x = 1\n"] * 100), 2, lowerer="lowerers:slow")
    next(results)
    assert len(children()) == len(before) + 2
    results.close()  # type: ignore[attr-defined]
    assert children() == before
    assert threading.active_count() == threads


@needs_proc
def test_all_ends_after_the_last_file(tmp_path: Path) -> None:
    threads, before = threading.active_count(), children()
    list(lower_all(files(tmp_path, ["x = 1\n"] * 100), 2, lowerer="lowerers:good"))
    assert children() == before
    assert threading.active_count() == threads


def test_interrupt_ends_all_workers(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number}.py").write_text("x = 1\n")
    program = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background of a shell inherits that it is ignored
sys.path[:0] = [{SOURCE!r}, {os.path.dirname(__file__)!r}]
from headwater.files.discover import discover
from headwater.frontends.pool import lower_all
for one in lower_all(discover({str(tmp_path)!r}).entries, 2, lowerer="lowerers:slow"):
    print("one", flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes of the group
    _, errors = process.communicate(timeout=20)
    assert process.returncode in (-signal.SIGINT, 130)
    assert errors.count("Traceback") == 1  # the parent's own; workers say nothing
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_workers_import_nothing_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = tmp_path / "executed"
    for name in ("json", "sys", "multiprocessing", "msgspec", "headwater", "signal", "encodings", "sitecustomize", "usercustomize"):
        (tmp_path / f"{name}.py").write_text(f"open({str(marker)!r}, 'w')\n")
    entries = discover(tmp_path).entries
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), *sys.path])
    results = list(lower_all(entries, 2, lowerer="lowerers:good"))
    assert all(one.module is not None for one in results)
    assert not marker.exists()


def test_an_answer_that_is_too_long_or_cut(tmp_path: Path) -> None:
    for data in (b"\xff" * 8, b"\0" * 7 + b"\5abc", b"", b"\0\0"):
        (tmp_path / "stream").write_bytes(data)
        with open(tmp_path / "stream", "rb") as stream:
            assert pool._receive(stream, 100) is None
    assert pool._decoded(b"\x93\1\2\3") is None


def test_chunks_hold_every_file_once() -> None:
    sizes = [0, 0, 5, limits.CHUNK_BYTES, limits.CHUNK_BYTES * 3, 10, limits.CHUNK_BYTES - 1] + [1] * 500
    entries = [Entry(str(number), "", size, "python") for number, size in enumerate(sizes)]
    chunks = pool._chunks(entries)
    assert sorted(index for chunk in chunks for index in chunk) == list(range(len(sizes)))
    assert chunks[:2] == [[4], [3]]
    assert all(len(chunk) <= limits.CHUNK_FILES for chunk in chunks)
    assert pool._chunks([]) == []
