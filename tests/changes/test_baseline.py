"""``--baseline``: what an earlier report has already is marked, not shown and not counted, in every format; and what a bad file says."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

import headwater
from headwater import baseline, limits
from headwater.cli import run
from headwater.config import Config

SARIF_SCHEMA = Path(__file__).parent.parent / "data" / "sarif-schema-2.1.0.json"
HEAD = """\
import os
import subprocess
from flask import Flask, request

app = Flask(__name__)

"""


def route(name: str, body: str) -> str:
    return f'\n@app.post("/{name}")\ndef {name}():\n    command = request.json["command"]\n    {body}\n\n'


BEFORE = HEAD + route("one", "os.system(command)") + route("two", "subprocess.run(command, shell=True)") + route("three", "eval(command)")
AFTER = (
    HEAD
    + "LIMIT = 3\n"
    + route("added", "subprocess.run('ls ' + command, shell=True)")
    + route("two", "subprocess.run(command, shell=True)")
    + route("renamed", "os.system(command)")
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "app.py").write_text(BEFORE)
    return root


def report(root: Path, *arguments: str, format: str = "json") -> Any:
    """The report, and the exit status."""
    out = root.parent / f"out.{format}"
    status = run(["review", str(root), "-q", "--no-progress", "--processes", "1", "--format", format, "--output", str(out), *arguments])
    text = out.read_text()
    return (json.loads(text) if format in ("json", "sarif", "gitlab-sast", "gitlab-codequality") else text), status


@pytest.fixture(params=["json", "sarif"])
def earlier(project: Path, request: pytest.FixtureRequest) -> Path:
    """A report of the project as it was; then the project is changed."""
    made, status = report(project, format=request.param)
    assert status == 1
    path = project.parent / "earlier.report"
    path.write_text(json.dumps(made))
    (project / "app.py").write_text(AFTER)
    return path


def test_only_new_ones_are_shown_and_counted(project: Path, earlier: Path) -> None:
    made, status = report(project, "--baseline", str(earlier))
    assert status == 1
    assert [(one["function"], one["state"]) for one in made["findings"]] == [("added", "new")]
    assert [(one["function"], one["state"]) for one in made["known"]] == [("two", "unchanged"), ("renamed", "unchanged")]
    assert made["gate"]["counted"] == 1
    assert made["selection"] == {"persona": "default", "min_confidence": "low", "shown": 1, "hidden": 0, "suppressed": 0, "known": 2}
    assert made["comparison"] == {
        "against": "earlier.report",
        "fixed": [{"rule": "remote-input-to-code", "path": "app.py", "function": "three"}],
        "unseen": 0,
    }


def test_nothing_new_passes_the_gate(project: Path, earlier: Path) -> None:
    (project / "app.py").write_text(BEFORE.replace("app = Flask(__name__)", "app = Flask(__name__)\n\nLIMIT = 3"))
    made, status = report(project, "--baseline", str(earlier))
    assert (status, made["findings"], len(made["known"]), made["comparison"]["fixed"]) == (0, [], 3, [])


def test_a_report_that_was_made_with_a_baseline_is_one(project: Path, earlier: Path) -> None:
    made, _ = report(project, "--baseline", str(earlier))
    earlier.write_text(json.dumps(made))
    made, status = report(project, "--baseline", str(earlier))
    assert (status, len(made["known"]), made["comparison"]["fixed"]) == (0, 3, [])


def test_every_format_counts_known_ones_apart(project: Path, earlier: Path) -> None:
    told = "earlier.report: 2 known findings"
    text, _ = report(project, "--baseline", str(earlier), format="text")
    assert "1 new finding: 1 critical" in " ".join(text.split()), text
    assert f"{told} not shown, 1 is fixed." in " ".join(text.split())
    assert "os.system" not in text

    markdown, _ = report(project, "--baseline", str(earlier), format="markdown")
    assert "**1 new finding**" in markdown
    assert f"{told} not shown" in markdown
    assert markdown.count("<details><summary>critical") == 1

    github, _ = report(project, "--baseline", str(earlier), format="github")
    assert github.count("::error ") == 1
    assert "1 new finding, 2 known, 1 fixed, gate failed" in github

    junit, _ = report(project, "--baseline", str(earlier), format="junit")
    cases = {case.get("name", ""): case for case in ElementTree.fromstring(junit).iter("testcase")}
    kinds = {name.split(": ")[1]: [child.tag for child in case] for name, case in cases.items() if ": " in name}
    assert kinds == {"added": ["failure"], "two": ["skipped"], "renamed": ["skipped"]}

    quality, _ = report(project, "--baseline", str(earlier), format="gitlab-codequality")
    assert sorted(one["severity"] for one in quality) == ["blocker", "info", "info"]
    sast, _ = report(project, "--baseline", str(earlier), format="gitlab-sast")
    assert len(sast["vulnerabilities"]) == 3
    assert any("2 known findings marked" in one["value"] for one in sast["scan"]["messages"])

    sarif, _ = report(project, "--baseline", str(earlier), format="sarif")
    jsonschema.validate(sarif, json.loads(SARIF_SCHEMA.read_text()))
    states = {one["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]: one["baselineState"] for one in sarif["runs"][0]["results"]}
    assert states == {"added": "new", "two": "unchanged", "renamed": "unchanged"}
    assert sarif["runs"][0]["properties"]["comparison"] == {"against": "earlier.report", "known": 2, "fixed": 1, "unseen": 0}


def test_no_state_without_a_baseline(project: Path) -> None:
    made, _ = report(project)
    assert "known" not in made
    assert all("state" not in one for one in made["findings"])
    sarif, _ = report(project, format="sarif")
    assert all("baselineState" not in one for one in sarif["runs"][0]["results"])


def test_what_has_become_worse_counts(project: Path) -> None:
    """The operation was there before, and a suppression; the change takes the comment away."""
    body = BEFORE.replace("    eval(command)", "    eval(command)  # headwater: ignore[remote-input-to-code] a sandbox")
    (project / "app.py").write_text(body)
    made, _ = report(project)
    assert len(made["suppressed"]) == 1
    path = project.parent / "earlier.json"
    path.write_text(json.dumps(made))
    (project / "app.py").write_text(BEFORE)
    made, status = report(project, "--baseline", str(path))
    assert (status, [(one["function"], one["state"]) for one in made["findings"]]) == (1, [("three", "worse")])
    text, _ = report(project, "--baseline", str(path), format="text")
    assert "1 of the findings above was known, but not as bad" in " ".join(text.split())


def test_a_severity_that_rises_counts_and_one_that_falls_does_not(project: Path) -> None:
    made, _ = report(project)
    path = project.parent / "earlier.json"
    for one in made["findings"]:
        one["severity"] = {"one": "low", "two": "critical", "three": "critical"}[one["function"]]
        one["level"] = "note" if one["severity"] == "low" else one["level"]
    path.write_text(json.dumps(made))
    (project / "headwater.toml").write_text('[rules]\nremote-input-to-code = "low"\n')
    made, status = report(project, "--baseline", str(path), "--persona", "audit")
    assert (status, [(one["function"], one["state"]) for one in made["findings"]]) == (1, [("one", "worse")])
    assert sorted((one["function"], one["state"]) for one in made["known"]) == [("three", "updated"), ("two", "unchanged")]


def test_what_was_not_looked_at_is_not_called_fixed(project: Path, earlier: Path) -> None:
    (project / "app.py").write_text("def broken(:\n" + HEAD)
    made, _ = report(project, "--baseline", str(earlier))
    assert (made["comparison"]["fixed"], made["comparison"]["unseen"]) == ([], 3)
    (project / "app.py").write_text(HEAD)
    (project / "headwater.toml").write_text('[rules]\nremote-input-to-code = "off"\n')
    made, _ = report(project, "--baseline", str(earlier))
    assert ([one["rule"] for one in made["comparison"]["fixed"]], made["comparison"]["unseen"]) == (["remote-input-to-shell"] * 2, 1)


def test_a_part_of_the_repository_is_compared_with_its_part(project: Path) -> None:
    (project / ".git").mkdir()
    (project / "sub").mkdir()
    (project / "sub" / "b.py").write_text(BEFORE)
    made, _ = report(project)
    path = project.parent / "earlier.json"
    path.write_text(json.dumps(made))
    (project / "sub" / "b.py").write_text(HEAD)
    made, _ = report(project / "sub", "--baseline", str(path))
    assert (len(made["comparison"]["fixed"]), made["comparison"]["unseen"]) == (3, 3)


def test_the_function_does_the_same(project: Path, earlier: Path) -> None:
    made = headwater.review(project, Config(processes=1), baseline=earlier)
    assert made.comparison is not None
    assert sorted(one.state for one in made.findings) == ["new", "unchanged", "unchanged"]


def test_the_same_bytes_every_time(project: Path, earlier: Path) -> None:
    for format in ("json", "sarif", "junit", "markdown"):
        made = [report(project, "--baseline", str(earlier), format=format) for _ in range(2)]
        assert made[0] == made[1]


# ------------------------------------------------------------------------------------------------------------ hostile


def said(project: Path, capsys: pytest.CaptureFixture[str], data: bytes | str, *arguments: str) -> str:
    """What is said of a file that cannot be used."""
    path = project.parent / "bad.json"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    capsys.readouterr()
    assert run(["review", str(project), "--baseline", str(path), *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    return shown.err


FINDING = '{"rule": "r", "severity": "high", "level": "error", "place": {"path": "a", "start": {"line": 1}}, "function": "f", '
FINDING += '"expression": "e", "ordinal": 0, "sink_class": "code", "shape": "s", "around": ["", ""]}'
REPORT = '{"schema": "headwater-review", "version": 1, "findings": [%s], "suppressed": []}'
SARIF = '{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "%s"}}, "results": [%s]}]}'


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "it is no JSON"),
        ("\x00\x01", "it is no JSON"),
        (b"\xff\xfe{\x00", "it is no JSON"),
        ("[]", "it is no report of this version of headwater review: Expected `object`"),
        ("{}", "it is no report of headwater review, neither JSON nor SARIF"),
        ('{"schema": "other"}', "neither JSON nor SARIF"),
        ('{"schema": "headwater-review", "version": 2, "findings": [], "suppressed": []}', "version 2 of the JSON report"),
        (REPORT % '{"rule": 3}', "Expected `str`, got `int` - at `$.findings[0].rule`"),
        (REPORT % FINDING.replace('"high"', '"\\u001b[31mworst"'), "'\\x1b[31mworst' is not one of low"),
        (REPORT % FINDING.replace('["", ""]', '["", "", ""]'), "around"),
        (REPORT % FINDING.replace('"ordinal": 0', '"ordinal": 1e400'), "bad.json: it is no"),
        (REPORT % FINDING.replace('"ordinal": 0', f'"ordinal": {"9" * 5000}'), "bad.json: it is no"),
        (SARIF % ("Semgrep OSS", ""), "'Semgrep OSS', not of Headwater"),
        (SARIF % ("Headwater", '{"ruleId": "r", "level": "error", "locations": []}'), "missing required field `properties`"),
        ('{"runs": ' + "[" * 100_000 + "]" * 100_000 + "}", "it is nested too deeply"),
        ('{"x": ' + '{"a":' * 100_000, "it is nested too deeply"),
    ],
)
def test_bad_files(project: Path, capsys: pytest.CaptureFixture[str], data: bytes | str, message: str) -> None:
    assert message in said(project, capsys, data)


def test_too_many_or_too_large(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BASELINE_FINDINGS", 3)
    assert "more than 3 findings" in said(project, capsys, REPORT % ",".join([FINDING] * 4))
    monkeypatch.setattr(limits, "BASELINE_BYTES", 100)
    assert "the limit is 100" in said(project, capsys, REPORT % FINDING)


def test_not_a_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (project, project / "missing.json"):
        assert run(["review", str(project), "--baseline", str(path)]) == 2
    assert run(["review", str(project), "--baseline", "/dev/zero"]) == 2
    assert "no regular file" in capsys.readouterr().err


def test_results_that_were_left_out(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = (SARIF % ("Headwater", "")).replace('"results": []', '"results": [], "properties": {"resultsLeftOut": 3}')
    assert "compare with a JSON report" in said(project, capsys, data)


def test_a_baseline_of_the_repository_is_named_and_can_be_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made, _ = report(project)
    path = project / "baseline.json"
    path.write_text(json.dumps(made))
    made, _ = report(project, "--baseline", str(path))
    assert made["comparison"]["against"] == "baseline.json, which is part of what is reviewed"
    assert run(["review", str(project), "--baseline", str(path), "--no-repo-config"]) == 2
    assert "of which nothing is to count" in capsys.readouterr().err
    link = project / "link.json"
    link.symlink_to(project.parent / "elsewhere.json")
    (project.parent / "elsewhere.json").write_text(path.read_text())
    assert run(["review", str(project), "--baseline", str(link), "--no-repo-config"]) == 2


def test_hostile_text_stays_text(project: Path) -> None:
    finding = FINDING.replace('"path": "a"', '"path": "a\\u001b[31m/../::error::x\\u202e"')
    finding = finding.replace('"function": "f"', '"function": "\\u001b]0;x"')
    path = project.parent / "\x1b[31m\n::error::x.json"
    path.write_text(REPORT % finding)
    for format in ("text", "json", "sarif", "markdown", "junit", "github"):
        out = project.parent / "out"
        arguments = ["--format", format, "--output", str(out), "--baseline", str(path)]
        assert run(["review", str(project), "-q", "--processes", "1", *arguments]) == 1
        data = out.read_bytes()
        assert b"\x1b" not in data
        assert b"\n::error::x" not in data
        assert "\u202e".encode() not in data


def test_many_equal_findings_are_matched_in_good_time(project: Path) -> None:
    """A file that was made to be slow to compare."""
    one = FINDING.replace('"r"', '"remote-input-to-shell"').replace('"a"', '"app.py"')
    body = ",".join(one.replace('"e"', f'"os.system({n})"') for n in range(20_000))
    path = project.parent / "many.json"
    path.write_text(REPORT % body)
    before = time.process_time()
    assert len(baseline.read(path)) == 20_000
    report(project, "--baseline", str(path))
    assert time.process_time() - before < 10
