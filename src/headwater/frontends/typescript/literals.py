"""The values of JavaScript's literals, decoded without evaluating anything."""

from __future__ import annotations

import html
import re

from headwater import limits
from headwater.frontends.text import char, from_latin

_ESCAPE = re.compile(r"\\(\r\n|u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", re.DOTALL)
_PAIR = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "\n": "", "\r\n": "", "\r": ""}
_INT53 = 1 << 53
_SPACE = re.compile(r"\s+")


def _pair(match: re.Match[str]) -> str:
    high, low = (int(group, 16) for group in match.groups())
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


def _escape(match: re.Match[str]) -> str:
    code = match.group(1)
    simple = _SIMPLE.get(code)
    if simple is not None:
        return simple
    first = code[0]
    if first in "xu" and len(code) > 1:
        return char(int(code.strip("ux{}"), 16))
    if first in "01234567":
        return char(int(code, 8))
    return code


def unescape(text: str) -> str:
    return _ESCAPE.sub(_escape, _PAIR.sub(_pair, text)) if "\\" in text else text


def text_value(raw: str) -> str:
    """The value of the inside of a string or of a piece of a template, decoded byte by byte."""
    # Long data is cut before it is decoded: no escape is longer than its own text.
    return unescape(from_latin(raw[: 8 * limits.LITERAL_CHARS]))[: limits.LITERAL_CHARS]


def tag_text(raw: str) -> str:
    """Text between tags: runs of white space are one space."""
    return _SPACE.sub(" ", html.unescape(from_latin(raw[: 8 * limits.LITERAL_CHARS])))[: limits.LITERAL_CHARS]


def number_value(text: str) -> int | float:
    digits = text.replace("_", "").rstrip("n").lower()
    base = {"0x": 16, "0o": 8, "0b": 2}.get(digits[:2], 10)
    if base == 10 and len(digits) > 1 and digits[0] == "0" and digits.isdigit() and not set("89") & set(digits):
        base = 8
    if len(digits) > 400:
        return float("inf")
    try:
        if base == 10 and not digits.isdigit():
            return float(digits)
        value = int(digits, base)
    except ValueError:
        return 0
    return value if value <= _INT53 else float(value)
