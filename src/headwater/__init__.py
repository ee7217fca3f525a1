"""Headwater reviews the source of AI systems: ``review(path)`` does what the command ``headwater review`` does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from headwater.config import Config
    from headwater.findings import Review

__all__ = ["__version__", "review"]

__version__ = "0.1.0"


def review(
    path: str | os.PathLike[str],
    config: Config | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    *,
    baseline: str | os.PathLike[str] | None = None,
) -> Review:
    """Reviews a folder or a file, by default as its own configuration file says.

    ``progress`` is told the stage, how much of it is done, and how much there is. ``baseline`` is an earlier report, JSON or SARIF, that
    the review is compared with.
    """
    # Imported late: ``headwater --version`` and importers that want only the version do not pay for the engine.
    from pathlib import Path

    from headwater.configfile import load
    from headwater.pipeline import review as run

    config = config or load(path)
    if baseline is None:
        return run(Path(path), config, progress)
    from headwater.baseline import read
    from headwater.comparison import compare
    from headwater.rules.own import known

    earlier = read(baseline)  # first: what is wrong with it is told at once
    return compare(run(Path(path), config, progress), earlier, os.path.basename(baseline), config.enabled(known(config.own)))
