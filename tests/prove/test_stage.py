"""Whose turn it is to be given hostile values."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import cast

from headwater.prove.attempts import Attempt, Channel
from headwater.prove.stage import Source, in_turns
from headwater.prove.talk import Offered


class Values:
    """So many values for each tool."""

    def __init__(self, **counts: int) -> None:
        self.counts = counts

    def hostile(self, tool: Offered, channel: Channel) -> Iterator[Attempt]:
        for number in range(self.counts[tool.name]):
            yield Attempt(f"hwc{number:010x}", "", "", "", True, channel, "", tool=tool.name)


def test_the_last_tool_has_its_turn_before_the_bound() -> None:
    """A server with forty tools whose last one is the dangerous one: each has some hundred values."""
    counts = {f"tool{number}": 200 for number in range(40)}
    tools = [(Offered(name), name) for name in counts]
    first = list(islice(in_turns(cast(Source, Values(**counts)), tools, "mcp"), 2_000))
    assert {name for name, _ in first} == counts.keys()
    assert all(name == attempt.tool for name, attempt in first)


def test_each_value_is_given_once_and_in_order() -> None:
    counts = {"none": 0, "few": 3, "turn": 20, "many": 75}
    tools = [(Offered(name), name) for name in counts]
    given = [(name, int(attempt.token[3:], 16)) for name, attempt in in_turns(cast(Source, Values(**counts)), tools, "http")]
    for name, count in counts.items():
        assert [number for other, number in given if other == name] == list(range(count))
