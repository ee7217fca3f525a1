"""OpenAI embeddings, and those of the services that speak alike (Mistral, Voyage, Jina)."""

from __future__ import annotations

import re
from typing import Final

from headwater.prove.talk import Answer, Ask
from headwater.prove.wire import openai_chat, shape, vectors
from headwater.prove.wire.shape import MalformedError, Reply, Request

PATHS: Final = re.compile(r"(?<!/api)/embeddings/?$")


def match(request: Request) -> str:
    return "embeddings" if request.method == "POST" and PATHS.search(request.path) else ""


def read(request: Request, operation: str) -> Ask:
    body = request.body
    if "input" not in body:
        raise MalformedError("Missing required parameter: 'input'.")
    model = shape.text(body.get("model")) or openai_chat.deployment(request)
    return Ask("openai_embeddings", "embedding", model, inputs=vectors.texts(body["input"]))


def write(request: Request, operation: str, ask: Ask, answer: Answer, serial: int) -> Reply:
    if answer.status != 200:
        return openai_chat.error(answer.status, answer.text)
    length = vectors.size(ask.model, request.body.get("dimensions", request.body.get("output_dimension")))
    made = vectors.vectors(ask.inputs, length)
    packed = request.body.get("encoding_format") == "base64"
    found = [{"object": "embedding", "index": index, "embedding": vectors.packed(one) if packed else one} for index, one in enumerate(made)]
    spent = sum(map(shape.tokens, ask.inputs))
    whole = {"id": shape.name("embd-", serial), "object": "list", "data": found, "model": ask.model or "model"}
    return shape.reply({**whole, "usage": {"prompt_tokens": spent, "total_tokens": spent}})
