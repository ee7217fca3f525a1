"""Drives an MCP server: Headwater is the client of a compromised model, lists its tools and calls each with hostile arguments.

Messages are those of the Model Context Protocol, revision 2025-06-18 (JSON-RPC 2.0), over standard input and output or streamable HTTP.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import time
import urllib.parse
from collections.abc import Sequence
from typing import Any, Final, Protocol

from headwater import limits
from headwater.prove import launch, lines
from headwater.prove.stage import DriveError, Reply, Stage
from headwater.prove.talk import Offered

VERSION: Final = "2025-06-18"
_PAGES: Final = 20  # of a list of tools


class _Wire(Protocol):
    def call(self, method: str, params: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """The response to a request; None where none comes."""
        ...

    def tell(self, method: str) -> None:
        """Sends a notification."""
        ...


def drive(stage: Stage, command: Sequence[str]) -> None:
    """Starts a server that talks over standard input and output, and tries its tools."""
    process = stage.spawn(command, talks=True)
    try:
        _try(stage, _Stdio(lines.Channel(process)), process)
    finally:
        process.end()
        stage.output = process.output


def drive_http(stage: Stage, command: Sequence[str], port: int, path: str) -> None:
    """Starts a server that talks over HTTP at a path of a port, and tries its tools."""
    door = stage.door("mcp")
    process = stage.spawn(command, doors=[(door, port)])
    try:
        if not launch.opened(port, process, limits.PROVE_START_SECONDS, door):
            process.end()
            raise DriveError(f"the server does not listen on port {port}\n{process.output[-limits.PROVE_SHOWN :]}".rstrip())
        _try(stage, _Http(port, door, path), process)
    finally:
        process.end()
        stage.output = process.output


def _try(stage: Stage, wire: _Wire, process: launch.Process) -> None:
    hello = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "headwater", "version": "1"}}
    answer = wire.call("initialize", hello, limits.PROVE_START_SECONDS)
    if answer is None or "result" not in answer:
        process.end()
        raise DriveError(f"the server does not answer as an MCP server\n{process.output[-limits.PROVE_SHOWN :]}".rstrip())
    wire.tell("notifications/initialized")
    rounds = silent = 0
    for tool in _tools(wire, stage.seconds):
        for attempt in stage.source.hostile(tool, "mcp"):
            rounds += 1
            if rounds > limits.PROVE_SENDS:
                stage.notes.append(f"not all tools were tried with all values: {limits.PROVE_SENDS} calls are the most in one start")
                return
            result = wire.call("tools/call", {"name": tool.name, "arguments": dict(attempt.arguments)}, stage.seconds)
            if result is None:
                if not process.running:
                    stage.notes.append(f"the server ended when {tool.name} was called")
                    return
                stage.notes.append(f"{tool.name} did not answer within {stage.seconds:g} seconds")
                stage.source.goes_on()
                silent += 1
                if silent >= limits.PROVE_SILENT:
                    stage.notes.append(f"the server was given up after {silent} calls without an answer")
                    return
                continue
            silent = 0
            stage.replied(Reply(_text(result), attempt=attempt))
            stage.source.goes_on()


def _tools(wire: _Wire, seconds: float) -> list[Offered]:
    made: list[Offered] = []
    cursor: dict[str, Any] = {}
    for _ in range(_PAGES):
        answer = wire.call("tools/list", cursor, seconds)
        result = answer.get("result") if answer else None
        listed = result.get("tools") if isinstance(result, dict) else None
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, dict) and isinstance(one.get("name"), str):
                schema = one.get("inputSchema")
                made.append(Offered(one["name"], str(one.get("description", "")), schema if isinstance(schema, dict) else {}))
        following = result.get("nextCursor") if isinstance(result, dict) else None
        if not isinstance(following, str) or len(made) >= limits.PROVE_TOOLS:
            break
        cursor = {"cursor": following}
    return made[: limits.PROVE_TOOLS]


def _text(answer: dict[str, Any]) -> str:
    """What a response says, error or result."""
    result = answer.get("result")
    content = result.get("content") if isinstance(result, dict) else None
    if isinstance(content, list):
        texts = [one["text"] for one in content if isinstance(one, dict) and isinstance(one.get("text"), str)]
        if texts:
            return "\n".join(texts)
    return json.dumps(answer.get("error", result))


class _Stdio:
    def __init__(self, channel: lines.Channel) -> None:
        self._channel = channel
        self._ids = itertools.count(1)

    def call(self, method: str, params: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        number = next(self._ids)
        self._channel.write({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        until = time.monotonic() + seconds
        while (answer := self._channel.read(until - time.monotonic())) is not None:
            if answer.get("id") == number and ("result" in answer or "error" in answer):
                return answer
            if "method" in answer and "id" in answer:  # the server asks the client for something that this one does not do
                error = {"code": -32601, "message": "not supported"}
                self._channel.write({"jsonrpc": "2.0", "id": answer["id"], "error": error})
        return None

    def tell(self, method: str) -> None:
        self._channel.write({"jsonrpc": "2.0", "method": method})


class _Http:
    def __init__(self, port: int, door: str, path: str) -> None:
        self._port = port
        self._door = door
        self._path = urllib.parse.quote(path, safe="/?=&%")
        self._session = ""
        self._ids = itertools.count(1)

    def call(self, method: str, params: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        number = next(self._ids)
        return self._post({"jsonrpc": "2.0", "id": number, "method": method, "params": params}, number, seconds)

    def tell(self, method: str) -> None:
        self._post({"jsonrpc": "2.0", "method": method}, 0, limits.PROVE_REQUEST_SECONDS)

    def _post(self, message: dict[str, Any], number: int, seconds: float) -> dict[str, Any] | None:
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": VERSION}
        if self._session:
            headers["Mcp-Session-Id"] = self._session
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=seconds)
        ending = None
        try:
            connection.sock = launch.connected(self._port, self._door)
            ending = launch.ending(connection.sock, seconds)
            connection.request("POST", self._path, json.dumps(message).encode(), headers)
            response = connection.getresponse()
            self._session = response.getheader("mcp-session-id") or self._session
            if not number:
                response.read(limits.PROVE_ANSWER)
                return None
            if "event-stream" in (response.getheader("content-type") or ""):
                return self._event(response, number)
            return self._mine(response.read(16 * limits.PROVE_ANSWER), number)
        except (OSError, ValueError, http.client.HTTPException):
            return None
        finally:
            if ending is not None:
                ending.cancel()
            with contextlib.suppress(OSError):
                connection.close()

    def _event(self, response: http.client.HTTPResponse, number: int) -> dict[str, Any] | None:
        while line := response.readline(16 * limits.PROVE_ANSWER):
            if line.startswith(b"data:") and (found := self._mine(line[5:], number)) is not None:
                return found
        return None

    @staticmethod
    def _mine(data: bytes, number: int) -> dict[str, Any] | None:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) and value.get("id") == number else None
