"""Every wire format, request by request: text, stream, calls of tools, structured output, a conversation, errors."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from wireplay import Played, Response

from headwater.prove.talk import Answer, Call, Turn

SCHEMA = {"type": "object", "properties": {"city": {"type": "string", "description": "Its name."}}, "required": ["city"]}
CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
CALL = Answer(calls=(Call("weather", {"city": "O'Hara; $(ls) \n" + "x" * 100}),))
ARGUMENTS = {**CALL.calls[0].arguments}


class Format(msgspec.Struct, frozen=True):
    """How one format is spoken."""

    wire: str
    path: str
    body: Mapping[str, Any]
    """A user who says "Hello" to the model "m"."""
    text: Callable[[Any], str]
    """Of an answer."""
    streamed: Callable[[Response], tuple[str, ...]]
    """The pieces of a streamed one."""
    error: Callable[[Any], str]
    stream_path: str = ""
    stream: Mapping[str, Any] = msgspec.field(default_factory=lambda: {"stream": True})
    whole: Mapping[str, Any] = {}
    """What is said where no stream is wanted."""
    model: str = "m"
    tools: Mapping[str, Any] = {}
    """The tool "weather", with ``SCHEMA``."""
    call: Callable[[Any], tuple[str, Any]] | None = None
    streamed_call: Callable[[Response], tuple[str, Any]] | None = None
    schema: Mapping[str, Any] = {}
    """``SCHEMA`` as the form of the answer."""
    json: Mapping[str, Any] = {}
    talk: Mapping[str, Any] = {}
    """The system said "rules"; the assistant called the tool, which gave "sunny"."""
    broken: Mapping[str, Any] = {}
    """A body that the service refuses."""
    headers: Mapping[str, str] = {}


def frames(found: Response) -> list[tuple[str, Any]]:
    """The events of AWS's binary stream, its checksums checked."""
    rest, events = found.body, []
    while rest:
        total, size, check = struct.unpack("!III", rest[:12])
        assert check == zlib.crc32(rest[:8])
        assert struct.unpack("!I", rest[total - 4 : total])[0] == zlib.crc32(rest[: total - 4])
        header, payload = rest[12 : 12 + size], rest[12 + size : total - 4]
        names = {}
        while header:
            length = header[0]
            name = header[1 : 1 + length].decode()
            kind, value = struct.unpack("!BH", header[1 + length : 4 + length])
            assert kind == 7
            names[name] = header[4 + length : 4 + length + value].decode()
            header = header[4 + length + value :]
        assert names[":message-type"] == "event"
        events.append((names[":event-type"], json.loads(payload)))
        rest = rest[total:]
    return events


def made(call: Mapping[str, Any]) -> tuple[str, Any]:
    """A call by its name and arguments, under whatever name and however written."""
    arguments = next(call[key] for key in ("arguments", "args", "input", "parameters") if key in call)
    return call["name"], json.loads(arguments) if isinstance(arguments, str) else arguments


def converse_call(found: Response) -> tuple[str, Any]:
    events = frames(found)
    name = next(value["start"]["toolUse"]["name"] for kind, value in events if kind == "contentBlockStart")
    return name, json.loads("".join(value["delta"]["toolUse"]["input"] for kind, value in events if kind == "contentBlockDelta"))


def inner(found: Response) -> list[Any]:
    """The events of another format that InvokeModel carries."""
    return [json.loads(base64.b64decode(value["bytes"])) for _, value in frames(found)]


def claude_pieces(events: list[Any]) -> tuple[str, ...]:
    return tuple(one["delta"]["text"] for one in events if one["type"] == "content_block_delta")


def claude_call(events: list[Any]) -> tuple[str, Any]:
    assert [one["type"] for one in events if "content_block" not in one["type"]] == ["message_start", "message_delta", "message_stop"]
    assert events[-2]["delta"]["stop_reason"] == "tool_use"
    name = next(one["content_block"]["name"] for one in events if one["type"] == "content_block_start")
    return name, json.loads("".join(one["delta"]["partial_json"] for one in events if one["type"] == "content_block_delta"))


def response_call(found: Response) -> tuple[str, Any]:
    (item,) = found.events[-1]["response"]["output"]
    pieces = [one["delta"] for one in found.events if one["type"] == "response.function_call_arguments.delta"]
    assert "".join(pieces) == item["arguments"]
    assert [one["sequence_number"] for one in found.events] == list(range(len(found.events)))
    return item["name"], json.loads(item["arguments"])


