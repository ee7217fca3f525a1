"""The values of Python's literals, decoded without evaluating anything."""

from __future__ import annotations

import re
import unicodedata

from headwater import limits
from headwater.frontends.text import char, from_latin
from headwater.ir import Literal

_ESCAPE = re.compile(r"\\(\r\n|x[0-9a-fA-F]{2}|[0-7]{1,3}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]{1,80}\}|.)", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "\\": "\\", "'": "'", '"': '"', "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_SIMPLE |= {"\n": "", "\r\n": "", "\r": ""}
_INT64 = 1 << 63


def _escape(match: re.Match[str]) -> str:
    code = match.group(1)
    simple = _SIMPLE.get(code)
    if simple is not None:
        return simple
    first = code[0]
    if first in "xuU" and len(code) > 1:
        return char(int(code[1:], 16))
    if first == "N" and len(code) > 1:
        try:
            return unicodedata.lookup(code[2:-1])
        except KeyError:
            return match.group()
    if first in "01234567":
        return char(int(code, 8))
    return match.group()


def unescape(text: str) -> str:
    return _ESCAPE.sub(_escape, text) if "\\" in text else text


def unescape_bytes(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda m: m.group() if m.group(1)[0] in "uUN" else _escape(m), text)


def split_quotes(text: str) -> tuple[str, str]:
    """A string literal as written: its prefix in lower case and its raw content."""
    at = 0
    while at < len(text) and text[at] not in "\"'`":
        at += 1
    prefix = text[:at].lower()
    quotes = 3 if text.startswith(('"""', "'''"), at) and len(text) >= at + 6 else 1
    return prefix, text[at + quotes : len(text) - quotes]


def string_value(text: str) -> str:
    """The value of a string literal without replacement fields; ``text`` is decoded byte by byte."""
    prefix, content = split_quotes(text)
    if len(content) > 8 * limits.LITERAL_CHARS:
        # Long data is cut before it is decoded: no escape is longer than its own text.
        content = content[: 8 * limits.LITERAL_CHARS]
    if "b" in prefix:
        return (content if "r" in prefix else unescape_bytes(content))[: limits.LITERAL_CHARS]
    content = from_latin(content)
    if "r" not in prefix:
        content = unescape(content)
    if "f" in prefix or "t" in prefix:
        content = content.replace("{{", "{").replace("}}", "}")
    return content[: limits.LITERAL_CHARS]


def doc_value(text: str) -> str:
    """The text of a docstring, whole where it is not absurdly long: hidden instructions stand at any depth of it."""
    prefix, content = split_quotes(text)
    content = from_latin(content[: 20 * limits.LITERAL_CHARS])
    return content if "r" in prefix else unescape(content)


def integer_value(text: str) -> int | float:
    """An integer; beyond 64 bits a float, which every cache and report format can hold."""
    digits = text.replace("_", "").rstrip("lL")
    if digits[-1:] in "jJ":
        return float_value(digits)
    base = {"x": 16, "o": 8, "b": 2}.get(digits[1:2].lower(), 10) if digits[:1] == "0" else 10
    if len(digits) > 400:
        return float("inf")
    try:
        if base == 10 and len(digits) > 1 and digits[0] == "0" and digits.strip("0"):
            base = 8
        value = int(digits, base) if base != 10 else int(digits)
    except ValueError:
        return 0
    if -_INT64 <= value < _INT64:
        return value
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def float_value(text: str) -> float:
    try:
        return float(text.replace("_", "").rstrip("jJlL"))
    except ValueError:
        return 0.0


def negated(value: Literal) -> Literal:
    return -value if isinstance(value, (int, float)) else value
