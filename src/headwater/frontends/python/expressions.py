"""Expressions of Python: attributes, items, calls and the rest, assignment targets, and the table of all expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from headwater import ir, limits
from headwater.frontends.python import grammar as g
from headwater.frontends.python.dispatch import EXPR
from headwater.frontends.python.displays import Displays
from headwater.frontends.python.scope import MANY

_CHAIN = frozenset((g.ATTRIBUTE, g.CALL, g.SUBSCRIPT))
_NO_PLAIN_ARGUMENT = frozenset((g.KEYWORD_ARGUMENT, g.LIST_SPLAT, g.DICTIONARY_SPLAT))


class Expressions(Displays):
    """Lowers expressions and assignment targets."""

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
        many = len(links) > MANY
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
            if many and self.is_full(node):
                break
        self.depth -= 1
        return register

    def isinstance_test(self, node: Node, children: list[Node]) -> int:
        """``isinstance(x, T)`` as a Test; -1 where it is not written so."""
        arguments = g.parts(children[-1])
        if len(arguments) != 2 or any(a.kind_id in _NO_PLAIN_ARGUMENT for a in arguments):
            return -1
        if "isinstance" in self.members or any("isinstance" in view for view in self.enclosing):
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
        many = len(children) > MANY
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
            self.slice_bounds(subscript)
            return None, -1
        key = self.literal_key(subscript)
        if key is not None:
            return key, -1
        if kind in g.SPLATS:
            return None, self.build(node, "tuple", subscripts)
        return None, EXPR[kind](self, subscript)

    def x_slice(self, node: Node) -> int:
        self.slice_bounds(node)
        return self.const(node.start_byte, node.end_byte, None)

    def slice_bounds(self, node: Node) -> None:
        if self.depth >= limits.NESTING:
            self.too_deep(node)
            return
        self.depth += 1
        for part in g.parts(node):
            if part.kind_id != g.IDENTIFIER and part.kind_id not in g.LITERALS:
                self.value(part)
        self.depth -= 1

    # ------ other expressions

    def x_parenthesized(self, node: Node) -> int:
        at = node.start_byte
        if at == self.type_call:
            self.type_call = -1
            argument = self.x_parenthesized(node)
            start = self.text.rfind("type", 0, at)
            fn = self.temp()
            self.emit(ir.Name(start, start + 4, fn, "type"))
            dst = self.temp()
            self.emit(ir.Call(start, node.end_byte, dst, fn, (argument,)))
            return dst
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
            register = self.store(children[-1], register)
        return register

    def x_lambda(self, node: Node) -> int:
        pending = self.defer(node, "<lambda>", -1, {"lambda"})
        dst = self.temp()
        self.emit_func(node.start_byte, node.end_byte, dst, pending)
        return dst

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


def _table() -> list[Callable[[Any, Node], int]]:
    by_name: dict[str, Callable[[Any, Node], int]] = {
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
    table: list[Callable[[Any, Node], int]] = [Expressions.x_unknown] * g.KINDS
    for name, lower in by_name.items():
        for kind in g.kinds(name):
            table[kind] = lower
    return table


EXPR.extend(_table())
