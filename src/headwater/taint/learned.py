"""What checks show of data: attached to the variables that they looked at, and what of it can be passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from headwater.apis import conditions, patterns
from headwater.apis.schema import Guard
from headwater.index.entities import Fn, Inst
from headwater.taint import (
    optin,
    schemas,
    texts,
)
from headwater.taint.arguments import Args, Arguments
from headwater.taint.doubt import Doubt
from headwater.taint.labels import (
    ABSENT_HERE,
    ADDRESS,
    ALL,
    BIT,
    CHECKED,
    CONTAINED,
    DENIED,
    IN_NUMBERS,
    INSIDE,
    MODULE,
    NAME_HEAD,
    NEAR,
    OWN_NAMES,
    PARSED_URL,
    PATHS,
    QUOTED,
    RESOLVED,
    WORD,
    Label,
    bits,
    derive,
    uncleared,
)
from headwater.taint.narrow import narrowed
from headwater.taint.state import Cell, cleared
from headwater.taint.value import (
    BOTTOM,
    GATE,
    ElementsOf,
    Fact,
    Node,
    OnlyObjects,
    PathOf,
    Value,
    as_given,
    join_all,
)

if TYPE_CHECKING:
    from headwater.taint.solve import Solver


MARKS = {"resolved": RESOLVED, "parsed-url": PARSED_URL, "module": MODULE, "quoted": QUOTED, "own-names": OWN_NAMES}
_OTHER_FORM = "what is checked may be another path than what is used"


def in_numbers(value: Value) -> bool:
    """Whether a value is the address of a network in numbers: no name is, wherever it leads."""
    return bool(value.proven & IN_NUMBERS) or (bool(value.labels) and all(label.cleared & IN_NUMBERS for label in value.labels))


class Learned(Arguments):
    """The checks of a function."""

    def __init__(self, solver: Solver, fn: Fn, traced: bool = False) -> None:
        super().__init__(solver, fn, traced)
        self.doubts: dict[int, str] = {}
        """By parameter: what a check of it that can be passed is, in words."""
        self.gates: tuple[Any, ...] = ()
        """Switches that are not as by default where the instruction at hand is run: requirements, fields with their defaults, or names of
        settings."""
        self.judged: dict[Any, dict[Any, None]] = {}
        """By place: the variables and fields that hold the outcome of a check of it (``headwater.taint.verdicts``)."""
        self.flags: dict[tuple[Any, bool], dict[Any, int]] = {}
        """What was shown, and of what, on the way on which a place held what is true or what is false."""
        self.learned: dict[int, tuple[Value, Value]] = {}
        """Values that checks have added to, and what they were before."""

    def _guard(self, guards: list[Guard], args: Args, made: Value) -> Value:
        true: list[Fact] = []
        false: list[Fact] = []
        for guard in guards:
            if self.holds(guard.when, args, []) is False:
                continue
            where = conditions.argument(guard.on)
            value = self.argument(where, args)
            if value is None:
                continue
            if where.steps == ("*",):
                container = self.argument(msgspec.structs.replace(where, steps=()), args) or BOTTOM
                elements = [self.cells.get((alloc, key), BOTTOM) for alloc in container.allocs for key in alloc.keys]
                cells = tuple(cell for element in elements for cell in self.cells_holding(element))
            elif where.receiver:
                cells = args.receiver_cells
            elif 0 <= where.position < len(args.cells):
                cells = args.cells[where.position]
            else:
                cells = args.kw_cells.get(where.keyword, ())
            if guard.pattern:
                true_, false_ = self._compared(guard, args, cells)
                true.append(true_)
                false.append(false_)
                continue
            proves = bits(guard.proves)
            if guard.needs == "resolved":
                cells += value.origin
            if proves & ADDRESS and value.subject and not value.proven & NAME_HEAD:  # of the host, so of the address
                cells += value.subject
            numeric = guard.eases and in_numbers(value)
            if guard.eases and not numeric:
                proves |= NEAR
            weak = (guard.weak and not numeric) or (guard.needs in MARKS and not value.proven & MARKS[guard.needs])
            but = guard.but or _passed(args.name, guard)
            folder = self.argument(conditions.argument(guard.separated), args) if guard.separated else None
            begins = bool(guard.separated) and (folder is None or not texts.ends_a_folder(folder))
            if begins and (not weak or as_given(value)):  # whoever has given the path may have resolved it: that is not all that is wrong
                but = f"{args.name}() compares without a separator, so that a neighbour of the folder passes whose name begins alike"
                if weak and any(label.param < len(self.fn.ir.params) for label in value.labels):  # not what a test has taken from around it
                    but += ", and looks at a path that may not be resolved"
                proves |= NEAR if not weak else 0
                weak = True
            given = INSIDE if guard.needs == "resolved" and as_given(value) and not guard.weak and not begins else 0
            fact: Fact = (cells, given, proves, (), but) if weak else (cells, proves, 0, (), "")
            if guard.raises:
                self.refused = True
                self.learn(fact)
                if not weak:
                    made = made.with_(proven=made.proven | proves)
            else:
                (false if guard.where_false else true).append(fact)
        if true or false:
            made = made.with_(pred=(tuple(true), tuple(false)))
        return made

    def _compared(self, guard: Guard, args: Args, cells: tuple[Cell, ...]) -> tuple[Fact, Fact]:
        """A comparison with a regular expression: what it shows where it matches and where it does not."""
        value = self.argument(conditions.argument(guard.pattern), args)
        pattern = patterns.read(value.const) if value is not None and isinstance(value.const, str) else None
        shown = bits(list(pattern.proves(guard.way))) if pattern is not None else 0
        refused = bits(list(pattern.not_found())) if pattern is not None and guard.way == "search" else 0
        name = args.name or guard.way
        # What is not found: only a class of characters is a list of what is refused; other patterns look for something to take out.
        weak, denied = ALL & ~shown, DENIED & ~refused if pattern is not None and guard.way == "search" and pattern.refused else 0
        true: Fact = (cells, shown, weak, (), f"{name}() can be passed: " + _loose(pattern, guard.way) if weak else "")
        return true, (cells, refused, denied, (), f"{name}() for what is refused can be passed" if denied else "")

    def block(self, block: list[Any]) -> None:
        """Run instructions."""
        raise NotImplementedError

    def cells_holding(self, value: Value) -> list[Cell]:
        """The variables that a value was read from (and those of the data that it is the text of)."""
        raise NotImplementedError

    def unchecked(self, value: Value) -> Value:
        """The value as it was before checks added to it."""
        known = self.learned.get(id(value))
        return known[1] if known is not None else value

    def learn(self, fact: Fact) -> None:
        """Attach what a check has shown to the cells that it looked at."""
        cells, all_proven, all_weak, all_refs, text = fact
        if cells is GATE:
            self.gates += tuple(one for one in all_refs if one not in self.gates)
            return
        for cell in cells:
            proven, weak, refs = all_proven, all_weak, all_refs if not all_proven & ABSENT_HERE else ()
            if type(cell) is ElementsOf:
                self._each_safe(cell.cell, proven)
                continue
            if type(cell) is schemas.Conforms:
                schemas.conforming(self, cell)
                continue
            if type(cell) is PathOf:  # a check of the place says nothing else of the data
                proven, weak, refs = proven & (PATHS | CONTAINED), weak & (PATHS | NEAR), ()
                if cell.maybe and not weak & NEAR:  # what else is shown of one form is nothing of the other
                    weak = 0
                if cell.maybe and proven:
                    held = self.cells.get(cell.cell)
                    if held is None or cell.part or not held.proven & RESOLVED:  # a form of a whole path is that path
                        weak, text = weak | (proven & PATHS), text or _OTHER_FORM
                        proven = INSIDE if proven & PATHS and not cell.part else 0
                if cell.part:
                    proven = CONTAINED if proven & (PATHS | CONTAINED) else 0
                cell = cell.cell
            value = self.cells.get(cell)
            if value is None:
                continue
            if cell == optin.CELL:
                self.write(cell, Value(const=True))
                continue
            before = value
            if refs:
                if type(refs) is OnlyObjects:
                    refs = refs.refs
                    if type(cell) is int:
                        value = narrowed(self, value, tuple(ref.cls for ref in refs if type(ref) is Inst))
                value = value.with_(refs=tuple(ref for ref in join_all([value, Value(refs=refs)]).refs))
            if proven:
                value = value.with_(proven=value.proven | proven)
            if weak and value.labels:
                value = self.hindered(value, weak, text)
            elif weak & PATHS and value is not BOTTOM:
                value = value.with_(proven=value.proven | CHECKED)
            if value is not before:
                self.learned[id(value)] = value, self.learned[id(before)][1] if id(before) in self.learned else before
                self.write(cell, value)

    def hindered(self, value: Value, weak: int, text: str) -> Value:
        """The value behind something that can be passed; ``text`` says how."""
        labels = {label: made for label in value.labels if (made := derive(label, weak=weak, exact=True)) is not None}
        steps: dict[Label, Node] | None = (
            {labels[label]: node for label, node in value.steps.items() if label in labels} if value.steps else None
        )
        if text:
            steps = self._doubted(labels, steps, Doubt(text, weak))
        return value.with_(labels=frozenset(labels.values()), steps=steps)

    def unquoted(self, before: str, value: Value) -> Value:
        """A text that was quoted as one word, put behind the text ``before``: between quotes it is no word."""
        word = value.proven & QUOTED or any(label.cleared & WORD for label in value.labels)
        if not word or not (before.count("'") % 2 or before.count('"') % 2):
            return value
        undone = {
            label: uncleared(label, BIT["shell"] | WORD) if value.proven & QUOTED or label.cleared & WORD else label
            for label in value.labels
        }
        steps = {undone[label]: node for label, node in value.steps.items()} if value.steps else None
        bare = value.with_(labels=frozenset(undone.values()), steps=steps, proven=value.proven & ~QUOTED)
        return self.hindered(bare, BIT["shell"], "what quote() makes stands inside quotes, which end it")

    def _each_safe(self, cell: Cell, proven: int) -> None:
        """All elements of what a cell holds were checked."""
        value = self.cells.get(cell)
        if value is None or not proven:
            return
        for alloc in value.allocs:
            for key in alloc.keys:
                held = self.cells.get((alloc, key))
                if held is not None and held.labels:
                    safe = cleared(held, proven)
                    for place in self.cells_holding(held) if alloc.root is None and alloc.closed else ():  # for (const one of [a, b])
                        if self.cells.get(place) is held:
                            self.write(place, safe)
                    self.write((alloc, key), safe)
        if value.labels:
            safe = cleared(value, proven)
            self.learned[id(safe)] = safe, self.unchecked(value)
            self.write(cell, safe)

    def _doubted(self, labels: dict[Label, Label], steps: dict[Label, Node] | None, doubt: Doubt) -> dict[Label, Node] | None:
        """A check that can be passed is a step of the trace; of a parameter, callers are told its words."""
        for label in labels:
            if label.source is None:
                self.doubts.setdefault(label.param, doubt.text)
        if steps is None:
            return None
        changed = {after for before, after in labels.items() if before is not after}
        return {label: Node(self.at.start, self.at.end, doubt, node) if label in changed else node for label, node in steps.items()}


def _loose(pattern: patterns.Pattern | None, way: str) -> str:
    """Why a comparison with a pattern shows little, in words."""
    if pattern is None:
        return "what its pattern allows is not known"
    if way == "fullmatch" or (pattern.proves("fullmatch") and pattern.proves(way)):
        return "its pattern allows more than is safe here"
    return "its pattern does not hold for the whole text"


def _passed(name: str, guard: Guard) -> str:
    """Why a check is weak, in words."""
    return f"{name}() looks at a path that is not resolved" if guard.needs == "resolved" else f"{name or 'the check'}() can be passed"
