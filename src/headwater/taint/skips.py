"""Middleware of Express that asks who sends a request, or not, by how its address is written.

Express finds routes in whatever case they are written, so that ``/API/users`` is ``/api/users`` for it and something else
for ``req.path.startsWith("/api")``; and what is anywhere in ``req.url`` may as well stand in its query. A request that is
written so goes past the question. Only functions are looked at that ask (they answer 401 or 403, or hand the request on to
something that is named so), and only where the way past is ``next()`` and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from headwater import ir
from headwater.index.calls import instructions

if TYPE_CHECKING:
    from headwater.index.entities import Fn
    from headwater.taint.solve import Solver

CASE: Final = "sign-in-by-case"
QUERY: Final = "sign-in-by-query"
_REQUESTS: Final = frozenset({"npm:express.Request()", "npm:express-serve-static-core.Request()"})
_ADDRESS: Final = frozenset({"baseUrl", "originalUrl", "path", "url"})
_WITH_QUERY: Final = frozenset({"originalUrl", "url"})
_PARTS: Final = frozenset({"endsWith", "includes", "startsWith"})
_ANYWHERE: Final = frozenset({"endsWith", "includes"})
_ANY_OF: Final = frozenset({"find", "findIndex", "some"})
_ASKS: Final = re.compile(
    r"auth|bearer|credential|guard|identif|jwt|log_?in|passport|permission|protect|session|sign_?in|token|verif|api_?key|user",
    re.IGNORECASE,
)
_LETTER: Final = re.compile(r"[A-Za-z]")
_Found = tuple[str, int, int, int, int]
"""The shape, the place of the test, and the place where the address is read."""


def look(solver: Solver) -> None:
    """Report such middleware of the project."""
    if not solver.shapes.keys() & {CASE, QUERY}:
        return
    for mod in solver.symbols.modules:
        if not mod.script:
            continue
        for fn in mod.functions:
            first = 1 if fn.bound else 0
            if len(fn.ir.params) == first + 3 and _of_request(solver, fn, first):
                for shape, start, end, read, until in sorted(_Middleware(fn, first).skipped()):
                    if shape in solver.shapes:
                        solver.report_call(fn, solver.shapes[shape], shape, start, end, (read, until, "the address of the request"))


def _of_request(solver: Solver, fn: Fn, number: int) -> bool:
    handed = solver.handed_types.get(fn.id, {}).get(number)
    refs = (handed,) if handed is not None else solver.symbols.type_value(fn.module, fn.ir.params[number].annotation, fn.cls).refs
    return any(getattr(ref, "text", "") in _REQUESTS for ref in refs)


class _Middleware:
    """A function of a request, a response and what goes on."""

    def __init__(self, fn: Fn, first: int) -> None:
        self.fn = fn
        self.request, self.response, self.next = first, first + 1, first + 2
        self.all = list(instructions(fn.ir.body))
        self.made = {one.dst: one for one in self.all if hasattr(one, "dst")}
        """What makes the value of a register; of a variable that is set again, the last."""
        self.variables = {register: name for name, register in fn.ir.names.items()}

    def skipped(self) -> set[_Found]:
        """The conditions that lead past the question."""
        found: set[_Found] = set()
        past: set[int] = set()
        for one in self.all:
            if type(one) is not ir.If:
                continue
            for arm in one.arms:
                if self._goes_on(arm.body):
                    past.update(map(id, instructions(arm.body)))
                    found.update(self._spelt(arm.cond, True))
            if self._goes_on(one.orelse):
                past.update(map(id, instructions(one.orelse)))
                for arm in one.arms:
                    found.update(self._spelt(arm.cond, False))
        return found if found and self._asks([one for one in self.all if id(one) not in past]) else set()

    def _goes_on(self, block: list[Any]) -> bool:
        """Whether a block calls ``next()`` and does nothing else."""
        calls = [one for one in block if type(one) is ir.Call]
        rest = all(type(one) in (ir.Call, ir.Const, ir.Move, ir.Return) for one in block)
        return rest and len(calls) == 1 and calls[0].fn == self.next and not calls[0].args

    def _asks(self, rest: list[Any]) -> bool:
        for one in rest:
            if type(one) is ir.Const and one.value in (401, 403) and type(one.value) is int:
                return True
            if type(one) is ir.Call and {self.request, self.response, self.next} <= set(one.args) and _ASKS.search(self._name(one.fn)):
                return True
        return False

    def _name(self, register: int) -> str:
        """What something is called that is called, and what made it: ``const check = basicAuth(options)``."""
        name = _called(self.made, register) or self.variables.get(register, "")
        body = self.fn.module.body.ir
        known = body.names.get(name)
        made = {one.dst: one for one in instructions(body.body) if hasattr(one, "dst")} if known is not None else {}
        return f"{name} {_called(made, known)}" if known is not None else name

    def _spelt(self, cond: Any, holds: bool) -> Iterator[_Found]:
        """Tests of how the address is written that a sender can have turn out so that the condition is true (or false)."""
        if type(cond) is ir.Not:
            yield from self._spelt(cond.part, not holds)
        elif type(cond) is ir.AllOf or type(cond) is ir.AnyOf:
            alone = (type(cond) is ir.AnyOf) == holds  # any part of it is enough
            for part in cond.parts:
                yield from (one for one in self._spelt(part, holds) if alone or one[0] == CASE)
        else:
            yield from self._test(self.made.get(cond.reg), self.made, self.request, holds)

    def _test(self, test: Any, made: dict[int, Any], request: int, holds: bool) -> Iterator[_Found]:
        if type(test) is ir.Test and test.op in ("==", "!="):
            for one, other in ((test.left, test.right), (test.right, test.left)):
                part = _part(made, one, request)
                if part is not None and holds == (test.op == "!=") and _letters(made, other):
                    yield CASE, test.start, test.end, part.start, part.end
            return
        method = made.get(test.fn) if type(test) is ir.Call else None
        if type(method) is not ir.Attr or len(test.args) != 1:
            return
        if method.name in _ANY_OF:
            yield from ((shape, test.start, test.end, *read) for shape, _, _, *read in self._each(made.get(test.args[0]), request, holds))
        elif method.name == "test":
            part = _part(made, test.args[0], request)
            pattern = made.get(method.obj)
            if part is None or not _expression(made, pattern):
                return
            if not holds and _sees_case(made, pattern):
                yield CASE, test.start, test.end, part.start, part.end
            elif holds and part.name in _WITH_QUERY and _anywhere(made, pattern):
                yield QUERY, test.start, test.end, part.start, part.end
        elif method.name in _PARTS:
            part = _part(made, method.obj, request)
            if part is None:
                return
            if not holds and _letters(made, test.args[0]):
                yield CASE, test.start, test.end, part.start, part.end
            elif holds and part.name in _WITH_QUERY and method.name in _ANYWHERE:
                yield QUERY, test.start, test.end, part.start, part.end

    def _each(self, function: Any, request: int, holds: bool) -> Iterator[_Found]:
        """What a function tests of each element of a list: ``list.some((one) => req.path.startsWith(one))``."""
        if type(function) is not ir.Func or request not in function.captures:
            return
        inner = self.fn.module.functions[function.function].ir
        made = {one.dst: one for one in instructions(inner.body) if hasattr(one, "dst")}
        given = [one.src for one in inner.body if type(one) is ir.Return]
        if len(given) == 1:
            yield from self._test(made.get(given[0]), made, len(inner.params) + function.captures.index(request), holds)


def _called(made: dict[int, Any], register: int) -> str:
    one = made.get(register)
    for _ in range(3):
        if type(one) is ir.Call:  # check(options)(req, res, next)
            one = made.get(one.fn)
    return str(getattr(one, "name", ""))


def _part(made: dict[int, Any], register: int, request: int) -> ir.Attr | None:
    """What reads a part of the request's address, as it was written, into a register."""
    one = made.get(register)
    return one if type(one) is ir.Attr and one.obj == request and one.name in _ADDRESS else None


def _letters(made: dict[int, Any], register: int) -> bool:
    """Whether a text has letters, whose case can be another; of one that is not known it is likely."""
    one = made.get(register)
    return type(one) is not ir.Const or (isinstance(one.value, str) and _LETTER.search(one.value) is not None)


def _expression(made: dict[int, Any], pattern: Any) -> bool:
    name = made.get(pattern.fn) if type(pattern) is ir.Call and pattern.args else None
    return type(name) is ir.Name and name.name == "RegExp"


def _sees_case(made: dict[int, Any], pattern: Any) -> bool:
    """Whether a regular expression with letters tells their cases apart."""
    text = made.get(pattern.args[0])
    flags = made.get(pattern.args[1]) if len(pattern.args) > 1 else None
    if type(text) is not ir.Const or not isinstance(text.value, str) or not (flags is None or type(flags) is ir.Const):
        return False
    return _LETTER.search(re.sub(r"\\.", "", text.value)) is not None and "i" not in str(getattr(flags, "value", ""))


def _anywhere(made: dict[int, Any], pattern: Any) -> bool:
    """Whether a regular expression finds its text anywhere: one that is not known is made of such a text."""
    text = made.get(pattern.args[0])
    return type(text) is not ir.Const or not str(text.value).startswith("^")
