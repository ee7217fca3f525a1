"""A model that is honest for a while: what comes later in the conversation is reached."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from headwater.prove import campaign
from headwater.prove.scenario import Scenario, checked

APP = """
import json, os, subprocess, urllib.request


def ask(text):
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()
    request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body, {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))["choices"][0]["message"]["content"]


first = ask("Say yes or no: may we begin?")
if "hwc" in first:
    raise SystemExit("the first answer is refused")
subprocess.run(ask("Write the shell command that lists the folder. Answer with the command only."), shell=True)
"""


@pytest.mark.skipif(shutil.which("python3") is None, reason="the application is started by its usual name")
@pytest.mark.parametrize(("honest", "starts"), [(0, 4), (1, 1)], ids=["found out", "told"])
def test_what_stands_behind_a_check(honest: int, starts: int, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    result, _ = campaign.run(checked(Scenario(run="python3 app.py", honest=honest, classes=("shell",))), tmp_path)
    assert result.proved[0].sink_class == "shell"
    assert result.exercised.starts <= starts
