"""Operators, comparisons, ``and``/``or``, conditional expressions, and conditions as trees."""

from __future__ import annotations

from tree_sitter import Node

from headwater import ir, limits
from headwater.frontends.python import grammar as g
from headwater.frontends.python.dispatch import EXPR
from headwater.frontends.python.literals import float_value, integer_value, negated
from headwater.frontends.python.scope import BLOCK, MANY
from headwater.frontends.python.strings import Leaves


class Operators(Leaves):
    """Lowers operators and conditions."""

    # ---------------------------------------------------------------------------------------------- operators

    def x_binary(self, node: Node) -> int:
        if self.depth >= limits.NESTING:
            return self.too_deep(node)
        self.depth += 1
        start = node.start_byte
        chain: list[list[Node]] = []
        while node.kind_id == g.BINARY:
            children = node.children
            if len(children) != 3:
                children = g.tokens(node)
            chain.append(children)
            node = children[0]
        left = EXPR[node.kind_id](self, node)
        many = len(chain) > MANY
        while chain:
            children = chain.pop()
            operand = children[2]
            right = EXPR[operand.kind_id](self, operand)
            dst = self.nreg
            self.nreg = dst + 1
            self.emit(ir.Binary(start, operand.end_byte, dst, g.OPERATORS[children[1].kind_id], left, right))
            left = dst
            if many and self.is_full(node):
                break
        self.depth -= 1
        return left

    def x_unary(self, node: Node) -> int:
        if self.depth >= limits.NESTING:
            return self.too_deep(node)
        start, end = node.byte_range
        operand = g.parts(node)[-1]
        operator = self.text[start]
        if operator == "-" and operand.kind_id in (g.INTEGER, g.FLOAT):
            text = self.text[operand.start_byte : operand.end_byte]
            return self.const(start, end, negated(integer_value(text) if operand.kind_id == g.INTEGER else float_value(text)))
        self.depth += 1
        register = self.value(operand)
        self.depth -= 1
        dst = self.temp()
        self.emit(ir.Unary(start, end, dst, operator, register))
        return dst

    def x_not(self, node: Node) -> int:
        if self.depth >= limits.NESTING:
            return self.too_deep(node)
        self.depth += 1
        operand = g.parts(node)[-1]
        if node.start_byte in self.unit.old_exec:
            dst = self.old_exec(node, operand)
        else:
            register = self.value(operand)
            dst = self.temp()
            self.emit(ir.Test(node.start_byte, node.end_byte, dst, "not", register, -1))
        self.depth -= 1
        return dst

    def old_exec(self, node: Node, operand: Node) -> int:
        """``exec code in ns`` of Python 2, which is parsed as ``not code in ns``."""
        start, end = node.byte_range
        self.unit.note_old_python(start, end, "exec statement")
        fn = self.temp()
        self.emit(ir.Name(start, start + 4, fn, "exec"))
        children = g.tokens(operand) if operand.kind_id == g.COMPARISON else [operand]
        args = tuple(self.value(child) for child in children[::2])
        dst = self.temp()
        self.emit(ir.Call(start, end, dst, fn, args))
        return dst

    def x_comparison(self, node: Node) -> int:
        if self.depth >= limits.NESTING:
            return self.too_deep(node)
        children = g.tokens(node)
        self.depth += 1
        if len(children) == 3:
            left = self.value(children[0])
            dst = self.comparison(node, left, children[1], self.value(children[2]))
            self.depth -= 1
            return dst
        self.depth += BLOCK
        leaves = self.comparison_leaves(node, children)
        self.depth -= BLOCK + 1
        return self.choose([(ir.Not(leaf), leaf.reg) for leaf in leaves[:-1]], leaves[-1], node)

    def comparison(self, node: Node, left: int, operator: Node, right: int) -> int:
        kind = operator.kind_id
        if kind == g.TOKEN_UNEQUAL_OLD:
            self.unit.note_old_python(operator.start_byte, operator.end_byte, "<>")
        dst = self.nreg
        self.nreg = dst + 1
        self.emit(ir.Test(node.start_byte, node.end_byte, dst, g.COMPARISONS[kind], left, right))
        return dst

    def comparison_leaves(self, node: Node, children: list[Node]) -> list[ir.Leaf]:
        """``a < b < c`` as its single comparisons; the middle operands are evaluated once."""
        leaves: list[ir.Leaf] = []
        saved = self.out
        left = -1
        for i in range(1, len(children) - 1, 2):
            self.out = []
            self.emit = self.out.append
            if i == 1:
                left = self.value(children[0])
            right = self.value(children[i + 1])
            leaves.append(ir.Leaf(self.out, self.comparison(node, left, children[i], right)))
            left = right
        self.out = saved
        self.emit = saved.append
        return leaves

    def choose(self, arms: list[tuple[ir.Cond, int]], last: ir.Leaf, node: Node) -> int:
        """A value chosen among the operands of ``and``/``or``: the first arm whose condition holds, else the last."""
        start, end = node.byte_range
        dst = self.temp()
        made = [ir.Arm(cond, [ir.Move(start, end, dst, register)]) for cond, register in arms]
        self.emit(ir.If(start, end, made, [*last.pre, ir.Move(start, end, dst, last.reg)]))
        return dst

    def flat_boolean(self, node: Node) -> tuple[bool, list[Node]]:
        """Whether it is ``and``, and the operands of a chain of the same operator."""
        operator = 0
        found: list[Node] = []
        while node.kind_id == g.BOOLEAN:
            children = g.tokens(node)
            if not operator:
                operator = children[1].kind_id
            elif children[1].kind_id != operator:
                break
            found.append(children[2])
            node = children[0]
        found.append(node)
        found.reverse()
        return operator == g.TOKEN_AND, found

    def x_boolean(self, node: Node) -> int:
        if self.depth >= limits.NESTING:
            return self.too_deep(node)
        self.depth += BLOCK
        is_and, operands = self.flat_boolean(node)
        leaves: list[ir.Leaf] = []
        saved = self.out
        for operand in operands:
            self.out = []
            self.emit = self.out.append
            leaves.append(ir.Leaf(self.out, self.value(operand)))
        self.out = saved
        self.emit = saved.append
        self.depth -= BLOCK
        arms: list[tuple[ir.Cond, int]] = [(ir.Not(leaf) if is_and else leaf, leaf.reg) for leaf in leaves[:-1]]
        return self.choose(arms, leaves[-1], node)

    def x_conditional(self, node: Node) -> int:
        if self.depth >= limits.NESTING:
            return self.too_deep(node)
        self.depth += BLOCK
        start, end = node.byte_range
        arms: list[ir.Arm] = []
        dst = -1
        saved = self.out
        # ``a if b else c if d else ...`` nests to the right as deep as it is long
        while node.kind_id == g.CONDITIONAL:
            children = g.parts(node)
            if len(children) != 3:
                break
            cond = self.cond(children[1])
            self.out = []
            self.emit = self.out.append
            register = self.value(children[0])
            if dst < 0:
                dst = self.temp()
            self.emit(ir.Move(children[0].start_byte, children[0].end_byte, dst, register))
            arms.append(ir.Arm(cond, self.out))
            node = children[2]
        orelse: ir.Block = []
        self.out = orelse
        self.emit = self.out.append
        register = self.value(node)
        if dst < 0:
            dst = self.temp()
        self.emit(ir.Move(node.start_byte, node.end_byte, dst, register))
        self.out = saved
        self.emit = saved.append
        self.emit(ir.If(start, end, arms, orelse))
        self.depth -= BLOCK
        return dst

    # --------------------------------------------------------------------------------------------- conditions

    def cond(self, node: Node) -> ir.Cond:
        """A condition as a tree of its ``not``, ``and`` and ``or``."""
        negative = False
        while True:
            kind = node.kind_id
            if kind == g.PARENTHESIZED:
                children = g.parts(node)
                if not children:
                    break
                node = children[-1]
            elif kind == g.NOT:
                negative = not negative
                node = g.parts(node)[-1]
            else:
                break
        made: ir.Cond
        if kind == g.BOOLEAN and self.depth < limits.NESTING:
            self.depth += 1
            is_and, operands = self.flat_boolean(node)
            parts = [self.cond(operand) for operand in operands]
            made = ir.AllOf(parts) if is_and else ir.AnyOf(parts)
            self.depth -= 1
        else:
            saved = self.out
            pre: ir.Block = []
            self.out = pre
            self.emit = pre.append
            if kind == g.COMPARISON and self.depth < limits.NESTING and len(children := g.tokens(node)) > 3:
                self.depth += BLOCK
                made = ir.AllOf(list(self.comparison_leaves(node, children)))
                self.depth -= BLOCK
            else:
                made = ir.Leaf(pre, EXPR[kind](self, node))
            self.out = saved
            self.emit = saved.append
        return ir.Not(made) if negative else made
