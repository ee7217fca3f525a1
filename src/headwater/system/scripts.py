"""Where scripts begin: functions that a program calls itself, and those that a framework calls because of the file that they are in.

What the analysis takes for a route is told by its entries (``headwater.taint.routes``); here stands what is one for the map alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from headwater import ir
from headwater.index.calls import instructions
from headwater.index.entities import Fn, Mod, Var
from headwater.system.written import Places

_STARTS: Final = re.compile(r"(?:main|run|start|serve|bootstrap|cli|launch)(?:$|[A-Z_0-9])")
"""What the function is called that starts a program."""
_AFTER: Final = frozenset({"catch", "then", "finally"})
"""What is done with the promise of a program."""
_FILES: Final[tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]] = (
    (re.compile(r"(?:^|/)app/routes/.*\.[jt]sx?$"), ("action", "loader")),  # Remix, React Router
    (re.compile(r"(?:^|/)\+server\.[jt]s$"), ("GET", "POST", "PUT", "PATCH", "DELETE", "fallback")),  # SvelteKit
    (re.compile(r"(?:^|/)\+(?:page|layout)\.server\.[jt]s$"), ("load",)),
    (re.compile(r"(?:^|/)src/pages/.*\.[jt]s$"), ("GET", "POST", "PUT", "PATCH", "DELETE", "ALL")),  # Astro
    (
        re.compile(r"(?:^|/)(?:netlify/functions|api|functions|lambda|src)/.*\.[cm]?[jt]s$|^[^/]+\.[cm]?[jt]s$"),
        ("handler", "lambdaHandler"),
    ),
)
"""Files whose exported functions of these names a framework calls."""


def started(places: Places, mod: Mod, program: bool) -> Iterator[Fn]:
    """The functions that a script calls itself: ``main().catch(...)``; ``program``: it can be started by its name."""
    body = mod.body
    used = {part for one in instructions(body.ir.body) for part in _used(one)}
    for one in instructions(body.ir.body):
        if type(one) is not ir.Call or one.dst in used:
            continue
        for fn in places.functions(body, one.fn):
            if fn.module is mod and (_STARTS.match(fn.name) or (program and "async" in fn.ir.flags and fn.name.isidentifier())):
                yield fn
            elif fn.module is mod and not fn.name.isidentifier():  # (async () => { await run(); })()
                inner = (call for call in instructions(fn.ir.body) if type(call) is ir.Call)
                yield from (one for call in inner for one in places.functions(fn, call.fn) if one.module is mod and _STARTS.match(one.name))


def _used(one: Any) -> tuple[int, ...]:
    """The registers of values that an instruction does something with, beside waiting for them."""
    kind = type(one)
    if kind is ir.Attr:
        return (one.obj,) if one.name not in _AFTER else ()
    if kind is ir.Call:
        return (*one.args, *(register for _, register in one.kw))
    if kind is ir.Build:
        return tuple(one.parts)
    return ()


def exported(places: Places, mod: Mod) -> Iterator[Fn]:
    """The functions that a framework calls because of the file that they are in."""
    for pattern, names in _FILES:
        if pattern.search(mod.path):
            for name in names:
                for one in places.symbols.member(mod, name) if name in mod.ir.exported else ():
                    if isinstance(one, Fn):
                        yield one
                    elif isinstance(one, Var):
                        yield from places.functions(one.module.body, one.module.body.ir.names.get(one.name, -1))
