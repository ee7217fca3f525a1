"""Trees made to escape, to exhaust or to hide."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater import limits
from headwater.files.discover import Discovery, discover
from headwater.files.read import read_source
from headwater.findings import Gap


def paths(found: Discovery) -> list[str]:
    return [entry.path for entry in found.entries]


def gaps(found: Discovery, kind: str) -> list[Gap]:
    return [gap for gap in found.gaps if gap.kind == kind]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.py").write_text("x = 1\n")
    return root


def test_links_out_of_the_root(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.py").write_text("secret\n")
    (tmp_path / "rootless.py").write_text("secret\n")
    (tree / "folder").symlink_to(tmp_path / "out")
    (tree / "b.py").symlink_to("../out/b.py")
    (tree / "c.py").symlink_to(tmp_path / "rootless.py")  # its path begins with that of the root, as text
    (tree / "d.py").symlink_to("/etc/passwd")
    found = discover(tree)
    assert paths(found) == ["a.py"]
    assert [(gap.path, gap.partial) for gap in gaps(found, "symlink")] == [(name, False) for name in ("b.py", "c.py", "d.py", "folder")]


def test_loops(tree: Path) -> None:
    (tree / "self").symlink_to("self")
    (tree / "self.py").symlink_to("self.py")
    (tree / "pkg").mkdir()
    (tree / "pkg" / "up").symlink_to("..")
    (tree / "pkg" / "root").symlink_to(tree)
    (tree / "ping.py").symlink_to("pong.py")
    (tree / "pong.py").symlink_to("ping.py")
    found = discover(tree)
    assert paths(found) == ["a.py"]
    assert {gap.path: gap.partial for gap in gaps(found, "symlink")} == {
        "self.py": False,
        "ping.py": False,
        "pong.py": False,
        "pkg/up": False,
        "pkg/root": False,
    }


def test_links_inside_the_root(tree: Path) -> None:
    (tree / "again.py").symlink_to("a.py")
    (tree / "payload.txt").write_text("import os\n")
    (tree / "hidden.py").symlink_to("payload.txt")  # importable, though no file of that name is source
    (tree / "twice.py").symlink_to("payload.txt")
    (tree / "node_modules").mkdir()
    (tree / "node_modules" / "b.py").write_text("x = 1\n")
    (tree / "pkg").symlink_to("node_modules")
    (tree / "LICENSE").symlink_to("payload.txt")
    found = discover(tree)
    assert paths(found) == ["a.py", "hidden.py"]
    source, _ = read_source(found.entries[1])
    assert source is not None
    assert source.path == "hidden.py"
    assert source.data == b"import os\n"
    assert {gap.path: gap.partial for gap in gaps(found, "symlink")} == {"again.py": False, "twice.py": False, "pkg": True}


def test_many_links_do_not_drown_the_ledger(tree: Path) -> None:
    for number in range(limits.GAPS_OF_KIND + 50):
        (tree / f"l{number}.py").symlink_to("/nowhere")
    found = gaps(discover(tree), "symlink")
    assert len(found) == limits.GAPS_OF_KIND + 1
    assert found[0].reason == "50 more"


def test_gitignore_that_is_a_link_or_large(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "patterns").write_text("*.py\n")
    (tree / ".gitignore").symlink_to(tmp_path / "patterns")
    assert paths(discover(tree)) == ["a.py"]
    (tree / ".gitignore").unlink()
    (tree / ".gitignore").write_text("*.py\n" + "#" * limits.GITIGNORE_BYTES)
    found = discover(tree)
    assert paths(found) == ["a.py"]
    assert [(gap.path, gap.partial) for gap in gaps(found, "limit")] == [(".gitignore", False)]


def test_nested_gitignores_are_bounded_together(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "GITIGNORE_PATTERNS", 3)
    (tree / ".gitignore").write_text("x1\nx2\n")
    (tree / "pkg").mkdir()
    (tree / "pkg" / ".gitignore").write_text("b.py\nc.py\n")
    for name in ("b.py", "c.py"):
        (tree / "pkg" / name).write_text("x = 1\n")
    found = discover(tree)
    assert paths(found) == ["a.py", "pkg/c.py"]
    assert [gap.path for gap in gaps(found, "limit")] == ["pkg/.gitignore"]


def test_gitignore_made_to_hang(tree: Path) -> None:
    (tree / ".gitignore").write_text("\n".join("*" + "a*" * 30 + f"b{number}" for number in range(200)))
    for number in range(20):
        (tree / ("a" * 240 + f"{number}.py")).write_text("")
    begin = time.process_time()
    assert len(discover(tree).entries) == 21
    assert time.process_time() - begin < 5


def test_large_sparse_file_is_not_read(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(tree / "big.py", "wb") as file:
        file.truncate(200_000_000)
    begin = time.process_time()
    found = discover(tree)
    assert paths(found) == ["a.py"]
    assert [(gap.path, gap.partial) for gap in gaps(found, "too-large")] == [("big.py", True)]
    # Nor where it grew after it was found.
    entry = found.entries[0]
    os.truncate(entry.absolute, 200_000_000)
    source, (gap,) = read_source(entry)
    assert (source, gap.kind) == (None, "too-large")
    assert time.process_time() - begin < 0.5


def test_many_files(tree: Path) -> None:
    for folder in range(20):
        (tree / f"d{folder}").mkdir()
        for number in range(500):
            (tree / f"d{folder}" / f"{number}.py").touch()
    begin = time.process_time()
    found = discover(tree)
    assert len(found.entries) == 10_001
    assert not found.gaps
    assert time.process_time() - begin < 3


def test_limits_on_counts(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b.py", "c.py", "d.txt"):
        (tree / name).touch()
    monkeypatch.setattr(limits, "FILES", 2)
    found = discover(tree)
    assert paths(found) == ["a.py", "b.py"]
    assert [gap.partial for gap in gaps(found, "too-many")] == [True]
    monkeypatch.setattr(limits, "NAMES", 1)
    found = discover(tree)
    assert paths(found) == ["a.py"]
    assert [gap.partial for gap in gaps(found, "too-many")] == [True]
    monkeypatch.setattr(limits, "NAMES_OF_FOLDER", 3)
    found = discover(tree)
    assert paths(found) == []
    assert [gap.partial for gap in gaps(found, "too-many")] == [True]


def test_deep_folders(tree: Path) -> None:
    # Deeper than a path can be long: built and removed step by step.
    here = os.open(tree, os.O_RDONLY)
    steps = [here]
    try:
        for depth in range(1, 1_200):
            os.mkdir("deep", dir_fd=here)
            here = os.open("deep", os.O_RDONLY, dir_fd=here)
            steps.append(here)
            if depth in (limits.DEPTH_OF_FOLDERS, limits.DEPTH_OF_FOLDERS + 1):
                os.close(os.open(f"{depth}.py", os.O_CREAT | os.O_WRONLY, dir_fd=here))
        found = discover(tree)
        assert paths(found) == ["a.py", "deep/" * limits.DEPTH_OF_FOLDERS + f"{limits.DEPTH_OF_FOLDERS}.py"]
        assert [(gap.path.count("deep"), gap.partial) for gap in gaps(found, "limit")] == [(limits.DEPTH_OF_FOLDERS + 1, True)]
    finally:
        for depth in range(len(steps) - 1, 0, -1):
            if depth in (limits.DEPTH_OF_FOLDERS, limits.DEPTH_OF_FOLDERS + 1):
                os.unlink(f"{depth}.py", dir_fd=steps[depth])
            os.close(steps[depth])
            os.rmdir("deep", dir_fd=steps[depth - 1])
        os.close(steps[0])


def test_fifos_and_sockets(tree: Path) -> None:
    os.mkfifo(tree / "pipe.py")
    os.mkfifo(tree / "tool")
    os.mkfifo(tree / ".gitignore")
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(tree)  # names of sockets are short
        server.bind("s.py")
        found = discover(tree)
    assert paths(found) == ["a.py"]
    assert [(gap.path, gap.partial) for gap in gaps(found, "unreadable")] == [("pipe.py", False), ("s.py", False)]
    entry = found.entries[0]
    os.unlink(entry.absolute)
    os.mkfifo(entry.absolute)
    source, (gap,) = read_source(entry)  # does not wait for a writer
    assert (source, gap.kind) == (None, "unreadable")


@pytest.fixture(autouse=True)
def _back() -> Iterator[None]:
    here = os.getcwd()
    yield
    os.chdir(here)


@pytest.mark.parametrize(
    ("error", "kind"),
    [(PermissionError(13, "no"), "unreadable"), (FileNotFoundError(2, "no"), "vanished"), (OSError(5, "no"), "unreadable")],
)
def test_folders_that_cannot_be_listed(tree: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, kind: str) -> None:
    (tree / "closed").mkdir()
    (tree / "z.py").touch()
    real = os.scandir

    def scandir(path: str) -> Any:
        if path.endswith("closed"):
            raise error
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = discover(tree)
    assert paths(found) == ["a.py", "z.py"]
    assert [(gap.path, gap.partial) for gap in gaps(found, kind)] == [("closed", True)]


def test_files_that_cannot_be_opened(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = discover(tree)

    def refuse(*_: Any, **__: Any) -> int:
        raise PermissionError(13, "text of the system")

    monkeypatch.setattr(os, "open", refuse)
    source, (gap,) = read_source(found.entries[0])
    assert (source, gap) == (None, Gap("unreadable", "a.py", 0, "permission denied"))


@pytest.mark.skipif(os.getuid() == 0, reason="the superuser reads everything")
def test_unreadable_folder(tree: Path) -> None:
    (tree / "closed").mkdir(mode=0)
    assert [gap.path for gap in gaps(discover(tree), "unreadable")] == ["closed"]
    (tree / "closed").chmod(0o700)
