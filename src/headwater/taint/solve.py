"""Runs the interpreter over the functions of interest, and over what they ask for, until everything is stable.

Functions of interest are taken in dependency order. Where one reads another (its summary, or a field or variable that it
writes) that was not interpreted yet, the other is interpreted at once. Functions that call each other form a component,
which is repeated until it is stable. What is read of a function that is still at work further up, and is in no component
with its reader, is taken to be an unknown call; if it turns out to be more, the reader is interpreted again at the end, and
so is whoever reads what changes by that. Frameworks' calls of entry points come last.
"""

from __future__ import annotations

import heapq
import os
import sys
from collections.abc import Callable, Iterable, Set
from typing import Any, NamedTuple

from headwater import limits
from headwater.apis.load import CallRule, Catalogue
from headwater.apis.paths import ApiPath, Sited
from headwater.apis.schema import SINK_CLASSES, is_object
from headwater.files.versions import Versions
from headwater.index.calls import callees_first, components, sizes
from headwater.index.entities import EXTERNAL, Fn, is_test
from headwater.index.symbols import Symbols
from headwater.taint import own_tools, plug_ins, routes
from headwater.taint.computing import NUMBERS, Computing
from headwater.taint.described import ANY, Schema
from headwater.taint.entries import Entry, generated_services, run_entry
from headwater.taint.library import public_calls
from headwater.taint.sights import Deed, Sight, Want, kind_of
from headwater.taint.stores import DONE, NEW, WORKING, Stores, inside
from headwater.taint.summary import EMPTY, SLOT, Issue, Summary
from headwater.taint.transfer import Interpreter
from headwater.taint.value import ANSWER, NOTHING, Shape


class Told(NamedTuple):
    """Why a call is reported, where that is not in the call alone."""

    why: str
    steps: tuple[tuple[Fn, int, int, str], ...] = ()
    """The places that make it so."""
    last: str = ""
    """What the reported place itself is."""
    more: str = ""
    """A sentence for the end of the message."""


class CallReport:
    """A call that is wrong by itself."""

    __slots__ = ("end", "fn", "gated", "key", "little", "name", "origin", "rule", "start", "told")

    def __init__(self, rule: CallRule, fn: Fn, name: str, start: int, end: int, origin: tuple[int, int, str] | None = None) -> None:
        self.rule = rule
        self.fn = fn
        self.name = name
        self.start = start
        self.end = end
        self.origin = origin
        """Where what it works on comes from, and that in words, where this is known without asking."""
        self.told: Told | None = None
        """Where a check of the whole system has found it."""
        self.little = ""
        """Why it does little harm here, in words."""
        self.gated = False
        """It stands behind a switch that is off by default, and that nothing in the project switches on."""
        self.key = (fn.module.id, start, end, rule.rule)


class _Group:
    """A component of functions that call each other: those of its members that somebody asked for."""

    __slots__ = ("changed", "members", "running")

    def __init__(self) -> None:
        self.members: dict[int, None] = {}
        self.changed: set[int] = set()
        """Members whose results differ from what readers have seen, in this round."""
        self.running = False


