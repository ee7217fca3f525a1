"""What a call does: summaries of project functions, API models, containers, constructors, unknown callees.

Which summaries exist is the business of ``headwater.taint.solve``; what API models may say of ``headwater.apis.schema``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headwater import limits
from headwater.apis.load import CallRule
from headwater.apis.paths import CALL, UNKNOWN, ApiPath
from headwater.apis.schema import Api
from headwater.index.entities import EXTERNAL, Cls, Fn, Inst
from headwater.index.symbols import instance_refs
from headwater.taint import arrays, chains, containers, handed, hosts, own_tools, sights, slots, unpicklers, verdicts
from headwater.taint.arguments import Args
from headwater.taint.binding import Binding, is_stub
from headwater.taint.interest import CONSTRUCTORS
from headwater.taint.labels import (
    ADDRESS,
    ALL,
    BIT,
    FIRSTS,
    HANDED,
    INSIDE,
    NAME_HEAD,
    NEAR,
    NUMBERS,
    PARSED_URL,
    PATHS,
    RESOLVED,
    TREE_CHECKS,
    Label,
    extend,
    if_resolved,
    ordered,
)
from headwater.taint.learned import in_numbers
from headwater.taint.shapes import Actuals
from headwater.taint.state import Cell, cleared, guessed
from headwater.taint.summary import EMPTY, SLOT, Proof, Summary, ToCallback, ToEntry
from headwater.taint.value import BOTTOM, CHOSEN, ITEMS, NOTHING, Fact, Value, join, join_refs, of_others

if TYPE_CHECKING:
    from headwater.apis.schema import Callback
    from headwater.taint.described import Schema
    from headwater.taint.solve import Solver

UNKNOWN_CALL = "which is not part of the project"
"""What a step says of a call of which nothing is known."""


class Calls(Binding):
    """Calls within a frame."""

    def __init__(self, solver: Solver, fn: Fn, traced: bool = False) -> None:
        super().__init__(solver, fn, traced)
        self.callbacks: dict[Any, ToCallback] = {}
        self.entered: dict[Any, ToEntry] = {}
        self.raised: list[list[Value]] = []
        self.nesting = 0

    def looked_at(self, labels: frozenset[Label], aspects: int) -> None:
        """A condition looks at these aspects of the syntax tree that the labels are part of."""
        raise NotImplementedError

    def refused_parts(self, labels: frozenset[Label], aspects: int) -> None:
        """Programs with such parts are refused from here on."""
        raise NotImplementedError

    def tire(self) -> None:
        """Note, before a call, whether what was made anew is too much.

        A traced run makes more anew than the run of which it is the check, and is to find the same: it goes as far as that one.
        """
        self.calls += 1
        if self.tired:
            return
        tired = self.solver.tired
        if self.traced and not self.virtual:
            self.tired = tired.get(self.fn.id, self.calls + 1) <= self.calls
        elif self.work > limits.WORK:
            self.tired = True
            self.solver.count("functions-cut")
            if not self.virtual:
                tired[self.fn.id] = self.calls

    # --------------------------------------------------------------------------------------------- entry points

    def call_function(self, fn: Fn, receiver: Value | None, args: list[Value], kw: dict[str, Value]) -> Value:
        return self._apply(fn, receiver, Args(args, kw), False, None)

    def call_value(self, value: Value, args: list[Value], kw: dict[str, Value]) -> Value:
        return self.call(value, Args(args, kw))

    def call(self, callee: Value, args: Args) -> Value:
        """The result of calling ``callee``."""
        if self.depth >= limits.CALL_DEPTH:
            self.solver.count("nested-callbacks")
            return self.derived(args.everything(), drop=1)
        self.depth += 1
        try:
            return self._call(callee, args)
        finally:
            self.depth -= 1

    def _call(self, callee: Value, args: Args) -> Value:
        receiver = callee.bound
        args.receiver, args.callee = receiver, callee
        made = BOTTOM
        known = False
        if args.name and receiver is not None:
            found = None
            if self.mod.script:
                if not any(isinstance(ref, Fn | Cls) or _is_known(ref, args.name) for ref in callee.refs):
                    found = arrays.method(self, args.name, receiver, args)
            elif not _typed(receiver) or self._mapping(receiver):
                found = containers.method(self, args.name, receiver, args)
            if found is not None:
                return found
        for alloc in callee.allocs:
            if alloc.kind == CHOSEN:
                self._call_chosen(callee, self.cells.get((alloc, "$name"), BOTTOM), args)
        refs = callee.refs[: limits.DISPATCH]
        args.among = refs if len(refs) > 1 else ()
        body = any(isinstance(ref, Cls) or (isinstance(ref, Fn) and not callee.loose and not is_stub(ref)) for ref in refs)
        numbers = body and any(isinstance(ref, ApiPath) and self._of_numbers(ref, args) for ref in refs)
        for ref in refs:
            if isinstance(ref, Fn):
                value = self._apply(ref, receiver if ref.bound else None, args, callee.loose, callee)
                answers = self.solver.answers(ref)
                if numbers or (ref.api and any(self._of_numbers(node, args) for node in ref.api)):
                    value = cleared(value, NUMBERS)
                made = join(made, self._answered(ref, answers) if answers else value)
                known = known or bool(answers) or (not is_stub(ref) and not callee.loose)
                for node in ref.api:
                    value, _ = self._api(node, args, True)
                    made = join(made, value)
            elif isinstance(ref, ApiPath):
                value, decided = self._api(ref, args, body or (callee.loose and self._covered(ref, refs)))
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
        if callee.labels and refs and all(map(_of_anything, refs)):  # the caller knows what has the method
            made = join(made, self._unknown_callback(callee, args))
        if known and sum(isinstance(ref, Cls) for ref in refs) < limits.REFS:  # of a longer table of classes not all are told apart
            return made
        weak = 0
        if refs and all(type(ref) is Fn and "abstract" in ref.ir.flags for ref in refs):
            made = join(made, self._unknown_callback(callee, args))
        elif not refs:
            told = self._unknown_callback(callee, args)
            weak = HANDED if told.labels and len(told.labels) == len(callee.labels) else 0
            made = join(made, told)
            self.solver.count("calls-unresolved")
        given = args.everything()
        own_tools.listed(self, args)
        self._handed_functions(given)
        values = [self._outcome(value) for value in given]
        checked = made.proven if callee.loose and len(refs) == 1 else 0  # the one function of that name looks at what it is given
        if receiver is not None:
            values.append(receiver)
        elif callee.labels and not any(label.exact for label in callee.labels):
            values.append(callee)
        what = f"through {args.name or 'a function'}(), {UNKNOWN_CALL}"
        objects: list[Value] = []  # which of their fields the result is made of is a second guess
        others: list[Value] = []
        asked: list[Value] = []  # with data in fields: it gives something for them, and hardly one of them as an address to go to
        for value in values:
            fields = bool(value.allocs) and not value.labels and all(alloc.kind == "dict" for alloc in value.allocs)
            (objects if any(type(ref) is Inst for ref in value.refs) else asked if fields else others).append(value)
        prompt = BIT["prompt-system"]  # what an unknown function makes of it is hardly what it was told
        other = join(
            self.derived(others, what, clear=prompt, drop=1, weak=weak), self.derived(objects, what, clear=prompt, drop=2, weak=weak)
        )
        other = join(other, self.derived(asked, what, clear=BIT["redirect"] | prompt, drop=1, weak=weak))
        return join(made, other.with_(proven=checked) if checked and other.labels else other)

    def _of_numbers(self, node: ApiPath[Any], args: Args) -> bool:
        """Whether a model says of a method that it gives numbers, as every method does that takes its place."""
        return any(self._cleared(entry, args) & NUMBERS == NUMBERS for entry in node.entries if isinstance(entry, Api))

    def _call_chosen(self, callee: Value, name: Value, args: Args) -> None:
        """A method is called whose name comes from elsewhere, with arguments that come from there too."""
        if (callee.proven | name.proven) & BIT["code"]:
            return
        given = {label.source for value in args.everything() for label in self.collapse(value).labels}
        kinds = {source.kind for source in given if source is not None}
        sink = self.solver.sink("code", self.fn, self.at.start, self.at.end, "getattr()()", "calls the method that it names", "medium")
        for label in ordered(name.labels):
            told = label.source is None or label.source.kind in kinds or None in given
            if given and told and not label.cleared & BIT["code"]:
                self._reach(label, name, sink, 1, 0, label.exact, (), None)

    def _handed_functions(self, given: list[Value]) -> None:
        """An unknown callee is handed functions beside data: it is likely to call them with it, or with parts of it."""
        functions = [value for value in given if _function(value)]
        if self.projecting or not functions:
            return
        data = [value for value in given if value.labels and not value.refs]
        if data or self.mod.script:  # scripts hand local functions on to whatever calls them, with what these have captured
            lowered = [self.derived([value], drop=1) for value in data]
            for function in functions:
                self.call(function, Args(lowered))

    def _outcome(self, value: Value) -> Value:
        """What an unknown callee may make of an argument: of a function, what that returns, and not what it took from around it."""
        if not _function(value):
            return value
        outer, self.projecting = self.projecting, True
        try:
            return self.call(value, Args([]))
        finally:
            self.projecting = outer

    def _answered(self, fn: Fn, answers: tuple[tuple[ApiPath[Any], Api], ...]) -> Value:
        """What a function gives for which a model answers: its body is the prompt."""
        type_ = self._returned(fn)
        if type_.scalar or type_.literal:
            return Value()
        made = BOTTOM
        for node, entry in answers:
            if entry.decorates is not None:
                made = join(made, self.from_source(entry.decorates.returns, entry.label or f"the result of {fn.name}()"))
            called = node.child(CALL)
            result = called.child(CALL) if called is not None else None
            if result is not None:
                made = made.with_(refs=join_refs(made.refs, (result,)))
        return self.typed(made, type_)

    def never_returns(self, ref: Any) -> bool:
        """Whether what is called raises or ends the program."""
        if isinstance(ref, Fn):
            summary = self.solver.summary(self.fn, ref)
            return summary is not None and summary.never
        return isinstance(ref, ApiPath) and any(getattr(entry, "never_returns", False) for entry in ref.entries)

    def _covered(self, node: ApiPath[Any], refs: tuple[Any, ...]) -> bool:
        """Whether a candidate by name does what the model says of an unknown receiver: the finding then stands in the candidate."""
        classes = {sink.class_ for entry in node.entries for sink in getattr(entry, "sinks", ())}
        if not classes:
            return False
        for ref in refs:
            summary = self.solver.summary(self.fn, ref) if isinstance(ref, Fn) else None
            if summary is not None and classes <= {effect.sink.class_ for effect in summary.sinks}:
                return True
        return False

    def _unknown_callback(self, callee: Value, args: Args) -> Value:
        """The caller handed the function over: tell the caller what it is called with."""
        made = BOTTOM
        for label in ordered(callee.labels):
            if label.source is not None or not label.exact or len(label.path) > limits.ACCESS_PATH or CALL in label.path:
                continue
            last = label.path[-1] if label.path else None
            if isinstance(last, str) and last[:1] != "*" and not self.solver.interest.may_be_called(last):
                continue
            key = (label.param, tuple(map(str, label.path)), self.at.start)
            if key not in self.callbacks and len(self.callbacks) >= limits.CALLBACKS:
                self.solver.count("callbacks-cut")
                continue
            if label.path or not self.fn.bound or label.param:
                named = {**self._spread_names(args.spread), **args.kw} if args.spread is not None else args.kw
                told = self.projecting and key in self.callbacks  # only what it gives back is asked for; what it is given has been said
                self.callbacks[key] = (
                    self.callbacks[key]
                    if told
                    else ToCallback(
                        label.param,
                        label.path,
                        tuple(self.export(value) for value in args.positional[: limits.ARGUMENTS_REPORTED]),
                        tuple((name, self.export(value)) for name, value in sorted(named.items())),
                        self.at.start,
                        self.at.end,
                        self.export(args.starred) if args.starred is not None else NOTHING,
                        self.export(args.spread) if args.spread is not None else NOTHING,
                    )
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
        if unpicklers.is_unpickler(cls):
            value = self._unpickler(cls, value, args)
        for path in cls.instance.paths:
            if path.text.endswith(CALL):
                made = self.solver.catalogue.paths.find(path.text[: -len(CALL)])
                for entry in made.entries if made is not None else ():
                    if isinstance(entry, CallRule) or entry.calls:
                        self._entry(entry, path, args, True)
        return value

    def _unpickler(self, cls: Cls, value: Value, args: Args) -> Value:
        """An unpickler of the project, as dangerous as what it reads: unless its list of what may be named holds."""
        but = unpicklers.lets_through(self, cls)
        given = self.derived(args.everything()) if but is not None else BOTTOM
        if but and given.labels:
            given = self.hindered(given, BIT["deserialize"], but)
        return value.with_(labels=given.labels, steps=given.steps) if given.labels else value

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
                    self.store(value, name, guessed(self.item(args.spread, name, None)))

    def _apply(self, fn: Fn, receiver: Value | None, args: Args, loose: bool, callee: Value | None) -> Value:
        """The effects and the result of a function of the project."""
        if self.nesting >= limits.APPLY_DEPTH:
            self.solver.count("nested-calls-cut")
            return BOTTOM
        self.nesting += 1
        try:
            return self._apply_summary(fn, receiver, args, loose, callee)
        finally:
            self.nesting -= 1

    def _apply_summary(self, fn: Fn, receiver: Value | None, args: Args, loose: bool, callee: Value | None) -> Value:
        summary = self.solver.summary(self.fn, fn)
        if self.tired:  # sinks still count; what the call returns is taken to be what it was given
            actuals = self.bind(fn, receiver, args, callee)
            for effect in summary.sinks if summary is not None else ():
                self._sink_effect(fn, effect, actuals, int(loose))
            return self.derived(actuals.values, f"through {fn.name}()", drop=1)
        actuals = self.bind(fn, receiver, args, callee)
        cells = actuals.cells
        drop = 1 if loose else 0
        if fn.id in self.solver.wants and not loose:
            sights.hand(self, fn, actuals)
        if self.traced and not loose:
            self.handed_on.setdefault(fn.id, (self.at.start, self.at.end, actuals.values))
        if loose:
            self.solver.count("calls-by-name")
        if summary is None or (summary is EMPTY and is_stub(fn)):
            return self.typed(self.derived(actuals.values, f"through {fn.name}()", drop=1), self._returned(fn))
        if summary.callbacks and self.nesting < limits.APPLY_DEPTH:
            actuals.callbacks = summary.callbacks
            functions = [self.project(actuals, one.param, one.path) for one in summary.callbacks]
            actuals.called = all(one is not None and (one.refs or one.labels) for one in functions)
        if self.projecting:
            return self._result(fn, summary, actuals, drop)
        answered = {one.sink for one in summary.sinks if CALL in one.path} if actuals.called else ()
        for effect in summary.sinks:
            if not effect.weak & HANDED or effect.sink not in answered:
                self._sink_effect(fn, effect, actuals, drop)
        stores: list[tuple[Value, str | int, Value, bool, bool]] = []
        for mutation in summary.mutations:
            if mutation.param == SLOT:
                name = str(mutation.field)
                made = self.instantiate(
                    mutation.shape, ("slot-of", fn.id, name), f"handed to {fn.name}()", actuals, (fn, "set", mutation.key)
                )
                if not slots.is_variable(name):
                    slots.keep(self, name, self.lower(made) if loose else made, fn)
                elif not (loose or self.virtual):
                    slots.put(self, name, made)
                continue
            if mutation.field is None:
                register = self.closures.get(fn.id)
                index = mutation.param - len(fn.ir.params)
                if register is not None and 0 <= index < len(register):
                    made = self.instantiate(mutation.shape, ("capture", fn.id, index), f"set in {fn.name}()", actuals)
                    self.write(register[index], join(self.cells.get(register[index], BOTTOM), made))
                continue
            if mutation.param < len(cells):
                chains.written_by(self, cells[mutation.param], mutation.path, mutation.field)
            target = self.project(actuals, mutation.param, mutation.path)
            if target is not None and (target.allocs or target.refs):
                if mutation.classes and (refs := self.solver.receivers(target.refs, mutation.classes, True)) is not target.refs:
                    target = target.with_(refs=refs)
                made = self.instantiate(
                    of_others(mutation.shape) if loose else mutation.shape,
                    ("set", fn.id, mutation.key),
                    f"kept in {_field(mutation.field)} by {fn.name}()",
                    actuals,
                    (fn, "set", mutation.key),
                )
                own = fn.bound and not mutation.param and not mutation.path
                told = own and not loose and not mutation.shape.given  # the method itself has told its class so
                stores.append((target, mutation.field, made, own and fn.name not in CONSTRUCTORS, told))
        for target, field, made, asked, told in stores:  # all are made of what the call was given, then all are there
            if field == ITEMS:
                containers.store_items(self, target, made, asked)
                continue
            field = self.given_key(field, actuals)
            self.store(target, field, made, asked=asked, told=told)
            if field == "*":
                for alloc in target.allocs:
                    alloc.mixed = alloc.mixed or alloc.kind == "instance"
        if stores:
            actuals.known.clear()
        for callback in summary.callbacks:
            function = self.project(actuals, callback.param, callback.path)
            if function is None or (not function.refs and not function.labels):
                continue
            if all(ref is EXTERNAL for ref in function.refs) and function.refs:
                continue
            before = self.version
            self.pass_on(function, callback, ("callback", fn.id, callback.key), f"passed on by {fn.name}()", actuals, False)
            if self.version != before:
                actuals.known.clear()
        if summary.entries and not loose:
            handed.told(self, summary, actuals)
        if summary.raises is not NOTHING and self.raised:
            self.raised[-1].append(self.instantiate(summary.raises, ("raised", fn.id), f"raised by {fn.name}()", actuals))
        result = self._result(fn, summary, actuals, drop) if args.asked else BOTTOM
        self.refused = self.refused or bool(summary.proofs)
        for index, proven, weak, text in summary.proofs:
            proven = self._by_all(args.among, index, proven & ~FIRSTS)
            proven, weak, text = _resolved(actuals, index, proven, weak, text)
            if proven and index < len(cells) and not cells[index] and _gives_back(summary, index):  # nothing else holds it
                result = cleared(result, proven & ALL)
            if index < len(cells):
                self.learn(((*cells[index], *_address(actuals, index, proven | weak)), proven, weak, (), text))
                for fact in _of_host(actuals, index, proven, weak, text):
                    self.learn(fact)
            if weak & TREE_CHECKS and index < len(actuals.values) and not loose:
                self.refused_parts(self.collapse(actuals.values[index]).labels, weak & TREE_CHECKS)
        always, when_true, when_false = summary.parts
        for fact in chains.facts(self, always, cells, actuals) if always and not args.among else ():
            self.learn(fact)
        for proofs in (summary.when_true, summary.when_false):
            for index, _, weak, _ in proofs:
                if weak & TREE_CHECKS and index < len(actuals.values):
                    self.looked_at(self.collapse(actuals.values[index]).labels, weak & TREE_CHECKS)
        if summary.when_true or summary.when_false or when_true or when_false:
            true = (*self._tells(summary.when_true, cells, actuals), *chains.facts(self, when_true, cells, actuals))
            false = (*self._tells(summary.when_false, cells, actuals), *chains.facts(self, when_false, cells, actuals))
            result = result.with_(pred=(true, false))
        for name, when_so, when_not in summary.verdicts:
            pred = (self._tells(when_so, cells, actuals), self._tells(when_not, cells, actuals))
            for alloc in result.allocs if pred[0] or pred[1] else ():
                if (said := self.cells.get((alloc, name))) is not None:
                    verdicts.say(self, (alloc, name), said, pred)
        return result

    def _tells(self, proofs: tuple[Proof, ...], cells: list[tuple[Cell, ...]], actuals: Actuals) -> tuple[Fact, ...]:
        """What a function's result shows of the arguments of a call."""
        if (place := hosts.settled(self, proofs, actuals.values)) >= 0:
            proofs = tuple((index, proven | ADDRESS if index == place else proven, weak, text) for index, proven, weak, text in proofs)
        return _facts(proofs, cells, actuals)

    def hand_on(self, function: Value, callback: Callback, schema: Schema, args: Args) -> None:
        if not function.labels and not any(isinstance(ref, Fn) and ref.ir.captured for ref in function.refs):
            return
        named = [callback.schema] if isinstance(callback.schema, str) else callback.schema
        found = (self._argument(one, args) for one in named if one and one != "callee")
        asked = next((value for value in found if value is not None), None)
        handed.note(self, function, callback, schema, handed.place(asked))

    def pass_on(self, function: Value, callback: ToCallback, site: Any, what: str, actuals: Actuals, asked: bool = True) -> Value:
        """The result of a function among the arguments of a call, called with what the callee calls it with.

        Not ``asked``: nobody looks at the result, so that a function of the project that gets nothing is not called at all
        (it is in the list of what is interpreted by itself, if it does anything).
        """
        if callback.path:  # a method of what was handed over: where that is nothing known, its callee has said what its name tells
            refs = tuple(ref for ref in function.refs if not _told_by_text(ref, callback.path[-1]))
            function = function if len(refs) == len(function.refs) else function.with_(refs=refs)
        given = [self.instantiate(shape, (site, number), what, actuals) for number, shape in enumerate(callback.args)]
        passed = Args(given, {name: self.instantiate(shape, (site, name), what, actuals) for name, shape in callback.kw})
        if callback.starred is not NOTHING:
            starred = self.instantiate(callback.starred, (site, "*"), what, actuals)
            known = self.known_elements(starred)
            if known is not None:
                given += known
            else:
                passed.star, passed.starred = self.elements(starred), starred
        if callback.spread is not NOTHING:
            spread = self.instantiate(callback.spread, (site, "**"), what, actuals)
            closed = bool(spread.allocs) and all(alloc.kind == "dict" and alloc.closed for alloc in spread.allocs)
            if closed or not function.refs:  # else it may be any argument
                passed.spread = spread
        passed.asked = asked
        if not asked and function.refs and all(type(ref) is Fn for ref in function.refs):
            if not any(map(self.holds_something, (function.with_(refs=()), *passed.everything()))):
                return BOTTOM
        return self.call(function, passed)


