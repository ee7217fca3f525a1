"""Type annotations of TypeScript as ``ir.Type``: the names of its basic types are those that Python has for them."""

from __future__ import annotations

from typing import Final

from tree_sitter import Node

from headwater import ir
from headwater.frontends.text import from_latin
from headwater.frontends.typescript import grammar as g
from headwater.frontends.typescript.literals import number_value, text_value

UNKNOWN: Final = ir.Type("?")
NONE: Final = ir.Type("None")
_DEPTH: Final = 24
_PARTS: Final = 64
_BASIC: Final = {
    "string": ir.Type("str"),
    "number": ir.Type("float"),
    "bigint": ir.Type("float"),
    "boolean": ir.Type("bool"),
    "null": NONE,
    "undefined": NONE,
    "void": NONE,
    "never": NONE,
    "object": ir.Type("dict"),
}
_LISTS: Final = frozenset(("Array", "ReadonlyArray", "Set", "ReadonlySet"))
_DICTS: Final = frozenset(("Record", "Map", "ReadonlyMap"))
_SAME: Final = frozenset(
    (
        "Promise",
        "PromiseLike",
        "Awaited",
        "Partial",
        "Required",
        "Readonly",
        "NonNullable",
        "Awaitable",
        "Omit",
        "Pick",
        "Extract",
        "Exclude",
    )
)
"""Generic types whose fields are those of their argument."""


class Types:
    """Reads the types of one file."""

    def __init__(self, text: str) -> None:
        self.text = text

    def at(self, node: Node | None) -> ir.Type:
        return UNKNOWN if node is None else self._at(node, 0)

    def _text(self, node: Node) -> str:
        return from_latin(self.text[node.start_byte : node.end_byte])

    def _inner(self, node: Node, depth: int) -> ir.Type:
        inner = g.parts(node)
        return self._at(inner[0], depth) if inner else UNKNOWN

    def _at(self, node: Node, depth: int) -> ir.Type:
        if depth > _DEPTH:
            return UNKNOWN
        kind = node.type
        if kind in ("type_identifier", "identifier"):
            return ir.Type(self._text(node))
        if kind == "predefined_type":
            return _BASIC.get(self._text(node), UNKNOWN)
        if kind in ("required_parameter", "optional_parameter"):  # a part of a tuple that has a name
            annotation = node.child_by_field_name("type")
            return self._at(annotation, depth + 1) if annotation is not None else UNKNOWN
        if kind in _INNER:
            return self._inner(node, depth + 1)
        if kind == "generic_type":
            return self._generic(node, depth)
        if kind in ("nested_type_identifier", "nested_identifier", "member_expression"):
            name = "".join(self._text(node).split()).replace("?.", ".")
            return ir.Type(name) if name.replace(".", "").replace("$", "_").isidentifier() else UNKNOWN
        if kind in ("union_type", "intersection_type"):
            return self._union(node, kind, depth)
        if kind == "array_type":
            return ir.Type("list", (self._inner(node, depth + 1),))
        if kind == "tuple_type":
            return ir.Type("tuple", tuple(self._at(part, depth + 1) for part in g.parts(node)[:_PARTS]))
        if kind == "literal_type":
            return self._literal(node)
        if kind == "object_type":
            return ir.Type("dict")
        if kind in ("function_type", "constructor_type"):
            return ir.Type("Callable")
        if kind in ("type_predicate", "type_predicate_annotation"):
            return ir.Type("bool")
        if kind in ("asserts", "asserts_annotation"):
            return NONE
        if kind == "template_literal_type":
            return ir.Type("str")
        if kind == "undefined" or kind == "null":
            return NONE
        if kind == "call_expression":
            function = node.child_by_field_name("function")
            made = self._at(function, depth + 1) if function is not None else UNKNOWN
            return made if made == UNKNOWN else ir.Type(made.name + "()")
        return UNKNOWN

    def _generic(self, node: Node, depth: int) -> ir.Type:
        inner = g.parts(node)
        name = self._at(inner[0], depth + 1).name
        args = tuple(self._at(arg, depth + 1) for arg in g.parts(inner[-1])[:_PARTS]) if len(inner) > 1 else ()
        if name == "InstanceType" and len(inner) > 1:
            return self._instance(g.parts(inner[-1]), depth)
        if name in _SAME and args:
            return args[0]
        if name in _LISTS:
            return ir.Type("list", args[:1])
        if name in _DICTS:
            return ir.Type("dict", args[:2])
        return ir.Type(name, args) if name != "?" else UNKNOWN

    def _instance(self, args: list[Node], depth: int) -> ir.Type:
        """``InstanceType<typeof C>``"""
        inner = g.parts(args[0]) if len(args) == 1 and args[0].type == "type_query" else []
        return self._at(inner[0], depth + 1) if inner else UNKNOWN

    def _union(self, node: Node, kind: str, depth: int) -> ir.Type:
        """``A & B`` has the fields of both, and so it is told as ``A | B``."""
        operands: list[Node] = []
        todo = [node]
        while todo and len(operands) < 4 * _PARTS:
            one = todo.pop()
            if one.type == kind:
                todo.extend(reversed(g.parts(one)))
            elif one.type == "parenthesized_type" and len(inner := g.parts(one)) == 1 and inner[0].type == kind:
                todo.append(inner[0])
            else:
                operands.append(one)
        literals: list[ir.Literal] = []
        found: list[ir.Type] = []
        for operand in operands[:_PARTS]:
            made = self._at(operand, depth + 1)
            if made.name == "Literal":
                literals += made.literals
            elif made not in found:
                found.append(made)
        if literals:
            found.insert(0, ir.Type("Literal", (), tuple(dict.fromkeys(literals))))
        if kind == "intersection_type":
            found = [one for one in found if one.name not in ("?", "dict")] or found
        return found[0] if len(found) == 1 else ir.Type("|", tuple(found)) if found else UNKNOWN

    def _literal(self, node: Node) -> ir.Type:
        inner = g.parts(node)
        if not inner:
            return UNKNOWN
        child = inner[0]
        kind = child.type
        text = self.text[child.start_byte : child.end_byte]
        if kind == "string":
            return ir.Type("Literal", (), (text_value(text[1:-1]),))
        if kind == "number":
            return ir.Type("Literal", (), (number_value(text),))
        if kind in ("true", "false"):
            return ir.Type("Literal", (), (kind == "true",))
        if kind in ("null", "undefined"):
            return NONE
        return UNKNOWN


_INNER_WORDS: Final = (
    "type_annotation parenthesized_type readonly_type optional_type rest_type "
    "omitting_type_annotation adding_type_annotation opting_type_annotation default_type instantiation_expression"
)
_INNER: Final = frozenset(_INNER_WORDS.split())
