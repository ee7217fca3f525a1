"""Runs a scenario: starts the application again and again against the compromised model, and gathers what came of each hostile value."""

from __future__ import annotations

import contextlib
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from headwater import limits
from headwater.findings import Review
from headwater.proofs import Proof, Run, Verdict
from headwater.prove import arguments, folder, launch, monitors, observe, plant, soundings, toolserver, verdicts
from headwater.prove.attempts import Attempt, Channel, Payload
from headwater.prove.drive import command, function, mcp, service
from headwater.prove.events import TOKEN, Control, Event
from headwater.prove.folder import Folder
from headwater.prove.outcome import Outcome
from headwater.prove.payloads import by_id, fill, looks, prepare, values
from headwater.prove.player import Player
from headwater.prove.replay import Record, Replayed
from headwater.prove.requests import Operation, of_route
from headwater.prove.scenario import Scenario
from headwater.prove.schemas import Known
from headwater.prove.server import Server
from headwater.prove.stage import DriveError, Reply, Stage
from headwater.prove.talk import Answer, Ask, Offered
from headwater.prove.toolserver import ToolServer
from headwater.prove.wire import providers

Progress = Callable[[str, int, int], None]
_ALWAYS: Final = 1 << 40  # requests that are answered honestly: all
_FIRST_OWN: Final = 0x8000  # of the four digits of a token: attempts of drivers count from here, those of the model from 1


