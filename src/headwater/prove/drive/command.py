"""Drives a command: it is started, does its work, and ends. Each start tries what comes next."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.prove.stage import Reply, Stage


def drive(stage: Stage, command: Sequence[str]) -> None:
    """Runs the command to its end, or to the time limit."""
    process = stage.spawn(command)
    try:
        if not process.wait(stage.seconds):
            stage.notes.append(f"the command still ran after {stage.seconds:g} seconds and was ended")
    finally:
        process.end()
    stage.output = process.output
    stage.replied(Reply(stage.output))
