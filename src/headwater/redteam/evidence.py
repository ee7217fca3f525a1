"""Model-level evidence as values: what red-teaming tools asked a model, and what came of it.

Only what was judged counts as passed or failed. Everything else (skipped, no answer, a judge that failed) is missing, and said.
"""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.findings import Mapping_

MISSING: Final = {
    "skipped": "the tool did not run the probe, or judged none of its answers",
    "no-answer": "there was no answer to judge",
    "not-judged": "the judge failed, or came to no verdict",
    "not-finished": "the tool ended before it was through",
    "no-totals": "only hits are told, not how much was asked",
    "unreadable": "a part of the file could not be read",
    "unmapped": "Headwater does not know what the probe is about",
    "not-run": "the probe needs something that was not there",
}
"""Kinds of what is missing."""


class Hit(msgspec.Struct, frozen=True):
    """One answer that a detector calls bad. Both texts come from outside, and are cut."""

    prompt: str
    output: str


class Result(msgspec.Struct, frozen=True):
    """One probe as one detector judged it."""

    tool: str
    """``garak``, ``pyrit`` or ``promptfoo``."""
    version: str
    probe: str
    detector: str
    passed: int
    failed: int
    """Answers that the detector calls bad."""
    unjudged: int = 0
    """Answers that were expected and not judged."""
    kind: str = ""
    """What the probe looks for (``knowledge/redteam.yaml``); empty where it is not known."""
    sinks: tuple[str, ...] = ()
    """Sink classes that such an answer abuses."""
    mappings: tuple[Mapping_, ...] = ()
    worth: str = ""
    """What is known of the detector's mistakes."""
    hits: tuple[Hit, ...] = ()
    """The first ones."""

    @property
    def judged(self) -> int:
        return self.passed + self.failed


class Missing(msgspec.Struct, frozen=True, order=True):
    """Something that a run should have told and did not: never a pass."""

    kind: str
    """One of ``MISSING``."""
    tool: str
    probe: str
    reason: str


class Evidence(msgspec.Struct, frozen=True):
    """What all imported files say."""

    files: tuple[str, ...] = ()
    """Their names, without folders."""
    results: tuple[Result, ...] = ()
    """By tool, probe, detector."""
    missing: tuple[Missing, ...] = ()
    """Sorted."""

    @property
    def judged(self) -> int:
        """Verdicts; an answer that two detectors judge counts twice."""
        return sum(one.judged for one in self.results)

    @property
    def failed(self) -> int:
        return sum(one.failed for one in self.results)


def joined(parts: list[Evidence]) -> Evidence:
    """Of several files; the same probe and detector in two files are two results."""
    results = sorted(
        (result for part in parts for result in part.results), key=lambda one: (one.tool, one.probe, one.detector, one.failed, one.passed)
    )
    missing = {one for part in parts for one in part.missing}
    return Evidence(tuple(name for part in parts for name in part.files), tuple(results), tuple(sorted(missing)))
