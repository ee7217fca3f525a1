"""The pages in ``suites``: each case reports exactly the marked lines, of all rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import headwater
from headwater.config import Config
from headwater.rules.load import Case, load_rules
from suites.suites import Suite, cases, write
from suites.traces import check
from test_api_examples import DATED

CASES = list(cases())
_BECAUSE = re.compile(r"(?:#|//) expect: .* because (.+)$")
"""Words that stand in what a finding says of why it is not sure."""


@pytest.mark.parametrize(("suite", "case"), CASES, ids=[f"{suite.name}: {case.title}" for suite, case in CASES])
def test_case(suite: Suite, case: Case, tmp_path: Path) -> None:
    review = headwater.review(write(case.files, tmp_path), Config(processes=1))
    reported = {
        (finding.place.path, review.sources[finding.place.path].position(finding.place.start)[0], finding.rule)
        for finding in review.findings
    }
    marks = [mark for file in case.files for mark in file.marks]
    assert {mark.rule for mark in marks} <= set(load_rules())
    wanted, misses, alarms = (
        {(mark.path, mark.line, mark.rule) for mark in marks if mark.word == word} for word in ("expect", "MISSING", "SPURIOUS")
    )
    where = f"{suite.path.name}:{case.line}"
    grades = {
        (finding.place.path, review.sources[finding.place.path].position(finding.place.start)[0], finding.rule): (
            finding.severity.word,
            finding.confidence.word,
        )
        for finding in review.findings
    }
    for mark in marks:
        if mark.grade[0]:
            assert grades.get((mark.path, mark.line, mark.rule)) == mark.grade, f"{where}: line {mark.line}"
    said = {
        (finding.place.path, review.sources[finding.place.path].position(finding.place.start)[0]): "; ".join(finding.weaknesses)
        for finding in review.findings
    }
    for file in case.files:
        for number, line in enumerate(file.text.split("\n"), 1):
            why = _BECAUSE.search(line)
            assert why is None or why[1] in said.get((file.path, number), ""), f"{where}: line {number}"
    reported = {one for one in reported if one[2] not in DATED or one in wanted}
    assert not misses & reported, f"{where}: found now, so MISSING must become expect"
    assert alarms <= reported, f"{where}: quiet now, so SPURIOUS can go"
    assert reported - alarms == wanted, f"{where}: not as expected; gaps: {review.coverage.gaps}"
    check(review)
