"""Reads the comments of examples that say where a rule must report, and where it must not.

On the line itself: ``# expect: rule-id``, ``# MISSING: rule-id`` (a known miss), ``# SPURIOUS: rule-id`` (a known false alarm), and in
examples of API models ``# flow: kind-to-class`` (a flow that no rule reports). On a line of its own, about the next line, as users of
Semgrep know them: ``# ruleid: rule-id``, ``# ok: rule-id``, ``# todoruleid: rule-id``, ``# todook: rule-id``. Ids are separated by
commas. What a mark asks of a finding is decided in ``headwater.ruletests``.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

_IDS: Final = r"([a-z0-9-]+(?:\s*,\s*[a-z0-9-]+)*)"
_GRADE: Final = r"(?:\s*\((low|medium|high|critical) (low|medium|high)\))?"
_HERE: Final = re.compile(rf"(?:#|//)\s*(expect|MISSING|SPURIOUS|flow):\s*{_IDS}{_GRADE}")
_NEXT: Final = re.compile(rf"\s*(?:#|//)\s*(ruleid|ok|todoruleid|todook)\s*:\s*{_IDS}\s*")
_LINE_END: Final = re.compile(r"\r\n|\r|\n")  # as the lines of a source are counted


class Mark(msgspec.Struct, frozen=True, order=True):
    """What a comment in an example expects."""

    path: str
    line: int
    """The line that it is about."""
    rule: str
    word: str
    grade: tuple[str, str] = ("", "")
    """Severity and confidence, where the case is about them: ``# expect: llm-output-to-code (critical low)``."""


def marks(path: str, text: str) -> tuple[Mark, ...]:
    """All marks of a file, in the order of its lines."""
    found: list[Mark] = []
    waiting: list[tuple[str, str]] = []
    """Rules and words of comments about the next line; several such comments may follow one another."""
    number = 0
    for number, line in enumerate(_LINE_END.split(text), 1):
        about = _NEXT.fullmatch(line)
        if about is not None:
            waiting += [(rule.strip(), about.group(1)) for rule in about.group(2).split(",")]
            continue
        found += [Mark(path, number, rule, word) for rule, word in waiting]
        waiting = []
        for here in _HERE.finditer(line):
            grade = (here.group(3) or "", here.group(4) or "")
            found += [Mark(path, number, rule.strip(), here.group(1), grade) for rule in here.group(2).split(",")]
    return (*found, *(Mark(path, number + 1, rule, word) for rule, word in waiting))


def without(line: str) -> str | None:
    """A line without its marks; None where it was nothing else."""
    return None if _NEXT.fullmatch(line) else _HERE.sub("", line).rstrip()
