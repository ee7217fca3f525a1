"""The ``match`` statement: each case is an arm whose condition tests the subject and takes it apart."""

from __future__ import annotations

from tree_sitter import Node

from headwater import ir, limits
from headwater.frontends.python import grammar as g
from headwater.frontends.python.expressions import Expressions
from headwater.frontends.python.scope import BLOCK

# Classes whose single positional pattern is the subject itself
_SELF = frozenset(("bool", "bytearray", "bytes", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple"))
_LITERAL = frozenset((g.STRING, g.CONCATENATED, g.INTEGER, g.FLOAT))
_IN_MAPPING = frozenset((g.TOKEN_MINUS, g.TOKEN_COLON, g.TOKEN_COMMA, g.TOKEN_UNDERSCORE))
_CONSTANT = frozenset((g.TRUE, g.FALSE, g.NONE))


class Patterns(Expressions):
    """Lowers the patterns of ``case``; instructions that bind go before the next test, or to the body."""

    def s_match(self, node: Node) -> None:
        if self.depth >= limits.NESTING:
            self.too_deep(node)
            return
        subjects: list[Node] = []
        block: Node | None = None
        for child in g.parts(node):
            if child.kind_id == g.BLOCK:
                block = child
            else:
                subjects.append(child)
        if not subjects:
            return
        self.depth += BLOCK
        subject = self.value(subjects[0]) if len(subjects) == 1 else self.build(node, "tuple", subjects)
        arms: list[ir.Arm] = []
        orelse: ir.Block = []
        cases = [c for c in g.parts(block) if c.kind_id == g.CASE] if block is not None else []
        for case in cases:
            cond, body = self.case(case, subject)
            if cond is None and case is cases[-1]:
                orelse = body
            else:
                start, end = case.byte_range
                arms.append(ir.Arm(cond or self.always(start, end), body))
        self.depth -= BLOCK
        self.emit(ir.If(node.start_byte, node.end_byte, arms, orelse))

    def always(self, start: int, end: int) -> ir.Leaf:
        dst = self.temp()
        return ir.Leaf([ir.Const(start, end, dst, True)], dst)

    def case(self, node: Node, subject: int) -> tuple[ir.Cond | None, ir.Block]:
        patterns: list[Node] = []
        guard: Node | None = None
        block: Node | None = None
        for child in g.parts(node):
            kind = child.kind_id
            if kind == g.BLOCK:
                block = child
            elif kind == g.IF_CLAUSE:
                guard = g.parts(child)[-1]
            else:
                patterns.append(child)
        saved = self.out
        self.out = []
        self.emit = self.out.append
        conds: list[ir.Cond] = []
        if len(patterns) == 1 and not any(c.kind_id == g.TOKEN_COMMA for c in node.children):
            self.pattern(patterns[0], subject, conds)
        else:
            self.sequence(node, patterns, subject, conds)
        bound = self.out
        if guard is not None:
            cond = self.cond(guard)
            _prepend(cond, bound)
            bound = []
            conds.append(cond)
        self.out = saved
        self.emit = saved.append
        body = self.sub_block(block)
        body[:0] = bound
        if not conds:
            return None, body
        return conds[0] if len(conds) == 1 else ir.AllOf(conds), body

    def test(self, conds: list[ir.Cond], register: int) -> None:
        """Ends the instructions so far with a test of ``register``."""
        conds.append(ir.Leaf(self.out, register))
        self.out = []
        self.emit = self.out.append

    def test_present(self, node: Node, subject: int, conds: list[ir.Cond]) -> None:
        # The lengths and kinds that a structure asks for prove nothing that the analysis uses; but it may not match.
        start, end = node.byte_range
        nothing = self.const(start, end, None)
        dst = self.temp()
        self.emit(ir.Test(start, end, dst, "is not", subject, nothing))
        self.test(conds, dst)

    def pattern(self, node: Node, subject: int, conds: list[ir.Cond]) -> None:
        if self.depth >= limits.NESTING:
            self.too_deep(node)
            return
        self.depth += 1
        self.pattern_inner(node, subject, conds)
        self.depth -= 1

    def pattern_inner(self, node: Node, subject: int, conds: list[ir.Cond]) -> None:
        kind = node.kind_id
        start, end = node.byte_range
        if kind == g.CASE_PATTERN:
            children = g.parts(node)
            if not children:  # `_`
                return
            if self.text[start] == "-" and children[0].kind_id in (g.INTEGER, g.FLOAT):
                self.equals(node, subject, self.negative(node, children[0]), conds)
                return
            node = children[0]
            kind = node.kind_id
            start, end = node.byte_range
        if kind in _LITERAL:
            self.equals(node, subject, self.value(node), conds)
        elif kind in _CONSTANT:
            constant = self.value(node)
            dst = self.temp()
            self.emit(ir.Test(start, end, dst, "is", subject, constant))
            self.test(conds, dst)
        elif kind == g.DOTTED_NAME or kind == g.IDENTIFIER:
            names = g.parts(node)
            if len(names) > 1:
                self.equals(node, subject, self.value(node), conds)
            else:
                self.capture_name(node, subject)
        elif kind == g.AS_PATTERN:
            children = g.parts(node)
            self.pattern(children[0], subject, conds)
            self.capture_name(children[-1], subject)
        elif kind == g.CLASS_PATTERN:
            self.class_pattern(node, subject, conds)
        elif kind == g.LIST_PATTERN:
            self.sequence(node, g.parts(node), subject, conds)
        elif kind == g.TUPLE_PATTERN:
            children = g.parts(node)
            if len(children) == 1 and not any(c.kind_id == g.TOKEN_COMMA for c in node.children):
                self.pattern(children[0], subject, conds)
            else:
                self.sequence(node, children, subject, conds)
        elif kind == g.DICT_PATTERN:
            self.mapping(node, subject, conds)
        elif kind == g.UNION_PATTERN:
            self.alternatives(node, subject, conds)
        elif kind == g.COMPLEX_PATTERN:
            self.test_present(node, subject, conds)
        elif kind == g.SPLAT_PATTERN:
            self.rest(node, subject)

    def equals(self, node: Node, subject: int, value: int, conds: list[ir.Cond]) -> None:
        dst = self.temp()
        self.emit(ir.Test(node.start_byte, node.end_byte, dst, "==", subject, value))
        self.test(conds, dst)

    def negative(self, node: Node, number: Node) -> int:
        register = self.value(number)
        dst = self.temp()
        self.emit(ir.Unary(node.start_byte, number.end_byte, dst, "-", register))
        return dst

    def capture_name(self, node: Node, subject: int) -> None:
        name = self.word(node)
        if name == "_":
            return
        start, end = node.byte_range
        self.assign_name(name, start, end, subject)

    def class_pattern(self, node: Node, subject: int, conds: list[ir.Cond]) -> None:
        children = g.parts(node)
        start, end = node.byte_range
        cls = self.value(children[0])
        name = self.word(children[0])
        dst = self.temp()
        self.emit(ir.Test(start, end, dst, "isinstance", subject, cls))
        self.test(conds, dst)
        for i, child in enumerate(children[1:]):
            inner = g.parts(child) if child.kind_id == g.CASE_PATTERN else [child]
            if inner and inner[0].kind_id == g.KEYWORD_PATTERN:
                keyword = g.parts(inner[0])
                if len(keyword) < 2:
                    if any(c.kind_id == g.TOKEN_MINUS for c in inner[0].children) or not keyword:
                        continue
                    value: Node | None = None  # `name=_`
                else:
                    value = keyword[1]
                if value is None:
                    continue
                part = self.temp()
                self.emit(ir.Attr(keyword[0].start_byte, keyword[0].end_byte, part, subject, self.word(keyword[0])))
                if value.kind_id in (g.INTEGER, g.FLOAT) and any(c.kind_id == g.TOKEN_MINUS for c in inner[0].children):
                    self.equals(inner[0], part, self.negative(inner[0], value), conds)
                else:
                    self.pattern(value, part, conds)
            elif i == 0 and name in _SELF:
                self.pattern(child, subject, conds)
            else:
                part = self.temp()
                self.emit(ir.Item(child.start_byte, child.end_byte, part, subject, i))
                self.pattern(child, part, conds)

    def sequence(self, node: Node, children: list[Node], subject: int, conds: list[ir.Cond]) -> None:
        self.test_present(node, subject, conds)
        splats = [_splat(c) is not None for c in children]
        starred = splats.index(True) if True in splats else len(children)
        for i, child in enumerate(children):
            start, end = child.byte_range
            splat = _splat(child)
            if splat is not None:
                dst = self.temp()
                self.emit(ir.Elem(start, end, dst, subject, "rest"))
                self.rest(splat, dst)
                continue
            if child.kind_id == g.CASE_PATTERN and not child.named_child_count:
                continue
            dst = self.temp()
            self.emit(ir.Item(start, end, dst, subject, i if i < starred else i - len(children)))
            self.pattern(child, dst, conds)

    def rest(self, node: Node, subject: int) -> None:
        names = g.parts(node)
        if names:
            self.capture_name(names[-1], subject)

    def mapping(self, node: Node, subject: int, conds: list[ir.Cond]) -> None:
        children = [c for c in g.tokens(node) if c.is_named or c.kind_id in _IN_MAPPING]
        entry: list[Node] = []
        colon = 0
        found = False
        for child in [*children, None]:
            if child is not None and child.kind_id != g.TOKEN_COMMA:
                if child.kind_id == g.TOKEN_COLON:
                    colon = len(entry)
                else:
                    entry.append(child)
                continue
            if entry and entry[0].kind_id == g.SPLAT_PATTERN:
                self.rest(entry[0], subject)
            elif colon and len(entry) > colon:
                found = True
                self.entry(entry[colon - 1], colon > 1, entry[colon], subject, conds)
            entry = []
            colon = 0
        if not found:
            self.test_present(node, subject, conds)

    def entry(self, key: Node, negative: bool, value: Node, subject: int, conds: list[ir.Cond]) -> None:
        start, end = key.byte_range
        register = self.negative(key, key.named_children[0] if key.named_child_count else key) if negative else self.value(key)
        dst = self.temp()
        self.emit(ir.Test(start, end, dst, "in", register, subject))
        self.test(conds, dst)
        literal = None if negative else self.literal_key(key)
        part = self.temp()
        self.emit(ir.Item(value.start_byte, value.end_byte, part, subject, literal, -1 if literal is not None else register))
        self.pattern(value, part, conds)

    def alternatives(self, node: Node, subject: int, conds: list[ir.Cond]) -> None:
        saved = self.out
        made: list[ir.Cond] = []
        minus: Node | None = None
        for child in g.tokens(node):
            if child.kind_id == g.TOKEN_MINUS:
                minus = child
                continue
            if not child.is_named and child.kind_id != g.TOKEN_UNDERSCORE:
                continue
            self.out = []
            self.emit = self.out.append
            parts: list[ir.Cond] = []
            if minus is not None:
                self.equals(child, subject, self.negative(minus, child), parts)
                minus = None
            elif child.is_named:
                self.pattern(child, subject, parts)
            if not parts or self.out:
                always = self.always(child.start_byte, child.end_byte)
                parts.append(ir.Leaf([*self.out, *always.pre], always.reg))
            made.append(parts[0] if len(parts) == 1 else ir.AllOf(parts))
        self.out = saved
        self.emit = saved.append
        if not made:
            return
        either = ir.AnyOf(made)
        _prepend(either, saved)
        conds.append(either)
        self.out = []
        self.emit = self.out.append


def _splat(node: Node) -> Node | None:
    if node.kind_id == g.CASE_PATTERN:
        inner = g.parts(node)
        if len(inner) != 1:
            return None
        node = inner[0]
    return node if node.kind_id == g.SPLAT_PATTERN else None


def _prepend(cond: ir.Cond, block: ir.Block) -> None:
    """Runs ``block`` before the part of a condition that is evaluated first."""
    while not isinstance(cond, ir.Leaf):
        cond = cond.part if isinstance(cond, ir.Not) else cond.parts[0]
    cond.pre[:0] = block
