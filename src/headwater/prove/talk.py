"""What an application says to an ML model and what it is answered, whatever the wire format: the words of ``headwater.prove``.

``headwater.prove.wire`` reads requests into an ``Ask`` and writes an ``Answer``; who plays the model decides on the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import msgspec

Role = Literal["system", "user", "assistant", "tool"]
Purpose = Literal["chat", "completion", "embedding", "models", "other"]


class Turn(msgspec.Struct, frozen=True):
    """One message of a conversation."""

    role: Role
    text: str
    """All text parts, joined by newlines; images and the like are left out."""
    tool: str = ""
    """Of a result: the name of the tool, where the format or an earlier turn tells it."""
    call: str = ""
    """Of a result: the id of the call that it answers."""


class Offered(msgspec.Struct, frozen=True):
    """A tool that the application lets the model call."""

    name: str
    description: str = ""
    schema: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """JSON Schema of its arguments, as it was sent (an object with ``properties``); empty where there is none."""


class Ask(msgspec.Struct, frozen=True):
    """One request of the application to the model."""

    wire: str
    """Name of the wire format (a module of ``headwater.prove.wire``)."""
    purpose: Purpose = "chat"
    model: str = ""
    turns: tuple[Turn, ...] = ()
    """In order, the system's first; the prompt of a completion is one user turn."""
    tools: tuple[Offered, ...] = ()
    forced: str = ""
    """The tool that must be called, or ``any`` where one of them must; empty: the model's choice. ``none``: none may be called."""
    schema: Mapping[str, Any] | None = None
    """JSON Schema that the text of the answer must follow (structured output); None where there is none."""
    json: bool = False
    """The text must be JSON, of no given schema."""
    stream: bool = False
    inputs: tuple[str, ...] = ()
    """Of an embedding: the texts."""

    @property
    def text(self) -> str:
        """All turns as one text, for who looks for words in it."""
        return "\n\n".join(turn.text for turn in self.turns)


class Call(msgspec.Struct, frozen=True):
    """A call of a tool, as a model writes it."""

    tool: str
    arguments: Mapping[str, Any]


class Answer(msgspec.Struct, frozen=True):
    """What the model answers: text, calls of tools, or both; or an error of the service."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    status: int = 200
    """Of HTTP; other than 200: the service answers with an error of its format, ``text`` is the message."""


class Model(Protocol):
    """Who plays the model."""

    def answer(self, ask: Ask) -> Answer:
        """Called once for each request, from the threads of the server, one at a time."""
        ...
