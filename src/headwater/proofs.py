"""Proofs as values: what ``headwater prove`` saw, for findings and reports.

How they come about is in ``headwater.prove``; nothing here runs anything. Paths are relative to the application's folder, or begin with
``{run}`` where they lie in the folder of the run, so that two runs give the same bytes.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Final, Literal

import msgspec


class Verdict(enum.IntEnum):
    """How far a hostile value came. The last two are proof; NOT_EXERCISED is never *safe*."""

    NOT_EXERCISED = 0
    """It was never handed over: no request came, or the place was not offered."""
    NOT_REACHED = 1
    """It was handed over, and no operation saw it."""
    PARSED = 2
    """It was compiled or parsed, as checks do too, and not run."""
    REACHED = 3
    """An operation got it as plain data: it did what it does for any other value."""
    EXECUTED = 4
    """It ran as code."""
    EFFECT = 5
    """It had the effect that it was made for, or would have had if the monitor had not stopped it."""

    @property
    def word(self) -> str:
        return self.name.lower().replace("_", "-")

    @property
    def proof(self) -> bool:
        return self >= Verdict.EXECUTED


WORDS: Final[dict[str, Verdict]] = {verdict.word: verdict for verdict in Verdict}

State = Literal["proved", "granted", "refuted", "reached", "not-exercised"]
"""Of a finding: proved; proved, but the tool is there to do that; what was tried did not get through; it got there as plain data; nothing
tried it."""


class Frame(msgspec.Struct, frozen=True):
    """One frame of a stack."""

    file: str
    line: int
    function: str

    @property
    def own(self) -> bool:
        """Whether it is the application's: neither a package's nor the interpreter's."""
        return not self.file.startswith(("{", "/", "<", "node:"))


class Proof(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one hostile value."""

    verdict: str
    """The word of a ``Verdict``."""
    sink_class: str
    """What it abuses."""
    payload: str
    """Id of the payload."""
    family: str
    channel: str
    """text, tool, http, mcp, document."""
    value: str
    """What was handed over, cut."""
    tool: str = ""
    argument: str = ""
    form: str = ""
    granted: bool = False
    """The operation is there to do what it was told: too much is allowed, nothing was broken out of."""
    event: str = ""
    """The operation, as the language calls it."""
    what: str = ""
    """What it was given, cut."""
    blocked: bool = False
    """The monitor stopped it before it had an effect."""
    stack: tuple[Frame, ...] = ()
    """Innermost first."""
    refused: str = ""
    """Where it did not get through: what the application said, cut."""
    request: str = ""
    """The request of HTTP, or the call, in which it came about."""
    token: str = ""
    start: int = 0
    """Number of the start of the application, from 1."""

    @property
    def rank(self) -> Verdict:
        return WORDS[self.verdict]


class Exercised(msgspec.Struct, frozen=True):
    """What a run came to see, for what it says where nothing was proved."""

    starts: int
    """How often the application was started."""
    model_calls: int
    """Requests that the model was asked to answer."""
    attempts: int
    tools_offered: tuple[str, ...]
    tools_called: tuple[str, ...]
    monitored: bool
    """Whether a monitor was loaded into the application."""
    sends: int = 0
    """Requests or calls made by Headwater itself."""


class Run(msgspec.Struct, frozen=True):
    """The result of one scenario."""

    scenario: str
    verdict: str
    """The strongest of the proofs; not-exercised where nothing was tried."""
    proofs: tuple[Proof, ...]
    """The strongest first: one for each place and sink class that was proved, then those that show what was refused."""
    exercised: Exercised
    gaps: tuple[str, ...] = ()
    """What was not watched, not isolated or not tried, in words."""
    isolation: tuple[str, ...] = ()
    """What kept the application in, in words."""

    @property
    def proved(self) -> tuple[Proof, ...]:
        return tuple(proof for proof in self.proofs if proof.rank.proof)


class Evidence(msgspec.Struct, frozen=True):
    """What proofs say of one finding."""

    state: State
    why: str
    """In words: what got through, what refused it, or what was missing."""
    proof: Proof | None = None


def strongest(runs: Iterable[Run]) -> Verdict:
    """The strongest verdict of several runs; NOT_EXERCISED where there is none."""
    return max((WORDS[run.verdict] for run in runs), default=Verdict.NOT_EXERCISED)
