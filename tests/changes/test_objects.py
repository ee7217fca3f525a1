"""Reading git's objects: as git reads them, and from repositories that were made to do harm."""

from __future__ import annotations

import os
import random
import subprocess
import time
import zlib
from pathlib import Path

import pytest

import headwater.change
from changes.repositories import ENVIRONMENT, commit, committed, git, put, repository, tree
from headwater import limits
from headwater.cli import run
from headwater.files import checkout
from headwater.files.gitobjects import GitError, LargeError, Objects, _patched
from headwater.files.revisions import Repository

CODE = "import os\nfrom flask import request\n\n\ndef act():\n    os.system(request.args['x'])\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "project", {"app.py": CODE})


def written(root: Path, revision: str = "evil") -> tuple[list[str], list[str]]:
    """What a revision writes, and what is told."""
    target = root.parent / "target"
    target.mkdir()
    (root.parent / "outside").mkdir(exist_ok=True)
    repo = Repository(str(root))
    made = checkout.write(repo.objects, repo.find(revision).tree, str(target))
    found = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_symlink() or not path.is_dir())
    assert os.listdir(root.parent / "outside") == []
    return found, [f"{gap.path}: {gap.reason}" for gap in made.gaps]


# ---------------------------------------------------------------------------------------------------- as git reads them


def test_histories_part_where_git_says(root: Path) -> None:
    """Random histories with merges and clocks that are wrong."""
    rng = random.Random(7)
    blank = git(root, "write-tree")
    ids = [git(root, "rev-parse", "HEAD")]
    for number in range(60):
        parents = rng.sample(ids[-12:], k=min(len(ids), rng.choice([1, 1, 1, 2, 3])))
        day = number if rng.random() < 0.9 else rng.randrange(200)
        ids.append(git(root, "commit-tree", blank, *(part for one in parents for part in ("-p", one)), "-m", str(number), day=day))
    ids.append(git(root, "commit-tree", blank, "-m", "another root"))
    repo = Repository(str(root))
    for _ in range(120):
        one, other = rng.choice(ids), rng.choice(ids)
        asked = subprocess.run(["git", "-C", str(root), "merge-base", "--all", one, other], env=ENVIRONMENT, capture_output=True, text=True)
        found = repo.merge_base(repo.commit(one), repo.commit(other))
        wanted = asked.stdout.split()
        assert (found.id in wanted) if found else not wanted


def test_objects_of_a_pack_with_deltas(root: Path) -> None:
    rng = random.Random(3)
    lines = [f"line {rng.random()}" for _ in range(400)]
    for number in range(30):
        lines[rng.randrange(len(lines))] = f"changed {number}"
        commit(root, {"data.py": "\n".join(lines), f"f{number}.py": f"x = {number}\n"})
    git(root, "repack", "-q", "-a", "-d", "-f", "--depth=50", "--window=50")
    listed = git(root, "rev-list", "--objects", "--all").splitlines()
    objects = Objects(str(root / ".git" / "objects"))
    for line in listed:
        id = line.split()[0]
        kind = git(root, "cat-file", "-t", id)
        asked = subprocess.run(["git", "-C", str(root), "cat-file", kind, id], env=ENVIRONMENT, check=True, capture_output=True)
        assert objects.read(id, kind, 10_000_000) == asked.stdout
    with pytest.raises(LargeError):
        objects.read(git(root, "rev-parse", "HEAD:data.py"), "blob", 100)


def test_a_repository_with_long_ids(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "-q", "-b", "main", "--object-format=sha256")
    commit(root, {"app.py": CODE})
    commit(root, {"app.py": CODE.replace("act", "do")})
    git(root, "gc", "-q")
    assert written(root, "HEAD~1") == (["app.py"], [])


def test_only_what_a_review_reads_is_written(root: Path) -> None:
    files = {
        "a.ipynb": "{}",
        "tool": "#!/usr/bin/env python3\nx = 1\n",
        "other": "#!/bin/sh\n",
        "LICENSE": "words",
        "x.json": "{}",
        "x.png": "no picture",
        "pyproject.toml": "",
        "headwater.toml": "",
        "deep/er/requirements-dev.txt": "",
        "p.egg-info/PKG-INFO": "",
        ".gitignore": "ignored.py\n",
    }
    commit(root, dict(files))
    (root / "ignored.py").write_text("x = 1\n")
    git(root, "add", "-f", "ignored.py")
    git(root, "commit", "-q", "-m", "x")
    found, _ = written(root, "HEAD")
    assert found == [
        "a.ipynb",
        "app.py",
        "deep/er/requirements-dev.txt",
        "headwater.toml",
        "ignored.py",
        "p.egg-info/PKG-INFO",
        "pyproject.toml",
        "tool",
        "x.json",
    ]


# --------------------------------------------------------------------------------------------------------- hostile trees


