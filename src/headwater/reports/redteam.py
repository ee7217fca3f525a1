"""Model-level evidence in reports: the words that all of them use, and as JSON (``headwater-redteam`` version 1, docs/redteam.md)."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from headwater.findings import Finding
from headwater.redteam.evidence import MISSING, Evidence, Missing, Result
from headwater.redteam.join import supporting
from headwater.reports import escape, words

SCHEMA: Final = "headwater-redteam"
VERSION: Final = 1
TITLE: Final = "Red team: model-level evidence"
MEANING: Final = (
    "What the model behind the application was seen to answer. It is no proof of what the code does with the answer, "
    "and an answer that passed is one answer to one question."
)


def render(evidence: Evidence, version: str) -> bytes:
    """One JSON object, indented, with a line end."""
    whole = {"schema": SCHEMA, "version": VERSION, "tool": {"name": "headwater", "version": version}, **document(evidence)}
    return escape.json(msgspec.json.format(msgspec.json.encode(whole), indent=2)) + b"\n"


def document(evidence: Evidence) -> dict[str, Any]:
    """What the JSON report of a review has of it."""
    return {
        "files": [text(name) for name in evidence.files],
        "judged": evidence.judged,
        "failed": evidence.failed,
        "results": [_result(one) for one in evidence.results],
        "missing": [{"kind": one.kind, "tool": one.tool, "probe": text(one.probe), "reason": text(one.reason)} for one in evidence.missing],
    }


def outcome(evidence: Evidence) -> str:
    """The result in a sentence."""
    if not evidence.judged:
        return "Nothing was judged: this says nothing about the model."
    bad = f"{evidence.failed:,} bad" if evidence.failed else "none bad"
    gaps = sum(one.kind not in ("unmapped",) for one in evidence.missing)
    rest = f"; {words.count(gaps, 'gap')}, none of which is a pass" if gaps else ""
    pairs = words.count(len(evidence.results), "pair")
    return f"{words.count(evidence.judged, 'verdict')}, {bad}, in {pairs} of probe and detector{rest}."


def tally(one: Result) -> str:
    """``6 of 10 answers bad, 2 not judged``."""
    if not one.judged:
        return "nothing judged" + (f", {one.unjudged:,} not judged" if one.unjudged else "")
    rest = f", {one.unjudged:,} not judged" if one.unjudged else ""
    return f"{one.failed:,} of {one.judged:,} answers bad{rest}"


def about(finding: Finding, evidence: Evidence | None) -> str:
    """What the evidence adds to a finding, in words; empty where it adds nothing."""
    found = supporting(finding, evidence) if evidence is not None else []
    if not found:
        return ""
    first = found[0]
    more = f" and {words.count(len(found) - 1, 'more probe')}" if len(found) > 1 else ""
    return f"red-team: {first.tool} {first.probe}, {first.detector}: {tally(first)}{more}"


def gaps(evidence: Evidence) -> list[tuple[str, list[Missing]]]:
    """What is missing by kind, in the order of ``MISSING``."""
    return [(kind, found) for kind in MISSING if (found := [one for one in evidence.missing if one.kind == kind])]


def gap(one: Missing) -> str:
    """``garak dan.Dan_11_0: why``."""
    where = " ".join(part for part in (one.tool, one.probe) if part)
    return f"{where}: {one.reason}" if where else one.reason


def text(value: str) -> str:
    """Text from a report, which may hold half characters."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def _result(one: Result) -> dict[str, Any]:
    return {
        "tool": one.tool,
        "version": text(one.version),
        "probe": text(one.probe),
        "detector": text(one.detector),
        "passed": one.passed,
        "failed": one.failed,
        "unjudged": one.unjudged,
        "kind": one.kind,
        "sinks": list(one.sinks),
        "mappings": [{"framework": item.framework, "edition": item.edition, "id": item.id, "name": item.name} for item in one.mappings],
        "worth": one.worth,
        "hits": [{"prompt": text(hit.prompt), "output": text(hit.output)} for hit in one.hits],
    }