class Solver(Stores):
    """The whole-project state of the analysis."""

    def __init__(
        self,
        symbols: Symbols,
        catalogue: Catalogue,
        classes: Iterable[str] = SINK_CLASSES,
        progress: Callable[[int, int], None] | None = None,
        versions: Versions | None = None,
    ) -> None:
        """``classes``: the sink classes that are reported."""
        super().__init__(symbols, catalogue, classes, versions)
        self.progress = progress
        self.summaries: list[Summary] = [EMPTY] * len(symbols.functions)
        self.issues: dict[int, list[Issue]] = {}
        self.reports: dict[int, dict[Any, CallReport]] = {}
        self.acting: set[int] = set()
        """Functions that have a model act by tools, those that lead there, and those that they run; of the system map."""
        self.tool_names: dict[int, str] = {}
        """What tools are called, by their functions; of the system map."""
        self.tools_said: dict[int, dict[str, str]] = {}
        """By module: the tools that it declares, and what these say of themselves; of the system map."""
        self.led_to: dict[Any, Told] = {}
        """By report: which request leads to the call, in words, and how (``headwater.system.ways``, ``headwater.system.owners``)."""
        self.entries: dict[int, dict[Any, Entry]] = {}
        self.virtual: list[Issue] = []
        self.handed_types: dict[int, dict[int, Any]] = {}
        self.handed_parts: dict[int, dict[int, Schema]] = {}
        """What objects libraries hand to functions, by function and number of the parameter."""
        self.used: set[int] = set()
        """Functions that were handed to a library for what they return, and those that handed them over."""
        self.faults: dict[int, str] = {}
        """Functions on which the engine failed, and the name of the error."""
        self.shapes: dict[str, CallRule] = {}
        """What rules say of pieces of code that are wrong by their shape, by the name of the shape."""
        self.published: frozenset[bool] = frozenset()
        """The project is a package of scripts (True), of Python (False): its public functions have callers that are not seen."""
        self.deployed = False
        """The project is a package that others install: its public functions are called with data of others."""
        self.switched: dict[tuple[str, bool], set[str]] | None = None
        """Settings that the project itself switches on or off, and of what, once somebody has asked."""
        self.demanding: dict[int, bool] = {}
        """By class: whether its objects are only made where such a setting is true."""
        self._overridden: list[Entry] | None = None
        self._lasting: dict[int, frozenset[int]] = {}
        self._groups: dict[int, _Group] = {}
        self._wanted: list[tuple[int, int]] = []
        """Heap of functions of interest, by component."""
        self._asked_for: set[int] = set()
        """All that were ever in it."""
        self._late: dict[int, dict[int, None]] = {}
        """The functions whose summaries each function wanted before they were known."""
        self._version = [0] * len(symbols.functions)
        """How often the result of a function has changed."""
        self.tired: dict[int, int] = {}
        """By function: the call from which on results are not made anew any more."""
        self.called: dict[int, dict[int, None]] = {}
        """The functions whose summaries each function has read."""
        self.sights: dict[int, dict[Any, Sight]] = {}
        """Calls that make components of the system map, by function."""
        self.wants: dict[int, dict[Want, None]] = {}
        """What components in a function take of what its callers give it."""
        self.given: dict[tuple[int, int, tuple[Any, ...]], dict[tuple[int, int], Shape]] = {}
        """What is given where such a function is called, by what is wanted and the place of the call."""
        self.decorators: dict[tuple[int, int], tuple[Shape, str]] = {}
        """Objects whose methods make decorators, and the names that these give, by function and place."""
        self.uses: dict[tuple[int, int, int], Shape] = {}
        """The objects that calls ask for data, by function and place."""
        self.uses_in: dict[int, dict[tuple[int, int], None]] = {}
        """The places of such calls, by function."""
        self.abilities: dict[int, dict[str, tuple[int, int]]] = {}
        """What the code of a function can do by itself, and where."""
        self.services: set[tuple[int, int]] = set()
        """Where what is done is what a library is there for, by function and place: nobody chooses whom it asks."""
        self.deeds: dict[int, dict[tuple[str, int, int], Deed]] = {}
        """The operations of a function that change something outside."""
        self._sited: dict[tuple[ApiPath[Any], int, int, int], Sited[Any]] = {}
        self._mapped: dict[ApiPath[Any], bool] = {}
        self._renewed: set[int] | None = None
        """While some functions are interpreted again at the end: these. Nothing else has changed for the calls of frameworks."""
        self._emptied: Set[int] = frozenset()
        """Of these: those from which effects were taken that have no ground."""
        self._misled: set[int] = set()
        """Those that have told what has no ground: their turn comes in any case."""
        self._by_entry: dict[Any, list[Issue]] = {}
        """What was found by the calls of frameworks."""
        self._depth = 0
        self.worked = 0
        """Parts of results that were made anew in all (``limits.WORK``)."""
        self._computing = Computing(symbols, self.interest)

    # ------------------------------------------------------------------------------------------- the solution

    def solve(self) -> None:
        """Solve everything; results are in ``issues``, ``virtual`` and ``reports``."""
        self._deep(self._solve)

    def _solve(self) -> None:
        groups = components(self.edges.edges)
        self.counts.update(sizes(groups))
        self._order = [0] * len(self.symbols.functions)
        for number, group in enumerate(groups):
            for one in group:
                self._order[one] = number
        total = len(groups)
        for one in self.interest.seeds():
            self._want(one)
        self._drain(total)
        self._run_entries(total)
        dirty = self._outdated()
        if dirty:
            left = self._repair(dirty, limits.REPAIRS_IN_ALL, limits.REPAIRS)
            if left:
                self.count("late-edges-left", left)
            self._run_entries(total)
        for one in self.interest.makers():
            self._want(one)
        self._drain(total)
        self.counts["functions-solved"] = self._state.count(DONE)

    def again(self, dirty: set[int], emptied: Set[int]) -> None:
        """Interpret some functions again, and whoever tells what has no ground after that; then what frameworks call.

        ``emptied``: those from which effects were taken before, and which are to find them again in each other.
        """

        def work() -> None:
            self._renewed, self._emptied, self._misled = set(), emptied, set(dirty)
            self._repair(dirty, 0, limits.MEND_ROUNDS)
            self._misled = set()
            self._run_entries(0)
            self._renewed = None

        self._deep(work)

    def _deep(self, work: Callable[[], None]) -> None:
        """Do what may interpret functions one inside the other."""
        allowed = sys.getrecursionlimit()
        sys.setrecursionlimit(max(allowed, (limits.NESTED + 1) * limits.NESTED_FRAMES))
        self._closed = False
        try:
            work()
        finally:
            sys.setrecursionlimit(allowed)
        self._closed = True

    def _repair(self, dirty: set[int], most: int, rounds: int) -> int:
        """Interpret again what read something too early, and whoever reads what changes by that; how many are left.

        ``most``: of all, and each at most ``rounds`` times, while ``limits.REPAIRS_WORK`` lasts; those that were misled are not counted
        out, and have ``limits.MENDS_WORK``.
        """
        readers: dict[int, set[int]] = {}
        for reader, called in self.called.items():
            for target in called:
                readers.setdefault(target, set()).add(reader)
        order = callees_first(self.called)
        repaired = 0
        begun = self.worked
        for _ in range(rounds):
            todo = [(order.setdefault(one, len(order)), one) for one in dirty]
            heapq.heapify(todo)
            waiting, later = set(dirty), set()
            while todo:
                at = heapq.heappop(todo)
                repaired += 1
                misled = at[1] in self._misled
                if self.worked - begun > (limits.MENDS_WORK if misled else limits.REPAIRS_WORK) or (repaired > most and not misled):
                    later.add(at[1])
                    continue
                for reader in self._repaired(at[1], readers):
                    place = order.setdefault(reader, len(order)), reader
                    if place <= at:
                        later.add(reader)  # callees first: its turn comes in the next round
                    elif reader not in waiting:
                        waiting.add(reader)
                        heapq.heappush(todo, place)
            dirty = later
        self._late = {}
        return len(dirty)

    def _repaired(self, one: int, readers: dict[int, set[int]]) -> set[int]:
        """Interpret one function again; who has read what differs now."""
        before = self.summaries[one]
        self._repairing, self._fresh = one, {}
        self.summaries[one] = after = self._interpret(self.symbols.functions[one])
        self._repairing = -1
        if self._renewed is not None:
            self._renewed.add(one)
        for target in self.called[one]:
            readers.setdefault(target, set()).add(one)
        asked = one in self.route_readers and before != after  # what it takes for an answer may be less than before
        changed = set(readers.get(one, ())) if asked or _differ(before, after) else set()
        for key in dict.fromkeys((*self._stores.get(one, ()), *self._fresh)):
            changed |= self._stored_again(one, key, self._fresh.get(key, NOTHING))
        changed |= self._stale.keys()
        self._stale = {}
        for other in self.interest.solved(self.symbols.functions[one], after):
            self._want(other)
        self._drain(0)
        if one in self._carrying:
            self._carrying |= changed
        found = {reader for reader in changed if self._state[reader] == DONE and (reader in self._carrying or self._may_find(reader))}
        if self._renewed is not None:
            misled = self._misled_by(one, before, after, readers.get(one, set()))
            self._misled |= misled
            found |= misled
        return found

    def _misled_by(self, one: int, before: Summary, after: Summary, readers: set[int]) -> set[int]:
        """Who tells of effects that one function has no more; and who is to find again what was taken from it."""
        keys = {effect.key for effect in after.sinks}
        gone = {effect.key for effect in before.sinks} - keys
        found = {
            reader
            for reader in readers
            if gone and any(rests(told.hop, one, gone) for told in (*self.summaries[reader].sinks, *self.issues.get(reader, ())))
        }
        if one in self._emptied and not keys <= {effect.key for effect in before.sinks}:
            found |= readers & self._emptied
        return found

    def _may_find(self, one: int) -> bool:
        """Whether what a function finds can change with what it reads: it leads to an operation, calls what it was given, or is used."""
        return self.interest.leads(one) or bool(self.summaries[one].callbacks or self.summaries[one].entries) or one in self.used

    def _want(self, one: int) -> None:
        if self._state[one] == NEW:
            self._asked_for.add(one)
            heapq.heappush(self._wanted, (self._order[one], one))

    def _drain(self, total: int) -> None:
        """Solve what is of interest, callees first."""
        at = 0
        while self._wanted:
            number, one = heapq.heappop(self._wanted)
            if self._state[one] != NEW:
                continue
            members = [one]
            while self._wanted and self._wanted[0][0] == number:
                members.append(heapq.heappop(self._wanted)[1])
            self._component(number, [one for one in members if self._state[one] == NEW])
            if self.progress is not None and number > at + total // 200:
                at = number
                self.progress(at, total)
        if self.progress is not None:
            self.progress(total, total)

    def _component(self, number: int, members: list[int]) -> None:
        """Solve members of a component, with those that they ask for, until they are stable."""
        group = self._groups.setdefault(number, _Group())
        group.running = True
        group.members = dict.fromkeys(members)
        version = self._version
        repeats = 0
        for round_ in range(limits.COMPONENT_ROUNDS):
            group.changed = set()
            for one in sorted(group.members):
                if round_ == 0 and self._state[one] == WORKING:
                    continue  # asked for by one before it
                if round_ and self._state[one] == WORKING:
                    if all(version[other] == seen for other, seen in self._observed[one].items()):
                        continue
                    repeats += 1
                    if repeats > limits.COMPONENT_REPEATS:
                        continue
                self._member(group, one, round_)
            if not group.changed or (len(group.members) == 1 and not any(one in self._observed.get(one, {}) for one in group.members)):
                break
            if round_ + 1 == limits.COMPONENT_ROUNDS or repeats > limits.COMPONENT_REPEATS:
                self.count("components-widened")
                break
        while fresh := [one for one in sorted(group.members) if self._state[one] == NEW]:  # asked for in the last round
            for one in fresh:
                self._member(group, one)
        group.running = False
        for one in group.members:
            self._state[one] = DONE
        for one in group.members:
            for other in self.interest.solved(self.symbols.functions[one], self.summaries[one]):
                self._want(other)

    def _member(self, group: _Group, one: int, round_: int = 0) -> None:
        """Interpret one function of a component that is being solved."""
        fn = self.symbols.functions[one]
        group.members[one] = None
        self._state[one] = WORKING
        outer = self._changed
        self._changed = False
        before = self.summaries[one]
        after = self._interpret(fn)
        if self._changed or (_differ(before, after) if round_ else before != after):
            group.changed.add(one)
            self._version[one] += 1
        self._changed = outer
        self.summaries[one] = after

    def _interpret(self, fn: Fn) -> Summary:
        self._observed[fn.id] = {}
        self.called[fn.id] = {}
        self.reports.pop(fn.id, None)
        self.entries.pop(fn.id, None)
        self.tired.pop(fn.id, None)
        frame = Interpreter(self, fn)
        try:
            summary = frame.run()
        except Exception as error:
            self._fault(fn, error)
            summary = EMPTY
        self.worked += frame.work
        frame.release()
        self.count("evaluations")
        if frame.issues:
            self.issues[fn.id] = [issue for _, issue in sorted(frame.issues.items(), key=lambda item: item[0])]
        else:
            self.issues.pop(fn.id, None)
        return summary

    def _fault(self, fn: Fn, error: Exception) -> None:
        """The engine failed on a function: that costs the function, and not the review."""
        if os.environ.get("HEADWATER_TRACEBACK"):
            raise error
        self.faults[fn.id] = type(error).__name__  # its text may hold text of the repository

    def _outdated(self) -> set[int]:
        """Functions that read something before it was solved, and it turned out to be more than was taken for granted."""
        dirty: set[int] = set()
        for reader, targets in self._late.items():
            if any(_matters(self.summaries[target]) or target in self._asked_for for target in targets):
                dirty.add(reader)  # else what an unknown call does was assumed of it, and that is what it does
        dirty |= self._stale.keys()
        self._stale = {}
        asked = {target for reader, called in self.called.items() if self._may_find(reader) for target in called}
        leading = {one for one, targets in self._late.items() if any(self.summaries[target].sinks for target in targets)}
        dirty = {
            one
            for one in dirty
            if one in leading
            or one in self._carrying
            or self._may_find(one)
            or one in self.tests
            or one in self.sights  # what a component is given
            or (one in self._late and one in asked and not self.summaries[one].returns.empty)
        }
        self.count("late-readers", len(dirty))
        return dirty

    def lasting(self, fn: Fn) -> frozenset[int]:
        """Registers whose values outlive the block in which they are written; all others are temporaries of one block."""
        known = self._lasting.get(fn.id)
        if known is None:
            function = fn.ir
            defaults = [field.value for cls in self.classes_in.get(fn.id, ()) for field in cls.ir.fields.values()]
            own = range(len(function.params) + len(function.captured))
            known = self._lasting[fn.id] = self.edges.cards[fn.id].kept.union(function.names.values(), own, defaults)
        return known

    # ---------------------------------------------------------------------------------------------- reading

    def _read(self, reader: Fn, target: int) -> None:
        """Note that ``reader`` depends on ``target``, which is solved first where that is possible."""
        one = reader.id
        observed = self._observed.setdefault(one, {})
        if target in observed:
            return
        observed[target] = self._version[target]
        if self._closed:
            return
        state = self._state[target]
        if state == DONE:
            return
        number = self._order[target]
        group = self._groups.get(number)
        together = group is not None and group.running
        if state == NEW and self._depth < limits.NESTED:
            self._depth += 1
            if group is not None and together:
                self._member(group, target)
            else:
                self._component(number, [target])
            self._depth -= 1
            observed[target] = self._version[target]
        elif state == NEW and group is not None and together:
            group.members[target] = None  # its turn comes in the next round
            group.changed.add(target)
        elif state == NEW:
            self._want(target)

    def summary(self, reader: Fn, fn: Fn) -> Summary | None:
        """The summary of ``fn`` as it is known now; None where it is not known yet."""
        computes = self._computing.only(fn)
        if computes and self._state[fn.id] == NEW and fn.id not in self._asked_for:
            if not self._closed:
                self._late.setdefault(reader.id, {})[fn.id] = None  # it may turn out to be of interest
            self.called.setdefault(reader.id, {})[fn.id] = None
            return NUMBERS if self._computing.gives_numbers(fn) else None
        self._read(reader, fn.id)
        self.called.setdefault(reader.id, {})[fn.id] = None
        if self._state[fn.id] != DONE and self._order[fn.id] != self._order[reader.id]:
            if not self._closed:
                self._late.setdefault(reader.id, {})[fn.id] = None
            return None
        known = self.summaries[fn.id]
        return NUMBERS if computes and self._computing.gives_numbers(fn) and not (known.sinks or known.entries) else known

    def tested(self, reader: Fn, fn: Fn) -> Summary | None:
        """The summary of a function of which ``reader`` asks what it shows of its argument."""
        self.tests.add(fn.id)
        self._carrying.add(reader.id)
        return self.summary(reader, fn)

    # ------------------------------------------------------------------------------------------ the system map

    def mapped(self, node: ApiPath[Any], made: ApiPath[Any] | None) -> bool:
        """Whether a call of an API path is one that the system map shows."""
        known = self._mapped.get(node)
        if known is None:
            components = self.catalogue.components
            known = self._mapped[node] = any(
                getattr(entry, "decorates", None) is not None or kind_of(entry, made, components) for entry in (*node.entries, None)
            )
        return known

    def sited(self, made: ApiPath[Any], module: int, start: int, end: int) -> Sited[Any]:
        """The path of an object that is a component, made by the call at a place."""
        base = made.base if isinstance(made, Sited) else made
        found = self._sited.get((base, module, start, end))
        if found is None:
            found = self._sited[(base, module, start, end)] = Sited(base, (module, start, end))
        return found

    # ------------------------------------------------------------------------------------------ calls, entries

    def report_call(
        self,
        fn: Fn,
        rule: CallRule,
        name: str,
        start: int,
        end: int,
        origin: tuple[int, int, str] | None = None,
        told: Told | None = None,
        gated: bool = False,
        little: str = "",
    ) -> None:
        report = CallReport(rule, fn, name, start, end, origin)
        report.little = little
        report.told = told
        report.gated = gated
        self.reports.setdefault(fn.id, {})[report.key] = report

    def entry(self, entry: Entry) -> None:
        """A framework will call a function."""
        self._hand(entry)
        self.entries.setdefault(entry.owner.id, {})[entry.key] = entry

    def _hand(self, entry: Entry) -> None:
        """Note what objects the framework hands to the function: it is interpreted with them."""
        for number, said in enumerate(entry.callback.given, 1 if entry.fn.bound else 0):
            node = self.catalogue.paths.find(said) if is_object(said) else None
            known = self.handed_types.setdefault(entry.fn.id, {}) if node is not None else {}
            if node is not None and entry.callback.parts:
                self._hand_parts(entry, number)
            if node is not None and number not in known:
                known[number] = node
                for fn in (entry.fn, *inside(entry.fn)):  # local functions may have captured it
                    if self._state[fn.id] != NEW:
                        self._stale[fn.id] = None

    def _hand_parts(self, entry: Entry, number: int) -> None:
        """Note what was checked of the parts of an object; what two calls do not agree on is not known."""
        known = self.handed_parts.setdefault(entry.fn.id, {})
        before = known.get(number)
        after = entry.schema if before is None or before == entry.schema else ANY
        if after != (before or ANY) and self._state[entry.fn.id] != NEW:
            self._stale[entry.fn.id] = None
        known[number] = after

    def overridden(self) -> list[Entry]:
        """Methods that libraries call because they override a method that a model speaks of; found once."""
        if self._overridden is not None:
            return self._overridden
        found = []
        for cls in self.symbols.classes:
            for path in cls.instance.paths:
                for name, method in sorted(cls.methods.items()):
                    child = path.child(name)
                    for entry in child.entries if child is not None else ():
                        callback = getattr(entry, "overridden", None)
                        if callback is not None:
                            found.append(Entry(method, method, callback))
        self._overridden = found + generated_services(self) + own_tools.of_classes(self) + own_tools.of_tables(self) + routes.of_files(self)
        for one in self._overridden:
            self._hand(one)
        return self._overridden

    def _run_entries(self, total: int) -> None:
        """Call every entry point as its framework does; then plug-ins with what is seen to come to them."""
        for _ in range(limits.PLUG_IN_ROUNDS):
            self._call_entries(total)
            found = [entry for entry in plug_ins.entries(self) if entry.key not in self.entries.get(entry.owner.id, {})]
            if not found:
                return
            for entry in found:
                self.entry(entry)
        self._call_entries(total)

    def _is_renewed(self, entry: Entry) -> bool:
        """Whether what a framework calls may do something else than when it was last called."""
        init = entry.fn.cls.method("__init__") if entry.init and entry.fn.cls is not None else None
        return self._renewed is None or entry.fn.id in self._renewed or (init is not None and init.id in self._renewed)

    def _call_entries(self, total: int) -> None:
        unique: dict[Any, Entry] = {}
        public = False
        while True:  # an entry point may register others
            known = len(unique)
            for entry in [one for owner in sorted(self.entries) for one in self.entries[owner].values()] + self.overridden():
                unique.setdefault(entry.key, entry)
            if public:
                for entry in public_calls(self):
                    unique.setdefault(entry.key, entry)
            for entry in unique.values():
                self._want(entry.fn.id)
            self._drain(total)
            if len(unique) > known:
                continue
            if public or not self.published:
                break
            if self.deployed and any(entry.callback.is_ == "route" and not is_test(entry.fn.module.path) for entry in unique.values()):
                self.published = frozenset()  # a service that somebody runs: its functions are called by itself
                break
            public = True
        self.counts["entry-points"] = len(unique)
        ordered = [entry for _, entry in sorted(unique.items(), key=lambda item: str(item[0]).zfill(12))]
        found = self._by_entry
        todo = [entry for entry in ordered if entry.key not in found or entry.state or self._is_renewed(entry)]
        for _ in range(limits.STATE_ROUNDS):
            self._moved.clear()
            for entry in todo:
                try:
                    found[entry.key] = run_entry(self, entry)
                except Exception as error:
                    self._fault(entry.fn, error)
            todo = [entry for entry in ordered if entry.state and not self._moved.isdisjoint(self.linked(entry.state))]
            if not todo:
                break
        self.virtual = [issue for entry in ordered for issue in found.get(entry.key, ())]
        self._drain(total)


