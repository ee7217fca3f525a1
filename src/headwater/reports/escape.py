"""Makes text from the reviewed repository safe to show: what cannot be seen, or would steer a reader's program, is written out.

Every report passes what it did not write itself through here.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

# Controls (C0 without tab and line feed, DEL, C1), and what Unicode calls format characters: bidirectional overrides,
# zero-width ones, tags; then surrogates, private use, line and paragraph separators, and blanks that look like nothing.
_HIDDEN_BASE: Final = (
    "\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_HIDDEN: Final = re.compile(f"[{_HIDDEN_BASE}\ud800-\udfff]")
_HIDDEN_BYTES: Final = re.compile(f"[{_HIDDEN_BASE}]")


def _written_out(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str) -> str:
    """The text with hidden characters written as Python would (``\\x1b``, ``\\u202e``). Tabs and line feeds stay."""
    return _HIDDEN.sub(_written_out, text)


def line(text: str) -> str:
    """The same on one line: line feeds are written out too, tabs become a blank."""
    return visible(text).replace("\t", " ").replace("\n", "\\n")


def path(text: str) -> str:
    """A path as text: bytes that are not UTF-8 are written as ``\\xff``."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def uri(text: str) -> str:
    """A relative path as a URI reference: percent-encoded, ``/`` kept."""
    return quote(text.encode("utf-8", "surrogateescape"), safe="/!$&'()*+,;=@~")


def json(data: bytes) -> bytes:
    """The same JSON value with hidden characters as escapes, so that the file can be shown on a terminal."""
    text = data.decode("utf-8")

    def escaped(found: re.Match[str]) -> str:
        units = found.group().encode("utf-16-be")
        return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))

    return _HIDDEN_BYTES.sub(escaped, text).encode("utf-8")
