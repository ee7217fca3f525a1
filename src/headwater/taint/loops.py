"""Loops in which a model is asked and its tools are run, again and again, with nothing but the model to end them.

Such a loop is ``while True`` around a call of a model and the handling of the tools that it asked for. It is left alone where
anything in it speaks of a bound: a counter that is compared, a budget, a deadline; and where a person or a queue has to say
something in each round.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from headwater import ir
from headwater.index.calls import instructions
from headwater.index.entities import Fn

if TYPE_CHECKING:
    from headwater.taint.branches import Branches

SHAPE = "endless-agent-loop"
_ROLES = frozenset({"tool", "function", "tool_result", "function_call_output"})
"""What a message with the result of a tool is called."""
_ASKED = frozenset({"tool_calls", "function_call", "tool_use", "tool_use_blocks", "function_calls"})
"""What holds the calls of tools that a model asks for."""
_MESSAGES = frozenset({"ToolMessage", "ToolReturnPart", "FunctionResponse", "ToolResultBlockParam", "FunctionMessage"})
_BOUND = re.compile(
    r"(^|_)(abort|attempts?|budget|cancel|cancelled|count|counter|deadline|depth|elapsed|interrupt(ed)?|iteration|iterations|iters?|limits?|loops?"
    r"|max|maximum|quota|remaining|retries|rounds?|should|steps?|stop|stopped|timeout|tries|turns?)(_|$)"
)
_OUTPUT = re.compile(r"max_(output_|completion_|new_)?tokens|stop_(reason|sequences?)|finish_reason|max_retries|timeout_(s|seconds)")
_WAITS = re.compile(
    r"(^|_)(dequeue|inbox|listen|poll|prompt_async|queue|readline|recv|receive(_\w+)?|sleep|subscribe|user_input|wait_for)(_|$)|^ask_user|^get_input"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def forever(cond: Any) -> bool:
    """``while True``."""
    if type(cond) is ir.Leaf:
        return any(type(instr) is ir.Const and instr.dst == cond.reg and instr.value in (True, 1) for instr in cond.pre)
    return False


def look(frame: Branches, loop: ir.Loop, asked: set[int]) -> None:
    """Report a loop that was interpreted; ``asked``: where in the function a model was asked while it was."""
    rule = frame.solver.shapes.get(SHAPE)
    if rule is None or not asked:
        return
    whole = list(_own(loop.body))
    if any(instr.start in asked for instr in whole if type(instr) is ir.Call) and _runs_tools(whole) and _ends(loop.body):
        local = {register: name for name, register in frame.fn.ir.names.items()}
        if not _bounded(whole, local):
            head = loop.cond.pre[-1].end if type(loop.cond) is ir.Leaf and loop.cond.pre else loop.end
            frame.solver.report_call(frame.fn, rule, SHAPE, loop.start, head)


def bounded(fn: Fn) -> bool:
    """Whether anything in a function speaks of a bound, or waits for somebody."""
    local = {register: name for name, register in fn.ir.names.items()}
    names = [one.name for one in fn.ir.params]
    return any(_BOUND.search(_CAMEL.sub("_", name).lower()) for name in names) or _bounded(list(instructions(fn.ir.body)), local)


def _own(block: list[Any]) -> Iterator[Any]:
    """The instructions of a loop, less those of loops in it that are such loops themselves."""
    inner: set[int] = set()
    for instr in instructions(block):
        if id(instr) in inner:
            continue
        if type(instr) is ir.Loop and instr.cond is not None and forever(instr.cond):
            inner |= {id(one) for one in instructions([instr])}
            continue
        yield instr


def _runs_tools(whole: list[Any]) -> bool:
    texts = {instr.dst for instr in whole if type(instr) is ir.Const and instr.value in _ROLES}
    for instr in whole:
        kind = type(instr)
        if kind is ir.Build and instr.kind == "dict" and not texts.isdisjoint(instr.parts):
            return True
        if kind is ir.Attr and (instr.name in _ASKED or instr.name in _MESSAGES):
            return True
        if kind is ir.Name and instr.name in _MESSAGES:
            return True
        if kind is ir.Item and instr.key in _ASKED:
            return True
    return False


def _ends(block: list[Any]) -> bool:
    """Whether the loop is left from inside: else it is a service, and each round is another request."""
    return any(type(instr) in (ir.Break, ir.Return) for instr in instructions(block))


def _bounded(whole: list[Any], local: dict[int, str]) -> bool:
    read: set[int] = set()
    for instr in whole:
        kind = type(instr)
        if kind is ir.Attr or kind is ir.Name:
            name = _CAMEL.sub("_", instr.name).lower()
            if (
                (_BOUND.search(name) and not _OUTPUT.search(name))
                or _WAITS.search(name)
                or (kind is ir.Name and name in ("input", "ainput"))
            ):
                return True
        elif kind is ir.Test or kind is ir.Binary:
            read |= {instr.left, instr.right}
        elif kind is ir.Move:
            read |= {instr.src, instr.dst}
        elif kind is ir.Call:
            read |= {one if one >= 0 else ~one for one in instr.args} | {register for _, register in instr.kw}
    return any(_BOUND.search(name.lower()) and not _OUTPUT.search(name.lower()) for register, name in local.items() if register in read)
