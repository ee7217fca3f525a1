"""What ``package.json`` and ``tsconfig.json`` say of the names that scripts import: packages of the repository, and aliases of folders.

The files are hostile input: bounded, read as data, and what is no object of the expected form says nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec

from headwater import limits
from headwater.files.read import UnreadableError, read_bytes

_CONFIGS: Final = ("tsconfig.json", "jsconfig.json", "tsconfig.base.json")
FILES: Final = frozenset({"package.json", *_CONFIGS})
"""The names of all files that are read here."""
_COMMENT: Final = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING: Final = re.compile(r'("(?:[^"\\]|\\.)*")|,(\s*[}\]])')
_CONDITIONS: Final = ("types", "source", "import", "require", "node", "default")
"""Keys of ``exports`` that lead to a file, in the order in which they are tried: sources before what was built of them."""


class Package(NamedTuple):
    """A package of the repository."""

    folder: str
    entries: dict[str, tuple[str, ...]]
    """Files by what is imported of it: ``"."`` is the package itself, ``"./sub"`` a part of it. Relative to the folder."""


class Npm(NamedTuple):
    """All of it."""

    packages: dict[str, Package] = {}
    """By name."""
    aliases: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {}
    """By the folder of the configuration: patterns of specifiers (at most one ``*``), with the files that they may be (from the root)."""

    def key(self) -> bytes:
        """All of it as bytes."""
        return repr((sorted(self.packages.items()), sorted(self.aliases.items()))).encode("utf-8", "surrogatepass")


def npm(root: str | os.PathLike[str], scripts: Iterable[str]) -> Npm:
    """What the folders of ``scripts`` and those above them have; ``scripts`` are paths from the root."""
    folders: set[str] = set()
    for path in scripts:
        folder = path.rpartition("/")[0]
        while folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    packages: dict[str, Package] = {}
    aliases: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {}
    for folder in sorted(folders)[: limits.MANIFESTS]:
        data = _object(root, folder, "package.json")
        name = data.get("name")
        if isinstance(name, str) and name and name not in packages:
            packages[name] = Package(folder, _entries(data))
        for config in _CONFIGS:
            found = _aliases(_object(root, folder, config), folder)
            if found:
                aliases[folder] = found
                break
    return Npm(packages, aliases)


_HOSTS = frozenset({"electron", "electron-builder", "@electron-forge/cli", "vscode"})
"""What starts a package at its ``main``, as a program for people: nobody imports it."""


def _table(data: dict[str, Any], key: str) -> dict[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def is_published(root: str | os.PathLike[str]) -> bool:
    """Whether the folder is a package that others import: it says where, and not that it is nobody's business."""
    data = _object(root, "", "package.json")
    needed = {name for key in ("dependencies", "devDependencies", "engines") for name in _table(data, key)}
    return (
        data.get("private") is not True
        and _HOSTS.isdisjoint(needed)
        and isinstance(data.get("version"), str)
        and any(data.get(key) for key in ("main", "module", "exports"))
    )


def _object(root: str | os.PathLike[str], folder: str, name: str) -> dict[str, Any]:
    """A JSON object, with the comments and commas that TypeScript allows; empty where it is none."""
    try:
        text = read_bytes(os.path.join(root, folder, name), limits.MANIFEST_BYTES).decode("utf-8-sig", "replace")
    except UnreadableError:
        return {}
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        plain = _TRAILING.sub(lambda found: found[1] or found[2], _COMMENT.sub(lambda found: found[1] or " ", text))
        try:
            data = msgspec.json.decode(plain)
        except (msgspec.DecodeError, RecursionError):
            return {}
    return data if isinstance(data, dict) else {}


def _entries(data: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    exports = data.get("exports")
    if isinstance(exports, dict) and any(key.startswith(".") for key in exports):
        for key, value in list(exports.items())[: limits.DECLARATIONS]:
            found[key] = tuple(_files(value))
    elif exports is not None:
        found["."] = tuple(_files(exports))
    main = [data.get(key) for key in ("source", "types", "module", "main")]
    found["."] = (*found.get(".", ()), *(one for one in main if isinstance(one, str)))
    return found


def _files(value: Any, depth: int = 0) -> list[str]:
    """The files that a value of ``exports`` leads to."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict) and depth < 4:
        return [one for key in _CONDITIONS if key in value for one in _files(value[key], depth + 1)]
    return []


def _aliases(data: dict[str, Any], folder: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    options = data.get("compilerOptions")
    if not isinstance(options, dict):
        return ()
    base = options.get("baseUrl")
    start = os.path.normpath(os.path.join(folder, base)) if isinstance(base, str) else folder
    start = "" if start == "." else start
    paths = options.get("paths")
    found = []
    for pattern, targets in list(paths.items())[: limits.DECLARATIONS] if isinstance(paths, dict) else ():
        if isinstance(targets, list) and pattern.count("*") <= 1:
            places = (os.path.normpath(os.path.join(start, one)) for one in targets if isinstance(one, str) and one.count("*") <= 1)
            found.append((pattern, tuple(places)))
    if isinstance(base, str):
        found.append(("*", (os.path.join(start, "*") if start else "*",)))
    return tuple(found)
