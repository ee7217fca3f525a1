"""Expressions of Python: each method lowers one kind of node and gives the register of its value."""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from headwater import ir, limits
from headwater.frontends.python import grammar as g
from headwater.frontends.python.literals import float_value, from_latin, integer_value, negated, split_quotes, string_value, unescape
from headwater.frontends.python.scope import Scope

JOINED = 64  # parts of an over-long display that are still looked at
_INDICES = [tuple(range(n)) for n in range(limits.BUILD_PARTS + 1)]
_NO_KEYS: list[tuple[None, ...]] = [(None,) * n for n in range(limits.BUILD_PARTS + 1)]
_CHAIN = frozenset((g.ATTRIBUTE, g.CALL, g.SUBSCRIPT))
_MANY = 1_000  # from here on a loop over parts of one expression looks at the limit of instructions

Lower = Callable[["Expressions", Node], int]
EXPR: list[Lower] = []  # by kind of node; filled at the end of this module


class Expressions(Scope):
    """Lowers expressions, conditions and assignment targets."""

    # ------------------------------------------------------------------------------------------------ leaves

    def x_identifier(self, node: Node) -> int:
        start = node.start_byte
        end = node.end_byte
        name = self.text[start:end]
        if self.wide and not name.isascii():
            name = self.unit.word(start, end)
        register = self.names.get(name)
        return self.read_free(name, start, end) if register is None else register

    def x_integer(self, node: Node) -> int:
        start, end = node.byte_range
        text = self.text[start:end]
        if text[0] == "0" and len(text) > 1 and text.isdigit() and text.strip("0"):
            self.unit.note_old_python(start, end, "octal number without 0o")
        elif text[-1] in "lL":
            self.unit.note_old_python(start, end, "long integer")
        return self.const(start, end, integer_value(text))

    def x_float(self, node: Node) -> int:
        start, end = node.byte_range
        return self.const(start, end, float_value(self.text[start:end]))

    def x_true(self, node: Node) -> int:
        return self.const(node.start_byte, node.end_byte, True)

    def x_false(self, node: Node) -> int:
        return self.const(node.start_byte, node.end_byte, False)

    def x_none(self, node: Node) -> int:
        return self.const(node.start_byte, node.end_byte, None)

    def x_unknown(self, node: Node) -> int:
        """What is no expression of its own (left over by a broken place): its parts are still evaluated."""
        if self.depth >= limits.NESTING:
            return self.too_deep(node)
        self.depth += 1
        for part in g.parts(node):
            self.value(part)
        self.depth -= 1
        return self.const(node.start_byte, node.end_byte, None)

    def value(self, node: Node) -> int:
        return EXPR[node.kind_id](self, node)

    # ----------------------------------------------------------------------------------------------- strings

    def literal_key(self, node: Node) -> str | int | None:
        """The value of a key that is a text or integer literal, else None."""
        kind = node.kind_id
        if kind == g.STRING:
            text = self.text[node.start_byte : node.end_byte]
            if text[0] in "\"'" or not self.is_format(text):
                return string_value(text)
        elif kind == g.INTEGER:
            value = integer_value(self.text[node.start_byte : node.end_byte])
            return value if isinstance(value, int) else None
        elif kind == g.UNARY:
            inner = g.parts(node)
            if len(inner) == 1 and inner[0].kind_id == g.INTEGER and self.text[node.start_byte] == "-":
                value = integer_value(self.text[inner[0].start_byte : inner[0].end_byte])
                return -value if isinstance(value, int) else None
        elif kind == g.PARENTHESIZED:
            inner = g.parts(node)
            if len(inner) == 1 and inner[0].kind_id in (g.STRING, g.INTEGER):
                return self.literal_key(inner[0])
        return None

    def is_format(self, text: str) -> bool:
        prefix = split_quotes(text[:6])[0]
        return "f" in prefix or "t" in prefix

    def x_string(self, node: Node) -> int:
        start, end = node.byte_range
        text = self.text[start:end]
        first = text[0]
        if first == '"' or first == "'":
            return self.const(start, end, string_value(text))
        if first == "`":
            self.unit.note_old_python(start, end, "backticks")
            return self.const(start, end, None)
        prefix = split_quotes(text[:6])[0]
        if "f" in prefix or "t" in prefix:
            return self.joined(node, [node])
        if prefix == "ur":
            self.unit.note_old_python(start, end, "ur string")
        return self.const(start, end, string_value(text))

    def x_concatenated(self, node: Node) -> int:
        strings = g.parts(node)
        text = self.text
        if any(self.is_format(text[s.start_byte : s.start_byte + 6]) for s in strings):
            return self.joined(node, strings)
        pieces: list[str] = []
        size = 0
        for string in strings:
            piece = string_value(text[string.start_byte : string.end_byte])
            pieces.append(piece)
            size += len(piece)
            if size > limits.LITERAL_CHARS:
                break
        return self.const(node.start_byte, node.end_byte, "".join(pieces)[: limits.LITERAL_CHARS])

    def joined(self, node: Node, strings: list[Node]) -> int:
        if self.depth >= limits.NESTING:
            return self.too_deep(node)
        self.depth += 1
        literals: list[str] = []
        parts: list[int] = []
        piece = ""
        for string in strings:
            written = self.text[string.start_byte : string.start_byte + 6]
            prefix = split_quotes(written)[0]
            if "f" not in prefix and "t" not in prefix:
                piece += string_value(self.text[string.start_byte : string.end_byte])
                continue
            for child in string.named_children:
                kind = child.kind_id
                if kind == g.STRING_CONTENT:
                    content = from_latin(self.text[child.start_byte : min(child.end_byte, child.start_byte + 8 * limits.LITERAL_CHARS)])
                    if "r" not in prefix:
                        content = unescape(content)
                    piece += content.replace("{{", "{").replace("}}", "}")
                elif kind == g.INTERPOLATION:
                    piece = self.interpolation(child, piece, parts, literals)
        literals.append(piece[: limits.LITERAL_CHARS])
        self.depth -= 1
        start, end = node.byte_range
        if not parts:
            return self.const(start, end, literals[0])
        dst = self.temp()
        self.emit(ir.Concat(start, end, dst, tuple(parts), tuple(literals)))
        return dst

    def interpolation(self, node: Node, piece: str, parts: list[int], literals: list[str]) -> str:
        for child in g.parts(node):
            kind = child.kind_id
            if kind == g.FORMAT_SPECIFIER:
                for inner in child.named_children:
                    if inner.kind_id == g.FORMAT_EXPRESSION:
                        if self.depth >= limits.NESTING:
                            self.too_deep(inner)
                            continue
                        self.depth += 1
                        piece = self.interpolation(inner, piece, parts, literals)
                        self.depth -= 1
                continue
            if kind == _TYPE_CONVERSION:
                continue
            after = self.text[child.end_byte : node.end_byte].lstrip()
            if after[:1] == "=":
                piece += from_latin(self.text[child.start_byte : child.end_byte]) + "="
            literals.append(piece[: limits.LITERAL_CHARS])
            piece = ""
            parts.append(EXPR[kind](self, child))
        return piece

    # ------------------------------------------------------------------------- attributes, items and calls

    def x_chain(self, node: Node) -> int:
        if self.depth >= limits.NESTING:
            return self.too_deep(node)
        self.depth += 1
        links: list[tuple[int, Node, list[Node]]] = []
        kind = node.kind_id
        while kind in _CHAIN:
            children = node.named_children
            links.append((kind, node, children))
            node = children[0]
            kind = node.kind_id
        start = node.start_byte
        register = -1
        if kind == g.IDENTIFIER:
            end = node.end_byte
            name = self.text[start:end]
            if self.wide and not name.isascii():
                name = self.unit.word(start, end)
            found = self.names.get(name)
            if found is not None:
                register = found
            elif name == "isinstance" and links[-1][0] == g.CALL and (register := self.isinstance_test(links[-1][1], links[-1][2])) >= 0:
                links.pop()
            else:
                register = self.read_free(name, start, end)
        else:
            register = EXPR[kind](self, node)
        if len(links) > _MANY and self.is_full(node):
            links.clear()
        while links:
            kind, node, children = links.pop()
            if kind == g.ATTRIBUTE:
                attribute = children[-1]
                end = attribute.end_byte
                name = self.text[attribute.start_byte : end]
                if self.wide and not name.isascii():
                    name = self.unit.word(attribute.start_byte, end)
                dst = self.nreg
                self.nreg = dst + 1
                self.emit(ir.Attr(start, end, dst, register, name))
            elif kind == g.CALL:
                args, keywords = self.arguments(children[-1])
                dst = self.nreg
                self.nreg = dst + 1
                self.emit(ir.Call(start, node.end_byte, dst, register, args, keywords))
            else:
                key, key_register = self.key(node, children)
                dst = self.nreg
                self.nreg = dst + 1
                self.emit(ir.Item(start, node.end_byte, dst, register, key, key_register))
            register = dst
        self.depth -= 1
        return register

    def isinstance_test(self, node: Node, children: list[Node]) -> int:
        """``isinstance(x, T)`` as a Test; -1 where it is not written so."""
        arguments = g.parts(children[-1])
        if len(arguments) != 2 or any(a.kind_id in _NO_PLAIN_ARGUMENT for a in arguments):
            return -1
        if self.members and "isinstance" in self.members or any("isinstance" in view for view in self.enclosing):
            return -1
        left = self.value(arguments[0])
        right = self.value(arguments[1])
        dst = self.temp()
        self.emit(ir.Test(node.start_byte, node.end_byte, dst, "isinstance", left, right))
        return dst

    def arguments(self, node: Node) -> tuple[tuple[int, ...], tuple[tuple[str, int], ...]]:
        if node.kind_id == g.GENERATOR:
            return (self.value(node),), ()
        args: list[int] = []
        keywords: list[tuple[str, int]] = []
        table = EXPR
        children = node.named_children
        many = len(children) > _MANY
        for child in children:
            kind = child.kind_id
            if kind == g.KEYWORD_ARGUMENT:
                pair = child.named_children
                value = pair[-1]
                keywords.append((self.word(pair[0]), table[value.kind_id](self, value)))
            elif kind == g.LIST_SPLAT:
                args.append(~self.inner(child))
            elif kind == g.DICTIONARY_SPLAT:
                keywords.append(("**", self.inner(child)))
            elif kind not in g.EXTRAS:
                args.append(table[kind](self, child))
            if many and self.is_full(node):
                break
        return tuple(args), tuple(keywords)

    def inner(self, node: Node) -> int:
        """The value of the single expression in a wrapper (``*x``, ``**x``, ``(x)``)."""
        if self.depth >= limits.NESTING:
            return self.too_deep(node)
        children = g.parts(node)
        if not children:
            return self.const(node.start_byte, node.end_byte, None)
        self.depth += 1
        register = EXPR[children[-1].kind_id](self, children[-1])
        self.depth -= 1
        return register

    def key(self, node: Node, children: list[Node]) -> tuple[str | int | None, int]:
        """Key and register of a subscript, as in ``ir.Item``."""
        subscripts = children[1:]
        if len(subscripts) != 1:
            subscripts = [s for s in subscripts if s.kind_id not in g.EXTRAS]
            if len(subscripts) != 1:
                return None, self.build(node, "tuple", subscripts)
        subscript = subscripts[0]
        kind = subscript.kind_id
        if kind == g.IDENTIFIER:
            return None, self.x_identifier(subscript)
        if kind == g.SLICE:
            self.value(subscript)
            return None, -1
        key = self.literal_key(subscript)
        if key is not None:
            return key, -1
        if kind in g.SPLATS:
            return None, self.build(node, "tuple", subscripts)
        return None, EXPR[kind](self, subscript)

    def x_slice(self, node: Node) -> int:
        for part in g.parts(node):
            if part.kind_id != g.IDENTIFIER and part.kind_id not in g.LITERALS:
                self.value(part)
        return -1

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
        many = len(chain) > _MANY
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
        register = self.value(g.parts(node)[-1])
        self.depth -= 1
        dst = self.temp()
        self.emit(ir.Test(node.start_byte, node.end_byte, dst, "not", register, -1))
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
        leaves = self.comparison_leaves(node, children)
        self.depth -= 1
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
        self.depth += 1
        is_and, operands = self.flat_boolean(node)
        leaves: list[ir.Leaf] = []
        saved = self.out
        for operand in operands:
            self.out = []
            self.emit = self.out.append
            leaves.append(ir.Leaf(self.out, self.value(operand)))
        self.out = saved
        self.emit = saved.append
        self.depth -= 1
        arms: list[tuple[ir.Cond, int]] = [(ir.Not(leaf) if is_and else leaf, leaf.reg) for leaf in leaves[:-1]]
        return self.choose(arms, leaves[-1], node)

    def x_conditional(self, node: Node) -> int:
        if self.depth >= limits.NESTING:
            return self.too_deep(node)
        self.depth += 1
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
        self.out = orelse = []
        self.emit = self.out.append
        register = self.value(node)
        if dst < 0:
            dst = self.temp()
        self.emit(ir.Move(node.start_byte, node.end_byte, dst, register))
        self.out = saved
        self.emit = saved.append
        self.emit(ir.If(start, end, arms, orelse))
        self.depth -= 1
        return dst

    def x_parenthesized(self, node: Node) -> int:
        while node.kind_id == g.PARENTHESIZED:
            children = g.parts(node)
            if not children:
                return self.const(node.start_byte, node.end_byte, None)
            node = children[-1]
        return EXPR[node.kind_id](self, node)

    def x_await(self, node: Node) -> int:
        register = self.inner(node)
        dst = self.temp()
        self.emit(ir.Move(node.start_byte, node.end_byte, dst, register))
        return dst

    def x_yield(self, node: Node) -> int:
        self.flags.add("generator")
        children = g.parts(node)
        src = self.inner(node) if children else -1
        each = any(c.kind_id == g.TOKEN_FROM for c in node.children)
        dst = self.temp()
        self.emit(ir.Yield(node.start_byte, node.end_byte, dst, src, each))
        return dst

    def x_walrus(self, node: Node) -> int:
        children = g.parts(node)
        if len(children) != 2:
            return self.x_unknown(node)
        register = self.inner(node)
        name = self.word(children[0])
        start, end = node.byte_range
        if not self.comprehensions:
            return self.assign_name(name, start, end, register)
        # In a comprehension it binds the name around it
        local, self.local = self.local, self.around
        register = self.assign_name(name, start, end, register)
        self.local = local
        return register

    def x_as_pattern(self, node: Node) -> int:
        children = g.parts(node)
        register = self.value(children[0])
        if len(children) > 1:
            self.store(children[-1], register)
        return register

    def x_lambda(self, node: Node) -> int:
        pending = self.defer(node, "<lambda>", -1, {"lambda"})
        dst = self.temp()
        self.emit_func(node.start_byte, node.end_byte, dst, pending)
        return dst

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
        if depth + len(clauses) >= limits.NESTING:
            return self.too_deep(node)
        self.depth = depth + len(clauses) + 1
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
            self.out = pre = []
            self.emit = pre.append
            if kind == g.COMPARISON and self.depth < limits.NESTING and len(children := g.tokens(node)) > 3:
                self.depth += 1
                made = ir.AllOf(list(self.comparison_leaves(node, children)))
                self.depth -= 1
            else:
                made = ir.Leaf(pre, EXPR[kind](self, node))
            self.out = saved
            self.emit = saved.append
        return ir.Not(made) if negative else made

    # ------------------------------------------------------------------------------------------------ targets

    def store(self, target: Node, src: int) -> int:
        """Assigns ``src`` to a target; gives a register that holds the value afterwards."""
        kind = target.kind_id
        while kind == g.PARENTHESIZED or kind == g.AS_TARGET:
            children = g.parts(target)
            if not children:
                return src
            target = children[-1]
            kind = target.kind_id
        if kind == g.IDENTIFIER:
            start, end = target.byte_range
            return self.assign_name(self.word(target), start, end, src)
        if self.depth >= limits.NESTING:
            self.too_deep(target)
            return src
        self.depth += 1
        if kind == g.ATTRIBUTE:
            children = target.named_children
            obj = self.value(children[0])
            self.emit(ir.StoreAttr(target.start_byte, target.end_byte, obj, self.word(children[-1]), src))
        elif kind == g.SUBSCRIPT:
            children = target.named_children
            obj = self.value(children[0])
            key, key_register = self.key(target, children)
            self.emit(ir.StoreItem(target.start_byte, target.end_byte, obj, key, key_register, src))
        elif kind in g.TARGETS:
            self.unpack(target, src)
        elif kind in g.SPLATS:
            inner = g.parts(target)
            if inner:
                start, end = target.byte_range
                dst = self.temp()
                self.emit(ir.Elem(start, end, dst, src, "rest"))
                self.store(inner[-1], dst)
        else:
            self.value(target)
        self.depth -= 1
        return src

    def unpack(self, target: Node, src: int) -> None:
        """``a, *b, c = src``: items from the front, the rest, items from the back."""
        children = g.parts(target)
        starred = next((i for i, c in enumerate(children) if c.kind_id in g.SPLATS), len(children))
        for i, child in enumerate(children):
            start, end = child.byte_range
            if i == starred:
                self.store(child, src)
                continue
            dst = self.temp()
            self.emit(ir.Item(start, end, dst, src, i if i < starred else i - len(children)))
            self.store(child, dst)

    # -------------------------------------------------------------------------- type expressions as values

    def x_type(self, node: Node) -> int:
        return self.inner(node)

    def x_generic_type(self, node: Node) -> int:
        if self.depth >= limits.NESTING:
            return self.too_deep(node)
        self.depth += 1
        children = g.parts(node)
        obj = self.value(children[0])
        args = g.parts(children[-1])
        key = self.value(args[0]) if len(args) == 1 else self.build(node, "tuple", args)
        self.depth -= 1
        dst = self.temp()
        self.emit(ir.Item(node.start_byte, node.end_byte, dst, obj, None, key))
        return dst

    def x_union_type(self, node: Node) -> int:
        if self.depth >= limits.NESTING:
            return self.too_deep(node)
        self.depth += 1
        children = g.parts(node)
        left = self.value(children[0])
        right = self.value(children[-1])
        self.depth -= 1
        dst = self.temp()
        self.emit(ir.Binary(node.start_byte, node.end_byte, dst, "|", left, right))
        return dst

    def x_member_type(self, node: Node) -> int:
        if self.depth >= limits.NESTING:
            return self.too_deep(node)
        self.depth += 1
        children = g.parts(node)
        obj = self.value(children[0])
        self.depth -= 1
        dst = self.temp()
        self.emit(ir.Attr(node.start_byte, node.end_byte, dst, obj, self.word(children[-1])))
        return dst

    def x_dotted_name(self, node: Node) -> int:
        names = g.parts(node)
        first = names[0]
        register = self.read(self.word(first), first.start_byte, first.end_byte)
        for part in names[1:]:
            dst = self.temp()
            self.emit(ir.Attr(node.start_byte, part.end_byte, dst, register, self.word(part)))
            register = dst
        return register


