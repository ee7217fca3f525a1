"""OpenAI responses: the later interface, whose answers are lists of items."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from headwater.prove.talk import Answer, Ask, Call, Offered, Turn
from headwater.prove.wire import openai_chat, shape
from headwater.prove.wire.shape import MalformedError, Reply, Request

PATHS: Final = re.compile(r"/responses(?:/compact)?/?$")
CALLS: Final = {"function_call", "custom_tool_call"}
RESULTS: Final = {"function_call_output", "custom_tool_call_output", "local_shell_call_output", "shell_call_output"}
SHELLS: Final = {"local_shell", "shell"}
"""Tools of the service that the application itself runs: a call is a command."""


def match(request: Request) -> str:
    return "responses" if request.method == "POST" and PATHS.search(request.path) else ""


def read(request: Request, operation: str) -> Ask:
    body = request.body
    if not isinstance(body.get("input"), str | list) and not body.get("prompt"):
        raise MalformedError("Missing required parameter: 'input'.")
    wanted = openai_chat.wanted(shape.mapping(body.get("text")).get("format"))
    return Ask(
        wire="openai_responses",
        model=shape.text(body.get("model")),
        turns=turns(body),
        tools=tuple(tools(body)),
        forced=openai_chat.forced(body.get("tool_choice")),
        schema=wanted[0],
        json=wanted[1],
        stream=body.get("stream") is True,
    )


def turns(body: Mapping[str, Any]) -> tuple[Turn, ...]:
    found = [Turn("system", one) for one in [shape.text(body.get("instructions"))] if one]
    given = body.get("input")
    if isinstance(given, str):
        return (*found, Turn("user", given))
    names: dict[str, str] = {}
    for one in shape.mappings(given):
        kind, call = shape.text(one.get("type")), shape.text(one.get("call_id"))
        if kind in CALLS:
            names[call] = shape.text(one.get("name"))
        elif kind in RESULTS:
            found.append(Turn("tool", shape.content(one.get("output")), names.get(call, ""), call))
        elif "content" in one and kind != "reasoning":
            role = openai_chat.ROLES.get(shape.text(one.get("role")), "user")
            found.append(Turn(role, shape.content(one["content"])))
    return shape.system_first(found)


def tools(body: Mapping[str, Any]) -> Iterator[Offered]:
    for one in shape.mappings(body.get("tools")):
        if one.get("type") in SHELLS:
            yield Offered(str(one["type"]), "", {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]})
            continue
        if one.get("type") == "namespace":
            yield from tools({"tools": one.get("tools")})
        found = openai_chat.custom(one) if one.get("type") == "custom" else shape.offered(one)
        if found and one.get("type", "function") in ("function", "custom"):
            yield found


def write(request: Request, operation: str, ask: Ask, answer: Answer, serial: int) -> Reply:
    if answer.status != 200:
        return openai_chat.error(answer.status, answer.text)
    items = [item(request, answer.calls[number], serial, number) for number in range(len(answer.calls))]
    if answer.text or not items:
        part = {"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}
        message = {"type": "message", "id": shape.name("msg_", serial), "status": "completed", "role": "assistant", "content": [part]}
        items.insert(0, message)
    response = whole(request, ask, answer, serial, items)
    return shape.events(events(response, items), named=True) if ask.stream else shape.reply(response)


def item(request: Request, call: Call, serial: int, number: int) -> dict[str, Any]:
    own = {"id": shape.name("fc_", serial, number), "call_id": shape.name("call_", serial, number), "status": "completed"}
    kinds = {shape.text(one.get("name")) or one.get("type"): one.get("type") for one in shape.mappings(request.body.get("tools"))}
    kind = kinds.get(call.tool)
    said = str(next(iter(call.arguments.values()), ""))
    if kind == "custom":
        return {**own, "type": "custom_tool_call", "name": call.tool, "input": said}
    if kind == "local_shell":
        action: dict[str, Any] = {
            "type": "exec",
            "command": ["sh", "-c", said],
            "env": {},
            "timeout_ms": None,
            "user": None,
            "working_directory": None,
        }
        return {**own, "type": "local_shell_call", "action": action}
    if kind == "shell":
        return {**own, "type": "shell_call", "action": {"commands": [said], "timeout_ms": None, "max_output_length": None}}
    return {**own, "type": "function_call", "name": call.tool, "arguments": shape.written(call)}


def whole(request: Request, ask: Ask, answer: Answer, serial: int, items: list[dict[str, Any]]) -> dict[str, Any]:
    """A response; what was asked is repeated in it."""
    body = request.body
    before, after = shape.spent(ask, answer.text + "".join(shape.written(call) for call in answer.calls))
    return {
        "id": shape.name("resp_", serial),
        "object": "response",
        "created_at": shape.EPOCH,
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": None,
        "model": ask.model or "model",
        "output": items,
        "parallel_tool_calls": True,
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": {"effort": None, "summary": None},
        "store": True,
        "temperature": 1.0,
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": body.get("tools") or [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": before,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": after,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": before + after,
        },
        "user": None,
        "metadata": body.get("metadata") or {},
    }


def events(response: dict[str, Any], items: list[dict[str, Any]]) -> Iterator[object]:
    started = {**response, "status": "in_progress", "output": [], "usage": None}
    every = [{"type": "response.created", "response": started}, {"type": "response.in_progress", "response": started}]
    for index, one in enumerate(items):
        every += item_events(index, one)
    every.append({"type": "response.completed", "response": response})
    for number, value in enumerate(every):
        yield {**value, "sequence_number": number}


def item_events(index: int, one: dict[str, Any]) -> Iterator[dict[str, Any]]:
    place = {"item_id": one["id"], "output_index": index}
    if one["type"] == "message":
        (part,) = one["content"]
        inner = {**place, "content_index": 0}
        yield {"type": "response.output_item.added", "output_index": index, "item": {**one, "status": "in_progress", "content": []}}
        yield {"type": "response.content_part.added", **inner, "part": {**part, "text": ""}}
        for piece in shape.pieces(part["text"]):
            yield {"type": "response.output_text.delta", **inner, "delta": piece, "logprobs": []}
        yield {"type": "response.output_text.done", **inner, "text": part["text"], "logprobs": []}
        yield {"type": "response.content_part.done", **inner, "part": part}
    else:
        names = {"function_call": ("function_call_arguments", "arguments"), "custom_tool_call": ("custom_tool_call_input", "input")}
        event, field = names.get(one["type"], ("", ""))
        empty = {field: ""} if field else {}
        yield {"type": "response.output_item.added", "output_index": index, "item": {**one, "status": "in_progress", **empty}}
        for piece in shape.pieces(one[field]) if field else ():
            yield {"type": f"response.{event}.delta", **place, "delta": piece}
        if field:
            yield {"type": f"response.{event}.done", **place, field: one[field], "name": one["name"]}
    yield {"type": "response.output_item.done", "output_index": index, "item": one}
