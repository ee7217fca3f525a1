"""JSX: an element is a call of ``jsx`` with its name and properties, or of its component with its properties."""

from __future__ import annotations

from tree_sitter import Node

from headwater import ir, limits
from headwater.frontends.typescript import grammar as g
from headwater.frontends.typescript.expressions import Expressions
from headwater.frontends.typescript.literals import tag_text
from headwater.frontends.typescript.scope import BLOCK


class Tags(Expressions):
    """Lowers JSX."""

    def x_element(self, node: Node) -> int:
        self.depth += BLOCK - 1
        register = self.element(node)
        self.depth -= BLOCK - 1
        return register

    def element(self, node: Node) -> int:
        children = g.parts(node)
        if node.type == "jsx_self_closing_element":
            opening, inner = node, []
        else:
            opening = children[0] if children else node
            inner = [child for child in children[1:] if child.type != "jsx_closing_element"]
        start, end = node.byte_range
        name = opening.child_by_field_name("name")
        if name is None:
            register = self.tag_children(node, inner)
            return register if register >= 0 else self.const(start, end, None)
        text = self.word(name)
        plain = name.type == "jsx_namespace_name" or (name.type == "identifier" and text[:1].islower())
        fn = self.read("jsx", name.start_byte, name.end_byte) if plain else self.value(name)
        args = [self.const(name.start_byte, name.end_byte, text)] if plain else []
        args.append(self.properties(opening, name, node, inner, plain))
        dst = self.temp()
        self.emit(ir.Call(start, end, dst, fn, tuple(args)))
        return dst

    def properties(self, opening: Node, name: Node, node: Node, inner: list[Node], plain: bool) -> int:
        """The object of attributes. Of what is spread into a plain element it is not known which attributes it has: it adds none."""
        keys: list[str | int | None] = []
        values: list[int] = []
        spread: list[bool] = []
        for child in g.parts(opening)[: limits.BUILD_PARTS]:
            kind = child.type
            if kind == "jsx_attribute":
                parts = g.parts(child)
                if not parts:
                    continue
                key = self.word(parts[0])
                keys.append(key)
                values.append(self.tag_value(parts[1], key) if len(parts) > 1 else self.const(child.start_byte, child.end_byte, True))
                spread.append(False)
            elif kind == "jsx_expression" and (part := g.parts(child)) and part[0].type == "spread_element":
                value = self.what_is_spread(part[0])
                if plain and not any(one.type == "object" for one in part[0].named_children):
                    continue
                keys.append("**")
                values.append(value)
                spread.append(True)
        children = self.tag_children(node, inner)
        if children >= 0:
            keys.append("children")
            values.append(children)
            spread.append(False)
        dst = self.temp()
        start, end = opening.byte_range
        self.emit(ir.Build(start, end, dst, "dict", tuple(keys), tuple(values), tuple(spread) if any(spread) else ()))
        return dst

    def tag_value(self, node: Node, name: str) -> int:
        """The value of a property."""
        if node.type == "string":
            start, end = node.byte_range
            return self.const(start, end, tag_text(self.text[start + 1 : end - 1]))
        if node.type == "jsx_expression":
            inner = g.parts(node)
            return self.named_value(inner[0], name) if inner else self.const(node.start_byte, node.end_byte, None)
        return self.value(node)

    def tag_children(self, node: Node, inner: list[Node]) -> int:
        """The list of the children of an element; -1 where it has none."""
        keys: list[str | int | None] = []
        values: list[int] = []
        spread: list[bool] = []
        for child in inner[: limits.BUILD_PARTS]:
            kind = child.type
            if kind in ("jsx_text", "html_character_reference"):
                if not self.text[child.start_byte : child.end_byte].strip():
                    continue
                value = self.x_tag_text(child)
            elif kind == "jsx_expression":
                parts = g.parts(child)
                if not parts:
                    continue
                value = self.x_inner(parts[0]) if parts[0].type == "spread_element" else self.value(parts[0])
                if parts[0].type == "spread_element":
                    keys.append("**")
                    values.append(value)
                    spread.append(True)
                    continue
            else:
                value = self.value(child)
            keys.append(None if any(spread) else len(keys))
            values.append(value)
            spread.append(False)
        if not values:
            return -1
        dst = self.temp()
        start, end = inner[0].start_byte, inner[-1].end_byte
        self.emit(ir.Build(start, end, dst, "list", tuple(keys), tuple(values), tuple(spread) if any(spread) else ()))
        return dst
