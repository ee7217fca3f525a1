"""Tools that are written as objects with a name and a schema, in the forms in which makers of models take them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from headwater import ir
from headwater.index.entities import Fn
from headwater.system.written import Places

_SCHEMA: Final = frozenset({"parameters", "input_schema", "inputSchema", "description", "parametersJsonSchema", "strict"})
"""What a tool's schema has beside its name."""
_AROUND: Final = ("functionDeclarations", "function_declarations", "toolSpec", "tools", "custom")
"""Keys under which schemas stand."""
_RUNS: Final = frozenset({"execute", "func", "run", "handler", "callback", "implementation", "invoke", "generate"})
"""Keys of the function that runs a tool."""
_DEPTH: Final = 4
"""A list, a declaration, a list in it, a schema."""


def schemas(places: Places, fn: Fn, register: int, depth: int = 0) -> Iterator[tuple[Fn, ir.Build, str]]:
    """The schemas in a value, with the names of their tools; none of objects that have a function, which are known by that."""
    for at, build in places.displays(fn, register) if depth < _DEPTH else ():
        if build.kind != "dict":
            for part in build.parts:
                yield from schemas(places, at, part, depth + 1)
            continue
        parts = {key: part for key, part in zip(build.keys, build.parts, strict=True) if isinstance(key, str)}
        kind = places.literal(at, parts["type"]) if "type" in parts else ""
        if not parts.keys().isdisjoint(_RUNS):
            continue
        if "name" in parts and (not parts.keys().isdisjoint(_SCHEMA) or isinstance(kind, str)):
            yield at, build, places.said(at, build, "name") or places.holder_of(at, build.dst) or "tool"
        elif "function" in parts:
            for _, _, name in schemas(places, at, parts["function"], depth + 1):
                yield at, build, name
        elif any(key in parts for key in _AROUND):
            for key in _AROUND:
                if key in parts:
                    yield from schemas(places, at, parts[key], depth + 1)
        elif isinstance(kind, str) and kind not in ("", "function"):  # one that the maker of the model runs
            yield at, build, kind
        elif "type" not in parts and any(places.displays(at, part) for part in parts.values()) and not depth:  # schemas by their names
            for part in parts.values():
                yield from schemas(places, at, part, depth + 1)
        elif len(parts) == 1 and next(iter(parts)) in ("googleSearch", "google_search", "codeExecution", "code_execution", "urlContext"):
            yield at, build, next(iter(parts))
