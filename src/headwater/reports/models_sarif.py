"""The examination of model files as SARIF 2.1.0: one result for each concern, at the file, with its place in bytes."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

from headwater.matching import encodable
from headwater.modelfiles.result import Result
from headwater.modelfiles.verdicts import Concern, Examined
from headwater.reports import escape
from headwater.reports.sarif import RESULTS, ROOT, SCHEMA

_RULES: Final = {
    "malicious": ("malicious-model-file", "error", "9.5", "A model file runs code or does harm when it is loaded."),
    "review": ("model-file-for-review", "warning", "5.5", "A model file needs code, or does something that a model seldom needs."),
    "inconclusive": ("model-file-not-readable", "note", "2.0", "A model file could not be looked at to its end."),
}
_NUMBERS: Final = {verdict: number for number, verdict in enumerate(_RULES)}

Json = dict[str, Any]


def render(result: Result, version: str) -> bytes:
    results = [_result(one, concern) for one in result.files for concern in one.concerns]
    log: Json = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "Headwater", "semanticVersion": version, "rules": [_rule(verdict) for verdict in _RULES]}},
                "automationDetails": {"id": "headwater-models/"},
                "originalUriBaseIds": {ROOT: {"description": {"text": "The folder that was examined."}}},
                "invocations": [{"executionSuccessful": not result.nothing}],
                "results": sorted(results, key=lambda one: -float(one["rank"]))[:RESULTS],
                "properties": {"counts": result.counts, "skipped": result.skipped, "resultsLeftOut": max(0, len(results) - RESULTS)},
            }
        ],
    }
    return escape.json(msgspec.json.format(msgspec.json.encode(log), indent=1)) + b"\n"


def _rule(verdict: str) -> Json:
    id, level, severity, text = _RULES[verdict]
    return {
        "id": id,
        "shortDescription": {"text": text},
        "fullDescription": {"text": text},
        "help": {"text": f"{text} See docs/models.md."},
        "defaultConfiguration": {"level": level},
        "properties": {"security-severity": severity, "tags": ["security", "ml-model-file"]},
    }


def _result(one: Examined, concern: Concern) -> Json:
    id, level, severity, _ = _RULES[concern.verdict]
    path, _, member = one.path.partition("!")
    text = escape.visible(encodable(concern.message)).replace("{", "{{").replace("}", "}}").replace("[", "\\[").replace("]", "\\]")
    location: Json = {"physicalLocation": {"artifactLocation": {"uri": escape.uri(path), "uriBaseId": ROOT}}}
    if member:
        location["logicalLocations"] = [{"fullyQualifiedName": escape.visible(encodable(member)), "kind": "member"}]
    elif concern.at >= 0:
        location["physicalLocation"]["region"] = {"byteOffset": concern.at, "byteLength": 0}
    identity = "\0".join((concern.check, path, member, concern.evidence))
    return {
        "ruleId": id,
        "ruleIndex": _NUMBERS[concern.verdict],
        "level": level,
        "rank": float(severity) * 10,
        "message": {"text": text},
        "locations": [location],
        "partialFingerprints": {"headwater-models/v1": hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32]},
        "properties": {
            "check": concern.check,
            "verdict": concern.verdict,
            "format": one.format,
            "sha256": one.sha256,
            "evidence": escape.visible(encodable(concern.evidence)),
            "offset": concern.at,
        },
    }