class Campaign:
    """One scenario, from its first start to its last."""

    def __init__(
        self,
        scenario: Scenario,
        source: Path,
        made: Folder,
        server: Server,
        player: Player | Replayed,
        known: Sequence[Operation],
        played: Record | None,
        tools: ToolServer | None = None,
    ) -> None:
        self._tools = tools
        self._poisons = 0
        self._scenario = scenario
        self._source = source
        self._folder = made
        self._server = server
        self._player = player
        self._operations = known
        self._played = played
        self._from = (0, 0, 0)
        """Attempts of the model, own ones and exchanges before this start."""
        self._round_from = 0
        self._rounds = 0
        self._start_of: dict[str, int] = {}
        self._answers: dict[str, tuple[Answer, ...]] = {}
        """By token: what the model said in the round in which it was used."""
        self._classes = frozenset(scenario.classes) or None
        self._own: list[Attempt] = []
        self._known: dict[str, Known] = {}
        self._news: dict[str, bool] = {}
        self._settled: set[tuple[str, str, str]] = set()
        """Tool, argument and kind of payload of what is proved."""
        self._tried: set[tuple[str, str, str, bytes]] = set()
        self._offers: dict[str, Offered] = {}
        self._judged: dict[str, verdicts.Judged] = {}
        self._replies: dict[str, Reply] = {}
        self._observed: list[Proof] = []
        self._events: list[Event] = []
        """Of this start."""
        self._by_token: dict[str, list[Event]] = {}
        self._reader: monitors.Reader | None = None
        self._languages: dict[int, str] = {}
        """By process: what it runs."""
        self._asked: set[str] = set()
        """Tokens for which the sink was asked."""
        self._requests_seen = 0
        self._replies_seen = 0
        self._reached: dict[tuple[str, str], frozenset[str]] = {}
        """By tool and argument: sink classes of operations that what is given there comes to."""
        self._stage: Stage | None = None
        self._gaps: dict[str, None] = {}
        self._monitored = False
        self._renews = False
        """Whether each start has a home of its own."""
        self._starts = 0
        self._sends = 0
        self._trouble = ""
        self._ports: list[int] = []
        """Free ones that the application was given, start by start."""
        self.root = ""
        self.separate = False

    # ------------------------------------------------------------------------------------ what drivers ask (stage.Source)

    def hostile(self, tool: Offered, channel: Channel) -> Iterator[Attempt]:
        """One hostile argument after another, as long as there is something new to try."""
        known = self._known.setdefault(tool.name, Known(root=self.root))
        self._offers[tool.name] = tool
        if self._played is not None:
            attempt = self._played.attempt
            if attempt.channel == channel and attempt.tool == tool.name:
                payload = by_id()[attempt.payload]
                self._prepare(payload, values(attempt.token, self._folder.scratch, "", root=self.root))
                self._own.append(attempt)
                yield attempt
            return
        again = True
        while again:
            again = False
            plans = arguments.plans(tool, known, self._classes)
            for plan in soundings.ordered(plans, tool.name, self._reached):
                siblings = msgspec.json.encode(plan.place.put(""), enc_hook=str, order="deterministic")
                key = (tool.name, plan.argument, plan.payload.id, siblings)
                if key in self._tried or (tool.name, plan.argument, plan.payload.kind) in self._settled:
                    continue
                if len(self._own) >= _FIRST_OWN - 1:
                    self._gaps["not all values were tried: the tokens of one run are used up"] = None
                    return
                self._tried.add(key)
                self._news[tool.name] = False
                token, given = self._given(plan.payload, plan.benign, known)
                value = fill(plan.payload, given)
                attempt = Attempt(
                    token=token,
                    payload=plan.payload.id,
                    sink_class=plan.payload.sink_class,
                    family=plan.payload.family,
                    breaks=plan.payload.breaks,
                    channel=channel,
                    value=value,
                    tool=tool.name,
                    argument=plan.argument,
                    run=self._starts,
                    arguments=plan.place.put(value),
                )
                self._own.append(attempt)
                before = self._reached.get((tool.name, plan.argument))
                yield attempt
                # Valid values, or an operation that the argument comes to, have become known: what is left is planned again.
                if self._news[tool.name] or self._reached.get((tool.name, plan.argument)) != before:
                    again = True
                    break

    def _given(self, payload: Payload, benign: str, known: Known) -> tuple[str, dict[str, str]]:
        token = f"{self._scenario.prefix}{_FIRST_OWN + len(self._own) + 1:04x}"
        given = values(token, self._folder.scratch, self._server.sink(token), benign=benign, root=known.root or self.root, host=known.host)
        self._prepare(payload, given)
        return token, given

    def _prepare(self, payload: Payload, given: Mapping[str, str]) -> None:
        """Makes the files that a payload is about."""
        prepare(payload, given, self._folder.scratch)
        if self.root and payload.sink_class == "path-read" and "{root}_evil" in payload.text:
            (Path(f"{self.root}_evil") / given["token"]).write_text(given["word"], encoding="ascii")

    def told(self, attempt: Attempt | None, text: str) -> None:
        """Takes from an answer what it says of valid values."""
        if attempt is not None and (tool := self._offers.get(attempt.tool)) is not None:
            self._news[tool.name] = arguments.learn(self._known[tool.name], tool, text, attempt.argument) or self._news.get(
                tool.name, False
            )

    def goes_on(self) -> bool:
        """Looks at what was seen; whether the model has anything left to try in this start. Each request is a round of its own to the
        model."""
        self._look()
        self._next_round()
        return not self._player.exhausted and self._rounds < limits.PROVE_SENDS

    def _next_round(self) -> None:
        self._player.heard(self._events)
        self._rounds += 1
        self._round_from = len(self._server.exchanges)
        self._player.begin(self._rounds)

    def asks(self) -> int:
        """Requests that the model was asked so far."""
        return sum(one.ask is not None for one in self._server.exchanges)

    def tried(self) -> int:
        """Hostile values of the model so far."""
        return len(self._player.attempts)

    # ------------------------------------------------------------------------------------ starts

    def run(self, progress: Progress | None) -> None:
        """Starts the application until everything was tried, something was proved, or the most starts were made."""
        scenario = self._scenario
        separate = self.separate = self._separate()
        if self._server.authority is None:
            self._gaps["clients that speak HTTPS to a fixed address are not answered: pip install 'headwater[prove]'"] = None
        reachable = (*self._server.ports, *((("127.0.0.1", self._tools.port),) if self._tools is not None else ()))
        with launch.network(self._folder, launch.Network(reachable, separate)) as ports:
            for number in range(1, scenario.starts + 1):
                if progress is not None:
                    progress("starts", number, scenario.starts)
                self._starts = number
                # One file in each start: what one has broken would hide the next.
                planted = scenario.plant[number - 1] if number <= len(scenario.plant) else ""
                try:
                    self._start(number, ports if separate else None, planted)
                except OSError as error:
                    if number == 1 and not self._stage:
                        raise  # the application itself cannot be read
                    self._trouble = f"the folder of the run is not as it was left: {error.strerror or error}"
                    break
                except DriveError as error:
                    if not planted:
                        self._trouble = str(error)
                        break
                finally:
                    self._finish()
                if planted:
                    continue
                if self._done() or self._quiet():
                    break
            else:
                if not self._player.exhausted and not self._proved:
                    self._gaps[f"not all was tried: {scenario.starts} starts are the most (--starts)"] = None

    def _quiet(self) -> bool:
        """Whether the application asks the model no more. It may have kept an earlier answer: from then on each start has a new home."""
        asked = any(one.ask is not None and one.ask.purpose != "embedding" for one in self._server.exchanges[self._from[2] :])
        if asked or not self.asks():
            return False
        if self._renews:
            self._gaps["not all was tried: the application asked the model in its first starts only"] = None
            return True
        self._renews = True
        return False

    @property
    def _proved(self) -> bool:
        return any(one.verdict is Verdict.EFFECT or one.how == "answer" for one in self._judged.values())

    def _done(self) -> bool:
        if self._tools is not None:
            return self._tools.exhausted or not self._tools.attempts or (self._proved and not self._scenario.go_on)
        if self._scenario.mcp or (self._scenario.serve and not self.asks()):
            return True
        return self._player.exhausted or not self._player.attempts or (self._proved and not self._scenario.go_on)

    def _separate(self) -> bool:
        if not launch.can_separate():
            self._gaps["the network is that of this machine: this system lets no process have one of its own"] = None
            return False
        return True

    def _plant(self, name: str) -> None:
        """Puts a hostile file in the place of one that the application reads."""
        if self._played is not None:
            token, payload = self._played.attempt.token, by_id()[self._played.attempt.payload]
            given = values(token, self._folder.scratch, self._server.sink(token))
        else:
            payload = plant.payload_for(name)
            token, given = self._given(payload, "", Known())
        value = fill(payload, given)
        plant.put(self._folder.work, name, value)
        self._own.append(
            Attempt(
                token=token,
                payload=payload.id,
                sink_class=payload.sink_class,
                family=payload.family,
                breaks=payload.breaks,
                channel="document",
                value=value,
                tool=name,
                run=self._starts,
            )
        )

    def _start(self, number: int, ports: Sequence[tuple[str, int, str]] | None, planted: str) -> None:
        scenario, made = self._scenario, self._folder
        folder.copy(self._source, made)
        if self._renews:
            folder.renew(made)
        self._from = (len(self._player.attempts), len(self._own), len(self._server.exchanges))
        if planted:
            self._plant(planted)
        port = scenario.port or launch.free_port()
        if not scenario.port:
            self._ports.append(port)
        self.root = self._root()
        events = made.events(number)
        events.mkdir()
        self._reader, self._events, self._replies_seen = monitors.Reader(events), [], 0
        control = Control(
            folder=str(events),
            prefix=self._played.prefix if self._played is not None else scenario.prefix,
            block=scenario.block,
            scratch=str(made.scratch),
            hosts=("*",),
            redirect=self._server.port,
            authority=str(self._server.authority.file) if self._server.authority else "",
        )
        place = made.wire / f"control-{number}.json"
        place.write_bytes(msgspec.json.encode(control))
        own = {name: self._said(value, port) for name, value in scenario.env.items()}
        environment = launch.environment(made, self._server.environment(), own, monitors.environment(place))
        stage = Stage(made, made.work, environment, scenario.timeout, self, ports, number)
        self._stage = stage
        if self._tools is not None:
            self._tools.begin()
            self._poisons = 0
        self._rounds += 1
        self._round_from = len(self._server.exchanges)
        self._player.begin(self._rounds)
        words = [self._said(one, port) for one in scenario.words]
        if scenario.run:
            command.drive(stage, words)
        elif scenario.serve:
            service.drive(stage, words, scenario.requests, scenario.headers, scenario.openapi, self._operations, port)
        elif scenario.call:
            function.drive(stage, scenario.python, scenario.call, scenario.args, scenario.kwargs)
        elif scenario.path:
            mcp.drive_http(stage, words, port, scenario.path)
        else:
            mcp.drive(stage, words)

    def _said(self, text: str, port: int) -> str:
        """A word of a command with its placeholders filled in."""
        if self._tools is not None:
            text = text.replace("{tools}", self._tools.url)
            text = text.replace("{tools-command}", shlex.join((sys.executable, "-I", str(toolserver.BRIDGE), self._tools.url)))
        return text.replace("{port}", str(port)).replace("{work}", str(self._folder.work)).replace("{model}", self._server.base)

    def _root(self) -> str:
        """The folder that the application may use, with one beside it whose name begins the same."""
        scenario, work = self._scenario, self._folder.work
        words = [scenario.root] if scenario.root else [word for word in scenario.words[1:] if scenario.mcp and "/" in word]
        return folder.usable(work, [self._said(word, 0) for word in words])

    # ------------------------------------------------------------------------------------ what came of it

    def _finish(self) -> None:
        """Takes over what a start showed."""
        stage = self._stage
        if stage is None:
            return
        self._look()
        self._player.heard(self._events)
        self._gaps.update(dict.fromkeys(stage.notes))
        told = [turn.text for one in self._server.exchanges[self._from[2] :] if one.ask for turn in one.ask.turns if turn.role == "system"]
        known = {one.token for one in self._observed}
        for attempt, text in observe.instructions(told, self._own[self._from[1] :]):
            if attempt.token not in known:
                reply = self._replies.get(attempt.token)
                self._observed.append(observe.as_instructions(attempt, text, reply.request if reply is not None else "", self._starts))
        if (self._reader is not None and self._reader.cut) or any(event.kind == "lost" for event in self._events):
            self._gaps["not all that the application did was noted: there was too much of it"] = None
        self._observed += [*stage.observed, *observe.listening(self._events), *observe.certificates(self._server.requests, self._by_token)]
        self._sends += stage.sends
        self._stage = None

    def _look(self) -> None:
        """Judges the attempts of this start by what is known now."""
        stage = self._stage
        assert stage is not None
        assert self._reader is not None
        if self._tools is not None:
            fresh_own = self._tools.attempts[self._poisons :]
            self._own += [msgspec.structs.replace(one, run=stage.number) for one in fresh_own]
            self._poisons += len(fresh_own)
        fresh: set[str] = set()
        """Tokens of which something new is known: what else is judged anew would be judged the same."""
        for event in self._reader.news():
            self._events.append(event)
            if event.kind == "start":
                self._monitored = True
                self._languages[event.pid] = "python" if event.call.startswith("python") else "javascript"
            fresh.update(event.tokens)
            for token in event.tokens:
                self._by_token.setdefault(token, []).append(event)
        for request in self._server.requests[self._requests_seen :]:
            text = " ".join((request.url, *request.headers.values(), request.body.decode("utf-8", "replace")))
            found = [match for match in re.findall(TOKEN, text) if request.url.endswith(f"/{match}") or f"{match}?" in request.url]
            self._asked.update(found)
            fresh.update(found)
        self._requests_seen = len(self._server.requests)
        own = {one.attempt.token: one for one in stage.replies[self._replies_seen :] if one.attempt is not None}
        general = [one for one in stage.replies[self._replies_seen :] if one.attempt is None]
        self._replies_seen = len(stage.replies)
        self._replies.update(own)
        said = tuple(
            one.answer for one in self._server.exchanges[self._round_from :] if one.ask is not None and one.ask.purpose != "embedding"
        )
        for attempt in (*self._player.attempts[self._from[0] :], *self._own[self._from[1] :]):
            if attempt.token not in self._start_of:
                self._start_of[attempt.token] = stage.number
                self._answers[attempt.token] = said if attempt.channel in ("text", "tool") else ()
            if general and attempt.channel in ("text", "tool"):
                self._replies.setdefault(attempt.token, general[-1])
            before = self._judged.get(attempt.token)
            if before is not None and (before.verdict is Verdict.EFFECT or (attempt.token not in fresh and attempt.token not in own)):
                continue
            payload = by_id()[attempt.payload]
            replies = [own[attempt.token]] if attempt.token in own else [] if attempt.channel in ("http", "mcp") else general
            given = values(attempt.token, self._folder.scratch, self._server.sink(attempt.token), root=self.root)
            judged = verdicts.judge(
                attempt,
                payload,
                self._by_token.get(attempt.token, ()),
                asked=attempt.token in self._asked,
                answered=[(one.text, one.html) for one in replies],
                looks=looks(payload, given),
                written=(self._folder.scratch / attempt.token).exists(),
                where=verdicts.Where(
                    work=str(self._folder.work),
                    root=self.root,
                    home=str(self._folder.home),
                    scratch=str(self._folder.scratch),
                    canary=given["canary"],
                    secret=given["secret"],
                    sink=":".join(map(str, self._server.ports[1])),
                    languages=self._languages,
                ),
            )
            if judged.how == "answer":
                shown = next(
                    (one for one in replies if verdicts.shown(attempt, payload, [(one.text, one.html)], looks(payload, given))), None
                )
                if shown is not None:
                    self._replies[attempt.token] = shown
            if before is not None and before.verdict >= judged.verdict:
                continue
            self._judged[attempt.token] = judged
            if attempt.tool and judged.verdict > Verdict.NOT_REACHED:
                place = (attempt.tool, attempt.argument)
                kinds = {one.kind for one in self._by_token.get(attempt.token, ())}
                self._reached[place] = self._reached.get(place, frozenset()) | soundings.classes_of(kinds)
            if judged.verdict is Verdict.EFFECT or judged.how == "answer":  # what only ran may do more with another payload
                if attempt.channel in ("http", "mcp"):
                    self._settled.add((attempt.tool, attempt.argument, payload.kind))
                else:
                    self._player.settle({attempt.token})

    # ------------------------------------------------------------------------------------ the result

    def outcome(self) -> Outcome:
        """What the scenario showed."""
        return Outcome(
            self._scenario,
            self._folder,
            self._server,
            model=self._player.attempts,
            own=self._own,
            judged=self._judged,
            replies=self._replies,
            observed=self._observed,
            answers=self._answers,
            start_of=self._start_of,
            tools=self._offers,
            starts=self._starts,
            sends=self._sends,
            monitored=self._monitored,
            trouble=self._trouble,
            gaps=self._gaps,
            ports=self._ports,
        )


