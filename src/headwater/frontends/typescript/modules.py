"""Imports and exports: those of the language, of CommonJS, and as compilers write them."""

from __future__ import annotations

from typing import Final

from tree_sitter import Node

from headwater import ir
from headwater.frontends.typescript import grammar as g
from headwater.frontends.typescript.statements import Statements

DEFAULT: Final = "default"
_NODE_WORDS: Final = (
    "assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain "
    "events fs http http2 https inspector module net os path perf_hooks process punycode querystring readline repl "
    "sqlite stream string_decoder sys test timers tls trace_events tty url util v8 vm wasi worker_threads zlib"
)
_NODE: Final = frozenset(_NODE_WORDS.split())
"""Modules of Node itself; the test is one only with ``node:``."""
_HELPERS_WORDS: Final = (
    "__importDefault __importStar _interopRequireDefault _interopRequireWildcard __toESM __toCommonJS "
    "_interopDefault interopRequireDefault interopRequireWildcard _interopNamespace _interopDefaultLegacy"
)
_HELPERS: Final = frozenset(_HELPERS_WORDS.split())
"""What compilers put round ``require``."""
_HELPERS_NESTED: Final = 4
_ALIASES: Final = 16  # imports of one name that are told apart
_ENDINGS: Final = (".js", ".mjs", ".cjs")


def module_path(specifier: str) -> str:
    """The path of an import as the index knows it."""
    if specifier.startswith((".", "/")):
        return specifier
    bare = specifier.removeprefix("node:")
    if bare.partition("/")[0] in _NODE and ((specifier != "test" and bare != specifier) or bare not in ("test", "sqlite")):
        return "node:" + bare
    for ending in _ENDINGS:
        if bare.endswith(ending) and "/" in bare:
            bare = bare.removesuffix(ending)
            break
    return "npm:" + bare.replace(".", "_")


