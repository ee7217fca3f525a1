"""Comments that suppress findings: which are read, what they cover, and that none is dropped in silence."""

from __future__ import annotations

import datetime
import json
import time
from pathlib import Path

import pytest

import headwater
from headwater import gate, limits
from headwater.config import Config
from headwater.findings import Review
from headwater.frontends.python import lower
from headwater.reports import json_v1, sarif, text
from headwater.reports.view import View, view
from headwater.rules.load import load_rules
from headwater.suppressions import read

DAY = datetime.date(2027, 1, 31)
RULE = "remote-input-to-shell"
HEAD = "import os\nfrom flask import request\n\n\ndef act():\n    x = request.args['x']\n"


def review(root: Path, body: str, *, wanted: bool = True, day: datetime.date = DAY) -> Review:
    (root / "a.py").write_text(HEAD + body, encoding="utf-8")
    return headwater.review(root, Config(processes=1, today=day, suppressions=wanted))


def shown(made: Review) -> View:
    return view(made, Config(), load_rules(), "0")


def states(made: Review) -> list[tuple[str, str]]:
    return [(one.rule, one.state) for one in made.suppressions]


def covered(source: str) -> list[str]:
    """The logical line that each comment is about."""
    data = source.encode()
    return [data[one.first : one.last].decode() for one in lower("a.py", data).remarks]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("f(x)  # headwater: ignore[r] why\ng()\n", ["f(x)  # headwater: ignore[r] why\n"]),
        ("# headwater: ignore[r] why\nf(x)\ng()\n", ["f(x)\n"]),
        ("# headwater: ignore[r] why\n# other\n\nf(x)\ng()\n", ["f(x)\n"]),  # formatters and people put things between
        ("# headwater: ignore[r] why\nf(\n  x,\n)\ng()\n", ["f(\n  x,\n)\n"]),  # the logical line, not the physical one
        ("f(\n  x,  # headwater: ignore[r] why\n)\n", ["f(\n  x,  # headwater: ignore[r] why\n)\n"]),
        ("f(\n  # headwater: ignore[r] why\n  x)\n", ["f(\n  # headwater: ignore[r] why\n  x)\n"]),
        ("x = \\\n  f()  # headwater: ignore[r] why\n", ["x = \\\n  f()  # headwater: ignore[r] why\n"]),
        ("if f(x):  # headwater: ignore[r] why\n  g()\n", ["if f(x):  # headwater: ignore[r] why\n"]),  # the head, not the block
        ("if y:\n  g()\n  # headwater: ignore[r] why\nh()\n", ["h()\n"]),
        ("x = '''\n'''  # headwater: ignore[r] why\n", ["x = '''\n'''  # headwater: ignore[r] why\n"]),
        ("f()()  # headwater: ignore[r] why\n", ["f()()  # headwater: ignore[r] why\n"]),
        ("x = 1\n# headwater: ignore[r] why\n", [""]),  # nothing below
        ("\ufeff# headwater: ignore[r] why\nf(x)\n", ["f(x)\n"]),
    ],
)
def test_a_comment_covers_a_logical_line(source: str, lines: list[str]) -> None:
    assert covered(source) == lines


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_any_sort(end: str) -> None:
    source = f"x = 1{end}# headwater: ignore[r] why{end}f({end}x){end}y = 2{end}"
    assert covered(source) == [f"f({end}x){end}"]


@pytest.mark.parametrize(
    "source",
    [
        "x = '# headwater: ignore[r] why'\n",
        "x = '''\n# headwater: ignore[r] why\n'''\n",
        'x = f"""\n# headwater: ignore[r] {why}\n"""\n',
        '"""Docs.\n\n# headwater: ignore[r] why\n"""\n',
        "# see '# headwater: ignore[r] why' in the docs\n",
        "# f(x)  # headwater: ignore[r] why\nf(x)\n",
        "# headwater is a tool\n",
    ],
)
def test_only_comments_that_begin_so_are_read(source: str) -> None:
    """Text in a string is no comment, and prose about suppressions suppresses nothing."""
    assert lower("a.py", source.encode()).remarks == []


@pytest.mark.parametrize(
    ("comment", "rules", "reason", "until"),
    [
        ("# headwater: ignore[a-b] the reason", ("a-b",), "the reason", None),
        ("#headwater:ignore[a-b]reason", ("a-b",), "reason", None),
        ("## headwater: ignore[a, b ,a,] reason", ("a", "b"), "reason", None),
        ("# headwater: ignore[a]: reason: more", ("a",), "reason: more", None),
        ("# headwater: ignore[a] -- reason", ("a",), "reason", None),
        ("# headwater: ignore[a] until=2027-01-31 reason", ("a",), "reason", DAY),
        ("# headwater: ignore[a] reason until=2027-01-31", ("a",), "reason", DAY),
        ("# headwater: ignore[a] reason  # noqa: S307", ("a",), "reason # noqa: S307", None),
        ("# headwater: ignore[a] 理由", ("a",), "理由", None),
        ("// headwater: ignore[a] reason until=2027-01-31", ("a",), "reason", DAY),
        ("/* headwater: ignore[a] reason */", ("a",), "reason", None),
        ("/**\n headwater: ignore[a] reason\n**/", ("a",), "reason", None),
        ("<!-- headwater: ignore[a] reason -->", ("a",), "reason", None),
    ],
)
def test_what_a_comment_says(comment: str, rules: tuple[str, ...], reason: str, until: datetime.date | None) -> None:
    assert read(comment) == (rules, reason, until, "")


