"""The bodies of Amazon Bedrock's Converse and ConverseStream, which Amazon's own models also take in InvokeModel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from headwater.prove.talk import Answer, Ask, Offered, Turn
from headwater.prove.wire import shape
from headwater.prove.wire.shape import Reply


def converse(body: Mapping[str, Any], model: str, *, stream: bool) -> Ask:
    given = shape.mapping(body.get("toolConfig"))
    choice = shape.mapping(given.get("toolChoice"))
    form = shape.mapping(shape.mapping(body.get("outputConfig")).get("textFormat"))
    schema = shape.arguments(shape.mapping(shape.mapping(form.get("structure")).get("jsonSchema")).get("schema"))
    return Ask(
        wire="bedrock",
        model=model,
        turns=turns(body),
        tools=tuple(tools(given)),
        forced="any" if "any" in choice else shape.text(shape.mapping(choice.get("tool")).get("name")),
        schema=schema or None,
        stream=stream,
    )


def turns(body: Mapping[str, Any]) -> tuple[Turn, ...]:
    found = [Turn("system", one) for one in [shape.content(body.get("system"))] if one]
    names: dict[str, str] = {}
    for message in shape.mappings(body.get("messages")):
        results = []
        for block in shape.mappings(message.get("content")):
            used, result = shape.mapping(block.get("toolUse")), shape.mapping(block.get("toolResult"))
            if used:
                names[shape.text(used.get("toolUseId"))] = shape.text(used.get("name"))
            if result:
                call = shape.text(result.get("toolUseId"))
                results.append(Turn("tool", result_text(result), names.get(call, ""), call))
        text = shape.content(message.get("content"))
        found += results
        if text or not results:
            found.append(Turn("assistant" if message.get("role") == "assistant" else "user", text))
    return tuple(found)


def result_text(result: Mapping[str, Any]) -> str:
    parts = [shape.text(one.get("text")) or shape.pack(one.get("json", "")).decode() for one in shape.mappings(result.get("content"))]
    return "\n".join(parts)


def tools(given: Mapping[str, Any]) -> Iterator[Offered]:
    for one in shape.mappings(given.get("tools")):
        spec = shape.mapping(one.get("toolSpec"))
        found = shape.offered(spec)
        if found:
            yield Offered(found.name, found.description, shape.mapping(shape.mapping(spec.get("inputSchema")).get("json")))


def streamed(frames: Iterable[bytes]) -> Reply:
    return Reply(200, "application/vnd.amazon.eventstream", tuple(frames), stream=True)


def whole(ask: Ask, answer: Answer, serial: int) -> dict[str, Any]:
    content: list[Any] = [{"text": answer.text}] if answer.text or not answer.calls else []
    for number, call in enumerate(answer.calls):
        content.append({"toolUse": {"toolUseId": shape.name("tooluse_", serial, number, 22), "name": call.tool, "input": call.arguments}})
    reason = "tool_use" if answer.calls else "end_turn"
    return {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": reason, **spent(ask, answer)}


def spent(ask: Ask, answer: Answer) -> dict[str, Any]:
    before, after = shape.spent(ask, answer.text)
    return {"usage": {"inputTokens": before, "outputTokens": after, "totalTokens": before + after}, "metrics": {"latencyMs": 1}}


def events(ask: Ask, answer: Answer, serial: int) -> Iterator[tuple[str, Any]]:
    made = whole(ask, answer, serial)
    yield "messageStart", {"role": "assistant"}
    for index, block in enumerate(made["output"]["message"]["content"]):
        place = {"contentBlockIndex": index}
        if "toolUse" in block:
            used = block["toolUse"]
            yield "contentBlockStart", {**place, "start": {"toolUse": {"toolUseId": used["toolUseId"], "name": used["name"]}}}
            for piece in shape.pieces(shape.pack(used["input"]).decode()):
                yield "contentBlockDelta", {**place, "delta": {"toolUse": {"input": piece}}}
        else:
            for piece in shape.pieces(block["text"]):
                yield "contentBlockDelta", {**place, "delta": {"text": piece}}
        yield "contentBlockStop", place
    yield "messageStop", {"stopReason": made["stopReason"]}
    yield "metadata", spent(ask, answer)
