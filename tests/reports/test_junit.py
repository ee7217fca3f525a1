"""JUnit XML: what servers count, read with a parser. ``make test-system`` checks it against the schema of Jenkins."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element, fromstring

import msgspec
import pytest

from headwater.config import Config
from headwater.findings import Coverage, Review
from headwater.reports import junit
from headwater.reports.view import View, view
from headwater.rules.load import Rule

Show = Callable[[Config], View]
COMPLETE = Coverage(2, 20, 1, {"python": 2}, (), {})


def suite(shown: View) -> Element:
    root = fromstring(junit.render(shown))
    assert root.tag == "testsuites"
    (found,) = root
    for numbers, kind in (("tests", ""), ("failures", "/failure"), ("errors", "/error"), ("skipped", "/skipped")):
        assert found.get(numbers) == str(len(found.findall(f"testcase{kind}")))
    return found


def results(found: Element) -> list[str]:
    """How each test ended."""
    return [next((child.tag for child in case if child.tag != "system-out"), "passed") for case in found.iter("testcase")]


def test_findings_are_failures_and_notes_are_skipped(show: Show) -> None:
    found = suite(show(Config(persona="audit")))
    assert results(found) == ["skipped", "failure", "failure", "skipped"]
    case = found.findall("testcase")[1]
    assert case.attrib == {
        "classname": "headwater.model-output-run-as-code",
        "name": 'app/agent 1.py: app.agent.Agent.run: exec(code, {"__builtins__": {}})',
    }
    failure = case[0]
    assert failure.attrib == {"type": "critical", "message": "Model output is run as code"}
    lines = (failure.text or "").splitlines()
    assert lines[0] == "app/agent 1.py:7  critical, high confidence"
    assert lines[3] == "  1  app/model.py:7  the answer of the model comes in"
    assert lines[-1] == "Standards: OWASP LLM05:2025, LLM10:2026 | ASI05:2026 | AML.T0050 | CWE-95, CWE-1426"


def test_names_hold_no_lines(show: Show, review: Review, rules: dict[str, Rule]) -> None:
    """A server that compares two reports by names follows a finding that has moved."""
    found = review.findings[1]
    place = msgspec.structs.replace(found.place, start=found.place.start - 40, end=found.place.end - 40)
    shifted = msgspec.structs.replace(review, findings=(msgspec.structs.replace(found, place=place),))
    assert suite(view(shifted, Config(), rules, "0"))[1].attrib == suite(show(Config()))[1].attrib


def test_equal_expressions_have_their_own_names(review: Review, rules: dict[str, Rule]) -> None:
    found = review.findings[1]
    twice = msgspec.structs.replace(review, findings=(found, msgspec.structs.replace(found, ordinal=1)))
    long = msgspec.structs.replace(found, expression="x" * 500)
    many = msgspec.structs.replace(review, findings=(long, msgspec.structs.replace(long, expression="x" * 501)))
    for one in (twice, many):
        names = [case.get("name", "") for case in suite(view(one, Config(), rules, "0")).findall("testcase")]
        assert len(set(names)) == len(names) == 3
        assert max(map(len, names)) < 220


def test_a_clean_review_has_passed_tests_only(review: Review, rules: dict[str, Rule]) -> None:
    found = suite(view(msgspec.structs.replace(review, findings=(), coverage=COMPLETE), Config(), rules, "0"))
    assert [case.get("name") for case in found.findall("testcase")] == ["coverage", "no findings"]
    assert results(found) == ["passed", "passed"]


@pytest.mark.parametrize(("files", "strict", "result"), [(3, False, "skipped"), (3, True, "error"), (0, False, "error")])
def test_an_incomplete_coverage_is_no_passed_test(review: Review, rules: dict[str, Rule], files: int, strict: bool, result: str) -> None:
    coverage = msgspec.structs.replace(review.coverage, files=files)
    shown = view(msgspec.structs.replace(review, findings=(), coverage=coverage), Config(strict_coverage=strict), rules, "0")
    found = suite(shown)
    assert results(found)[0] == result
    assert "old/print.py:3: unexpected text after 'print'" in (found[0][0].text or "")


def test_hostile_text_is_text(review: Review, rules: dict[str, Rule]) -> None:
    """Control characters, surrogates and noncharacters have no place in XML; markup and commands of logs are text."""
    text = "]]><failure/>&x; \x00\x1b\ud800\ufffe\uffff\r \n::set-output name=a::b\n##vso[task.x]"
    finding = msgspec.structs.replace(review.findings[1], message=text, title=text, function=text, expression=text, fix=text)
    shown = view(msgspec.structs.replace(review, findings=(finding,), coverage=COMPLETE), Config(), rules, "0")
    found = suite(shown)
    assert results(found) == ["passed", "failure"]
    wanted = text.replace("\x00\x1b\ud800\ufffe\uffff\r", r"\x00\x1b\ud800\ufffe\uffff\x0d")
    assert wanted in (found[1][0].text or "")
    assert found[1][0].get("message") == wanted
    data = junit.render(shown).decode()
    assert not [line for line in data.splitlines() if line.lstrip().startswith("::") or "##vso[" in line]
