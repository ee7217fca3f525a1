"""The state of lowering: one file (:class:`Unit`), one function (:class:`Scope`) and the functions still to do."""

from __future__ import annotations

import unicodedata
from typing import Any, NamedTuple

from tree_sitter import Node

from headwater import ir, limits
from headwater.frontends.python.annotations import Types
from headwater.frontends.text import from_latin

GLOBAL = -1  # what bind() gives for a name that the function declared global

# What one block inside another adds to the depth: in the IR it is several objects in one another, which those who
# encode or walk it recurse over. With it 100 blocks nest, which is as much as CPython reads, too.
BLOCK = 2
MANY = 1_000  # from here on a loop over the parts of one expression looks at the limit of instructions

_HAS_DST = frozenset(
    {ir.Const, ir.Name, ir.Move, ir.Attr, ir.Item, ir.Build, ir.Concat, ir.Binary, ir.Unary, ir.Test, ir.Call}
    | {ir.Decorate, ir.Func, ir.ClassDef, ir.Import, ir.Elem, ir.Enter, ir.Yield}
)


class Known(NamedTuple):
    """What a first lowering of a function found out and a second one must know from the start."""

    captured: tuple[str, ...]
    preset: tuple[str, ...]


class Unit:
    """One file: its text, what is collected for the module, and what is still to lower."""

    def __init__(self, text: str, types: Types) -> None:
        self.text = text  # decoded byte by byte, so that byte offsets are its offsets
        self.ascii = text.isascii()
        self.types = types
        self.functions: list[ir.Function | None] = []
        self.classes: list[ir.Class] = []
        self.gaps: list[ir.Gap] = []
        self.imports: dict[str, list[ir.Alias]] = {}
        self.imported: dict[tuple[str, int], ir.Alias] = {}
        self.stars: list[ir.Alias] = []
        self.exports: list[str] | None = None
        self.definitions: dict[str, list[tuple[str, int]]] = {}
        self.known: dict[tuple[int, int], Known] = {}
        self.old_exec: frozenset[int] = frozenset()  # where an exec statement of Python 2 was made readable for the grammar
        self.old_python: tuple[int, int, str] | None = None

    def word(self, start: int, end: int) -> str:
        """An identifier: outside ASCII in the form in which Python itself compares it."""
        text = self.text[start:end]
        return text if text.isascii() else unicodedata.normalize("NFKC", from_latin(text))

    def note_old_python(self, start: int, end: int, what: str) -> None:
        if self.old_python is None or start < self.old_python[0]:
            self.old_python = (start, end, what)


class Pending:
    """A function whose body is lowered after the function around it, when all variables of that one are known."""

    __slots__ = ("cls", "depth", "enclosing", "flags", "index", "name", "node", "owner", "qualname", "shadow", "sites")

    def __init__(
        self, node: Node, index: int, name: str, qualname: str, owner: Scope | None, cls: int, flags: set[str], depth: int
    ) -> None:
        self.node = node
        self.index = index
        self.name = name
        self.qualname = qualname
        self.owner = owner
        self.cls = cls
        self.flags = flags
        self.depth = depth
        self.shadow: dict[str, int] = {}  # variables of comprehensions around it
        self.enclosing: tuple[dict[str, int], ...] = ()
        self.sites: list[ir.Func] = []  # instructions whose captures are known only when the body is


