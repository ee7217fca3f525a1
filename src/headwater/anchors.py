"""What an operation is known by in a later version of its file: its text without layout, without local names, and what is around it.

Two texts that differ only in blanks, line breaks, comments, quotes, trailing commas, the order of keyword arguments or in how a long
string is cut into parts are the same here. Nothing is read to understand the code; ``headwater.matching`` compares.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec

from headwater import limits
from headwater.files.source import Source

# Every alternative matches whatever follows its first character, so that no text is looked at twice.
_TOKEN: Final = re.compile(
    r"""(?P<blank>(?:\s|\\\r?\n)+|\#[^\n]*)"""
    r"""|(?P<string>(?P<prefix>[bBfFrRtTuU]{0,2})(?P<quote>\"\"\"|''')(?P<long>(?:\\[\s\S]|[^\\])*?)(?:(?P=quote)|\Z))"""
    r"""|(?P<line>(?P<kind>[bBfFrRtTuU]{0,2})(?P<mark>["'])(?P<short>(?:\\[\s\S]|(?!(?P=mark))[^\\\n])*+)(?:(?P=mark)|(?=\n)|\\?\Z))"""
    r"""|(?P<word>\w+(?:(?<=\d)\.\w*)*)"""
    r"""|(?P<sign>==|!=|<=|>=|:=|->|=>|\*\*|//|.)""",
    re.DOTALL,
)
_QUOTE: Final = '"'
_BLANKS: Final = re.compile(r"\s+")
_QUOTED: Final = re.compile(r"\\(['\"])")
_SLOT: Final = re.compile(r"\{([^{}]+)\}")
_NAME: Final = re.compile(r"(?<![\w.])[^\W\d]\w*")
_OPEN: Final = {"(": ")", "[": "]", "{": "}"}
_CLOSE: Final = frozenset(_OPEN.values())


class Anchor(msgspec.Struct, frozen=True):
    """What an operation is recognised by."""

    expression: str
    """Its text without layout; a long one is cut, and ends with the digest of all of it."""
    shape: str
    """The digest of the same without the names of local variables: what is left when they are renamed."""
    around: tuple[str, str]
    """Digests of what stands before and after it in its function; empty where there is nothing."""


def anchor(source: Source, start: int, end: int, within: tuple[int, int], names: Collection[str]) -> Anchor:
    """Of the operation at ``start`` to ``end``, in the function at ``within``, whose local variables are ``names``."""
    tokens = _ordered(_tokens(source.slice(start, min(end, start + limits.ANCHOR_BYTES))))
    text = _text(tokens)
    before = _tokens(source.slice(max(within[0], start - limits.ANCHOR_BYTES), start))
    after = _tokens(source.slice(end, min(max(within[1], end), end + limits.ANCHOR_AROUND_BYTES)))
    near = (before[-limits.ANCHOR_TOKENS :], after[: limits.ANCHOR_TOKENS])
    around = [_digest(_text(one)) if one else "" for one in near]
    return Anchor(_cut(text), _digest(_text(_without(tokens, names))), (around[0], around[1]))


def words(expression: str) -> list[str]:
    """The tokens of an expression, to compare it with another one."""
    return _tokens(expression)


def _cut(text: str) -> str:
    if len(text) <= limits.EXPRESSION_CHARS:
        return text
    return f"{text[: limits.EXPRESSION_CHARS - 14]}… {_digest(text)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


# A text in quotes is one token that begins with '"'; one with slots (an f-string) begins with 'f"'.


def _tokens(text: str) -> list[str]:
    made: list[str] = []
    for found in _TOKEN.finditer(text):
        group = found.lastgroup
        if group == "blank":
            continue
        token = found.group()
        if found["string"] is not None or found["line"] is not None:
            prefix = found["prefix"] or found["kind"] or ""
            said = _QUOTED.sub(r"\1", found["long"] or found["short"] or "").replace("'", '"')
            slots = "f" if {"f", "F", "t", "T"} & set(prefix) else ""
            if made and made[-1].startswith(('"', 'f"')):  # one text, written in parts
                slots = slots or made[-1].partition('"')[0]
                said = made.pop().partition('"')[2] + said
            token = f'{slots}"{said}'
        elif token in _CLOSE and made and made[-1] == ",":
            made.pop()
        made.append(token)
    return made


def _ordered(tokens: Iterable[str]) -> list[str]:
    """The same with the keyword arguments of every call in the order of their names."""
    stack: list[tuple[str, list[list[str]]]] = [("", [[]])]
    for token in tokens:
        if token in _OPEN:
            stack.append((token, [[]]))
        elif token in _CLOSE and len(stack) > 1:
            opened, parts = stack.pop()
            stack[-1][1][-1] += [opened, *_listed(opened, parts), token]
        elif token == ",":
            stack[-1][1].append([])
        else:
            stack[-1][1][-1].append(token)
    made: list[str] = []
    for opened, parts in stack:  # more than one only where a bracket is not closed
        made += [opened, *_listed("", parts)] if opened else _listed("", parts)
    return made


def _listed(opened: str, parts: list[list[str]]) -> list[str]:
    if opened == "(":
        named = [part for part in parts if len(part) > 1 and part[1] == "="]
        if named:
            parts = [part for part in parts if not (len(part) > 1 and part[1] == "=")] + sorted(named)
    made: list[str] = []
    for number, part in enumerate(parts):
        made += [",", *part] if number else part
    return made


def _without(tokens: Sequence[str], names: Collection[str]) -> list[str]:
    """The same with a number for each local variable."""
    numbers: dict[str, str] = {}

    def numbered(name: str) -> str:
        return numbers.setdefault(name, f"${len(numbers)}") if name in names else name

    made: list[str] = []
    last = len(tokens) - 1
    for at, token in enumerate(tokens):
        before = tokens[at - 1] if at else ""
        if token.startswith('f"'):
            made.append(_SLOT.sub(lambda slot: "{" + _NAME.sub(lambda name: numbered(name.group()), slot.group(1)) + "}", token))
        elif before == "." or (before in ("(", ",") and at < last and tokens[at + 1] == "="):
            made.append(token)
        else:
            made.append(numbered(token))
    return made


def _text(tokens: Iterable[str]) -> str:
    """One line; an f before a text is left out."""
    made: list[str] = []
    before = ""
    for token in tokens:
        if token.startswith(('"', 'f"')):
            token = f'"{_BLANKS.sub(" ", token.partition(_QUOTE)[2])}"'
        if before and _joined(token[0]) and (_joined(before[-1]) or before[-1] in _CLOSE):
            made.append(" ")
        made.append(", " if token == "," else token)
        before = token
    return "".join(made)


def _joined(char: str) -> bool:
    """Whether two tokens with such ends need a blank between them."""
    return char.isalnum() or char in '_"$'
