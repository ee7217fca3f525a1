"""Ollama: chat, generate, embeddings, and what is asked of a server before: version, list and details of models."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from headwater.prove.talk import Answer, Ask, Turn
from headwater.prove.wire import openai_chat, shape, vectors
from headwater.prove.wire.shape import MalformedError, Reply, Request

PATHS: Final = re.compile(r"/api/(chat|generate|embed|embeddings|tags|ps|show|version|pull)/?$")
READS: Final = {"tags", "ps", "version"}
NAMES: Final = ("llama3.2:latest", "llama3.1:latest", "llama3:latest", "mistral:latest", "qwen3:latest", "nomic-embed-text:latest")
TIME: Final = "2025-01-01T00:00:00Z"
DETAILS: Final = {
    "parent_model": "",
    "format": "gguf",
    "family": "llama",
    "families": ["llama"],
    "parameter_size": "8.0B",
    "quantization_level": "Q4_K_M",
}


def match(request: Request) -> str:
    found = PATHS.search(request.path)
    if not found or request.method not in ("GET", "POST", "HEAD"):
        return ""
    return found[1] if (request.method != "POST") == (found[1] in READS) else ""


def read(request: Request, operation: str) -> Ask:
    body = request.body
    model = shape.text(body.get("model")) or shape.text(body.get("name"))
    stream = body.get("stream") is not False
    form = body.get("format")
    schema = form if isinstance(form, dict) else None
    asked = Ask("ollama", "other", model, schema=schema, json=form == "json", stream=stream)
    if operation in ("tags", "ps"):
        return Ask("ollama", "models", stream=False)
    if operation in ("show", "version", "pull"):
        return Ask("ollama", "other", model, stream=operation == "pull" and stream)
    if operation in ("embed", "embeddings"):
        return Ask("ollama", "embedding", model, inputs=vectors.texts(body.get("input", body.get("prompt"))))
    if not model:
        raise MalformedError("model is required")
    if operation == "generate":
        turns = [Turn("system", one) for one in [shape.text(body.get("system"))] if one]
        return msgspec.structs.replace(asked, purpose="completion", turns=(*turns, Turn("user", shape.text(body.get("prompt")))))
    tools = tuple(one for one in (shape.offered(tool.get("function")) for tool in shape.mappings(body.get("tools"))) if one)
    return msgspec.structs.replace(asked, purpose="chat", turns=chat_turns(body), tools=tools)


def chat_turns(body: Mapping[str, Any]) -> tuple[Turn, ...]:
    found = []
    for one in shape.mappings(body.get("messages")):
        role = openai_chat.ROLES.get(shape.text(one.get("role")), "user")
        tool = shape.text(one.get("tool_name", one.get("name"))) if role == "tool" else ""
        found.append(Turn(role, shape.content(one.get("content")), tool, shape.text(one.get("tool_call_id"))))
    return shape.system_first(found)


def write(request: Request, operation: str, ask: Ask, answer: Answer, serial: int) -> Reply:
    if answer.status != 200:
        return shape.reply({"error": answer.text}, answer.status)
    if operation in ("chat", "generate"):
        every = list(chunks(operation, ask, answer))
        return shape.lines(every) if ask.stream else shape.reply(whole(operation, ask, answer))
    if operation == "embed":
        made = vectors.vectors(ask.inputs, vectors.size(ask.model, request.body.get("dimensions")))
        return shape.reply({"model": ask.model, "embeddings": made, **durations(ask, "")})
    if operation == "embeddings":
        made = vectors.vectors(ask.inputs[:1] or ("",), vectors.size(ask.model))
        return shape.reply({"embedding": made[0]})
    if operation == "version":
        return shape.reply({"version": "0.12.0"})
    if operation == "pull":
        return shape.lines([{"status": "success"}]) if ask.stream else shape.reply({"status": "success"})
    if operation == "show":
        info = {"general.architecture": "llama", "general.parameter_count": 8_000_000_000, "llama.context_length": 131_072}
        capabilities = ["completion", "tools"]
        shown = {"modelfile": "", "parameters": "", "template": "{{ .Prompt }}", "details": DETAILS, "model_info": info}
        return shape.reply({**shown, "capabilities": capabilities, "modified_at": TIME})
    digest = "0" * 64
    models = [{"name": name, "model": name, "modified_at": TIME, "size": 1, "digest": digest, "details": DETAILS} for name in NAMES]
    if operation == "ps":
        models = [{**one, "expires_at": TIME, "size_vram": 0} for one in models[:1]]
    return shape.reply({"models": models})


def head(ask: Ask, done: bool) -> dict[str, Any]:
    return {"model": ask.model, "created_at": TIME, "done": done, **({"done_reason": "stop"} if done else {})}


def part(operation: str, text: str, calls: list[Any] | None = None) -> dict[str, Any]:
    if operation == "generate":
        return {"response": text}
    return {"message": {"role": "assistant", "content": text, **({"tool_calls": calls} if calls else {})}}


def calls_of(answer: Answer) -> list[Any]:
    return [{"function": {"index": number, "name": call.tool, "arguments": call.arguments}} for number, call in enumerate(answer.calls)]


def whole(operation: str, ask: Ask, answer: Answer) -> dict[str, Any]:
    return {**head(ask, True), **part(operation, answer.text, calls_of(answer)), **durations(ask, answer.text)}


def chunks(operation: str, ask: Ask, answer: Answer) -> Iterator[object]:
    for piece in shape.pieces(answer.text):
        yield {**head(ask, False), **part(operation, piece)}
    if answer.calls and operation == "chat":
        yield {**head(ask, False), **part(operation, "", calls_of(answer))}
    yield {**head(ask, True), **part(operation, ""), **durations(ask, answer.text)}


def durations(ask: Ask, text: str) -> dict[str, int]:
    before, after = shape.spent(ask, text)
    spent = {"prompt_eval_count": before, "eval_count": after}
    return {"total_duration": 1_000_000, "load_duration": 1_000, "prompt_eval_duration": 1_000, "eval_duration": 1_000, **spent}
