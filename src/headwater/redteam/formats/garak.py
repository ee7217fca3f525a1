"""Reads ``report.jsonl`` and ``hitlog.jsonl`` of Garak.

Counts come from the ``eval`` lines, texts from the ``attempt`` lines that were judged. A report without a ``completion`` line is that of a
run that broke off; a probe with attempts and no ``eval`` line was not judged.
"""

from __future__ import annotations

import os
from typing import Any, Final

import msgspec

from headwater.redteam.collect import Collector
from headwater.redteam.evidence import Evidence
from headwater.redteam.formats.error import ReportError, lines

_JUDGED: Final = 2  # status of an attempt
_THRESHOLD: Final = 0.5  # Garak's own, where the report does not tell
_KINDS: Final = frozenset(
    {"start_run setup", "init", "attempt", "eval", "completion", "probe_summary", "digest", "plugin_cache", "payload_init", "config"}
)


class _Any(msgspec.Struct):
    entry_type: str = ""
    probe: Any = None
    detector: Any = None
    score: Any = None
    goal: Any = None


class _Init(msgspec.Struct):
    garak_version: str = ""


class _Setup(msgspec.Struct):
    threshold: float | None = msgspec.field(default=None, name="run.eval_threshold")


class _Eval(msgspec.Struct):
    probe: str
    detector: str
    passed: int
    fails: int | None = None
    nones: int = 0
    total_evaluated: int | None = None
    total_processed: int | None = None
    total: int | None = None
    """Of older versions, with ``passed`` alone."""


class _Attempt(msgspec.Struct):
    status: int
    probe_classname: str
    prompt: Any = None
    outputs: list[Any] = []
    detector_results: dict[str, list[float | None]] = {}


class _Hit(msgspec.Struct):
    probe: str
    detector: str
    prompt: Any = None
    output: Any = None


def is_report(head: bytes) -> bool:
    """Whether a file begins as one of the two do."""
    line = head.lstrip().split(b"\n", 1)[0]
    if line.startswith(b'{"entry_type"'):
        return True
    try:
        one = msgspec.json.decode(line, type=_Any)
    except (msgspec.MsgspecError, RecursionError):
        # A long first line is cut off: its first keys tell.
        return b'"entry_type"' in line[:200] or (b'"goal"' in line[:200] and b'"prompt"' in line)
    return one.entry_type in _KINDS or (isinstance(one.probe, str) and isinstance(one.detector, str))


def read(path: str) -> Evidence:
    """One file."""
    found = _Reader(os.path.basename(path))
    with open(path, "rb") as file:
        for number, line in lines(file):
            if line is None:
                found.out.miss("unreadable", "", f"line {number:,} is too long")
                continue
            try:
                found.line(line)
            except (msgspec.MsgspecError, RecursionError):
                found.out.miss("unreadable", "", "a line that is not what Garak writes")
    return found.evidence()


class _Reader:
    def __init__(self, name: str) -> None:
        self.out = Collector("garak", name)
        self._threshold = _THRESHOLD
        self._started: set[str] = set()
        self._known = 0
        self._complete = False
        self._report = False
        self._hits = False

    def line(self, data: bytes) -> None:
        """One entry."""
        entry = msgspec.json.decode(data, type=_Any)
        match entry.entry_type:
            case "init":
                self.out.version = self.out.version or msgspec.json.decode(data, type=_Init).garak_version[:40]
            case "start_run setup":
                self._threshold = msgspec.json.decode(data, type=_Setup).threshold or _THRESHOLD
            case "eval":
                self._eval(msgspec.json.decode(data, type=_Eval))
            case "attempt":
                self._attempt(msgspec.json.decode(data, type=_Attempt))
            case "completion":
                self._complete = True
            case "":
                self._hit(msgspec.json.decode(data, type=_Hit))
                self._hits = True
                return
        self._report = True
        self._known += entry.entry_type in _KINDS

    def evidence(self) -> Evidence:
        if self._report and not self._known:
            raise ReportError("none of its lines is one that Garak writes")
        if self._report and not self._complete:
            self.out.miss("not-finished", "", "the report ends before the run does: what would have come after it is not in it")
        for probe in sorted(self._started):
            if not self.out.has(probe):
                self.out.miss("not-finished", probe, "it was begun, and not judged")
        if self._hits:
            self.out.miss("no-totals", "", "a log of hits does not tell what passed: the report.jsonl beside it does")
        return self.out.evidence()

    def _eval(self, one: _Eval) -> None:
        failed = one.fails
        if failed is None:
            failed = (one.total or 0) - one.passed
        unjudged = one.nones
        if one.total_processed is not None and one.total_evaluated is not None:
            unjudged = max(unjudged, one.total_processed - one.total_evaluated)
        self.out.add(one.probe, _plain(one.detector), one.passed, failed, unjudged)

    def _attempt(self, one: _Attempt) -> None:
        self._started.add(one.probe_classname)
        if one.status != _JUDGED:
            return
        for detector, scores in one.detector_results.items():
            for score, output in zip(scores, one.outputs, strict=False):
                if score is not None and score >= self._threshold:
                    self.out.hit(one.probe_classname, _plain(detector), _said(one.prompt), _said(output))

    def _hit(self, one: _Hit) -> None:
        self.out.add(one.probe, _plain(one.detector), failed=1)
        self.out.hit(one.probe, _plain(one.detector), _said(one.prompt), _said(one.output))


def _plain(detector: str) -> str:
    """Older versions write ``detector.dan.DAN``."""
    return detector.removeprefix("detector.")


def _said(value: Any) -> str:
    """The text of a message, or of the last turn of a conversation; older versions write texts."""
    for _ in range(4):  # conversation, turn, content, text
        if isinstance(value, str):
            return value
        if isinstance(value, list) and value:
            value = value[-1]
        elif isinstance(value, dict):
            value = next((value[key] for key in ("turns", "content", "text") if value.get(key)), None)
        else:
            break
    return value if isinstance(value, str) else ""
