"""Plays a hostile MCP server: its tools are described with orders to the model, and their results hold payloads.

Streamable HTTP of the Model Context Protocol (revision 2025-06-18), each answer one JSON document; ``python -I toolserver_stdio.py
ADDRESS`` speaks for
it over standard input and output. What comes is the application's, and hostile: bounded, and never more than an error to it.
"""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from headwater import limits
from headwater.prove.attempts import Attempt, Payload
from headwater.prove.hostile import Poison, Poisoner

BRIDGE: Final = Path(__file__).with_name("toolserver_stdio.py")
_VERSION: Final = "2025-06-18"


class ToolServer:
    """The server, until it is closed; a context manager. ``take`` gives the next token, and a payload filled in with it; ``classes``:
    None, all."""

    def __init__(self, take: Callable[[Payload, str], tuple[str, str]], classes: frozenset[str] | None = None) -> None:
        self.attempts: list[Attempt] = []
        """What was handed over."""
        self.exhausted = False
        """Nothing new would be handed over."""
        self._poisoner = Poisoner(take)
        self._results: Iterator[Poison] = self._poisoner.results(classes)
        self._listed: list[dict[str, Any]] | None = None
        self._lock = threading.Lock()
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self.port: int = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/mcp"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def __enter__(self) -> ToolServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def begin(self) -> None:
        """Before a start of the application: its attempts are those that are made from now on."""
        with self._lock:
            self.attempts = []
            self._listed = None

    def answer(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """The answer to a message; None to one that wants none."""
        if "id" not in message:
            return None
        with self._lock:
            result = self._result(str(message.get("method", "")), message.get("params"))
        if result is None:
            return {"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "no such method"}}
        return {"jsonrpc": "2.0", "id": message["id"], "result": result}

    def _result(self, method: str, params: object) -> dict[str, Any] | None:
        match method:
            case "initialize":
                asked = params.get("protocolVersion") if isinstance(params, dict) else None
                version = asked if isinstance(asked, str) else _VERSION
                return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": {"name": "lookup", "version": "1"}}
            case "ping":
                return {}
            case "tools/list":
                if self._listed is None:
                    self._listed = []
                    for tool, poison in self._poisoner.tools():
                        self._listed.append(dict(tool))
                        if poison is not None:
                            self.attempts.append(poison.attempt)
                return {"tools": self._listed}
            case "tools/call":
                poison = next(self._results, None)
                if poison is None:
                    self.exhausted = True
                    return {"content": [{"type": "text", "text": "Nothing was found."}], "isError": False}
                self.attempts.append(poison.attempt)
                return {"content": [{"type": "text", "text": poison.text}], "isError": False}
            case "resources/list" | "prompts/list" | "resources/templates/list":
                return {method.split("/")[-2 if method.endswith("templates/list") else 0]: []}
        return None


def _handler(server: ToolServer) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = limits.PROVE_SECONDS_IDLE

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > limits.PROVE_KEPT_BYTES:
                self._say(413, None)
                return
            try:
                message = json.loads(self.rfile.read(int(length)))
            except (ValueError, RecursionError):
                self._say(400, None)
                return
            messages = message if isinstance(message, list) else [message]
            answers = [server.answer(one) for one in messages if isinstance(one, dict)]
            told = [one for one in answers if one is not None]
            self._say(200 if told else 202, (told if isinstance(message, list) else told[0]) if told else None)

        def do_GET(self) -> None:
            self._say(405, None)

        def do_DELETE(self) -> None:
            self._say(405, None)

        def _say(self, status: int, value: object) -> None:
            body = b"" if value is None else json.dumps(value).encode()
            self.send_response(status)
            if body:
                self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is said: what the application asks is kept as attempts."""

    return Handler
