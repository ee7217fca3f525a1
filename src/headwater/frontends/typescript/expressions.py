"""Expressions: properties, items and calls, object literals and arrays, assignments and patterns."""

from __future__ import annotations

from typing import Final

from tree_sitter import Node

from headwater import ir, limits
from headwater.frontends.typescript import grammar as g
from headwater.frontends.typescript.literals import number_value, text_value
from headwater.frontends.typescript.operators import Operators
from headwater.frontends.typescript.scope import BLOCK, MANY

_CHAIN: Final = frozenset(("member_expression", "subscript_expression", "call_expression", "non_null_expression"))
_DEFAULTED: Final = frozenset(("assignment_pattern", "object_assignment_pattern"))
_JOINED: Final = 64  # parts of one literal beyond ``limits.BUILD_PARTS`` that are joined
_ITERATORS: Final = frozenset(("Symbol.iterator", "Symbol.asyncIterator"))
_PLAIN: Final = frozenset(("string", "number", "true", "false", "null", "undefined", "comment"))


class Expressions(Operators):
    """Lowers expressions and assignment targets."""

    # ------------------------------------------------------------------------- properties, items and calls

    def x_identifier(self, node: Node) -> int:
        start, end = node.byte_range
        name = self.text[start:end]
        if self.wide:
            name = self.word(node)
        return self.read(name, start, end)

    def x_this(self, node: Node) -> int:
        start, end = node.byte_range
        if self.pending.static_of and "this" not in self.names:
            return self.read(self.pending.static_of, start, end)
        return self.read("this", start, end)

    def x_super(self, node: Node) -> int:
        """``super`` as Python has it: what ``super()`` gives."""
        start, end = node.byte_range
        fn = self.temp()
        self.emit(ir.Name(start, end, fn, "super"))
        dst = self.temp()
        self.emit(ir.Call(start, end, dst, fn, ()))
        return dst

    def x_chain(self, node: Node) -> int:
        links: list[tuple[str, Node, list[Node]]] = []
        kind = node.type
        while kind in _CHAIN:
            children = node.named_children
            if kind != "non_null_expression":
                links.append((kind, node, children))
            node = children[0]
            kind = node.type
        start = node.start_byte
        register = self.chain_start(links, node, kind)
        many = len(links) > MANY
        while links:
            kind, node, children = links.pop()
            if kind == "member_expression":
                register = self.attribute(node, start, children[-1], register)
            elif kind == "call_expression":
                args = self.call_arguments(children[-1])
                dst = self.temp()
                self.emit(ir.Call(start, node.end_byte, dst, register, args))
                register = dst
            else:
                register = self.item(node, start, children[-1], register)
            if many and self.is_full(node):
                break
        return register

    def chain_start(self, links: list[tuple[str, Node, list[Node]]], node: Node, kind: str) -> int:
        """The value that a chain begins with; links that are one with it are taken away."""
        start = node.start_byte
        if kind == "identifier":
            name = self.word(node)
            if name in ("exports", "module") and name not in self.names:
                register = self.read_export(links, name, node)
                if register >= 0:
                    return register
            # A call of require, import, or a helper of a compiler round it
            if links and name not in self.names and (register := self.required(links)) >= 0:
                return register
            return self.x_identifier(node)
        if kind == "super" and links and links[-1][0] == "call_expression":
            _, call, children = links.pop()
            self.super_called = True
            holder = self.x_super(node)
            fn = self.temp()
            self.emit(ir.Attr(start, node.end_byte, fn, holder, "__init__"))
            args = self.call_arguments(children[-1])
            dst = self.temp()
            self.emit(ir.Call(start, call.end_byte, dst, fn, args))
            return dst
        if kind == "import" and links and (register := self.required(links)) >= 0:
            return register
        if kind == "import":
            return self.read("import", start, node.end_byte)
        return self.value(node)

    def required(self, links: list[tuple[str, Node, list[Node]]]) -> int:
        """``require("x")`` at the start of a chain as the module, and ``__awaiter(...)``; -1 where it is none."""
        for at in (-1, -2):  # ``tslib_1.__importStar(require("x"))``
            if len(links) >= -at and links[at][0] == "call_expression":
                call = links[at][1]
                if self.text.endswith("__awaiter", call.start_byte, links[at][2][0].end_byte):
                    register = self.awaited_body(call, links[at][2][-1])
                    if register >= 0:
                        del links[at:]
                    return register
                path = self.module_of(call)
                if not path:
                    return -1
                del links[at:]
                if links and links[-1][0] == "member_expression" and self.word(links[-1][2][-1]) == "default" and at == -1:
                    links.pop()
                dst = self.temp()
                self.emit(ir.Import(call.start_byte, call.end_byte, dst, path))
                return dst
        return -1

    def read_export(self, links: list[tuple[str, Node, list[Node]]], name: str, node: Node) -> int:
        """The value of ``exports.x`` where the file itself sets it; -1 where it does not."""
        if name == "module" and (not links or self.word(links[-1][2][-1]) != "exports"):
            return -1
        skip = 2 if name == "module" else 1
        if len(links) < skip or links[-skip][0] != "member_expression":
            return -1
        found = self.unit.exported.get(self.word(links[-skip][2][-1]))
        if found is None:
            return -1
        end = links[-skip][1].end_byte
        del links[-skip:]
        return self.read(found, node.start_byte, end)

    def attribute(self, node: Node, start: int, prop: Node, register: int) -> int:
        name = self.word(prop)
        if name == "default" and self.is_whole_module(node):
            return register
        dst = self.nreg
        self.nreg = dst + 1
        self.emit(ir.Attr(start, prop.end_byte, dst, register, name))
        return dst

    def is_whole_module(self, node: Node) -> bool:
        """Whether the object of ``x.default`` is a name bound to a whole module."""
        obj = node.child_by_field_name("object")
        if obj is None or obj.type != "identifier":
            return False
        name = self.word(obj)
        return name not in self.names and any(alias.member == "*" for alias in self.unit.imports.get(name, ()))

    def item(self, node: Node, start: int, index: Node, register: int) -> int:
        key, key_register = self.key(index)
        dst = self.temp()
        if isinstance(key, str):
            self.emit(ir.Attr(start, node.end_byte, dst, register, key))
        else:
            self.emit(ir.Item(start, node.end_byte, dst, register, key, key_register))
        return dst

    def key(self, index: Node) -> tuple[str | int | None, int]:
        key = self.property_name(index)
        return (key, -1) if key is not None else (None, self.value(index))

    def property_name(self, node: Node) -> str | int | None:
        kind = node.type
        if kind in ("property_identifier", "private_property_identifier", "shorthand_property_identifier"):
            return self.word(node)
        if kind == "string" or (kind == "template_string" and all(c.type != "template_substitution" for c in node.named_children)):
            return text_value(self.text[node.start_byte + 1 : node.end_byte - 1])
        if kind == "number":
            value = number_value(self.text[node.start_byte : node.end_byte])
            return value if isinstance(value, int) else str(value)
        if kind == "unary_expression" and self.text.startswith("-", node.start_byte):
            operand = node.child_by_field_name("argument")
            value = (
                number_value(self.text[operand.start_byte : operand.end_byte]) if operand is not None and operand.type == "number" else 0.5
            )
            return -value if isinstance(value, int) else None
        if kind == "computed_property_name":
            inner = g.parts(node)
            if inner and inner[0].type == "member_expression" and self.word(inner[0]) in _ITERATORS:
                return "__iter__"
            return self.property_name(inner[0]) if inner else None
        return None

    def call_arguments(self, node: Node) -> tuple[int, ...]:
        if node.type == "template_string":  # a tagged template
            start, end = node.byte_range
            literals, values = self.template(node)
            pieces = tuple(self.const(start, end, literal) for literal in literals)
            dst = self.temp()
            self.emit(ir.Build(start, end, dst, "list", tuple(range(len(pieces))), pieces))
            return (dst, *values)
        if node.type != "arguments":
            return ()
        args: list[int] = []
        children = node.named_children
        many = len(children) > MANY
        for child in children:
            kind = child.type
            if kind == "spread_element":
                args.append(~self.x_inner(child))
            elif kind not in g.EXTRAS:
                args.append(self.value(child))
            if many and self.is_full(node):
                break
        return tuple(args)

    def x_new(self, node: Node) -> int:
        start, end = node.byte_range
        fn = self.value(node.child_by_field_name("constructor"))
        arguments = node.child_by_field_name("arguments")
        args = self.call_arguments(arguments) if arguments is not None else ()
        dst = self.temp()
        self.emit(ir.Call(start, end, dst, fn, args))
        return dst

    def x_inner(self, node: Node) -> int:
        """The value of the single expression in a wrapper."""
        inner = g.parts(node)
        return self.value(inner[0]) if inner else self.const(node.start_byte, node.end_byte, None)

    def x_wrapped(self, node: Node) -> int:
        inner = g.unwrapped(node)
        return self.value(inner) if inner.type not in g.WRAPPERS else self.unknown(inner)

    def x_asserted(self, node: Node) -> int:
        register = self.x_wrapped(node)
        dst = self.temp()
        self.emit(ir.Move(node.start_byte, node.end_byte, dst, register))
        return dst

    def x_await(self, node: Node) -> int:
        register = self.x_inner(node)
        dst = self.temp()
        self.emit(ir.Move(node.start_byte, node.end_byte, dst, register))
        return dst

    def x_yield(self, node: Node) -> int:
        if self.pending.is_async_body:
            return self.x_await(node)
        self.flags.add("generator")
        inner = g.parts(node)
        src = self.value(inner[0]) if inner else -1
        each = any(child.type == "*" for child in node.children)
        dst = self.temp()
        self.emit(ir.Yield(node.start_byte, node.end_byte, dst, src, each))
        return dst

    def x_function(self, node: Node) -> int:
        name = node.child_by_field_name("name")
        return self.function_value(node, self.word(name) if name is not None else "<lambda>")

    def x_class(self, node: Node) -> int:
        name = node.child_by_field_name("name")
        return self.class_value(node, self.word(name) if name is not None else "<class>")

    # -------------------------------------------------------------------------------------- arrays and objects

    def x_array(self, node: Node) -> int:
        start, end = node.byte_range
        children = g.parts(node)
        kept = children[: limits.BUILD_PARTS]
        keys: list[str | int | None] = []
        values: list[int] = []
        spread: list[bool] = []
        for child in kept:
            is_spread = child.type == "spread_element"
            keys.append("**" if is_spread else None if any(spread) else len(keys))
            values.append(self.x_inner(child) if is_spread else self.value(child))
            spread.append(is_spread)
        dst = self.temp()
        self.emit(ir.Build(start, end, dst, "list", tuple(keys), tuple(values), tuple(spread) if any(spread) else ()))
        self.join_rest(dst, children)
        return dst

    def join_rest(self, dst: int, children: list[Node]) -> None:
        """The parts of a literal beyond the limit: those that are no plain values are joined, up to a bound."""
        joined = 0
        for child in children[limits.BUILD_PARTS :]:
            value = child.child_by_field_name("value") if child.type == "pair" else child
            if value is None or value.type in _PLAIN:
                continue
            start, end = child.byte_range
            if joined == _JOINED:
                self.gap(start, children[-1].end_byte, "display")
                break
            joined += 1
            register = self.x_inner(value) if value.type == "spread_element" else self.value(value)
            self.emit(ir.StoreItem(start, end, dst, None, -1, register))

    def x_object(self, node: Node) -> int:
        start, end = node.byte_range
        keys: list[str | int | None] = []
        values: list[int] = []
        spread: list[bool] = []
        children = g.parts(node)
        for child in children[: limits.BUILD_PARTS]:
            key, register = self.object_part(child)
            if register < 0:
                continue
            keys.append(key)
            values.append(register)
            spread.append(child.type == "spread_element")
        dst = self.temp()
        self.emit(ir.Build(start, end, dst, "dict", tuple(keys), tuple(values), tuple(spread) if any(spread) else ()))
        self.join_rest(dst, children)
        return dst

    def what_is_spread(self, node: Node) -> int:
        """What is spread into an object: of ``...(a && {...})`` what stands last alone, as nothing that counts as false has members."""
        inner = g.parts(node)
        spread = g.unwrapped(inner[0]) if inner else node
        operator, operands = self.flat(spread)
        if operator != "&&" or self.depth + BLOCK > limits.NESTING:
            return self.x_inner(node)
        start, end = spread.byte_range
        self.depth += BLOCK - 1
        conds = [self.cond(operand) for operand in operands[:-1]]
        leaf = self.leaf(operands[-1])
        self.depth -= BLOCK - 1
        dst = self.temp()
        cond = conds[0] if len(conds) == 1 else ir.AllOf(conds)
        none = ir.Const(start, end, dst, None)
        self.emit(ir.If(start, end, [ir.Arm(cond, [*leaf.pre, ir.Move(start, end, dst, leaf.reg)])], [none]))
        return dst

    def object_part(self, child: Node) -> tuple[str | int | None, int]:
        """Key and value of one part of an object literal; -1 where it has no value."""
        kind = child.type
        if kind == "pair":
            key_node, value = child.child_by_field_name("key"), child.child_by_field_name("value")
            key = self.property_name(key_node) if key_node is not None else None
            if key is None and key_node is not None and key_node.type == "computed_property_name":
                self.x_inner(key_node)
            return key, self.named_value(value, str(key) if key is not None else "<lambda>")
        if kind == "shorthand_property_identifier":
            return self.word(child), self.x_identifier(child)
        if kind == "spread_element":
            return "**", self.what_is_spread(child)
        if kind == "method_definition":
            return self.object_method(child)
        return None, -1

    def object_method(self, child: Node) -> tuple[str | int | None, int]:
        start, end = child.byte_range
        key_node = child.child_by_field_name("name")
        key = self.property_name(key_node) if key_node is not None else None
        accessors = {c.type for c in child.children if not c.is_named} & {"get", "set"}
        if "set" in accessors:
            return None, -1
        pending = self.method_of_object(child, str(key) if key is not None else "<lambda>")
        dst = self.temp()
        self.emit_func(start, end, dst, pending)
        if "get" in accessors:
            value = self.temp()
            self.emit(ir.Call(start, end, value, dst, ()))
            return key, value
        return key, dst

    # ------------------------------------------------------------------------------------------- assignments

    def x_assignment(self, node: Node) -> int:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return self.unknown(node)
        start, end = node.byte_range
        if left.type == "member_expression":
            name = self.export_target(left)
            if name is not None:
                return self.export_value(name, right, start, end)
            if self.prototype_value(left, right):
                return self.const(start, end, None)
        prop = left.child_by_field_name("property") if left.type == "member_expression" else left
        name = self.word(prop) if prop is not None and prop.type not in g.PATTERNS else "<lambda>"
        return self.store(left, self.named_value(right, name))

    def x_augmented(self, node: Node) -> int:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return self.unknown(node)
        start, end = node.byte_range
        operator = self.operator(node)[:-1]
        old = self.value(left)
        if operator in ("&&", "||", "??"):
            leaf = self.leaf(right)
            held = ir.Leaf([], old)
            return self.store(left, self.choose([(ir.Not(held) if operator == "&&" else held, old)], leaf, node))
        value = self.value(right)
        dst = self.temp()
        self.emit(ir.Binary(start, end, dst, operator, old, value))
        return self.store(left, dst)

    def store(self, target: Node, src: int) -> int:
        target = g.unwrapped(target)
        kind = target.type
        start, end = target.byte_range
        if kind == "identifier" or kind == "shorthand_property_identifier_pattern":
            return self.assign_name(self.word(target), start, end, src)
        if self.depth >= limits.NESTING:
            self.too_deep(target)
            return src
        self.depth += 1
        if kind == "member_expression":
            obj = self.value(target.child_by_field_name("object"))
            prop = target.child_by_field_name("property")
            self.emit(ir.StoreAttr(start, end, obj, self.word(prop) if prop is not None else "?", src))
        elif kind == "subscript_expression":
            obj = self.value(target.child_by_field_name("object"))
            index = target.child_by_field_name("index")
            key, register = self.key(index) if index is not None else (None, -1)
            if isinstance(key, str):
                self.emit(ir.StoreAttr(start, end, obj, key, src))
            else:
                self.emit(ir.StoreItem(start, end, obj, key, register, src))
        elif kind == "object_pattern":
            self.unpack_object(target, src)
        elif kind == "array_pattern":
            self.unpack_array(target, src)
        elif kind in _DEFAULTED:
            left, right = target.child_by_field_name("left"), target.child_by_field_name("right")
            if left is not None and right is not None:
                self.store(left, self.defaulted(src, right, target))
        elif kind == "rest_pattern":
            inner = g.parts(target)
            if inner:
                dst = self.temp()
                self.emit(ir.Move(start, end, dst, src))
                self.store(inner[0], dst)
        self.depth -= 1
        return src

    def defaulted(self, src: int, default: Node, node: Node) -> int:
        """``src``, or the default where it is undefined."""
        self.depth += BLOCK
        leaf = self.leaf(default)
        self.depth -= BLOCK
        return self.choose([(ir.Leaf([], src), src)], leaf, node)

    def unpack_object(self, target: Node, src: int) -> None:
        for child in g.parts(target):
            kind = child.type
            start, end = child.byte_range
            if kind == "rest_pattern":
                self.store(child, src)
                continue
            inner = child
            if kind == "pair_pattern":
                key_node, value = child.child_by_field_name("key"), child.child_by_field_name("value")
                if key_node is None or value is None:
                    continue
                key = self.property_name(key_node)
                if key is None:
                    register = self.x_inner(key_node) if key_node.type == "computed_property_name" else self.value(key_node)
                    dst = self.temp()
                    self.emit(ir.Item(start, end, dst, src, None, register))
                    self.store(value, dst)
                    continue
                inner = value
            else:
                name = child.child_by_field_name("left") if kind == "object_assignment_pattern" else child
                if name is None:
                    continue
                key = self.word(name)
            dst = self.temp()
            self.emit(ir.Attr(start, end, dst, src, str(key)) if isinstance(key, str) else ir.Item(start, end, dst, src, key))
            self.store(inner, dst)

    def unpack_array(self, target: Node, src: int) -> None:
        at = 0
        for child in target.children:
            kind = child.type
            if kind == ",":
                at += 1
            if not child.is_named or kind in g.EXTRAS:
                continue
            start, end = child.byte_range
            dst = self.temp()
            if kind == "rest_pattern":
                self.emit(ir.Elem(start, end, dst, src, "rest"))
                inner = g.parts(child)
                if inner:
                    self.store(inner[0], dst)
                continue
            self.emit(ir.Item(start, end, dst, src, at))
            self.store(child, dst)
