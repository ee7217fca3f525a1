"""Reads the comments that suppress findings, and says which of them did.

A comment is ``# headwater: ignore[rule-id, other-rule] reason until=2027-01-31``: ids and reason are required, the last day is not.
Frontends find the comments and the logical line that each is about (``ir.Module.remarks``); the gate leaves out what is suppressed.
"""

from __future__ import annotations

import datetime
import re
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from headwater import ir, limits
from headwater.files.source import Source
from headwater.findings import Finding, Gap, Suppression

_FORM: Final = re.compile(r"(?:#+|//+|/\*+|<!--)\s*headwater\s*:\s*ignore\s*\[([^\[\]]*)\](.*?)(?:\*+/|-->)?", re.DOTALL)
_UNTIL: Final = re.compile(r"(?<!\S)until=(\S*)")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EDGES: Final = " \t\r\n\f:;,-\u2013\u2014"  # what may stand between the ids and the reason
_USAGE: Final = "write 'headwater: ignore[rule-id] reason'"


class Said(NamedTuple):
    """What one comment says."""

    rules: tuple[str, ...]
    reason: str
    until: datetime.date | None
    problem: str
    """Why it does not hold at all; empty: it does."""


class Applied(NamedTuple):
    """The findings with what suppresses them, every suppression with its state, and what the ledger must say."""

    findings: list[Finding]
    suppressions: tuple[Suppression, ...]
    gaps: list[Gap]


def read(comment: str) -> Said:
    """The meaning of a comment that begins with ``# headwater:``, or as the language of its file writes it."""
    if len(comment) > limits.SUPPRESSION_CHARS:
        return Said((), "", None, f"it has more than {limits.SUPPRESSION_CHARS:,} characters")
    form = _FORM.fullmatch(comment)
    if form is None:
        return Said((), "", None, f"it is not understood: {_USAGE}")
    rules = tuple(dict.fromkeys(word for part in form.group(1).split(",") if (word := part.strip())))
    days = _UNTIL.findall(form.group(2))
    reason = " ".join(_UNTIL.sub(" ", form.group(2)).split()).strip(_EDGES)
    until, problem = None, ""
    if not rules:
        problem = f"it names no rule: {_USAGE}"
    elif not any(char.isalnum() for char in reason):
        problem = f"it gives no reason: {_USAGE}"
    elif len(days) > 1:
        problem = "it has more than one until="
    elif days:
        until = _day(days[0])
        problem = "" if until else "its last day is no date: write until=YYYY-MM-DD"
    return Said(rules, reason, until, problem)


def _day(text: str) -> datetime.date | None:
    if not _DAY.fullmatch(text):
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def apply(
    findings: Sequence[Finding],
    remarks: Mapping[str, Sequence[ir.Remark]],
    sources: Mapping[str, Source],
    known: Collection[str],
    today: datetime.date,
    *,
    wanted: bool = True,
) -> Applied:
    """Suppresses what comments accept, or with ``wanted`` off nothing. ``remarks`` by path; ``known`` are the ids of all rules."""
    files = {path: _File(said, sources[path], known, today) for path, said in remarks.items() if said}
    made = []
    for finding in findings:
        file = files.get(finding.place.path) if wanted else None
        found = file.use(finding) if file is not None else None
        made.append(msgspec.structs.replace(finding, suppression=found) if found else finding)
    suppressions = [one for path in sorted(files) for one in files[path].told()]
    gaps = [Gap("suppression", path, 0, file.over, partial=False) for path, file in sorted(files.items()) if file.over]
    if wanted:
        gaps += [Gap("suppression", one.path, one.line, _words(one), partial=False) for one in suppressions if one.state != "used"]
    elif suppressions:
        suppressions = [
            msgspec.structs.replace(one, state="ignored", problem="no suppressions are applied") if one.state != "malformed" else one
            for one in suppressions
        ]
        gaps.append(Gap("suppression", "", 0, f"none of the {len(suppressions):,} suppressions in comments were applied", partial=False))
    return Applied(made, tuple(suppressions), gaps)


def _words(one: Suppression) -> str:
    """A sentence for the ledger."""
    return f"{one.state} suppression{f' of {one.rule}' if one.rule else ''}: {one.problem}"


class _File:
    """The suppressions of one file."""

    def __init__(self, said: Sequence[ir.Remark], source: Source, known: Collection[str], today: datetime.date) -> None:
        remarks = said[: limits.SUPPRESSIONS_OF_FILE]
        self.over = (
            f"more than {limits.SUPPRESSIONS_OF_FILE:,} suppressions in one file: the further ones were not read"
            if len(said) > len(remarks)
            else ""
        )
        self._made: list[Suppression] = []
        self._valid: dict[tuple[str, int], int] = {}
        """Rule and begin of a logical line, to the place in ``_made`` of the first that holds there."""
        # Logical lines do not overlap: the one of a finding is the last that begins before it.
        lines = {remark.first: remark.last for remark in remarks}
        self._firsts = sorted(lines)
        self._lasts = [lines[first] for first in self._firsts]
        for remark in remarks:
            self._add(remark, source, known, today)

    def _add(self, remark: ir.Remark, source: Source, known: Collection[str], today: datetime.date) -> None:
        said = read(source.slice(remark.start, remark.end).strip())
        line = source.position(remark.start)[0]
        for rule in said.rules or ("",):
            state, problem = "unused", "it suppresses nothing; remove it"
            if said.problem:
                state, problem = "malformed", said.problem
            elif rule not in known:
                state, problem = "malformed", "there is no such rule"
            elif said.until is not None and said.until < today:
                state, problem = "expired", f"its last day was {said.until}"
            else:
                self._valid.setdefault((rule, remark.first), len(self._made))
            until = str(said.until) if said.until else ""
            self._made.append(Suppression(source.path, line, rule, state, said.reason, until, problem))

    def use(self, finding: Finding) -> Suppression | None:
        """What suppresses a finding."""
        at = bisect_right(self._firsts, finding.place.start) - 1
        if at < 0 or finding.place.start >= self._lasts[at]:
            return None
        number = self._valid.get((finding.rule, self._firsts[at]))
        if number is None:
            return None
        used = self._made[number] = msgspec.structs.replace(self._made[number], state="used", problem="")
        return used

    def told(self) -> list[Suppression]:
        return self._made
