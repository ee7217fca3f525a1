"""API paths: names of values by how they were made, interned, each with the model entries that match it.

A path is a node of a tree that grows as values are named (``openai`` -> ``.OpenAI`` -> ``()`` -> ``.chat`` ...). A node
keeps the set of pattern positions that its text has reached, so that matching costs one step per new name and nothing
for a name seen before. A node that no pattern can match any more is the one dead node. Patterns of a library or a type wait until
somebody names it: a project uses few of those that are known. The tree is that of one review; the patterns serve all of a process.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from headwater import limits

T = TypeVar("T")

CALL = "()"
ELEMENT = "[]"
UNKNOWN = "?"


class PatternError(ValueError):
    """A path pattern that cannot be read."""


class _State(Generic[T]):
    """A position in the tree of all patterns."""

    __slots__ = ("deep", "loops", "names", "payload", "star", "types")

    def __init__(self) -> None:
        self.names: dict[str, _State[T]] = {}
        self.star: _State[T] | None = None
        self.deep: _State[T] | None = None
        self.loops = False
        self.payload: list[tuple[tuple[int, int, int], T]] = []
        self.types: list[str] = []


class ApiPath(Generic[T]):
    """One API path; ``entries`` are the payloads of the most specific patterns that match it."""

    __slots__ = ("_before", "_children", "_patterns", "_states", "depth", "entries", "key", "text", "types")

    def __init__(self, patterns: Patterns[T], text: str, states: tuple[_State[T], ...], before: ApiPath[T] | None = None) -> None:
        self._patterns = patterns
        self._before = before
        self._states = states
        self._children: dict[str, ApiPath[T] | None] = {}
        self.text = text
        self.key: tuple[Any, ...] = (3, text)
        found: list[tuple[tuple[int, int, int], T]] = []
        types: list[str] = []
        for state in states:
            found += state.payload
            types += state.types
        best: dict[str, tuple[int, int, int]] = {}
        for rank, payload in found:
            kind = _kind(payload)
            if kind not in best or rank < best[kind]:
                best[kind] = rank
        self.entries: tuple[T, ...] = tuple(payload for rank, payload in found if rank == best[_kind(payload)])
        """The most specific of the models, and of the call patterns of each rule: no rule hides another."""
        self.types: frozenset[str] = frozenset(types)
        self.depth: int = 1 if types or before is None else before.depth + 1
        """Steps since the path was last of a type: from there it goes on as the type does, however it was reached."""

    def __repr__(self) -> str:
        return self.text

    def child(self, step: str) -> ApiPath[T] | None:
        """The path one step on (a name, ``()`` or ``[]``), or None where no pattern can match it."""
        try:
            return self._children[step]
        except KeyError:
            made = self._make(step)
            self._children[step] = made
            return made

    def _make(self, step: str) -> ApiPath[T] | None:
        if self.depth >= limits.API_PATH:
            return None
        states = self._patterns.advance(self._states, step)
        if not states:
            return None
        text = self.text + step if step in (CALL, ELEMENT) else f"{self.text}.{step}"
        made = ApiPath(self._patterns, text, states, self)
        return (made._again() or made) if made.types else made

    def _again(self) -> ApiPath[T] | None:
        """The path before this one from which everything goes on as it does from here: a builder that returns itself adds nothing."""
        wanted = frozenset(self._states)
        node = self._before
        while node is not None:
            if frozenset(node._states) == wanted:
                return node
            node = node._before
        return None


Site = tuple[int, int, int]
"""The number of a module, and where a call in it begins and ends: those of one chain begin together, nested ones may end together."""


class Sited(ApiPath[T]):
    """The path of an object that is a component of the system map: told apart from others of that path by where it is made.

    Its attributes are told apart too (``client.chat.completions``), what calling it or taking an element of it gives is not.
    """

    __slots__ = ("base", "part", "site")

    def __init__(self, base: ApiPath[T], site: Site, part: bool = False) -> None:
        """``site``: the call that makes it; ``part``: an attribute of the object."""
        self.base = base
        self.site = site
        self.part = part
        self._patterns, self._before, self._states, self._children = base._patterns, base._before, base._states, {}
        self.text, self.entries, self.types, self.depth = base.text, base.entries, base.types, base.depth
        self.key = (3, base.text, *site)

    def _make(self, step: str) -> ApiPath[T] | None:
        made = self.base.child(step)
        return made if made is None or step in (CALL, ELEMENT) else Sited(made, self.site, True)


def _kind(payload: object) -> str:
    """What payloads are weighed against one another: models, or the call patterns of one rule."""
    kind: str = getattr(payload, "rule", "")
    return kind


class Patterns(Generic[T]):
    """All patterns of the loaded models and rules."""

    def __init__(self, types: dict[str, list[str]], shared: Patterns[T] | None = None) -> None:
        """``shared``: patterns that no more are added to, which these are; their paths are not."""
        self._start: _State[T] = _State() if shared is None else shared._start
        self._types: dict[str, _State[T]] = {name: _State() for name in types} if shared is None else shared._types
        self._roots: dict[str, ApiPath[T] | None] = {}
        self._waiting: dict[str, list[tuple[str, tuple[T, ...], tuple[str, ...]]]] = {} if shared is None else shared._waiting
        """By first step: patterns that have no place yet, with what is to be found there."""
        self._placed: set[str] = {"*", "**"} if shared is None else shared._placed
        """First steps of which none waits; what any name begins with cannot."""
        for name, paths in sorted(types.items()) if shared is None else ():
            for path in paths:
                self._put(path, types=(name,))

    def add(self, path: str, payload: T) -> None:
        """Attach ``payload`` to every path that matches the pattern, one that ``expand`` and ``split`` can read."""
        self._put(path, (payload,))

    def know(self, path: str) -> None:
        """Make the pattern's paths exist, so that values can carry them, though nothing is said of them."""
        self._put(path)

    def root(self, name: str) -> ApiPath[T] | None:
        """The path of a top-level module (or ``builtins``, ``?`` and ``?name``)."""
        try:
            return self._roots[name]
        except KeyError:
            self._place_waiting(name)
            states = self.advance((self._start,), name)
            made = ApiPath(self, name, states) if states else None
            self._roots[name] = made
            return made

    def find(self, dotted: str) -> ApiPath[T] | None:
        """The path of a dotted name with ``()`` and ``[]``."""
        steps = split(dotted)
        node = self.root(steps[0])
        for step in steps[1:]:
            if node is None:
                return None
            node = node.child(step)
        return node

    def first_names(self) -> frozenset[str]:
        """Top-level modules that patterns speak of."""
        return frozenset((*self._start.names, *(name for name in self._waiting if name not in self._types)))

    def names_after(self, path: ApiPath[T]) -> list[str]:
        """Names that patterns have next after ``path``, sorted (wildcards left out)."""
        return sorted({name for state in path._states for name in state.names if name not in (CALL, ELEMENT)})

    def advance(self, states: tuple[_State[T], ...], step: str) -> tuple[_State[T], ...]:
        found: list[_State[T]] = []
        name = step not in (CALL, ELEMENT)
        for state in states:
            follow = state.names.get(step)
            if follow is not None:
                found.append(follow)
            if name:
                if state.star is not None:
                    found.append(state.star)
                if state.loops:
                    found.append(state)
            deep = state.deep
            if deep is not None:
                if name:
                    found.append(deep)
                follow = deep.names.get(step)
                if follow is not None:
                    found.append(follow)
                if name and deep.star is not None:
                    found.append(deep.star)
        at = 0
        while at < len(found):  # a path that is of a type goes on as that type does
            for type_ in found[at].types:
                self._place_waiting(type_)
                start = self._types[type_]
                if start not in found:
                    found.append(start)
            at += 1
        return tuple(dict.fromkeys(found))

    def _put(self, path: str, payloads: tuple[T, ...] = (), types: tuple[str, ...] = ()) -> None:
        for one in expand(path) if "{" in path.partition(".")[0] else (path,):
            first = split(one.partition(".")[0])[0]
            if first in self._placed:
                self._place(one, payloads, types)
            else:
                self._waiting.setdefault(first, []).append((one, payloads, types))

    def _place_waiting(self, first: str) -> None:
        if first not in self._placed:
            self._placed.add(first)
            for path, payloads, types in self._waiting.pop(first, ()):
                self._place(path, payloads, types)

    def _place(self, path: str, payloads: tuple[T, ...], types: tuple[str, ...]) -> None:
        for one in expand(path):
            steps = split(one)
            state = self._start
            deep = star = typed = 0
            if steps[0] in self._types:
                state = self._types[steps[0]]
                typed = 1  # a path of its own beats what is said of its type
                steps = steps[1:]
            for step in steps:
                if step == "**":
                    deep += 1
                    if state.deep is None:
                        state.deep = _State()
                        state.deep.loops = True
                    state = state.deep
                elif step == "*":
                    star += 1
                    if state.star is None:
                        state.star = _State()
                    state = state.star
                else:
                    following = state.names.get(step)
                    if following is None:
                        following = state.names[step] = _State()
                    state = following
            state.payload += [((deep, star, typed), payload) for payload in payloads]
            state.types += types


