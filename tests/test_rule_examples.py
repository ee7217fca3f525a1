"""The code blocks of every rule page: the rule reports exactly the marked lines."""

from __future__ import annotations

from pathlib import Path

import pytest

import headwater
from headwater.config import Config
from headwater.rules.load import Case, Rule, load_rules

CASES = [(rule, case) for rule in load_rules().values() for case in rule.cases]


@pytest.mark.parametrize(("rule", "case"), CASES, ids=[f"{rule.id}: {case.title}" for rule, case in CASES])
def test_example(rule: Rule, case: Case, tmp_path: Path) -> None:
    for file in case.files:
        path = tmp_path / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
    review = headwater.review(tmp_path, Config(processes=1))
    reported = {
        (finding.place.path, review.sources[finding.place.path].position(finding.place.start)[0])
        for finding in review.findings
        if finding.rule == rule.id
    }
    marks = [mark for file in case.files for mark in file.marks if mark.rule == rule.id]
    wanted = {(mark.path, mark.line) for mark in marks if mark.word == "expect"}
    known_alarms = {(mark.path, mark.line) for mark in marks if mark.word == "SPURIOUS"}
    known_misses = {(mark.path, mark.line) for mark in marks if mark.word == "MISSING"}
    where = f"{rule.path}:{case.line}"
    assert not known_misses & reported, f"{where}: found now, so MISSING must become expect"
    assert known_alarms <= reported, f"{where}: quiet now, so SPURIOUS can go"
    assert reported - known_alarms == wanted, f"{where}: not as expected; gaps: {review.coverage.gaps}"


def test_the_advice_is_in_the_language_of_the_file(tmp_path: Path) -> None:
    rules = load_rules()
    named = {"remote-input-to-shell", "tls-verification-off"}  # a flow and a call
    for id in named:
        for number, case in enumerate(rules[id].cases):
            for file in case.files:
                path = tmp_path / f"{id}-{number}" / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(file.text, encoding="utf-8")
    said: dict[tuple[str, bool], set[str]] = {}
    for finding in headwater.review(tmp_path, Config(processes=1)).findings:
        said.setdefault((finding.rule, finding.place.path.endswith(".py")), set()).add(finding.fix)
    for id in named:
        assert said[id, True] == {rules[id].head.fix}
        assert said[id, False] == {rules[id].head.fix_scripts}
