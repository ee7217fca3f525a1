"""Hostile files in the place of those that an application reads, in its copy and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

from headwater.prove.attempts import Payload
from headwater.prove.payloads import payloads
from headwater.prove.scenario import ScenarioError


def payload_for(name: str) -> Payload:
    """The first payload that the name of a file lets expect."""
    language = "yaml" if name.endswith((".yaml", ".yml")) else "json" if name.endswith(".json") else "pickle"
    return next(one for one in payloads() if one.sink_class == "deserialize" and one.language == language)


def put(work: Path, name: str, value: str) -> None:
    """Writes a file below the application's folder. What a link leads to is not written. Raises :class:`ScenarioError`."""
    place = Path(os.path.normpath(os.path.join(work, name)))
    if place == work or not Path(os.path.realpath(place.parent)).is_relative_to(os.path.realpath(work)):
        raise ScenarioError(f"--plant {name}: it is not below the application's folder")
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_symlink():
        place.unlink()
    try:
        place.write_text(value, encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"--plant {name}: {error.strerror or error}") from None
