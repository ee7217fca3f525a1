"""The system map as values: components of an AI system, the edges between them, what could not be resolved.

Made by ``headwater.system`` from what the analysis has seen; the kinds are told in ``docs/map.md``.
"""

from __future__ import annotations

from typing import Final

import msgspec

VERSION: Final = 1
"""Of the JSON form."""


class Spot(msgspec.Struct, frozen=True, order=True):
    """A line of a file."""

    file: str
    line: int
    """1-based."""


class Ability(msgspec.Struct, frozen=True, order=True):
    """Something that the code of a tool can do, and where it does it."""

    name: str
    """``reads-files``, ``executes-shell`` ... (``headwater.apis.schema.CAPABILITIES``)."""
    spot: Spot


class Component(msgspec.Struct, frozen=True):
    """One thing of the system."""

    id: str
    type: str
    """``agent``, ``tool``, ``llm`` ... (``headwater.apis.schema.COMPONENTS``)."""
    name: str
    file: str
    line: int
    """1-based."""
    detail: dict[str, str] = {}
    """What else is known: the API that makes it, the path of a route, what a prompt begins with."""
    abilities: tuple[Ability, ...] = ()
    """Of a tool, sorted by name."""

    @property
    def capabilities(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.abilities)


class Edge(msgspec.Struct, frozen=True, order=True):
    """One component uses another."""

    from_: str = msgspec.field(name="from")
    to: str
    kind: str
    """``offers-tool``, ``calls``, ``retrieves-from``, ``fills-slot``, ``delegates-to``, ``stores-in``, ``guards``."""
    file: str
    line: int


class Unresolved(msgspec.Struct, frozen=True, order=True):
    """Something that a component is given, of which it is not known what it is."""

    component: str
    what: str
    """``tools``, ``model`` ..."""
    file: str
    line: int


class SystemMap(msgspec.Struct, frozen=True):
    """The AI system in a repository."""

    components: tuple[Component, ...] = ()
    """By file, line, type and name."""
    edges: tuple[Edge, ...] = ()
    """Sorted."""
    unresolved: tuple[Unresolved, ...] = ()
    """Sorted."""
