"""The examination of model files for people: what is wrong with each file and what its loader would do; then the counts."""

from __future__ import annotations

import textwrap
from typing import Final

from headwater.modelfiles.result import FailOn, Result
from headwater.modelfiles.verdicts import Concern, Examined
from headwater.reports import escape, words

EVIDENCE: Final = 600
"""Characters of the evidence that are shown; JSON has it all."""
_STYLES: Final = {"malicious": "\x1b[1;31m", "review": "\x1b[1;33m", "inconclusive": "\x1b[1;34m", "clean": "\x1b[32m"}
_OFF: Final = "\x1b[0m"


def render(result: Result, fail_on: FailOn, *, color: bool = False, width: int = 80, everything: bool = False) -> str:
    """The whole report; ``everything``: clean files too, one line each."""
    width = max(40, min(width, 120))
    lines: list[str] = []
    for one in result.files:
        if one.concerns:
            lines += [*_entry(one, color, width), ""]
        elif everything:
            lines.append(f"{_verdict(one, color)}  {_path(one.path)} ({one.format})")
    if everything and lines and lines[-1]:
        lines.append("")
    lines += _summary(result, fail_on, width)
    return escape.log("".join(f"{line}\n" for line in lines))


def _path(path: str) -> str:
    return escape.line(escape.path(path))


def _verdict(one: Examined | Concern, color: bool) -> str:
    word = one.verdict.upper() if one.verdict == "malicious" else one.verdict
    return f"{_STYLES[one.verdict]}{word}{_OFF}" if color else word


def _entry(one: Examined, color: bool, width: int) -> list[str]:
    lines = [f"{_verdict(one, color)}  {_path(one.path)} ({escape.line(one.format)}, {one.size:,} bytes)"]
    for concern in one.concerns:
        where = f" At byte {concern.at:,}." if concern.at >= 0 else ""
        text = f"{escape.line(concern.message)}{where} [{concern.check}]"
        verdict = "" if concern.verdict == one.verdict else f"{concern.verdict}: "
        lines += textwrap.wrap(verdict + text, width, initial_indent="  - ", subsequent_indent="    ", break_on_hyphens=False)
        if concern.evidence:
            shown = escape.line(concern.evidence[:EVIDENCE]) + (" ..." if len(concern.evidence) > EVIDENCE else "")
            lines += textwrap.wrap(shown, width, initial_indent="      ", subsequent_indent="      ", break_on_hyphens=False)
    return lines


def _summary(result: Result, fail_on: FailOn, width: int) -> list[str]:
    counts = result.counts
    found = ", ".join(f"{number:,} {verdict}" for verdict, number in counts.items() if number)
    total = len(result.files)
    parts = [f"{total:,} {'file' if total == 1 else 'files and members'}: {found}." if total else "No model file was found."]
    if result.skipped:
        others = words.count(result.skipped, "other file")
        parts.append(f"{others} (programs, documents, pictures) {'was' if result.skipped == 1 else 'were'} skipped.")
    state = "failed" if result.fails(fail_on) else "passed"
    gate = "The gate is off." if fail_on == "never" else f"The gate ({fail_on}) {state}."
    parts.append(gate)
    if counts["inconclusive"]:
        parts.append("What is inconclusive was not looked at to its end, and is not clean.")
    return textwrap.wrap(" ".join(parts), width)
