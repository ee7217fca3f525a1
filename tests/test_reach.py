"""Whether a finding knows that the way in asks who sends the request."""

from __future__ import annotations

from pathlib import Path

import pytest

import headwater
from headwater.config import Config

FLASK = """
import os

from flask import Flask, request
from flask_login import login_required

app = Flask(__name__)


def helper():
    return request.args["word"]


{above}
def answer():
    os.system(helper())
"""
FASTAPI = """
import os

from fastapi import APIRouter, Depends
from users import get_current_user, get_settings

router = APIRouter({router})


@router.get("/")
def answer(word: str{parameter}):
    os.system(word)
"""


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        (FLASK.replace("{above}", '@app.get("/")'), False),
        (FLASK.replace("{above}", '@app.get("/")\n@login_required'), True),
        (FLASK.replace("{above}", '@app.get("/login")'), False),
        (FASTAPI.replace("{router}", "").replace("{parameter}", ""), False),
        (FASTAPI.replace("{router}", "").replace("{parameter}", ", settings=Depends(get_settings)"), False),
        (FASTAPI.replace("{router}", "").replace("{parameter}", ", user=Depends(get_current_user)"), True),
        (FASTAPI.replace("{router}", "dependencies=[Depends(get_current_user)]").replace("{parameter}", ""), True),
    ],
)
def test_signed_in(tmp_path: Path, code: str, asked: bool) -> None:
    (tmp_path / "main.py").write_text(code)
    (finding,) = headwater.review(tmp_path, Config(processes=1)).findings
    assert finding.signed_in is asked
    assert ("Anyone who has signed in" in finding.message) is asked
    assert ("Anyone who can send a request" in finding.message) is not asked
