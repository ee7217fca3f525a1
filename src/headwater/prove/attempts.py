"""Hostile values and where they were put: what verdicts are about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Channel = Literal["text", "tool", "http", "mcp", "document"]
"""How it came in: text of the model, an argument of a tool call of the model, a part of a request, an argument given by an MCP client,
a result or document."""


class Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """One hostile text, as ``payloads/*.yaml`` writes it. Harmless by construction: it touches canaries and loopback only."""

    id: str
    sink_class: str
    """Of DESIGN's words: code, shell, sql, path-read, path-write, url, html, template, deserialize, ..."""
    language: str
    """What it is written in: python, javascript, sh, sql, path, url, html, jinja, pickle, ..."""
    family: str
    """naive, expression, subclass-chain, split-names, ...: payloads of one family pass the same checks."""
    rank: int
    """Escalation: 0 is tried first."""
    text: str
    """With placeholders: ``{token}``, ``{canary}`` (absolute path of a file that does not exist, its name is the token), ``{sink}``
    (address of a loopback server; requests for it are recorded), ``{secret}`` (absolute path of a file that holds a secret word),
    ``{folder}`` (absolute path of a folder in which that word is the name of an entry), ``{up}`` (``../`` often enough), ``{root}`` (a
    folder that the application may use, where one is known), ``{benign}`` (the value that a valid argument has)."""
    shows: tuple[str, ...]
    """Kinds of events (``headwater.prove.events.KINDS``) that are its effect; ``answer`` where the effect is in what the
    application answers."""
    breaks: bool = True
    """It leaves the place that it was put in (quoting, a folder, a check). False: the value is what the operation is there to
    take, an effect is *granted*."""
    looks: str = ""
    """For ``answer``: a regular expression, with the placeholders, that what the application answers must match, in which the
    value as it was sent does not count."""

    @property
    def kind(self) -> str:
        """What is settled by its proof: who may have any address asked for may not yet read files by it."""
        return "url-file" if self.sink_class == "url" and self.shows == ("read",) else self.sink_class


class Attempt(msgspec.Struct, frozen=True):
    """One hostile value in one place."""

    token: str
    payload: str
    """Id of the payload."""
    sink_class: str
    family: str
    breaks: bool
    channel: Channel
    value: str
    """The payload with everything filled in."""
    form: str = ""
    """Of a text: how it was dressed: bare, fence-python, tag-code, json, ...; the name of the format else."""
    tool: str = ""
    """The tool, route or method whose argument it is."""
    argument: str = ""
    run: int = 0
    """Number of the start of the application that it was used in, from 1."""
    said: str = ""
    """The whole answer of the model, or the whole request, that held it."""
    arguments: Mapping[str, object] = msgspec.field(default_factory=dict)
