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
_CODES = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})")
_GROUP = re.compile(r"\((?!\?)|\(\?P?<(\w+)>")
_BRACED = re.compile(r"\{[^{}]*\}")
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


ONE_NAME = "one-name"
"""Beside the sink classes: no separator of folders is in the text, written or encoded, nor in what methods of texts make of it."""


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
    """Where all of it is one class: the characters that it finds for sure."""

    def proves(self, way: str) -> tuple[str, ...]:
        """Sink classes for which a text is safe that was matched by ``fullmatch``, ``match`` or ``search``."""
        begins = self.begins or way in ("fullmatch", "match")
        found = safe_for(self.chosen) if way == "fullmatch" or (self.ends and begins) else ()
        return tuple(dict.fromkeys((*found, "url", "redirect"))) if self.host and begins else found

    def matched(self) -> tuple[str, ...]:
        """Sink classes for which the part that was matched is safe."""
        return safe_for(self.chosen)

    def left(self, by: str) -> tuple[str, ...]:
        """Sink classes for which a text is safe in which everything that was found was replaced by a text."""
        brought_back = "$" in by or "\\" in by  # $&, \\g<0>
        return safe_for((_ANY & ~self.refused) | mask(by)) if self.refused and not brought_back else ()

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
        found += ["code", "sandboxed-code"]
    if not chosen & (_BAD["path-read"] | mask("%")):
        found.append(ONE_NAME)
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
            found, surely, end = _class(text, at)
            chosen |= found
            if at == 0 and text[end:] in ("", "+", "*"):
                only = surely
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


@lru_cache(maxsize=1 << 12)
def groups(pattern: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The name of each group that a pattern captures, and the sink classes for which what stands in it is safe.

    What the pattern spells out counts too, since a group may repeat it. A group without a slash is one name, to which the folder above is
    the worst that it can say; several of them, joined, may lead further up where dots are allowed.
    """
    names: list[str] = []
    held: list[int] = []
    around: list[int] = []
    at = 0
    while at < len(pattern):
        one, found = pattern[at], 0
        if one == "(":
            head = _GROUP.match(pattern, at)
            around.append(len(names) if head is not None else -1)
            if head is not None:
                names.append(head[1] or "")
                held.append(0)
            at += len(head[0]) if head is not None else 1
            continue
        if one == "[":
            found, _, at = _class(pattern, at)
        elif one == "\\":
            escaped = pattern[at + 1 : at + 2]
            _, found, _, width = _member(pattern, at)
            if escaped in ("b", "B"):  # the end of a word
                found = 0
            elif escaped == "k" or escaped.isdecimal():  # what another group holds
                found = _ANY
            at += width
        else:
            if one == ")" and around:
                around.pop()
            found = _ANY & ~mask("\n") if one == "." else mask(one) if one not in "()|^$*+?" else 0
            at += 1
        for number in around:
            if number >= 0:
                held[number] |= found
    rising = sum(not signs & mask("/") and bool(signs & mask(".")) for signs in held)
    made: list[tuple[str, tuple[str, ...]]] = []
    for name, signs in zip(names, held, strict=True):
        stays = not signs & mask("/") and (rising < 2 or not signs & mask("."))
        made.append((name, tuple(dict.fromkeys((*safe_for(signs), *(("path-read", "path-write") if stays else ()))))))
    return tuple(made)


def _class(text: str, start: int) -> tuple[int, int, int]:
    """The characters that the class that begins at ``start`` may stand for, those that it stands for surely, and where it ends."""
    at = start + 1
    negated = text[at : at + 1] == "^"
    at += negated
    maybe, sure, first = 0, 0, at
    last = -1  # the character before, with which a range may begin
    while at < len(text) and (text[at] != "]" or at == first):
        if text[at] == "-" and last >= 0 and text[at + 1 : at + 2] not in ("]", ""):
            upper, _, _, width = _member(text, at + 1)
            made = sum(1 << number for number in range(last, min(upper, 127) + 1)) | (_BEYOND if upper > 127 else 0)
            maybe, sure, last = maybe | (made if upper >= 0 else _ANY), sure | (made & ~_BEYOND), -1
            at += width + 1
            continue
        last, some, all_, width = _member(text, at)
        maybe, sure = maybe | some, sure | all_
        at += width
    return (_ANY & ~sure, _ANY & ~maybe, at + 1) if negated else (maybe, sure, at + 1)


def _member(text: str, at: int) -> tuple[int, int, int, int]:
    """What stands at a place in a class: its number, or -1; what it may be; what it is surely; and how long it is."""
    one = text[at : at + 1]
    if one != "\\":
        number, width = ord(one), 1
    else:
        one = text[at + 1 : at + 2]
        if one in _ESCAPES:
            kinds = _ESCAPES[one]
            return -1, kinds, kinds & ~_BEYOND if one.islower() else kinds, 2
        code = _CODES.match(text, at + 1)
        if code is not None:
            number, width = int(code[1] or code[2], 16), len(code[0]) + 1
        elif one in ("x", "u", "U", "p", "P", "N") or one.isdecimal():
            braced = _BRACED.match(text, at + 2)
            return -1, _ANY, 0, 2 + (len(braced[0]) if braced is not None else 0)
        else:
            number, width = ord({"n": "\n", "t": "\t", "r": "\r"}.get(one, one) or "\\"), 2
    return (number, 1 << number, 1 << number, width) if number < 128 else (number, _BEYOND, 0, width)
