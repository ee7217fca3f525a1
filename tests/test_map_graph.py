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
