"""Which files of an earlier tree have another name now, by what they hold, as git finds it: the same bytes, or most of the same lines."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from headwater import limits

LIKENESS: Final = 0.5  # as in git
Text = Callable[[str], bytes | None]


def renamed(gone: Iterable[str], come: Iterable[str], before: Text, now: Text) -> dict[str, str]:
    """The new name of each of the files that are gone, among those that have come, where there is one."""
    old = _read(gone, before)
    new = _read(come, now)
    same: dict[bytes, list[str]] = {}
    for path, data in sorted(new.items()):
        same.setdefault(hashlib.sha256(data).digest(), []).append(path)
    found: dict[str, str] = {}
    for path, data in sorted(old.items()):
        choice = same.get(hashlib.sha256(data).digest(), [])
        if choice:
            found[path] = min(choice, key=lambda one: _far(path, one))
            choice.remove(found[path])
    lines = {f"-{path}": Counter(data.splitlines()) for path, data in old.items() if path not in found}
    lines |= {path: Counter(data.splitlines()) for path, data in new.items()}
    ranked = []
    left, right = sorted(old.keys() - found.keys()), sorted(new.keys() - set(found.values()))
    for path, other in itertools.islice(itertools.product(left, right), limits.RENAMES_COMPARED):
        if path.rpartition(".")[2] == other.rpartition(".")[2]:
            likeness = _share(lines[f"-{path}"], lines[other])
            ranked.append((-likeness, _far(path, other), path, other))
    for likeness, _, path, other in sorted(ranked):
        if -likeness >= LIKENESS and path not in found and other not in found.values():
            found[path] = other
    return found


def _read(paths: Iterable[str], text: Text) -> dict[str, bytes]:
    made: dict[str, bytes] = {}
    room = limits.RENAMES_BYTES
    for path in sorted(paths)[: limits.RENAMES]:
        data = text(path)
        room -= len(data or b"")
        if room < 0:
            break
        if data:
            made[path] = data
    return made


def _far(path: str, other: str) -> tuple[bool, bool, str]:
    """Of equal ones: with the same name, in the same folder, then the first."""
    folder, _, name = path.rpartition("/")
    return other.rpartition("/")[2] != name, other.rpartition("/")[0] != folder, other


def _share(one: Mapping[bytes, int], other: Mapping[bytes, int]) -> float:
    """The share of the lines of the larger one that both have."""
    common = sum(min(number, other.get(line, 0)) for line, number in one.items())
    return common / max(1, sum(one.values()), sum(other.values()))
