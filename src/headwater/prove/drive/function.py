"""Drives a function of a Python application: it is called in one process as often as there is something to try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headwater import limits
from headwater.prove import lines
from headwater.prove.stage import DriveError, Reply, Stage

_RUNNER = Path(__file__).with_name("runner.py")


def drive(stage: Stage, python: str, target: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Imports the function's module once and calls it. Raises :class:`DriveError` where it cannot be imported."""
    process = stage.spawn([python, str(_RUNNER), target], talks=True)
    channel = lines.Channel(process)
    try:
        if channel.read(stage.seconds) is None:
            process.end()
            raise DriveError(f"{target} cannot be imported\n{process.output[-limits.PROVE_SHOWN :]}".rstrip())
        for _ in range(limits.PROVE_SENDS):
            asked, tried = stage.source.asks(), stage.source.tried()
            channel.write({"args": list(args), "kwargs": dict(kwargs)})
            answer = channel.read(stage.seconds)
            if answer is None:
                stage.notes.append(f"{target} did not return within {stage.seconds:g} seconds" if process.running else "the process ended")
                break
            stage.replied(Reply(str(answer.get("text", answer.get("error", "")))))
            more = stage.source.goes_on()
            if not more or stage.source.asks() == asked or stage.source.tried() == tried:
                break
    finally:
        process.end()
        stage.output = process.output
