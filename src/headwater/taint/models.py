"""What API models say of a call: sources, sinks, sanitizers, guards, callbacks, chains.

What an entry may say is in ``headwater.apis.schema``; calls of the project's own functions are in ``headwater.taint.calls``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from headwater import limits
from headwater.apis import conditions, patterns
from headwater.apis.load import CallRule
from headwater.apis.paths import CALL, ApiPath, Sited
from headwater.apis.schema import Api, Callback, Cleared, Guard, SinkModel
from headwater.index.entities import EXTERNAL, Cls, Fn, Inst
from headwater.index.symbols import instance_refs
from headwater.taint import (
    addresses,
    components,
    guards,
    hosts,
    optin,
    plug_ins,
    prompts,
    rows,
    schemas,
    secrets,
    sights,
    slots,
    templates,
    texts,
)
from headwater.taint.arguments import Args, Arguments
from headwater.taint.described import ANY, Schema
from headwater.taint.doubt import Doubt
from headwater.taint.filled import filled
from headwater.taint.labels import (
    ADDRESS,
    ALL,
    BASED,
    BEHIND,
    BIT,
    CHECKED,
    CONTAINED,
    DENIED,
    ENDED,
    GLUED,
    HANDED,
    HOST_ALONE,
    HOST_FIXED,
    HOSTED,
    INSIDE,
    LITERAL,
    MODULE,
    NAME_HEAD,
    NEAR,
    NO_DOT,
    NO_OPTION,
    OPTED_IN,
    PARSED_URL,
    PATHS,
    QUOTED,
    RESOLVED,
    SERVICE,
    SLASHED,
    TREE,
    TREE_CHECKS,
    WORD,
    Label,
    bits,
    derive,
    left_of,
    ordered,
    settled,
    source_label,
    steps_down,
    uncleared,
)
from headwater.taint.narrow import narrowed
from headwater.taint.state import Cell, cleared, followed_by, unglued
from headwater.taint.summary import ABSENT, Entry, Issue, Requirement, Sink, ToSink
from headwater.taint.value import (
    BOTTOM,
    GATE,
    NO_CONST,
    ElementsOf,
    Fact,
    Node,
    OnlyObjects,
    PathOf,
    Shape,
    Value,
    as_given,
    captured_key,
    join,
    join_all,
    join_refs,
    only_sources,
)

if TYPE_CHECKING:
    from headwater.taint.solve import Solver

_CONFIDENCE_DROP = {"high": 0, "medium": 1, "low": 2}
_LOWER = {"high": "medium", "medium": "low", "low": "low"}
_AGENTS = ("agent", "dispatcher", "http", "httpAgent", "https", "httpsAgent")
"""Settings of a request, and keys of such a setting, that hold what makes the connection."""
_MARKS = {"resolved": RESOLVED, "parsed-url": PARSED_URL, "module": MODULE, "quoted": QUOTED}
_PACKAGE = re.compile(r"[A-Za-z_]\w*\.")
GIVEN = {"response": "sends it to the caller", "prompt-system": "makes it part of the system prompt"}
"""What a library does with what a function returns that it calls."""
_OTHER_FORM = "what is checked may be another path than what is used"
_WITH_HOST = re.compile(r"[A-Za-z][\w+.-]*://[^/?#\s]")
_NAMED_PARTS = prompts.SYSTEM | BIT["limit"]
_PROGRAMS = ("code", "import", "sandboxed-code")


class Models(Arguments):
    """Calls of what is not in the project, and data that reaches sinks."""

    def __init__(self, solver: Solver, fn: Fn, traced: bool = False) -> None:
        super().__init__(solver, fn, traced)
        self.doubts: dict[int, str] = {}
        """By parameter: what a check of it that can be passed is, in words."""
        self.sinks: dict[Any, ToSink] = {}
        self.issues: dict[Any, Issue] = {}
        self.ways: dict[Any, dict[Any, Issue]] = {}
        """Of a traced run: all calls by which a source reaches a sink, and not the best alone."""
        self.operands: dict[tuple[int, int], list[Value]] = {}
        """Receiver and arguments of calls that are wrong by themselves, by place (traced runs only)."""
        self.handed_on: dict[int, tuple[int, int, list[Value]]] = {}
        """Where a function of the project is called, by its id, and what it is given (traced runs only)."""
        self.gates: tuple[Any, ...] = ()
        """Switches that are not as by default where the instruction at hand is run: requirements, fields with their defaults, or names of
        settings."""
        self.learned: dict[int, tuple[Value, Value]] = {}
        """Values that checks have added to, and what they were before."""
        self.addressed: dict[Any, tuple[Any, ...]] = {}
        """The addresses under which decorators make functions routes, by the object that stands for the decorator."""
        self.refused = False
        """Something on the way raises where a check fails."""

    def off(self, fn: Fn, needed: Requirement) -> bool:
        """Whether a condition fails as long as nobody says otherwise: by the default of a parameter, or of a field of the object."""
        default: Any = NO_CONST
        name = str(needed.path[-1]) if needed.path else fn.ir.params[needed.param].name if needed.param < len(fn.ir.params) else ""
        if not optin.is_permission(name):
            return False
        if not needed.path:
            default = self.solver.default(fn, needed.param)
        elif needed.param == 0 and len(needed.path) == 1 and fn.bound and fn.cls is not None:
            default = self.solver.switch(fn.cls, str(needed.path[0]))
        if needed.default is not None:
            default = needed.default
        return isinstance(default, bool) and (default is needed.value) == needed.negated and isinstance(needed.value, bool)

    def _switched_off(self) -> bool:
        """Whether the instruction at hand is only run where the default of a switch is changed, and nothing in the project changes it."""
        if self.cells.get(optin.CELL, BOTTOM).const is True:
            return True
        for one in self.gates:
            name, default = one if isinstance(one, tuple) else ("", None)
            if isinstance(one, Requirement) and self.off(self.fn, one):
                name, default = str(one.path[-1]) if one.path else self.fn.ir.params[one.param].name, one.value
            if isinstance(default, bool) and not optin.set_anywhere(self.solver, name, not default, (self.fn.cls,) if self.fn.cls else ()):
                return True
        return False

    def call(self, callee: Value, args: Args) -> Value:
        """The result of calling ``callee``."""
        raise NotImplementedError

    def own_data(self, value: Value) -> bool:
        """Whether a value is of the program's own: no data of a caller or a request."""
        return guards.configured(self, value)

    def lower(self, value: Value) -> Value:
        """One confidence step down."""
        labels: dict[Label, Label] = {label: made for label in value.labels if (made := derive(label, drop=1, exact=True)) is not None}
        steps = {labels[label]: node for label, node in value.steps.items() if label in labels} if value.steps else None
        return value.with_(labels=frozenset(labels.values()), steps=steps)

    def of_service(self, value: Value) -> Value:
        """What a service answers in its own form: it may say where the rest is, unlike a page whose links anybody may have written."""
        made = value
        found = frozenset(label for label in value.labels if label.source is not None and label.source.of_service)
        if found:
            made = join(value.with_(labels=value.labels - found), cleared(Value(found, steps=value.steps), ADDRESS))
        given = {label: settled(label, 0, SERVICE) for label in made.labels if label.source is None}
        if given and any(old is not new for old, new in given.items()):
            steps = {given.get(label, label): node for label, node in made.steps.items()} if made.steps else None
            made = made.with_(labels=frozenset(given.get(label, label) for label in made.labels), steps=steps)
        return made

    def _reach(
        self,
        label: Label,
        value: Value,
        sink: Sink,
        drop: int,
        weak: int,
        exact: bool,
        requires: tuple[Requirement, ...],
        hop: tuple[int, int, Fn, Any] | None,
        length: int = 0,
        gated: bool = False,
    ) -> None:
        """Data with ``label`` reaches ``sink``: a finding, or an effect for the caller."""
        bit = BIT[sink.class_]
        if not secrets.followed(self.fn, label, sink.class_, drop + label.drop):
            return
        if self.cells.get(optin.CELL, BOTTOM).const is True:
            weak |= OPTED_IN
        if weak & BEHIND and label.cleared & NO_DOT and bit & PATHS:
            return
        left = NEAR | GLUED | ENDED | BEHIND if bit & PATHS else NEAR | HOSTED | HOST_ALONE | SERVICE if bit & BIT["url"] else 0
        left |= LITERAL if sink.class_ == "sql" else 0
        weak |= label.weak & (bit | OPTED_IN | HANDED | left | (TREE_CHECKS if sink.class_ in _PROGRAMS else 0))
        if sink.class_ == "sql" and label.source is not None and label.source.kind == "library-input" and not weak & LITERAL:
            return  # a number, a condition: who calls wants it to be in the query
        if self.gates:  # what stands behind a switch is asked of the callers too
            requires += tuple(one for one in self.gates if isinstance(one, Requirement) and one not in requires)
            gated = gated or any(not isinstance(one, Requirement) for one in self.gates)
        if label.source is not None:
            gated = gated or any(self.off(self.fn, one) for one in requires)
        drop = limits.DROPS if gated else min(drop + label.drop, limits.DROPS)
        if label.source is not None:
            issue = Issue(label.source, drop, weak, sink, self.fn, hop, length)
            issue.gated = gated
            if self.traced:
                issue.steps = value.steps.get(label) if value.steps else None
                self.ways.setdefault(issue.key, {}).setdefault(hop, issue)
            known = self.issues.get(issue.key)
            if known is None or _better(issue, known):
                self.issues[issue.key] = issue
            return
        whole = label.exact or bool(label.weak & BASED and bit & PATHS) or bool(label.weak & HOSTED and bit & ADDRESS)
        effect = ToSink(label.param, label.path, whole and exact, drop, weak, sink, requires, hop, length)
        known_effect = self.sinks.get(effect.key)
        if known_effect is None or _better(effect, known_effect):
            effect.gated = gated
            if self.traced:
                effect.steps = value.steps.get(label) if value.steps else None
            self.sinks[effect.key] = effect

    # ------------------------------------------------------------------------------------------------ models

    def _api(self, node: ApiPath[Any], args: Args, body: bool) -> tuple[Value, bool]:
        """What the models say of a call; ``body``: the project has the function, so they add sources, entries and sanitizers only."""
        made = BOTTOM
        decided = False
        for entry in node.entries:
            value, did = self._entry(entry, node, args, body)
            made = join(made, value)
            decided = decided or did
        child = node.child(CALL)
        if self.solver.mapped(node, child):
            child = sights.see(self, node, child, args, body)
        for entry in node.entries:
            if getattr(entry, "becomes", "") and self.holds(entry.becomes_when, args, []) is True:
                known = self.solver.catalogue.paths.find(entry.becomes)
                told = type(child) is Sited and known is not None
                child = self.solver.sited(known, self.fn.module.id, self.at.start, self.at.end) if told and known is not None else known
        if child is not None:
            made = made.with_(refs=join_refs(made.refs, (child,)))
            if not made.allocs and self.solver.holds_state(child):
                made.allocs = (self.alloc((self.at.start, "object", node.text), "instance"),)
        for entry in node.entries:
            if getattr(entry, "identity", "") or getattr(entry, "router", ""):
                made = slots.identify(self, made, entry, args)
        return made, decided

    def _entry(self, entry: Any, node: ApiPath[Any], args: Args, body: bool) -> tuple[Value, bool]:
        if isinstance(entry, CallRule):
            self.asserting = True
            wrong = self.holds(entry.when, args, []) is not False
            self.asserting = False
            if wrong:
                rule = msgspec.structs.replace(entry, confidence=_LOWER[entry.confidence]) if self.unsure else entry
                self.solver.report_call(self.fn, rule, node.text, self.at.start, self.at.end, gated=self._switched_off())
                if self.traced:
                    receiver = [args.receiver] if args.receiver is not None else []
                    self.operands[(self.at.start, self.at.end)] = [*receiver, *args.everything()]
            return BOTTOM, False
        if entry.body and (answer := addresses.answer_of(self, args.receiver)) is not None:
            return answer, True
        own = addresses.asked(self, entry.asks, node, args) if entry.asks is not None and not body else None
        answered = own is not None and not addresses.is_open(self, own)
        loose = 1 if node.text.startswith("?") and not (entry.passes or entry.unmistakable) else 0
        made = BOTTOM
        if (entry.sinks or entry.can or entry.returns == "database") and not (body or self.traced):
            sights.does(self, entry, node, args)
        if entry.sinks and not body:
            for sink in entry.sinks:
                if sink.class_ in self.solver.classes and not (answered and sink.class_ == "egress"):
                    self._sink(sink, node, args, loose)
        if own is not None and answered:
            return own, True
        if entry.returns and self.holds(entry.when, args, []) is not False:
            if args.receiver is not None and not self.traced:
                sights.use(self, args.receiver)
            harmless = bits(entry.harmless)
            if args.positional and prompts.asked_for(args.positional[0].const):  # request.form.get("system_prompt")
                harmless |= prompts.SYSTEM
            address = self._address(entry, args) if entry.returns == "retrieved-content" else None
            if address is not None and self._of_own_server(address):
                harmless |= BIT["url"]
            kind, words = entry.returns, entry.label or f"the result of {node.text}"
            if kind == "env" and args.positional and secrets.named(args.positional[0].const):
                kind, words = "secret", f"the environment variable {args.positional[0].const}"
                harmless |= secrets.harmless(args.positional[0].const)
            made = self.from_source(kind, words, harmless, args.receiver)
            if address is not None:
                chosen = any(label.source is not None and not label.cleared & BIT["url"] for label in address.labels)
                for label in made.labels:
                    if label.source is not None:
                        label.source.of_service = not chosen
            if loose:
                made = self.lower(made)
            if own is not None:  # where no route of the project answers it is what it would be without
                self.solver.unanswered[addresses.place(self)] = self.of_service(made).labels
                return own, True
            if args.callee is not None and type(args.callee.const) is Schema:
                made = schemas.applied(self, args.callee.const, made, "given")
            if entry.instance_of:
                made = self._instances(entry, made, args)
            if entry.fills:
                buffer = self._argument(entry.fills, args)
                if buffer is not None and buffer.allocs:
                    self.store(buffer, "*", made, weak=True)
                made = BOTTOM
        if entry.keeps or entry.recalls:
            recalled = slots.called(self, entry, node, args, made)
            made = recalled if recalled.allocs and any(one.items for one in entry.recalls) else join(made, recalled)
        if entry.cell is not None:
            made = join(made, components.pair(self, entry.cell, node, args))
        if entry.rows_of or entry.row_of or entry.writes_rows_of:
            made = rows.queried(self, entry, made, args)
        if entry.updates:
            made = join(made, slots.message(self, entry, args))
        clear = self._cleared(entry, args)
        if "parsed-url" in entry.marks and entry.passes == ["$0", "$1"] and not body:
            made = join(made, hosts.parsed(self, args, clear, "" if clear else f"through {_last(node)}"))
        elif clear:
            values = (
                [self._argument(one, args) for one in entry.passes]
                if entry.passes
                else [*args.everything(), *([args.receiver] if args.receiver else [])]
            )
            safe = self.derived([value for value in values if value is not None], "", clear=clear)
            if clear & PATHS == PATHS and safe.labels:  # a last part: joined with the other way's checked name, both stay in the folder
                safe = safe.with_(proven=safe.proven | PATHS | CONTAINED)
            made = join(made, safe)
        elif entry.passes and not body:
            what = f"through {_last(node)}"
            if "joined-path" in entry.marks:
                parts = [args.receiver or BOTTOM] if "self" in entry.passes else []
                joined = self.joined([*parts, *args.positional, *([args.star] if args.star is not None else [])], what)
                made = join(made, cleared(joined, BIT["url"]) if node.text.startswith("pathlib") else joined)  # two slashes become one
                if args.positional and args.positional[-1].const == "":  # join(folder, "")
                    made = made.with_(proven=made.proven | SLASHED)
            elif "folder-of" in entry.marks:
                made = join(made, self.derived([self._argument(entry.passes[0], args) or BOTTOM], what, weak=BASED))
            else:
                made = join(made, self.derived([value for one in entry.passes if (value := self._argument(one, args)) is not None], what))
        for target, taken in entry.into.items() if not body else ():
            changed = self._argument(target, args)
            if changed is not None and changed.allocs:
                given = self.derived(
                    [value for one in taken if (value := self._argument(one, args)) is not None], f"into {target} by {_last(node)}"
                )
                if given.labels:
                    self.store(changed, "*", given, weak=True)
        if entry.describes is not None:
            made = join(made, schemas.made(self, entry.describes, args))
        if entry.checks is not None and not body:
            made = join(made, schemas.checked(self, entry.checks, args))
        if entry.same:
            made = join(made, self._argument(entry.same, args) or BOTTOM)
        if entry.copies and not body:
            made = join(made, self._copied(self._argument(entry.copies, args) or BOTTOM, args))
        if entry.result_of:
            function = self._argument(entry.result_of, args)
            if function is not None:
                passed: dict[str, Value] = {}
                for callback in entry.calls:  # the library calls it with data of its own
                    passed |= self._given(function, callback)
                made = join(made, self.call_value(function, [], passed))
        for mark in entry.marks:
            if mark == "parsed-json":
                made = self.of_service(made)
            elif mark == "constant-collection":
                first = args.positional[0] if args.positional else None
                if first is not None and first.allocs and all(alloc.constant for alloc in first.allocs):
                    made = join(made, Value(allocs=first.allocs))
            elif mark == "syntax-tree":
                made = self.derived([made], weak=TREE)
            else:
                made = made.with_(proven=made.proven | _MARKS.get(mark, 0))
                if mark in ("resolved", "collapsed") and any(label.weak & GLUED for label in made.labels):
                    made = unglued(made)
                if mark == "resolved":
                    held = args.cells[0] if args.cells else ()
                    made.origin = (args.receiver_cells or held) if entry.same == "self" else held
                if mark == "parsed-url" and args.cells:
                    made.subject = args.cells[0]
                elif mark == "same-host":
                    first = args.positional[0] if args.positional else args.receiver or BOTTOM
                    held = args.cells[0] if args.positional and args.cells else args.receiver_cells if not args.positional else ()
                    made.subject = first.subject or held
        if entry.hinders is not None and made.labels and self.holds(entry.hinders.when, args, []) is True:
            made = self.hindered(made, bits(entry.hinders.classes), entry.hinders.but)
        if entry.template:
            made = join(made, templates.made(self, [entry.template] if isinstance(entry.template, str) else entry.template, args))
        if entry.fills_template and not body:
            templates.filled(self, args)
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
            made = join(made, self._hand_over(callback, args, node))
        if entry.decorates is not None and entry.decorates.function in ("", "$0"):
            target_ = args.positional[0] if args.positional else None
            if target_ is not None and any(isinstance(ref, Fn) for ref in target_.refs):
                self.register(target_, entry.decorates)
                made = join(made, target_)
        if entry.decorates is not None and entry.decorates.address is not None and node.text.endswith(CALL) is False:
            found = addresses.address(self, entry.decorates.address, node, args, entry.decorates.gives == "response")
            if found:
                decorator = self.alloc((self.at.start, self.at.end, "decorator"), "instance")
                self.addressed[decorator] = tuple(found)
                made = made.with_(allocs=(*made.allocs, decorator))
        for mount in entry.mounts:
            addresses.mounted(self, mount, args)
        if entry.answers and not body and self.holds(entry.answers_when, args, []) is not False:
            made = addresses.answered(self, [entry.answers] if isinstance(entry.answers, str) else entry.answers, args, made)
        if entry.chained and args.receiver is not None and args.receiver.allocs:
            made = made.with_(allocs=args.receiver.allocs)
        if entry.decorates is not None and entry.decorates.named_in:
            named = self._argument(entry.decorates.named_in, args)
            made = made.with_(const=named.const if named is not None else NO_CONST)
        described = bool(
            any(sink.class_ != plug_ins.CLASS for sink in entry.sinks)
            or entry.returns
            or entry.clears
            or entry.passes
            or entry.into
            or entry.same
            or entry.copies
            or entry.result_of
            or entry.pipe
            or entry.makes
            or entry.guards
            or entry.calls
            or entry.is_
            or entry.marks
            or entry.shows
            or entry.never_returns
            or entry.keeps
            or entry.recalls
            or entry.cell is not None
            or entry.asks is not None
            or entry.mounts
            or entry.answers
            or entry.updates
            or entry.describes is not None
            or entry.checks is not None
        ) or not (entry.overridden or entry.decorates or entry.yields or entry.clean or entry.sinks or entry.body)
        return made, described and not body

    def _address(self, entry: Api, args: Args) -> Value | None:
        """The address that a call asks for data."""
        for sink in entry.sinks:
            for one in ([sink.at] if isinstance(sink.at, str) else sink.at) if sink.class_ == "url" else ():
                value = self._argument(one, args)
                if value is not None:
                    return value
        return None

    def _of_own_server(self, address: Value) -> bool:
        """Whether the operator has chosen the server that is asked: it may say where the rest is."""
        open_ = frozenset(label for label in address.labels if not label.cleared & BIT["url"])
        if open_:
            return self.own_data(Value(open_))
        return bool(address.proven & HOST_FIXED or _WITH_HOST.match(address.const if isinstance(address.const, str) else address.head))

    def _cleared(self, entry: Api, args: Args) -> int:
        """Sink classes for which the result of a call is safe."""
        clear = bits(entry.clears) if entry.clears and (not entry.clears_when or self.holds(entry.clears_when, args, []) is True) else 0
        if clear and entry.clears_unless and self.holds(entry.clears_unless, args, []) is True:
            clear = 0
        if entry.matched:
            found = self.argument(conditions.argument(entry.matched), args)
            if found is not None and isinstance(found.const, str):
                clear |= bits(list(patterns.read(found.const).matched()))
        for one in entry.clears_where:
            if self.holds(one.when, args, []) is True:
                clear |= bits(one.classes) & self._scrubbed(one, args) if one.left_of else bits(one.classes)
        return clear

    def _scrubbed(self, entry: Cleared, args: Args) -> int:
        """Sink classes to which what is left does no harm where all matches of an expression are replaced."""
        pattern, by = self.argument(conditions.argument(entry.left_of), args), self.argument(conditions.argument(entry.by), args)
        if pattern is None or by is None or not isinstance(pattern.const, str) or not isinstance(by.const, str):
            return 0
        return bits(list(patterns.read(pattern.const).left(by.const)))

    def _sink(self, model: SinkModel, node: ApiPath[Any], args: Args, drop: int) -> None:
        requires: list[Requirement] = []
        if self.holds(model.when, args, requires) is False:
            return
        doubt = int(self.unsure)
        asked = any(one.value is ABSENT for one in requires)  # the caller decides
        bit = BIT[model.class_]
        sink: Sink | None = None
        if bit & BIT["url"] and any(map(self._refuses, args.everything())):
            return
        for one in [model.at] if isinstance(model.at, str) else model.at:
            where = conditions.argument(one)
            found = self.argument(where, args)
            if found is None or (bit & _NAMED_PARTS and self._may_lack(where, args, found)):
                continue  # which part of a request that is passed on as a whole is the system prompt, or a limit, is not known
            value = self.text_of(found, bit)
            if not value.labels or value.proven & (bit | (NO_OPTION if model.safe_if else 0)):
                continue
            if bit == BIT["import"] and value.head and _PACKAGE.match(value.head):
                continue  # a module below a package that is spelled out
            if model.hindered and self.holds(model.hindered, args, []) is True:
                value = self.hindered(value, bit, model.but)
            if sink is None:
                note = self.solver.declared(self.fn, model.when)
                sink = self.solver.sink(model.class_, self.fn, self.at.start, self.at.end, node.text, model.does, model.confidence, note)
                sink.safe_if |= NO_OPTION if model.safe_if else 0
                sink.unexpected = sink.unexpected or model.unexpected
                sink.session = sink.session or model.session
                sink.little = sink.little or model.little
            for label in ordered(value.labels):
                if not label.cleared & bit:
                    less = drop + _CONFIDENCE_DROP[model.confidence] + (doubt if label.source is not None or not asked else 0)
                    self._reach(label, value, sink, less, 0, True, tuple(requires), None)

    def _refuses(self, given: Value, depth: int = 0) -> bool:
        """Whether the settings of a request hold an agent that connects to no private address, whatever name or redirect leads there."""
        return any(
            any(isinstance(ref, ApiPath) and "RefusingAgent" in ref.types for ref in part.refs) or (depth == 0 and self._refuses(part, 1))
            for alloc in given.allocs
            for name in _AGENTS
            if (part := self.cells.get((alloc, name))) is not None
        )

    def passed_on(self, class_: str, found: Value, name: str) -> None:
        """What a function returns that a library calls goes on from here."""
        bit = BIT[class_]
        value = self.text_of(found, bit)
        if not value.labels or value.proven & bit:
            return
        sink = self.solver.sink(class_, self.fn, self.at.start, self.at.end, name, GIVEN.get(class_, ""), "high")
        for label in ordered(value.labels):
            if not label.cleared & bit:
                self._reach(label, value, sink, 0, 0, True, (), None)

    def _copied(self, value: Value, args: Args) -> Value:
        """A copy of an object: what its fields hold, and what it is given instead; what is set on it later is its own."""
        if not any(isinstance(ref, Inst) for ref in value.refs) and all(alloc.root is not None for alloc in value.allocs):
            return self.copy(value, "copy")
        alloc = self.alloc((self.at.start, self.at.end, "copied", tuple(one.id for one in value.allocs)), "instance")
        for one in value.allocs:
            for key in list(one.keys) if one.root is None else ():
                found = self.cells.get((one, key))
                if found is not None:
                    self.put(alloc, key, found)
        given = dict(args.kw)
        update = given.pop("update", None)
        for one in update.allocs if update is not None else ():
            given.update({str(key): found for key in one.keys if (found := self.cells.get((one, key))) is not None})
        for name, held in given.items():
            if name != "deep":
                self.put(alloc, name, held)
        if update is not None and update.labels:
            self.put(alloc, "*", self.part(update, "*"), weak=True)
        return value.with_(allocs=(alloc,), const=NO_CONST, pred=None)

    def joined(self, parts: list[Value], what: str) -> Value:
        """A path made of parts: those that a check has shown to stay where they are, or in the folder that they are joined to, do."""
        if len(parts) == 1:
            made = self.derived(parts, what, weak=BASED)
            held = parts[0].proven & (PATHS | CONTAINED | RESOLVED)
            return made.with_(proven=made.proven | held) if held else made
        made = BOTTOM
        ended = bool(parts) and isinstance(parts[-1].const, str) and texts.ends_in_a_name(f"/{parts[-1].const}")
        for number, part in enumerate(parts):
            if number < len(parts) - 1:
                part = followed_by(part, ended)
            based = BASED if number == 0 and not any(texts.leads_up(one) for one in parts) else 0
            clear = texts.stays(part, number > 0)
            if number and parts[0].const != "":  # behind a folder it names no scheme and no host
                clear |= BIT["url"]
            made = join(made, self.derived([part], what, clear=clear, weak=based))
        return made

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
        return Value(refs=sights.chained(self, flat), allocs=(alloc,))

    def _pipe(self, receiver: Value, args: Args) -> Value:
        """Call the stages in turn."""
        current = args.positional[0] if args.positional else next(iter(args.kw.values()), BOTTOM)
        outer, self.piped = self.piped, (receiver, current)
        for alloc in receiver.allocs:
            if alloc.kind != "chain":
                continue
            for key in alloc.keys:
                stage = self.cells.get((alloc, key), BOTTOM)
                current = self.stage(stage, current)
        self.piped = outer
        return current

    def stage(self, stage: Value, current: Value) -> Value:
        """One stage of a chain called with the result of the one before."""
        if any(alloc.kind == "dict" for alloc in stage.allocs):
            made = self.alloc((self.at.start, "parallel", stage.allocs[0].id), "dict", closed=True)
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

    def _hand_over(self, callback: Callback, args: Args, node: ApiPath[Any] | None = None) -> Value:
        """A function given to a library that will call it."""
        made = BOTTOM
        state = (slots.place(self, callback.state, None, args) or "") if callback.state is not None else ""
        for value, schema in self._functions_of(callback, args):
            functions = [value]
            for alloc in value.allocs:
                if alloc.kind in ("dict", "list", "tuple", "set"):
                    functions.append(self.contents(alloc))
            for function in functions:
                if state and (function is not value or len(functions) == 1):
                    slots.hand_state(self, state, function, callback.parameters)
                if any(isinstance(ref, Fn | Cls | Inst) or (isinstance(ref, ApiPath) and ref.entries) for ref in function.refs):
                    made = join(made, self._handed_one(callback, args, function, state, schema, node))
                if not state:
                    self.hand_on(function, callback, schema, args)
        return made

    def hand_on(self, function: Value, callback: Callback, schema: Schema, args: Args) -> None:
        """A function given to a library that a caller may have handed over."""
        raise NotImplementedError

    def _handed_one(self, callback: Callback, args: Args, function: Value, state: str, schema: Schema, node: ApiPath[Any] | None) -> Value:
        """One of the functions given to a library."""
        made = BOTTOM
        if callback.at:
            position = self._argument(callback.at, args)
            if position is None or not isinstance(position.const, int) or position.const > limits.FIELDS:
                return made
            callback = msgspec.structs.replace(callback, given=[""] * position.const + callback.given)
        if callback.parameters or callback.by_name or callback.given or callback.is_:
            self.register(function, callback, state, schema)
        if callback.address is not None and node is not None:
            self.located(function, addresses.address(self, callback.address, node, args, callback.gives == "response"))
        if callback.gives in self.solver.classes:
            self.solver.used.update((self.fn.id, *(ref.id for ref in function.refs if isinstance(ref, Fn))))
            self.passed_on(callback.gives, self.call(function, Args([])), callback.is_)
        if callback.args or callback.spread or callback.spread_keywords or callback.result or callback.result_in:
            given = [found for one in callback.args if (found := self._argument(one, args)) is not None]
            star = None
            if callback.spread:
                tuple_ = self._argument(callback.spread, args)
                if tuple_ is not None:
                    numbered = [
                        self.cells[(alloc, key)]
                        for alloc in tuple_.allocs
                        for key in alloc.keys
                        if isinstance(key, int) and (alloc, key) in self.cells
                    ]
                    given += numbered
                    if not numbered:
                        star = self.elements(tuple_)
            spread = self._argument(callback.spread_keywords, args) if callback.spread_keywords else None
            result = self.call(function, Args(given, star=star, spread=spread))
            if callback.result_in:
                holder = self.alloc((self.at.start, "holder"), "instance")
                self.put(holder, callback.result_in, result)
                made = join(made, Value(allocs=(holder,)))
            elif callback.result:
                made = join(made, result)
        return made

    def _given(self, function: Value, callback: Callback) -> dict[str, Value]:
        """The arguments with which a library calls a function, where they are data of others."""
        given: dict[str, Value] = {}
        for ref in function.refs:
            if not isinstance(ref, Fn):
                continue
            defaults: dict[Any, Value] | None = None
            for param in ref.ir.params[1 if ref.bound else 0 :]:
                kind = callback.by_name.get(param.name, callback.parameters)
                type_ = self.symbols.type_value(ref.module, param.annotation, ref.cls)
                foreign = any(isinstance(one, ApiPath) and not one.text.startswith("builtins.") for one in type_.refs)
                checked = callback.validates and (type_.scalar or type_.literal)
                if not kind or foreign or param.name in callback.except_:
                    continue
                if param.default >= 0 and callback.except_:
                    defaults = self._defaults(ref) if defaults is None else defaults
                    if filled(self.solver, ref, param, callback, defaults):
                        continue
                if checked:
                    given[param.name] = Value()  # anything of its type
                    continue
                text = f"the argument {param.name} of the {callback.is_ or 'function'} {ref.name}()"
                label = source_label(self.solver.source(kind, ref, param.start, param.end, text))
                value = Value(frozenset((label,)), steps={label: Node(self.at.start, self.at.end, text, None)} if self.traced else None)
                given[param.name] = self.typed(value, type_) if type_.refs else value
        return given

    def _defaults(self, fn: Fn) -> dict[Any, Value]:
        """The defaults of the parameters of a function, by register."""
        frame = type(self)(self.solver, fn)
        frame.block(fn.ir.defaults)
        return frame.cells

    def _functions_of(self, callback: Callback, args: Args) -> list[tuple[Value, Schema]]:
        """The functions that an argument holds, each with what a schema says of the first argument that it is given."""
        where = conditions.argument(callback.function)
        if not callback.schema or "*" not in where.steps:
            value = self.argument(where, args)
            if value is None:
                return []
            callee = args.callee
            said = schemas.of_callback(self, callback, lambda one: callee if one == "callee" else self._argument(one, args))
            return [(value, said)]
        at = where.steps.index("*") + 1  # each element has its own
        found: list[tuple[Value, Schema]] = []
        container = self.argument(msgspec.structs.replace(where, steps=where.steps[: at - 1]), args) or BOTTOM
        for element in (self.cells.get((alloc, key), BOTTOM) for alloc in container.allocs for key in alloc.keys):
            function = self._inside(element, where.steps[at:])
            if function is not None:
                beside = functools.partial(self._beside, element, at)
                found.append((function, schemas.of_callback(self, callback, beside)))
        return found

    def located(self, function: Value, found: Iterable[tuple[str, str, str, bool]]) -> None:
        """The function answers requests at these addresses."""
        for router, method, path, returns in found:
            for ref in function.refs:
                if isinstance(ref, Fn):
                    self.solver.locate(addresses.Route(ref, router, method, path, returns))

    def _beside(self, element: Value, at: int, text: str) -> Value | None:
        """What an argument path means for one element."""
        return self._inside(element, conditions.argument(text).steps[at:])

    def register(self, function: Value, callback: Callback, state: str = "", schema: Schema = ANY) -> None:
        """The library calls the function with data of its own."""
        for ref in function.refs:
            if state and isinstance(ref, Fn):
                slots.announce(self, state, ref)
            if isinstance(ref, Fn):
                self.solver.entry(Entry(self.fn, ref, callback, self._taken(function, ref), state=state, schema=schema))
                if self._holds_given(function, ref):  # the caller is told what becomes of what it gave
                    self.call(Value(refs=(ref,), allocs=function.allocs), Args([]))
            elif isinstance(ref, Inst) and (method := ref.cls.method("__call__")) is not None:
                self.solver.entry(Entry(self.fn, method, callback, state=state))

    def _taken(self, function: Value, fn: Fn) -> tuple[Shape, ...]:
        """What a local function captured, without what depends on the caller of the function at hand."""
        return tuple(only_sources(self.export(value)) for value in self._captured_by(function, fn))

    def _captured_by(self, function: Value, fn: Fn) -> list[Value]:
        closures = [alloc for alloc in function.allocs if alloc.kind == "closure"]
        if not fn.ir.captured or not closures:
            return []
        names = [captured_key(fn, number) for number in range(len(fn.ir.captured))]
        return [join_all(self.cells.get((alloc, name), BOTTOM) for alloc in closures) for name in names]

    def _holds_given(self, function: Value, fn: Fn) -> bool:
        """Whether a local function captured what depends on the caller of the function at hand."""
        taken = self._captured_by(function, fn)
        return any(label.source is None for value in taken for label in self.collapse(value).labels)

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
            if guard.eases:
                proves |= NEAR
            weak = guard.weak or (guard.needs in _MARKS and not value.proven & _MARKS[guard.needs])
            but = guard.but or _passed(args.name, guard)
            folder = self.argument(conditions.argument(guard.separated), args) if guard.separated else None
            if guard.separated and not weak and (folder is None or not texts.ends_a_folder(folder)):
                weak, but = True, f"{args.name}() lets a neighbour of the folder pass whose name begins alike"
                proves |= NEAR
            given = INSIDE if guard.needs == "resolved" and as_given(value) and not guard.weak else 0
            if guard.separated and (folder is None or not texts.ends_a_folder(folder)):
                given = 0
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
            proven, weak, refs = all_proven, all_weak, all_refs
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


def _better(one: Issue | ToSink, other: Issue | ToSink) -> bool:
    """Whether less stands in the way of one than of the other, or it is shorter."""
    return _hindrance(one) < _hindrance(other)


def _hindrance(one: Issue | ToSink) -> tuple[bool, int, int, int, int, int]:
    return (bool(one.weak & HANDED), left_of(one.weak), one.drop, steps_down(one.weak), one.length, one.weak)


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


def _last(node: ApiPath[Any]) -> str:
    return node.text.removesuffix(CALL).rpartition(".")[2] + "()"
