"""What a user sees on a terminal. The snapshot is read by people: ``UPDATE_SNAPSHOTS=1`` writes it anew."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from rich.cells import cell_len

from headwater.config import Config
from headwater.findings import Coverage, Finding, Place, Review, Trace
from headwater.reports import text
from headwater.reports.view import View, view
from headwater.rules.load import Rule

SNAPSHOT = Path(__file__).parent / "snapshots" / "review.txt"
Show = Callable[[Config], View]


def test_report_is_as_it_was(show: Show) -> None:
    report = text.render(show(Config()), width=80)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(report, encoding="utf-8")
    assert report == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_lines_fit(show: Show, width: int) -> None:
    long = [line for line in text.render(show(Config(persona="audit")), width=width).splitlines() if cell_len(line) > width]
    # A place stays in one piece, so that a terminal can open it.
    assert [line for line in long if not re.match(r"  --> |    \d+  \S", line)] == []
    assert width < 80 or not long


def test_carets_stand_below_the_sink(show: Show) -> None:
    lines = text.render(show(Config())).splitlines()
    number = next(at for at, line in enumerate(lines) if "^^^" in line)
    start = cell_len(lines[number - 1][: lines[number - 1].index("exec(")])
    assert lines[number].index("^") == start
    assert lines[number].count("^") == len('exec(code, {"__builtins__": {}})')


def test_no_colour_and_no_control_characters(show: Show) -> None:
    report = text.render(show(Config(persona="audit")))
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]", report) is None
    assert r"\x1b[31mred\u202e\u200b [bold]x[/bold] [link](1) {0}" in report


def test_colour_changes_no_text(show: Show) -> None:
    coloured = text.render(show(Config()), color=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == text.render(show(Config()))
    # Only colours: nothing of the repository reached the terminal.
    assert re.search(r"\x1b(?!\[[\d;]*m)", coloured) is None


def test_notes_are_for_the_auditor(show: Show) -> None:
    default, audit = text.render(show(Config())), text.render(show(Config(persona="audit")))
    assert "A note." not in default
    assert "1 more of lower level or confidence not shown" in default
    assert "A note." in audit
    assert "not shown" not in audit


@pytest.mark.parametrize("files", [0, 3])
def test_an_incomplete_review_is_never_called_clean(review: Review, rules: dict[str, Rule], files: int) -> None:
    coverage = msgspec.structs.replace(review.coverage, files=files)
    report = text.render(view(msgspec.structs.replace(review, findings=(), coverage=coverage), Config(), rules, "0"))
    assert "No findings." not in report
    assert "No findings in what was looked at; not everything was." in report
    assert f"Coverage: {'failed' if files == 0 else 'partial'}" in report


def test_a_complete_review_without_findings(review: Review, rules: dict[str, Rule]) -> None:
    coverage = Coverage(2, 20, 1, {"python": 2}, (), {})
    report = text.render(view(msgspec.structs.replace(review, findings=(), coverage=coverage), Config(), rules, "0"))
    assert report == (
        "No findings.\nGate:     passed, no finding high or above\nCoverage: complete, 2 files, 20 lines, 1 function (python 2)\n"
    )


def changed(review: Review, **changes: object) -> Finding:
    return msgspec.structs.replace(review.findings[1], **changes)


def test_long_traces_leave_out_their_middle(review: Review, rules: dict[str, Rule]) -> None:
    steps = review.findings[1].traces[0].steps
    finding = changed(review, traces=(Trace("llm-output", (steps[0], *steps[1:3] * 30, steps[-1])),))
    report = text.render(view(msgspec.structs.replace(review, findings=(finding,)), Config(), rules, "0"))
    assert "62 steps" in report
    assert "... 38 more steps" in report
    assert re.search(r"^    62  app/agent 1.py:7:23", report, re.MULTILINE)


@pytest.mark.parametrize("place", [Place("gone.py", 5, 9), Place("app/model.py", 10_000, 10_001), Place("app/model.py", 0, 0)])
def test_strange_places_do_no_harm(review: Review, rules: dict[str, Rule], place: Place) -> None:
    finding = changed(review, place=place)
    report = text.render(view(msgspec.structs.replace(review, findings=(finding,)), Config(), rules, "0"))
    assert f"--> {place.path}:" in report
