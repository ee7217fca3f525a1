"""The Python grammar: parser, node kinds and fields as integers, looked up once."""

from __future__ import annotations

from typing import Final

import tree_sitter_python
from tree_sitter import Language, Node

from headwater.frontends.bounded import BoundedParser

LANGUAGE: Final = Language(tree_sitter_python.language())
KINDS: Final = LANGUAGE.node_kind_count


def new_parser() -> BoundedParser:
    return BoundedParser(LANGUAGE)


def kind(name: str, named: bool = True) -> int:
    found = LANGUAGE.id_for_node_kind(name, named)
    if found is None:
        raise ValueError(f"no node kind {name!r} in the grammar")
    return found


def kinds(name: str) -> list[int]:
    """All ids of a named kind: an alias has an id of its own beside the rule of the same name."""
    return [i for i in range(KINDS) if LANGUAGE.node_kind_is_named(i) and LANGUAGE.node_kind_for_id(i) == name]


def field(name: str) -> int:
    found = LANGUAGE.field_id_for_name(name)
    if found is None:
        raise ValueError(f"no field {name!r} in the grammar")
    return found


COMMENT: Final = kind("comment")
CONTINUATION: Final = kind("line_continuation")

ARGUMENT_LIST: Final = kind("argument_list")
AS_PATTERN: Final = kind("as_pattern")
AS_TARGET: Final = kind("as_pattern_target")
ASSIGNMENT: Final = kind("assignment")
ATTRIBUTE: Final = kind("attribute")
AUGMENTED: Final = kind("augmented_assignment")
AWAIT: Final = kind("await")
BINARY: Final = kind("binary_operator")
BLOCK: Final = kind("block")
BOOLEAN: Final = kind("boolean_operator")
CALL: Final = kind("call")
CASE: Final = kind("case_clause")
CASE_PATTERN: Final = kind("case_pattern")
CHEVRON: Final = kind("chevron")
CLASS_DEFINITION: Final = kind("class_definition")
CLASS_PATTERN: Final = kind("class_pattern")
COMPARISON: Final = kind("comparison_operator")
COMPLEX_PATTERN: Final = kind("complex_pattern")
CONCATENATED: Final = kind("concatenated_string")
CONDITIONAL: Final = kind("conditional_expression")
DECORATOR: Final = kind("decorator")
DEFAULT_PARAMETER: Final = kind("default_parameter")
DICT_PATTERN: Final = kind("dict_pattern")
DICTIONARY: Final = kind("dictionary")
DICTIONARY_SPLAT: Final = kind("dictionary_splat")
DICTIONARY_SPLAT_PATTERN: Final = kind("dictionary_splat_pattern")
DOTTED_NAME: Final = kind("dotted_name")
ELIF: Final = kind("elif_clause")
ELLIPSIS: Final = kind("ellipsis")
ELSE: Final = kind("else_clause")
ESCAPE_INTERPOLATION: Final = kind("escape_interpolation")
EXCEPT: Final = kind("except_clause")
EXPRESSION_LIST: Final = kind("expression_list")
EXPRESSION_STATEMENT: Final = kind("expression_statement")
FALSE: Final = kind("false")
FINALLY: Final = kind("finally_clause")
FLOAT: Final = kind("float")
FORMAT_EXPRESSION: Final = kind("format_expression")
FORMAT_SPECIFIER: Final = kind("format_specifier")
FOR_IN: Final = kind("for_in_clause")
FUNCTION_DEFINITION: Final = kind("function_definition")
GENERATOR: Final = kind("generator_expression")
GENERIC_TYPE: Final = kind("generic_type")
IDENTIFIER: Final = kind("identifier")
IF_CLAUSE: Final = kind("if_clause")
IMPORT_PREFIX: Final = kind("import_prefix")
INTEGER: Final = kind("integer")
INTERPOLATION: Final = kind("interpolation")
KEYWORD_ARGUMENT: Final = kind("keyword_argument")
KEYWORD_PATTERN: Final = kind("keyword_pattern")
KEYWORD_SEPARATOR: Final = kind("keyword_separator")
LAMBDA: Final = kind("lambda")
LIST: Final = kind("list")
LIST_PATTERN: Final = kind("list_pattern")
LIST_SPLAT: Final = kind("list_splat")
LIST_SPLAT_PATTERN: Final = kind("list_splat_pattern")
MEMBER_TYPE: Final = kind("member_type")
MODULE: Final = kind("module")
NONE: Final = kind("none")
NOT: Final = kind("not_operator")
PAIR: Final = kind("pair")
PARAMETERS: Final = kind("parameters")
PARENTHESIZED: Final = kind("parenthesized_expression")
PATTERN_LIST: Final = kind("pattern_list")
POSITIONAL_SEPARATOR: Final = kind("positional_separator")
RELATIVE_IMPORT: Final = kind("relative_import")
SET: Final = kind("set")
SLICE: Final = kind("slice")
SPLAT_PATTERN: Final = kind("splat_pattern")
SPLAT_TYPE: Final = kind("splat_type")
STRING: Final = kind("string")
STRING_CONTENT: Final = kind("string_content")
STRING_END: Final = kind("string_end")
STRING_START: Final = kind("string_start")
SUBSCRIPT: Final = kind("subscript")
TRUE: Final = kind("true")
TUPLE: Final = kind("tuple")
TUPLE_PATTERN: Final = kind("tuple_pattern")
TYPE: Final = kind("type")
TYPED_DEFAULT_PARAMETER: Final = kind("typed_default_parameter")
TYPED_PARAMETER: Final = kind("typed_parameter")
TYPE_PARAMETER: Final = kind("type_parameter")
UNARY: Final = kind("unary_operator")
UNION_PATTERN: Final = kind("union_pattern")
UNION_TYPE: Final = kind("union_type")
WILDCARD: Final = kind("wildcard_import")
WITH_CLAUSE: Final = kind("with_clause")
WITH_ITEM: Final = kind("with_item")
YIELD: Final = kind("yield")
TOKEN_COMMA: Final = kind(",", False)
TOKEN_AND: Final = kind("and", False)
TOKEN_FROM: Final = kind("from", False)
TOKEN_MINUS: Final = kind("-", False)
TOKEN_COLON: Final = kind(":", False)
TOKEN_UNDERSCORE: Final = kind("_", False)

