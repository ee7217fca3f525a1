"""HTTP/2 as a server sees it, for clients that speak nothing else (the AWS clients of Node); frames are read by the package ``h2``.

The package (the extra ``prove``) is imported only here; without it, such a connection is closed.
"""

from __future__ import annotations

import importlib
import socket
from collections.abc import Callable
from typing import Any, Final

from headwater import limits
from headwater.prove import http1
from headwater.prove.wire.shape import Reply

PREFACE: Final = b"PRI * HTTP/2.0\r\n"
REFUSED: Final = 7
"""The error code of a stream that is not served."""


def available() -> bool:
    try:
        importlib.import_module("h2.connection")
    except ImportError:
        return False
    return True


def serve(connection: socket.socket, respond: Callable[[http1.Message], Reply]) -> None:
    """Answers all requests of a connection, one after another."""
    _Session(connection, respond).run()


class _Session:
    def __init__(self, connection: socket.socket, respond: Callable[[http1.Message], Reply]) -> None:
        self._socket, self._respond = connection, respond
        self._events: Any = importlib.import_module("h2.events")
        self._errors: Any = importlib.import_module("h2.exceptions")
        settings: Any = importlib.import_module("h2.config")
        self._h2: Any = importlib.import_module("h2.connection").H2Connection(
            settings.H2Configuration(client_side=False, header_encoding="latin-1")
        )
        self._heard: dict[int, tuple[list[tuple[str, str]], bytearray]] = {}
        self._trailers: dict[int, tuple[tuple[str, str], ...]] = {}
        self._left: dict[int, bytearray] = {}
        """What could not be sent yet: the client has not opened its window far enough."""

    def run(self) -> None:
        self._h2.initiate_connection()
        while True:
            self._socket.sendall(self._h2.data_to_send())
            received = self._socket.recv(65_536)
            if not received:
                return
            try:
                for event in self._h2.receive_data(received):
                    if isinstance(event, self._events.ConnectionTerminated):
                        return
                    self._take(event)
                self._send()
            except self._errors.ProtocolError:
                self._socket.sendall(self._h2.data_to_send())
                return

    def _take(self, event: Any) -> None:
        events, stream = self._events, getattr(event, "stream_id", 0)
        if isinstance(event, events.RequestReceived):
            self._heard[stream] = (list(event.headers), bytearray())
        elif isinstance(event, events.DataReceived):
            self._h2.acknowledge_received_data(event.flow_controlled_length, stream)
            if stream in self._heard:
                self._heard[stream][1].extend(event.data)
            if sum(len(body) for _, body in self._heard.values()) > limits.PROVE_BODY_BYTES:
                self._heard.pop(stream, None)
                self._h2.reset_stream(stream, REFUSED)
        elif isinstance(event, events.StreamReset):
            self._heard.pop(stream, None)
            self._left.pop(stream, None)
            self._trailers.pop(stream, None)
        elif isinstance(event, events.StreamEnded) and stream in self._heard:
            headers, body = self._heard.pop(stream)
            self._answer(stream, headers, bytes(body))

    def _answer(self, stream: int, headers: list[tuple[str, str]], body: bytes) -> None:
        fields: dict[str, str] = {}
        for name, value in headers[: limits.PROVE_HEADERS]:
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
        method, target = fields.pop(":method", ""), fields.pop(":path", "/")
        fields.setdefault("host", fields.pop(":authority", ""))
        fields.pop(":scheme", None)
        answered = self._respond(http1.Message(method, target, fields, body, close=False))
        sent = [(":status", str(answered.status)), ("content-type", answered.kind)]
        self._h2.send_headers(stream, sent + [(name.lower(), value) for name, value in answered.headers])
        self._trailers[stream] = answered.trailers
        self._left[stream] = bytearray() if method == "HEAD" else bytearray(b"".join(answered.parts))

    def _send(self) -> None:
        """As much of all answers as the client takes now."""
        for stream, left in list(self._left.items()):
            while left:
                size = min(len(left), self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size)
                if size <= 0:
                    break
                self._h2.send_data(stream, bytes(left[:size]))
                del left[:size]
            if not left:
                trailers = self._trailers.pop(stream)
                if trailers:
                    self._h2.send_headers(stream, trailers, end_stream=True)
                else:
                    self._h2.end_stream(stream)
                del self._left[stream]
