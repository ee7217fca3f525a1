"""HTTP/1.1 as a server sees it: reads one request, within bounds, and writes one reply, whole or in chunks.

``http.server`` is not used: it answers HTTP/0.9, knows no chunked request, and has no bound on a body.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import BinaryIO, Final

import msgspec

from headwater import limits

LINE: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}) ([^\s\x00-\x20\x7f]+) HTTP/1\.([01])\r?\n?\Z")
HEADER: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\x00]*?)[ \t]*\r?\n\Z")
CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n\Z")
UNPACK: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class BadRequestError(Exception):
    """A request that is answered with a status and the end of the connection."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Message(msgspec.Struct, frozen=True):
    """One request as it came in."""

    method: str
    target: str
    headers: Mapping[str, str]
    """Names in lower case; of those that came twice, the values joined."""
    body: bytes
    close: bool
    """The client wants no further request on the connection."""
    old: bool = False
    """HTTP/1.0: the reply cannot come in chunks."""


def read(stream: BinaryIO, writer: BinaryIO) -> Message | None:
    """The next request; None at the end of the connection. ``writer`` is told to go on where the client waits for that."""
    line = stream.readline(limits.PROVE_HEADER_BYTES)
    for _ in range(4):  # a client may send an empty line behind the body before
        if line not in (b"\r\n", b"\n"):
            break
        line = stream.readline(limits.PROVE_HEADER_BYTES)
    if not line:
        return None
    found = LINE.fullmatch(line)
    if not found or not line.endswith(b"\n"):
        raise BadRequestError(414 if len(line) >= limits.PROVE_HEADER_BYTES else 400, "no request line of HTTP/1.1")
    headers = _headers(stream)
    old = found[3] == b"0"
    if headers.get("expect", "").lower() == "100-continue" and not old:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        writer.flush()
    body = _unpacked(_body(stream, headers), headers.get("content-encoding", "").strip().lower())
    connection = headers.get("connection", "").lower()
    close = "close" in connection or (old and "keep-alive" not in connection)
    return Message(found[1].decode("ascii").upper(), found[2].decode("latin-1"), headers, body, close, old)


def _headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(limits.PROVE_HEADERS + 1):
        line = stream.readline(limits.PROVE_HEADER_BYTES)
        if line in (b"\r\n", b"\n"):
            return headers
        found = HEADER.fullmatch(line)
        if not found:
            raise BadRequestError(431 if len(line) >= limits.PROVE_HEADER_BYTES else 400, "a header that is none")
        key, value = found[1].decode("ascii").lower(), found[2].decode("latin-1")
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    raise BadRequestError(431, "too many headers")


def _body(stream: BinaryIO, headers: Mapping[str, str]) -> bytes:
    coding = headers.get("transfer-encoding", "").strip().lower()
    if coding:
        if coding != "chunked":
            raise BadRequestError(501, "a transfer encoding that is not known")
        return _chunks(stream)
    length = headers.get("content-length", "0")
    if not re.fullmatch(r"[0-9]{1,12}", length):
        raise BadRequestError(400, "a content length that is none")
    if int(length) > limits.PROVE_BODY_BYTES:
        raise BadRequestError(413, "the body is too large")
    return _exactly(stream, int(length))


def _chunks(stream: BinaryIO) -> bytes:
    parts: list[bytes] = []
    total = 0
    for _ in range(limits.PROVE_CHUNKS):
        found = CHUNK.fullmatch(stream.readline(limits.PROVE_HEADER_BYTES))
        if not found:
            raise BadRequestError(400, "a chunk that is none")
        size = int(found[1], 16)
        total += size
        if total > limits.PROVE_BODY_BYTES:
            raise BadRequestError(413, "the body is too large")
        if size == 0:
            _headers(stream)  # trailers, which nobody needs
            return b"".join(parts)
        parts.append(_exactly(stream, size))
        if stream.readline(3) not in (b"\r\n", b"\n"):
            raise BadRequestError(400, "a chunk without an end")
    raise BadRequestError(413, "too many chunks")


def _exactly(stream: BinaryIO, size: int) -> bytes:
    body = stream.read(size)
    if len(body) < size:
        raise BadRequestError(400, "the body ends early")
    return body


def _unpacked(body: bytes, coding: str) -> bytes:
    """The body without its compression; as it is where that is not known or broken."""
    if coding not in UNPACK:
        return body
    try:
        return zlib.decompressobj(UNPACK[coding]).decompress(body, limits.PROVE_BODY_BYTES)
    except zlib.error:
        return body


def write(
    writer: BinaryIO,
    status: int,
    headers: Mapping[str, str],
    parts: tuple[bytes, ...],
    *,
    stream: bool = False,
    close: bool = False,
    old: bool = False,
    head: bool = False,
) -> None:
    """A reply; ``stream``: each part is sent by itself, ``head``: its body is left out, ``old``: to a client of HTTP/1.0."""
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Unknown"
    chunked = stream and not old
    length = sum(len(part) for part in parts)
    framing = {"transfer-encoding": "chunked"} if chunked else {"content-length": str(length)}
    fields = {**headers, **framing, "connection": "close" if close else "keep-alive"}
    if status in (204, 304):
        fields.pop("content-length", None)
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{key}: {value}" for key, value in fields.items()), "", ""]
    writer.write("\r\n".join(lines).encode("latin-1", "replace"))
    if not head and status not in (204, 304):
        for part in parts:
            if part:
                writer.write(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
            if stream:
                writer.flush()
        if chunked:
            writer.write(b"0\r\n\r\n")
    writer.flush()