EXTRAS: Final = frozenset((COMMENT, CONTINUATION))
TARGETS: Final = frozenset((TUPLE, TUPLE_PATTERN, LIST, LIST_PATTERN, PATTERN_LIST, EXPRESSION_LIST))
SPLATS: Final = frozenset((LIST_SPLAT, LIST_SPLAT_PATTERN))
LITERALS: Final = frozenset((STRING, INTEGER, FLOAT, TRUE, FALSE, NONE, ELLIPSIS))

FIELD_NAME: Final = field("name")
FIELD_TYPE: Final = field("type")
FIELD_RIGHT: Final = field("right")
FIELD_LEFT: Final = field("left")
FIELD_VALUE: Final = field("value")
FIELD_BODY: Final = field("body")
FIELD_SUPERCLASSES: Final = field("superclasses")
FIELD_ALIAS: Final = field("alias")
FIELD_CODE: Final = field("code")
FIELD_CAUSE: Final = field("cause")
FIELD_EXPRESSION: Final = field("expression")

OPERATORS: Final[dict[int, str]] = {
    i: name
    for i in range(KINDS)
    if not LANGUAGE.node_kind_is_named(i)
    and (name := LANGUAGE.node_kind_for_id(i) or "")
    in {"+", "-", "*", "/", "//", "%", "@", "**", "|", "&", "^", "<<", ">>", "~"}
    | {"+=", "-=", "*=", "/=", "//=", "%=", "@=", "**=", "|=", "&=", "^=", "<<=", ">>="}
}
COMPARISONS: Final[dict[int, str]] = {
    i: {"<=": "<", ">": "<", ">=": "<", "<>": "!="}.get(name, name)
    for i in range(KINDS)
    if (name := LANGUAGE.node_kind_for_id(i) or "") in {"<", "<=", "==", "!=", ">=", ">", "<>", "in", "not in", "is", "is not"}
}
TOKEN_UNEQUAL_OLD: Final = kind("<>", False)


def parts(node: Node) -> list[Node]:
    """The named children without comments and line continuations."""
    found = node.named_children
    for child in found:
        if child.kind_id in EXTRAS:
            return [c for c in found if c.kind_id not in EXTRAS]
    return found


def tokens(node: Node) -> list[Node]:
    """All children without comments and line continuations."""
    found = node.children
    for child in found:
        if child.kind_id in EXTRAS:
            return [c for c in found if c.kind_id not in EXTRAS]
    return found
