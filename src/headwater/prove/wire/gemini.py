"""Google's generateContent, as the Gemini API and Vertex AI have it; its embeddings, counts and lists of models."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from headwater.prove.talk import Answer, Ask, Offered, Turn
from headwater.prove.wire import shape, vectors
from headwater.prove.wire.shape import MalformedError, Reply, Request

PATHS: Final = re.compile(
    r"/(?P<kind>models|tunedModels|endpoints)/(?P<model>[^/:]+)"
    r":(?P<operation>generateContent|streamGenerateContent|embedContent|batchEmbedContents|predict|countTokens|generateMessage|generateText)$"
)
LISTS: Final = re.compile(r"/v1(?:beta\d*|alpha)?/(?:publishers/google/)?models(?:/(?P<model>[^/:]+))?/?$")
NAMES: Final = ("gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.0-flash", "gemini-1.5-pro", "gemini-1.5-flash", "gemini-embedding-001")
STATES: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
TEXT_EMBEDDERS: Final = re.compile(r"embed|gecko|multilingual-e5")


def match(request: Request) -> str:
    found = PATHS.search(request.path) if request.method == "POST" else None
    if found:
        if found["operation"] == "predict" and not TEXT_EMBEDDERS.search(found["model"]):
            return ""
        return found["operation"]
    # OpenAI and Anthropic have their lists at /v1/models, too.
    google = "v1beta" in request.path or "googleapis.com" in request.host or "x-goog-api-key" in request.headers
    return "models" if request.method == "GET" and google and LISTS.search(request.path) else ""


def read(request: Request, operation: str) -> Ask:
    body = request.body
    if operation == "models":
        found = LISTS.search(request.path)
        return Ask("gemini", "models", (found and found["model"]) or "")
    found = PATHS.search(request.path)
    model = found["model"] if found else ""
    if operation in ("embedContent", "batchEmbedContents", "predict"):
        return Ask("gemini", "embedding", model, inputs=embedded(body, operation))
    inner = shape.mapping(body.get("generateContentRequest")) or body
    if not isinstance(inner.get("contents"), list | dict):
        raise MalformedError("* GenerateContentRequest.contents: contents is not specified")
    settings = either(inner, "generationConfig", "generation_config")
    schema = either(settings, "responseJsonSchema", "response_json_schema") or either(settings, "responseSchema", "response_schema")
    kind = settings.get("responseMimeType", settings.get("response_mime_type"))
    return Ask(
        wire="gemini",
        purpose="other" if operation == "countTokens" else "chat",
        model=model,
        turns=turns(inner),
        tools=tuple(tools(inner)),
        forced=forced(inner),
        schema=lowered(schema) if schema else None,
        json=kind == "application/json" and not schema,
        stream=operation == "streamGenerateContent",
    )


def either(body: Mapping[str, Any], name: str, other: str) -> Mapping[str, Any]:
    """A field in either spelling: the service takes both."""
    return shape.mapping(body.get(name, body.get(other)))


def turns(body: Mapping[str, Any]) -> tuple[Turn, ...]:
    system = shape.content(either(body, "systemInstruction", "system_instruction").get("parts"))
    found = [Turn("system", system)] if system else []
    contents = body["contents"]
    for one in shape.mappings(contents if isinstance(contents, list) else [contents]):
        results = [part for part in shape.mappings(one.get("parts")) if "functionResponse" in part or "function_response" in part]
        for part in results:
            result = either(part, "functionResponse", "function_response")
            found.append(Turn("tool", result_text(result), shape.text(result.get("name")), shape.text(result.get("id"))))
        text = shape.content(one.get("parts"))
        if text or not results:
            found.append(Turn("assistant" if one.get("role") == "model" else "user", text))
    return shape.system_first(found)


def result_text(result: Mapping[str, Any]) -> str:
    """What a function gave: a lone text as it is, else JSON."""
    given = shape.mapping(result.get("response"))
    values = list(given.values())
    return values[0] if len(values) == 1 and isinstance(values[0], str) else shape.pack(given).decode()


def tools(body: Mapping[str, Any]) -> Iterator[Offered]:
    for tool in shape.mappings(body.get("tools")):
        for one in shape.mappings(tool.get("functionDeclarations", tool.get("function_declarations"))):
            schema = either(one, "parametersJsonSchema", "parameters_json_schema") or shape.mapping(one.get("parameters"))
            found = shape.offered(one)
            if found:
                yield Offered(found.name, found.description, lowered(schema))


def lowered(schema: Any) -> Any:
    """A schema with the names of its types as JSON Schema has them: ``STRING`` is ``string``."""
    if isinstance(schema, dict):
        return {name: value.lower() if name == "type" and isinstance(value, str) else lowered(value) for name, value in schema.items()}
    return [lowered(one) for one in schema] if isinstance(schema, list) else schema


def forced(body: Mapping[str, Any]) -> str:
    one = either(either(body, "toolConfig", "tool_config"), "functionCallingConfig", "function_calling_config")
    mode = shape.text(one.get("mode")).upper()
    allowed = [shape.text(name) for name in shape.items(one.get("allowedFunctionNames", one.get("allowed_function_names")))]
    if mode == "ANY":
        return allowed[0] if len(allowed) == 1 else "any"
    return "none" if mode == "NONE" else ""


def embedded(body: Mapping[str, Any], operation: str) -> tuple[str, ...]:
    if operation == "predict":
        return vectors.texts([shape.text(one.get("content")) for one in shape.mappings(body.get("instances"))])
    requests = shape.mappings(body.get("requests")) if operation == "batchEmbedContents" else iter([body])
    return vectors.texts([shape.content(shape.mapping(one.get("content")).get("parts")) for one in requests])


def write(request: Request, operation: str, ask: Ask, answer: Answer, serial: int) -> Reply:
    if answer.status != 200:
        problem = {"code": answer.status, "message": answer.text, "status": STATES.get(answer.status, "UNKNOWN")}
        return shape.reply({"error": problem}, answer.status)
    if operation == "models":
        return models(ask)
    if operation == "countTokens":
        return shape.reply({"totalTokens": shape.tokens(ask.text)})
    if ask.purpose == "embedding":
        return embeddings(request, operation, ask)
    parts: list[Any] = [{"text": piece} for piece in (shape.pieces(answer.text) if ask.stream else [answer.text]) if piece]
    for number, call in enumerate(answer.calls):
        parts.append({"functionCall": {"id": shape.name("", serial, number, 8), "name": call.tool, "args": call.arguments}})
    parts = parts or [{"text": ""}]
    if not ask.stream:
        return shape.reply(response(ask, answer, serial, parts, end=True))
    every = [response(ask, answer, serial, [part], end=part is parts[-1]) for part in parts]
    if request.query.get("alt") == "sse":
        return shape.events(every)
    pieces = [b"[" + shape.pack(every[0]), *(b",\r\n" + shape.pack(one) for one in every[1:]), b"]"]
    return Reply(200, shape.JSON, tuple(pieces), stream=True)


def response(ask: Ask, answer: Answer, serial: int, parts: list[Any], *, end: bool) -> dict[str, Any]:
    before, after = shape.spent(ask, answer.text)
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if end:
        candidate["finishReason"] = "STOP"
    usage = {"promptTokenCount": before, "candidatesTokenCount": after, "totalTokenCount": before + after}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": ask.model, "responseId": shape.name("", serial)}


def embeddings(request: Request, operation: str, ask: Ask) -> Reply:
    body = request.body
    first = next(shape.mappings(body.get("requests")), body)
    wanted = first.get("outputDimensionality", shape.mapping(body.get("parameters")).get("outputDimensionality"))
    wanted = wanted or shape.mapping(body.get("embedContentConfig")).get("outputDimensionality")
    made = vectors.vectors(ask.inputs, vectors.size(ask.model, wanted))
    if operation == "predict":
        statistics = {"truncated": False, "token_count": 1}
        return shape.reply({"predictions": [{"embeddings": {"values": one, "statistics": statistics}} for one in made]})
    if operation == "batchEmbedContents":
        return shape.reply({"embeddings": [{"values": one} for one in made]})
    return shape.reply({"embedding": {"values": made[0] if made else []}})


def models(ask: Ask) -> Reply:
    every = [
        {
            "name": f"models/{name}",
            "version": "001",
            "displayName": name,
            "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["embedContent"] if "embed" in name else ["generateContent", "countTokens"],
        }
        for name in ([ask.model] if ask.model else NAMES)
    ]
    return shape.reply(every[0] if ask.model else {"models": every})
