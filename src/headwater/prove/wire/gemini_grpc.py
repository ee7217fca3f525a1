"""Google's generateContent over gRPC, which ``google-generativeai`` speaks by default: the messages are those of ``gemini``, packed."""

from __future__ import annotations

import re
import struct
from typing import Any, Final

import msgspec

from headwater.prove.talk import Answer, Ask
from headwater.prove.wire import gemini, protobuf, shape
from headwater.prove.wire.shape import MalformedError, Reply, Request

PATHS: Final = re.compile(
    r"^/google\.ai\.generativelanguage\.v1(?:beta\d*|alpha)?\.GenerativeService"
    r"/(?P<operation>GenerateContent|StreamGenerateContent|EmbedContent|BatchEmbedContents|CountTokens)$"
)
KIND: Final = "application/grpc"
TYPES: Final = ("", "string", "number", "integer", "boolean", "array", "object", "null")
MODES: Final = ("", "AUTO", "ANY", "NONE")
REQUESTS: Final = {
    "GenerateContent": "generate",
    "StreamGenerateContent": "generate",
    "EmbedContent": "embed",
    "BatchEmbedContents": "embeds",
    "CountTokens": "count",
}
ANSWERS: Final = {"EmbedContent": "embedding", "BatchEmbedContents": "embeddings", "CountTokens": "counted"}
TABLES: Final[protobuf.Tables] = {
    "generate": {
        1: ("model", "text"),
        2: ("contents", "*content"),
        4: ("generationConfig", "settings"),
        5: ("tools", "*tool"),
        7: ("toolConfig", "choice"),
        8: ("systemInstruction", "content"),
    },
    "content": {1: ("parts", "*part"), 2: ("role", "text")},
    "part": {2: ("text", "text"), 4: ("functionCall", "call"), 5: ("functionResponse", "result")},
    "call": {1: ("name", "text"), 2: ("args", "struct"), 3: ("id", "text")},
    "result": {1: ("name", "text"), 2: ("response", "struct"), 3: ("id", "text")},
    "tool": {1: ("functionDeclarations", "*function")},
    "function": {1: ("name", "text"), 2: ("description", "text"), 3: ("parameters", "schema")},
    "schema": {
        1: ("type", "enum"),
        2: ("format", "text"),
        3: ("description", "text"),
        5: ("enum", "*text"),
        6: ("items", "schema"),
        7: ("properties", "map schema"),
        8: ("required", "*text"),
    },
    "settings": {13: ("responseMimeType", "text"), 14: ("responseSchema", "schema")},
    "choice": {1: ("functionCallingConfig", "calling")},
    "calling": {1: ("mode", "enum"), 2: ("allowedFunctionNames", "*text")},
    "embed": {1: ("model", "text"), 2: ("content", "content"), 5: ("outputDimensionality", "int")},
    "embeds": {1: ("model", "text"), 2: ("requests", "*embed")},
    "count": {1: ("model", "text"), 2: ("contents", "*content"), 3: ("generateContentRequest", "generate")},
    "response": {1: ("candidates", "*candidate"), 3: ("usageMetadata", "usage"), 4: ("modelVersion", "text")},
    "candidate": {1: ("content", "content"), 2: ("finishReason", "enum"), 3: ("index", "int")},
    "usage": {1: ("promptTokenCount", "int"), 2: ("candidatesTokenCount", "int"), 3: ("totalTokenCount", "int")},
    "embedding": {1: ("embedding", "vector")},
    "embeddings": {1: ("embeddings", "*vector")},
    "vector": {1: ("values", "*float")},
    "counted": {1: ("totalTokens", "int")},
}
STATES: Final = {400: 3, 401: 16, 403: 7, 404: 5, 429: 8, 500: 13, 503: 14, 504: 4}
"""Codes of gRPC."""
UNKNOWN: Final = 2
MESSAGE: Final = 2_000
"""Characters of the text of an error, which is a header."""


def match(request: Request) -> str:
    found = PATHS.search(request.path) if request.method == "POST" else None
    return found["operation"] if found and request.headers.get("content-type", "").startswith(KIND) else ""


def read(request: Request, operation: str) -> Ask:
    asked = gemini.read(*translated(request, operation))
    return msgspec.structs.replace(asked, wire="gemini_grpc")


def translated(request: Request, operation: str) -> tuple[Request, str]:
    """The same request as it is without gRPC."""
    raw = request.raw
    if len(raw) < 5 or raw[0] != 0 or struct.unpack("!I", raw[1:5])[0] != len(raw) - 5:
        raise MalformedError("a message that is none")  # or packed, which clients do only where they are told to
    body = protobuf.decode(raw[5:], REQUESTS[operation], TABLES)
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    if "mode" in calling:
        calling["mode"] = MODES[calling["mode"]] if calling["mode"] < len(MODES) else ""
    name = operation[0].lower() + operation[1:]
    model = str(body.get("model", "")).removeprefix("models/")
    plain = {**request.headers, "content-type": shape.JSON}
    path = f"/v1beta/models/{model}:{name}"
    return Request("POST", request.host, path, {"alt": "sse"}, plain, named_types(body)), name


def named_types(value: Any) -> Any:
    """Types of schemas by name: in the message they are numbers."""
    if isinstance(value, dict):
        known = {key: TYPES[one] if key == "type" and isinstance(one, int) and one < len(TYPES) else one for key, one in value.items()}
        return {key: named_types(one) for key, one in known.items()}
    return [named_types(one) for one in value] if isinstance(value, list) else value


def write(request: Request, operation: str, ask: Ask, answer: Answer, serial: int) -> Reply:
    if answer.status != 200:
        return grpc([], STATES.get(answer.status, UNKNOWN), answer.text)
    plain, name = translated(request, operation)
    made = gemini.write(plain, name, ask, answer, serial)
    table = ANSWERS.get(operation, "response")
    values = [shape.parse(part.removeprefix(b"data: ")) for part in made.parts]
    return grpc([protobuf.encode(numbered(value), table, TABLES) for value in values])


def numbered(value: Any) -> Any:
    """The one reason to end that is ever given, as a number."""
    for one in shape.mappings(value.get("candidates")):
        if "finishReason" in one:
            one["finishReason"] = 1  # type: ignore[index]
    return value


def grpc(messages: list[bytes], status: int = 0, text: str = "") -> Reply:
    framed = tuple(b"\0" + struct.pack("!I", len(one)) + one for one in messages)
    message = re.sub(r"[^ -$&-~]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)
    trailers = (("grpc-status", str(status)), *([("grpc-message", message[:MESSAGE])] if message else []))
    return Reply(200, KIND, framed, stream=True, trailers=trailers)
