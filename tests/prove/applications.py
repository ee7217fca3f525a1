"""Small applications for tests of whole proofs: the standard library is their client of models."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from headwater.proofs import Run
from headwater.prove import campaign
from headwater.prove.replay import Record
from headwater.prove.scenario import Scenario, checked

CLIENT = '''
import json, os, urllib.request

def complete(messages, **more):
    """What the model answers: its message."""
    body = {"model": "small", "messages": messages, **more}
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}
    request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)["choices"][0]["message"]

def say(text):
    return complete([{"role": "user", "content": text}])["content"] or ""
'''


def write(folder: Path, **files: str) -> Path:
    """An application with a client of models; ``app`` is the text of ``app.py``."""
    folder.mkdir(exist_ok=True)
    (folder / "client.py").write_text(CLIENT, encoding="utf-8")
    for name, text in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def prove(folder: Path, record: Record | None = None, **scenario: Any) -> tuple[Run, list[Record]]:
    """Runs one scenario, with short limits for what hangs."""
    return campaign.run(checked(Scenario(**{"timeout": 20, "starts": 6} | scenario)), folder, record=record)
