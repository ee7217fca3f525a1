"""Findings and the coverage ledger as values: what every report is made from.

Detection is in ``headwater.taint``, the order of decisions in ``headwater.pipeline``; nothing here reads code.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from headwater.components import SystemMap
from headwater.files.source import Source
from headwater.proofs import Evidence


class Severity(enum.IntEnum):
    """How bad the strongest case is; belongs to the rule, a finding can only lower it."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        return self.name.lower()


class Confidence(enum.IntEnum):
    """How sure the analysis is."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def word(self) -> str:
        return self.name.lower()


class Level(enum.IntEnum):
    """SARIF's level, from severity and confidence."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    @property
    def word(self) -> str:
        return self.name.lower()


def level_of(severity: Severity, confidence: Confidence) -> Level:
    """Error: high or above, surely; warning: high with low confidence, or medium; else note."""
    if severity >= Severity.HIGH:
        return Level.ERROR if confidence >= Confidence.MEDIUM else Level.WARNING
    if severity == Severity.MEDIUM and confidence >= Confidence.MEDIUM:
        return Level.WARNING
    return Level.NOTE


STRENGTH: Final[dict[str, int]] = {
    kind: rank
    for rank, kinds in enumerate(
        (
            ("http-input", "websocket-input", "network-peer", "user-prompt"),
            ("llm-output",),
            ("tool-args",),
            ("tool-result", "retrieved-content", "dataset"),
            ("database",),
            ("library-input",),
            ("model-file", "file-content", "config"),
            ("cli", "env", "secret", "pii", "internals", "model-internals", "system-prompt", "fixed-prompt", "contact-data"),
        )
    )
    for kind in kinds
}
"""Who can set the data, strongest first: anybody, the model under injection, ..., the operator."""


class Place(msgspec.Struct, frozen=True, order=True):
    """A half-open byte range of ``Source.data``, which turns it into lines and columns."""

    path: str
    start: int
    end: int


class Step(msgspec.Struct, frozen=True):
    """One step of a trace."""

    place: Place
    what: str
    """What happens here, in words."""
    kind: str
    """The kind of data that moves (a source kind)."""
    function: str
    """Qualified name of the function that holds it."""
    role: str = "step"
    """source, step, or sink."""


class Trace(msgspec.Struct, frozen=True):
    """The ordered steps from one source to the sink."""

    kind: str
    steps: tuple[Step, ...]

    @property
    def source(self) -> Step:
        """Where the data comes in. Steps before it show how that place is reached."""
        return next((step for step in self.steps if step.role == "source"), self.steps[0])


class Mapping_(msgspec.Struct, frozen=True, order=True):  # noqa: N801  (Mapping is that of collections.abc)
    """A place in a standard."""

    framework: str
    edition: str
    id: str
    name: str


class Suppression(msgspec.Struct, frozen=True, order=True):
    """What one comment says of one rule: ``# headwater: ignore[rule-id] reason``."""

    path: str
    line: int
    """1-based, of the comment."""
    rule: str
    """Empty where the comment names none."""
    state: str
    """used, unused, expired, malformed, ignored (the user wants none applied), or added (the change under review brings it)."""
    reason: str = ""
    until: str = ""
    """The last day on which it holds, as YYYY-MM-DD; empty: for ever."""
    problem: str = ""
    """Why it is not used, in words."""


