"""Questions to a person before something goes on: those to which no answer means yes, and those that do not show what is approved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from headwater import ir
from headwater.index.calls import instructions
from headwater.index.entities import Fn, is_test
from headwater.system.build import Builder
from headwater.system.reported import Report

_ASKING: Final = frozenset({"input", "ainput", "interrupt", "confirm", "question", "elicit", "elicitInput"})
"""Last names of functions that put a question."""
_CONFIRMING: Final = frozenset({"confirm", "ask"})
_ABOUT: Final = re.compile(
    r"\b(?:tools?|commands?|actions?|agents?|functions?|execut\w*|run|code|scripts?|call|calls|approv\w*|allow|permit|proceed|send|delete|apply)\b",
    re.IGNORECASE,
)
"""Of what a question speaks that decides on an act."""
_ASKED_FOR: Final = re.compile(
    r"\s*(?:please\s+)?(?:which|what|who|where|when|how|enter|type|choose|pick|select|name|give)\b", re.IGNORECASE
)
"""How a question begins whose answer is data."""
_DECIDES: Final = re.compile(r"approv|allow|permit|proceed|\by(?:es)?\b|\bok\b", re.IGNORECASE)
_NAMED: Final = re.compile(r"approv|confirm|permission|consent|human|tool|command|action", re.IGNORECASE)
_CAPITAL: Final = re.compile(r"Y(?:es|ES)?\s*/\s*n")
_YES: Final = frozenset({"y", "yes", "ok", "true", "approve", "approved", "accept", "1", "confirm", "allow", "a", "go", "proceed", "run"})
_NO: Final = frozenset({"n", "no", "q", "quit", "false", "reject", "deny", "denied", "cancel", "abort", "exit", "stop", "skip"})
_SAME: Final = frozenset({"strip", "lower", "upper", "casefold", "trim", "toLowerCase", "toUpperCase", "str", "rstrip", "lstrip"})
_SHOWS: Final = re.compile(
    r"^(?:print|pprint|echo|secho|log|info|warn|warning|debug|error|write|display|show\w*|render\w*|print_\w+|panel|rule|markdown|json|text|code|table|dir|stdout|send\w*|notify\w*|post\w*)$",
    re.IGNORECASE,
)
"""Last names of functions by which somebody sees something."""
_ARGS: Final = re.compile(r"(?:^|_)(?:args|arguments|kwargs|input|inputs|params|parameters|payload)$|(?:Args|Arguments|Input|Params)$")
_CALL: Final = re.compile(
    r"(?:^|_)(?:tool_?call|call|tool_?use|function_?call|action|request)$|(?:ToolCall|toolCall|toolUse)$", re.IGNORECASE
)
_NAME: Final = re.compile(r"(?:^|_)(?:name|tool|tool_?name|action|function)$|toolName$")


def by_default(builder: Builder) -> Iterator[Report]:
    """Questions about an act to which no answer means yes."""
    for fn in _functions(builder):
        for call in _questions(builder, fn):
            why = _yes(builder, fn, call)
            if why:
                yield Report(fn, call.start, call.end, why, (), "asks a person")


def hidden(builder: Builder) -> Iterator[Report]:
    """Questions about a call of a tool that do not show its arguments."""
    bodies = {fn.id for node in builder.nodes.values() if node.type == "tool" for fn in node.bodies.values()}
    for fn in _functions(builder):
        for call in _questions(builder, fn):
            why = _unseen(builder, fn, call, fn.id in bodies)
            if why:
                yield Report(fn, call.start, call.end, why, (), "asks a person")
                break


def _functions(builder: Builder) -> Iterator[Fn]:
    """The functions that may ask on behalf of a model: those of files with a part of the system, and those that such files call."""
    modules = {
        node.fn.module.id for _, node in builder.ordered() if node.type in ("agent", "llm", "llm-call", "tool", "mcp-client", "guard")
    }
    near = {
        number
        for caller, called in builder.solver.called.items()
        if builder.symbols.functions[caller].module.id in modules
        for number in called
    }
    for fn in builder.symbols.functions:
        if fn.index and (fn.module.id in modules or fn.id in near) and not is_test(fn.module.path):
            yield fn


def _questions(builder: Builder, fn: Fn) -> list[ir.Call]:
    """The questions of a function that are about an act."""
    definitions = builder.places.definitions(fn)
    found = []
    for one in instructions(fn.ir.body):
        if type(one) is ir.Call and any(_asks(one, callee, definitions) for callee in definitions.get(one.fn, ())):
            texts = " ".join(text.literal for register in _given(one) for text in _texts(builder, fn, register))
            asked_for = _ASKED_FOR.match(texts) and not _DECIDES.search(texts)
            if (_ABOUT.search(texts) and not asked_for) or _NAMED.search(fn.name):
                found.append(one)
    return found


def _asks(call: ir.Call, callee: Any, definitions: dict[int, list[Any]]) -> bool:
    if type(callee) is ir.Name:
        return callee.name in _ASKING
    if type(callee) is not ir.Attr:
        return False
    base = next((one.name for one in definitions.get(callee.obj, ()) if type(one) in (ir.Name, ir.Attr)), "")
    return callee.name in _ASKING or (callee.name == "ask" and base == "Confirm")


def _given(call: ir.Call) -> list[int]:
    return [*(one for one in call.args if one >= 0), *(register for _, register in call.kw)]


def _texts(builder: Builder, fn: Fn, register: int) -> list[Any]:
    texts = list(builder.places.texts(fn, register))
    for at, build in builder.places.displays(fn, register):
        for part in build.parts:
            texts += builder.places.texts(at, part)
    return texts


def _yes(builder: Builder, fn: Fn, call: ir.Call) -> str:
    """Why no answer to a question is taken for yes; empty where it is not."""
    definitions = builder.places.definitions(fn)
    named = {one.name for one in definitions.get(call.fn, ()) if type(one) in (ir.Name, ir.Attr)}
    if not named.isdisjoint(_CONFIRMING):
        given = [(name, fn, register) for name, register in call.kw]
        for register in _given(call):
            for at, build in builder.places.displays(fn, register):
                given += [(key, at, part) for key, part in zip(build.keys, build.parts, strict=True) if isinstance(key, str)]
        set_ = [one for one in given if one[0] in ("default", "initial", "initialValue")]
        if any(builder.places.literal(at, register) is True for _, at, register in set_):
            return "whoever only presses Enter has approved it (its default is yes)"
        return ""
    if "interrupt" in named or "elicit" in named or "elicitInput" in named:
        return ""
    answers = _answers(fn, call, definitions)
    tests = _tests(fn, answers, definitions)
    if any("" in one for one in tests["in"]) and any(not _YES.isdisjoint(one) for one in tests["in"]):
        return "an empty answer is among those that mean yes"
    if any(value in _YES for value in _alternatives(fn, answers, definitions)):
        return "an empty answer is replaced by yes"
    words = set().union(*tests["in"], *tests["not in"], tests["=="], tests["!="])
    if words & _NO and not words & _YES:
        return "every answer but no, an empty one too, is taken for yes"
    texts = " ".join(text.literal for register in _given(call) for text in _texts(builder, fn, register))
    if _CAPITAL.search(texts) and not words & _YES:
        return "its text says that no answer means yes (Y/n)"
    return ""


def _answers(fn: Fn, call: ir.Call, definitions: dict[int, list[Any]]) -> set[int]:
    """The registers that hold the answer, trimmed or not."""
    held = {call.dst}
    body = list(instructions(fn.ir.body))
    for _ in range(4):
        before = len(held)
        methods = {one.dst for one in body if type(one) is ir.Attr and one.obj in held and one.name in _SAME}
        held |= {one.dst for one in body if type(one) is ir.Move and one.src in held}
        held |= {
            one.dst
            for one in body
            if type(one) is ir.Call
            and (
                one.fn in methods
                or (
                    one.args[:1]
                    and one.args[0] in held
                    and any(type(it) is ir.Name and it.name in _SAME for it in definitions.get(one.fn, ()))
                )
            )
        }
        held |= {one.dst for one in body if type(one) is ir.Item and one.obj in held and one.key in (0, None)}
        if len(held) == before:
            break
    return held


def _tests(fn: Fn, answers: set[int], definitions: dict[int, list[Any]]) -> dict[str, Any]:
    """What an answer is compared with."""
    found: dict[str, Any] = {"in": [], "not in": [], "==": set(), "!=": set()}
    for one in instructions(fn.ir.body):
        if type(one) is not ir.Test or one.op not in found:
            continue
        other = one.right if one.left in answers else one.left if one.right in answers else None
        if other is None:
            continue
        for it in definitions.get(other, ()):
            if type(it) is ir.Const and isinstance(it.value, str):
                if one.op in ("in", "not in"):
                    found[one.op].append(frozenset(it.value.lower()))
                else:
                    found[one.op].add(it.value.lower())
            elif type(it) is ir.Build and one.op in ("in", "not in"):
                values = {const.value for part in it.parts for const in definitions.get(part, ()) if type(const) is ir.Const}
                found[one.op].append(frozenset(str(value).lower() for value in values))
    for one in instructions(fn.ir.body):  # answer.startswith("y")
        if type(one) is ir.Call and one.args and one.args[0] >= 0:
            for callee in definitions.get(one.fn, ()):
                if type(callee) is ir.Attr and callee.name in ("startswith", "startsWith") and callee.obj in answers:
                    found["=="] |= {str(it.value).lower() for it in definitions.get(one.args[0], ()) if type(it) is ir.Const}
    return found


def _alternatives(fn: Fn, answers: set[int], definitions: dict[int, list[Any]]) -> Iterator[str]:
    """What stands in for an empty answer: ``input(...) or "y"``."""
    for register in answers:
        moved = [one.src for one in definitions.get(register, ()) if type(one) is ir.Move]
        if any(one in answers for one in moved):
            for one in moved:
                for it in definitions.get(one, ()):
                    if type(it) is ir.Const and isinstance(it.value, str):
                        yield it.value.lower()


def _unseen(builder: Builder, fn: Fn, call: ir.Call, tool: bool) -> str:
    """What a question about a tool's call does not show; empty where it shows enough."""
    definitions = builder.places.definitions(fn)
    params = {
        number: one.name
        for number, one in enumerate(fn.ir.params)
        if one.name not in ("self", "cls", "ctx", "context", "config", "runtime", "state")
    }
    if tool:
        held = dict(params)
    else:
        held = {number: name for number, name in params.items() if _ARGS.search(name)}
    calls = {} if tool else {number: name for number, name in params.items() if _CALL.search(name)}
    if not tool:
        local = {number: name for name, number in fn.ir.names.items() if number >= len(fn.ir.params)}
        calls |= {number: name for number, name in local.items() if _CALL.search(name) and _reads_arguments(fn, number)}
        if not held and not any(_reads_arguments(fn, number) for number in calls):
            return ""
        if not held and not calls:
            return ""
        if held and not (calls or any(_NAME.search(name) for name in params.values())):
            return ""
    if not held and not calls:
        return ""
    shown = _shown(builder, fn, call, definitions)
    if any(number in held for number, _ in shown):
        return ""
    if any(number in calls and (not part or _ARGS.search(part)) for number, part in shown):
        return ""
    name = ", ".join(f"`{one}`" for one in list(held.values())[:3]) or "the arguments of the call"
    return f"it does not show {name}"


