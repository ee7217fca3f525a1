"""The state of lowering: one file (:class:`Unit`), one function (:class:`Scope`) and the functions still to do."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

from tree_sitter import Node

from headwater import ir, limits
from headwater.frontends.text import from_latin
from headwater.frontends.typescript.types import Types

# What one block inside another adds to the depth: in the IR it is several objects in one another, which those who
# encode or walk it recurse over.
BLOCK = 2
MANY = 1_000  # from here on a loop over the parts of one expression looks at the limit of instructions

_HAS_DST = frozenset(
    {ir.Const, ir.Name, ir.Move, ir.Attr, ir.Item, ir.Build, ir.Concat, ir.Binary, ir.Unary, ir.Test, ir.Call}
    | {ir.Decorate, ir.Func, ir.ClassDef, ir.Import, ir.Elem, ir.Enter, ir.Yield}
)


class Unit:
    """One file: its text, what is collected for the module, and what is still to lower."""

    def __init__(self, text: str) -> None:
        self.text = text  # decoded byte by byte, so that byte offsets are its offsets
        self.types = Types(text)
        self.functions: list[ir.Function | None] = []
        self.classes: list[ir.Class] = []
        self.gaps: list[ir.Gap] = []
        self.imports: dict[str, list[ir.Alias]] = {}
        self.imported: dict[str, ir.Alias] = {}
        self.stars: list[ir.Alias] = []
        self.exported: dict[str, str] = {}
        self.definitions: dict[str, list[tuple[str, int]]] = {}
        # Where names are used, in order; which names are assigned after their declaration; the ``var`` declarations by the
        # start of the function that they belong to (-1: the module).
        self.use_starts: list[int] = []
        self.use_names: list[str] = []
        self.assigned: set[str] = set()
        self.vars: dict[int, list[Node]] = {}
        self.constructors: dict[str, int] = {}
        """Functions that are used as classes: name to the index of the class (-1: not made yet)."""

    def uses(self, start: int, end: int) -> dict[str, None]:
        """The names used in a range, in order."""
        starts = self.use_starts
        return dict.fromkeys(self.use_names[bisect_left(starts, start) : bisect_left(starts, end)])


class Pending:
    """A function whose body is lowered later."""

    __slots__ = (
        "arrow",
        "captured",
        "cls",
        "depth",
        "fields",
        "flags",
        "has_base",
        "index",
        "is_async_body",
        "name",
        "node",
        "parent",
        "qualname",
        "static_of",
        "this",
    )

    def __init__(self, node: Node, index: int, name: str, qualname: str, parent: int, depth: int, flags: Iterable[str]) -> None:
        self.node = node
        self.index = index
        self.name = name
        self.qualname = qualname
        self.parent = parent
        self.depth = depth
        self.flags = set(flags)
        self.captured: tuple[str, ...] = ()
        self.cls = -1
        self.this = False  # ``this`` is parameter 0
        self.arrow = node.type == "arrow_function"  # ``this`` is that of the function around it
        self.static_of = ""  # the class that ``this`` is in a static method
        self.fields: list[Node] = []  # of a class, set by its constructor
        self.has_base = False
        self.is_async_body = False  # compiled form: ``yield`` is ``await``


class Scope:
    """One function while it is lowered: registers, names, and the block that instructions go to."""

    def __init__(self, unit: Unit, pending: Pending) -> None:
        self.unit = unit
        self.text = unit.text
        self.wide = not unit.text.isascii()
        self.pending = pending
        self.index = pending.index
        self.is_module = pending.parent < 0
        self.prefix = "" if self.is_module else pending.qualname + "."
        self.depth = pending.depth
        self.nreg = 0
        self.steps = 0
        self.cut = False
        self.out: ir.Block = []
        self.emit = self.out.append
        self.names: dict[str, int] = {}  # what is visible here
        self.all_names: dict[str, int] = {}  # what is or was visible somewhere in the function
        self.outer: dict[str, int | None] | None = None  # of the innermost block: what its names mean outside of it
        self.blocks: dict[str, int] = {}  # of the module: names of blocks, which functions inside capture
        self.fixed: set[int] = set()  # registers of named variables: never the target of a rewritten instruction
        self.captured: dict[str, int] = {}
        self.nonlocals: set[str] = set()
        self.annotations: dict[str, ir.Type] = {}
        self.flags = pending.flags
        self.queue: list[Pending] = []
        self.breaks: list[bool] = []  # for each thing around that ``break`` leaves: whether it is a loop
        self.super_called = False
        self.space = ""  # the namespace that the statements are in
        self.space_names: dict[str, int] = {}

    # ------------------------------------------------------------------------------------------------ names

    def word(self, node: Node) -> str:
        text = self.text[node.start_byte : node.end_byte]
        return text if not self.wide or text.isascii() else from_latin(text)

    def read(self, name: str, start: int, end: int) -> int:
        register = self.names.get(name)
        if register is not None:
            return register
        dst = self.nreg
        self.nreg = dst + 1
        self.emit(ir.Name(start, end, dst, name))
        return dst

    def declare(self, name: str) -> int:
        """A variable of the innermost block."""
        known = self.names.get(name)
        outer = self.outer
        if outer is None:
            if known is not None and name not in self.captured:
                return known
            self.captured.pop(name, None)
        elif name in outer:
            assert known is not None
            return known
        else:
            outer[name] = known
            again = self.all_names.get(name)
            if known is None and again is not None:  # a block before had a variable of that name
                self.names[name] = again
                if self.is_module:
                    self.blocks[name] = again
                return again
        register = self.nreg
        self.nreg = register + 1
        self.fixed.add(register)
        self.names[name] = register
        if outer is not None and self.is_module:
            self.blocks[name] = register
        unique = name
        while unique in self.all_names:
            unique += "'"
        self.all_names[unique] = register
        return register

    def begin_block(self) -> dict[str, int | None] | None:
        """Begins a block with names of its own; gives what :meth:`end_block` needs."""
        saved = self.outer
        self.outer = {}
        return saved

    def end_block(self, saved: dict[str, int | None] | None) -> None:
        if self.outer:
            names = self.names
            for name, register in self.outer.items():
                if register is None:
                    del names[name]
                    self.blocks.pop(name, None)
                else:
                    names[name] = register
                    if name in self.blocks:
                        self.blocks[name] = register
        self.outer = saved

    def assign_name(self, name: str, start: int, end: int, src: int) -> int:
        """``name = src``; gives the register that holds the value afterwards."""
        dst = self.names.get(name)
        if dst is None:
            if not self.is_module:
                self.emit(ir.StoreGlobal(start, end, name, src))
                return src
            saved, self.outer = self.outer, None
            dst = self.declare(name)
            self.outer = saved
        elif name in self.captured:
            self.nonlocals.add(name)
        return self.move(dst, start, end, src)

    def move(self, dst: int, start: int, end: int, src: int) -> int:
        """``dst = src`` where dst is the register of a variable."""
        out = self.out
        if src not in self.fixed and out:
            last: Any = out[-1]
            # The value was computed by the last instruction into a temporary: let it write the variable itself.
            if last.__class__ in _HAS_DST and last.dst == src:
                last.dst = dst
                if src == self.nreg - 1:
                    self.nreg = src
                return dst
        self.emit(ir.Move(start, end, dst, src))
        return dst

    # ---------------------------------------------------------------------------------------------- helpers

    def temp(self) -> int:
        register = self.nreg
        self.nreg = register + 1
        return register

    def const(self, start: int, end: int, value: ir.Literal) -> int:
        register = self.nreg
        self.nreg = register + 1
        self.emit(ir.Const(start, end, register, value))
        return register

    def gap(self, start: int, end: int, reason: str) -> None:
        self.unit.gaps.append(ir.Gap(start, end, reason))

    def too_deep(self, node: Node) -> int:
        start, end = node.byte_range
        self.gap(start, end, f"nesting beyond {limits.NESTING}")
        return self.const(start, end, None)

    def is_full(self, node: Node) -> bool:
        """Whether the function passed the limit of instructions: what is left of it is then one gap."""
        if self.steps + self.nreg <= limits.INSTRUCTIONS:
            return False
        if not self.cut:
            self.cut = True
            self.gap(node.start_byte, self.pending.node.end_byte, f"function beyond {limits.INSTRUCTIONS} instructions")
        return True

    # -------------------------------------------------------------------------------------------- functions

    def defer(self, node: Node, name: str, flags: Iterable[str] = (), ranges: Iterable[Node] | None = None) -> Pending:
        """Reserves the place of a function that is defined here; its body is lowered later."""
        unit = self.unit
        index = len(unit.functions)
        unit.functions.append(None)
        pending = Pending(node, index, name, self.prefix + name, self.index, self.depth + 1, flags)
        visible = self.blocks if self.is_module else self.names
        if visible:
            self.find_captured(pending, visible, [node] if ranges is None else ranges)
        self.queue.append(pending)
        return pending

    def find_captured(self, pending: Pending, visible: dict[str, int], ranges: Iterable[Node]) -> None:
        """The variables here that are used in the range of the function, but for names of its parameters."""
        raise NotImplementedError

    def emit_func(self, start: int, end: int, dst: int, pending: Pending) -> None:
        names = self.names
        self.emit(ir.Func(start, end, dst, pending.index, tuple(names[name] for name in pending.captured)))
