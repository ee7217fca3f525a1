"""What each instruction does to the state of a frame, and the summary of a whole function.

Branches join where the syntax joins; a loop runs until nothing changes or ``limits.LOOP_ROUNDS``; conditions are
evaluated with what their earlier parts have shown. Calls are in ``headwater.taint.calls``, what conditions prove in
``headwater.taint.guards``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from headwater import ir, limits
from headwater.apis.paths import ApiPath
from headwater.apis.schema import Api
from headwater.index.calls import COMMON_METHODS
from headwater.index.entities import EXTERNAL, Cls, Fn, Inst
from headwater.index.symbols import instance_refs
from headwater.taint import guards, optin
from headwater.taint.arguments import Args
from headwater.taint.calls import Calls
from headwater.taint.labels import (
    ALL,
    BIT,
    CONTAINED,
    HELD,
    HOST_FIXED,
    NAME_HEAD,
    NO_OPTION,
    PARSED_URL,
    PATHS,
    RESOLVED,
    TREE_CHECKS,
    Label,
    bits,
    param_label,
)
from headwater.taint.programs import Looked, Programs
from headwater.taint.summary import Proof, Requirement, Summary, ToParam
from headwater.taint.value import (
    BOTTOM,
    GATE,
    NO_CONST,
    NOTHING,
    Alloc,
    Fact,
    Node,
    PathOf,
    Pred,
    Shape,
    Value,
    join,
    join_all,
    join_shapes,
    same,
)

if TYPE_CHECKING:
    from headwater.taint.solve import Solver

_WITH_HOST = re.compile(r"^([A-Za-z][\w+.-]*://[^/?#\s]+[/?#]|/[^/\\])")  # or relative to an address that something else fixes
_TEXT_OF = frozenset({"builtins.str", "os.fspath", "os.fsdecode"})
_CONTAINERS = frozenset({"dict", "list", "tuple", "set", "generator"})
_TRUE = Value(const=True, proven=ALL)
_SAME_TEXT = frozenset({"lower", "upper", "casefold", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "encode", "decode"})
_CUTS = frozenset({"split", "partition"})
_DOUBTED = PATHS | BIT["url"]
"""Where a check that is made on some ways only counts for something."""


class Interpreter(Calls):
    """Runs one function."""

    def __init__(self, solver: Solver, fn: Fn, traced: bool = False) -> None:
        super().__init__(solver, fn, traced)
        self.returned: Value | None = None
        self.exit_proofs: list[dict[int, tuple[int, int]]] = []
        self.true_proofs: list[dict[int, tuple[int, int]]] = []
        self.false_proofs: list[dict[int, tuple[int, int]]] = []
        self.loops: list[list[dict[Any, Value]]] = []
        self.named_calls: dict[int, str] = {}
        self.receivers: dict[int, int] = {}
        """The register that an attribute was read from, by the attribute's register."""
        self.origins: dict[int, tuple[tuple[Any, Value], ...]] = {}
        """What a register is the text of (``str(path)``) or the path of: cells, and what they held."""
        self.lasting = solver.lasting(fn)
        self.yields: Alloc | None = None
        self.programs = Programs(self)
        self.jump = ""
        """How the last path ended that does not go on: ``raise``, ``return``, ``next`` (the next round of a loop, or none)."""
        self.inside = 0
        """Loops around the instruction at hand."""
        self.inner: tuple[Any, ...] = ()
        """The switches set at the end of the last branch."""
        self.return_shape = NOTHING
        self.return_steps: dict[Label, Node] = {}
        self.set_steps: dict[Any, dict[Label, Node]] = {}

    # ------------------------------------------------------------------------------------------ whole function

    def run(self) -> Summary:
        """Interpret the function; its summary."""
        function = self.fn.ir
        self._parameters()
        self.cells[optin.CELL] = Value(const=False)
        self.block(function.defaults)
        if not self.dead:
            for index, param in enumerate(function.params):
                if param.default >= 0:
                    default = self.cells.get(param.default, BOTTOM)
                    if default.refs or default.labels:
                        self.cells[index] = join(self.cells[index], default.with_(const=NO_CONST))
        self.block(function.body)
        if not self.dead:
            self._exit(Value(const=None) if self.returned is not None else BOTTOM, implicit=True)
        if self.yields is not None:
            self._return_value(Value(allocs=(self.yields,)))
        self._class_fields()
        if self.fn.index == 0:
            self._globals()
        return Summary(
            self.return_shape,
            self._sinks(),
            self._mutations(),
            tuple(callback for _, callback in sorted(self.callbacks.items(), key=lambda item: item[0])),
            self._raised(),
            _with_raised(
                _common(self.exit_proofs, partly=self.refused and self.returned is not None and self.returned.const is None),
                self.programs.raised,
            ),
            _common(self.true_proofs),
            _common(self.false_proofs),
            self._ends_here(),
        )

    def _ends_here(self) -> bool:
        """Whether no call of the function returns: every path raises or ends the program."""
        body = self.fn.ir.body
        return (
            self.dead
            and not self.exit_proofs
            and self.yields is None
            and not self.fn.ir.flags & {"async", "generator", "abstract", "overload"}
            and not any(type(one) is ir.Name and one.name == "NotImplementedError" for one in body)  # subclasses do it
        )

    def _parameters(self) -> None:
        fn, function = self.fn, self.fn.ir
        symbols = self.symbols
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
            if not value.refs and self.solver.names.get(param.name) is not None:
                value = value.with_(refs=(self.solver.names[param.name],))
            if self.traced:
                value = value.with_(steps={param_label(index): Node(param.start, param.end, "", None)})
            self.cells[index] = self.cells[("in", index)] = value
        first = len(function.params)
        for number, name in enumerate(function.captured):
            value = self.param_value(first + number, ())
            held = self._outer_parameter(name)
            if held is not None:
                owner, position, param = held
                if position == 0 and owner.bound and owner.cls is not None:
                    value = value.with_(refs=(owner.cls,) if "classmethod" in owner.ir.flags else instance_refs(owner.cls))
                elif param.annotation is not None:
                    value = self.typed(value, symbols.type_value(self.mod, param.annotation, owner.cls))
            if self.traced:
                value = value.with_(steps={param_label(first + number): Node(function.start, function.start, "", None)})
            self.cells[first + number] = value
        for name, annotation in function.annotations.items():
            register = function.names.get(name)
            if register is not None and register not in self.cells:
                type_ = symbols.type_value(self.mod, annotation, fn.cls)
                if type_.refs:
                    self.solver.annotated.setdefault((fn.id, register), type_)

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
            effects = sorted(effects, key=lambda one: (one.drop, one.weak, one.key))[: limits.EFFECTS]
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
            if self.traced and value.steps:
                self.set_steps[mutation.key] = dict(value.steps)
            if not shape.empty:
                made.append(ToParam(mutation.param, mutation.path, mutation.field, shape))
            if len(made) >= limits.MUTATIONS:
                self.solver.count("effects-cut")
                break
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

    # --------------------------------------------------------------------------------------------- blocks

    def block(self, block: list[Any]) -> None:
        """Run instructions until the end or a jump."""
        handlers = _HANDLERS
        for instr in block:
            if self.dead:
                return
            self.at = instr
            handlers[type(instr)](self, instr)

    def branch(self, block: list[Any], facts: tuple[Fact, ...] = ()) -> tuple[dict[Any, Value], bool]:
        """Run a block as a branch: what it changed, and whether it goes on after its end."""
        outer, gates = self.begin(), self.gates
        for fact in facts:
            self.learn(fact)
        self.block(block)
        alive = not self.dead
        self.dead = False
        self.inner, self.gates = self.gates, gates
        return self.end(outer, self.lasting), alive

    def cond(self, cond: Any) -> tuple[tuple[Fact, ...], tuple[Fact, ...]]:
        """Evaluate a condition: what holds where it is true and where it is false."""
        kind = type(cond)
        if kind is ir.Leaf:
            self.block(cond.pre)
            self.dead = False  # a condition that never ends is no condition: what follows is looked at as if it did
            self.programs.held(cond.reg)
            value = self.cells.get(cond.reg, BOTTOM)
            pred: Pred | None = value.pred
            return pred if pred is not None else self._switch(cond.reg, value)
        if kind is ir.Not:
            true, false = self.cond(cond.part)
            return false, true
        all_of = kind is ir.AllOf
        gathered: list[Fact] = []
        other: tuple[Fact, ...] = ()
        saved = []
        gates = self.gates
        for number, part in enumerate(cond.parts):
            if number:
                saved.append(self.begin())
                for fact in gathered:
                    self.learn(fact)
            true, false = self.cond(part)
            gathered += true if all_of else false
            if len(cond.parts) == 1:
                other = false if all_of else true
        self.gates = gates
        for outer in reversed(saved):  # the facts hold in the branches only; calls in operands may have changed objects: keep those
            delta = self.end(outer)
            self.merge([{cell: value for cell, value in delta.items() if not _only_facts(self.cells.get(cell), value)}], True)
        if not all_of and len(cond.parts) > 1:
            other = _shared([self._again(part) for part in cond.parts])
        elif all_of and len(cond.parts) > 1:
            other = self._one_of(cond.parts)
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
                default, needed = next(iter(defaults)), name
        elif len(value.labels) == 1:
            (label,) = value.labels
            if label.source is None and label.exact and not label.path and label.param < len(self.fn.ir.params):
                default = self.solver.default(self.fn, label.param)
                needed = Requirement(label.param, (), default, True)
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

    def _again(self, part: Any) -> tuple[Fact, ...]:
        """What a part that was evaluated shows where it is true."""
        if type(part) is ir.Leaf:
            value = self.cells.get(part.reg, BOTTOM)
            return value.pred[0] if value.pred is not None else ()
        return ()

    # --------------------------------------------------------------------------------------- instructions

    def i_const(self, i: ir.Const) -> None:
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
        if self.solver.annotated:
            type_ = self.solver.annotated.get((self.fn.id, i.dst))
            if type_ is not None and not value.refs:
                value = value.with_(refs=type_.refs)
        self.loaded.pop(i.dst, None)
        source = self.loaded.get(i.src)
        if source is not None:
            self.loaded[i.dst] = source
        if self.origins:
            self.origins.pop(i.dst, None)
            if i.src in self.origins:
                self.origins[i.dst] = self.origins[i.src]
        self.programs.moved(i.dst, i.src)
        self.write(i.dst, value)

    def i_attr(self, i: ir.Attr) -> None:
        base = self.cells.get(i.obj, BOTTOM)
        value = self.attribute(base, i.name)
        if not value.refs and i.name in self.solver.names and i.name not in COMMON_METHODS:
            value = value.with_(refs=(self.solver.names[i.name],))
        self.named_calls[i.dst] = i.name
        self.receivers[i.dst] = i.obj
        self.programs.attribute(i.dst, i.obj, i.name, base)
        if len(base.allocs) == 1:
            self.loaded[i.dst] = (base.allocs[0], i.name)
        if optin.is_switch(i.name) and optin.off_by_default(self.solver, base, i.name, value):
            value = value.with_(pred=((optin.FACT,), ()))
        if i.name == "parents" and base.proven & RESOLVED:  # `root in path.parents` is a check of the path
            value = value.with_(proven=value.proven | RESOLVED)
            value.subject = (*self.cells_of(i.obj), *base.origin)
        elif base.subject:
            value = self._shown(base, value, i.obj)
        self.write(i.dst, value)

    def _shown(self, base: Value, value: Value, register: int) -> Value:
        """An attribute of what stands for an address: its host, or a test of where the address is."""
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
                    else ((base.subject, bits(classes), 0, (), ""),)
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

    def i_item(self, i: ir.Item) -> None:
        base = self.cells.get(i.obj, BOTTOM)
        index = self.cells.get(i.reg, BOTTOM) if i.reg >= 0 else None
        value = self.item(base, i.key, index)
        if len(base.allocs) == 1 and i.key is not None:
            self.loaded[i.dst] = (base.allocs[0], i.key)
        self.named_calls.pop(i.dst, None)
        self.programs.moved(i.dst, i.obj)
        if base.subject and (not base.proven & NAME_HEAD or i.key == 0):
            value = value.with_(subject=base.subject, proven=value.proven | base.proven & NAME_HEAD)
        self.write(i.dst, value)

    def i_store_attr(self, i: ir.StoreAttr) -> None:
        value = self.cells.get(i.src, BOTTOM)
        base = self.cells.get(i.obj, BOTTOM)
        self.store(base, i.name, self._stepped(value, i, f"kept in .{i.name}"))
        for ref in base.refs:
            if isinstance(ref, Cls):
                self.solver.store_field(self.fn, ref, i.name, lambda: self.export(value))
        if base.refs:
            self._stored_in_library(base, "__setattr__", Value(const=i.name), value)

    def _stored_in_library(self, base: Value, method: str, key: Value, value: Value) -> None:
        """``a.b = c`` and ``a[b] = c`` are calls of ``__setattr__`` and ``__setitem__`` where a model speaks of them."""
        for ref in base.refs:
            child = ref.child(method) if isinstance(ref, ApiPath) else None
            if child is not None:
                args = Args([key, value])
                args.receiver = base
                args.name = method
                self._api(child, args, False)

    def i_store_item(self, i: ir.StoreItem) -> None:
        value = self.cells.get(i.src, BOTTOM)
        base = self.cells.get(i.obj, BOTTOM)
        key: str | int | None = i.key
        if key is None and i.reg >= 0:
            index = self.cells.get(i.reg, BOTTOM)
            if isinstance(index.const, str | int) and not isinstance(index.const, bool):
                key = index.const
            elif index.labels:
                for alloc in base.allocs:
                    if alloc.kind == "dict":
                        self.put(alloc, "$keys", self.derived([index]), weak=True)
        if key is None and i.reg >= 0:
            for alloc in base.allocs:
                alloc.mixed = True
        self.store(base, "*" if key is None else key, self._stepped(value, i, "put into a container") if value.labels else value)
        if base.refs:
            given = Value(const=key) if key is not None else self.cells.get(i.reg, BOTTOM) if i.reg >= 0 else BOTTOM
            self._stored_in_library(base, "__setitem__", given, value)

    def i_store_global(self, i: ir.StoreGlobal) -> None:
        value = self.cells.get(i.src, BOTTOM)
        self.solver.store_global(self.fn, self.mod, i.name, self.export(value))
        self.remember(i.name, value)

    def i_build(self, i: ir.Build) -> None:
        alloc = self.alloc((i.start, i.end, "build", i.dst), i.kind, closed=True)
        alloc.constant = True
        behind = False  # of a spread: places are not known any more
        for number, part in enumerate(i.parts):
            value = self.cells.get(part, BOTTOM)
            key = i.keys[number] if number < len(i.keys) else number
            if i.spread and i.spread[number]:
                alloc.constant = alloc.constant and bool(value.allocs) and all(one.constant for one in value.allocs)
                behind = behind or i.kind == "list"
                self._spread(alloc, value)
                continue
            if value.labels or (
                value.const is NO_CONST and not value.refs and not (value.allocs and all(one.constant for one in value.allocs))
            ):
                alloc.constant = False
            if key is None:
                key = "*" if i.kind in ("dict", "set") else number
            if i.kind == "set":
                key = number
            if behind:
                key = "*"
            self.put(alloc, key, value)
        self.write(i.dst, Value(allocs=(alloc,)))

    def _spread(self, alloc: Alloc, value: Value) -> None:
        for one in value.allocs:
            if one is alloc:
                continue
            for key in list(one.keys):
                found = self.cells.get((one, key))
                if found is not None:
                    self.put(alloc, key if alloc.kind == "dict" else "*", found, weak=alloc.kind != "dict")
        if value.labels and not any(one.closed for one in value.allocs):
            self.put(alloc, "*", self.part(value, "*"), weak=True)

    def i_concat(self, i: ir.Concat) -> None:
        parts: list[Value] = []
        text = i.literals[0] if i.literals else ""
        fixed = bool(_WITH_HOST.match(text))
        seen = bool(text)
        for number, part in enumerate(i.parts):
            value = self.cells.get(part, BOTTOM)
            if any(alloc.kind in _CONTAINERS for alloc in value.allocs):
                value = self.collapse(value)  # the text shows what is inside
            if isinstance(value.const, str | int) and not value.labels:
                text += str(value.const)
                fixed = fixed or bool(_WITH_HOST.match(text))
            elif value.labels:
                parts.append(self.derived([value], clear=BIT["url"]) if fixed else value)
            fixed = fixed or (not text and bool(value.proven & HOST_FIXED))
            literal = i.literals[number + 1] if number + 1 < len(i.literals) else ""
            text += "\0" if value.const is NO_CONST else ""
            text += literal
            # After a base address of any kind, what follows a slash cannot change the host any more.
            fixed = fixed or bool(_WITH_HOST.match(text)) or (text.startswith("\0") and "/" in literal.replace("://", ""))
            seen = True
        if not parts:
            consts = [self.cells.get(part, BOTTOM).const for part in i.parts]
            if seen and all(isinstance(const, str | int) for const in consts):
                made = i.literals[0] + "".join(f"{const}{i.literals[n + 1]}" for n, const in enumerate(consts))
                self.write(i.dst, Value(const=made[: limits.LITERAL_CHARS]))
                return
        made_text = _begun(self.derived(parts, "becomes part of a text"), i.literals[0] if i.literals else "")
        self.write(i.dst, made_text.with_(proven=made_text.proven | (HOST_FIXED if fixed else 0), head=text.partition("\0")[0]))

    def i_binary(self, i: ir.Binary) -> None:
        left, right = self.cells.get(i.left, BOTTOM), self.cells.get(i.right, BOTTOM)
        if i.op == "|" and self.solver.operators and (left.refs or right.refs):
            if self.solver.makes_chain(left, right):
                self.write(i.dst, self.chain([left, right]))
                return
        if i.op == "+" and isinstance(left.const, str) and isinstance(right.const, str):
            self.write(i.dst, Value(const=(left.const + right.const)[: limits.LITERAL_CHARS]))
            return
        if i.op == "+" and (left.allocs or right.allocs):
            kinds = {alloc.kind for alloc in (*left.allocs, *right.allocs)}
            made_here = [bool(side.allocs) and {alloc.kind for alloc in side.allocs} <= {"list", "tuple"} for side in (left, right)]
            if kinds and (kinds <= {"list", "tuple"} or any(made_here)):  # to a list, only a list can be added
                alloc = self.alloc((i.start, i.end, "plus", i.dst), "list", closed=all(one.closed for one in (*left.allocs, *right.allocs)))
                for side, value in enumerate((left, right)):
                    for one in value.allocs:
                        if side == 0 and len(left.allocs) == 1 and not one.mixed:
                            for key in one.keys:  # the places on the left stay what they are
                                found = self.cells.get((one, key))
                                if found is not None:
                                    self.put(alloc, key, found)
                            continue
                        found = self.contents(one)
                        if found is not BOTTOM:
                            self.put(alloc, "*", found, weak=True)
                    if value.labels:
                        self.put(alloc, "*", self.part(value, "*"), weak=True)
                self.write(i.dst, Value(allocs=(alloc,)))
                return
        if i.op == "*" and (repeated := self._repeated(left, right, i)) is not None:
            self.write(i.dst, repeated)
            return
        fixed = i.op in ("+", "%") and (
            bool(left.proven & HOST_FIXED) or (isinstance(left.const, str) and bool(_WITH_HOST.match(left.const)))
        )
        refs: list[Any] = []
        if i.op == "/":
            refs = [ref for ref in left.refs if getattr(ref, "text", "").startswith("pathlib.")]
        what = "becomes part of a text" if i.op in ("+", "%") else ""
        if i.op == "/":
            made = self.joined([left, right], "")
        elif fixed:  # what follows cannot change the host any more
            made = join(self.derived([left], what), self.derived([right], what, clear=BIT["url"]))
        else:
            made = self.derived([left, right], what)
        base = left.const is NO_CONST and isinstance(right.const, str) and "/" in right.const.replace("://", "")
        if fixed or (i.op == "+" and base):
            made = made.with_(proven=made.proven | HOST_FIXED)
        if i.op in ("+", "%") and isinstance(left.const, str):
            made = _begun(made, left.const.partition("%")[0] if i.op == "%" else left.const)
        if i.op == "+" and isinstance(left.const, str):
            made = made.with_(head=left.const)
        elif i.op in ("+", "%") and left.head:
            made = made.with_(head=left.head)
        for ref in left.refs:
            if isinstance(ref, Inst):
                method = ref.cls.method(_OPERATOR_METHODS.get(i.op, ""))
                if method is not None:
                    made = join(made, self.call_function(method, left, [right], {}))
        if refs:
            made = made.with_(refs=tuple(refs))
        if i.op == "/":
            self._origin(i.dst, [self.cells_of(i.left) if left.labels else (), self.cells_of(i.right) if right.labels else ()], True)
        self.write(i.dst, made)

    def _origin(self, register: int, operands: list[tuple[Any, ...]], part: bool) -> None:
        """The register holds a path made of the operands: what is shown of it is shown of them."""
        self.origins.pop(register, None)
        found: list[tuple[Any, Value]] = []
        for cell in dict.fromkeys(cell for cells in operands for cell in cells):
            inner, part_of = (cell.cell, cell.part) if type(cell) is PathOf else (cell, False)
            value = self.cells.get(inner)
            if value is not None and inner != register:
                found.append((PathOf(inner, part or part_of), value))
        if found:
            self.origins[register] = tuple(found)

    def _repeated(self, left: Value, right: Value, i: ir.Binary) -> Value | None:
        """``[x] * n``: a list of as many as nobody knows."""
        value = left if left.allocs else right
        if not value.allocs or any(alloc.kind not in ("list", "tuple") for alloc in value.allocs):
            return None
        alloc = self.alloc((i.start, i.end, "times", i.dst), "list", closed=all(one.closed for one in value.allocs))
        alloc.constant = all(one.constant for one in value.allocs)
        alloc.mixed = True
        self.put(alloc, "*", join_all([*(self.contents(one) for one in value.allocs), self.part(value, "*")]))
        return Value(allocs=(alloc,))

    def i_unary(self, i: ir.Unary) -> None:
        value = self.cells.get(i.operand, BOTTOM)
        if isinstance(value.const, int | float) and i.op == "-":
            self.write(i.dst, Value(const=-value.const))
            return
        self.write(i.dst, self.derived([value]))

    def i_test(self, i: ir.Test) -> None:
        left = self.cells.get(i.left, BOTTOM)
        right = self.cells.get(i.right, BOTTOM) if i.right >= 0 else BOTTOM
        pred = guards.prove(self, i.op, i.left, left, i.right, right)
        self.programs.tested(i, left, right)
        self.write(i.dst, Value(pred=pred) if pred is not None else BOTTOM)

    def looked_at(self, labels: frozenset[Label], aspects: int) -> None:
        self.programs.looked.append((labels, aspects))

    def refused_parts(self, labels: frozenset[Label], aspects: int) -> None:
        self.programs.refuse([(labels, aspects)], "raise")

    def cells_of(self, register: int) -> tuple[Any, ...]:
        """A register, the field that it was read from, the parameter that it is, and what it is the text or the path of."""
        loaded = self.loaded.get(register)
        cells: tuple[Any, ...] = (register,) if loaded is None else (register, loaded)
        value = self.cells.get(register)
        if value is not None and len(value.labels) == 1:
            (label,) = value.labels
            if label.exact and label.source is None and not label.path:
                cells += (("in", label.param),)
        for cell, held in self.origins.get(register, ()):
            now = self.cells.get(cell.cell if type(cell) is PathOf else cell)
            if now is held or (now is not None and self._unchecked(now) is self._unchecked(held)):
                cells += (cell,)
        return cells

    def _unchecked(self, value: Value) -> Value:
        """The value as it was before checks added to it."""
        known = self.learned.get(id(value))
        return known[1] if known is not None else value

    def cells_holding(self, value: Value) -> list[Any]:
        if not value.labels:
            return []
        registers = [register for register, one in self.cells.items() if one is value and isinstance(register, int)]
        return list(dict.fromkeys(cell for register in registers for cell in self.cells_of(register)))

    def i_call(self, i: ir.Call) -> None:
        callee = self.cells.get(i.fn, BOTTOM)
        cells = self.cells
        if not i.kw:
            if not i.args:
                args = Args([])
            else:
                star = None
                positional = []
                for register in i.args:
                    if register >= 0:
                        positional.append(cells.get(register, BOTTOM))
                    else:
                        starred = cells.get(~register, BOTTOM)
                        known = self._known_elements(starred)
                        if known is not None:
                            positional += known
                        else:
                            star = join(star or BOTTOM, self.elements(starred))
                args = Args(positional, None, star)
        else:
            args = self._arguments(i)
        args.cells = [self.cells_of(register) if register >= 0 else () for register in i.args]
        args.name = self.named_calls.get(i.fn, "")
        if callee.bound is not None:
            loaded = self.receivers.get(i.fn)
            args.receiver_cells = self.cells_of(loaded) if loaded is not None else ()
        if not callee.refs and not args.name and i.fn in self.fn.ir.names.values():
            args.name = next((name for name, register in self.fn.ir.names.items() if register == i.fn), "")
        for ref in callee.refs:
            special = guards.SPECIAL.get(getattr(ref, "text", ""))
            if special is not None:
                made = special(self, args)
                if made is not None:
                    self.write(i.dst, made)
                    return
        before = self.programs.version
        result = self.call(callee, args)
        self.at = i
        self.origins.pop(i.dst, None)
        if args.cells and any(getattr(ref, "text", "") in _TEXT_OF for ref in callee.refs):
            inner = ((cell, cells.get(cell.cell if type(cell) is PathOf else cell)) for cell in args.cells[0])
            self.origins[i.dst] = tuple((cell, value) for cell, value in inner if value is not None)
        else:
            self._path_made(i.dst, callee, args)
        receiver = callee.bound
        if args.name in ("get", "pop") and len(args.positional) == 2 and args.positional[1].const is False:
            name = args.positional[0].const
            decided = isinstance(name, str) and optin.is_permission(name)
            if decided and result.pred is None and receiver is not None and guards.configured(self, receiver):  # off by default
                result = result.with_(pred=(((GATE, 0, 0, (str(name),), ""),), ()), const=NO_CONST)
        if receiver is not None and receiver.labels and args.name in _SAME_TEXT | _CUTS and result.labels:
            if receiver.subject:
                result = result.with_(subject=receiver.subject, proven=result.proven | receiver.proven & NAME_HEAD)
            elif args.name in _CUTS and args.positional and args.positional[0].const == ".":
                result = result.with_(subject=args.receiver_cells, proven=result.proven | NAME_HEAD)
        self.named_calls.pop(i.dst, None)
        self.loaded.pop(i.dst, None)
        self.write(i.dst, result)
        self.programs.called(i.dst, i, args, self.receivers.get(i.fn) if callee.bound is not None or args.name else None, callee)
        self.programs.again(before)
        if callee.refs and not callee.loose and all(map(self.never_returns, callee.refs)):
            self.dead = True
            self.jump = "raise"

    def _path_made(self, register: int, callee: Value, args: Args) -> None:
        """Where a call gives the path that its arguments make together (``abspath(x)``, ``join(a, b)``): the result's origins."""
        for ref in callee.refs:
            if isinstance(ref, ApiPath) and any("joined-path" in getattr(entry, "marks", ()) for entry in ref.entries):
                values, places = args.positional, args.cells
                if any(entry.same == "self" or "self" in entry.passes for entry in ref.entries if isinstance(entry, Api)):
                    values, places = [args.receiver or BOTTOM, *values], [args.receiver_cells, *places]
                operands = [place for value, place in zip(values, places, strict=False) if value.labels]
                self._origin(register, operands, len(values) > 1)
                return
            if isinstance(ref, Fn) and len(callee.refs) == 1:
                summary = self.solver.summary(self.fn, ref)
                labels = summary.returns.labels if summary is not None else ()
                for label in labels if len(labels) == 1 else ():  # the function gives back what it was given
                    place = label.param - (1 if ref.bound else 0)
                    if label.source is None and label.exact and not label.path and 0 <= place < len(args.cells):
                        self._origin(register, [args.cells[place]], False)
                return

    def _known_elements(self, value: Value) -> list[Value] | None:
        """The elements of a tuple or list of known length."""
        if len(value.allocs) != 1 or not value.allocs[0].closed or value.labels:
            return None
        alloc = value.allocs[0]
        if alloc.kind not in ("tuple", "list") or any(not isinstance(key, int) for key in alloc.keys):
            return None
        return [self.cells.get((alloc, key), BOTTOM) for key in alloc.keys]

    def _arguments(self, i: ir.Call) -> Args:
        cells = self.cells
        positional: list[Value] = []
        star: Value | None = None
        for register in i.args:
            if register >= 0:
                positional.append(cells.get(register, BOTTOM))
            else:
                starred = cells.get(~register, BOTTOM)
                known = self._known_elements(starred)
                if known is not None:
                    positional += known
                else:
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
        args.kw, args.star, args.spread = kw, star, spread
        return args

    def i_decorate(self, i: ir.Decorate) -> None:
        decorator, target = self.cells.get(i.decorator, BOTTOM), self.cells.get(i.target, BOTTOM)
        made = target
        for ref in decorator.refs:
            for entry in getattr(ref, "entries", ()):
                callback = getattr(entry, "decorates", None)
                if callback is not None and (callback.parameters or callback.by_name or callback.is_):
                    self.register(target, callback)
            if isinstance(ref, Fn):
                self.call(decorator, Args([target]))
                for node in ref.api:
                    for entry in node.entries:
                        callback = getattr(entry, "decorates", None)
                        if callback is not None:
                            self.register(target, callback)
        self.write(i.dst, made)

    def i_func(self, i: ir.Func) -> None:
        fn = self.mod.functions[i.function]
        allocs: tuple[Alloc, ...] = ()
        if i.captures:
            alloc = self.alloc((i.start, i.end, "closure", i.function), "closure", closed=True)
            for number, register in enumerate(i.captures):
                self.put(alloc, f"$c{number}", self.cells.get(register, BOTTOM))
            self.closures[fn.id] = i.captures
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
        self.write(i.dst, made)

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
        self.write(i.dst, made)

    # ------------------------------------------------------------------------------------------- leaving

    def _return_value(self, value: Value) -> None:
        self.return_shape = join_shapes(self.return_shape, self.export(value))
        if self.traced:
            whole = self.collapse(value)
            for label, node in (whole.steps or {}).items():
                self.return_steps.setdefault(label, node)

    def _exit(self, value: Value, implicit: bool = False, looked: Looked | None = None) -> None:
        """A normal return: what it gives, and what is proven of the parameters there."""
        self.returned = value if self.returned is None else join(self.returned, value)
        if not implicit or value.const is None:
            self._return_value(value)
        held: dict[int, tuple[int, int]] = {}
        for index in range(len(self.fn.ir.params)):
            found = self.cells.get(("in", index))
            if found is not None:
                weak = -1
                for label in found.labels:
                    if label.param == index and label.exact and not label.path:
                        weak &= label.weak
                        held[index] = (found.proven & HELD, weak)
        self.exit_proofs.append(held)
        truth = value.const
        if truth is NO_CONST and value.pred is not None:
            for facts, out in ((value.pred[0], self.true_proofs), (value.pred[1], self.false_proofs)):
                more = _with_looked(held, looked)
                for cells, proven, weak, _, _ in facts:
                    for cell in cells:
                        whole = cell.cell if type(cell) is PathOf else cell
                        if type(whole) is tuple and whole[0] == "in" and whole[1] in more:
                            shown, doubted = proven & HELD, weak
                            if type(cell) is PathOf:
                                shown, doubted = shown & (PATHS | CONTAINED), doubted & PATHS
                                shown = shown if not cell.part else CONTAINED if shown else 0
                            old = more[whole[1]]
                            more[whole[1]] = (old[0] | shown, old[1] | doubted)
                out.append(more)
        elif truth is NO_CONST:
            self.true_proofs.append(_with_looked(held, looked))
            self.false_proofs.append(_with_looked(held, looked))
        elif truth:
            self.true_proofs.append(held)
        else:
            self.false_proofs.append(held)

    def i_return(self, i: ir.Return) -> None:
        value = self.cells.get(i.src, BOTTOM) if i.src >= 0 else Value(const=None)
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

    def i_break(self, i: ir.Break) -> None:
        if self.loops and self.journal is not None:
            self.loops[-1].append({})
        self.dead = True
        self.jump = "next"

    def i_continue(self, i: ir.Continue) -> None:
        self.dead = True
        self.jump = "next"

    # --------------------------------------------------------------------------------------- compound

    def i_if(self, i: ir.If) -> None:
        deltas: list[dict[Any, Value]] = []
        outside = self.gates
        gates: list[tuple[Any, ...]] = []
        outer = self.begin()  # the path on which no condition has held so far
        named = self.lasting
        known: list[tuple[Fact, ...]] = []  # what the conditions themselves have shown
        failed: tuple[Fact, ...] = ()
        kept: dict[Any, Value] = {}  # what the conditions did to variables and objects: their temporaries end with them
        programs = self.programs
        before = programs.version
        first = len(programs.looked)
        for arm in i.arms:
            inner = self.begin()
            seen = len(programs.looked)
            true, false = self.cond(arm.cond)
            for cell, value in self.end(inner).items():
                self.write(cell, value)
                if type(cell) is tuple or cell in named:
                    kept[cell] = value
            looked = programs.looked[seen:]
            programs.enclosing.append(looked)
            delta, alive = self.branch(arm.body, true)
            programs.enclosing.pop()
            if alive:
                deltas.append({**kept, **delta} if kept else delta)
                gates.append(self.inner)
                known.append(true)
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
        rest = self.end(outer, self.lasting)
        if rest_alive:
            deltas.append(rest)
            gates.append(self.gates)
            known.append(failed)
        self.gates = tuple(one for one in gates[0] if all(one in other for other in gates[1:])) if gates else outside
        if not deltas:
            self.dead = True
            return
        checked = self._checked_in_one(deltas, known) if len(deltas) > 1 else []
        self.merge(deltas, True)
        for cell, shown in checked:
            now = self.cells.get(cell, BOTTOM)
            if shown & ~now.proven:
                self.learn(((cell,), 0, shown & ~now.proven, (), "a check is made on some of the ways only"))

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
        for _ in range(limits.LOOP_ROUNDS if self.inside == 1 else 2):
            outer = self.begin()
            facts: tuple[Fact, ...] = ()
            if i.cond is not None:
                facts, exit_facts = self.cond(i.cond)
            delta, _ = self.branch(i.body, facts)
            self.merge([delta], False)
            whole = self.end(outer, self.lasting)
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
        self.gates = gates
        broken = _breaks(i.body)
        if i.cond is None and not broken and i.body and type(i.body[0]) is ir.Elem:
            self._each_checked(i.body[0], delta)
        if not broken:
            for fact in exit_facts:
                self.learn(fact)
        if i.orelse:
            delta, alive = self.branch(i.orelse)
            if alive or broken:
                self.merge([delta], not broken)
            else:
                self.dead = True
        elif i.cond is not None and _forever(i.cond) and not broken:
            self.dead = True
        self.programs.again(before)

    def _each_checked(self, elem: ir.Elem, delta: dict[Any, Value]) -> None:
        """A loop over all that a host resolves to, left where one of them is refused: after it the address is checked."""
        source = self.cells.get(elem.src, BOTTOM)
        subject = source.subject or self.elements(source).subject
        for cell in subject:
            proven = delta[cell].proven & BIT["url"] if cell in delta else 0
            if proven:
                self.learn(((cell,), proven, 0, (), ""))

    def i_try(self, i: ir.Try) -> None:
        self.raised.append([]) if self.raised else self.raised.extend([[], []])
        programs = self.programs
        before = programs.version
        refused, by_raise = dict(programs.refused), dict(programs.raised)
        gates = self.gates
        outer = self.begin()
        self.block(i.body)
        body_alive = not self.dead
        self.dead = False
        thrown = self.raised.pop()
        mid = self.end(outer, self.lasting)
        deltas: list[dict[Any, Value]] = []
        if body_alive:
            outer = self.begin()
            for cell, value in mid.items():
                self.write(cell, value)
            self.block(i.orelse)
            alive = not self.dead
            self.dead = False
            delta = self.end(outer, self.lasting)
            if alive:
                deltas.append(delta)
        inner, self.gates = self.gates, gates
        goes_on = bool(deltas)
        caught = join_all(thrown)
        swallowed = False
        for handler in i.handlers:
            outer = self.begin()
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
            self.block(handler.body)
            alive = not self.dead
            self.dead = False
            delta = self.end(outer, self.lasting)
            if alive:
                deltas.append(delta)
                swallowed = True
        if swallowed:  # what was refused inside may go on behind
            programs.refused, programs.raised = refused, by_raise
            before = programs.version
        self.gates = inner if goes_on and len(deltas) == 1 else gates  # every handler leaves, or one goes on
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


