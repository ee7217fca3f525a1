"""Names of packages that are one slip of the hand away from a well-known AI package, or known to be another thing than what is meant.

Only slips count: letters that changed places, a doubled or a lost letter, a neighbour on the keyboard, and in long names any one
letter. Packages that are much used themselves are in ``knowledge/package-names.tsv``, as are those that were taken down as malware.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from headwater import knowledge
from headwater.documents.advisories import ai_packages
from headwater.documents.manifests import Pin
from headwater.documents.told import Told, is_aside
from headwater.findings import Confidence, Severity

MISSPELT: Final = "misspelt-package"
_SHORT: Final = 6  # letters of a name that has neighbours by its looks alone: of a shorter one every word is near
_LONG: Final = 9  # letters from which on any one letter counts: words of this length are not near one another by chance
_LAST: Final = 6  # letters of the last part of a name: shorter ones tell packages of one family apart (``-core``, ``-code``)
_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


class _Said(NamedTuple):
    state: str
    meant: str
    why: str


def misspelt(declared: Mapping[str, list[Pin]]) -> Iterator[Told]:
    """Declared packages whose names are such."""
    for path, pins in declared.items():
        for pin in pins:
            if pin.locked:
                continue
            said = _known().get((pin.ecosystem, pin.name))
            severity = Severity.LOW if is_aside(path) else Severity.CRITICAL
            if said is not None and said.state != "known":
                bad = said.state == "malicious"
                meant = f"; `{said.meant}` is what is meant, most likely" if said.meant else ""
                yield _told(path, pin, f"{said.why}{meant}", min(severity, Severity.HIGH if bad else Severity.MEDIUM), Confidence.HIGH)
            elif said is None and (near := nearest(pin.ecosystem, pin.name)):
                why = f"it is one slip away from the well-known package `{near}`, and little used"
                yield _told(path, pin, why, min(severity, Severity.MEDIUM), Confidence.MEDIUM)


def _told(path: str, pin: Pin, why: str, severity: Severity, confidence: Confidence) -> Told:
    return Told(path, pin.start, pin.end, MISSPELT, f"`{pin.name}`", why, f"{pin.ecosystem}:{pin.name}", severity, confidence)


@functools.cache
def _known() -> dict[tuple[str, str], _Said]:
    text = (Path(knowledge.__file__).parent / "package-names.tsv").read_text(encoding="utf-8")
    rows = [[*line.split("\t"), "", ""] for line in text.splitlines() if line and not line.startswith("#")]
    return {(row[0], row[1]): _Said(row[2], row[3], row[4]) for row in rows}


@functools.cache
def _neighbours(ecosystem: str) -> dict[str, list[str]]:
    """Well-known names by what is left of them without one letter, or none."""
    made: dict[str, list[str]] = {}
    for of, name in sorted(ai_packages()):
        flat = _flat(name)
        if of == ecosystem and len(flat) >= _SHORT:
            for key in _shortened(flat):
                made.setdefault(key, []).append(name)
    return made


def nearest(ecosystem: str, name: str) -> str:
    """The well-known package that a name looks like by a slip; empty where there is none, or it is one itself."""
    if (ecosystem, name) in ai_packages():
        return ""
    flat, near = _flat(name), _neighbours(ecosystem)
    for key in _shortened(flat):
        for other in near.get(key, ()):
            same_parts = flat == _flat(other) or name.count("-") == other.count("-")
            if same_parts and _is_slip(flat, _flat(other)) and not _of_a_family(name, other):
                return other
    return ""


def _flat(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").replace(".", "")


def _shortened(text: str) -> list[str]:
    return [text, *dict.fromkeys(text[:at] + text[at + 1 :] for at in range(len(text)))]


def _is_slip(text: str, meant: str) -> bool:
    if text == meant:
        return True  # other hyphens
    at = next((number for number, (one, other) in enumerate(zip(text, meant, strict=False)) if one != other), min(len(text), len(meant)))
    long = len(meant) >= _LONG
    if len(text) == len(meant):
        if text[at + 1 :] == meant[at + 1 :]:
            return (long or _beside(text[at], meant[at])) and (text[at] + meant[at]).isalpha()
        return text[at : at + 2] == meant[at : at + 2][::-1] and text[at + 2 :] == meant[at + 2 :]
    longer, shorter = (text, meant) if len(text) > len(meant) else (meant, text)
    if longer[at + 1 :] != shorter[at:]:
        return False
    doubled = longer[at] in (longer[at - 1 : at], longer[at + 1 : at + 2])
    return longer[at].isalpha() and (doubled or (long and 0 < at < len(shorter)))


def _beside(one: str, other: str) -> bool:
    """Whether two letters are beside one another on a keyboard."""
    return any(abs(row.index(one) - row.index(other)) == 1 for row in _ROWS if one in row and other in row)


def _of_a_family(name: str, other: str) -> bool:
    """Whether two names differ in a short last part alone: packages of one project."""
    first, _, last = name.replace("/", "-").rpartition("-")
    begin, _, end = other.replace("/", "-").rpartition("-")
    return bool(first) and first == begin and min(len(last), len(end)) < _LAST
