"""What a check over the system map has found."""

from __future__ import annotations

from typing import NamedTuple

from headwater.index.entities import Fn

Step = tuple[Fn, int, int, str]
"""A place that makes it so, and how."""


class Report(NamedTuple):
    """Something is wrong with a part of the system."""

    fn: Fn
    start: int
    end: int
    why: str
    """In words, for ``{source}`` of the rule's message."""
    steps: tuple[Step, ...]
    last: str
    """What the place itself is, as the last step."""
    confidence: str = ""
    """Where it is lower than that of the rule."""
    more: str = ""
    """A sentence that is added to the message."""
