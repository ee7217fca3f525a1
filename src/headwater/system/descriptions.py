"""What models read of tools: descriptions that give orders, descriptions that others write, results that are put in the system's mouth."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any, Final

from headwater import ir, limits
from headwater.index.calls import instructions, made_of
from headwater.index.entities import Fn, is_test
from headwater.system.build import Builder
from headwater.system.effects import said
from headwater.system.reported import Report
from headwater.system.words import Order, words
from headwater.taint.labels import BIT
from headwater.taint.sights import Sight, labels_in
from headwater.taint.value import Shape

_HIDDEN: Final = re.compile("[\u200b\u200c\u200e\u200f\u2060-\u2064\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f\u00ad]")
"""Signs that nobody sees, and that turn the direction of what is seen."""
_OTHERS: Final = {
    "tool-result": "low",
    "retrieved-content": "medium",
    "database": "medium",
    "http-input": "medium",
    "websocket-input": "medium",
    "network-peer": "medium",
    "dataset": "medium",
    "llm-output": "medium",
}
"""Kinds of data that others write, and how sure it is that they should not describe a tool: clients of MCP do so by design."""
_SENDERS: Final = frozenset({"http-input", "websocket-input", "network-peer"})
_RUNS_IT: Final = re.compile(r"(?i)[*$].*|_?a?(?:execute|func|function|fn|call|callback|coroutine|handler|run|invoke|implementation)\w*")
_CALLERS: Final = 3
_RUNS: Final = re.compile(
    r"^(?:(?:call|run|execute|invoke|dispatch|handle)_?(?:the_?)?tool\w*|(?:call|run|execute|invoke|dispatch|handle)Tool\w*|tool|func|fn|function|handler|callTool)$"
)
"""Names of what runs the tool that a model asks for."""
_ASKED: Final = frozenset({"tool_calls", "toolCalls", "tool_use", "function_call", "function_calls", "tool_call", "toolCall"})
_PASS: Final = frozenset({"str", "dumps", "stringify", "String", "join", "format", "strip", "trim", "slice", "toString"})


def orders(builder: Builder) -> Iterator[Report]:
    """Tools whose descriptions tell the model to do something."""
    for key, node in builder.ordered():
        if node.type != "tool":
            continue
        text = said(builder, key).text
        if _HIDDEN.search(text.replace("\u200d", "")):
            yield Report(
                node.fn, node.start, node.end, "has signs in it that nobody sees", (), f"the model reads what {node.name} says", "high"
            )
            continue
        for order, pattern in _orders():
            if pattern.search(text):
                yield Report(
                    node.fn, node.start, node.end, order.tells, (), f"the model reads what {node.name} says", "" if order.sure else "low"
                )
                break


@functools.cache
def _orders() -> tuple[tuple[Order, re.Pattern[str]], ...]:
    return tuple((one, re.compile(one.pattern, re.IGNORECASE)) for one in words().orders)


def of_others(builder: Builder) -> Iterator[Report]:
    """Tools whose descriptions are made of what others have written."""
    for number in sorted(builder.solver.sights):
        for _, sight in sorted(builder.solver.sights[number].items()):
            if sight.kind != "tool" or is_test(sight.fn.module.path):
                continue
            for source in _written(builder, sight):
                where = (source.fn, source.start, source.end, source.text)
                sure = "low" if source.kind in _SENDERS and not _does(sight) else _OTHERS[source.kind]
                yield Report(sight.fn, sight.start, sight.end, source.text, (where,), "describes a tool with it", sure)
                break


def _does(sight: Sight) -> bool:
    """Whether a tool does something here: one that does nothing is carried out by whoever has described it and gets the answer."""
    parts = [*sight.parts, *(key for shape in sight.parts.values() for key in shape.fields or ())]
    return any(not isinstance(part, str) or _RUNS_IT.fullmatch(part) for part in parts if not (isinstance(part, str) and part.isdigit()))


def _written(builder: Builder, sight: Sight) -> list[Any]:
    """The sources of a tool's description."""
    found: dict[Any, Any] = {}
    for name, shape in sight.parts.items():
        parts = [shape] if name in ("description", "tool_description") else []
        if shape.fields and "description" in shape.fields and name.isdigit():
            parts.append(shape.fields["description"])
        for part in parts:
            for source in _sources(builder, part, sight.fn, 0):
                found.setdefault(source.key, source)
    return [found[key] for key in sorted(found)]


