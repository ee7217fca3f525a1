"""What a proof is to do: how the application is started and what is sent to it."""

from __future__ import annotations

import hashlib
import os
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from headwater import limits
from headwater.files.read import UnreadableError, read_bytes
from headwater.prove import requests
from headwater.prove.payloads import payloads


class ScenarioError(ValueError):
    """A scenario that says nothing, or two things; the message tells what to change."""


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", omit_defaults=True):
    """One way to have the application do its work. Exactly one of ``run``, ``serve``, ``call`` and ``mcp`` is given.

    In commands and variables ``{port}`` is a free port, ``{work}`` the folder of the application's copy, ``{model}`` the address of the
    model,
    ``{tools}`` that of a hostile MCP server (``play = "tools"``), ``{tools-command}`` a command that speaks for it over standard input
    and output.
    """

    name: str = "command line"
    run: str = ""
    """A command that does its work and ends."""
    serve: str = ""
    """A command that starts a service of HTTP."""
    call: str = ""
    """``module:function`` of a Python application."""
    mcp: str = ""
    """A command that starts an MCP server."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    """Of a service; 0: it is told a free one by ``{port}``."""
    path: str = ""
    """Of an MCP server that talks over HTTP; empty: it talks over standard input and output."""
    send: tuple[str, ...] = ()
    """Requests to a service: ``POST /chat {"text": "hello"}``."""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Of every request to a service: who is asking, where it wants to know."""
    honest: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    """Requests of each start (of a service: of each request to it) that the model answers as it should, before it turns hostile."""
    play: Literal["model", "tools"] = "model"
    """Who is the attacker: the model, or an MCP server that the application uses, at ``{tools}`` in commands and variables."""
    openapi: str = "/openapi.json"
    """Where a service describes itself; empty: nowhere."""
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = msgspec.field(default_factory=dict)
    python: str = "python3"
    """The interpreter of ``call``."""
    root: str = ""
    """The folder that the application may use, below its own; empty: an argument of the command that is one, else the application's own."""
    plant: tuple[str, ...] = ()
    """Files that the application reads, below its folder: a hostile one is put in the place of each, in a start of its own."""
    env: Mapping[str, str] = msgspec.field(default_factory=dict)
    timeout: Annotated[float, msgspec.Meta(ge=1, le=3600)] = limits.PROVE_SECONDS
    """Seconds for one start, one call or one request."""
    starts: Annotated[int, msgspec.Meta(ge=1, le=1000)] = limits.PROVE_STARTS
    """Of the application, at most."""
    classes: tuple[str, ...] = ()
    """Sink classes that are tried; empty: all."""
    block: bool = True
    """Stop effects before they happen."""
    go_on: bool = False
    """Try everything, even after a proof."""

    @property
    def words(self) -> list[str]:
        """The command. Raises :class:`ScenarioError`."""
        try:
            words = shlex.split(self.run or self.serve or self.mcp)
        except ValueError as error:
            raise ScenarioError(f"the command cannot be read: {error}") from None
        if not words and not self.call:
            raise ScenarioError("the command is empty")
        return words

    @property
    def prefix(self) -> str:
        """What the tokens of its runs begin with: the same for the same scenario."""
        return "hwc" + hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()[:6]

    @property
    def requests(self) -> list[requests.Request]:
        """What is sent. Raises :class:`ScenarioError`."""
        try:
            return [requests.parse(line) for line in self.send]
        except ValueError as error:
            raise ScenarioError(str(error)) from None


class _Prove(msgspec.Struct, forbid_unknown_fields=True):
    scenario: tuple[Scenario, ...] = ()


def of_file(path: Path, names: Sequence[str], trusted: bool) -> list[Scenario]:
    """Scenarios of ``[[prove.scenario]]`` in the application's headwater.toml. Raises :class:`ScenarioError`."""
    if not trusted:
        raise ScenarioError(
            "scenarios of headwater.toml run commands that the application's authors wrote: read them, then give --trust-config"
        )
    try:
        table = tomllib.loads(read_bytes(os.path.join(path, "headwater.toml"), limits.CONFIG_BYTES).decode("utf-8-sig"))
        known = {}
        for one in msgspec.convert(table.get("prove", {}), _Prove).scenario:
            if one.name in known:
                raise ScenarioError(f"headwater.toml has two scenarios of the name {one.name!r}")
            known[one.name] = one
    except ScenarioError:
        raise
    except (UnreadableError, ValueError, RecursionError, msgspec.ValidationError) as error:
        raise ScenarioError(f"headwater.toml: {error}") from None
    missing = [name for name in names if name not in known]
    if missing:
        raise ScenarioError(f"headwater.toml has no scenario {missing[0]!r}; it has: {', '.join(known) or 'none'}")
    return [checked(known[name]) for name in names]


def checked(scenario: Scenario) -> Scenario:
    """The scenario, if it can be run. Raises :class:`ScenarioError`."""
    given = [kind for kind in ("run", "serve", "call", "mcp") if getattr(scenario, kind)]
    if len(given) != 1:
        told = " and ".join(f"--{kind}" for kind in given) or "none"
        raise ScenarioError(f"give one of --run, --serve, --call and --mcp (given: {told})")
    if scenario.send and not scenario.serve:
        raise ScenarioError("--send is for a service: give --serve")
    if scenario.call and ":" not in scenario.call:
        raise ScenarioError("--call takes module:function")
    if (
        scenario.serve
        and not scenario.port
        and "{port}" not in scenario.serve
        and not any("{port}" in one for one in scenario.env.values())
    ):
        raise ScenarioError("the port of the service is not known: write {port} into the command or an --env, or give --port")
    said = " ".join((scenario.run, scenario.serve, *scenario.env.values(), *map(str, scenario.args), *map(str, scenario.kwargs.values())))
    if scenario.play == "tools" and "{tools" not in said:
        raise ScenarioError(
            "the hostile server must be named to the application: write {tools} or {tools-command} into a command or an --env"
        )
    if unknown := sorted(set(scenario.classes) - {one.sink_class for one in payloads()}):
        known = ", ".join(sorted({one.sink_class for one in payloads()}))
        raise ScenarioError(f"--only {unknown[0]}: there is no such class; there are {known}")
    _ = scenario.words, scenario.requests
    return scenario
