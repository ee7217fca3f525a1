"""Functions, and the lowering of one from its parameters to its body; what a block declares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from tree_sitter import Node

from headwater import ir
from headwater.frontends.typescript import grammar as g
from headwater.frontends.typescript.classes import Classes
from headwater.frontends.typescript.dispatch import EXPR, STATEMENT
from headwater.frontends.typescript.expressions import Expressions
from headwater.frontends.typescript.literals import text_value
from headwater.frontends.typescript.modules import Modules
from headwater.frontends.typescript.operators import Operators
from headwater.frontends.typescript.statements import Statements
from headwater.frontends.typescript.tags import Tags

_PARAMETERS: Final = frozenset(("required_parameter", "optional_parameter"))
_FIELD_MARKS: Final = frozenset(("accessibility_modifier", "override_modifier", "readonly"))


class Definitions(Classes):
    """Lowers whole functions."""

    # ------------------------------------------------------------------------------------------- declarations

    def hoist(self, children: list[Node]) -> None:
        top = self.is_module and self.outer is None
        functions: list[Node] = []
        for child in children:
            kind = child.type
            if kind == "export_statement":
                declaration = child.child_by_field_name("declaration")
                if declaration is None:
                    continue
                child, kind = declaration, declaration.type
            if kind == "lexical_declaration" or (kind == "variable_declaration" and top):
                for declarator in child.named_children:
                    self.hoist_variable(declarator, top)
            elif kind in g.FUNCTIONS:
                functions.append(child)
                self.hoist_name(child, top and self.is_plain(child))
            elif kind in g.CLASSES:
                self.hoist_name(child, top and self.is_plain(child))
            elif kind in ("enum_declaration", "import_alias"):
                self.hoist_name(child, False)
            elif kind == "expression_statement" and child.named_child_count and child.named_children[0].type in g.MODULES:
                self.hoist_name(child.named_children[0], False)
            elif kind in g.MODULES:
                self.hoist_name(child, False)
        for function in functions:
            self.statement(function) if function.has_error else self.define_function(function)

    def is_plain(self, node: Node) -> bool:
        """Whether nothing else is ever assigned to the name of a function or class."""
        name = node.child_by_field_name("name")
        return name is not None and self.word(name) not in self.unit.assigned

    def hoist_name(self, node: Node, plain: bool) -> None:
        name = node.child_by_field_name("name") or (node.named_children[0] if node.type == "import_alias" else None)
        if name is not None and not plain and name.type != "string":
            first = self.word(name).partition(".")[0]
            if not (self.is_module and self.outer is None and first in self.unit.definitions):
                self.declare(first)

    def hoist_variable(self, declarator: Node, top: bool) -> None:
        target = declarator.child_by_field_name("name")
        if declarator.type != "variable_declarator" or target is None:
            return
        value = declarator.child_by_field_name("value")
        if top and value is not None and self.is_special(target, value):
            self.specials.add(declarator.start_byte)
            return
        for name in g.pattern_names(target):
            self.declare(self.word(name))

    def is_special(self, target: Node, value: Node) -> bool:
        """Whether a declaration at the top is an import or a definition."""
        if any(self.word(name) in self.unit.assigned for name in g.pattern_names(target)):
            return False
        if target.type == "identifier" and g.unwrapped(value).type in _DEFINITIONS:
            return True
        return bool(self.imported_by(target, value))

    def special_declarator(self, node: Node, target: Node, value: Node) -> bool:
        if node.start_byte not in self.specials:
            return False
        value = g.unwrapped(value)
        if value.type in g.FUNCTION_VALUES:
            self.define_value(value, self.word(target))
        elif value.type == "class":
            self.define_class(value, self.word(target))
        else:
            for name, path, member in self.imported_by(target, value):
                self.bind_import(name, path, member, node.start_byte)
        return True

    # --------------------------------------------------------------------------------------------- functions

    def find_captured(self, pending: Any, visible: dict[str, int], ranges: Iterable[Node]) -> None:
        uses: dict[str, None] = {}
        for node in ranges:
            first = node.child_by_field_name("parameters") or node  # its own name is no use of it
            uses.update(self.unit.uses(first.start_byte, node.end_byte))
        found = [name for name in uses if name in visible]
        if not found:
            return
        own = self.parameter_names(pending.node)
        if not pending.arrow:
            own.add("this")
        pending.captured = tuple(name for name in found if name not in own)

    def parameter_names(self, node: Node) -> set[str]:
        single = node.child_by_field_name("parameter")
        if single is not None:
            return {self.word(single)}
        listed = node.child_by_field_name("parameters")
        patterns = [p.child_by_field_name("pattern") for p in listed.named_children] if listed is not None else []
        return {self.word(name) for pattern in patterns if pattern is not None for name in g.pattern_names(pattern)}

    def marks(self, node: Node) -> set[str]:
        """The words before the name of a function, as flags."""
        found: set[str] = set()
        for child in node.children:
            kind = child.type
            if kind in _FLAGS:
                found.add(_FLAGS[kind])
            elif kind in ("formal_parameters", "statement_block"):
                break
        return found

    def function_value(self, node: Node, name: str) -> int:
        pending = self.defer(node, name, {"lambda", *self.marks(node)})
        self.inherit_this(pending)
        dst = self.temp()
        self.emit_func(node.start_byte, node.end_byte, dst, pending)
        return dst

    def inherit_this(self, pending: Any) -> None:
        if pending.arrow and "this" not in self.names:
            pending.static_of = self.pending.static_of

    def method_of_object(self, node: Node, name: str) -> Any:
        return self.defer(node, name, self.marks(node) - {"property", "setter", "static"})

    def awaited_body(self, node: Node, arguments: Node) -> int:
        """``__awaiter(this, void 0, void 0, function* () {...})``: the body is that of an async function, which is called."""
        inner = [child for child in g.parts(arguments) if child.type == "generator_function"]
        if not inner:
            return -1
        pending = self.defer(inner[0], "<lambda>", {"lambda", "async"})
        pending.arrow = pending.is_async_body = True
        visible = self.blocks if self.is_module else self.names
        if visible:
            self.find_captured(pending, visible, [inner[0]])
        self.inherit_this(pending)
        start, end = node.byte_range
        fn, dst = self.temp(), self.temp()
        self.emit_func(start, end, fn, pending)
        self.emit(ir.Call(start, end, dst, fn, ()))
        return dst

    def s_function(self, node: Node) -> None:
        """Functions were made at the start of their block."""

    def define_function(self, node: Node) -> None:
        name = node.child_by_field_name("name")
        if name is not None:
            self.define_value(node, self.word(name))

    def define_value(self, node: Node, name: str) -> None:
        """A function that has a name for good: of the module without a register, else as a variable."""
        unit = self.unit
        top = self.is_module and self.outer is None
        start, end = node.byte_range
        if name in unit.constructors:
            index = self.class_of_function(node, name)
            if top:
                unit.definitions.setdefault(name, []).append(("class", index))
            if name in self.names:
                self.emit(ir.ClassDef(start, end, self.names[name], index))
            return
        pending = self.defer(node, name, self.marks(node))
        if top:
            unit.definitions.setdefault(name, []).append(("function", pending.index))
        if name in self.names:
            self.emit_func(start, end, self.names[name], pending)

    def define_export(self, node: Node, name: str, local: str) -> bool:
        unit = self.unit
        if not self.is_module or self.outer is not None or local in self.names or local in unit.definitions:
            return False
        if node.type == "class":
            index, _ = self.class_body(node, name)
            unit.definitions[local] = [("class", index)]
        elif node.type in g.FUNCTION_VALUES:
            unit.definitions[local] = [("function", self.defer(node, name, self.marks(node)).index)]
        else:
            return False
        return True

    def run(self) -> ir.Function:
        """Lowers the whole function."""
        pending, node, unit = self.pending, self.pending.node, self.unit
        params: list[ir.Param] = []
        values: list[tuple[int, Node]] = []
        unpacked: list[tuple[Node, int]] = []
        stored: list[tuple[Node, int]] = []
        defaults: ir.Block = []
        start, end = node.byte_range
        if pending.this:
            params.append(ir.Param("this", start, start))
        is_class = node.type in g.CLASSES or node.type == "class"
        if is_class and pending.has_base:
            params.append(ir.Param("args", start, start, "star"))
        if not self.is_module and not is_class:
            self.parameters(params, values, unpacked, stored)
        self.nreg = len(params)
        for name in pending.captured:
            self.captured[name] = self.names[name] = self.nreg
            self.nreg += 1
        for index, param in enumerate(params):
            self.names[param.name] = index
            self.captured.pop(param.name, None)
        self.all_names.update(self.names)
        self.fixed.update(range(self.nreg))
        self.out = defaults
        self.emit = defaults.append
        for index, value in values:
            params[index].default = self.named_value(value, params[index].name)
        self.out = []
        self.emit = self.out.append
        self.run_body(node, is_class, unpacked, stored)
        return_type = node.child_by_field_name("return_type")
        captured = pending.captured
        return ir.Function(
            name=pending.name,
            qualname=pending.qualname,
            start=start,
            end=end if not self.is_module else _end_of_code(node),
            params=params,
            captured=captured,
            nonlocals=tuple(i for i, name in enumerate(captured) if name in self.nonlocals),
            registers=self.nreg,
            names=self.all_names,
            annotations=self.annotations,
            returns=unit.types.at(return_type) if return_type is not None and not is_class else None,
            defaults=defaults,
            body=self.out,
            cls=pending.cls,
            parent=pending.parent,
            flags=tuple(sorted(self.flags)),
            doc="\n".join(_directives(node)),
        )

    def run_body(self, node: Node, is_class: bool, unpacked: list[tuple[Node, int]], stored: list[tuple[Node, int]]) -> None:
        unit, pending = self.unit, self.pending
        for target, _ in unpacked:
            for bound in g.pattern_names(target):
                self.declare(self.word(bound))
        for target, register in unpacked:
            self.store(target, register)
        for name, register in stored:
            self.emit(ir.StoreAttr(name.start_byte, name.end_byte, 0, self.word(name), register))
        if is_class:
            if pending.has_base:
                self.forward_to_base(node)
            self.set_fields()
            return
        if pending.fields and not pending.has_base:
            self.set_fields()
        body: Node | None = node if self.is_module else node.child_by_field_name("body")
        declarations = unit.vars.get(-1 if self.is_module else node.start_byte, ())
        if self.is_module:
            self.hoist(body.named_children if body is not None else [])
        for declaration in declarations:
            for declarator in declaration.named_children:
                names = declarator.child_by_field_name("name")
                if names is not None and declarator.start_byte not in self.specials:
                    for bound in g.pattern_names(names):
                        self.declare(self.word(bound))
        if self.is_module:
            self.statements(node.named_children)
        elif body is not None and body.type == "statement_block":
            self.block(body)
        elif body is not None:
            self.emit(ir.Return(body.start_byte, body.end_byte, self.value(body)))
        if pending.fields:
            self.set_fields()

    def parameters(
        self, params: list[ir.Param], values: list[tuple[int, Node]], unpacked: list[tuple[Node, int]], stored: list[tuple[Node, int]]
    ) -> None:
        node = self.pending.node
        single = node.child_by_field_name("parameter")
        if single is not None:
            params.append(ir.Param(self.word(single), single.start_byte, single.end_byte))
            return
        listed = node.child_by_field_name("parameters")
        position = 0
        for child in listed.named_children if listed is not None else []:
            pattern = child.child_by_field_name("pattern")
            if child.type not in _PARAMETERS or pattern is None or pattern.type == "this":
                continue
            start, end = child.byte_range
            index = len(params)
            kind = "normal"
            annotation = child.child_by_field_name("type")
            if pattern.type == "rest_pattern":
                kind = "star"
                inner = g.parts(pattern)
                pattern = inner[0] if inner else pattern
            if pattern.type == "identifier":
                name = self.word(pattern)
                if any(c.type in _FIELD_MARKS for c in child.children) and self.pending.cls >= 0:
                    stored.append((pattern, index))
            else:
                name = f"${position}"
                unpacked.append((pattern, index))
            value = child.child_by_field_name("value")
            if value is not None:
                values.append((index, value))
            params.append(ir.Param(name, start, end, kind, self.unit.types.at(annotation) if annotation is not None else None))
            position += 1


_DEFINITIONS: Final = g.FUNCTION_VALUES | {"class"}
_FLAGS: Final = {"async": "async", "*": "generator", "get": "property", "set": "setter", "static": "static", "abstract": "abstract"}


def _directives(node: Node) -> Iterator[str]:
    """The texts at the start of a body that tell what it is: ``"use server"``."""
    for child in (node.child_by_field_name("body") or node).named_children:
        if child.type == "comment":
            continue
        inside = child.named_children[:1] if child.type == "expression_statement" else []
        if not inside or inside[0].type != "string":
            return
        yield text_value(inside[0].text.decode("latin-1")[1:-1]) if inside[0].text else ""


def _end_of_code(root: Node) -> int:
    """Where the last statement of a file ends: comments behind it are no part of the code."""
    return next((child.end_byte for child in reversed(root.named_children) if child.type not in g.EXTRAS), root.start_byte)


STATEMENT.update(
    {
        "comment": Statements.s_nothing,
        "empty_statement": Statements.s_nothing,
        "debugger_statement": Statements.s_nothing,
        "hash_bang_line": Statements.s_nothing,
        "ambient_declaration": Statements.s_nothing,
        "function_signature": Statements.s_nothing,
        "ERROR": Statements.s_broken,
        "statement_block": Statements.s_block,
        "expression_statement": Statements.s_expression_statement,
        "lexical_declaration": Statements.s_variables,
        "variable_declaration": Statements.s_variables,
        "if_statement": Statements.s_if,
        "switch_statement": Statements.s_switch,
        "while_statement": Statements.s_while,
        "do_statement": Statements.s_do,
        "for_statement": Statements.s_for,
        "for_in_statement": Statements.s_for_in,
        "break_statement": Statements.s_break,
        "continue_statement": Statements.s_continue,
        "labeled_statement": Statements.s_labeled,
        "try_statement": Statements.s_try,
        "return_statement": Statements.s_return,
        "throw_statement": Statements.s_throw,
        "with_statement": Statements.s_with,
        "import_statement": Modules.s_import,
        "import_alias": Modules.s_import_alias,
        "export_statement": Modules.s_export,
        "class_declaration": Classes.s_class,
        "abstract_class_declaration": Classes.s_class,
        "interface_declaration": Classes.s_interface,
        "type_alias_declaration": Classes.s_type_alias,
        "enum_declaration": Classes.s_enum,
        "internal_module": Classes.s_namespace,
        "module": Classes.s_namespace,
        "function_declaration": Definitions.s_function,
        "generator_function_declaration": Definitions.s_function,
    }
)
_EXPRESSIONS: Final[dict[str, Callable[[Any, Node], int]]] = {
    "identifier": Expressions.x_identifier,
    "this": Expressions.x_this,
    "super": Expressions.x_super,
    "member_expression": Expressions.x_chain,
    "subscript_expression": Expressions.x_chain,
    "call_expression": Expressions.x_chain,
    "non_null_expression": Expressions.x_asserted,
    "new_expression": Expressions.x_new,
    "string": Operators.x_string,
    "template_string": Operators.x_template,
    "number": Operators.x_number,
    "regex": Operators.x_regex,
    "true": Operators.x_true,
    "false": Operators.x_false,
    "null": Operators.x_none,
    "undefined": Operators.x_none,
    "binary_expression": Operators.x_binary,
    "unary_expression": Operators.x_unary,
    "update_expression": Operators.x_update,
    "ternary_expression": Operators.x_ternary,
    "sequence_expression": Operators.x_sequence,
    "parenthesized_expression": Expressions.x_wrapped,
    "as_expression": Expressions.x_asserted,
    "satisfies_expression": Expressions.x_asserted,
    "type_assertion": Expressions.x_asserted,
    "instantiation_expression": Expressions.x_wrapped,
    "await_expression": Expressions.x_await,
    "yield_expression": Expressions.x_yield,
    "spread_element": Expressions.x_inner,
    "array": Expressions.x_array,
    "object": Expressions.x_object,
    "assignment_expression": Expressions.x_assignment,
    "augmented_assignment_expression": Expressions.x_augmented,
    "arrow_function": Expressions.x_function,
    "function_expression": Expressions.x_function,
    "generator_function": Expressions.x_function,
    "class": Expressions.x_class,
    "meta_property": Expressions.x_identifier,
    "jsx_element": Tags.x_element,
    "jsx_self_closing_element": Tags.x_element,
    "jsx_expression": Expressions.x_inner,
}
EXPR.update(_EXPRESSIONS)
