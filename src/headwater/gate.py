"""Decides which findings are shown and whether the gate passes; reports and the exit status agree because both ask here.

Severity, confidence and level belong to the finding (``headwater.findings``); nothing here changes them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Final

import msgspec

from headwater.config import Config
from headwater.findings import STRENGTH, Confidence, Finding, Level, Severity, level_of

_ASIDE: Final = re.compile(
    r"(^|/)(tests?|testing|examples?|samples?|demos?|benchmarks?|docs?|cookbooks?|tutorials?|test_[^/]*|[^/]*_test\.py|conftest\.py)(/|$)"
)
"""Paths of what is not the program itself: tests, examples, documentation."""
_UNKNOWN: Final = STRENGTH["database"]  # of a rule about a call: no source is known, and none is excluded
_MOST: Final = (1, Level.ERROR - Level.NOTE, Severity.CRITICAL - Severity.LOW, Confidence.HIGH - Confidence.LOW, 19, 3, 15)
"""The largest number in each place of the urgency."""
_WORST: Final = math.prod(most + 1 for most in _MOST)


class Gate(msgspec.Struct, frozen=True):
    """The gate and what it counted."""

    fail_on: Severity | None
    min_confidence: Confidence
    counted: int

    @property
    def failed(self) -> bool:
        return self.counted > 0


def order(finding: Finding) -> tuple[tuple[int, ...], str, int, int, str, str]:
    """Sort key: what to fix first. Total, so that equal reviews give equal reports."""
    return (
        _urgency(finding),
        finding.place.path,
        finding.place.start,
        finding.place.end,
        finding.rule,
        finding.identity,
    )


def rank(finding: Finding) -> float:
    """From 100 (fix first) to 0, in the order of :func:`order`; what is equally urgent has the same."""
    return _scaled(_urgency(finding))


def highest_rank(severity: Severity) -> float:
    """The rank of the most urgent finding of a severity."""
    level = level_of(severity, Confidence.HIGH)
    return _scaled((0, Level.ERROR - level, Severity.CRITICAL - severity, 0, 0, 0, 0))


def _scaled(urgency: tuple[int, ...]) -> float:
    value = 0
    for part, most in zip(urgency, _MOST, strict=True):
        value = value * (most + 1) + part
    return round(100 - 100 * value / _WORST, 4)


def _urgency(finding: Finding) -> tuple[int, ...]:
    """Small where it is urgent.

    In the program rather than in its tests and examples; level, severity, confidence; who can send the data, and whether they are asked
    who they are; then what the reader sees soonest to be true: without doubts, by a short way.
    """
    return (
        int(_ASIDE.search(finding.place.path) is not None),
        Level.ERROR - finding.level,
        Severity.CRITICAL - finding.severity,
        Confidence.HIGH - finding.confidence,
        STRENGTH.get(finding.kind, _UNKNOWN) * 2 + finding.signed_in,
        min(len(finding.weaknesses), _MOST[5]),
        min(len(finding.traces[0].steps) if finding.traces else 0, _MOST[6]),
    )


def is_shown(finding: Finding, config: Config) -> bool:
    """Whether the persona and the asked confidence let a report show it (as suppressed, where it is)."""
    return finding.confidence >= config.min_confidence and (config.persona == "audit" or finding.level >= Level.WARNING)


def counts(finding: Finding, config: Config) -> bool:
    """Whether the gate counts it; notes, suppressed and known findings never count, whatever the persona."""
    return (
        finding.is_open
        and config.fail_on is not None
        and finding.severity >= config.fail_on
        and finding.confidence >= config.min_confidence
        and finding.level >= Level.WARNING
    )


def decide(findings: Iterable[Finding], config: Config) -> Gate:
    """Counts the findings at or above the gate."""
    return Gate(config.fail_on, config.min_confidence, sum(counts(finding, config) for finding in findings))
