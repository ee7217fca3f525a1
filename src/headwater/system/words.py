"""The words that checks of the system map go by, as data (``words.toml``): by which a tool says what it does, code asks a person."""

from __future__ import annotations

import functools
import re
import tomllib
from importlib import resources
from typing import Final

import msgspec

from headwater import limits

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_ENDINGS: Final = (
    "ations",
    "ation",
    "ments",
    "ment",
    "ings",
    "ing",
    "ions",
    "ion",
    "ers",
    "ors",
    "er",
    "or",
    "ies",
    "ied",
    "es",
    "ed",
    "als",
    "al",
    "s",
    "d",
    "e",
    "y",
)


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of effect."""

    ability: str
    does: str
    """In words, of code."""
    may: str
    """In words, of a model."""
    words: list[str]
    """Words by which a tool says so."""

    @property
    def stems(self) -> frozenset[str]:
        return frozenset(map(stem, self.words))


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a description says that describes nothing."""

    sure: bool
    """Nobody has a reason to write it."""
    tells: str
    pattern: str


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    effects: list[Kind]
    changing: list[str]
    fixed: list[str]
    deletes: list[str]
    aside: list[str]
    destroys: list[str]
    approval: list[str]
    refused: list[str]
    switches: dict[str, list[bool | str]]
    programs: list[str]
    flags: list[str]

    @property
    def flags_(self) -> frozenset[str]:
        return frozenset(self.flags)

    @property
    def changes(self) -> frozenset[str]:
        return frozenset(self.changing)

    brings: list[str]
    orders: list[Order]

    def kind(self, ability: str) -> Kind:
        return next(one for one in self.effects if one.ability == ability)


@functools.cache
def words() -> Words:
    return msgspec.convert(tomllib.loads(resources.files("headwater.system").joinpath("words.toml").read_text(encoding="utf-8")), Words)


@functools.cache
def stem(word: str) -> str:
    """A word without its ending."""
    word = word.lower()
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls" else word


def stems(text: str) -> frozenset[str]:
    """The words of a text or a name."""
    return frozenset(stem(one) for one in _WORD.findall(text[: limits.DESCRIPTION_CHARS]))
