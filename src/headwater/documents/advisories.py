"""The shipped table of advisories on AI packages, and which of them a declared version falls under.

The table is ``knowledge/advisories.tsv``, made by ``headwater.documents.osv``; versions are compared as the registry of the package
compares them: PEP 440 or semantic versions. What cannot be compared is under no advisory.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from headwater import knowledge

_FOLDER: Final = Path(knowledge.__file__).parent
HEADER: Final = "Advisories on AI packages from OSV (https://osv.dev): GitHub Advisory Database and PyPI Advisory Database, CC BY 4.0."
_BOUND: Final = re.compile(r"(<=|>=|<|>|==)\s*([^\s<>=]+)")
_SAME: Final = {("pypi", "tensorflow-cpu"): "tensorflow", ("pypi", "tensorflow-gpu"): "tensorflow"}
"""Packages that are another one under a name of their own."""
_SEMVER: Final = re.compile(r"[v=]*(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]+))?(?:\+.*)?")
_CARET: Final = re.compile(r"([\^~]|>=|<=|<|>|=)?\s*(v?\d[0-9A-Za-z.*+-]*)")
SEVERITIES: Final = ("malware", "critical", "high", "medium", "unknown", "low")
"""Worst first."""


class Advisory(msgspec.Struct, frozen=True, order=True):
    """One advisory on one package."""

    id: str
    alias: str
    """Of CVE; may be empty."""
    severity: str
    affected: str
    """Ranges: ``>=1.0 <1.2 || <0.9``."""
    summary: str

    @property
    def name(self) -> str:
        return f"{self.alias} ({self.id})" if self.alias and self.alias != self.id else self.id


def parsed(text: str) -> dict[tuple[str, str], list[Advisory]]:
    """A table by ecosystem and package."""
    found: dict[tuple[str, str], list[Advisory]] = {}
    for line in text.splitlines():
        fields = line.split("\t")
        if len(fields) == 7 and not line.startswith("#"):
            found.setdefault((fields[0], fields[1]), []).append(Advisory(*fields[2:]))
    return found


@functools.cache
def text() -> str:
    """The shipped table as it stands in its file."""
    return (_FOLDER / "advisories.tsv").read_text(encoding="utf-8")


@functools.cache
def table() -> dict[tuple[str, str], list[Advisory]]:
    """The shipped one."""
    return parsed(text())


@functools.cache
def parts() -> dict[str, re.Pattern[bytes]]:
    """By the id of an advisory, or the package of many: what is written that uses the part it is about. Those without concern everybody."""
    lines = (_FOLDER / "advisory-parts.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.partition("\t") for line in lines if not line.startswith("#")]
    return {id: re.compile(expression.encode()) for id, _, expression in rows}


def as_of(table_text: str) -> str:
    """The day of the newest record that went into a table."""
    found = re.search(r"^# as of (\d{4}-\d\d-\d\d)", table_text, re.MULTILINE)
    return found[1] if found else ""


@functools.cache
def ai_packages() -> frozenset[tuple[str, str]]:
    """Well-known AI packages: ecosystem and name."""
    lines = [line.partition("\t") for line in (_FOLDER / "ai-packages.tsv").read_text(encoding="utf-8").splitlines()]
    return frozenset((ecosystem, name) for ecosystem, _, name in lines if name)


def told_as(ecosystem: str, name: str) -> str:
    """The name under which the table has a package."""
    return _SAME.get((ecosystem, name), name)


def of(ecosystem: str, name: str, exact: str, allowed: str) -> list[Advisory]:
    """The advisories that hold for a version, or for each version that is allowed; the worst first."""
    found = [one for one in table().get((ecosystem, told_as(ecosystem, name)), ()) if _holds(ecosystem, one.affected, exact, allowed)]
    return sorted(found, key=lambda one: (SEVERITIES.index(one.severity), one.id))


def fixed(ecosystem: str, found: list[Advisory], exact: str) -> str:
    """The lowest version under none of these advisories, in words; empty where one of them has no end."""
    ends = [_end(ecosystem, one.affected, exact) for one in found]
    if not all(text for _, text, _ in ends):
        return ""
    _, text, after = max(ends, key=lambda end: (end[0], end[2]))
    return f"a version after {text}" if after else text


def same(ecosystem: str, one: str, other: str) -> bool:
    """Whether two texts are the same version."""
    key = _key(ecosystem, one)
    return one == other if key is None else key == _key(ecosystem, other)


def next_after(ecosystem: str, version: str, versions: Sequence[str]) -> str:
    """The lowest of some versions that is higher than one; empty where there is none."""
    here = _key(ecosystem, version)
    later = [(key, text) for text in versions if (key := _key(ecosystem, text)) is not None and here is not None and key > here]
    return min(later, default=(None, ""))[1]


def allows(ecosystem: str, allowed: str, version: str) -> bool:
    """Whether a range lets a version through; one that cannot be read does not."""
    if ecosystem == "pypi":
        try:
            return SpecifierSet(allowed).contains(version, prereleases=True)
        except (InvalidSpecifier, InvalidVersion):
            return False
    key, (floor, top) = _key(ecosystem, version), _npm_range(allowed)
    if key is None or (floor is None and top is None):
        return allowed.strip() in ("", "*", "latest", "x")
    return (floor is None or key >= floor) and (top is None or key < top[0] or (top[1] and key == top[0]))


def unreadable(ecosystem: str, affected: str) -> list[str]:
    """The bounds of ranges that are no versions; a part without a bound counts as one."""
    parts = [_BOUND.findall(part) for part in affected.split("||")]
    bounds = [text for part in parts for _, text in part if _key(ecosystem, text) is None]
    return bounds + ["" for part in parts if not part]


def _end(ecosystem: str, affected: str, exact: str) -> tuple[Any, str, bool]:
    """Where the range ends that a version is in (of a version that is not known: the first such end), and whether it ends after that."""
    ends = []
    for part in affected.split("||"):
        bounds = _BOUND.findall(part)
        if not exact or _inside(ecosystem, bounds, _key(ecosystem, exact)):
            ends += [(_key(ecosystem, text), text, operator != "<") for operator, text in bounds if operator in ("<", "<=", "==")]
    return min((end for end in ends if end[0] is not None), default=(None, "", False))


def _holds(ecosystem: str, affected: str, exact: str, allowed: str) -> bool:
    parts = [_BOUND.findall(part) for part in affected.split("||")]
    if exact:
        key = _key(ecosystem, exact)
        return key is not None and any(_inside(ecosystem, bounds, key) for bounds in parts)
    ceiling = _ceiling(ecosystem, allowed)
    if ceiling is None:
        return False
    floor = _floor(ecosystem, allowed)
    return any(_covers(ecosystem, bounds, floor, ceiling) for bounds in parts)


def _inside(ecosystem: str, bounds: list[tuple[str, str]], key: Any) -> bool:
    if not bounds or key is None:
        return False
    for operator, text in bounds:
        other = _key(ecosystem, text)
        if other is None:
            return False
        if not {"<": key < other, "<=": key <= other, ">": key > other, ">=": key >= other, "==": key == other}[operator]:
            return False
    return True


def _covers(ecosystem: str, bounds: list[tuple[str, str]], floor: Any, ceiling: tuple[Any, bool]) -> bool:
    """Whether all versions up to the ceiling (and from the floor on) are in a range."""
    for operator, text in bounds:
        other = _key(ecosystem, text)
        if other is None or operator == "==":
            return False
        if operator == "<" and not (ceiling[0] < other or (ceiling[0] == other and not ceiling[1])):
            return False
        if operator == "<=" and not ceiling[0] <= other:
            return False
        if operator in (">", ">=") and (floor is None or floor < other):
            return False
    return bool(bounds)


def _key(ecosystem: str, text: str) -> Any:
    """What versions are ordered by; None for what is no version. Other registries than PyPI order as npm does, or nearly so."""
    if ecosystem == "pypi":
        try:
            return Version(text)
        except InvalidVersion:
            return None
    found = _SEMVER.fullmatch(text)
    if found is None:
        return None
    before = found[4]
    parts = tuple((0, int(part), "") if part.isdigit() and len(part) < 10 else (1, 0, part) for part in before.split(".")) if before else ()
    return (int(found[1]), int(found[2] or 0), int(found[3] or 0), before is None, parts)


def _ceiling(ecosystem: str, allowed: str) -> tuple[Any, bool] | None:
    """The highest version that is allowed, and whether it is itself; None where nothing limits it."""
    tops: list[tuple[Any, bool]] = []
    if ecosystem == "pypi":
        for clause in _clauses(allowed):
            base = _key("pypi", clause.version.removesuffix(".*"))
            if base is None:
                continue
            if clause.operator in ("<", "<="):
                tops.append((base, clause.operator == "<="))
            elif clause.operator in ("~=", "==", "==="):
                release = list(base.release)
                if clause.operator == "~=":
                    release = release[:-1]
                elif not clause.version.endswith(".*"):
                    tops.append((base, True))
                    continue
                release[-1] += 1
                tops.append((Version(".".join(map(str, release))), False))
        return min(tops, default=None)
    return _npm_range(allowed)[1]


def _floor(ecosystem: str, allowed: str) -> Any:
    if ecosystem == "pypi":
        bases = [_key("pypi", one.version.removesuffix(".*")) for one in _clauses(allowed) if one.operator in (">=", ">", "~=", "==")]
        return max((base for base in bases if base is not None), default=None)
    return _npm_range(allowed)[0]


def _clauses(allowed: str) -> list[Specifier]:
    try:
        return sorted(SpecifierSet(allowed), key=str)
    except InvalidSpecifier:
        return []


def _npm_range(allowed: str) -> tuple[Any, tuple[Any, bool] | None]:
    """The lowest and the highest version of a range of npm with at most one comparison each way; else none."""
    if "||" in allowed or " - " in allowed:
        return None, None
    floor: Any = None
    top: tuple[Any, bool] | None = None
    for operator, text in _CARET.findall(allowed.strip()):
        key = _key("npm", re.sub(r"\.[xX*].*$", "", text))
        if key is None:
            return None, None
        parts = [int(part) for part in re.findall(r"\d+", re.split(r"[-+]", text)[0])[:3]]
        if operator in ("^", "~") or (operator in ("", "=") and len(parts) < 3):
            at = 0 if operator == "^" else min(1, len(parts) - 1)
            if operator == "^" and parts[0] == 0:
                at = next((number for number, one in enumerate(parts) if one), len(parts) - 1)
            upper = [*parts[:at], parts[at] + 1, 0, 0][:3]
            floor, top = key, ((*upper, True, ()), False)
        elif operator in ("", "="):
            floor, top = key, (key, True)
        elif operator in (">=", ">"):
            floor = key
        else:
            top = (key, operator == "<=")
    return floor, top
