"""Statements of Python other than imports and definitions: control flow, assignments, and the old print and exec."""

from __future__ import annotations

from tree_sitter import Node

from headwater import ir, limits
from headwater.frontends.python import grammar as g
from headwater.frontends.python.dispatch import EXPR, STATEMENT
from headwater.frontends.python.patterns import Patterns
from headwater.frontends.python.scope import BLOCK


class Statements(Patterns):
    """Lowers blocks and the statements in them."""

    def block(self, node: Node) -> None:
        table = STATEMENT
        steps = self.steps
        for child in node.named_children:
            steps += 1
            self.steps = steps
            if steps + self.nreg > limits.INSTRUCTIONS and self.is_full(child):
                return
            table[child.kind_id](self, child)
            steps = self.steps

    def sub_block(self, node: Node | None) -> ir.Block:
        made: ir.Block = []
        if node is None:
            return made
        saved = self.out
        self.out = made
        self.emit = made.append
        self.block(node)
        self.out = saved
        self.emit = saved.append
        return made

    def nested(self, node: Node) -> bool:
        """Begins a statement with blocks; False where it is nested too deep and is left out."""
        if self.depth >= limits.NESTING:
            start, end = node.byte_range
            self.gap(start, end, f"nesting beyond {limits.NESTING}")
            return False
        self.depth += BLOCK
        return True

    def s_nothing(self, node: Node) -> None:
        pass

    def s_expression(self, node: Node) -> None:
        EXPR[node.kind_id](self, node)

    def s_expression_statement(self, node: Node) -> None:
        children = node.named_children
        for child in children:
            kind = child.kind_id
            if kind == g.ASSIGNMENT:
                self.assignment(child)
            elif kind == g.AUGMENTED:
                self.augmented(child)
            elif kind not in _IGNORED or (kind == g.STRING and self.is_format(self.text[child.start_byte : child.start_byte + 6])):
                EXPR[kind](self, child)
                if self.is_module and kind == g.CALL and self.cls < 0:
                    self.note_exports_call(child)

    # ------------------------------------------------------------------------------------------- assignments

    def assignment(self, node: Node) -> int:
        """Lowers a chain ``a = b = value``; gives the register of the value."""
        targets: list[Node] = []
        while True:
            children = node.named_children
            left = children[0]
            right: Node | None = children[-1]
            if len(children) != 2 or (right is not None and right.kind_id == g.TYPE):
                left, right = self.annotated(node)
            targets.append(left)
            if right is None or right.kind_id != g.ASSIGNMENT:
                break
            node = right
        if right is None:
            return -1
        if self.is_module and targets[0].kind_id == g.IDENTIFIER and self.cls < 0:
            self.note_exports(targets[0], right, False)
        if right.kind_id == g.AUGMENTED:
            register = self.augmented(right)
        elif right.kind_id in g.SPLATS:
            register = self.build(right, "tuple", [right])
        else:
            register = EXPR[right.kind_id](self, right)
        for target in targets:
            register = self.store(target, register)
            if self.cls >= 0:
                self.class_fields(target, register)
        return register

    def annotated(self, node: Node) -> tuple[Node, Node | None]:
        """Notes the annotation of an assignment; gives its target and its value."""
        children = g.parts(node)
        left = children[0]
        right: Node | None = None
        for child in children[1:]:
            if child.kind_id == g.TYPE:
                annotation = self.unit.types.at(child)
                kind = left.kind_id
                if kind == g.IDENTIFIER:
                    name = self.word(left)
                    if self.cls >= 0:
                        self.class_field(left, annotation, -1)
                    else:
                        self.annotations[name] = annotation
                        if child is children[-1]:
                            self.bind(name)  # a bare annotation makes the name local, too
                elif kind == g.ATTRIBUTE:
                    text = self.text[left.start_byte : left.end_byte]
                    if text.isascii() and text.replace(".", "").isidentifier():
                        self.annotations[text] = annotation
            else:
                right = child
        return left, right

    def class_fields(self, target: Node, register: int) -> None:
        """Notes the names that an assignment in a class body gives to it."""
        if target.kind_id == g.IDENTIFIER:
            self.class_field(target, None, register)
        elif target.kind_id in g.TARGETS:
            for part in g.parts(target):
                if part.kind_id == g.IDENTIFIER:
                    self.class_field(part, None, self.names.get(self.word(part), -1))

    def class_field(self, target: Node, annotation: ir.Type | None, register: int) -> None:
        fields = self.unit.classes[self.cls].fields
        name = self.word(target)
        field = fields.get(name)
        if field is None:
            start, end = target.byte_range
            fields[name] = ir.Field(name, start, end, annotation, register)
            return
        if annotation is not None:
            field.annotation = annotation
        if register >= 0:
            field.value = register

    def augmented(self, node: Node) -> int:
        left, operator, right = g.tokens(node)
        start, end = node.byte_range
        op = g.OPERATORS[operator.kind_id][:-1]
        kind = left.kind_id
        while kind == g.PARENTHESIZED and left.named_child_count:
            left = g.parts(left)[-1]
            kind = left.kind_id
        if self.is_module and kind == g.IDENTIFIER and self.cls < 0:
            self.note_exports(left, right, True)
        obj = key_register = -1
        key: str | int | None = None
        if kind == g.ATTRIBUTE or kind == g.SUBSCRIPT:
            children = left.named_children
            obj = self.value(children[0])
            old = self.temp()
            if kind == g.ATTRIBUTE:
                self.emit(ir.Attr(left.start_byte, left.end_byte, old, obj, self.word(children[-1])))
            else:
                key, key_register = self.key(left, children)
                self.emit(ir.Item(left.start_byte, left.end_byte, old, obj, key, key_register))
        else:
            old = self.value(left)
        if right.kind_id == g.AUGMENTED:
            if self.nested(right):
                value = self.augmented(right)
                self.depth -= BLOCK
            else:
                value = self.const(start, end, None)
        elif right.kind_id == g.ASSIGNMENT:
            value = self.assignment(right)
            if value < 0:
                value = self.const(start, end, None)
        else:
            value = self.value(right)
        dst = self.temp()
        self.emit(ir.Binary(start, end, dst, op, old, value))
        if kind == g.ATTRIBUTE:
            self.emit(ir.StoreAttr(start, end, obj, self.word(left.named_children[-1]), dst))
        elif kind == g.SUBSCRIPT:
            self.emit(ir.StoreItem(start, end, obj, key, key_register, dst))
        else:
            return self.store(left, dst)
        return dst

    def s_type_alias(self, node: Node) -> None:
        left = node.child_by_field_id(g.FIELD_LEFT)
        right = node.child_by_field_id(g.FIELD_RIGHT)
        if left is not None and self.text[left.start_byte] == "(":
            self.type_call = left.start_byte  # `type(x).y = z` reads as an alias, too
        while left is not None and left.kind_id in (g.TYPE, g.GENERIC_TYPE):
            children = g.parts(left)
            left = children[0] if children else None
        if left is None or right is None:
            return
        self.store(left, self.value(right))

    # ---------------------------------------------------------------------------------------------- __all__

    def note_exports(self, target: Node, value: Node, added: bool) -> None:
        start, end = target.byte_range
        if end - start != 7 or self.text[start:end] != "__all__":
            return
        names = self.literal_names(value)
        unit = self.unit
        if not added:
            unit.exports = names
        elif unit.exports is not None:
            unit.exports = None if names is None else unit.exports + names

    def note_exports_call(self, node: Node) -> None:
        """``__all__.extend([...])`` and ``__all__.append("x")``."""
        start = node.start_byte
        if not self.text.startswith("__all__.", start) or self.unit.exports is None:
            return
        children = g.parts(node)
        method = self.text[start + 8 : children[0].end_byte]
        arguments = g.parts(children[-1])
        if method not in ("append", "extend") or len(arguments) != 1:
            return
        names = self.literal_names(arguments[0])
        if method == "append":
            key = self.literal_key(arguments[0])
            names = [key] if isinstance(key, str) else None
        self.unit.exports = None if names is None else self.unit.exports + names

    def literal_names(self, node: Node) -> list[str] | None:
        nodes = [node]
        found: list[str] = []
        while nodes:
            node = nodes.pop()
            kind = node.kind_id
            if kind in (g.LIST, g.TUPLE, g.EXPRESSION_LIST, g.PARENTHESIZED):
                nodes.extend(reversed(g.parts(node)))
            elif kind == g.BINARY and (sides := g.tokens(node)) and g.OPERATORS[sides[1].kind_id] == "+":
                nodes += (sides[2], sides[0])
            elif kind == g.STRING and isinstance(key := self.literal_key(node), str):
                found.append(key)
            else:
                return None
        return found

    # --------------------------------------------------------------------------------------------- branches

    def s_if(self, node: Node) -> None:
        if not self.nested(node):
            return
        arms: list[ir.Arm] = []
        orelse: ir.Block = []
        start, end = node.byte_range
        cond: ir.Cond | None = None
        for child in node.named_children:
            kind = child.kind_id
            if kind in g.EXTRAS:
                continue
            if cond is None:
                cond = self.cond(child)
            elif kind == g.BLOCK:
                arms.append(ir.Arm(cond, self.sub_block(child)))
            elif kind == g.ELIF:
                inner = g.parts(child)
                cond = self.cond(inner[0])
                arms.append(ir.Arm(cond, self.sub_block(inner[-1] if len(inner) > 1 else None)))
            else:
                orelse = self.sub_block(self.clause_block(child))
        self.emit(ir.If(start, end, arms, orelse))
        self.depth -= BLOCK

    def clause_block(self, node: Node) -> Node | None:
        for child in node.named_children:
            if child.kind_id == g.BLOCK:
                return child
        return None

    def s_while(self, node: Node) -> None:
        if not self.nested(node):
            return
        cond: ir.Cond | None = None
        body: ir.Block = []
        orelse: ir.Block = []
        for child in g.parts(node):
            kind = child.kind_id
            if cond is None:
                cond = self.cond(child)
            elif kind == g.BLOCK:
                body = self.sub_block(child)
            else:
                orelse = self.sub_block(self.clause_block(child))
        self.emit(ir.Loop(node.start_byte, node.end_byte, cond, body, orelse))
        self.depth -= BLOCK

    def s_for(self, node: Node) -> None:
        if not self.nested(node):
            return
        children = g.parts(node)
        left, right = children[0], children[1]
        start, end = node.byte_range
        source = self.build(right, "tuple", [right]) if right.kind_id in g.SPLATS else self.value(right)
        body: ir.Block = []
        orelse: ir.Block = []
        saved = self.out
        self.out = body
        self.emit = body.append
        self.element(left, right, source, "async" if self.text.startswith("async", start) else "item")
        for child in children[2:]:
            if child.kind_id == g.BLOCK:
                self.block(child)
            else:
                orelse = self.sub_block(self.clause_block(child))
        self.out = saved
        self.emit = saved.append
        self.emit(ir.Loop(start, end, None, body, orelse))
        self.depth -= BLOCK

    def s_try(self, node: Node) -> None:
        if not self.nested(node):
            return
        children = g.parts(node)
        # What the handlers name is evaluated before the body
        heads = [self.handler_head(c) if c.kind_id == g.EXCEPT else None for c in children]
        body: ir.Block = []
        handlers: list[ir.Handler] = []
        orelse: ir.Block = []
        final: ir.Block = []
        for child, head in zip(children, heads, strict=True):
            kind = child.kind_id
            if head is not None:
                types, target = head
                dst = -1
                made: ir.Block = []
                saved = self.out
                self.out = made
                self.emit = made.append
                if target is not None:
                    if target.kind_id == g.IDENTIFIER and not self.globals:
                        dst = self.bind(self.word(target))
                    else:
                        dst = self.temp()
                        self.store(target, dst)
                block = self.clause_block(child)
                if block is not None:
                    self.block(block)
                self.out = saved
                self.emit = saved.append
                handlers.append(ir.Handler(types, dst, made))
            elif kind == g.BLOCK:
                body = self.sub_block(child)
            elif kind == g.ELSE:
                orelse = self.sub_block(self.clause_block(child))
            elif kind == g.FINALLY:
                final = self.sub_block(self.clause_block(child))
        self.emit(ir.Try(node.start_byte, node.end_byte, body, handlers, orelse, final))
        self.depth -= BLOCK

    def handler_head(self, node: Node) -> tuple[tuple[int, ...], Node | None]:
        values = [c for c in g.parts(node) if c.kind_id != g.BLOCK]
        target: Node | None = None
        if not values:
            return (), None
        value = values[0]
        if value.kind_id == g.AS_PATTERN:
            inner = g.parts(value)
            value, target = inner[0], self.as_target(inner[-1])
        elif len(values) == 2:
            if node.child_by_field_id(g.FIELD_ALIAS) is not None:
                target = values[1]
            elif value.kind_id == g.IDENTIFIER and values[1].kind_id == g.IDENTIFIER and self.is_old_except(node, values[1]):
                self.unit.note_old_python(node.start_byte, values[1].end_byte, "except X, e")
                target = values[1]
        if target is None and len(values) > 1:
            return tuple(self.value(v) for v in values), None
        if value.kind_id == g.TUPLE:
            return tuple(self.value(c) for c in g.parts(value) if c.kind_id not in g.SPLATS), target
        return (self.value(value),), target

    def is_old_except(self, node: Node, second: Node) -> bool:
        # Python 3.14 permits `except A, B:`, too. Classes begin with a capital letter, names of an old `except X, e` do not.
        return self.text[second.start_byte].islower()

    def as_target(self, node: Node) -> Node:
        children = g.parts(node)
        return children[0] if node.kind_id == g.AS_TARGET and children else node

    def s_with(self, node: Node) -> None:
        if not self.nested(node):
            return
        block: Node | None = None
        for child in g.parts(node):
            if child.kind_id == g.BLOCK:
                block = child
                continue
            for item in g.parts(child) if child.kind_id == g.WITH_CLAUSE else [child]:
                value = g.parts(item)[-1] if item.kind_id == g.WITH_ITEM else item
                self.with_value(value)
        if block is not None:
            self.block(block)
        self.depth -= BLOCK

    def with_value(self, node: Node) -> None:
        while node.kind_id == g.PARENTHESIZED and node.named_child_count:
            node = g.parts(node)[-1]
        if node.kind_id == g.TUPLE and any(c.kind_id == g.AS_PATTERN for c in node.named_children):
            for child in g.parts(node):
                self.with_value(child)
            return
        start, end = node.byte_range
        target: Node | None = None
        if node.kind_id == g.AS_PATTERN:
            children = g.parts(node)
            node = children[0]
            target = children[-1] if len(children) > 1 else None
        context = self.value(node)
        dst = self.temp()
        self.emit(ir.Enter(start, end, dst, context))
        if target is not None:
            self.store(target, dst)

    # --------------------------------------------------------------------------------------- simple statements

    def s_return(self, node: Node) -> None:
        children = g.parts(node)
        src = -1
        if children:
            value = children[-1]
            src = self.build(node, "tuple", [value]) if value.kind_id in g.SPLATS else EXPR[value.kind_id](self, value)
        self.emit(ir.Return(node.start_byte, node.end_byte, src))

    def s_raise(self, node: Node) -> None:
        children = g.parts(node)
        start, end = node.byte_range
        cause = node.child_by_field_id(g.FIELD_CAUSE)
        src = -1
        for child in children:
            if cause is not None and child.start_byte == cause.start_byte:
                self.value(child)
            elif child.kind_id == g.EXPRESSION_LIST:
                # raise E, "text" of Python 2 is raise E("text")
                self.unit.note_old_python(start, end, "raise E, value")
                values = g.parts(child)
                registers = [self.value(v) for v in values[:3]]
                src = self.temp()
                self.emit(ir.Call(start, end, src, registers[0], tuple(registers[1:2])))
            else:
                src = self.value(child)
        self.emit(ir.Raise(start, end, src))

    def s_assert(self, node: Node) -> None:
        children = g.parts(node)
        start, end = node.byte_range
        if not children:
            return
        cond = self.cond(children[0])
        body: ir.Block = []
        saved = self.out
        self.out = body
        self.emit = body.append
        src = self.value(children[1]) if len(children) > 1 else -1
        self.emit(ir.Raise(start, end, src))
        self.out = saved
        self.emit = saved.append
        self.emit(ir.If(start, end, [ir.Arm(cond.part if isinstance(cond, ir.Not) else ir.Not(cond), body)], []))

    def s_break(self, node: Node) -> None:
        self.emit(ir.Break(node.start_byte, node.end_byte))

    def s_continue(self, node: Node) -> None:
        self.emit(ir.Continue(node.start_byte, node.end_byte))

    def s_global(self, node: Node) -> None:
        if self.is_module:
            return
        for child in g.parts(node):
            self.globals.add(self.word(child))

    def s_nonlocal(self, node: Node) -> None:
        for child in g.parts(node):
            name = self.word(child)
            if self.enclosing and self.capture(name) >= 0:
                self.nonlocals.add(name)

    def s_print(self, node: Node) -> None:
        start, end = node.byte_range
        self.unit.note_old_python(start, end, "print statement")
        fn = self.temp()
        self.emit(ir.Name(start, start + 5, fn, "print"))
        args: list[int] = []
        keywords: list[tuple[str, int]] = []
        for child in g.parts(node):
            if child.kind_id == g.CHEVRON:
                keywords.append(("file", self.inner(child)))
            else:
                args.append(self.value(child))
        self.emit(ir.Call(start, end, self.temp(), fn, tuple(args), tuple(keywords)))

    def s_exec(self, node: Node) -> None:
        start, end = node.byte_range
        self.unit.note_old_python(start, end, "exec statement")
        fn = self.temp()
        self.emit(ir.Name(start, start + 4, fn, "exec"))
        args = tuple(self.value(child) for child in g.parts(node))
        self.emit(ir.Call(start, end, self.temp(), fn, args))


_IGNORED = frozenset((g.STRING, g.COMMENT, g.CONTINUATION, g.ELLIPSIS, g.INTEGER, g.NONE, g.IDENTIFIER))
