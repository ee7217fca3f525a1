"""Rebuilds the path of a finding: functions on it are interpreted once more, this time keeping the steps of each label.

The second run is the check of the first: a finding whose path it does not find again is an engine fault, which is
counted and reported in the ledger.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from headwater import limits
from headwater.files.source import Source as File
from headwater.index.entities import Fn, is_test
from headwater.taint.doubt import Aside, Doubt
from headwater.taint.entries import Entry, call_entry, run_entry
from headwater.taint.labels import BIT, Label, ordered
from headwater.taint.solve import Solver
from headwater.taint.summary import Issue, Sink, ToSink
from headwater.taint.transfer import Interpreter
from headwater.taint.value import Node, Shape


class RawStep:
    """A step before it has words for people: function, place, what happens."""

    __slots__ = ("end", "fn", "start", "what")

    def __init__(self, fn: Fn, start: int, end: int, what: str) -> None:
        self.fn = fn
        self.start = start
        self.end = end
        self.what = what


class TraceError(Exception):
    """The path could not be found again.

    ``stale``: functions of which more was told than a run of them now finds, with the key of a sink where that has no ground: functions
    that call each other told it to one another.
    """

    def __init__(self, message: str, *stale: tuple[Fn, Any]) -> None:
        super().__init__(message)
        self.stale = stale


class Tracer:
    """Traced runs of functions, each at most once."""

    def __init__(self, solver: Solver, entries: dict[int, list[Entry]], files: Mapping[str, File]) -> None:
        self.solver = solver
        self.entries = entries
        self.files = files
        self._runs: dict[int, Interpreter] = {}
        self._entry_issues: dict[int, dict[Any, Issue]] = {}
        self._entry_stored: dict[int, list[dict[str, dict[Label, Node]]]] = {}
        """What the calls of frameworks put into slots, by function."""
        self._reading: set[tuple[str, Label]] = set()
        """Slots, and labels in them, whose writers are looked for."""
        self._callers: dict[int, list[int]] = {}
        """Who has read the summary of a function, by its id."""
        for caller in sorted(solver.called):
            for callee in solver.called[caller]:
                self._callers.setdefault(callee, []).append(caller)

    def run(self, fn: Fn) -> Interpreter:
        made = self._runs.get(fn.id)
        if made is None:
            made = Interpreter(self.solver, fn, traced=True)
            try:
                made.run()
            except Exception as error:
                if os.environ.get("HEADWATER_TRACEBACK"):
                    raise
                raise TraceError(f"the engine failed on {_name(fn)}() ({type(error).__name__})") from error
            finally:
                made.release()
            self._runs[fn.id] = made
        return made

    def path(self, issue: Issue) -> list[RawStep]:
        """The steps from the source to the sink; raises TraceError."""
        return self._path(issue, self._traced(issue))

    def others(self, issue: Issue) -> list[list[RawStep]]:
        """Other ways of the same data to the same sink, on which no more stands in the way: those of other calls first."""
        if issue.entry:
            return []
        best = self._traced(issue)
        found = self.run(issue.apex).ways.get(issue.key, {}).values()
        others = [one for one in found if one.hop and best.hop and one.hop != best.hop and (one.drop, one.weak) == (best.drop, best.weak)]
        calls = {best.hop[:2]} if best.hop else set()
        first: list[Issue] = []
        for one in others:
            if one.hop and one.hop[:2] not in calls:
                calls.add(one.hop[:2])
                first.append(one)
        rest = [one for one in others if one not in first]
        return [self._path(issue, one) for one in [*first, *rest][: limits.TRACES]]

    def _traced(self, issue: Issue) -> Issue:
        if issue.entry:
            return self._virtual(issue)
        found = self.run(issue.apex).issues.get(issue.key)
        if found is None:
            raise TraceError("the source does not meet the sink", (issue.apex, None))
        return found

    def _path(self, issue: Issue, traced: Issue) -> list[RawStep]:
        steps = self._chain(issue.apex, traced.steps, 0)
        if not steps:
            source = issue.source
            steps = [RawStep(source.fn, source.start, source.end, source.text)]
        elif not issue.entry:
            steps = self._way_in(steps[0]) + steps
        hop = traced.hop
        steps += self._down(issue.apex, hop, traced.sink, 0)
        sink = issue.sink
        steps.append(RawStep(sink.fn, sink.start, sink.end, sink.does or f"reaches {sink.name}"))
        relevant = BIT[sink.class_]
        return tidy(self._to_the_point([step for step in steps if not isinstance(step.what, Doubt) or step.what.weak & relevant]))

    def _to_the_point(self, steps: list[RawStep]) -> list[RawStep]:
        """Without steps that are told only where no other one speaks of their line."""
        lines = {self._line(step) for step in steps if not isinstance(step.what, Aside)}
        return [step for step in steps if not isinstance(step.what, Aside) or self._line(step) not in lines]

    def _line(self, step: RawStep) -> tuple[str, int]:
        path = step.fn.module.path
        file = self.files.get(path)
        return path, file.position(step.start)[0] if file is not None else -step.start

    def operands(self, fn: Fn, start: int, end: int) -> tuple[str, list[RawStep]]:
        """Where what a call works on comes from, and the kind of that source; nothing where that is not known."""
        for value in self.run(fn).operands.get((start, end), ()):
            whole = self.run(fn).collapse(value)
            for label in sorted(whole.labels, key=lambda label: (label.source is None, label.key)):
                node = whole.steps.get(label) if whole.steps else None
                steps = self._chain(fn, node, 0)
                if steps:
                    return label.source.kind if label.source is not None else "", self._to_the_point(self._way_in(steps[0]) + steps)
        return "", []

    def _way_in(self, first: RawStep) -> list[RawStep]:
        """How a parameter with which a path begins comes in: the calls that hand it on, from an entry point if one is found."""
        steps: list[RawStep] = []
        fn, seen = first.fn, {first.fn.id}
        at = next((number for number, one in enumerate(fn.ir.params) if (one.start, one.end) == (first.start, first.end)), -1)
        while at >= 0 and fn.id not in self.entries and len(seen) <= limits.WAY_IN:
            found: tuple[bool, Fn, int, int, int] | None = None
            for number in self._callers.get(fn.id, ())[: limits.WAY_IN_CALLERS]:
                caller = self.solver.symbols.functions[number]
                if number in seen or not caller.index or is_test(caller.module.path):
                    continue
                try:
                    start, end, given = self.run(caller).handed_on.get(fn.id, (0, 0, []))
                except TraceError:
                    continue
                for label in ordered(given[at].labels) if at < len(given) else ():
                    if label.source is None and label.param < len(caller.ir.params) and (found is None or number in self.entries):
                        found = (number in self.entries, caller, label.param, start, end)
                        break
                if found is not None and found[0]:
                    break
            if found is None:
                break
            _, caller, at, start, end = found
            param = caller.ir.params[at]
            what = f"the parameter {param.name} of {_name(caller)}()"
            steps = [RawStep(caller, param.start, param.end, what), RawStep(caller, start, end, f"passed to {_name(fn)}()"), *steps]
            fn = caller
            seen.add(fn.id)
        return steps

    def _virtual(self, issue: Issue) -> Issue:
        known = self._entry_issues.get(issue.apex.id)
        if known is None:
            known = {}
            for entry in self.entries.get(issue.apex.id, ()):
                for one in run_entry(self.solver, entry, traced=True):
                    known.setdefault(one.key, one)
            self._entry_issues[issue.apex.id] = known
        found = known.get(issue.key)
        if found is None:
            raise TraceError("the entry point does not reach the sink", (issue.apex, None))
        return found

    def _down(self, fn: Fn, hop: Any, sink: Sink, depth: int) -> list[RawStep]:
        """From a call that hands the data over, to the sink."""
        steps: list[RawStep] = []
        met: dict[tuple[Fn, Any], None] = {}
        while hop is not None:
            start, end, callee, key = hop
            if (callee, key) in met:
                circle = list(met)
                members = dict.fromkeys(one for one, _ in circle[circle.index((callee, key)) :])
                raise TraceError("the path goes round in a circle", *((one, sink.key) for one in members))
            met[callee, key] = None
            if start != end:
                steps.append(RawStep(fn, start, end, f"passed to {_name(callee)}()"))
            depth += 1
            if depth > limits.TRACE_HOPS:
                raise TraceError("the path is longer than the bound")
            effect: ToSink | None = self.run(callee).sinks.get(key)
            if effect is None:
                raise TraceError("a callee does not reach the sink", (callee, None))
            steps += self._chain(callee, effect.steps, depth)
            fn, hop = callee, effect.hop
        return steps

    def _chain(self, fn: Fn, node: Node | None, depth: int) -> list[RawStep]:
        """The linked steps within one function, oldest first, with what happened in the functions that returned the data."""
        chain: list[Node] = []
        while node is not None and len(chain) < 200:
            chain.append(node)
            node = node.prev
        chain.reverse()
        steps: list[RawStep] = []
        for one in chain:
            if one.hop is not None and depth < limits.TRACE_DEPTH:
                steps += self._inside(one.hop, depth + 1)
            if one.what:
                start, end = (one.start, one.end) if one.start < one.end else self._left_at(one.hop)
                if start < end:
                    steps.append(RawStep(fn, start, end, one.what))
        return steps

    def _left_at(self, hop: Any) -> tuple[int, int]:
        """Where a function gives back what its framework takes from it."""
        if hop is None or not isinstance(hop[0][0], Fn) or hop[0][1] != "return":
            return 0, 0
        return self.run(hop[0][0]).return_places.get(hop[1], (0, 0))

    def _inside(self, hop: Any, depth: int) -> list[RawStep]:
        """Where a value came from that a callee returned, or that a field or module variable held."""
        where, label = hop
        if not isinstance(label, Label) or not isinstance(where, tuple):
            return []
        while isinstance(where[0], tuple):  # a part of what was held
            where = where[0]
        if isinstance(where[0], Fn):
            callee, what, key = where
            run = self.run(callee)
            steps = run.return_steps if what == "return" else run.set_steps.get(key, {})
            return self._chain(callee, steps.get(label), depth) if label in steps and depth < 8 else []
        if where[0] == "slot" and label.source is not None and depth < limits.TRACE_DEPTH:
            steps_ = self._kept(where[1], label, depth)
            if steps_:
                return steps_
        if where[0] in ("field", "class", "global") and label.source is not None and depth < 8:
            steps_ = self._stored(where, label, depth)
            if steps_:
                return steps_
        source = label.source
        if source is not None:
            return [RawStep(source.fn, source.start, source.end, source.text)]
        return []

    def _kept(self, slot: str, label: Label, depth: int) -> list[RawStep]:
        """How the label came into a slot: who has written it there, and where that one has it from."""
        if (slot, label) in self._reading:
            return []  # it was read from the same slot: there is another who has written it
        self._reading.add((slot, label))
        try:
            for writer, shape in self.solver.slot_writers(slot):
                if not _holds(shape, label):
                    continue
                fn = self.solver.symbols.functions[writer if writer >= 0 else ~writer]
                tables = [self.run(fn).stored] if writer >= 0 else self._stored_by_calls(fn)
                for stored in tables:
                    steps = self._chain(fn, stored.get(slot, {}).get(label), depth)
                    if steps:
                        return steps
        finally:
            self._reading.discard((slot, label))
        return []

    def _stored_by_calls(self, fn: Fn) -> list[dict[str, dict[Label, Node]]]:
        """What frameworks' calls of a function put into slots."""
        known = self._entry_stored.get(fn.id)
        if known is None:
            made = [call_entry(self.solver, entry, traced=True).stored for entry in self.entries.get(fn.id, ())]
            known = self._entry_stored[fn.id] = made
        return known

    def _stored(self, where: Any, label: Label, depth: int) -> list[RawStep]:
        """How the label came into a class-wide field or a module variable."""
        solver = self.solver
        tables: list[tuple[str, dict[int, Shape]]] = []
        if where[0] == "global":
            _, module, name = where[1]
            tables.append((name, solver.globals.get((module, name), {})))
        else:
            for cls in solver.family(solver.symbols.classes[where[1]]):
                tables.append((where[2], solver.fields.get((cls.id, where[2]), {})))
        for name, writers in tables:
            for writer in sorted(writers):
                if _holds(writers[writer], label):
                    fn = solver.symbols.functions[writer]
                    node = self.run(fn).stored.get(name, {}).get(label)
                    if node is not None:
                        return self._chain(fn, node, depth)
        return []


