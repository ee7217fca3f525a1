"""What a scenario showed: from judged values and observations to proofs in the order in which they are told, with what was missing."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from headwater import limits
from headwater.proofs import Exercised, Frame, Proof, Run, Verdict
from headwater.prove import observe, verdicts
from headwater.prove.attempts import Attempt
from headwater.prove.folder import Folder
from headwater.prove.payloads import by_id
from headwater.prove.replay import Record
from headwater.prove.scenario import Scenario
from headwater.prove.server import SINK, Server
from headwater.prove.stage import Reply
from headwater.prove.talk import Answer
from headwater.prove.wire import providers


class Outcome:
    """What was gathered in all starts of a scenario."""

    def __init__(
        self,
        scenario: Scenario,
        made: Folder,
        server: Server,
        *,
        model: Sequence[Attempt],
        own: Sequence[Attempt],
        judged: Mapping[str, verdicts.Judged],
        replies: Mapping[str, Reply],
        observed: Sequence[Proof],
        answers: Mapping[str, tuple[Answer, ...]],
        start_of: Mapping[str, int],
        tools: Mapping[str, object],
        starts: int,
        sends: int,
        monitored: bool,
        trouble: str,
        gaps: Mapping[str, None],
        ports: Sequence[int],
    ) -> None:
        self._ports = ports
        """Of the application, where it was told one."""
        self._scenario = scenario
        self._folder = made
        self._server = server
        self._attempts = (*model, *own)
        self._judged = judged
        self._replies = replies
        self._observed = observed
        self._answers = answers
        """By token: what the model said in the round in which it was used."""
        self._start_of = start_of
        self._offers = tools
        """Tools and operations that Headwater itself called."""
        self._starts = starts
        self._sends = sends
        self._monitored = monitored
        self._trouble = trouble
        self._gaps = gaps
        self._kept: list[Proof] = []

    def result(self, separate: bool) -> Run:
        """What the scenario showed."""
        shown = _Shown(self._folder, self._server, self._replies, self._start_of, self._ports)
        judged = sorted(self._judged.values(), key=lambda one: (-one.verdict, one.attempt.token))
        seen: set[tuple[Any, ...]] = set()
        proofs: list[Proof] = []
        silent = 0
        for one in judged:
            proof = shown.proof(one)
            # One for each place where hostile values come in, and kind of damage; text of the model is told by where it went.
            own = next((frame for frame in proof.stack if frame.own), None)
            place: object = ""
            if proof.channel == "text":
                place = (own.file, own.line) if own is not None else proof.request
            key: tuple[Any, ...] = (proof.channel, proof.tool, proof.argument, proof.sink_class, place)
            if not one.verdict.proof:
                silent += 1
                key = (*key, proof.family)
                if silent > limits.PROVE_REFUSED:
                    continue
            if key not in seen:
                seen.add(key)
                proofs.append(proof)
        observed = {(one.sink_class, one.request, "" if one.token else one.what): shown.renamed(one) for one in reversed(self._observed)}
        proofs = [*(one for one in proofs if one.rank.proof), *observed.values(), *(one for one in proofs if not one.rank.proof)]
        hostile = [one for one in proofs if one.sink_class not in observe.RULES]
        attempts = len(self._attempts)
        offered = {tool.name for one in self._server.exchanges if one.ask is not None for tool in one.ask.tools} | set(self._offers)
        called = {one.tool for one in self._attempts if one.tool}
        best = max((one.rank for one in hostile), default=Verdict.NOT_EXERCISED)
        self._kept = proofs
        return Run(
            scenario=self._scenario.name,
            verdict=best.word,
            proofs=tuple(proofs),
            exercised=Exercised(
                starts=self._starts,
                model_calls=self._asks(),
                attempts=attempts,
                tools_offered=tuple(sorted(offered)),
                tools_called=tuple(sorted(called)),
                monitored=self._monitored,
                sends=self._sends,
            ),
            gaps=tuple(self._missing(attempts)),
            isolation=self._isolation(separate),
        )

    def _isolation(self, separate: bool) -> tuple[str, ...]:
        """What kept the application in."""
        return (
            "a copy of the application, in a folder of its own",
            "a home of its own, and none of the user's keys",
            "effects are stopped by the monitor" if self._scenario.block else "harmless effects are let through (--allow-effects)",
            "a network of its own, without a way out" if separate else "connections to other machines are refused by the monitor alone",
        )

    def records(self) -> list[Record]:
        """What it takes to have each proof again, in the order of the proofs."""
        proved = [one for one in self._judged.values() if one.verdict.proof]
        proved.sort(key=lambda one: (-one.verdict, one.attempt.token))
        port = self._server.ports[1][1]
        return [
            Record(one.attempt, self._answers[one.attempt.token]).kept(self._folder.root, port)
            for one in proved
            if one.attempt.token in {proof.token for proof in self._kept}
        ]

    def _asks(self) -> int:
        """Requests that the model was asked."""
        return sum(one.ask is not None for one in self._server.exchanges)

    def _missing(self, attempts: int) -> Iterator[str]:
        if self._trouble:
            yield self._folder_free(self._trouble)
        if not self._monitored and self._starts:
            yield "no monitor was loaded into the application: only what it sent and wrote can be seen (does it ignore its environment?)"
        if not self._asks() and not self._scenario.mcp:
            yield "the model was never asked: nothing that it could say was tried"
        elif not attempts:
            yield "the application asked for nothing that a hostile text could be put into"
        for failure in dict.fromkeys(f"{type(one).__name__}: {one}" for one in self._server.failures):
            yield f"playing the model failed: {failure}"
        yield from (self._folder_free(one) for one in self._gaps)

    def _folder_free(self, text: str) -> str:
        text = text.replace(str(self._folder.work), "{work}").replace(str(self._folder.root), "{run}")
        return re.sub("|".join(rf"\b{port}\b" for port in self._ports), "{port}", text) if self._ports else text


_ADDRESS: Final = re.compile(r"(?<![\d.])(127(?:\.\d{1,3}){3}|localhost|0\.0\.0\.0):(\d{1,5})(?!\d)")


def _codes(text: str) -> str:
    """A text as payloads spell it to avoid its letters."""
    return ", ".join(str(code) for code in text.encode())


def _whole(one: verdicts.Judged) -> bool:
    """Whether the operation was given the value and nothing else: whoever may say the whole of a command breaks out of nothing."""
    if one.event is None or one.event.kind not in ("process", "sql"):
        return False
    given = one.event.value
    with contextlib.suppress(ValueError, RecursionError):
        words = json.loads(given)
        if isinstance(words, list) and words and all(isinstance(word, str) for word in words):
            # What a shell is to run stands last; without one, the words of the value are the program and its arguments.
            given = words[-1] if one.event.shell else " ".join(words)
    return given.strip() == one.attempt.value.strip()


class _Shown:
    """Proofs without names of this run's folders."""

    def __init__(self, made: Folder, server: Server, replies: Mapping[str, Reply], starts: Mapping[str, int], ports: Iterable[int]) -> None:
        self._sink = ":".join(map(str, server.ports[1]))
        self._ports = {port: "model-port" for host, port in server.ports if host != SINK}
        self._ports |= dict.fromkeys(ports, "port")
        for usual in providers.PORTS:
            self._ports.pop(usual, None)
        self._starts = starts
        self._work = os.path.join(str(made.work), "")
        self._run = str(made.root)
        self._replies = replies

    def text(self, text: str) -> str:
        text = (
            text.replace(self._work, "")
            .replace(self._run, "{run}")
            .replace(self._sink, "{sink}")
            .replace(_codes(self._run), _codes("{run}"))
        )
        return _ADDRESS.sub(self._address, text)[: limits.PROVE_SHOWN]

    def _address(self, found: re.Match[str]) -> str:
        name = self._ports.get(int(found[2]))
        return f"{found[1]}:{{{name}}}" if name else found[0]

    def value(self, attempt: Attempt) -> str:
        """What was handed over; what is encoded is encoded anew, without names."""
        if by_id()[attempt.payload].language == "pickle-base64":
            with contextlib.suppress(ValueError):
                return base64.b64encode(self.text(base64.b64decode(attempt.value).decode()).encode()).decode()
        return self.text(attempt.value)

    def frame(self, file: str) -> str:
        for mark in ("/site-packages/", "/dist-packages/", "/node_modules/"):
            if mark in file:
                return "{packages}/" + file.rpartition(mark)[2]
        if file.startswith(self._work):
            return file.removeprefix(self._work)
        return file.replace(self._run, "{run}")

    def proof(self, one: verdicts.Judged) -> Proof:
        attempt, event = one.attempt, one.event
        sink_class = attempt.sink_class
        if event is not None and (sink_class.startswith("path-") or (sink_class == "url" and event.kind == "read")):
            sink_class = "path-write" if event.kind == "write" else "path-read"
        reply = self._replies.get(attempt.token)
        # An error stands at the end of what a command prints.
        told = "" if one.verdict.proof or reply is None else reply.text if reply.request else reply.text[-limits.PROVE_SHOWN :]
        return Proof(
            verdict=one.verdict.word,
            sink_class=sink_class,
            payload=attempt.payload,
            family=attempt.family,
            channel=attempt.channel,
            value=self.value(attempt),
            tool=attempt.tool,
            argument=attempt.argument,
            form=attempt.form,
            granted=one.verdict.proof and attempt.channel in ("tool", "mcp") and (not attempt.breaks or _whole(one)),
            event=event.call if event is not None else one.how,
            what=self.text(event.value) if event is not None else "",
            blocked=event is not None and event.blocked,
            stack=tuple(Frame(self.frame(frame.file), frame.line, frame.function) for frame in event.stack) if event is not None else (),
            refused=self.text(told),
            request=reply.request if reply is not None else "",
            token=attempt.token,
            start=self._starts[attempt.token],
        )

    def renamed(self, one: Proof) -> Proof:
        stack = tuple(msgspec.structs.replace(frame, file=self.frame(frame.file)) for frame in one.stack)
        return msgspec.structs.replace(one, stack=stack, what=self.text(one.what), value=self.text(one.value))
