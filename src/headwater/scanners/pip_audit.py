"""Reads what ``pip-audit --format json`` writes: packages with their advisories, and those that it could not look at."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import msgspec

from headwater import limits
from headwater.scanners import texts
from headwater.scanners.values import Advised, Report

TOOL: Final = "pip-audit"


class _Advisory(msgspec.Struct):
    id: str
    fix_versions: list[str] = []
    aliases: list[str] = []
    description: str | None = ""


class _Package(msgspec.Struct):
    name: str
    version: str = ""
    vulns: list[_Advisory] = []
    skip_reason: str = ""


def read(root: Any) -> Report | None:
    """None where it is no such report. Until 2.5 the list of packages was the whole of it."""
    packages = root.get("dependencies") if isinstance(root, dict) else root
    if not isinstance(packages, list) or not all(isinstance(one, dict) and "name" in one for one in packages):
        return None
    if not any("vulns" in one or "skip_reason" in one for one in packages):
        return None
    found = msgspec.convert(packages, list[_Package])
    made: list[Advised] = []
    skipped: Counter[str] = Counter()
    for package in found:
        if package.skip_reason:
            skipped[texts.line(package.skip_reason.partition(":")[0])] += 1
        _, name = texts.package("pypi", package.name)
        for one in package.vulns:
            ids = texts.ids([one.id, *one.aliases])
            if ids and name:
                fixed = tuple(texts.name(text) for text in one.fix_versions[: limits.IMPORT_ALIASES])
                summary = texts.line((one.description or "").strip().partition("\n")[0].lstrip("# "))
                made.append(Advised("pypi", name, texts.name(package.version), ids, summary, fixed))
    notes = [
        f"{count:,} {'package was' if count == 1 else 'packages were'} not looked at: {reason}"
        for reason, count in sorted(skipped.items())[: limits.IMPORT_NOTES]
    ]
    if len(made) > limits.IMPORT_ITEMS:
        notes.append(f"more than {limits.IMPORT_ITEMS:,} advisories: the rest is not known here")
    return Report(TOOL, tuple(made[: limits.IMPORT_ITEMS]), notes=tuple(notes))
