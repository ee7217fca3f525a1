"""Switches by which nobody is asked any more before a model acts, of whichever framework. Their names are data (``words.toml``)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from headwater import ir
from headwater.index.calls import instructions
from headwater.index.entities import Fn, Mod, is_test
from headwater.system.build import Builder
from headwater.system.reported import Report
from headwater.system.words import words

_RUNS: Final = re.compile(r"^(?:run|Popen|system|popen|call|check_\w+|getoutput|create_subprocess_\w+|exec\w*|spawn\w*|execa\w*)$")
"""Last names of functions that run a command."""

_RUNNERS: Final = frozenset({"subprocess", "asyncio", "child_process", "execa", "zx", "pexpect", "shelljs", "cross-spawn"})


def switched_off(builder: Builder) -> Iterator[Report]:
    """Places where approval is switched off for good: no person, setting or argument decides."""
    modules = {
        node.fn.module.id for _, node in builder.ordered() if node.type in ("agent", "llm", "llm-call", "tool", "mcp-client", "mcp-server")
    }
    for fn in builder.symbols.functions:
        near = fn.module.id in modules
        if is_test(fn.module.path) or not (near or _starts_programs(fn.module)):
            continue
        for start, end, what in _in_code(builder, fn, near):
            yield Report(fn, start, end, what, (), "nobody is asked from here on")


def _starts_programs(mod: Mod) -> bool:
    """Whether a file imports what runs commands."""
    return any(one.path.removeprefix("node:").partition(".")[0] in _RUNNERS for aliases in mod.ir.imports.values() for one in aliases)


def _in_code(builder: Builder, fn: Fn, near: bool) -> Iterator[tuple[int, int, str]]:
    definitions = builder.places.definitions(fn)
    for one in instructions(fn.ir.defaults + fn.ir.body):
        kind = type(one)
        if kind is ir.Call:
            for name, register in one.kw if near else ():
                if _off(name, _value(builder, fn, register)):
                    yield one.start, one.end, f"{name}={_value(builder, fn, register)}"
            if any(type(it) in (ir.Name, ir.Attr) and _RUNS.match(it.name) for it in definitions.get(one.fn, ())):
                for text in (text for register in one.args[:1] if register >= 0 for text in builder.places.texts(fn, register)):
                    program, *given = text.literal.split() or [""]
                    if program in words().programs and not words().flags_.isdisjoint(given):
                        yield one.start, one.end, next(it for it in given if it in words().flags_)
        elif kind is ir.Build:
            if one.kind == "dict":
                for key, part in zip(one.keys, one.parts, strict=True):
                    if near and isinstance(key, str) and _off(key, _value(builder, fn, part)):
                        at = next((it for it in definitions.get(part, ())), one)
                        yield at.start, at.end, f"{key}: {_value(builder, fn, part)}"
            else:
                yield from _command(one, definitions)
        elif kind is ir.StoreAttr and near and _off(one.name, _value(builder, fn, one.src)):
            yield one.start, one.end, f"{one.name} = {_value(builder, fn, one.src)}"
        elif (
            kind is ir.StoreItem
            and isinstance(one.key, str)
            and _off(one.key, _value(builder, fn, one.src))
            and (near or one.key.isupper())
        ):
            yield one.start, one.end, f"{one.key} = {_value(builder, fn, one.src)}"


def _command(one: ir.Build, definitions: dict[int, list[Any]]) -> Iterator[tuple[int, int, str]]:
    """A program and its arguments, as a list."""
    values = [next((it for it in definitions.get(part, ()) if type(it) is ir.Const), None) for part in one.parts]
    said = [it.value for it in values if it is not None]
    if any(it in words().programs for it in said[:3] if isinstance(it, str)):
        for it in values:
            if it is not None and isinstance(it.value, str) and it.value in words().flags_:
                yield it.start, it.end, it.value


def _value(builder: Builder, fn: Fn, register: int, depth: int = 0) -> Any:
    """The literal that a register holds, ``"..." as const`` too; an object of no meaning where it is none."""
    for one in builder.places.definitions(fn).get(register, ()):
        if type(one) is ir.Const:
            return one.value
        if type(one) is ir.Move and depth < 2:
            return _value(builder, fn, one.src, depth + 1)
    return builder


def _off(name: str, value: Any) -> bool:
    wanted = words().switches.get(name.replace("_", "").replace("-", "").lower())
    return wanted is not None and any(value is one or (isinstance(one, str) and value == one) for one in wanted)
