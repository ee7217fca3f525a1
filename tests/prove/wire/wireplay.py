"""A model that plays what a test tells it, and raw requests to the server that it speaks through."""

from __future__ import annotations

import http.client
import json
from typing import Any

import msgspec

from headwater.prove.server import Server
from headwater.prove.talk import Answer, Ask


class Script:
    """Gives the same answer until it is given another, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asks: list[Ask] = []
        self.says = Answer("Bonjour, \U0001f30d!\n```python\nprint(1)\n```")

    def answer(self, ask: Ask) -> Answer:
        self.asks.append(ask)
        return self.says


class Response(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """Of server-sent events: the data of each, as JSON where it is."""
        found = [line[6:] for line in self.body.decode().split("\n") if line.startswith("data: ")]
        return [json.loads(one) if one.startswith("{") else one for one in found]

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]


class Played:
    """The server with its script."""

    def __init__(self, script: Script, server: Server) -> None:
        self.script, self.server = script, server

    def says(self, answer: Answer) -> None:
        self.script.says = answer

    @property
    def ask(self) -> Ask:
        return self.script.asks[-1]

    def send(self, path: str, body: object = None, method: str = "", **headers: str) -> Response:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        raw = None if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method or ("POST" if raw else "GET"), path, raw, {"Content-Type": "application/json", **named})
        answered = connection.getresponse()
        found = Response(answered.status, {name.lower(): value for name, value in answered.getheaders()}, answered.read())
        connection.close()
        return found
