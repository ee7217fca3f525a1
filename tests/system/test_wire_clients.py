"""Real clients of models, unchanged, speak to our server: by the environment alone; where an address is in the code, by proxy or monitor.

Each file in ``clients`` uses one client in all its ways and prints what it was given.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from headwater.prove import monitors
from headwater.prove.events import Control
from headwater.prove.server import Server
from headwater.prove.talk import Answer, Ask, Call

ROOT = Path(__file__).parent.parent.parent
SYSTEM = ROOT / "build" / "system"
NODE = Path(os.environ.get("HEADWATER_SYSTEM_NODE", SYSTEM))
CLIENTS = Path(os.environ.get("HEADWATER_SYSTEM_CLIENTS", SYSTEM / "clients"))
OLD = Path(os.environ.get("HEADWATER_SYSTEM_CLIENTS_OLD", SYSTEM / "clients-old"))
FILES = Path(__file__).parent / "clients"

TEXT = 'Bonjour "you", \U0001f30d!\n```python\nprint("a\\n")\n```\n' + "x" * 1_000
CALL = {"city": "O'Hara; $(ls) \u00e9 \n"}
STRUCTURED = {"city": "Oslo", "degrees": 7}
REFUSAL = "refused, as asked"


class Scripted:
    """Calls the first tool that is offered, keeps to a schema, refuses who says "fail", and else says the same text."""

    def answer(self, ask: Ask) -> Answer:
        if any("fail" in turn.text for turn in ask.turns):
            return Answer(REFUSAL, status=400)
        if ask.tools:
            return Answer(calls=(Call(ask.tools[0].name, CALL),))
        return Answer(json.dumps(STRUCTURED) if ask.schema else TEXT)


def run(folder: Path, *command: object, monitored: bool = False) -> tuple[dict[str, Any], Server]:
    """What a client printed. It has nothing of our environment but the path; ``monitored``: a monitor in place of the proxy."""
    with Server(Scripted()) as server:
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **server.environment()}
        if monitored:
            assert server.authority
            environment = {name: value for name, value in environment.items() if "proxy" not in name.lower()}
            authority = str(server.authority.file)
            control = Control(str(folder / "events"), "hwc000001", hosts=("*",), redirect=server.port, authority=authority)
            monitors.write_control(control, folder / "control.json")
            environment |= monitors.environment(folder / "control.json")
        done = subprocess.run([str(one) for one in command], env=environment, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-4_000:]
    assert server.failures == []
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found, server


def check(found: dict[str, Any], others: dict[str, Any]) -> None:
    expected = {}
    for name in found:
        if name in others:
            expected[name] = others[name]
        elif name.endswith(("tool", "tool stream")):
            expected[name] = ["weather", CALL]
        elif name.endswith("structured"):
            expected[name] = STRUCTURED
        else:
            expected[name] = REFUSAL if name.endswith("error") else TEXT
    assert found == expected
    assert others.keys() <= found.keys()


PYTHON: dict[str, dict[str, Any]] = {
    "openai": {"embedding": [1536, 1536], "models": True, "moderation": False},
    "anthropic": {"tokens": True, "models": True},
    "ollama": {"embedding": [768, 768], "embedding old": 768, "models": True, "show": True, "pull": "success"},
    "gemini": {"embedding": [768, 768], "vertex embedding": [768, 768], "tokens": True, "models": True},
    "bedrock": {"invoke embedding": 1024, "invoke embeddings": [1024, 1024]},
    "mistral": {"embedding": [1024, 1024], "id of call": 9},
    "cohere": {"embedding": [1024, 1024], "first embedding": [1024], "rerank": 1},
    "huggingface": {"embedding": 384},
    "langchain": {"embedding": [1536]},
    "litellm": {},
}


@pytest.mark.parametrize("client", PYTHON)
def test_a_client_for_python(client: str, tmp_path: Path) -> None:
    found, server = run(tmp_path, CLIENTS / "bin" / "python", FILES / f"{client}_python.py")
    check(found, PYTHON[client])
    assert {True} == {one.ask is not None for one in server.exchanges}
    if "hard-coded" in found:
        assert [one.url[:8] for one in server.exchanges if one.via == "proxy"][-1:] == ["https://"]


def test_the_client_of_openai_before_version_1(tmp_path: Path) -> None:
    found, server = run(tmp_path, OLD / "bin" / "python", FILES / "openai_python_old.py")
    check(found, {})
    assert [one.url for one in server.exchanges if one.via == "proxy"] == ["https://api.openai.com/v1/chat/completions"]


def test_the_client_of_google_that_speaks_grpc(tmp_path: Path) -> None:
    found, server = run(tmp_path, OLD / "bin" / "python", FILES / "generativeai_python.py")
    check(found, {"embedding": [768, 768], "tokens": True})
    assert {(one.via, one.ask and one.ask.wire) for one in server.exchanges} == {("proxy", "gemini_grpc")}


NODES: dict[str, dict[str, Any]] = {
    "openai": {"embedding": [1536, 1536]},
    "anthropic": {},
    "ollama": {"embedding": [768, 768], "models": True},
    "gemini": {"embedding": [768, 768]},
    "bedrock": {"error": ["ValidationException", REFUSAL]},
    "mistral": {"embedding": [1024, 1024]},
    "cohere": {"embedding": [1024, 1024]},
    "ai": {"embedding": [1536, 1536]},
}


@pytest.mark.parametrize("client", NODES)
def test_a_client_for_node(client: str, tmp_path: Path) -> None:
    # Node looks for packages in the folders above a file.
    (NODE / "clients-node").mkdir(exist_ok=True)
    script = shutil.copy(FILES / f"{client}_node.mjs", NODE / "clients-node")
    found, server = run(tmp_path, "node", script)
    assert ("hard-coded" in found) == any(one.via == "proxy" for one in server.exchanges)
    check(found, NODES[client])
    assert {True} == {one.ask is not None for one in server.exchanges}


@pytest.mark.parametrize("language", ["python", "node"])
def test_clients_that_only_the_monitor_can_lead(language: str, tmp_path: Path) -> None:
    if language == "node":
        (NODE / "clients-node").mkdir(exist_ok=True)
        command = ["node", shutil.copy(FILES / "hard_node.mjs", NODE / "clients-node")]
    else:
        command = [str(CLIENTS / "bin" / "python"), str(FILES / "hard_python.py")]
    found, server = run(tmp_path, *command, monitored=True)
    check(found, {})
    assert len(found) == len(server.exchanges)
    assert {(one.via, one.url[:8]) for one in server.exchanges} == {("redirect", "https://")}
