"""The TypeScript and TSX grammars, their parsers, and the queries that look at a whole file at once.

The two grammars number their kinds of nodes differently: kinds are told apart by their names.
"""

from __future__ import annotations

from typing import Final

import tree_sitter_typescript
from tree_sitter import Language, Node, Query, QueryCursor

from headwater.frontends.bounded import BoundedParser

TYPESCRIPT: Final = Language(tree_sitter_typescript.language_typescript())
TSX: Final = Language(tree_sitter_typescript.language_tsx())

_NAMES: Final = """
(identifier) @use
(shorthand_property_identifier) @use
(shorthand_property_identifier_pattern) @use
(this) @use
(super) @super
(assignment_expression left: [(identifier) (object_pattern) (array_pattern)] @assigned)
(augmented_assignment_expression left: (identifier) @assigned)
(update_expression argument: (identifier) @assigned)
(for_in_statement left: [(identifier) (object_pattern) (array_pattern)] @looped)
(variable_declaration) @var
[(function_declaration) (function_expression) (generator_function) (generator_function_declaration) (arrow_function)
 (method_definition) (class_static_block) (internal_module)] @function
"""
DEPTH: Final = 4_000  # of the tree: only chains of operators or calls go on, thousands in one another, and only made ones
_COMMENTS: Final = "(comment) @comment"


class Grammar:
    """One of the two grammars."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.names = Query(language, _NAMES)
        self.comments = Query(language, _COMMENTS)

    def parser(self) -> BoundedParser:
        return BoundedParser(self.language)


def captures(query: Query, root: Node) -> dict[str, list[Node]]:
    """What a query finds. The time of a deeper search is quadratic in the depth."""
    cursor = QueryCursor(query)
    cursor.set_max_start_depth(DEPTH)
    return cursor.captures(root)


PLAIN: Final = Grammar(TYPESCRIPT)
WITH_TAGS: Final = Grammar(TSX)

FUNCTIONS: Final = frozenset(("function_declaration", "generator_function_declaration"))
"""Declarations that are there from the start of their block."""
FUNCTION_VALUES: Final = frozenset(("arrow_function", "function_expression", "generator_function"))
CLASSES: Final = frozenset(("class_declaration", "abstract_class_declaration"))
MODULES: Final = frozenset(("internal_module", "module"))
PATTERNS: Final = frozenset(("object_pattern", "array_pattern"))
WRAPPERS: Final = frozenset(
    (
        "parenthesized_expression",
        "as_expression",
        "satisfies_expression",
        "non_null_expression",
        "instantiation_expression",
        "type_assertion",
    )
)
"""What has the value of the expression in it."""


def parts(node: Node) -> list[Node]:
    """The named children without comments."""
    found = node.named_children
    for child in found:
        if child.type in EXTRAS:
            return [c for c in found if c.type not in EXTRAS]
    return found


EXTRAS: Final = frozenset(("comment", "html_comment", "ERROR"))


def unwrapped(node: Node) -> Node:
    """The expression in brackets, assertions of types and the like."""
    while node.type in WRAPPERS:
        inner = parts(node)
        if not inner:
            break
        node = inner[-1 if node.type == "type_assertion" else 0]
    return node


def pattern_names(node: Node) -> list[Node]:
    """The identifiers that a pattern binds."""
    found: list[Node] = []
    todo = [node]
    while todo:
        one = todo.pop()
        kind = one.type
        if kind == "identifier" or kind == "shorthand_property_identifier_pattern":
            found.append(one)
        elif kind in PATTERNS or kind == "rest_pattern":
            todo.extend(reversed(one.named_children))
        elif kind == "pair_pattern":
            value = one.child_by_field_name("value")
            if value is not None:
                todo.append(value)
        elif kind in ("assignment_pattern", "object_assignment_pattern"):
            left = one.child_by_field_name("left")
            if left is not None:
                todo.append(left)
    return found
