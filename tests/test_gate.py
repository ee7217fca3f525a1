"""Which findings are shown, and which fail the gate."""

from __future__ import annotations

import pytest

from headwater.config import Config, Persona
from headwater.findings import Confidence, Finding, Place, Severity
from headwater.gate import decide, is_shown, order

LOW, MEDIUM, HIGH, CRITICAL = Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL
UNSURE, FAIRLY, SURE = Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH


def finding(severity: Severity, confidence: Confidence, path: str = "a.py") -> Finding:
    return Finding("r", "t", "m", severity, confidence, Place(path, 0, 1), "", "code", "env", "x", 0, (), "f", (), ())


@pytest.mark.parametrize(
    ("fail_on", "least", "severity", "confidence", "counted"),
    [
        (HIGH, UNSURE, HIGH, UNSURE, 1),
        (HIGH, UNSURE, CRITICAL, SURE, 1),
        (HIGH, UNSURE, MEDIUM, SURE, 0),
        (HIGH, FAIRLY, HIGH, UNSURE, 0),
        (MEDIUM, UNSURE, MEDIUM, FAIRLY, 1),
        (MEDIUM, UNSURE, MEDIUM, UNSURE, 0),  # a note
        (LOW, UNSURE, LOW, SURE, 0),  # a note
        (CRITICAL, UNSURE, HIGH, SURE, 0),
        (None, UNSURE, CRITICAL, SURE, 0),
    ],
)
def test_gate_counts(fail_on: Severity | None, least: Confidence, severity: Severity, confidence: Confidence, counted: int) -> None:
    gate = decide([finding(severity, confidence)], Config(fail_on=fail_on, min_confidence=least))
    assert gate.counted == counted
    assert gate.failed is bool(counted)


@pytest.mark.parametrize(
    ("persona", "least", "severity", "confidence", "shown"),
    [
        ("default", UNSURE, HIGH, UNSURE, True),
        ("default", UNSURE, MEDIUM, UNSURE, False),
        ("audit", UNSURE, LOW, UNSURE, True),
        ("audit", FAIRLY, CRITICAL, UNSURE, False),
    ],
)
def test_persona_shows(persona: Persona, least: Confidence, severity: Severity, confidence: Confidence, shown: bool) -> None:
    assert is_shown(finding(severity, confidence), Config(persona=persona, min_confidence=least)) is shown


def test_order_is_level_then_severity_then_confidence_then_path() -> None:
    wanted = [
        finding(CRITICAL, SURE),
        finding(HIGH, SURE),
        finding(HIGH, FAIRLY, "a.py"),
        finding(HIGH, FAIRLY, "b.py"),
        finding(CRITICAL, UNSURE),
        finding(MEDIUM, SURE),
        finding(MEDIUM, UNSURE),
    ]
    shuffled = [*wanted[3:], *wanted[:3]]
    assert sorted(shuffled, key=order) == wanted