@functools.lru_cache(limits.PATTERNS_READ)  # the same for every review of a process
def expand(path: str) -> tuple[str, ...]:
    """All readings of ``{a,b}`` alternatives (nested too), each once; raises PatternError."""
    if len(path) > limits.PATTERN_CHARS:
        raise PatternError(f"a path of more than {limits.PATTERN_CHARS:,} characters")
    readings = [path]
    # All readings go on together, so that those that became equal are one: what they are read into is bounded at each step.
    while any("{" in one or "}" in one for one in readings):
        readings = list(dict.fromkeys(further for one in readings for further in _expanded(one)))
        if len(readings) > limits.PATTERN_READINGS:
            raise PatternError(f"more than {limits.PATTERN_READINGS:,} alternatives in {path!r}")
    return tuple(readings)


def _expanded(path: str) -> list[str]:
    """The first alternatives that have none inside, read; the path itself where it has none at all."""
    close = path.find("}")
    if close < 0:
        if "{" in path:
            raise PatternError(f"'{{' without '}}' in {path!r}")
        return [path]
    opening = path.rfind("{", 0, close)
    if opening < 0:
        raise PatternError(f"'}}' without '{{' in {path!r}")
    # Inner alternatives are read first: ``{a,{b,c}.d}`` meets ``a`` once for ``b`` and once for ``c``.
    return [path[:opening] + part.strip() + path[close + 1 :] for part in path[opening + 1 : close].split(",")]


@functools.lru_cache(limits.PATTERNS_READ)
def split(path: str) -> tuple[str, ...]:
    """Steps of a path: ``a.b().c[]`` is a, b, (), c, []; raises PatternError."""
    steps: list[str] = []
    for part in path.split("."):
        steps += _cut(part)
        if not part:
            raise PatternError(f"empty step in {path!r}")
    return tuple(steps)


@functools.cache  # few parts are in many paths
def _cut(part: str) -> tuple[str, ...]:
    """A name, and the calls and elements behind it."""
    tail: list[str] = []
    while part.endswith((CALL, ELEMENT)):
        tail.append(part[-2:])
        part = part[:-2]
    return (*([part] if part else []), *reversed(tail))


def find_all(patterns: Patterns[T], dotted: Iterable[str]) -> list[ApiPath[T]]:
    """The paths among ``dotted`` that some pattern speaks of."""
    return [node for one in dotted if (node := patterns.find(one)) is not None]
