"""OpenAI chat completions, which Azure and most other services speak, too; functions as they were before tools."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from headwater.prove.talk import Answer, Ask, Offered, Role, Turn
from headwater.prove.wire import shape
from headwater.prove.wire.shape import MalformedError, Reply, Request

PATHS: Final = re.compile(r"/(?:chat|agents|fim)/completions/?$")
ROLES: Final[Mapping[str, Role]] = {"system": "system", "developer": "system", "assistant": "assistant", "tool": "tool", "function": "tool"}
ERRORS: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


def match(request: Request) -> str:
    return "chat" if request.method == "POST" and PATHS.search(request.path) else ""


def read(request: Request, operation: str) -> Ask:
    body = request.body
    if not isinstance(body.get("messages"), list) and not isinstance(body.get("prompt"), str):
        raise MalformedError("Missing required parameter: 'messages'.")
    asked = wanted(body.get("response_format"))
    return Ask(
        wire=__name__.rpartition(".")[2],
        model=shape.text(body.get("model")) or deployment(request),
        turns=turns(body.get("messages")) or (Turn("user", shape.text(body.get("prompt"))),),
        tools=tools(body),
        forced=forced(body.get("tool_choice", body.get("function_call"))),
        schema=asked[0],
        json=asked[1],
        stream=body.get("stream") is True,
    )


def deployment(request: Request) -> str:
    """The model of a request to Azure, which names it in the path."""
    found = re.search(r"/deployments/([^/]+)/", request.path)
    return found[1] if found else ""


def turns(messages: object) -> tuple[Turn, ...]:
    found: list[Turn] = []
    names: dict[str, str] = {}
    for one in shape.mappings(messages):
        for call in shape.mappings(one.get("tool_calls")):
            names[shape.text(call.get("id"))] = shape.text(shape.mapping(call.get("function", call.get("custom"))).get("name"))
        role = ROLES.get(shape.text(one.get("role")), "user")
        call_id = shape.text(one.get("tool_call_id"))
        tool = (names.get(call_id) or shape.text(one.get("name"))) if role == "tool" else ""
        found.append(Turn(role, shape.content(one.get("content")), tool, call_id))
    return shape.system_first(found)


def tools(body: Mapping[str, Any]) -> tuple[Offered, ...]:
    found = []
    for one in shape.mappings(body.get("tools")):
        if one.get("type") == "custom":
            found.append(custom(one.get("custom")))
        else:
            found.append(shape.offered(one.get("function")))
    found += [shape.offered(one) for one in shape.mappings(body.get("functions"))]
    return tuple(one for one in found if one)


def custom(value: object) -> Offered | None:
    """A tool that takes a text: for who plays the model, one with the argument ``input``."""
    one = shape.offered(value)
    return one and Offered(
        one.name, one.description, {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
    )


def forced(choice: object) -> str:
    if isinstance(choice, str):
        return {"required": "any", "any": "any", "none": "none"}.get(choice, "")
    one = shape.mapping(choice)
    return shape.text(shape.mapping(one.get("function", one.get("custom"))).get("name")) or shape.text(one.get("name"))


def wanted(value: object) -> tuple[Mapping[str, Any] | None, bool]:
    """The schema that is asked for, and whether just JSON is."""
    one = shape.mapping(value)
    schema = shape.mapping(one.get("json_schema")).get("schema", one.get("schema", one.get("value")))
    if isinstance(schema, dict):
        return schema, False
    return None, one.get("type") in {"json_object", "json_schema"}


def write(request: Request, operation: str, ask: Ask, answer: Answer, serial: int) -> Reply:
    if answer.status != 200:
        return error(answer.status, answer.text)
    head = {
        "id": shape.name("chatcmpl-", serial),
        "object": "chat.completion.chunk" if ask.stream else "chat.completion",
        "created": shape.EPOCH,
        "model": ask.model or "model",
        "service_tier": "default",
        "system_fingerprint": "fp_headwater",
    }
    calls = [call_of(request, ask, answer, serial, number) for number in range(len(answer.calls))]
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or (None if calls else ""), "refusal": None}
    finish = "tool_calls" if calls else "stop"
    if calls and isinstance(request.body.get("functions"), list):
        message["function_call"], finish = calls[0]["function"], "function_call"
    elif calls:
        message["tool_calls"] = calls
    if ask.stream:
        include = shape.mapping(request.body.get("stream_options")).get("include_usage") is True
        return shape.events(chunks(head, message, finish, usage(ask, answer) if include else None), end=b"data: [DONE]\n\n")
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return shape.reply({**head, "choices": [choice], "usage": usage(ask, answer)})


def call_of(request: Request, ask: Ask, answer: Answer, serial: int, number: int) -> dict[str, Any]:
    call = answer.calls[number]
    # Mistral wants nine letters and digits, and takes no other in what is sent back.
    own = {"id": shape.name("", serial, number, 9) if ask.wire == "mistral" else shape.name("call_", serial, number)}
    taking_text = {
        shape.text(shape.mapping(one.get("custom")).get("name"))
        for one in shape.mappings(request.body.get("tools"))
        if one.get("type") == "custom"
    }
    if call.tool in taking_text:
        return {**own, "type": "custom", "custom": {"name": call.tool, "input": str(next(iter(call.arguments.values()), ""))}}
    return {**own, "type": "function", "function": {"name": call.tool, "arguments": shape.written(call)}}


def chunks(head: Mapping[str, Any], message: dict[str, Any], finish: str, spent: object) -> Iterator[object]:
    """The message in pieces; of a call, its name comes first, then its arguments."""

    def chunk(delta: object, reason: str | None = None) -> object:
        own = {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]}
        return own if spent is None else {**own, "usage": None}

    yield chunk({"role": "assistant", "content": "" if message["content"] is not None else None, "refusal": None})
    for piece in shape.pieces(message["content"] or ""):
        yield chunk({"content": piece})
    if "function_call" in message:
        yield chunk({"function_call": {"name": message["function_call"]["name"], "arguments": ""}})
        for piece in shape.pieces(message["function_call"]["arguments"]):
            yield chunk({"function_call": {"arguments": piece}})
    for index, call in enumerate(message.get("tool_calls", ())):
        field, key = ("custom", "input") if call["type"] == "custom" else ("function", "arguments")
        yield chunk({"tool_calls": [{"index": index, **call, field: {**call[field], key: ""}}]})
        for piece in shape.pieces(call[field][key]):
            yield chunk({"tool_calls": [{"index": index, field: {key: piece}}]})
    yield chunk({}, finish)
    if spent is not None:
        yield {**head, "choices": [], "usage": spent}


def usage(ask: Ask, answer: Answer) -> dict[str, Any]:
    before, after = shape.spent(ask, answer.text + "".join(shape.written(call) for call in answer.calls))
    return {"prompt_tokens": before, "completion_tokens": after, "total_tokens": before + after}


def error(status: int, message: str) -> Reply:
    kind = ERRORS.get(status, "server_error")
    return shape.reply({"error": {"message": message, "type": kind, "param": None, "code": None}}, status)