def _sources(builder: Builder, shape: Shape, fn: Fn, depth: int) -> Iterator[Any]:
    for label in labels_in(shape):
        if label.source is not None:
            if label.source.kind in _OTHERS and not label.cleared & BIT["prompt-system"]:  # how a plug-in is configured is not foreign
                yield label.source
        elif depth < _CALLERS:
            given = builder.solver.given.get((fn.id, label.param, label.path), {})
            for caller, start in sorted(given)[: limits.SIGHT_CALLERS]:
                yield from _sources(builder, given[(caller, start)], builder.symbols.functions[caller], depth + 1)


def as_system(builder: Builder) -> Iterator[Report]:
    """Results of tools that are given to the model as the system's own words."""
    modules = {node.fn.module.id for _, node in builder.ordered() if node.type in ("agent", "llm", "llm-call")}
    for fn in builder.symbols.functions:
        if fn.module.id not in modules or is_test(fn.module.path):
            continue
        body = list(instructions(fn.ir.body))
        if not any(_names_calls(one) for one in body):
            continue
        definitions = builder.places.definitions(fn)
        for one in body:
            content = _system(one, definitions)
            ran = _result(fn, content, definitions, set()) if content is not None else None
            if ran is not None:
                steps = ((fn, ran.start, ran.end, "runs the tool that the model asks for"),)
                yield Report(fn, one.start, one.end, "", steps, "is a message of the system")


def _names_calls(one: Any) -> bool:
    kind = type(one)
    return (kind is ir.Attr and one.name in _ASKED) or (kind is ir.Item and one.key in _ASKED)


def _system(one: Any, definitions: dict[int, list[Any]]) -> int | None:
    """The register of what a message of the system says."""
    if type(one) is ir.Build and one.kind == "dict":
        parts = {key: part for key, part in zip(one.keys, one.parts, strict=True) if isinstance(key, str)}
        role = parts.get("role")
        said = {it.value for it in definitions.get(role, ()) if type(it) is ir.Const} if role is not None else set()
        return parts.get("content") if said & {"system", "developer"} else None
    if type(one) is ir.Call:
        for callee in definitions.get(one.fn, ()):
            if type(callee) in (ir.Name, ir.Attr) and callee.name in ("SystemMessage", "SystemChatMessage"):
                given = [register for name, register in one.kw if name == "content"] or [register for register in one.args if register >= 0]
                return given[0] if given else None
    return None


def _result(fn: Fn, register: int, definitions: dict[int, list[Any]], seen: set[int]) -> ir.Call | None:
    """The call of a tool whose result is in a value."""
    if register in seen or register < 0:
        return None
    seen.add(register)
    for one in definitions.get(register, ()):
        following = made_of(one)
        if type(one) is ir.Build and one.kind != "dict":
            following = list(one.parts)
        elif type(one) is ir.Call:
            callees = definitions.get(one.fn, ())
            named = next((name for name, number in fn.ir.names.items() if number == one.fn), "")
            if one.fn < len(fn.ir.params):
                named = fn.ir.params[one.fn].name
            if any(_runs(it) for it in callees) or _RUNS.match(named):
                return one if isinstance(one, ir.Call) else None
            if any(type(it) in (ir.Name, ir.Attr) and it.name in _PASS for it in callees):
                following = [it for it in one.args if it >= 0] + [it.obj for it in callees if type(it) is ir.Attr]
        for inner in following:
            found = _result(fn, inner, definitions, seen)
            if found is not None:
                return found
    return None


def _runs(callee: Any) -> bool:
    """Whether what is called is the tool that a model asks for: one of a table, or what runs such."""
    if type(callee) is ir.Item:
        return callee.key is None and callee.reg >= 0
    return type(callee) in (ir.Name, ir.Attr) and _RUNS.match(callee.name) is not None