class Scope:
    """One function while it is lowered: registers, names, and the block that instructions go to."""

    def __init__(self, unit: Unit, pending: Pending, known: Known | None) -> None:
        self.unit = unit
        self.text = unit.text
        self.wide = not unit.ascii
        self.index = pending.index
        self.pending = pending
        self.is_module = pending.owner is None
        self.prefix = "" if self.is_module else pending.qualname + "."
        self.depth = pending.depth
        self.enclosing = pending.enclosing
        self.nreg = 0
        self.steps = 0
        self.cut = False
        self.out: ir.Block = []
        self.emit = self.out.append
        self.names: dict[str, int] = {}
        self.fixed: set[int] = set()  # registers of named variables: never the target of a rewritten instruction
        self.bound: dict[str, None] = {}  # names bound by this function itself, in order
        self.free: set[str] = set()  # read (or defined without a register) before any binding was seen
        self.conflict = False
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.captured: dict[str, int] = {}
        self.captured_registers: set[int] = set()
        self.in_defaults: frozenset[str] = frozenset()  # captured by a default, where a local variable may have the same name
        self.annotations: dict[str, ir.Type] = {}
        self.flags = pending.flags
        self.queue: list[Pending] = []
        self.known = known
        # Innermost class body or comprehension: what its names meant outside, to put back at its end.
        self.local: dict[str, int | None] | None = None
        self.comprehensions: list[dict[str, int | None]] = []
        self.around: dict[str, int | None] | None = None  # ``local`` outside the outermost comprehension
        self.type_call = -1  # where the brackets of `type(x)` are read as those of the target of a type alias
        self.cls = -1
        self.members: dict[str, Pending | int] = {}

    # ------------------------------------------------------------------------------------------------ names

    def word(self, node: Node) -> str:
        if self.wide:
            return self.unit.word(node.start_byte, node.end_byte)
        return self.text[node.start_byte : node.end_byte]

    def read(self, name: str, start: int, end: int) -> int:
        register = self.names.get(name)
        return self.read_free(name, start, end) if register is None else register

    def read_free(self, name: str, start: int, end: int) -> int:
        if self.members and name in self.members:
            member = self.members[name]
            dst = self.nreg
            self.nreg = dst + 1
            if isinstance(member, int):
                self.emit(ir.ClassDef(start, end, dst, member))
            else:
                self.emit_func(start, end, dst, member)
            return dst
        if self.enclosing and name not in self.globals:
            found = self.capture(name)
            if found >= 0:
                return found
        self.free.add(name)
        dst = self.nreg
        self.nreg = dst + 1
        self.emit(ir.Name(start, end, dst, name))
        return dst

    def capture(self, name: str) -> int:
        """The register of a variable of an enclosing function; -1 where no such variable is."""
        register = self.captured.get(name)
        if register is not None:
            self.names.setdefault(name, register)
            return register
        for view in self.enclosing:
            if name in view:
                register = self.captured[name] = self.nreg
                self.nreg += 1
                self.fixed.add(register)
                self.captured_registers.add(register)
                self.names.setdefault(name, register)
                return register
        return -1

    def bind(self, name: str) -> int:
        """The register of a variable that is assigned; GLOBAL where it is declared global."""
        if self.globals and name in self.globals:
            return GLOBAL
        local = self.local
        if local is not None:
            if name in local:
                return self.names[name]
            local[name] = self.names.get(name)
            register = self.names[name] = self.nreg
            self.nreg = register + 1
            self.fixed.add(register)
            return register
        known = self.names.get(name)
        self.bound[name] = None
        if known is not None:
            if known not in self.captured_registers or name in self.nonlocals:
                return known
            self.conflict = True
            if name not in self.in_defaults:
                del self.captured[name]
        elif name in self.free:
            self.conflict = True
        register = self.names[name] = self.nreg
        self.nreg = register + 1
        self.fixed.add(register)
        return register

    def restore(self, saved: dict[str, int | None]) -> None:
        names = self.names
        for name, register in saved.items():
            if register is None:
                names.pop(name, None)
            else:
                names[name] = register

    def preset(self) -> None:
        """Gives registers to what an earlier lowering of this function found to be captured or bound after a read."""
        if self.known is None:
            return
        for name in self.known.captured:
            self.captured[name] = self.nreg
            self.captured_registers.add(self.nreg)
            self.fixed.add(self.nreg)
            self.nreg += 1

    def assign_name(self, name: str, start: int, end: int, src: int) -> int:
        """``name = src``; gives the register that holds the value afterwards."""
        before = self.nreg
        dst = self.bind(name)
        if dst == GLOBAL:
            self.emit(ir.StoreGlobal(start, end, name, src))
            return src
        out = self.out
        if src not in self.fixed and out:
            last: Any = out[-1]
            # The value was computed by the last instruction into a temporary: let it write the variable itself.
            if last.__class__ in _HAS_DST and last.dst == src:
                if dst == before:  # a new variable: the temporary becomes its register
                    self.names[name] = src
                    self.fixed.discard(dst)
                    self.fixed.add(src)
                    self.nreg = before
                    return src
                last.dst = dst
                if src == before - 1:
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

    def defer(self, node: Node, name: str, cls: int, flags: set[str]) -> Pending:
        """Reserves the place of a function that is defined here; its body is lowered later."""
        unit = self.unit
        index = len(unit.functions)
        unit.functions.append(None)
        pending = Pending(node, index, name, self.prefix + name, self, cls, flags, self.depth + 1)
        if self.comprehensions:
            pending.shadow = {n: self.names[n] for saved in self.comprehensions for n in saved if n in self.names}
        views = self.enclosing if self.is_module else (self.names, *self.enclosing)
        pending.enclosing = (pending.shadow, *views) if pending.shadow else views
        self.queue.append(pending)
        return pending

    def emit_func(self, start: int, end: int, dst: int, pending: Pending) -> None:
        instr = ir.Func(start, end, dst, pending.index)
        pending.sites.append(instr)
        self.emit(instr)
