"""Makes the table of advisories from records in the OSV format: ``python -P -m headwater.documents.osv FOLDER-OR-ZIP... > table.tsv``.

Records are what osv.dev gives away as ``all.zip`` of an ecosystem, or a clone of pypa/advisory-database or
github/advisory-database, as JSON or YAML. Kept are those of the packages in ``knowledge/ai-packages.tsv``, without their texts: what
an advisory is about is told in words of our own, which come from a table given among the sources. No network is used.
"""

from __future__ import annotations

import datetime
import math
import os
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml
from packaging.utils import canonicalize_name

from headwater.documents.advisories import HEADER, Advisory, ai_packages, as_of, parsed, told_as, unreadable

_ECOSYSTEMS: Final = {"PyPI": "pypi", "npm": "npm"}
_WEIGHTS: Final = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "PR": {"N": 0.85, "L": 0.62, "H": 0.27},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_MALWARE: Final = re.compile(r"\bmalware\b|\bmalicious (?:code|crypto)|\bcompromise of\b", re.IGNORECASE)
"""Of the title of a record about releases that somebody else put something into."""


def table(sources: Iterable[str]) -> str:
    """The table as text; records of the same package that have a name in common are told once, by the first source.

    What that one leaves open, a later one says: the severity, the name at GitHub, what it is about.
    """
    known = ai_packages()
    rows: dict[str, list[Advisory]] = {}
    newest, today = "", datetime.datetime.now(datetime.UTC).date().isoformat()
    for source in sources:
        given = sorted(_rows(source, known), key=lambda row: row[:3])
        newest = max([newest, *(day for *_, day in given if day <= today)])  # some records say that they are of next year
        for ecosystem, name, one, _ in given:
            mine = rows.setdefault(f"{ecosystem}\t{name}", [])
            same = [number for number, other in enumerate(mine) if {one.id, one.alias} & {other.id, other.alias} - {""}]
            for number in same:
                mine[number] = _joined(mine[number], one)
            if not same:
                mine.append(one)
    columns = ("ecosystem", "package", *Advisory.__struct_fields__)
    lines = [f"# {HEADER}", f"# as of {newest}: the day of the newest record that was read", f"# {' '.join(columns)}"]
    for key in sorted(rows):
        lines += ["\t".join((key, one.id, one.alias, one.severity, one.affected, one.summary)) for one in sorted(rows[key])]
    return "\n".join(lines) + "\n"


def _joined(first: Advisory, later: Advisory) -> Advisory:
    severity = later.severity if first.severity == "unknown" or later.severity == "malware" else first.severity
    id = later.id if later.id.startswith("GHSA-") and not first.id.startswith("GHSA-") else first.id
    return msgspec.structs.replace(first, id=id, severity=severity, summary=first.summary or later.summary)


def _rows(source: str, known: frozenset[tuple[str, str]]) -> Iterator[tuple[str, str, Advisory, str]]:
    """Ecosystem, package, advisory, and the day on which the record was changed last."""
    if source.endswith(".tsv"):
        text = Path(source).read_text(encoding="utf-8")
        for (ecosystem, name), many in parsed(text).items():
            yield from ((ecosystem, name, one, as_of(text)) for one in many if (ecosystem, name) in known)
        return
    for record in _records(source):
        for affected in record.get("affected", []) if isinstance(record, dict) and not record.get("withdrawn") else []:
            package = affected.get("package", {})
            ecosystem = _ECOSYSTEMS.get(package.get("ecosystem", ""), "")
            name = canonicalize_name(package.get("name", "")) if ecosystem == "pypi" else package.get("name", "")
            ranges = _ranges(affected, ecosystem)
            if (ecosystem, name) in known and ranges:
                yield ecosystem, told_as(ecosystem, name), _advisory(record, affected, ranges), str(record.get("modified", ""))[:10]


def _records(source: str) -> Iterator[Any]:
    if zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            for name in sorted(archive.namelist()):
                yield from _record(name, archive.read(name))
    for folder, folders, names in os.walk(source):
        folders.sort()
        for name in sorted(names):
            yield from _record(name, Path(folder, name).read_bytes())


def _record(name: str, data: bytes) -> Iterator[Any]:
    if name.endswith(".json"):
        yield msgspec.json.decode(data)
    elif name.endswith((".yaml", ".yml")):
        yield yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _advisory(record: dict[str, Any], affected: dict[str, Any], ranges: str) -> Advisory:
    names = [str(record.get("id", "")), *map(str, record.get("aliases") or [])]
    id = next((name for name in names if name.startswith("GHSA-")), names[0])
    alias = next((name for name in names if name.startswith("CVE-")), "")
    malware = any(name.startswith("MAL-") for name in names) or _MALWARE.search(str(record.get("summary") or "")) is not None
    return Advisory(id, alias, "malware" if malware else _severity(record, affected), ranges, "")


def _ranges(affected: dict[str, Any], ecosystem: str) -> str:
    """Those whose bounds are versions: others hold for none."""
    made = []
    for one in affected.get("ranges") or []:
        if one.get("type") not in ("ECOSYSTEM", "SEMVER"):
            continue
        first = ""
        for event in one.get("events") or []:
            if "introduced" in event:
                first = "" if str(event["introduced"]) == "0" else f">={event['introduced']} "
                open_ended = True
            elif "fixed" in event or "last_affected" in event:
                made.append(f"{first}<{event['fixed']}" if "fixed" in event else f"{first}<={event['last_affected']}")
                open_ended = False
        if one.get("events") and open_ended:
            made.append(first.strip() or ">=0")
    if not made and affected.get("versions"):
        made = [f"=={version}" for version in affected["versions"][:50]]
    return " || ".join(one for one in dict.fromkeys(made) if not unreadable(ecosystem, one))


def _severity(record: dict[str, Any], affected: dict[str, Any]) -> str:
    """The word of GitHub's record, else that of the CVSS 3 vector; ``unknown`` where there is neither."""
    word = str((record.get("database_specific") or {}).get("severity", "")).lower()
    if word in ("critical", "high", "moderate", "medium", "low"):
        return "medium" if word == "moderate" else word
    for one in [*(record.get("severity") or []), *(affected.get("severity") or [])]:
        if str(one.get("type")) == "CVSS_V3":
            score = cvss3(str(one.get("score", "")))
            return "critical" if score >= 9 else "high" if score >= 7 else "medium" if score >= 4 else "low"
    return "unknown"


def cvss3(vector: str) -> float:
    """The base score of a CVSS 3 vector."""
    parts = dict(part.split(":", 1) for part in vector.split("/") if ":" in part)
    changed = parts.get("S") == "C"
    try:
        loss = 1 - math.prod(1 - _WEIGHTS["C"][parts[key]] for key in ("C", "I", "A"))
        rights = _WEIGHTS["PR"][parts["PR"]]
        if changed and parts["PR"] != "N":
            rights = {"L": 0.68, "H": 0.5}[parts["PR"]]
        ease = 8.22 * _WEIGHTS["AV"][parts["AV"]] * _WEIGHTS["AC"][parts["AC"]] * rights * _WEIGHTS["UI"][parts["UI"]]
    except KeyError:
        return 0.0
    impact = 7.52 * (loss - 0.029) - 3.25 * (loss - 0.02) ** 15 if changed else 6.42 * loss
    if impact <= 0:
        return 0.0
    score = min((1.08 if changed else 1.0) * (impact + ease), 10.0)
    return math.ceil(round(score * 100_000) / 10_000) / 10


if __name__ == "__main__":
    sys.stdout.write(table(sys.argv[1:]))
