"""Decides which findings are shown and whether the gate passes; reports and the exit status agree because both ask here.

Severity, confidence and level belong to the finding (``headwater.findings``); nothing here changes them.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from headwater.config import Config
from headwater.findings import Confidence, Finding, Level, Severity


class Gate(msgspec.Struct, frozen=True):
    """The gate and what it counted."""

    fail_on: Severity | None
    min_confidence: Confidence
    counted: int

    @property
    def failed(self) -> bool:
        return self.counted > 0


def order(finding: Finding) -> tuple[int, int, int, str, int, int, str, str]:
    """Sort key: what to read first. Total, so that equal reviews give equal reports."""
    return (
        -finding.level,
        -finding.severity,
        -finding.confidence,
        finding.place.path,
        finding.place.start,
        finding.place.end,
        finding.rule,
        finding.identity,
    )


def is_shown(finding: Finding, config: Config) -> bool:
    """Whether the persona and the asked confidence let a report show it (as suppressed, where it is)."""
    return finding.confidence >= config.min_confidence and (config.persona == "audit" or finding.level >= Level.WARNING)


def counts(finding: Finding, config: Config) -> bool:
    """Whether the gate counts it; notes and suppressed findings never count, whatever the persona."""
    return (
        finding.suppression is None
        and config.fail_on is not None
        and finding.severity >= config.fail_on
        and finding.confidence >= config.min_confidence
        and finding.level >= Level.WARNING
    )


def decide(findings: Iterable[Finding], config: Config) -> Gate:
    """Counts the findings at or above the gate."""
    return Gate(config.fail_on, config.min_confidence, sum(counts(finding, config) for finding in findings))
