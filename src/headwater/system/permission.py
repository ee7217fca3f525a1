"""Tools that may do more than they should: what they change and do not speak of, and what nobody is asked about before they do it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from headwater.system import approvals
from headwater.system.build import Builder
from headwater.system.effects import Effect, Said, effects, said
from headwater.system.graph import Key
from headwater.system.reported import Report, Step
from headwater.system.words import stems

_NEAR: Final = 2
"""Calls between a tool and an operation that its author sees at a glance."""
_DATA: Final = re.compile(
    r"^(?:\d*|params|body|text|html|content|contents|message|messages|msg|blocks|file|attachment|rawmessage|mailoptions|subject|data|title|description|attachments?|name|note|reason|comment)$",
    re.IGNORECASE,
)
"""Arguments that say what is written, not to whom or on what."""
_FLOWS: Final = {"executes-shell": "shell", "executes-code": "code"}
"""What is a finding of its own, with the way from the tool's arguments to the operation."""
_ASKERS: Final = frozenset({"agent", "llm", "llm-call"})


def undeclared(builder: Builder) -> Iterator[Report]:
    """Tools whose code changes something of which neither name nor description speaks."""
    for key, node in builder.ordered():
        if node.type != "tool":
            continue
        found = effects(builder, key)
        if not found:
            continue
        told = said(builder, key)
        lies = [one for one in found if told.read_only and one.depth <= _NEAR and _changes(one)]
        if lies:
            yield _report(
                builder, key, lies[0], "high", " It even says that it only reads (readOnlyHint), so that clients call it without asking."
            )
            continue
        if not told.whole or not told.described:
            continue
        known = stems(told.text)
        silent = [one for one in found if known.isdisjoint(one.kind.stems)]
        if silent:
            first = min(silent, key=lambda one: (not one.destroys, one.depth))
            yield _report(builder, key, first, "" if first.depth <= _NEAR else "low")


def _changes(effect: Effect) -> bool:
    return effect.destroys or effect.kind.ability in ("database-write", "sends-messages", "spends-money", "writes-files")


def _report(builder: Builder, tool: Key, effect: Effect, confidence: str, more: str = "") -> Report:
    node = builder.nodes[tool]
    last = f"the tool {node.name} does not say so"
    return Report(node.fn, node.start, node.end, effect.kind.does, (_step(effect),), last, confidence, more)


def _step(effect: Effect) -> Step:
    return effect.fn, effect.deed.start, effect.deed.end, effect.kind.does


def unasked(builder: Builder) -> Iterator[Report]:
    """Tools by which a model does something that cannot be taken back, on what it chooses, and nobody is asked."""
    for key, node in builder.ordered():
        owners = [one for one, to, kind in builder.edges if to == key and kind == "offers-tool" and builder.nodes[one].type in _ASKERS]
        if node.type != "tool" or not owners:
            continue
        reported = {one.sink.class_ for body in node.bodies.values() for one in builder.solver.summaries[body.id].sinks}
        found = [one for one in effects(builder, key) if _chosen(one) and _FLOWS.get(one.kind.ability) not in reported]
        if not found:
            continue
        told: Said = said(builder, key)
        if told.asks or approvals.stands(builder, key, owners):
            continue
        first = min(found, key=lambda one: (one.depth, not one.destroys))
        agent = builder.nodes[owners[0]]
        more = approvals.weak(builder, key, owners, told.text)
        yield Report(
            node.fn,
            node.start,
            node.end,
            first.kind.may,
            (_step(first), (agent.fn, agent.start, agent.end, f"{agent.name} may call the tool")),
            f"nobody is asked before {node.name} runs",
            "" if first.depth <= _NEAR else "low",
            more,
        )


def _chosen(effect: Effect) -> bool:
    """Whether the model chooses on what it is done, and it cannot be taken back."""
    deed = effect.deed
    if not deed.steered:
        return False
    if effect.kind.ability == "sends-messages":
        return any(not _DATA.match(one.lstrip("$").rpartition(".")[2].rpartition("/")[2]) for one in deed.keys)
    if effect.kind.ability in ("database-write", "writes-files"):
        return effect.destroys
    return True
