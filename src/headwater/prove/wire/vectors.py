"""Embeddings without a model: texts that share words are near each other, and the same text has the same vector in each run."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct
from typing import Any, Final

from headwater import limits
from headwater.prove.wire import shape

SIZES: Final = (
    ("ada-002", 1536),
    ("3-small", 1536),
    ("3-large", 3072),
    ("nomic", 768),
    ("minilm", 384),
    ("titan-embed-text-v1", 1536),
    ("titan", 1024),
    ("gemini-embedding", 3072),
    ("embed-english-light", 384),
    ("embed-v4", 1536),
    ("embed-", 1024),
    ("mistral", 1024),
    ("mxbai", 1024),
    ("bge-m3", 1024),
    ("voyage", 1024),
)
"""Lengths of the vectors of well-known models, by a part of the name; the first that fits."""
OTHERS: Final = 768
WORD: Final = re.compile(r"\w+")
WORDS: Final = 2_000


def size(model: str, wanted: object = None) -> int:
    """How long a vector is: as wanted, else as those of the model are."""
    if isinstance(wanted, int) and 0 < wanted <= 8_192:
        return wanted
    return next((length for part, length in SIZES if part in model.lower()), OTHERS)


def vector(text: str, length: int) -> list[float]:
    """The words of a text, each added at a place of its own, at length one."""
    found = [0.0] * length
    for word in WORD.findall(text.lower())[:WORDS] or [text]:
        place = int.from_bytes(hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "big")
        found[place % length] += 1.0 if place >> 63 else -1.0
    norm = math.sqrt(sum(one * one for one in found))
    if norm == 0:
        found[0] = norm = 1.0
    return [one / norm for one in found]


def vectors(texts: tuple[str, ...], length: int) -> list[list[float]]:
    return [vector(text, length) for text in texts]


def packed(value: list[float]) -> str:
    """A vector as OpenAI sends it where that is asked for: floats of four bytes, in Base64."""
    return base64.b64encode(struct.pack(f"<{len(value)}f", *value)).decode()


def texts(value: Any) -> tuple[str, ...]:
    """What is to be embedded: a text, or a list of texts, of parts, or of numbers of tokens."""
    if isinstance(value, str):
        return (value,)
    found = shape.items(value)
    if found and all(isinstance(one, int) for one in found):
        found = [found]
    every = (" ".join(map(str, one)) if isinstance(one, list) else shape.content(one) for one in found[: limits.PROVE_VECTORS])
    return tuple(every)
