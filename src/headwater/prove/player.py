"""Plays the compromised model: decides on each answer, and keeps what was tried, so that each start of it tries what is new."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec

from headwater.limits import PROVE_ASKS, PROVE_CANDIDATES, PROVE_PROMPT_CHARS, PROVE_ROUNDS, PROVE_SEATS
from headwater.prove import arguments, forms, payloads, schemas, soundings
from headwater.prove.arguments import BREADTH
from headwater.prove.attempts import Attempt, Payload
from headwater.prove.candidates import Candidate, benign, candidates, dress
from headwater.prove.events import Event
from headwater.prove.talk import Answer, Ask, Call, Offered, Turn

FLOOR: Final = 0.08  # of the weight of what is worth a start of the application
SAME: Final = 0.75  # of the words of two questions, of which one place asks both: templates are filled in with data and questions
UNHEARD: Final = 0.25  # of the weight of a form in which nothing was seen, at the least
TOGETHER: Final = 4  # payloads for a page in one answer: none disturbs another
DONE: Final = "Done."
RAN: Final = frozenset({"exec", "process", "read", "write", "sql", "connect", "request", "import", "unpickle", "template"})


class Seat(msgspec.Struct):
    """A place of the application where it asks a model: told by what the question looks like."""

    shape: str
    words: frozenset[str]
    """Of the first question."""
    ask: Ask
    """The last one."""
    tried: set[str] = msgspec.field(default_factory=set)
    forms: dict[str, float] = msgspec.field(default_factory=dict)
    """How much more, or less, likely than thought a form became."""
    read: set[str] = msgspec.field(default_factory=set)
    """Forms that the application read."""
    families: dict[str, float] = msgspec.field(default_factory=dict)
    settled: set[tuple[str, str]] = msgspec.field(default_factory=set)
    """Arguments (empty: the text) and sink classes that are proved."""
    known: dict[str, schemas.Known] = msgspec.field(default_factory=dict)
    """By tool."""
    reached: dict[tuple[str, str], frozenset[str]] = msgspec.field(default_factory=dict)
    """By tool and argument: the sink classes of operations that it comes to."""
    places: dict[str, int] = msgspec.field(default_factory=dict)
    """How often each value in JSON, or tool in words, was tried."""
    missed: int = 0
    """Starts that were for this place and did not come to it."""
    # Of one start:
    asked: int = 0
    calls: int = 0
    """Of tools, since the last answer in words."""
    last: Attempt | None = None
    complaints: tuple[int, int] = (0, 0)
    """Words of errors in the last question."""


class Planned(msgspec.Struct, frozen=True):
    """A call of a tool to be made."""

    tool: Offered
    plan: arguments.Plan
    key: str


class Player:
    """A model that says what an attacker wants, in the form that the application reads."""

    def __init__(
        self,
        prefix: str,
        scratch: Path,
        sink: Callable[[str], str],
        *,
        classes: frozenset[str] | None = None,
        honest: int = 0,
        rounds: int = PROVE_ROUNDS,
    ) -> None:
        self.prefix = prefix
        self.scratch = scratch
        self.sink = sink
        self.classes = classes
        self.honest = honest
        self.rounds = rounds
        self.attempts: list[Attempt] = []
        self.seats: list[Seat] = []
        self.run = 1
        self._seat_of: dict[str, Seat] = {}
        self._taken = 0
        self._first = 0
        """The first attempt of this start."""
        self._asks = 0
        self._hostile = 0
        self._focus: Seat | None = None
        self._scouts = False
        self._heard = False

    # Starts of the application

    def begin(self, run: int) -> None:
        """Called before each start. A later one is for one place: those before it are answered honestly, so that it is reached."""
        if self._focus is not None and self._asks and not self._focus.asked:
            self._focus.missed += 1
        # What comes behind a place that was attacked first may never have been asked.
        self._scouts = run == 2 and self._unsure
        self.run = run
        self._first = len(self.attempts)
        self._asks = self._hostile = 0
        for seat in self.seats:
            seat.asked = seat.calls = 0
            seat.last = None
            seat.complaints = (0, 0)
        self._focus = None
        if run > 1 and not self._scouts:
            best = [(self._best(seat) * 0.6**seat.missed, -number, seat) for number, seat in enumerate(self.seats)]
            worth = [item for item in best if item[0] >= FLOOR]
            self._focus = max(worth, key=lambda item: item[:2])[2] if worth else None

    @property
    def exhausted(self) -> bool:
        """Nothing new would be tried at any place seen so far."""
        if not self.seats:
            return False
        if self.run == 1 and self._unsure:
            return False
        return all(self._best(seat) * 0.6**seat.missed < FLOOR for seat in self.seats)

    @property
    def _unsure(self) -> bool:
        """Whether nothing is known of what was answered in words so far."""
        return not self._heard and any(attempt.channel == "text" for attempt in self.attempts)

    def settle(self, tokens: Iterable[str]) -> None:
        """These attempts are proved: the same place and class is not tried again."""
        by_token = {attempt.token: attempt for attempt in self.attempts}
        for token in tokens:
            attempt = by_token.get(token)
            if attempt is not None and token in self._seat_of:
                place = f"{attempt.tool}.{attempt.argument}" if attempt.tool else ""
                self._seat_of[token].settled.add((place, payloads.by_id()[attempt.payload].kind))

    def heard(self, events: Iterable[Event]) -> None:
        """What monitors saw in this start: forms that were read are kept to, families that were read and not run are left."""
        kinds: dict[str, set[str]] = {}
        for event in events:
            for token in event.tokens:
                kinds.setdefault(token, set()).add(event.kind)
        for attempt in self.attempts[self._first :]:
            seat = self._seat_of.get(attempt.token)
            if attempt.channel == "tool" and seat is not None:
                argument = (attempt.tool, attempt.argument)
                seat.reached[argument] = seat.reached.get(argument, frozenset()) | soundings.classes_of(kinds.get(attempt.token, ()))
            if attempt.run != self.run or attempt.channel != "text" or seat is None:
                continue
            seen = kinds.get(attempt.token, set()) & (RAN | {"compile"})
            family = f"{attempt.sink_class} {attempt.family}"
            if seen:
                self._heard = True
                seat.read.add(attempt.form)
                if not seen & RAN:
                    seat.families[family] = seat.families.get(family, 1) * 0.25
            elif "answer" not in payloads.by_id()[attempt.payload].shows:
                if attempt.form in seat.read:
                    seat.families[family] = seat.families.get(family, 1) * 0.4
                else:
                    # A check of the text refuses before anything is compiled, so the likeliest form is never given up.
                    seat.forms[attempt.form] = max(UNHEARD, seat.forms.get(attempt.form, 1) * 0.5)

    # Answers

    def answer(self, ask: Ask) -> Answer:
        """The answer to a request."""
        if ask.purpose not in {"chat", "completion"}:
            return Answer(text=DONE)
        self._asks += 1
        seat = self._seat(ask)
        if seat is None:
            return self._plain(ask, forms.wants(ask))
        self._read(seat, ask)
        seat.asked += 1
        if _at(seat, ask):  # one that only asks for better says nothing of what the next start will ask
            seat.ask = ask
        if not any(turn.role == "tool" for turn in _since_user(ask)):
            seat.calls = 0
        wanted = forms.wants(ask)
        if self._may(seat):
            made = self._attack(seat, ask, wanted)
            if made is not None:
                self._hostile += 1
                return made
        return self._plain(ask, wanted)

    def _may(self, seat: Seat) -> bool:
        if self._asks <= self.honest or self._hostile >= PROVE_ASKS:
            return False
        if self._scouts:
            return not seat.tried or seat.asked > 1
        return self._focus is None or seat is self._focus or not seat.tried or self._focus.asked > 0

    def _attack(self, seat: Seat, ask: Ask, wanted: forms.Wants) -> Answer | None:
        if ask.tools and ask.forced != "none" and (seat.calls < self.rounds or ask.forced):
            planned = next(iter(self._planned(seat, ask)), None)
            if planned is not None:
                return self._call(seat, ask, planned)
        seat.calls = 0
        chosen = self._texts(seat, ask, wanted)
        if not chosen or (ask.forced and ask.forced != "none"):
            return None
        first = chosen[0]
        together = [first]
        if first.payload.sink_class == "html" and not first.form.quote:
            together += [one for one in chosen[1:] if one.payload.sink_class == "html" and one.form == first.form][: TOGETHER - 1]
        return self._say(seat, together)

    def _texts(self, seat: Seat, ask: Ask, wanted: forms.Wants) -> list[Candidate]:
        """Answers in words that are worth trying, the best first."""
        if sum(1 for key in seat.tried if not key.startswith("call ")) >= PROVE_CANDIDATES:
            return []
        found: list[tuple[float, int, Candidate]] = []
        for candidate in candidates(forms.forms(ask, wanted), wanted, self.classes):
            payload, form = candidate.payload, candidate.form
            if candidate.key in seat.tried or ("", payload.kind) in seat.settled:
                continue
            weight = candidate.weight * seat.forms.get(form.name, 1) * seat.families.get(f"{payload.sink_class} {payload.family}", 1)
            if seat.read and form.name not in seat.read:
                weight *= 0.15
            if weight >= FLOOR:
                found.append((-weight * BREADTH ** seat.places.get(form.slot, 0), len(found), candidate))
        return [candidate for _, _, candidate in sorted(found, key=lambda item: item[:2])]

    def _planned(self, seat: Seat, ask: Ask) -> list[Planned]:
        """Calls that are worth trying, the best first."""
        found: list[tuple[float, int, Planned]] = []
        for tool in ask.tools:
            if ask.forced not in {"", "any", tool.name}:
                continue
            plans = arguments.plans(tool, seat.known.get(tool.name), self.classes)
            for plan in soundings.ordered(plans, tool.name, seat.reached):
                place = f"{tool.name}.{plan.argument}"
                siblings = json.dumps(plan.place.put(""), sort_keys=True, default=str)
                key = f"call {place} {plan.payload.id} {siblings}"
                if key in seat.tried or (place, plan.payload.kind) in seat.settled:
                    continue
                if plan.weight >= FLOOR:
                    # What it is known to come to goes before what its name says.
                    known = plan.payload.sink_class in seat.reached.get((tool.name, plan.argument), ())
                    found.append((-plan.turn - known, len(found), Planned(tool, plan, key)))
        return [planned for _, _, planned in sorted(found, key=lambda item: item[:2])]

    def _best(self, seat: Seat) -> float:
        """The weight of the best that is left at a place."""
        found = 0.0
        if seat.ask.tools and seat.ask.forced != "none":
            for planned in self._planned(seat, seat.ask)[:1]:
                found = planned.plan.weight
        wanted = forms.wants(seat.ask)
        if not seat.ask.forced or seat.ask.forced == "none":
            for candidate in self._texts(seat, seat.ask, wanted)[:1]:
                found = max(found, candidate.weight * seat.forms.get(candidate.form.name, 1))
        return found

    def _call(self, seat: Seat, ask: Ask, planned: Planned) -> Answer:
        plan, tool = planned.plan, planned.tool
        token, value = self.take(plan.payload, plan.benign, seat.known.get(tool.name))
        given = plan.place.put(value)
        seat.tried.add(planned.key)
        seat.calls += 1
        said = json.dumps({"tool": tool.name, "arguments": given}, ensure_ascii=False, default=str)
        self._note(
            seat,
            Attempt(
                token, plan.payload.id, plan.payload.sink_class, plan.payload.family, plan.payload.breaks, "tool", value,
                form=ask.wire, tool=tool.name, argument=plan.argument, run=self.run, said=said, arguments=given,
            ),
        )  # fmt: skip
        return Answer(calls=(Call(tool.name, given),))

    def _say(self, seat: Seat, together: list[Candidate]) -> Answer:
        filled = [(candidate, *self.take(candidate.payload, "1")) for candidate in together]
        text = "\n\n".join(dress(value, candidate) for candidate, _, value in filled)
        for candidate, token, value in filled:
            payload, form = candidate.payload, candidate.form
            seat.tried.add(candidate.key)
            if form.slot:
                seat.places[form.slot] = seat.places.get(form.slot, 0) + 1
            self._note(
                seat,
                Attempt(
                    token, payload.id, payload.sink_class, payload.family, payload.breaks, "text", value,
                    form=form.name, argument=form.slot, run=self.run, said=text,
                ),
            )  # fmt: skip
        return Answer(text=text)

    def take(self, payload: Payload, valid: str, known: schemas.Known | None = None) -> tuple[str, str]:
        """The next token, and the payload filled in with it; ``valid`` is the value that the payload takes the place of."""
        self._taken += 1
        token = f"{self.prefix}{self._taken:04x}"
        root = known.root if known else ""
        given = payloads.values(token, self.scratch, self.sink(token), benign=valid, root=root, host=known.host if known else "")
        payloads.prepare(payload, given, self.scratch)
        return token, payloads.fill(payload, given)

    def _plain_file(self) -> Path:
        """A file that is there, for arguments that must name one."""
        path = self.scratch / "plain.txt"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("A line of text.\n", encoding="utf-8")
        return path

    def _note(self, seat: Seat, attempt: Attempt) -> None:
        self.attempts.append(attempt)
        self._seat_of[attempt.token] = seat
        seat.last = attempt

    def _plain(self, ask: Ask, wanted: forms.Wants) -> Answer:
        """What an honest model would answer."""
        results = [turn for turn in _since_user(ask) if turn.role == "tool"]
        if ask.tools and ask.forced != "none" and (not results or ask.forced):
            tool = next((tool for tool in ask.tools if tool.name == ask.forced), ask.tools[0])
            if not results or ask.forced == tool.name:
                return Answer(calls=(Call(tool.name, arguments.benign(tool)),))
        if ask.tools and not ask.schema:
            return Answer(text=DONE)
        if ask.schema is not None:
            return Answer(text=json.dumps(schemas.valid(ask.schema, ask.schema), default=str))
        found = forms.forms(ask, wanted)
        final = next((form for form in found if form.name == "react-answer"), None)
        form = final or found[0]
        return Answer(text=form.dress(DONE) if final else benign(form, wanted))

    # Places

    def _seat(self, ask: Ask) -> Seat | None:
        shaped, said = shape(ask), words(ask)
        near = [(alike(said, seat.words), -number) for number, seat in enumerate(self.seats) if seat.shape == shaped]
        closest, number = max(near, default=(0.0, 0))
        if closest >= SAME:
            return self.seats[-number]
        # A new question that holds what was answered before, and words of failure, is the application asking for better.
        text = forms.prompt_of(ask)
        again = next((attempt for attempt in reversed(self.attempts) if attempt.run == self.run and attempt.token in text), None)
        if again is not None and again.channel == "text" and not ask.tools and forms.FAILED.search(text):
            return self._seat_of[again.token]
        if len(self.seats) >= PROVE_SEATS:
            return None
        self.seats.append(Seat(shaped, said, ask))
        return self.seats[-1]

    def _read(self, seat: Seat, ask: Ask) -> None:
        """Learns from what the application says to the last answer."""
        attempt = seat.last
        for turn in _since_user(ask):
            tool = next((tool for tool in ask.tools if tool.name == turn.tool), None) if turn.role == "tool" else None
            if tool is not None:
                argument = attempt.argument if attempt is not None and attempt.tool == tool.name else ""
                known = seat.known.setdefault(tool.name, schemas.Known())
                arguments.learn(known, tool, turn.text, argument, str(self._plain_file()))
        text = forms.prompt_of(ask)[-6_000:]
        complaints = (len(forms.UNPARSED.findall(text)), len(forms.REFUSED.findall(text)))
        if attempt is not None and attempt.channel == "text":
            if complaints[0] > seat.complaints[0]:
                seat.forms[attempt.form] = seat.forms.get(attempt.form, 1) * 0.35
            elif complaints[1] > seat.complaints[1]:
                family = f"{attempt.sink_class} {attempt.family}"
                seat.families[family] = seat.families.get(family, 1) * 0.3
        seat.complaints = complaints


def _since_user(ask: Ask) -> list[Turn]:
    """The turns behind the last one of the user."""
    for index in range(len(ask.turns) - 1, -1, -1):
        if ask.turns[index].role == "user":
            return list(ask.turns[index + 1 :])
    return list(ask.turns)


def _at(seat: Seat, ask: Ask) -> bool:
    """Whether the question is the one of the place, and not another that came of its answer."""
    return seat.shape == shape(ask) and alike(words(ask), seat.words) >= SAME


def shape(ask: Ask) -> str:
    """What is the same whenever a place asks: the tools, and how it wants the answer."""
    parts = {
        "tools": sorted(tool.name for tool in ask.tools),
        "schema": json.dumps(ask.schema, sort_keys=True, default=str) if ask.schema is not None else "",
        "json": ask.json,
    }
    return hashlib.blake2s(json.dumps(parts, sort_keys=True).encode(errors="replace"), digest_size=8).hexdigest()


def words(ask: Ask) -> frozenset[str]:
    """The words of its prompt, without those that hold digits: times, tokens and names that change from start to start."""
    first = [turn.text for turn in ask.turns if turn.role == "system"][:1] + [turn.text for turn in ask.turns if turn.role == "user"][:1]
    text = "\n".join(first)[:PROVE_PROMPT_CHARS]
    return frozenset(re.findall(r"(?<![\w])[^\W\d_]{2,}(?![\w])", text.lower()))


def alike(one: frozenset[str], two: frozenset[str]) -> float:
    """The share of words that two prompts have in common."""
    return len(one & two) / len(one | two) if one | two else 1.0
