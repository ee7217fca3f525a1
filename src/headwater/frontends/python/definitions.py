"""Imports, functions and classes of Python, and the lowering of one function from its parameters to its body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from headwater import ir
from headwater.frontends.python import grammar as g
from headwater.frontends.python.dispatch import STATEMENT
from headwater.frontends.python.literals import doc_value
from headwater.frontends.python.scope import BLOCK, GLOBAL
from headwater.frontends.python.statements import Statements

_FLAGS = {
    "staticmethod": "static",
    "classmethod": "classmethod",
    "property": "property",
    "cached_property": "property",
    "abstractmethod": "abstract",
    "abstractproperty": "property",
    "overload": "overload",
}
_ACCESSORS = {"setter": "setter", "deleter": "setter", "getter": "property"}
_FLAG_MODULES = frozenset(("", "abc", "functools", "typing", "typing_extensions", "builtins", "t"))


def _flag(name: str) -> str:
    """``lazyproperty``, ``hybrid_property``: descriptors of one's own, which are read like those of the language."""
    return _FLAGS.get(name, "property" if name.lower().endswith("property") else "")


class Definitions(Statements):
    """Lowers whole functions."""

    # ----------------------------------------------------------------------------------------------- imports

    def dotted(self, node: Node) -> str:
        if node.named_child_count == 1:
            return self.word(node)
        return ".".join([self.word(part) for part in g.parts(node)])

    def s_import(self, node: Node) -> None:
        start, end = node.byte_range
        for child in g.parts(node):
            if child.kind_id == g.DOTTED_NAME:
                path = self.dotted(child)
                self.note_imported(path, 0, start)
                root = path.partition(".")[0]
                self.bind_import(root, ir.Alias(root, 0, True, start), start, end)
            else:
                names = g.parts(child)
                path = self.dotted(names[0])
                self.note_imported(path, 0, start)
                self.bind_import(self.word(names[-1]), ir.Alias(path, 0, True, start), start, end)

    def s_import_from(self, node: Node) -> None:
        start, end = node.byte_range
        children = g.parts(node)
        source = children[0]
        level = 0
        path = ""
        if source.kind_id == g.RELATIVE_IMPORT:
            for part in g.parts(source):
                if part.kind_id == g.IMPORT_PREFIX:
                    level = self.text[part.start_byte : part.end_byte].count(".")
                else:
                    path = self.dotted(part)
        else:
            path = self.dotted(source)
        self.note_imported(path, level, start)
        for child in children[1:]:
            if child.kind_id == g.WILDCARD:
                alias = ir.Alias(path, level, True, start)
                if self.is_module and alias not in self.unit.stars:
                    self.unit.stars.append(alias)
                continue
            if child.kind_id == g.DOTTED_NAME:
                name = bound = self.dotted(child)
            else:
                names = g.parts(child)
                name = self.dotted(names[0])
                bound = self.word(names[-1])
            full = f"{path}.{name}" if path else name
            self.bind_import(bound, ir.Alias(full, level, False, start), start, end)

    def note_imported(self, path: str, level: int, start: int) -> None:
        if path or level:
            self.unit.imported.setdefault((path, level), ir.Alias(path, level, True, start))

    def bind_import(self, name: str, alias: ir.Alias, start: int, end: int) -> None:
        if self.is_module and self.cls < 0:
            self.note_alias(name, alias)
            if name not in self.names:
                self.free.add(name)
                return
        dst = self.bind(name)
        if dst == GLOBAL:
            self.note_alias(name, alias)
            dst = self.temp()
            self.emit(ir.Import(start, end, dst, alias.path, alias.level))
            self.emit(ir.StoreGlobal(start, end, name, dst))
        else:
            self.emit(ir.Import(start, end, dst, alias.path, alias.level))

    def note_alias(self, name: str, alias: ir.Alias) -> None:
        known = self.unit.imports.setdefault(name, [])
        if alias not in known:
            known.append(alias)

    # ------------------------------------------------------------------------------------------- definitions

    def s_function(self, node: Node) -> None:
        self.define_function(node, [])

    def s_class(self, node: Node) -> None:
        self.define_class(node, [])

    def s_decorated(self, node: Node) -> None:
        children = g.parts(node)
        definition = children[-1]
        decorators = [g.parts(c)[-1] for c in children[:-1] if c.kind_id == g.DECORATOR and c.named_child_count]
        if definition.kind_id == g.FUNCTION_DEFINITION:
            self.define_function(definition, decorators)
        elif definition.kind_id == g.CLASS_DEFINITION:
            self.define_class(definition, decorators)

    def decorator_flag(self, node: Node) -> str:
        """The flag that a decorator stands for which is of the language itself, or is called like one; else the empty text."""
        if node.kind_id == g.IDENTIFIER:
            return _flag(self.word(node))
        if node.kind_id != g.ATTRIBUTE:
            return ""
        module, _, name = self.text[node.start_byte : node.end_byte].rpartition(".")
        if name in _ACCESSORS:
            return _ACCESSORS[name]
        return _flag(name) if name not in _FLAGS or module in _FLAG_MODULES else ""

    def define_function(self, node: Node, decorators: list[Node]) -> None:
        start, end = node.byte_range
        flags: set[str] = set()
        others: list[tuple[Node, int]] = []
        for decorator in decorators:
            flag = self.decorator_flag(decorator)
            if flag:
                flags.add(flag)
                if flag == "property" and "abstract" in self.text[decorator.start_byte : decorator.end_byte]:
                    flags.add("abstract")
            else:
                others.append((decorator, self.value(decorator)))
        if self.text.startswith("async", start):
            flags.add("async")
        name_node = node.child_by_field_id(g.FIELD_NAME)
        if name_node is None:
            return
        name = self.word(name_node)
        pending = self.defer(node, name, self.cls, flags)
        index = pending.index
        if self.cls >= 0:
            methods = self.unit.classes[self.cls].methods
            methods[name] = (*methods.get(name, ()), index)
            self.members[name] = pending
            if not others and name not in (self.local or ()):
                return
        elif self.is_module:
            self.unit.definitions.setdefault(name, []).append(("function", index))
            if name not in self.names:
                self.free.add(name)
                if not others:
                    return
        dst = self.temp()
        self.emit_func(start, end, dst, pending)
        self.decorate(name, dst, others, start, end)

    def decorate(self, name: str, target: int, decorators: list[tuple[Node, int]], start: int, end: int) -> None:
        """Applies decorators, innermost first, and binds the name where it has a register."""
        for node, decorator in reversed(decorators):
            dst = self.temp()
            self.emit(ir.Decorate(node.start_byte, node.end_byte, dst, decorator, target))
            target = dst
        if self.is_module and self.cls < 0 and name not in self.names:
            return
        self.assign_name(name, start, end, target)

    def define_class(self, node: Node, decorators: list[Node]) -> None:
        if not self.nested(node):
            return
        unit = self.unit
        start, end = node.byte_range
        others = [(decorator, self.value(decorator)) for decorator in decorators]
        name_node = node.child_by_field_id(g.FIELD_NAME)
        name = self.word(name_node) if name_node is not None else "?"
        types = tuple(unit.types.at(decorator) for decorator in decorators)
        index = len(unit.classes)
        made = ir.Class(name, self.prefix + name, start, end, [], {}, {}, {}, types, self.index)
        unit.classes.append(made)
        superclasses = node.child_by_field_id(g.FIELD_SUPERCLASSES)
        if superclasses is not None:
            self.bases(made, superclasses)
        body = node.child_by_field_id(g.FIELD_BODY)
        if body is not None:
            self.class_body(made, index, body)
        self.depth -= BLOCK
        if self.cls >= 0:
            self.members[name] = index
            if not others and name not in (self.local or ()):
                return
        elif self.is_module:
            unit.definitions.setdefault(name, []).append(("class", index))
            if name not in self.names:
                self.free.add(name)
                if not others:
                    return
        dst = self.temp()
        self.emit(ir.ClassDef(start, end, dst, index))
        self.decorate(name, dst, others, start, end)

    def bases(self, made: ir.Class, node: Node) -> None:
        for child in g.parts(node):
            kind = child.kind_id
            if kind == g.KEYWORD_ARGUMENT:
                pair = g.parts(child)
                made.keywords[self.word(pair[0])] = self.unit.types.at(pair[-1])
                if pair[-1].kind_id == g.CALL:
                    self.value(pair[-1])
            elif kind == g.LIST_SPLAT or kind == g.DICTIONARY_SPLAT:
                self.inner(child)
            else:
                made.bases.append(self.unit.types.at(child))
                if kind == g.CALL:
                    self.value(child)

    def class_body(self, made: ir.Class, index: int, body: Node) -> None:
        made.doc = self.docstring(body)
        saved = self.cls, self.prefix, self.local, self.members, self.comprehensions, self.around
        self.cls = index
        self.prefix = made.qualname + "."
        shadows: dict[str, int | None] = {}
        self.local = shadows
        self.members = {}
        self.comprehensions = []
        self.block(body)
        self.restore(shadows)
        self.cls, self.prefix, self.local, self.members, self.comprehensions, self.around = saved

    def docstring(self, body: Node) -> str:
        for child in body.named_children:
            kind = child.kind_id
            if kind in g.EXTRAS:
                continue
            if kind != g.EXPRESSION_STATEMENT or child.named_child_count != 1:
                return ""
            string = child.named_children[0]
            if string.kind_id == g.STRING:
                text = self.text[string.start_byte : string.end_byte]
                return "" if self.is_format(text[:6]) else doc_value(text)
            if string.kind_id == g.CONCATENATED:
                strings = g.parts(string)
                texts = [self.text[s.start_byte : s.end_byte] for s in strings]
                return "" if any(self.is_format(t[:6]) for t in texts) else "".join(doc_value(t) for t in texts[:64])
            return ""
        return ""

    # --------------------------------------------------------------------------------------------- functions

    def run(self) -> ir.Function:
        """Lowers the whole function."""
        pending = self.pending
        node = pending.node
        params: list[ir.Param] = []
        defaults: ir.Block = []
        returns: ir.Type | None = None
        doc = ""
        body: Node | None = None
        unpacked: list[tuple[Node, int]] = []
        if self.is_module:
            self.apply_known()
            body = node
        else:
            listed: list[Node] = []
            for child in node.named_children:
                kind = child.kind_id
                if kind in _PARAMETER_LISTS:
                    listed = child.named_children
                elif kind == g.TYPE:
                    returns = self.unit.types.at(child)
                elif kind not in g.EXTRAS and kind != g.TYPE_PARAMETER:
                    body = child  # the last one
            values = self.parameters(listed, params, unpacked)
            self.nreg = len(params)
            # Defaults do not see the parameters: their names are given after them.
            self.preset()
            self.out = defaults
            self.emit = defaults.append
            for index, value in values:
                params[index].default = self.value(value)
            self.out = []
            self.emit = self.out.append
            self.in_defaults = frozenset(self.names)
            self.names = {}
            for index, param in enumerate(params):
                self.names[param.name] = index
                self.fixed.add(index)
            self.apply_known()
            self.free.clear()
        if body is not None:
            if node.kind_id == g.LAMBDA:
                start, end = body.byte_range
                self.emit(ir.Return(start, end, self.value(body)))
            else:
                doc = self.docstring(body)
                for target, register in unpacked:
                    self.store(target, register)
                self.block(body)
        for name, register in self.captured.items():
            self.names.setdefault(name, register)  # for the functions inside that capture it from here
        captured = tuple(self.captured)
        return ir.Function(
            name=pending.name,
            qualname=pending.qualname,
            start=node.start_byte,
            end=node.end_byte if pending.owner is not None else _end_of_code(node),
            params=params,
            captured=captured,
            nonlocals=tuple(i for i, name in enumerate(captured) if name in self.nonlocals),
            registers=self.nreg,
            names=self.names,
            annotations=self.annotations,
            returns=returns,
            defaults=defaults,
            body=self.out,
            cls=pending.cls,
            parent=pending.owner.index if pending.owner is not None else -1,
            flags=tuple(sorted(self.flags)),
            doc=doc,
        )

    def apply_known(self) -> None:
        if self.known is None:
            return
        for name in self.known.preset:
            if name not in self.names or self.names[name] in self.captured_registers:
                self.names[name] = self.nreg
                self.fixed.add(self.nreg)
                self.nreg += 1

    def parameters(self, nodes: list[Node], params: list[ir.Param], unpacked: list[tuple[Node, int]]) -> list[tuple[int, Node]]:
        """Fills in the parameters; gives index and node of each default."""
        values: list[tuple[int, Node]] = []
        kind_now = "normal"
        for node in nodes:
            kind = node.kind_id
            start, end = node.byte_range
            if kind in g.EXTRAS:
                continue
            if kind == g.KEYWORD_SEPARATOR:
                kind_now = "keyword"
                continue
            if kind == g.POSITIONAL_SEPARATOR:
                for param in params:
                    param.kind = "positional"
                continue
            annotation: ir.Type | None = None
            target = node
            if kind in _WITH_DEFAULT:
                children = g.parts(node)
                target = children[0]
                values.append((len(params), children[-1]))
                if kind == g.TYPED_DEFAULT_PARAMETER and len(children) > 2:
                    annotation = self.unit.types.at(children[1])
            elif kind == g.TYPED_PARAMETER:
                children = g.parts(node)
                target = children[0]
                annotation = self.unit.types.at(children[-1])
            this = kind_now
            kind = target.kind_id
            if kind == g.LIST_SPLAT_PATTERN:
                this = "star"
                kind_now = "keyword"
            elif kind == g.DICTIONARY_SPLAT_PATTERN:
                this = "stars"
            if this in ("star", "stars"):
                inner = g.parts(target)
                target = inner[0] if inner else target
                kind = target.kind_id
            if kind == g.IDENTIFIER:
                name = self.word(target)
            else:
                # Python 2 takes tuples apart in the parameter list
                name = f".{len(params)}"
                if kind in g.TARGETS:
                    self.unit.note_old_python(start, end, "tuple parameter")
                    unpacked.append((target, len(params)))
            params.append(ir.Param(name, start, end, this, annotation))
        return values


