"""What a run shows beside hostile values: where the application listens, whom it lets in, whose certificates it takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from headwater import limits
from headwater.proofs import Frame, Proof, Verdict
from headwater.prove.attempts import Attempt
from headwater.prove.events import TOKEN, Event
from headwater.prove.server import Seen

RULES: Final[Mapping[str, frozenset[str]]] = {
    "listen": frozenset({"bind-all-interfaces"}),
    "tls": frozenset({"tls-verification-off"}),
    "cors": frozenset({"wildcard-cors-with-credentials"}),
    "open-model": frozenset({"unlimited-model-for-anybody"}),
}
"""By what was observed: the rules whose findings it proves."""

ORIGIN: Final = "https://origin.invalid"
"""A website that no application knows."""
OBSERVED: Final = "observed"
"""What stands in the place of a payload."""
_EVERYWHERE: Final = ("0.0.0.0", "::", "[::]", "")


def _seen(sink_class: str, event: str, what: str, *, stack: tuple[Frame, ...] = (), request: str = "", value: str = "") -> Proof:
    """A proof of something that no hostile value brought about."""
    return Proof(
        verdict=Verdict.EFFECT.word,
        sink_class=sink_class,
        payload=OBSERVED,
        family=OBSERVED,
        channel="http" if request else "start",
        value=value,
        event=event,
        what=what,
        stack=stack,
        request=request,
    )


def listening(events: Iterable[Event]) -> list[Proof]:
    """The address of all interfaces at which it listened, the first of several."""
    for event in events:
        host, colon, _ = event.value.rpartition(":")  # a socket of this machine's own has a path for an address
        if event.kind == "listen" and colon and host in _EVERYWHERE:
            return [_seen("listen", event.call, f"listens at {host or '*'}, which other machines reach", stack=_stack(event))]
    return []


def certificates(requests: Iterable[Seen], by_token: Mapping[str, Sequence[Event]]) -> list[Proof]:
    """A request by HTTPS to the sink, whose certificate nobody has signed: who sends one takes any."""
    for request in requests:
        found = re.search(TOKEN, request.url)
        if request.via != "sink" or not request.method or not request.url.startswith("https:") or found is None:
            continue
        event = next((one for one in by_token.get(found[0], ()) if one.kind in ("request", "connect")), None)
        what = "a request was sent by HTTPS to a server whose certificate nobody has signed"
        return [_seen("tls", event.call if event is not None else "request", what, stack=_stack(event))]
    return []


def cors(headers: Mapping[str, str], request: str) -> Proof | None:
    """Whether an answer lets any website read it with the visitor's cookies (Fetch standard, 3.2 CORS protocol)."""
    allowed = headers.get("access-control-allow-origin", "")
    if allowed != ORIGIN or headers.get("access-control-allow-credentials", "").lower() != "true":
        return None
    what = f"Access-Control-Allow-Origin: {allowed}, Access-Control-Allow-Credentials: true"
    return _seen("cors", "answer", what, request=request, value=f"Origin: {ORIGIN}")


def open_model(request: str, asks: int) -> Proof:
    """A request without any credentials had the model asked."""
    times = f"{asks} time{'' if asks == 1 else 's'}"
    what = f"the model was asked {times} for somebody who had not said who it was"
    return _seen("open-model", "answer", what, request=request, value="a request without credentials")


def _stack(event: Event | None) -> tuple[Frame, ...]:
    return tuple(Frame(one.file, one.line, one.function) for one in event.stack) if event is not None else ()


def instructions(texts: Iterable[str], attempts: Sequence[Attempt]) -> Iterator[tuple[Attempt, str]]:
    """Hostile values of clients that the application put into what it tells the model as its own instructions, each once."""
    waiting = {one.token: one for one in attempts}
    for text in texts:
        for token in re.findall(TOKEN, text):
            if (attempt := waiting.pop(token, None)) is not None:
                yield attempt, text[max(0, text.find(token) - 100) :][: limits.PROVE_SHOWN]


def as_instructions(attempt: Attempt, text: str, request: str, start: int) -> Proof:
    """The proof of it."""
    return Proof(
        verdict=Verdict.EFFECT.word,
        sink_class="prompt-system",
        payload=attempt.payload,
        family=attempt.family,
        channel=attempt.channel,
        value=attempt.value,
        tool=attempt.tool,
        argument=attempt.argument,
        event="the model's instructions",
        what=text,
        request=request,
        token=attempt.token,
        start=start,
    )
