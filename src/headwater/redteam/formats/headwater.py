"""Reads the evidence that ``headwater redteam`` itself wrote (``headwater-redteam``, version 1). Numbers and texts count; what the
probes are about is looked up anew."""

from __future__ import annotations

import os

import msgspec

from headwater import limits
from headwater.redteam.collect import Collector
from headwater.redteam.evidence import MISSING, Evidence, Hit, Missing, joined
from headwater.redteam.formats.error import ReportError, whole
from headwater.redteam.probes import table

SCHEMA = "headwater-redteam"


class _Result(msgspec.Struct):
    tool: str
    version: str
    probe: str
    detector: str
    passed: int
    failed: int
    unjudged: int = 0
    hits: list[Hit] = []


class _File(msgspec.Struct):
    schema: str
    version: int
    results: list[_Result]
    missing: list[Missing]


def is_report(head: bytes) -> bool:
    """Whether a file begins as ours do."""
    return f'"schema": "{SCHEMA}"'.encode() in head[:200]


def read(path: str) -> Evidence:
    """One file."""
    data = whole(path)
    try:
        found = msgspec.json.decode(data, type=_File)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ReportError(f"not what headwater redteam writes: {error}") from None
    if found.schema != SCHEMA or found.version != 1:
        raise ReportError("of another version of headwater redteam")
    collectors: dict[tuple[str, str], Collector] = {}
    missing: list[Missing] = []
    for one in found.results:
        if one.tool not in table().tools:
            missing.append(Missing("unreadable", "", "", "results of a tool that is not known"))
            continue
        key = one.tool, one.version[:40]
        out = collectors.setdefault(key, Collector(one.tool, "", key[1]))
        out.add(one.probe, one.detector, one.passed, one.failed, one.unjudged)
        for hit in one.hits:
            out.hit(one.probe, one.detector, hit.prompt, hit.output)
    for gap in found.missing[: limits.REDTEAM_MISSING]:
        known = gap.kind if gap.kind in MISSING else "unreadable"
        missing.append(Missing(known, *(text[: limits.REDTEAM_EXCERPT] for text in (gap.tool, gap.probe, gap.reason))))
    parts = [*(out.evidence() for out in collectors.values()), Evidence(missing=tuple(missing))]
    return msgspec.structs.replace(joined(parts), files=(os.path.basename(path),))
