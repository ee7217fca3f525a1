"""Checks that a module of IR is whole: every register is in range and written before a temporary of it is read."""

from __future__ import annotations

import msgspec

from headwater import ir

READS = {
    ir.Move: ("src",),
    ir.Attr: ("obj",),
    ir.Item: ("obj", "reg"),
    ir.StoreAttr: ("obj", "src"),
    ir.StoreItem: ("obj", "reg", "src"),
    ir.StoreGlobal: ("src",),
    ir.Binary: ("left", "right"),
    ir.Unary: ("operand",),
    ir.Test: ("left", "right"),
    ir.Decorate: ("decorator", "target"),
    ir.Elem: ("src",),
    ir.Enter: ("ctx",),
    ir.Return: ("src",),
    ir.Yield: ("src",),
    ir.Raise: ("src",),
}
OPTIONAL = {(ir.Item, "reg"), (ir.StoreItem, "reg"), (ir.Test, "right"), (ir.Return, "src"), (ir.Yield, "src"), (ir.Raise, "src")}


def check(module: ir.Module) -> None:
    for index, function in enumerate(module.functions):
        _Checker(module, function, index).run()
    for cls in module.classes:
        assert 0 <= cls.function < len(module.functions)
        for methods in cls.methods.values():
            for method in methods:
                assert module.classes[module.functions[method].cls] is cls
        for field in cls.fields.values():
            assert field.value < module.functions[cls.function].registers
    for found in module.definitions.values():
        for what, index in found:
            assert 0 <= index < len(module.functions if what == "function" else module.classes)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(module), type=ir.Module) == module


class _Checker:
    def __init__(self, module: ir.Module, function: ir.Function, index: int) -> None:
        self.module = module
        self.function = function
        self.where = f"{module.path}: {function.qualname}"
        self.written = set(range(len(function.params) + len(function.captured))) | set(function.names.values())
        assert (function.parent == -1) == (index == 0), self.where

    def run(self) -> None:
        function = self.function
        assert all(0 <= r < function.registers for r in function.names.values()), self.where
        assert all(0 <= i < len(function.captured) for i in function.nonlocals), self.where
        self.block(function.defaults)
        for param in function.params:
            if param.default >= 0:
                self.read(param.default)
        self.block(function.body)

    def read(self, register: int) -> None:
        assert register in self.written, f"{self.where}: register {register} is read but never written before"

    def write(self, register: int) -> None:
        assert 0 <= register < self.function.registers, f"{self.where}: register {register} out of range"
        self.written.add(register)

    def cond(self, cond: ir.Cond) -> None:
        match cond:
            case ir.Leaf():
                self.block(cond.pre)
                self.read(cond.reg)
            case ir.Not():
                self.cond(cond.part)
            case _:
                assert len(cond.parts) > 1, self.where
                for part in cond.parts:
                    self.cond(part)

    def block(self, block: ir.Block) -> None:
        for instr in block:
            assert 0 <= instr.start <= instr.end, self.where
            self.instr(instr)

    def instr(self, i: ir.AnyInstr) -> None:
        match i:
            case ir.If():
                for arm in i.arms:
                    self.cond(arm.cond)
                    self.block(arm.body)
                self.block(i.orelse)
                return
            case ir.Loop():
                if i.cond is not None:
                    self.cond(i.cond)
                else:
                    assert isinstance(i.body[0], ir.Elem), self.where
                self.block(i.body)
                self.block(i.orelse)
                return
            case ir.Try():
                self.block(i.body)
                for handler in i.handlers:
                    for register in handler.types:
                        self.read(register)
                    if handler.dst >= 0:
                        self.write(handler.dst)
                    self.block(handler.body)
                self.block(i.orelse)
                self.block(i.final)
                return
            case ir.Build():
                assert len(i.keys) == len(i.parts), self.where
                assert len(i.spread) in (0, len(i.parts)), self.where
                for part in i.parts:
                    self.read(part)
            case ir.Concat():
                assert len(i.literals) == len(i.parts) + 1, self.where
                for part in i.parts:
                    self.read(part)
            case ir.Call():
                self.read(i.fn)
                for arg in i.args:
                    self.read(~arg if arg < 0 else arg)
                for _, register in i.kw:
                    self.read(register)
            case ir.Func():
                target = self.module.functions[i.function]
                assert len(i.captures) == len(target.captured), f"{self.where}: captures of {target.qualname}"
                for register in i.captures:
                    self.read(register)
            case ir.ClassDef():
                assert 0 <= i.cls < len(self.module.classes), self.where
            case _:
                for field in READS.get(type(i), ()):
                    register = getattr(i, field)
                    if register < 0:
                        assert (type(i), field) in OPTIONAL, f"{self.where}: {i}"
                    else:
                        self.read(register)
        dst = getattr(i, "dst", None)
        if dst is not None:
            self.write(dst)
