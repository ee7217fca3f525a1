"""What has changed between a threat model that was kept as JSON and the one of now: parts, flows and threats; lines do not count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from headwater.findings import Review
from headwater.reports import escape
from headwater.reports.threats_json import SCHEMA, VERSION, document
from headwater.threats.model import ThreatModel

BYTES: Final = 32 * 1024 * 1024
"""Of a kept model: far more than the largest that was seen."""


class DriftError(ValueError):
    """What was kept is no threat model; the message says why."""


class _Component(msgspec.Struct, frozen=True):
    key: str
    type: str
    zone: str
    capabilities: list[str] = []


class _Flow(msgspec.Struct, frozen=True, rename={"from_": "from", "both": "both-ways"}):
    key: str
    from_: str
    to: str
    carries: str
    both: bool
    crosses: str


class _Finding(msgspec.Struct, frozen=True):
    rule: str


class _Threat(msgspec.Struct, frozen=True, rename={"answered": "answered-by"}):
    key: str
    state: str
    severity: str
    answered: str = ""
    findings: list[_Finding] = []


class _Kept(msgspec.Struct, frozen=True):
    schema: str
    version: int
    components: list[_Component]
    flows: list[_Flow]
    threats: list[_Threat]


def changes(kept: bytes, made: ThreatModel, review: Review) -> list[str]:
    """What is new, gone and changed since, a line each; empty where nothing is. Raises DriftError."""
    try:
        before = msgspec.json.decode(kept, type=_Kept)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError, UnicodeDecodeError) as error:
        raise DriftError(f"it is no threat model in JSON: {error}") from None
    if (before.schema, before.version) != (SCHEMA, VERSION):
        raise DriftError(f"it is {before.schema} {before.version}, and {SCHEMA} {VERSION} is expected")
    now = msgspec.convert(document(made, review), _Kept)
    found: list[str] = []
    for what, old, new in (
        ("component", before.components, now.components),
        ("flow", before.flows, now.flows),
        ("threat", before.threats, now.threats),
    ):
        found += _compared(what, {one.key: one for one in old}, {one.key: one for one in new})
    return found


def _compared(what: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for key in sorted(old.keys() | new.keys()):
        name = escape.line(key)
        if key not in old:
            state = f" ({new[key].state})" if what == "threat" else ""
            yield f"+ {what} {name}{state}"
        elif key not in new:
            yield f"- {what} {name}"
        elif old[key] != new[key]:
            yield f"~ {what} {name}: {', '.join(_fields(old[key], new[key]))}"


def _fields(old: Any, new: Any) -> Iterator[str]:
    for field in old.__struct_fields__:
        before, now = getattr(old, field), getattr(new, field)
        if before != now:
            yield f"{field.rstrip('_')} {_words(before)} -> {_words(now)}"


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(escape.line(one.rule if isinstance(one, _Finding) else one) for one in value) or "none"
    return escape.line(str(value)) or "none"
