"""Finds the findings of an earlier review again in a later one: the same operation, whatever has been moved, renamed or laid out anew.

Keys go from the strictest to the loosest. Each pairs what it names on both sides and no stricter one has paired; where it names
several, what stands around them tells which is which, then their order in one function; the rest is left to the next key. What no key
pairs is paired by likeness in one file. Lines only choose between equals, and messages never count.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from headwater import limits
from headwater.anchors import words
from headwater.findings import Finding

LIKENESS: Final = 0.7
"""Share of the words of two operations in different functions that must be the same."""


class Item(msgspec.Struct, frozen=True):
    """What of a finding decides whether it is another one."""

    rule: str
    class_: str
    """``Finding.rule_class``."""
    path: str
    function: str
    expression: str
    shape: str
    around: tuple[str, str]
    ordinal: int
    line: int
    """Only to choose the nearest of those that are alike."""


def item(finding: Finding, line: int) -> Item:
    return Item(
        rule=finding.rule,
        class_=finding.rule_class,
        path=encodable(finding.place.path),
        function=encodable(finding.function),
        expression=encodable(finding.expression),
        shape=finding.shape,
        around=finding.around,
        ordinal=finding.ordinal,
        line=line,
    )


def encodable(text: str) -> str:
    """As reports write it: a lone surrogate has no place in UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


_Key = Callable[[Item], Hashable]


def _leaf(one: Item) -> str:
    return one.function.rpartition(".")[2]


# An operation in the same function is the same whoever sends the data; one that is found elsewhere has to be of the same rule.
_EXACT: Final[_Key] = lambda one: (one.class_, one.path, one.function, one.expression)  # noqa: E731
_KEYS: Final[tuple[_Key, ...]] = (
    lambda one: (one.class_, one.path, one.function, one.shape),  # a local variable has another name
    lambda one: (one.class_, one.path, _leaf(one), one.expression),  # the class has
    lambda one: (one.class_, one.path, _leaf(one), one.shape),
    lambda one: (one.rule, one.path, one.expression),  # the function has, or it has moved
    lambda one: (one.rule, one.path, one.shape),
    lambda one: (one.rule, one.function, one.expression),  # into another file
    lambda one: (one.rule, _leaf(one), one.expression),
    # headwater-moved/v1; but an operation of a few words is like another, so what is around it has to agree
    lambda one: (one.rule, one.expression, one.around[0]) if one.around[0] else None,
    lambda one: (one.rule, one.expression, one.around[1]) if one.around[1] else None,
)


def match(old: Sequence[Item], new: Sequence[Item], renamed: Mapping[str, str] | None = None, kept: Collection[str] = ()) -> dict[int, int]:
    """Which of ``new`` is which of ``old``, by their places in them.

    ``renamed`` are paths of ``old`` that have another name now, where that is known. A path of ``kept`` still is the file that it was.
    """
    return _Matching(old, new, renamed or {}, kept).pairs


