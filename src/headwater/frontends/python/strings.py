"""Literals and names: strings with what is interpolated in them, numbers, constants, identifiers."""

from __future__ import annotations

from tree_sitter import Node

from headwater import ir, limits
from headwater.frontends.python import grammar as g
from headwater.frontends.python.dispatch import EXPR, Lowering
from headwater.frontends.python.literals import float_value, integer_value, split_quotes, string_value, unescape
from headwater.frontends.text import from_latin

_TYPE_CONVERSION = g.kind("type_conversion")


class Leaves(Lowering):
    """Lowers literals and names."""

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
