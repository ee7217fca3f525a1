"""Trust zones: who runs what a component stands for. The zones and what belongs to them are data (``zones.yaml``)."""

from __future__ import annotations

import functools
import re
from importlib import resources
from typing import Final

import msgspec
import yaml

from headwater.components import Component
from headwater.knowledge.load import LOADER

OUTSIDE: Final = "outside"
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_FETCHED: Final = frozenset({"llm", "embedding-model", "model-file"})


class Zone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One trust zone."""

    id: str
    name: str
    description: str
    rating: int
    """0 (nobody is trusted) to 100, as Open Threat Model has it."""
    network: bool
    """Run by others: what goes there leaves the application over a network."""
    types: list[str] = []
    api: dict[str, list[str]] = {}
    hub: list[str] = []


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    zones: list[Zone]


@functools.cache
def zones() -> dict[str, Zone]:
    """The zones by id, in the order of the file."""
    text = resources.files("headwater.threats").joinpath("zones.yaml").read_bytes()
    return {one.id: one for one in msgspec.convert(yaml.load(text, LOADER), _File).zones}


def zone(one: Component) -> str:
    """The trust zone of a component: by a name on a hub, by what makes it, else by its type."""
    api = one.detail.get("api", "")
    if one.type in _FETCHED and _REPOSITORY.fullmatch(one.name):
        found = next((each.id for each in zones().values() if _says(each.hub, api)), "")
        if found:
            return found
    found = next((each.id for each in zones().values() if _says(each.api.get(one.type, ()), api)), "")
    return found or next((each.id for each in zones().values() if one.type in each.types), "application")


def _says(words: list[str] | tuple[str, ...], api: str) -> bool:
    return bool(words) and bool(api) and _pattern(tuple(words)).search(api) is not None


@functools.cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """Words inside of names, as camel case and underscores divide them: ``Exa`` is in ``ExaSearch`` and not in ``Example``."""
    parts = [("(?<![A-Z])" if word[0].isupper() else "(?<![A-Za-z0-9])") + re.escape(word) for word in words]
    return re.compile(f"(?:{'|'.join(parts)})s?(?![a-z])")