def _function(value: Value) -> bool:
    """Whether a value is a function of the project."""
    return bool(value.refs) and not value.labels and all(isinstance(ref, Fn) for ref in value.refs)


def _field(name: str | int) -> str:
    """A field in words."""
    return "a field" if str(name)[:1] == "*" else "the fields of their names" if name == ITEMS else str(name)


def _typed(value: Value) -> bool:
    """Whether a receiver is known to be something else than a builtin container."""
    return bool(value.refs) and any(not (isinstance(ref, ApiPath) and ref.text.startswith("?")) for ref in value.refs)


def _is_known(ref: Any, name: str) -> bool:
    """Whether a reference is a method of that name of which a model speaks."""
    return isinstance(ref, ApiPath) and not ref.text.startswith("?") and ref.text.endswith("." + name)


def _of_anything(ref: Any) -> bool:
    """Whether a reference is a method of objects of which nothing is known, of which models say only what it calls."""
    return (
        isinstance(ref, ApiPath)
        and ref.text.startswith(UNKNOWN)
        and all(isinstance(entry, Api) and (entry.by_text or not (entry.sinks or entry.returns or entry.passes)) for entry in ref.entries)
    )


def _told_by_text(ref: Any, name: str | int) -> bool:
    """Whether a reference is a method of this name of something unknown, which what it is given tells about."""
    return isinstance(ref, ApiPath) and ref.text == f"{UNKNOWN}.{name}" and any(getattr(one, "by_text", False) for one in ref.entries)


