"""The forms of the built-in rules and API models that are read at once say what the Markdown and YAML say, or are not used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from headwater.apis import load as apis
from headwater.apis.schema import ApiFile
from headwater.cache import Cache, sealed
from headwater.rules import builtin, load
from headwater.rules.load import Rule

Models = list[tuple[str, ApiFile]]


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The package as a wheel installs it."""
    home = tmp_path / "headwater"
    shutil.copytree(builtin.HOME, home, ignore=shutil.ignore_patterns("__pycache__"))
    for place, data in builtin.build(home).items():
        path = home / place
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return home


def form(wheel: Path, name: str) -> Path:
    (found,) = (wheel / builtin.MADE).glob(f"{name}-*")
    return found


def used(wheel: Path) -> tuple[bool, bool]:
    """Whether the forms of the rules and of the API models are read."""
    return builtin.beside("rules", list[Rule], wheel) is not None, builtin.beside("models", Models, wheel) is not None


class Ran(NamedTuple):
    output: str
    modules: set[str]
    read: set[str]
    """Rules, models, or both."""


def run(wheel: Path, *arguments: str, cache: str | Path = "off") -> Ran:
    """What the command says on standard output, and what it had to load for that."""
    program = f"""
import sys
sys.path.insert(0, {str(wheel.parent)!r})
from headwater.cli import run
run(sys.argv[1:])
builtin = sys.modules.get("headwater.rules.builtin")
print(*sys.modules)
print(*(builtin._known if builtin else ()))
"""
    environment = {**os.environ, "HEADWATER_CACHE": str(cache)}
    command = [sys.executable, "-P", "-c", program, *arguments]
    lines = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    return Ran("\n".join(lines[:-2]), set(lines[-2].split()), set(lines[-1].split()))


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A program with one finding."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "app.py").write_text("import os\nfrom flask import request\n\n\ndef run():\n    os.system(request.args['c'])\n")
    return folder


def test_they_say_the_same(wheel: Path) -> None:
    rules = builtin.beside("rules", list[Rule], wheel)
    assert rules == list(load.load_rules().values())
    assert [(rule.cases, rule.readable, rule.sections) for rule in rules] == [
        (rule.cases, rule.readable, rule.sections) for rule in load.load_rules().values()
    ]
    assert builtin.beside("models", Models, wheel) == apis.load()


def test_the_build_depends_on_nothing_but_the_files(wheel: Path) -> None:
    assert {place: (wheel / place).read_bytes() for place in builtin.build(wheel)} == builtin.build(wheel)


def test_a_review_needs_no_yaml(wheel: Path, code: Path) -> None:
    review = ("review", str(code), "--format", "json", "--processes", "1")
    quick = run(wheel, *review)
    shutil.rmtree(wheel / builtin.MADE)
    slow = run(wheel, *review)
    assert '"remote-input-to-shell"' in quick.output
    assert quick.output == slow.output
    assert quick.read == slow.read == {"rules", "models"}
    assert "yaml" in slow.modules - quick.modules


@pytest.mark.parametrize("command", ["--version", "--help", "review --help", "rules --help", "suppressions --help"])
def test_commands_that_need_neither_read_neither(wheel: Path, command: str) -> None:
    assert not run(wheel, *command.split()).read


def test_commands_that_need_rules_alone_read_no_models(wheel: Path, code: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run(wheel, "rules", "list").read == {"rules"}
    assert run(wheel, "rules", "explain", "flask-debug").read == {"rules"}
    assert run(wheel, "review", str(tmp_path / "empty")).read == {"rules"}
    first, again = (run(wheel, "review", str(code), cache=tmp_path / "cache") for _ in range(2))
    assert (first.read, again.read) == ({"rules", "models"}, {"rules"})  # nothing has changed
    assert first.output == again.output
    assert not list((tmp_path / "cache").glob("made/*"))  # the wheel has them


def _changed(wheel: Path) -> None:
    path = wheel / "apis" / "python" / "flask.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("http-input", "user-prompt", 1), encoding="utf-8")


def _added(wheel: Path) -> None:
    (wheel / "apis" / "python" / "parrot.yaml").write_text("apis:\n- path: parrot.say\n  returns: llm-output\n", encoding="utf-8")


def _removed(wheel: Path) -> None:
    (wheel / "apis" / "python" / "flask.yaml").unlink()


def _read_otherwise(wheel: Path) -> None:
    with (wheel / "apis" / "schema.py").open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")


@pytest.mark.parametrize("change", [_changed, _added, _removed, _read_otherwise])
def test_a_stale_form_is_not_used(wheel: Path, change: Callable[[Path], None]) -> None:
    assert used(wheel) == (True, True)
    change(wheel)
    assert used(wheel) == (True, False)


def test_a_changed_rule_counts(wheel: Path) -> None:
    path = wheel / "rules" / "remote-input-to-shell.md"
    title = load.load_rules()["remote-input-to-shell"].head.title
    assert title in run(wheel, "rules", "list").output
    path.write_text(path.read_text(encoding="utf-8").replace(title, "Another title"), encoding="utf-8")
    assert used(wheel) == (False, True)
    assert "Another title" in run(wheel, "rules", "list").output


def test_a_broken_form_is_not_used(wheel: Path) -> None:
    path = form(wheel, "rules")
    data = path.read_bytes()
    at = data.index(b"remote-input-to-shell")
    for broken in (
        data[:at] + b"R" + data[at + 1 :],  # one byte, still msgpack
        data[:-1],
        data[:20],
        b"",
        sealed(b""),
        sealed(msgspec.msgpack.encode({"head": 1})),  # whole, and of another type
        sealed(b"\xdd\xff\xff\xff\xff"),  # a list that says to be longer than memory
        sealed(b"\x91" * 100_000),  # nested deeper than the stack
    ):
        path.write_bytes(broken)
        assert used(wheel) == (False, True)
    assert "remote-input-to-shell" in run(wheel, "rules", "list").output
    path.unlink()
    path.mkdir()
    assert used(wheel) == (False, True)


def test_without_a_form_the_cache_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "_known", {})
    store = Cache(str(tmp_path / "cache"), tmp_path / "project")
    rules, models = builtin.rules(store), builtin.models(store)
    monkeypatch.setattr(builtin, "_known", {})
    monkeypatch.setattr(load, "load_rules", None)
    monkeypatch.setattr(apis, "load", None)
    assert builtin.rules(store) == rules
    assert builtin.models(store) == models
    assert list(builtin.rules(store)) == sorted(rules)


def test_the_project_itself_has_no_form() -> None:
    """Where rules are written, they are read."""
    assert used(builtin.HOME) == (False, False)
