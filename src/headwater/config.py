"""What a review is told to do: frozen values that the command line and the configuration file fill in.

The file is read by ``headwater.configfile``. What a bound of the analysis is stands in ``headwater.limits``; what passes the gate
is decided in ``headwater.gate``.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from headwater.findings import Confidence, Gap, Severity
from headwater.scanners.values import Report

Format = Literal["text", "json", "sarif", "github", "gitlab-codequality", "gitlab-sast", "junit", "markdown", "html", "pdf"]
Persona = Literal["default", "audit"]

PROCESSES_DEFAULT: Final = 8  # beyond it the parent, which joins the results, is the slowest


def default_processes() -> int:
    """One for each processor that this process may use, at most ``PROCESSES_DEFAULT``."""
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        usable = os.cpu_count() or 1
    return max(1, min(usable, PROCESSES_DEFAULT))


def today() -> datetime.date:
    """The day (UTC), or that of ``SOURCE_DATE_EPOCH`` where it is set."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    try:
        return datetime.datetime.fromtimestamp(int(epoch), datetime.UTC).date()
    except (ValueError, OverflowError, OSError):  # not set, or no number of seconds
        return datetime.datetime.now(datetime.UTC).date()


class Output(msgspec.Struct, frozen=True):
    """One report: its format and where it goes (``-`` is standard output)."""

    format: Format = "text"
    path: str = "-"


class OwnFile(msgspec.Struct, frozen=True):
    """A rule or an API model of the user's own, as text; ``headwater.rules.own`` reads it."""

    name: str
    """Its path, as errors show it; the ending tells what it is."""
    text: str


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """All settings of one review."""

    fail_on: Severity | None = Severity.HIGH
    """The gate fails at this severity and above; None: it never fails."""
    min_confidence: Confidence = Confidence.LOW
    """Findings below it are neither shown nor counted."""
    persona: Persona = "default"
    """``default`` shows errors and warnings, ``audit`` notes too."""
    strict_coverage: bool = False
    """A partial review ends with status 3."""
    processes: int = msgspec.field(default_factory=default_processes)
    outputs: tuple[Output, ...] = (Output(),)
    exclude: tuple[str, ...] = ()
    """Patterns, as in a .gitignore of the root, of files that are left out."""
    rules: Mapping[str, Severity | None] = msgspec.field(default_factory=dict)
    """Severities that are lowered; None: the rule is off."""
    own: tuple[OwnFile, ...] = ()
    """The user's own rules and API models, beside the built-in ones."""
    suppressions: bool = True
    """Whether comments of the reviewed code may suppress findings."""
    imported: tuple[Report, ...] = ()
    """What other scanners found, to be joined with what this review finds (``headwater.scanners``)."""
    today: datetime.date = msgspec.field(default_factory=today)
    """What suppressions with a last day are compared with."""
    cache: str = ""
    """The folder of what earlier reviews found out (``headwater.cache``); empty: none."""
    file: str = ""
    """The configuration file, as reports call it."""
    own_file: bool = False
    """Whether that file is part of what is reviewed: then what it leaves out makes the review partial."""
    notes: tuple[Gap, ...] = ()
    """What the reports must say of the configuration file."""

    def enabled(self, ids: Iterable[str]) -> frozenset[str]:
        """Those of the rules that are not switched off."""
        return frozenset(id for id in ids if self.rules.get(id, Severity.LOW) is not None)
