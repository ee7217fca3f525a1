"""What the code of a tool changes outside of itself, and whether the tool says so. The words are data (``words.toml``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from headwater import ir, limits
from headwater.index.calls import instructions
from headwater.index.entities import Cls, Fn
from headwater.system.commands import operand, programs
from headwater.system.graph import Key
from headwater.system.words import Kind, words
from headwater.system.written import Places, Text
from headwater.taint.sights import Deed

if TYPE_CHECKING:
    from headwater.system.build import Builder

_SAYS: Final = frozenset(
    {"name", "description", "title", "id", "annotations", "instructions", "metadata", "summary", "function", "toolName"}
)
"""Arguments and keys that tell what a tool is."""


class Effect(NamedTuple):
    """A tool changes something."""

    kind: Kind
    deed: Deed
    fn: Fn
    depth: int
    """Calls between the tool and the operation."""
    destroys: bool
    """It takes something away."""


def effects(builder: Builder, tool: Key) -> list[Effect]:
    """What the code of a tool changes, nearest first."""
    reached: dict[Fn, int] = {}
    level = [
        one for one in builder.nodes[tool].bodies.values() if one not in builder.dispatchers
    ]  # what these do, which tool does is not known
    for depth in range(limits.EFFECT_CALLS + 1):
        level = [fn for fn in dict.fromkeys(level) if fn not in reached]
        reached.update((fn, depth) for fn in level)
        level = [one for fn in level for one in builder.following(fn)]
    found: list[Effect] = []
    for fn in reached:
        deeds = sorted(builder.solver.deeds.get(fn.id, {}).values(), key=lambda one: (one.start, one.end, one.ability))
        for number, deed in enumerate(deeds):
            effect = _effect(builder.places, deed, fn, reached, deeds[:number])
            if effect is not None:
                found.append(effect)
    return found


def _effect(places: Places, deed: Deed, fn: Fn, reached: Mapping[Fn, int], earlier: Sequence[Deed]) -> Effect | None:
    """An operation as an effect: what is no more than how something is done is none."""
    known, depth = words(), reached[fn]
    last = _last(deed)
    if deed.ability == "executes-shell":
        program = deed.text.split(None, 1)[0].rpartition("/")[2] if deed.text.strip() else ""
        started = {program} if program else programs(places, fn, deed.start, deed.end, reached)
        if known.changes.isdisjoint(started) and (started or not deed.steered or deed.path.partition(".")[0] in known.fixed):
            return None
        return Effect(known.kind("executes-shell"), deed, fn, depth, bool(started))
    if deed.ability == "executes-code":
        return Effect(known.kind("executes-code"), deed, fn, depth, False) if deed.steered else None
    if deed.ability == "writes-files":
        if last in known.aside or not (deed.steered or (deed.text and last in known.deletes)):
            return None
        if last in known.deletes and _own(places, deed, fn, earlier):
            return None
        return Effect(known.kind("deletes-files" if last in known.deletes else "writes-files"), deed, fn, depth, last in known.deletes)
    destroys = last in known.destroys or deed.text.split(None, 1)[:1] in (["DELETE"], ["DROP"], ["TRUNCATE"], ["delete"], ["drop"])
    return Effect(known.kind(deed.ability), deed, fn, depth, destroys)


def _own(places: Places, deed: Deed, fn: Fn, earlier: Sequence[Deed]) -> bool:
    """Whether a file is removed that the same function has written: it belongs to the call alone."""
    place = operand(places, fn, deed.start, deed.end)
    written = (one for one in earlier if one.ability == "writes-files" and _last(one) not in words().deletes)
    return place >= 0 and any(operand(places, fn, one.start, one.end) == place for one in written)


def _last(deed: Deed) -> str:
    return deed.path.removesuffix("()").rpartition(".")[2]


class Said(NamedTuple):
    """What a tool tells of itself."""

    text: str
    described: bool
    """There is a description, and no name alone."""
    whole: bool
    """All of it is known."""
    read_only: bool
    """It says that it changes nothing (``readOnlyHint``)."""
    asks: bool
    """An argument of it asks for approval."""


def said(builder: Builder, tool: Key) -> Said:
    """The name and the description of a tool, wherever they stand."""
    node = builder.nodes[tool]
    reader = _Reader(builder)
    reader.texts.append(node.name)
    for fn in node.bodies.values():
        reader.texts += [fn.ir.doc, fn.name if fn.name.isidentifier() else ""]
        reader.decorators(fn)
        if fn.cls is not None:
            reader.cls(fn.cls)
    if tool[0] == "class":
        reader.cls(builder.symbols.classes[tool[1]])
    call = builder.places.call(node.fn, node.start, node.end)
    if call is not None:
        reader.call(node.fn, call)
    for display in _at(node.fn, node.start):
        reader.display(node.fn, display)
    described = any(len(text.split()) > 1 for text in reader.texts[1:])
    return Said(" ".join(reader.texts), described, reader.whole, reader.read_only, reader.asks)


def _at(fn: Fn, start: int) -> list[ir.Build]:
    return [one for one in instructions(fn.ir.defaults + fn.ir.body) if type(one) is ir.Build and one.start == start and one.kind == "dict"]


class _Reader:
    """Collects what is written of a tool."""

    def __init__(self, builder: Builder) -> None:
        self.places = builder.places
        self.texts: list[str] = []
        self.whole = True
        self.read_only = False
        self.asks = False

    def call(self, fn: Fn, call: ir.Call, depth: int = 0) -> None:
        for register in call.args:
            if register >= 0:
                self._argument(fn, "", register, depth)
        for name, register in call.kw:
            self._argument(fn, name, register, depth)

    def display(self, fn: Fn, build: ir.Build, depth: int = 0) -> None:
        for key, part in zip(build.keys, build.parts, strict=True):
            if isinstance(key, str):
                self._argument(fn, key, part, depth)

    def _argument(self, fn: Fn, name: str, register: int, depth: int) -> None:
        literal = self.places.literal(fn, register)
        if name in words().approval and literal not in (False, None) and str(literal).lower() not in words().refused:
            self.asks = True
        if name in ("readOnlyHint", "read_only_hint") and literal is True:
            self.read_only = True
        if name and name not in _SAYS:
            return
        texts = [] if literal in (False, True, None) else self._texts(fn, register)
        self.texts += [text.literal for text in texts]
        if name == "description" and (not texts or not all(text.fixed for text in texts)):
            self.whole = False
        inside = self.places.displays(fn, register) if depth < 2 and not texts else []
        for at, build in inside:
            if build.kind == "dict":
                self.display(at, build, depth + 1)
        for one in self.places.definitions(fn).get(register, ()) if depth < 2 and not texts else ():
            if type(one) is ir.Call:  # ToolAnnotations(readOnlyHint=True)
                self.call(fn, one, depth + 1)

    def _texts(self, fn: Fn, register: int) -> list[Text]:
        """The texts of an argument, of one that is put together all of it."""
        parts, found, seen = [register], list[Text](), set[int]()
        while parts:
            part = parts.pop()
            made = self.places.definitions(fn).get(part, ())
            if len(made) == 1 and type(made[0]) is ir.Binary and made[0].op == "+" and part not in seen:
                parts += (made[0].right, made[0].left)
                seen.add(part)
            else:
                found += self.places.texts(fn, part)
        return found

    def decorators(self, fn: Fn) -> None:
        """What the decorators of a function are called with."""
        if fn.ir.parent < 0:
            return
        outer = fn.module.functions[fn.ir.parent]
        body = list(instructions(outer.ir.defaults + outer.ir.body))
        made = {one.dst for one in body if type(one) is ir.Func and one.function == fn.index}
        for one in body:
            if type(one) is ir.Decorate and one.target in made:
                made.add(one.dst)
                for by in self.places.definitions(outer).get(one.decorator, ()):
                    if type(by) is ir.Call:
                        self.call(outer, by)

    def cls(self, cls: Cls) -> None:
        """What a class tells of itself."""
        self.texts += [cls.name, cls.ir.doc]
        for at in cls.mro:
            for name, field in at.ir.fields.items():
                if field.value >= 0:
                    self._argument(at.module.functions[at.ir.function], name, field.value, 0)
