"""Checks of programs: what code refuses while it walks the syntax tree of text that is run afterwards.

A walk is followed by what its conditions look at: the kinds of nodes, names, attributes, imports. Where a branch under such a
condition does not go on, programs with such parts are refused, and the text is *weakly checked* from there on: whoever knows what
is looked at can write a program that does without. So no walk removes a finding; each aspect costs a step of confidence. A list of
allowed kinds of nodes leaves less than lists of forbidden names, and with a look at attributes there is little left.

A walk that is made only where a setting does not switch it off counts like one that is always made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from headwater.index.entities import Cls, Inst
from headwater.taint.labels import (
    ALL,
    ENDED,
    GLUED,
    OPTED_IN,
    TREE,
    TREE_ATTRIBUTES,
    TREE_CHECKS,
    TREE_IMPORTS,
    TREE_NAMES,
    TREE_NODES,
    Label,
    derive,
)
from headwater.taint.value import BOTTOM, Node, Value

if TYPE_CHECKING:
    from headwater import ir
    from headwater.taint.arguments import Args
    from headwater.taint.instructions import Instructions

KNOWN = ("ast.*",)
"""API paths that get their meaning here."""

_CALLED = 1
"""A mark beside the aspects: the function part of a call."""
_FIELDS = {"attr": TREE_ATTRIBUTES, "id": TREE_NAMES, "module": TREE_IMPORTS, "names": TREE_IMPORTS, "name": TREE_IMPORTS}
_KINDS = {"Import": TREE_IMPORTS, "ImportFrom": TREE_IMPORTS, "Attribute": TREE_ATTRIBUTES, "Call": TREE_NAMES}
_HARMLESS = frozenset({"Load", "Constant", "Num", "Name", "Expression", "Expr", "Module"})
"""Kinds of nodes that only a list of the allowed ones names."""
_ALLOW_LIST = 3  # kinds at least in such a list
_INSIDE = frozenset(
    {"*", "args", "attr", "body", "elts", "func", "id", "keywords", "left", "module", "name", "names", "op", "right", "value"}
)
_VISITORS = frozenset({"ast.NodeVisitor", "ast.NodeTransformer"})
_WORDS = {
    TREE_NODES: "a check of the kinds of nodes in its syntax tree stands in the way, but what it allows may be enough",
    TREE_IMPORTS: "a check of its imports stands in the way, but it can be passed",
    TREE_NAMES: "a check of the names that it uses stands in the way, but it can be passed",
    TREE_ATTRIBUTES: "a check of the attributes that it uses stands in the way, but it can be passed",
}

Origin = tuple[Any, ...]
Looked = tuple[frozenset[Label], int]


def checks_in_words(weak: int, doubts: list[str]) -> list[str]:
    """What stands between source and sink; ``doubts``: how checks on the trace can be passed."""
    made = [f"a check stands in the way, but {' and '.join(doubts) or 'it can be passed'}"] if weak & ALL else []
    if weak & GLUED:
        made.append("it stands behind a written text in the same name of the path, and a folder of that name may not exist")
    if weak & ENDED:
        made.append("only a file whose name the program writes can be reached in the folder that is chosen")
    made += [words for bit, words in _WORDS.items() if weak & bit]
    if weak & OPTED_IN:
        made.append("it happens only where a setting that is off by default switches it on")
    return made


class Programs:
    """What one run of a function has looked at and refused."""

    __deletable__ = ("frame",)  # mypyc asks which attributes may be deleted

    def __init__(self, frame: Instructions) -> None:
        self.frame = frame
        self.trees: dict[int, None] = {}
        """Parameters that are nodes of a tree."""
        self.marks: dict[int, Looked] = {}
        """Registers that hold an aspect of a tree, or the outcome of a test of one."""
        self.kinds: dict[int, frozenset[Label]] = {}
        """Registers that hold the type of a node."""
        self.looked: list[Looked] = []
        self.enclosing: list[list[Looked]] = []
        self.refused: dict[Origin, int] = {}
        self.version = 0
        """Raised with every new refusal."""
        self.raised: dict[int, int] = {}
        """Aspects refused by raising, by parameter."""
        fn = frame.fn
        if fn.cls is not None and fn.ir.name.startswith("visit") and len(fn.ir.params) > 1 and _visitor(fn.cls):
            self.trees[1] = None

    # ------------------------------------------------------------------------------------------ what is looked at

    def is_tree(self, labels: Iterable[Label]) -> bool:
        return any(label.weak & TREE or (label.source is None and label.param in self.trees) for label in labels)

    def moved(self, dst: int, src: int) -> None:
        """A register takes what another holds."""
        if not self.marks and not self.kinds:
            return
        for table in (self.marks, self.kinds):
            if src in table:
                table[dst] = table[src]  # type: ignore[assignment]
            else:
                table.pop(dst, None)

    def attribute(self, dst: int, src: int, name: str, base: Value) -> None:
        """``node.name`` is read."""
        if src in self.kinds:
            self.kinds[dst] = self.kinds[src]  # type(node).__name__
        elif name == "__class__" and self.is_tree(base.labels):
            self.kinds[dst] = base.labels
        elif (name in _FIELDS or name == "func") and self.is_tree(base.labels):
            called = self.marks.get(src, (base.labels, 0))[1] & _CALLED
            self.marks[dst] = (base.labels, _CALLED if name == "func" else TREE_NAMES if called else _FIELDS[name])

    def called(self, dst: int, i: ir.Call, args: Args, receiver: int | None, callee: Value) -> None:
        """A function is called, perhaps with a part of a tree: what it gives says something of the part."""
        frame = self.frame
        name = args.name
        if len(args.positional) == 1 and any(getattr(ref, "text", "") == "builtins.type" for ref in callee.refs):
            labels = frame.collapse(args.positional[0]).labels
            if self.is_tree(labels):
                self.kinds[dst] = labels
            return
        if name in ("visit", "generic_visit") and callee.bound is not None and len(args.positional) == 1:
            self._visited(callee.bound, frame.collapse(args.positional[0]).labels)
        if not self.marks:
            return
        found: list[Looked] = [self.marks[one] for one in (*i.args, *((receiver,) if receiver is not None else ())) if one in self.marks]
        if found:
            whole = (frozenset().union(*(labels for labels, _ in found)), _union(aspects for _, aspects in found) & TREE_CHECKS)
            self.marks[dst] = whole
            self.looked.append(whole)
        else:
            self.marks.pop(dst, None)

    def tested(self, i: ir.Test, left: Value, right: Value) -> None:
        """A comparison, a membership test or ``isinstance`` looks at a part of a tree."""
        if i.op in ("not", "truth"):
            self.moved(i.dst, i.left)
            return
        frame = self.frame
        if i.op == "isinstance" or i.left in self.kinds:
            kinds = _names(frame, right)
            if i.op == "isinstance" and not kinds:
                return
            labels = self.kinds[i.left] if i.left in self.kinds else frame.collapse(left).labels
            for label in labels if i.op == "isinstance" else ():
                if label.source is None:
                    self.trees[label.param] = None
            called = self.marks.get(i.left, (labels, 0))[1] & _CALLED
            aspects = _union(_KINDS.get(kind, 0) for kind in sorted(kinds))
            if i.op == "not in" or (len(kinds) >= _ALLOW_LIST and kinds & _HARMLESS):
                aspects = TREE_NODES
            if called and aspects:
                aspects = TREE_NAMES
            whole = (labels, aspects)
        else:
            found = [self.marks[one] for one in (i.left, i.right) if one in self.marks]
            whole = (frozenset().union(*(labels for labels, _ in found)), _union(aspects for _, aspects in found) & TREE_CHECKS)
            if not found:
                labels = frozenset(label for value in (left, right) for label in value.labels)
                if not self.is_tree(labels):
                    return
                whole = (labels, 0)
        self.marks[i.dst] = whole
        self.looked.append(whole)

    def held(self, register: int) -> None:
        """A condition is what a register holds."""
        if register in self.marks:
            self.looked.append(self.marks[register])

    def _visited(self, receiver: Value, labels: frozenset[Label]) -> None:
        """``NodeVisitor().visit(tree)`` calls the method for the kind of each node."""
        frame = self.frame
        if not labels:
            return
        aspects = 0
        for ref in receiver.refs:
            cls = ref.cls if isinstance(ref, Inst) else None
            if cls is None or not _visitor(cls):
                continue
            methods = {name: method for one in reversed(cls.mro) for name, method in one.methods.items() if name.startswith("visit_")}
            for name, method in sorted(methods.items()):
                summary = frame.solver.summary(frame.fn, method)
                if summary is None:
                    continue
                if summary.never:
                    aspects |= _KINDS.get(name.removeprefix("visit_"), 0)
                for index, _, weak, _ in summary.proofs:
                    aspects |= weak & TREE_CHECKS if index == 1 else 0
        if aspects:
            self.refuse([(labels, aspects)], "raise")

    # ------------------------------------------------------------------------------------------ what is refused

    def refuse(self, entries: list[Looked], jump: str) -> None:
        """A branch under a condition that looked at ``entries`` does not go on; ``jump``: how it ended."""
        if not _union(aspects for _, aspects in entries):
            if not entries:
                return
            around = _union(aspects for level in self.enclosing for _, aspects in level)
            entries = [(labels, around) for labels, _ in entries]
        found: dict[Origin, int] = {}
        for labels, aspects in entries:
            aspects &= TREE_CHECKS
            if not aspects:
                continue
            for label in labels:
                for origin in _origins(label):
                    found[origin] = found.get(origin, 0) | aspects
                if label.source is None and jump == "raise":
                    self.raised[label.param] = self.raised.get(label.param, 0) | aspects
        if not found:
            return
        if jump != "next":
            for origin, aspects in found.items():
                known = self.refused.get(origin, 0)
                if aspects & ~known:
                    self.refused[origin] = known | aspects
                    self.version += 1
        self._mark(found)

    def again(self, before: int) -> None:
        """Branches have joined: what was refused in one of them, since ``before``, is refused after them."""
        if self.refused and self.version != before:
            self._mark(self.refused)

    def _mark(self, found: dict[Origin, int]) -> None:
        frame = self.frame
        for cell, value in list(frame.cells.items()):
            if not value.labels:
                continue
            changed: dict[Label, Label] = {}
            for label in value.labels:
                aspects = found.get(_origin(label), 0)
                if aspects & ~label.weak:
                    changed[label] = derive(label, weak=aspects, exact=True) or label
            if changed:
                steps: dict[Label, Node] | None = None
                if value.steps:
                    steps = {changed.get(label, label): node for label, node in value.steps.items()}
                frame.write(cell, value.with_(labels=frozenset(changed.get(label, label) for label in value.labels), steps=steps))


def _origin(label: Label) -> Origin:
    return (label.source.key,) if label.source is not None else (label.param, label.path)


def _origins(label: Label) -> list[Origin]:
    """Where a part of a tree comes from: of ``node.func.id`` it is the node."""
    if label.source is not None or label.weak & TREE:
        return [_origin(label)]
    path = label.path
    made: list[Origin] = [(label.param, path)]
    while path and (isinstance(path[-1], int) or path[-1] in _INSIDE):
        path = path[:-1]
        made.append((label.param, path))
    return made


def _union(aspects: Iterable[int]) -> int:
    made = 0
    for one in aspects:
        made |= one
    return made


def _visitor(cls: Cls) -> bool:
    return any(path.text in _VISITORS for one in cls.mro for path in one.externals)


def _names(frame: Instructions, value: Value) -> frozenset[str]:
    """The kinds of nodes that a class, or a collection of classes or of their names, stands for."""
    parts = [value, *(frame.contents(alloc) for alloc in value.allocs)]
    found = {ref.text[4:] for part in parts for ref in part.refs if getattr(ref, "text", "").startswith("ast.")}
    for alloc in value.allocs:
        for key in alloc.keys:
            const = frame.cells.get((alloc, key), BOTTOM).const
            if isinstance(const, str):
                found.add(const)
    if isinstance(value.const, str):
        found.add(value.const)
    return frozenset(found)
