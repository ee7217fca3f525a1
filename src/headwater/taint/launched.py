"""Code that starts tool servers (MCP) by a program that fetches them first: ``npx``, ``uvx``, ``docker run`` without a version.

Found by its shape, since every framework has a class of its own for it: a call, or an object, with a command and its arguments, in a
module that speaks of MCP. Variables are followed inside their function and to the module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from headwater import ir
from headwater.documents.launch import Fetched, unpinned
from headwater.documents.servers import UNPINNED
from headwater.documents.told import is_aside
from headwater.index.calls import instructions
from headwater.taint.solve import Told

if TYPE_CHECKING:
    from headwater.index.entities import Fn, Mod
    from headwater.taint.solve import Solver

_WORD: Final = "mcp"
_FETCHING: Final = {"NpxStdioTransport": "npx", "UvxStdioTransport": "uvx"}
"""Classes of FastMCP that are such a program."""
_SHOWN: Final = re.compile(r"example|sample|snippet|placeholder", re.IGNORECASE)
"""In the name of a function or a variable: what it holds is there to be read."""
_PAGE: Final = (".jsx", ".tsx")
_TERMINAL: Final = "npm:ink"
"""What shows components in a terminal, whose program can start others."""
_MADE: Final = 6  # moves and names that one value is followed through


def look(solver: Solver, own: frozenset[str]) -> None:
    """Report such servers of the project; ``own``: what its packages of Python are called."""
    rule = solver.shapes.get(UNPINNED)
    if rule is None:
        return
    for mod in solver.symbols.modules:
        if not _speaks(mod):
            continue
        for fn in mod.functions:
            one = _Function(fn)
            for fetched, start, end in one.servers():
                called = fetched.name.rpartition("/")[2] if fetched.ecosystem == "image" else fetched.name
                if called.lower() in own if fetched.ecosystem != "npm" else solver.symbols.scripts.owns(called):
                    continue
                little = "it is an example" if is_aside(mod.path) or one.shown(start, end) else _shown_by(mod)
                solver.report_call(fn, rule, fetched.written, start, end, told=Told("a tool server's start"), little=little)


def _shown_by(mod: Mod) -> str:
    """Why a module does no more than show it, in words: components of a page start no programs."""
    page = mod.path.endswith(_PAGE) and not any(one.path.startswith(_TERMINAL) for one in mod.ir.imported)
    return "a page shows it, and starts nothing" if page else ""


def _speaks(mod: Mod) -> bool:
    """Whether a module imports, or names, something of MCP."""
    if _WORD in mod.path.lower():
        return True
    names = (name for fn in mod.functions for name in fn.ir.names)
    paths = (f"{one.path}.{one.member}" for one in (*mod.ir.imported, *(alias for many in mod.ir.imports.values() for alias in many)))
    return any(_WORD in word.lower() for many in (paths, names) for word in many)


class _Function:
    def __init__(self, fn: Fn) -> None:
        self.fn = fn
        self.all = list(instructions(fn.ir.body))
        self.made = {one.dst: one for one in self.all if hasattr(one, "dst")}
        self._outer: dict[int, Any] | None = None

    def servers(self) -> Iterator[tuple[Fetched, int, int]]:
        """What is fetched, and the place that says so."""
        for one in self.all:
            if type(one) is ir.Build and one.kind == "dict" and not any(one.spread):
                yield from self._started(one, dict(zip(one.keys, one.parts, strict=False)))
            elif type(one) is ir.Call:
                called = self.made.get(one.fn)
                name = str(getattr(called, "name", ""))
                given = dict(one.kw)
                if name in _FETCHING and (one.args or given):
                    package = one.args[0] if one.args else next(iter(given.values()))
                    yield from self._fetched(one, [_FETCHING[name], *self._texts(package)], [package])
                elif _WORD in name.lower() or "stdio" in name.lower():
                    given.update(zip(("command", "args"), one.args, strict=False))
                    yield from self._started(one, given)

    def shown(self, start: int, end: int) -> bool:
        """Whether what stands at a place is written to be read: the function or the variable is called so."""
        if _SHOWN.search(self.fn.ir.qualname):
            return True
        held = (name for name, dst in self.fn.ir.names.items() if _SHOWN.search(name) and self._holds(dst, start, end))
        return any(held)

    def _holds(self, register: int, start: int, end: int) -> bool:
        """Whether what is assigned to a variable is written around a place."""
        sources = (one.src for one in self.all if type(one) is ir.Move and one.dst == register)
        made = (self.made.get(source) for source in (register, *sources))
        return any(one is not None and one.start <= start and end <= one.end for one in made)

    def _started(self, one: Any, given: dict[Any, int]) -> Iterator[tuple[Fetched, int, int]]:
        whole = given.get("fullCommand", given.get("full_command"))
        command, arguments = given.get("command"), given.get("args")
        if whole is not None:
            yield from self._fetched(one, self._texts(whole), [whole])
        elif command is not None:
            words = self._texts(command) + (self._texts(arguments) if arguments is not None else [])
            yield from self._fetched(one, words, [part for part in (arguments, command) if part is not None])

    def _fetched(self, one: Any, words: list[str], parts: list[int]) -> Iterator[tuple[Fetched, int, int]]:
        fetched = unpinned(words)
        if fetched is None:
            return
        items = [item for part in parts for item in self._items(part)]
        inside = (item for item in items if type(item) is ir.Const and isinstance(item.value, str) and fetched.written in item.value)
        at = next((item for item in inside if one.start <= item.start and item.end <= one.end), one)
        yield fetched, at.start, at.end

    def _items(self, register: int) -> list[Any]:
        """What makes a value, or each element of a list."""
        one, made = self._value(register, self.made)
        return [self._value(part, made)[0] for part in one.parts] if type(one) is ir.Build else [one]

    def _texts(self, register: int) -> list[str]:
        """The words that a value is; what is not known stands for a name."""
        made = [one.value if type(one) is ir.Const else None for one in self._items(register)]
        return [one if isinstance(one, str) else "${}" for one in made]

    def _value(self, register: int, made: dict[int, Any]) -> tuple[Any, dict[int, Any]]:
        """What makes a value, and what makes the other values beside it."""
        one = made.get(register)
        for _ in range(_MADE):
            if type(one) is ir.Move:
                one = made.get(one.src)
            elif type(one) is ir.Name:
                body = self.fn.module.body.ir
                if self._outer is None:
                    self._outer = {inner.dst: inner for inner in instructions(body.body) if hasattr(inner, "dst")}
                made = self._outer
                one = made.get(body.names.get(one.name, -1))
            else:
                break
        return one, made
