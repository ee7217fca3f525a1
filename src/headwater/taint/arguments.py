"""The arguments of a call as API models name them, and whether a model's condition holds for them.

The grammar is told in ``headwater.apis.schema`` and parsed in ``headwater.apis.conditions``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from headwater import limits
from headwater.apis import conditions, regex
from headwater.apis.conditions import Argument, Step, Term, Where
from headwater.apis.paths import UNKNOWN, ApiPath, expand
from headwater.index.entities import EXTERNAL, Cls, Fn, Inst
from headwater.taint.frame import Frame
from headwater.taint.labels import DEEP, Label
from headwater.taint.state import Cell, lacks
from headwater.taint.summary import ABSENT, Begins, Requirement
from headwater.taint.value import ANSWER, BOTTOM, NO_CONST, Alloc, Value, join_all

if TYPE_CHECKING:
    from headwater.taint.solve import Solver


EVENT = "answer__"
"""A step of an argument in a model: what a route of the project answers to the request that is there."""


class Args:
    """The arguments of one call, with the cells that they were read from."""

    __slots__ = (
        "among",
        "asked",
        "callee",
        "cells",
        "kw",
        "kw_cells",
        "name",
        "positional",
        "receiver",
        "receiver_cells",
        "spread",
        "star",
        "starred",
    )

    def __init__(
        self, positional: list[Value], kw: dict[str, Value] | None = None, star: Value | None = None, spread: Value | None = None
    ) -> None:
        self.positional = positional
        self.kw = kw or {}
        self.star = star
        """Elements of a starred argument."""
        self.starred: Value | None = None
        """The starred argument itself, where it is the only one and the last: its elements have places."""
        self.spread = spread
        """The mapping of ``**``."""
        self.receiver: Value | None = None
        self.among: tuple[Any, ...] = ()
        """What may be called, where that is more than one: what only one of them shows of the arguments is not shown."""
        self.cells: list[tuple[Cell, ...]] = []
        self.kw_cells: dict[str, tuple[Cell, ...]] = {}
        self.receiver_cells: tuple[Cell, ...] = ()
        self.name = ""
        """Attribute name of the callee, where it was written as one."""
        self.callee: Value | None = None
        """What is called, where that is more than a name."""
        self.asked = True
        """Somebody looks at the result."""

    def everything(self) -> list[Value]:
        values = [*self.positional, *self.kw.values()]
        if self.star is not None:
            values.append(self.star)
        if self.spread is not None:
            values.append(self.spread)
        return values


class Arguments(Frame):
    """A frame that can ask for the arguments of a call."""

    def __init__(self, solver: Solver, fn: Fn, traced: bool = False) -> None:
        super().__init__(solver, fn, traced)
        self.piped: tuple[Value, Value] | None = None
        """The chain of which a stage is called, and what that is given."""
        self.unsure = False
        """The condition asked last depends on whether an argument is passed, which cannot be seen."""
        self.asserting = False
        """The condition says that a call is wrong: what the caller says is then not taken for one value of all."""

    def _argument(self, text: str, args: Args) -> Value | None:
        """The value of an argument path; None where it is not passed."""
        return self.argument(conditions.argument(text), args)

    def argument(self, where: Argument, args: Args) -> Value | None:
        """The value of a parsed argument path; None where it is not passed."""
        value: Value | None = None
        if where.receiver:
            value = args.receiver
        elif where.position == -3:
            value = join_all(args.everything())
        elif where.position == -2:
            value = join_all([*args.positional, *([args.star] if args.star is not None else [])])
        else:
            if 0 <= where.position < len(args.positional):
                value = args.positional[where.position]
            elif where.keyword in args.kw:
                value = args.kw[where.keyword]
            elif where.position >= 0 and args.star is not None:
                value = self.placed(args, where.position - len(args.positional))
            elif where.keyword and args.spread is not None and lacks(args.spread, where.keyword) is not True:
                value = self.item(args.spread, where.keyword, None)
                if value is BOTTOM:
                    value = None
        return self._inside(value, where.steps)

    def placed(self, args: Args, place: int) -> Value | None:
        """What a starred argument gives to a place."""
        return args.star if args.starred is None else self.item(args.starred, place, None)

    def _inside(self, value: Value | None, steps: tuple[Step, ...]) -> Value | None:
        """The part of a value that an argument path names; None where there is none."""
        for step in steps:
            if step == EVENT:
                value = next((held for alloc in (value or BOTTOM).allocs if (held := self.cells.get((alloc, ANSWER))) is not None), None)
                continue
            if isinstance(step, Where):
                value = self._picked(value, step)
                continue
            if value is None or (step != "*" and lacks(value, step)):
                return None
            value = (
                self.elements_or_whole(value)
                if step == "*"
                else self.item(value, step, None)
                if isinstance(step, int)
                else self._get(value, step)
            )
        return value

    def _picked(self, value: Value | None, where: Where) -> Value | None:
        """The elements of a container of which a part is known to be one of some texts; None where there is none."""
        if value is None:
            return None
        elements = [self.cells.get((alloc, key), BOTTOM) for alloc in value.allocs for key in alloc.keys]
        chosen = [one for one in elements if (part := self._inside(one, (where.part,))) is not None and part.const in where.values]
        return join_all(chosen) if chosen else None

    # ------------------------------------------------------------------------------------------- conditions

    def holds(self, text: str, args: Args, requires: list[Requirement]) -> bool | None:
        """Whether a condition holds: False, True, or None where it cannot be decided; what a caller decides goes to ``requires``.

        ``unsure`` says afterwards whether what was not decided is if an argument is passed at all.
        """
        self.unsure = False
        parsed = conditions.condition(text)
        if not parsed:
            return True
        best: bool | None = False
        unsure = True
        for branch in parsed:
            for elements in self._choices(branch, args):
                needed: list[Requirement] = []
                self.unsure = False
                verdict: bool | None = True
                for term in branch:
                    one = self._term(term, args, needed, elements)
                    if one is False:
                        verdict = False
                        break
                    if one is None:
                        verdict = None
                if verdict is True and not needed:
                    self.unsure = False
                    return True
                if verdict is not False:
                    unsure = unsure and self.unsure
                    if best is False:
                        best = None
                        requires += needed
        self.unsure = unsure and best is None
        return best

    def _choices(self, branch: tuple[Term, ...], args: Args) -> Iterable[dict[Argument, Value]]:
        """The elements of displays that the terms of a branch speak of: the branch holds if it holds for one choice of them."""
        known: dict[Argument, list[Value]] = {}
        for term in branch:
            steps = term.argument.steps
            if "*" not in steps:
                continue
            container = msgspec.structs.replace(term.argument, steps=steps[: steps.index("*")])
            value = self.argument(container, args) if container not in known else None
            if value is not None and value.allocs and not value.labels and not value.refs and all(map(_display, value.allocs)):
                known[container] = [self.cells.get((alloc, key), BOTTOM) for alloc in value.allocs for key in alloc.keys]
        if not known or math.prod(map(len, known.values())) > limits.CHOICES:
            return ({},)
        return (dict(zip(known, choice, strict=True)) for choice in itertools.product(*known.values()))

    def _term(self, term: Term, args: Args, requires: list[Requirement], elements: dict[Argument, Value]) -> bool | None:
        if term.form == "declared":
            library, operator, version = str(term.value).split()
            return self.solver.versions.all(self.fn.module.path, library, operator, version) != term.negated
        where = term.argument
        at = where.steps.index("*") if elements and "*" in where.steps else -1
        element = elements.get(msgspec.structs.replace(where, steps=where.steps[:at])) if at >= 0 else None
        value = self.argument(where, args) if element is None else self._inside(element, where.steps[at + 1 :])
        if term.form == "absent":
            if self._may_lack(where, args, value):
                self.unsure = True
                if value is not None and (label := _given(value)) is not None:
                    requires.append(Requirement(label.param, label.path, ABSENT, term.negated))
                return None
            return (value is None) != term.negated
        if value is None:
            if term.form in ("matches", "begins"):
                return False
            return term.negated
        if term.form == "constant":
            constant = value.const is not NO_CONST or (bool(value.allocs) and all(alloc.constant for alloc in value.allocs))
            return constant != term.negated
        if term.form == "text":
            return (isinstance(value.const, str) or bool(value.head)) != term.negated
        if term.form == "begins":
            found = Begins(str(term.value))
            if (verdict := found.holds(value)) is None and (label := _given(value)) is not None:
                requires.append(Requirement(label.param, label.path, found, False))
                return None
            return bool(verdict)
        if term.form == "list":
            display = bool(value.allocs) and all(alloc.kind in ("list", "tuple") for alloc in value.allocs)
            if not display and not value.allocs and not value.labels and value.const is NO_CONST:
                return None
            return display != term.negated
        if term.form == "own":
            return (bool(value.labels) and self.own_data(value)) != term.negated
        if term.form == "api":
            return self._is_api(term, value)
        if value.const is NO_CONST:
            if term.form == "matches" and value.head:
                return regex.search(str(term.value), value.head) != term.negated
            if value.allocs and not value.labels and all(alloc.closed for alloc in value.allocs):
                return term.negated  # a display is no text, number or truth value
            if term.form == "const" and (label := _given(value)) is not None and not any(alloc.closed for alloc in value.allocs):
                requires.append(Requirement(label.param, label.path, term.value, term.negated))
                return None
            self.unsure = self.unsure or (isinstance(term.value, str) and not term.negated)  # one text of many
            return None
        if term.form == "matches":
            return (type(value.const) in (str, int) and regex.search(str(term.value), str(value.const))) != term.negated
        equal = type(value.const) is type(term.value) and value.const == term.value
        return equal != term.negated

    def _is_api(self, term: Term, value: Value) -> bool | None:
        """Whether a value is what an API path or a type names."""
        nodes = [ref for ref in value.refs if isinstance(ref, ApiPath)]
        nodes += [path for ref in value.refs if isinstance(ref, Inst) for path in ref.paths]
        nodes += [path for ref in value.refs if isinstance(ref, Cls) for one in ref.mro for path in one.externals]  # it is one of its bases
        wanted = str(term.value)
        if any(wanted in node.types or _is_path(node.text, wanted) for node in nodes):
            return not term.negated
        if value.const is NO_CONST and not any(not node.text.startswith(UNKNOWN) for node in nodes):
            given = any(label.source is None and label.exact for label in value.labels)
            if given and not any(ref is EXTERNAL or isinstance(ref, Cls | Inst | Fn) for ref in value.refs):
                return False if self.asserting and not term.negated else None  # it is what the caller says
        return term.negated

    def own_data(self, value: Value) -> bool:
        """Whether a value is of the program's own."""
        raise NotImplementedError

    def _may_lack(self, where: Argument, args: Args, value: Value | None) -> bool:
        """Whether an argument may be missing because it is in what the caller spreads (``*args``, ``**kwargs``), or is not."""
        if where.receiver or where.position < -1 or where.keyword in args.kw or 0 <= where.position < len(args.positional):
            return False
        if where.position >= 0 and args.star is not None:
            return True
        if not where.keyword or args.spread is None:
            return False
        return lacks(args.spread, where.keyword) is None


def _given(value: Value) -> Label | None:
    """What the caller gives, where a value is that alone."""
    if len(value.labels) != 1:
        return None
    (label,) = value.labels
    return label if label.source is None and label.exact and DEEP not in label.path else None


def _display(alloc: Alloc) -> bool:
    """Whether all elements of a container are known, and which they are."""
    return alloc.closed and alloc.kind in ("list", "tuple", "set") and not alloc.mixed and "*" not in alloc.keys


def _is_path(text: str, pattern: str) -> bool:
    """Whether an API path is one of a pattern's readings, or ends like it."""
    return any(text == one or text.endswith("." + one) for one in expand(pattern))
