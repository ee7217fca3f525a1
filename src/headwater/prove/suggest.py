"""How an application may be started, by what the system map of its review shows: a first command line for who has given none."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from headwater.components import Component, SystemMap

_MOST = 5


def commands(system: SystemMap, scope: str) -> list[str]:
    """Options of ``headwater prove`` that are worth a try, the likeliest first; ``scope``: the application's folder, relative to the
    review's root."""
    return list(dict.fromkeys(_commands(system, scope)))[:_MOST]


def _commands(system: SystemMap, scope: str) -> Iterator[str]:
    servers = {one.file for one in system.components if one.type == "mcp-server"}
    entries = [one for one in system.components if one.type == "entry-point" and _inside(one.file, scope)]
    scripts = [one for one in entries if one.detail.get("kind") == "script"]
    routes = [one for one in entries if one.detail.get("kind") == "route"]
    for one in scripts:
        start = _start(one, scope)
        if one.file in servers:
            yield f"--mcp '{start}'"
        elif routes and _package(one.file) in {_package(other.file) for other in routes}:
            sends = "".join(f" --send '{send}'" for send in _sends(routes))
            yield f"--serve '{start}' --port 8000{sends}"
    for one in scripts:
        if one.file not in servers:
            yield f"--run '{_start(one, scope)}'"
    for one in system.components:
        if one.type in ("llm-call", "agent") and one.file.endswith(".py") and _inside(one.file, scope) and one.name.isidentifier():
            yield f"--call {_module(one.file, scope)}:{one.name} --with '[\"hello\"]'"


def _sends(routes: list[Component]) -> Iterator[str]:
    """An ordinary request to the first routes that take one."""
    for one in routes[:2]:
        method, _, path = one.detail.get("route", "").rpartition(" ")
        if method in ("GET", "POST") and "{" not in path and ":" not in path:
            yield f'{method} {path} {{"text": "hello"}}' if method == "POST" else f"{method} {path}"


def _start(script: Component, scope: str) -> str:
    file = posixpath.relpath(script.file, scope or ".")
    if not file.endswith(".py"):
        return f"node {file}"
    if posixpath.dirname(file):
        return f"python3 -m {_module(script.file, scope)}"
    return f"python3 {file}"


def _module(file: str, scope: str) -> str:
    return posixpath.relpath(file, scope or ".").removesuffix(".py").removesuffix("/__main__").removesuffix("/__init__").replace("/", ".")


def _package(file: str) -> str:
    return posixpath.dirname(file)


def _inside(file: str, scope: str) -> bool:
    return not scope or file.startswith(f"{scope}/")
