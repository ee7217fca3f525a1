"""A check that can be passed lowers the confidence by one step."""

from __future__ import annotations

from pathlib import Path

import pytest

import headwater
from headwater.config import Config
from headwater.findings import Confidence

SOURCE = """
import os
from pathlib import Path

from flask import Flask, request

app = Flask(__name__)


def require_inside(path: Path, root: Path | None) -> None:
    if root is None:
        return
    try:
        path.resolve().relative_to(root.resolve())
    except ValueError:
        raise PermissionError(path) from None


@app.route("/")
def answer(strict: bool, root: Path | None):
    path = Path(request.args["path"])
    {check}
    return path.read_text()
"""


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("pass", Confidence.HIGH),
        ("require_inside(path, root)", Confidence.MEDIUM),
        ("if strict: require_inside(path, Path('/srv'))", Confidence.MEDIUM),
        ("if strict and not path.resolve().is_relative_to('/srv'): raise PermissionError(path)", Confidence.MEDIUM),
        ("if path.resolve().is_relative_to('/srv'): print('one of ours')", Confidence.HIGH),
        ("if os.path.commonprefix(['/srv', os.path.abspath(path)]) != '/srv': raise PermissionError(path)", Confidence.MEDIUM),
        ("if not path.resolve().is_relative_to('/srv'): raise PermissionError(path)", None),
    ],
)
def test_confidence(tmp_path: Path, check: str, expected: Confidence | None) -> None:
    (tmp_path / "main.py").write_text(SOURCE.replace("{check}", check))
    found = headwater.review(tmp_path, Config(processes=1)).findings
    assert [finding.confidence for finding in found] == ([expected] if expected is not None else [])
