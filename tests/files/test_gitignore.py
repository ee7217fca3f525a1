"""The matching of .gitignore, against git itself and against patterns made to hang."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from headwater import limits
from headwater.files.discover import discover
from headwater.files.gitignore import Patterns

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

NAME = st.text(alphabet=st.sampled_from("ab.-"), min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
FILE = st.lists(NAME, min_size=1, max_size=4).map("/".join)
PIECE = st.sampled_from(
    ["a", "b", ".", "-", "*", "**", "?", "/", "[ab]", "[!a]", "[^b-]", "[a-b]", "[[:alpha:]]", "[]a]", "[", "\\", "\\*", " ", "#", "!"]
)
PATTERN = st.lists(PIECE, min_size=1, max_size=7).map("".join).filter(lambda text: "\\/" not in text)
TREE = st.tuples(
    st.lists(FILE, min_size=1, max_size=6, unique=True),
    st.dictionaries(st.sampled_from(["", "a", "b", "a/b"]), st.lists(PATTERN, min_size=1, max_size=4), min_size=1, max_size=3),
)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trees")


@needs_git
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TREE)
@example((["a/b/a", "b"], {"": ["**/b/", "!b"]}))
@example((["a/a/b", "a/b"], {"": ["a/**/b"]}))
@example((["a/a/b", "a/b", "b/a"], {"": ["/a/**", "!/a/b"]}))
@example((["a ", "b"], {"": ["a\\ ", "b  "]}))
def test_agrees_with_git(work: Path, tree: tuple[list[str], dict[str, list[str]]]) -> None:
    files, ignores = tree
    root = work / "root"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    for file in files:
        path = root / (file + ".py")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x = 1\n")
        except OSError:  # a file stands where a folder should be
            continue
    for folder, patterns in ignores.items():
        if (root / folder).is_dir():
            (root / folder / ".gitignore").write_text("\n".join(patterns) + "\n")
    listed = subprocess.run(
        ["git", "-c", "core.excludesFile=/dev/null", "ls-files", "-z", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
    )
    expected = sorted(name for name in listed.stdout.decode().split("\0") if name.endswith(".py"))
    assert [entry.path for entry in discover(root).entries] == expected


@pytest.mark.parametrize(
    ("pattern", "path", "folder", "decision"),
    [
        (b"*.py", b"a/b.py", False, True),
        (b"/*.py", b"a/b.py", False, None),
        (b"build/", b"build", False, None),
        (b"build/", b"x/build", True, True),
        (b"!keep", b"keep", False, False),
        (b"a/**/z", b"a/z", False, True),
        (b"a/**/z", b"a/b/c/z", False, True),
        (b"a/**/z", b"ab/z", False, None),
        (b"**/z", b"a/b/z", False, True),
        (b"a/**", b"a", True, None),
        (b"\\#x", b"#x", False, True),
        (b"\\!x", b"!x", False, True),
        (b"#x", b"#x", False, None),
        (b"x \t", b"x", False, None),
        (b"x\r", b"x", False, True),
        (b"[a-c]x", b"bx", False, True),
        (b"[!a-c]x", b"bx", False, None),
        (b"a[/]b", b"a/b", False, None),
        (b"[", b"[", False, None),
        (b"a\\", b"a\\", False, None),
        (b"caf?", "café".encode(), False, None),  # git counts bytes
        (b"caf??", "café".encode(), False, True),
        (b"x\0y", b"x", False, True),
        (b"[[:digit:][:upper:]]", b"A", False, True),
        (b"[[:nonsense:]]", b"a", False, None),
        (b"a*b*c", b"a-b-b-c", False, True),
        (b"a*b*c", b"a-c-b", False, None),
        (b"\xef\xbb\xbfx", b"x", False, True),
    ],
)
def test_single_patterns(pattern: bytes, path: bytes, folder: bool, decision: bool | None) -> None:
    assert Patterns(pattern).decide(path, folder) is decision


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        (b"*a" * 9 + b"*b", b"a" * 255),
        (b"*a" * 400 + b"b", b"a" * 4000),
        (b"**/a" * 60 + b"/b", b"a/" * 1500 + b"a"),
        (b"**/*a*a*a" * 20 + b"/b", b"aaaaaaaa/" * 400 + b"a"),
        (b"?*" * 300 + b"b", b"a" * 4000),
        (b"[a-z]*" * 150 + b"9", b"a" * 4000),
        (b"**" * 400 + b"b", b"a/" * 2000),
        (b"a/**/**/**/**/**/**/**/**/b", b"a/" * 2000),
    ],
)
def test_no_pattern_takes_long(pattern: bytes, path: bytes) -> None:
    patterns = Patterns(pattern)
    assert patterns.count == 1
    begin = time.process_time()
    assert not patterns.decide(path, False)
    assert time.process_time() - begin < 1


def test_limits_of_one_file() -> None:
    patterns = Patterns(b"x" * (limits.GITIGNORE_LINE_BYTES + 1) + b"\n" + b"a\nb\nc\n", 2)
    assert (patterns.count, patterns.dropped) == (2, 2)
    begin = time.process_time()
    full = Patterns(b"\n".join(b"*%d*x*" % number for number in range(limits.GITIGNORE_LINES)))
    assert full.count == limits.GITIGNORE_LINES
    assert not full.decide(b"y" * 255, False)
    assert time.process_time() - begin < 5
