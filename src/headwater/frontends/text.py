"""Text of source files that were decoded byte by byte, and what every frontend says of what it could not read."""

from __future__ import annotations

import codecs
from typing import Final

SYNTAX: Final = "syntax not understood"
TOO_LONG: Final = "the parser would need too long for its broken syntax"
MASK: Final = "headwater.mask"
"""How to decode bytes that are no UTF-8 so that every offset stays (``errors=``)."""


def _mask(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "_" * (error.end - error.start), error.end


codecs.register_error(MASK, _mask)


def from_latin(text: str) -> str:
    """Text of a file that was decoded byte by byte, as what it is in UTF-8."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")


def char(code: int) -> str:
    """The character of a code point; a lone surrogate cannot be written to any cache or report."""
    return "\ufffd" if 0xD800 <= code < 0xE000 or code > 0x10FFFF else chr(code)
