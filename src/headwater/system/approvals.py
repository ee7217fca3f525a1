"""What stands between a model and a tool: a person who is asked, and what only looks like it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from headwater import ir
from headwater.index.calls import instructions
from headwater.index.entities import Fn
from headwater.system.build import Builder
from headwater.system.graph import Key
from headwater.system.words import words

_ASKS: Final = re.compile(
    r"(?:^|_)(?:approve|approval|approved|confirm|confirmation|confirmed|human|permission|consent|review|reviewer|interrupt|elicit|elicitation|hitl|ask_user|ask_human)(?:_|$)"
    r"|HumanInTheLoop|askUser|askHuman|requestApproval|confirmAction|waitForApproval|[aA]pproval|[cC]onfirm|elicitInput|interrupt(?=$|[A-Z])",
)
"""Names of what asks a person."""
_WORDING: Final = re.compile(
    r"\b(?:(?:ask|confirm with|get|obtain|seek|request|require|wait for|without)[^.\n]{0,40}"
    r"(?:user|human|permission|approval|confirmation|consent|person)"
    r"|(?:only|never)[^.\n]{0,60}\b(?:approv|confirm|permission|consent))",
    re.IGNORECASE,
)
"""Words of a prompt by which a model is told to ask."""


def stands(builder: Builder, tool: Key, owners: list[Key]) -> bool:
    """Whether somebody is asked before the tool runs: by the tool, by its agents, or by the code that runs it."""
    guards = [(from_, to) for from_, to, kind in builder.edges if kind == "guards"]
    if any(to == tool and not _judges(builder, from_) for from_, to in guards):
        return True
    if all(any(to == one and not _judges(builder, from_) for from_, to in guards) or _asked(builder, one) for one in owners):
        return True
    return any(_asks(builder, fn) for body in builder.nodes[tool].bodies.values() for fn in _near(builder, body))


def weak(builder: Builder, tool: Key, owners: list[Key], text: str) -> str:
    """What only looks like somebody who is asked, in a sentence; empty where there is nothing."""
    guards = [builder.nodes[from_].name for from_, to, kind in builder.edges if kind == "guards" and to in (tool, *owners)]
    if guards:
        return f" The check {guards[0]} is no person: it reads a text and can be talked around."
    prompts = [builder.nodes[from_] for from_, to, kind in builder.edges if kind == "fills-slot" and to in owners]
    if _WORDING.search(text) or any(_WORDING.search(one.text) for one in prompts if one.type == "prompt"):
        return " The prompt tells the model to ask first; whoever steers the model lifts that."
    return ""


def _judges(builder: Builder, guard: Key) -> bool:
    """Whether a guard reads texts (a guardrail, a moderation, a model that judges), and asks nobody."""
    node = builder.nodes[guard]
    if guard[0] == "approval" or _ASKS.search(node.name) or _ASKS.search(node.detail.get("api", "")) or node.name in words().approval:
        return False
    return not any(_asks(builder, fn) for body in node.bodies.values() for fn in _near(builder, body))


def _asked(builder: Builder, owner: Key) -> bool:
    """Whether an agent is made, or run, with somebody who approves."""
    node = builder.nodes[owner]
    call = builder.places.call(node.fn, node.start, node.end)
    if call is not None and any(_says(builder, node.fn, name, register) for name, register in _arguments(builder, node.fn, call)):
        return True
    return any(_asks(builder, fn) for fn in (node.fn, *node.bodies.values()) if fn.index)


def _arguments(builder: Builder, fn: Fn, call: ir.Call) -> Iterator[tuple[str, int]]:
    yield from call.kw
    for register in (*(one for one in call.args if one >= 0), *(one for _, one in call.kw)):
        for _, build in builder.places.displays(fn, register):
            for key, part in zip(build.keys, build.parts, strict=True):
                if isinstance(key, str):
                    yield key, part


def _says(builder: Builder, fn: Fn, name: str, register: int) -> bool:
    literal = builder.places.literal(fn, register)
    return name in words().approval and literal not in (False, None) and str(literal).lower() not in words().refused


def _near(builder: Builder, fn: Fn) -> list[Fn]:
    return list(dict.fromkeys((fn, *builder.following(fn))))


def _asks(builder: Builder, fn: Fn) -> bool:
    """Whether a function asks somebody, by the names of what it calls."""
    if builder.guards.get(fn.id) and any(key[0] == "approval" or not _judges_alone(builder, key) for key, _ in builder.guards[fn.id]):
        return True
    names = builder.places.definitions(fn)
    for one in instructions(fn.ir.body):
        if type(one) is ir.Call:
            for callee in names.get(one.fn, ()):
                if type(callee) in (ir.Name, ir.Attr) and (_ASKS.search(callee.name) or callee.name in words().approval):
                    return True
    return False


def _judges_alone(builder: Builder, guard: Key) -> bool:
    node = builder.known(guard)
    return node is None or not (_ASKS.search(node.name) or _ASKS.search(node.detail.get("api", "")))
