"""How far each hostile value came: from what the monitors, the sink and the application's answers show to a verdict.

The ladder, and why a compiled text proves nothing (checks parse as well), why a token among the arguments of a fixed program is no
injection, and why an
effect needs no ``exec`` (interpreters of syntax trees), stand in ``docs/prove.md``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from headwater.proofs import Verdict
from headwater.prove import commands, statements
from headwater.prove.attempts import Attempt, Payload
from headwater.prove.events import Event

_PROGRAMS: Final = frozenset({"touch", ":", "echo", "cp", "cat", "ls"})
"""What payloads have a shell start; the law test of payloads holds them to it."""

_INTERPRETERS: Final = frozenset({"sh", "bash", "dash", "zsh", "ash", "ksh", "cmd.exe", "powershell", "pwsh"})


class Where(NamedTuple):
    """The places of one attempt that tell an effect from a value that only carries their names."""

    work: str
    """The application's folder, in which it was started."""
    inside: str
    """The folder that it may use: what a path does there is no effect."""
    canary: str
    secret: str
    sink: str
    """Host and port."""
    languages: Mapping[int, str]
    """What each process runs: python, javascript."""

    def file(self, path: str) -> str:
        """A path as the system takes it."""
        return os.path.normpath(os.path.join(self.work, path.removeprefix("file://")))

    def escapes(self, named: str) -> bool:
        """Whether a path leads out of the folder that the application may use."""
        return not named.startswith(os.path.join(os.path.normpath(self.inside), ""))

    def asks_sink(self, address: str, payload: Payload, token: str) -> bool:
        """Whether a request goes to the sink; of a payload that is no address, for just what it names."""
        try:
            parts = urlsplit(address)
        except ValueError:
            return False
        same = parts.netloc.rpartition("@")[2] == self.sink
        return same and (payload.sink_class == "url" or parts.path == f"/{token}")


class Judged(NamedTuple):
    """What became of an attempt, and the event that shows it best (None where none does)."""

    attempt: Attempt
    verdict: Verdict
    event: Event | None
    how: str
    """What shows it where no event does: ``request`` (the sink was asked), ``answer``, ``file``, or empty."""


def judge(
    attempt: Attempt,
    payload: Payload,
    events: Iterable[Event],
    *,
    asked: bool,
    answered: Sequence[tuple[str, bool]],
    looks: re.Pattern[str] | None,
    written: bool,
    where: Where,
) -> Judged:
    """The verdict on one attempt.

    ``events`` are those that carry its token, in order; ``asked``: the sink got a request with the token; ``answered``: what the
    application
    answered, and whether as a page; ``looks``: what an answer must match that shows the effect; ``written``: the canary's file is there.
    """
    best = Judged(attempt, Verdict.NOT_REACHED, None, "")
    for event in events:
        verdict = _of_event(attempt, payload, event, where)
        if verdict > best.verdict:
            best = Judged(attempt, verdict, event, "")
    if best.verdict < Verdict.EFFECT:
        if asked and {"request", "connect"} & set(payload.shows):
            return Judged(attempt, Verdict.EFFECT, best.event, "request")
        if written and {"write", "process"} & set(payload.shows):
            return Judged(attempt, Verdict.EFFECT, best.event, "file")
        if best.verdict < Verdict.EXECUTED and "answer" in payload.shows and shown(attempt, payload, answered, looks):
            return Judged(attempt, Verdict.EXECUTED, best.event, "answer")
    return best


def _of_event(attempt: Attempt, payload: Payload, event: Event, where: Where) -> Verdict:
    shows = event.kind in payload.shows
    match event.kind:
        case "compile" | "template":
            return Verdict.PARSED
        case "exec":
            # What runs a template, or reads another language's words as its own, runs no code of the payload's.
            return Verdict.EXECUTED if payload.language == where.languages.get(event.pid) else Verdict.PARSED
        case "process":
            return Verdict.EFFECT if shows and _starts(event, attempt.token) else Verdict.REACHED
        case "sql":
            return Verdict.EFFECT if shows and statements.speaks(event.value, attempt.token) else Verdict.REACHED
        case "read" | "write":
            named = where.file(event.value)
            if payload.sink_class.startswith("path"):
                return Verdict.EFFECT if where.escapes(named) else Verdict.REACHED
            return Verdict.EFFECT if shows and named in (where.canary, where.secret) else Verdict.REACHED
        case "connect" | "request":
            return Verdict.EFFECT if shows and where.asks_sink(event.value, payload, attempt.token) else Verdict.REACHED
        case "import" | "unpickle":
            return Verdict.EFFECT if shows else Verdict.REACHED
    return Verdict.NOT_REACHED


def _starts(event: Event, token: str) -> bool:
    """Whether a command of the payload's own is started, or only a fixed program with the token among its arguments."""
    if event.value.startswith("["):
        try:
            argv = [str(one) for one in json.loads(event.value)]
        except ValueError:
            argv = []
        if argv:
            program = os.path.basename(argv[0])
            if program in _INTERPRETERS and len(argv) > 2 and argv[1] in ("-c", "/c", "-lc", "-Command"):
                return commands.starts(argv[2], token, _PROGRAMS)
            if not event.shell:
                return program in _PROGRAMS - {":"} and any(token in one for one in argv[1:])
            return commands.starts(" ".join(argv) if len(argv) > 1 else argv[0], token, _PROGRAMS)
    return commands.starts(event.value, token, _PROGRAMS)


def shown(attempt: Attempt, payload: Payload, answered: Sequence[tuple[str, bool]], looks: re.Pattern[str] | None) -> bool:
    """Whether an answer shows the effect, other than by giving back the value as it was sent; markup counts where a browser would show
    it."""
    if looks is None:
        return False
    if payload.sink_class == "html":
        return any(page and looks.search(text) for text, page in answered)
    return any(looks.search(text.replace(attempt.value, " ")) for text, _ in answered)
