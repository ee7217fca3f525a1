"""The bridge: a server on this machine's loopback that speaks OpenAI's protocol of chats to Garak and PyRIT, and asks the target.

What the target does not answer is refused with a status that neither tool tries again, and is kept: it is missing from the verdicts.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

from headwater import limits
from headwater.redteam.target import Target, Turn, UnansweredError

UNANSWERED: Final = 424
"""Failed dependency: Garak is told to skip such prompts; 5xx it would try again, and for ever."""
MODEL: Final = "target"


class Bridge:
    """A context manager; ``url`` is what tools are given."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.key = secrets.token_hex(16)
        """What tools send as their key: nobody else on this machine is answered, a page in a browser neither."""
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(limits.REDTEAM_BRIDGE_THREADS)
        self._left = 0
        self._bound = 0
        self.asked = 0
        self.unanswered: Counter[str] = Counter()
        """Reasons, with how often each was given."""
        bridge = self

        class Handler(_Handler):
            key = bridge.key

            def reply(self, body: bytes) -> tuple[int, Any]:
                return bridge._reply(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def bound(self, prompts: int) -> None:
        """So many more prompts are handed on; 0: all."""
        with self._lock:
            self._bound = self._left = prompts

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._target.close()
        self._server.server_close()
        self._thread.join()

    def _reply(self, body: bytes) -> tuple[int, Any]:
        try:
            turns = _turns(json.loads(body))
            with self._lock:
                if self._bound:
                    if not self._left:
                        raise UnansweredError(f"the probe has more than the {self._bound:,} prompts of --prompts")
                    self._left -= 1
            if not self._target.whole:
                if any(turn.role in ("system", "developer") for turn in turns):
                    raise UnansweredError("the probe sets a system prompt, and the application has its own")
                if len(turns) > 1:
                    raise UnansweredError("the probe needs a conversation, and the application takes one prompt")
            with self._places:
                answer = self._target.ask(turns)
        except (ValueError, TypeError, KeyError, RecursionError):
            return 400, {"error": {"message": "no request for a chat"}}
        except UnansweredError as error:
            with self._lock:
                self.asked += 1
                self.unanswered[str(error)[: limits.REDTEAM_EXCERPT]] += 1
            return UNANSWERED, {"error": {"message": str(error)[: limits.REDTEAM_EXCERPT], "type": "unanswered"}}
        with self._lock:
            self.asked += 1
        message = {"role": "assistant", "content": answer}
        return 200, {
            "id": "headwater",
            "object": "chat.completion",
            "created": 0,
            "model": MODEL,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        }


def _turns(request: Any) -> list[Turn]:
    turns = []
    for message in request["messages"]:
        content = message["content"]
        if isinstance(content, list):
            content = "\n".join(part["text"] for part in content)
        if not isinstance(content, str) or not isinstance(message["role"], str):
            raise TypeError
        turns.append(Turn(message["role"], content))
    if not turns:
        raise ValueError
    return turns


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120
    key = ""

    def reply(self, body: bytes) -> tuple[int, Any]:
        raise NotImplementedError

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > limits.REDTEAM_BRIDGE_BODY:
            self.close_connection = True
            self._send(413, {"error": {"message": "the request is too large, or does not say how large it is"}})
            return
        body = self.rfile.read(int(length))
        given = self.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, f"Bearer {self.key}".encode()):
            self._send(401, {"error": {"message": "the key of the bridge is missing"}})
            return
        if not self.path.rstrip("/").endswith("/chat/completions"):
            self._send(404, {"error": {"message": "only chats are answered here"}})
            return
        self._send(*self.reply(body))

    def do_GET(self) -> None:
        self._send(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    def _send(self, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass
