"""How well the system map meets what readers of the source wrote down: recall and precision, what was missed, what is spurious.

    python benchmarks/maps.py CHECKOUTS [--truth tests/maps] [--only NAME] [--maps FOLDER] [--quiet]

Every ``NAME.yaml`` below ``--truth`` is a map drawn by hand of the repository that it names, checked out at its commit as CHECKOUTS/NAME.
That folder is mapped by ``headwater map``, or its map is read from FOLDER/NAME.json. The form of the lists is told in
``tests/maps/langchain-nextjs-template.yaml``.

A component is found where one of the same type stands in the same file, within three lines, or under a name that only one of them has.
Each is found once, so that two for one thing are one too many. A secret is known by its name alone. An edge is found where both of its ends
are, and its kind is the same. What a list calls optional counts for nothing, and neither does what lies outside of its subset.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

TYPES = frozenset(
    (
        *("entry-point", "server", "llm", "llm-call", "embedding-model", "prompt", "agent", "tool", "retriever", "vector-store", "memory"),
        *("mcp-server", "mcp-client", "document-source", "dataset", "model-file", "guard", "secret"),
    )
)
KINDS = frozenset(("offers-tool", "calls", "retrieves-from", "fills-slot", "delegates-to", "stores-in", "guards"))
CAPABILITIES = frozenset(
    (
        *("reads-files", "writes-files", "network-out", "executes-code", "executes-shell", "database-read", "database-write"),
        *("sends-messages", "spends-money", "reads-secrets"),
    )
)
NEAR = 3
"""Lines that a place may be off: a decorator, the head of a call, or the name before it."""

Edge = tuple[str, str, str]


class ListError(Exception):
    """What is wrong with a list, in words."""


class Component(NamedTuple):
    type: str
    name: str
    file: str
    line: int
    capabilities: frozenset[str] = frozenset()
    other: tuple[tuple[str, int], ...] = ()
    optional: bool = False

    def __str__(self) -> str:
        return f"{self.type} {self.name} {self.file}:{self.line}"


class Truth(NamedTuple):
    """A map as it was written down."""

    subset: tuple[re.Pattern[str], ...]
    components: Mapping[str, Component]
    edges: tuple[tuple[Edge, ...], ...]
    """Each with the others that say the same; the first stands for all."""
    optional: frozenset[Edge]

    def holds(self, file: str) -> bool:
        return any(pattern.fullmatch(file) for pattern in self.subset)


class Score(NamedTuple):
    """What was found, missed and spurious: each a kind (of component or edge) and its words."""

    found: list[tuple[str, str]]
    missed: list[tuple[str, str]]
    spurious: list[tuple[str, str]]


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := sorted({str(key) for key in keys if keys.count(key) > 1}):
            raise ListError(f"stands twice: {', '.join(twice)}")
        return super().construct_mapping(node, deep)


def _pattern(glob: str) -> re.Pattern[str]:
    """``*`` stays inside a folder, ``**`` does not."""
    return re.compile("".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in re.split(r"(\*\*|\*)", glob)))


def _component(file: str, entry: list[Any]) -> Component:
    kind, name, line, more = entry if len(entry) == 4 else (*entry, {})
    places = []
    for place in more.get("or", ()):
        where, _, number = str(place).rpartition(":")
        places.append((where or file, int(number)))
    capabilities = frozenset(more.get("capabilities", ()))
    if kind not in TYPES or not capabilities <= CAPABILITIES or not more.keys() <= {"or", "capabilities", "optional"}:
        raise ListError(f"{file}: {entry}")
    return Component(kind, str(name), file, int(line), capabilities, tuple(places), bool(more.get("optional")))


def _edges(entries: Mapping[str, Mapping[str, list[str]]], known: Iterable[str]) -> Iterator[tuple[Edge, ...]]:
    for kind, ends in entries.items():
        if kind not in KINDS:
            raise ListError(f"no kind of edge: {kind}")
        for sources, targets in ends.items():
            for target in targets:
                same = tuple((source, end, kind) for source in sources.split(" | ") for end in target.split(" | "))
                if unknown := {end for edge in same for end in edge[:2]} - set(known):
                    raise ListError(f"{kind}: no such component: {', '.join(sorted(unknown))}")
                yield same


def load(path: Path) -> Truth:
    """A list, or an error that says what is wrong with it."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _Loader)
        components: dict[str, Component] = {}
        for file, entries in document["components"].items():
            for key, entry in entries.items():
                if key in components:
                    raise ListError(f"stands twice: {key}")
                components[key] = _component(file, entry)
        edges = tuple(_edges(document.get("edges", {}), components))
        optional = {edge for same in _edges(document.get("optional-edges", {}), components) for edge in same}
        for same in edges:
            if any(components[end].optional for edge in same[:1] for end in edge[:2]):
                raise ListError(f"an edge of an optional component is optional: {same[0]}")
            if optional & set(same):
                raise ListError(f"both required and optional: {same[0]}")
        first = [same[0] for same in edges]
        if twice := sorted({edge for edge in first if first.count(edge) > 1}):
            raise ListError(f"told twice: {twice}")
        subset = tuple(_pattern(glob) for glob in document["subset"])
    except (ListError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise ListError(f"{path.name}: {error}") from error
    return Truth(subset, components, edges, frozenset(optional))


def _distance(expected: Component, drawn: Component, alone: bool) -> tuple[int, int] | None:
    """How far a drawn component is from an expected one, which has its name alone or not; nothing where it cannot be the same."""
    if expected.type != drawn.type:
        return None
    same_name = expected.name == drawn.name
    if expected.type == "secret":
        return (0, abs(expected.line - drawn.line)) if same_name and expected.file == drawn.file else None
    lines = [abs(line - drawn.line) for file, line in ((expected.file, expected.line), *expected.other) if file == drawn.file]
    if lines and min(lines) <= NEAR:
        return (0 if same_name else 1, min(lines))
    return (2, min(lines)) if same_name and alone and lines else None


def _pairs(expected: Mapping[str, Component], drawn: Mapping[str, Component]) -> dict[str, str]:
    """Of each drawn component that is expected, which: the nearest first, each once; what is optional takes only what is left."""
    named = Counter((item.type, item.file, item.name) for item in expected.values())
    candidates = sorted(
        (item.optional, distance, key, id_)
        for key, item in expected.items()
        for id_, other in drawn.items()
        if (distance := _distance(item, other, named[item.type, item.file, item.name] == 1)) is not None
    )
    pairs: dict[str, str] = {}
    for _, _, key, id_ in candidates:
        if id_ not in pairs and key not in pairs.values():
            pairs[id_] = key
    return pairs


def score(truth: Truth, document: Mapping[str, Any]) -> dict[str, Score]:
    """Components, edges and capabilities of a map in JSON against the list."""
    everything = {
        item["id"]: Component(item["type"], item["name"], item["file"], item["line"], frozenset(item.get("capabilities") or ()))
        for item in document["components"]
    }
    drawn = {id_: item for id_, item in everything.items() if truth.holds(item.file)}
    pairs = _pairs(truth.components, drawn)
    met = {key: drawn[id_] for id_, key in pairs.items()}
    components, capabilities = Score([], [], []), Score([], [], [])
    for key, item in truth.components.items():
        if not item.optional:
            (components.found if key in met else components.missed).append((item.type, str(item)))
        if key in met and item.type == "tool" and not item.optional:
            for name in sorted(item.capabilities | met[key].capabilities):
                kept = capabilities.spurious if name not in item.capabilities else capabilities.missed
                both = item.capabilities & met[key].capabilities
                (capabilities.found if name in both else kept).append((name, str(item)))
    components.spurious.extend((item.type, str(item)) for id_, item in drawn.items() if id_ not in pairs)

    def words(edge: Edge, of: Mapping[str, Component]) -> str:
        return f"{of[edge[0]]} --{edge[2]}-> {of[edge[1]]}"

    edges = Score([], [], [])
    told: set[Edge] = set()
    for edge in sorted({(item["from"], item["to"], item["kind"]) for item in document["edges"]}):
        if edge[0] not in drawn or edge[1] not in drawn:
            continue
        if edge[0] in pairs and edge[1] in pairs:
            told.add((pairs[edge[0]], pairs[edge[1]], edge[2]))
        else:
            edges.spurious.append((edge[2], words(edge, drawn)))
    for same in truth.edges:
        (edges.found if told & set(same) else edges.missed).append((same[0][2], words(same[0], truth.components)))
    neutral = truth.optional | {edge for same in truth.edges for edge in same}
    for edge in sorted(told - neutral):
        if not any(truth.components[end].optional for end in edge[:2]):
            edges.spurious.append((edge[2], words(edge, truth.components)))
    return {"components": components, "edges": edges, "capabilities": capabilities}


def joined(scores: Iterable[Score]) -> Score:
    whole = Score([], [], [])
    for part in scores:
        for into, items in zip(whole, part, strict=True):
            into.extend(items)
    return whole


def rates(part: Score) -> tuple[float, float]:
    """Recall and precision; 1 where there was nothing to find, or nothing was told."""
    found = len(part.found)
    return found / ((found + len(part.missed)) or 1) if part.missed else 1.0, found / (found + len(part.spurious)) if part.spurious else 1.0


def table(scores: Mapping[str, Score]) -> Iterator[str]:
    """One line for each kind, and one for all."""
    for what, whole in scores.items():
        yield f"{what:24}{'told':>6}{'found':>7}{'spurious':>10}{'recall':>9}{'precision':>11}"
        kinds = sorted({kind for items in whole for kind, _ in items})
        rows = [(kind, Score(*([item for item in items if item[0] == kind] for items in whole))) for kind in kinds]
        for name, part in [*rows, ("all", whole)]:
            recall, precision = rates(part)
            told = len(part.found) + len(part.missed)
            yield f"  {name:22}{told:6}{len(part.found):7}{len(part.spurious):10}{recall:9.1%}{precision:11.1%}"


def drawn_map(name: str, checkouts: Path, maps: Path | None) -> Any:
    if maps is not None:
        return json.loads((maps / f"{name}.json").read_text(encoding="utf-8"))
    command = [sys.executable, "-m", "headwater", "map", str(checkouts / name), "--format", "json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", type=Path)
    parser.add_argument("--truth", type=Path, default=Path(__file__).resolve().parent.parent / "tests" / "maps")
    parser.add_argument("--maps", type=Path)
    parser.add_argument("--only", action="append")
    parser.add_argument("--quiet", action="store_true", help="no list of what was missed and what is spurious")
    options = parser.parse_args()
    totals: list[dict[str, Score]] = []
    for path in sorted(options.truth.glob("*.yaml")):
        if options.only and path.stem not in options.only:
            continue
        scores = score(load(path), drawn_map(path.stem, options.checkouts, options.maps))
        totals.append(scores)
        print(f"== {path.stem}", *table(scores), sep="\n")
        for what, part in scores.items():
            for word, items in (("missed", part.missed), ("spurious", part.spurious)):
                for kind, words in sorted(items) if not options.quiet else ():
                    print(f"{word}: {kind} of {words}" if what == "capabilities" else f"{word}: {what[:-1]} {words}")
        print()
    if len(totals) > 1:
        print(f"== all {len(totals)}", *table({what: joined(scores[what] for scores in totals) for what in totals[0]}), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
