"""Says whether YAML that users wrote can be read without harm: bounded in size and nesting, each key once, nothing that runs code.

YAML's events are looked at, one after the other, before anything is built from them: a few lines of aliases can stand for millions of
values, and deep nesting ends in the C stack.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

import yaml

from headwater import limits

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE: Final = "tag:yaml.org,2002:"


class BoundError(ValueError):
    """YAML that is not read; the message begins with file and line."""


class _Open:
    """A mapping or sequence whose end has not come yet."""

    def __init__(self, anchor: str | None, keys: set[str] | None) -> None:
        self.anchor = anchor
        self.keys = keys
        """Of a mapping: the keys so far."""
        self.at_key = keys is not None
        self.nodes = 1
        self.height = 1


def check(text: str, name: str) -> None:
    """Raises BoundError where the text is not to be read."""
    try:
        _events(text, name)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise BoundError(f"{name}:{mark.line + 1 if mark else 1}: {getattr(error, 'problem', None) or error}") from None


def _events(text: str, name: str) -> None:
    known: dict[str, tuple[int, int]] = {}
    """Anchors of finished nodes: how many nodes and levels they are."""
    above: list[_Open] = []
    documents = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                _fail(name, event, "a second document begins")
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            _tag(event, name)
            if above and above[-1].at_key:
                _fail(name, event, "a key is a word")
            if len(above) >= limits.OWN_NESTING:
                _fail(name, event, f"nested more than {limits.OWN_NESTING} deep")
            above.append(_Open(event.anchor, set() if isinstance(event, yaml.MappingStartEvent) else None))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            done = above.pop()
            _add(above, done.nodes, done.height, name, event)
            if done.anchor:
                known[done.anchor] = done.nodes, done.height
        elif isinstance(event, yaml.ScalarEvent):
            _tag(event, name)
            if above and (keys := above[-1].keys) is not None and above[-1].at_key:
                if event.value in keys:
                    _fail(name, event, f"{event.value[:100]!r} is there twice")
                keys.add(event.value)
            _add(above, 1, 0, name, event)
            if event.anchor:
                known[event.anchor] = 1, 0
        elif isinstance(event, yaml.AliasEvent):
            anchor = event.anchor or ""
            if anchor not in known:
                _fail(name, event, f"there is no finished {anchor[:100]!r} above")
            if above and above[-1].at_key:
                _fail(name, event, "a key is a word")
            _add(above, *known[anchor], name, event)


def _add(above: list[_Open], nodes: int, height: int, name: str, event: Any) -> None:
    """Counts a node that has ended to the one that holds it."""
    if not above:
        return
    outer = above[-1]
    outer.nodes += nodes
    outer.height = max(outer.height, height + 1)
    if outer.keys is not None:
        outer.at_key = not outer.at_key
    if sum(one.nodes for one in above) > limits.OWN_NODES:
        _fail(name, event, f"more than {limits.OWN_NODES:,} values, aliases written out")
    if len(above) + height > limits.OWN_NESTING:
        _fail(name, event, f"nested more than {limits.OWN_NESTING} deep, aliases written out")


def _tag(event: Any, name: str) -> None:
    # Also tags of YAML itself: what they make (bytes, dates, sets) is nowhere asked for.
    if event.tag not in (None, "!", f"{_CORE}str", f"{_CORE}map", f"{_CORE}seq"):
        _fail(name, event, f"the tag {event.tag[:100]!r} is not used here")


def _fail(name: str, event: Any, message: str) -> NoReturn:
    raise BoundError(f"{name}:{event.start_mark.line + 1}: {message}")
