"""Lowers one Python file: functions in turn, each after the one around it, so that all variables it can see are known."""

from __future__ import annotations

import threading

from headwater import ir, limits
from headwater.frontends.bounded import BoundedParser, EffortError
from headwater.frontends.python.annotations import Types
from headwater.frontends.python.definitions import Definitions
from headwater.frontends.python.grammar import new_parser
from headwater.frontends.python.recovery import Parsed, given_up, parse
from headwater.frontends.python.remarks import remarks
from headwater.frontends.python.scope import Known, Pending, Unit

_LOCAL = threading.local()


def _parser() -> BoundedParser:
    """A parser of this thread: it keeps state while it parses."""
    parser: BoundedParser | None = getattr(_LOCAL, "parser", None)
    if parser is None:
        parser = _LOCAL.parser = new_parser()
    return parser


def lower(path: str, data: bytes) -> ir.Module:
    """Turns a Python file into the IR. Never raises: what is not understood is a gap."""
    parser = _parser()
    parser.begin(len(data))
    try:
        return lower_parsed(path, data, parse(parser, data), parser)
    except EffortError:
        return lower_given_up(path, data, parser)


def lower_given_up(path: str, data: bytes, parser: BoundedParser) -> ir.Module:
    """The module of a file that the parser does not come to an end with: empty, and told."""
    parser.begin(len(data))
    return lower_parsed(path, data, given_up(parser, data), parser)


def lower_parsed(path: str, data: bytes, parsed: Parsed, parser: BoundedParser) -> ir.Module:
    text = data.decode("latin-1")
    unit = Unit(text, Types(text, lambda piece: parser.parse(piece).root_node))
    unit.gaps = parsed.gaps
    unit.old_exec = parsed.old_exec
    unit.functions.append(None)
    todo = [Pending(parsed.tree.root_node, 0, "<module>", "<module>", None, -1, set(), 0)]
    while todo:
        scope = _finish(unit, todo.pop())
        if scope is not None:
            # In the order of the source, the functions of one scope before those of the next
            todo.extend(reversed(scope.queue))
            scope.queue.clear()  # a cycle through it would keep the tree of every file alive
    if unit.old_python is not None:
        start, end, what = unit.old_python
        unit.gaps.append(ir.Gap(start, end, f"python2: {what}"))
    unit.gaps.sort(key=lambda gap: (gap.start, gap.end, gap.reason))
    return ir.Module(
        path=path,
        language="python",
        functions=[f if f is not None else _empty(i) for i, f in enumerate(unit.functions)],
        classes=unit.classes,
        imports=unit.imports,
        imported=list(unit.imported.values()),
        stars=unit.stars,
        exports=unit.exports,
        definitions=unit.definitions,
        gaps=unit.gaps,
        remarks=remarks(data, parsed.tree.root_node),
    )


def _empty(index: int) -> ir.Function:
    return ir.Function("?", "?", 0, 0, [], (), (), 0, {}, {}, None, [], [], parent=-1 if index == 0 else 0)


class _Mark:
    """How far the module had come, to take back what a lowering added that is done again."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.functions = len(unit.functions)
        self.classes = len(unit.classes)
        self.gaps = len(unit.gaps)

    def back(self) -> None:
        unit = self.unit
        del unit.functions[self.functions :]
        del unit.classes[self.classes :]
        del unit.gaps[self.gaps :]


def _finish(unit: Unit, pending: Pending) -> Definitions | None:
    """Lowers a function for good. None where that failed (a bug, kept to this one function)."""
    node = pending.node
    mark = _Mark(unit)
    try:
        if pending.depth > limits.NESTING:
            start, end = node.byte_range
            unit.gaps.append(ir.Gap(start, end, f"nesting beyond {limits.NESTING}"))
            unit.functions[pending.index] = _bare(pending)
            return None
        known: Known | None = None
        if pending.enclosing:
            known = _discover(unit, pending)
        flags = set(pending.flags)
        scope = Definitions(unit, pending, known)
        function = scope.run()
        if scope.conflict and known is None:
            mark.back()
            if pending.owner is None:
                unit.exports = None
                unit.definitions.clear()
            pending.flags = flags
            scope = Definitions(unit, pending, Known((), tuple(scope.bound)))
            function = scope.run()
        if pending.sites and pending.owner is not None and function.captured:
            owner = pending.owner.names
            shadow = pending.shadow
            captures = tuple(shadow[name] if name in shadow else owner[name] for name in function.captured)
            for site in pending.sites:
                site.captures = captures
        unit.functions[pending.index] = function
        return scope
    except Exception as error:
        mark.back()
        start, end = node.byte_range
        unit.gaps.append(ir.Gap(start, end, f"internal: {type(error).__name__} in {pending.qualname}"))
        unit.functions[pending.index] = _bare(pending)
        return None


def _discover(unit: Unit, pending: Pending) -> Known:
    """What a function inside others captures, and which names it binds after it read them: found by lowering it once."""
    key = pending.node.byte_range
    known = unit.known.get(key)
    if known is not None:
        return known
    mark = _Mark(unit)
    flags = set(pending.flags)
    scope = Definitions(unit, pending, None)
    if pending.depth <= limits.NESTING:
        scope.run()
        for inner in scope.queue:
            for name in _discover(unit, inner).captured:
                if name not in inner.shadow and name not in scope.names:
                    scope.capture(name)
        scope.queue.clear()
    mark.back()
    pending.flags = flags
    known = unit.known[key] = Known(tuple(scope.captured), tuple(scope.bound) if scope.conflict else ())
    return known


def _bare(pending: Pending) -> ir.Function:
    """A function whose body was not lowered."""
    start, end = pending.node.byte_range
    parent = pending.owner.index if pending.owner is not None else -1
    return ir.Function(
        pending.name, pending.qualname, start, end, [], (), (), 0, {}, {}, None, [], [], pending.cls, parent, tuple(sorted(pending.flags))
    )