_PARAMETER_LISTS = frozenset((g.PARAMETERS, g.kind("lambda_parameters")))
_WITH_DEFAULT = frozenset((g.DEFAULT_PARAMETER, g.TYPED_DEFAULT_PARAMETER))


def _end_of_code(root: Node) -> int:
    """Where the last statement of a file ends: comments behind it are no part of the code."""
    return next((child.end_byte for child in reversed(root.named_children) if child.kind_id not in g.EXTRAS), root.start_byte)


def _table() -> list[Callable[[Any, Node], None]]:
    by_name: dict[str, Callable[[Any, Node], None]] = {
        "comment": Statements.s_nothing,
        "line_continuation": Statements.s_nothing,
        "expression_statement": Statements.s_expression_statement,
        "return_statement": Statements.s_return,
        "if_statement": Statements.s_if,
        "for_statement": Statements.s_for,
        "while_statement": Statements.s_while,
        "try_statement": Statements.s_try,
        "with_statement": Statements.s_with,
        "match_statement": Statements.s_match,
        "raise_statement": Statements.s_raise,
        "assert_statement": Statements.s_assert,
        "pass_statement": Statements.s_nothing,
        "delete_statement": Statements.s_nothing,
        "break_statement": Statements.s_break,
        "continue_statement": Statements.s_continue,
        "global_statement": Statements.s_global,
        "nonlocal_statement": Statements.s_nonlocal,
        "print_statement": Statements.s_print,
        "exec_statement": Statements.s_exec,
        "type_alias_statement": Statements.s_type_alias,
        "future_import_statement": Statements.s_nothing,
        "import_statement": Definitions.s_import,
        "import_from_statement": Definitions.s_import_from,
        "function_definition": Definitions.s_function,
        "class_definition": Definitions.s_class,
        "decorated_definition": Definitions.s_decorated,
    }
    table: list[Callable[[Any, Node], None]] = [Statements.s_expression] * g.KINDS
    for name, do in by_name.items():
        for kind in g.kinds(name):
            table[kind] = do
    return table


STATEMENT.extend(_table())
