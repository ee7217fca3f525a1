"""What API models say of a call: sources, sanitizers, objects, chains.

What an entry may say is in ``headwater.apis.schema``; what it says of checks is in ``headwater.taint.learned``, of sinks in
``headwater.taint.reached``, of functions that are handed over in ``headwater.taint.handing``.
Calls of the project's own functions are in ``headwater.taint.calls``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from headwater import limits
from headwater.apis import conditions, patterns
from headwater.apis.load import CallRule
from headwater.apis.paths import CALL, ApiPath, Sited
from headwater.apis.schema import Api, Cleared
from headwater.index.entities import EXTERNAL, Cls, Fn, Inst
from headwater.index.symbols import instance_refs
from headwater.taint import (
    addresses,
    components,
    hosts,
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
from headwater.taint.arguments import Args
from headwater.taint.described import Schema
from headwater.taint.handing import Handing
from headwater.taint.labels import (
    ADDRESS,
    BASED,
    BIT,
    CONTAINED,
    GLUED,
    HOST_FIXED,
    PATHS,
    RESOLVED,
    SLASHED,
    TREE,
    bits,
)
from headwater.taint.learned import MARKS
from headwater.taint.state import cleared, followed_by, unglued
from headwater.taint.value import (
    BOTTOM,
    NO_CONST,
    Value,
    join,
    join_refs,
)

if TYPE_CHECKING:
    from headwater.taint.solve import Solver

_LOWER = {"high": "medium", "medium": "low", "low": "low"}
_LOOPBACK = re.compile(r"(?:https?|wss?)://(?:localhost|127\.0\.0\.1|\[::1\])[:/]", re.IGNORECASE)
"""A service on the same machine: it may say which files of it are meant, and where to go on."""
_WITH_HOST = re.compile(r"[A-Za-z][\w+.-]*://[^/?#\s]")


class Models(Handing):
    """Calls of what is not in the project, and data that reaches sinks."""

    def __init__(self, solver: Solver, fn: Fn, traced: bool = False) -> None:
        super().__init__(solver, fn, traced)
        self.operands: dict[tuple[int, int], list[Value]] = {}
        """Receiver and arguments of calls that are wrong by themselves, by place (traced runs only)."""
        self.handed_on: dict[int, tuple[int, int, list[Value]]] = {}
        """Where a function of the project is called, by its id, and what it is given (traced runs only)."""

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
            if getattr(entry, "becomes", "") and self._becomes(entry, args):
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

    def _becomes(self, entry: Api, args: Args) -> bool:
        """Whether the result of a call is known by another path from here on."""
        unless = bool(entry.becomes_unless) and self.holds(entry.becomes_unless, args, []) is True
        return not unless and self.holds(entry.becomes_when, args, []) is True

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
        loose = 1 if node.text.startswith("?") and not (entry.passes or entry.unmistakable or entry.by_text) else 0
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
            if address is not None and _LOOPBACK.match(address.const if isinstance(address.const, str) else address.head or ""):
                harmless |= PATHS | ADDRESS
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
                parts += [*args.positional, *([args.star] if args.star is not None else [])]
                joined = self.joined(parts, what, self.mod.script and _last(node) == "join()")
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
                made = made.with_(proven=made.proven | MARKS.get(mark, 0))
                if mark in ("resolved", "collapsed") and any(label.weak & GLUED for label in made.labels):
                    made = unglued(made)
                if mark == "own-names":  # a mapping, and no object any more
                    made = made.with_(refs=())
                if mark == "resolved":
                    held = args.cells[0] if args.cells else ()
                    made.origin = (args.receiver_cells or held) if entry.same == "self" else held
                if mark == "parsed-url" and args.cells:
                    made.subject = args.cells[0] + (args.positional[0].subject if args.positional else ())
                elif mark == "joined-address" and len(args.cells) > 1:
                    made.subject = args.cells[1]
                elif mark == "same-host":
                    first = args.positional[0] if args.positional else args.receiver or BOTTOM
                    held = args.cells[0] if args.positional and args.cells else args.receiver_cells if not args.positional else ()
                    made.subject = tuple(dict.fromkeys((*first.subject, *held)))
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
            any(
                sink.class_ != plug_ins.CLASS and not (entry.by_text and self.holds(sink.when, args, []) is not True)
                for sink in entry.sinks
            )
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

    def joined(self, parts: list[Value], what: str, behind: bool = False) -> Value:
        """A path made of parts: those that a check has shown to stay where they are, or in the folder that they are joined to, do.
        ``behind``: no part begins anew, even if it begins with a slash."""
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
            if behind and number:
                clear |= texts.below(f"{parts[0].const if isinstance(parts[0].const, str) else parts[0].head or chr(0)}/", part)
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


def _last(node: ApiPath[Any]) -> str:
    return node.text.removesuffix(CALL).rpartition(".")[2] + "()"
