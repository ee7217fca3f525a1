"""Functions that frameworks of scripts call because of the file that they are in: Next.js route handlers, API pages, server actions.

Nothing in the code names them; their path and the name under which they are exported does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from headwater.apis.schema import Callback
from headwater.index.entities import Fn, Mod, Var, is_test
from headwater.taint.addresses import Route
from headwater.taint.summary import Entry

if TYPE_CHECKING:
    from headwater.taint.solve import Solver

_ROUTE: Final = re.compile(r"(?:^|/)app/(?:.*/)?route\.[cm]?[jt]sx?$")
_PAGE: Final = re.compile(r"(?:^|/)pages/api/.*\.[cm]?[jt]sx?$")
_GROUP: Final = re.compile(r"\([^()/]*\)/")
"""A folder of an application that is no part of the address."""
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
_HANDLER: Final = Callback(function="", given=["npm:next/server.NextRequest()", "http-input"], is_="route")
_API: Final = Callback(function="", given=["npm:next.NextApiRequest()", "npm:next.NextApiResponse()"], is_="route")
_SERVER: Final = "use server"
"""The directive that makes what a file exports, or one function, callable by browsers."""
_ACTION: Final = Callback(function="", parameters="http-input", is_="server action")


def of_files(solver: Solver) -> list[Entry]:
    """The entry points that files make."""
    found = []
    for mod in solver.symbols.modules:
        if not mod.script or is_test(mod.path):
            continue
        if _ROUTE.search(mod.path):
            for name in _METHODS:
                for fn in _exported(solver, mod, name):
                    found.append(Entry(fn, fn, _HANDLER))
                    solver.locate(Route(fn, "", name, _GROUP.sub("", mod.path.rpartition("app/")[2].rpartition("route.")[0]), False))
        elif _PAGE.search(mod.path):
            for fn in _exported(solver, mod, "default"):
                found.append(Entry(fn, fn, _API))
                path = mod.path.rpartition("pages/")[2].rpartition(".")[0].removesuffix("/index")
                solver.locate(Route(fn, "", "", path, False))
        elif _SERVER in mod.body.ir.doc:
            found += [Entry(fn, fn, _ACTION) for name in sorted(mod.ir.exported) for fn in _exported(solver, mod, name)]
        found += [Entry(fn, fn, _ACTION) for fn in mod.functions[1:] if _SERVER in fn.ir.doc]
    return found


def _exported(solver: Solver, mod: Mod, name: str) -> Iterator[Fn]:
    for one in solver.symbols.member(mod, name) if name in mod.ir.exported else ():
        if isinstance(one, Fn):
            yield one
        elif isinstance(one, Var):
            for ref in solver.read_global(mod.body, one.module, one.name).refs:
                if isinstance(ref, Fn):
                    yield ref
