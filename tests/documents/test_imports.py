"""Reports of other scanners in a review: joined with what is found here, told where the code has it, never trusted.

``tests/data/imports``: gitleaks 8.30.1 ran on the files below; pip-audit 2.10.1 wrote its report over made-up advisories; those of
OSV-Scanner and trufflehog are written by hand in the form that they are known to have: neither program was run.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import headwater
from headwater import limits, scanners
from headwater.config import Config
from headwater.findings import Confidence, Finding, Review, Severity

DATA = Path(__file__).parent.parent / "data" / "imports"
APP = """import os
KEY = "pcsk_4kV9Zt_8QmLr2XvT6WpYb3NdGh7KjCs9FeUo1AiRz5BqMx4LwPn8VtGy2KdHs6JcQfEu3Zo"
token = os.environ["X"]; HF = "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"
db_password = "Zk39vTq8LmW2xPf7Rb"
"""
CONF = 'HEROKU_API_KEY = "cf0e05d9-4eca-4948-a012-b91fe9704bab"\n'
PINS = "jinja2==2.4\nlangchain-core==1.2.4\nflask==0.5\n"
HIDDEN = ("4kV9Zt", "QmLrXvTW", "Zk39vTq8", "cf0e05d9", "3ax6xnjp")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "sub").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / "app.py").write_text(APP)
    (root / "sub" / "conf.py").write_text(CONF)
    (root / "requirements.txt").write_text(PINS)
    return root


def review(root: Path, *reports: str | Path) -> Review:
    return headwater.review(root, Config(imported=tuple(scanners.read(str(DATA / one)) for one in reports)))


def of(made: Review, rule: str) -> dict[str, Finding]:
    """The findings of a rule by file and line (0: the file as a whole)."""
    return {
        f"{one.place.path}:{made.sources[one.place.path].position(one.place.start)[0] if one.place.end else 0}": one
        for one in made.findings
        if one.rule == rule
    }


def ledger(made: Review) -> str:
    return "\n".join(gap.reason for gap in made.coverage.gaps if gap.kind == "import")


def test_what_both_found_is_one_finding_and_what_the_tool_alone_found_is_another(project: Path) -> None:
    alone = of(review(project), "secret-written-down")
    assert list(alone) == ["app.py:2", "app.py:3"]
    with_tool = of(review(project, "gitleaks.json"), "secret-written-down")
    assert list(with_tool) == ["app.py:2", "app.py:3", "app.py:4", "sub/conf.py:1"]
    for place, one in alone.items():
        other = with_tool[place]
        assert (other.identity, other.severity, other.confidence, other.evidence) == (one.identity, one.severity, one.confidence, "static")
        assert "gitleaks (`" in other.message
        assert "gitleaks" not in one.message
    new = with_tool["app.py:4"]
    assert (new.evidence, new.severity, new.confidence) == ("imported", Severity.MEDIUM, Confidence.MEDIUM)
    assert "gitleaks (`generic-api-key`)" in new.message


@pytest.mark.parametrize("report", ["gitleaks.json", "gitleaks.sarif", "gitleaks-redacted.json"])
def test_each_form_of_a_report_says_the_same(project: Path, report: str) -> None:
    expected = of(review(project, "gitleaks.json"), "secret-written-down")
    found = of(review(project, report), "secret-written-down")
    assert {place: (one.place, one.message) for place, one in found.items()} == {
        place: (one.place, one.message) for place, one in expected.items()
    }


def test_two_tools_are_one_finding_and_a_secret_that_was_tried_is_said_to_be(project: Path) -> None:
    made = review(project, "gitleaks.json", "trufflehog.json", "trufflehog.json")
    one = of(made, "secret-written-down")["app.py:3"]
    assert "gitleaks (`huggingface-access-token`) and trufflehog (`HuggingFace`) report too (it was tried" in one.message
    assert "trufflehog reports a secret, which the history has and the files have not (sub/conf.py:2, Mailgun)" in ledger(
        review(project, "trufflehog.json")
    )
    shown = repr([(one.message, one.expression) for one in made.findings]) + ledger(made) + repr([s.text for s in made.sources.values()])
    assert not [value for value in HIDDEN if value in shown]


def test_a_secret_counts_where_it_stands_now(project: Path) -> None:
    (project / "app.py").write_text("# moved\n\n" + APP)
    assert list(of(review(project, "gitleaks.json"), "secret-written-down")) == ["app.py:4", "app.py:5", "app.py:6", "sub/conf.py:1"]
    # Without the text, the neighbours in the line that is told decide; that line is another one now.
    (project / "app.py").write_text("print(1)\n")
    made = review(project, "gitleaks-redacted.json")
    assert list(of(made, "secret-written-down")) == ["sub/conf.py:1"]
    assert "gitleaks reports 3 secrets, which the history has" in ledger(made)


def test_a_package_is_told_where_it_is_pinned_and_each_advisory_once(project: Path) -> None:
    alone = of(review(project), "vulnerable-package")
    assert list(alone) == ["requirements.txt:2"]
    made = review(project, "pip-audit.json", "osv-scanner.json")
    found = of(made, "vulnerable-package")
    assert list(found) == ["requirements.txt:0", "requirements.txt:1", "requirements.txt:2"]
    jinja = found["requirements.txt:1"]
    assert jinja.evidence == "imported"
    assert jinja.fix.startswith("Raise it to 2.10.1:")
    assert jinja.message.count("CVE-2099-1") == 1
    assert "as OSV-Scanner and pip-audit report." in jinja.message
    both = found["requirements.txt:2"]
    assert both.identity == alone["requirements.txt:2"].identity
    assert both.evidence == "static"
    assert both.message.count("CVE-2026-40087") == 1
    assert "pip-audit reports of some" in both.message
    assert both.fix.startswith("Raise it to 1.4.9:")
    assert "`werkzeug 0.5`, which something that this file names brings in," in found["requirements.txt:0"].message
    assert "pip-audit: 1 package was not looked at: Dependency not found on PyPI" in ledger(made)


def test_lock_files_and_ranges(project: Path) -> None:
    """What is locked is what was looked at; a range is told only where nothing is locked and it lets the version through."""
    (project / "requirements.txt").write_text("jinja2>=2.0\nwerkzeug>=1\n")
    found = of(review(project, "pip-audit.json"), "vulnerable-package")
    assert "`jinja2 >=2.0`, which was found as 2.4, has" in found["requirements.txt:1"].message
    assert "requirements.txt:2" not in found
    (project / "uv.lock").write_text('[[package]]\nname = "jinja2"\nversion = "2.4"\n')
    (project / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["jinja2>=2.0"]\n')
    found = of(review(project, "pip-audit.json"), "vulnerable-package")
    assert "uv.lock:2" in found
    assert "requirements.txt:1" not in found
    assert not any(place.startswith("pyproject.toml:3") for place in found)


def test_comments_and_switched_off_rules_count_as_for_any_finding(project: Path) -> None:
    (project / "requirements.txt").write_text(
        PINS.replace("2.4\n", "2.4  # headwater: ignore[vulnerable-package] only trusted templates\n", 1)
    )
    made = review(project, "osv-scanner.json")
    assert of(made, "vulnerable-package")["requirements.txt:1"].suppression is not None
    off = Config(imported=(scanners.read(str(DATA / "gitleaks.json")),), rules={"secret-written-down": None})
    made = headwater.review(project, off)
    assert not of(made, "secret-written-down")


def test_a_notebook_is_told_of_in_its_cells(project: Path) -> None:
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": ["x = 1\n", 'db_password = "Zk39vTq8LmW2xPf7Rb"\n']}]
    (project / "app.py").unlink()
    (project / "work.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    leak = json.loads((DATA / "gitleaks.json").read_text())[3] | {"File": "/builds/7/work.ipynb", "StartLine": 1}
    (project.parent / "report.json").write_text(json.dumps([leak]))
    made = review(project, project.parent / "report.json")
    assert list(of(made, "secret-written-down")) == ["work.ipynb:2"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no report of"),
        ("{}", "no report of"),
        ("[1, 2]", "no report of"),
        ('{"runs": [{"tool": {"driver": {"name": "semgrep"}}, "results": []}]}', "no report of"),
        ('[{"RuleID": 1, "File": "x", "StartLine": 1, "Secret": "y"}]', "begins like a report of gitleaks"),
        ('{"dependencies": [{"name": "x", "version": {}, "vulns": []}]}', "begins like a report of pip-audit"),
        ('{"results": [{"source": [], "packages": []}]}', "begins like a report of OSV-Scanner"),
        ("[" * 100_000, "no report of"),
    ],
)
def test_what_is_no_report_is_an_error_of_usage(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "report").write_text(text)
    with pytest.raises(scanners.ReportError, match=problem):
        scanners.read(str(tmp_path / "report"))
    done = subprocess.run(
        [sys.executable, "-m", "headwater", "review", str(tmp_path), "--import", str(tmp_path / "report")], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert problem in " ".join(done.stderr.split())


def test_a_report_is_hostile(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths lead nowhere else, texts are cut and stay in one line, short "secrets" are not looked for, and counts are bounded."""
    leak = {"RuleID": "a`b\x1b[2J\n" + "x" * 9_999, "StartLine": 4, "Secret": "Zk39vTq8LmW2xPf7Rb", "File": "app.py"}
    odd = [
        leak | {"File": "../../../../etc/passwd", "Secret": "root:x:0:0"},
        leak | {"File": "app.py\0", "Secret": "x"},
        leak | {"Secret": "im"},
        leak | {"Secret": "       "},
        leak | {"StartLine": -(10**9)},
        leak | {"StartLine": 10**9},
    ]
    report = project.parent / "report.json"
    report.write_text(json.dumps(odd))
    made = review(project, report)
    found = of(made, "secret-written-down")
    assert list(found) == ["app.py:2", "app.py:3", "app.py:4"]
    assert len(found["app.py:4"].message) < 600
    assert "\x1b" not in found["app.py:4"].message
    assert "a b" in found["app.py:4"].message
    assert "gitleaks reports 4 secrets, which are not in the files that were read" in ledger(made)
    monkeypatch.setattr(limits, "IMPORT_ITEMS", 2)
    report.write_text(json.dumps([leak] * 5))
    assert "more than 2 secrets" in ledger(review(project, report))
    monkeypatch.setattr(limits, "IMPORT_BYTES", 10)
    with pytest.raises(scanners.ReportError, match="larger than 10 bytes"):
        scanners.read(str(report))
