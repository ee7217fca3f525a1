"""API models are read strictly: every error names the file and the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.apis.load import Catalogue, ModelError, load, read

GOOD = """\
library: example
types:
  Client: [example.Client()]
apis:
  - path: Client.ask
    returns: llm-output
  - path: [example.run, "example.{a,b}"]
    sinks: [{class: shell, at: $0/command, when: $shell is True}]
  - path: example.tool
    decorates: {function: $0, parameters: tool-args}
"""


def test_a_good_file() -> None:
    file = read(GOOD, "good.yaml")
    assert file.library == "example"
    assert [api.path for api in file.apis] == ["Client.ask", ["example.run", "example.{a,b}"], "example.tool"]
    paths = Catalogue([("good.yaml", file)]).paths
    for path in ("example.Client().ask", "example.run", "example.a", "example.b", "example.tool", "example.tool()"):
        found = paths.find(path)
        assert found is not None, path
        assert found.entries, path


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("library: x\napis: [\n", 3, ""),
        ("library: x\n\t- y\n", 2, ""),
        ("apis: []\n", 1, "library"),
        ("library: x\nnonsense: 1\n", 1, "nonsense"),
        ("library: x\napis:\n  - path: a.b\n  - path: a.c\n    nonsense: 1\n", 4, "nonsense"),
        ("library: x\napis:\n  - returns: llm-output\n", 3, "path"),
        ("library: x\napis:\n  - path: a.b\n    returns: llm-outputs\n", 3, "no source kind"),
        ("library: x\napis:\n  - path: a\n  - path: a.b\n    sinks: [{class: shel}]\n", 4, "no sink class"),
        ("library: x\napis:\n  - path: a.b\n    sinks:\n      - {class: shell, at: 0}\n", 5, ""),
        ("library: x\napis:\n  - path: a.b\n    sinks: [{class: shell, at: arg}]\n", 3, "not an argument"),
        ("library: x\napis:\n  - path: a.b\n    sinks: [{class: shell, when: $0 maybe}]\n", 3, "not a term"),
        ("library: x\napis:\n  - path: a..b\n", 3, "empty step"),
        ("library: x\napis:\n  - path: 'a.{b'\n", 3, "without"),
        ("library: x\ntypes:\n  T: [a.b()]\n  U:\n    - a..b\n", 5, "empty step"),
        ("library: x\napis:\n  - path: a.b\n    clears: [everything]\n", 3, "no sink class"),
        ("library: x\napis:\n  - path: a.b\n    into: {self: [first]}\n", 3, "not an argument"),
        ("library: x\napis:\n  - path: a.b\n    passes: [$0, first]\n", 3, "not an argument"),
        ("library: x\napis:\n  - path: a.b\n    guards: [{proves: [paths]}]\n", 3, "no sink class"),
        ("library: x\napis:\n  - path: a.b\n    calls: [{function: f}]\n", 3, "not an argument"),
        ("library: x\napis:\n  - path: a.b\n    calls: [{function: $0, parameters: all}]\n", 3, "no source kind"),
        ("library: x\napis:\n  - path: a.b\n    decorates: {function: $0, by-name: {x: all}}\n", 3, "no source kind"),
        ("", 1, ""),
        ("- 1\n", 1, ""),
    ],
)
def test_errors(text: str, line: int, what: str) -> None:
    with pytest.raises(ModelError) as raised:
        read(text, "wrong.yaml")
    message = str(raised.value)
    assert message.startswith(f"wrong.yaml:{line}: "), message
    assert what in message


def test_hostile_yaml_is_not_executed(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        read("library: !!python/object/apply:os.system ['true']\n", "evil.yaml")


def test_the_built_in_models_load_in_order() -> None:
    names = [name for name, _ in load()]
    assert names == sorted(names)
    assert len(names) > 30


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("library: b\n")
    (tmp_path / "a.yaml").write_text("library: a\n")
    (tmp_path / "other.txt").write_text("{")
    assert [(name, file.library) for name, file in load(tmp_path)] == [("a.yaml", "a"), ("b.yaml", "b")]
    (tmp_path / "c.yaml").write_text("library: 3\n")
    with pytest.raises(ModelError, match=r"^c\.yaml:1: "):
        load(tmp_path)
