"""What a regular expression lets through: which characters stand where the pattern does not fix them, and what those can do.

The text of the pattern is read once, from left to right. Characters that it spells out are the author's and harmless; classes, escapes
and dots are what others choose. What is not understood counts as any character.
"""

from __future__ import annotations

import re
import string
from functools import lru_cache

import msgspec

from headwater.apis.schema import SINK_CLASSES

_BEYOND = 1 << 128
"""All characters beyond ASCII together."""
_ANY = (_BEYOND << 1) - 1


def mask(characters: str) -> int:
    """A set of characters."""
    made = 0
    for one in characters:
        made |= 1 << min(ord(one), 128)
    return made


_DIGITS = mask(string.digits)
_WORD = mask(string.ascii_letters + string.digits + "_")
_SPACE = mask(" \t\n\r\f\v")
_LETTERS = mask(string.ascii_letters)
_ESCAPES = {"d": _DIGITS, "w": _WORD, "s": _SPACE, "D": _ANY & ~_DIGITS, "W": _ANY & ~_WORD, "S": _ANY & ~_SPACE}
_NAMES = _WORD | _BEYOND | mask("-.:@+,=")
_TO_THE_END = ("$", r"\Z", r"\z")
_WITH_HOST = re.compile(r"[a-z]+(?:s\?)?:(?:\\?/){2}(?:[A-Za-z0-9-]|\\[.-])+\\?/")
_BAD: dict[str, int] = {
    "shell": mask(";&|$`<>(){}*?!'\"\\\n\r#~"),
    "sql": mask(";'\"\\()`") | _SPACE,
    "path-read": mask("/\\"),
    "path-write": mask("/\\"),
    "url": mask("/\\@?#"),
    "redirect": mask("/\\@?#"),
    "html": mask("<>&'\"`"),
    "xml": mask("<>&'\""),
    "template": mask("{}%$<#"),
    "import": _ANY & ~(_WORD | _BEYOND | mask(".")),
    "ldap": mask("*()\\&|"),
    "query": mask("{}$'\"\\()` "),
    "regex": mask("*+?{}()[]|^$\\."),
    "log": mask("\n\r"),
}
"""Characters that break out of where a text is put, by sink class; of the classes that are not here, all but names do harm."""
_CODE = _WORD | _BEYOND | mask(" .-+,:/*%")
_SPEAKING = _LETTERS | _BEYOND | mask("_$'\"\\`[")
"""Without these no program names anything or writes a text: what is left are sums (with [ a script spells any word of +, ! and ())."""
NO_NAMES = "no-names"
"""Beside the sink classes: no such character is in the text, so that it does as little when it becomes part of a program."""


class Pattern(msgspec.Struct, frozen=True):
    """What is known of a pattern."""

    chosen: int
    """The characters that others choose, as a mask."""
    begins: bool
    """It matches at the beginning of the text only."""
    ends: bool
    """It matches to the end of the text only."""
    host: bool
    """It begins with an address whose host is spelled out, and a slash behind it."""
    refused: int = 0
    """Where all of it is one class: the characters that it finds."""

    def proves(self, way: str) -> tuple[str, ...]:
        """Sink classes for which a text is safe that was matched by ``fullmatch``, ``match`` or ``search``."""
        begins = self.begins or way in ("fullmatch", "match")
        found = safe_for(self.chosen) if way == "fullmatch" or (self.ends and begins) else ()
        return tuple(dict.fromkeys((*found, "url", "redirect"))) if self.host and begins else found

    def matched(self) -> tuple[str, ...]:
        """Sink classes for which the part that was matched is safe."""
        return safe_for(self.chosen)

    def not_found(self) -> tuple[str, ...]:
        """Sink classes for which a text is safe in which ``search`` finds nothing."""
        return safe_for(_ANY & ~self.refused) if self.refused else ()


@lru_cache(maxsize=1 << 12)
def safe_for(chosen: int) -> tuple[str, ...]:
    """The sink classes to which a text of these characters does no harm."""
    if not chosen & ~_NAMES:
        return SINK_CLASSES
    found = [name for name, bad in _BAD.items() if not chosen & bad]
    if not chosen & ~_CODE or sums(chosen):
        found += ("code", "sandboxed-code")
    return (*found, NO_NAMES) if sums(chosen) else tuple(found)


def sums(chosen: int) -> bool:
    """Whether a program can name nothing with these characters."""
    return not chosen & _SPEAKING


@lru_cache(maxsize=1 << 12)
def read(pattern: str) -> Pattern:
    """What a pattern lets through."""
    text = re.sub(r"^\(\?[aiLu]+\)", "", pattern)
    begins, ends = text.startswith(("^", r"\A")), text.endswith(_TO_THE_END) and not text.endswith(r"\$")
    body = text.removeprefix("^").removeprefix(r"\A")
    chosen, depth, at = 0, 0, 0
    split = False
    only = -1  # the class that is all of the pattern
    while at < len(text):
        one = text[at]
        if one == "\\":
            chosen |= _ESCAPES.get(text[at + 1 : at + 2], 0)
            if text[at + 1 : at + 2] in ("p", "P", "X", "R", "h", "H"):
                chosen = _ANY
            at += 2
        elif one == "[":
            found, end = _class(text, at)
            chosen |= found
            if at == 0 and text[end:] in ("", "+", "*"):
                only = found
            at = end
        else:
            if one == ".":
                chosen |= _ANY & ~mask("\n")
            elif one == "(":
                depth += 1
            elif one == ")":
                depth -= 1
            elif one == "|" and depth == 0:  # each side has its own ends
                begins = ends = False
                split = True
            at += 1
    return Pattern(chosen, begins, ends, bool(_WITH_HOST.match(body)) and not split, max(only, 0))


def _class(text: str, start: int) -> tuple[int, int]:
    """The characters of the class that begins at ``start``, and where it ends."""
    at = start + 1
    negated = text[at : at + 1] == "^"
    at += negated
    found, first = 0, at
    last = -1  # the character before, with which a range may begin
    while at < len(text) and (text[at] != "]" or at == first):
        one, width, mask = text[at], 1, 0
        if one == "\\":
            one, width = text[at + 1 : at + 2], 2
            mask = _ESCAPES.get(one, 0)
            one = {"n": "\n", "t": "\t", "r": "\r"}.get(one, one)
            if one in ("x", "u", "U", "p", "P", "N") or one.isdecimal():
                mask = _ANY
        if mask:
            found, last = found | mask, -1
        elif one == "-" and width == 1 and last >= 0 and text[at + 1 : at + 2] not in ("]", ""):
            upper = text[at + 1]
            width = 2
            if upper == "\\":
                upper, width = text[at + 2 : at + 3], 3
            if not upper or upper in _ESCAPES:
                found = _ANY
            else:
                for number in range(last, min(ord(upper), 127) + 1):
                    found |= 1 << number
            last = -1
        else:
            last = ord(one) if one and ord(one) < 128 else -1
            found |= 1 << last if last >= 0 else 0
        at += width
    return (_ANY & ~found if negated else found), at + 1
