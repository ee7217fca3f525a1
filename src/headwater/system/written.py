"""Where a text is written that a call is given: followed backwards through moves, variables, formatting and displays of messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from headwater import ir, limits
from headwater.apis import conditions
from headwater.apis.conditions import Where
from headwater.index.calls import instructions
from headwater.index.entities import Cls, Fn, Mod, Var
from headwater.index.symbols import Symbols

TEXTS: Final = 48
"""Of one argument: a prompt for each branch, and for each caller of a function that asks a model for all."""
CALLERS: Final = 40
"""Of a function, that are asked what they give it."""
DEPTH: Final = 12
"""Steps back: prompts pass through a few variables and functions."""
CHAIN: Final = 64
"""Calls of builders, one after the other, of which each gives the object itself."""
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
_FILLING: Final = frozenset(
    {
        *("format", "format_messages", "format_prompt", "aformat", "aformat_messages", "aformat_prompt", "invoke", "ainvoke", "partial"),
        *("partial_format", "to_messages", "to_string", "run"),
    }
)
"""Methods of a template whose result is what it makes of its slots."""
_OF_ARGUMENT: Final = frozenset(
    {
        *("dedent", "cleandoc", "str", "Template", "PromptTemplate", "from_template"),
        *("SystemMessage", "HumanMessage", "AIMessage", "UserMessage", "AssistantMessage", "ChatMessage"),
        *("SystemMessagePromptTemplate", "HumanMessagePromptTemplate", "SystemChatMessage", "HumanChatMessage", "from_system", "from_user"),
    }
)
"""Functions whose result is the text, or the message, that they are given."""
_SIFTS: Final = frozenset({"filter", "concat", "slice", "sort", "reverse", "toSorted", "toReversed", "flat"})
"""Methods of lists that give the same elements."""
_BUILDS: Final = re.compile(r"(?:add|set|compile|with)(?:$|[A-Z])")
"""Methods that give the object itself, or what it builds."""
_PICKS: Final = frozenset({"find", "findLast", "at", "pop", "shift"})
"""Methods of lists that give an element."""
_CONTENT: Final = ("content", "template", "text", "prompt")
"""Their arguments that are the text."""


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

    @property
    def place(self) -> tuple[int, int, int]:
        return (self.fn.id, self.start, self.end)


class Places:
    """Definitions of registers, by function."""

    def __init__(self, symbols: Symbols, called: Mapping[int, Iterable[int]]) -> None:
        """``called``: the functions that each function calls, by their numbers."""
        self.symbols = symbols
        self._callers: dict[int, list[int]] = {}
        for caller in sorted(called):
            for callee in called[caller]:
                self._callers.setdefault(callee, []).append(caller)
        self._definitions: dict[int, dict[int, list[Any]]] = {}
        self._calls: dict[int, dict[tuple[int, int], ir.Call]] = {}
        self._kept: dict[int, dict[int, list[Any]]] = {}
        self._states: dict[int, dict[str, list[tuple[Fn, int]]]] = {}
        """What dictionaries of a module hold, by key."""
        self._given: dict[tuple[int, int], list[tuple[Fn, int]]] = {}
        """What callers give for parameters."""
        self._by_hand: dict[int, list[Fn]] = {}
        self._asked: set[tuple[int, int]] = set()
        """Registers that are being followed: a text that is made of itself says nothing new."""
        self._displays: dict[tuple[int, int, int], list[tuple[Fn, ir.Build]]] = {}
        self._left: int | None = None
        """How many more registers may be followed for what is asked for now."""
        self._cuts = 0
        """How often a register was not followed because it was being followed already: what was found then is not all."""

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
            if kind is ir.Attr and fn.module.script and _BUILDS.match(one.name) and depth < CHAIN:
                for call in instructions(fn.ir.body):
                    if type(call) is ir.Call and call.fn == one.dst:
                        return self.holder_of(fn, call.dst, depth + 1)
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
                elif kind is ir.Attr and fn.module.script:
                    known.setdefault(one.obj, []).append(one)
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
        if not places and where.keyword:
            spread = [register for name, register in call.kw if name == "**"]  # create(messages=..., **settings)
            places = [place for register in spread for place in self._inside(fn, register, where.keyword)]
        for step in where.steps:
            places = [one for fn_, register in places for one in self._inside(fn_, register, step)]
        return places

    def _inside(self, fn: Fn, register: int, step: Any) -> list[tuple[Fn, int]]:
        found: list[tuple[Fn, int]] = []
        for at, build in self.displays(fn, register):
            for key, part in zip(build.keys, build.parts, strict=True):
                if isinstance(step, Where):
                    if any(self.constant(at, one) in step.values for one in self._part(at, part, step.part)):
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

    def constant(self, fn: Fn, register: int) -> Any:
        return next((one.value for one in self.definitions(fn).get(register, ()) if type(one) is ir.Const), None)

    def displays(self, fn: Fn, register: int, depth: int = 0) -> list[tuple[Fn, ir.Build]]:
        """The displays of lists and dicts that a register may hold."""
        known = self._displays.get((fn.id, register, depth))
        if known is not None:
            return known
        first = self._left is None
        if self._left is None:
            self._left = limits.DISPLAYS
        if self._left == 0:
            self._cuts += 1
            return []
        self._left -= 1
        cuts = self._cuts
        found = self._followed(fn, register, depth)
        if cuts == self._cuts or first:
            self._displays[(fn.id, register, depth)] = found
        if first:
            self._left = None
        return found

    def _followed(self, fn: Fn, register: int, depth: int) -> list[tuple[Fn, ir.Build]]:
        found: list[tuple[Fn, ir.Build]] = []
        for one in self.definitions(fn).get(register, ()) if depth < DEPTH else ():
            if type(one) is ir.Build:
                found.append((fn, one))
            elif type(one) is ir.Move:
                found += self.displays(fn, one.src, depth + 1)
            elif type(one) is ir.Binary and one.op in ("+", "|"):
                found += self.displays(fn, one.left, depth + 1) + self.displays(fn, one.right, depth + 1)
            elif type(one) is ir.Name:
                for module, inner, _ in self.variable(fn.module, one.name):
                    found += self.displays(module, inner, depth + 1)
            elif type(one) is ir.Call and self._converts(fn, one):
                found += self.displays(fn, one.args[0], depth + 1)
            elif type(one) is ir.Call:
                for callee in self._callees(fn, one) if not fn.module.script else ():
                    for back in instructions(callee.ir.body):
                        if type(back) is ir.Return and back.src >= 0:
                            found += self.displays(callee, back.src, depth + 1)
                state = self._key_of_state(fn, one)
                for at, part in self._kept_as(fn, state) if state else ():
                    found += self.displays(at, part, depth + 1)
                found += [display for inner in self._sifted(fn, one) for display in self.displays(fn, inner, depth + 1)]
                found += [display for inner in self._picked(fn, one) for display in self._elements(fn, inner, depth + 1)]
                if fn.module.script:
                    found += self._made(fn, one, depth + 1)
            elif type(one) is ir.Item and isinstance(one.key, str) and one.obj < len(fn.ir.params):
                for at, part in self._kept_as(fn, one.key):
                    found += self.displays(at, part, depth + 1)
            elif type(one) is ir.Elem and fn.module.script:
                found += self._elements(fn, one.src, depth + 1)
            elif type(one) is ir.Item and not isinstance(one.key, str) and fn.module.script:
                found += self._elements(fn, one.obj, depth + 1)
        for outer, inner in self.captured(fn, register) if depth < DEPTH else ():
            found += self.displays(outer, inner, depth + 1)
        followed = (fn.id, ~register)
        if not found and fn.index and register < len(fn.ir.params) and depth < DEPTH and followed in self._asked:
            self._cuts += 1
        elif not found and fn.index and register < len(fn.ir.params) and depth < DEPTH:
            self._asked.add(followed)
            for at, given in self.handed(fn, register):
                found += self.displays(at, given, depth + 1)
            self._asked.discard(followed)
        return list({(at.id, build.start, build.end): (at, build) for at, build in found}.values())[:TEXTS]

    def _elements(self, fn: Fn, register: int, depth: int) -> list[tuple[Fn, ir.Build]]:
        """The displays that stand in those of a register."""
        inner = self.displays(fn, register, depth)
        return [display for at, build in inner for part in build.parts for display in self.displays(at, part, depth + 1)]

    def _picked(self, fn: Fn, call: ir.Call) -> list[int]:
        """The list of which a call gives an element."""
        callees = self.definitions(fn).get(call.fn, ()) if fn.module.script else ()
        return [one.obj for one in callees if type(one) is ir.Attr and one.name in _PICKS]

    def _made(self, fn: Fn, call: ir.Call, depth: int) -> list[tuple[Fn, ir.Build]]:
        """The displays that a function of the project gives back."""
        found: list[tuple[Fn, ir.Build]] = []
        for callee in self.functions(fn, call.fn):
            if (callee.id, -1) in self._asked:
                self._cuts += 1
            else:
                self._asked.add((callee.id, -1))
                for one in instructions(callee.ir.body):
                    if type(one) is ir.Return and one.src >= 0:
                        found += self.displays(callee, one.src, depth)
                self._asked.discard((callee.id, -1))
        return found

    def by_hand(self, fn: Fn) -> list[Fn]:
        """The functions that a function of a script calls which are handed to it, or to one around it, or kept in an object."""
        known = self._by_hand.get(fn.id)
        if known is None:
            known = self._by_hand[fn.id] = []
            for one in instructions(fn.ir.body) if fn.module.script else ():
                if type(one) is ir.Call:
                    known += [callee for callee in self._handlers(fn, one.fn) if callee is not fn]
        return known

    def _handlers(self, fn: Fn, register: int, depth: int = 0) -> list[Fn]:
        found: list[Fn] = []
        definitions = self.definitions(fn).get(register, ()) if depth < DEPTH else ()
        for one in definitions:
            if type(one) is ir.Attr and one.name not in _SIFTS and one.name not in _PICKS:
                for at, part in self._inside(fn, one.obj, one.name):
                    found += self.functions(at, part)
            elif type(one) is ir.Item:
                for at, build in self.displays(fn, one.obj):
                    for key, part in zip(build.keys, build.parts, strict=True):
                        if one.key is None or key == one.key:
                            found += self.functions(at, part)
            elif type(one) is ir.Move:
                found += self._handlers(fn, one.src, depth + 1)
        if not definitions and fn.index:
            for outer, inner in self.captured(fn, register):
                found += self.functions(outer, inner) or self._handlers(outer, inner, depth + 1)
            if register < len(fn.ir.params):
                for outer, inner in self.handed(fn, register):
                    found += self.functions(outer, inner)
        return found

    def _sifted(self, fn: Fn, call: ir.Call) -> list[int]:
        """The list of which a call makes one of the same elements, or the object whose values it gives."""
        for one in self.definitions(fn).get(call.fn, ()):
            if type(one) is ir.Attr and one.name in _SIFTS:
                return [one.obj, *(part for part in call.args if one.name == "concat" and part >= 0)]
            if type(one) is ir.Attr and one.name == "values" and call.args and call.args[0] >= 0:
                return [call.args[0]]
        return []

    def captured(self, fn: Fn, register: int) -> list[tuple[Fn, int]]:
        """The register of the function around this one that is captured."""
        number = register - len(fn.ir.params)
        if fn.index == 0 or fn.ir.parent < 0 or not 0 <= number < len(fn.ir.captured):
            return []
        outer = fn.module.functions[fn.ir.parent]
        return [
            (outer, one.captures[number])
            for one in instructions(outer.ir.defaults + outer.ir.body)
            if type(one) is ir.Func and one.function == fn.index and number < len(one.captures)
        ]

    def _converts(self, fn: Fn, call: ir.Call) -> bool:
        """Whether a call of a library gives messages another form."""
        names = [one.name for one in self.definitions(fn).get(call.fn, ()) if type(one) in (ir.Name, ir.Attr)]
        return (
            bool(call.args)
            and call.args[0] >= 0
            and any("messages" in name and name.startswith(("convert", "to_", "trim")) for name in names)
        )

    def _callees(self, fn: Fn, call: ir.Call) -> list[Fn]:
        """The functions of the project that a call names."""
        found: list[Fn] = []
        for callee in self.definitions(fn).get(call.fn, ()):
            if type(callee) is ir.Name:
                found += [bound for bound in self.symbols.name(fn.module, callee.name) if isinstance(bound, Fn)]
            elif type(callee) is ir.Attr and fn.cls is not None and callee.obj == 0 and (method := fn.cls.method(callee.name)) is not None:
                found.append(method)
        return found

    def _key_of_state(self, fn: Fn, call: ir.Call) -> str:
        """The key of ``state.get("key")``, where the state is a parameter."""
        for callee in self.definitions(fn).get(call.fn, ()):
            if type(callee) is ir.Attr and callee.name == "get" and callee.obj < len(fn.ir.params) and call.args and call.args[0] >= 0:
                key = self.constant(fn, call.args[0])
                return key if isinstance(key, str) else ""
        return ""

    def _kept_as(self, fn: Fn, key: str) -> list[tuple[Fn, int]]:
        """What functions of the same file put under a key of a state that they share."""
        known = self._states.get(fn.module.id)
        if known is None:
            known = self._states[fn.module.id] = {}
            for other in fn.module.functions:
                for one in instructions(other.ir.body):
                    if type(one) is ir.Build and one.kind == "dict":
                        for name, part in zip(one.keys, one.parts, strict=True):
                            if isinstance(name, str) and name not in ("role", "content", "type", "**"):
                                known.setdefault(name, []).append((other, part))
        return known.get(key, [])[:CALLERS]

    def made(self, fn: Fn, register: int, depth: int = 0) -> list[tuple[Fn, ir.Call]]:
        """The calls of libraries whose result, or a text made of it, a register holds: ``TEMPLATE.format_messages(...)``."""
        found: list[tuple[Fn, ir.Call]] = []
        for one in self.definitions(fn).get(register, ()) if depth < DEPTH else ():
            if type(one) is ir.Move:
                found += self.made(fn, one.src, depth + 1)
            elif type(one) is ir.Name:
                for at, inner, _ in self.variable(fn.module, one.name):
                    found += self.made(at, inner, depth + 1)
            elif type(one) is ir.Call:
                filled = [it for it in self.definitions(fn).get(one.fn, ()) if type(it) is ir.Attr and it.name in _FILLING]
                for callee in filled:
                    found += self.made(fn, callee.obj, depth + 1)
                if not filled:
                    found.append((fn, one))
        return found

    def appended(self, fn: Fn, register: int) -> list[int]:
        """What is put into a list later on: ``messages.append(...)``."""
        found: list[int] = []
        for one in instructions(fn.ir.body):
            if type(one) is ir.Call and one.args and one.args[-1] >= 0:
                for callee in self.definitions(fn).get(one.fn, ()):
                    if type(callee) is ir.Attr and callee.name in ("append", "insert", "extend") and callee.obj == register:
                        found.append(one.args[-1])
        return found

    def callee(self, fn: Fn, start: int, end: int) -> str:
        """The name under which a call at a place is written."""
        call = self.call(fn, start, end)
        for one in self.definitions(fn).get(call.fn, ()) if call is not None else ():
            if type(one) in (ir.Name, ir.Attr):
                return str(one.name)
        return ""

    def named(self, fn: Fn) -> str:
        """The name of a function, or of the nearest one around it that has one."""
        while not fn.name.isidentifier() and fn.index and fn.ir.parent >= 0:
            outer = fn.module.functions[fn.ir.parent]
            made = next((one.dst for one in instructions(outer.ir.body) if type(one) is ir.Func and one.function == fn.index), -1)
            calls = (one for one in instructions(outer.ir.body) if type(one) is ir.Call and made in one.args)
            given = next((one.dst for one in calls), -1) if made >= 0 else -1
            held = (self.holder_of(outer, made) if made >= 0 else "") or (self.holder_of(outer, given) if given >= 0 else "")
            if held:
                return held
            fn = outer
        return fn.name if fn.name.isidentifier() else ""

    def around(self, fn: Fn) -> tuple[Fn, ir.Build, str] | None:
        """The object in which a function stands as a value, the function that makes it, and what holds the object."""
        if fn.ir.parent < 0 or fn.index == 0:
            return None
        outer = fn.module.functions[fn.ir.parent]
        for one in instructions(outer.ir.defaults + outer.ir.body):
            if type(one) is ir.Func and one.function == fn.index:
                for user in self._users(outer).get(one.dst, ()):
                    if type(user) is ir.Build:
                        return outer, user, self.holder_of(outer, user.dst) or self._made_of(outer, user.dst)
        return None

    def _made_of(self, fn: Fn, register: int) -> str:
        """What holds that which a call makes of an object."""
        calls = (one for one in instructions(fn.ir.defaults + fn.ir.body) if type(one) is ir.Call)
        return next((self.holder_of(fn, one.dst) for one in calls if register in one.args), "")

    def functions(self, fn: Fn, register: int, depth: int = 0) -> list[Fn]:
        """The functions of the module that a register may hold."""
        found: list[Fn] = []
        for one in self.definitions(fn).get(register, ()) if depth < DEPTH else ():
            if type(one) is ir.Func:
                found.append(fn.module.functions[one.function])
            elif type(one) is ir.Name:
                found += [bound for bound in self.symbols.name(fn.module, one.name) if isinstance(bound, Fn)]
            elif type(one) is ir.Move:
                found += self.functions(fn, one.src, depth + 1)
        return found

    def results(self, fn: Fn, key: str) -> list[tuple[Fn, int]]:
        """What stands under a key of the object that a function gives back."""
        ends = [one.src for one in instructions(fn.ir.body) if type(one) is ir.Return and one.src >= 0]
        return [place for end in ends for place in self._inside(fn, end, key)]

    def start(self, fn: Fn, register: int) -> int:
        """Where the value of a register is written."""
        return next((int(one.start) for one in self.definitions(fn).get(register, ())), fn.ir.start)

    def literal(self, fn: Fn, register: int) -> Any:
        """The literal that a register holds; an object of no meaning where it is none."""
        return next((one.value if type(one) is ir.Const else self for one in self.definitions(fn).get(register, ())), self)

    def said(self, fn: Fn, build: ir.Build, key: str) -> str:
        """A text that an object is written with."""
        for name, part in zip(build.keys, build.parts, strict=True):
            if name == key:
                return next((text.literal for text in self.texts(fn, part) if text.fixed), "")[: limits.COMPONENT_NAME]
        return ""

    def described(self, fn: Fn, start: int, end: int) -> str:
        """The name in the description that a tool is given: ``metadata=ToolMetadata(name="search")``."""
        call = self.call(fn, start, end)
        for key, register in call.kw if call is not None else ():
            for one in self.definitions(fn).get(register, ()) if key == "metadata" else ():
                if type(one) is ir.Call:
                    given = [part for name, part in one.kw if name == "name"]
                    name = self.constant(fn, given[0]) if given else None
                    if isinstance(name, str):
                        return name[: limits.COMPONENT_NAME]
        return ""

    # -------------------------------------------------------------------------------------------------- texts

    def texts(self, fn: Fn, register: int, name: str = "", depth: int = 0) -> list[Text]:
        """The texts that a register may hold."""
        found: list[Text] = []
        followed = (fn.id, register)
        if depth >= DEPTH or followed in self._asked:
            return found
        self._asked.add(followed)
        names = {number: known for known, number in fn.ir.names.items()}
        name = name or names.get(register, "")
        for one in self.definitions(fn).get(register, ()):
            found += self._text(fn, one, name, depth + 1)
        for outer, inner in self.captured(fn, register):
            found += self.texts(outer, inner, name, depth + 1)
        if not found and fn.index and register < len(fn.ir.params):
            found += [text for at, given in self.handed(fn, register) for text in self.texts(at, given, "", depth + 1)]
        self._asked.discard(followed)
        return list(dict.fromkeys(found))[:TEXTS]

    def handed(self, fn: Fn, param: int) -> list[tuple[Fn, int]]:
        """What callers give for a parameter."""
        known = self._given.get((fn.id, param))
        if known is not None:
            return known
        found: list[tuple[Fn, int]] = []
        self._given[(fn.id, param)] = found
        wanted = fn.ir.params[param].name
        for number in self._callers.get(fn.id, ())[:CALLERS]:
            caller = self.symbols.functions[number]
            for call in (one for one in instructions(caller.ir.body) if type(one) is ir.Call):
                for callee in self.definitions(caller).get(call.fn, ()):
                    method = type(callee) is ir.Attr
                    if not (method or type(callee) is ir.Name) or not self._is(fn, callee.name, caller):
                        continue
                    shift = 1 if fn.cls is not None and fn.ir.params and fn.ir.params[0].name in ("self", "cls") else 0
                    at = param - shift
                    if 0 <= at < len(call.args) and call.args[at] >= 0:
                        found.append((caller, call.args[at]))
                    else:
                        found += [(caller, register) for name, register in call.kw if name == wanted]
        return found

    def _is(self, fn: Fn, name: str, caller: Fn) -> bool:
        """Whether a name in a call may be that of a function."""
        if fn.name == "__init__" and fn.cls is not None:
            return name == fn.cls.name or any(
                bound is fn.cls or (isinstance(bound, Cls) and fn.cls in bound.mro) for bound in self.symbols.name(caller.module, name)
            )
        return name == fn.name

    def _text(self, fn: Fn, one: Any, name: str, depth: int) -> list[Text]:
        kind = type(one)
        if kind is ir.Const:
            return [Text(fn, one.start, one.end, name, one.value, True)] if isinstance(one.value, str) and one.value.strip() else []
        if kind is ir.Move:
            return self.texts(fn, one.src, name, depth)
        if kind is ir.Concat:
            literal = "".join(one.literals)
            if literal.strip() or not one.parts:
                return [Text(fn, one.start, one.end, name, literal, not one.parts)]
            inner = [text for part in one.parts for text in self.texts(fn, part, "", depth)]
            if len(one.parts) > 1 and len(inner) > 1:  # a text of its own, composed of others
                whole = " ".join(text.literal for text in inner)
                inner.insert(0, Text(fn, one.start, one.end, name, whole, all(text.fixed for text in inner)))
            return inner or [Text(fn, one.start, one.end, name, literal, False)]
        if kind is ir.Binary and one.op in ("+", "%"):
            left = self.texts(fn, one.left, name, depth)
            return left or (self.texts(fn, one.right, name, depth) if one.op == "+" else [])
        if kind is ir.Name:
            return [text for at, inner, variable in self.variable(fn.module, one.name) for text in self.texts(at, inner, variable, depth)]
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
                        places = self.variable(bound, one.name)
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
            if type(callee) not in (ir.Attr, ir.Name):
                continue
            if callee.name in _OF_ARGUMENT:
                given = [one.args[0]] if one.args and one.args[0] >= 0 else [register for key, register in one.kw if key in _CONTENT]
                if given:
                    return [text for register in given for text in self.texts(fn, register, name, depth)]
            if type(callee) is ir.Attr:
                if callee.name in _SAME:
                    return self.texts(fn, callee.obj, name, depth)
                if fn.cls is not None and callee.obj == 0 and (method := fn.cls.method(callee.name)) is not None:
                    return self.returned(method, depth)
                for base in self.definitions(fn).get(callee.obj, ()):
                    if type(base) is ir.Name:
                        for bound in self.symbols.name(fn.module, base.name):
                            function = self._member(bound, callee.name)
                            if function is not None:
                                return self.returned(function, depth)
            else:
                for bound in self.symbols.name(fn.module, callee.name):
                    if isinstance(bound, Fn):
                        return self.returned(bound, depth)
        return []

    def _member(self, bound: Any, name: str) -> Fn | None:
        """The function that a name of a module or class is."""
        if isinstance(bound, Mod):
            return next((one for one in self.symbols.name(bound, name) if isinstance(one, Fn)), None)
        if isinstance(bound, Cls):
            return bound.method(name)
        return None

    def returned(self, fn: Fn, depth: int = 0) -> list[Text]:
        """The texts that a function gives back."""
        found: list[Text] = []
        own: list[Text] = []
        for one in instructions(fn.ir.body):
            if type(one) is ir.Return and one.src >= 0:
                for text in self.texts(fn, one.src, "", depth + 1):
                    (found if text.name else own).append(text)
        if len(own) > 1:  # one text, in several forms
            whole = " ".join(text.literal for text in own)
            own = [Text(fn, fn.ir.start, fn.ir.end, "", whole, all(text.fixed for text in own))]
        return [text._replace(name=fn.name) for text in own] + found

    def variable(self, mod: Mod, name: str) -> list[tuple[Fn, int, str]]:
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
