"""Adds up what a report tells, probe by probe and detector by detector, within bounds. The formats are read elsewhere."""

from __future__ import annotations

from collections import Counter
from typing import Final

from headwater import limits
from headwater.redteam import probes
from headwater.redteam.evidence import Evidence, Hit, Missing, Result

NOBODY: Final = "none"
"""The detector of what no detector saw."""


class Collector:
    """What one file tells of one tool."""

    def __init__(self, tool: str, name: str, version: str = "") -> None:
        self.tool = tool
        self.version = version
        self._name = name
        self._passed: Counter[tuple[str, str]] = Counter()
        self._failed: Counter[tuple[str, str]] = Counter()
        self._unjudged: Counter[tuple[str, str]] = Counter()
        self._pairs: dict[tuple[str, str], list[Hit]] = {}
        self._left_out = 0
        self._missing: dict[tuple[str, str], Counter[str]] = {}
        """By kind and probe: reasons with how often each was given."""

    def add(self, probe: str, detector: str, passed: int = 0, failed: int = 0, unjudged: int = 0) -> None:
        """Verdicts. Only a broken report has negative numbers and such as nobody can count to."""
        pair = self._pair(probe, detector)
        if pair is not None:
            for counts, number in ((self._passed, passed), (self._failed, failed), (self._unjudged, unjudged)):
                counts[pair] += min(max(0, number), limits.REDTEAM_VERDICTS)

    def hit(self, probe: str, detector: str, prompt: str, output: str) -> None:
        """An answer to show; that it failed is told to ``add``."""
        pair = self._pair(probe, detector)
        if pair is not None and len(self._pairs[pair]) < limits.REDTEAM_HITS:
            self._pairs[pair].append(Hit(excerpt(prompt), excerpt(output)))

    def miss(self, kind: str, probe: str, reason: str) -> None:
        """Something that is missing; equal ones are counted."""
        self._missing.setdefault((kind, probe[: limits.REDTEAM_NAME]), Counter())[excerpt(reason)] += 1

    def has(self, probe: str) -> bool:
        """Whether a detector judged anything of the probe."""
        cut = name(probe)
        return any(pair[0] == cut for pair in self._pairs)

    def has_any(self) -> bool:
        """Whether anything was told at all."""
        return bool(self._pairs)

    def evidence(self) -> Evidence:
        """All of it."""
        self._give_back()
        results = [self._result(*pair) for pair in sorted(self._pairs)]
        for one in results:
            if not one.judged and not one.unjudged:
                self.miss("skipped", one.probe, f"{one.detector} judged nothing")
            elif one.unjudged:
                self.miss(
                    "no-answer", one.probe, f"{one.detector} could not judge {one.unjudged:,} of {one.judged + one.unjudged:,} answers"
                )
            if not one.kind:
                self.miss("unmapped", one.probe, "it stands in the report, without a place in a standard")
        if self._left_out:
            self.miss("unreadable", "", f"only the first {limits.REDTEAM_RESULTS:,} pairs of probe and detector are kept")
        if not results:
            self.miss("skipped", "", "the report has no verdict")
        missing = sorted(
            Missing(kind, self.tool, probe, reason if number == 1 else f"{reason} ({number:,} times)")
            for (kind, probe), reasons in self._missing.items()
            for reason, number in reasons.items()
        )
        left = len(missing) - limits.REDTEAM_MISSING
        if left > 0:
            missing = [*missing[: limits.REDTEAM_MISSING], Missing("unreadable", self.tool, "", f"{left:,} more things are missing")]
        return Evidence((self._name,), tuple(results), tuple(missing))

    def _give_back(self) -> None:
        """What nobody judged counts with the one detector that judged the rest of the probe."""
        for probe in [probe for probe, detector in self._pairs if detector == NOBODY]:
            others = [pair for pair in self._pairs if pair[0] == probe and pair[1] != NOBODY]
            if len(others) == 1:
                self._unjudged[others[0]] += self._unjudged[probe, NOBODY]
                del self._pairs[probe, NOBODY]

    def _pair(self, probe: str, detector: str) -> tuple[str, str] | None:
        pair = name(probe), name(detector)
        if pair not in self._pairs:
            if len(self._pairs) >= limits.REDTEAM_RESULTS:
                self._left_out += 1
                return None
            self._pairs[pair] = []
        return pair

    def _result(self, probe: str, detector: str) -> Result:
        pair = probe, detector
        about = probes.about(self.tool, probe, detector)
        numbers = self._passed[pair], self._failed[pair], self._unjudged[pair]
        hits = tuple(self._pairs[pair])
        return Result(self.tool, self.version, probe, detector, *numbers, about.kind, about.sinks, about.mappings, about.worth, hits)


def name(text: str) -> str:
    """A name from a report, bounded."""
    return text[: limits.REDTEAM_NAME] or "?"


def excerpt(text: str) -> str:
    """The beginning of a text."""
    return text if len(text) <= limits.REDTEAM_EXCERPT else text[: limits.REDTEAM_EXCERPT - 1] + "…"
