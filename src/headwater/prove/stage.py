"""What a driver works with: it starts the application, sends what it is told to send, and says what came back."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol, TypeVar

from headwater import limits
from headwater.proofs import Proof
from headwater.prove import launch
from headwater.prove.attempts import Attempt, Channel
from headwater.prove.folder import Folder
from headwater.prove.talk import Offered

_TURN: Final = 20  # values of one tool before it is the next one's turn
T = TypeVar("T")


class DriveError(Exception):
    """The application cannot be driven; the message says why, in words."""


class Reply(NamedTuple):
    """What the application answered to a request or a call."""

    text: str
    html: bool = False
    """Whether a browser would show it as a page."""
    status: int = 0
    """Of HTTP; 0 where there is none."""
    attempt: Attempt | None = None
    """The hostile value that it answers; None: the model's."""
    request: str = ""
    """Method and path, or the name of the tool."""


class Source(Protocol):
    """Where hostile values for arguments come from."""

    def hostile(self, tool: Offered, channel: Channel) -> Iterator[Attempt]:
        """One hostile argument after another, among valid ones, as long as there is something new to try."""
        ...

    def told(self, attempt: Attempt | None, text: str) -> None:
        """What the application said to it: valid values may be named in it."""
        ...

    def goes_on(self) -> bool:
        """Looks at what the monitors saw; whether anything is left to try in this start."""
        ...

    def asks(self) -> int:
        """Requests that the model was asked so far."""
        ...

    def tried(self) -> int:
        """Hostile values that were handed over so far."""
        ...


def in_turns(source: Source, tools: Sequence[tuple[Offered, T]], channel: Channel) -> Iterator[tuple[T, Attempt]]:
    """Hostile values for all tools, some of each at a time: the last one has its turn before the bound is met."""
    turns = deque((what, source.hostile(tool, channel)) for tool, what in tools)
    while turns:
        what, values = turns.popleft()
        given = 0
        for attempt in itertools.islice(values, _TURN):
            given += 1
            yield what, attempt
        if given == _TURN:
            turns.append((what, values))


class Stage:
    """One start of the application."""

    def __init__(
        self,
        folder: Folder,
        cwd: Path,
        environment: Mapping[str, str],
        seconds: float,
        source: Source,
        ports: Sequence[tuple[str, int, str]] | None,
        number: int,
    ) -> None:
        self.folder = folder
        self.cwd = cwd
        self.environment = environment
        self.seconds = seconds
        self.source = source
        self.number = number
        self.replies: list[Reply] = []
        self.notes: list[str] = []
        """What did not go as it should, in words."""
        self.observed: list[Proof] = []
        """What showed beside hostile values."""
        self.output = ""
        self.sends = 0
        self._ports = ports

    @property
    def separate(self) -> bool:
        """Whether the application is in a network of its own."""
        return self._ports is not None

    @property
    def left(self) -> str:
        """A file that is there where the application left processes behind when it ended."""
        return str(self.folder.wire / f"left-{self.number}")

    def door(self, name: str) -> str:
        """A socket that leads to a port of the application in its own network; empty where it has none."""
        return str(self.folder.wire / f"door-{self.number}-{name}.sock") if self.separate else ""

    def spawn(self, command: Sequence[str], *, talks: bool = False, doors: Sequence[tuple[str, int]] = ()) -> launch.Process:
        """Starts a command of the application. Raises :class:`DriveError`."""
        try:
            return launch.start(
                command,
                self.cwd,
                self.environment,
                seconds=self.seconds,
                ports=self._ports,
                doors=[door for door in doors if door[0]],
                talks=talks,
                told=self.left,
            )
        except (OSError, ValueError) as error:
            raise DriveError(f"{command[0]}: {getattr(error, 'strerror', None) or error}") from None

    def replied(self, reply: Reply) -> None:
        """Keeps an answer, and lets who makes hostile values learn from it."""
        self.sends += 1
        self.replies.append(reply._replace(text=reply.text[: limits.PROVE_ANSWER]))
        self.source.told(reply.attempt, reply.text)
