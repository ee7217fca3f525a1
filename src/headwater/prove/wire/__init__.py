"""The wire formats in which applications speak to models: which one a request is in, what it asks, how it is answered.

Each module has ``match`` (the operation that a request is for, or nothing), ``read`` and ``write``.
"""

from __future__ import annotations

from typing import Final, Protocol, cast

import msgspec

from headwater.prove.talk import Answer, Ask
from headwater.prove.wire import (
    anthropic_messages,
    bedrock,
    cohere,
    gemini,
    gemini_grpc,
    huggingface,
    mistral,
    ollama,
    openai_chat,
    openai_completions,
    openai_embeddings,
    openai_models,
    openai_responses,
)
from headwater.prove.wire.shape import MalformedError, Reply, Request


class Format(Protocol):
    """A module of this package."""

    def match(self, request: Request) -> str: ...
    def read(self, request: Request, operation: str) -> Ask: ...
    def write(self, request: Request, operation: str, ask: Ask, answer: Answer, serial: int) -> Reply: ...


FORMATS: Final = tuple(
    cast(Format, module)
    for module in (
        mistral,
        bedrock,
        gemini,
        gemini_grpc,
        openai_chat,
        openai_responses,
        openai_completions,
        openai_embeddings,
        anthropic_messages,
        ollama,
        cohere,
        huggingface,
        openai_models,
    )
)
"""In the order in which they are asked: one that also looks at the host or a header stands before one that looks at the path alone."""


class Heard(msgspec.Struct, frozen=True):
    """A request in a format that is known."""

    format: Format
    operation: str
    request: Request
    ask: Ask
    fault: str = ""
    """Why the service would refuse it; empty where it would not."""

    @property
    def clear(self) -> bool:
        """Whether it is a request for a model by what it says alone, at whatever host: a path such as ``/api/chat`` is common."""
        return not self.fault and self.request.method == "POST" and bool(self.ask.text or self.ask.inputs)

    def reply(self, answer: Answer, serial: int) -> Reply:
        return self.format.write(self.request, self.operation, self.ask, answer, serial)


def hear(request: Request) -> Heard | None:
    """What a request asks; None where no format is known for it."""
    for one in FORMATS:
        operation = one.match(request)
        if operation:
            return _heard(one, operation, request)
    guessed = guess(request)
    return _heard(*guessed, request) if guessed else None


def guess(request: Request) -> tuple[Format, str] | None:
    """A format by the body alone, for gateways whose paths are their own: a conversation has roles, and mostly a model."""
    body = request.body
    if request.method != "POST":
        return None
    messages = body.get("messages")
    if isinstance(messages, list) and messages and all(isinstance(one, dict) and "role" in one for one in messages):
        if "anthropic_version" in body or "anthropic-version" in request.headers:
            return cast(Format, anthropic_messages), "messages"
        return cast(Format, openai_chat), "chat"
    contents = body.get("contents")
    if isinstance(contents, list) and contents and all(isinstance(one, dict) and "parts" in one for one in contents):
        return cast(Format, gemini), "generateContent"
    return None


def _heard(one: Format, operation: str, request: Request) -> Heard:
    try:
        return Heard(one, operation, request, one.read(request, operation))
    except MalformedError as problem:
        wire = getattr(one, "__name__", "").rpartition(".")[2]
        return Heard(one, operation, request, Ask(wire, "other"), str(problem))
