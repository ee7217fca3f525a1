"""Amazon Bedrock's InvokeModel: the body is in the format of the model's maker (Anthropic, Amazon, Meta, Mistral, Cohere, OpenAI)."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from headwater.prove.talk import Answer, Ask, Turn
from headwater.prove.wire import anthropic_messages, bedrock_converse, eventstream, openai_chat, shape, vectors
from headwater.prove.wire.shape import MalformedError, Reply, Request


def family(body: Mapping[str, Any], model: str) -> str:
    """The format of a body, by what is in it and then by the model."""
    if "anthropic_version" in body:
        return "messages"
    if isinstance(body.get("messages"), list):
        return "nova" if "nova" in model or "inferenceConfig" in body else "messages" if "anthropic" in model else "chat"
    if "inputText" in body:
        return "titan-embedding" if "embed" in model else "titan"
    if "texts" in body:
        return "cohere-embedding"
    if "message" in body:
        return "command"
    if "prompt" in body:
        return next((name for name in ("anthropic", "mistral", "cohere") if name in model), "llama")
    return ""


def read(body: Mapping[str, Any], model: str, *, stream: bool) -> Ask:
    kind = family(body, model)
    if kind == "messages":
        return anthropic_messages.ask_of(body, model, stream=stream, wire="bedrock")
    if kind == "nova":
        return bedrock_converse.converse(body, model, stream=stream)
    if kind == "chat":
        asked = openai_chat.wanted(body.get("response_format"))
        turns, tools = openai_chat.turns(body["messages"]), openai_chat.tools(body)
        forced = openai_chat.forced(body.get("tool_choice"))
        return Ask("bedrock", "chat", model, turns, tools, forced, schema=asked[0], json=asked[1], stream=stream)
    if kind == "titan-embedding":
        return Ask("bedrock", "embedding", model, inputs=vectors.texts(body["inputText"]))
    if kind == "cohere-embedding":
        return Ask("bedrock", "embedding", model, inputs=vectors.texts(body["texts"]))
    if not kind:
        raise MalformedError("Malformed input request, please reformat your input and try again.")
    prompt = shape.text(body.get("prompt", body.get("inputText", body.get("message"))))
    return Ask("bedrock", "completion", model, (Turn("user", prompt),), stream=stream)


def write(request: Request, ask: Ask, answer: Answer, serial: int) -> Reply:
    body = request.body
    kind = family(body, ask.model)
    if ask.stream:
        return bedrock_converse.streamed(chunk(value) for value in events(request, kind, ask, answer, serial))
    if kind == "messages":
        return shape.reply(anthropic_messages.message(ask, answer, serial))
    if kind == "nova":
        return shape.reply(bedrock_converse.whole(ask, answer, serial))
    if kind == "chat":
        return openai_chat.write(request, "chat", ask, answer, serial)
    if kind == "titan-embedding":
        made = vectors.vectors(ask.inputs, vectors.size(ask.model, body.get("dimensions")))
        return shape.reply({"embedding": made[0] if made else [], "inputTextTokenCount": 1})
    if kind == "cohere-embedding":
        made = vectors.vectors(ask.inputs, vectors.size(ask.model))
        found = {"float": made} if "embedding_types" in body else made
        response_type = "embeddings_by_type" if "embedding_types" in body else "embeddings_floats"
        return shape.reply({"id": shape.name("", serial), "response_type": response_type, "embeddings": found, "texts": ask.inputs})
    return shape.reply(completion(kind, ask, answer, answer.text, end=True))


def completion(kind: str, ask: Ask, answer: Answer, text: str, *, end: bool) -> dict[str, Any]:
    """A completion, whole or a piece of it."""
    before, after = shape.spent(ask, answer.text)
    if kind == "titan":
        return {"inputTextTokenCount": before, "results": [{"tokenCount": after, "outputText": text, "completionReason": "FINISH"}]}
    if kind == "anthropic":
        return {"type": "completion", "completion": text, "stop_reason": "stop_sequence" if end else None, "stop": None}
    if kind == "mistral":
        return {"outputs": [{"text": text, "stop_reason": "stop" if end else None}]}
    if kind == "cohere":
        return {"generations": [{"id": "0", "text": text, "finish_reason": "COMPLETE"}], "text": text, "is_finished": end}
    if kind == "command":
        return {"text": text, "generation_id": "0", "finish_reason": "COMPLETE", "chat_history": []}
    stop = "stop" if end else None
    return {"generation": text, "prompt_token_count": before, "generation_token_count": after, "stop_reason": stop}


def events(request: Request, kind: str, ask: Ask, answer: Answer, serial: int) -> Iterator[Any]:
    if kind == "messages":
        yield from anthropic_messages.events(anthropic_messages.message(ask, answer, serial))
    elif kind == "nova":
        for name, value in bedrock_converse.events(ask, answer, serial):
            yield {name: value}
    elif kind == "chat":
        made = openai_chat.write(request, "chat", ask, answer, serial)
        yield from (shape.parse(part.removeprefix(b"data: ")) for part in made.parts if part.startswith(b"data: {"))
    else:
        pieces = shape.pieces(answer.text) or [""]
        for index, piece in enumerate(pieces):
            end = index == len(pieces) - 1
            made_piece = completion(kind, ask, answer, piece, end=end)
            yield {**made_piece["results"][0], "index": 0} if kind == "titan" else made_piece


def chunk(value: Any) -> bytes:
    return eventstream.frame("chunk", shape.pack({"bytes": base64.b64encode(shape.pack(value)).decode()}))
