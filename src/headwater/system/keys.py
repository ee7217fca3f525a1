"""Names of components that stay when lines move: type, file, name, and a number among equal ones."""

from __future__ import annotations

from headwater.components import SystemMap


def keys(system: SystemMap) -> dict[str, str]:
    """A key for each id."""
    found: dict[str, str] = {}
    counts: dict[str, int] = {}
    for one in system.components:  # by file and line
        base = f"{one.type}:{one.file}:{one.name}"
        counts[base] = number = counts.get(base, 0) + 1
        found[one.id] = base if number == 1 else f"{base}#{number}"
    return found