def rests(hop: Any, one: int, keys: Set[Any]) -> bool:
    """Whether what is told leads on over a call of a function, by one of these effects of it."""
    return hop is not None and hop[2].id == one and hop[3] in keys


def _matters(summary: Summary) -> bool:
    """Whether a function does more than pass data on."""
    return bool(summary.sinks or summary.callbacks or summary.entries) or any(_brings(shape) for shape in _shapes(summary))


def _differ(a: Summary, b: Summary) -> bool:
    """Whether two summaries say different things of operations, of sources or of what can be called."""
    return (
        {effect.key for effect in a.sinks} != {effect.key for effect in b.sinks}
        or {one.key for one in a.callbacks} != {one.key for one in b.callbacks}
        or a.entries != b.entries
        or not {one for shape in _shapes(b) for one in _brings(shape)} <= {one for shape in _shapes(a) for one in _brings(shape)}
        or (a.never, a.paths, a.proofs, a.when_true, a.when_false) != (b.never, b.paths, b.proofs, b.when_true, b.when_false)
        or a.parts != b.parts
        or a.verdicts != b.verdicts
        or _answers(a) != _answers(b)
        or not _filled(b) <= _filled(a)
    )


def _filled(summary: Summary) -> set[Any]:
    """The slots, and variables, into which a function puts what its caller gives."""
    return {one.field for one in summary.mutations if one.param == SLOT}


def _answers(summary: Summary) -> bool:
    """Whether a function is seen to answer a request, with whatever."""
    return any(one.field == ANSWER for one in summary.mutations) or ANSWER in (summary.returns.fields or {})


def _shapes(summary: Summary) -> list[Shape]:
    return [summary.returns, *(one.shape for one in summary.mutations)]


def _brings(shape: Shape, depth: int = 0) -> list[Any]:
    """The kinds of sources in a shape, and what in it can be called or has a known type."""
    found: list[Any] = [label.source.kind for label in shape.labels if label.source is not None]
    found += [ref for ref in shape.refs if ref is not EXTERNAL]
    if depth < 2:
        for part in (shape.fields or {}).values():
            found += _brings(part, depth + 1)
    return found