@pytest.mark.parametrize(
    ("comment", "problem"),
    [
        ("# headwater: ignore", "not understood"),
        ("# headwater: ignore everything", "not understood"),
        ("# headwater: ignored[a] reason", "not understood"),
        ("# headwater: ignore[a[b]] reason", "not understood"),
        ("# headwater: ignore[] reason", "names no rule"),
        ("# headwater: ignore[,] reason", "names no rule"),
        ("# headwater: ignore[a]", "no reason"),
        ("# headwater: ignore[a] ...", "no reason"),
        ("# headwater: ignore[a] until=2027-01-31", "no reason"),
        ("# headwater: ignore[a] reason until=soon", "no date"),
        ("# headwater: ignore[a] reason until=", "no date"),
        ("# headwater: ignore[a] reason until=2027-02-30", "no date"),
        ("# headwater: ignore[a] reason until=20270131", "no date"),
        ("# headwater: ignore[a] reason until=２０２７-01-31", "no date"),
        ("# headwater: ignore[a] reason until=2027-01-31 until=2028-01-31", "more than one"),
        ("# headwater: ignore[a] " + "x" * limits.SUPPRESSION_CHARS, "more than 1,000 characters"),
    ],
)
def test_malformed_comments_do_not_hold(comment: str, problem: str) -> None:
    assert problem in read(comment).problem


def test_a_suppressed_finding_is_kept_but_does_not_count(tmp_path: Path) -> None:
    made = review(tmp_path, f"    os.system(x)  # headwater: ignore[{RULE}] only operators reach it\n    os.system('a ' + x)\n")
    assert states(made) == [(RULE, "used")]
    suppressed, open_ = sorted(made.findings, key=lambda finding: finding.place.start)
    assert suppressed.suppression is not None
    assert suppressed.suppression.reason == "only operators reach it"
    assert open_.suppression is None
    assert gate.decide(made.findings, Config()).counted == 1
    page = text.render(shown(made))
    assert "1 finding: 1 critical" in page
    assert "1 suppressed by comments in the code" in page
    assert page.count(f"critical[{RULE}]") == 1
    assert "Notes:" not in page


def test_json_keeps_suppressed_findings_apart(tmp_path: Path) -> None:
    """A reader that does not know of suppressions must not take a suppressed finding for an open one."""
    made = review(tmp_path, f"    os.system(x)  # headwater: ignore[{RULE}] fine \u202e until=2027-01-31\n")
    report = json.loads(json_v1.render(shown(made)))
    assert report["findings"] == []
    assert report["selection"] == {"persona": "default", "min_confidence": "low", "shown": 0, "hidden": 0, "suppressed": 1}
    (found,) = report["suppressed"]
    assert found["rule"] == RULE
    assert found["suppression"] == {"path": "a.py", "line": 7, "reason": "fine \u202e", "until": "2027-01-31"}
    assert not report["gate"]["failed"]


def test_sarif_says_suppressed(tmp_path: Path) -> None:
    from reports.test_sarif import valid

    made = review(tmp_path, f"    os.system(x)  # headwater: ignore[{RULE}] fine \x7f until=2027-01-31\n    os.system('a ' + x)\n")
    open_, suppressed = valid(shown(made))["results"]
    assert "suppressions" not in open_
    (one,) = suppressed["suppressions"]
    assert (one["kind"], one["status"], one["justification"]) == ("inSource", "accepted", "fine \\x7f (until 2027-01-31)")
    assert one["location"]["physicalLocation"]["region"] == {"startLine": 7}