class Finding(msgspec.Struct, frozen=True):
    """One place where one kind of damage happens."""

    rule: str
    title: str
    message: str
    severity: Severity
    confidence: Confidence
    place: Place
    function: str
    """Qualified name of the function that holds the sink."""
    sink_class: str
    """Sink class, or empty for a call rule."""
    kind: str
    """Source kind of the strongest source, or empty for a call rule."""
    expression: str
    """The sink expression, normalised (``headwater.anchors``)."""
    ordinal: int
    """Position among equal expressions of the function."""
    traces: tuple[Trace, ...]
    """Strongest source first; empty for a call rule."""
    fix: str
    cwe: tuple[int, ...]
    mappings: tuple[Mapping_, ...]
    weaknesses: tuple[str, ...] = ()
    """What lowered the confidence, in words."""
    evidence: str = "static"
    """Or ``imported``: another scanner alone found it, which the message names; or ``red-team``."""
    suppression: Suppression | None = None
    """The comment that accepts it: it is kept, but neither shown as open nor counted."""
    shape: str = ""
    """Digest of the expression without the names of local variables."""
    around: tuple[str, str] = ("", "")
    """Digests of what stands before and after the operation."""
    state: str = ""
    """Against an earlier review: new, unchanged, updated, or worse (see ``headwater.comparison``); empty where there is none."""
    signed_in: bool = False
    """Whoever sends the data of the strongest source has been asked first who it is."""
    proof: Evidence | None = None
    """What runs of the application showed (``headwater.prove``); None where none was looked at."""

    @property
    def level(self) -> Level:
        return level_of(self.severity, self.confidence)

    @property
    def known(self) -> bool:
        """Whether the earlier review has it already, and it has not become worse."""
        return self.state in ("unchanged", "updated")

    @property
    def is_open(self) -> bool:
        """Whether somebody has to look at it: neither suppressed nor known."""
        return self.suppression is None and not self.known

    @property
    def identity(self) -> str:
        """``headwater/v1``: survives line shifts and changed messages."""
        return _digest(self.rule_class, self.place.path, self.function, self.expression, str(self.ordinal))

    @property
    def moved_identity(self) -> str:
        """``headwater-moved/v1``: survives a move to another file or function."""
        return _digest(self.rule_class, self.expression, str(self.ordinal))

    @property
    def rule_class(self) -> str:
        return self.sink_class or self.rule


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Gap(msgspec.Struct, frozen=True, order=True):
    """Something that the review could not look at, or not wholly."""

    kind: str
    """parse-error, python2, too-large, too-many, binary, encoding, generated, ignored (by .gitignore), excluded (by a folder's name),
    unreadable, symlink, vanished, no-frontend, language (of a notebook or of a cell), limit, crash, unresolved-import, dynamic-call,
    trace; and those of ``NOTES``."""
    path: str
    line: int
    """1-based; 0 where it is about the whole file."""
    reason: str
    partial: bool = True
    """Whether it makes the review partial (a binary file that no analysis reads does not)."""
    cell: int = 0
    """Of a notebook: the number of the cell; 0 where it is about the whole file."""
    cell_line: int = 0
    """1-based, in the cell; ``line`` is that of the file."""


def gap_at(source: Source, kind: str, offset: int, reason: str) -> Gap:
    """A gap at an offset of a source; in a notebook it names the cell too."""
    line = source.position(offset)[0]
    cell = source.cell(line)
    inside = (cell.number, line - cell.before) if cell else (0, 0)
    return Gap(kind, source.path, source.file_line(line), reason, True, *inside)


NOTES: Final = frozenset({"configuration", "suppression", "comparison", "import"})
"""Kinds of gaps that are about what the repository or another scanner says, or what it is compared with, not about what was looked at."""


class Coverage(msgspec.Struct, frozen=True):
    """What was looked at and what was not."""

    files: int
    lines: int
    functions: int
    by_language: dict[str, int]
    gaps: tuple[Gap, ...]
    counts: dict[str, int]
    """Figures of the engine: calls resolved, by-name, unresolved, widenings, traces that failed to replay ..."""

    @property
    def status(self) -> str:
        """``complete``, ``partial``, or ``failed`` (nothing was analysed)."""
        if self.files == 0:
            return "failed"
        return "partial" if any(gap.partial for gap in self.gaps) else "complete"


class Fixed(msgspec.Struct, frozen=True, order=True):
    """A finding of the earlier review that is not there any more."""

    path: str
    rule: str
    function: str


class Comparison(msgspec.Struct, frozen=True):
    """What came of comparing a review with an earlier one."""

    against: str
    """The earlier one, as reports call it."""
    fixed: tuple[Fixed, ...] = ()
    unseen: int = 0
    """Findings of the earlier one that this one could not have: of files that it did not look at, or of rules that are off."""


class Review(msgspec.Struct, frozen=True):
    """The result of one review."""

    root: str
    """The folder that paths are relative to (never written to a report)."""
    findings: tuple[Finding, ...]
    coverage: Coverage
    sources: Mapping[str, Source]
    """The files that findings and gaps name."""
    suppressions: tuple[Suppression, ...] = ()
    scope: str = ""
    """What was asked for, relative to the root; empty: all of it."""
    comparison: Comparison | None = None
    notice: str = ""
    """What is to be said of this run alone: never written to a report."""
    system: SystemMap = SystemMap()
    """The AI system that the code makes up."""
