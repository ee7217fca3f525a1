"""Files of text: decoded as their loaders do, within bounds, and known by what they hold rather than by their names."""

from __future__ import annotations

import codecs
import json
from typing import Any

import msgspec

from headwater import limits
from headwater.modelfiles.blob import Blob


def is_text(head: bytes) -> bool:
    """Whether the first bytes of a file are text. A character that is cut at the end does not count."""
    if not head or b"\0" in head[:4096]:
        return False
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        text = decoder.decode(head)
    except UnicodeDecodeError:
        return False
    odd = sum(1 for char in text if char < " " and char not in "\t\n\r\f\x1b")
    return odd * 50 <= len(text)


def first(head: bytes) -> bytes:
    """The first bytes that are no white space, after a byte order mark."""
    return head.removeprefix(codecs.BOM_UTF8).lstrip()


def whole(blob: Blob) -> str | None:
    """The text of a file; None where it is too long."""
    if blob.size > limits.MODEL_TEXT:
        return None
    return blob.read(0, blob.size).decode("utf-8-sig", "replace")


def loads(text: str) -> Any:
    """JSON, with what Python reads beyond the standard. Raises ValueError or RecursionError."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return json.loads(text)
