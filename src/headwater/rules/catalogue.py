"""The catalogue of a review, kept for the next review of the process: to make one takes longer than most small reviews."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from headwater import limits
from headwater.apis.load import Catalogue
from headwater.apis.schema import ApiFile
from headwater.rules.load import Rule, call_rules


class _Kept(NamedTuple):
    made_of: list[object]
    known: tuple[str, ...]
    catalogue: Catalogue


_kept: Final[list[_Kept]] = []
"""The latest first."""


def ready(models: Sequence[tuple[str, ApiFile]], rules: Iterable[Rule], known: tuple[str, ...]) -> Catalogue:
    """All that models and rules say of API paths, with the paths that the engine knows itself, and no path named."""
    calling = [rule for rule in rules if rule.head.calls]
    made_of: list[object] = [*(file for _, file in models), *calling]
    for number, one in enumerate(_kept):
        if one.known == known and len(one.made_of) == len(made_of) and all(map(operator.is_, one.made_of, made_of)):
            _kept.insert(0, _kept.pop(number))
            return one.catalogue.again()
    catalogue = Catalogue(list(models), call_rules(calling), known)
    _kept.insert(0, _Kept(made_of, known, catalogue))
    del _kept[limits.CATALOGUES :]
    return catalogue.again()
