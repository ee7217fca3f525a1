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

PROGRAM: Final = "touch"
"""What payloads have a shell start, with the canary as its one argument; the law test of payloads holds them to it."""

_INTERPRETERS: Final = frozenset({"sh", "bash", "dash", "zsh", "ash", "ksh", "cmd.exe", "powershell", "pwsh"})

_LOOKS: Final = re.compile(r"\.(l?stat|access|exists|realpath|readlink|statfs)(Sync)?(\.native)?$")
"""Operations that only look where a path leads, or what is there."""

_RUNS_ONE: Final = re.compile(r"\bsqlite\w*\b.*\b(execute(many)?|prepare)$")
"""Operations that run one statement, and fail where there are more."""


class Where(NamedTuple):
    """The places of one attempt that tell an effect from a value that only carries their names."""

    work: str
    """The application's folder, in which it was started."""
    root: str
    """The folder that it may use, where that is not all of its own; empty else."""
    home: str
    scratch: str
    """The folder of canaries and secrets: what lies there is there to be aimed at."""
    canary: str
    secret: str
    sink: str
    """Host and port."""
    languages: Mapping[int, str]
    """What each process runs: python, javascript."""

    def file(self, path: str) -> str:
        """A path as the system takes it."""
        return os.path.normpath(os.path.join(self.work, path.removeprefix("file://")))

    def aimed(self, named: str, token: str) -> bool:
        """Whether a path is where a payload wants to come to. One that stays below a folder of the application only has its name in it."""
        if named.startswith(os.path.join(self.scratch, "")) or named == os.path.join(self.home, token):
            return True
        return bool(self.root) and (
            named.startswith(os.path.join(f"{self.root}_evil", "")) or named == os.path.join(os.path.dirname(self.root), token)
        )

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
            return Verdict.EFFECT if shows and _starts(event, where.canary) else Verdict.REACHED
        case "sql":
            if not (shows and statements.speaks(event.value, attempt.token) and statements.begins(event.value, attempt.token)):
                return Verdict.REACHED
            # What passed a check as the whole text, and holds more than the driver runs, is refused by it.
            whole = event.value.strip() == attempt.value.strip() and statements.several(event.value)
            return Verdict.REACHED if whole and _RUNS_ONE.search(event.call) else Verdict.EFFECT
        case "read" | "write":
            named = [where.file(one) for one in event.value.split(" -> ")]
            if payload.sink_class.startswith("path"):
                # Checks look as well where a path leads.
                aimed = not _LOOKS.search(event.call) and any(where.aimed(one, attempt.token) for one in named)
                return Verdict.EFFECT if aimed else Verdict.REACHED
            return Verdict.EFFECT if shows and {where.canary, where.secret} & set(named) else Verdict.REACHED
        case "connect" | "request":
            return Verdict.EFFECT if shows and where.asks_sink(event.value, payload, attempt.token) else Verdict.REACHED
        case "import" | "unpickle":
            return Verdict.EFFECT if shows else Verdict.REACHED
    return Verdict.NOT_REACHED


def _starts(event: Event, canary: str) -> bool:
    """Whether a command of the payload's own is started, or only a fixed program with the value among its arguments."""
    if event.value.startswith("["):
        try:
            argv = [str(one) for one in json.loads(event.value)]
        except (ValueError, RecursionError):
            argv = []
        if argv:
            program = os.path.basename(argv[0])
            if program in _INTERPRETERS and len(argv) > 2 and argv[1] in ("-c", "/c", "-lc", "-Command"):
                return commands.starts(argv[2], PROGRAM, canary)
            if not event.shell:
                return program == PROGRAM and canary in argv[1:]
            return commands.starts(" ".join(argv) if len(argv) > 1 else argv[0], PROGRAM, canary)
    return commands.starts(event.value, PROGRAM, canary)


def shown(attempt: Attempt, payload: Payload, answered: Sequence[tuple[str, bool]], looks: re.Pattern[str] | None) -> bool:
    """Whether an answer shows the effect, other than by giving back the value as it was sent; markup counts where a browser would show
    it."""
    if looks is None:
        return False
    if payload.sink_class == "html":
        return any(page and looks.search(text) for text, page in answered)
    return any(looks.search(text.replace(attempt.value, " ")) for text, _ in answered)