def run(
    scenario: Scenario, source: Path, known: Sequence[Operation] = (), progress: Progress | None = None, record: Record | None = None
) -> tuple[Run, list[Record]]:
    """Runs one scenario on a copy of ``source``; with a ``record`` once, to have its proof again. Returns the result, and a record of
    each proof.

    Raises ``folder.CopyError``, ``scenario.ScenarioError``.
    """
    with contextlib.ExitStack() as stack:
        made = stack.enter_context(folder.made())
        holder: list[Server] = []
        classes = frozenset(scenario.classes) or None
        honest = _ALWAYS if scenario.play == "tools" else scenario.honest
        player: Player | Replayed = Player(
            scenario.prefix, made.scratch, lambda token: holder[0].sink(token), classes=classes, honest=honest
        )
        tools = stack.enter_context(ToolServer(player.take, classes)) if scenario.play == "tools" and isinstance(player, Player) else None
        played: Record | None = None
        model = _Model()
        server = stack.enter_context(Server(model, folder=made.wire, ports=providers.PORTS))
        holder.append(server)
        if record is not None:
            played = record.told(made.root, server.ports[1][1])
            player = Replayed(played)
            planted = (record.attempt.tool,) if record.attempt.channel == "document" else ()
            scenario = msgspec.structs.replace(scenario, starts=1, plant=planted)
        model.player = player
        campaign = Campaign(scenario, source, made, server, player, known, played, tools)
        campaign.run(progress)
        outcome = campaign.outcome()
        return outcome.result(campaign.separate), outcome.records()


class _Model:
    """Who plays the model: a server needs one before the addresses are known that its answers hold."""

    player: Player | Replayed

    def answer(self, ask: Ask) -> Answer:
        return self.player.answer(ask)


def known(review: Review) -> list[Operation]:
    """Operations of a service that the system map of a review shows."""
    routes = [one.detail["route"] for one in review.system.components if one.type == "entry-point" and "route" in one.detail]
    return [operation for route in dict.fromkeys(routes) if (operation := of_route(route)) is not None]
