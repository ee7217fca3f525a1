"""Which findings are shown, and which fail the gate."""

from __future__ import annotations

import pytest

from headwater.config import Config, Persona
from headwater.findings import Confidence, Finding, Place, Severity, Step, Trace
from headwater.gate import decide, highest_rank, is_shown, order, rank

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


def test_what_is_equally_bad_is_ordered_by_who_sends_it_and_how_plain_it_is() -> None:
    def flow(kind: str, *, path: str = "a.py", steps: int = 2, doubts: int = 0, signed_in: bool = False) -> Finding:
        step = Step(Place(path, 0, 1), "w", kind, "f")
        trace = Trace(kind, (step,) * steps)
        made = finding(HIGH, FAIRLY, path)
        fields = {name: getattr(made, name) for name in made.__struct_fields__}
        return Finding(**{**fields, "kind": kind, "traces": (trace,), "weaknesses": ("d",) * doubts, "signed_in": signed_in})

    wanted = [
        flow("http-input", path="z.py"),
        flow("http-input", path="b.py", steps=9),
        flow("websocket-input", path="a.py", doubts=1),
        flow("http-input", path="a.py", signed_in=True),
        flow("llm-output", path="a.py"),
        flow("tool-args", path="a.py"),
        flow("retrieved-content", path="a.py"),
        flow("library-input", path="a.py"),
        flow("model-file", path="a.py"),
        flow("env", path="a.py"),
        flow("http-input", path="examples/app.py"),
        flow("llm-output", path="tests/test_app.py"),
    ]
    assert sorted(sorted(wanted, key=lambda one: one.kind), key=order) == wanted
    ranks = [rank(one) for one in wanted]
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) == len(ranks)
    assert all(0 <= one <= 100 for one in ranks)


def test_the_rank_of_a_rule_is_that_of_its_most_urgent_finding() -> None:
    for severity in Severity:
        assert highest_rank(severity) >= rank(finding(severity, SURE))
    assert highest_rank(CRITICAL) == 100


@pytest.mark.parametrize("path", ["src/app/latest.py", "contest/a.py", "src/docsearch/a.py", "app/testimony.py"])
def test_a_name_that_only_looks_like_a_test_is_of_the_program(path: str) -> None:
    assert rank(finding(HIGH, SURE, path)) == rank(finding(HIGH, SURE))
