"""Blocks, conditions, branches, loops and ``try``: how control goes through a function.

Branches join where the syntax joins; a loop runs until nothing changes or ``limits.LOOP_ROUNDS``; conditions are
evaluated with what their earlier parts have shown. What conditions prove is in ``headwater.taint.guards``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from headwater import ir, limits
from headwater.index.calls import instructions
from headwater.index.entities import Cls, Fn, Inst
from headwater.index.symbols import instance_refs
from headwater.taint import chains, fills, loops, optin, rounds, verdicts
from headwater.taint.labels import (
    ADDRESS,
    ALL,
    PATHS,
)
from headwater.taint.operators import Operators
from headwater.taint.summary import Requirement
from headwater.taint.value import (
    BOTTOM,
    GATE,
    NO_CONST,
    ElementsOf,
    Fact,
    PathOf,
    Pred,
    Value,
    join,
    join_all,
    same,
)

if TYPE_CHECKING:
    from headwater.taint.solve import Solver

_DOUBTED = PATHS | ADDRESS
"""Where a check that is made on some ways only counts for something."""


_OF_TEXTS = frozenset({ir.Concat, ir.Move})
"""Instructions that say themselves of which parts a text is made."""


class Branches(Operators):
    """Instructions that hold blocks."""

    handlers: ClassVar[dict[type, Callable[[Any, Any], None]]] = {}
    """What to do for each class of instructions."""

    def __init__(self, solver: Solver, fn: Fn, traced: bool = False) -> None:
        super().__init__(solver, fn, traced)
        self.loops: list[tuple[int, list[dict[Any, Value]]]] = []
        """Of the loops around the instruction at hand: how many branches were open at its start, and what was written where it is left."""
        self.breaks: list[list[dict[Any, int]]] = []
        """Of the loops around the instruction at hand: what was shown at each place where they are left."""
        self.lasting = solver.lasting(fn)
        self.jump = ""
        """How the last path ended that does not go on: ``raise``, ``return``, ``next`` (the next round of a loop, or none)."""
        self.inside = 0
        """Loops around the instruction at hand."""
        self.inner: tuple[Any, ...] = ()
        """The switches set at the end of the last branch."""

    def block(self, block: list[Any]) -> None:
        """Run instructions until the end or a jump."""
        handlers, variables = self.handlers, self.variables
        for instr in block:
            if self.dead:
                return
            self.at = instr
            handlers[type(instr)](self, instr)
            if (register := getattr(instr, "dst", -1)) in variables:
                if register in self.texts and type(instr) not in _OF_TEXTS:
                    del self.texts[register]
                verdicts.follow(self, register)

    def branch(self, block: list[Any], facts: tuple[Fact, ...] = (), empty: int = -1) -> tuple[dict[Any, Value], bool]:
        """Run a block as a branch: what it changed, whether it goes on after its end; ``empty``: a register that holds no data there."""
        self.begin()
        gates, flags = self.gates, self.flags
        self.flags = dict(flags)
        if empty >= 0:
            whole = self.cells.get(empty, BOTTOM)
            for cell in (empty, self.moved_from.get(empty)) if whole.labels else ():
                if type(cell) is int and self.cells.get(cell, BOTTOM).labels == whole.labels:
                    self.write(cell, Value(refs=whole.refs, const=whole.const))
        for fact in facts:
            self.learn(fact)
        delta, alive = self.finish(block)
        self.inner, self.gates = self.gates, gates
        verdicts.leave(self, flags)
        return delta, alive

    def finish(self, block: list[Any]) -> tuple[dict[Any, Value], bool]:
        """Run the block of a branch that was begun: what the branch changed, and whether it goes on after its end."""
        self.block(block)
        alive = not self.dead
        self.dead = False
        return self.end(self.lasting), alive

    def cond(self, cond: Any) -> tuple[tuple[Fact, ...], tuple[Fact, ...]]:
        """Evaluate a condition: what holds where it is true and where it is false."""
        kind = type(cond)
        if kind is ir.Leaf:
            self.block(cond.pre)
            self.dead = False  # a condition that never ends is no condition: what follows is looked at as if it did
            self.programs.held(cond.reg)
            value = self.cells.get(cond.reg, BOTTOM)
            pred: Pred | None = fills.pred(self, value)
            return verdicts.decided(self, cond.reg, pred if pred is not None else self._switch(cond.reg, value))
        if kind is ir.Not:
            true, false = self.cond(cond.part)
            return false, true
        all_of = kind is ir.AllOf
        gathered: list[Fact] = []
        other: tuple[Fact, ...] = ()
        gates = self.gates
        for number, part in enumerate(cond.parts):
            flags = self.flags
            if number:
                self.flags = dict(flags)
                self.begin()
                for fact in gathered:
                    self.learn(fact)
            true, false = self.cond(part)
            if number:
                verdicts.leave(self, flags)
            gathered += true if all_of else false
            if len(cond.parts) == 1:
                other = false if all_of else true
        self.gates = gates
        for _ in cond.parts[1:]:  # the facts hold in the branches only; calls in operands may have changed objects: keep those
            delta = self.end()
            self.merge([{cell: value for cell, value in delta.items() if not _only_facts(self.cells.get(cell), value)}], True)
        if not all_of and len(cond.parts) > 1:
            other = _shared([self._again(part, 0) for part in cond.parts])
        elif all_of and len(cond.parts) > 1:
            shared = _shared([self._again(part, 1) for part in cond.parts])
            other = _but_for(self._one_of(cond.parts), shared) + shared
        return (tuple(gathered), other) if all_of else (other, tuple(gathered))

    def _switch(self, register: int, value: Value) -> Pred:
        """A condition on a truth value that the program has a default for: one side of it is only reached where somebody says so."""
        default: Any = NO_CONST
        needed: Any = None
        name = self.named_calls.get(register, "")
        if name and register in self.receivers:
            base = self.cells.get(self.receivers[register], BOTTOM)
            classes = [ref.cls for ref in base.refs if isinstance(ref, Inst)]
            defaults = {self.solver.switch(cls, name) for cls in classes}
            if len(defaults) == 1 and optin.is_permission(name):
                default = next(iter(defaults))
                needed = (name, default)
        elif len(value.labels) == 1:
            (label,) = value.labels
            if label.source is None and label.exact and not label.path and label.param < len(self.fn.ir.params):
                default = self.solver.default(self.fn, label.param)
                needed = Requirement(label.param, (), default, True)
        elif self.mod.script and value.const is False and register not in self.variables:  # of a module, or imported from one
            default, needed = False, (name, False)
        if not isinstance(default, bool):
            return (), ()
        gate: tuple[Fact, ...] = ((GATE, 0, 0, (needed,), ""),)
        return ((), gate) if default else (gate, ())

    def _one_of(self, parts: list[Any]) -> tuple[Fact, ...]:
        """What it shows that not all of the parts hold: ``x and x not in ALLOWED``; after a switch, a check that is not always made."""
        found: list[Fact] = []
        for number, part in enumerate(parts):
            negative = type(part) is ir.Not
            leaf = part.part if negative else part
            pred = self.cells.get(leaf.reg, BOTTOM).pred if type(leaf) is ir.Leaf else None
            for cells, proven, weak, refs, text in pred[0 if negative else 1] if pred is not None else ():
                others = [one for other, one in enumerate(parts) if other != number]
                if all(type(one) is ir.Leaf and set(self.cells_of(one.reg)) & set(cells) for one in others):
                    found.append((cells, proven, weak, refs, text))
                elif proven:
                    found.append((cells, 0, proven | weak, (), "the check is not made in every case"))
        return tuple(found)

    def _again(self, part: Any, side: int) -> tuple[Fact, ...]:
        """What a part that was evaluated shows where it is true (0) or false (1)."""
        if type(part) is ir.Not:
            part, side = part.part, 1 - side
        if type(part) is ir.Leaf:
            value = self.cells.get(part.reg, BOTTOM)
            return value.pred[side] if value.pred is not None else ()
        if type(part) not in (ir.AllOf, ir.AnyOf):
            return ()
        sides = [self._again(one, side) for one in part.parts]
        if (type(part) is ir.AllOf) is (side == 0):  # each of them holds, or none does
            return tuple(fact for one in sides for fact in one)
        return _shared(sides)

    def i_break(self, i: ir.Break) -> None:
        self._left()
        if self.breaks:
            self.breaks[-1].append(fills.shown_here(self))
        self.dead = True
        self.jump = "next"

    def i_continue(self, i: ir.Continue) -> None:
        self._left()
        self.dead = True
        self.jump = "next"

    def _left(self) -> None:
        """A round of the loop ends here: what it has written so far holds after the loop, or in the next round."""
        if not self.loops:
            return
        start, ways = self.loops[-1]
        lasting, cells = self.lasting, self.cells
        written: dict[Any, Value] = {}
        for journal in self.journals[start:]:
            for cell, old in journal.items():
                value = cells.get(cell)
                if value is None or not (type(cell) is tuple or cell in lasting):
                    continue
                if type(old) is not Value or old.const is not value.const or not _only_facts(old, value):
                    written[cell] = value
        if written:
            ways.append(written)

    def i_if(self, i: ir.If) -> None:
        deltas: list[dict[Any, Value]] = []
        outside = self.gates
        gates: list[tuple[Any, ...]] = []
        self.begin()  # the path on which no condition has held so far
        named = self.lasting
        known: list[tuple[Fact, ...]] = []  # what the conditions themselves have shown
        failed: tuple[Fact, ...] = ()
        kept: dict[Any, Value] = {}  # what the conditions did to variables and objects: their temporaries end with them
        programs = self.programs
        before = programs.version
        first = len(programs.looked)
        flags = self.flags
        self.flags = dict(flags)
        decisions: list[tuple[Any, bool, dict[Any, Value]]] = []
        for arm in i.arms:
            self.begin()
            seen = len(programs.looked)
            true, false = self.cond(arm.cond)
            at = self.at
            for cell, value in self.end().items():
                self.write(cell, value)
                if type(cell) is tuple or cell in named:
                    kept[cell] = value
            looked = programs.looked[seen:]
            programs.enclosing.append(looked)
            delta, alive = self.branch(arm.body, true, _empty(arm))
            programs.enclosing.pop()
            if alive:
                deltas.append({**kept, **delta} if kept else delta)
                gates.append(self.inner)
                known.append(true)
                decisions.append((arm.cond, True, delta))
            self.at = at
            if arm.body and type(arm.body[-1]) is ir.Raise and (arm.body[-1].start, arm.body[-1].end) == (i.start, i.end):
                false = tuple(map(_asserted, false))
            for fact in false:
                self.learn(fact)
            failed += false
            if not alive and looked:
                programs.refuse(looked, self.jump)
        looked = programs.looked[first:]
        del programs.looked[first:]
        programs.enclosing.append(looked)
        self.block(i.orelse)
        programs.enclosing.pop()
        rest_alive = not self.dead
        self.dead = False
        rest = self.end(self.lasting)
        decided = bool(deltas) and not i.orelse and len(i.arms) == 1 and optin.so_unless_set(i.arms[0].cond)
        if rest_alive and not decided:
            deltas.append(rest)
            gates.append(self.gates)
            known.append(failed)
            if len(i.arms) == 1:
                decisions.append((i.arms[0].cond, False, rest))
        self.gates = tuple(one for one in gates[0] if all(one in other for other in gates[1:])) if gates else outside
        if not deltas:
            self.dead = True
            self.flags = flags
            return
        verdicts.leave(self, flags)
        told = [(*one, verdicts.gained(self, delta)) for *one, delta in decisions] if len(deltas) > 1 and len(i.arms) == 1 else []
        checked = self._checked_in_one(deltas, known) if len(deltas) > 1 else []
        self.merge(deltas, True)
        for cell, shown in checked:
            now = self.cells.get(cell, BOTTOM)
            if shown & ~now.proven:
                self.learn(((cell,), 0, shown & ~now.proven, (), "a check is made on some of the ways only"))
        for cond, outcome, bits in told:
            verdicts.decide(self, cond, outcome, bits)
        self._chosen(i, deltas)
        if not rest_alive and looked:
            programs.refuse(looked, self.jump)
        programs.again(before)

    def _chosen(self, i: ir.If, deltas: list[dict[Any, Value]]) -> None:
        """``a or b`` and ``a and b`` as a value: what it shows where it is true and where it is false."""
        last = i.orelse[-1] if i.orelse else None
        if type(last) is not ir.Move or len(deltas) != len(i.arms) + 1 or last.dst not in self.cells:
            return
        kinds = set()
        for arm in i.arms:
            leaf = arm.cond.part if type(arm.cond) is ir.Not else arm.cond
            only = arm.body[0] if len(arm.body) == 1 else None
            if type(leaf) is not ir.Leaf or type(only) is not ir.Move or (only.src, only.dst) != (leaf.reg, last.dst):
                return
            kinds.add(type(arm.cond))
        parts = [delta.get(last.dst, BOTTOM) for delta in deltas]
        if len(kinds) != 1 or not any(part.pred for part in parts):
            return
        preds = [part.pred or ((), ()) for part in parts]
        both = [tuple(fact for pred in preds for fact in pred[side]) for side in (0, 1)]
        shared = [_shared([pred[side] for pred in preds]) for side in (0, 1)]
        pred = (both[0], shared[1]) if ir.Not in kinds else (shared[0], both[1])
        self.write(last.dst, self.cells[last.dst].with_(pred=pred))

    def _checked_in_one(self, deltas: list[dict[Any, Value]], known: list[tuple[Fact, ...]]) -> list[tuple[Any, int]]:
        """Cells of which a branch has shown something that its condition does not say: a check that is made on some ways only."""
        found: dict[Any, int] = {}
        for delta, facts in zip(deltas, known, strict=True):
            for cell, value in delta.items():
                base = self.cells.get(cell)
                if base is None or base is value or not base.labels or not _only_facts(base, value):
                    continue
                bits = value.proven & ~base.proven & _DOUBTED
                weak = [label.weak & _DOUBTED for label in value.labels]
                if not bits and not any(weak):
                    continue
                for one in weak[1:]:
                    weak[0] &= one
                bits |= weak[0]
                for label in base.labels:
                    bits &= ~label.weak
                for places, proven, doubted, _, _ in facts:
                    if cell in places or any(type(one) is PathOf and one.cell == cell for one in places):
                        bits &= ~(proven | doubted)
                if bits:
                    found[cell] = found.get(cell, 0) | bits
        return list(found.items())

    def i_loop(self, i: ir.Loop) -> None:
        exit_facts: tuple[Fact, ...] = ()
        before = self.programs.version
        gates = self.gates
        self.inside += 1
        self.bodies.append(i.body)
        outer_asked = self.asked
        endless = loops.forever(i.cond)
        if endless:
            self.asked = set()
        for _ in range(limits.LOOP_ROUNDS if self.inside == 1 else 2):
            self.begin()
            facts: tuple[Fact, ...] = ()
            if i.cond is not None:
                facts, exit_facts = self.cond(i.cond)
            self.over.append(i.cond is None and bool(i.body) and type(i.body[0]) is ir.Elem and self.fixed(self.cells.get(i.body[0].src)))
            ways: list[dict[Any, Value]] = []
            self.loops.append((len(self.journals), ways))
            self.breaks.append([])
            delta, _ = self.branch(i.body, facts)
            breaks = self.breaks.pop()
            self.loops.pop()
            self.over.pop()
            self.merge([delta, *ways], False)
            whole = self.end(self.lasting)
            changed = False
            for cell, value in whole.items():
                base = self.cells.get(cell)
                joined = value if base is None else join(base, value)
                if base is None or not same(base, joined):
                    changed = True
                    self.write(cell, joined)
            if not changed:
                break
        self.inside -= 1
        self.bodies.pop()
        if endless:
            loops.look(self, i, self.asked or set())
            self.asked = outer_asked
        self.gates = gates
        broken = _jumps(i.body, (ir.Break,))
        if i.cond is None and i.body and type(i.body[0]) is ir.Elem and not _jumps(i.body, (ir.Break,)):
            skipped = _jumps(i.body, (ir.Continue,))
            self._each_checked(i.body[0], i.body[1:], delta, skipped)
            if not skipped:
                rounds.ended(self, i.body[0], i.body[1:], delta)
        if not broken:
            for fact in exit_facts:
                self.learn(fact)
        if i.orelse:
            delta, alive = self.branch(i.orelse)
            if alive or broken:
                self.merge([delta], not broken)
            else:
                self.dead = True
            if not alive and broken:
                for fact in fills.facts(fills.shared(breaks)):
                    self.learn(fact)
        elif i.cond is not None and loops.forever(i.cond) and not broken:
            self.dead = True
        self.programs.again(before)

    def _each_checked(self, elem: ir.Elem, body: list[Any], delta: dict[Any, Value], skipped: bool) -> None:
        """A loop over all that a host resolves to, left where one of them is refused: after it the address is checked."""
        source = self.cells.get(elem.src, BOTTOM)
        subject = source.subject or self.elements(source).subject
        for cell in subject:
            proven = delta[cell].proven & ADDRESS if cell in delta else 0
            if proven:
                self.learn(((cell,), proven, 0, (), ""))
        if not skipped:
            counted = self.counted_in(elem.src)
            chains.each(self, counted if counted >= 0 else elem.src, elem.start, delta)
        held = delta.get(elem.dst)
        if held is not None and held.proven & ALL and not skipped and not _set(body, elem.dst):
            self.learn((tuple(map(ElementsOf, self.cells_of(elem.src))), held.proven & ALL, 0, (), ""))

    def i_try(self, i: ir.Try) -> None:
        self.raised.append([]) if self.raised else self.raised.extend([[], []])
        programs = self.programs
        before = programs.version
        refused, by_raise = dict(programs.refused), dict(programs.raised)
        gates, flags = self.gates, self.flags
        self.flags = dict(flags)
        self.begin()
        self.block(i.body)
        body_alive = not self.dead
        self.dead = False
        thrown = self.raised.pop()
        mid = self.end(self.lasting)
        deltas: list[dict[Any, Value]] = []
        if body_alive:
            self.begin()
            for cell, value in mid.items():
                self.write(cell, value)
            delta, alive = self.finish(i.orelse)
            if alive:
                deltas.append(delta)
        inner, self.gates = self.gates, gates
        goes_on = bool(deltas)
        caught = join_all(thrown)
        swallowed = False
        for handler in i.handlers:
            self.begin()
            self.merge([mid], False)
            if handler.dst >= 0:
                refs = tuple(
                    ref
                    for register in handler.types
                    if register >= 0
                    for ref in self.cells.get(register, BOTTOM).refs
                    if isinstance(ref, Cls)
                )
                labels = self.collapse(caught)
                self.write(
                    handler.dst,
                    Value(
                        labels.labels, tuple(one for cls in refs for one in instance_refs(cls)), allocs=caught.allocs, steps=labels.steps
                    ),
                )
            delta, alive = self.finish(handler.body)
            if alive:
                deltas.append(delta)
                swallowed = True
        if swallowed:  # what was refused inside may go on behind
            programs.refused, programs.raised = refused, by_raise
            before = programs.version
        self.gates = inner if goes_on and len(deltas) == 1 else gates  # every handler leaves, or one goes on
        if i.handlers:
            verdicts.leave(self, flags)
        if not i.handlers and thrown and self.raised:
            self.raised[-1] += thrown
        if deltas:
            self.merge(deltas, True)
        else:
            self.merge([mid], False)
        programs.again(before)
        self.block(i.final)
        if not deltas:
            self.dead = True


def _empty(arm: ir.Arm) -> int:
    """The register that is empty where a branch returns: ``if (!path) return path`` gives nobody's data back."""
    leaf = arm.cond.part if type(arm.cond) is ir.Not else None
    return leaf.reg if type(leaf) is ir.Leaf and arm.body and type(arm.body[-1]) is ir.Return else -1


