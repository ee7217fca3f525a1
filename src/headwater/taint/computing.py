"""Methods that do nothing but compute with numbers: those of layers and models that libraries for training have classes for.

Thousands of such methods call one another in a library of models. What is asked of them is what they return, and that is numbers, which
harm nobody. Where one names an operation, a source, or a function of its own file or class that does, it is interpreted as any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from headwater import limits
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
        """Whether neither a function nor what it calls of its own file and class names something that matters."""
        known = self._plain.get(fn.id)
        if known is not None:
            return known
        callers: dict[int, int] = {fn.id: -1}
        """Of each function that was reached: by which other one."""
        todo = [fn]
        while todo:
            one = todo.pop()
            plain = not self._interest.cards[one.id].dynamic and not self._interest.matters(one)
            for other in self._named(one) if plain else ():
                if self._plain.get(other.id) is False:
                    plain = False
                elif other.id not in callers and other.id not in self._plain:
                    callers[other.id] = one.id
                    todo.append(other)
            if not plain:
                at = one.id
                while at >= 0:  # all on the way there lead there
                    self._plain[at] = False
                    at = callers[at]
                return False
            if len(callers) > limits.COMPUTING:
                self._plain.update(dict.fromkeys(callers, False))
                return False
        self._plain.update(dict.fromkeys(callers, True))
        return True

    def _named(self, fn: Fn) -> Iterator[Fn]:
        """The functions that one names: of its module, or of the object that it belongs to."""
        card = self._interest.cards[fn.id]
        if fn.cls is not None:
            for name in (*card.attributes, *card.self_reads):
                yield from self._methods(fn.cls, name)
        for name in card.names:
            yield from (ref for ref in self._symbols.lookup(fn.module, name) if isinstance(ref, Fn))


def _says_so(node: Any) -> bool:
    return any(isinstance(entry, Api) and entry.computes for entry in node.entries)
