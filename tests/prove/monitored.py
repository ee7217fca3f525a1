"""Runs small applications under the monitors, for tests: real processes, real files of events."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from headwater.prove.events import Control, Event
from headwater.prove.monitors import environment, read, write_control

PREFIX = "hwcabc123"


def token(number: int) -> str:
    return f"{PREFIX}{number:04x}"


class Monitored:
    """A folder for a run: ``app`` is where the application works, ``scratch`` holds canaries."""

    def __init__(self, folder: Path, *, block: bool = True, **control: object) -> None:
        self.folder, self.app, self.scratch, self.events = folder, folder / "app", folder / "scratch", folder / "events"
        self.app.mkdir()
        self.scratch.mkdir()
        self.control = folder / "control.json"
        settings = Control(folder=str(self.events), prefix=PREFIX, block=block, scratch=str(self.scratch), **control)  # type: ignore[arg-type]
        write_control(settings, self.control)

    def run(self, *command: str, variables: Mapping[str, str] = {}, seconds: int = 60) -> subprocess.CompletedProcess[str]:
        """Runs a command in ``app``. Variables of the environment are the monitors' own, a path to programs, and those given."""
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        # Bytecode of the monitor for an interpreter of a test has no place among its sources.
        given = {**inherited, "PYTHONDONTWRITEBYTECODE": "1", **environment(self.control), **variables}
        return subprocess.run(command, cwd=self.app, env=given, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)

    def seen(self) -> list[Event]:
        return read(self.events)

    def of(self, number: int) -> list[Event]:
        """The events of one token, but for text that was merely compiled."""
        return [event for event in self.seen() if token(number) in event.tokens and event.kind != "compile"]
