"""Mistral: as OpenAI's chat completions, but for short ids of calls, and errors of its own."""

from __future__ import annotations

import msgspec

from headwater.prove.talk import Answer, Ask
from headwater.prove.wire import openai_chat, shape
from headwater.prove.wire.shape import Reply, Request


def match(request: Request) -> str:
    """By its host, or the name that its clients give: the path is OpenAI's."""
    agent = request.headers.get("user-agent", "")
    return openai_chat.match(request) if "mistral" in request.host or "mistral" in agent or "/fim/" in request.path else ""


def read(request: Request, operation: str) -> Ask:
    return msgspec.structs.replace(openai_chat.read(request, operation), wire="mistral")


def write(request: Request, operation: str, ask: Ask, answer: Answer, serial: int) -> Reply:
    if answer.status != 200:
        problem = {"object": "error", "message": answer.text, "type": openai_chat.ERRORS.get(answer.status, "internal_server_error")}
        return shape.reply({**problem, "param": None, "code": None, "raw_status_code": answer.status}, answer.status)
    return openai_chat.write(request, operation, ask, answer, serial)
