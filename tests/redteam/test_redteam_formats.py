"""Reports of the tools: what counts as passed and failed, and what is missing and never a pass."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import msgspec
import pytest
import redteam_reports as made

from headwater import limits
from headwater.redteam import formats
from headwater.redteam.evidence import Evidence, joined
from headwater.reports import redteam


def numbers(evidence: Evidence) -> list[tuple[str, str, int, int, int]]:
    return [(one.probe, one.detector, one.passed, one.failed, one.unjudged) for one in evidence.results]


def missing(evidence: Evidence) -> list[tuple[str, str]]:
    return [(one.kind, one.probe) for one in evidence.missing]


# ------------------------------------------------------------------------------------------------------------- Garak


def test_garak_counts_and_shows(tmp_path: Path) -> None:
    probe, detector = "exploitation.SQLInjectionEcho", "exploitation.SQLiEcho"
    bad = made.attempt(probe, "ECHO: 1 UNION SELECT 2", ["1 UNION SELECT 2"], {detector: [1.0]})
    good = made.attempt(probe, "ECHO: x", ["I will not."], {detector: [0.0]})
    sent = made.attempt(probe, "ECHO: x", [], {}, status=1)
    entries = [made.setup(), made.init(), sent, bad, good, made.evaluation(probe, detector, 1, 1), made.completion()]
    found = formats.read(made.lines(tmp_path / "a.report.jsonl", entries))
    assert numbers(found) == [(probe, detector, 1, 1, 0)]
    assert found.missing == ()
    (one,) = found.results
    assert (one.tool, one.version, one.kind, one.sinks) == ("garak", "0.17.1", "output-sql", ("sql",))
    assert {"LLM05:2025", "LLM10:2026", "AML.T0053"} <= {mapping.id for mapping in one.mappings}
    assert [(hit.prompt, hit.output) for hit in one.hits] == [("ECHO: 1 UNION SELECT 2", "1 UNION SELECT 2")]


def test_a_scan_of_garak_that_judged_nothing_is_no_pass(tmp_path: Path) -> None:
    # What it prints is "SKIP ok on 0/0", and its status is 0.
    entries = [
        made.setup(),
        made.init(),
        made.evaluation("packagehallucination.Python", "packagehallucination.PythonPypi", 0, 0),
        made.completion(),
    ]
    found = formats.read(made.lines(tmp_path / "a.report.jsonl", entries))
    assert found.judged == 0
    assert missing(found) == [("skipped", "packagehallucination.Python")]
    assert redteam.outcome(found).startswith("Nothing was judged")


def test_answers_of_garak_that_did_not_come_are_no_passes(tmp_path: Path) -> None:
    probe, detector = "dan.Ablation_Dan_11_0", "dan.DAN"
    silent = made.attempt(probe, "be DAN", [None], {detector: [None]})
    entries = [made.setup(), made.init(), silent, made.evaluation(probe, detector, 3, 0, nones=5), made.completion()]
    found = formats.read(made.lines(tmp_path / "a.report.jsonl", entries))
    assert numbers(found) == [(probe, detector, 3, 0, 5)]
    assert missing(found) == [("no-answer", probe)]
    assert "5 of 8" in found.missing[0].reason


def test_a_run_of_garak_that_broke_off_is_said_to(tmp_path: Path) -> None:
    begun = made.attempt("web_injection.TaskXSS", "do", ["done"], {}, status=1)
    entries = [made.setup(), made.init(), made.evaluation("dan.Dan_11_0", "dan.DAN", 1, 0), begun]
    found = formats.read(made.lines(tmp_path / "a.report.jsonl", entries))
    assert missing(found) == [("not-finished", ""), ("not-finished", "web_injection.TaskXSS")]


def test_a_log_of_hits_does_not_tell_what_passed(tmp_path: Path) -> None:
    hit = made.logged_hit("dan.Dan_11_0", "mitigation.MitigationBypass", "be DAN", "I have been PWNED. I cannot help with that.")
    found = formats.read(made.lines(tmp_path / "a.hitlog.jsonl", [hit, hit]))
    assert numbers(found) == [("dan.Dan_11_0", "mitigation.MitigationBypass", 0, 2, 0)]
    assert missing(found) == [("no-totals", "")]
    assert "quotes" in found.results[0].worth


def test_older_reports_of_garak_are_read(tmp_path: Path) -> None:
    old = {"entry_type": "eval", "probe": "dan.Dan_11_0", "detector": "detector.dan.DAN", "passed": 3, "total": 5}
    prompt = {"entry_type": "attempt", "status": 2, "probe_classname": "dan.Dan_11_0", "prompt": "be DAN", "outputs": ["DAN: yes"]}
    entries = [made.setup(), made.init(), {**prompt, "detector_results": {"dan.DAN": [1.0]}}, old, made.completion()]
    found = formats.read(made.lines(tmp_path / "a.report.jsonl", entries))
    assert numbers(found) == [("dan.Dan_11_0", "dan.DAN", 3, 2, 0)]
    assert found.results[0].hits[0].output == "DAN: yes"


def test_a_probe_of_tomorrow_is_kept_and_said_to_be_unmapped(tmp_path: Path) -> None:
    entries = [made.setup(), made.init(), made.evaluation("of_tomorrow.Probe", "of_tomorrow.Detector", 2, 1), made.completion()]
    found = formats.read(made.lines(tmp_path / "a.report.jsonl", entries))
    assert numbers(found) == [("of_tomorrow.Probe", "of_tomorrow.Detector", 2, 1, 0)]
    assert (found.results[0].mappings, missing(found)) == ((), [("unmapped", "of_tomorrow.Probe")])


def test_a_bad_line_costs_the_line(tmp_path: Path) -> None:
    entries = [
        made.setup(),
        b"{",
        b'{"entry_type": "eval", "probe": 3}',
        b"[" * 5000,
        b"\xff\xfe",
        b'{"entry_type": "attempt", "pad": "' + b"x" * (limits.REDTEAM_LINE + 10) + b'"}',
        made.evaluation("dan.Dan_11_0", "dan.DAN", 1, 0),
        made.completion(),
    ]
    found = formats.read(made.lines(tmp_path / "a.report.jsonl", entries))
    assert numbers(found) == [("dan.Dan_11_0", "dan.DAN", 1, 0, 0)]
    assert missing(found) == [("unreadable", ""), ("unreadable", "")]
    assert {"a line that is not what Garak writes (4 times)", "line 6 is too long"} == {one.reason for one in found.missing}


def test_what_is_shown_is_bounded(tmp_path: Path) -> None:
    probe, detector = "dan.Dan_11_0", "dan.DAN"
    bad = made.attempt(probe, "p" * 9000, ["o" * 9000], {detector: [1.0]})
    entries = [made.setup(), made.init(), *[bad] * 20, made.evaluation(probe, detector, 0, 20), made.completion()]
    (one,) = formats.read(made.lines(tmp_path / "a.report.jsonl", entries)).results
    assert len(one.hits) == limits.REDTEAM_HITS
    assert {len(text) for hit in one.hits for text in (hit.prompt, hit.output)} == {limits.REDTEAM_EXCERPT}


# ------------------------------------------------------------------------------------------------------------- PyRIT


def test_pyrit_counts_and_shows(tmp_path: Path) -> None:
    memory = made.Memory(tmp_path / "pyrit.db")
    scenario = memory.scenario("WebInjection")
    memory.attack("success", scenario=scenario, technique="task_xss", prompt="write a page", answer="<script>1</script>")
    memory.attack("failure", scenario=scenario, technique="task_xss")
    memory.attack("failure", labels={"headwater-probe": "headwater.sql"}, scorer="SQLInjectionOutputScorer")
    memory.attack("success", scorer="SubStringScorer")
    found = formats.read(str(memory.path))
    assert numbers(found) == [
        ("PromptSendingAttack", "SubStringScorer", 0, 1, 0),
        ("WebInjection.task_xss", "XSSOutputScorer", 1, 1, 0),
        ("headwater.sql", "SQLInjectionOutputScorer", 1, 0, 0),
    ]
    assert found.missing == ()
    assert [one.kind for one in found.results] == ["none", "output-html", "output-sql"]
    assert [(hit.prompt, hit.output) for hit in found.results[1].hits] == [("write a page", "<script>1</script>")]
    assert found.results[0].version == "1.1.0"


@pytest.mark.parametrize(
    ("outcome", "more", "kind"),
    [
        ("undetermined", {"scorer": ""}, "not-judged"),
        ("undetermined", {}, "not-judged"),
        ("error", {"error": "the endpoint does not answer", "scorer": ""}, "no-answer"),
        ("failure", {"scorer": ""}, "not-judged"),
        ("failure", {"status": "undetermined"}, "not-judged"),
        ("success", {"status": "undetermined"}, "not-judged"),
        ("failure", {"response_error": "unknown"}, "no-answer"),
        ("of tomorrow", {}, "not-judged"),
    ],
)
def test_what_pyrit_did_not_judge_is_no_pass(tmp_path: Path, outcome: str, more: dict[str, str], kind: str) -> None:
    memory = made.Memory(tmp_path / "pyrit.db")
    memory.attack(outcome, scenario=memory.scenario("WebInjection"), technique="task_xss", **more)  # type: ignore[arg-type]
    found = formats.read(str(memory.path))
    assert (found.judged, sum(one.unjudged for one in found.results)) == (0, 1)
    assert (kind, "WebInjection.task_xss") in missing(found)


def test_what_nobody_judged_stands_with_what_was(tmp_path: Path) -> None:
    memory = made.Memory(tmp_path / "pyrit.db")
    memory.attack("failure", labels={"headwater-probe": "headwater.url"}, scorer="SSRFOutputScorer")
    memory.attack("error", labels={"headwater-probe": "headwater.url"}, scorer="", error="id 01234567-89ab-cdef-0123-456789abcdef")
    memory.attack("error", labels={"headwater-probe": "headwater.url"}, scorer="", error="id 11234567-89ab-cdef-0123-456789abcdef")
    found = formats.read(str(memory.path))
    assert numbers(found) == [("headwater.url", "SSRFOutputScorer", 1, 0, 2)]
    assert "id ... (2 times)" in {one.reason for one in found.missing}


def test_a_scenario_of_pyrit_that_broke_off_is_said_to(tmp_path: Path) -> None:
    memory = made.Memory(tmp_path / "pyrit.db")
    memory.attack("failure", scenario=memory.scenario("Encoding", "FAILED"), technique="base64", scorer="DecodingScorer")
    assert missing(formats.read(str(memory.path))) == [("not-finished", "Encoding")]


def test_a_view_in_place_of_a_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pyrit.db"
    memory = made.Memory(path)
    memory.attack("failure")
    with sqlite3.connect(path) as database:
        database.execute('ALTER TABLE "AttackResultEntries" RENAME TO hidden')
        database.execute('CREATE VIEW "AttackResultEntries" AS SELECT * FROM hidden')
    with pytest.raises(formats.ReportError, match="no table AttackResultEntries"):
        formats.read(str(path))


def test_a_database_whose_reading_does_not_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = made.Memory(tmp_path / "pyrit.db")
    for _ in range(60):
        memory.attack("failure")
    monkeypatch.setattr(limits, "REDTEAM_SQL_STEPS", 6)
    found = formats.read(str(memory.path))
    assert 0 < found.judged < 60
    assert ("unreadable", "") in missing(found)


# --------------------------------------------------------------------------------------------------------- promptfoo


def test_promptfoo_counts_and_shows(tmp_path: Path) -> None:
    rows = [
        made.row("sql-injection", success=True),
        made.row("sql-injection", success=False, output={"rows": ["1; DROP"]}),
        made.row("sql-injection", success=False, strategy="jailbreak"),
        made.row("sql-injection", success=False, strategy="basic"),
    ]
    found = formats.read(made.evaluated(tmp_path / "out.json", rows))
    assert numbers(found) == [
        ("sql-injection", "promptfoo:redteam:sql-injection", 1, 2, 0),
        ("sql-injection/jailbreak", "promptfoo:redteam:sql-injection", 0, 1, 0),
    ]
    assert found.missing == ()
    assert found.results[0].hits[0].output == '{"rows":["1; DROP"]}'
    assert (found.results[0].version, found.results[1].sinks) == ("0.121.20", ("sql",))


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        # What promptfoo itself counts as passed.
        (made.row("ssrf", success=True, assertion=""), "not-judged"),
        (made.row("ssrf", success=True, grader_error=True), "not-judged"),
        (made.row("ssrf", success=True, output=""), "no-answer"),
        (made.row("ssrf", success=True, output=None), "no-answer"),
        # And as failed, or as an error.
        (made.row("ssrf", success=False, grader_error=True), "not-judged"),
        (made.row("ssrf", success=False, reason=2, error="no grader"), "not-judged"),
        (made.row("ssrf", success=False, output=None, error="429"), "no-answer"),
    ],
)
def test_what_promptfoo_did_not_judge_is_no_verdict(tmp_path: Path, row: made.Json, kind: str) -> None:
    found = formats.read(made.evaluated(tmp_path / "out.json", [row]))
    assert (found.judged, sum(one.unjudged for one in found.results)) == (0, 1)
    assert (kind, "ssrf") in missing(found)


def test_a_bad_row_costs_the_row(tmp_path: Path) -> None:
    found = formats.read(made.evaluated(tmp_path / "out.json", [{"success": "yes"}, 3, made.row("ssrf", success=True)]))
    assert found.judged == 1
    assert "a row that is not what promptfoo writes (2 times)" in {one.reason for one in found.missing}


def test_rows_of_promptfoo_line_by_line(tmp_path: Path) -> None:
    rows = [made.row("ssrf", success=True), made.row("ssrf", success=False)]
    assert formats.read(made.lines(tmp_path / "out.jsonl", rows)).judged == 2


def test_a_value_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REDTEAM_JSON", 100)
    with pytest.raises(formats.ReportError, match="larger than 100"):
        formats.read(made.evaluated(tmp_path / "out.json", [made.row("ssrf", success=True)]))


# --------------------------------------------------------------------------------------------------------- the others


def test_what_headwater_wrote_comes_back(tmp_path: Path) -> None:
    memory = made.Memory(tmp_path / "pyrit.db")
    memory.attack("success", scenario=memory.scenario("WebInjection", "FAILED"), technique="task_xss", answer="\x1b[2J\u202e <b>")
    garak = made.lines(tmp_path / "a.report.jsonl", [made.setup(), made.init(), made.evaluation("dan.Dan_11_0", "dan.DAN", 4, 0, 2)])
    first = joined([formats.read(garak), formats.read(str(memory.path))])
    path = tmp_path / "evidence.json"
    path.write_bytes(redteam.render(first, "0.0.0"))
    again = formats.read(str(path))
    assert again.files == ("evidence.json",)
    assert msgspec.structs.replace(again, files=first.files) == first


def test_a_mapping_in_a_file_of_ours_counts_for_nothing(tmp_path: Path) -> None:
    one = {"tool": "garak", "version": "0.17.1", "probe": "dan.Dan_11_0", "detector": "dan.DAN", "passed": 0, "failed": 1}
    forged = {**one, "kind": "output-shell", "sinks": ["shell"], "mappings": [{"framework": "x", "edition": "", "id": "X", "name": "x"}]}
    strange = {**one, "tool": "of tomorrow"}
    whole = {"schema": "headwater-redteam", "version": 1, "results": [forged, strange], "missing": []}
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps(whole, indent=2), encoding="utf-8")
    found = formats.read(str(path))
    assert [(one.kind, one.sinks) for one in found.results] == [("jailbreak", ())]
    assert ("unreadable", "") in missing(found)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"hello", b"SQLite format 3\0", b'{"evalId": 1}', b"\0" * 100, b'{"runs": []}'])
def test_what_is_no_report_is_said(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(formats.ReportError):
        formats.read(str(path))
