"""Methods that do nothing but compute with numbers: those of layers and models that libraries for training have classes for.

Thousands of such methods call one another in a library of models. What is asked of them is what they return, and that is numbers, which
harm nobody. Where one names an operation, a source, or a function of its own file or class that does, it is interpreted as any other.
"""

from __future__ import annotations

from typing import Any

from headwater.apis.schema import Api
from headwater.index.entities import Cls, Fn
from headwater.index.symbols import Symbols
from headwater.taint.interest import CONSTRUCTORS, Interest
from headwater.taint.summary import Summary

_CALLED = frozenset({"forward", "call", "__call__"})
"""What calling an object of such a class runs."""

NUMBERS = Summary()
"""What such a call does: nothing, and it gives numbers."""


class Computing:
    """Which functions only compute."""

    def __init__(self, symbols: Symbols, interest: Interest) -> None:
        self._symbols = symbols
        self._interest = interest
        self._classes: dict[int, bool] = {}
        self._plain: dict[int, bool] = {}

    def only(self, fn: Fn) -> bool:
        """Whether a function is a method of such a class, and names nothing that matters."""
        return fn.cls is not None and self._computes(fn.cls) and self._is_plain(fn)

    def gives_numbers(self, fn: Fn) -> bool:
        """Whether what such a method returns is numbers, whatever it is given."""
        return fn.name in _CALLED

    def _computes(self, cls: Cls) -> bool:
        known = self._classes.get(cls.id)
        if known is None:
            known = self._classes[cls.id] = any(map(_says_so, (node for one in cls.mro for node in one.externals)))
        return known

    def _methods(self, cls: Cls, name: str) -> list[Fn]:
        """What a call on ``self`` may run: the method, and what subclasses have in its place."""
        found = cls.method(name)
        if found is None or name in CONSTRUCTORS or name in _CALLED:
            return []
        return [found, *(one for one in self._symbols.methods_by_name.get(name, ()) if one.cls is not None and cls in one.cls.mro)]

    def _is_plain(self, fn: Fn) -> bool:
        known = self._plain.get(fn.id)
        if known is not None:
            return known
        self._plain[fn.id] = True  # of functions that call one another
        card = self._interest.cards[fn.id]
        plain = not card.dynamic and not self._interest.matters(fn)
        if plain and fn.cls is not None:
            names = (*card.attributes, *card.self_reads)
            plain = all(self._is_plain(one) for name in names for one in self._methods(fn.cls, name))
        if plain:
            named = (ref for name in card.names for ref in self._symbols.lookup(fn.module, name))
            plain = all(self._is_plain(one) for one in named if isinstance(one, Fn))
        self._plain[fn.id] = plain
        return plain


def _says_so(node: Any) -> bool:
    return any(isinstance(entry, Api) and entry.computes for entry in node.entries)
