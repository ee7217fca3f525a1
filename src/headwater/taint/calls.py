"""What a call does: summaries of project functions, API models, containers, constructors, unknown callees.

Which summaries exist is the business of ``headwater.taint.solve``; what API models may say of ``headwater.apis.schema``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from headwater import limits
from headwater.apis import conditions
from headwater.apis.conditions import Argument, Term
from headwater.apis.load import CallRule
from headwater.apis.paths import CALL, ApiPath, expand
from headwater.apis.schema import Api, Callback, Guard, SinkModel
from headwater.index.entities import EXTERNAL, Cls, Fn, Inst
from headwater.index.symbols import instance_refs
from headwater.taint import containers
from headwater.taint.frame import Actuals, Cell, Frame
from headwater.taint.labels import ALL, BIT, PARSED_URL, RESOLVED, Label, bits, derive, extend
from headwater.taint.summary import EMPTY, Issue, Requirement, Sink, ToCallback, ToSink
from headwater.taint.value import BOTTOM, NO_CONST, NOTHING, Fact, Node, Value, join, join_all, join_refs

if TYPE_CHECKING:
    from headwater.taint.solve import Solver

_CONFIDENCE_DROP = {"high": 0, "medium": 1, "low": 2}
_MARKS = {"resolved": RESOLVED, "parsed-url": PARSED_URL}
_APPLY_DEPTH = 3  # properties and callbacks met while one call is applied; deeper nesting is a property that reads itself
_CALL_DEPTH = 6  # callbacks that call callbacks: deeper nesting is recursion


class Args:
    """The arguments of one call, with the cells that they were read from."""

    __slots__ = ("cells", "kw", "kw_cells", "name", "positional", "receiver", "receiver_cells", "spread", "star")

    def __init__(self, positional: list[Value], kw: dict[str, Value] | None = None, star: Value | None = None, spread: Value | None = None) -> None:
        self.positional = positional
        self.kw = kw or {}
        self.star = star
        """Elements of a starred argument."""
        self.spread = spread
        """The mapping of ``**``."""
        self.receiver: Value | None = None
        self.cells: list[tuple[Cell, ...]] = []
        self.kw_cells: dict[str, tuple[Cell, ...]] = {}
        self.receiver_cells: tuple[Cell, ...] = ()
        self.name = ""
        """Attribute name of the callee, where it was written as one."""

    def everything(self) -> list[Value]:
        values = [*self.positional, *self.kw.values()]
        if self.star is not None:
            values.append(self.star)
        if self.spread is not None:
            values.append(self.spread)
        return values


class Calls(Frame):
    """Calls within a frame."""

    def __init__(self, solver: Solver, fn: Fn, traced: bool = False) -> None:
        super().__init__(solver, fn, traced)
        self.sinks: dict[Any, ToSink] = {}
        self.issues: dict[Any, Issue] = {}
        self.callbacks: dict[Any, ToCallback] = {}
        self.raised: list[list[Value]] = []
        self.closures: dict[int, tuple[int, ...]] = {}
        """Registers that local functions capture, by function id."""
        self.depth = 0
        self.nesting = 0

    # --------------------------------------------------------------------------------------------- entry points

    def call_function(self, fn: Fn, receiver: Value | None, args: list[Value], kw: dict[str, Value]) -> Value:
        return self._apply(fn, receiver, Args(args, kw), False, None)

    def call_value(self, value: Value, args: list[Value], kw: dict[str, Value]) -> Value:
        return self.call(value, Args(args, kw))

    def call(self, callee: Value, args: Args) -> Value:
        """The result of calling ``callee``."""
        if self.depth >= _CALL_DEPTH:
            self.solver.count("nested-callbacks")
            return self.derived(args.everything(), drop=1)
        self.depth += 1
        try:
            return self._call(callee, args)
        finally:
            self.depth -= 1

    def _call(self, callee: Value, args: Args) -> Value:
        receiver = callee.bound
        args.receiver = receiver
        made = BOTTOM
        known = False
        if args.name and receiver is not None and not _typed(receiver):
            found = containers.method(self, args.name, receiver, args)
            if found is not None:
                return found
        refs = callee.refs[: limits.DISPATCH]
        body = any(isinstance(ref, Fn) and not _stub(ref) for ref in refs) or any(isinstance(ref, Cls) for ref in refs)
        for ref in refs:
            if isinstance(ref, Fn):
                made = join(made, self._apply(ref, receiver if ref.bound else None, args, callee.loose, callee))
                known = known or not _stub(ref) and not callee.loose
                for node in ref.api:
                    value, _ = self._api(node, args, True)
                    made = join(made, value)
            elif isinstance(ref, ApiPath):
                value, decided = self._api(ref, args, body)
                made = join(made, value)
                known = known or decided
            elif isinstance(ref, Cls):
                made = join(made, self._construct(ref, args))
                known = True
            elif isinstance(ref, Inst):
                method = ref.cls.method("__call__") or ref.cls.method("forward")
                if method is not None:
                    made = join(made, self._apply(method, callee, args, callee.loose, callee))
                    known = True
                for path in ref.paths:
                    value, decided = self._api(path, args, method is not None)
                    made = join(made, value)
                    known = known or decided
        if known:
            return made
        if not refs:
            made = join(made, self._unknown_callback(callee, args))
            self.solver.count("calls-unresolved")
        values = args.everything()
        if receiver is not None:
            values.append(receiver)
        elif callee.labels and not any(label.exact for label in callee.labels):
            values.append(callee)
        return join(made, self.derived(values, f"through {args.name or 'a function'}(), which is not part of the project", drop=1))

    def _unknown_callback(self, callee: Value, args: Args) -> Value:
        """The caller handed the function over: tell the caller what it is called with."""
        made = BOTTOM
        for label in sorted(callee.labels, key=lambda one: one.key):
            if label.source is not None or not label.exact or len(label.path) > limits.ACCESS_PATH or CALL in label.path:
                continue
            key = (label.param, tuple(map(str, label.path)), self.at.start)
            if key not in self.callbacks and len(self.callbacks) >= limits.CALLBACKS:
                self.solver.count("callbacks-cut")
                continue
            if label.path or self.fn.cls is None or label.param:
                self.callbacks[key] = ToCallback(
                    label.param,
                    label.path,
                    tuple(self.export(value) for value in args.positional[: limits.ARGUMENTS_REPORTED]),
                    tuple((name, self.export(value)) for name, value in sorted(args.kw.items())),
                    self.at.start,
                    self.at.end,
                )
                result = extend(label, CALL)
                if result is not label and CALL in result.path:
                    steps = None
                    if self.traced and callee.steps and label in callee.steps:
                        steps = {result: callee.steps[label]}
                    made = join(made, Value(frozenset((result,)), steps=steps))
        return made

    # -------------------------------------------------------------------------------------- project functions

    def _construct(self, cls: Cls, args: Args) -> Value:
        """A new instance."""
        if self.symbols.is_enum(cls):
            return Value(refs=(cls.instance,))  # only members pass: text of an attacker does not
        alloc = self.alloc((self.at.start, "new", cls.id, self.depth), "instance")
        alloc.exact_class = True
        alloc.constant = False
        value = Value(refs=instance_refs(cls), allocs=(alloc,))
        init = cls.method("__init__")
        if init is not None:
            self._apply(init, value, args, False, None)
        else:
            self._fields_from(cls, value, args)
        post = cls.method("__post_init__") or cls.method("model_post_init")
        if post is not None and init is None:
            self._apply(post, value, Args([]), False, None)
        for path in cls.instance.paths:
            if path.text.endswith(CALL):
                for entry in path._patterns.find(path.text[:-2]).entries if path._patterns.find(path.text[:-2]) else ():
                    if isinstance(entry, CallRule) or (isinstance(entry, Api) and entry.calls):
                        self._entry(entry, path, args, True)
        return value

    def _fields_from(self, cls: Cls, value: Value, args: Args) -> None:
        """The constructor that dataclass, pydantic, attrs and NamedTuple make: one store for each field."""
        names: dict[str, None] = {}
        for one in reversed(cls.mro):
            for name, field in one.ir.fields.items():
                if field.annotation is not None and field.annotation.name.rpartition(".")[2] != "ClassVar":
                    names[name] = None
        for name, argument in zip(names, args.positional, strict=False):
            self.store(value, name, argument)
        for name, argument in args.kw.items():
            self.store(value, name, argument)
        if args.spread is not None:
            for name in names:
                if name not in args.kw:
                    self.store(value, name, self.item(args.spread, name, None))

    def _apply(self, fn: Fn, receiver: Value | None, args: Args, loose: bool, callee: Value | None) -> Value:
        """The effects and the result of a function of the project."""
        if self.nesting >= _APPLY_DEPTH:
            self.solver.count("nested-calls-cut")
            return BOTTOM
        self.nesting += 1
        try:
            return self._apply_summary(fn, receiver, args, loose, callee)
        finally:
            self.nesting -= 1

    def _apply_summary(self, fn: Fn, receiver: Value | None, args: Args, loose: bool, callee: Value | None) -> Value:
        summary = self.solver.summary(self.fn, fn)
        if self.work > limits.WORK:  # sinks still count; what the call returns is taken to be what it was given
            actuals, cells = self._bind(fn, receiver, args, callee)
            for effect in summary.sinks if summary is not None else ():
                self._sink_effect(fn, effect, actuals, int(loose))
            return self.derived(actuals, f"through {fn.name}()", drop=1)
        actuals, cells = self._bind(fn, receiver, args, callee)
        drop = 1 if loose else 0
        if loose:
            self.solver.count("calls-by-name")
        if summary is None or summary is EMPTY and _stub(fn):
            return self.typed(self.derived(actuals, f"through {fn.name}()", drop=1), self._returned(fn))
        for effect in summary.sinks:
            self._sink_effect(fn, effect, actuals, drop)
        for mutation in summary.mutations:
            if mutation.field is None:
                register = self.closures.get(fn.id)
                index = mutation.param - len(fn.ir.params)
                if register is not None and 0 <= index < len(register):
                    made = self.instantiate(mutation.shape, ("capture", fn.id, index), f"set in {fn.name}()", actuals)
                    self.write(register[index], join(self.cells.get(register[index], BOTTOM), made))
                continue
            target = self.project(actuals, mutation.param, mutation.path)
            if target is None or not (target.allocs or target.refs):
                continue
            made = self.instantiate(mutation.shape, ("set", fn.id, mutation.key), f"kept in {mutation.field} by {fn.name}()", actuals, (fn, "set", mutation.key))
            self.store(target, mutation.field, made)
            actuals.known.clear()
        for callback in summary.callbacks:
            function = self.project(actuals, callback.param, callback.path)
            if function is None or not function.refs and not function.labels:
                continue
            if all(ref is EXTERNAL for ref in function.refs) and function.refs:
                continue
            site = ("callback", fn.id, callback.key)
            given = [self.instantiate(shape, (site, number), f"passed on by {fn.name}()", actuals) for number, shape in enumerate(callback.args)]
            named = {name: self.instantiate(shape, (site, name), f"passed on by {fn.name}()", actuals) for name, shape in callback.kw}
            self.call_value(function, given, named)
            actuals.known.clear()
        if summary.raises is not NOTHING and self.raised:
            self.raised[-1].append(self.instantiate(summary.raises, ("raised", fn.id), f"raised by {fn.name}()", actuals))
        result = self.instantiate(summary.returns, ("returned", fn.id), f"returned by {fn.name}()", actuals, (fn, "return", None))
        if drop and result.labels:
            result = self._lower(result)
        for index, proven, weak, text in summary.proofs:
            if index < len(cells):
                self.learn((cells[index], proven, weak, (), text))
        if summary.when_true or summary.when_false:
            result = result.with_(pred=(_facts(summary.when_true, cells), _facts(summary.when_false, cells)))
        if not result.refs and fn.ir.returns is not None:
            result = self.typed(result, self._returned(fn))
        return result

    def _lower(self, value: Value) -> Value:
        """One confidence step down."""
        labels: dict[Label, Label] = {label: made for label in value.labels if (made := derive(label, drop=1, exact=True)) is not None}
        steps = {labels[label]: node for label, node in value.steps.items() if label in labels} if value.steps else None
        return value.with_(labels=frozenset(labels.values()), steps=steps)

    def _returned(self, fn: Fn) -> Any:
        return self.symbols.type_value(fn.module, fn.ir.returns, fn.cls)

    def _bind(self, fn: Fn, receiver: Value | None, args: Args, callee: Value | None) -> tuple[Actuals, list[tuple[Cell, ...]]]:
        """Values and cells by parameter (captured variables after them)."""
        params = fn.ir.params
        given, cells = args.positional, args.cells
        if fn.bound and receiver is not None:
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
                spread = args.spread
                labels = self.collapse(spread).labels if spread is not None else frozenset()
                if spread is not None:
                    for one in spread.allocs:
                        for key in list(one.keys):
                            found = self.cells.get((one, key))
                            if found is not None and not (isinstance(key, str) and key.startswith("$")):
                                self.put(alloc, key, found, weak=True)
                actuals.append(Value(labels, allocs=(alloc,), steps=self.collapse(spread).steps if spread is not None else None))
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
                    made = args.star
                if args.spread is not None:
                    taken = self.item(args.spread, param.name, None)
                    made = taken if made is None else join(made, taken)
            actuals.append(made if made is not None else BOTTOM)
            places.append(place)
        if fn.ir.captured:
            actuals += self._captured(fn, callee)
        return Actuals(actuals), places

    def _captured(self, fn: Fn, callee: Value | None) -> list[Value]:
        registers = self.closures.get(fn.id)
        if registers is not None:
            return [self.cells.get(register, BOTTOM) for register in registers]
        found = []
        for number in range(len(fn.ir.captured)):
            value = BOTTOM
            for alloc in callee.allocs if callee is not None else ():
                if alloc.kind == "closure":
                    value = join(value, self.cells.get((alloc, f"$c{number}"), BOTTOM))
                elif alloc.root is not None:
                    value = join(value, self.field(alloc, f"$c{number}") or BOTTOM)
            found.append(value)
        return found

    def _sink_effect(self, fn: Fn, effect: ToSink, actuals: list[Value], drop: int) -> None:
        actual = self.project(actuals, effect.param, effect.path)
        if actual is None:
            return
        value = self.collapse(actual)
        if not value.labels:
            return
        bit = BIT[effect.sink.class_]
        if effect.exact and value.proven & bit:
            return
        requires: list[Requirement] = []
        for requirement in effect.requires:
            verdict = self._required(fn, requirement, actuals, requires)
            if not verdict:
                return
        hop = (self.at.start, self.at.end, fn, effect.key)
        for label in sorted(value.labels, key=lambda one: one.key):
            if label.cleared & bit:
                continue
            self._reach(label, value, effect.sink, effect.drop + drop, effect.weak, effect.exact, tuple(requires), hop, effect.length + 1)

    def _required(self, fn: Fn, requirement: Requirement, actuals: list[Value], out: list[Requirement]) -> bool:
        """Whether a condition on a constant argument may hold here; what depends on this function's own caller goes to ``out``."""
        value = self.project(actuals, requirement.param, requirement.path)
        const: Any = NO_CONST
        if value is BOTTOM or value is None:
            if not requirement.path:
                const = self.solver.default(fn, requirement.param)
        else:
            const = value.const
        if const is not NO_CONST:
            equal = type(const) is type(requirement.value) and const == requirement.value
            return equal != requirement.negated
        if value is not None and len(value.labels) == 1:
            (label,) = value.labels
            if label.source is None and label.exact and len(out) < 4:
                out.append(Requirement(label.param, label.path, requirement.value, requirement.negated))
        return True

    def _reach(
        self,
        label: Label,
        value: Value,
        sink: Sink,
        drop: int,
        weak: bool,
        exact: bool,
        requires: tuple[Requirement, ...],
        hop: tuple[int, int, Fn, Any] | None,
        length: int = 0,
    ) -> None:
        """Data with ``label`` reaches ``sink``: a finding, or an effect for the caller."""
        bit = BIT[sink.class_]
        weak = weak or bool(label.weak & bit)
        drop = min(drop + label.drop, limits.DROPS)
        if label.source is not None:
            issue = Issue(label.source, drop, weak, sink, self.fn, hop, length)
            known = self.issues.get(issue.key)
            if known is None or (drop, weak, length) < (known.drop, known.weak, known.length):
                if self.traced:
                    issue.steps = value.steps.get(label) if value.steps else None
                self.issues[issue.key] = issue
            return
        effect = ToSink(label.param, label.path, label.exact and exact, drop, weak, sink, requires, hop, length)
        known_effect = self.sinks.get(effect.key)
        if known_effect is None or (drop, weak, length) < (known_effect.drop, known_effect.weak, known_effect.length):
            if self.traced:
                effect.steps = value.steps.get(label) if value.steps else None
            self.sinks[effect.key] = effect

    # ------------------------------------------------------------------------------------------------ models

    def _api(self, node: ApiPath[Any], args: Args, body: bool) -> tuple[Value, bool]:
        """What the models say of a call; ``body``: the project has the function itself, so they add sources, entries and sanitizers only."""
        made = BOTTOM
        decided = False
        for entry in node.entries:
            value, did = self._entry(entry, node, args, body)
            made = join(made, value)
            decided = decided or did
        child = node.child(CALL)
        if child is not None:
            made = made.with_(refs=join_refs(made.refs, (child,)))
            if not made.allocs and self.solver.holds_state(child):
                made.allocs = (self.alloc((self.at.start, "object", node.text), "instance"),)
        return made, decided

    def _entry(self, entry: Any, node: ApiPath[Any], args: Args, body: bool) -> tuple[Value, bool]:
        if isinstance(entry, CallRule):
            if self.holds(entry.when, args, []) is not False:
                self.solver.report_call(self.fn, entry, node.text, self.at.start, self.at.end)
            return BOTTOM, False
        loose = 1 if node.text.startswith("?") and not entry.passes else 0
        made = BOTTOM
        if entry.sinks and not body:
            for sink in entry.sinks:
                self._sink(sink, node, args, loose)
        if entry.returns and self.holds(entry.when, args, []) is not False:
            made = self.from_source(entry.returns, entry.label or f"the result of {node.text}")
            if loose:
                made = self._lower(made)
            if entry.instance_of:
                made = self._instances(entry, made, args)
        if entry.clears and self.holds(entry.clears_when, args, []) is True or entry.clears and not entry.clears_when:
            values = [self._argument(one, args) for one in entry.passes] if entry.passes else [*args.everything(), *([args.receiver] if args.receiver else [])]
            made = join(made, self.derived([value for value in values if value is not None], "", clear=bits(entry.clears)))
        elif entry.passes and not body:
            values = [value for one in entry.passes if (value := self._argument(one, args)) is not None]
            made = join(made, self.derived(values, f"through {_last(node)}"))
        for target, taken in entry.into.items() if not body else ():
            changed = self._argument(target, args)
            if changed is not None and changed.allocs:
                given = self.derived([value for one in taken if (value := self._argument(one, args)) is not None], f"into {target} by {_last(node)}")
                if given.labels:
                    self.store(changed, "*", given, weak=True)
        if entry.same:
            made = join(made, self._argument(entry.same, args) or BOTTOM)
        if entry.result_of:
            function = self._argument(entry.result_of, args)
            if function is not None:
                made = join(made, self.call_value(function, [], {}))
        for mark in entry.marks:
            if mark == "constant-collection":
                first = args.positional[0] if args.positional else None
                if first is not None and first.allocs and all(alloc.constant for alloc in first.allocs):
                    made = join(made, Value(allocs=first.allocs))
            else:
                made = made.with_(proven=made.proven | _MARKS.get(mark, 0))
                if mark == "parsed-url" and args.cells:
                    made.subject = args.cells[0]
        if entry.makes == "chain":
            stages = [*([args.receiver] if args.receiver is not None else []), *args.positional]
            if args.kw:
                parallel = self.alloc((self.at.start, "keywords"), "dict", closed=True)
                for name, value in args.kw.items():
                    self.put(parallel, name, value)
                stages.append(Value(allocs=(parallel,)))
            made = join(made, self.chain(stages))
        if entry.pipe and args.receiver is not None:
            made = join(made, self._pipe(args.receiver, args))
        if entry.guards:
            made = self._guard(entry.guards, args, made)
        for callback in entry.calls:
            made = join(made, self._hand_over(callback, args, body))
        if entry.decorates is not None and entry.decorates.function in ("", "$0"):
            target_ = args.positional[0] if args.positional else None
            if target_ is not None and any(isinstance(ref, Fn) for ref in target_.refs):
                self.register(target_, entry.decorates)
                made = join(made, target_)
        described = bool(
            entry.sinks
            or entry.returns
            or entry.clears
            or entry.passes
            or entry.into
            or entry.same
            or entry.result_of
            or entry.pipe
            or entry.makes
            or entry.guards
            or entry.calls
            or entry.is_
            or entry.marks
        ) or not (entry.overridden or entry.decorates or entry.yields or entry.clean)
        return made, described and not body

    def _sink(self, model: SinkModel, node: ApiPath[Any], args: Args, drop: int) -> None:
        requires: list[Requirement] = []
        if self.holds(model.when, args, requires) is False:
            return
        bit = BIT[model.class_]
        sink: Sink | None = None
        for one in [model.at] if isinstance(model.at, str) else model.at:
            found = self._argument(one, args)
            if found is None:
                continue
            value = self.collapse(found)
            if not value.labels or value.proven & bit:
                continue
            if sink is None:
                sink = self.solver.sink(model.class_, self.fn, self.at.start, self.at.end, node.text, model.does, model.confidence)
            for label in sorted(value.labels, key=lambda label: label.key):
                if not label.cleared & bit:
                    self._reach(label, value, sink, drop + _CONFIDENCE_DROP[model.confidence], False, label.exact, tuple(requires), None)

    def _argument(self, text: str, args: Args) -> Value | None:
        """The value of an argument path; None where it is not passed."""
        return self.argument(conditions.argument(text), args)

    def argument(self, where: Argument, args: Args) -> Value | None:
        """The value of a parsed argument path; None where it is not passed."""
        value: Value | None = None
        if where.receiver:
            value = args.receiver
        elif where.position == -3:
            value = join_all(args.everything())
        elif where.position == -2:
            value = join_all([*args.positional, *([args.star] if args.star is not None else [])])
        else:
            if 0 <= where.position < len(args.positional):
                value = args.positional[where.position]
            elif where.keyword in args.kw:
                value = args.kw[where.keyword]
            elif where.position >= 0 and args.star is not None:
                value = args.star
            elif where.keyword and args.spread is not None:
                value = self.item(args.spread, where.keyword, None)
                if value is BOTTOM:
                    value = None
        for step in where.steps:
            if value is None:
                return None
            value = self.elements_or_whole(value) if step == "*" else self.item(value, step, None) if isinstance(step, int) else self._get(value, step)
        return value

    def holds(self, text: str, args: Args, requires: list[Requirement]) -> bool | None:
        """Whether a condition holds: False, True, or None where it cannot be decided; what a caller decides goes to ``requires``."""
        parsed = conditions.condition(text)
        if not parsed:
            return True
        best: bool | None = False
        for branch in parsed:
            needed: list[Requirement] = []
            verdict: bool | None = True
            for term in branch:
                one = self._term(term, args, needed)
                if one is False:
                    verdict = False
                    break
                if one is None:
                    verdict = None
            if verdict is True and not needed:
                return True
            if verdict is not False and best is False:
                best = None
                requires += needed
        return best

    def _term(self, term: Term, args: Args, requires: list[Requirement]) -> bool | None:
        value = self.argument(term.argument, args)
        if term.form == "absent":
            return (value is None) != term.negated
        if value is None:
            if term.form == "matches":
                return False
            return term.negated
        if term.form == "constant":
            constant = value.const is not NO_CONST or bool(value.allocs) and all(alloc.constant for alloc in value.allocs)
            return constant != term.negated
        if term.form == "list":
            display = bool(value.allocs) and all(alloc.kind in ("list", "tuple") for alloc in value.allocs)
            if not display and not value.allocs and not value.labels and value.const is NO_CONST:
                return None
            return display != term.negated
        if term.form == "api":
            texts = {ref.text for ref in value.refs if isinstance(ref, ApiPath)}
            if not texts and value.const is NO_CONST:
                return None if not any(ref is EXTERNAL or isinstance(ref, Cls) for ref in value.refs) else term.negated
            types = {name for ref in value.refs for name in getattr(ref, "types", ())}
            types |= {name for ref in value.refs if isinstance(ref, Inst) for path in ref.paths for name in path.types}
            return (str(term.value) in types or any(_is_path(one, str(term.value)) for one in texts)) != term.negated
        if value.const is NO_CONST:
            if value.allocs and not value.labels and all(alloc.closed for alloc in value.allocs):
                return term.negated  # a display is no text, number or truth value
            if term.form == "const" and len(value.labels) == 1 and not any(alloc.closed for alloc in value.allocs):
                (label,) = value.labels
                if label.source is None and label.exact:
                    requires.append(Requirement(label.param, label.path, term.value, term.negated))
            return None
        if term.form == "matches":
            return (isinstance(value.const, str) and re.search(str(term.value), value.const) is not None) != term.negated
        equal = type(value.const) is type(term.value) and value.const == term.value
        return equal != term.negated

    def _instances(self, entry: Api, made: Value, args: Args) -> Value:
        """Parts of a result that are instances of a class given as an argument."""
        for place, argument in entry.instance_of.items():
            cls = self._argument(argument, args)
            classes = [ref for ref in cls.refs if isinstance(ref, Cls)] if cls is not None else []
            if not classes:
                continue
            refs = tuple(ref for one in classes for ref in instance_refs(one))
            steps = [step for step in re.split(r"\.|(?=\[\])", place) if step]
            value = made.with_(refs=refs, allocs=())
            for number, step in enumerate(reversed(steps)):
                alloc = self.alloc((self.at.start, "instance-of", place, number), "instance")
                self.put(alloc, "*" if step == "[]" else step, value)
                value = made.with_(allocs=(alloc,))
            made = value
        return made

    def chain(self, stages: list[Value]) -> Value:
        """A chain of stages (LCEL), flat."""
        flat: list[Value] = []
        for stage in stages:
            for alloc in stage.allocs:
                if alloc.kind == "chain":
                    flat += [self.cells[(alloc, key)] for key in alloc.keys if (alloc, key) in self.cells]
                    break
            else:
                flat.append(stage)
        alloc = self.alloc((self.at.start, self.at.end, "chain"), "chain", closed=True)
        for number, stage in enumerate(flat[: limits.FIELDS]):
            self.put(alloc, number, stage)
        return Value(refs=self.solver.chain_refs, allocs=(alloc,))

    def _pipe(self, receiver: Value, args: Args) -> Value:
        """Call the stages in turn."""
        current = args.positional[0] if args.positional else next(iter(args.kw.values()), BOTTOM)
        for alloc in receiver.allocs:
            if alloc.kind != "chain":
                continue
            for key in alloc.keys:
                stage = self.cells.get((alloc, key), BOTTOM)
                current = self.stage(stage, current)
        return current

    def stage(self, stage: Value, current: Value) -> Value:
        """One stage of a chain called with the result of the one before."""
        if any(alloc.kind == "dict" for alloc in stage.allocs):
            made = self.alloc((self.at.start, "parallel", id(stage.allocs[0]) if False else stage.allocs[0].id), "dict", closed=True)
            for alloc in stage.allocs:
                for key in alloc.keys:
                    part = self.cells.get((alloc, key))
                    if part is not None:
                        self.put(made, key, self.stage(part, current))
            return Value(allocs=(made,))
        if any(isinstance(ref, Fn) for ref in stage.refs):
            return self.call_value(stage, [current], {})
        method = self.attribute(stage, "invoke")
        if any(not (isinstance(ref, ApiPath) and ref.text.startswith("?")) and ref is not EXTERNAL for ref in method.refs):
            return self.call(method, Args([current]))
        return self.derived([current, stage], "through a stage of the chain")

    # -------------------------------------------------------------------------------------- callbacks, guards

    def _hand_over(self, callback: Callback, args: Args, body: bool) -> Value:
        """A function given to a library that will call it."""
        value = self._argument(callback.function, args)
        if value is None:
            return BOTTOM
        functions = [value]
        for alloc in value.allocs:
            if alloc.kind in ("dict", "list", "tuple", "set"):
                functions.append(self.contents(alloc))
        made = BOTTOM
        for function in functions:
            if not any(isinstance(ref, Fn | Cls | Inst) or (isinstance(ref, ApiPath) and ref.entries) for ref in function.refs):
                continue
            if callback.parameters or callback.by_name or callback.is_:
                self.register(function, callback)
            if callback.args or callback.spread or callback.spread_keywords or callback.result:
                given = [found for one in callback.args if (found := self._argument(one, args)) is not None]
                star = None
                if callback.spread:
                    tuple_ = self._argument(callback.spread, args)
                    if tuple_ is not None:
                        numbered = [self.cells[(alloc, key)] for alloc in tuple_.allocs for key in alloc.keys if isinstance(key, int) and (alloc, key) in self.cells]
                        given += numbered
                        if not numbered:
                            star = self.elements(tuple_)
                spread = self._argument(callback.spread_keywords, args) if callback.spread_keywords else None
                result = self.call(function, Args(given, star=star, spread=spread))
                if callback.result:
                    made = join(made, result)
        return made

    def register(self, function: Value, callback: Callback) -> None:
        """The library calls the function with data of its own."""
        for ref in function.refs:
            if isinstance(ref, Fn):
                self.solver.entry(self.fn, ref, callback)
            elif isinstance(ref, Inst) and (method := ref.cls.method("__call__")) is not None:
                self.solver.entry(self.fn, method, callback)

    def _guard(self, guards: list[Guard], args: Args, made: Value) -> Value:
        true: list[Fact] = []
        for guard in guards:
            if self.holds(guard.when, args, []) is False:
                continue
            where = conditions.argument(guard.on)
            value = self.argument(where, args)
            if value is None:
                continue
            if where.receiver:
                cells = args.receiver_cells
            elif 0 <= where.position < len(args.cells):
                cells = args.cells[where.position]
            else:
                cells = args.kw_cells.get(where.keyword, ())
            proves = bits(guard.proves)
            weak = guard.weak or (guard.needs in _MARKS and not value.proven & _MARKS[guard.needs])
            fact: Fact = (cells, 0, proves, (), f"{args.name or 'the check'}() can be passed") if weak else (cells, proves, 0, (), "")
            if guard.raises:
                self.learn(fact)
                if not weak:
                    made = made.with_(proven=made.proven | proves)
            else:
                true.append(fact)
        if true:
            made = made.with_(pred=(tuple(true), ()))
        return made

    def learn(self, fact: Fact) -> None:
        """Attach what a check has shown to the cells that it looked at."""
        cells, proven, weak, refs, _ = fact
        for cell in cells:
            value = self.cells.get(cell)
            if value is None:
                continue
            if refs:
                value = value.with_(refs=tuple(ref for ref in join_all([value, Value(refs=refs)]).refs))
            if proven:
                value = value.with_(proven=value.proven | proven)
                if value.labels and proven & ALL:
                    pass
            if weak and value.labels:
                labels = {label: made for label in value.labels if (made := derive(label, weak=weak, exact=True)) is not None}
                steps: dict[Label, Node] | None = {labels[label]: node for label, node in value.steps.items() if label in labels} if value.steps else None
                value = value.with_(labels=frozenset(labels.values()), steps=steps)
            self.write(cell, value)


def _typed(value: Value) -> bool:
    """Whether a receiver is known to be something else than a builtin container."""
    return bool(value.refs) and any(not (isinstance(ref, ApiPath) and ref.text.startswith("?")) for ref in value.refs)


def _stub(fn: Fn) -> bool:
    """Whether a function has no body to speak of: a protocol's or an abstract method."""
    return "abstract" in fn.ir.flags or all(type(instr).__name__ in ("Const", "Raise") for instr in fn.ir.body[:4]) and len(fn.ir.body) < 4


def _facts(proofs: tuple[tuple[int, int, int, str], ...], cells: list[tuple[Cell, ...]]) -> tuple[Fact, ...]:
    return tuple((cells[index], proven, weak, (), text) for index, proven, weak, text in proofs if index < len(cells) and cells[index])


def _last(node: ApiPath[Any]) -> str:
    return node.text.removesuffix(CALL).rpartition(".")[2] + "()"


def _is_path(text: str, pattern: str) -> bool:
    """Whether an API path is one of a pattern's readings, or ends like it."""
    return any(text == one or text.endswith("." + one) for one in expand(pattern))