def _facts(proofs: tuple[Proof, ...], cells: list[tuple[Cell, ...]], actuals: Actuals) -> tuple[Fact, ...]:
    made: list[Fact] = []
    for index, proven, weak, text in proofs:
        if index < len(cells) and cells[index]:
            proven, weak, text = _resolved(actuals, index, proven, weak, text)
            also = actuals.values[index].origin if proven & INSIDE and index < len(actuals.values) else ()
            made.append(((*cells[index], *also, *_address(actuals, index, proven | weak)), proven, weak, (), text))
            made += _of_host(actuals, index, proven, weak, text)
    return tuple(made)


def _of_host(actuals: Actuals, index: int, proven: int, weak: int, text: str) -> tuple[Fact, ...]:
    """What it shows of an address that a function has looked at its host, or at what that resolves to."""
    value = actuals.values[index] if index < len(actuals.values) and (proven | weak) & ADDRESS else BOTTOM
    if not value.subject or value.proven & (PARSED_URL | NAME_HEAD):
        return ()
    return ((value.subject, proven & ADDRESS, weak & (ADDRESS | NEAR) if weak & ADDRESS else 0, (), text),)


def _address(actuals: Actuals, index: int, shown: int) -> tuple[Cell, ...]:
    """The cells of the text that an argument is the parsed form of, where something is shown of it as an address."""
    value = actuals.values[index] if index < len(actuals.values) and shown & ADDRESS else BOTTOM
    return value.subject if value.proven & PARSED_URL else ()


def _resolved(actuals: Actuals, index: int, proven: int, weak: int, text: str) -> tuple[int, int, str]:
    """What a check of a parameter shows of the argument, which the caller may have resolved."""
    if proven & INSIDE and index < len(actuals.values) and actuals.values[index].proven & RESOLVED:
        weak &= ~PATHS
        return if_resolved(proven, RESOLVED), weak, text if weak & ALL else ""
    if weak & NEAR and weak & ADDRESS and index < len(actuals.values) and in_numbers(actuals.values[index]):  # no name passes it
        return proven | weak & ADDRESS, weak & ~(ADDRESS | NEAR), text if weak & ALL & ~ADDRESS else ""
    return proven, weak, text


def _gives_back(summary: Summary, index: int) -> bool:
    """Whether a function returns a parameter as it came."""
    labels = summary.returns.labels
    return bool(labels) and all(label.param == index and label.exact and not label.path and not label.drop for label in labels)