def _asserted(fact: Fact) -> Fact:
    """What ``assert`` shows."""
    cells, proven, weak, refs, _ = fact
    return (cells, proven & ~ALL, weak | (proven & ALL), refs, "python -O leaves an assert out") if proven & ALL else fact


def _only_facts(base: Value | None, value: Value) -> bool:
    """Whether a cell differs by proven facts alone."""
    return (
        base is not None
        and base.refs == value.refs
        and base.allocs == value.allocs
        and {(one.source, one.param, one.path) for one in base.labels} == {(one.source, one.param, one.path) for one in value.labels}
    )


def _shared(sides: list[tuple[Fact, ...]]) -> tuple[Fact, ...]:
    """Facts that every alternative shows."""
    if not sides or not all(sides):
        return ()
    made: list[Fact] = []
    for fact in sides[0]:
        proven, weak = fact[1], fact[2]
        for side in sides[1:]:
            match = [one for one in side if set(one[0]) & set(fact[0])]
            if not match:
                proven = weak = 0
                break
            proven &= match[0][1]
            weak |= match[0][2]
        if proven or weak:
            made.append((fact[0], proven, weak, (), fact[4]))
    return tuple(made)


def _but_for(facts: tuple[Fact, ...], shared: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """Doubts of checks without those that every alternative settles: ``path !== root && !path.startsWith(root + sep)``."""
    made: list[Fact] = []
    for cells, proven, weak, refs, text in facts:
        if weak and not proven:
            for places, settled, _, _, _ in shared:
                weak &= ~settled if set(cells) & set(places) else -1
        if proven or weak or refs:
            made.append((cells, proven, weak, refs, text))
    return tuple(made)


def _set(block: list[Any], register: int) -> bool:
    """Whether a block gives a register another value."""
    return any(getattr(instr, "dst", -1) == register for instr in instructions(block))


def _jumps(block: list[Any], kinds: tuple[type, ...]) -> bool:
    """Whether a ``break``, or a ``continue``, of this loop is in the block."""
    for instr in block:
        kind = type(instr)
        if kind in kinds:
            return True
        inside: list[list[Any]] = []
        if kind is ir.If:
            inside = [*(arm.body for arm in instr.arms), instr.orelse]
        elif kind is ir.Try:
            inside = [instr.body, *(handler.body for handler in instr.handlers), instr.orelse, instr.final]
        if any(_jumps(one, kinds) for one in inside):
            return True
    return False