def test_names_that_lead_elsewhere(root: Path) -> None:
    blob = put(root, "blob", b"x = 1\n")
    inner = tree(root, [("100644", b"escaped.py", blob)])
    bad = [b"..", b".", b".git", b".GIT", b"", b"a/../../outside/x.py", b"/tmp/x.py", b"a/b.py", b"..\\..\\outside\\x.py"]
    entries = [("100644", name, blob) for name in bad] + [("40000", name, inner) for name in bad] + [("100644", b"good.py", blob)]
    committed(root, tree(root, entries))
    assert written(root)[0] == ["good.py"]


def test_names_of_any_bytes(root: Path) -> None:
    blob = put(root, "blob", b"x = 1\n")
    names = [b"\xff\xfe.py", b"\x1b[31m.py", b"new\nline.py", b"a" * 300 + b".py", b"-rf.py", "ü.py".encode(), b" .py"]
    committed(root, tree(root, [("100644", name, blob) for name in names]))
    found, told = written(root)
    assert len(found) == len(names) - 1
    assert [one.split(": ")[1] for one in told] == ["it could not be written to be compared (File name too long)"]


def test_a_name_twice_and_a_folder_behind_a_link(root: Path) -> None:
    blob, link = put(root, "blob", b"x = 1\n"), put(root, "blob", b"../outside")
    inner = tree(root, [("100644", b"x.py", blob)])
    entries = [
        ("120000", b"a", link),
        ("40000", b"a", inner),
        ("100644", b"b.py", blob),
        ("100644", b"b.py", blob),
        ("120000", b"b.py", link),
        ("40000", b"c", inner),
        ("100644", b"c", blob),
    ]
    committed(root, tree(root, entries))
    found, _ = written(root)
    assert found == ["a/x.py", "b.py", "c/x.py"]


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        (b"real.py", True),
        (b"../top.py", True),
        (b"../../outside", False),
        (b"/etc/passwd", False),
        (b"sub/../../../outside", False),
        (b"a\0b", False),
        (b"", False),
        (b"x" * 5000, False),
    ],
)
def test_links(root: Path, target: bytes, kept: bool) -> None:
    link = put(root, "blob", target)
    folder = tree(root, [("120000", b"link.py", link)])
    committed(root, tree(root, [("40000", b"folder", folder)]))
    assert written(root)[0] == (["folder/link.py"] if kept else [])


def test_submodules_and_pointers_of_lfs_are_told(root: Path) -> None:
    pointer = put(root, "blob", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")
    committed(root, tree(root, [("160000", b"sub", "1" * 40), ("100644", b"big.ipynb", pointer)]))
    found, told = written(root)
    assert found == []
    assert [one.split(":")[0] for one in told] == ["big.ipynb", "sub"] or [one.split(":")[0] for one in told] == ["sub", "big.ipynb"]
    out = root.parent / "out.json"
    assert run(["review", str(root), "-q", "--diff", "evil", "--processes", "1", "--format", "json", "--output", str(out)]) == 1
    assert "a submodule: what it was before is not known" in out.read_text()


def test_trees_that_multiply(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten folders in ten folders, and so on: ten to the twelfth names of a few objects."""
    monkeypatch.setattr(limits, "NAMES", 1_000)
    made = tree(root, [("100644", b"x.py", put(root, "blob", b"x = 1\n"))])
    for _ in range(12):
        made = tree(root, [("40000", str(number).encode(), made) for number in range(10)])
    committed(root, made)
    assert run(["review", str(root), "--diff", "evil"]) == 2
    assert "more than 1,000 names" in capsys.readouterr().err


def test_deep_trees(root: Path) -> None:
    made = tree(root, [("100644", b"x.py", put(root, "blob", b"x = 1\n"))])
    for _ in range(300):
        made = tree(root, [("40000", b"d", made)])
    committed(root, made)
    assert written(root)[0] == []


# ------------------------------------------------------------------------------------------------------- hostile objects


def test_an_object_that_is_not_what_its_name_says(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What stands under the id of BASE must be BASE: else the folder of objects could say that all was there before."""
    put(root, "blob", (CODE + CODE.replace("act", "more")).encode(), git(root, "rev-parse", "HEAD:app.py"))
    assert run(["review", str(root), "--diff", "main"]) == 2
    assert "is not what its name says" in capsys.readouterr().err


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"junk",
        zlib.compress(b"blob 3\0ab"),
        zlib.compress(b"blob x\0ab"),
        zlib.compress(b"tree -1\0"),
        zlib.compress(b"blob 99999999999\0a"),
    ],
)
def test_damaged_objects(root: Path, capsys: pytest.CaptureFixture[str], data: bytes) -> None:
    id = git(root, "rev-parse", "HEAD")
    path = root / ".git" / "objects" / id[:2] / id[2:]
    path.unlink()
    path.write_bytes(data)
    assert run(["review", str(root), "--diff", "main"]) == 2
    assert capsys.readouterr().err.startswith("headwater: --diff main: ")


def test_an_object_that_unpacks_to_very_much(root: Path) -> None:
    bomb = zlib.compressobj(9)
    packed = bomb.compress(b"blob 100\0") + b"".join(bomb.compress(b"\0" * 1_000_000) for _ in range(300)) + bomb.flush()
    path = root / ".git" / "objects" / "ab" / ("0" * 38)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(packed)
    with pytest.raises(GitError):
        Objects(str(root / ".git" / "objects")).read("ab" + "0" * 38, "blob", 4_000_000)


