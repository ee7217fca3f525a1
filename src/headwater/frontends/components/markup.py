"""Reads the markup of a component: elements with their attributes, script blocks, and what stands in braces in the text.

This is no parser of HTML: what it does not understand is text. It goes through a file once, and never back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

Span = tuple[int, int]

_NEXT: Final = re.compile(rb"<!--|</?[A-Za-z][\w.:-]*|\{")
_ATTRIBUTE: Final = re.compile(rb"[^\s=>/{\"'][^\s=>/\"']*|[/>{\"']")
_VALUE: Final = re.compile(rb"\s*=\s*")
_BARE: Final = re.compile(rb"[^\s>{\"']+")
_INSIDE: Final = re.compile(rb"[{}\"'`]|//[^\n]*|/\*.*?\*/", re.DOTALL)
_STRING: Final = {
    b'"': re.compile(rb'"(?:[^"\\\n]|\\.)*"', re.DOTALL),
    b"'": re.compile(rb"'(?:[^'\\\n]|\\.)*'", re.DOTALL),
    b"`": re.compile(rb"`(?:[^`\\]|\\.)*`", re.DOTALL),
}
_RAW: Final = frozenset((b"script", b"style", b"textarea"))
_NEARBY: Final = 1_000
VOID: Final = frozenset(b"area base br col embed hr img input link meta source track wbr".split())
"""Elements that have no end."""


class Attribute(NamedTuple):
    """``name="value"``, ``name={value}`` or ``{value}``."""

    name: str
    start: int
    value: Span
    braces: bool
    """Whether the value is code in braces."""


class Open(NamedTuple):
    """The start of an element; of a script or a style, with what is in it."""

    name: str
    start: int
    end: int
    attributes: list[Attribute]
    closed: bool
    """``<a/>``, and what never has an end."""
    inside: Span


class Close(NamedTuple):
    """The end of an element."""

    name: str
    start: int


class Braces(NamedTuple):
    """``{...}`` in the text, or ``{{...}}``: what is in the outer braces."""

    start: int
    inside: Span


class Comment(NamedTuple):
    """``<!-- ... -->``"""

    start: int
    end: int


class Closing:
    """Finds where braces are closed; after one that nothing closes, only nearby: else the time would be quadratic."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.most = len(data)

    def __call__(self, at: int) -> int:
        end = closing_brace(self.data, at, min(len(self.data), at + self.most))
        if end < 0:
            self.most = _NEARBY
        return end


def closing_brace(data: bytes, at: int, stop: int) -> int:
    """Where the brace is closed that stands before ``at``; -1 where it is not."""
    depth = 0
    while (found := _INSIDE.search(data, at, stop)) is not None:
        char = found.group()
        at = found.end()
        if char == b"{":
            depth += 1
        elif char == b"}":
            if not depth:
                return found.start()
            depth -= 1
        elif char in _STRING and (text := _STRING[char].match(data, found.start(), stop)) is not None:
            at = text.end()
    return -1


def scan(data: bytes, braces: bool) -> Iterator[Open | Close | Braces | Comment]:
    """The parts of a file in order; with ``braces``, values of attributes may stand in them, too (Svelte)."""
    at, size = 0, len(data)
    closing = Closing(data)
    while (found := _NEXT.search(data, at)) is not None:
        start, at = found.span()
        word = found.group()
        if word == b"<!--":
            end = data.find(b"-->", at)
            at = size if end < 0 else end + 3
            yield Comment(start, at)
        elif word == b"{":
            end = closing(at)
            if end < 0:
                continue
            yield Braces(start, (at, end))
            at = end + 1
        elif word.startswith(b"</"):
            yield Close(_text(word[2:]), start)
            end = data.find(b">", at)
            at = size if end < 0 else end + 1
        else:
            attributes: list[Attribute] = []
            at, closed = _attributes(data, at, closing if braces else None, attributes)
            inside = (at, at)
            if word[1:].lower() in _RAW and not closed:
                end = _end_of(data, word[1:], at)
                inside, at = (at, end), end
            yield Open(_text(word[1:]), start, inside[0], attributes, closed or word[1:].lower() in VOID, inside)


def _end_of(data: bytes, name: bytes, at: int) -> int:
    found = re.compile(rb"</" + re.escape(name) + rb"\b", re.IGNORECASE).search(data, at)
    return len(data) if found is None else found.start()


def _attributes(data: bytes, at: int, closing: Closing | None, found: list[Attribute]) -> tuple[int, bool]:
    """Reads the attributes of an element; gives where it ends, and whether it is closed at once."""
    size = len(data)
    while (one := _ATTRIBUTE.search(data, at)) is not None:
        start, at = one.span()
        char = one.group()
        if char == b">":
            return at, data[start - 1 : start] == b"/"
        if char == b"{" and closing is not None:
            end = closing(at)
            if end < 0:
                return at, False
            found.append(Attribute("", start, (at, end), True))
            at = end + 1
            continue
        if char in b"/{\"'":
            continue
        name = _text(char)
        equals = _VALUE.match(data, at)
        if equals is None:
            found.append(Attribute(name, start, (at, at), False))
            continue
        at = equals.end()
        quote = data[at : at + 1]
        if quote in (b'"', b"'"):
            end = data.find(quote, at + 1)
            if end < 0:
                return size, False
            found.append(Attribute(name, start, (at + 1, end), False))
            at = end + 1
        elif quote == b"{" and closing is not None:
            end = closing(at + 1)
            if end < 0:
                return at, False
            found.append(Attribute(name, start, (at + 1, end), True))
            at = end + 1
        elif (bare := _BARE.match(data, at)) is not None:
            found.append(Attribute(name, start, bare.span(), False))
            at = bare.end()
    return size, False


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
