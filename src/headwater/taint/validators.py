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
    """The calls, constants and functions of one block, by the register that holds them."""

    def __init__(self, block: list[Any]) -> None:
        self.calls: dict[int, ir.Call] = {}
        self.consts: dict[int, Any] = {}
        self.names: dict[int, str] = {}
        self.functions: dict[int, int] = {}
        self.decorated: list[ir.Decorate] = []
        for instr in instructions(block):
            kind = type(instr)
            if kind is ir.Call:
                self.calls[instr.dst] = instr
            elif kind is ir.Const:
                self.consts[instr.dst] = instr.value
            elif kind in (ir.Name, ir.Attr):
                self.names[instr.dst] = instr.name
            elif kind is ir.Func:
                self.functions[instr.dst] = instr.function
            elif kind is ir.Move:
                for table in (self.calls, self.consts, self.names, self.functions):
                    if instr.src in table:
                        table[instr.dst] = table[instr.src]  # type: ignore[assignment]
            elif kind is ir.Decorate:
                self.decorated.append(instr)
                if instr.target in self.functions:
                    self.functions[instr.dst] = self.functions[instr.target]

    def pattern(self, register: int) -> int:
        """Sink classes for which text is safe whose default is in the register: ``Field(pattern="^[a-z]+$")``."""
        call = self.calls.get(register)
        for name, given in call.kw if call is not None else ():
            const = self.consts.get(given)
            if name in _PATTERNS and isinstance(const, str):
                return bits(list(patterns.read(const).proves("search")))
        return 0

    def validators(self, cls: Cls) -> dict[str, list[Fn]]:
        """The functions that check a field when an object is made, by its name."""
        found: dict[str, list[Fn]] = {}
        for one in self.decorated:
            call = self.calls.get(one.decorator)
            if call is None or self.names.get(call.fn) not in _VALIDATORS or one.target not in self.functions:
                continue
            fn = cls.module.functions[self.functions[one.target]]
            for register in call.args:
                if fn.cls is cls and isinstance(self.consts.get(register), str):
                    found.setdefault(self.consts[register], []).append(fn)
        return found
