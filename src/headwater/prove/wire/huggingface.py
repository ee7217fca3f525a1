"""Hugging Face's own formats: text generation and embeddings of its services and of the servers that it publishes; chat is as OpenAI's."""

from __future__ import annotations

import re
from typing import Any, Final

from headwater.prove.talk import Answer, Ask, Turn
from headwater.prove.wire import shape, vectors
from headwater.prove.wire.shape import MalformedError, Reply, Request

GENERATE: Final = re.compile(r"/generate(?P<stream>_stream)?/?$")
MODELS: Final = re.compile(r"/models/(?P<model>[^:]+?)(?:/pipeline/(?P<task>feature-extraction|sentence-similarity))?/?$")
EMBED: Final = re.compile(r"^/embed/?$")


def match(request: Request) -> str:
    if request.method != "POST" or "inputs" not in request.body:
        return ""
    found = MODELS.search(request.path)
    if EMBED.search(request.path) or (found and found["task"]):
        return "features"
    if GENERATE.search(request.path):
        return "generate"
    return "models" if found or request.path in ("", "/") else ""


def read(request: Request, operation: str) -> Ask:
    body = request.body
    found = MODELS.search(request.path)
    model = found["model"] if found else ""
    if operation == "features":
        return Ask("huggingface", "embedding", model, inputs=vectors.texts(body["inputs"]))
    if not isinstance(body["inputs"], str):
        raise MalformedError("inputs: expected a string")
    settings = shape.mapping(body.get("parameters"))
    grammar = shape.mapping(settings.get("grammar")).get("value")
    stream = body.get("stream") is True or request.path.endswith("_stream")
    schema = grammar if isinstance(grammar, dict) else None
    return Ask("huggingface", "completion", model, (Turn("user", body["inputs"]),), schema=schema, stream=stream)


def write(request: Request, operation: str, ask: Ask, answer: Answer, serial: int) -> Reply:
    if answer.status != 200:
        return shape.reply({"error": answer.text, "error_type": "generation"}, answer.status)
    if operation == "features":
        made = vectors.vectors(ask.inputs, vectors.size(ask.model))
        return shape.reply(made[0] if isinstance(request.body["inputs"], str) else made)
    if ask.stream:
        pieces = shape.pieces(answer.text) or [""]
        return shape.events([token(index, piece, answer.text, index == len(pieces) - 1) for index, piece in enumerate(pieces)])
    whole = {"generated_text": answer.text}
    return shape.reply(whole if operation == "generate" else [whole])


def token(index: int, text: str, whole: str, last: bool) -> dict[str, Any]:
    own = {"index": index + 1, "token": {"id": index, "text": text, "logprob": 0.0, "special": False}}
    details = {"finish_reason": "eos_token", "generated_tokens": index + 1, "seed": None, "input_length": 1}
    return {**own, "generated_text": whole if last else None, "details": details if last else None}
