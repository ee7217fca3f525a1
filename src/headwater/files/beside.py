"""Files beside the code that tell how a system is put together: names and console scripts of packages, and the prompts of CrewAI in YAML.

The files are hostile input: read only where code lies, never through a link, bounded, as data. Of YAML only names, places and short
values of two levels are taken from its events, which nest and repeat as the file likes and cost what it is long.
"""

from __future__ import annotations

import configparser
import os
import re
import tomllib
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from headwater import limits
from headwater.files.read import UnreadableError, read_bytes

_CREW: Final = ("config/agents.yaml", "config/tasks.yaml", "config/agents.yml", "config/tasks.yml", "agents.yaml", "tasks.yaml")
_TARGET: Final = re.compile(r"\s*([\w.]+)\s*:\s*(\w+)[\w.]*\s*(?:\[.*)?")


class Section(NamedTuple):
    """A name of the first level of a YAML file, and what stands below it."""

    name: str
    line: int
    """1-based."""
    values: dict[str, str]


class Beside(NamedTuple):
    """All of it."""

    scripts: tuple[tuple[str, str, str], ...] = ()
    """Console scripts: the folder of the file that declares one, the module, the function."""
    prompts: dict[str, tuple[Section, ...]] = {}
    """What YAML files tell agents and tasks, by the path of the file."""
    names: frozenset[str] = frozenset()
    """What packages of Python are called that are the repository's own, in lower case."""

    def key(self) -> bytes:
        """All of it as bytes."""
        return repr((self.scripts, sorted(self.prompts.items()), sorted(self.names))).encode("utf-8", "surrogatepass")


def beside(root: str | os.PathLike[str], modules: Iterable[str]) -> Beside:
    """What the folders of ``modules``, and those above them, have; ``modules`` are paths from the root."""
    own: dict[str, None] = {}
    folders = {""}
    for path in modules:
        folder = path.rpartition("/")[0]
        own[folder] = None
        while folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    scripts: dict[tuple[str, str, str], None] = {}
    prompts: dict[str, tuple[Section, ...]] = {}
    names: set[str] = set()
    for folder in sorted(folders)[: limits.MANIFESTS]:
        for name in ("pyproject.toml", "setup.cfg"):
            text = _text(root, f"{folder}/{name}" if folder else name)
            called, targets = _package(name, text) if text else ("", [])
            names.update([called.lower()] if called else [])
            for target in targets:
                found = _TARGET.fullmatch(target)
                if found is not None:
                    scripts[(folder, found[1], found[2])] = None
        for name in _CREW if folder in own else ():
            path = f"{folder}/{name}" if folder else name
            text = _text(root, path)
            if text:
                prompts[path] = sections(text)
    return Beside(tuple(scripts), prompts, frozenset(names))


def _text(root: str | os.PathLike[str], path: str) -> str:
    if not os.path.lexists(os.path.join(root, path)):
        return ""
    try:
        return read_bytes(os.path.join(root, path), limits.BESIDE_BYTES).decode("utf-8", "replace")
    except UnreadableError:
        return ""


def _package(name: str, text: str) -> tuple[str, list[str]]:
    """What a package is called, and what its console scripts start: ``package.module:function``."""
    if name == "setup.cfg":
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(text)
        except configparser.Error:
            return "", []
        lines = parser.get("options.entry_points", "console_scripts", fallback="").splitlines()
        return parser.get("metadata", "name", fallback=""), [line.partition("=")[2] for line in lines if "=" in line]
    try:
        data: Any = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return "", []
    project, poetry = _table(data, "project"), _table(_table(data, "tool"), "poetry")
    tables = [_table(project, "scripts"), _table(project, "gui-scripts"), _table(poetry, "scripts")]
    called = project.get("name", poetry.get("name"))
    return called if isinstance(called, str) else "", [target for table in tables for target in table.values() if isinstance(target, str)]


def _table(data: Any, key: str) -> dict[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def sections(text: str) -> tuple[Section, ...]:
    """The names of the first level of a YAML file, in order, with the texts below them."""
    import yaml  # late: few projects have such files

    found: list[Section] = []
    depth = 0
    mapping = [False]
    """Whether each open level is a mapping."""
    key: str | None = None
    inner: str | None = None
    try:
        event: Any
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.DocumentEndEvent):
                break
            scalar = isinstance(event, yaml.ScalarEvent)
            if depth == 1 and mapping[-1] and key is None and scalar:
                key = event.value[: limits.COMPONENT_NAME]
                found.append(Section(key, event.start_mark.line + 1, {}))
                if len(found) >= limits.BESIDE_SECTIONS:
                    break
                continue
            if depth == 2 and mapping[-1] and inner is None and scalar:
                inner = event.value[: limits.COMPONENT_NAME]
                continue
            if depth == 2 and mapping[-1] and inner is not None and scalar:
                found[-1].values[inner] = event.value[: limits.COMPONENT_NAME]
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                mapping.append(isinstance(event, yaml.MappingStartEvent))
                if depth > limits.BESIDE_DEPTH:
                    break
                continue
            if isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
                mapping.pop()
            if depth == 1:
                key = inner = None
            elif depth == 2:
                inner = None
    except (yaml.YAMLError, RecursionError, ValueError):
        pass  # what was read until then counts
    return tuple(found)
