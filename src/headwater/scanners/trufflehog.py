"""Reads what ``trufflehog`` (3.x) writes with ``--json``: a line of JSON for each secret; some it has tried at their providers."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from headwater import limits
from headwater.scanners import texts
from headwater.scanners.values import Leaked, Report

TOOL: Final = "trufflehog"
_MARK: Final = b'"DetectorName"'
_HEAD: Final = 1 << 16


class _Place(msgspec.Struct):
    file: str = ""
    line: int = 0
    commit: str = ""


class _Metadata(msgspec.Struct):
    data: dict[str, msgspec.Raw] = msgspec.field(name="Data", default_factory=dict)


class _Leak(msgspec.Struct):
    metadata: _Metadata = msgspec.field(name="SourceMetadata")
    detector: str = msgspec.field(name="DetectorName")
    raw: str = msgspec.field(name="Raw")
    verified: bool = msgspec.field(name="Verified", default=False)


def is_report(data: bytes) -> bool:
    """Whether a file holds such lines. Lines of the tool's own log may stand between them."""
    return data.lstrip()[:1] == b"{" and _MARK in data[:_HEAD] and b'"SourceMetadata"' in data[:_HEAD]


def read(data: bytes) -> Report:
    """What cannot be read is counted."""
    made: list[Leaked] = []
    bad = more = 0
    for line in data.splitlines():
        if _MARK not in line:
            continue
        if len(made) >= limits.IMPORT_ITEMS:
            more += 1
            continue
        try:
            one = msgspec.json.decode(line, type=_Leak)
            place = _place(one.metadata.data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            bad += 1
            continue
        if place is None:
            bad += 1
            continue
        value = one.raw[: limits.IMPORT_SECRET]
        rule, file, commit = texts.name(one.detector), texts.path(place.file), texts.name(place.commit)
        made.append(Leaked(rule, file, max(0, place.line), value, commit=commit, verified=one.verified))
    notes = [f"{bad:,} lines are of no form that is known, or tell no file"] if bad else []
    notes += [f"more than {limits.IMPORT_ITEMS:,} secrets: the rest is not known here"] if more else []
    return Report(TOOL, leaked=tuple(made), notes=tuple(notes))


def _place(data: dict[str, Any]) -> _Place | None:
    for raw in data.values():
        found = msgspec.json.decode(raw, type=_Place)
        if found.file:
            return found
    return None
