"""Replays a proof: what was answered or sent in it is kept in a file, with a script that does the same again.

Files of a proof are written by Headwater and read again as data that anybody may have changed: typed, bounded, and run only on the user's
order.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from headwater import limits
from headwater.prove.attempts import Attempt
from headwater.prove.events import TOKEN, Event
from headwater.prove.payloads import by_id
from headwater.prove.scenario import Scenario
from headwater.prove.talk import Answer, Ask

VERSION: Final = 1
RUN: Final = "{run}"
SINK: Final = "{sink-port}"
_DONE: Final = Answer("Done.")


class RecordError(ValueError):
    """A file that is no record of a proof."""


class Record(msgspec.Struct, frozen=True):
    """What it takes to have a proof again."""

    attempt: Attempt
    answers: tuple[Answer, ...]
    """Of the model, in order; empty where a request or a call did it."""
    version: int = VERSION

    @property
    def prefix(self) -> str:
        """What the tokens of its run begin with."""
        return self.attempt.token[:-4]

    def told(self, run: Path, port: int) -> Record:
        """The same with the folder and the port of another run."""
        return _replaced(self, {RUN: str(run), SINK: str(port)})

    def kept(self, run: Path, port: int) -> Record:
        """The same without them."""
        return _replaced(self, {str(run): RUN, f":{port}/": f":{SINK}/"})


def _replaced(record: Record, words: dict[str, str]) -> Record:
    text = msgspec.json.encode(record).decode()
    for old, new in words.items():
        text = text.replace(json.dumps(old)[1:-1], json.dumps(new)[1:-1])
    return msgspec.json.decode(text, type=Record)


def read(path: Path) -> Record:
    """A record from its file. Raises :class:`RecordError`."""
    try:
        with path.open("rb") as file:
            record = msgspec.json.decode(file.read(limits.PROVE_RECORD_BYTES), type=Record)
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise RecordError(f"{path.name} is no record of a proof: {error}") from None
    if record.version != VERSION:
        raise RecordError(f"{path.name} is a record of version {record.version}; this is {VERSION}")
    # The token becomes the name of files.
    if not re.fullmatch(TOKEN, record.attempt.token) or record.attempt.payload not in by_id():
        raise RecordError(f"{path.name} is no record of a proof: its token or payload is none")
    return record


def write(folder: Path, application: Path, scenario: Scenario, records: Sequence[Record]) -> list[Path]:
    """Writes a record and a script for each proof; returns the scripts."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number, record in enumerate(records, 1):
        named = f"{scenario.name}-" if scenario.name != Scenario().name else ""
        title = f"proof-{named}{number}-{record.attempt.sink_class}"
        name = re.sub(r"[^\w.-]+", "-", title)
        (folder / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
        script = folder / f"{name}.sh"
        words = ["headwater", "prove", os.path.abspath(application), *_options(scenario)]
        if record.attempt.channel == "document":
            words += ["--plant", record.attempt.tool]
        line = " ".join(shlex.quote(word) for word in words)
        script.write_text(
            "#!/bin/sh\n"
            "# Runs the application once and has it do again what was proved: "
            f"{record.attempt.sink_class}, payload {record.attempt.payload}.\n"
            f'exec {line} --no-review --replay "$(dirname "$0")/{name}.json" "$@"\n',
            encoding="utf-8",
        )
        script.chmod(0o755)
        made.append(script)
    return made


def _options(scenario: Scenario) -> Iterable[str]:
    for option, value in (("--run", scenario.run), ("--serve", scenario.serve), ("--call", scenario.call), ("--mcp", scenario.mcp)):
        if value:
            yield from (option, value)
    for line in scenario.send:
        yield from ("--send", line)
    for name, value in scenario.headers.items():
        yield from ("--header", f"{name}: {value}")
    for name, value in scenario.env.items():
        yield from ("--env", f"{name}={value}")
    if scenario.path:
        yield from ("--path", scenario.path)
    if scenario.port:
        yield from ("--port", str(scenario.port))
    plain = Scenario()
    if scenario.openapi != plain.openapi:
        yield from ("--openapi", scenario.openapi)
    if scenario.root:
        yield from ("--root", scenario.root)
    if scenario.call:
        yield from ("--python", scenario.python)
        yield from ("--with", msgspec.json.encode(dict(scenario.kwargs) if scenario.kwargs else list(scenario.args)).decode())
    if scenario.timeout != plain.timeout:
        yield from ("--timeout", f"{scenario.timeout:g}")
    if not scenario.block:
        yield "--allow-effects"


class Replayed:
    """Plays the model as a record says: its answers in order, then nothing more. It stands where ``player.Player`` does."""

    def __init__(self, record: Record) -> None:
        self._answers = list(record.answers)
        self.attempts: list[Attempt] = []
        self._attempt = record.attempt
        self.exhausted = False

    def answer(self, ask: Ask) -> Answer:
        if ask.purpose == "embedding" or not self._answers:
            return _DONE
        if not self.attempts and self._attempt.channel in ("text", "tool"):
            self.attempts.append(self._attempt)
        answer = self._answers.pop(0)
        self.exhausted = not self._answers
        return answer

    def begin(self, run: int) -> None:
        """Nothing changes from start to start."""

    def settle(self, tokens: Iterable[str]) -> None:
        """Nothing is left out."""

    def heard(self, events: Iterable[Event]) -> None:
        """Nothing is learned."""
