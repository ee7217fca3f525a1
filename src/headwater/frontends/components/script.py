"""The script blocks of a component: what stays outside of the function of the component, what goes into it, and the names it has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from tree_sitter import Node

from headwater.frontends.bounded import BoundedParser
from headwater.frontends.components.markup import Open, Span
from headwater.frontends.rewritten import Rewritten
from headwater.frontends.typescript import grammar as g

_OUTSIDE: Final = frozenset(("import_statement", "interface_declaration", "type_alias_declaration", "ambient_declaration"))
_HOOKS: Final = frozenset(("data", "props", "computed", "methods", "watch", "components", "setup"))
_MEMBERS: Final = frozenset(("methods", "watch"))
_MODULE: Final = ("module", "context")
_STORE: Final = re.compile(rb"(?<![\w$.])\$([A-Za-z_]\w*)(\.by|\.raw)?\b(\s*=(?![=>]))?")
_RUNES: Final = frozenset(("state", "derived", "props", "effect", "bindable", "inspect", "host"))

_GIVEN: Final = "$given"
_PRELUDE: Final = {
    "ref": "function ref(v) { return { value: v } }",
    "shallowRef": "function shallowRef(v) { return { value: v } }",
    "toRef": "function toRef(o, k) { return { value: o[k] } }",
    "toRefs": "function toRefs(o) { return o }",
    "reactive": "function reactive(o) { return o }",
    "shallowReactive": "function shallowReactive(o) { return o }",
    "readonly": "function readonly(o) { return o }",
    "unref": "function unref(r) { return r.value ?? r }",
    "computed": (
        "class $Computed { constructor(f) { this.f = f.get ?? f } get value() { return this.f() } }\n"
        "function computed(f) { return new $Computed(f) }"
    ),
    "defineProps": "function defineProps() { return $given }",
    "withDefaults": "function withDefaults(p, d) { return p }",
    "defineModel": "function defineModel(n) { return { value: $given[n] ?? $given.modelValue } }",
    "defineComponent": "",
}
"""What the functions of Vue do with data; that somebody is told of changes is no matter here."""
_RUNE_PRELUDE: Final = {
    "$props": "function $props() { return $given }",
    "$state": "function $state(v) { return v }",
    "$state_raw": "function $state_raw(v) { return v }",
    "$derived": "function $derived(v) { return v }",
    "$derived_by": "function $derived_by(f) { return f() }",
    "$bindable": "function $bindable(v) { return v }",
}
"""The same of Svelte."""


class Scripts:
    """Writes the script of a component, and knows its names."""

    def __init__(self, parser: BoundedParser, data: bytes, out: Rewritten, blocks: list[Open], svelte: bool) -> None:
        self.data = data
        self.out = out
        self.svelte = svelte
        self.names: set[str] = set()
        """What is declared at the top."""
        self.held: set[str] = set()
        """Constants that a call gives: of Vue, they may be references to what they hold."""
        self.again: list[tuple[Span, Span]] = []
        """What is assigned by a rule that holds at all times, and so once more at the end: target (it may be empty) and value."""
        self.broken: list[Span] = []
        """What of a script is left out."""
        self.reactive: set[str] = set()
        """Names that only such statements declare."""
        self.options: Node | None = None
        """The object that describes a component of Vue."""
        self.own: set[str] = set()
        """What ``this`` has."""
        self.blocks = blocks
        self.trees: list[tuple[int, Node, bool]] = []
        for block in blocks:
            start, end = block.inside
            root = parser.parse(data[start:end]).root_node
            words = {one.name for one in block.attributes}
            outside = bool(words & set(_MODULE)) if svelte else "setup" not in words
            self.trees.append((start, root, outside))
            for statement in g.parts(root):
                self._declared(statement, start)
        if not svelte:
            for start, root, outside in self.trees:
                if outside and self.options is None:
                    self._find_options(root, start)

    # ------------------------------------------------------------------------------------------------- names

    def word(self, node: Node, start: int) -> str:
        return self.data[start + node.start_byte : start + node.end_byte].decode("utf-8", "replace")

    def _declared(self, node: Node, start: int) -> None:
        if node.type == "export_statement":
            node = node.child_by_field_name("declaration") or node
        if node.type in ("lexical_declaration", "variable_declaration"):
            for one in node.named_children:
                target, value = one.child_by_field_name("name"), one.child_by_field_name("value")
                if target is None:
                    continue
                found = {self.word(name, start) for name in g.pattern_names(target)}
                self.names |= found
                value = g.unwrapped(value) if value is not None else None
                if value is not None and value.type == "await_expression" and g.parts(value):
                    value = g.unwrapped(g.parts(value)[0])
                if value is None or value.type != "call_expression":
                    continue
                self.held |= found
                function = value.child_by_field_name("function")
                if self.svelte and function is not None and self.word(function, start).startswith("$derived"):
                    self.again.append(
                        ((start + target.start_byte, start + target.end_byte), (start + value.start_byte, start + value.end_byte))
                    )
        elif node.type == "import_statement":
            todo = g.parts(node)
            while todo:
                one = todo.pop()
                if one.type in ("import_clause", "named_imports"):
                    todo += g.parts(one)
                elif one.type == "import_specifier":
                    name = one.child_by_field_name("alias") or one.child_by_field_name("name")
                    self.names |= {self.word(name, start)} if name is not None else set()
                elif one.type == "namespace_import":
                    self.names |= {self.word(inner, start) for inner in g.parts(one)}
                elif one.type == "identifier":
                    self.names.add(self.word(one, start))
        elif node.type == "labeled_statement":
            label, body = node.child_by_field_name("label"), node.child_by_field_name("body")
            if self.svelte and label is not None and body is not None and self.word(label, start) == "$":
                at = start + body.start_byte
                self.again.append(((at, at), (at, start + body.end_byte)))
                inner = g.parts(body) if body.type == "expression_statement" else []
                target = g.unwrapped(inner[0]).child_by_field_name("left") if inner else None
                if target is not None:
                    self.reactive |= {self.word(name, start) for name in g.pattern_names(target)} - self.names
                    self.names |= self.reactive
        elif (name := node.child_by_field_name("name")) is not None:
            self.names.add(self.word(name, start))

    # ----------------------------------------------------------------------------------------------- options

    def _find_options(self, root: Node, start: int) -> None:
        for statement in g.parts(root):
            value = statement.child_by_field_name("value") if statement.type == "export_statement" else None
            if value is None:
                continue
            value = g.unwrapped(value)
            if value.type == "call_expression":  # defineComponent({...})
                arguments = value.child_by_field_name("arguments")
                given = g.parts(arguments) if arguments is not None else []
                value = g.unwrapped(given[0]) if given else value
            if value.type == "object":
                self.options, self.options_start, self.options_statement = value, start, statement
                self.own = {name for name, *_ in self._properties()} | {name for name, _, _ in self._members()}

    def _parts(self, node: Node) -> Iterator[tuple[str, Node, Node]]:
        """Names, whole nodes and values of the parts of an object literal."""
        for child in g.parts(node):
            key = child.child_by_field_name("key") or child.child_by_field_name("name")
            value = child.child_by_field_name("value") if child.type == "pair" else child
            if child.type in ("shorthand_property_identifier", "spread_element"):
                key = child
            if key is not None and value is not None:
                yield self.word(key, self.options_start).strip("'\""), child, g.unwrapped(value)

    def _option(self, name: str) -> Node | None:
        assert self.options is not None
        return next((value for key, _, value in self._parts(self.options) if key == name), None)

    def _returned(self, node: Node | None) -> Node | None:
        """The object that a function returns at its end."""
        if node is None or node.type == "object":
            return node
        body = node.child_by_field_name("body")
        if body is None:
            return None
        body = g.unwrapped(body)
        if body.type == "statement_block":
            ends = [one for one in g.parts(body) if one.type == "return_statement"]
            inner = g.parts(ends[-1]) if ends else []
            return g.unwrapped(inner[0]) if inner and g.unwrapped(inner[0]).type == "object" else None
        return body if body.type == "object" else None

    def _properties(self) -> Iterator[tuple[str, str, Node | None]]:
        """Names of what the component holds, how it gets it (given, data or setup), and the value."""
        props = self._option("props")
        if props is not None and props.type == "array":
            for one in g.parts(props):
                yield self.word(one, self.options_start).strip("'\""), "given", None
        elif props is not None and props.type == "object":
            for name, _, _ in self._parts(props):
                yield name, "given", None
        for how in ("data", "setup"):
            found = self._returned(self._option(how))
            for name, _, value in self._parts(found) if found is not None else ():
                yield name, how, value

    def _members(self) -> Iterator[tuple[str, Node, str]]:
        """Names and nodes of the functions that ``this`` has, and what stands before each."""
        assert self.options is not None
        for key, whole, value in self._parts(self.options):
            if key in _MEMBERS and value.type == "object":
                for name, inner, _ in self._parts(value):
                    yield name, inner, ""
            elif key == "computed" and value.type == "object":
                for name, inner, _ in self._parts(value):
                    yield name, inner, "get "
            elif (key == "setup" or key not in _HOOKS) and (whole.type == "method_definition" or value.type in g.FUNCTION_VALUES):
                yield key, whole, ""

    def _write_options(self, name: str) -> None:
        out, at = self.out, (self.options_start + self.options_statement.start_byte, self.options_start + self.options_statement.end_byte)
        out.put(f"\nclass {name} {{\nconstructor($given) {{\n".encode(), *at)
        for name, how, value in self._properties():
            if not name.isidentifier() or (how == "data" and value is None):
                continue
            place = (self.options_start + value.start_byte, self.options_start + value.end_byte) if value is not None else at
            if how == "given":
                out.put(f"this.{name} = $given.{name};\n".encode(), *place)
            elif how == "setup":
                out.put(f"this.{name} = this.setup($given).{name};\n".encode(), *place)
            elif value is not None and value.type in ("shorthand_property_identifier", "spread_element", "method_definition"):
                continue
            else:
                out.put(f"this.{name} = (".encode(), *place)
                out.keep(self.data, *place)
                out.put(b");\n", *place)
        out.put(b"}\n", *at)
        for name, node, before in self._members():
            if not name.isidentifier() or name == "constructor":
                continue
            place = (self.options_start + node.start_byte, self.options_start + node.end_byte)
            if node.type == "method_definition":
                out.put(before.encode(), *place)
                out.keep(self.data, *place)
            elif node.type == "pair" and (value := node.child_by_field_name("value")) is not None:
                inner = g.unwrapped(value)
                if inner.type in g.FUNCTION_VALUES:
                    out.put((f"get {name}() {{ return (" if before else f"{name} = ").encode(), *place)
                    out.keep(self.data, self.options_start + inner.start_byte, self.options_start + inner.end_byte)
                    out.put(b")(this); }" if before else b";", *place)
                elif before and inner.type == "object":
                    for key, accessor, _ in self._parts(inner):
                        if key == "get" and accessor.type == "method_definition":
                            body = accessor.child_by_field_name("body")
                            if body is not None:
                                out.put(f"get {name}() ".encode(), *place)
                                out.keep(self.data, self.options_start + body.start_byte, self.options_start + body.end_byte)
            out.put(b"\n", *place)

    # ----------------------------------------------------------------------------------------------- writing

    def write(self, name: str, template: Callable[[], None]) -> None:
        """Writes the whole script; ``template`` writes what follows in the function of the component."""
        out, whole = self.out, (0, len(self.data))
        text = b"\n".join(self.data[slice(*block.inside)] for block in self.blocks)
        for start, root, outside in self.trees:
            for node in root.children:
                if node.type in _OUTSIDE or (outside and not self._is_options(node)):
                    self.keep((start + node.start_byte, start + node.end_byte))
                    out.put(b"\n", start + node.end_byte, start + node.end_byte)
        if self.svelte and _STORE.search(text) is not None:
            out.put(b'import { get as $store } from "svelte/store";\n', 0, 0)
        if self.options is not None:
            self._write_options(name)
            out.put(b"$render() {\n", *whole)
            template()
            out.put(b"}\n}\n", *whole)
            out.put(f"export default function ($given) {{ const made = new {name}($given); made.$render(); }}\n".encode(), *whole)
            return
        out.put(f"export default function {name}($given) {{\n".encode(), *whole)
        prelude = _RUNE_PRELUDE if self.svelte else _PRELUDE
        words = set(re.findall(rb"[$\w]+", text))
        for word, code in prelude.items():
            if word.partition("_")[0].encode() in words and word not in self._own_functions():
                out.put(code.encode() + b"\n", 0, 0)
        for one in sorted(self.reactive):
            out.put(f"let {one};\n".encode(), 0, 0)
        for start, root, outside in self.trees:
            for node in root.children if not outside else []:
                if node.is_error:  # in a function it could break all of it
                    self.broken.append((start + node.start_byte, start + node.end_byte))
                elif node.type not in _OUTSIDE:
                    self._statement(node, start)
        template()
        out.put(b"}\n", *whole)

    def _own_functions(self) -> set[str]:
        return {
            self.word(name, start)
            for start, root, _ in self.trees
            for node in g.parts(root)
            if node.type in g.FUNCTIONS and (name := node.child_by_field_name("name")) is not None
        }

    def _is_options(self, node: Node) -> bool:
        return self.options is not None and node.id == self.options_statement.id

    def _statement(self, node: Node, start: int) -> None:
        place = (start + node.start_byte, start + node.end_byte)
        declaration = node.child_by_field_name("declaration") if node.type == "export_statement" else None
        if node.type == "export_statement" and declaration is None:
            return
        if declaration is not None and declaration.type == "lexical_declaration" and self.svelte:
            for one in declaration.named_children:  # the properties of a component of Svelte 4
                target, value = one.child_by_field_name("name"), one.child_by_field_name("value")
                if target is None or target.type != "identifier":
                    continue
                self.out.put(f"let {self.word(target, start)} = $given.{self.word(target, start)}".encode(), *place)
                if value is not None:
                    self.out.put(b" ?? (", *place)
                    self.keep((start + value.start_byte, start + value.end_byte))
                    self.out.put(b")", *place)
                self.out.put(b";\n", *place)
            return
        if declaration is not None:
            place = (start + declaration.start_byte, start + declaration.end_byte)
        self.keep(place)
        self.out.put(b"\n", place[1], place[1])

    def keep(self, place: Span) -> None:
        """Writes old text, with what Svelte makes of names that begin with ``$``."""
        at, end = place
        while self.svelte and (found := _STORE.search(self.data, at, end)) is not None:
            other = self.dollar(found.group(1).decode(), (found.group(2) or b"").decode(), found.group(3) is not None)
            self.out.keep(self.data, at, found.start())
            at = found.start(3) if found.group(3) is not None else found.end()
            self.out.put(other.encode(), found.start(), at)
        self.out.keep(self.data, at, end)

    def dollar(self, name: str, more: str, assigned: bool) -> str:
        """What ``$name`` is in Svelte: a rune, or what a store holds."""
        if name in _RUNES or name not in self.names:
            return f"${name}" + ("_" + more[1:] if more else "")
        return f"{name}.$value" if assigned else f"$store({name}){more}"
