"""What proofs say of the findings of a review: each finding is proved, granted, refuted, reached, or was not exercised.

A proof and a finding are one where a frame of the event's stack lies in the finding's operation, and what was abused is of the same kind.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from headwater.findings import Confidence, Finding, Review
from headwater.proofs import Evidence, Proof, Run, State, Verdict
from headwater.prove.observe import OBSERVED, RULES

_ALSO: Final[Mapping[str, frozenset[str]]] = {
    "sandboxed-code": frozenset({"code"}),
    "template": frozenset({"code"}),
    "deserialize": frozenset({"code"}),
    "path-read": frozenset({"path-write"}),
    "path-write": frozenset({"path-read"}),
    "import": frozenset({"code"}),
    "query": frozenset({"sql"}),
}
"""What a finding of a class is proved by, besides its own class."""
_STATES: Final[tuple[State, ...]] = ("not-exercised", "refuted", "reached", "granted", "proved")
"""What one run says and another one does not: the last of them holds."""
_BY_MODEL: Final = frozenset({"llm-output", "tool-args", "tool-result", "retrieved-content"})
_CHANNELS: Final[Mapping[str, str]] = {
    "text": "what the model wrote",
    "tool": "a tool call of the model",
    "http": "a request",
    "mcp": "a call of an MCP client",
}
_VALUE: Final = 100  # characters of a hostile value, in a sentence
_QUOTED: Final = 200  # characters of what refused, in a sentence


def joined(review: Review, runs: Iterable[Run], scope: str = "") -> Review:
    """The review with what the runs say of each finding: proved ones are certain, refuted ones say what refused. What other runs said
    of it before stays where these say less.

    ``scope`` is the application's folder relative to the review's root, empty where they are one.
    """
    joiner = _Joiner(review, list(runs), scope)
    findings = []
    for finding in review.findings:
        evidence = joiner.of(finding)
        if finding.proof is not None and _STATES.index(finding.proof.state) >= _STATES.index(evidence.state):
            evidence = finding.proof
        proved = evidence.state in ("proved", "granted")
        findings.append(
            msgspec.structs.replace(
                finding,
                proof=evidence,
                evidence="proved" if proved else finding.evidence,
                confidence=Confidence.HIGH if proved else finding.confidence,
            )
        )
    return msgspec.structs.replace(review, findings=tuple(findings))


class _Joiner:
    def __init__(self, review: Review, runs: Sequence[Run], scope: str) -> None:
        self._review = review
        self._proofs = [proof for run in runs for proof in run.proofs]
        self._scope = scope
        self._exercised = any(run.exercised.attempts for run in runs)
        self._routes = {
            one.detail["route"]: (one.file, one.line)
            for one in review.system.components
            if one.type == "entry-point" and "route" in one.detail
        }

    def of(self, finding: Finding) -> Evidence:
        """What the proofs say of one finding."""
        mine = [proof for proof in self._proofs if self._fits(finding, proof)]
        at = [proof for proof in mine if self._at(finding, proof)]
        best = max(at, key=lambda one: (one.rank, not one.granted), default=None)
        if best is not None and best.rank.proof:
            how = _CHANNELS.get(best.channel, best.channel)
            if best.granted:
                return Evidence(
                    "granted", f"{how} had it done: this is what {best.tool or 'the operation'} is there to do, for whoever asks", best
                )
            return Evidence("proved", _told(best, how), best)
        near = [proof for proof in mine if self._near(finding, proof)]
        tried = max((*at, *near), key=lambda one: one.rank, default=None)
        if tried is not None:
            count = len({id(one) for one in (*at, *near)})
            values = f"{count} hostile value{'' if count == 1 else 's'}"
            if tried.rank is Verdict.REACHED:
                return Evidence("reached", f"of {values} the farthest came to {tried.event} as plain data and did nothing there", tried)
            told = tried.refused.strip().splitlines()
            refused = f": {told[-1].strip()[:_QUOTED]}" if told and told[-1].strip() else ""
            did = "compiled and then refused" if tried.rank is Verdict.PARSED else "refused"
            return Evidence("refuted", f"{values} {'was' if count == 1 else 'were'} tried here and {did}{refused}", tried)
        return Evidence("not-exercised", self._missing(finding))

    def _fits(self, finding: Finding, proof: Proof) -> bool:
        """Whether a proof is of a kind that can speak of the finding."""
        if proof.sink_class in RULES:
            return finding.rule in RULES[proof.sink_class]
        if not finding.sink_class:  # a call that must not be there: what happens in it is what it was warned of
            return proof.rank.proof and bool(proof.stack) and self._at(finding, proof)
        return proof.sink_class == finding.sink_class or proof.sink_class in _ALSO.get(finding.sink_class, ())

    def _at(self, finding: Finding, proof: Proof) -> bool:
        """Whether it happened in the finding's operation."""
        source = self._review.sources[finding.place.path]
        first, last = (
            source.file_line(source.position(offset)[0])
            for offset in (finding.place.start, max(finding.place.start, finding.place.end - 1))
        )
        # The innermost frame of the application's is the operation; those around it only lead there.
        own = next((frame for frame in proof.stack if frame.own), None)
        if own is not None and first <= own.line <= last and self._path(own.file) == finding.place.path:
            return True
        if proof.sink_class in RULES and proof.stack:
            # What was observed comes of an object that was made before: the function is where they meet.
            name = finding.function.rpartition(".")[2]
            return any(self._path(frame.file) == finding.place.path and frame.function == name for frame in proof.stack)
        if proof.sink_class == "cors":
            return True
        # A page has no event: the request tells the route, and the route its function.
        return not proof.stack and bool(proof.request) and self._of_route(finding, proof)

    def _path(self, file: str) -> str:
        return posixpath.normpath(posixpath.join(self._scope, file))

    def _of_route(self, finding: Finding, proof: Proof) -> bool:
        method, _, target = proof.request.partition(" ")
        place = next((at for route, at in self._routes.items() if _routed(route, method, target)), None)
        return place is not None and any(
            step.place.path == place[0] and self._starts(step.place.path, step.function) == place[1]
            for trace in finding.traces
            for step in trace.steps
        )

    def _starts(self, path: str, function: str) -> int:
        """The line at which the component of a function stands; 0 where there is none."""
        name = function.rpartition(".")[2]
        return next((one.line for one in self._review.system.components if one.file == path and one.name == name), 0)

    def _near(self, finding: Finding, proof: Proof) -> bool:
        """Whether it was tried on the way to the finding: by the tool or the route whose function is on its trace."""
        if not proof.tool:
            return False
        functions = {step.function.rpartition(".")[2] for trace in finding.traces for step in trace.steps} | {
            finding.function.rpartition(".")[2]
        }
        if proof.channel == "http":
            return self._of_route(finding, proof)
        return proof.tool in functions or proof.tool.replace("-", "_") in functions

    def _missing(self, finding: Finding) -> str:
        if not self._exercised:
            return "nothing hostile was handed over in this run"
        if finding.kind in _BY_MODEL:
            return "no answer of the model came here: no request or start led to it"
        return "no request or call came here"


