"""Code in a template: an expression or the statements of a handler, whose free names are what the component has of that name."""

from __future__ import annotations

import html
from collections.abc import Callable, Collection
from typing import Final

from tree_sitter import Node

from headwater.frontends.bounded import BoundedParser
from headwater.frontends.components.markup import Span
from headwater.frontends.rewritten import Rewritten
from headwater.frontends.typescript import grammar as g

_GLOBAL_WORDS: Final = (
    "Array Boolean BigInt Date Error Infinity Intl JSON Map Math NaN Number Object Promise RegExp Set String Symbol URL "
    "console decodeURI decodeURIComponent document encodeURI encodeURIComponent globalThis isFinite isNaN localStorage "
    "location navigator parseFloat parseInt sessionStorage undefined window fetch alert confirm arguments"
)
GLOBALS: Final = frozenset(_GLOBAL_WORDS.split())
"""Names that a template has from JavaScript."""
Named = Callable[[str, bool], str]
"""What a free name is in the script; where it is assigned to, what it is then."""


class Code:
    """Reads the code in templates of one file and writes it into its script."""

    def __init__(self, parser: BoundedParser, data: bytes, out: Rewritten, named: Named) -> None:
        self.parser = parser
        self.data = data
        self.out = out
        self.named = named

    def text(self, span: Span) -> bytes:
        """The code, with character references of HTML read."""
        raw = self.data[span[0] : span[1]]
        return html.unescape(raw.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape") if b"&" in raw else raw

    def is_expression(self, span: Span) -> bool:
        """Whether it is one expression without errors."""
        return self._parsed(self.text(span)) is not None

    def is_function(self, span: Span) -> bool:
        """Whether it is a name, a property or a function: an event calls it."""
        tree = self._parsed(self.text(span))
        return tree is not None and g.unwrapped(tree).type in ("identifier", "member_expression", *g.FUNCTION_VALUES)

    def write(self, span: Span, local: Collection[str]) -> None:
        """Writes an expression that :meth:`is_expression` knows."""
        text = self.text(span)
        tree = self._parsed(text)
        if tree is not None:
            self._names(text, tree, 1, span, local)

    def write_statements(self, span: Span, local: Collection[str]) -> bool:
        """Writes statements; False where they are not understood."""
        text = self.text(span)
        root = self.parser.parse(text).root_node
        if root.has_error:
            return False
        self._names(text, root, 0, span, local)
        return True

    def pattern(self, span: Span) -> list[str] | None:
        """The names that a pattern binds; None where it is none."""
        text = b"(" + self.text(span) + b")=>0"
        root = self.parser.parse(text).root_node
        arrow = next((node for node in _walk(root) if node.type == "arrow_function"), None)
        listed = arrow.child_by_field_name("parameters") if arrow is not None and not root.has_error else None
        if listed is None:
            return None
        patterns = [one.child_by_field_name("pattern") for one in listed.named_children]
        return [
            text[name.start_byte : name.end_byte].decode("utf-8", "replace") for one in patterns if one for name in g.pattern_names(one)
        ]

    def _parsed(self, text: bytes) -> Node | None:
        """The node of an expression in brackets: its offsets are one too high."""
        root = self.parser.parse(b"(" + text + b"\n)").root_node
        inner = g.parts(root)
        if root.has_error or len(inner) != 1 or inner[0].type != "expression_statement":
            return None
        found = g.parts(inner[0])
        return found[0] if len(found) == 1 and found[0].type == "parenthesized_expression" else None

    def _names(self, text: bytes, root: Node, skip: int, span: Span, local: Collection[str]) -> None:
        """Writes ``text`` with other words for its free names."""
        bound = set(local)
        uses: list[tuple[int, int, str, bool, bool]] = []
        for node in _walk(root):
            kind = node.type
            if kind in ("required_parameter", "optional_parameter"):
                pattern = node.child_by_field_name("pattern")
                bound |= {_word(text, name, skip) for name in g.pattern_names(pattern)} if pattern is not None else set()
            elif kind == "arrow_function" and (single := node.child_by_field_name("parameter")) is not None:
                bound.add(_word(text, single, skip))
            elif kind == "variable_declarator" and (pattern := node.child_by_field_name("name")) is not None:
                bound |= {_word(text, name, skip) for name in g.pattern_names(pattern)}
            elif kind in ("identifier", "shorthand_property_identifier"):
                parent = node.parent
                assigned = parent is not None and (
                    (parent.type.endswith("assignment_expression") and parent.child_by_field_name("left") == node)
                    or parent.type == "update_expression"
                )
                shorthand = kind == "shorthand_property_identifier"
                uses.append((node.start_byte - skip, node.end_byte - skip, _word(text, node, skip), shorthand, assigned))
        same = text == self.data[span[0] : span[1]]
        at = 0
        for start, end, word, shorthand, assigned in sorted(uses):
            if word in bound or word in GLOBALS:
                continue
            other = self.named(word, assigned)
            if other == word:
                continue
            self._keep(text, at, start, span, same)
            self.out.put((f"{word}: {other}" if shorthand else other).encode(), *self._old(span, start, end, same))
            at = end
        self._keep(text, at, len(text), span, same)

    def _old(self, span: Span, start: int, end: int, same: bool) -> Span:
        return (span[0] + start, span[0] + end) if same else span

    def _keep(self, text: bytes, start: int, end: int, span: Span, same: bool) -> None:
        if same:
            self.out.keep(self.data, span[0] + start, span[0] + end)
        else:
            self.out.put(text[start:end], *span)


def _word(text: bytes, node: Node, skip: int) -> str:
    return text[node.start_byte - skip : node.end_byte - skip].decode("utf-8", "replace")


def _walk(root: Node) -> list[Node]:
    """All named nodes below, bounded by the text that they are of."""
    found: list[Node] = []
    todo = [root]
    while todo:
        node = todo.pop()
        found.append(node)
        todo.extend(node.named_children)
    return found
