"""Which names a pickle may use without a word: lists per library, made from the libraries themselves (``scripts/pickle_names.py``)."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Final, Literal

Use = Literal["name", "new", "call"]
"""What is allowed of a name: to be named; to be made an instance of without its constructor; to be called."""

RANK: Final[dict[str, int]] = {"name": 1, "new": 2, "call": 3}


@functools.cache
def _list(package: str) -> dict[tuple[str, str], int]:
    """The names of one file. A line is a use, a module and names in it; ``#`` begins a remark."""
    found: dict[tuple[str, str], int] = {}
    file = resources.files(__package__).joinpath("allowed", f"{package}.txt")
    if not file.is_file():
        return found
    for line in file.read_text("utf-8").splitlines():
        use, module, *names = line.partition("#")[0].split() or ("", "")
        for name in names:
            found[(module, name)] = max(RANK[use], found.get((module, name), 0))
    return found


def allowed(module: str, name: str, use: Use) -> bool:
    """Whether the lists allow this use of a name."""
    package = module.partition(".")[0]
    if not package.isidentifier():
        return False
    rank = max(_list("reviewed").get((module, name), 0), _list(f"lib_{package}").get((module, name), 0))
    if not rank and module in _SAME:
        rank = _list("reviewed").get((_SAME[module], name), 0)
    if package == "__torch__":
        rank = 2  # classes of TorchScript: its own reader makes them, and no module of Python has that name
    elif name.startswith("__pyx_unpickle_") and "." not in name and package in CYTHON:
        rank = 3  # made by Cython for a class: makes an instance and sets its fields
    return rank >= RANK[use]


def listed(module: str) -> bool:
    """Whether a module is of a library that has a list."""
    package = module.partition(".")[0]
    return package.isidentifier() and bool(_list(f"lib_{package}"))


_SAME: Final = dict.fromkeys(
    (
        f"numpy.{core}.{name}"
        for core in ("core", "_core")
        for name in ("_multiarray_umath", "umath", "numeric", "fromnumeric", "multiarray")
    ),
    "numpy",
)
"""Where numpy defines what it offers by its own name: a list has those, too."""

CYTHON: Final = frozenset(
    ("pandas", "sklearn", "scipy", "numpy", "_catboost", "catboost", "statsmodels", "spacy", "thinc", "implicit", "hdbscan")
)
