"""SARIF: valid by the standard's schema, and as GitHub code scanning wants it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import msgspec
import pytest

from headwater import limits
from headwater.config import Config
from headwater.findings import Confidence, Place, Review, Trace
from headwater.reports import sarif
from headwater.reports.linehash import hashes
from headwater.reports.view import View, view
from headwater.rules.load import Rule, load_rules

SCHEMA = json.loads((Path(__file__).parent.parent / "data" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
Show = Callable[[Config], View]


def valid(shown: View) -> Any:
    """The only run of the report, after a check against the schema."""
    log = json.loads(sarif.render(shown))
    errors = [f"{error.json_path}: {error.message[:200]}" for error in jsonschema.Draft4Validator(SCHEMA).iter_errors(log)]
    assert errors == []
    assert log["$schema"] == SCHEMA["id"]
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    return run


@pytest.fixture
def run(show: Show) -> Any:
    return valid(show(Config(persona="audit")))


def test_run(run: Any) -> None:
    assert run["automationDetails"] == {"id": "headwater/"}
    assert run["columnKind"] == "utf16CodeUnits"
    assert run["tool"]["driver"]["name"] == "Headwater"
    assert all("uri" not in base for base in run["originalUriBaseIds"].values())


def test_rules_have_what_github_needs(run: Any) -> None:
    first, second = run["tool"]["driver"]["rules"]
    assert first["id"] == "model-output-run-as-code"
    assert first["properties"]["tags"][:4] == ["security", "external/cwe/cwe-095", "external/cwe/cwe-1426", "agent"]
    assert len(first["properties"]["tags"]) <= 10
    assert [rule["properties"]["security-severity"] for rule in (first, second)] == ["9.5", "8.0"]
    assert first["properties"]["precision"] == "high"
    assert first["defaultConfiguration"]["level"] == "error"
    for rule in (first, second):
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert len(rule["fullDescription"]["text"]) <= 1024
        assert rule["helpUri"].startswith("https://")


def test_the_real_rules_are_valid(review: Review) -> None:
    run = valid(view(review, Config(), load_rules(), "0"))
    for rule in run["tool"]["driver"]["rules"]:
        assert len(rule["shortDescription"]["text"]) <= 1024
        assert len(rule["fullDescription"]["text"]) <= 1024
        assert "expect:" not in rule["help"]["markdown"]


def test_results_point_to_their_rule(run: Any) -> None:
    rules = run["tool"]["driver"]["rules"]
    assert [result["level"] for result in run["results"]] == ["error", "warning", "note"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert 0 <= result["rank"] <= 100
    assert [result["rank"] for result in run["results"]] == sorted((result["rank"] for result in run["results"]), reverse=True)


def test_columns_are_utf16_code_units(run: Any, review: Review) -> None:
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    source = review.sources["app/agent 1.py"]
    units = source.line_text(region["startLine"]).encode("utf-16-le")
    sink = units[2 * (region["startColumn"] - 1) : 2 * (region["endColumn"] - 1)].decode("utf-16-le")
    assert sink == region["snippet"]["text"] == 'exec(code, {"__builtins__": {}})'


def test_paths_are_relative_and_encoded(run: Any, review: Review) -> None:
    uris = {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]}
    assert uris == {"app/agent%201.py", "lib/%5Bx%5D.py"}
    assert {unquote(uri) for uri in uris} <= set(review.sources)


def test_fingerprints(run: Any, review: Review) -> None:
    found = review.findings[1]
    line = hashes(review.sources["app/agent 1.py"].data)[6]
    assert run["results"][0]["partialFingerprints"] == {
        "primaryLocationLineHash": line,
        "headwater/v1": found.identity,
        "headwater-moved/v1": found.moved_identity,
    }


def test_code_flows_run_from_source_to_sink(run: Any) -> None:
    flows = run["results"][0]["codeFlows"]
    assert [len(flow["threadFlows"][0]["locations"]) for flow in flows] == [4, 2]
    steps = flows[0]["threadFlows"][0]["locations"]
    assert [step["importance"] for step in steps] == ["essential", "unimportant", "important", "essential"]
    assert "codeFlows" not in run["results"][1]


def test_message_links_its_sources(run: Any) -> None:
    result = run["results"][0]
    assert "[app/model.py:7](1) and at [app/agent 1.py:5](2)" in result["message"]["text"]
    assert [location["id"] for location in result["relatedLocations"]] == [1, 2]


def test_hostile_text_is_no_link_and_no_placeholder(run: Any) -> None:
    text = run["results"][1]["message"]["text"]
    assert r"\[link\](1) {{0}}" in text
    assert r"\x1b" in text
    assert "\x1b" not in text


def test_text_that_is_no_unicode_is_written_out_everywhere(review: Review, rules: dict[str, Rule]) -> None:
    odd = "x\ud800\udcff"
    finding = next(one for one in review.findings if one.traces)
    steps = tuple(msgspec.structs.replace(step, what=odd, function=odd) for step in finding.traces[0].steps)
    texts = {"message": odd, "function": odd, "expression": odd, "weaknesses": (odd,)}
    strange = msgspec.structs.replace(finding, **texts, traces=(Trace(finding.kind, steps),), confidence=Confidence.LOW)
    shown = view(msgspec.structs.replace(review, findings=(strange,)), Config(persona="audit"), rules, "0")
    result = valid(shown)["results"][0]
    assert result["properties"]["weaknesses"] == [r"x\ud800\udcff"]


def test_taxa_lead_to_their_items(run: Any) -> None:
    names = [taxonomy["name"] for taxonomy in run["taxonomies"]]
    assert names == ["OWASP LLM 2025", "OWASP LLM 2026", "OWASP Agentic 2026", "MITRE ATLAS", "CWE"]
    references = [taxon for result in run["results"] for taxon in result["taxa"]]
    references += [relation["target"] for rule in run["tool"]["driver"]["rules"] for relation in rule["relationships"]]
    for reference in references:
        taxonomy = run["taxonomies"][reference["toolComponent"]["index"]]
        assert taxonomy["name"] == reference["toolComponent"]["name"]
        assert taxonomy["taxa"][reference["index"]]["id"] == reference["id"]
    assert {taxon["id"] for taxon in run["results"][0]["taxa"]} == {"LLM05:2025", "LLM10:2026", "ASI05:2026", "AML.T0050", "95", "1426"}


def test_coverage_is_told(run: Any, review: Review, rules: dict[str, Rule]) -> None:
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is True
    notifications = invocation["toolExecutionNotifications"]
    assert notifications[0]["message"]["text"].startswith("Coverage partial: 3 files")
    assert len(notifications) == 1 + len(review.coverage.gaps)
    descriptors = run["tool"]["driver"]["notifications"]
    assert all(descriptors[one["descriptor"]["index"]]["id"] == one["descriptor"]["id"] for one in notifications)
    failed = msgspec.structs.replace(review, coverage=msgspec.structs.replace(review.coverage, files=0))
    assert valid(view(failed, Config(), rules, "0"))["invocations"][0]["executionSuccessful"] is False


def test_long_traces_are_cut(review: Review, rules: dict[str, Rule]) -> None:
    steps = review.findings[1].traces[0].steps
    finding = msgspec.structs.replace(review.findings[1], traces=(Trace("llm-output", (steps[0], *steps[1:3] * 30, steps[-1])),) * 9)
    (result,) = valid(view(msgspec.structs.replace(review, findings=(finding,)), Config(), rules, "0"))["results"]
    assert len(result["codeFlows"]) == limits.TRACES
    locations = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert len(locations) == limits.TRACE_STEPS
    assert sum("37 steps before this one are not shown" in one["location"]["message"]["text"] for one in locations) == 1
    assert locations[-1]["executionOrder"] == 62


def test_limits_of_github(review: Review, rules: dict[str, Rule], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "RESULTS", 50)
    many = tuple(msgspec.structs.replace(review.findings[1], ordinal=number) for number in range(60))
    run = valid(view(msgspec.structs.replace(review, findings=many), Config(), rules, "0"))
    assert len(run["results"]) == 50
    assert any("10 results are left out" in one["message"]["text"] for one in run["invocations"][0]["toolExecutionNotifications"])
    monkeypatch.setattr(sarif, "BYTES_COMPRESSED", 6_000)
    monkeypatch.setattr(sarif, "RESULTS_KEPT", 10)
    small = valid(view(msgspec.structs.replace(review, findings=many), Config(), rules, "0"))
    assert len(small["results"]) < 50


def test_a_file_that_is_gone_does_no_harm(review: Review, rules: dict[str, Rule]) -> None:
    finding = msgspec.structs.replace(review.findings[1], place=Place("gone.py", 5, 9))
    (result,) = valid(view(msgspec.structs.replace(review, findings=(finding,)), Config(), rules, "0"))["results"]
    assert "primaryLocationLineHash" not in result["partialFingerprints"]


def test_an_empty_review_is_valid(review: Review) -> None:
    run = valid(view(msgspec.structs.replace(review, findings=()), Config(), {}, "0"))
    assert run["results"] == []
