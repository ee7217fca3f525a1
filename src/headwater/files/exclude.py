"""What the configuration leaves out of a review, and how much that was: none of it is left out in silence."""

from __future__ import annotations

import os
from collections.abc import Sequence

from headwater.files.gitignore import Patterns
from headwater.findings import Gap


class Exclusion:
    """Patterns as in a .gitignore of the root. ``by`` says who wants them, ``partial`` whether they make the review partial."""

    def __init__(self, patterns: Sequence[str], by: str, partial: bool) -> None:
        self._patterns = Patterns("\n".join(patterns).encode())
        self._by = by
        self._partial = partial
        self._files = self._folders = 0

    def has(self, relative: str, folder: bool, source: bool) -> bool:
        """Whether a path is left out; it is counted then if it is a folder, or may be source."""
        if not self._patterns.count or not self._patterns.decide(os.fsencode(relative), folder):
            return False
        self._folders += folder
        self._files += source and not folder
        return True

    def gaps(self) -> list[Gap]:
        counts = ((self._files, "source file"), (self._folders, "folder"))
        what = " and ".join(f"{number:,} {word}{'' if number == 1 else 's'}" for number, word in counts if number)
        return [Gap("excluded", "", 0, f"{what} left out by {self._by}", self._partial)] if what else []
