"""Cohere: chat in its first and second version, generate, embed and rerank."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from headwater.prove.talk import Answer, Ask, Offered, Role, Turn
from headwater.prove.wire import openai_chat, shape, vectors
from headwater.prove.wire.shape import MalformedError, Reply, Request

PATHS: Final = re.compile(r"/v(?P<version>[12])/(?P<operation>chat|generate|embed|rerank)/?$")
TYPES: Final = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array", "dict": "object"}
ROLES: Final[Mapping[str, Role]] = {"SYSTEM": "system", "CHATBOT": "assistant", "TOOL": "tool", "USER": "user"}
FINISHED: Final = "COMPLETE"


def match(request: Request) -> str:
    found = PATHS.search(request.path) if request.method == "POST" else None
    return found["operation"] + found["version"] if found else ""


def read(request: Request, operation: str) -> Ask:
    body = request.body
    model = shape.text(body.get("model"))
    if operation.startswith("embed"):
        given = body.get("texts") or [one.get("content") for one in shape.mappings(body.get("inputs"))]
        return Ask("cohere", "embedding", model, inputs=vectors.texts(given))
    if operation.startswith("rerank"):
        return Ask("cohere", "other", model, (Turn("user", shape.text(body.get("query"))),), inputs=vectors.texts(body.get("documents")))
    form = shape.mapping(body.get("response_format"))
    schema = form.get("json_schema", form.get("schema"))
    asked: dict[str, Any] = {"schema": schema if isinstance(schema, dict) else None, "stream": body.get("stream") is True}
    asked["json"] = form.get("type") == "json_object" and not asked["schema"]
    if operation.startswith("generate"):
        return Ask("cohere", "completion", model, (Turn("user", shape.text(body.get("prompt"))),), stream=body.get("stream") is True)
    if operation == "chat2":
        if not isinstance(body.get("messages"), list):
            raise MalformedError("invalid request: messages is required")
        forced = {"REQUIRED": "any", "NONE": "none"}.get(shape.text(body.get("tool_choice")), "")
        return Ask("cohere", "chat", model, openai_chat.turns(body["messages"]), openai_chat.tools(body), forced, **asked)
    if not isinstance(body.get("message"), str):
        raise MalformedError("invalid request: message is required")
    return Ask("cohere", "chat", model, turns(body), tuple(tools(body)), **asked)


def turns(body: Mapping[str, Any]) -> tuple[Turn, ...]:
    found = [Turn("system", one) for one in [shape.text(body.get("preamble"))] if one]
    for one in shape.mappings(body.get("chat_history")):
        role = ROLES.get(shape.text(one.get("role")).upper(), "user")
        if role == "tool":
            found += results(one.get("tool_results"))
        else:
            found.append(Turn(role, shape.text(one.get("message"))))
    if body["message"]:
        found.append(Turn("user", body["message"]))
    return shape.system_first([*found, *results(body.get("tool_results"))])


def results(value: object) -> Iterator[Turn]:
    for one in shape.mappings(value):
        outputs = [shape.pack(output).decode() for output in shape.mappings(one.get("outputs"))]
        yield Turn("tool", "\n".join(outputs), shape.text(shape.mapping(one.get("call")).get("name")))


def tools(body: Mapping[str, Any]) -> Iterator[Offered]:
    for one in shape.mappings(body.get("tools")):
        found = shape.offered(one)
        if found:
            given = {name: shape.mapping(value) for name, value in shape.mapping(one.get("parameter_definitions")).items()}
            kinds = {name: shape.text(value.get("type")) for name, value in given.items()}
            properties = {
                name: {"type": TYPES.get(kinds[name], kinds[name] or "string"), "description": shape.text(value.get("description"))}
                for name, value in given.items()
            }
            required = [name for name, value in given.items() if value.get("required") is True]
            yield Offered(found.name, found.description, {"type": "object", "properties": properties, "required": required})


def write(request: Request, operation: str, ask: Ask, answer: Answer, serial: int) -> Reply:
    if answer.status != 200:
        return shape.reply({"message": answer.text, "id": shape.name("", serial)}, answer.status)
    meta = {"api_version": {"version": operation[-1]}, "billed_units": {"input_tokens": 1.0, "output_tokens": 1.0}}
    if operation.startswith("embed"):
        return embeddings(request, operation, ask, serial, meta)
    if operation.startswith("rerank"):
        return rerank(request, ask, serial, meta)
    if operation.startswith("generate"):
        one = {"id": shape.name("", serial), "text": answer.text, "index": 0, "finish_reason": FINISHED}
        made = {"id": shape.name("", serial), "generations": [one], "prompt": ask.turns[0].text, "meta": meta}
        if ask.stream:
            parts = [{"event_type": "text-generation", "text": piece, "is_finished": False} for piece in shape.pieces(answer.text)]
            return shape.lines([*parts, {"event_type": "stream-end", "is_finished": True, "finish_reason": FINISHED, "response": made}])
        return shape.reply(made)
    if operation == "chat1":
        first = {**first_version(ask, answer, serial), "meta": meta}
        return shape.lines(first_events(answer, first), "application/stream+json") if ask.stream else shape.reply(first)
    second = second_version(ask, answer, serial)
    if not ask.stream:
        return shape.reply(second)
    if request.headers.get("accept", "").startswith(shape.JSON):  # who does not ask for events gets lines
        return shape.lines(second_events(second), "application/stream+json")
    return shape.events(second_events(second), named=True, end=b"data: [DONE]\n\n")


def first_version(ask: Ask, answer: Answer, serial: int) -> dict[str, Any]:
    own = {"response_id": shape.name("", serial), "generation_id": shape.name("g", serial), "finish_reason": FINISHED}
    calls = [{"name": call.tool, "parameters": call.arguments} for call in answer.calls]
    last = next((turn.text for turn in reversed(ask.turns) if turn.role == "user"), "")
    history = [{"role": "USER", "message": last}, {"role": "CHATBOT", "message": answer.text}]
    return {**own, "text": answer.text, "chat_history": history, **({"tool_calls": calls} if calls else {})}


def first_events(answer: Answer, made: dict[str, Any]) -> Iterator[object]:
    yield {"is_finished": False, "event_type": "stream-start", "generation_id": made["generation_id"]}
    for piece in shape.pieces(answer.text):
        yield {"is_finished": False, "event_type": "text-generation", "text": piece}
    if answer.calls:
        yield {"is_finished": False, "event_type": "tool-calls-generation", "text": "", "tool_calls": made["tool_calls"]}
    yield {"is_finished": True, "event_type": "stream-end", "finish_reason": FINISHED, "response": made}


def second_version(ask: Ask, answer: Answer, serial: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant"}
    if answer.calls:
        message["tool_plan"] = answer.text or "I will use a tool."
        message["tool_calls"] = [
            {
                "id": shape.name(f"{call.tool[:40]}_", serial, number, 12),
                "type": "function",
                "function": {"name": call.tool, "arguments": shape.written(call)},
            }
            for number, call in enumerate(answer.calls)
        ]
    else:
        message["content"] = [{"type": "text", "text": answer.text}]
    before, after = shape.spent(ask, answer.text)
    units = {"input_tokens": before, "output_tokens": after}
    usage = {"billed_units": units, "tokens": units}
    finish = "TOOL_CALL" if answer.calls else FINISHED
    return {"id": shape.name("", serial), "message": message, "finish_reason": finish, "usage": usage}


def second_events(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    message = made["message"]
    begun = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield {"type": "message-start", "id": made["id"], "delta": {"message": begun}}
    for piece in shape.pieces(message.get("tool_plan", "")):
        yield {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": piece}}}
    for index, block in enumerate(message.get("content", ())):
        yield {"type": "content-start", "index": index, "delta": {"message": {"content": {"type": "text", "text": ""}}}}
        for piece in shape.pieces(block["text"]):
            yield {"type": "content-delta", "index": index, "delta": {"message": {"content": {"text": piece}}}}
        yield {"type": "content-end", "index": index}
    for index, call in enumerate(message.get("tool_calls", ())):
        empty = {**call, "function": {**call["function"], "arguments": ""}}
        yield {"type": "tool-call-start", "index": index, "delta": {"message": {"tool_calls": empty}}}
        for piece in shape.pieces(call["function"]["arguments"]):
            yield {"type": "tool-call-delta", "index": index, "delta": {"message": {"tool_calls": {"function": {"arguments": piece}}}}}
        yield {"type": "tool-call-end", "index": index}
    yield {"type": "message-end", "id": made["id"], "delta": {"finish_reason": made["finish_reason"], "usage": made["usage"]}}


def embeddings(request: Request, operation: str, ask: Ask, serial: int, meta: object) -> Reply:
    made = vectors.vectors(ask.inputs, vectors.size(ask.model, request.body.get("output_dimension")))
    by_type = operation == "embed2" or bool(request.body.get("embedding_types"))
    own = {"id": shape.name("", serial), "texts": ask.inputs, "meta": meta}
    if by_type:
        return shape.reply({**own, "response_type": "embeddings_by_type", "embeddings": {"float": made}})
    return shape.reply({**own, "response_type": "embeddings_floats", "embeddings": made})


def rerank(request: Request, ask: Ask, serial: int, meta: object) -> Reply:
    """The nearest first, by the words that they share with the question."""
    length = vectors.OTHERS
    question = vectors.vector(ask.text, length)
    near = [sum(a * b for a, b in zip(question, one, strict=True)) for one in vectors.vectors(ask.inputs, length)]
    order = sorted(range(len(near)), key=lambda index: (-near[index], index))
    limit = request.body.get("top_n")
    kept = order[:limit] if isinstance(limit, int) and limit > 0 else order
    found = [{"index": index, "relevance_score": max(0.0, min(1.0, near[index]))} for index in kept]
    return shape.reply({"id": shape.name("", serial), "results": found, "meta": meta})
