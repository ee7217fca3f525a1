"""Whether whoever asks a server was asked who he is, or by which name he calls it, before a function has its turn.

What asks stands in the function that hands the request on, in another file, or in a function that the routes of the file name before it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from headwater import limits
from headwater.files.source import Source as File
from headwater.index.entities import Fn, Mod, Var, is_test

if TYPE_CHECKING:
    from headwater.taint.solve import Solver

_FIRST: Final = re.compile(
    r"([\w$]{1,60})\.(?:use|addHook)\(\s*(?:([\"'`])(?:/?\*|/|onRequest|preHandler)\2\s*,)?([^;{}\"'`]{1,300}?)\)\s*(?:;|$)", re.MULTILINE
)
"""What runs before all routes of a router that come behind it."""
_ROUTE: Final = re.compile(r"([\w$]{1,60})\.(?:all|delete|get|options|patch|post|put)\(\s*[\"'`]/")
_BEFORE: Final = re.compile(
    r"\.(?:all|delete|get|patch|post|put)\(\s*([\"'`])[^\"'`\n]{0,150}\1\s*,([^;{}=]{1,300}?),?\s*(?:async\s*)?(?:function\b[^()]{0,40})?$"
)
"""Before a function that answers requests: what is asked before it."""
_NEAR: Final = 450
_WORD: Final = re.compile(r"(?<![\w$.\"'`/-])[A-Za-z_$][\w$]*(?![\w$\"'`-])")
_REFUSES: Final = re.compile(
    r"(?:status|sendStatus|writeHead|code|status_code)\s*[(=]\s*(?:=\s*)?40[13]\b|status\s*:\s*40[13]\b|HTTPException\(\s*(?:status_code\s*=\s*)?40[13]\b"
)
"""Not everybody comes through."""
_COMMENTS: Final = re.compile(r"/\*.*?\*/|(?:(?<!:)//|#)[^\n]*", re.DOTALL)


class AskedBefore:
    """Judges the functions of one project."""

    def __init__(self, solver: Solver, files: Mapping[str, File]) -> None:
        self.solver = solver
        self.files = files
        self._callers: dict[int, list[int]] | None = None
        self._handlers: dict[int, bool] = {}

    def of(self, fn: Fn, words: Collection[str]) -> bool:
        """Whether all requests that lead to a function are looked at; ``words``: what a file says that does."""
        return self._first(fn.module) or self._by_callers(fn, words, 0)

    def handler(self, fn: Fn) -> bool:
        """Whether a function answers a route that names another one before it, which refuses who is not known."""
        known = self._handlers.get(fn.id)
        if known is None:
            file = self.files.get(fn.module.path) if fn.module.script and fn.index else None
            route = _BEFORE.search(file.slice(max(0, fn.ir.start - _NEAR), fn.ir.start)) if file is not None else None
            names = _WORD.findall(route[2]) if route is not None else []
            known = self._handlers[fn.id] = any(self._refuses(one) for name in names for one in self._functions(fn.module, name))
        return known

    def _first(self, mod: Mod) -> bool:
        """Whether each router of a file has a function before its routes that refuses who is not known."""
        file = self.files.get(mod.path)
        if file is None or not mod.script:
            return False
        routes: dict[str, int] = {}
        for route in _ROUTE.finditer(file.text):
            routes.setdefault(route[1], route.start())
        asked: set[str] = set()
        for found in _FIRST.finditer(file.text):
            if found.start() < routes.get(found[1], 0) and any(
                self._refuses(fn) for name in _WORD.findall(found[3]) for fn in self._functions(mod, name)
            ):
                asked.add(found[1])
        return bool(routes) and asked >= routes.keys()

    def _functions(self, mod: Mod, name: str) -> Iterator[Fn]:
        for one in self.solver.symbols.lookup(mod, name):
            if isinstance(one, Fn):
                yield one
            elif isinstance(one, Var):
                yield from (ref for ref in self.solver.read_global(mod.body, one.module, one.name).refs if isinstance(ref, Fn))

    def _refuses(self, fn: Fn) -> bool:
        file = self.files.get(fn.module.path)
        return file is not None and _REFUSES.search(_COMMENTS.sub("", file.slice(fn.ir.start, fn.ir.end))) is not None

    def _by_callers(self, fn: Fn, words: Collection[str], depth: int) -> bool:
        """Whether every function that calls this one, or those that call it, stands in a file that looks at requests."""
        if self._callers is None:
            self._callers = {}
            for reader, called in self.solver.called.items():
                for other in called:
                    self._callers.setdefault(other, []).append(reader)
        callers = [self.solver.symbols.functions[number] for number in self._callers.get(fn.id, ()) if number != fn.id]
        callers = [one for one in callers if not is_test(one.module.path)]
        return bool(callers) and all(
            self._speaks(one, words) or (depth < limits.ASKED_CALLERS and self._by_callers(one, words, depth + 1)) for one in callers
        )

    def _speaks(self, fn: Fn, words: Collection[str]) -> bool:
        file = self.files.get(fn.module.path)
        if file is None or not fn.index:  # what runs when a file is read asks nobody
            return False
        text = _COMMENTS.sub("", file.text).casefold()
        return any(word in text for word in words) and _REFUSES.search(text) is not None
