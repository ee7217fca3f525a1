"""The tables that choose a method by the kind of a node, and what the parts of lowering ask of each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from headwater import ir, limits
from headwater.frontends.typescript import grammar as g
from headwater.frontends.typescript.scope import Pending, Scope

EXPR: dict[str, Callable[[Any, Node], int]] = {}  # gives the register of the value; filled in expressions
STATEMENT: dict[str, Callable[[Any, Node], None]] = {}  # filled in definitions


class Lowering(Scope):
    """What the parts of lowering, which are stacked as classes, use of those above them."""

    def value(self, node: Node | None) -> int:
        """The value of an expression. All nesting of expressions goes through here, and is bounded here."""
        if node is None:
            return self.const(self.pending.node.start_byte, self.pending.node.start_byte, None)
        do = EXPR.get(node.type)
        if do is None:
            return self.unknown(node)
        if self.depth >= limits.NESTING:
            return self.too_deep(node)
        self.depth += 1
        register = do(self, node)
        self.depth -= 1
        return register

    def unknown(self, node: Node) -> int:
        """What has no meaning of its own here: the values of its parts, and None."""
        if self.depth >= limits.NESTING:
            return self.too_deep(node)
        self.depth += 1
        for child in g.parts(node):
            if child.type in EXPR:
                self.value(child)
        self.depth -= 1
        return self.const(node.start_byte, node.end_byte, None)

    def named_value(self, node: Node | None, name: str) -> int:
        """The value of an expression; a function or class gets the name of what it is assigned to."""
        if node is not None:
            inner = g.unwrapped(node)
            if inner.type in g.FUNCTION_VALUES:
                return self.function_value(inner, name)
            if inner.type == "class":
                return self.class_value(inner, name)
        return self.value(node)

    def function_value(self, node: Node, name: str) -> int:
        raise NotImplementedError

    def class_value(self, node: Node, name: str) -> int:
        raise NotImplementedError

    def method_of_object(self, node: Node, name: str) -> Pending:
        """The function of a method in an object literal."""
        raise NotImplementedError

    def awaited_body(self, node: Node, arguments: Node) -> int:
        """The value of ``__awaiter(this, void 0, void 0, function* () {...})``; -1 where it is written otherwise."""
        raise NotImplementedError

    def store(self, target: Node, src: int) -> int:
        """Assigns ``src`` to a target; gives a register that holds the value afterwards."""
        raise NotImplementedError

    def cond(self, node: Node) -> ir.Cond:
        """A condition as a tree of its ``!``, ``&&`` and ``||``."""
        raise NotImplementedError

    def property_name(self, node: Node) -> str | int | None:
        """The name of a property or key where it is known."""
        raise NotImplementedError

    def module_of(self, node: Node) -> str:
        """The path of the module that ``require("x")``, ``import("x")`` and their compiled forms give; else empty."""
        raise NotImplementedError

    def export_target(self, node: Node) -> str | None:
        """The name that an assignment to ``exports.x`` or ``module.exports`` exports; None where it is something else."""
        raise NotImplementedError

    def export_value(self, name: str, value: Node, start: int, end: int) -> int:
        """``exports.name = value``."""
        raise NotImplementedError

    def prototype_call(self, node: Node) -> bool:
        """Whether a call is ``Object.assign(F.prototype, {...})``, which adds methods."""
        raise NotImplementedError

    def prototype_value(self, node: Node, value: Node) -> bool:
        """Whether an assignment is ``F.prototype.m = function ...``, which makes a method."""
        raise NotImplementedError
