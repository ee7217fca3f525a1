"""OpenAI completions: a prompt and how it goes on."""

from __future__ import annotations

import re
from typing import Any, Final

from headwater.prove.talk import Answer, Ask, Turn
from headwater.prove.wire import openai_chat, shape
from headwater.prove.wire.shape import MalformedError, Reply, Request

PATHS: Final = re.compile(r"(?<!/chat)(?<!/fim)(?<!/agents)/completions/?$")


def match(request: Request) -> str:
    return "completions" if request.method == "POST" and PATHS.search(request.path) else ""


def read(request: Request, operation: str) -> Ask:
    body = request.body
    if "prompt" not in body:
        raise MalformedError("you must provide a prompt parameter")
    return Ask(
        wire="openai_completions",
        purpose="completion",
        model=shape.text(body.get("model")) or openai_chat.deployment(request),
        turns=(Turn("user", "\n\n".join(prompts(body["prompt"]))),),
        stream=body.get("stream") is True,
    )


def prompts(value: object) -> list[str]:
    """Prompts that are texts; those that are numbers of tokens are empty."""
    if isinstance(value, str):
        return [value]
    return [shape.text(one) for one in shape.items(value) if isinstance(one, str | list)] or [""]


def write(request: Request, operation: str, ask: Ask, answer: Answer, serial: int) -> Reply:
    if answer.status != 200:
        return openai_chat.error(answer.status, answer.text)
    head = {"id": shape.name("cmpl-", serial), "object": "text_completion", "created": shape.EPOCH, "model": ask.model or "model"}

    def choice(text: str, finish: str | None, index: int = 0) -> dict[str, Any]:
        return {"text": text, "index": index, "logprobs": None, "finish_reason": finish}

    if ask.stream:
        chunks = [{**head, "choices": [choice(piece, None)]} for piece in shape.pieces(answer.text)]
        return shape.events([*chunks, {**head, "choices": [choice("", "stop")]}], end=b"data: [DONE]\n\n")
    count = min(len(prompts(request.body.get("prompt"))), 128)
    choices = [choice(answer.text, "stop", index) for index in range(count)]
    return shape.reply({**head, "choices": choices, "usage": openai_chat.usage(ask, answer)})
