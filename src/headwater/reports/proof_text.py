"""Runs of the application for people: what got through and how, what was refused, what was not tried."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from headwater.findings import Finding
from headwater.proofs import Proof, Run, State, Verdict
from headwater.reports import escape, words

VALUE: Final = 300
"""Characters of a value that are shown; JSON has more."""
FRAMES: Final = 6
"""Frames of a stack that are shown: those of the application first."""
_RED, _YELLOW, _OFF = "\x1b[1;31m", "\x1b[1;33m", "\x1b[0m"
_WHAT: Final[Mapping[str, str]] = {
    "code": "code of the attacker's ran in the process",
    "shell": "a command of the attacker's was started",
    "sql": "a statement of the attacker's was given to the database",
    "path-read": "a file outside of the folder was read",
    "path-write": "a file outside of the folder was written",
    "url": "a request went to an address of the attacker's choice",
    "html": "markup of the attacker's is in the page",
    "template": "a template of the attacker's was filled in",
    "deserialize": "an object of the attacker's was made from data",
    "xml": "an entity of the attacker's was read",
    "import": "a module of the attacker's choice was imported",
    "prompt-system": "text of the attacker's is part of the model's instructions",
    "listen": "the application listens on all interfaces",
    "tls": "a certificate of nobody's was accepted",
    "cors": "any website may read answers with the visitor's cookies",
    "open-model": "the model works for somebody who did not say who it is",
}
_CHANNELS: Final[Mapping[str, str]] = {
    "text": "text of the model",
    "tool": "a tool call of the model",
    "http": "a request",
    "mcp": "a call of an MCP client",
    "document": "a document",
    "start": "the start",
}


def render(runs: Sequence[Run], findings: Sequence[tuple[Finding, int]], *, color: bool = False, width: int = 80) -> str:
    """The whole report; ``findings``: those of the review, with their first lines."""
    width = max(40, min(width, 120))
    lines: list[str] = []
    for run in runs:
        lines += _run(run, color, width)
    if findings:
        lines += _joined(findings, color, width)
    return escape.log("".join(f"{line}\n" for line in lines))


def _run(run: Run, color: bool, width: int) -> list[str]:
    done = run.exercised
    lines = []
    for proof in run.proved:
        lines += [*_proof(proof, color, width), ""]
    silent = [one for one in run.proofs if not one.rank.proof]
    if silent:
        lines += [*_refused(silent, width), ""]
    starts = (
        f"{escape.line(run.scenario)}: {words.count(done.starts, 'start')}, the model was asked {words.count(done.model_calls, 'time')}"
    )
    sent = f", {done.sends:,} {'reply' if done.sends == 1 else 'replies'}" if done.sends else ""
    lines += textwrap.wrap(f"{starts}{sent}, {words.count(done.attempts, 'hostile value')}.", width)
    proved = sum(not one.granted for one in run.proved)
    granted = len(run.proved) - proved
    if run.proved:
        also = f", {granted} granted (the tool is there to do that, for whoever asks)" if granted else ""
        lines += textwrap.wrap(f"Proved: {proved}{also}.", width)
    elif run.verdict == Verdict.NOT_EXERCISED.word:
        lines += textwrap.wrap("Not exercised: nothing is proved, and nothing is shown to be safe.", width)
    else:
        lines += textwrap.wrap("Nothing got through of what was tried. That is no proof that nothing can.", width)
    for gap in run.gaps:
        head, *rest = gap.splitlines() or [""]
        lines += textwrap.wrap(f"Gap: {escape.line(head)}", width, subsequent_indent="  ")
        lines += [f"    {escape.line(line)[: width - 4]}" for line in rest[-FRAMES:]]
    lines += textwrap.wrap(f"Kept in by: {'; '.join(run.isolation)}.", width, subsequent_indent="  ")
    return [*lines, ""]


def _proof(proof: Proof, color: bool, width: int) -> list[str]:
    word = "GRANTED" if proof.granted else "PROVED"
    shown = f"{_YELLOW if proof.granted else _RED}{word}{_OFF}" if color else word
    lines = [f"{shown}  {proof.sink_class}: {_WHAT.get(proof.sink_class, 'it had its effect')} ({proof.verdict})"]
    where = f" {proof.tool}" if proof.tool else ""
    argument = f", argument {proof.argument}" if proof.argument else ""
    request = f", by {proof.request}" if proof.request and proof.request != proof.tool else ""
    lines += _item(f"by {_CHANNELS.get(proof.channel, proof.channel)}{where}{argument}{request}", width)
    if proof.value:
        form = f", as {proof.form}" if proof.form else ""
        lines += _item(f"payload {proof.payload} ({proof.family}{form}): {_cut(proof.value)}", width)
    what = f": {_cut(proof.what)}" if proof.what else ""
    stopped = " [stopped by the monitor]" if proof.blocked else ""
    lines += _item(f"{proof.event}{what}{stopped}", width)
    own = [frame for frame in proof.stack if frame.own]
    for frame in (own or list(proof.stack))[:FRAMES]:
        lines.append(f"      {escape.line(frame.file)}:{frame.line} {escape.line(frame.function)}")
    return lines


def _item(text: str, width: int) -> list[str]:
    return textwrap.wrap(escape.line(text), width, initial_indent="  - ", subsequent_indent="    ", break_on_hyphens=False)


def _cut(text: str) -> str:
    return text if len(text) <= VALUE else f"{text[:VALUE]} ..."


def _refused(silent: Sequence[Proof], width: int) -> list[str]:
    """What was tried without proof, by place."""
    groups: dict[tuple[str, str], list[Proof]] = {}
    for one in silent:
        groups.setdefault((one.channel, one.tool), []).append(one)
    lines = ["Without proof:"]
    for (channel, tool), some in groups.items():
        counts = Counter(one.rank for one in some)
        told = ", ".join(f"{number} {verdict.word}" for verdict, number in sorted(counts.items(), reverse=True))
        classes = ", ".join(sorted({one.sink_class for one in some}))
        lines += _item(f"{tool or _CHANNELS.get(channel, channel)}: {told} ({classes})", width)
    return lines


def _joined(findings: Sequence[tuple[Finding, int]], color: bool, width: int) -> list[str]:
    lines = ["Findings of the review:"]
    order: tuple[State, ...] = ("proved", "granted", "reached", "refuted", "not-exercised")
    for state in order:
        for finding, line in findings:
            evidence = finding.proof
            if evidence is None or evidence.state != state:
                continue
            place = f"{escape.line(escape.path(finding.place.path))}:{line}"
            shown = f"{_RED}{state}{_OFF}" if color and state == "proved" else state
            lines.append(f"  {shown:<13}  {finding.rule}  {place}")
            lines += textwrap.wrap(escape.line(evidence.why), width, initial_indent=" " * 17, subsequent_indent=" " * 17)
    counts = Counter(finding.proof.state for finding, _ in findings if finding.proof is not None)
    told = ", ".join(f"{counts[state]} {state}" for state in order if counts[state])
    return [*lines, *textwrap.wrap(f"{words.count(len(findings), 'finding')}: {told}.", width)]
