"""What is kept of earlier reviews changes no report, however old, broken or hostile it is."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import headwater
from headwater import cache as cache_module
from headwater import pipeline
from headwater.cache import Cache, default_folder
from headwater.config import Config
from headwater.files.read import Entry
from headwater.findings import Review
from headwater.frontends import tree
from headwater.reports import json_v1
from headwater.reports.view import view
from headwater.rules.load import load_rules
from suites.suites import suites, write

VULNERABLE = Path(__file__).parent.parent / "examples" / "vulnerable"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(VULNERABLE, tmp_path / "project"))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def reviewed(project: Path, store: Path | None, processes: int = 1) -> Review:
    return headwater.review(project, Config(processes=processes, cache=str(store) if store else ""))


def report(project: Path, store: Path | None) -> bytes:
    config = Config(persona="audit")
    return json_v1.render(view(reviewed(project, store), config, load_rules(), "0"))


def command_of(project: Path, processes: int) -> list[str]:
    options = ["--format", "json", "--fail-on", "never", "--processes", str(processes)]
    return [sys.executable, "-P", "-m", "headwater", "review", str(project), *options]


def kept(store: Path) -> list[Path]:
    return sorted(path for path in store.rglob("*") if path.is_file())


@pytest.fixture
def lowered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are parsed from here on."""
    paths: list[str] = []
    real: Callable[..., Any] = tree.lower_all

    def spy(entries: Sequence[Entry], *args: Any) -> Any:
        paths.extend(entry.path for entry in entries)
        return real(entries, *args)

    monkeypatch.setattr(tree, "lower_all", spy)
    return paths


@pytest.fixture
def analysed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each analysis from here on."""
    made: list[int] = []
    real: Callable[..., Any] = pipeline._analysed

    def spy(*args: Any) -> Any:
        made.append(1)
        return real(*args)

    monkeypatch.setattr(pipeline, "_analysed", spy)
    return made


def test_a_second_review_parses_and_analyses_nothing(project: Path, store: Path, lowered: list[str], analysed: list[int]) -> None:
    cold = report(project, store)
    assert len(lowered) == len(list(project.rglob("*.py")))
    lowered.clear()
    analysed.clear()
    assert report(project, store) == cold == report(project, None)
    assert len(lowered) == len(list(project.rglob("*.py")))  # of the review without a cache
    assert analysed == [1]


def test_a_comment_at_the_end_needs_no_analysis(project: Path, store: Path, lowered: list[str], analysed: list[int]) -> None:
    report(project, store)
    lowered.clear()
    analysed.clear()
    changed = next(iter(sorted(project.rglob("*.py"))))
    with changed.open("a") as file:
        file.write("\n# nothing\n")
    assert report(project, store) == report(project, None)
    assert lowered[0] == changed.relative_to(project).as_posix()
    assert analysed == [1]  # that without a cache


def test_a_change_is_analysed_and_only_that_file_is_parsed(project: Path, store: Path, lowered: list[str]) -> None:
    before = report(project, store)
    lowered.clear()
    (project / "new.py").write_text("import os\nfrom flask import request\n\n\ndef run():\n    os.system(request.args['c'])\n")
    after = report(project, store)
    assert lowered == ["new.py"]
    assert after != before
    assert after == report(project, None)


def test_what_decides_and_is_no_code_counts(project: Path, store: Path) -> None:
    """Declared versions, the rules that are on, suppressions."""
    (project / "load.py").write_text("import torch\n\n\ndef load(path):\n    return torch.load(path)\n")
    old = report(project, store)
    (project / "requirements.txt").write_text("torch==2.8.0\n")
    new = report(project, store)
    assert new == report(project, None)
    assert new != old
    (project / "load.py").write_text("import torch\n\n\ndef load(path):\n    return torch.load(path)  # headwater: ignore[x] y\n")
    assert report(project, store) == report(project, None)
    off = Config(cache=str(store), rules={"tool-args-to-path": None})
    plain = Config(rules={"tool-args-to-path": None})
    assert headwater.review(project, off).findings == headwater.review(project, plain).findings


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Scripts and components that import each other, beside their package and a compiled twin."""
    (page,) = [suite for suite in suites() if suite.name == "components"]
    root = tmp_path / "scripts"
    for number, case in enumerate(page.cases[:4]):
        write(case.files, root / f"case{number}" / "src")
    (forms,) = [suite for suite in suites() if suite.name == "script_forms"]
    write(forms.cases[0].files, root / "forms" / "src")
    (root / "forms" / "dist").mkdir()
    shutil.copy(root / "forms" / "src" / "ask.ts", root / "forms" / "dist" / "ask.js")
    (root / "package.json").write_text('{"name": "scripts", "main": "forms/dist/ask.js"}')
    return root