def test_comments_of_scripts(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text(
        """import { exec } from "child_process";
import express from "express";

express().get("/run", (req, res) => {
  // headwater: ignore[remote-input-to-shell] only operators reach it
  exec(req.query.one);
  exec(
    req.query.two, /* headwater: ignore[remote-input-to-shell] only operators reach it */
  );
  exec(req.query.three);
});
"""
    )
    made = headwater.review(tmp_path, Config(processes=1))
    lines = [made.sources["a.ts"].position(finding.place.start)[0] for finding in made.findings if not finding.suppression]
    assert lines == [10]
    assert [one.state for one in made.suppressions] == ["used", "used"]


def test_comments_of_components(tmp_path: Path) -> None:
    (tmp_path / "A.vue").write_text(
        """<template>
  <!-- headwater: ignore[retrieved-content-to-html] it is our own server -->
  <p
    class="wide"
    v-html="text"
  ></p>
  <p v-html="text" />
</template>
<script setup>
const answer = await fetch("https://example.com");
const text = await answer.text();
// headwater: ignore[retrieved-content-to-html] it is our own server
document.body.innerHTML = text;
document.body.innerHTML = text;
</script>
"""
    )
    made = headwater.review(tmp_path, Config(processes=1))
    lines = [made.sources["A.vue"].position(finding.place.start)[0] for finding in made.findings if not finding.suppression]
    assert sorted(lines) == [7, 14]
    assert [(one.state, one.line) for one in made.suppressions] == [("used", 2), ("used", 12)]


def test_another_rule_and_another_line_are_not_covered(tmp_path: Path) -> None:
    body = "    # headwater: ignore[llm-output-to-shell] another rule\n    os.system(x)\n    y = 1\n"
    made = review(tmp_path, body + f"    # headwater: ignore[{RULE}] another line\n    y = 2\n    os.system('a ' + x)\n")
    assert [finding.suppression for finding in made.findings] == [None, None]
    assert states(made) == [("llm-output-to-shell", "unused"), (RULE, "unused")]


@pytest.mark.parametrize(("day", "state"), [(DAY, "used"), (DAY + datetime.timedelta(1), "expired")])
def test_the_last_day_still_counts(tmp_path: Path, day: datetime.date, state: str) -> None:
    made = review(tmp_path, f"    os.system(x)  # headwater: ignore[{RULE}] until the move until=2027-01-31\n", day=day)
    assert states(made) == [(RULE, state)]
    assert gate.decide(made.findings, Config()).failed is (state == "expired")


def test_what_is_wrong_with_suppressions_is_in_every_format(tmp_path: Path) -> None:
    body = f"    os.system(x)  # headwater: ignore[{RULE}, no-such-rule, flask-debug] several\n"
    made = review(tmp_path, body + f"    y = 1  # headwater: ignore[{RULE}]\n    y = 2  # headwater: ignore[{RULE}] old until=2020-01-01\n")
    assert states(made) == [
        (RULE, "used"),
        ("no-such-rule", "malformed"),
        ("flask-debug", "unused"),
        (RULE, "malformed"),
        (RULE, "expired"),
    ]
    page = " ".join(text.render(shown(made)).split())
    notes = json.loads(sarif.render(shown(made)))["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    gaps = json.loads(json_v1.render(shown(made)))["coverage"]["gaps"]
    for line, words in (
        (7, "malformed suppression of no-such-rule: there is no such rule"),
        (7, "unused suppression of flask-debug: it suppresses nothing; remove it"),
        (8, f"malformed suppression of {RULE}: it gives no reason"),
        (9, f"expired suppression of {RULE}: its last day was 2020-01-01"),
    ):
        assert f"a.py:{line}: {words}" in page
        assert any(gap["line"] == line and gap["reason"].startswith(words) and gap["kind"] == "suppression" for gap in gaps)
        assert any(one["message"]["text"].startswith(words) for one in notes)
    assert made.coverage.status == "complete"


def test_the_second_of_two_is_unused(tmp_path: Path) -> None:
    made = review(tmp_path, f"    # headwater: ignore[{RULE}] one\n    os.system(x)  # headwater: ignore[{RULE}] two\n")
    assert states(made) == [(RULE, "used"), (RULE, "unused")]


def test_the_user_can_refuse_all(tmp_path: Path) -> None:
    body = f"    os.system(x)  # headwater: ignore[{RULE}] trust me\n    y = 1  # headwater: ignore\n"
    made = review(tmp_path, body, wanted=False)
    assert [finding.suppression for finding in made.findings] == [None]
    assert states(made) == [(RULE, "ignored"), ("", "malformed")]
    assert [gap.reason for gap in made.coverage.gaps] == ["none of the 2 suppressions in comments were applied"]


def test_ten_thousand_comments(tmp_path: Path) -> None:
    """Only so many are read, which is said; the finding below all of them stays, and so does the one beside the last."""
    line = f"    y = 1  # headwater: ignore[{RULE}] many\n"
    began = time.process_time()
    made = review(tmp_path, line * 10_000 + f"    os.system(x)  # headwater: ignore[{RULE}] last\n")
    assert time.process_time() - began < 20
    assert len(made.suppressions) == limits.SUPPRESSIONS_OF_FILE
    assert [finding.suppression for finding in made.findings] == [None]
    reasons = [gap.reason for gap in made.coverage.gaps if gap.kind == "suppression"]
    assert any("more than 1,000 suppressions in one file" in reason for reason in reasons)
    assert len(reasons) == limits.GAPS_OF_KIND + 1


@pytest.mark.parametrize("source", ["# headwater: ignore[r] why\n" * 100_000, "# headwater: x\n" + "f(a,\n[b])\n" * 100_000])
def test_growth_is_linear(source: str) -> None:
    began = time.process_time()
    assert lower("a.py", source.encode()).remarks
    assert time.process_time() - began < 15
