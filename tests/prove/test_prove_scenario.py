"""Scenarios: what they must say, and whose word is taken for what is run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headwater.cli.prove import command
from headwater.prove.scenario import Scenario, ScenarioError, checked, of_file


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "give one of --run, --serve, --call and --mcp"),
        ({"run": "a", "serve": "b {port}"}, "given: --run and --serve"),
        ({"run": "a", "send": ("GET /",)}, "--send is for a service"),
        ({"call": "module"}, "module:function"),
        ({"serve": "a"}, "the port of the service is not known"),
        ({"run": "a 'b"}, "the command cannot be read"),
        ({"run": " "}, "the command is empty"),
        ({"serve": "a {port}", "send": ("chat",)}, "is no request"),
        ({"run": "a", "classes": ("shell", "shel")}, "--only shel: there is no such class; there are code, "),
    ],
)
def test_what_is_wrong_is_said(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ScenarioError, match=told.replace("(", r"\(")):
        checked(Scenario(**values))


@pytest.mark.parametrize(
    "values",
    [
        {"run": "python app.py"},
        {"call": "app:main"},
        {"mcp": "node server.js"},
        {"serve": "python app.py {port}"},
        {"serve": "python app.py", "port": 8000},
        {"serve": "python app.py", "env": {"PORT": "{port}"}, "send": ("GET /",)},
        {"run": "a", "classes": ("shell",)},
    ],
)
def test_what_can_be_run(values: dict[str, Any]) -> None:
    assert checked(Scenario(**values)) == Scenario(**values)


def test_the_same_scenario_has_the_same_tokens() -> None:
    one, other = Scenario(run="a", env={"A": "1", "B": "2"}), Scenario(run="a", env={"B": "2", "A": "1"})
    assert one.prefix == other.prefix
    assert one.prefix != Scenario(run="b").prefix
    assert len(one.prefix) == 9


def write(folder: Path, text: str) -> Path:
    (folder / "headwater.toml").write_text(text, encoding="utf-8")
    return folder


TWO = """
[[prove.scenario]]
name = "chat"
serve = "python app.py {port}"
send = ['POST /chat {"text": "hello"}']
timeout = 20
go-on = true

[[prove.scenario]]
name = "tools"
mcp = "python server.py"
"""


def test_scenarios_of_a_file(tmp_path: Path) -> None:
    chat, tools = of_file(write(tmp_path, TWO), ["chat", "tools"], trusted=True)
    assert (chat.name, chat.timeout, chat.go_on, chat.requests[0].target) == ("chat", 20, True, "/chat")
    assert tools.mcp == "python server.py"


def test_commands_of_a_file_are_run_on_the_users_word_alone(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="--trust-config"):
        of_file(write(tmp_path, TWO), ["chat"], trusted=False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TWO, "has no scenario 'other'; it has: chat, tools"),
        ("", "it has: none"),
        ("[prove", "headwater.toml: "),
        ("prove = 3", "headwater.toml: "),
        ("[[prove.scenario]]\nname = 'other'\ncomand = 'a'", "unknown field `comand`"),
        ("[[prove.scenario]]\nname = 'other'\nrun = 3", "headwater.toml: "),
        ("[[prove.scenario]]\nname = 'other'\nrun = 'a'\nstarts = 0", "headwater.toml: "),
        ("[[prove.scenario]]\nname = 'other'\nrun = 'a'\ntimeout = 1e9", "headwater.toml: "),
        ("[[prove.scenario]]\nname = 'other'\nrun = 'a'\nport = 70000", "headwater.toml: "),
        ("[[prove.scenario]]\nname = 'other'\nrun = 'a'\n" * 2, "two scenarios of the name 'other'"),
        ("[[prove.scenario]]\nname = 'other'", "give one of"),
    ],
)
def test_errors_of_a_file(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        of_file(write(tmp_path, text), ["other"], trusted=True)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"headwater\.toml"):
        of_file(tmp_path, ["chat"], trusted=True)


DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_the_configuration_is_true_and_whole(tmp_path: Path) -> None:
    page = (DOCS / "configuration.md").read_text(encoding="utf-8").partition("## Scenarios of a proof")[2].partition("\n## ")[0]
    text = page.partition("```toml\n")[2].partition("```")[0]
    chat, tools = of_file(write(tmp_path, text), ["chat", "tools"], trusted=True)
    assert (chat.send, tools.classes) == (('POST /chat {"text": "hello"}',), ("path-read", "path-write", "shell"))
    named = {word for line in page.splitlines() if line.startswith("| `") for word in re.findall(r"`([\w-]+)`", line.split("|")[1])}
    assert named == {field.encode_name for field in msgspec.structs.fields(Scenario)}


def test_the_page_of_proofs_names_every_option() -> None:
    page = (DOCS / "prove.md").read_text(encoding="utf-8")
    options = [max(one.opts, key=len) for one in command.params if one.param_type_name == "option"]
    assert [option for option in options if f"`{option}" not in page] == []
