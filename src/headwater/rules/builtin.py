"""The built-in rules and API models, each read once, and not from Markdown and YAML where they were made of these before.

A wheel has them in ``headwater/made``, put there by ``hatch_build.py`` in the root of the project; where it does not, as in an
editable installation, the first run keeps them in the cache. Both are typed msgpack. A file of the wheel is named by the digest of all
that it was made from: whoever changes, adds or removes a rule, an API model or a module that reads them makes it unused.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

import headwater
from headwater.apis import load as apis
from headwater.apis.schema import ApiFile
from headwater.cache import Cache, digest_of, opened, sealed
from headwater.rules import load
from headwater.rules.load import Rule

HOME: Final = Path(headwater.__file__).parent
MADE: Final = "made"
_SOURCES: Final[Mapping[str, tuple[str, ...]]] = {"models": ("apis", "apis/python", "apis/typescript"), "rules": ("rules", "knowledge")}
_ENDINGS: Final = (".md", ".py", ".yaml")
_Type = TypeVar("_Type")
_known: Final[dict[str, Any]] = {}


def rules(cache: Cache | None = None) -> Mapping[str, Rule]:
    """The rules by id, in the order of their ids. ``cache``: where they are kept, if this is the first call and no wheel has them."""
    found = _once("rules", list[Rule], lambda: list(load.load_rules().values()), cache)
    return {rule.id: rule for rule in found}


def models(cache: Cache | None = None) -> list[tuple[str, ApiFile]]:
    """The API models by the names of their files, sorted. ``cache``: as for ``rules``."""
    return _once("models", list[tuple[str, ApiFile]], apis.load, cache)


def build(home: Path = HOME) -> dict[str, bytes]:
    """The files for a wheel, by their names below the package."""
    parts = {"models": apis.load(), "rules": list(load.load_rules().values())}
    return {_place(name, home): sealed(msgspec.msgpack.encode(part)) for name, part in parts.items()}


def _once(name: str, type_: type[_Type], make: Callable[[], _Type], cache: Cache | None) -> _Type:
    if name not in _known:
        found = beside(name, type_)
        if found is None:
            found = cache.made(name, type_, make) if cache is not None else make()
        _known[name] = found
    made: _Type = _known[name]
    return made


def beside(name: str, type_: type[_Type], home: Path = HOME) -> _Type | None:
    """What a wheel has; None where it is not there, not whole, or was made from other files than those that are there."""
    try:
        if not os.path.isdir(home / MADE):
            return None
        data = opened((home / _place(name, home)).read_bytes())
        return None if data is None else msgspec.msgpack.decode(data, type=type_)
    except (OSError, msgspec.MsgspecError, RecursionError):
        return None


def _place(name: str, home: Path) -> str:
    parts: list[bytes] = []
    for folder in _SOURCES[name]:
        for file in sorted(os.listdir(home / folder)):
            if file.endswith(_ENDINGS):
                parts += [f"{folder}/{file}".encode("utf-8", "surrogateescape"), (home / folder / file).read_bytes()]
    return f"{MADE}/{name}-{digest_of(parts)}"