def _reads_arguments(fn: Fn, register: int) -> bool:
    """Whether a function takes the arguments out of a call that a model asks for."""
    body = instructions(fn.ir.body)
    return any(
        (type(one) is ir.Attr and one.obj == register and _ARGS.search(one.name))
        or (type(one) is ir.Item and one.obj == register and isinstance(one.key, str) and _ARGS.search(one.key))
        for one in body
    )


def _shown(builder: Builder, fn: Fn, call: ir.Call, definitions: dict[int, list[Any]]) -> set[tuple[int, str]]:
    """The parameters and variables, with the parts of them, that somebody sees who is asked."""
    todo = [(register, "") for register in _given(call)]
    for one in instructions(fn.ir.body):
        if type(one) is ir.Call and any(type(it) in (ir.Name, ir.Attr) and _SHOWS.search(it.name) for it in definitions.get(one.fn, ())):
            todo += [(register, "") for register in _given(one)]
    seen: set[tuple[int, str]] = set()
    while todo:
        register, part = todo.pop()
        if register < 0:
            register = ~register
        if (register, part) in seen:
            continue
        seen.add((register, part))
        for one in definitions.get(register, ()):
            kind = type(one)
            if kind is ir.Move:
                todo.append((one.src, part))
            elif kind is ir.Concat or kind is ir.Build:
                todo += [(it, part) for it in one.parts]
            elif kind is ir.Binary:
                todo += [(one.left, part), (one.right, part)]
            elif kind is ir.Attr:
                todo.append((one.obj, part or one.name))
            elif kind is ir.Item:
                todo.append((one.obj, part or (one.key if isinstance(one.key, str) else "")))
            elif kind is ir.Call:
                todo += [(it, part) for it in _given(one)]
                todo += [(it.obj, part) for it in definitions.get(one.fn, ()) if type(it) is ir.Attr]
            elif kind is ir.Elem:
                todo.append((one.src, part))
    return seen
