"""GitLab's two reports, by the rules of its documentation and of the schemas that it refuses reports by."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from headwater.config import Config
from headwater.findings import Coverage, Review
from headwater.reports import gitlab
from headwater.reports.view import View, view
from headwater.rules.load import Rule

Show = Callable[[Config], View]
AT = datetime.datetime(2026, 11, 23, 17, 33, 16, tzinfo=datetime.UTC)


def quality(shown: View) -> Any:
    found = json.loads(gitlab.code_quality(shown))
    for issue in found:
        assert {"description", "check_name", "fingerprint", "severity", "location"} <= set(issue)
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert issue["location"]["lines"]["begin"] >= 1
        assert issue["location"]["path"]
    # Equal ones become one entry.
    assert len({issue["fingerprint"] for issue in found}) == len(found)
    return found


def test_code_quality(show: Show, review: Review) -> None:
    first, second, note, *gaps = quality(show(Config(persona="audit")))
    assert (first["severity"], second["severity"], note["severity"]) == ("blocker", "critical", "info")
    assert first["location"] == {"path": "app/agent 1.py", "lines": {"begin": 7}}
    assert first["fingerprint"] == review.findings[1].identity
    assert first["check_name"] == "model-output-run-as-code"
    assert [gap["check_name"] for gap in gaps] == ["coverage/no-frontend", "coverage/parse-error", "coverage/too-large"]
    assert {gap["severity"] for gap in gaps} == {"info"}


def test_code_quality_of_nothing_is_not_clean(review: Review, rules: dict[str, Rule]) -> None:
    nothing = msgspec.structs.replace(review, findings=(), coverage=Coverage(0, 0, 0, {}, (), {}))
    (issue,) = quality(view(nothing, Config(), rules, "0"))
    assert issue["description"] == "Nothing could be analysed."


def sast(shown: View) -> Any:
    return json.loads(gitlab.sast(shown, AT))


def test_sast_scan(show: Show, review: Review, rules: dict[str, Rule]) -> None:
    report = sast(show(Config()))
    assert report["version"] == "15.0.7"
    scan = report["scan"]
    assert scan["type"] == "sast"
    assert scan["start_time"] == scan["end_time"] == "2026-11-23T17:33:16"  # no zone: the schema has none
    assert scan["status"] == "success"
    for tool in (scan["analyzer"], scan["scanner"]):
        assert {"id", "name", "version", "vendor"} <= set(tool)
        assert tool["vendor"]["name"]
    assert scan["messages"][0] == {"level": "warn", "value": "Coverage: partial, 3 files, 31 lines, 3 functions, 10 gaps"}
    assert {message["level"] for message in scan["messages"]} == {"info", "warn"}
    nothing = msgspec.structs.replace(review, findings=(), coverage=Coverage(0, 0, 0, {}, (), {}))
    failed = sast(view(nothing, Config(), rules, "0"))["scan"]
    assert (failed["status"], failed["messages"][0]["level"]) == ("failure", "fatal")


def test_sast_vulnerabilities(show: Show, review: Review) -> None:
    first, second = sast(show(Config()))["vulnerabilities"]
    assert uuid.UUID(first["id"]) != uuid.UUID(second["id"])
    assert first["severity"] == "Critical"
    assert first["identifiers"][0] == {
        "type": "headwater_rule",
        "name": "Headwater model-output-run-as-code",
        "value": "model-output-run-as-code",
    }
    weaknesses = [one for one in first["identifiers"] if one["type"] == "cwe"]
    assert [one["name"] for one in weaknesses] == ["CWE-95", "CWE-1426"]
    assert all(one["name"] and one["value"] for one in first["identifiers"])
    assert first["location"] == {"file": "app/agent 1.py", "start_line": 7, "end_line": 7, "method": "app.agent.Agent.run"}
    signature = first["tracking"]["items"][0]["signatures"][0]
    assert signature == {"algorithm": "hash", "value": review.findings[1].identity}
    trace = first["details"]["trace"]
    assert (trace["type"], trace["name"]) == ("list", "Trace of llm-output")
    assert trace["items"][0] == {"type": "text", "value": "app/model.py:7 the answer of the model comes in"}
    assert "details" not in second


def test_a_description_is_markdown(review: Review, rules: dict[str, Rule]) -> None:
    """So the text of the repository in it is written as references."""
    hostile = msgspec.structs.replace(review.findings[1], message="`a(b)` ![x](https://x.example) @all")
    (found,) = sast(view(msgspec.structs.replace(review, findings=(hostile,)), Config(), rules, "0"))["vulnerabilities"]
    assert found["description"] == "<code>a(b)</code> &#33;&#8203;&#91;x&#93;(https&#58;&#8203;//x.example) &#64;&#8203;all"


def test_lengths_of_the_schema(review: Review, rules: dict[str, Rule]) -> None:
    long = msgspec.structs.replace(review.findings[1], title="t" * 300, fix="f" * 8000)
    (found,) = sast(view(msgspec.structs.replace(review, findings=(long,)), Config(), rules, "0"))["vulnerabilities"]
    assert (len(found["name"]), len(found["solution"])) == (255, 7000)


def test_the_time_is_that_of_the_environment() -> None:
    assert gitlab.moment({"SOURCE_DATE_EPOCH": "86400"}) == datetime.datetime(1970, 1, 2, tzinfo=datetime.UTC)
    assert gitlab.moment({}).year >= 2026
    for wrong in ("soon", "1" * 30, "1.5"):
        with pytest.raises(ValueError, match="SOURCE_DATE_EPOCH"):
            gitlab.moment({"SOURCE_DATE_EPOCH": wrong})
