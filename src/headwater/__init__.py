"""Headwater reviews the source of AI systems: ``review(path)`` does what the command ``headwater review`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from headwater.config import Config
    from headwater.findings import Review

__all__ = ["__version__", "review"]

__version__ = "0.1.0"


def review(path: str | os.PathLike[str], config: Config | None = None, progress: Callable[[str, int, int], None] | None = None) -> Review:
    """Reviews a folder or a file, by default as its own configuration file says.

    ``progress`` is told the stage, how much of it is done, and how much there is.
    """
    # Imported late: ``headwater --version`` and importers that want only the version do not pay for the engine.
    from pathlib import Path

    from headwater.configfile import load
    from headwater.pipeline import review as run

    return run(Path(path), config or load(path), progress)
