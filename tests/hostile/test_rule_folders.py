"""Folders of rules made to exhaust, to lead elsewhere or to steer a terminal: each is refused in short time, with a line that says why."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from headwater import limits
from headwater.cli import run

HEAD = 'id: x\ntitle: A rule\nseverity: low\nmessage: "M."\nfix: "F."\n'
CALL = "calls: [{path: a.b}]\n"
SECRET = "password-of-someone"

Captured = pytest.CaptureFixture[str]


def rule(front: str = HEAD + CALL, page: str = "") -> bytes:
    return f"---\n{front}---\n\n{page}".encode()


def model(apis: str) -> bytes:
    return f"library: x\napis:\n{apis}".encode()


def aliases(levels: int) -> str:
    """Each level stands for ten of the one before."""
    lines = ['  - {path: a.b, passes: &l0 ["$0"]}']
    lines += [f"  - {{path: a.b, passes: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]}}" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


def chain(levels: int) -> str:
    """Each level holds the one before."""
    return "".join(f"  - {{path: a, passes: &l{n} [{f'*l{n - 1}' if n else 'x'}]}}\n" for n in range(levels))


PATHS = "".join(f"  - {{path: 'a{n}.{'{a,b}' * 11}', clears: [all]}}\n" for n in range(99))
LARGE = '"(a{99}){99}"'
COMMAND = '"A\\n::set-env name=x::y"'
MANY = "{a,b}" * 30

CASES: dict[str, tuple[str, bytes, str]] = {
    "huge": ("x.md", b"x" * (limits.OWN_BYTES + 1), "the limit is 256,000"),
    "a long line": ("x.md", rule(page="x" * 10_000), "x.md:10: a line of more than 5,000 characters"),
    "no UTF-8": ("x.yaml", b"library: x\nversions: \xff\xfe\n", "x.yaml:2: it is not UTF-8"),
    "UTF-16": ("x.yaml", "library: x\n".encode("utf-16"), "x.yaml:1: it is not UTF-8"),
    "nothing": ("x.yaml", b"", "x.yaml:1: "),
    "NUL": ("x.yaml", b"library: \0\n", "x.yaml:1: the character U+0000"),
    "escape sequences": ("x.md", rule(page="\x1b]0;title\x07"), "x.md:10: the character U+001B"),
    "turned text": ("x.md", rule(page="\u202eevil"), "x.md:10: the character U+202E"),
    "escapes of YAML": ("x.md", rule(HEAD.replace('"M."', '"\\e[2J"') + CALL), "x.md:1: the character U+001B"),
    "surrogates of YAML": ("x.md", rule(HEAD.replace('"M."', '"\\ud800"') + CALL), "x.md:"),
    "deep lists": ("x.yaml", b"library: x\napis: " + b"[" * 100_000, "x.yaml:2: a line of more"),
    "deep lists on lines": ("x.yaml", b"library: x\napis:\n" + b" [\n" * 50_000, "x.yaml:26: nested more than 24 deep"),
    "deep mappings": ("x.md", rule(HEAD + "tags: " + "{a: " * 500 + "}" * 500 + "\n"), "x.md:7: nested more than 24 deep"),
    "aliases": ("x.yaml", model(aliases(9)), "more than 50,000 values, aliases written out"),
    "deep aliases": ("x.yaml", model(chain(99)), "aliases written out"),
    "an alias of itself": ("x.yaml", model("  - &a [*a]\n"), "x.yaml:3: there is no finished 'a' above"),
    "an alias as a key": ("x.yaml", b"library: &a x\n*a : 1\n", "x.yaml:2: a key is a word"),
    "a list as a key": ("x.md", rule(HEAD + "? [a]\n: b\n"), "x.md:7: a key is a word"),
    "merged keys": ("x.md", rule(HEAD + "<<: {id: y}\n"), "x.md:"),
    "many values": ("x.yaml", model("  - [" + "x,\n" * 60_000 + "]\n"), "more than 50,000 values"),
    "Python objects": ("x.yaml", b"library: !!python/object/apply:os.system ['true']\n", "x.yaml:1: the tag"),
    "bytes": ("x.yaml", b"library: !!binary aGk=\n", "x.yaml:1: the tag"),
    "two documents": ("x.yaml", b"library: x\n---\nlibrary: y\n", "x.yaml:2: a second document begins"),
    "a long number": ("x.yaml", b"library: " + b"1" * 4_400 + b"\n", "x.yaml:1: "),
    "alternatives": ("x.yaml", model("  - path: '" + "{a,b}" * 30 + "'\n    clears: [all]\n"), "x.yaml:3: more than 4,096 alternatives"),
    "equal alternatives": ("x.yaml", model(f"  - path: '{'{a,aa}' * 300}'\n    clears: [al]\n"), "x.yaml:3: 'al' is no sink class"),
    "a long path": ("x.yaml", model(f"  - path: {'a.' * 1_500}b\n"), "x.yaml:3: a path of more than 2,000 characters"),
    "many paths": ("x.yaml", model(PATHS), "more than 50,000 API paths"),
    "an alternative in a condition": ("x.md", rule(f"{HEAD}calls: [{{path: a.b, when: '$0 is {MANY}'}}]\n"), "x.md:7: more than 4,096"),
    "a large regular expression": ("x.md", rule(f"{HEAD}calls: [{{path: a.b, when: '$0 matches {LARGE}'}}]\n"), "more than 1,000 states"),
    "a title that is a command": ("x.md", rule(HEAD.replace("A rule", COMMAND) + CALL), "x.md:3: the title is one line"),
    "a message that grows": ("x.md", rule(HEAD.replace("M.", "{source:>999999999}") + CALL), "x.md:5: only {source}"),
    "a message that looks around": ("x.md", rule(HEAD.replace("M.", "{source.__class__}") + CALL), "x.md:5: only {source}"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("command", [["review", ".", "-q", "--rules", "rules"], ["rules", "test", "rules"]])
def test_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, case: str, command: list[str]) -> None:
    name, data, message = CASES[case]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / name).write_bytes(data)
    began = time.process_time()
    assert run(command) == 2
    assert time.process_time() - began < 10
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"headwater: rules/{name}"), captured.err[:300]
    assert message in captured.err, captured.err[:300]
    assert captured.err.count("\n") == 1
    assert len(captured.err) < 3_000
    assert not set(captured.err) & set("\x1b\x07\u202e\0")


@pytest.mark.parametrize("name", ["x.md", "x.yaml", "y.py", "y/z.py"])
def test_links_are_not_followed(tmp_path: Path, capsys: Captured, name: str) -> None:
    rules = tmp_path / "rules"
    (rules / "y").mkdir(parents=True)
    (rules / "y.md").write_bytes(rule().replace(b"id: x", b"id: y"))
    (tmp_path / "secret").write_text(SECRET)
    (rules / name).symlink_to(tmp_path / "secret")
    assert run(["rules", "test", str(rules)]) == 2
    captured = capsys.readouterr()
    assert "it is a symbolic link" in captured.err
    assert SECRET not in captured.out + captured.err


def test_a_folder_behind_a_link_is_no_test(tmp_path: Path, capsys: Captured) -> None:
    rules, outside = tmp_path / "rules", tmp_path / "outside"
    rules.mkdir()
    outside.mkdir()
    (rules / "x.md").write_bytes(rule())
    (outside / "app.py").write_text("import a\na.b()\n")
    (rules / "x").symlink_to(outside)
    assert run(["rules", "test", str(rules)]) == 0
    assert "0 tests of 1 rule" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["x.md", "x.yaml", "y.py"])
def test_what_is_no_file_is_not_opened(tmp_path: Path, capsys: Captured, name: str) -> None:
    (tmp_path / "y.md").write_bytes(rule().replace(b"id: x", b"id: y"))
    os.mkfifo(tmp_path / name)
    assert run(["rules", "test", str(tmp_path)]) == 2
    assert "it is no regular file" in capsys.readouterr().err


def test_a_folder_is_no_rule(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "x.md").mkdir()
    assert run(["review", str(tmp_path), "--rules", str(tmp_path)]) == 2
    assert "x.md: it is no regular file" in capsys.readouterr().err


def test_too_many_names(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OWN_NAMES", 3)
    for name in "abcd":
        (tmp_path / name).touch()
    assert run(["rules", "test", str(tmp_path)]) == 2
    assert "more than 3 files: this is no folder of rules" in capsys.readouterr().err


def test_tests_are_bounded(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x.md").write_bytes(rule())
    for number in range(4):
        (tmp_path / "x" / f"{number}.py").write_text("y = 1\n")
    with monkeypatch.context() as context:
        context.setattr(limits, "RULE_TEST_NAMES", 3)
        assert run(["rules", "test", str(tmp_path)]) == 2
        assert "more than 3 files in one test" in capsys.readouterr().err
    with monkeypatch.context() as context:
        context.setattr(limits, "RULE_TEST_BYTES", 10)
        assert run(["rules", "test", str(tmp_path)]) == 2
        assert "more than 10 bytes in one test" in capsys.readouterr().err
    (tmp_path / "x" / "0.py").write_bytes(b"x" * (limits.FILE_BYTES + 1))
    assert run(["rules", "test", str(tmp_path)]) == 2
    assert "the limit is 4,000,000" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["../x.py", "/x.py", "a\\b.py", "a/../../x.py"])
def test_examples_stay_in_their_folder(tmp_path: Path, capsys: Captured, path: str) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "x.yaml").write_text(f"library: x\nexamples:\n  - code: y = 1\n    files: {{'{path}': z = 1}}\n")
    assert run(["rules", "test", str(rules)]) == 2
    assert "leaves it" in capsys.readouterr().err
    (rules / "x.yaml").unlink()
    (rules / "x.md").write_bytes(rule(page=f"## Examples\n\n```python path={path}\nx = 1\n```\n"))
    assert run(["rules", "test", str(rules)]) == 2
    assert "leaves the case" in capsys.readouterr().err


def test_code_beside_a_rule_is_not_run(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "x.md").write_bytes(rule())
    (tmp_path / "x.py").write_text(f"import pathlib\n\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\n")
    (tmp_path / "conftest.py").write_text(f"import pathlib\n\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\n")
    assert run(["rules", "test", str(tmp_path)]) == 0
    assert not (tmp_path / "ran").exists()
    assert "conftest.py: not run: there is no conftest.md" in capsys.readouterr().out


def test_hostile_names_and_texts_steer_no_terminal(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "x.md").write_bytes(rule())
    (tmp_path / "\x1b[2J\u202e.py").write_text("y = 1\n")
    (tmp_path / "x.py").write_text("import a\n# ok: nothing-there\na.b()\n")
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "\x1b[2J.py").write_text("import a\na.b()\n")
    for format_ in ("text", "json"):
        assert run(["rules", "test", str(tmp_path), "--format", format_]) == 1
        captured = capsys.readouterr()
        assert not set(captured.out + captured.err) & set("\x1b\u202e")