@pytest.mark.parametrize("where", ["pack", "idx"])
def test_damaged_packs(root: Path, where: str) -> None:
    """Random damage is an error that is told, or does not matter; it is never a wrong object, a crash or a long run."""
    for number in range(12):
        commit(root, {"data.py": f"x = {number}\n" * 200})
    git(root, "repack", "-q", "-a", "-d", "-f")
    (file,) = (root / ".git" / "objects" / "pack").glob(f"*.{where}")
    whole = file.read_bytes()
    file.chmod(0o644)
    rng = random.Random(5)
    began = time.process_time()
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(rng.choice([1, 4, 30])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        file.write_bytes(bytes(data[: rng.randrange(len(data))] if rng.random() < 0.2 else data))
        try:
            repo = Repository(str(root))
            commit_ = repo.find("HEAD~3")
            repo.objects.read(commit_.tree, "tree", 1_000_000)
        except GitError:
            continue
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    "delta", [b"", b"\x05", b"\x05\x05\x00", b"\x05\x05\x91", b"\x05\x7f\x05abcde", b"\x04\x05", b"\x05\x03\x05abcde", b"\xff" * 20]
)
def test_damaged_deltas(delta: bytes) -> None:
    with pytest.raises(GitError):
        _patched(b"abcde", delta, 1_000)


# ----------------------------------------------------------------------------------------------- incomplete repositories


def test_a_shallow_clone(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = git(root, "rev-parse", "HEAD")
    commit(root, {"app.py": CODE + "\n\nLIMIT = 3\n"})
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{root}", str(clone))
    for base in (first, "HEAD~1", "origin/other"):
        assert run(["review", str(clone), "--diff", base]) == 2
        assert "this clone is shallow, fetch the base too" in capsys.readouterr().err


def test_two_cut_histories_are_compared_as_they_are(root: Path, tmp_path: Path) -> None:
    git(root, "switch", "-q", "-c", "change")
    commit(root, {"more.py": CODE})
    git(root, "switch", "-q", "main")
    commit(root, {"other.py": "x = 1\n"})
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth=1", "-b", "change", f"file://{root}", str(clone))
    git(clone, "fetch", "-q", "--depth=1", "origin", "main")
    out = tmp_path / "out.txt"
    assert run(["review", str(clone), "-q", "--processes", "1", "--diff", "FETCH_HEAD", "--format", "text", "--output", str(out)]) == 1
    text = " ".join(out.read_text().split())
    assert "1 new finding" in text
    assert "compared with FETCH_HEAD itself (this clone is shallow): what it has fixed since counts as new" in text


def test_histories_without_a_common_commit(root: Path) -> None:
    committed(root, git(root, "rev-parse", "HEAD^{tree}"))
    review, _ = headwater.change.review_change(root, "evil")
    assert [one.state for one in review.findings] == ["unchanged"]
    assert any("no common history is known" in gap.reason for gap in review.coverage.gaps)


def test_borrowed_objects_are_not_followed(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(root, {"app.py": CODE + "\n\nLIMIT = 3\n"})
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--shared", str(root), str(clone))
    assert run(["review", str(clone), "--diff", "HEAD~1"]) == 2
    assert "not in this clone" in capsys.readouterr().err


def test_files_of_git_that_are_links_or_pipes(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heads = root / ".git" / "refs" / "heads"
    (tmp_path / "secret").write_text("0123456789abcdef0123456789abcdef01234567 secret\n")
    (heads / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(heads / "pipe")
    (heads / "loop").write_text("ref: refs/heads/loop\n")
    (heads / "out").write_text("ref: ../../../secret\n")
    (heads / "long").write_text("a" * 100_000)
    for name in ("link", "pipe", "loop", "out", "long"):
        assert run(["review", str(root), "--diff", name]) == 2
        said = capsys.readouterr().err
        assert "there is no such revision" in said
        assert "secret" not in said


def test_nothing_is_run(root: Path, tmp_path: Path) -> None:
    """Hooks, filters, a monitor and an ssh command: git would run each of them."""
    proof = tmp_path / "ran"
    script = tmp_path / "run.sh"
    script.write_text(f"#!/bin/sh\ntouch {proof}\ncat\n")
    script.chmod(0o755)
    for hook in ("post-checkout", "post-index-change", "reference-transaction", "pre-commit"):
        (root / ".git" / "hooks").mkdir(exist_ok=True)
        (root / ".git" / "hooks" / hook).write_text(script.read_text())
        (root / ".git" / "hooks" / hook).chmod(0o755)
    with (root / ".git" / "config").open("a") as config:
        config.write(f'[core]\n\tfsmonitor = {script}\n\tsshCommand = {script}\n\tpager = {script}\n[filter "x"]\n\tsmudge = {script}\n')
    (root / ".gitattributes").write_text("*.py filter=x\n")
    review, _ = headwater.change.review_change(root, "main")
    assert [one.state for one in review.findings] == ["unchanged"]
    assert not proof.exists()
