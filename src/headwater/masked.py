"""A review without the keys that stand in the reviewed files: the one place through which all reports get their texts.

Stars take the place of a key, character by character, in the sources and in every text: messages, traces, expressions, the system map,
reasons. So no format has to think of it, and places stay what they are.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from headwater.files.secrets import Mask
from headwater.files.source import Source
from headwater.findings import Review

_KEPT: Final = frozenset({"path", "root", "scope"})
"""What files are called: reports look them up by it."""


def masked(review: Review, mask: Mask) -> Review:
    """The same review with stars over keys."""
    if not mask:
        return review
    sources = {path: _source(source, mask) for path, source in review.sources.items()}
    made: Review = _texts(msgspec.structs.replace(review, sources={}), mask)
    return msgspec.structs.replace(made, sources=sources)


def _source(source: Source, mask: Mask) -> Source:
    data = mask.data(source.data)
    if data == source.data:
        return source
    return Source(source.path, data, encoding=source.encoding, digest=source.digest, layout=source.layout)


def _texts(value: Any, mask: Mask) -> Any:
    """The value itself where nothing in it changes."""
    if isinstance(value, str):
        return mask.text(value)
    if isinstance(value, msgspec.Struct):
        changes = {}
        for name in value.__struct_fields__:
            old = getattr(value, name)
            if name not in _KEPT and (new := _texts(old, mask)) is not old and new != old:
                changes[name] = new
        return msgspec.structs.replace(value, **changes) if changes else value
    if isinstance(value, dict):
        return {_texts(key, mask): _texts(one, mask) for key, one in value.items()}
    if isinstance(value, (tuple, list)):
        made = [_texts(one, mask) for one in value]
        if all(new is old or new == old for new, old in zip(made, value, strict=True)):
            return value
        return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)
    return value
