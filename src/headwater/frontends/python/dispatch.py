"""The tables that choose a method by the kind of a node, and what the parts of lowering ask of each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from headwater import ir
from headwater.frontends.python.scope import Scope

# By kind of node: plain functions that take the lowering as first argument, which costs no bound method a call.
EXPR: list[Callable[[Any, Node], int]] = []  # gives the register of the value; filled in expressions
STATEMENT: list[Callable[[Any, Node], None]] = []  # filled in definitions


class Lowering(Scope):
    """What the parts of lowering, which are stacked as classes, use of those above them."""

    def value(self, node: Node) -> int:
        return EXPR[node.kind_id](self, node)

    def inner(self, node: Node) -> int:
        """The value of the single expression in a wrapper (``*x``, ``**x``, ``(x)``)."""
        raise NotImplementedError

    def store(self, target: Node, src: int) -> int:
        """Assigns ``src`` to a target; gives a register that holds the value afterwards."""
        raise NotImplementedError

    def build(self, node: Node, kind: str, nodes: list[Node]) -> int:
        """A list, tuple or set of ``nodes``."""
        raise NotImplementedError

    def cond(self, node: Node) -> ir.Cond:
        """A condition as a tree of its ``not``, ``and`` and ``or``."""
        raise NotImplementedError

    def sub_block(self, node: Node | None) -> ir.Block:
        """A block of its own."""
        raise NotImplementedError
