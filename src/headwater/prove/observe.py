"""What a run shows beside hostile values: where the application listens, whom it lets in, whose certificates it takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from headwater.proofs import Frame, Proof, Verdict
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
_EVERYWHERE: Final = ("0.0.0.0", "::", "[::]", "")


def listening(events: Iterable[Event]) -> list[Proof]:
    """The addresses of all interfaces at which it listened."""
    made: dict[str, Proof] = {}
    for event in events:
        host, colon, _ = event.value.rpartition(":")
        if event.kind == "listen" and colon and host in _EVERYWHERE:
            stack = tuple(Frame(one.file, one.line, one.function) for one in event.stack)
            made.setdefault(
                event.value,
                Proof(
                    verdict=Verdict.EFFECT.word,
                    sink_class="listen",
                    payload="observed",
                    family="observed",
                    channel="start",
                    value="",
                    event=event.call,
                    what=f"listens at {host or '*'}, which other machines reach",
                    stack=stack,
                ),
            )
    return list(made.values())[:1]


def certificates(requests: Iterable[Seen], by_token: Mapping[str, Sequence[Event]]) -> list[Proof]:
    """Requests by HTTPS to the sink, whose certificate nobody has signed: who sends one takes any."""
    for request in requests:
        found = re.search(TOKEN, request.url)
        if request.via != "sink" or not request.method or not request.url.startswith("https:") or found is None:
            continue
        event = next((one for one in by_token.get(found[0], ()) if one.kind in ("request", "connect")), None)
        stack = tuple(Frame(one.file, one.line, one.function) for one in event.stack) if event is not None else ()
        return [
            Proof(
                verdict=Verdict.EFFECT.word,
                sink_class="tls",
                payload="observed",
                family="observed",
                channel="start",
                value="",
                event=event.call if event is not None else "request",
                what="a request was sent by HTTPS to a server whose certificate nobody has signed",
                stack=stack,
            )
        ]
    return []


def cors(headers: Mapping[str, str], request: str) -> Proof | None:
    """Whether an answer lets any website read it with the visitor's cookies (Fetch standard, 3.2 CORS protocol)."""
    allowed = headers.get("access-control-allow-origin", "")
    if allowed != ORIGIN or headers.get("access-control-allow-credentials", "").lower() != "true":
        return None
    return Proof(
        verdict=Verdict.EFFECT.word,
        sink_class="cors",
        payload="observed",
        family="observed",
        channel="http",
        value=f"Origin: {ORIGIN}",
        event="answer",
        what=f"Access-Control-Allow-Origin: {allowed}, Access-Control-Allow-Credentials: true",
        request=request,
    )


def open_model(request: str, asks: int) -> Proof:
    """A request without any credentials had the model asked."""
    return Proof(
        verdict=Verdict.EFFECT.word,
        sink_class="open-model",
        payload="observed",
        family="observed",
        channel="http",
        value="a request without credentials",
        event="answer",
        what=f"the model was asked {asks} time{'' if asks == 1 else 's'} for somebody who had not said who it was",
        request=request,
    )
