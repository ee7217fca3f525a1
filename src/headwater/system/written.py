"""Where a text is written that a call is given: followed backwards through moves, variables, formatting and displays of messages."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from headwater import ir
from headwater.apis import conditions
from headwater.apis.conditions import Where
from headwater.index.calls import instructions
from headwater.index.entities import Fn, Mod, Var
from headwater.index.symbols import Symbols

TEXTS: Final = 16
"""Of one argument: a prompt for each branch."""
DEPTH: Final = 12
"""Steps back: prompts pass through a few variables and functions."""
_SAME: Final = frozenset(
    {
        "format",
        "join",
        "strip",
        "lstrip",
        "rstrip",
        "replace",
        "format_map",
        "safe_substitute",
        "substitute",
        "partial",
        "trim",
        "trimStart",
    }
)
"""Methods whose result is the text that they are called on, filled in or trimmed."""
_OF_ARGUMENT: Final = frozenset({"dedent", "cleandoc", "str", "Template"})
"""Functions whose result is the text that they are given."""


class Text(NamedTuple):
    """A text in the source."""

    fn: Fn
    start: int
    end: int
    name: str
    """The variable or field that holds it; empty where there is none."""
    literal: str
    """What is fixed of it, in order."""
    fixed: bool
    """Nothing is filled in."""


class Places:
    """Definitions of registers, by function."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        self._definitions: dict[int, dict[int, list[Any]]] = {}
        self._calls: dict[int, dict[tuple[int, int], ir.Call]] = {}
        self._kept: dict[int, dict[int, list[Any]]] = {}
        self._asked: set[tuple[int, int]] = set()
        """Registers that are being followed: a text that is made of itself says nothing new."""

    def definitions(self, fn: Fn) -> dict[int, list[Any]]:
        """Instructions by the register that they set."""
        known = self._definitions.get(fn.id)
        if known is None:
            known = self._definitions[fn.id] = {}
            for one in instructions(fn.ir.defaults + fn.ir.body):
                register = getattr(one, "dst", None)
                if register is not None:
                    known.setdefault(register, []).append(one)
        return known

    def call(self, fn: Fn, start: int, end: int) -> ir.Call | None:
        """The call at a place."""
        known = self._calls.get(fn.id)
        if known is None:
            body = instructions(fn.ir.defaults + fn.ir.body)
            known = self._calls[fn.id] = {(one.start, one.end): one for one in body if type(one) is ir.Call}
        return known.get((start, end))

    def holder(self, fn: Fn, start: int, end: int) -> str:
        """The variable, field or key that takes the result of the call at a place; empty where none does."""
        call = self.call(fn, start, end)
        return self.holder_of(fn, call.dst) if call is not None else ""

    def holder_of(self, fn: Fn, register: int, depth: int = 0) -> str:
        """What takes the value of a register."""
        names = {number: name for name, number in fn.ir.names.items()}
        if register in names:
            return names[register]
        for one in self._users(fn).get(register, ()):
            kind = type(one)
            if kind is ir.Move and one.dst != register and depth < DEPTH:
                return self.holder_of(fn, one.dst, depth + 1)
            if kind is ir.StoreAttr or kind is ir.StoreGlobal:
                return str(one.name)
            if kind is ir.StoreItem and isinstance(one.key, str):
                return one.key
            if kind is ir.Build:
                key = one.keys[one.parts.index(register)]
                if isinstance(key, str) and key != "**":
                    return key
        for cls in fn.module.classes:
            if cls.ir.function == fn.index:
                for name, field in cls.ir.fields.items():
                    if field.value == register:
                        return name
        return ""

    def _users(self, fn: Fn) -> dict[int, list[Any]]:
        """Instructions that keep a value, by the register that holds it."""
        known = self._kept.get(fn.id)
        if known is None:
            known = self._kept[fn.id] = {}
            for one in instructions(fn.ir.body):
                kind = type(one)
                if kind in (ir.Move, ir.StoreAttr, ir.StoreGlobal, ir.StoreItem):
                    known.setdefault(one.src, []).append(one)
                elif kind is ir.Build and one.kind == "dict":
                    for part in one.parts:
                        known.setdefault(part, []).append(one)
        return known

    # ---------------------------------------------------------------------------------------------- arguments

    def argument(self, fn: Fn, call: ir.Call, spec: str) -> list[tuple[Fn, int]]:
        """The registers of an argument path of a call, with the function that they are in."""
        where = conditions.argument(spec)
        found: list[int] = []
        if where.receiver:
            found = [one.obj for one in self.definitions(fn).get(call.fn, ()) if type(one) is ir.Attr]
        elif where.position <= -2:
            found = [one for one in call.args if one >= 0]
        else:
            if 0 <= where.position < len(call.args) and call.args[where.position] >= 0:
                found = [call.args[where.position]]
            else:
                found = [register for name, register in call.kw if name == where.keyword]
        places = [(fn, register) for register in found]
        for step in where.steps:
            places = [one for fn_, register in places for one in self._inside(fn_, register, step)]
        return places

    def _inside(self, fn: Fn, register: int, step: Any) -> list[tuple[Fn, int]]:
        found: list[tuple[Fn, int]] = []
        for at, build in self.displays(fn, register):
            for key, part in zip(build.keys, build.parts, strict=True):
                if isinstance(step, Where):
                    if any(self._constant(at, one) in step.values for one in self._part(at, part, step.part)):
                        found.append((at, part))
                elif step == "*" or key == step:
                    found.append((at, part))
        return found

    def _part(self, fn: Fn, register: int, key: str | int) -> list[int]:
        return [
            part
            for at, build in self.displays(fn, register)
            if at is fn
            for name, part in zip(build.keys, build.parts, strict=True)
            if name == key
        ]

    def _constant(self, fn: Fn, register: int) -> Any:
        return next((one.value for one in self.definitions(fn).get(register, ()) if type(one) is ir.Const), None)

    def displays(self, fn: Fn, register: int, depth: int = 0) -> list[tuple[Fn, ir.Build]]:
        """The displays of lists and dicts that a register may hold."""
        found: list[tuple[Fn, ir.Build]] = []
        for one in self.definitions(fn).get(register, ()) if depth < DEPTH else ():
            if type(one) is ir.Build:
                found.append((fn, one))
            elif type(one) is ir.Move:
                found += self.displays(fn, one.src, depth + 1)
            elif type(one) is ir.Binary and one.op in ("+", "|"):
                found += self.displays(fn, one.left, depth + 1) + self.displays(fn, one.right, depth + 1)
            elif type(one) is ir.Name:
                for module, inner, _ in self._variable(fn.module, one.name):
                    found += self.displays(module, inner, depth + 1)
        return found

    # -------------------------------------------------------------------------------------------------- texts

    def texts(self, fn: Fn, register: int, name: str = "", depth: int = 0) -> list[Text]:
        """The texts that a register may hold."""
        found: list[Text] = []
        at = (fn.id, register)
        if depth >= DEPTH or at in self._asked:
            return found
        self._asked.add(at)
        names = {number: known for known, number in fn.ir.names.items()}
        name = name or names.get(register, "")
        for one in self.definitions(fn).get(register, ()):
            found += self._text(fn, one, name, depth + 1)
        self._asked.discard(at)
        return list(dict.fromkeys(found))[:TEXTS]

    def _text(self, fn: Fn, one: Any, name: str, depth: int) -> list[Text]:
        kind = type(one)
        if kind is ir.Const:
            return [Text(fn, one.start, one.end, name, one.value, True)] if isinstance(one.value, str) and one.value.strip() else []
        if kind is ir.Move:
            return self.texts(fn, one.src, name, depth)
        if kind is ir.Concat:
            literal = "".join(one.literals)
            inner = [text for part in one.parts for text in self.texts(fn, part, "", depth)] if not literal.strip() else []
            return inner or [Text(fn, one.start, one.end, name, literal, not one.parts)]
        if kind is ir.Binary and one.op in ("+", "%"):
            left = self.texts(fn, one.left, name, depth)
            return left or (self.texts(fn, one.right, name, depth) if one.op == "+" else [])
        if kind is ir.Name:
            return [text for at, inner, variable in self._variable(fn.module, one.name) for text in self.texts(at, inner, variable, depth)]
        if kind is ir.Attr:
            return self._attribute(fn, one, name, depth)
        if kind is ir.Item and one.key is not None:
            return [text for at, part in self._inside(fn, one.obj, one.key) for text in self.texts(at, part, name or str(one.key), depth)]
        if kind is ir.Call:
            return self._called(fn, one, name, depth)
        return []

    def _attribute(self, fn: Fn, one: ir.Attr, name: str, depth: int) -> list[Text]:
        for base in self.definitions(fn).get(one.obj, ()):
            if type(base) is ir.Name:
                for bound in self.symbols.name(fn.module, base.name):
                    if isinstance(bound, Mod):
                        places = self._variable(bound, one.name)
                        return [text for at, inner, variable in places for text in self.texts(at, inner, variable, depth)]
        if fn.cls is not None and one.obj == 0:
            return [text for at, register in self._field(fn, one.name) for text in self.texts(at, register, one.name, depth)]
        return []

    def _field(self, fn: Fn, name: str) -> list[tuple[Fn, int]]:
        """Where a class's field is set: in its body and by its methods."""
        found: list[tuple[Fn, int]] = []
        for cls in fn.cls.mro if fn.cls is not None else ():
            field = cls.ir.fields.get(name)
            if field is not None and field.value >= 0:
                found.append((cls.module.functions[cls.ir.function], field.value))
            for method in cls.written.get(name, ()):
                found += [
                    (method, one.src)
                    for one in instructions(method.ir.body)
                    if type(one) is ir.StoreAttr and one.name == name and one.obj == 0
                ]
        return found

    def _called(self, fn: Fn, one: ir.Call, name: str, depth: int) -> list[Text]:
        for callee in self.definitions(fn).get(one.fn, ()):
            if type(callee) is ir.Attr:
                if callee.name in _SAME:
                    return self.texts(fn, callee.obj, name, depth)
                if callee.name in _OF_ARGUMENT and one.args and one.args[0] >= 0:
                    return self.texts(fn, one.args[0], name, depth)
                if fn.cls is not None and callee.obj == 0 and (method := fn.cls.method(callee.name)) is not None:
                    return self.returned(method, depth)
            if type(callee) is ir.Name:
                if callee.name in _OF_ARGUMENT and one.args and one.args[0] >= 0:
                    return self.texts(fn, one.args[0], name, depth)
                for bound in self.symbols.name(fn.module, callee.name):
                    if isinstance(bound, Fn):
                        return self.returned(bound, depth)
        return []

    def returned(self, fn: Fn, depth: int = 0) -> list[Text]:
        """The texts that a function gives back."""
        found = []
        for one in instructions(fn.ir.body):
            if type(one) is ir.Return and one.src >= 0:
                found += [text if text.name else text._replace(name=fn.name) for text in self.texts(fn, one.src, "", depth + 1)]
        return found

    def _variable(self, mod: Mod, name: str) -> list[tuple[Fn, int, str]]:
        """The register of a module variable, in the body of the module that sets it."""
        found = []
        for bound in self.symbols.member(mod, name) if mod.script else self.symbols.lookup(mod, name):
            if isinstance(bound, Var) and bound.name in bound.module.body.ir.names:
                found.append((bound.module.body, bound.module.body.ir.names[bound.name], bound.name))
        if not found and mod.script:
            for bound in self.symbols.lookup(mod, name):
                if isinstance(bound, Var) and bound.name in bound.module.body.ir.names:
                    found.append((bound.module.body, bound.module.body.ir.names[bound.name], bound.name))
        return found
