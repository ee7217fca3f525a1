"""Operators, comparisons, ``&&``/``||``/``??``, conditional expressions, and conditions as trees."""

from __future__ import annotations

from typing import Final

from tree_sitter import Node

from headwater import ir, limits
from headwater.frontends.typescript import grammar as g
from headwater.frontends.typescript.dispatch import Lowering
from headwater.frontends.typescript.literals import number_value, tag_text, text_value
from headwater.frontends.typescript.scope import BLOCK, MANY

_LOGICAL: Final = frozenset(("&&", "||", "??"))
_COMPARISONS: Final = {"===": "==", "==": "==", "!==": "!=", "!=": "!=", "<": "<", ">": "<", "<=": "<", ">=": "<"}
_TURNED: Final = frozenset((">", "<="))
_NOT_BELOW: Final = frozenset(("<=", ">="))
_COMPARISONS.update({"in": "in", "instanceof": "isinstance"})
_TYPEOF: Final = {"string": "str", "number": "float", "bigint": "float", "boolean": "bool"}
_NEGATED: Final = frozenset(("!=", "!=="))


class Operators(Lowering):
    """Lowers literals, operators and conditions."""

    # ----------------------------------------------------------------------------------------------- literals

    def x_string(self, node: Node) -> int:
        start, end = node.byte_range
        return self.const(start, end, text_value(self.text[start + 1 : end - 1]))

    def x_number(self, node: Node) -> int:
        start, end = node.byte_range
        return self.const(start, end, number_value(self.text[start:end]))

    def x_true(self, node: Node) -> int:
        return self.const(node.start_byte, node.end_byte, True)

    def x_false(self, node: Node) -> int:
        return self.const(node.start_byte, node.end_byte, False)

    def x_none(self, node: Node) -> int:
        return self.const(node.start_byte, node.end_byte, None)

    def x_tag_text(self, node: Node) -> int:
        start, end = node.byte_range
        return self.const(start, end, tag_text(self.text[start:end]))

    def x_regex(self, node: Node) -> int:
        start, end = node.byte_range
        fn = self.temp()
        self.emit(ir.Name(start, end, fn, "RegExp"))
        pattern, flags = node.child_by_field_name("pattern"), node.child_by_field_name("flags")
        # A pattern is no escaped text: it is kept as it is written
        text = "" if pattern is None else self.word(pattern)[: limits.LITERAL_CHARS]
        marks = "" if flags is None else self.word(flags)
        # ^ and $ are the ends of a line then
        args = [self.const(start, end, f"(?m){text}" if "m" in marks and text.startswith("^") else text), self.const(start, end, marks)]
        dst = self.temp()
        self.emit(ir.Call(start, end, dst, fn, tuple(args)))
        return dst

    def template(self, node: Node) -> tuple[list[str], list[int]]:
        """The literal pieces of a template and the values between them."""
        literals: list[str] = []
        values: list[int] = []
        at = node.start_byte + 1
        children = node.named_children
        for child in children:
            if child.type != "template_substitution":
                continue
            literals.append(text_value(self.text[at : child.start_byte]))
            inner = g.parts(child)
            values.append(self.value(inner[0] if inner else child))
            at = child.end_byte
            if len(children) > MANY and self.is_full(node):
                break
        literals.append(text_value(self.text[at : node.end_byte - 1]))
        return literals, values

    def x_template(self, node: Node) -> int:
        start, end = node.byte_range
        literals, values = self.template(node)
        if not values:
            return self.const(start, end, literals[0])
        dst = self.temp()
        self.emit(ir.Concat(start, end, dst, tuple(values), tuple(literals)))
        return dst

    # ---------------------------------------------------------------------------------------------- operators

    def operator(self, node: Node) -> str:
        found = node.child_by_field_name("operator")
        return "" if found is None else found.type

    def x_binary(self, node: Node) -> int:
        start = node.start_byte
        chain: list[tuple[str, Node | None]] = []
        whole = node
        while node.type == "binary_expression":
            operator = self.operator(node)
            if operator in _LOGICAL:
                break
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if left is None or (not chain and (test := self.typeof_test(node, operator, left, right)) >= 0):
                return test if left is not None else self.unknown(node)
            if chain and left.type == "unary_expression" and operator in _COMPARISONS:
                break  # a test of a type inside of a longer expression
            chain.append((operator, right))
            node = left
        register = self.logical(node) if node is whole else self.value(node)
        many = len(chain) > MANY
        while chain:
            operator, right = chain.pop()
            other = self.value(right)
            dst = self.temp()
            end = right.end_byte if right is not None else node.end_byte
            test_op = _COMPARISONS.get(operator)
            if test_op is None:
                self.emit(ir.Binary(start, end, dst, operator, register, other))
            else:  # what is less than what is kept: a > b is b < a, and a >= b is not a < b
                sides = (other, register) if operator in _TURNED else (register, other)
                self.emit(ir.Test(start, end, dst, test_op, *sides))
                if operator in _NOT_BELOW:
                    below, dst = dst, self.temp()
                    self.emit(ir.Test(start, end, dst, "not", below, -1))
            register = dst
            if many and self.is_full(whole):
                break
        return register

    def typeof_test(self, node: Node, operator: str, left: Node, right: Node | None) -> int:
        """``typeof x === "string"`` as a test of a type; -1 where it is not written so."""
        if right is None or (not operator.endswith("==") and operator not in _NEGATED):
            return -1
        if left.type == "string":
            left, right = right, left
        if left.type != "unary_expression" or right.type != "string" or self.operator(left) != "typeof":
            return -1
        written = self.text[right.start_byte + 1 : right.end_byte - 1]
        name = _TYPEOF.get(written, written)
        start, end = node.byte_range
        operand = self.value(left.child_by_field_name("argument"))
        if name == "undefined":
            none = self.const(right.start_byte, right.end_byte, None)
            dst = self.temp()
            self.emit(ir.Test(start, end, dst, "!=" if operator in _NEGATED else "==", operand, none))
            return dst
        kind = self.temp()
        self.emit(ir.Name(right.start_byte, right.end_byte, kind, name))
        dst = self.temp()
        self.emit(ir.Test(start, end, dst, "isinstance", operand, kind))
        if operator in _NEGATED:
            negated = self.temp()
            self.emit(ir.Test(start, end, negated, "not", dst, -1))
            return negated
        return dst

    def x_unary(self, node: Node) -> int:
        start, end = node.byte_range
        operator = self.operator(node)
        operand = node.child_by_field_name("argument")
        if operand is None:
            return self.unknown(node)
        if operator == "-" and operand.type == "number":
            return self.const(start, end, -number_value(self.text[operand.start_byte : operand.end_byte]))
        if operator == "void" and operand.type == "number":
            return self.const(start, end, None)
        register = self.value(operand)
        if operator in ("void", "delete"):
            return self.const(start, end, None)
        dst = self.temp()
        if operator == "!":
            self.emit(ir.Test(start, end, dst, "not", register, -1))
        elif operator == "typeof":
            kind = self.temp()
            self.emit(ir.Name(start, start + 6, kind, "typeof"))
            self.emit(ir.Test(start, end, dst, "isinstance", register, kind))
        else:
            self.emit(ir.Unary(start, end, dst, operator, register))
        return dst

    def x_update(self, node: Node) -> int:
        target = node.child_by_field_name("argument")
        if target is None:
            return self.unknown(node)
        start, end = node.byte_range
        old = self.value(target)
        one = self.const(start, end, 1)
        dst = self.temp()
        self.emit(ir.Binary(start, end, dst, self.operator(node)[:1] or "+", old, one))
        return self.store(target, dst)

    def x_sequence(self, node: Node) -> int:
        """``a, b``: the last one. Literals before it, as in ``(0, x.f)(a)``, are only there for what they are not."""
        children = g.parts(node)
        register = -1
        for child in children:
            if child is children[-1] or child.type != "number":
                register = self.value(child)
        return register if register >= 0 else self.unknown(node)

    # ------------------------------------------------------------------------------------------ logic operators

    def choose(self, arms: list[tuple[ir.Cond, int]], last: ir.Leaf, node: Node) -> int:
        """A value chosen among the operands of ``&&``/``||``: the first arm whose condition holds, else the last."""
        start, end = node.byte_range
        dst = self.temp()
        made = [ir.Arm(cond, [ir.Move(start, end, dst, register)]) for cond, register in arms]
        self.emit(ir.If(start, end, made, [*last.pre, ir.Move(start, end, dst, last.reg)]))
        return dst

    def flat(self, node: Node) -> tuple[str, list[Node]]:
        """The operator, and the operands of a chain of the same operator."""
        operator = ""
        found: list[Node] = []
        while node.type == "binary_expression":
            this = self.operator(node)
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if left is None or right is None or this not in _LOGICAL or (operator and this != operator):
                break
            operator = this
            found.append(right)
            node = left
        found.append(node)
        found.reverse()
        return operator, found

    def leaf(self, node: Node) -> ir.Leaf:
        saved = self.out
        pre: ir.Block = []
        self.out = pre
        self.emit = pre.append
        made = ir.Leaf(pre, self.value(node))
        self.out = saved
        self.emit = saved.append
        return made

    def logical(self, node: Node) -> int:
        operator, operands = self.flat(node)
        if not operator:
            return self.unknown(node)
        self.depth += BLOCK - 1
        leaves = [self.leaf(operand) for operand in operands]
        self.depth -= BLOCK - 1
        arms: list[tuple[ir.Cond, int]] = [(ir.Not(leaf) if operator == "&&" else leaf, leaf.reg) for leaf in leaves[:-1]]
        return self.choose(arms, leaves[-1], node)

    def x_ternary(self, node: Node) -> int:
        self.depth += BLOCK - 1
        start, end = node.byte_range
        arms: list[ir.Arm] = []
        dst = self.temp()
        # ``a ? b : c ? d : ...`` nests to the right as deep as it is long
        while node.type == "ternary_expression":
            condition, yes, no = (node.child_by_field_name(name) for name in ("condition", "consequence", "alternative"))
            if condition is None or yes is None or no is None:
                break
            cond = self.cond(condition)
            leaf = self.leaf(yes)
            arms.append(ir.Arm(cond, [*leaf.pre, ir.Move(yes.start_byte, yes.end_byte, dst, leaf.reg)]))
            node = g.unwrapped(no) if no.type == "parenthesized_expression" else no
        leaf = self.leaf(node) if arms else ir.Leaf([], self.unknown(node))
        other: ir.Block = [*leaf.pre, ir.Move(node.start_byte, node.end_byte, dst, leaf.reg)]
        if arms:
            self.emit(ir.If(start, end, arms, other))
        else:
            self.out.extend(other)
        self.depth -= BLOCK - 1
        return dst

    # --------------------------------------------------------------------------------------------- conditions

    def cond(self, node: Node) -> ir.Cond:
        """A condition as a tree of its ``!``, ``&&`` and ``||``."""
        negative = False
        while True:
            node = g.unwrapped(node)
            if node.type != "unary_expression" or self.operator(node) != "!":
                break
            operand = node.child_by_field_name("argument")
            if operand is None:
                break
            negative = not negative
            node = operand
        made: ir.Cond | None = None
        if node.type == "binary_expression" and self.depth < limits.NESTING:
            operator, operands = self.flat(node)
            if operator in ("&&", "||"):
                self.depth += 1
                parts = [self.cond(operand) for operand in operands]
                made = ir.AllOf(parts) if operator == "&&" else ir.AnyOf(parts)
                self.depth -= 1
        if made is None:
            made = self.leaf(node)
            last = made.pre[-1] if made.pre else None
            if isinstance(last, ir.Test) and last.op == "not" and last.dst == made.reg:  # of a typeof
                made.pre.pop()
                made.reg = last.left
                negative = not negative
        return ir.Not(made) if negative else made
