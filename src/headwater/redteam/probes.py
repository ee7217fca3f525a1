"""What probes of red-teaming tools are about, and what makes them worth running: the table ``knowledge/redteam.yaml``, typed."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec

from headwater.findings import Mapping_
from headwater.knowledge import load as knowledge

_Entry = TypeVar("_Entry")

FRAMEWORKS: Final = ("owasp-llm", "owasp-agentic", "atlas")


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What is looked for."""

    owasp_llm: tuple[str, ...] = ()
    owasp_agentic: tuple[str, ...] = ()
    atlas: tuple[str, ...] = ()
    sinks: tuple[str, ...] = ()

    @property
    def mappings(self) -> tuple[Mapping_, ...]:
        ids = zip(FRAMEWORKS, (self.owasp_llm, self.owasp_agentic, self.atlas), strict=True)
        found = [knowledge.entry(framework, id) for framework, some in ids for id in some]
        return tuple(Mapping_(one.framework, one.edition, one.id, one.name) for one in found)


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A probe, or a module of probes, of a tool."""

    kind: str
    sinks: tuple[str, ...] = ()
    """Besides those of the kind."""
    when: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


class Detector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Detectors whose names begin with one name."""

    worth: str
    kind: str = ""
    """Where the detector alone tells what is looked for."""


class Tool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The probes of one tool, in the version that the table was made for."""

    version: str
    probes: dict[str, Probe]
    detectors: dict[str, Detector]


class Attacks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What our own job for PyRIT asks."""

    requests: tuple[str, ...]
    payloads: dict[str, tuple[str, ...]]
    patterns: dict[str, str]
    extraction: tuple[str, ...]

    def prompts(self, name: str) -> list[str]:
        """All that is asked for one kind of output."""
        return [request.replace("{payload}", payload) for payload in self.payloads[name] for request in self.requests]


class _Table(msgspec.Struct, frozen=True):
    attacks: Attacks
    kinds: dict[str, Kind]
    tools: dict[str, Tool]


class About(msgspec.Struct, frozen=True):
    """What is known of a probe as a detector judges it."""

    kind: str = ""
    """Empty: the table does not have the probe."""
    sinks: tuple[str, ...] = ()
    mappings: tuple[Mapping_, ...] = ()
    worth: str = ""


@functools.cache
def table() -> _Table:
    """The whole table."""
    return msgspec.convert(dict(knowledge.read("redteam.yaml")), _Table)


def about(tool: str, probe: str, detector: str) -> About:
    """What the table says of a result."""
    known = table().tools[tool]
    judge = _longest(known.detectors, detector)
    worth = "" if judge is None else judge.worth
    found = _longest(known.probes, probe)
    kind = found.kind if found is not None else ""
    if kind in ("", "none") and judge is not None and judge.kind:
        kind = judge.kind
    if not kind:
        return About(worth=worth)
    what = table().kinds[kind]
    sinks = tuple(dict.fromkeys((*what.sinks, *(found.sinks if found is not None else ()))))
    return About(kind, sinks, what.mappings, worth)


def _longest(entries: Mapping[str, _Entry], name: str) -> _Entry | None:
    """The entry of the longest name that this one is, or begins with up to a separator (or anywhere, before a star)."""
    best = max((one for one in entries if _begins(name, one)), key=len, default=None)
    return None if best is None else entries[best]


def _begins(name: str, known: str) -> bool:
    if known.endswith("*"):
        return name.startswith(known[:-1])
    rest = name[len(known) :]
    return name.startswith(known) and (not rest or not rest[0].isalnum())