_TYPE_CONVERSION = g.kind("type_conversion")
_NO_PLAIN_ARGUMENT = frozenset((g.KEYWORD_ARGUMENT, g.LIST_SPLAT, g.DICTIONARY_SPLAT))
_LITERAL_HOLDERS = frozenset((g.LIST, g.TUPLE, g.SET, g.DICTIONARY, g.PAIR, g.UNARY, g.CONCATENATED, g.PARENTHESIZED))


def _table() -> list[Lower]:
    by_name: dict[str, Lower] = {
        "identifier": Expressions.x_identifier,
        "attribute": Expressions.x_chain,
        "call": Expressions.x_chain,
        "subscript": Expressions.x_chain,
        "string": Expressions.x_string,
        "concatenated_string": Expressions.x_concatenated,
        "integer": Expressions.x_integer,
        "float": Expressions.x_float,
        "true": Expressions.x_true,
        "false": Expressions.x_false,
        "none": Expressions.x_none,
        "ellipsis": Expressions.x_none,
        "binary_operator": Expressions.x_binary,
        "unary_operator": Expressions.x_unary,
        "not_operator": Expressions.x_not,
        "comparison_operator": Expressions.x_comparison,
        "boolean_operator": Expressions.x_boolean,
        "conditional_expression": Expressions.x_conditional,
        "parenthesized_expression": Expressions.x_parenthesized,
        "await": Expressions.x_await,
        "yield": Expressions.x_yield,
        "named_expression": Expressions.x_walrus,
        "as_pattern": Expressions.x_as_pattern,
        "lambda": Expressions.x_lambda,
        "list": Expressions.x_list,
        "list_pattern": Expressions.x_list,
        "tuple": Expressions.x_tuple,
        "tuple_pattern": Expressions.x_tuple,
        "pattern_list": Expressions.x_tuple,
        "expression_list": Expressions.x_tuple,
        "set": Expressions.x_set,
        "dictionary": Expressions.x_dictionary,
        "list_comprehension": Expressions.x_list_comprehension,
        "set_comprehension": Expressions.x_set_comprehension,
        "dictionary_comprehension": Expressions.x_dictionary_comprehension,
        "generator_expression": Expressions.x_generator,
        "slice": Expressions.x_slice,
        "list_splat": Expressions.inner,
        "list_splat_pattern": Expressions.inner,
        "dictionary_splat": Expressions.inner,
        "type": Expressions.x_type,
        "generic_type": Expressions.x_generic_type,
        "union_type": Expressions.x_union_type,
        "member_type": Expressions.x_member_type,
        "dotted_name": Expressions.x_dotted_name,
    }
    table: list[Lower] = [Expressions.x_unknown] * g.KINDS
    for name, lower in by_name.items():
        for kind in g.kinds(name):
            table[kind] = lower
    return table


EXPR.extend(_table())
