"""Drives a command: it is started, does its work, and ends. Each start tries what comes next."""

from __future__ import annotations

import os
from collections.abc import Sequence

from headwater import limits
from headwater.prove import inside
from headwater.prove.stage import DriveError, Reply, Stage


def drive(stage: Stage, command: Sequence[str]) -> None:
    """Runs the command to its end, or to the time limit."""
    process = stage.spawn(command)
    try:
        ended = process.wait(stage.seconds)
        if not ended:
            stage.notes.append(f"the command still ran after {stage.seconds:g} seconds and was ended")
        elif os.path.exists(stage.left):
            stage.notes.append("processes that the command had left running were ended")
    finally:
        process.end()
    stage.output = process.output
    if ended and process.status and not stage.source.asks():
        told = f"the command ended with status {process.status}\n{stage.output[-limits.PROVE_SHOWN :]}".rstrip()
        if process.status == inside.NOT_STARTED:
            raise DriveError(told)
        stage.notes.append(told)
    stage.replied(Reply(stage.output))