def second_call(found: Response) -> tuple[str, Any]:
    deltas = [one["delta"] for one in found.events[:-1] if one["type"] in ("tool-call-start", "tool-call-delta")]
    calls = [one["message"]["tool_calls"] for one in deltas]
    return calls[0]["function"]["name"], json.loads("".join(one["function"]["arguments"] for one in calls))


FIRST = {"city": {"type": "str", "description": "Its name.", "required": True}}
USER = [{"role": "user", "content": "Hello"}]
FUNCTION = {"type": "function", "function": {"name": "weather", "description": "It.", "parameters": SCHEMA}}
CALLED = {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]}
TALK = [{"role": "system", "content": "rules"}, *USER, CALLED, {"role": "tool", "tool_call_id": "c1", "content": "sunny"}]
CLAUDE_TOOLS = [{"name": "weather", "description": "It.", "input_schema": SCHEMA}]
CLAUDE_TALK = [
    *USER,
    {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "weather", "input": {}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "sunny"}]}]},
]
UPPER = {"type": "OBJECT", "properties": {"city": {"type": "STRING", "description": "Its name."}}, "required": ["city"]}
GEMINI = Format(
    "gemini",
    "/v1beta/models/m:generateContent",
    {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]},
    lambda data: str(data["candidates"][0]["content"]["parts"][0]["text"]),
    lambda found: tuple(one["candidates"][0]["content"]["parts"][0]["text"] for one in found.events),
    lambda data: str(data["error"]["message"]),
    stream_path="/v1beta/models/m:streamGenerateContent?alt=sse",
    stream={},
    tools={"tools": [{"functionDeclarations": [{"name": "weather", "description": "It.", "parameters": UPPER}]}]},
    call=lambda data: made(data["candidates"][0]["content"]["parts"][0]["functionCall"]),
    streamed_call=lambda found: made(found.events[0]["candidates"][0]["content"]["parts"][0]["functionCall"]),
    schema={"generationConfig": {"responseMimeType": "application/json", "responseSchema": UPPER}},
    json={"generationConfig": {"responseMimeType": "application/json"}},
    talk={
        "systemInstruction": {"parts": [{"text": "rules"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Hello"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"result": "sunny"}}}]},
        ],
    },
)
CONVERSE = Format(
    "bedrock",
    f"/model/{CLAUDE.replace(':', '%3A')}/converse",
    {"messages": [{"role": "user", "content": [{"text": "Hello"}]}]},
    lambda data: str(data["output"]["message"]["content"][0]["text"]),
    lambda found: tuple(value["delta"]["text"] for kind, value in frames(found) if kind == "contentBlockDelta"),
    lambda data: str(data["message"]),
    stream_path=f"/model/{CLAUDE.replace(':', '%3A')}/converse-stream",
    stream={},
    model=CLAUDE,
    tools={"toolConfig": {"tools": [{"toolSpec": {"name": "weather", "description": "It.", "inputSchema": {"json": SCHEMA}}}]}},
    call=lambda data: made(data["output"]["message"]["content"][0]["toolUse"]),
    streamed_call=converse_call,
    schema={"outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": json.dumps(SCHEMA)}}}}},
    talk={
        "system": [{"text": "rules"}],
        "messages": [
            {"role": "user", "content": [{"text": "Hello"}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "c1", "name": "weather", "input": {}}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "c1", "content": [{"text": "sunny"}]}}]},
        ],
    },
)
MESSAGES = Format(
    "anthropic_messages",
    "/v1/messages",
    {"model": "m", "max_tokens": 9, "messages": USER},
    lambda data: str(data["content"][0]["text"]),
    lambda found: claude_pieces(found.events),
    lambda data: str(data["error"]["message"]),
    tools={"tools": CLAUDE_TOOLS},
    call=lambda data: made(data["content"][0]),
    streamed_call=lambda found: claude_call(found.events),
    schema={"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    talk={"system": [{"type": "text", "text": "rules"}], "messages": CLAUDE_TALK},
)
FORMATS = {
    "responses": Format(
        "openai_responses",
        "/v1/responses",
        {"model": "m", "input": "Hello"},
        lambda data: str(data["output"][0]["content"][0]["text"]),
        lambda found: tuple(one["delta"] for one in found.events if one["type"] == "response.output_text.delta"),
        lambda data: str(data["error"]["message"]),
        tools={"tools": [{"type": "function", "name": "weather", "description": "It.", "parameters": SCHEMA}]},
        call=lambda data: made(data["output"][0]),
        streamed_call=response_call,
        schema={"text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}},
        json={"text": {"format": {"type": "json_object"}}},
        talk={
            "instructions": "rules",
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
                {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
            ],
        },
    ),
    "completions": Format(
        "openai_completions",
        "/v1/completions",
        {"model": "m", "prompt": "Hello"},
        lambda data: str(data["choices"][0]["text"]),
        lambda found: tuple(one["choices"][0]["text"] for one in found.events[:-1]),
        lambda data: str(data["error"]["message"]),
    ),
    "messages": MESSAGES,
    "messages on vertex": msgspec.structs.replace(
        MESSAGES,
        path="/v1/projects/p/locations/global/publishers/anthropic/models/m:rawPredict",
        stream_path="/v1/projects/p/locations/global/publishers/anthropic/models/m:streamRawPredict",
        stream={},
        body={"anthropic_version": "vertex-2023-10-16", "messages": USER},
    ),
    "ollama chat": Format(
        "ollama",
        "/api/chat",
        {"model": "m", "messages": USER},
        lambda data: str(data["message"]["content"]),
        lambda found: tuple(one["message"]["content"] for one in found.lines),
        lambda data: str(data["error"]),
        stream={},
        whole={"stream": False},
        tools={"tools": [FUNCTION]},
        call=lambda data: made(data["message"]["tool_calls"][0]["function"]),
        streamed_call=lambda found: made(found.lines[0]["message"]["tool_calls"][0]["function"]),
        schema={"format": SCHEMA},
        json={"format": "json"},
        talk={"messages": [*TALK[:3], {"role": "tool", "tool_name": "weather", "tool_call_id": "c1", "content": "sunny"}]},
    ),
    "ollama generate": Format(
        "ollama",
        "/api/generate",
        {"model": "m", "prompt": "Hello"},
        lambda data: str(data["response"]),
        lambda found: tuple(one["response"] for one in found.lines),
        lambda data: str(data["error"]),
        stream={},
        whole={"stream": False},
        schema={"format": SCHEMA},
        json={"format": "json"},
    ),
    "gemini": GEMINI,
    "gemini on vertex": msgspec.structs.replace(
        GEMINI,
        path="/v1beta1/projects/p/locations/l/publishers/google/models/m:generateContent",
        stream_path="/v1beta1/projects/p/locations/l/publishers/google/models/m:streamGenerateContent?alt=sse",
    ),
    "converse": CONVERSE,
    "invoke with messages": msgspec.structs.replace(
        MESSAGES,
        wire="bedrock",
        path=f"/model/{CLAUDE}/invoke",
        stream_path=f"/model/{CLAUDE}/invoke-with-response-stream",
        stream={},
        body={"anthropic_version": "bedrock-2023-05-31", "messages": USER},
        model=CLAUDE,
        streamed=lambda found: claude_pieces(inner(found)),
        streamed_call=lambda found: claude_call(inner(found)),
        error=lambda data: str(data["message"]),
    ),
    "invoke with nova": msgspec.structs.replace(
        CONVERSE,
        path="/model/amazon.nova-lite-v1:0/invoke",
        stream_path="/model/amazon.nova-lite-v1:0/invoke-with-response-stream",
        model="amazon.nova-lite-v1:0",
        streamed=lambda found: tuple(one["contentBlockDelta"]["delta"]["text"] for one in inner(found) if "contentBlockDelta" in one),
        streamed_call=None,
    ),
    "invoke with a prompt": Format(
        "bedrock",
        "/model/meta.llama3-8b-instruct-v1:0/invoke",
        {"prompt": "Hello"},
        lambda data: str(data["generation"]),
        lambda found: tuple(one["generation"] for one in inner(found)),
        lambda data: str(data["message"]),
        stream_path="/model/meta.llama3-8b-instruct-v1:0/invoke-with-response-stream",
        stream={},
        model="meta.llama3-8b-instruct-v1:0",
    ),
    "text generation": Format(
        "huggingface",
        "/models/org/m",
        {"inputs": "Hello"},
        lambda data: str(data[0]["generated_text"]),
        lambda found: tuple(one["token"]["text"] for one in found.events),
        lambda data: str(data["error"]),
        model="org/m",
        schema={"parameters": {"grammar": {"type": "json", "value": SCHEMA}}},
        broken={"inputs": 1},
    ),
    "mistral": Format(
        "mistral",
        "/v1/chat/completions",
        {"model": "m", "messages": USER},
        lambda data: str(data["choices"][0]["message"]["content"]),
        lambda found: tuple(one["choices"][0]["delta"].get("content") or "" for one in found.events[:-1]),
        lambda data: str(data["message"]),
        tools={"tools": [FUNCTION]},
        call=lambda data: made(data["choices"][0]["message"]["tool_calls"][0]["function"]),
        schema={"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}},
        json={"response_format": {"type": "json_object"}},
        talk={"messages": TALK},
        headers={"User-Agent": "mistral-client-python/3.7.0"},
    ),
    "cohere 1": Format(
        "cohere",
        "/v1/chat",
        {"model": "m", "message": "Hello"},
        lambda data: str(data["text"]),
        lambda found: tuple(one["text"] for one in found.lines if one["event_type"] == "text-generation"),
        lambda data: str(data["message"]),
        tools={
            "tools": [
                {
                    "name": "weather",
                    "description": "It.",
                    "parameter_definitions": FIRST,
                }
            ]
        },
        call=lambda data: made(data["tool_calls"][0]),
        streamed_call=lambda found: made(found.lines[1]["tool_calls"][0]),
        schema={"response_format": {"type": "json_object", "schema": SCHEMA}},
        json={"response_format": {"type": "json_object"}},
    ),
    "cohere 2": Format(
        "cohere",
        "/v2/chat",
        {"model": "m", "messages": USER},
        lambda data: str(data["message"]["content"][0]["text"]),
        lambda found: tuple(one["delta"]["message"]["content"]["text"] for one in found.events[:-1] if one["type"] == "content-delta"),
        lambda data: str(data["message"]),
        tools={"tools": [FUNCTION]},
        call=lambda data: made(data["message"]["tool_calls"][0]["function"]),
        streamed_call=second_call,
        schema={"response_format": {"type": "json_object", "json_schema": SCHEMA}},
        json={"response_format": {"type": "json_object"}},
        talk={"messages": TALK},
    ),
}


def having(field: str) -> list[str]:
    return [name for name, one in FORMATS.items() if getattr(one, field)]


def send(played: Played, one: Format, *, stream: bool = False, **more: Any) -> Response:
    path = one.stream_path if stream and one.stream_path else one.path
    return played.send(path, {**one.body, **(one.stream if stream else one.whole), **more}, **one.headers)


@pytest.mark.parametrize("name", FORMATS)
class TestText:
    def test_an_answer(self, played: Played, name: str) -> None:
        one = FORMATS[name]
        found = send(played, one)
        assert (found.status, found.headers["content-type"]) == (200, "application/json")
        assert one.text(found.data) == played.script.says.text
        asked = played.ask
        assert (asked.wire, asked.model, asked.turns, asked.stream) == (one.wire, one.model, (Turn("user", "Hello"),), False)
        assert (asked.tools, asked.forced, asked.schema, asked.json) == ((), "", None, False)

    def test_a_stream(self, played: Played, name: str) -> None:
        one = FORMATS[name]
        found = send(played, one, stream=True)
        assert found.headers["transfer-encoding"] == "chunked"
        pieces = one.streamed(found)
        assert "".join(pieces) == played.script.says.text
        assert len([piece for piece in pieces if piece]) > 1
        assert played.ask.stream

    def test_a_refusal(self, played: Played, name: str) -> None:
        """It is no stream, even where one is wanted."""
        played.says(Answer("slow down", status=429))
        for stream in (False, True):
            found = send(played, FORMATS[name], stream=stream)
            assert (found.status, FORMATS[name].error(found.data)) == (429, "slow down")

    def test_a_request_that_the_service_refuses(self, played: Played, name: str) -> None:
        one = FORMATS[name]
        found = played.send(one.path, one.broken, **one.headers)
        assert found.status == 400
        assert one.error(found.data)
        assert played.script.asks == []


@pytest.mark.parametrize("name", having("tools"))
def test_a_call(played: Played, name: str) -> None:
    one = FORMATS[name]
    played.says(CALL)
    found = send(played, one, **one.tools)
    assert one.call
    assert one.call(found.data) == ("weather", ARGUMENTS)
    (tool,) = played.ask.tools
    assert (tool.name, tool.description, tool.schema) == ("weather", "It.", SCHEMA)
    if one.streamed_call:
        assert one.streamed_call(send(played, one, stream=True, **one.tools)) == ("weather", ARGUMENTS)


@pytest.mark.parametrize("name", having("schema"))
def test_structured_output(played: Played, name: str) -> None:
    send(played, FORMATS[name], **FORMATS[name].schema)
    assert (played.ask.schema, played.ask.json) == (SCHEMA, False)


@pytest.mark.parametrize("name", having("json"))
def test_json_of_any_form(played: Played, name: str) -> None:
    send(played, FORMATS[name], **FORMATS[name].json)
    assert (played.ask.schema, played.ask.json) == (None, True)


@pytest.mark.parametrize("name", having("talk"))
def test_a_conversation(played: Played, name: str) -> None:
    send(played, FORMATS[name], **FORMATS[name].talk)
    told = [(turn.role, turn.text, turn.tool) for turn in played.ask.turns if turn.text]
    assert told == [("system", "rules", ""), ("user", "Hello", ""), ("tool", "sunny", "weather")]


@pytest.mark.parametrize(
    ("path", "body", "forced"),
    [
        ("/v1/responses", {"input": "x", "tool_choice": "required"}, "any"),
        ("/v1/responses", {"input": "x", "tool_choice": {"type": "function", "name": "weather"}}, "weather"),
        ("/v1/messages", {"messages": USER, "tool_choice": {"type": "any"}}, "any"),
        ("/v1/messages", {"messages": USER, "tool_choice": {"type": "tool", "name": "weather"}}, "weather"),
        ("/v1/messages", {"messages": USER, "tool_choice": {"type": "none"}}, "none"),
        (GEMINI.path, {"contents": [], "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}, "any"),
        (
            GEMINI.path,
            {"contents": [], "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}}},
            "weather",
        ),
        (GEMINI.path, {"contents": [], "tool_config": {"function_calling_config": {"mode": "NONE"}}}, "none"),
        (CONVERSE.path, {"messages": [], "toolConfig": {"toolChoice": {"any": {}}}}, "any"),
        (CONVERSE.path, {"messages": [], "toolConfig": {"toolChoice": {"tool": {"name": "weather"}}}}, "weather"),
        ("/v2/chat", {"messages": USER, "tool_choice": "REQUIRED"}, "any"),
        ("/v2/chat", {"messages": USER, "tool_choice": "NONE"}, "none"),
    ],
)
def test_a_tool_that_must_be_called(played: Played, path: str, body: object, forced: str) -> None:
    played.send(path, body)
    assert played.ask.forced == forced


class TestEmbeddings:
    PATHS = {
        "openai": ("/v1/embeddings", {"model": "text-embedding-3-small", "input": ["T", "U"]}, 1536),
        "ollama": ("/api/embed", {"model": "nomic-embed-text", "input": ["T", "U"]}, 768),
        "gemini": (
            "/v1beta/models/text-embedding-004:batchEmbedContents",
            {"requests": [{"content": {"parts": [{"text": "T"}]}}, {"content": {"parts": [{"text": "U"}]}}]},
            768,
        ),
        "vertex": (
            "/v1/projects/p/locations/l/publishers/google/models/text-embedding-004:predict",
            {"instances": [{"content": "T"}, {"content": "U"}]},
            768,
        ),
        "bedrock": ("/model/cohere.embed-english-v3/invoke", {"texts": ["T", "U"]}, 1024),
        "hugging face": ("/embed", {"inputs": ["T", "U"]}, 768),
        "cohere": ("/v2/embed", {"model": "embed-english-v3.0", "texts": ["T", "U"]}, 1024),
    }

    @staticmethod
    def vectors(data: Any) -> list[list[float]]:
        """The lists of numbers in an answer, wherever they stand."""
        if isinstance(data, list) and data and all(isinstance(one, float) for one in data):
            return [data]
        inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
        return [vector for one in inner for vector in TestEmbeddings.vectors(one)]

    @pytest.mark.parametrize("name", PATHS)
    def test_one_vector_for_each_text(self, played: Played, name: str) -> None:
        path, body, length = self.PATHS[name]
        found = self.vectors(played.send(path, body).data)
        assert [len(one) for one in found] == [length, length]
        assert found[0] != found[1]
        assert (played.ask.purpose, played.ask.inputs) == ("embedding", ("T", "U"))
        assert found == self.vectors(played.send(path, body).data)

    def test_texts_that_share_words_are_near(self, played: Played) -> None:
        texts = ["the price of a red car", "a red car and its price", "clouds above mountains"]
        found = self.vectors(played.send("/v1/embeddings", {"model": "m", "input": texts}).data)
        near, far = (sum(a * b for a, b in zip(found[0], other, strict=True)) for other in found[1:])
        assert near > 0.5 > far

    def test_packed_as_the_client_for_python_wants_it(self, played: Played) -> None:
        body = {"model": "m", "input": "text", "dimensions": 8}
        (plain,) = self.vectors(played.send("/v1/embeddings", body).data)
        packed = played.send("/v1/embeddings", {**body, "encoding_format": "base64"}).data["data"][0]["embedding"]
        assert struct.unpack("<8f", base64.b64decode(packed)) == pytest.approx(plain)

    def test_tokens_in_place_of_text(self, played: Played) -> None:
        played.send("/v1/embeddings", {"model": "m", "input": [[1, 2], [3]]})
        assert played.ask.inputs == ("1 2", "3")


class TestOthers:
    def test_the_nearest_document_comes_first(self, played: Played) -> None:
        body = {"model": "rerank-v3.5", "query": "red car", "documents": ["blue sky", "a red car", "a car"], "top_n": 2}
        found = played.send("/v2/rerank", body).data["results"]
        assert [one["index"] for one in found] == [1, 2]
        assert 1 >= found[0]["relevance_score"] > found[1]["relevance_score"] >= 0

    @pytest.mark.parametrize(
        ("path", "headers", "names"),
        [
            ("/v1/models", {}, lambda data: [one["id"] for one in data["data"]]),
            ("/v1/models", {"Anthropic-Version": "2023-06-01"}, lambda data: [one["id"] for one in data["data"] if one["type"] == "model"]),
            ("/v1beta/models", {}, lambda data: [one["name"].removeprefix("models/") for one in data["models"]]),
            ("/api/tags", {}, lambda data: [one["model"] for one in data["models"]]),
        ],
    )
    def test_lists_of_models(self, played: Played, path: str, headers: dict[str, str], names: Callable[[Any], list[str]]) -> None:
        assert len(names(played.send(path, **headers).data)) > 3
        assert played.ask.purpose == "models"

    def test_any_model_is_there(self, played: Played) -> None:
        assert played.send("/v1/models/org/my-own").data["id"] == "org/my-own"
        assert played.send("/v1beta/models/my-own").data["name"] == "models/my-own"
        assert "tools" in played.send("/api/show", {"model": "my-own"}).data["capabilities"]

    def test_tools_that_the_service_knows_by_a_type(self, played: Played) -> None:
        """The application runs them; the model was trained on what they take."""
        tools = [{"type": "bash_20250124", "name": "bash"}, {"type": "web_search_20250305", "name": "web_search"}]
        played.send("/v1/messages", {"messages": USER, "tools": tools})
        (tool,) = played.ask.tools
        assert (tool.name, list(tool.schema["properties"])) == ("bash", ["command"])

        played.says(Answer(calls=(Call("local_shell", {"command": "ls"}),)))
        found = played.send("/v1/responses", {"input": "x", "tools": [{"type": "local_shell"}]}).data["output"][0]
        assert (found["type"], found["action"]["command"]) == ("local_shell_call", ["sh", "-c", "ls"])

    def test_a_stream_of_gemini_without_events_is_one_list(self, played: Played) -> None:
        found = played.send("/v1beta/models/m:streamGenerateContent", GEMINI.body).data
        assert "".join(one["candidates"][0]["content"]["parts"][0]["text"] for one in found) == played.script.says.text

    def test_a_stream_of_cohere_for_who_takes_no_events(self, played: Played) -> None:
        found = played.send("/v2/chat", {"messages": USER, "stream": True}, Accept="application/json").lines
        assert [found[0]["type"], found[-1]["type"]] == ["message-start", "message-end"]

    def test_errors_of_bedrock_have_a_type(self, played: Played) -> None:
        played.says(Answer("slow down", status=429))
        assert send(played, CONVERSE).headers["x-amzn-errortype"] == "ThrottlingException"
