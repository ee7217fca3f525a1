"""Packages that manifests and lock files declare: those under advisories, as this table or a scanner knows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from headwater.documents import advisories, manifests
from headwater.documents.advisories import Advisory
from headwater.documents.manifests import Pin
from headwater.documents.reported import Paths
from headwater.documents.told import Told, is_aside
from headwater.files.source import Source
from headwater.findings import Confidence, Severity
from headwater.index.entities import is_test
from headwater.scanners.values import Advised, Report

VULNERABLE: Final = "vulnerable-package"
_LITTLE: Final = ("medium", "low")
"""Severities of advisories that make no warning; where it is known that they concern the project the last alone."""
_NAMED: Final = 3  # advisories that a message names
_OF_NOTHING_USED: Final = " (no code beside it names the part that they are about)"
_OF_WORK: Final = " (only those have it who work on this code, and no code beside it imports it)"
_OF_OTHERS: Final = " (only those have it who work on this code; who uses the package brings a version along)"
_OF_PACKAGES: Final = " (only other packages ask for it, and no code beside it imports it)"
_TYPES: Final = re.compile(rb"import\s+type\b")


def vulnerable(
    declared: Mapping[str, list[Pin]],
    reported: Mapping[tuple[str, Pin], list[Reported]],
    code: Mapping[str, Source],
    papers: Mapping[str, bytes],
) -> Iterator[Told]:
    """Declared versions that are under an advisory, of each package of a folder where a person would change it.

    What a lock file says counts for the ranges of the manifest beside it, since that is what is installed. ``reported`` is what
    scanners say of them, by their places; ``code``: what may use them; ``papers``: what may start their programs.
    """
    each = [(path, pin, (path.rpartition("/")[0], pin.ecosystem, pin.name)) for path, pins in declared.items() for pin in pins]
    locked = {key for _, pin, key in each if pin.locked}
    aside = _aside((pin, key) for _, pin, key in each if not pin.locked)
    written = {key: pin.exact for _, pin, key in each if pin.exact and not pin.locked}
    named = {(pin.ecosystem, pin.name) for _, pin, _ in each if not pin.locked}
    for path, pin, key in each:
        others = reported.get((path, pin), [])
        if not others and ((key in locked and not pin.exact) or (pin.locked and written.get(key) == pin.exact)):
            continue
        found = advisories.of(pin.ecosystem, pin.name, pin.exact, "" if pin.exact else pin.allowed)
        if found or others:
            every = joined(found, others)[0]
            used, sure = _in_use(f"{path[: path.rfind('/') + 1]}{pin.folder}", pin, every, code, papers)
            doubt = _doubt(path, pin, every, aside.get(key), code) or ("" if used else _OF_NOTHING_USED)
            if not doubt and pin.locked and named and (pin.ecosystem, pin.name) not in named and _brought(path, pin, found, code):
                doubt = _OF_PACKAGES
            yield _told(path, pin, found, others, used or every, doubt, sure)


def _aside(written: Iterable[tuple[Pin, tuple[str, str, str]]]) -> dict[tuple[str, str, str], Pin]:
    """The packages of a folder that people name only among what they need who work on the code."""
    found: dict[tuple[str, str, str], Pin | None] = {}
    for pin, key in written:
        found[key] = pin if pin.aside and found.get(key, pin) is not None else None
    return {key: pin for key, pin in found.items() if pin is not None}


def _doubt(path: str, pin: Pin, found: list[Advisory], aside: Pin | None, code: Mapping[str, Source]) -> str:
    """Why what the advisories describe does nothing here, in words; empty where it may."""
    if any(one.severity == "malware" for one in found):
        return ""
    if aside is not None and aside.brought:
        return _OF_OTHERS
    return _OF_WORK if aside is not None and _not_imported(path, pin, code) else ""


def _brought(path: str, pin: Pin, found: list[Advisory], code: Mapping[str, Source]) -> bool:
    """Whether a package that no manifest names is used by other packages alone, as far as the code shows."""
    return not any(one.severity == "malware" for one in found) and _not_imported(path, pin, code)


def _below(path: str, code: Mapping[str, Source]) -> list[Source]:
    folder = path[: path.rfind("/") + 1]
    return [source for name, source in code.items() if name.startswith(folder) and not is_test(name)]


def _not_imported(path: str, pin: Pin, code: Mapping[str, Source]) -> bool:
    """Whether the code below a manifest is there, and none of it but tests imports a package, for more than its types."""
    here = _below(path, code)
    name = re.escape((pin.name if pin.ecosystem == "npm" else pin.name.replace("-", "_")).encode())
    if pin.ecosystem == "npm":
        before = rb"(?:import\s+type\b[^;'\"]{0,2000}?\bfrom|\bfrom|\b(?:import|require)(?:\s*\()?)"
        wanted = re.compile(before + rb"\s*[\"']" + name + rb"[/\"']")
    else:
        wanted = re.compile(rb"^[ \t]*(?:from|import)[ \t]+" + name + rb"\b", re.M)
    return bool(here) and not any(_TYPES.match(one[0]) is None for source in here for one in wanted.finditer(source.data))


def _in_use(
    folder: str, pin: Pin, found: list[Advisory], code: Mapping[str, Source], papers: Mapping[str, bytes]
) -> tuple[list[Advisory], bool]:
    """The advisories that may concern what is below a folder, and whether it names the part that one of them is about.

    Where no code is there they all may.
    """
    here = [source.data for source in _below(folder, code)]
    if here:
        here += [data for path, data in papers.items() if path.startswith(folder[: folder.rfind("/") + 1])]
    parts, of_package = advisories.parts(), f"{pin.ecosystem}:{advisories.told_as(pin.ecosystem, pin.name)}"
    named: dict[re.Pattern[bytes], bool] = {}
    used: list[Advisory] = []
    sure = False
    for one in found:
        wanted = parts.get(one.id) or parts.get(of_package)
        if wanted is not None and wanted not in named:
            named[wanted] = any(map(wanted.search, here))
        sure = sure or (wanted is not None and named[wanted])
        if wanted is None or one.severity == "malware" or not here or named[wanted]:
            used.append(one)
    return used, sure


def _told(path: str, pin: Pin, own: list[Advisory], others: list[Reported], used: list[Advisory], doubt: str, sure: bool) -> Told:
    """The finding; ``used``: the advisories that may concern the project, named first, which say how bad it is; ``sure``: one does."""
    found, new = joined(own, others)
    found = [*used, *(one for one in found if one not in used)]
    version = pin.exact or pin.allowed
    worst = found[0]
    named = "; ".join(f"{one.name}: {one.summary}" if one.summary else one.name for one in found[:_NAMED])
    more = f"; and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
    tools = " and ".join(sorted({one.tool for one in others}))
    by = f", as {tools} {'report' if ' and ' in tools else 'reports'}{_share(new, len(found))}" if tools else ""
    exact = pin.exact or (others[0].advised.version if others else "")
    fixed = advisories.fixed(pin.ecosystem, found, exact)
    if pin.exact:
        sink = f"`{pin.name} {version}`"
    elif others:
        sink = f"`{pin.name} {version}`, which was found as {exact},".replace(" `,", "`,")
    else:
        sink = f"`{pin.name} {version}`, in each version that this allows,"
    severity = Severity.HIGH if worst.severity == "malware" else Severity.LOW if worst.severity in _LITTLE[sure:] else Severity.MEDIUM
    return Told(
        path,
        pin.start,
        pin.end,
        VULNERABLE,
        sink,
        f"{named}{more}{by}{doubt}",
        f"{pin.ecosystem}:{pin.name}",
        min(severity, Severity.LOW) if doubt or is_aside(path) else severity,
        Confidence.HIGH if exact else Confidence.MEDIUM,
        f"{'Use ' if fixed.startswith('a ') else 'Raise it to '}{fixed}: none of these holds there." if fixed else "",
        "static" if own else "imported",
    )


def _share(new: int, all_: int) -> str:
    """How much of what is told only the scanner knows."""
    return " too" if not new else "" if new == all_ else " of some"


# ------------------------------------------------------------------------------------------------------- other scanners


class Reported(NamedTuple):
    """What one scanner says of a package."""

    tool: str
    advised: Advised


def joined(own: list[Advisory], others: list[Reported]) -> tuple[list[Advisory], int]:
    """The advisories known here with those that were reported, each once, the worst first; and how many of them are not known here."""
    known = {id for one in own for id in (one.id, one.alias) if id}
    made = list(own)
    for one in sorted(others, key=lambda one: one.advised.severity == "unknown"):  # of two records that which says more
        if known.isdisjoint(one.advised.ids):
            made.append(_advisory(one.advised))
        known.update(one.advised.ids)
    return sorted(made, key=lambda one: (advisories.SEVERITIES.index(one.severity), one.id)), len(made) - len(own)


def _advisory(one: Advised) -> Advisory:
    cve = next((id for id in one.ids if id.startswith("CVE-")), "")
    severity = "malware" if any(id.startswith("MAL-") for id in one.ids) else one.severity
    later = advisories.next_after(one.ecosystem, one.version, one.fixed)
    return Advisory(one.ids[0], cve, severity, f"<{later}" if later else "", one.summary)


def placed(
    reports: Sequence[Report], declared: Mapping[str, list[Pin]], manifests_: Sequence[str], papers: Paths
) -> tuple[dict[tuple[str, Pin], list[Reported]], list[Told], list[str]]:
    """What scanners say by the places where the packages are declared; findings for what nothing declares; and what has no place at all."""
    by_name: dict[tuple[str, str], list[tuple[str, Pin]]] = {}
    for path, pins in declared.items():
        for pin in pins:
            by_name.setdefault((pin.ecosystem, pin.name), []).append((path, pin))
    at: dict[tuple[str, Pin], list[Reported]] = {}
    loose: dict[tuple[str, str, str, str], list[Reported]] = {}
    lost: dict[str, None] = {}
    for report in reports:
        for one in report.advised:
            said = Reported(report.tool, one)
            file = papers.find(one.path) if one.path else ""
            places = _places(one, by_name.get((one.ecosystem, one.package), ()), file)
            for place in places:
                at.setdefault(place, []).append(said)
            if places:
                continue
            where = file or ("" if one.path else next((path for path in manifests_ if _speaks(path, one.ecosystem)), ""))
            if where:
                loose.setdefault((where, one.ecosystem, one.package, one.version), []).append(said)
            else:
                lost[f"{report.tool} reports {one.ids[0]} of {one.package} {one.version}, which no file here declares"] = None
    return at, [_loose(*key, many) for key, many in loose.items()], list(lost)


def _places(one: Advised, declared: Sequence[tuple[str, Pin]], file: str) -> list[tuple[str, Pin]]:
    """Where the version is declared: where it stands itself, first where a person would change it; else the ranges that allow it."""
    declared = [place for place in declared if not file or place[0] == file] or list(declared)
    exact = [place for place in declared if place[1].exact and advisories.same(one.ecosystem, place[1].exact, one.version)]
    by_hand = {path.rpartition("/")[0] for path, pin in exact if not pin.locked}
    if exact:
        return [(path, pin) for path, pin in exact if not pin.locked or path.rpartition("/")[0] not in by_hand]
    locked = {path.rpartition("/")[0] for path, pin in declared if pin.locked}
    return [
        (path, pin)
        for path, pin in declared
        if not pin.exact and path.rpartition("/")[0] not in locked and advisories.allows(one.ecosystem, pin.allowed, one.version)
    ]


def _speaks(path: str, ecosystem: str) -> bool:
    return (manifests.kind_of(path) == "package") == (ecosystem == "npm") and ecosystem in ("npm", "pypi")


def _loose(path: str, ecosystem: str, name: str, version: str, others: list[Reported]) -> Told:
    """Of a package that something else brings in: told of the file as a whole."""
    pin = Pin(ecosystem, name, version, "", 0, 0, False)
    told = _told(path, pin, [], others, joined([], others)[0], "", False)
    return told._replace(sink=f"`{name} {version}`, which something that this file names brings in,")
