"""The texts in a marshalled code object, found by their own lengths. It is never unmarshalled."""

from __future__ import annotations

from typing import Final

KEPT: Final = 1 << 16

_SHORT: Final = frozenset(b"zZ")
_LONG: Final = frozenset(b"aAutsR")


def texts(raw: bytes) -> list[str]:
    """Names and constants that are written as text, in their order."""
    found: list[str] = []
    raw = raw[:KEPT]
    at = 0
    while at + 2 <= len(raw) and len(found) < 200:
        tag = raw[at] & 0x7F
        start = size = 0
        if tag in _SHORT:
            start, size = at + 2, raw[at + 1]
        elif tag in _LONG and at + 5 <= len(raw):
            start, size = at + 5, int.from_bytes(raw[at + 1 : at + 5], "little")
        if 0 < size <= min(4096, len(raw) - start):
            piece = raw[start : start + size]
            try:
                text = piece.decode("utf-8")
            except UnicodeDecodeError:
                text = ""
            if text.isprintable() and text:
                found.append(text)
                at = start + size
                continue
        at += 1
    return found
