"""Every trace begins at a source, ends at the operation, and is told in words."""

from __future__ import annotations

from pathlib import Path

import pytest

import headwater
from headwater.config import Config
from suites.suites import Suite, suites, write
from suites.traces import check

VULNERABLE = Path(__file__).parent.parent / "examples" / "vulnerable"


def test_the_vulnerable_example() -> None:
    assert check(headwater.review(VULNERABLE, Config(processes=1))) > 10


@pytest.mark.parametrize("suite", suites(), ids=lambda suite: suite.name)
def test_suite(suite: Suite, tmp_path: Path) -> None:
    """All cases in one tree, where many modules have the same name; each alone is checked in ``test_suites``."""
    for number, case in enumerate(suite.cases):
        write(case.files, tmp_path / f"case{number}")
    assert check(headwater.review(tmp_path, Config(processes=1))) > 5
