"""What each plain instruction does to the state of a frame: names, attributes, elements, calls.

Stores and displays are in ``headwater.taint.building``, operators in ``headwater.taint.operators``, branches, loops and conditions in
``headwater.taint.branches``; what a call does is in ``headwater.taint.calls``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from headwater import ir
from headwater.apis.paths import ApiPath
from headwater.apis.schema import Api, Callback
from headwater.index.calls import COMMON_METHODS
from headwater.index.entities import Cls, Fn, Inst, Mod
from headwater.taint import (
    captured,
    chains,
    dots,
    encoded,
    fills,
    firsts,
    forms,
    groups,
    guards,
    members,
    optin,
    own_tools,
    personal,
    prompts,
    quotes,
    replacers,
    secrets,
    sights,
    texts,
    ways,
)
from headwater.taint.arguments import Args
from headwater.taint.calls import Calls
from headwater.taint.doubt import Aside
from headwater.taint.labels import (
    ADDRESS,
    ALL,
    ASKED,
    HOST,
    INSIDE,
    NAME_HEAD,
    OF_PARAMETER,
    PARSED_URL,
    PATHS,
    RESOLVED,
    SLASHED,
    WAY,
    Label,
    bits,
    derive,
)
from headwater.taint.programs import Programs
from headwater.taint.state import called, cleared, piece, rough
from headwater.taint.value import (
    BOTTOM,
    CHAIN,
    CHOSEN,
    EACH,
    GATE,
    NO_CONST,
    Alloc,
    ElementsOf,
    Fact,
    Node,
    PathOf,
    Pred,
    Value,
    as_given,
    captured_key,
    join,
)

if TYPE_CHECKING:
    from headwater.taint.solve import Solver

_TEXT_OF = frozenset({"builtins.str", "js:String", "os.fspath", "os.fsdecode"})
_TRUE = Value(const=True, proven=ALL)
_SAME_TEXT = frozenset({"lower", "upper", "casefold", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "encode", "decode"})
_FOLDED = frozenset({
    "lower", "upper", "casefold", "strip", "lstrip", "rstrip", "toLowerCase", "toUpperCase", "trim", "trimStart", "trimEnd", "toString"
})  # fmt: skip
_CONVERTED = re.compile(r"<(?:int|float|uuid)(?:\([^()<>]*\))?:(\w+)>")
_CUTS = frozenset({"split", "partition"})
_SETS = frozenset({"builtins.set", "builtins.frozenset"})
_OF_SAME_ADDRESS = frozenset({"address", "ipv4_mapped", "sixtofour"})
"""Attributes of what a name resolves to that are that address, in another form."""
_OF_SAME_HOST = _SAME_TEXT | _CUTS | {"toLowerCase", "toUpperCase", "trim"}
_NAMED = re.compile(r"<(?:[^<>:]*:)?(\w+)>")
"""A parameter in the rule of a route."""
_GIVEN_NAMES = frozenset({"__name__", "__qualname__", "__module__"})
"""What a function, a class or a module is called: written in the program, whatever data has come near it."""


def _taken_out(args: Args) -> bool:
    """Whether signs are taken out of a text, such as the brackets around an address: ``replace(/^\\[|\\]$/g, "")``."""
    return args.name in ("replace", "replaceAll") and len(args.positional) == 2 and args.positional[1].const == ""


class Instructions(Calls):
    """Instructions without blocks of their own."""

    def __init__(self, solver: Solver, fn: Fn, traced: bool = False) -> None:
        super().__init__(solver, fn, traced)
        self.named_calls: dict[int, str] = {}
        self.makers: dict[int, Any] | None = None
        """What names or makes what a register holds, once a decorator has asked."""
        self.receivers: dict[int, int] = {}
        """The register that an attribute was read from, by the attribute's register."""
        self.holders: dict[int, int] = {}
        """The register of the message that a part was read from, by the part's register."""
        self.firsts: dict[int, int] = {}
        """The register of the list whose first element a register holds."""
        self.origins: dict[int, tuple[tuple[Any, Value], ...]] = {}
        """What a register is the text of (``str(path)``) or the path of: cells, and what they held."""
        self.reduced: dict[int, tuple[tuple[Any, ...], int]] = {}
        """Registers that hold what is left of a text that was made safe: the cells of the text, and for which sink classes."""
        self.texts: dict[int, tuple[int, ...]] = {}
        """Registers that hold a text, by those of its parts: where it is one of a fixed set, so are they."""
        self.cuts: dict[int, tuple[Any, ...]] = {}
        """Registers that hold the words of a text: the cells of the text."""
        self.counted: dict[int, tuple[int, Value]] = {}
        """By the register of what ``enumerate`` gives: that of what is counted, and the value."""
        self.numbered: dict[int, tuple[int, int]] = {}
        """Registers that hold a number and an element, in a loop over that: the register that is counted, and the place of the loop."""
        self.elements_from: dict[int, int] = {}
        """The register of the collection that a loop takes a register's value from."""
        self.gathered: dict[int, tuple[tuple[Any, Value], ...]] = {}
        """Registers that hold a set of the elements of a collection: the cells of that, and what they held."""
        self.over: list[bool] = []
        """Of the loops around the instruction at hand: whether each goes over a fixed collection."""
        self.asked: set[int] | None = None
        """Where a model was asked in the endless loop at hand."""
        self.decorated: set[int] = set()
        """Registers that hold what a decorator has made."""
        known = self.known_models
        self.models = {fn.ir.names[name]: known[name] for name in fn.ir.names.keys() & known.keys()}
        """Registers of variables that are named as a language model is."""
        self.declared: dict[int, tuple[Any, ...]] = {}
        """Registers of variables that are declared with a type."""
        self.told = set(self.models)
        """Both."""
        self.holders_of: dict[int, list[tuple[Mod | Cls, str]]] | None = None
        """Of the body of a module: the variables and fields that registers are, once somebody has asked."""
        self.indexed: dict[int, Pred] = {}
        """Registers that hold a place in a collection, -1 where it is in none: what it shows that there is one."""
        self.schemes: dict[int, tuple[Any, ...]] = {}
        """Registers that hold the scheme of an address: the cells of the address."""
        self.endings: dict[int, tuple[Any, ...]] = {}
        """Registers that hold what the name of a file ends in: the cells of its path."""
        self.dots: dict[int, tuple[tuple[Any, ...], Value, bool, bool]] = {}
        """Registers that hold the place of the last dot, or separator, of a text: its cells, the text, whether it is a dot, and whether it
        is the place behind."""
        self.lasts: dict[int, int] = {}
        """Registers, of no variable, that hold the place of the last element of an array: the register of that."""
        self.tails: dict[int, str] = {}
        """Registers, of no variable, that hold a text which ends with something written: the end."""
        self.folders: set[int] = set()
        """Registers that hold the folder of a path which lies inside of another one."""
        self.variables = frozenset(fn.ir.names.values())
        self.moved_from: dict[int, int] = {}
        """Registers of scripts, of no variable, that took what another one holds (`word as Name`)."""
        self.names_of_registers: dict[int, str] | None = None
        """The names of registers, once a trace has asked."""
        self.places: bool | None = None
        """Whether the function asks where a path lies, once somebody has asked."""
        self.programs = Programs(self)

    def i_const(self, i: ir.Const) -> None:
        if i.value is True and self.journals and i.dst in self.fn.ir.names.values():  # it is true only where the tests around it were
            shown = fills.facts(fills.shown_here(self))
            self.write(i.dst, Value(const=True, pred=(shown, ()) if shown else None))
            return
        self.write(i.dst, _CONSTS.get(i.value) or Value(const=i.value) if type(i.value) is not float else Value(const=i.value))

    def i_name(self, i: ir.Name) -> None:
        made = BOTTOM
        bindings = self.solver.bindings(self.mod, i.name)
        for binding in bindings:
            made = join(made, self.named(binding))
        if not bindings:
            register = self.fn.ir.names.get(i.name)
            if register is not None:
                made = self.cells.get(register, BOTTOM)
        self.write(i.dst, made)

    def i_move(self, i: ir.Move) -> None:
        value = self.cells.get(i.src, BOTTOM)
        if i.dst in self.told:
            value = self._told(i.dst, value)
        self.gathered.pop(i.dst, None)
        if i.src in self.gathered:
            self.gathered[i.dst] = self.gathered[i.src]
        self.loaded.pop(i.dst, None)
        source = self.loaded.get(i.src)
        if source is not None:
            self.loaded[i.dst] = source
        self.elements_from.pop(i.dst, None)
        if self.mod.script and i.dst not in self.variables:
            self.moved_from[i.dst] = i.src
        for table in (self.chains, self.indexed, self.schemes, self.endings, self.dots):
            if table:
                table.pop(i.dst, None)
                if i.src in table:
                    table[i.dst] = table[i.src]
        if self.texts:
            self.texts.pop(i.dst, None)
            if i.src in self.texts:
                self.texts[i.dst] = self.texts[i.src]
        if self.origins:
            if i.src in self.origins:
                self.origins[i.dst] = self.origins[i.src]
            else:
                forms.set_again(self, i.dst, value)
        self.programs.moved(i.dst, i.src)
        if self.holders:
            self._held(i.dst, self.holders.get(i.src))
        self.write(i.dst, value)

    def _told(self, register: int, value: Value) -> Value:
        """What a variable takes whose type is declared, or that has the name of a language model: it is that if nothing else is known."""
        declared = self.declared.get(register)
        if declared is not None:
            return self.of_type(value.with_(refs=()), declared) if self.solver.foreign(value) else value
        return value.with_(refs=(self.models[register],)) if self.solver.unknown_thing(value) else value

    def _held(self, register: int, holder: int | None) -> None:
        """A register holds a part of a message, or something else."""
        if holder is None:
            self.holders.pop(register, None)
        else:
            self.holders[register] = holder

    def _part_of(self, register: int, holder: int, key: str | int | None, base: Value, value: Value) -> Value:
        """What a register gets that is read from an object: of a part of a message it is kept whose part it is."""
        if key not in prompts.PARTS:
            if self.holders:
                self.holders.pop(register, None)
            return value
        self.holders[register] = holder
        return self._asked(value) if base.proven & ASKED else value

    def _asked(self, value: Value) -> Value:
        """A part of a message that came with the role of the system, and what is inside it."""
        return cleared(self.collapse(value), prompts.SYSTEM).with_(allocs=())

    def i_attr(self, i: ir.Attr) -> None:
        base = self.cells.get(i.obj, BOTTOM)
        value = self.attribute(base, i.name) if i.name not in _GIVEN_NAMES else Value()
        if not value.refs and i.name in self.names and i.name not in COMMON_METHODS:
            value = value.with_(refs=(self.names[i.name],))
        self.named_calls[i.dst] = i.name
        self.receivers[i.dst] = i.obj
        self.programs.attribute(i.dst, i.obj, i.name, base)
        if len(base.allocs) == 1:
            self.loaded[i.dst] = (base.allocs[0], i.name)
            if base.allocs[0].kind == CHOSEN and (mark := guards.marked(self.cells_of(i.obj), i.name)) is not None:
                value = value.with_(pred=mark)
        if optin.is_switch(i.name) and optin.off_by_default(self.solver, base, i.name, value):
            value = value.with_(pred=((optin.FACT,), ()))
        if i.name == "parents" and (base.proven & RESOLVED or as_given(base)):  # `root in path.parents` is a check of the path
            value = value.with_(proven=value.proven | (RESOLVED if base.proven & RESOLVED else INSIDE))
            value.subject = (*self.cells_of(i.obj), *base.origin)
        elif i.name == "parent":
            value = self._folder(i.dst, i.obj, base, value)
        elif base.subject:
            value = self._shown(base, value, i.obj, i.name)
        elif self.mod.script and secrets.named(i.name) and any(getattr(ref, "text", "") in secrets.ENVIRONMENTS for ref in base.refs):
            value = self.from_source("secret", f"the environment variable {i.name}", secrets.harmless(i.name))
        if i.name in ("name", "stem") and value.labels and base.labels:
            self._reduced(i.dst, value, base, self.cells_of(i.obj))
        if self.mod.script:
            value = members.read(self, i, base, value)
        value = chains.read(self, i.dst, i.obj, i.name, value)
        if i.dst in self.told:
            value = self._told(i.dst, value)
        self.write(i.dst, self._part_of(i.dst, i.obj, i.name, base, self._called(i, value)))

    def _shown(self, base: Value, value: Value, register: int, name: str) -> Value:
        """An attribute of what stands for an address: its host, or a test of where the address is."""
        if name in _OF_SAME_ADDRESS and not base.proven & (PARSED_URL | NAME_HEAD):  # of what a name resolves to
            value = value.with_(subject=base.subject)
        if value.subject and base.proven & PARSED_URL:
            value = value.with_(subject=tuple(dict.fromkeys((*value.subject, *self.cells_of(register)))))
        for ref in value.refs:
            for entry in getattr(ref, "entries", ()):
                shows = getattr(entry, "shows", None)
                if shows is None:
                    continue
                true, false = (
                    ((base.subject, 0, bits(classes), (), "the check of the address can be passed"),)
                    if shows.weak and classes
                    else ((base.subject, bits(classes) | HOST, 0, (), ""),)
                    if classes
                    else ()
                    for classes in (shows.when_true, shows.when_false)
                )
                return value.with_(pred=(true, false))
        return value

    def _stepped(self, value: Value, i: Any, what: str) -> Value:
        if not self.traced or not value.steps:
            return value
        return value.with_(steps={label: Node(i.start, i.end, what, node) for label, node in value.steps.items()})

    def _called(self, i: Any, value: Value) -> Value:
        """What a variable is called that takes a part of something, or a list with it: a trace speaks of it by that name from here on."""
        if not self.traced or not value.steps:
            return value
        if self.names_of_registers is None:
            self.names_of_registers = {register: name for name, register in self.fn.ir.names.items()}
        name = self.names_of_registers.get(i.dst)
        return self._stepped(value, i, Aside(f"kept in {name}")) if name is not None else value

    def i_item(self, i: ir.Item) -> None:
        base = self.cells.get(i.obj, BOTTOM)
        index = self.cells.get(i.reg, BOTTOM) if i.reg >= 0 else None
        last = i.key is None and i.reg in self.lasts and self.cells.get(self.lasts[i.reg]) is base
        value = self.item(base, -1 if last else i.key, index)
        if len(base.allocs) == 1 and i.key is not None:
            self.loaded[i.dst] = (base.allocs[0], i.key)
        self.named_calls.pop(i.dst, None)
        self.programs.moved(i.dst, i.obj)
        if base.subject and (not base.proven & NAME_HEAD or i.key == 0):
            value = value.with_(subject=base.subject, proven=value.proven | base.proven & NAME_HEAD)
        if i.key is None and value.labels:
            value = self._piece(value, i.reg < 0 or (index is not None and bool(index.allocs)))
        elif secrets.named(i.key) and any(getattr(ref, "text", "") in secrets.ENVIRONMENTS for ref in base.refs):
            value = self.from_source("secret", f"the environment variable {i.key}", secrets.harmless(i.key))
        elif about := personal.key(i.key):
            value = self._personal(i, base, value, about)
        if i.key == 1 and i.obj in self.numbered:
            value = chains.element(self, i.dst, *self.numbered[i.obj], value)
        else:
            some = self.mod.script and i.key is None and index is not None and not (index.labels or index.refs or index.allocs)
            value = chains.read(self, i.dst, i.obj, (EACH, i.start) if some else i.key, value)
        if i.key == 0:  # what is shown of the first message holds when it is read again
            self.firsts[i.dst] = i.obj
            seen = self.cells.setdefault(("first", i.obj), BOTTOM)
            value = value.with_(proven=value.proven | ASKED) if seen.proven & ASKED else value
        if i.dst in self.told:
            value = self._told(i.dst, value)
        self.write(i.dst, self._part_of(i.dst, i.obj, i.key, base, self._called(i, value)))

    def _personal(self, i: ir.Item, base: Value, value: Value, kind: str) -> Value:
        """A column of a table, or of a row of the database, that is called like personal data."""
        row = any(label.source is not None and label.source.kind == "database" for label in base.labels)
        if row or any(isinstance(ref, ApiPath) and not ref.types.isdisjoint(personal.TABLES) for ref in base.refs):
            return join(value, self.from_source(kind, f"the column {i.key}"))
        return value

    def _piece(self, value: Value, slice_: bool) -> Value:
        """A slice, or one element: a piece of a secret is none, and one number of many (the highest) says little of a model."""
        return piece(value) if slice_ else value if self.over else rough(value)

    def ports(self, value: Value) -> Value:
        """What stands where a port does, behind a host that is written: only what is text for sure names another host there."""
        made = {label: (derive(label, clear=ADDRESS, exact=True) if label.drop else label) for label in value.labels}
        steps = {new: value.steps[old] for old, new in made.items() if new is not None and old in value.steps} if value.steps else None
        return value.with_(labels=frozenset(new for new in made.values() if new is not None), steps=steps)

    def _origin(self, register: int, operands: list[tuple[Any, ...]], part: bool, maybe: bool = False) -> None:
        """The register holds a path made of the operands: what is shown of it is shown of them."""
        self.origins.pop(register, None)
        found: list[tuple[Any, Value]] = []
        for cell in dict.fromkeys(cell for cells in operands for cell in cells):
            of = cell if type(cell) is PathOf else PathOf(cell, False)
            value = self.cells.get(of.cell)
            if value is not None and of.cell != register:
                found.append((PathOf(of.cell, part or of.part, maybe or of.maybe), value))
        if found:
            self.origins[register] = tuple(found)

    def _whole_of(self, register: int) -> tuple[Any, ...]:
        """The cells of the collection of which a register holds the elements as a set, as far as they still hold it."""
        held = ((cell, self.cells.get(cell, BOTTOM), before) for cell, before in self.gathered.get(register, ()))
        return tuple(cell for cell, now, before in held if self.unchecked(now) is self.unchecked(before))

    def looked_at(self, labels: frozenset[Label], aspects: int) -> None:
        self.programs.looked.append((labels, aspects))

    def refused_parts(self, labels: frozenset[Label], aspects: int) -> None:
        self.programs.refuse([(labels, aspects)], "raise")

    def cells_of(self, register: int) -> tuple[Any, ...]:
        """A register, the field that it was read from, the parameter that it is, and what it is the text or the path of."""
        loaded = self.loaded.get(register)
        cells: tuple[Any, ...] = (register,) if loaded is None else (register, loaded)
        value = self.cells.get(register)
        if value is not None and as_given(value):  # behind a check on some of the ways, there are two labels of one parameter
            params = {label.param for label in value.labels}
            if len(params) == 1:
                cells += (("in", params.pop()),)
        if (chain := self.chains.get(register)) is not None:
            cells += (chain,)
        source = self.moved_from.get(register)
        if source is not None and value is not None and value.labels:
            held = self.cells.get(source)
            if held is not None and self.unchecked(held) is self.unchecked(value):
                cells += tuple(cell for cell in self.cells_of(source) if cell not in cells)
        for cell, before in self.origins.get(register, ()):
            whole = cell.cell if type(cell) is PathOf else cell
            now = self.cells.get(whole)
            given = type(whole) is tuple and whole[0] == "in"  # what came in stays what it was, whatever checks add to it
            if given or now is before or (now is not None and self.unchecked(now) is self.unchecked(before)):
                cells += (cell,)
        return cells

    def cells_holding(self, value: Value) -> list[Any]:
        if not value.labels:
            return []
        registers = [register for register, one in self.cells.items() if one is value and isinstance(register, int)]
        return list(dict.fromkeys(cell for register in registers for cell in self.cells_of(register)))

    def i_call(self, i: ir.Call) -> None:
        self.tire()
        callee = self.cells.get(i.fn, BOTTOM)
        cells = self.cells
        args = self._arguments(i)
        args.cells = [self.cells_of(register) if register >= 0 else () for register in i.args]
        args.name = self.named_calls.get(i.fn, "")
        if callee.bound is not None:
            loaded = self.receivers.get(i.fn)
            args.receiver_cells = self.cells_of(loaded) if loaded is not None else ()
        if not callee.refs and not args.name and i.fn in self.fn.ir.names.values():
            args.name = next((name for name, register in self.fn.ir.names.items() if register == i.fn), "")
        self.gathered.pop(i.dst, None)
        if args.cells and any(getattr(ref, "text", "") in _SETS for ref in callee.refs):
            self.gathered[i.dst] = tuple((cell, cells[cell]) for cell in args.cells[0] if cell in cells)
        for ref in callee.refs:
            special = guards.SPECIAL.get(getattr(ref, "text", ""))
            if special is not None:
                made = special(self, args)
                if made is not None:
                    self.write(i.dst, made)
                    return
        if callee.bound is not None and self.chained and i.fn in self.receivers:
            chains.changed(self, self.receivers[i.fn], args.name)
        before = self.programs.version
        result = self.call(callee, args)
        self.at = i
        if self.asked is not None and _answers(result, args):
            self.asked.add(i.start)
        if args.name in texts.SHAPED and callee.bound is not None and result.labels:
            result = texts.shaped(self, args, callee.bound, result)
            if args.name == "format":
                result = quotes.in_values(callee.bound, result, "format")
        elif self.mod.script and args.name in groups.METHODS and callee.bound is not None and result.labels:
            result = groups.called(self, args, callee.bound, result)
        self.dots.pop(i.dst, None)
        if args.name and callee.bound is not None:
            result = dots.called(self, i, args, callee.bound, result)
        if args.name in quotes.METHODS and callee.bound is not None and result.labels:
            result = quotes.replaced(self, args, callee.bound, result)
            if self.mod.script:
                result = replacers.shown(args, result)
        if args.name == "replace" and self.mod.script and texts.ended(args):
            result = result.with_(proven=result.proven | SLASHED)
        if result.labels:
            result = encoded.called(args, [getattr(ref, "text", "") for ref in callee.refs], callee.bound, result)
        self.origins.pop(i.dst, None)
        if args.cells and any(getattr(ref, "text", "") in _TEXT_OF for ref in callee.refs):
            inner = ((cell, cells.get(cell.cell if type(cell) is PathOf else cell)) for cell in args.cells[0])
            self.origins[i.dst] = tuple((cell, value) for cell, value in inner if value is not None)
        else:
            self._path_made(i.dst, callee, args)
        receiver = callee.bound
        if args.name in forms.REPLACED and receiver is not None and args.receiver_cells and i.dst not in self.origins:
            self._origin(i.dst, [forms.or_given(args.receiver_cells, receiver)], False, True)
        if args.name in _FOLDED and args.receiver_cells:  # what is shown of the text without regard to case is shown of it
            inner = ((cell, cells.get(cell.cell if type(cell) is PathOf else cell)) for cell in args.receiver_cells)
            self.origins[i.dst] = tuple((cell, value) for cell, value in inner if value is not None)
        elif args.name in ("issubset", "difference") and len(args.positional) == 1 and self.fixed(args.positional[0]):
            whole = (*args.receiver_cells, *self._whole_of(self.receivers.get(i.fn, -1)))
            shown: Fact = (tuple(map(ElementsOf, whole)), ALL, 0, (), "")
            result = result.with_(pred=((shown,), ()) if args.name == "issubset" else ((), (shown,)))
        elif args.name == "dirname" and len(i.args) == len(args.positional) == 1:
            result = self._folder(i.dst, i.args[0], args.positional[0], result)
        self.indexed.pop(i.dst, None)
        self.endings.pop(i.dst, None)
        if self.mod.script:
            result = members.called(self, i, args, callee, result)
        elif result.pred is not None:
            result = result.with_(pred=firsts.without(result.pred))
        if args.name in ("get", "pop") and len(args.positional) == 2 and args.positional[1].const is False:
            name = args.positional[0].const
            decided = isinstance(name, str) and optin.is_permission(name)
            if decided and result.pred is None and receiver is not None and guards.configured(self, receiver):  # off by default
                result = result.with_(pred=(((GATE, 0, 0, (str(name),), ""),), ()), const=NO_CONST)
        ends = args.name in ("endswith", "endsWith") and bool(args.positional)
        if receiver is not None and ends and receiver.subject and not receiver.proven & NAME_HEAD:
            result = result.with_(pred=guards.host_ends(self, receiver, args.receiver_cells, args.positional[0]))
        elif receiver is not None and receiver.proven & WAY and args.name in ways.TESTS and args.positional:
            result = result.with_(pred=ways.tested(receiver, args.receiver_cells, args.positional[0]))
        elif receiver is not None and receiver.proven & RESOLVED and args.name in ways.BEGINS and args.positional:
            result = ways.normal(args.receiver_cells, args.positional[0], result)
        if args.name in ("split", "rsplit"):
            self.cuts[i.dst] = (args.cells[0] if args.cells else ()) if args.name == "split" and receiver is None else args.receiver_cells
        if result.labels and args.cells and args.positional:
            self._reduced(i.dst, result, args.positional[0], args.cells[0])
        if receiver is not None and receiver.labels and result.labels and (args.name in _OF_SAME_HOST or _taken_out(args)):
            if receiver.subject:
                result = result.with_(subject=receiver.subject, proven=result.proven | receiver.proven & (NAME_HEAD | OF_PARAMETER))
            elif args.name not in _CUTS:
                if self.mod.script and (receiver.proven & OF_PARAMETER or as_given(receiver)):
                    result = result.with_(subject=args.receiver_cells, proven=result.proven | OF_PARAMETER)
            elif args.positional and args.positional[0].const == ".":
                result = result.with_(subject=args.receiver_cells, proven=result.proven | NAME_HEAD)
        self.named_calls.pop(i.dst, None)
        self.loaded.pop(i.dst, None)
        self.chains.pop(i.dst, None)
        if receiver is not None and result.labels and self.unchecked(result) is self.unchecked(receiver):
            self.chains[i.dst] = (CHAIN, i.start)  # some of its elements perhaps: what is shown of those is not shown of all
        if args.name in ("get", "pop") and args.positional and isinstance(args.positional[0].const, str):
            labels, steps = called(args.positional[0].const, result.labels, result.steps)
            result = result if labels is result.labels else result.with_(labels=labels, steps=steps)
        part = args.name == "get" and bool(args.positional) and args.positional[0].const in prompts.PARTS
        self._held(i.dst, self.receivers.get(i.fn) if part else None)
        if part and receiver is not None and receiver.proven & ASKED:
            result = self._asked(result)
        if i.dst in self.told:
            result = self._told(i.dst, result)
        self.write(i.dst, result)
        self.programs.called(i.dst, i, args, self.receivers.get(i.fn) if callee.bound is not None or args.name else None, callee)
        self.programs.again(before)
        if callee.refs and not callee.loose and all(map(self.never_returns, callee.refs)):
            self.dead = True
            self.jump = "raise"

    def _reduced(self, register: int, value: Value, whole: Value, cells: tuple[Any, ...]) -> None:
        """A register holds what is left of a text that was made safe: where it is equal to the text, nothing was taken away."""
        gained = ALL
        for label in value.labels:
            gained &= label.cleared
        for label in whole.labels if gained else ():
            gained &= ~label.cleared
        if gained and whole.labels:
            self.reduced[register] = (cells, gained)
        elif register in self.reduced:
            del self.reduced[register]

    def _folder(self, register: int, path: int, before: Value, value: Value) -> Value:
        """The folder of a path: where a check has shown that the path lies inside of another one, so does it, or it is that one."""
        if before.proven & PATHS != PATHS or path in self.folders:  # the folder of a folder may be one above
            return value
        self.folders.add(register)
        return value.with_(proven=value.proven | PATHS)

    def _path_made(self, register: int, callee: Value, args: Args) -> None:
        """Where a call gives the path that its arguments make together (``abspath(x)``, ``join(a, b)``): the result's origins."""
        for ref in callee.refs:
            if isinstance(ref, ApiPath) and any("joined-path" in getattr(entry, "marks", ()) for entry in ref.entries):
                values, places = args.positional, args.cells
                if any(entry.same == "self" or "self" in entry.passes for entry in ref.entries if isinstance(entry, Api)):
                    values, places = [args.receiver or BOTTOM, *values], [args.receiver_cells, *places]
                operands = [forms.or_given(place, value) for value, place in zip(values, places, strict=False) if value.labels]
                self._origin(register, operands, len(values) > 1)
                return
            if isinstance(ref, Fn) and len(callee.refs) == 1:
                summary = self.solver.summary(self.fn, ref)
                labels = summary.returns.labels if summary is not None else ()
                params = {label.param if label.source is None else -1 for label in labels}
                for label in labels if len(params) == 1 else ():  # the function gives back what it was given
                    place = label.param - (1 if ref.bound else 0)
                    if label.source is None and label.exact and not label.path and 0 <= place < len(args.cells):
                        self._origin(register, [args.cells[place]], False, len(labels) > 1)
                for param, part, maybe in summary.paths if summary is not None and register not in self.origins else ():
                    place = param - (1 if ref.bound else 0)
                    if 0 <= place < len(args.cells):
                        self._origin(register, [args.cells[place]], part, maybe)
                        break
                return

    def _arguments(self, i: ir.Call) -> Args:
        cells = self.cells
        positional: list[Value] = []
        star: Value | None = None
        whole: Value | None = None
        for register in i.args:
            if register >= 0:
                positional.append(cells.get(register, BOTTOM))
                whole = None
            else:
                starred = cells.get(~register, BOTTOM)
                known = self.known_elements(starred)
                if known is not None:
                    positional += known
                else:
                    whole = starred if star is None and register == i.args[-1] else None
                    star = join(star or BOTTOM, self.elements(starred))
        kw: dict[str, Value] = {}
        spread: Value | None = None
        args = Args(positional)
        for name, register in i.kw:
            value = cells.get(register, BOTTOM)
            if name == "**":
                spread = value if spread is None else join(spread, value)
            else:
                kw[name] = value
                args.kw_cells[name] = self.cells_of(register)
        args.kw, args.star, args.starred, args.spread = kw, star, whole, spread
        return args

    def i_decorate(self, i: ir.Decorate) -> None:
        decorator, target = self.cells.get(i.decorator, BOTTOM), self.cells.get(i.target, BOTTOM)
        made = target
        if not self.traced:
            sights.decorated(self, i.start, i.end, decorator, target)
        for ref in decorator.refs:
            for entry in getattr(ref, "entries", ()):
                callback = getattr(entry, "decorates", None)
                if callback is not None and (callback.parameters or callback.by_name or callback.given or callback.is_):
                    if callback.named_in and isinstance(decorator.const, str):
                        callback = _of_rule(callback, decorator.const, target, i.target in self.decorated)
                    self.register(target, callback)
                    self.located(target, self.addressed.get((decorator.allocs or (None,))[-1], ()))
            if isinstance(ref, Fn):
                wrapper = self.call(decorator, Args([target]))
                if any(isinstance(one, Fn) and one.ir.parent > 0 for one in wrapper.refs):
                    nothing = Args([])  # the function is called with what its wrapper itself gets from elsewhere
                    nothing.asked = False
                    self.call(wrapper, nothing)
                for node in ref.api:
                    for entry in node.entries:
                        callback = getattr(entry, "decorates", None)
                        if callback is not None:
                            self.register(target, callback)
        own_tools.decorated(self, i, decorator, target)
        self.decorated.add(i.dst)
        self.write(i.dst, made)

    def i_func(self, i: ir.Func) -> None:
        fn = self.mod.functions[i.function]
        allocs: tuple[Alloc, ...] = ()
        if i.captures:
            alloc = self.alloc((i.start, i.end, "closure", i.function), "closure", closed=True)
            for number, register in enumerate(i.captures):
                self.put(alloc, captured_key(fn, number), self.cells.get(register, BOTTOM))
            self.closures[fn.id] = i.captures
            captured.tell(self, fn, i.captures)
            allocs = (alloc,)
        self.write(i.dst, Value(refs=(fn,), allocs=allocs))

    def i_class(self, i: ir.ClassDef) -> None:
        self.write(i.dst, Value(refs=(self.mod.classes[i.cls],)))

    def i_import(self, i: ir.Import) -> None:
        made = BOTTOM
        for binding in self.symbols.alias(self.mod, ir.Alias(i.path, i.level)):
            made = join(made, self.named(binding))
        self.write(i.dst, made)

    def i_elem(self, i: ir.Elem) -> None:
        value = self.cells.get(i.src, BOTTOM)
        if i.what == "rest":
            alloc = self.alloc((i.start, i.end, "rest"), "list")
            self.put(alloc, "*", self.elements(value), weak=True)
            self.write(i.dst, Value(value.labels, allocs=(alloc,), steps=value.steps))
            return
        made = self.elements(value)
        if value.subject and not value.proven & NAME_HEAD:
            made = made.with_(subject=value.subject)
        self.loaded.pop(i.dst, None)
        self.programs.moved(i.dst, i.src)
        self.elements_from[i.dst] = i.src
        if (counted := self.counted_in(i.src)) >= 0:
            self.numbered[i.dst] = counted, i.start
        self.write(i.dst, chains.element(self, i.dst, i.src, i.start, made))

    def counted_in(self, register: int) -> int:
        """The register whose elements ``enumerate`` counts, of what it has given; -1 of anything else."""
        source, made = self.counted.get(register, (-1, BOTTOM))
        return source if made is self.cells.get(register) else -1

    def i_enter(self, i: ir.Enter) -> None:
        value = self.cells.get(i.ctx, BOTTOM)
        made = BOTTOM
        for ref in value.refs:
            if isinstance(ref, Inst):
                method = ref.cls.method("__enter__") or ref.cls.method("__aenter__")
                if method is not None:
                    made = join(made, self.call_function(method, value, [], {}))
        if made is BOTTOM:
            made = value
            if any(alloc.kind in ("list", "generator") and "*" in alloc.keys for alloc in value.allocs):  # @contextmanager
                made = join(made, self.elements(value))
        self.write(i.dst, self._told(i.dst, made) if i.dst in self.told else made)


def _of_rule(callback: Callback, rule: str, function: Value, wrapped: bool) -> Callback:
    """The callback with those parameters alone that the rule of a route names, or else a part of the rule that stands elsewhere.

    Of what ``<int:number>`` names the framework makes a number.
    """
    names = _NAMED.findall(rule)
    for ref in function.refs if not wrapped else ():
        names += [param.name for param in ref.ir.params if param.default < 0] if isinstance(ref, Fn) else []
    converted = _CONVERTED.findall(rule)
    by_name = {name: callback.parameters for name in names if name not in converted}
    return msgspec.structs.replace(callback, parameters="", by_name=by_name)


_CONSTS: dict[Any, Value] = {}


def _answers(result: Value, args: Args) -> bool:
    """Whether the result of a call is a new answer of a model: one that is not in what was given to it."""
    found = {label.source for label in result.labels if label.source is not None and label.source.kind == "llm-output"}
    for value in (*args.everything(), args.receiver or BOTTOM) if found else ():
        found -= {label.source for label in value.labels}
    return bool(found)