@pytest.mark.parametrize("kind", ["project", "scripts"])
def test_random_edits(kind: str, store: Path, request: pytest.FixtureRequest) -> None:
    """Warm equals cold after any edits: lines deleted, doubled, swapped, functions cut, comments, renamed files."""
    project: Path = request.getfixturevalue(kind)
    chance = random.Random(20)
    assert b'"rule"' in report(project, store)
    for _ in range(25 if kind == "project" else 15):
        path = chance.choice(sorted(path for path in project.rglob("*.*") if path.suffix in (".py", ".ts", ".js", ".vue", ".svelte")))
        lines = path.read_text().splitlines(keepends=True) or ["\n"]
        at = chance.randrange(len(lines))
        match chance.randrange(6):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[at])
            case 2:
                lines.insert(at, "# a comment\n" if path.suffix == ".py" else "// a comment\n")
            case 3:
                lines[at], lines[-1] = lines[-1], lines[at]
            case 4:
                lines = lines[:at]
            case _:
                path.rename(path.with_name(f"moved{at}_{path.name}"))
                continue
        path.write_text("".join(lines))
        assert report(project, store) == report(project, None)


@pytest.mark.parametrize("seed", range(6))
def test_broken_files(project: Path, store: Path, seed: int) -> None:
    """Flipped bytes, lost ends, other data, folders and links in place of files."""
    chance = random.Random(seed)
    cold = report(project, store)
    for path in kept(store):
        data = bytearray(path.read_bytes())
        match chance.randrange(5):
            case 0:
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
                path.write_bytes(data)
            case 1:
                path.write_bytes(data[: chance.randrange(len(data))])
            case 2:
                path.write_bytes(chance.randbytes(200))
            case 3:
                path.unlink()
                path.mkdir()
            case _:
                path.unlink()
                path.symlink_to("/etc/passwd")
    assert report(project, store) == cold
    assert report(project, store) == cold


def test_a_whole_file_of_another_form_is_no_surprise(project: Path, store: Path) -> None:
    """With a digest that fits: typed decoding refuses it."""
    cold = report(project, store)
    cache = Cache(str(store), project)
    for path in kept(store):
        name = path.relative_to(store).as_posix()
        for wrong in ([], {"a": 1}, [[[]]], "text", [1, 2, 3, 4, 5]):
            cache._save(name, wrong)
            assert report(project, store) == cold


def test_a_folder_that_others_may_write_to_is_not_used(project: Path, store: Path) -> None:
    store.mkdir()
    store.chmod(0o777)
    assert "others may write to it" in reviewed(project, store).notice
    assert kept(store) == []


def test_a_folder_inside_the_repository_is_not_used(project: Path) -> None:
    inside = project / "cache"
    assert "inside the reviewed folder" in reviewed(project, inside).notice
    assert kept(inside) == []
    link = project.parent / "link"
    link.symlink_to(project)
    assert "inside the reviewed folder" in reviewed(project, link / "cache").notice


def test_a_folder_that_cannot_be_made(project: Path, store: Path) -> None:
    store.write_text("a file")
    review = reviewed(project, store)
    assert "cannot be made" in review.notice
    assert review.findings


def test_a_full_disk(project: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing half-written is left, and the report is whole."""
    cold = report(project, None)
    count = 0

    def full(source: str, target: str) -> None:
        nonlocal count
        count += 1
        if count > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        os.rename(source, target)

    monkeypatch.setattr(cache_module.os, "replace", full)
    review = reviewed(project, store)
    assert "No space left on device" in review.notice
    assert len(kept(store)) == 3
    monkeypatch.undo()
    assert report(project, store) == cold == report(project, store)


def test_its_size_is_bounded(project: Path, store: Path) -> None:
    """What was not used lately goes first."""
    report(project, store)
    files = sorted(kept(store), key=lambda path: -path.stat().st_size)
    for age, path in enumerate(files):
        os.utime(path, (1_000_000 + age, 1_000_000 + age))
    sizes = [path.stat().st_size for path in files]
    cache = Cache(str(store), project)
    cache.shrink(1)
    assert len(kept(store)) == len(files)  # a run that has added nothing removes nothing
    cache.written = 1
    cache.shrink(sum(sizes) - 1)
    left = set(kept(store))
    first = next(number for number in range(len(files)) if sum(sizes[number:]) <= (sum(sizes) - 1) * 3 // 4)
    assert left == set(files[first:])


def test_runs_at_the_same_time(project: Path, store: Path) -> None:
    command = command_of(project, 1)
    environment = dict(os.environ, HEADWATER_CACHE=str(store), PYTHONPATH=os.pathsep.join(sys.path))
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(3)]
    made = [one.communicate(timeout=120)[0] for one in running]
    assert made[0].startswith(b"{")
    assert made[0] == made[1] == made[2]
    assert subprocess.run(command, env=environment, capture_output=True, timeout=120).stdout == made[0]


def test_a_killed_run_leaves_a_usable_cache(project: Path, store: Path) -> None:
    command = command_of(project, 2)
    environment = dict(os.environ, HEADWATER_CACHE=str(store), PYTHONPATH=os.pathsep.join(sys.path))
    for seconds in (0.3, 0.8, 1.2, 1.6):
        running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            running.wait(seconds)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
    assert report(project, store) == report(project, None)


def test_where_it_is() -> None:
    assert default_folder({"HEADWATER_CACHE": "off"}) == ""
    assert default_folder({"HEADWATER_CACHE": ""}) == ""
    assert default_folder({"HEADWATER_CACHE": "/x"}) == "/x"
    if sys.platform == "linux":
        assert default_folder({"XDG_CACHE_HOME": "/somewhere"}) == "/somewhere/headwater"
        assert default_folder({"XDG_CACHE_HOME": "relative"}) == ""
