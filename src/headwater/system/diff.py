"""What one system map has that another has not: parts, what tools can do, edges. Lines do not count, since code moves."""

from __future__ import annotations

import msgspec

from headwater.components import Component, Edge, SystemMap
from headwater.system.keys import keys


class Difference(msgspec.Struct, frozen=True):
    """What has changed from one map to a later one."""

    new: tuple[Component, ...]
    gone: tuple[Component, ...]
    """As they were."""
    able: tuple[tuple[Component, tuple[str, ...], tuple[str, ...]], ...]
    """Tools that are in both, with capabilities that are new and that are gone."""
    edges: tuple[tuple[str, Edge, str], ...]
    """New ones, with the keys of both ends."""
    lost: tuple[tuple[str, Edge, str], ...]
    """Gone ones; a slot that something fills is an edge ``fills-slot``."""

    @property
    def empty(self) -> bool:
        return not (self.new or self.gone or self.able or self.edges or self.lost)


def difference(before: SystemMap, now: SystemMap) -> Difference:
    """From ``before`` to ``now``."""
    old, new = _named(before), _named(now)
    able = []
    for key in sorted(old.keys() & new.keys()):
        had, has = set(old[key].capabilities), set(new[key].capabilities)
        if had != has:
            able.append((new[key], tuple(sorted(has - had)), tuple(sorted(had - has))))
    had_edges, has_edges = _joined(before), _joined(now)
    return Difference(
        tuple(new[key] for key in sorted(new.keys() - old.keys())),
        tuple(old[key] for key in sorted(old.keys() - new.keys())),
        tuple(able),
        tuple((key[0], has_edges[key], key[2]) for key in sorted(has_edges.keys() - had_edges.keys())),
        tuple((key[0], had_edges[key], key[2]) for key in sorted(had_edges.keys() - has_edges.keys())),
    )


def _named(system: SystemMap) -> dict[str, Component]:
    known = keys(system)
    return {known[one.id]: one for one in system.components}


def _joined(system: SystemMap) -> dict[tuple[str, str, str], Edge]:
    known = keys(system)
    found: dict[tuple[str, str, str], Edge] = {}
    for edge in system.edges:
        found.setdefault((known[edge.from_], edge.kind, known[edge.to]), edge)
    return found
