"""``headwater map --diff BASE``: what a change does to the parts, what tools can do, slots of prompts, and edges."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from changes.repositories import commit, repository
from headwater.cli import run

APP = '''\
from fastapi import FastAPI
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.prebuilt import create_react_agent

app = FastAPI()


@tool
def note(text: str) -> str:
    """Read the notes."""
    return open("notes").read()


agent = create_react_agent(ChatOpenAI(model="gpt-4o"), [note], prompt="You help the people who keep the machines.")


@app.post("/chat")
def chat(question: str) -> str:
    return agent.invoke({"messages": [("user", "hello")]})["messages"][-1].content
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "project", {"app.py": APP})


def shown(root: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert run(["map", str(root), "-q", "--no-cache", "--diff", "HEAD", *more]) == 0
    return capsys.readouterr().out


def test_moved_lines_change_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "app.py").write_text("# A comment.\n\n" + APP, encoding="utf-8")
    text = shown(root, capsys)
    assert text.startswith("Nothing has changed in the map since HEAD (")
    assert text.count("\n") == 1


def test_a_tool_that_can_do_more_and_a_message_that_fills_no_slot(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = APP.replace('return open("notes").read()', "import subprocess\n    return subprocess.run(text, shell=True).stdout")
    (root / "app.py").write_text(text.replace('"hello"', "question"), encoding="utf-8")
    lines = shown(root, capsys).splitlines()
    assert lines[0].startswith("What has changed in the map since HEAD (")
    assert "~ tool note can: +executes-shell, -reads-files  app.py:10" in lines
    assert not any("fills-slot" in line for line in lines)  # a message beside a fixed prompt
    assert len(lines) == 2


def test_new_and_gone_parts_as_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "app.py").write_text(APP.replace("note", "wipe").replace('"notes"', '"x", "w"'), encoding="utf-8")
    data = json.loads(shown(root, capsys, "--format", "json"))
    assert (data["schema"], data["version"]) == ("headwater-map-diff", 1)
    assert data["against"].startswith("HEAD (")
    assert [(one["type"], one["name"]) for one in data["new"]] == [("tool", "wipe")]
    assert [(one["type"], one["name"]) for one in data["gone"]] == [("tool", "note")]
    ends = {kind: [(one["kind"], one["to"]) for one in data["edges"][kind]] for kind in ("new", "gone")}
    assert ends == {"new": [("offers-tool", "tool:app.py:wipe")], "gone": [("offers-tool", "tool:app.py:note")]}


def test_what_is_committed_is_compared_too(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(root, {"app.py": APP.replace("agent = ", "helper = ").replace("agent.invoke", "helper.invoke")})
    assert shown(root, capsys).startswith("Nothing")
    assert run(["map", str(root), "-q", "--no-cache", "--diff", "HEAD~1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "+ agent helper  app.py:15" in lines
    assert "- agent agent  app.py:15" in lines


def test_hostile_names(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = '\n\nother = ChatOpenAI(model="x\\x1b[31m\\n::error::\\u202e")\n'
    (root / "app.py").write_text(APP + more, encoding="utf-8")
    text = shown(root, capsys)
    assert "llm" in text
    assert not {"\x1b", "\u202e"} & set(text)
    assert "\n::" not in text


def test_what_cannot_be_compared(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["map", str(root), "--diff", "nowhere"]) == 2
    assert "--diff nowhere" in capsys.readouterr().err
    assert run(["map", str(root), "--diff", "HEAD", "--format", "mermaid"]) == 2
    (tmp_path / "plain").mkdir()
    assert run(["map", str(tmp_path / "plain"), "--diff", "HEAD"]) == 2
