"""Gemini over gRPC: its messages, and hostile ones."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.prove.talk import Answer, Call, Offered, Turn
from headwater.prove.wire import gemini_grpc, hear, protobuf
from headwater.prove.wire.shape import MalformedError, Request

PATH = "/google.ai.generativelanguage.v1beta.GenerativeService/"
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def field(number: int, *content: bytes | str) -> bytes:
    """A field of a message, written by hand: what is tested is not what writes."""
    joined = b"".join(one.encode() if isinstance(one, str) else one for one in content)
    assert len(joined) < 128
    return bytes([number << 3 | 2, len(joined)]) + joined


def number(at: int, value: int) -> bytes:
    return bytes([at << 3, value])


def request(operation: str, message: bytes) -> Request:
    framed = b"\0" + struct.pack("!I", len(message)) + message
    return Request("POST", "generativelanguage.googleapis.com", PATH + operation, {}, {"content-type": "application/grpc"}, None, framed)


HELLO = field(1, "models/m") + field(2, field(1, field(2, "Hello")), field(2, "user"))
CITY = field(7, field(1, "city"), field(2, number(1, 1), field(3, "Its name.")))
TOOL = field(5, field(1, field(1, "weather"), field(2, "It."), field(3, number(1, 6), CITY, field(8, "city"))))


def messages(body: tuple[bytes, ...], table: str = "response") -> list[dict[str, Any]]:
    for one in body:
        assert struct.unpack("!?I", one[:5]) == (False, len(one) - 5)
    return [protobuf.decode(one[5:], table, gemini_grpc.TABLES) for one in body]


def test_a_request_is_read_as_it_is_without_grpc() -> None:
    forced = field(7, field(1, number(1, 2), field(2, "weather")))
    heard = hear(request("GenerateContent", HELLO + field(8, field(1, field(2, "rules"))) + TOOL + forced))
    assert heard
    schema = {"type": "object", "properties": {"city": {"type": "string", "description": "Its name."}}, "required": ["city"]}
    asked = heard.ask
    assert (asked.wire, asked.model, asked.stream, asked.forced) == ("gemini_grpc", "m", False, "weather")
    assert asked.turns == (Turn("system", "rules"), Turn("user", "Hello"))
    assert asked.tools == (Offered("weather", "It.", schema),)


def test_an_answer_with_a_call() -> None:
    heard = hear(request("GenerateContent", HELLO + TOOL))
    assert heard
    reply = heard.reply(Answer("text", (Call("weather", {"city": "x", "deep": [1, {"a": None}, True]}),)), 1)
    (made,) = messages(reply.parts)
    text, call = made["candidates"][0]["content"]["parts"]
    assert text == {"text": "text"}
    assert call["functionCall"]["args"] == {"city": "x", "deep": [1.0, {"a": None}, True]}
    assert made["candidates"][0]["finishReason"] == 1
    assert reply.trailers == (("grpc-status", "0"),)


def test_a_stream_has_a_message_for_each_piece() -> None:
    heard = hear(request("StreamGenerateContent", HELLO))
    assert heard
    assert heard.ask.stream
    made = messages(heard.reply(Answer("a longer text that is cut"), 1).parts)
    assert "".join(one["candidates"][0]["content"]["parts"][0]["text"] for one in made) == "a longer text that is cut"
    assert len(made) > 1


def test_embeddings() -> None:
    one = field(2, field(2, field(1, field(2, "T"))) + number(5, 8))
    heard = hear(request("BatchEmbedContents", one * 2))
    assert heard
    assert heard.ask.inputs == ("T", "T")
    (reply,) = heard.reply(Answer(), 1).parts
    vectors = [content for at, content in protobuf.fields(reply[5:]) if at == 1]
    assert len(vectors) == 2
    for vector in vectors:
        assert isinstance(vector, bytes)
        ((_, packed),) = protobuf.fields(vector)
        assert isinstance(packed, bytes)
        assert math.isclose(sum(value * value for value in struct.unpack("<8f", packed)), 1, rel_tol=1e-5)


def test_an_error_is_in_the_trailers() -> None:
    heard = hear(request("GenerateContent", HELLO))
    assert heard
    reply = heard.reply(Answer("50% \u00e9\n", status=429), 1)
    assert reply.parts == ()
    assert reply.trailers == (("grpc-status", "8"), ("grpc-message", "50%25 %C3%A9%0A"))


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(st.dictionaries(st.text(max_size=5), JSON, max_size=5))
def test_any_json_is_the_same_after_the_way_through_a_message(value: dict[str, Any]) -> None:
    packed = protobuf.encode({"args": value}, "call", gemini_grpc.TABLES)
    assert protobuf.decode(packed, "call", gemini_grpc.TABLES) == {"args": value}


@given(st.binary(max_size=60) | st.lists(st.sampled_from([HELLO, TOOL, CITY, HELLO[:7], b"\x12", b"\xff"]), max_size=5).map(b"".join))
def test_hostile_messages(message: bytes) -> None:
    for operation in gemini_grpc.REQUESTS:
        heard = hear(request(operation, message))
        assert heard
        assert heard.reply(Answer("x"), 1).trailers[0] == ("grpc-status", "0") if not heard.fault else heard.ask.purpose == "other"


def test_nesting_is_bounded() -> None:
    value: Any = None
    for _ in range(100):
        value = {"a": value}
    packed = protobuf.encode({"args": value}, "call", gemini_grpc.TABLES)
    with pytest.raises(MalformedError):
        protobuf.decode(packed, "call", gemini_grpc.TABLES)
