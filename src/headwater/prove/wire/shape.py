"""What all wire formats share: a request and a reply as values, reading of hostile JSON, writing of streams.

Whatever an application sends is read without a belief in its shape: what is not of the expected type counts as absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from headwater import limits
from headwater.prove.talk import Ask, Call, Offered, Turn

EPOCH: Final = 1_750_000_000
"""The time that answers bear: always the same, so that a run repeats."""
JSON: Final = "application/json"
EVENTS: Final = "text/event-stream"
LINES: Final = "application/x-ndjson"
NO_ARGUMENTS: Final[Mapping[str, Any]] = {}


class MalformedError(Exception):
    """A request that the service would answer with status 400."""


class Request(msgspec.Struct, frozen=True):
    """A request for a model, its framing undone."""

    method: str
    host: str
    """What the application thinks it speaks to, without the port."""
    path: str
    """Percent signs undone, without the query."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    data: Any = None
    """The body as JSON; None where it is none."""
    raw: bytes = b""

    @property
    def body(self) -> Mapping[str, Any]:
        return self.data if isinstance(self.data, dict) else {}


class Reply(msgspec.Struct, frozen=True):
    """What is sent back."""

    status: int
    kind: str
    """Content type."""
    parts: tuple[bytes, ...]
    """The body; each part is sent by itself where it is a stream."""
    stream: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    trailers: tuple[tuple[str, str], ...] = ()
    """Sent behind the body, by HTTP/2 alone."""


def pack(value: object) -> bytes:
    return msgspec.json.encode(value)


def reply(value: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    return Reply(status, JSON, (pack(value),), headers=headers)


def events(values: Iterable[object], *, named: bool = False, end: bytes = b"") -> Reply:
    """Server-sent events; ``named``: each value has its name as ``type``, which stands before it, too."""
    parts = [
        (b"event: " + str(value["type"]).encode() + b"\n" if named and isinstance(value, dict) else b"") + data(value) for value in values
    ]
    return Reply(200, EVENTS, (*parts, end) if end else tuple(parts), stream=True)


def data(value: object) -> bytes:
    return b"data: " + pack(value) + b"\n\n"


def lines(values: Iterable[object], kind: str = LINES) -> Reply:
    """JSON, one value a line."""
    return Reply(200, kind, tuple(pack(value) + b"\n" for value in values), stream=True)


def parse(body: bytes) -> Any:
    """The body as JSON; None where it is none, or is nested deeper than anyone writes."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    rest, depth = [value], 0
    while rest:
        depth += 1
        if depth > limits.PROVE_JSON_DEPTH:
            return None
        rest = [inner for one in rest if isinstance(one, (dict, list)) for inner in (one.values() if isinstance(one, dict) else one)]
    return value


# Reading


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def mappings(value: object) -> Iterator[Mapping[str, Any]]:
    return (one for one in items(value) if isinstance(one, dict))


def content(value: object) -> str:
    """The texts of a message, which is text or a list of parts."""
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        return text(value)
    found = (one if isinstance(one, str) else text(mapping(one).get("text")) for one in value)
    return "\n".join(one for one in found if one)


def arguments(value: object) -> Mapping[str, Any]:
    """Arguments that are written as JSON in a text."""
    parsed = parse(value.encode("utf-8", "replace")) if isinstance(value, str) else value
    return parsed if isinstance(parsed, dict) else NO_ARGUMENTS


def offered(value: object, schema: str = "parameters") -> Offered | None:
    """A tool, whose schema stands under one of the usual names."""
    one = mapping(value)
    name = text(one.get("name"))
    return Offered(name, text(one.get("description")), mapping(one.get(schema))) if name else None


def system_first(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    every = tuple(turns)
    return tuple(one for one in every if one.role == "system") + tuple(one for one in every if one.role != "system")


# Writing


def pieces(value: str) -> list[str]:
    """A text as it comes in a stream: in short pieces, and not too many of them."""
    size = max(12, -(-len(value) // limits.PROVE_PIECES))
    return [value[start : start + size] for start in range(0, len(value), size)]


def written(call: Call) -> str:
    """The arguments of a call as a model writes them."""
    return pack(call.arguments).decode()


def tokens(value: str) -> int:
    """About as many as a tokenizer would count."""
    return len(value) // 4 + 1


def spent(ask: Ask, value: str) -> tuple[int, int]:
    """Tokens of the request and of the answer."""
    return tokens(ask.text), tokens(value)


def name(prefix: str, serial: int, part: int = 0, width: int = 24) -> str:
    """An id, the same in each run: of the n-th request, and the n-th part of its answer."""
    return f"{prefix}{f'{serial:x}z{part:x}'.rjust(width, '0')[-width:]}"