def _holds(shape: Shape, label: Label, depth: int = 0) -> bool:
    """Whether a shape has the label somewhere."""
    if label in shape.labels:
        return True
    return depth < limits.SHAPE_DEPTH and any(_holds(part, label, depth + 1) for part in (shape.fields or {}).values())


def _name(fn: Fn) -> str:
    return fn.ir.qualname


def tidy(steps: list[RawStep]) -> list[RawStep]:
    """Without repetition, at most ``limits.TRACE_STEPS``: the beginning and the end stay."""
    made: list[RawStep] = []
    seen: set[tuple[int, int, int, str]] = set()
    for step in steps:
        key = (step.fn.module.id, step.start, step.end, step.what)
        if key in seen and step is not steps[-1]:
            continue
        seen.add(key)
        doubted = isinstance(step.what, Doubt) or (bool(made) and isinstance(made[-1].what, Doubt))  # a reason to be told
        if made and not doubted and made[-1].fn is step.fn and (made[-1].start, made[-1].end) == (step.start, step.end):
            if step is steps[-1]:
                if len(made) > 1:
                    made[-1] = step
                    continue
            else:
                continue
        made.append(step)
    if len(made) > limits.TRACE_STEPS:
        made = [step for step in made if not isinstance(step.what, Aside)]
    if len(made) > limits.TRACE_STEPS:
        half = limits.TRACE_STEPS // 2
        made = made[: limits.TRACE_STEPS - half] + made[-half:]
    return made
