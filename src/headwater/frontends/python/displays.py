"""Lists, tuples, sets, dicts and comprehensions."""

from __future__ import annotations

from tree_sitter import Node

from headwater import ir, limits
from headwater.frontends.python import grammar as g
from headwater.frontends.python.dispatch import EXPR
from headwater.frontends.python.operators import Operators
from headwater.frontends.python.scope import BLOCK

JOINED = 64  # parts of an over-long display that are still looked at
_INDICES = [tuple(range(n)) for n in range(limits.BUILD_PARTS + 1)]
_NO_KEYS: list[tuple[None, ...]] = [(None,) * n for n in range(limits.BUILD_PARTS + 1)]
_LITERAL_HOLDERS = frozenset((g.LIST, g.TUPLE, g.SET, g.DICTIONARY, g.PAIR, g.UNARY, g.CONCATENATED, g.PARENTHESIZED))


class Displays(Operators):
    """Lowers displays and comprehensions."""

    # ----------------------------------------------------------------------------------------------- displays

    def x_list(self, node: Node) -> int:
        return self.build(node, "list", node.named_children)

    def x_tuple(self, node: Node) -> int:
        return self.build(node, "tuple", node.named_children)

    def x_set(self, node: Node) -> int:
        return self.build(node, "set", node.named_children)

    def build(self, node: Node, kind: str, nodes: list[Node]) -> int:
        if self.depth >= limits.NESTING:
            return self.too_deep(node)
        self.depth += 1
        table = EXPR
        parts: list[int] = []
        spread: list[bool] = []
        rest: list[Node] = []
        for child in nodes:
            child_kind = child.kind_id
            if child_kind in g.EXTRAS:
                continue
            if len(parts) == limits.BUILD_PARTS:
                rest.append(child)
            elif child_kind in g.SPLATS:
                if not spread:
                    spread = [False] * len(parts)
                parts.append(self.inner(child))
                spread.append(True)
            else:
                parts.append(table[child_kind](self, child))
                if spread:
                    spread.append(False)
        self.depth -= 1
        dst = self.nreg
        self.nreg = dst + 1
        count = len(parts)
        keys: tuple[str | int | None, ...] = _INDICES[count] if kind != "set" else _NO_KEYS[count]
        if spread:
            at = spread.index(True)
            keys = tuple("**" if s else (k if i < at else None) for i, (s, k) in enumerate(zip(spread, keys, strict=True)))
        start, end = node.byte_range
        self.emit(ir.Build(start, end, dst, kind, keys, tuple(parts), tuple(spread)))
        if rest:
            self.join_rest(dst, rest)
        return dst

    def x_dictionary(self, node: Node) -> int:
        if self.depth >= limits.NESTING:
            return self.too_deep(node)
        self.depth += 1
        keys: list[str | int | None] = []
        parts: list[int] = []
        spread: list[bool] = []
        rest: list[Node] = []
        for child in node.named_children:
            child_kind = child.kind_id
            if child_kind in g.EXTRAS:
                continue
            if len(parts) == limits.BUILD_PARTS:
                rest.append(child)
            elif child_kind == g.PAIR:
                pair = g.parts(child)
                key = self.literal_key(pair[0])
                if key is None:
                    self.value(pair[0])
                keys.append(key)
                parts.append(EXPR[pair[-1].kind_id](self, pair[-1]))
                if spread:
                    spread.append(False)
            else:
                if not spread:
                    spread = [False] * len(parts)
                keys.append("**")
                parts.append(self.inner(child))
                spread.append(True)
        self.depth -= 1
        dst = self.temp()
        start, end = node.byte_range
        self.emit(ir.Build(start, end, dst, "dict", tuple(keys), tuple(parts), tuple(spread)))
        if rest:
            self.join_rest(dst, rest)
        return dst

    def join_rest(self, dst: int, nodes: list[Node]) -> None:
        """The parts of a display beyond the limit: those that are no literals are joined, up to a bound."""
        self.depth += 1
        joined = 0
        for node in nodes:
            if self.is_literal(node, 0):
                continue
            start, end = node.byte_range
            if joined == JOINED:
                self.gap(start, nodes[-1].end_byte, "display")
                break
            joined += 1
            if node.kind_id == g.PAIR:
                pair = g.parts(node)
                if self.literal_key(pair[0]) is None:
                    self.value(pair[0])
                register = self.value(pair[-1])
            else:
                register = self.inner(node) if node.kind_id in g.SPLATS or node.kind_id == g.DICTIONARY_SPLAT else self.value(node)
            self.emit(ir.StoreItem(start, end, dst, None, -1, register))
        self.depth -= 1

    def is_literal(self, node: Node, depth: int) -> bool:
        kind = node.kind_id
        if kind == g.STRING:
            return self.text[node.start_byte] in "\"'" or not self.is_format(self.text[node.start_byte : node.start_byte + 6])
        if kind in g.LITERALS or kind == g.COMMENT:
            return True
        if kind in _LITERAL_HOLDERS and depth < 8:
            return all(self.is_literal(child, depth + 1) for child in node.named_children)
        return False

    # ------------------------------------------------------------------------------------------ comprehensions

    def x_list_comprehension(self, node: Node) -> int:
        return self.comprehension(node, "list")

    def x_set_comprehension(self, node: Node) -> int:
        return self.comprehension(node, "set")

    def x_dictionary_comprehension(self, node: Node) -> int:
        return self.comprehension(node, "dict")

    def x_generator(self, node: Node) -> int:
        return self.comprehension(node, "generator")

    def comprehension(self, node: Node, kind: str) -> int:
        body, *clauses = g.parts(node)
        # Each clause nests the result one block deeper
        depth = self.depth
        if depth + BLOCK * len(clauses) >= limits.NESTING:
            return self.too_deep(node)
        self.depth = depth + BLOCK * len(clauses) + 1
        start, end = node.byte_range
        dst = self.temp()
        self.emit(ir.Build(start, end, dst, kind, (), ()))
        saved = self.out
        outer = self.local
        if not self.comprehensions:
            self.around = outer
        shadows: dict[str, int | None] = {}
        for clause in clauses:
            if clause.kind_id == g.FOR_IN:
                self.comprehension_loop(clause, shadows)
            else:
                cond = self.cond(g.parts(clause)[-1])
                arm: ir.Block = []
                self.emit(ir.If(clause.start_byte, clause.end_byte, [ir.Arm(cond, arm)], []))
                self.out = arm
                self.emit = arm.append
            if self.local is not shadows:
                self.local = shadows
                self.comprehensions.append(shadows)
        key_register = -1
        if body.kind_id == g.PAIR:
            pair = g.parts(body)
            key = self.literal_key(pair[0])
            if key is None:
                key_register = self.value(pair[0])
            self.emit(ir.StoreItem(body.start_byte, body.end_byte, dst, key, key_register, self.value(pair[-1])))
        else:
            register = self.inner(body) if body.kind_id in g.SPLATS else self.value(body)
            self.emit(ir.StoreItem(body.start_byte, body.end_byte, dst, None, -1, register))
        self.restore(shadows)
        if self.local is shadows:
            self.comprehensions.pop()
        self.local = outer
        self.out = saved
        self.emit = saved.append
        self.depth = depth
        return dst

    def comprehension_loop(self, clause: Node, shadows: dict[str, int | None]) -> None:
        children = g.parts(clause)
        left = children[0]
        right = children[1]
        if len(children) > 2:
            source = self.build(clause, "tuple", children[1:])
        else:
            source = self.value(right)
        outer = self.local
        loop: ir.Block = []
        self.emit(ir.Loop(clause.start_byte, clause.end_byte, None, loop, []))
        self.out = loop
        self.emit = loop.append
        self.local = shadows
        what = "async" if self.text.startswith("async", clause.start_byte) else "item"
        self.element(left, right, source, what)
        self.local = outer

    def element(self, left: Node, right: Node, source: int, what: str) -> None:
        """The target of a loop takes one element."""
        start, end = left.start_byte, right.end_byte
        dst = self.nreg
        self.nreg = dst + 1
        self.emit(ir.Elem(start, end, dst, source, what))
        self.store(left, dst)
