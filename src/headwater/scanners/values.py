"""What reports of other scanners say, as values: packages under advisories, and secrets in files. All texts are cut, and hold one line."""

from __future__ import annotations

import msgspec


class Advised(msgspec.Struct, frozen=True):
    """One advisory on one package, as a scanner of dependencies tells it."""

    ecosystem: str
    """``pypi``, ``npm``, or another one as the scanner writes it, in lower case."""
    package: str
    """As the ecosystem compares names."""
    version: str
    """The one that was found installed, or locked."""
    ids: tuple[str, ...]
    """That of the record first, then its aliases."""
    summary: str = ""
    fixed: tuple[str, ...] = ()
    """Versions from which on it does not hold."""
    severity: str = "unknown"
    path: str = ""
    """The file that was read, as the scanner writes it; empty where it does not tell."""


class Leaked(msgspec.Struct, frozen=True):
    """One secret, as a scanner of secrets tells it."""

    rule: str
    path: str
    """As the scanner writes it."""
    line: int
    value: str = ""
    """The secret; empty where the report was written without it."""
    before: str = ""
    after: str = ""
    """What stands beside it in its line, where the secret itself is not in the report."""
    commit: str = ""
    """The revision that was looked at, where it was one."""
    verified: bool = False
    """The scanner has tried it, and its provider took it."""


class Report(msgspec.Struct, frozen=True):
    """One file."""

    tool: str
    advised: tuple[Advised, ...] = ()
    leaked: tuple[Leaked, ...] = ()
    notes: tuple[str, ...] = ()
    """What the scanner could not look at, and what of its report could not be read."""
