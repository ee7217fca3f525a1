"""The result of an examination of model files: entries, their verdicts, and whether a gate fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from headwater.modelfiles import folders, pool
from headwater.modelfiles.verdicts import ORDER, Examined, Verdict, worst

FailOn = Literal["malicious", "review", "inconclusive", "never"]
FAIL_ON: Final[tuple[FailOn, ...]] = ("malicious", "review", "inconclusive", "never")


class Result(msgspec.Struct, frozen=True):
    """What was found in all files, with what could not be examined among them."""

    files: tuple[Examined, ...]
    """By path; the members of a file follow it."""
    skipped: int
    """Programs, documents and pictures, which were not examined."""

    @property
    def verdict(self) -> Verdict:
        return worst([one.verdict for one in self.files])

    @property
    def counts(self) -> dict[str, int]:
        """Entries by verdict."""
        found = Counter(one.verdict for one in self.files)
        return {verdict: found[verdict] for verdict in ORDER}

    def fails(self, gate: FailOn) -> bool:
        """Whether an entry is as bad as the gate allows none to be."""
        return gate != "never" and any(ORDER.index(one.verdict) <= ORDER.index(gate) for one in self.files)

    @property
    def nothing(self) -> bool:
        """Whether there was nothing that could be examined."""
        return all(one.verdict == "inconclusive" for one in self.files) and (bool(self.files) or not self.skipped)


def examine(paths: Sequence[str], processes: int, progress: pool.Progress | None = None) -> Result:
    """Examines the files at and below the paths."""
    found = folders.find(paths)
    scanned = pool.scan(found.files, processes, progress)
    groups = [[*one.files] for one in scanned] + [[one] for one in found.others]
    groups.sort(key=lambda group: group[0].path)
    return Result(tuple(one for group in groups for one in group), found.skipped)
