"""Whatever an application sends, the server answers in HTTP and goes on: any bytes, any JSON, good requests with parts exchanged."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import socket
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_wire_formats import FORMATS
from wireplay import Played, Script

from headwater.prove.server import Server
from headwater.prove.talk import Answer, Call

PATHS = sorted(
    {path for one in FORMATS.values() for path in (one.path, one.stream_path) if path}
    | {f"/api/{name}" for name in ("embed", "embeddings", "tags", "ps", "show", "version", "pull")}
    | {
        "/v1/embeddings",
        "/v1/models",
        "/v1/moderations",
        "/v1/complete",
        "/v1/generate",
        "/v1/embed",
        "/v2/rerank",
        "/v1/messages/count_tokens",
    }
    | {f"/v1beta/models/m:{name}" for name in ("embedContent", "batchEmbedContents", "countTokens")}
    | {"/v1/models/text-embedding-004:predict", "/model/amazon.titan-embed-text-v1/invoke", "/model/m/invoke", "/", "/computeMetadata/v1/x"}
)
WORDS = """role content type text name function functions tool_calls tool_choice custom input inputs id stream output model texts parts
contents functionDeclarations inputSchema json toolSpec requests instances documents query dimensions prompt message"""
NAMES = sorted({key for one in FORMATS.values() for body in (one.body, one.tools, one.talk, one.schema) for key in body} | {*WORDS.split()})
LEAF = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(NAMES)
)
VALUE = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5), max_leaves=25
)


class Kept(io.BytesIO):
    """Bytes that ``http.client`` reads responses from, one after another: it closes what it has read."""

    def makefile(self, *_: object) -> Kept:
        return self

    def close(self) -> None:
        pass


def responses(data: bytes) -> Iterator[tuple[int, bytes]]:
    """All responses in what came back; fails where it is not HTTP."""
    stream = Kept(data)
    while stream.tell() < len(data):
        response = http.client.HTTPResponse(cast(socket.socket, stream))
        response.begin()
        yield response.status, response.read()


def exchanged(port: int, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    script = Script()
    script.says = Answer("text", (Call("weather", {"a": "b"}), Call("other", {})))
    with Server(script) as server:
        yield server


quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
HEADS = [b"POST /v1/chat/completions HTTP/1.1\r\n", b"GET http://example.org/ HTTP/1.1\r\n", b"CONNECT example.org:443 HTTP/1.1\r\n\r\n"]
LINES = [
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: \xff\r\n",
    b"Expect: 100-continue\r\n",
    b"\r\n",
    b"0\r\n\r\n",
    b"{}",
]


@quick
@given(st.lists(st.sampled_from(HEADS + LINES) | st.binary(max_size=40), max_size=8).map(b"".join))
def test_bytes(server: Server, sent: bytes) -> None:
    if b"\x16" in sent or b"PRI" in sent:  # TLS and HTTP/2 answer in their own way, or by closing the connection
        with contextlib.suppress(OSError):
            exchanged(server.port, sent)
    else:
        assert all(100 <= status < 600 for status, _ in responses(exchanged(server.port, sent)))
    assert server.failures == []


@quick
@given(st.sampled_from(PATHS), VALUE, st.sampled_from(["", "mistral", "anthropic"]))
def test_json(server: Server, path: str, body: Any, agent: str) -> None:
    sent = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {agent}\r\nContent-Length: {len(sent)}\r\n\r\n"
    ((status, _),) = responses(exchanged(server.port, head.encode() + sent))
    assert status in (200, 400, 404)
    assert server.failures == []


@st.composite
def changed(draw: st.DrawFn) -> tuple[str, bytes]:
    """A good request of a format in which some parts are others."""
    one = FORMATS[draw(st.sampled_from(sorted(FORMATS)))]
    body = json.loads(json.dumps({**one.body, **one.tools, **one.talk, **one.schema, **draw(st.sampled_from([one.stream, one.whole]))}))
    for _ in range(draw(st.integers(1, 3))):
        place = body
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and place[key] and draw(st.booleans()):
                place = place[key]
                continue
            place[key] = draw(VALUE)
            break
    return one.stream_path or one.path, json.dumps(body).encode()


@quick
@given(changed())
def test_good_requests_with_parts_exchanged(server: Server, asked: tuple[str, bytes]) -> None:
    path, sent = asked
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(sent)}\r\n\r\n"
    ((status, _),) = responses(exchanged(server.port, head.encode() + sent))
    assert status in (200, 400)
    assert server.failures == []


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"messages":' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"messages": ' * 300 + b"1" + b"}" * 300,
        b"\xff\xfe",
        b'{"messages": "\xff"}',
        b'{"messages": [], "a": 1e999999}',
        b'{"messages": ' + b"9" * 10_000 + b"}",
        b'{"messages": "\\ud800"}',
        b"{" + b'"a":1,' * 100_000 + b'"messages": []}',
        b"null",
        b"",
    ],
)
def test_json_that_is_meant_to_break_readers(played: Played, body: bytes) -> None:
    for path in ("/v1/chat/completions", "/v1/messages", "/api/chat", "/v1beta/models/m:generateContent"):
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        ((status, _),) = responses(exchanged(played.server.port, head + body))
        assert status in (200, 400)
