"""Classes, functions used as classes, interfaces, aliases of types, enums and namespaces."""

from __future__ import annotations

from typing import Any, Final

from tree_sitter import Node

from headwater import ir
from headwater.frontends.typescript import grammar as g
from headwater.frontends.typescript.modules import Modules
from headwater.frontends.typescript.scope import BLOCK, Pending

_INIT: Final = "__init__"
INTERFACE: Final = ir.Type("interface")
ABSTRACT: Final = ir.Type("abstract")
_NO_BASES: Final = frozenset(("?", "None", "str", "float", "bool", "dict", "list", "Literal", "|", "Callable"))
_SIGNATURES: Final = frozenset(("method_signature", "abstract_method_signature"))


class Classes(Modules):
    """Lowers classes and the declarations of types."""

    def __init__(self, unit: Any, pending: Pending) -> None:
        super().__init__(unit, pending)
        self.specials: set[int] = set()  # starts of declarators that are imports or definitions
        self.this_class = ""

    def define_value(self, node: Node, name: str) -> None:
        raise NotImplementedError

    def marks(self, node: Node) -> set[str]:
        """The words before the name of a function, as flags."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------------ classes

    def s_class(self, node: Node) -> None:
        name = node.child_by_field_name("name")
        self.define_class(node, self.word(name) if name is not None else "<class>")

    def define_class(self, node: Node, name: str) -> None:
        top = self.is_module and self.outer is None
        index, register = self.class_body(node, name)
        if top:
            self.unit.definitions.setdefault(name, []).append(("class", index))
        if name in self.names:
            if register < 0:
                self.emit(ir.ClassDef(node.start_byte, node.end_byte, self.names[name], index))
            else:
                self.emit(ir.Move(node.start_byte, node.end_byte, self.names[name], register))

    def class_value(self, node: Node, name: str) -> int:
        if self.depth + BLOCK > 180:
            return self.too_deep(node)
        index, register = self.class_body(node, name)
        if register < 0:
            register = self.temp()
            self.emit(ir.ClassDef(node.start_byte, node.end_byte, register, index))
        return register

    def decorators(self, node: Node) -> list[Node]:
        return [inner[0] for child in node.children if child.type == "decorator" and (inner := g.parts(child))]

    def class_body(self, node: Node, name: str) -> tuple[int, int]:
        """Lowers a class; gives its index, and its register where something needed it (else -1)."""
        unit = self.unit
        start, end = node.byte_range
        decorators = self.decorators(node)
        if node.parent is not None and node.parent.type == "export_statement":
            decorators = self.decorators(node.parent) + decorators
        index = len(unit.classes)
        types = tuple(unit.types.at(decorator) for decorator in decorators)
        made = ir.Class(name, self.prefix + name, start, end, [], {}, {}, {}, types, self.index)
        unit.classes.append(made)
        if node.type == "abstract_class_declaration":
            made.keywords["kind"] = ABSTRACT
        has_base = self.bases(made, node)
        values = [(one, self.value(one)) for one in decorators]
        body = node.child_by_field_name("body")
        members = body.named_children if body is not None else []
        self.depth += BLOCK
        statics = self.members(made, index, members, node, has_base)
        register = -1
        if statics or values:
            register = self.temp()
            self.emit(ir.ClassDef(start, end, register, index))
            if statics:
                self.static_parts(statics, register)
            for one, value in reversed(values):
                dst = self.temp()
                self.emit(ir.Decorate(one.start_byte, one.end_byte, dst, value, register))
                register = dst
        self.depth -= BLOCK
        return index, register

    def bases(self, made: ir.Class, node: Node) -> bool:
        """Whether the class extends another."""
        extends = False
        for heritage in node.named_children:
            if heritage.type not in ("class_heritage", "extends_type_clause"):
                continue
            for clause in g.parts(heritage) if heritage.type == "class_heritage" else [heritage]:
                if clause.type == "extends_clause":
                    value = clause.child_by_field_name("value")
                    if value is None:
                        continue
                    extends = True
                    base = self.unit.types.at(g.unwrapped(value))
                    arguments = clause.child_by_field_name("type_arguments")
                    if arguments is not None and base.name != "?":
                        base = ir.Type(base.name, tuple(self.unit.types.at(one) for one in g.parts(arguments)[:16]))
                    made.bases.append(base)
                    if value.type == "call_expression":
                        self.value(value)
                else:
                    made.bases += [self.unit.types.at(one) for one in g.parts(clause)]
        return extends

    def members(self, made: ir.Class, index: int, members: list[Node], node: Node, has_base: bool) -> list[Node]:
        """The methods and fields of a class; gives what is run when it is made."""
        saved = self.prefix, self.this_class
        self.prefix = made.qualname + "."
        self.this_class = made.name
        fields: list[Node] = []
        statics: list[Node] = []
        constructor: Node | None = None
        decorators: list[Node] = []
        for member in members:
            kind = member.type
            if kind == "decorator":
                decorators += g.parts(member)[:1]
                continue
            own, decorators = decorators + self.decorators(member), []
            if kind == "class_static_block":
                statics.append(member)
            elif kind == "method_definition":
                key = self.member_name(member)
                if key == "constructor" and "static" not in self.marks(member):
                    constructor = member
                else:
                    self.method(made, index, member, key, own)
            elif kind == "public_field_definition":
                self.field(made, index, member, fields, statics, own)
            elif kind in _SIGNATURES:
                key = self.member_name(member)
                if kind == "abstract_method_signature":
                    self.add_method(made, index, member, key, {"abstract"})
        if constructor is not None or fields:
            holder = constructor if constructor is not None else node
            ranges = [holder] if constructor is not None else fields
            pending = self.defer(holder, _INIT, (), [*ranges, *(fields if constructor is not None else ())])
            pending.captured = tuple(name for name in pending.captured if name != "this")
            pending.cls, pending.this, pending.fields, pending.has_base = index, True, fields, has_base
            made.methods[_INIT] = (pending.index,)
        self.prefix, self.this_class = saved
        return statics

    def member_name(self, member: Node) -> str:
        name = member.child_by_field_name("name")
        key = self.property_name(name) if name is not None else None
        return str(key) if key is not None else "?"

    def add_method(self, made: ir.Class, index: int, node: Node, name: str, flags: set[str]) -> Pending:
        pending = self.defer(node, name, flags)
        pending.cls = index
        pending.arrow = False
        pending.captured = tuple(one for one in pending.captured if one != "this")
        if "static" in flags:
            pending.static_of = made.name
        else:
            pending.this = True
        made.methods[name] = (*made.methods.get(name, ()), pending.index)
        return pending

    def method(self, made: ir.Class, index: int, node: Node, name: str, decorators: list[Node]) -> None:
        pending = self.add_method(made, index, node, name, self.marks(node))
        self.decorate_method(node, pending, decorators)

    def decorate_method(self, node: Node, pending: Pending, decorators: list[Node]) -> None:
        marked = self.marked_parameters(node)
        if not decorators and not marked:
            return
        values = [(one, self.value(one)) for one in decorators]
        target = self.temp()
        self.emit_func(node.start_byte, node.end_byte, target, pending)
        for one, position in marked:  # a decorator of a parameter is called with the method and the position
            start, end = one.byte_range
            self.emit(ir.Call(start, end, self.temp(), self.value(one), (target, self.const(start, end, position))))
        for one, value in reversed(values):
            dst = self.temp()
            self.emit(ir.Decorate(one.start_byte, one.end_byte, dst, value, target))
            target = dst

    def marked_parameters(self, node: Node) -> list[tuple[Node, int]]:
        """The decorators of parameters, with their positions."""
        listed = node.child_by_field_name("parameters")
        found = []
        for position, child in enumerate(listed.named_children if listed is not None else []):
            found += [(one, position) for one in self.decorators(child)]
        return found

    def field(self, made: ir.Class, index: int, member: Node, fields: list[Node], statics: list[Node], decorators: list[Node]) -> None:
        name = self.member_name(member)
        value = member.child_by_field_name("value")
        static = any(child.type == "static" for child in member.children)
        inner = g.unwrapped(value) if value is not None else None
        if inner is not None and inner.type in g.FUNCTION_VALUES and name != "?":
            # It is called as a method
            pending = self.add_method(made, index, inner, name, self.marks(inner) | ({"static"} if static else set()))
            self.decorate_method(inner, pending, decorators)
            return
        for one in decorators:
            self.value(one)
        annotation = member.child_by_field_name("type")
        start, end = member.byte_range
        if name != "?" and (annotation is not None or value is not None):
            kind = self.unit.types.at(annotation) if annotation is not None else None
            made.fields[name] = ir.Field(name, start, end, kind)
        if value is not None:
            (statics if static else fields).append(member)

    def static_parts(self, statics: list[Node], register: int) -> None:
        outer = self.begin_block()
        self.names_this(register)
        for member in statics:
            if member.type == "class_static_block":
                body = member.child_by_field_name("body")
                if body is not None:
                    self.block(body)
            else:
                self.store_field(member, register)
        self.end_block(outer)

    def names_this(self, register: int) -> None:
        this = self.declare("this")
        self.emit(ir.Move(self.pending.node.start_byte, self.pending.node.start_byte, this, register))

    def store_field(self, member: Node, obj: int) -> None:
        start, end = member.byte_range
        name_node, value = member.child_by_field_name("name"), member.child_by_field_name("value")
        name = self.member_name(member)
        register = self.named_value(value, name)
        if name != "?":
            self.emit(ir.StoreAttr(start, end, obj, name, register))
        elif name_node is not None:
            key = self.x_inner(name_node) if name_node.type == "computed_property_name" else -1
            self.emit(ir.StoreItem(start, end, obj, None, key, register))

    def set_fields(self) -> None:
        """In a constructor: the fields that have initial values."""
        fields, self.pending.fields = self.pending.fields, []
        for member in fields:
            self.store_field(member, 0)

    def fields_after_super(self) -> None:
        self.super_called = False
        if self.pending.fields:
            self.set_fields()

    def forward_to_base(self, node: Node) -> None:
        """``super(...args)`` in a constructor that is not written."""
        at = node.start_byte
        holder, base, fn, dst = (self.temp() for _ in range(4))
        self.emit(ir.Name(at, at, holder, "super"))
        self.emit(ir.Call(at, at, base, holder, ()))
        self.emit(ir.Attr(at, at, fn, base, _INIT))
        self.emit(ir.Call(at, at, dst, fn, (~1,)))

    # ------------------------------------------------------------------------------- functions used as classes

    def class_of_function(self, node: Node, name: str) -> int:
        """The class of a function to whose ``prototype`` something is added: the function is its constructor."""
        unit = self.unit
        index = len(unit.classes)
        made = ir.Class(name, self.prefix + name, node.start_byte, node.end_byte, [], {}, {}, {}, (), self.index)
        unit.classes.append(made)
        unit.constructors[name] = index
        saved, self.prefix = self.prefix, made.qualname + "."
        self.add_method(made, index, node, _INIT, self.marks(node))
        self.prefix = saved
        return index

    def prototype_value(self, node: Node, value: Node) -> bool:
        obj, prop = node.child_by_field_name("object"), node.child_by_field_name("property")
        if obj is None or prop is None:
            return False
        value = g.unwrapped(value)
        if obj.type == "identifier" and self.word(prop) == "prototype" and value.type == "object":
            return self.prototype_methods(self.word(obj), value)
        if obj.type != "member_expression":
            return False
        holder, proto = obj.child_by_field_name("object"), obj.child_by_field_name("property")
        if holder is None or proto is None or self.word(proto) != "prototype":
            return False
        index = self.unit.constructors.get(self.word(holder), -1)
        return index >= 0 and self.prototype_method(index, self.word(prop), value)

    def prototype_methods(self, name: str, methods: Node) -> bool:
        """``F.prototype = {...}``"""
        index = self.unit.constructors.get(name, -1)
        for child in g.parts(methods) if index >= 0 else []:
            key = child.child_by_field_name("key") or child.child_by_field_name("name")
            inner = child.child_by_field_name("value") if child.type == "pair" else child
            known = self.property_name(key) if key is not None else None
            if isinstance(known, str) and inner is not None:
                self.prototype_method(index, known, g.unwrapped(inner))
        return index >= 0

    def prototype_call(self, node: Node) -> bool:
        """Whether a call is ``Object.assign(F.prototype, {...})``, which adds methods."""
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None or not self.unit.constructors or self.word(function) != "Object.assign":
            return False
        target, *sources = g.parts(arguments) or [node]
        name, dot, word = self.word(target).partition(".")
        if not dot or word != "prototype" or not sources or any(g.unwrapped(one).type != "object" for one in sources):
            return False
        made = [self.prototype_methods(name, g.unwrapped(one)) for one in sources]
        return all(made)

    def prototype_method(self, index: int, name: str, value: Node) -> bool:
        if value.type not in g.FUNCTION_VALUES and value.type != "method_definition":
            return False
        made = self.unit.classes[index]
        saved, self.prefix = self.prefix, made.qualname + "."
        self.add_method(made, index, value, name, self.marks(value))
        self.prefix = saved
        return True

    # -------------------------------------------------------------------------------------------------- types

    def s_interface(self, node: Node) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is None or body is None:
            return
        made = self.record(node, self.word(name), [body])
        self.bases(made, node)

    def record(self, node: Node, name: str, bodies: list[Node]) -> ir.Class:
        """The class of an interface or of an alias of an object type."""
        unit = self.unit
        start, end = node.byte_range
        index = len(unit.classes)
        made = ir.Class(name, self.prefix + name, start, end, [], {"kind": INTERFACE}, {}, {}, (), self.index)
        unit.classes.append(made)
        saved, self.prefix = self.prefix, made.qualname + "."
        for member in (member for body in bodies for member in g.parts(body)):
            key = self.member_name(member)
            if key == "?":
                continue
            if member.type == "property_signature":
                annotation = member.child_by_field_name("type")
                kind = unit.types.at(annotation) if annotation is not None else None
                known = made.fields.get(key)
                if known is not None and known.annotation is not None and kind is not None:
                    kind = _joined(known.annotation, kind)
                made.fields[key] = ir.Field(key, member.start_byte, member.end_byte, kind)
            elif member.type == "method_signature":
                self.add_method(made, index, member, key, {"abstract"})
        self.prefix = saved
        if self.is_module and self.outer is None and name not in self.names and name not in unit.definitions:
            unit.definitions[name] = [("class", index)]
        return made

    def s_type_alias(self, node: Node) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None or value is None or not self.is_module or self.outer is not None:
            return
        word = self.word(name)
        if word in self.names or word in self.unit.definitions:  # a value has the name, too
            return
        operands = self.operands(value)
        objects = [one for one in operands if one.type == "object_type"]
        if objects:
            made = self.record(node, word, objects)
            others = [self.unit.types.at(one) for one in operands if one.type != "object_type"]
            made.bases += [one for one in others if one.name not in _NO_BASES]
            return
        kind = self.unit.types.at(value)
        if kind.name in ("?", "Literal"):
            return
        self.assign_name(word, node.start_byte, node.end_byte, self.type_value(kind, value, 0))

    def operands(self, value: Node) -> list[Node]:
        """The types that a type is joined of. One that may be this or that object has the fields of all of them."""
        found: list[Node] = []
        todo = [value]
        while todo and len(found) < 64:
            one = todo.pop()
            if one.type in ("intersection_type", "union_type", "parenthesized_type"):
                todo.extend(reversed(g.parts(one)))
            else:
                found.append(one)
        return found

    def type_value(self, kind: ir.Type, node: Node, depth: int) -> int:
        """A type as the instructions that make it."""
        start, end = node.byte_range
        if kind.name == "None" or kind.name in ("?", "Literal") or depth > 16:
            return self.const(start, end, None)
        if kind.name == "|":
            register = self.type_value(kind.args[0], node, depth + 1)
            for arg in kind.args[1:]:
                other = self.type_value(arg, node, depth + 1)
                dst = self.temp()
                self.emit(ir.Binary(start, end, dst, "|", register, other))
                register = dst
            return register
        first, *rest = kind.name.removesuffix("()").split(".")
        register = self.temp()
        self.emit(ir.Name(start, end, register, first))
        for word in rest:
            dst = self.temp()
            self.emit(ir.Attr(start, end, dst, register, word))
            register = dst
        if kind.args:
            args = [self.type_value(arg, node, depth + 1) for arg in kind.args]
            key = args[0]
            if len(args) > 1:
                key = self.temp()
                self.emit(ir.Build(start, end, key, "tuple", tuple(range(len(args))), tuple(args)))
            dst = self.temp()
            self.emit(ir.Item(start, end, dst, register, None, key))
            register = dst
        return register

    # --------------------------------------------------------------------------------------- enums, namespaces

    def s_enum(self, node: Node) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is None or body is None:
            return
        keys: list[str | int | None] = []
        values: list[int] = []
        number = 0
        for member in g.parts(body)[:4096]:
            start, end = member.byte_range
            value: Node | None = None
            key_node: Node | None = member
            if member.type == "enum_assignment":
                key_node, value = member.child_by_field_name("name"), member.child_by_field_name("value")
            keys.append(self.property_name(key_node) if key_node is not None else None)
            if value is None:
                values.append(self.const(start, end, number))
                number += 1
                continue
            values.append(self.value(value))
            last = self.out[-1] if self.out else None
            if isinstance(last, ir.Const) and isinstance(last.value, int):
                number = last.value + 1
        dst = self.temp()
        start, end = node.byte_range
        self.emit(ir.Build(start, end, dst, "dict", tuple(keys), tuple(values)))
        self.assign_name(self.word(name), start, end, dst)

    def s_namespace(self, node: Node) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is None or body is None or name.type == "string" or not self.nested(node):
            return
        start, end = node.byte_range
        saved = self.space, self.space_names
        word = self.word(name)
        self.space, self.space_names = word, {}
        outer = self.begin_block()
        self.block(body)
        exported = self.space_names
        self.end_block(outer)
        self.space, self.space_names = saved
        self.depth -= BLOCK
        first, *rest = word.split(".")
        merged = first in self.unit.definitions and first not in self.names
        if merged or (first in self.names and not rest and self.index_of_class(first)):
            obj = self.read(first, start, start)
            for key, register in exported.items():
                self.emit(ir.StoreAttr(start, end, obj, key, register))
            return
        dst = self.temp()
        self.emit(ir.Build(start, end, dst, "dict", tuple(exported), tuple(exported.values())))
        for part in reversed(rest):
            inner = dst
            dst = self.temp()
            self.emit(ir.Build(start, end, dst, "dict", (part,), (inner,)))
        self.assign_name(first, start, end, dst)

    def index_of_class(self, name: str) -> bool:
        return any(cls.name == name and cls.function == self.index for cls in self.unit.classes)


def _joined(one: ir.Type, other: ir.Type) -> ir.Type:
    """The union of two types."""
    found = one.args if one.name == "|" else (one,)
    return one if other in found or len(found) >= 16 else ir.Type("|", (*found, other))
