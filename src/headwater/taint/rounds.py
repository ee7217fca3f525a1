"""What a loop over words that are written has done to a text in all of its rounds: taken each of them away, or looked for each.

``for sign in "/\\\\": name = name.replace(sign, "")``; ``for bad in ("/", ".."): if bad in name: raise``;
``any(bad in name for bad in BAD)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headwater import ir
from headwater.index.calls import instructions
from headwater.taint import texts
from headwater.taint.labels import ABSENT_HERE, CONTAINED, NO_UP, PATHS
from headwater.taint.value import BOTTOM, Fact

if TYPE_CHECKING:
    from headwater.taint.branches import Branches
    from headwater.taint.instructions import Instructions

_REPLACES = frozenset({"replace", "replaceAll"})


def words(frame: Instructions, register: int) -> tuple[str, ...]:
    """The words that a loop goes over, if all are written; the characters of a text."""
    value = frame.cells.get(register, BOTTOM)
    if isinstance(value.const, str):
        return tuple(value.const)
    if not value.allocs or not frame.fixed(value):
        return ()
    found = [frame.cells.get((alloc, key), BOTTOM).const for alloc in value.allocs for key in alloc.keys]
    return tuple(one for one in found if isinstance(one, str)) if all(isinstance(one, str) for one in found) else ()


def absent(frame: Instructions, register: int, held: tuple[Any, ...]) -> tuple[Fact, ...]:
    """What it shows, in a round of the innermost loop, that the word at hand is not in a text."""
    elem = frame.bodies[-1][0] if frame.bodies and frame.bodies[-1] else None
    if type(elem) is not ir.Elem or elem.dst != register:
        return ()
    sought = words(frame, elem.src)
    return ((held, ABSENT_HERE, 0, sought, ""),) if shown(sought) else ()


def shown(sought: tuple[str, ...]) -> int:
    """What it shows of a text that none of some words is in it."""
    up = NO_UP if ".." in sought else 0
    return up | (PATHS | (CONTAINED if up else 0) if "/" in sought else 0)


def of_none(facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """What is shown where no round has found its word."""
    return tuple((cells, shown(sought), 0, (), "") for cells, proven, _, sought, _ in facts if proven & ABSENT_HERE)


def ended(frame: Branches, elem: ir.Elem, body: list[Any], delta: dict[Any, Any]) -> None:
    """A loop has ended, of which every round came to its end; ``delta``: what a round has changed."""
    sought = words(frame, elem.src)
    if not sought:
        return
    proven = shown(sought)
    for cell, value in delta.items() if proven else ():
        before = frame.cells.get(cell)
        if before is not None and value.proven & ABSENT_HERE and not before.proven & ABSENT_HERE:
            frame.learn(((cell,), proven, 0, (), ""))
    if "/" in sought and (register := _cleaned(frame, elem.dst, body)) >= 0 and frame.cells.get(register, BOTTOM).labels:
        frame.write(register, texts.no_slash(frame.cells[register]))


def _cleaned(frame: Branches, word: int, body: list[Any]) -> int:
    """The variable from which each round takes its word away; -1 where there is none."""
    for block in (body, *_where_found(word, body)):
        texts_of: dict[int, int] = {}
        written: dict[int, Any] = {}
        made: dict[int, int] = {}
        for instr in block:
            kind = type(instr)
            if kind is ir.Attr and instr.name in _REPLACES and (instr.name == "replaceAll") is frame.mod.script:
                texts_of[instr.dst] = instr.obj
            elif kind is ir.Const:
                written[instr.dst] = instr.value
            elif kind is ir.Call and instr.fn in texts_of and len(instr.args) == 2 and not instr.kw and instr.args[0] == word:
                by = written.get(instr.args[1])
                if isinstance(by, str) and "/" not in by:
                    made[instr.dst] = texts_of[instr.fn]
            elif kind is ir.Move and instr.src in made:
                made[instr.dst] = made[instr.src]
            register = getattr(instr, "dst", -1)
            if made.get(register) == register and sum(getattr(one, "dst", -1) == register for one in instructions(body)) == 1:
                return register
    return -1


def _where_found(word: int, body: list[Any]) -> list[list[Any]]:
    """The blocks that are run where the word at hand is in a text."""
    found: list[list[Any]] = []
    for instr in body:
        if type(instr) is ir.If and len(instr.arms) == 1 and not instr.orelse:
            leaf = instr.arms[0].cond
            test = leaf.pre[-1] if type(leaf) is ir.Leaf and leaf.pre else None
            if type(test) is ir.Test and test.op == "in" and test.left == word:
                found.append(instr.arms[0].body)
    return found
