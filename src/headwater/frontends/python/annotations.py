"""Type expressions of Python as ``ir.Type``, read from annotations, base classes and decorators."""

from __future__ import annotations

import re
from collections.abc import Callable

from tree_sitter import Node

from headwater.frontends.python import grammar as g
from headwater.frontends.python.literals import float_value, integer_value, negated, string_value
from headwater.frontends.text import from_latin
from headwater.ir import Literal, Type

DEPTH = 24  # of one type expression; hand-written ones have under 8
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*\Z")
_SPACE = re.compile(r"\s+")
UNKNOWN = Type("?")
_PATTERNS = ("pattern", "regex")  # keywords of constr(), Field(), Query() and their like that say what a text looks like


class Types:
    """Reads types of one file; the same text is read once."""

    def __init__(self, text: str, parse: Callable[[bytes], Node]) -> None:
        self._text = text
        self._parse = parse
        self._known: dict[str, Type] = {}

    def at(self, node: Node) -> Type:
        text = self._text[node.start_byte : node.end_byte]
        known = self._known.get(text)
        if known is None:
            name = from_latin(text)
            known = self._known[text] = Type(name) if _DOTTED.match(name) and name != "None" else self._read(node, 0)
        return known

    def _read(self, node: Node, depth: int) -> Type:
        kind = node.kind_id
        while kind == g.TYPE or kind == g.PARENTHESIZED:
            inner = g.parts(node)
            if len(inner) != 1:
                return UNKNOWN
            node = inner[0]
            kind = node.kind_id
        if depth > DEPTH:
            return UNKNOWN
        if kind in (g.IDENTIFIER, g.ATTRIBUTE, g.MEMBER_TYPE, g.DOTTED_NAME):
            return Type(_dotted(self._source(node)))
        if kind == g.NONE:
            return Type("None")
        if kind == g.ELLIPSIS:
            return Type("...")
        if kind == g.STRING:
            return self._of_text(node, depth)
        if kind == g.UNION_TYPE or kind == g.BINARY:
            return self._union(node, depth)
        if kind == g.GENERIC_TYPE or kind == g.SUBSCRIPT:
            return self._generic(node, depth)
        if kind == g.CALL:
            return self._call(node, depth)
        if kind == g.LIST or kind == g.TUPLE:
            return Type("[]" if kind == g.LIST else "()", tuple(self._read(n, depth + 1) for n in g.parts(node)))
        if kind in (g.LIST_SPLAT, g.SPLAT_TYPE, g.LIST_SPLAT_PATTERN):
            inner = g.parts(node)
            return Type("*", (self._read(inner[0], depth + 1),)) if inner else UNKNOWN
        literal = self._literal(node)
        return Type("?", (), literal) if literal else UNKNOWN

    def _of_text(self, node: Node, depth: int) -> Type:
        text = string_value(self._source(node)).strip()
        if _DOTTED.match(text) and text != "None":
            return Type(text)
        piece = ("(" + text + ")").encode("utf-8", "replace")
        root = self._parse(piece)
        statement = g.parts(root)
        if root.has_error or len(statement) != 1:
            return UNKNOWN
        inner = g.parts(statement[0])
        if len(inner) != 1:
            return UNKNOWN
        outer, self._text = self._text, piece.decode("latin-1")
        found = self._read(inner[0], depth + 1)
        self._text = outer
        return found

    def _source(self, node: Node) -> str:
        return self._text[node.start_byte : node.end_byte]

    def _union(self, node: Node, depth: int) -> Type:
        found: list[Node] = []
        while True:
            sides = g.tokens(node)
            if node.kind_id not in (g.UNION_TYPE, g.BINARY) or len(sides) != 3:
                break
            if g.OPERATORS.get(sides[1].kind_id) != "|":
                return UNKNOWN
            found.append(sides[2])
            node = sides[0]
            while node.kind_id == g.TYPE and node.named_child_count == 1:
                node = node.named_children[0]
        found.append(node)
        found.reverse()
        return Type("|", tuple(self._read(n, depth + 1) for n in found[:64]))

    def _generic(self, node: Node, depth: int) -> Type:
        inner = g.parts(node)
        base = self._read(inner[0], depth + 1)
        if base.name == "?" or base.args:
            return UNKNOWN
        rest = inner[1:]
        if len(rest) == 1 and rest[0].kind_id == g.TYPE_PARAMETER:
            rest = g.parts(rest[0])
        last = base.name.rpartition(".")[2]
        if last == "Literal":
            return self._literals(base.name, rest, depth)
        if last == "Annotated" and rest:
            args = [self._read(rest[0], depth + 1)]
            texts: list[Literal] = []
            for extra in rest[1:]:
                value = self._literal(extra)
                if value:
                    texts.append(value[0])
                else:
                    args.append(self._read(extra, depth + 1))
            return Type(base.name, tuple(args), tuple(texts))
        return Type(base.name, tuple(self._read(n, depth + 1) for n in rest))

    def _literals(self, name: str, nodes: list[Node], depth: int) -> Type:
        values: list[Literal] = []
        args: list[Type] = []
        for node in nodes:
            value = self._literal(node)
            if value:
                values.append(value[0])
            else:
                args.append(self._read(node, depth + 1))
        return Type(name, tuple(args), tuple(values))

    def _call(self, node: Node, depth: int) -> Type:
        inner = g.parts(node)
        callee = self._read(inner[0], depth + 1)
        if callee.name == "?" or callee.args:
            return UNKNOWN
        args: list[Type] = []
        values: list[Literal] = []
        if inner[-1].kind_id == g.ARGUMENT_LIST:
            for argument in g.parts(inner[-1])[:64]:
                if argument.kind_id in (g.IDENTIFIER, g.ATTRIBUTE):
                    args.append(self._read(argument, depth + 1))
                elif argument.kind_id == g.KEYWORD_ARGUMENT:
                    named = g.parts(argument)
                    if len(named) == 2 and self._source(named[0]) in _PATTERNS and (value := self._literal(named[1])):
                        args.append(Type("pattern=", (), value))
                elif value := self._literal(argument):
                    values.append(value[0])
        return Type(callee.name + "()", tuple(args), tuple(values))

    def _literal(self, node: Node) -> tuple[Literal, ...]:
        """The value of a literal in a tuple; the empty tuple for anything else."""
        kind = node.kind_id
        while kind == g.TYPE and node.named_child_count == 1:
            node = node.named_children[0]
            kind = node.kind_id
        if (kind not in g.LITERALS and kind != g.UNARY) or kind == g.ELLIPSIS:
            return ()
        text = self._source(node)
        if kind == g.STRING:
            return () if any(c.kind_id == g.INTERPOLATION for c in node.named_children) else (string_value(text),)
        if kind == g.INTEGER:
            return (integer_value(text),)
        if kind == g.FLOAT:
            return (float_value(text),)
        if kind == g.UNARY:
            inner = g.parts(node)
            if text[:1] != "-" or len(inner) != 1 or inner[0].kind_id not in (g.INTEGER, g.FLOAT):
                return ()
            return (negated(self._literal(inner[0])[0]),)
        return ({g.TRUE: True, g.FALSE: False, g.NONE: None}[kind],)


def _dotted(source: str) -> str:
    text = _SPACE.sub("", from_latin(source))
    return text if _DOTTED.match(text) else "?"
