"""The list of models of OpenAI and of Anthropic, which share an address, and OpenAI's moderation, which finds nothing."""

from __future__ import annotations

import re
from typing import Final

from headwater.prove.talk import Answer, Ask, Turn
from headwater.prove.wire import openai_chat, shape
from headwater.prove.wire.shape import Reply, Request

PATHS: Final = re.compile(r"/v1/models(?:/(?P<name>.+?))?/?$")
MODERATIONS: Final = re.compile(r"/moderations/?$")
NAMES: Final = """
    gpt-5 gpt-5-mini gpt-4.1 gpt-4.1-mini gpt-4o gpt-4o-mini gpt-4-turbo gpt-4 gpt-3.5-turbo gpt-3.5-turbo-instruct o1 o3 o3-mini
    o4-mini text-embedding-3-small text-embedding-3-large text-embedding-ada-002
"""
CLAUDE: Final = [
    "claude-opus-4-1",
    "claude-sonnet-4-5",
    "claude-haiku-4-5",
    "claude-3-7-sonnet-latest",
    "claude-3-5-haiku-latest",
]
DATE: Final = "2025-01-01T00:00:00Z"


def match(request: Request) -> str:
    if request.method == "POST" and MODERATIONS.search(request.path):
        return "moderations"
    return "models" if request.method == "GET" and PATHS.search(request.path) else ""


def read(request: Request, operation: str) -> Ask:
    if operation == "moderations":
        given = request.body.get("input")
        return Ask("openai_models", "other", shape.text(request.body.get("model")), (Turn("user", shape.content(given)),))
    found = PATHS.search(request.path)
    return Ask("openai_models", "models", (found and found["name"]) or "")


def write(request: Request, operation: str, ask: Ask, answer: Answer, serial: int) -> Reply:
    if answer.status != 200:
        return openai_chat.error(answer.status, answer.text)
    if operation == "moderations":
        count = len(shape.items(request.body.get("input"))) or 1
        one = {"flagged": False, "categories": {}, "category_scores": {}, "category_applied_input_types": {}}
        own = {"id": shape.name("modr-", serial), "model": ask.model or "omni-moderation-latest"}
        return shape.reply({**own, "results": [one] * min(count, 1_000)})
    if "anthropic-version" in request.headers:
        claude = [
            {"type": "model", "id": name, "display_name": name, "created_at": DATE} for name in ([ask.model] if ask.model else CLAUDE)
        ]
        page = {"data": claude, "has_more": False, "first_id": claude[0]["id"], "last_id": claude[-1]["id"]}
        return shape.reply(claude[0] if ask.model else page)
    every = [
        {"id": name, "object": "model", "created": shape.EPOCH, "owned_by": "system"}
        for name in ([ask.model] if ask.model else NAMES.split())
    ]
    return shape.reply(every[0] if ask.model else {"object": "list", "data": every})