def _told(proof: Proof, how: str) -> str:
    """What got through, where, and what it did."""
    if proof.payload == OBSERVED:
        return f"seen while it ran: {proof.what}"
    value = " ".join(proof.value.split())
    value = value if len(value) <= _VALUE else f"{value[:_VALUE]} ..."
    place = f" as {proof.argument} of {proof.tool}" if proof.argument and proof.tool else f" to {proof.request}" if proof.request else ""
    stopped = " (stopped by the monitor)" if proof.blocked else ""
    match proof.event:
        case "answer":
            did = "what the application answers shows that it did its work"
        case "request":
            did = "a request came to the address in it"
        case "file":
            did = "the file in it was made"
        case _:
            did = f"{proof.event} {'ran it' if proof.rank is Verdict.EXECUTED else 'did what it said'}"
    return f"by {how}, {value!r}{place}: {did}{stopped}"


def _routed(route: str, method: str, target: str) -> bool:
    """Whether a request is for a route."""
    own, _, path = route.rpartition(" ")
    asked = target.partition("?")[0].strip("/").split("/")
    parts = path.strip("/").split("/")
    if (own and own != method) or len(parts) != len(asked):
        return False
    return all(one == other or one[:1] in "{:<[*" for one, other in zip(parts, asked, strict=True) if one or other)
