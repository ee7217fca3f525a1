"""The abstract interpreter of one function: its parameters, its exits, and its summary.

Plain instructions are in ``headwater.taint.instructions``, branches and conditions in ``headwater.taint.branches``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headwater import ir, limits
from headwater.apis.paths import ApiPath
from headwater.index.entities import EXTERNAL, Fn
from headwater.index.symbols import instance_refs
from headwater.taint import addresses, captured, chains, fills, forms, optin
from headwater.taint.branches import Branches
from headwater.taint.described import ANY
from headwater.taint.labels import (
    ALL,
    BIT,
    CONTAINED,
    DEEP,
    GUESSED,
    HELD,
    INSIDE,
    NEAR,
    PATHS,
    ROOTED,
    TREE_CHECKS,
    Label,
)
from headwater.taint.programs import Looked
from headwater.taint.state import cleared
from headwater.taint.summary import SLOT, PartProof, Path, Proof, Summary, ToParam, Verdict
from headwater.taint.value import (
    ANSWER,
    BOTTOM,
    NO_CONST,
    NO_LABELS,
    NOTHING,
    Alloc,
    Fact,
    Node,
    PathOf,
    Shape,
    Value,
    join,
    join_all,
    join_shapes,
)

if TYPE_CHECKING:
    from headwater.taint.solve import Solver


Held = dict[int, tuple[int, int]]
"""By parameter: classes proven, and classes weakly checked."""
_LATER = frozenset({"async", "generator", "abstract", "overload"})
"""Functions whose body a call does not run, or not as a whole."""


class Interpreter(Branches):
    """Runs one function."""

    def __init__(self, solver: Solver, fn: Fn, traced: bool = False) -> None:
        super().__init__(solver, fn, traced)
        self.returned: Value | None = None
        self.returned_paths: dict[int, forms.How] | None = None
        """Of each parameter that every path returned was made of, how: as ``PathOf`` says. None before the first one."""
        self.exit_proofs: list[Held] = []
        self.answers: list[tuple[dict[str, tuple[Held | None, Held | None]], Held, bool]] = []
        self.true_proofs: list[Held] = []
        self.false_proofs: list[Held] = []
        self.part_proofs: tuple[list[dict[tuple[int, Path], tuple[int, int]]], ...] = ([], [], [])
        """What is shown of members of the parameters: at every exit, at those that give what may be true, what may be false."""
        self.yields: Alloc | None = None
        self.return_shape = NOTHING
        said = fn.ir.returns
        type_ = self.symbols.type_value(self.mod, said, fn.cls) if said is not None and said.name != "None" else None
        self.plain = type_ is not None and (type_.scalar or type_.literal)
        """It is said to return numbers, truth values or words of a fixed set: no data of others. (None is often said where it is wrong.)"""
        self.return_steps: dict[Label, Node] = {}
        self.return_places: dict[Label, tuple[int, int]] = {}
        """Where it is returned (traced runs only)."""
        self.set_steps: dict[Any, dict[Label, Node]] = {}
        self.gives: tuple[str, ...] = ()
        """The sink classes of what the function returns."""

    def run(self) -> Summary:
        """Interpret the function; its summary."""
        function = self.fn.ir
        self.gives = self.solver.gives(self.fn)
        self._parameters()
        self.cells[optin.CELL] = Value(const=optin.demanded(self.solver, self.fn))
        self.block(function.defaults)
        if not self.dead:
            for index, param in enumerate(function.params):
                if param.default >= 0:
                    default = self.cells.get(param.default, BOTTOM)
                    if default.refs or default.labels:
                        default = cleared(default, default.proven & ALL)  # of a dependency that checks what it gives
                        self.cells[index] = join(self.cells[index], default.with_(const=NO_CONST))
        self.block(function.body)
        if not self.dead:
            self._exit(Value(const=None) if self.returned is not None else BOTTOM, implicit=True)
        if self.yields is not None:
            self._return_value(Value(allocs=(self.yields,)))
        self._class_fields()
        if self.fn.index == 0:
            self._globals()
        for inner, registers in self.closures.items():  # a variable may be set after the function is made
            captured.tell(self, self.symbols.functions[inner], registers)
        return Summary(
            self.return_shape,
            self._sinks(),
            self._mutations(),
            tuple(callback for _, callback in sorted(self.callbacks.items(), key=lambda item: item[0])),
            self._raised(),
            _with_raised(
                _common(self.exit_proofs, self.doubts, self.refused and self.returned is not None and self.returned.const is None),
                self.programs.raised,
            ),
            _common(self.true_proofs, self.doubts),
            _common(self.false_proofs, self.doubts),
            self._ends_here(),
            tuple((param, *how) for param, how in sorted((self.returned_paths or {}).items())),
            tuple(entry for _, entry in sorted(self.entered.items(), key=lambda item: item[0])),
            self._parts(),
            self._verdicts() if self.mod.script else (),
        )

    def _parts(self) -> tuple[tuple[PartProof, ...], tuple[PartProof, ...], tuple[PartProof, ...]]:
        always, true, false = map(chains.shared, self.part_proofs)
        return always, true if true != always else (), false if false != always else ()

    def release(self) -> None:
        """The run is over: what only it needs goes. It holds itself in circles, and nothing collects those during a review."""
        del self.programs.frame
        if not self.operands:  # else somebody asks for what they hold (``headwater.taint.trace``)
            for held in (self.cells, self.allocs, self.given, self.collapsed):
                held.clear()

    def _ends_here(self) -> bool:
        """Whether no call of the function returns: every path raises or ends the program."""
        body = self.fn.ir.body
        return (
            self.dead
            and not self.exit_proofs
            and self.yields is None
            and _LATER.isdisjoint(self.fn.ir.flags)
            and not any(type(one) is ir.Name and one.name == "NotImplementedError" for one in body)  # subclasses do it
        )

    def _parameters(self) -> None:
        fn, function = self.fn, self.fn.ir
        symbols = self.symbols
        handed = self.solver.handed_types.get(fn.id, {})
        parts = self.solver.handed_parts.get(fn.id, {})
        for index, param in enumerate(function.params):
            value = self.param_value(index, ())
            if param.kind in ("star", "stars"):
                for alloc in value.allocs:
                    alloc.kind = "param"
            elif index == 0 and fn.bound and fn.cls is not None:
                refs: tuple[Any, ...] = (fn.cls,) if "classmethod" in function.flags else instance_refs(fn.cls)
                value = value.with_(refs=refs)
            elif param.annotation is not None:
                value = self.typed(value, symbols.type_value(self.mod, param.annotation, fn.cls))
            if not value.refs and index in handed:
                value = value.with_(refs=(handed[index],))
            if index in parts:
                value = value.with_(const=parts[index] if parts[index] != ANY else NO_CONST)
            if not value.refs and self.names.get(param.name) is not None:
                value = value.with_(refs=(self.names[param.name],))
            self.cells[index] = self.cells[("in", index)] = value
        first = len(function.params)
        for number, name in enumerate(function.captured):
            value = self.param_value(first + number, ())
            held = self._outer_parameter(name)
            if held is None:
                said = self._outer_annotation(name)
                value = self.typed(value, said) if said is not None and said.refs else captured.typed(self, first + number, name, value)
            else:
                owner, position, param = held
                if position == 0 and owner.bound and owner.cls is not None:
                    value = value.with_(refs=(owner.cls,) if "classmethod" in owner.ir.flags else instance_refs(owner.cls))
                elif param.annotation is not None:
                    value = self.typed(value, symbols.type_value(self.mod, param.annotation, owner.cls))
                given = self.solver.handed_types.get(owner.id, {}).get(position) if not value.refs else None
                if given is not None:
                    value = value.with_(refs=(given,))
            named = self.names if self.mod.script else self.known_models
            if not value.refs and name in named:
                value = value.with_(refs=(named[name],))
            self.cells[first + number] = self.cells[("in", first + number)] = value
        for name, annotation in function.annotations.items():
            register = function.names.get(name)
            if register is not None and register not in self.cells:
                type_ = symbols.type_value(self.mod, annotation, fn.cls)
                if type_.refs:
                    self.declared[register] = type_.refs
                    self.told.add(register)

    def _outer_annotation(self, name: str) -> Any:
        """The type that a function around this one declares of its variable of that name."""
        fn = self.fn
        while fn.ir.parent > 0:
            fn = self.mod.functions[fn.ir.parent]
            if name in fn.ir.annotations:
                return self.symbols.type_value(self.mod, fn.ir.annotations[name], fn.cls)
            if name not in fn.ir.captured:
                return None
        return None

    def _outer_parameter(self, name: str) -> tuple[Fn, int, ir.Param] | None:
        """The parameter of a function around this one that a captured name is: what it is called with tells of what class it is."""
        fn = self.fn
        while fn.ir.parent > 0:
            fn = self.mod.functions[fn.ir.parent]
            for position, param in enumerate(fn.ir.params):
                if param.name == name:
                    return (fn, position, param) if param.kind not in ("star", "stars") else None
            if name not in fn.ir.captured:
                return None
        return None

    def _sinks(self) -> tuple[Any, ...]:
        effects = [effect for _, effect in sorted(self.sinks.items(), key=lambda item: item[0])]
        if len(effects) > limits.EFFECTS:
            self.solver.count("effects-cut")
            # What is run, read or fetched counts before what is only said to a model, what lies near before what lies deep in an argument.
            effects.sort(key=lambda one: (bool(BIT[one.sink.class_] & GUESSED), one.drop, one.weak, DEEP in one.path, one.key))
            effects = effects[: limits.EFFECTS]
            effects.sort(key=lambda one: one.key)
        return tuple(effects)

    def _mutations(self) -> tuple[ToParam, ...]:
        made: list[ToParam] = []
        found: list[tuple[Any, Value, ToParam]] = []
        for mutation in self.mutations.values():
            alloc = self.allocs.get(("param", (mutation.param, mutation.path)))
            if alloc is None or mutation.field is None:
                continue
            value = self.cells.get((alloc, mutation.field)) or self.cells.get((alloc, "*"))
            if value is not None:
                found.append(((len(mutation.path), not _given(value), mutation.key), value, mutation))
        found.sort(key=lambda one: one[0])
        for _, value, mutation in found:
            shape = self.export(value, 0, limits.SET_NODES)
            steps = (self.collapse(value) if mutation.field == ANSWER else value).steps if self.traced else None
            if steps:
                self.set_steps[mutation.key] = dict(steps)
            if not shape.empty:
                made.append(ToParam(mutation.param, mutation.path, mutation.field, shape, mutation.classes))
            if len(made) >= limits.MUTATIONS:
                self.solver.count("effects-cut")
                break
        for slot in sorted(self.kept)[: limits.MUTATIONS]:
            one = ToParam(SLOT, (), slot, self.export(self.kept[slot], 0, limits.SLOT_NODES))
            made.append(one)
            if self.traced:
                self.set_steps[one.key] = self.stored.get(slot, {})
        made.sort(key=lambda one: one.key)
        first = len(self.fn.ir.params)
        for index in self.fn.ir.nonlocals:
            value = self.cells.get(first + index, BOTTOM)
            shape = self.export(value)
            if not shape.empty:
                made.append(ToParam(first + index, (), None, shape))
        return tuple(made)

    def _raised(self) -> Shape:
        return self.export(join_all(self.escaping)) if self.escaping else NOTHING

    @property
    def escaping(self) -> list[Value]:
        return self.raised[0] if self.raised else []

    def _class_fields(self) -> None:
        """Defaults of the fields of the classes whose bodies are in this function."""
        for cls in self.solver.classes_in.get(self.fn.id, ()):
            for name, field in cls.ir.fields.items():
                if field.value >= 0:
                    value = self.cells.get(field.value)
                    if value is not None and value is not BOTTOM:
                        self.solver.store_field(self.fn, cls, name, lambda value=value: self.export(value))  # type: ignore[misc]

    def _globals(self) -> None:
        for name, register in self.fn.ir.names.items():
            value = self.cells.get(register)
            annotation = self.fn.ir.annotations.get(name)
            if value is not None and annotation is not None and all(map(_foreign, value.refs)):
                self.at = ir.Move(0, 0, 0, 0)  # what a library made stands for what is declared (a proxy)
                value = self.typed(value, self.symbols.type_value(self.mod, annotation))
            if value is not None and value is not BOTTOM:
                self.solver.store_global(self.fn, self.mod, name, self.export(value))
                self.remember(name, value)

    # ------------------------------------------------------------------------------------------- leaving

    def _return_value(self, value: Value) -> None:
        if self.plain and (value.labels or value.allocs):
            value = value.with_(labels=NO_LABELS, allocs=(), steps=None)
        if value.proven & ROOTED and value.labels:  # it stays with its data, whatever else is returned
            value = cleared(value, ROOTED)
        self.return_shape = join_shapes(self.return_shape, self.export(value))
        if self.traced:
            whole = join(self.collapse(value), self.collapse(addresses.answer_of(self, value) or BOTTOM))
            for label, node in (whole.steps or {}).items():
                self.return_steps.setdefault(label, node)
                if self.at is not None:
                    self.return_places.setdefault(label, (self.at.start, self.at.end))

    def _exit(self, value: Value, implicit: bool = False, looked: Looked | None = None) -> None:
        """A normal return: what it gives, and what is proven of the parameters there."""
        self.returned = value if self.returned is None else join(self.returned, value)
        if not implicit or value.const is None:
            self._return_value(value)
        held: Held = {}
        for index in range(len(self.fn.ir.params) + len(self.fn.ir.captured)):
            found = self.cells.get(("in", index))
            if found is not None:
                weak = -1
                for label in found.labels:
                    if label.param == index and label.exact and not label.path:
                        weak &= label.weak
                        held[index] = (found.proven & HELD, weak)
        self.exit_proofs.append(held)
        self._said(value, held)
        truth = value.const
        told = fills.pred(self, value) if truth is NO_CONST else None
        parts = chains.shown(self)
        for place, at_exit in enumerate(self.part_proofs):
            if not place or truth is NO_CONST or bool(truth) is (place == 1):
                at_exit.append(chains.shown(self, told[place - 1]) if place and told is not None else parts)
        if truth is NO_CONST and (pred := fills.pred(self, value)) is not None:
            for facts, out in ((pred[0], self.true_proofs), (pred[1], self.false_proofs)):
                out.append(self._with_facts(_with_looked(held, looked), facts))
        elif truth is NO_CONST:
            self.true_proofs.append(_with_looked(held, looked))
            self.false_proofs.append(_with_looked(held, looked))
        elif truth:
            self.true_proofs.append(held)
        else:
            self.false_proofs.append(held)

    def _with_facts(self, held: Held, facts: tuple[Fact, ...]) -> Held:
        """What holds of the parameters where a test shows something besides."""
        more = dict(held)
        for cells, proven, weak, _, text in facts:
            for cell in cells:
                whole = cell.cell if type(cell) is PathOf else cell
                if type(whole) is tuple and whole[0] == "in" and whole[1] in more:
                    shown, doubted = proven & HELD, weak
                    if type(cell) is PathOf:
                        shown, doubted = shown & (PATHS | CONTAINED), doubted & (PATHS | NEAR)
                        if cell.maybe:
                            doubted = doubted if doubted & NEAR else 0
                            shown, doubted = INSIDE if shown & PATHS and not cell.part else 0, doubted | (shown & PATHS)
                        shown = shown if not cell.part else CONTAINED if shown & (PATHS | CONTAINED) else 0
                    old = more[whole[1]]
                    more[whole[1]] = (old[0] | shown, old[1] | doubted)
                    if doubted and text:
                        self.doubts.setdefault(whole[1], text)
        return more

    def _said(self, value: Value, held: Held) -> None:
        """An object that is returned says in a field how a check went: ``{ ok: false }``."""
        said: dict[str, tuple[Held | None, Held | None]] = {}
        (alloc,) = value.allocs if len(value.allocs) == 1 else (None,)
        for key in sorted(key for key in alloc.keys if isinstance(key, str)) if alloc is not None else ():
            field = self.cells.get((alloc, key), BOTTOM)
            if field.const is True or field.const is False:
                said[key] = (held, None) if field.const else (None, held)
            elif field.const is NO_CONST and field.pred is not None:
                true, false = field.pred
                said[key] = (self._with_facts(held, true), self._with_facts(held, false))
        whole = value.const is not NO_CONST or (alloc is not None and alloc.closed and "*" not in alloc.keys)
        self.answers.append((said, held, whole and not (alloc is None and value.const)))

    def _verdicts(self) -> tuple[Verdict, ...]:
        """Of the fields that say how a check went, what each outcome shows of the parameters."""
        made: list[Verdict] = []
        for name in sorted({name for said, _, _ in self.answers for name in said}):
            sides: tuple[list[Held], list[Held]] = ([], [])
            for said, held, whole in self.answers:
                outcome = said.get(name, (None if whole else held, held))
                for side, one in zip(sides, outcome, strict=True):
                    side += [one] if one is not None else []
            true, false = (_common(side, self.doubts) for side in sides)
            if all(sides) and true != false:
                made.append((name, true, false))
        return tuple(made)

    def i_return(self, i: ir.Return) -> None:
        value = self.cells.get(i.src, BOTTOM) if i.src >= 0 else Value(const=None)
        for class_ in self.gives:
            self.passed_on(class_, value, "what it returns")
        if value.labels:
            made = forms.parameters(self, i.src)
            old = self.returned_paths
            self.returned_paths = made if old is None else {one: forms.either(old[one], how) for one, how in made.items() if one in old}
        if self.yields is None or i.src >= 0:
            self._exit(value, looked=self.programs.marks.get(i.src))
        self.dead = True
        self.jump = "return"

    def i_yield(self, i: ir.Yield) -> None:
        if self.yields is None:
            self.yields = self.alloc("yields", "generator", closed=True)
            self.yields.constant = False
        value = self.cells.get(i.src, BOTTOM) if i.src >= 0 else BOTTOM
        self.put(self.yields, "*", self.elements(value) if i.each else value, weak=True)
        self.write(i.dst, BOTTOM)

    def i_raise(self, i: ir.Raise) -> None:
        self.refused = True
        if i.src >= 0:
            value = self.cells.get(i.src, BOTTOM)
            if value.labels or value.allocs:
                if not self.raised:
                    self.raised.append([])
                self.raised[-1].append(value)
        self.dead = True
        self.jump = "raise"


def _with_looked(held: dict[int, tuple[int, int]], looked: Looked | None) -> dict[int, tuple[int, int]]:
    """What holds where a function returns the outcome of a test: its arguments were looked at."""
    made = dict(held)
    for label in looked[0] if looked is not None else ():
        if label.source is None and label.param in made:
            proven, weak = made[label.param]
            made[label.param] = (proven, weak | (looked[1] & TREE_CHECKS if looked is not None else 0))
    return made


def _with_raised(proofs: tuple[Proof, ...], raised: dict[int, int]) -> tuple[Proof, ...]:
    """What the function refuses by raising, though a setting may make it return before."""
    if not raised:
        return proofs
    made = {index: (proven, weak, text) for index, proven, weak, text in proofs}
    for index, aspects in raised.items():
        proven, weak, text = made.get(index, (0, 0, ""))
        made[index] = (proven, weak | aspects, text)
    return tuple((index, *made[index]) for index in sorted(made))


def _foreign(ref: Any) -> bool:
    """Whether a reference is something of a library of which no model speaks."""
    return ref is EXTERNAL or (isinstance(ref, ApiPath) and not ref.entries)


def _given(value: Value) -> bool:
    """Whether a value is data as it came in from a caller or a source."""
    return any(label.source is not None or label.exact for label in value.labels)


def _common(exits: list[Held], doubts: dict[int, str], partly: bool = False) -> tuple[Proof, ...]:
    """What holds at every exit; ``partly``: the function is a check that raises, and what it shows at some exits only is a weak check."""
    if not exits:
        return ()
    made: list[Proof] = []
    for index in sorted(exits[0]):
        proven, weak = exits[0][index]
        either = 0
        for exit_ in exits if partly else ():
            one = exit_.get(index, (0, 0))
            either |= one[0] | one[1] if one[0] & ALL != ALL else 0  # where it is a known value, None perhaps, nothing was refused
        for other in exits[1:]:
            one = other.get(index, (0, 0))
            proven &= one[0]
            weak &= one[1]
        if partly:
            weak |= either & ALL & ~proven
            if either & CONTAINED and not proven & CONTAINED:
                weak |= PATHS
        if proven or weak:
            made.append((index, proven, weak, doubts.get(index, "it is not made in every case" if either else "") if weak & ALL else ""))
    return tuple(made)


Interpreter.handlers = {
    ir.Const: Interpreter.i_const,
    ir.Name: Interpreter.i_name,
    ir.Move: Interpreter.i_move,
    ir.Attr: Interpreter.i_attr,
    ir.Item: Interpreter.i_item,
    ir.StoreAttr: Interpreter.i_store_attr,
    ir.StoreItem: Interpreter.i_store_item,
    ir.StoreGlobal: Interpreter.i_store_global,
    ir.Build: Interpreter.i_build,
    ir.Concat: Interpreter.i_concat,
    ir.Binary: Interpreter.i_binary,
    ir.Unary: Interpreter.i_unary,
    ir.Test: Interpreter.i_test,
    ir.Call: Interpreter.i_call,
    ir.Decorate: Interpreter.i_decorate,
    ir.Func: Interpreter.i_func,
    ir.ClassDef: Interpreter.i_class,
    ir.Import: Interpreter.i_import,
    ir.Elem: Interpreter.i_elem,
    ir.Enter: Interpreter.i_enter,
    ir.Return: Interpreter.i_return,
    ir.Yield: Interpreter.i_yield,
    ir.Raise: Interpreter.i_raise,
    ir.Break: Interpreter.i_break,
    ir.Continue: Interpreter.i_continue,
    ir.If: Interpreter.i_if,
    ir.Loop: Interpreter.i_loop,
    ir.Try: Interpreter.i_try,
}
