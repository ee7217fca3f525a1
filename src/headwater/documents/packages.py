"""Packages that manifests and lock files declare: those under advisories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from headwater.documents import advisories
from headwater.documents.manifests import Pin
from headwater.documents.told import Told, is_aside
from headwater.findings import Confidence, Severity

VULNERABLE: Final = "vulnerable-package"
_NAMED: Final = 3  # advisories that a message names


def vulnerable(declared: Mapping[str, list[Pin]]) -> Iterator[Told]:
    """Declared versions that are under an advisory, of each package of a folder where a person would change it.

    What a lock file says counts for the ranges of the manifest beside it, since that is what is installed.
    """
    each = [(path, pin, (path.rpartition("/")[0], pin.ecosystem, pin.name)) for path, pins in declared.items() for pin in pins]
    locked = {key for _, pin, key in each if pin.locked}
    written = {key: pin.exact for _, pin, key in each if pin.exact and not pin.locked}
    for path, pin, key in each:
        if (key in locked and not pin.exact) or (pin.locked and written.get(key) == pin.exact):
            continue
        found = advisories.of(pin.ecosystem, pin.name, pin.exact, "" if pin.exact else pin.allowed)
        if found:
            yield _told(path, pin, found)


def _told(path: str, pin: Pin, found: list[advisories.Advisory]) -> Told:
    version = pin.exact or pin.allowed
    worst = found[0]
    named = "; ".join(f"{one.name}: {one.summary}" if one.summary else one.name for one in found[:_NAMED])
    more = f"; and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
    fixed = advisories.fixed(pin.ecosystem, found, pin.exact)
    severity = Severity.HIGH if worst.severity == "malware" else Severity.LOW if worst.severity == "low" else Severity.MEDIUM
    return Told(
        path,
        pin.start,
        pin.end,
        VULNERABLE,
        f"`{pin.name} {version}`" if pin.exact else f"`{pin.name} {version}`, in each version that this allows,",
        f"{named}{more}",
        f"{pin.ecosystem}:{pin.name}",
        min(severity, Severity.LOW) if is_aside(path) else severity,
        Confidence.HIGH if pin.exact else Confidence.MEDIUM,
        f"{'Use ' if fixed.startswith('a ') else 'Raise it to '}{fixed}: none of these holds there." if fixed else "",
    )
