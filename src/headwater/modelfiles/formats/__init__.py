"""One module per format, with ``NAME``, ``matches(head, blob, path)`` and ``examine(blob, work)`` (``dispatch.Format``)."""

from __future__ import annotations

from typing import Final

ORDER: Final[tuple[str, ...]] = ()
"""In the order in which they are asked: what is known by magic bytes before what is known by the looks of its text."""
