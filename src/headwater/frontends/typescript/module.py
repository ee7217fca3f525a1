"""Lowers one file: functions in turn, each after the one around it."""

from __future__ import annotations

import re
import threading
from typing import Final

from tree_sitter import Node

from headwater import ir, limits
from headwater.frontends.bounded import BoundedParser, EffortError
from headwater.frontends.typescript import grammar as g
from headwater.frontends.typescript.definitions import Definitions
from headwater.frontends.typescript.recovery import Parsed, given_up, parse
from headwater.frontends.typescript.remarks import remarks
from headwater.frontends.typescript.scope import Pending, Unit

_LOCAL = threading.local()
_PLAIN_FIRST: Final = frozenset(("ts", "mts", "cts"))
_SCRIPT: Final = frozenset(("js", "jsx", "mjs", "cjs"))
_BRACKETS: Final = re.compile(rb"[][(){}]")
_PROTOTYPE: Final = re.compile(
    r"(?:(?<![\w$])([A-Za-z_$][\w$]*)\.prototype\b\s*[.=\[]|\bObject\.assign\(\s*([A-Za-z_$][\w$]*)\.prototype\s*,)"
)


def _parsers() -> tuple[BoundedParser, BoundedParser]:
    """The parsers of this thread: they keep state while they parse."""
    parsers: tuple[BoundedParser, BoundedParser] | None = getattr(_LOCAL, "parsers", None)
    if parsers is None:
        parsers = _LOCAL.parsers = (g.PLAIN.parser(), g.WITH_TAGS.parser())
    return parsers


def lower(path: str, data: bytes) -> ir.Module:
    """Turns a TypeScript or JavaScript file into the IR. Never raises: what is not understood is a gap."""
    suffix = path.rpartition(".")[2].lower()
    plain, tags = _parsers()
    order = [(plain, g.PLAIN), (tags, g.WITH_TAGS)]
    if suffix not in _PLAIN_FIRST:
        order.reverse()
    parsers = [parser for parser, _ in order]
    for parser in parsers:
        parser.begin(len(data))
    try:
        if too_deep(data):
            raise EffortError
        parsed, which = parse(parsers, data)
    except EffortError:
        parsers[0].begin(len(data))
        parsed, which = given_up(parsers[0], data), 0
    return _lowered(path, data, parsed, order[which][1], "javascript" if suffix in _SCRIPT else "typescript")


def too_deep(data: bytes) -> bool:
    """Whether so many brackets are open at one place that the parser would use up the stack; those in texts count too."""
    if sum(map(data.count, (b"{", b"(", b"["))) <= limits.OPEN_BRACKETS:
        return False
    depth = 0
    for found in _BRACKETS.finditer(data):
        depth += 1 if found.group() in b"{([" else -1
        if depth > limits.OPEN_BRACKETS:
            return True
        depth = max(depth, 0)
    return False


def _lowered(path: str, data: bytes, parsed: Parsed, grammar: g.Grammar, language: str) -> ir.Module:
    unit = Unit(data.decode("latin-1"))
    unit.gaps = parsed.gaps
    unit.functions.append(None)
    root = parsed.tree.root_node
    try:
        _look(unit, root, grammar)
    except Exception as error:
        unit.gaps.append(ir.Gap(0, len(data), f"internal: {type(error).__name__} in {path}"))
    todo = [Pending(root, 0, "<module>", "<module>", -1, 0, ())]
    while todo:
        scope = _finish(unit, todo.pop())
        if scope is not None:
            # In the order of the source, the functions of one scope before those of the next
            todo.extend(reversed(scope.queue))
    unit.gaps.sort(key=lambda gap: (gap.start, gap.end, gap.reason))
    return ir.Module(
        path=path,
        language=language,
        functions=[f if f is not None else _empty(i) for i, f in enumerate(unit.functions)],
        classes=unit.classes,
        imports=unit.imports,
        imported=list(unit.imported.values()),
        stars=unit.stars,
        exports=None,
        definitions=unit.definitions,
        gaps=unit.gaps,
        remarks=remarks(data, root, grammar),
        exported=unit.exported,
    )


def _look(unit: Unit, root: Node, grammar: g.Grammar) -> None:
    """Looks at the whole file at once: where names are used, which are assigned, and whose the ``var`` declarations are."""
    found = g.captures(grammar.names, root)
    text = unit.text
    wide = not text.isascii()
    uses = sorted(node.byte_range for node in found.get("use", ()))
    unit.use_starts = [start for start, _ in uses]
    names = [text[start:end] for start, end in uses]
    unit.use_names = [name if name.isascii() else g_word(name) for name in names] if wide else names
    for kind in ("assigned", "looped"):
        for node in found.get(kind, ()):
            target: Node | None = node
            if node.type in ("assignment_expression", "augmented_assignment_expression", "for_in_statement"):
                target = node.child_by_field_name("left")
            elif node.type == "update_expression":
                target = node.child_by_field_name("argument")
            if target is not None:
                for name in g.pattern_names(target):
                    word = text[name.start_byte : name.end_byte]
                    unit.assigned.add(word if word.isascii() else g_word(word))
    variables = found.get("var", ())
    if variables:
        marks = [(node.start_byte, 0, -node.end_byte, node) for node in found.get("function", ())]
        marks += [(node.start_byte, 1, -node.end_byte, node) for node in variables]
        marks.sort(key=lambda mark: mark[:3])
        around: list[tuple[int, int]] = []
        for start, what, end, node in marks:
            while around and around[-1][1] <= start:
                around.pop()
            if what == 0:
                around.append((start if node.type not in ("class_static_block", "internal_module") else -2, -end))
            elif not around or around[-1][0] != -2:
                unit.vars.setdefault(around[-1][0] if around else -1, []).append(node)
    if ".prototype" in text:
        unit.constructors = {match.group(1) or match.group(2): -1 for match in _PROTOTYPE.finditer(text)}


def g_word(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "replace")


def _empty(index: int) -> ir.Function:
    return ir.Function("?", "?", 0, 0, [], (), (), 0, {}, {}, None, [], [], parent=-1 if index == 0 else 0)


def _finish(unit: Unit, pending: Pending) -> Definitions | None:
    """Lowers a function for good. None where that failed (a bug, kept to this one function)."""
    node = pending.node
    functions, classes, gaps = len(unit.functions), len(unit.classes), len(unit.gaps)
    start, end = node.byte_range
    try:
        if pending.depth > limits.NESTING:
            unit.gaps.append(ir.Gap(start, end, f"nesting beyond {limits.NESTING}"))
            unit.functions[pending.index] = _bare(pending)
            return None
        scope = Definitions(unit, pending)
        unit.functions[pending.index] = scope.run()
        return scope
    except Exception as error:
        del unit.functions[functions:]
        del unit.classes[classes:]
        del unit.gaps[gaps:]
        if pending.parent < 0:
            unit.definitions.clear()
        if not node.has_error:  # else it was told
            unit.gaps.append(ir.Gap(start, end, f"internal: {type(error).__name__} in {pending.qualname}"))
        unit.functions[pending.index] = _bare(pending)
        return None


def _bare(pending: Pending) -> ir.Function:
    """A function whose body was not lowered."""
    start, end = pending.node.byte_range
    flags = tuple(sorted(pending.flags))
    params = [ir.Param("this", start, start)] if pending.this else []
    size = len(params) + len(pending.captured)
    return ir.Function(
        pending.name,
        pending.qualname,
        start,
        end,
        params,
        pending.captured,
        (),
        size,
        {},
        {},
        None,
        [],
        [],
        pending.cls,
        pending.parent,
        flags,
    )
