"""The examination of one file: its concerns, the members that were found in it, and what it may still spend."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from headwater import limits
from headwater.modelfiles.blob import PIECE, Blob
from headwater.modelfiles.verdicts import Concern, Examined, Verdict, worst


class Budget:
    """What one file of the user's may cost, with everything that is packed in it. Counted, never timed."""

    def __init__(self) -> None:
        self.unpacked = limits.MODEL_UNPACKED_BYTES
        self.members = limits.MODEL_MEMBERS
        self.opcodes = limits.MODEL_PICKLE_STEPS
        self.trials = limits.MODEL_PICKLE_TRIALS


class Examination:
    """A file or a member under examination.

    A format's module calls :meth:`concern` for what it found, :meth:`member` for what is packed inside, :meth:`code` for Python code
    that the loader would run. None of them raises.
    """

    def __init__(
        self,
        path: str,
        budget: Budget | None = None,
        depth: int = 0,
        examine: Callable[[Blob, Examination], None] | None = None,
        beside: Callable[[str], bytes | None] | None = None,
    ) -> None:
        self.path: Final = path
        self.budget: Final = budget or Budget()
        self.depth: Final = depth
        self.format = "unknown"
        self.concerns: list[Concern] = []
        self.members: list[Examined] = []
        self.sources: list[tuple[str, bytes]] = []
        self._examine = examine
        self._beside = beside

    def concern(self, check: str, verdict: Verdict, message: str, evidence: str = "", at: int = -1) -> None:
        """Notes what was found; beyond a bound the same again is not kept."""
        made = Concern(check, verdict, message, evidence[: limits.MODEL_EVIDENCE], at)
        if made not in self.concerns and len(self.concerns) < limits.MODEL_CONCERNS:
            self.concerns.append(made)

    def member(self, name: str, blob: Blob) -> None:
        """Examines what is packed inside, by the same rules as a file of its own."""
        if self.depth >= limits.MODEL_NESTING:
            return self.concern("nesting", "inconclusive", "It is packed too deep to be looked into.", name)
        if self.budget.members <= 0:
            return self.concern("members", "inconclusive", "It has too many members to look into all of them.", name)
        self.budget.members -= 1
        if self._examine is not None:
            inner = Examination(f"{self.path}!{name}", self.budget, self.depth + 1, self._examine)
            self._examine(blob, inner)
            self.members += [inner.result(blob), *inner.members]
            self.sources += inner.sources

    def code(self, name: str, data: bytes) -> None:
        """Python code that loading this file runs, or may run: it is reviewed as code of the project is."""
        self.sources.append((f"{self.path}!{name}", data))

    def beside(self, name: str) -> bytes | None:
        """The bytes of a file in the same folder; None where it is not there, too large, or this is a member of an archive."""
        return self._beside(name) if self._beside is not None else None

    def result(self, blob: Blob, hashed: bool = True) -> Examined:
        """What was found in the file itself; its members are in ``members``."""
        found = tuple(sorted(self.concerns, key=lambda one: (one.at, one)))
        digest = self._digest(blob) if hashed else ""
        return Examined(self.path, self.format, blob.size, digest, worst([one.verdict for one in found]), found)

    def _digest(self, blob: Blob) -> str:
        """Of a member of no format, such as the numbers of a tensor, none: those bytes are in the digest of the whole already."""
        if self.depth and self.format == "unknown" and not self.concerns:
            return ""
        digest = hashlib.sha256()
        for at in range(0, blob.size, PIECE):
            digest.update(blob.read(at, PIECE))
        return digest.hexdigest()
