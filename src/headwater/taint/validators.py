"""What the classes that check their data (pydantic) let through: patterns of fields and parameters, and functions that validate a field.

Read from the instructions of the class body; nothing is run. Which types are numbers or words of a fixed set is known to
``headwater.index.symbols``.
"""

from __future__ import annotations

from typing import Any

from headwater import ir
from headwater.apis import patterns
from headwater.index.calls import instructions
from headwater.index.entities import Cls, Fn
from headwater.taint.labels import bits

_VALIDATORS = frozenset({"field_validator", "validator"})
_PATTERNS = ("pattern", "regex")


def declared(type_: ir.Type | None) -> int:
    """Sink classes for which text of a type is safe: ``Annotated[str, Query(pattern="^[a-z]+$")]``, ``constr(pattern="^[a-z]+$")``."""
    todo = [type_] if type_ is not None else []
    while todo:
        one = todo.pop()
        if one.name == "pattern=" and isinstance(one.literals[0], str):
            return bits(list(patterns.read(one.literals[0]).proves("search")))
        if one.name.rpartition(".")[2] == "Annotated" or one.name.endswith("()"):
            todo += one.args
    return 0


class Body:
    """The instructions of one block, by the register that holds what they make."""

    def __init__(self, block: list[Any]) -> None:
        self.made: dict[int, Any] = {}
        self.decorated: list[ir.Decorate] = []
        for instr in instructions(block):
            kind = type(instr)
            if kind in (ir.Call, ir.Const, ir.Name, ir.Attr, ir.Func):
                self.made[instr.dst] = instr
            elif kind is ir.Move or kind is ir.Decorate:
                source = instr.src if kind is ir.Move else instr.target
                if source in self.made:
                    self.made[instr.dst] = self.made[source]
                if kind is ir.Decorate:
                    self.decorated.append(instr)

    def const(self, register: int) -> Any:
        """The constant in a register; None where it is none."""
        made = self.made.get(register)
        return made.value if type(made) is ir.Const else None

    def call(self, register: int) -> ir.Call | None:
        """The call whose result is in a register."""
        made = self.made.get(register)
        return made if type(made) is ir.Call else None

    def pattern(self, register: int) -> int:
        """Sink classes for which text is safe whose default is in the register: ``Field(pattern="^[a-z]+$")``."""
        call = self.call(register)
        for name, given in call.kw if call is not None else ():
            const = self.const(given)
            if name in _PATTERNS and isinstance(const, str):
                return bits(list(patterns.read(const).proves("search")))
        return 0

    def keywords(self, register: int) -> tuple[str, ...]:
        """The names that the call is given whose result is in a register."""
        call = self.call(register)
        return tuple(name for name, _ in call.kw) if call is not None else ()

    def validators(self, cls: Cls) -> dict[str, list[Fn]]:
        """The functions that check a field when an object is made, by its name."""
        found: dict[str, list[Fn]] = {}
        for one in self.decorated:
            call, target = self.call(one.decorator), self.made.get(one.target)
            validator = self.made.get(call.fn) if call is not None else None
            if call is None or type(target) is not ir.Func or getattr(validator, "name", "") not in _VALIDATORS:
                continue
            fn = cls.module.functions[target.function]
            for register in call.args:
                name = self.const(register)
                if fn.cls is cls and isinstance(name, str):
                    found.setdefault(name, []).append(fn)
        return found
