"""What is found below a path, and what is left out and said."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from headwater import limits
from headwater.files.discover import Discovery, Ledger, discover, language_of, language_of_shebang
from headwater.findings import Gap

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def write(root: Path, *names: str, text: str = "x = 1\n") -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def paths(found: Discovery) -> list[str]:
    return [entry.path for entry in found.entries]


def of_kind(found: Discovery, kind: str) -> list[Gap]:
    return [gap for gap in found.gaps if gap.kind == kind]


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments], cwd=root, check=True, capture_output=True)


def test_root_is_the_git_root(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "pkg/b.py", "pkg/sub/c.py")
    assert discover(tmp_path / "pkg").root == (tmp_path / "pkg").resolve()
    (tmp_path / ".git").mkdir()
    found = discover(tmp_path / "pkg")
    assert (found.root, found.scope, paths(found)) == (tmp_path.resolve(), "pkg", ["pkg/b.py", "pkg/sub/c.py"])
    found = discover(tmp_path / "pkg" / "b.py")
    assert (found.scope, paths(found)) == ("pkg/b.py", ["pkg/b.py"])
    assert discover(tmp_path).scope == ""
    with pytest.raises(FileNotFoundError):
        discover(tmp_path / "none")


def test_a_single_file_without_git(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "b.py")
    found = discover(tmp_path / "a.py")
    assert (found.root, found.scope, paths(found)) == (tmp_path.resolve(), "a.py", ["a.py"])


def test_sorted_by_path(tmp_path: Path) -> None:
    write(tmp_path, "b.py", "a/z.py", "a.py", "a-b.py", "é.py")
    assert paths(discover(tmp_path)) == sorted(["b.py", "a/z.py", "a.py", "a-b.py", "é.py"])


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("a.py", "python"),
        ("a.PYI", "python"),
        ("a.pyw", "python"),
        ("a.tsx", "typescript"),
        ("a.d.ts", "typescript"),
        ("a.mjs", "javascript"),
        ("a.min.js", "javascript"),
        ("a.ipynb", "notebook"),
        ("a.cu", "c++"),
        ("Dockerfile", "dockerfile"),
        ("Dockerfile.dev", "dockerfile"),
        ("a.tf", "hcl"),
        ("README.md", ""),
        ("py", ""),
        (".py", ""),
        ("a.py.txt", ""),
    ],
)
def test_language_by_name(name: str, language: str) -> None:
    assert language_of(name) == language


def test_scripts_that_tools_made_are_left_out_and_told(tmp_path: Path) -> None:
    write(tmp_path, "a.ts", "a.d.ts", "b.D.MTS", "c.min.js", "d.bundle.mjs", "e.umd.js", "minimal.js", "node_modules/x/f.js")
    found = discover(tmp_path)
    assert [entry.path for entry in found.entries] == ["a.ts", "minimal.js"]
    assert [(gap.reason, gap.partial) for gap in found.gaps if gap.kind == "generated"] == [
        ("2 scripts with declarations of types only, by their names", False),
        ("3 scripts minified or bundled, by their names", False),
    ]


@pytest.mark.parametrize(
    ("head", "language"),
    [
        (b"#!/usr/bin/env python3.12\nx", "python"),
        (b"#!/usr/bin/env -S python3 -u\n", "python"),
        (b"#!/usr/bin/python\r\n", "python"),
        (b"#!/usr/bin/env A=1 pypy3\n", "python"),
        (b"#!/bin/sh\n", "shell"),
        (b"#!/usr/bin/node\n", "javascript"),
        (b"#!\n", ""),
        (b"\xff\xfe", ""),
        (b"#!\xff\xfe", ""),
    ],
)
def test_language_by_shebang(head: bytes, language: str) -> None:
    assert language_of_shebang(head) == language


def test_languages_without_a_frontend(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "b.go", "c.go", "d.ts", "e.yaml", "f.pyc", "g.ipynb")
    write(tmp_path, "tool", text="#!/usr/bin/env python\n")
    found = discover(tmp_path)
    assert paths(found) == ["a.py", "d.ts", "g.ipynb", "tool"]
    assert found.languages == {"go": 2, "notebook": 1, "python": 2, "python bytecode": 1, "typescript": 1, "yaml": 1}
    gaps = of_kind(found, "no-frontend")
    assert {(gap.reason.split(":")[0], gap.partial, gap.path) for gap in gaps} == {
        ("2 Go files", False, ""),
        ("1 Python bytecode file", True, ""),
    }


def test_own_excludes(tmp_path: Path) -> None:
    write(
        tmp_path,
        "__pycache__/a.py",
        "node_modules/x/a.py",
        ".tox/a.py",
        ".git/a.py",
        "x/.mypy_cache/a.py",
        "venv/a.py",
        ".venv/lib/a.py",
        ".venv/pyvenv.cfg",
        "envs/e/pyvenv.cfg",
        "envs/e/lib/site-packages/a.py",
        "envs/e/own.py",
        "vendor/site-packages/a.py",
        "build/a.py",
        "dist/a.py",
    )
    found = discover(tmp_path)
    assert paths(found) == ["build/a.py", "dist/a.py", "envs/e/own.py", "vendor/site-packages/a.py", "venv/a.py"]
    (gap,) = of_kind(found, "excluded")
    assert (gap.path, gap.partial) == ("", False)
    assert "node_modules (1)" in gap.reason


def test_a_package_in_site_packages_can_be_reviewed(tmp_path: Path) -> None:
    write(tmp_path, ".venv/pyvenv.cfg", ".venv/lib/site-packages/pkg/a.py")
    assert paths(discover(tmp_path / ".venv/lib/site-packages/pkg")) == ["a.py"]
    assert paths(discover(tmp_path / ".venv/lib/site-packages")) == ["pkg/a.py"]
    assert paths(discover(tmp_path / ".venv")) == ["lib/site-packages/pkg/a.py"]


def test_an_explicit_path_is_reviewed_even_if_ignored(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path, ".gitignore", text="gen/\n*_old.py\n")
    write(tmp_path, "gen/a.py", "gen/b_old.py", "c.py")
    assert paths(discover(tmp_path)) == ["c.py"]
    assert paths(discover(tmp_path / "gen")) == ["gen/a.py"]
    assert paths(discover(tmp_path / "gen" / "b_old.py")) == ["gen/b_old.py"]
    (gap,) = of_kind(discover(tmp_path), "ignored")
    assert not gap.partial
    assert "1 folders" in gap.reason


def test_git_info_exclude(tmp_path: Path) -> None:
    write(tmp_path, ".git/info/exclude", text="secret.py\n")
    write(tmp_path, "secret.py", "a.py")
    assert paths(discover(tmp_path)) == ["a.py"]


@needs_git
@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_tracked_files_are_never_ignored(tmp_path: Path, version: str) -> None:
    write(tmp_path, "a.py", "lib/deep/b.py", "lib/untracked.py", "gen/c.py", "long/" + "y" * 200 + ".py")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "a.py", "lib/deep/b.py", "long")
    git(tmp_path, "update-index", "--index-version", version)
    if version == "3":
        write(tmp_path, "later.py")
        git(tmp_path, "add", "-N", "later.py")
    write(tmp_path, ".gitignore", text="*\n")
    expected = ["a.py", *(["later.py"] if version == "3" else []), "lib/deep/b.py", "long/" + "y" * 200 + ".py"]
    assert paths(discover(tmp_path)) == expected


@needs_git
def test_tracked_files_in_folders_left_out_by_name_are_said(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "node_modules/evil/b.py", "node_modules/evil/c.js")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    gaps = [gap for gap in of_kind(discover(tmp_path), "excluded") if gap.path]
    assert [(gap.path, gap.partial) for gap in gaps] == [("node_modules", True)]


@needs_git
def test_worktrees_have_their_own_index(tmp_path: Path) -> None:
    main = tmp_path / "main"
    write(main, "a.py", ".gitignore", text="*.py\n")
    git(main, "init", "-q")
    git(main, "add", "-f", ".")
    git(main, "commit", "-qm", "x")
    git(main, "worktree", "add", "-q", str(tmp_path / "tree"))
    write(tmp_path / "tree", "b.py")
    assert paths(discover(tmp_path / "tree")) == ["a.py"]


@pytest.mark.parametrize(
    "index", [b"", b"DIRC", b"DIRC\0\0\0\2\xff\xff\xff\xff", b"DIRC\0\0\0\4\0\0\0\1" + b"\0" * 62 + b"\xff" * 50, b"x" * 5000]
)
def test_a_broken_index_is_none(tmp_path: Path, index: bytes) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "index").write_bytes(index)
    write(tmp_path, ".gitignore", text="b.py\n")
    write(tmp_path, "a.py", "b.py")
    assert paths(discover(tmp_path)) == ["a.py"]


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    try:
        with open(os.fsencode(tmp_path) + b"/\xff.py", "wb") as file:
            file.write(b"x = 1\n")
    except OSError:
        pytest.skip("the file system takes only UTF-8")
    write(tmp_path, "\\xff.py", "a\nb.py")
    found = discover(tmp_path)
    assert len(set(paths(found))) == 3
    for path in paths(found):
        path.encode()
    assert all(os.path.exists(entry.absolute) for entry in found.entries)


def test_ledger_counts_what_it_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "GAPS_OF_KIND", 2)
    ledger = Ledger()
    for number in range(5):
        ledger.add("symlink", str(number), "r", partial=number == 4)
    assert [(gap.path, gap.reason, gap.partial) for gap in ledger.result()] == [("", "3 more", True), ("0", "r", False), ("1", "r", False)]
