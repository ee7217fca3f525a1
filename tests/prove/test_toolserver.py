"""The hostile MCP server: what it says to clients, and an agent that trusts it."""

from __future__ import annotations

import http.client
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from headwater.prove import campaign
from headwater.prove.attempts import Payload
from headwater.prove.scenario import Scenario, ScenarioError, checked
from headwater.prove.toolserver import ToolServer

AGENT = """
import json, os, subprocess, sys, urllib.request

server = subprocess.Popen(sys.argv[1], shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask(method, params):
    server.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\\n")
    server.stdin.flush()
    return json.loads(server.stdout.readline())["result"]


def model(messages, tools):
    body = json.dumps({"model": "m", "messages": messages, "tools": tools}).encode()
    request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body, {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))["choices"][0]["message"]


ask("initialize", {})
listed = ask("tools/list", {})["tools"]
tools = [{"type": "function", "function": {"name": one["name"], "description": "", "parameters": one["inputSchema"]}} for one in listed]
messages = [{"role": "user", "content": "What is the weather?"}]
said = model(messages, tools)
for call in said.get("tool_calls", []):
    found = ask("tools/call", {"name": call["function"]["name"], "arguments": json.loads(call["function"]["arguments"])})
    text = found["content"][0]["text"]
    LOG
server.stdin.close()
server.wait()
"""


def taken() -> Any:
    count = iter(range(1, 1_000))

    def take(payload: Payload, valid: str) -> tuple[str, str]:
        token = f"hwc0000aa{next(count):04x}"
        return token, f"{payload.id} {token}"

    return take


def post(port: int, body: bytes) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/mcp", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, json.loads(data) if data else None


def test_it_speaks_the_protocol() -> None:
    with ToolServer(taken()) as server:
        status, hello = post(server.port, b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26"}}')
        assert (status, hello["result"]["protocolVersion"]) == (200, "2025-03-26")
        assert post(server.port, b'{"jsonrpc":"2.0","method":"notifications/initialized"}') == (202, None)
        listed = post(server.port, b'{"jsonrpc":"2.0","id":2,"method":"tools/list"}')[1]["result"]["tools"]
        orders = [one for one in listed if "assistant" in one["description"]]
        assert len(orders) == len(server.attempts) > 1
        called = post(server.port, b'{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"lookup","arguments":{}}}')[1]["result"]
        assert server.attempts[-1].value in called["content"][0]["text"]
        assert post(server.port, b'{"jsonrpc":"2.0","id":4,"method":"no/such"}')[1]["error"]["code"] == -32601


@pytest.mark.parametrize("body", [b"", b"[", b"[1, null]", b'"text"', b"[" * 10_000, b"\xff\xfe"])
def test_what_is_no_message_costs_an_error(body: bytes) -> None:
    with ToolServer(taken()) as server:
        assert post(server.port, body)[0] in (202, 400)
        assert post(server.port, b'{"jsonrpc":"2.0","id":1,"method":"ping"}') == (200, {"jsonrpc": "2.0", "id": 1, "result": {}})


@pytest.mark.skipif(shutil.which("python3") is None, reason="the agent is started by its usual name")
@pytest.mark.parametrize(
    ("log", "proved"),
    [
        pytest.param('os.system("logger -s \'" + text + "\'")', True, id="a shell is given the result"),
        pytest.param('subprocess.run(["logger", "-s", text], check=False)', False, id="a program is given the result"),
    ],
)
def test_a_result_of_a_hostile_server(log: str, proved: bool, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(AGENT.replace("LOG", log), encoding="utf-8")
    scenario = checked(Scenario(run="python3 agent.py '{tools-command}'", play="tools", classes=("shell",)))
    result, _ = campaign.run(scenario, tmp_path)
    assert result.exercised.monitored
    assert result.exercised.model_calls
    assert [one.sink_class for one in result.proved] == (["shell"] if proved else [])
    assert {one.channel for one in result.proofs} == {"mcp"}


def test_the_server_must_be_named() -> None:
    with pytest.raises(ScenarioError, match=r"\{tools\}"):
        checked(Scenario(run="python3 agent.py", play="tools"))
