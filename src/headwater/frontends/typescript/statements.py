"""Statements other than imports, exports and definitions: blocks, control flow, declarations of variables."""

from __future__ import annotations

from typing import Any, Final

from tree_sitter import Node

from headwater import ir, limits
from headwater.frontends.typescript import grammar as g
from headwater.frontends.typescript.dispatch import EXPR, STATEMENT
from headwater.frontends.typescript.scope import BLOCK
from headwater.frontends.typescript.tags import Tags

_ENDS: Final = frozenset(("break_statement", "return_statement", "throw_statement", "continue_statement"))
_FALLS: Final = 3  # bodies that one case of a switch runs besides its own
_IGNORED: Final = frozenset(("string", "number", "identifier", "comment"))


class Statements(Tags):
    """Lowers blocks and the statements in them."""

    def hoist(self, children: list[Node]) -> None:
        """Gives registers to what is declared in a block, and makes its functions, which are there from its start."""
        raise NotImplementedError

    def fields_after_super(self) -> None:
        """In a constructor that has called ``super``: sets the fields."""
        raise NotImplementedError

    def block(self, node: Node) -> None:
        """The statements of a block, whose names are declared here."""
        self.run_block(node.named_children)

    def run_block(self, children: list[Node]) -> None:
        self.hoist(children)
        self.statements(children)

    def statements(self, children: list[Node]) -> None:
        for child in children:
            self.steps += 1
            if self.steps + self.nreg > limits.INSTRUCTIONS and self.is_full(child):
                return
            self.statement(child)
            if self.super_called:
                self.fields_after_super()

    def statement(self, node: Node) -> None:
        do = STATEMENT.get(node.type)
        if do is None:
            if node.type in EXPR:
                self.value(node)
            return
        if not node.has_error:
            do(self, node)
            return
        # What is broken was told already; what was made of it before that was seen stays
        saved = self.out, self.depth, self.outer, len(self.breaks), self.names.copy()
        try:
            do(self, node)
        except (IndexError, AttributeError, KeyError, AssertionError):
            self.out, self.depth, self.outer, breaks, self.names = saved
            del self.breaks[breaks:]
            self.emit = self.out.append

    def sub_block(self, node: Node | None, first: Any = None) -> ir.Block:
        """A block with names of its own; ``first`` is called in it before its statements."""
        made: ir.Block = []
        saved = self.out
        self.out = made
        self.emit = made.append
        outer = self.begin_block()
        if first is not None:
            first()
        if node is not None:
            if node.type == "statement_block":
                self.block(node)
            else:
                self.run_block([node])
        self.end_block(outer)
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

    def s_broken(self, node: Node) -> None:
        """Of what is not understood, which was told: the statements that are still told apart in it."""
        found = [child for child in node.named_children if child.type in STATEMENT]
        if found and self.nested(node):
            self.run_block(found)
            self.depth -= BLOCK

    def s_nothing(self, node: Node) -> None:
        pass

    def s_block(self, node: Node) -> None:
        if not self.nested(node):
            return
        outer = self.begin_block()
        self.block(node)
        self.end_block(outer)
        self.depth -= BLOCK

    def s_expression_statement(self, node: Node) -> None:
        for child in node.named_children:
            kind = child.type
            if kind in STATEMENT:  # a namespace
                self.statement(child)
            elif kind == "call_expression" and ((self.is_module and self.export_call(child)) or self.prototype_call(child)):
                continue
            elif kind not in _IGNORED:
                self.value(child)

    def export_call(self, node: Node) -> bool:
        """Whether a call only exports something, as compilers write it."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------- declarations

    def s_variables(self, node: Node) -> None:
        for child in node.named_children:
            if child.type == "variable_declarator":
                self.declarator(child)

    def declarator(self, node: Node) -> None:
        target, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if target is None:
            return
        is_name = target.type == "identifier"
        name = self.word(target) if is_name else "<lambda>"
        annotation = node.child_by_field_name("type")
        if annotation is None and value is not None and value.type in ("as_expression", "type_assertion"):
            inner = g.parts(value)
            annotation = inner[0 if value.type == "type_assertion" else -1]
            if self.text[annotation.start_byte : annotation.end_byte] == "const":
                annotation = None
        if annotation is not None and is_name:
            made = self.unit.types.at(annotation)
            if made.name != "?":
                self.annotations[name] = made
        if value is None or self.special_declarator(node, target, value):
            return
        self.store(target, self.named_value(value, name))

    def special_declarator(self, node: Node, target: Node, value: Node) -> bool:
        """Whether it is an import, or a definition that needs no variable."""
        raise NotImplementedError

    # --------------------------------------------------------------------------------------------- branches

    def s_if(self, node: Node) -> None:
        if not self.nested(node):
            return
        start, end = node.byte_range
        arms: list[ir.Arm] = []
        orelse: ir.Block = []
        here: Node | None = node
        while here is not None:
            condition = here.child_by_field_name("condition")
            if condition is None:
                break
            cond = self.cond(condition)
            arms.append(ir.Arm(cond, self.sub_block(here.child_by_field_name("consequence"))))
            other = here.child_by_field_name("alternative")
            here = None
            if other is not None:
                inner = g.parts(other)
                if inner and inner[0].type == "if_statement":
                    here = inner[0]
                elif inner:
                    orelse = self.sub_block(inner[0])
        if arms:
            self.emit(ir.If(start, end, arms, orelse))
        self.depth -= BLOCK

    def s_switch(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        if body is None or not self.nested(node):
            return
        start, end = node.byte_range
        tested = node.child_by_field_name("value")
        plain = tested is not None and g.unwrapped(tested).type == "true"  # switch (true): each case is a condition
        subject = -1 if plain else self.value(tested)
        cases = [child for child in body.named_children if child.type in ("switch_case", "switch_default")]
        bodies = [case.children_by_field_name("body") for case in cases]
        outer = self.begin_block()
        for statements in bodies:
            self.hoist(statements)
        self.breaks.append(False)
        arms: list[ir.Arm] = []
        orelse: ir.Block = []
        waiting: list[ir.Cond] = []
        defaulted = False
        for at, case in enumerate(cases):
            value = case.child_by_field_name("value")
            if case.type == "switch_default":
                defaulted = True
            elif value is not None:
                waiting.append(self.case_cond(case, subject, value))
            if not bodies[at] and at + 1 < len(cases):
                continue
            made = self.case_body(bodies, at)
            if defaulted:
                orelse = made
            elif waiting:
                arms.append(ir.Arm(waiting[0] if len(waiting) == 1 else ir.AnyOf(waiting), made))
            waiting, defaulted = [], False
        self.breaks.pop()
        self.end_block(outer)
        if arms:
            self.emit(ir.If(start, end, arms, orelse))
        else:
            self.out.extend(orelse)
        self.depth -= BLOCK

    def case_cond(self, case: Node, subject: int, value: Node) -> ir.Cond:
        if subject < 0:
            return self.cond(value)
        leaf = self.leaf(value)
        dst = self.temp()
        leaf.pre.append(ir.Test(case.start_byte, value.end_byte, dst, "==", subject, leaf.reg))
        leaf.reg = dst
        return leaf

    def case_body(self, bodies: list[list[Node]], at: int) -> ir.Block:
        """What runs from a case on: its statements, and those of the next cases up to one that ends."""
        saved = self.out
        made: ir.Block = []
        self.out = made
        self.emit = made.append
        for statements in bodies[at : at + _FALLS + 1]:
            last = statements[-1] if statements else None
            if last is not None and last.type == "statement_block" and last.named_child_count:
                last = last.named_children[-1]
            self.statements([one for one in statements if one.type not in g.FUNCTIONS])
            if last is not None and last.type in _ENDS:
                break
        self.out = saved
        self.emit = saved.append
        return made

    # ------------------------------------------------------------------------------------------------- loops

    def loop_body(self, node: Node | None, first: Any = None) -> ir.Block:
        self.breaks.append(True)
        made = self.sub_block(node, first)
        self.breaks.pop()
        return made

    def s_while(self, node: Node) -> None:
        condition = node.child_by_field_name("condition")
        if condition is None or not self.nested(node):
            return
        cond = self.cond(condition)
        self.emit(ir.Loop(node.start_byte, node.end_byte, cond, self.loop_body(node.child_by_field_name("body")), []))
        self.depth -= BLOCK

    def always(self, node: Node) -> ir.Cond:
        register = self.temp()
        return ir.Leaf([ir.Const(node.start_byte, node.start_byte, register, True)], register)

    def s_do(self, node: Node) -> None:
        condition = node.child_by_field_name("condition")
        if condition is None or not self.nested(node):
            return
        start, end = node.byte_range
        body = self.loop_body(node.child_by_field_name("body"))
        cond = self.cond(condition)
        ends = ir.Break(condition.start_byte, condition.end_byte)
        body.append(ir.If(condition.start_byte, condition.end_byte, [ir.Arm(ir.Not(cond), [ends])], []))
        self.emit(ir.Loop(start, end, self.always(node), body, []))
        self.depth -= BLOCK

    def s_for(self, node: Node) -> None:
        if not self.nested(node):
            return
        outer = self.begin_block()
        first = node.child_by_field_name("initializer")
        if first is not None:
            self.run_block([first])
        condition = node.child_by_field_name("condition")
        has_cond = condition is not None and condition.type not in ("empty_statement", ";")
        cond = self.cond(condition) if has_cond and condition is not None else self.always(node)
        body = self.loop_body(node.child_by_field_name("body"))
        increment = node.child_by_field_name("increment")
        if increment is not None:
            leaf = self.leaf(increment)
            body += leaf.pre
        self.emit(ir.Loop(node.start_byte, node.end_byte, cond, body, []))
        self.end_block(outer)
        self.depth -= BLOCK

    def s_for_in(self, node: Node) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None or not self.nested(node):
            return
        start, end = left.start_byte, right.end_byte
        source = self.value(right)
        operator = node.child_by_field_name("operator")
        if operator is not None and operator.type == "in":
            source = self.keys_of(right, source)
        what = "async" if any(child.type == "await" for child in node.children) else "item"
        kind = node.child_by_field_name("kind")

        def element() -> None:
            if kind is not None and kind.type != "var":
                for name in g.pattern_names(left):
                    self.declare(self.word(name))
            dst = self.temp()
            self.emit(ir.Elem(start, end, dst, source, what))
            self.store(left, dst)

        body = self.loop_body(node.child_by_field_name("body"), element)
        self.emit(ir.Loop(node.start_byte, node.end_byte, None, body, []))
        self.depth -= BLOCK

    def keys_of(self, node: Node, source: int) -> int:
        start, end = node.byte_range
        holder, fn, dst = self.temp(), self.temp(), self.temp()
        self.emit(ir.Name(start, end, holder, "Object"))
        self.emit(ir.Attr(start, end, fn, holder, "keys"))
        self.emit(ir.Call(start, end, dst, fn, (source,)))
        return dst

    def s_break(self, node: Node) -> None:
        # The break of a switch ends the arm; one with a label leaves a loop in most cases
        if not self.breaks or (not self.breaks[-1] and node.child_by_field_name("label") is None):
            return
        if any(self.breaks):
            self.emit(ir.Break(node.start_byte, node.end_byte))

    def s_continue(self, node: Node) -> None:
        if any(self.breaks):
            self.emit(ir.Continue(node.start_byte, node.end_byte))

    def s_labeled(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        if body is not None:
            self.statement(body)

    # --------------------------------------------------------------------------------------------- the rest

    def s_try(self, node: Node) -> None:
        if not self.nested(node):
            return
        body = self.sub_block(node.child_by_field_name("body"))
        handlers: list[ir.Handler] = []
        handler = node.child_by_field_name("handler")
        if handler is not None:
            parameter = handler.child_by_field_name("parameter")
            dst = -1
            outer = self.begin_block()
            if parameter is not None:
                for name in g.pattern_names(parameter):
                    dst = self.declare(self.word(name))
                if parameter.type != "identifier":
                    dst = self.temp()

            def unpack() -> None:
                if parameter is not None and parameter.type != "identifier":
                    self.store(parameter, dst)

            handlers.append(ir.Handler((), dst, self.sub_block(handler.child_by_field_name("body"), unpack)))
            self.end_block(outer)
        finalizer = node.child_by_field_name("finalizer")
        final = self.sub_block(finalizer.child_by_field_name("body")) if finalizer is not None else []
        self.emit(ir.Try(node.start_byte, node.end_byte, body, handlers, [], final))
        self.depth -= BLOCK

    def s_return(self, node: Node) -> None:
        inner = g.parts(node)
        src = self.value(inner[0]) if inner else -1
        self.emit(ir.Return(node.start_byte, node.end_byte, src))

    def s_throw(self, node: Node) -> None:
        inner = g.parts(node)
        src = self.value(inner[0]) if inner else -1
        self.emit(ir.Raise(node.start_byte, node.end_byte, src))

    def s_with(self, node: Node) -> None:
        self.value(node.child_by_field_name("object"))
        body = node.child_by_field_name("body")
        if body is not None:
            self.statement(body)
