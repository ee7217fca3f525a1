"""The same input gives the same bytes: over hash seeds and numbers of processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from suites.suites import suites, write

VULNERABLE = Path(__file__).parent.parent / "examples" / "vulnerable"
RUNS = [("0", 1), ("1", 2), ("2", 1), ("3", 2)]
"""Hash seeds, and numbers of processes: each number with two seeds, each seed with one of them."""
CODE = """
import sys
from pathlib import Path
import headwater
from headwater.config import Config
from headwater.findings import Confidence
from headwater.reports import json_v1, map_svg
from headwater.reports.html import page
from headwater.reports.view import view
from headwater.rules.load import load_rules

shown = Config(persona="audit", min_confidence=Confidence.LOW)
first = sys.argv[2]
for root in sys.argv[2:]:
    review = headwater.review(Path(root), Config(processes=int(sys.argv[1])))
    sys.stdout.buffer.write(json_v1.render(view(review, shown, load_rules(), "0")))
    if root == first:
        sys.stdout.buffer.write(page.render(view(review, shown, load_rules(), "0")) + map_svg.render(review).encode())
"""


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The vulnerable example, and the cases of some suites in one tree, where many modules have the same name."""
    root = tmp_path_factory.mktemp("tree")
    for suite in suites():
        for number, case in enumerate(suite.cases):
            write(case.files, root / suite.name / f"case{number}")
    return [VULNERABLE, root]


def test_the_same_bytes(trees: list[Path]) -> None:
    outputs = {}
    for seed, processes in RUNS:
        command = [sys.executable, "-c", CODE, str(processes), *map(str, trees)]
        outputs[seed, processes] = subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
    first = outputs[RUNS[0]]
    assert first.count(b'"rule"') > 100
    assert all(re.search(rb'"path":\s*"[^"]*\.%s"' % suffix, first) for suffix in (b"py", b"ts", b"tsx", b"js", b"vue", b"svelte"))
    assert {run: output == first for run, output in outputs.items()} == dict.fromkeys(RUNS, True)