class Modules(Statements):
    """Lowers imports and exports."""

    # ----------------------------------------------------------------------------------------------- imports

    def specifier(self, node: Node | None) -> str:
        """The path that a string names; empty where it is none."""
        if node is None:
            return ""
        found = self.property_name(node) if node.type in ("string", "template_string") else None
        return module_path(found) if isinstance(found, str) and found else ""

    def note_imported(self, path: str, start: int) -> None:
        if path not in self.unit.imported:
            self.unit.imported[path] = ir.Alias(path, 0, True, start)

    def bind_import(self, name: str, path: str, member: str, start: int) -> None:
        self.note_imported(path, start)
        alias = ir.Alias(path, 0, True, start, member)
        known = self.unit.imports.setdefault(name, [])
        if alias not in known and len(known) < _ALIASES:
            known.append(alias)

    def s_import(self, node: Node) -> None:
        start = node.start_byte
        source = node.child_by_field_name("source")
        path = self.specifier(source)
        if path:
            self.note_imported(path, start)
        for clause in g.parts(node):
            if clause.type == "import_require_clause":
                path = self.specifier(clause.child_by_field_name("source"))
                inner = g.parts(clause)
                if path and inner:
                    self.bind_import(self.word(inner[0]), path, "*", start)
            elif clause.type == "import_clause" and path:
                self.import_clause(clause, path, start)

    def import_clause(self, clause: Node, path: str, start: int) -> None:
        for part in g.parts(clause):
            if part.type == "identifier":
                self.bind_import(self.word(part), path, DEFAULT, start)
            elif part.type == "namespace_import":
                inner = g.parts(part)
                if inner:
                    self.bind_import(self.word(inner[-1]), path, "*", start)
            elif part.type == "named_imports":
                for one in g.parts(part):
                    name = one.child_by_field_name("name")
                    if name is not None:
                        member = str(self.property_name(name) if name.type == "string" else self.word(name))
                        self.bind_import(self.word(one.child_by_field_name("alias") or name), path, member, start)

    def s_import_alias(self, node: Node) -> None:
        """``import A = B.C``."""
        inner = g.parts(node)
        if len(inner) == 2:
            self.store(inner[0], self.dotted(inner[1]))

    def dotted(self, node: Node) -> int:
        """The value of ``A.B.C`` where it is read as a name of a type."""
        inner = g.parts(node)
        if len(inner) < 2:
            return self.read(self.word(node), node.start_byte, node.end_byte)
        obj = self.dotted(inner[0])
        dst = self.temp()
        self.emit(ir.Attr(node.start_byte, node.end_byte, dst, obj, self.word(inner[-1])))
        return dst

    def module_of(self, node: Node) -> str:
        for _ in range(_HELPERS_NESTED):
            node = g.unwrapped(node)
            if node.type == "await_expression":
                inner = g.parts(node)
                node = g.unwrapped(inner[0]) if inner else node
            if node.type != "call_expression":
                return ""
            function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
            args = g.parts(arguments) if arguments is not None else []
            if function is None or not args:
                return ""
            function = g.unwrapped(function)
            prop = function.child_by_field_name("property") if function.type == "member_expression" else function
            name = self.word(prop) if prop is not None else ""
            if name in _HELPERS:
                node = args[0]
                continue
            if function.type == "import" or (function.type == "identifier" and name == "require" and name not in self.names):
                path = self.specifier(args[0])
                if path:
                    self.note_imported(path, node.start_byte)
                return path
            return ""
        return ""

    def imported_by(self, target: Node, value: Node) -> list[tuple[str, str, str]]:
        """Names, paths and members that ``const target = value`` imports."""
        value = g.unwrapped(value)
        member = "*"
        path = self.module_of(value)
        if not path and value.type == "member_expression":
            obj, prop = value.child_by_field_name("object"), value.child_by_field_name("property")
            path = self.module_of(obj) if obj is not None else ""
            member = self.word(prop) if prop is not None else ""
        if not path:
            return []
        if target.type == "identifier":
            return [(self.word(target), path, member)]
        found: list[tuple[str, str, str]] = []
        for part in g.parts(target) if target.type == "object_pattern" and member == "*" else []:
            if part.type == "shorthand_property_identifier_pattern":
                found.append((self.word(part), path, self.word(part)))
                continue
            key, name = part.child_by_field_name("key"), part.child_by_field_name("value")
            known = self.property_name(key) if key is not None else None
            if part.type != "pair_pattern" or name is None or name.type != "identifier" or not isinstance(known, str):
                return []
            found.append((self.word(name), path, known))
        return found

    # ----------------------------------------------------------------------------------------------- exports

    def exports(self, name: str, local: str) -> None:
        self.unit.exported[name] = local

    def export_names(self, declaration: Node) -> list[str]:
        """The names that a declaration gives."""
        kind = declaration.type
        if kind in ("lexical_declaration", "variable_declaration"):
            targets = [child.child_by_field_name("name") for child in declaration.named_children]
            return [self.word(name) for target in targets if target is not None for name in g.pattern_names(target)]
        if kind == "import_alias":
            return [self.word(declaration.named_children[0])]
        name = declaration.child_by_field_name("name")
        return [self.word(name).partition(".")[0]] if name is not None and name.type != "string" else []

    def s_export(self, node: Node) -> None:
        start, end = node.byte_range
        declaration = node.child_by_field_name("declaration")
        is_default = any(child.type == "default" for child in node.children)
        top = self.is_module and not self.space
        if declaration is not None:
            self.statement(declaration)
            for name in self.export_names(declaration):
                if self.space:
                    if name in self.names:
                        self.space_names[name] = self.names[name]
                elif top:
                    self.exports(DEFAULT if is_default else name, name)
            return
        value = node.child_by_field_name("value")
        if value is None and any(child.type == "=" for child in node.children):
            value = next(iter(g.parts(node)), None)
        if value is not None and top:
            before = len(self.out)
            self.export_value("" if not is_default else DEFAULT, value, start, end)
            if self.out[before:] and isinstance(self.out[-1], ir.Name):  # nobody reads it
                self.out.pop()
            return
        source = node.child_by_field_name("source")
        path = self.specifier(source)
        clauses = [child for child in g.parts(node) if child.type in ("export_clause", "namespace_export")]
        if source is not None and not clauses and path:
            self.note_imported(path, start)
            self.unit.stars.append(ir.Alias(path, 0, True, start, "*"))
        for clause in clauses:
            if clause.type == "namespace_export":
                inner = g.parts(clause)
                if inner and path:
                    self.export_from(self.exported_word(inner[-1]), path, "*", start)
                continue
            for one in g.parts(clause):
                found = one.child_by_field_name("name")
                if found is None:
                    continue
                local = self.exported_word(found)
                alias = one.child_by_field_name("alias")
                exported = self.exported_word(alias) if alias is not None else local
                if path:
                    self.export_from(exported, path, local, start)
                elif source is None and self.space:
                    if local in self.names:
                        self.space_names[exported] = self.names[local]
                elif source is None:
                    self.exports(exported, local)

    def exported_word(self, node: Node) -> str:
        return str(self.property_name(node)) if node.type == "string" else self.word(node)

    def export_from(self, name: str, path: str, member: str, start: int) -> None:
        local = f"export {name}"
        self.bind_import(local, path, member, start)
        self.exports(name, local)

    # ---------------------------------------------------------------------------------------------- CommonJS

    def export_target(self, node: Node) -> str | None:
        obj, prop = node.child_by_field_name("object"), node.child_by_field_name("property")
        if obj is None or prop is None:
            return None
        if obj.type == "identifier":
            name = self.word(obj)
            if name in self.names:
                return None
            if name == "exports":
                return self.word(prop)
            return "" if name == "module" and self.word(prop) == "exports" else None
        if obj.type == "member_expression" and self.export_target(obj) == "" and self.text.startswith("module", obj.start_byte):
            return self.word(prop)
        return None

    def export_value(self, name: str, value: Node, start: int, end: int) -> int:
        last = g.unwrapped(value)
        while last.type == "assignment_expression" and (right := last.child_by_field_name("right")) is not None:
            last = g.unwrapped(right)
        if last.type == "unary_expression" and self.text.startswith("void", last.start_byte):
            return self.const(start, end, None)  # the names are only made known
        value = g.unwrapped(value)
        if value.type == "identifier" and self.is_module:
            self.exports(name or DEFAULT, self.word(value))
            return self.x_identifier(value)
        if not name or name == DEFAULT:
            own = value.child_by_field_name("name") if value.type in g.FUNCTION_VALUES or value.type == "class" else None
            if self.define_export(value, self.word(own) if own is not None else DEFAULT, DEFAULT):
                self.exports(DEFAULT, DEFAULT)
                return self.read(DEFAULT, start, start)
        elif self.define_export(value, name, f"export {name}"):
            self.exports(name, f"export {name}")
            return self.read(f"export {name}", start, start)
        if not name:
            return self.export_whole(value, start, end)
        local = DEFAULT if name == DEFAULT else f"export {name}"
        return self.export_register(name, local, self.named_value(value, name), start, end)

    def define_export(self, node: Node, name: str, local: str) -> bool:
        """Whether it is a function or class, which is then defined under a name that no variable has."""
        raise NotImplementedError

    def export_register(self, name: str, local: str, register: int, start: int, end: int) -> int:
        self.exports(name, local)
        return self.assign_name(local, start, end, register)

    def export_whole(self, value: Node, start: int, end: int) -> int:
        """``module.exports = value``: what it holds is exported by name, too."""
        path = self.module_of(value)
        if path:
            self.unit.stars.append(ir.Alias(path, 0, True, start, "*"))
        if value.type != "object":
            return self.export_register(DEFAULT, DEFAULT, self.named_value(value, DEFAULT), start, end)
        keys: list[str | int | None] = []
        values: list[int] = []
        spread: list[bool] = []
        for child in g.parts(value):
            inner = g.parts(child) if child.type == "spread_element" else []
            if inner and (path := self.module_of(inner[0])):
                self.unit.stars.append(ir.Alias(path, 0, True, start, "*"))
            key, register = self.object_part(child)
            if register < 0:
                continue
            if isinstance(key, str) and key != "**":
                plain = child if child.type != "pair" else child.child_by_field_name("value")
                if plain is not None and plain.type in ("identifier", "shorthand_property_identifier") and self.is_module:
                    self.exports(key, self.word(plain))
                else:
                    register = self.export_register(key, f"export {key}", register, child.start_byte, child.end_byte)
            keys.append(key)
            values.append(register)
            spread.append(child.type == "spread_element")
        dst = self.temp()
        self.emit(ir.Build(start, end, dst, "dict", tuple(keys), tuple(values), tuple(spread) if any(spread) else ()))
        return self.export_register(DEFAULT, DEFAULT, dst, start, end)

    def export_call(self, node: Node) -> bool:
        """``Object.defineProperty(exports, "x", {get})``, ``__exportStar(require("x"), exports)``."""
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None:
            return False
        function = g.unwrapped(function)
        prop = function.child_by_field_name("property") if function.type == "member_expression" else function
        name = self.word(prop) if prop is not None else ""
        args = g.parts(arguments)
        start, end = node.byte_range
        if name in ("__exportStar", "__reExport") and args:
            for arg in args:
                path = self.module_of(arg)
                if path:
                    self.unit.stars.append(ir.Alias(path, 0, True, start, "*"))
            return True
        if name == "__export" and len(args) == 2 and args[1].type == "object":
            for child in g.parts(args[1]):
                self.export_getter(child, self.word(child.child_by_field_name("key") or child), start, end)
            return True
        if name == "defineProperty" and len(args) == 3 and self.word(args[0]) in ("exports", "module.exports"):
            key = self.property_name(args[1])
            if isinstance(key, str) and key != "__esModule" and args[2].type == "object":
                for child in g.parts(args[2]):
                    made = child.child_by_field_name("key") or child.child_by_field_name("name")
                    if made is not None and self.word(made) in ("get", "value"):
                        self.export_getter(child, key, start, end)
            return True
        return False

    def export_getter(self, node: Node, name: str, start: int, end: int) -> None:
        """Exports what a getter returns."""
        value = g.unwrapped(node.child_by_field_name("value") or node)
        body = value.child_by_field_name("body")
        if body is not None and body.type == "statement_block":
            inner = g.parts(body)
            returned = g.parts(inner[0]) if len(inner) == 1 and inner[0].type == "return_statement" else []
            body = returned[0] if returned else None
        elif body is None:
            body = value if self.word(node.child_by_field_name("key") or node) == "value" else None
        if body is not None:
            self.export_value(name, body, start, end)