class _Matching:
    def __init__(self, old: Sequence[Item], new: Sequence[Item], renamed: Mapping[str, str], kept: Collection[str]) -> None:
        self.pairs: dict[int, int] = {}
        """From ``new`` to ``old``."""
        self.old = [_at(one, renamed.get(one.path, one.path)) for one in old]
        self.new = new
        self.words: dict[str, list[str]] = {}
        self.free_old: dict[int, None] = dict.fromkeys(range(len(old)))
        self.free_new: dict[int, None] = dict.fromkeys(range(len(new)))
        self._by(_EXACT, all_in_order=True)
        now = self._renamed(kept)
        self.old = [_at(one, now.get(one.path, one.path)) for one in self.old]
        self._by(_EXACT, all_in_order=True)
        for key in _KEYS:
            self._by(key)
        self._nearest()

    def _take(self, old: int, new: int) -> None:
        self.pairs[new] = old
        del self.free_old[old], self.free_new[new]

    # ------------------------------------------------------------------------------------------------------- by a key

    def _by(self, key: _Key, all_in_order: bool = False) -> None:
        groups: dict[Hashable, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for number in self.free_old:
            groups[key(self.old[number])][0].append(number)
        for number in self.free_new:
            groups[key(self.new[number])][1].append(number)
        groups.pop(None, None)
        for olds, news in groups.values():
            if olds and news:
                self._group(olds, news, all_in_order)

    def _group(self, olds: list[int], news: list[int], all_in_order: bool) -> None:
        if len(olds) > 1 or len(news) > 1:
            for near in (lambda one: one.around, lambda one: one.around[0], lambda one: one.around[1]):
                self._unique(olds, news, near)
        olds, news = ([one for one in olds if one in self.free_old], [one for one in news if one in self.free_new])
        one_place = len({self._function(self.old[one]) for one in olds}) == 1 == len({self._function(self.new[one]) for one in news})
        if one_place and (all_in_order or len(olds) == len(news)):
            olds.sort(key=lambda one: self.old[one].ordinal)
            news.sort(key=lambda one: self.new[one].ordinal)
            for a, b in zip(olds, news, strict=False):
                self._take(a, b)

    def _unique(self, olds: list[int], news: list[int], near: Callable[[Item], Hashable]) -> None:
        """Pairs those around which the same stands, and around no other."""
        before, now = defaultdict[Hashable, list[int]](list), defaultdict[Hashable, list[int]](list)
        for number in olds:
            if number in self.free_old:
                before[near(self.old[number])].append(number)
        for number in news:
            if number in self.free_new:
                now[near(self.new[number])].append(number)
        for what, some in before.items():
            if what and what != ("", "") and len(some) == 1 and len(now[what]) == 1:
                self._take(some[0], now[what][0])

    @staticmethod
    def _function(one: Item) -> tuple[str, str]:
        return one.path, one.function

    # -------------------------------------------------------------------------------------------------- renamed files

    def _renamed(self, kept: Collection[str]) -> dict[str, str]:
        """Files that are on one side only, by the operations that they share with no other."""
        before, now = {one.path for one in self.old}, {one.path for one in self.new}
        names: dict[Hashable, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
        for number in self.free_old:
            if (one := self.old[number]).path not in now and one.path not in kept:
                names[one.class_, one.function, one.expression, one.ordinal][0].add(one.path)
        for number in self.free_new:
            if (one := self.new[number]).path not in before and one.path not in kept:
                names[one.class_, one.function, one.expression, one.ordinal][1].add(one.path)
        votes: Counter[tuple[str, str]] = Counter()
        for some, others in names.values():
            if len(some) * len(others) <= limits.MATCHES_COMPARED:
                votes.update((a, b) for a in some for b in others)
        return _best(votes)

    # -------------------------------------------------------------------------------------------------------- nearest

    def _nearest(self) -> None:
        """In one file what is most alike: in the same function first."""
        groups: dict[tuple[str, str], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for number in self.free_old:
            groups[self.old[number].rule, self.old[number].path][0].append(number)
        for number in self.free_new:
            groups[self.new[number].rule, self.new[number].path][1].append(number)
        for olds, news in groups.values():
            if len(olds) * len(news) > limits.MATCHES_COMPARED:
                continue
            ranked = []
            for a in olds:
                for b in news:
                    if (rank := self._alike(self.old[a], self.new[b])) is not None:
                        ranked.append((*rank, abs(self.old[a].line - self.new[b].line), a, b))
            for *_, a, b in sorted(ranked):
                if a in self.free_old and b in self.free_new:
                    self._take(a, b)

    def _alike(self, old: Item, new: Item) -> tuple[int, int, float] | None:
        """Smaller for what is more alike; None for what may not be the same."""
        before, now = self._words(old.expression), self._words(new.expression)
        if _called(before) != _called(now):
            return None
        same = old.function == new.function
        likeness = _share(before, now)
        if not same and (likeness < LIKENESS or not _texts_fit(before, now)):
            return None
        near = sum(a == b != "" for a, b in zip(old.around, new.around, strict=True))
        return -int(same), -near, -likeness

    def _words(self, expression: str) -> list[str]:
        if expression not in self.words:
            self.words[expression] = words(expression)
        return self.words[expression]


def _at(one: Item, path: str) -> Item:
    return one if path == one.path else msgspec.structs.replace(one, path=path)


def _best(votes: Mapping[tuple[str, str], int]) -> dict[str, str]:
    """Pairs each of which has more votes than any other one with either of its sides."""
    most: dict[tuple[int, str], list[int]] = defaultdict(list)
    for (before, now), number in votes.items():
        most[0, before].append(number)
        most[1, now].append(number)

    def leads(side: int, name: str, number: int) -> bool:
        return max(most[side, name]) == number and most[side, name].count(number) == 1

    return {before: now for (before, now), number in votes.items() if leads(0, before, number) and leads(1, now, number)}


def _called(expression: Sequence[str]) -> list[str]:
    """What stands before the first bracket; of what is no call, nothing."""
    return list(expression[: expression.index("(")]) if "(" in expression else []


def _texts_fit(a: Iterable[str], b: Iterable[str]) -> bool:
    """Whether one has no text in quotes that the other does not have: what a command or a query is called tells it from others."""
    one, other = ({word.partition('"')[2] for word in some if '"' in word} for some in (a, b))
    return one <= other or other <= one


def _share(a: Iterable[str], b: Iterable[str]) -> float:
    one, other = Counter(a), Counter(b)
    return 2 * (one & other).total() / max(1, one.total() + other.total())
