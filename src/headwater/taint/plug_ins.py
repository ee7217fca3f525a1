"""Plug-ins of scripts: what the project exports under one name in several files, and loads by a path that is made at run time.

``new (await import(file)).Node().init(data)``: which file that is nobody can read from the code, but each that exports ``Node``
may be it. The call is a sink, which says what data comes to the plug-ins; then each of their functions is called with such data,
as a framework would call it. What a plug-in is configured with names files and servers, and is there for that: only what runs
code or commands is told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from headwater.apis.schema import SINK_CLASSES, Callback
from headwater.findings import STRENGTH
from headwater.index.entities import Cls, Fn, is_test
from headwater.taint.summary import Entry

if TYPE_CHECKING:
    from headwater.taint.solve import Solver

CLASS: Final = "plug-in"
"""The sink class of data that goes to a function of a plug-in."""
_LOADED: Final = re.compile(r"js:(?:import|require)\(\)\.(?P<export>\w+)(?P<object>\(\))?(?:\.(?P<method>\w+))?")
_HARMFUL: Final = frozenset({"code", "deserialize", "shell"})
_HARMLESS: Final = [class_ for class_ in SINK_CLASSES if class_ not in _HARMFUL]


def entries(solver: Solver) -> list[Entry]:
    """The functions of plug-ins that data of others comes to."""
    kinds: dict[str, str] = {}
    for issue in [one for fn in sorted(solver.issues) for one in solver.issues[fn]] + solver.virtual:
        if issue.sink.class_ == CLASS and not is_test(issue.sink.fn.module.path):
            kind = issue.source.kind
            known = kinds.setdefault(issue.sink.name, kind)
            if (STRENGTH.get(kind, 9), kind) < (STRENGTH.get(known, 9), known):
                kinds[issue.sink.name] = kind
    made = []
    for name in sorted(kinds):
        callback = Callback(function="", given=[kinds[name]], is_="plug-in", first_harmless=_HARMLESS)
        made += [Entry(fn, fn, callback) for fn in _functions(solver, name)]
    return made


def _functions(solver: Solver, name: str) -> list[Fn]:
    found = _LOADED.fullmatch(name)
    if found is None or found["export"] == "default":  # most files have one of those
        return []
    made: dict[int, Fn] = {}
    for mod in solver.symbols.modules:
        if not mod.script or found["export"] not in mod.ir.exported or is_test(mod.path):
            continue
        for one in solver.symbols.member(mod, found["export"]):
            if isinstance(one, Cls) and found["object"] and found["method"]:
                method = one.method(found["method"])
                if method is not None:
                    made[method.id] = method
            elif isinstance(one, Fn) and not found["object"] and not found["method"]:
                made[one.id] = one
    return [made[number] for number in sorted(made)]
