"""Anthropic messages, also as Bedrock and Vertex carry them; the older completions; the count of tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from headwater.prove.talk import Answer, Ask, Offered, Turn
from headwater.prove.wire import shape
from headwater.prove.wire.shape import MalformedError, Reply, Request

PATHS: Final = re.compile(
    r"/messages(?P<count>/count_tokens)?/?$|(?P<old>/v1/complete)$|/anthropic/models/(?P<model>[^/:]+):(?:streamR|r)awPredict$"
)
ERRORS: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
CODE_TOOLS: Final[Mapping[str, Mapping[str, Any]]] = {
    # Tools that the service knows by a type, and the application runs: their arguments are those that the model was trained on.
    "bash": {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
    "text_editor": {
        "type": "object",
        "properties": {
            "command": {"type": "string", "enum": ["view", "create", "str_replace", "insert"]},
            "path": {"type": "string"},
            "file_text": {"type": "string"},
            "old_str": {"type": "string"},
            "new_str": {"type": "string"},
        },
        "required": ["command", "path"],
    },
}


def match(request: Request) -> str:
    found = PATHS.search(request.path) if request.method == "POST" else None
    if not found:
        return ""
    return "count" if found["count"] else "complete" if found["old"] else "messages"


def read(request: Request, operation: str) -> Ask:
    body = request.body
    found = PATHS.search(request.path)
    model = shape.text(body.get("model")) or (found and found["model"]) or ""
    stream = body.get("stream") is True or request.path.endswith(":streamRawPredict")
    if operation == "complete":
        if not isinstance(body.get("prompt"), str):
            raise MalformedError("prompt: Field required")
        return Ask("anthropic_messages", "completion", model, (Turn("user", body["prompt"]),), stream=stream)
    if not isinstance(body.get("messages"), list):
        raise MalformedError("messages: Field required")
    return ask_of(body, model, stream=stream, purpose_other=operation == "count")


def ask_of(body: Mapping[str, Any], model: str, *, stream: bool, wire: str = "anthropic_messages", purpose_other: bool = False) -> Ask:
    form = shape.mapping(shape.mapping(body.get("output_config")).get("format", body.get("output_format")))
    schema = form.get("schema")
    return Ask(
        wire=wire,
        purpose="other" if purpose_other else "chat",
        model=model,
        turns=turns(body),
        tools=tuple(tools(body)),
        forced=forced(shape.mapping(body.get("tool_choice"))),
        schema=schema if isinstance(schema, dict) else None,
        stream=stream,
    )


def turns(body: Mapping[str, Any]) -> tuple[Turn, ...]:
    found = [Turn("system", one) for one in [shape.content(body.get("system"))] if one]
    names: dict[str, str] = {}
    for message in shape.mappings(body.get("messages")):
        role = shape.text(message.get("role"))
        blocks = message.get("content")
        for one in shape.mappings(blocks):
            if one.get("type") == "tool_use":
                names[shape.text(one.get("id"))] = shape.text(one.get("name"))
            elif one.get("type") == "tool_result":
                call = shape.text(one.get("tool_use_id"))
                found.append(Turn("tool", shape.content(one.get("content")), names.get(call, ""), call))
        text = shape.content(blocks)
        only_results = not text and any(one.get("type") == "tool_result" for one in shape.mappings(blocks))
        if not only_results:
            found.append(Turn("assistant" if role == "assistant" else "system" if role == "system" else "user", text))
    return shape.system_first(found)


def tools(body: Mapping[str, Any]) -> Iterator[Offered]:
    for one in shape.mappings(body.get("tools")):
        kind = re.sub(r"_\d{8}$", "", shape.text(one.get("type")))
        found = shape.offered(one, "input_schema")
        if found and kind in CODE_TOOLS:
            yield Offered(found.name, found.description, CODE_TOOLS[kind])
        elif found and (kind in ("", "custom") or found.schema):
            yield found


def forced(choice: Mapping[str, Any]) -> str:
    kind = choice.get("type")
    return shape.text(choice.get("name")) if kind == "tool" else str(kind) if kind in ("any", "none") else ""


def write(request: Request, operation: str, ask: Ask, answer: Answer, serial: int) -> Reply:
    if answer.status != 200:
        return error(answer.status, answer.text)
    if operation == "count":
        return shape.reply({"input_tokens": shape.tokens(ask.text)})
    if operation == "complete":
        own = {"type": "completion", "id": shape.name("compl_", serial), "model": ask.model, "stop": None}
        whole = {**own, "completion": answer.text, "stop_reason": "stop_sequence"}
        pieces: list[object] = [{**own, "completion": piece, "stop_reason": None} for piece in shape.pieces(answer.text)]
        return shape.events([*pieces, {**whole, "completion": ""}], named=True) if ask.stream else shape.reply(whole)
    made = message(ask, answer, serial)
    return shape.events(events(made), named=True) if ask.stream else shape.reply(made)


def message(ask: Ask, answer: Answer, serial: int) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": answer.text}] if answer.text or not answer.calls else []
    for number, call in enumerate(answer.calls):
        blocks.append({"type": "tool_use", "id": shape.name("toolu_", serial, number), "name": call.tool, "input": call.arguments})
    before, after = shape.spent(ask, answer.text + "".join(shape.written(call) for call in answer.calls))
    return {
        "id": shape.name("msg_", serial),
        "type": "message",
        "role": "assistant",
        "model": ask.model or "model",
        "content": blocks,
        "stop_reason": "tool_use" if answer.calls else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": before,
            "output_tokens": after,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        },
    }


def events(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    started = {**made, "content": [], "stop_reason": None, "usage": {**made["usage"], "output_tokens": 1}}
    yield {"type": "message_start", "message": started}
    for index, block in enumerate(made["content"]):
        if block["type"] == "text":
            empty: dict[str, Any] = {**block, "text": ""}
            deltas = [{"type": "text_delta", "text": piece} for piece in shape.pieces(block["text"])]
        else:
            empty = {**block, "input": {}}
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in shape.pieces(shape.pack(block["input"]).decode())]
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ended: dict[str, Any] = {"stop_reason": made["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": made["usage"]}
    yield {"type": "message_stop"}


def error(status: int, text: str) -> Reply:
    return shape.reply({"type": "error", "error": {"type": ERRORS.get(status, "api_error"), "message": text}, "request_id": None}, status)
