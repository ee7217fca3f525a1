"""What the parameters of a function of the project are bound to by a call, and what its effects mean for these arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headwater import limits
from headwater.apis.paths import ApiPath
from headwater.index.entities import EXTERNAL, Fn, Inst
from headwater.taint import chains, hosts
from headwater.taint.arguments import Args
from headwater.taint.labels import (
    ADDRESS,
    ALL,
    BIT,
    DECODED,
    DEEP,
    HANDED,
    PATHS,
    RECALLED,
    SERVICE,
    decoded,
    ordered,
)
from headwater.taint.models import Models
from headwater.taint.narrow import as_object
from headwater.taint.reached import CONFIDENCE_DROP
from headwater.taint.shapes import Actuals, guessed_again
from headwater.taint.state import Cell, guessed, lacks
from headwater.taint.summary import ABSENT, Begins, Path, Requirement, Summary, ToSink
from headwater.taint.value import BOTTOM, NO_CONST, Value, captured_key, join

if TYPE_CHECKING:
    from headwater.taint.solve import Solver


_NAMES = PATHS | ADDRESS


class Binding(Models):
    """Arguments of functions of the project."""

    def __init__(self, solver: Solver, fn: Fn, traced: bool = False) -> None:
        super().__init__(solver, fn, traced)
        self.closures: dict[int, tuple[int, ...]] = {}
        """Registers that local functions capture, by function id."""
        self.depth = 0
        self.chains: dict[int, Any] = {}
        """Registers that hold a member of what has no object of its own, by what it was read from."""
        self.chained: list[Any] = []
        """The cells of members that were read of what has no object of its own (``headwater.taint.chains``)."""
        self.over_each = False
        """Something was shown of all elements of one of them."""

    def cells_of(self, register: int) -> tuple[Cell, ...]:
        """A register, and what else holds the same."""
        raise NotImplementedError

    def _mapping(self, value: Value) -> bool:
        """Whether all that is known of a value is that it is a dict with known keys."""
        return all(self.solver.is_mapping(ref.cls) if isinstance(ref, Inst) else _dict_type(ref) for ref in value.refs)

    def known_elements(self, value: Value) -> list[Value] | None:
        """The elements of a tuple or list of known length."""
        if len(value.allocs) != 1 or not value.allocs[0].closed or value.labels:
            return None
        alloc = value.allocs[0]
        if alloc.kind not in ("tuple", "list") or any(not isinstance(key, int) for key in alloc.keys):
            return None
        return [self.cells.get((alloc, key), BOTTOM) for key in alloc.keys]

    def _spread_names(self, spread: Value) -> dict[str, Value]:
        """What is known of the keyword arguments in ``**spread``."""
        named: dict[str, Value] = {}
        for alloc in spread.allocs:
            for key in alloc.keys:
                value = self.cells.get((alloc, key))
                if value is not None and isinstance(key, str) and key.isidentifier():
                    named[key] = join(named.get(key, BOTTOM), value)
        return named

    def _by_all(self, functions: tuple[Any, ...], index: int, proven: int) -> int:
        """What all functions show of an argument that may be what is called; those that do nothing, or never return, are not asked."""
        for one in functions:
            summary = self.solver.summary(self.fn, one) if isinstance(one, Fn) and not is_stub(one) else None
            if summary is not None and not summary.never:
                others = [shown for at, shown, _, _ in summary.proofs if at == index]
                proven &= others[0] if others else 0
        return proven

    def _result(self, fn: Fn, summary: Summary, actuals: Actuals, drop: int) -> Value:
        """What a function returns for these arguments."""
        result = self.instantiate(summary.returns, ("returned", fn.id), f"returned by {fn.name}()", actuals, (fn, "return", None))
        if drop and result.labels:
            result = self.lower(result)
        if fn.ir.returns is None or (result.refs and not all(ref is EXTERNAL for ref in result.refs)):
            return result
        type_ = self._returned(fn)
        return self.typed(result.with_(refs=()) if result.refs and type_.refs else result, type_)

    def _returned(self, fn: Fn) -> Any:
        return self.symbols.type_value(fn.module, fn.ir.returns, fn.cls)

    def bind(self, fn: Fn, receiver: Value | None, args: Args, callee: Value | None) -> Actuals:
        """Values and cells by parameter (captured variables after them)."""
        params = fn.ir.params
        given, cells = args.positional, args.cells
        if fn.bound and receiver is not None:
            by_name = callee is not None and callee.loose
            if receiver.labels and (by_name or (fn.cls is not None and self.solver.does_things(fn.cls))):
                receiver = as_object(receiver)  # text from elsewhere has no methods of the project
            refs = self.solver.receivers(receiver.refs, (fn.cls,)) if fn.cls is not None else receiver.refs
            if refs is not receiver.refs:
                receiver = receiver.with_(refs=refs)
            if receiver.labels and fn.cls is not None and not any(type(ref) is Inst and fn.cls in ref.cls.mro for ref in refs):
                receiver = guessed_again(receiver)  # whatever made an object of a guess, that it is of this subclass is another
            given, cells = [receiver, *given], [args.receiver_cells, *cells]
        actuals: list[Value] = []
        places: list[tuple[Cell, ...]] = []
        used: set[str] = set()
        position = 0
        for param in params:
            kind = param.kind
            if kind == "star":
                rest = given[position:]
                position = len(given)
                alloc = self.alloc((self.at.start, "star", fn.id, self.depth), "tuple", closed=args.star is None)
                for number, value in enumerate(rest[: limits.FIELDS]):
                    self.put(alloc, number, value)
                if args.star is not None:
                    self.put(alloc, "*", args.star, weak=True)
                actuals.append(Value(allocs=(alloc,)))
                places.append(())
                continue
            if kind == "stars":
                alloc = self.alloc((self.at.start, "stars", fn.id, self.depth), "dict", closed=args.spread is None)
                for name, value in args.kw.items():
                    if name not in used:
                        self.put(alloc, name, value)
                spread, unnamed = args.spread, BOTTOM
                if spread is not None:
                    # What is passed under a known name is no other argument: only what has no known name may be any.
                    named = bool(spread.allocs) and all(one.closed and one.root is None for one in spread.allocs)
                    unnamed = spread if named else self.collapse(spread)
                    alloc.closed = named and not spread.labels
                    for one in spread.allocs:
                        for key in list(one.keys):
                            found = self.cells.get((one, key))
                            if found is not None and not (isinstance(key, str) and key.startswith("$")):
                                self.put(alloc, key if key != one.keyed else "*", found, weak=True)
                actuals.append(Value(unnamed.labels, allocs=(alloc,), steps=unnamed.steps))
                places.append(())
                continue
            made: Value | None = None
            place: tuple[Cell, ...] = ()
            if kind != "keyword" and position < len(given):
                made = given[position]
                place = cells[position] if position < len(cells) else ()
                position += 1
            elif param.name in args.kw:
                made = args.kw[param.name]
                place = args.kw_cells.get(param.name, ())
                used.add(param.name)
            else:
                if args.star is not None and kind != "keyword":
                    made = self.placed(args, len(actuals) - len(given))
                if args.spread is not None:
                    taken = self.item(args.spread, param.name, None)
                    taken = guessed(taken) if lacks(args.spread, param.name) is None else taken
                    made = taken if made is None else join(made, taken)
            actuals.append(made if made is not None else BOTTOM)
            places.append(place)
        if fn.ir.captured:
            actuals += self._captured(fn, callee)
            places += [self.cells_of(register) for register in self.closures.get(fn.id, ())]
        return Actuals(actuals, places)

    def _captured(self, fn: Fn, callee: Value | None) -> list[Value]:
        registers = self.closures.get(fn.id)
        if registers is not None:
            return [self.cells.get(register, BOTTOM) for register in registers]
        found = []
        for number in range(len(fn.ir.captured)):
            value = BOTTOM
            for alloc in callee.allocs if callee is not None else ():
                if alloc.kind == "closure":
                    value = join(value, self.cells.get((alloc, captured_key(fn, number)), BOTTOM))
                elif alloc.root is not None:
                    value = join(value, self.field(alloc, captured_key(fn, number)) or BOTTOM)
            found.append(value)
        return found

    def as_checked(self, cells: tuple[Cell, ...], path: Path, value: Value) -> Value:
        return chains.told(self, cells, path, value)

    def _sink_effect(self, fn: Fn, effect: ToSink, actuals: Actuals, drop: int) -> None:
        actual = self.project(actuals, effect.param, effect.path)
        if actual is None:
            return
        bit = BIT[effect.sink.class_]
        value = self.text_of(actual, bit)
        if effect.weak & SERVICE:
            value = self.of_service(value)
        if not value.labels or value.proven & ALL == ALL:  # one of a fixed set of values: so is what the function makes of it
            return
        shown = hosts.shown(effect.weak, value.proven) | value.proven
        if effect.exact and (shown & (bit | effect.sink.safe_if) or (bit & _NAMES and _opened(actual))):
            return
        requires: list[Requirement] = []
        doubt = 0
        gated = effect.gated
        for requirement in effect.requires:
            asked_before = len(requires)
            verdict = self._required(fn, requirement, actuals, requires)
            if verdict is False:
                return
            if verdict is None and len(requires) > asked_before:
                requires[-1].default = self._field_default(fn, requirement)
            elif verdict is None and requirement.path:
                gated = gated or self.off(fn, requirement)
            if verdict is None and (requirement.value is ABSENT or (len(requires) == asked_before and _is_text(requirement))):
                doubt = 1
        asked = any(one.value is ABSENT for one in requires)  # the caller decides
        hop = (self.at.start, self.at.end, fn, effect.key)
        unsure = drop or effect.drop > CONFIDENCE_DROP[effect.sink.confidence]
        for label in ordered(value.labels):
            cleared = decoded(label.cleared) if effect.weak & DECODED else label.cleared
            if cleared & bit or (unsure and label.weak & RECALLED):
                continue
            less = effect.drop + drop + (doubt if label.source is not None or not asked else 0)
            weak = effect.weak & ~(HANDED if label.source is None else HANDED | DECODED)
            self._reach(label, value, effect.sink, less, weak, effect.exact, tuple(requires), hop, effect.length + 1, gated)

    def _field_default(self, fn: Fn, requirement: Requirement) -> Any:
        """The default of the field that a requirement speaks of, where it is one of the object whose method asks."""
        if requirement.default is None and requirement.param == 0 and len(requirement.path) == 1 and fn.bound and fn.cls is not None:
            return self.solver.switch(fn.cls, str(requirement.path[0]))
        return requirement.default

    def _required(self, fn: Fn, requirement: Requirement, actuals: Actuals, out: list[Requirement]) -> bool | None:
        """Whether a condition on a constant argument holds here (None: it may); what this function's own caller decides goes to ``out``."""
        value = self.project(actuals, requirement.param, requirement.path)
        const: Any = NO_CONST
        if requirement.path:
            holder = self.project(actuals, requirement.param, requirement.path[:-1])
            last = self.given_key(requirement.path[-1], actuals)
            missing = lacks(holder, last) if holder is not None and str(last)[:1] != "*" else None
            if missing is True:
                return (requirement.value is ABSENT) != requirement.negated
            if missing is False and requirement.value is ABSENT:
                return requirement.negated
        if value is BOTTOM or value is None:
            if not requirement.path:
                const = self.solver.default(fn, requirement.param)
        else:
            const = value.const
        if isinstance(requirement.value, Begins):
            verdict = requirement.value.holds(value if value is not None and value is not BOTTOM else Value(const=const))
            if verdict is not None:
                return verdict
            const = NO_CONST
        if const is not NO_CONST:
            equal = type(const) is type(requirement.value) and const == requirement.value
            return equal != requirement.negated
        if value is not None and len(value.labels) == 1:
            (label,) = value.labels
            if label.source is None and label.exact and DEEP not in label.path and len(out) < 4:
                out.append(Requirement(label.param, label.path, requirement.value, requirement.negated))
                return None
        return False if isinstance(requirement.value, Begins) else None


def _opened(value: Value) -> bool:
    """Whether a value is a file that is open already, and no text beside it: what is in it is no path and no address."""
    origins = {label.param if label.source is None else label.source.text for label in value.labels if label.source or not label.path}
    return (
        len(origins) < 2
        and any("FileLike" in getattr(ref, "types", ()) for ref in value.refs)
        and all(isinstance(ref, ApiPath) for ref in value.refs)
    )


def _is_text(requirement: Requirement) -> bool:
    """Whether a condition is that an argument is one text of many: where nothing is known of it, that is a guess."""
    return isinstance(requirement.value, str) and not requirement.negated


def _dict_type(ref: Any) -> bool:
    """Whether a reference is a dict, as an annotation says, or one of a library's types of dicts."""
    return isinstance(ref, ApiPath) and (ref.text == "builtins.dict()" or "Mapping" in ref.types)


def is_stub(fn: Fn) -> bool:
    """Whether a function has no body to speak of: a protocol's or an abstract method."""
    return "abstract" in fn.ir.flags or (
        all(type(instr).__name__ in ("Const", "Raise") for instr in fn.ir.body[:4]) and len(fn.ir.body) < 4
    )
