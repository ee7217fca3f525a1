"""The graph of the system map asks only for components that are still there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import headwater
from headwater.config import Config
from headwater.system.graph import Graph

VULNERABLE = Path(__file__).parent.parent / "examples" / "vulnerable"


def test_a_component_that_was_given_up_is_found_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What callers hand over was looked up, and kept, when it still was one."""
    asked: list[Any] = []
    handed = Graph._handed

    def kept(graph: Graph, *question: Any) -> tuple[Any, ...]:
        asked.append(question)
        return (*handed(graph, *question), ("class", -1))

    monkeypatch.setattr(Graph, "_handed", kept)
    assert headwater.review(VULNERABLE, Config(processes=1, cache="")).system.components
    assert asked


TOOL = """
import os

from agents import Agent, Runner, function_tool

from examples.files import asked, drop


@function_tool
def tidy(path: str) -> str:
    {body}
    return path


agent = Agent(name="tidy", instructions="Tidy up.", tools=[tidy])
print(Runner.run_sync(agent, input()))
"""
EXAMPLE = """
import os

from agents import function_tool
from langgraph.types import interrupt


@function_tool
def drop(path: str) -> str:
    os.remove(path)
    return path


def asked(path: str) -> None:
    interrupt(path)
"""


@pytest.mark.parametrize(("body", "unasked"), [("os.remove(path)", True), ("drop(path)", False), ("asked(path); os.remove(path)", False)])
def test_code_of_examples_is_known_to_be_a_component(tmp_path: Path, body: str, unasked: bool) -> None:
    """Tools and guards of examples are not in the map; checks of the whole come to them by the calls of other code all the same."""
    (tmp_path / "examples").mkdir()
    (tmp_path / "app.py").write_text(TOOL.format(body=body))
    (tmp_path / "examples" / "files.py").write_text(EXAMPLE)
    result = headwater.review(tmp_path, Config(processes=1, cache=""))
    assert {one.name for one in result.system.components if one.type in ("tool", "guard")} == {"tidy"}
    assert unasked == any(one.rule == "tool-without-approval" for one in result.findings)
