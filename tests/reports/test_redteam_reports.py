"""Model-level evidence in the reports of a review: beside the findings, escaped, and without a say in the gate."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import msgspec
import pytest

from headwater.config import Config
from headwater.findings import Mapping_, Review
from headwater.redteam.evidence import MISSING, Evidence, Hit, Missing, Result
from headwater.redteam.join import joined, supporting
from headwater.reports import json_v1, markdown, redteam, sarif, text
from headwater.reports.html import page
from headwater.reports.view import View, view
from headwater.rules.load import Rule

SCHEMA = json.loads((Path(__file__).parent.parent / "data" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
EVIL = "\x1b[2J\u202e<script>alert(1)</script> [x](javascript:1) ##[error] | `` @all\n::error::"

CODE = Result(
    "garak",
    "0.17.1",
    "exploitation.JinjaTemplatePythonInjection",
    "exploitation.PythonCodeExecution",
    6,
    4,
    2,
    "output-template",
    ("template", "code"),
    (Mapping_("owasp-llm", "2025", "LLM05:2025", "Improper Output Handling"),),
    "a pattern of what payloads look like",
    (Hit(EVIL, EVIL), Hit("b", "c")),
)
PASSED = msgspec.structs.replace(CODE, probe="dan.Dan_11_0", detector="dan.DAN", passed=9, failed=0, unjudged=0, sinks=(), hits=())
SKIPPED = msgspec.structs.replace(PASSED, probe=f"evil.{EVIL}", passed=0)
EVIDENCE = Evidence(
    ("a.report.jsonl",),
    (CODE, PASSED, SKIPPED),
    (Missing("skipped", "garak", f"evil.{EVIL}", EVIL), Missing("not-finished", "garak", "", "the report ends")),
)


@pytest.fixture
def shown(review: Review, rules: dict[str, Rule]) -> View:
    return view(joined(review, EVIDENCE), Config(), rules, "0.0.0", EVIDENCE)


def test_only_findings_whose_text_the_model_writes_are_marked(review: Review) -> None:
    marked = {one.rule: one.evidence for one in joined(review, EVIDENCE).findings}
    assert marked == {"unsafe-model-file": "static", "model-output-run-as-code": "red-team"}
    # That a detector saw nothing bad is no evidence of anything.
    none = Evidence((), (msgspec.structs.replace(CODE, failed=0),))
    assert joined(review, none).findings == review.findings


def test_sources_that_are_no_model_are_not_spoken_of(review: Review) -> None:
    (finding,) = (one for one in review.findings if one.sink_class == "code")
    remote = msgspec.structs.replace(finding, kind="http-input", traces=finding.traces[1:])
    assert [one.probe for one in supporting(finding, EVIDENCE)] == [CODE.probe]
    assert supporting(remote, EVIDENCE) == []


def test_evidence_and_findings_about_the_model_itself_meet_at_a_technique(review: Review) -> None:
    leak = Mapping_("atlas", "5.6.0", "AML.T0056", "Extract LLM System Prompt")
    told = msgspec.structs.replace(CODE, kind="system-prompt-leak", sinks=(), mappings=(leak,))
    finding = msgspec.structs.replace(review.findings[0], mappings=(leak,))
    assert supporting(finding, Evidence((), (told,))) == [told]
    # An operation that a tool runs has a technique as well, and that one tells nothing.
    command = Mapping_("atlas", "5.6.0", "AML.T0050", "Command and Scripting Interpreter")
    other = msgspec.structs.replace(told, mappings=(command,))
    assert supporting(msgspec.structs.replace(finding, mappings=(command,)), Evidence((), (other,))) == []


def test_nothing_but_the_evidence_changes(review: Review, rules: dict[str, Rule], shown: View) -> None:
    plain = view(review, Config(), rules, "0.0.0")
    assert shown.gate == plain.gate
    assert [msgspec.structs.replace(one, evidence="static") for one in shown.findings] == list(plain.findings)
    before, after = json_v1.document(plain), json_v1.document(shown)
    assert "red_team" not in before
    assert [one["identity"] for one in after["findings"]] == [one["identity"] for one in before["findings"]]


def test_json(shown: View) -> None:
    whole = json.loads(json_v1.render(shown))
    told = whole["red_team"]
    assert (told["judged"], told["failed"], told["files"]) == (19, 4, ["a.report.jsonl"])
    assert told["results"][0]["mappings"][0]["id"] == "LLM05:2025"
    assert [one["kind"] for one in told["missing"]] == ["skipped", "not-finished"]
    assert whole["findings"][0]["evidence"] == "red-team"
    assert whole["findings"][0]["red_team"].startswith("red-team: garak exploitation")
    assert b"\x1b" not in json_v1.render(shown)


def test_evidence_alone_fits_its_schema() -> None:
    path = Path(__file__).parent.parent.parent / "docs" / "schemas" / "redteam-1.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(redteam.render(EVIDENCE, "0.0.0")), schema)
    assert schema["properties"]["missing"]["items"]["properties"]["kind"]["enum"] == list(MISSING)


def test_sarif(shown: View) -> None:
    log = json.loads(sarif.render(shown))
    assert [error.message[:200] for error in jsonschema.Draft4Validator(SCHEMA).iter_errors(log)] == []
    (ran,) = log["runs"]
    told = ran["properties"]["redTeam"]
    assert (told["judged"], told["failed"], told["missing"], len(told["results"])) == (19, 4, 2, 3)
    assert ran["results"][0]["properties"]["evidence"] == "red-team"
    assert "alert" not in json.dumps(told["results"][0]), "answers are in the JSON report alone"


def test_text(shown: View) -> None:
    page = text.render(shown)
    assert "Red team:  red-team: garak exploitation.JinjaTemplatePythonInjection" in page
    assert "19 verdicts, 4 bad" in page
    assert "4 of 10 answers bad, 2 not judged" in page
    assert "none garak evil" in page
    for sign in ("\x1b", "\u202e", "##[", "\n::"):
        assert sign not in page


def test_markdown(shown: View) -> None:
    page = markdown.render(shown).decode()
    assert "4 of 10 answers bad" in page
    assert "dan.DAN" not in page, "what passed is in the other reports"
    for sign in ("\x1b", "\u202e", "<script", "](javascript", "@all"):
        assert sign not in page


def test_html(shown: View, review: Review, rules: dict[str, Rule]) -> None:
    written = page.render(shown).decode()
    assert 'href="#redteam"' in written
    assert "4 of 10 answers bad" in written
    for sign in ("\x1b", "\u202e", "<script>alert"):
        assert sign not in written

    class Open(HTMLParser):
        left: list[str] = []

        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in ("meta", "input", "br", "hr"):
                self.left.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.left.pop() == tag

    reader = Open()
    reader.feed(written)
    assert reader.left == []
    assert b"redteam" not in page.render(view(review, Config(), rules, "0.0.0"))


def test_a_run_that_judged_nothing_is_never_called_good(review: Review, rules: dict[str, Rule]) -> None:
    nothing = Evidence(("a",), (SKIPPED,), EVIDENCE.missing)
    assert redteam.outcome(nothing) == "Nothing was judged: this says nothing about the model."
    for page_ in (text.render, lambda one: markdown.render(one).decode()):
        assert "Nothing was judged" in page_(view(review, Config(), rules, "0.0.0", nothing))
