"""Scripts beside what is compiled of them: where both are reviewed, what is found in both is told of the source alone."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from headwater.findings import Finding, Gap

BUILT: Final = ("dist", "build", "lib", "out", "esm", "cjs")
"""Folders into which sources are compiled."""
_COMPILED: Final = {".js": (".ts", ".tsx", ".js", ".jsx"), ".mjs": (".mts", ".ts"), ".cjs": (".cts", ".ts"), ".jsx": (".tsx",)}


def source_of(path: str, paths: Collection[str]) -> str:
    """The script, among those of the project, that the one at ``path`` is compiled of; empty where there is none."""
    stem, suffix = posixpath.splitext(path)
    parts = stem.split("/")
    for at, part in enumerate(parts[:-1]):
        if part not in BUILT:
            continue
        rest = parts[at + 1 :]
        inner = [one for one in rest[:-1] if one not in BUILT] + rest[-1:]
        for below in (["src", *inner], inner, ["src", *inner[1:]] if inner[0] == "src" else inner):
            for other in _COMPILED.get(suffix, ()):
                found = "/".join((*parts[:at], *below)) + other
                if found != path and found in paths:
                    return found
    return ""


def without(findings: Sequence[Finding], paths: Collection[str]) -> tuple[list[Finding], list[Gap]]:
    """The findings but for those that are told of a source already, and what the ledger says of these."""
    sources: dict[str, str] = {}
    known = Counter((one.place.path, one.rule, _name(one.function)) for one in findings)
    kept: list[Finding] = []
    left: Counter[str] = Counter()
    for one in findings:
        path = one.place.path
        if path not in sources:
            sources[path] = source_of(path, paths)
        key = (sources[path], one.rule, _name(one.function))
        if sources[path] and known[key] > 0:
            known[key] -= 1
            left[path] += 1
        else:
            kept.append(one)
    if not left:
        return kept, []
    reason = f"findings in {len(left):,} compiled scripts that are those of their sources, and told there: {left.total():,}"
    return kept, [Gap("generated", "", 0, reason, partial=False)]


def _name(function: str) -> str:
    """The function's own name: compilers wrap bodies in functions without one."""
    parts = [part for part in function.split(".") if part not in ("<lambda>", "<module>")]
    return parts[-1] if parts else ""