def _begun(made: Value, text: str) -> Value:
    """A text that begins with ``text``: a program that gets it reads no option in the rest."""
    return made.with_(proven=made.proven | NO_OPTION) if made.labels and text.lstrip("-") else made


def _foreign(ref: Any) -> bool:
    """Whether a reference is something of a library of which no model speaks."""
    return ref is EXTERNAL or (isinstance(ref, ApiPath) and not ref.entries)


def _given(value: Value) -> bool:
    """Whether a value is data as it came in from a caller or a source."""
    return any(label.source is not None or label.exact for label in value.labels)


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


def _common(exits: list[dict[int, tuple[int, int]]], partly: bool = False) -> tuple[Proof, ...]:
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
            made.append((index, proven, weak, ""))
    return tuple(made)


def _breaks(block: list[Any]) -> bool:
    """Whether a ``break`` of this loop is in the block."""
    for instr in block:
        kind = type(instr)
        if kind is ir.Break:
            return True
        if kind is ir.If and (any(_breaks(arm.body) for arm in instr.arms) or _breaks(instr.orelse)):
            return True
        if kind is ir.Try and (
            _breaks(instr.body) or any(_breaks(handler.body) for handler in instr.handlers) or _breaks(instr.orelse) or _breaks(instr.final)
        ):
            return True
    return False


def _forever(cond: Any) -> bool:
    """``while True``."""
    if type(cond) is ir.Leaf:
        return any(type(instr) is ir.Const and instr.dst == cond.reg and instr.value in (True, 1) for instr in cond.pre)
    return False


_OPERATOR_METHODS = {"+": "__add__", "/": "__truediv__", "%": "__mod__", "|": "__or__", "-": "__sub__", "*": "__mul__", "@": "__matmul__"}
_CONSTS: dict[Any, Value] = {}
_HANDLERS: dict[type, Callable[[Interpreter, Any], None]] = {
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
