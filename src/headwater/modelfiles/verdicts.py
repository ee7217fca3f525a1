"""What an examination of a model file says: concerns, each with a verdict, and the verdict of the file."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Verdict = Literal["malicious", "review", "inconclusive", "clean"]

ORDER: Final[tuple[Verdict, ...]] = ("malicious", "review", "inconclusive", "clean")
"""Worst first. What could not be read to its end is inconclusive and never clean."""


class Concern(msgspec.Struct, frozen=True, order=True):
    """One thing that a file does when it is loaded, or that could not be found out.

    ``check`` names what was looked at in kebab-case (``pickle-call``); ``message`` says in plain words what happens and when;
    ``evidence`` is the decoded call or text, cut and escaped by nobody; ``at`` is the place in bytes in the member, -1 where there is none.
    """

    check: str
    verdict: Verdict
    message: str
    evidence: str = ""
    at: int = -1


class Examined(msgspec.Struct, frozen=True):
    """A file, or a member of one (``archive!member``), with what was found in it itself.

    ``format`` is ``unknown`` where no format was recognised; such a file is no model file and has no verdict of worth.
    """

    path: str
    format: str
    size: int
    sha256: str
    verdict: Verdict
    concerns: tuple[Concern, ...]


def worst(verdicts: list[Verdict]) -> Verdict:
    """The verdict of all of them together."""
    return min(verdicts, key=ORDER.index, default="clean")
