"""Turns what the solver found into findings: the rule for a source and a sink, severity, confidence, traces, words.

Which pairs are findings is said by the rules' front matter; the path comes from ``headwater.taint.trace``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from headwater import limits
from headwater.anchors import Anchor, anchor
from headwater.files.source import Source as File
from headwater.findings import STRENGTH, Confidence, Finding, Gap, Place, Severity, Step, Trace, gap_at
from headwater.index.entities import Fn, is_test
from headwater.rules.load import Rule
from headwater.rules.schema import RuleHead
from headwater.taint import amounts, cleanups, pages, personal, prompts, rewrites
from headwater.taint.asked import asks_only, given_again, received
from headwater.taint.asked_before import AskedBefore
from headwater.taint.calls import UNKNOWN_CALL
from headwater.taint.cookies import Cookies
from headwater.taint.doubt import Doubt
from headwater.taint.entries import Entry
from headwater.taint.gains import Gains
from headwater.taint.labels import ENDED, Source, eased, left_of, steps_down
from headwater.taint.library import public_calls
from headwater.taint.mending import Stale, mend, unfounded
from headwater.taint.openness import Openness
from headwater.taint.operators import JOINED
from headwater.taint.programs import checks_in_words
from headwater.taint.solve import CallReport, Solver
from headwater.taint.summary import Issue, Sink
from headwater.taint.tenancy import Tenancy
from headwater.taint.trace import RawStep, TraceError, Tracer, tidy

_WHO = r"[\w.]*(?:user|auth|login|token|jwt|api_?key|permission|admin|credential|principal|identity)"
_COMMENTS = re.compile(r"/\*.*?\*/|(?:(?<!:)//|#)[^\n]*", re.DOTALL)
"""Comments of any language, and what looks like one in a text."""
_ASKED = re.compile(
    rf"@[\w.]*(?:login|auth|permission|jwt|token|admin|roles?)_?(?:required|only)|@[\w.]*requires?_?(?:login|auth|permission|admin|roles?|scope)"
    rf"|\b(?:Depends|Security)\(\s*{_WHO}",
    re.IGNORECASE,
)
"""Above or in the header of a function: whoever calls it is asked who it is."""
_ROUTES_ASKED = re.compile(
    rf"\b(?:APIRouter|FastAPI)\([^()]{{0,300}}dependencies\s*=\s*\[\s*(?:\w+\.)?(?:Depends|Security)\(\s*{_WHO}", re.IGNORECASE
)
LEAKY = "path-check-passed"
_PATHS = ("path-read", "path-write")
_PLACES = (*_PATHS, "url", "redirect", "html")
"""Operations that work with some texts and harm with few."""
_INDIRECT = frozenset({"llm-output", "retrieved-content", "tool-result", "dataset"})
"""Kinds of data that an application keeps in objects together with much else."""
_IN_FIELD = re.compile(r"\bthe field |\bkept in ")
_MADE_PATH = re.compile(r"through (?:abspath|absolute|expanduser|join|joinpath|normalize|normpath|realpath|relative|resolve)\b")
_OFF = "it is behind a switch that is off by default"
_SEVERAL = 2
"""Operations on files that rely on one check: of one alone, what is said there is enough."""
_HEADER = 1000
"""Bytes of a header that are looked at."""
_ANYONE = re.compile(r"\bAnyone who can (?:send (?:a request|that data|it)|reach this server)\b")
"""Who that is in messages, where nobody is asked who they are."""


def reported(solver: Solver, rules: Mapping[str, Rule], files: Mapping[str, File]) -> tuple[list[Finding], list[Gap]]:
    """All findings, ordered by place and rule, and what could not be told.

    Where a path cannot be replayed, functions were read that have changed since: they are interpreted again, and who has read them.
    """
    allowed = solver.worked + limits.MENDS_WORK
    for turn in range(limits.MENDS + 1):
        reporter = Reporter(solver, rules, files)
        last = turn == limits.MENDS or solver.worked > allowed
        stale: Stale = {} if last else unfounded(solver, reporter.tried())
        replayed = not stale
        if replayed:
            findings = reporter.findings()
            stale = reporter.stale
        if not stale or last:
            break
        calls = {number: dict(told) for number, told in solver.reports.items()}
        changed = mend(solver, stale)
        for number, told in calls.items():  # among them what was seen of the whole system
            solver.reports[number] = {**solver.reports.get(number, {}), **told}
        if replayed and not changed:
            break  # another turn would see the same
    solver.counts.update(reporter.counts)
    return findings, reporter.gaps


class Reporter:
    """Builds the findings of one solved project."""

    def __init__(self, solver: Solver, rules: Mapping[str, Rule], files: Mapping[str, File]) -> None:
        self.solver = solver
        self.rules = rules
        self.files = files
        self.pairs: dict[tuple[str, str], Rule] = {pair: rule for rule in rules.values() for pair in rule.pairs}
        self.gaps: list[Gap] = []
        self.counts: Counter[str] = Counter()
        self.stale: dict[int, set[Any]] = {}
        """Functions on paths that cannot be replayed (see ``TraceError``), and keys of sinks to which they lead without ground."""
        self.asking: dict[int, bool] = {}
        """By module: whether all of its routes ask who sends a request."""
        self.openness = Openness(solver.symbols, files)
        self.tenancy = Tenancy(solver, files)
        self.cookies = Cookies(solver, files)
        self.asked_before = AskedBefore(solver, files)
        self.gains = Gains(solver, files, self.openness, self.asked_before)
        self.leaky: dict[tuple[int, int, int], dict[tuple[int, int], tuple[Issue, list[RawStep]]]] = {}
        """Checks of paths that can be passed: by the operations behind them, how data comes to the check."""
        self.sessions: dict[int, Issue] = {}
        """By module: that a request to it runs as it is, in a terminal or kernel."""
        self.entries = self._entries()
        self.groups = self._grouped()

    def _count(self, what: str) -> None:
        self.counts[what] += 1

    def _entries(self) -> dict[int, list[Entry]]:
        """The ways in which frameworks call functions, by function."""
        entries: dict[int, list[Entry]] = {}
        for owner in sorted(self.solver.entries):
            for entry in self.solver.entries[owner].values():
                entries.setdefault(entry.fn.id, []).append(entry)
        for entry in [*self.solver.overridden(), *(public_calls(self.solver) if self.solver.published else ())]:
            entries.setdefault(entry.fn.id, []).append(entry)
        return entries

    def tried(self) -> list[Issue]:
        """Of each operation, the flows that are told first."""
        return [issue for _, issues in sorted(self.groups.items()) for issue in _lightest(issues)[: 2 * limits.TRACES]]

    def _grouped(self) -> dict[Any, list[Issue]]:
        """What is told, by operation."""
        entries = self.entries
        unshown = {number for number, ways in entries.items() if all(entry.callback.unshown for entry in ways)}
        groups: dict[Any, list[Issue]] = {}
        issues = [issue for one in sorted(self.solver.issues) for issue in self.solver.issues[one]] + self.solver.virtual
        for issue in issues:
            if (issue.source.kind, issue.sink.class_) not in self.pairs:
                continue
            flow = self.pairs[(issue.source.kind, issue.sink.class_)].head.flow
            if _only_tested(issue):
                self._count("flows-of-tests")
            elif flow is not None and flow.open and not self.openness.of(issue):
                self._count("flows-of-known-callers")
            elif flow is not None and flow.owned and not self.tenancy.of(issue):
                self._count("flows-to-records-that-are-not-owned")
            elif (
                issue.sink.class_ == "html"
                and STRENGTH.get(issue.source.kind, 9) == 0
                and not unshown.isdisjoint((issue.source.fn.id, issue.apex.id))
            ):
                self._count("flows-to-answers-that-no-browser-shows")
            elif pages.done_there(issue, self.files.get(issue.sink.fn.module.path)):
                self._count("flows-in-browsers")
            elif issue.source.kind in prompts.HIDDEN and any(prompts.left_out(self._of(fn)) for fn in {issue.apex, issue.sink.fn}):
                self._count("flows-of-system-messages-left-out")
            elif issue.source.kind in personal.KINDS and personal.stays(issue.sink.name):
                self._count("flows-of-personal-data-that-stays")
            elif issue.sink.class_ == amounts.CLASS and any(
                amounts.compared(self._of(fn)) for fn in (issue.source.fn, issue.apex, issue.sink.fn)
            ):
                self._count("flows-of-numbers-that-are-compared")
            else:
                groups.setdefault(issue.sink.key, []).append(issue)
        for issue in issues:
            if issue.sink.session and STRENGTH.get(issue.source.kind, 9) == 0:
                known = self.sessions.setdefault(issue.source.fn.module.id, issue)
                if issue.sink.key < known.sink.key:
                    self.sessions[issue.source.fn.module.id] = issue
        for key in cleanups.removals(groups, self._text):
            self._count("removals-of-what-was-written-there")
            del groups[key]
        for key in rewrites.again(groups, self.solver):
            self._count("uses-of-what-was-written-there")
            del groups[key]
        return groups

    def findings(self) -> list[Finding]:
        """All findings, ordered by place and rule."""
        groups = self.groups
        tracer = Tracer(self.solver, self.entries, self.files)
        for number, error in sorted(self.solver.faults.items()):
            fn = self.solver.symbols.functions[number]
            reason = f"the engine failed on {fn.ir.qualname}() ({error}): what it does is not known"
            self.gaps.append(self._gap(fn, fn.ir.start, reason, "crash"))
        drafts: list[tuple[Any, Finding]] = []
        for key in sorted(groups):
            finding = self._flow(groups[key], tracer)
            if finding is not None:
                drafts.append(((finding.place, finding.rule), finding))
        drafts += [((finding.place, finding.rule), finding) for finding in self._leaky_checks()]
        for one in sorted(self.solver.reports):
            for report in self.solver.reports[one].values():
                if report.rule.reach and report.key not in self.solver.led_to:
                    self._count("calls-that-no-request-leads-to")
                    continue
                if report.rule.reach:
                    report.told = self.solver.led_to[report.key]
                if self._done_otherwise(report):
                    self._count("calls-made-good-elsewhere")
                    continue
                drafts.append(
                    (
                        (self._place(report.fn, report.start, report.end), report.rule.rule),
                        self._call(report, self._origin(report, tracer), report.told[0] if report.told else ""),
                    )
                )
        drafts.sort(key=lambda item: item[0])
        return _numbered(_of_one_text(_without_doubles([finding for _, finding in drafts])))

    def _text(self, sink: Sink) -> str:
        """An operation as it is written."""
        file = self.files.get(sink.fn.module.path)
        return file.slice(sink.start, sink.end) if file is not None else ""

    def _flow(self, issues: list[Issue], tracer: Tracer) -> Finding | None:
        ordered = _lightest(issues)
        traces: list[Trace] = []
        alike: list[Trace] = []
        """Ways that come to the operation as another one does."""
        callers: set[int] = set()
        strongest: Issue | None = None
        doubts: list[str] = []
        way: list[RawStep] = []
        checked: list[RawStep] = []
        shown: list[list[RawStep]] = []
        ways: list[tuple[Issue, list[RawStep]]] = []
        for issue in ordered[: limits.SOURCES_PER_SINK]:
            if len(traces) >= limits.TRACES or len(traces) + len(alike) >= 2 * limits.TRACES:
                break
            try:
                path = tracer.path(issue)
            except TraceError as error:
                self._count("traces-failed")
                for fn, sink in error.stale:
                    self.stale.setdefault(fn.id, set()).update([sink] if sink is not None else ())
                self.gaps.append(self._gap(issue.sink.fn, issue.sink.start, f"a path to this place could not be replayed: {error}"))
                continue
            ways.append((issue, path))
            if strongest is None:
                strongest, doubts, way = issue, _doubts(path), path[:1]
                checked = [step for step in path if isinstance(step.what, Doubt)]
                if checked and issue.sink.class_ in _PATHS:
                    self._leaks(issue, path)
            if _told(path, issue.source, shown):
                continue
            shown.append(path)
            caller = next((step.fn.id for step in reversed(path) if step.fn is not issue.sink.fn), -1)
            (alike if caller in callers else traces).append(Trace(issue.source.kind, self._steps(path, issue.source.kind, issue.source)))
            callers.add(caller)
        traces += alike[: limits.TRACES - len(traces)]
        if strongest is None:
            return None
        if len(traces) < limits.TRACES:
            traces += self._other_ways(strongest, tracer, shown)[: limits.TRACES - len(traces)]
        sink = strongest.sink
        rule = self.pairs[(strongest.source.kind, sink.class_)]
        lowered = strongest.drop + steps_down(strongest.weak)
        confidence = Confidence(max(Confidence.LOW, Confidence.HIGH - lowered))
        weaknesses = []
        if strongest.gated:
            weaknesses.append(_OFF)
        elif strongest.drop:
            weaknesses.append("the path goes through a call or an object that could not be resolved for sure")
        weaknesses += checks_in_words(strongest.weak, doubts)
        little = self._session(strongest, ordered) or self.gains.little(ordered, ways)
        little = little or self._far_fetched(strongest, traces[0])
        if little:
            weaknesses.append(little)
        known_by = self._anchor(sink.fn, sink.start, sink.end)
        signed_in = sink.fn is not None and STRENGTH.get(strongest.source.kind, 9) == 0 and self._asks(strongest, way)
        head = rule.head
        said = head.messages.get(sink.class_, head.message)
        return Finding(
            rule=rule.id,
            title=head.title,
            message=_fill(
                _ANYONE.sub("Anyone who has signed in", said) if signed_in else said,
                source=_source_words(strongest, self._place(strongest.source.fn, strongest.source.start, strongest.source.end), self.files),
                sink=f"`{self._words(sink.fn, sink.start, sink.end)}`",
                function=sink.fn.ir.qualname,
            )
            + _noted(sink.note),
            severity=Severity.LOW if little or sink.little else _severity(rule, sink.fn, strongest.weak),
            confidence=confidence,
            place=self._place(sink.fn, sink.start, sink.end),
            function=sink.fn.ir.qualname,
            sink_class=sink.class_,
            kind=strongest.source.kind,
            expression=known_by.expression,
            ordinal=0,
            traces=tuple(traces),
            fix=self._fix(_advice(head, sink.fn), checked),
            cwe=tuple(head.mappings.cwe),
            mappings=rule.mappings,
            weaknesses=tuple(weaknesses),
            shape=known_by.shape,
            around=known_by.around,
            signed_in=signed_in,
        )

    def _far_fetched(self, issue: Issue, trace: Trace) -> str:
        """Why a way to an operation is hardly one, in words: what leads to programs is looked at nevertheless."""
        if issue.source.kind in _INDIRECT and len(trace.steps) >= limits.FAR_WAY:
            kept = any(_IN_FIELD.search(step.what) is not None for step in trace.steps)
            if kept and len({step.place.path for step in trace.steps}) >= limits.FAR_FILES:
                return "so long a way through so many files is seldom one"
        if not issue.drop or issue.gated or issue.sink.class_ not in _PLACES:
            return ""
        if any(UNKNOWN_CALL in step.what for step in trace.steps):
            return "what comes back from a function that is not part of the project is seldom what it was given"
        return "so long a way is seldom one" if len(trace.steps) >= limits.LONG_WAY else ""

    def _leaks(self, issue: Issue, path: list[RawStep]) -> None:
        """Note the last check before an operation on a file, which can be passed and stands in a function of its own."""
        number = max(number for number, step in enumerate(path) if isinstance(step.what, Doubt))
        check = path[number]
        if check.fn is issue.sink.fn:  # not a check that others ask for
            return
        if not any(step.fn is check.fn and _MADE_PATH.match(step.what) for step in path[:number]):  # it may be of a text of any kind
            return
        behind = self.leaky.setdefault((check.fn.id, check.start, check.end), {})
        way = path[: number + 1]
        first = next(at for at, step in enumerate(way) if step.fn is check.fn)
        back = next((step for step in path[number + 1 :] if step.fn is not check.fn), None)
        if first and back is not None and back.what == f"returned by {check.fn.name}()":  # where the check is asked for
            way.insert(first, RawStep(back.fn, back.start, back.end, f"passed to {check.fn.ir.qualname}()"))
        behind[issue.sink.fn.module.id, issue.sink.start] = issue, way

    def _leaky_checks(self) -> list[Finding]:
        """Checks of paths that can be passed, and that several operations rely on: that is the place to change."""
        rule = self.solver.shapes.get(LEAKY)
        made = []
        for key in sorted(self.leaky) if rule is not None else ():
            behind = self.leaky[key]
            if rule is None or len(behind) < _SEVERAL:
                continue
            issue, path = behind[min(behind)]
            check = path[-1]
            report = CallReport(rule, check.fn, LEAKY, check.start, check.end)
            path = [*path[:-1], RawStep(check.fn, check.start, check.end, str(check.what))]
            traces = (Trace(issue.source.kind, self._steps(path, issue.source.kind, issue.source)),)
            made.append(self._call(report, traces, check.what.text if isinstance(check.what, Doubt) else ""))
        return made

    def _other_ways(self, issue: Issue, tracer: Tracer, shown: list[list[RawStep]]) -> list[Trace]:
        """Other calls by which the same data comes to the operation."""
        try:
            found = tracer.others(issue)
        except TraceError:  # what is shown already is enough
            return []
        made = []
        for path in found:
            if not _told(path, issue.source, shown):
                shown.append(path)
                made.append(Trace(issue.source.kind, self._steps(path, issue.source.kind, issue.source)))
        return made

    def _session(self, strongest: Issue, issues: list[Issue]) -> str:
        """Why it is no more than whoever sends it may do anyway, in words: the same server runs what it is sent."""
        run = self.sessions.get(strongest.source.fn.module.id)
        if run is None or strongest.sink.session or not all(issue.source.fn.module.id in self.sessions for issue in issues):
            return ""  # that it runs what it is sent is told once, at that place
        file = self.files.get(run.sink.fn.module.path)
        where = f" ({file.place(run.sink.start)})" if file is not None else ""
        return f"whoever sends it may run commands in the same server{where}"

    def _fix(self, fix: str, checked: list[RawStep]) -> str:
        """What to change; where a check that can be passed stands in the way, that is the place."""
        for step in checked[-1:]:
            file = self.files.get(step.fn.module.path)
            if file is not None:
                return f"The check at {file.place(step.start)} is not enough. {fix}"
        return fix

    def _asks(self, issue: Issue, way: list[RawStep]) -> bool:
        """Whether the way in asks who sends the request: a decorator, or a dependency of the function or of all routes of its file."""
        for fn in dict.fromkeys((issue.source.fn, issue.apex, *(step.fn for step in way))):
            if self.asked_before.handler(fn):
                return True
            file = self.files.get(fn.module.path)
            if file is None or fn.index == 0:
                continue
            start = fn.ir.start
            first = min((one.start for one in fn.ir.body if one.start > start), default=fn.ir.end)
            above = file.slice(max(0, start - _HEADER), start).rpartition("\n\n")[2]
            if _ASKED.search(above + file.slice(start, min(first, start + _HEADER))):
                return True
            if fn.module.id not in self.asking:
                self.asking[fn.module.id] = _ROUTES_ASKED.search(file.slice(0, fn.module.ir.functions[0].end)) is not None
            if self.asking[fn.module.id]:
                return True
        return False

    def _origin(self, report: CallReport, tracer: Tracer) -> tuple[Trace, ...]:
        """Where what a call works on comes from."""
        if report.told is not None and not report.told[1]:
            return ()
        if report.told is not None:
            path = [RawStep(*step) for step in report.told[1]] + [RawStep(report.fn, report.start, report.end, report.told[2])]
            return (Trace("system", self._steps(path, "system", None)),)
        if report.origin is not None:
            steps = [RawStep(report.fn, *report.origin), RawStep(report.fn, report.start, report.end, "what happens depends on it")]
            return (Trace("http-input", self._steps(steps, "http-input", None)),)
        if self.rules[report.rule.rule].head.setting:
            return ()
        try:
            kind, path = tracer.operands(report.fn, report.start, report.end)
        except TraceError:
            return ()
        if not path:
            return ()
        path = tidy([*path, RawStep(report.fn, report.start, report.end, f"given to {report.name}")])
        return (Trace(kind or "parameter", self._steps(path, kind or "parameter", None)),)

    def _done_otherwise(self, report: CallReport) -> bool:
        """Whether the file speaks of what makes the call harmless, or the function asks nothing of its result that does harm."""
        if report.rule.but_for and (around := self.files.get(report.fn.module.path)) is not None:
            before, after = around.slice(report.fn.ir.start, report.start), around.slice(report.end, report.fn.ir.end)
            if asks_only(before, after, report.rule.but_for):
                return True
        if report.rule.then and (around := self.files.get(report.fn.module.path)) is not None:
            call, after = around.slice(report.start, report.end), around.slice(report.end, report.fn.ir.end)
            if given_again(call, after, report.rule.then):
                return True
        file = self.files.get(report.fn.module.path) if report.rule.unless else None
        text = _COMMENTS.sub("", file.text).casefold() if file is not None else ""
        if any(word in text for word in report.rule.unless):
            return True
        return report.rule.asked and self.asked_before.of(report.fn, report.rule.unless)

    def _call(self, report: CallReport, traces: tuple[Trace, ...], why: str = "") -> Finding:
        rule = self.rules[report.rule.rule]
        head = rule.head
        known_by = self._anchor(report.fn, report.start, report.end)
        sink = f"`{self._words(report.fn, report.start, report.end)}`"
        little = report.little
        installed = bool(self.solver.published) and not self.solver.deployed
        if head.cookies and not installed and not self.cookies.sent_to(report.fn.module):
            little = "nothing in its package asks for a cookie, a session or a sign-in"
        elif report.rule.received and not any(STRENGTH.get(trace.kind) == 0 for trace in traces):
            file = self.files.get(report.fn.module.path)
            if file is not None and received(file.slice(report.start, report.end), report.rule.received):
                little = "the service that signs in has answered with it"
        if report.rule.sent and not little and not any(STRENGTH.get(trace.kind) == 0 for trace in traces):
            little = "no request is known to bring it: who holds a token may read it"
        return Finding(
            rule=rule.id,
            title=head.title,
            message=_fill(report.rule.message or head.message, source=why, sink=sink, function=report.fn.ir.qualname)
            + _noted(self.solver.declared(report.fn, report.rule.when))
            + (report.told[3] if report.told else ""),
            severity=Severity.LOW if little else _severity(rule, report.fn),
            confidence=Confidence.LOW if report.gated else Confidence[report.rule.confidence.upper()],
            place=self._place(report.fn, report.start, report.end),
            function=report.fn.ir.qualname,
            sink_class="",
            kind="",
            expression=known_by.expression,
            ordinal=0,
            traces=traces,
            fix=_advice(head, report.fn),
            cwe=tuple(head.mappings.cwe),
            mappings=rule.mappings,
            weaknesses=tuple(why for why in (_OFF if report.gated else "", little) if why),
            shape=known_by.shape,
            around=known_by.around,
        )

    def _steps(self, path: list[RawStep], kind: str, source: Source | None) -> tuple[Step, ...]:
        last = len(path) - 1
        first = 0
        if source is not None:
            here = (source.fn.id, source.start, source.end)
            first = next((number for number, step in enumerate(path) if (step.fn.id, step.start, step.end) == here), 0)
        return tuple(
            Step(
                self._place(step.fn, step.start, step.end),
                str(step.what),
                kind,
                step.fn.ir.qualname,
                "source" if number == first else "sink" if number == last else "step",
            )
            for number, step in enumerate(path)
        )

    def _place(self, fn: Fn, start: int, end: int) -> Place:
        return Place(fn.module.path, start, end)

    def _words(self, fn: Fn, start: int, end: int) -> str:
        """An operation in a message."""
        file = self.files.get(fn.module.path)
        return _short(re.sub(r"\s+", " ", file.slice(start, end)).strip()) if file is not None else ""

    def _anchor(self, fn: Fn, start: int, end: int) -> Anchor:
        file = self.files.get(fn.module.path)
        names = {*fn.ir.names, *fn.ir.captured, *(one.name for one in fn.ir.params)}
        return anchor(file, start, end, (fn.ir.start, fn.ir.end), names) if file is not None else Anchor("", "", ("", ""))

    def _of(self, fn: Fn) -> str:
        """The text of a function."""
        file = self.files.get(fn.module.path)
        return file.slice(fn.ir.start, fn.ir.end) if file is not None else ""

    def _gap(self, fn: Fn, offset: int, reason: str, kind: str = "trace") -> Gap:
        file = self.files.get(fn.module.path)
        return gap_at(file, kind, offset, reason) if file is not None else Gap(kind, fn.module.path, 0, reason)


def _advice(head: RuleHead, fn: Fn) -> str:
    """What to change, in the language of the file."""
    return head.fix_scripts if head.fix_scripts and fn.module.script else head.fix


def _only_tested(issue: Issue) -> bool:
    """Whether it is a test that brings the data, or that leads it to an operation of the program: nobody sends anything that way."""
    if is_test(issue.sink.fn.module.path):
        return False
    return any(is_test(fn.module.path) for fn in (issue.source.fn, issue.apex))


def _severity(rule: Rule, fn: Fn, weak: int = 0) -> Severity:
    """How bad it is here: little in a test, which nobody can reach; less where little is left of it."""
    if is_test(fn.module.path) or weak & ENDED:
        return min(rule.severity, Severity.LOW)
    return min(rule.severity, Severity.MEDIUM) if eased(weak) else rule.severity


def _lightest(issues: list[Issue]) -> list[Issue]:
    """Of each source the way with the least between, in the order in which they are told."""
    best: dict[Any, Issue] = {}
    for issue in issues:
        known = best.get(issue.source.key)
        if known is None or _weight(issue) < _weight(known):
            best[issue.source.key] = issue
    return _varied(sorted(best.values(), key=_weight))


def _varied(issues: list[Issue]) -> list[Issue]:
    """Those of the strongest kind of source first; of a kind the surest first, then those of other sources, then of other files.

    Three ways in say more than three times the same.
    """
    made: list[Issue] = []
    for _, group in groupby(issues, key=lambda one: one.source.kind):
        seen: set[Any] = set()
        first: list[Issue] = []
        second: list[Issue] = []
        rest: list[Issue] = []
        for issue in group:
            what, where = issue.source.text, (issue.source.fn.module.id, issue.apex.module.id)
            (first if what not in seen else second if where not in seen else rest).append(issue)
            seen.update((what, where))
        made += first + second + rest
    return made


def _weight(issue: Issue) -> Any:
    hindered = issue.drop + steps_down(issue.weak)
    strength = STRENGTH.get(issue.source.kind, 9)
    if issue.source.kind == "library-input" and issue.sink.class_ == "deserialize":
        strength = STRENGTH["model-file"] + 1  # that a file is named says less than that one is known to come from elsewhere
    return (left_of(issue.weak), strength, hindered, issue.length, issue.source.key, issue.apex.id)


def _told(path: list[RawStep], source: Source, shown: list[list[RawStep]]) -> bool:
    """Whether a way says nothing that another one has not said: the same calls, of which another one is called the source."""
    here = (source.fn.id, source.start, source.end)
    places = {place for step in path if (place := (step.fn.id, step.start, step.end)) != here}
    return any(places <= {(step.fn.id, step.start, step.end) for step in other} for other in shown)


def _doubts(path: list[RawStep]) -> list[str]:
    """The checks on the way that can be passed, in words."""
    return list(dict.fromkeys(step.what.text for step in path if isinstance(step.what, Doubt)))


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."


def _source_words(issue: Issue, place: Place, files: Mapping[str, File]) -> str:
    file = files.get(place.path)
    where = f" ({file.place(place.start)})" if file is not None else ""
    return f"{issue.source.text}{where}"


def _noted(note: str) -> str:
    """What a message adds on what the repository declares, or nothing."""
    return f" ({note}.)" if note else ""


def _fill(template: str, **words: str) -> str:
    made = re.sub(r"\{(source|sink|function)\}", lambda match: words.get(match[1], ""), template)
    return made[:1].upper() + made[1:]


def _without_doubles(findings: list[Finding]) -> list[Finding]:
    """Without what says nothing new: a call rule where a flow of the same damage is reported, a second class with the same rule."""
    flows = {(finding.place.path, finding.place.start) for finding in findings if finding.sink_class}
    named = {finding.place for finding in findings if finding.sink_class == "url"}
    """Where whoever sends the request names the server: that it can be slow is the least of it."""
    made: list[Finding] = []
    seen: set[tuple[str, Place]] = set()
    for finding in findings:
        if not finding.sink_class and (finding.place.path, finding.place.start) in flows and finding.rule.startswith("unsafe-"):
            continue
        if finding.sink_class == "waiting" and finding.place in named:
            continue
        key = (finding.rule, finding.place)
        if key in seen:
            continue
        seen.add(key)
        made.append(finding)
    return made


def _of_one_text(findings: list[Finding]) -> list[Finding]:
    """Of the calls that one text for a model goes to, the surest: what has to change is where the text is made, not who sends it."""
    best: dict[Any, Finding] = {}
    for finding in findings:
        key: Any = id(finding)
        if finding.sink_class in ("prompt", "prompt-system"):
            made = [step.place for step in finding.traces[0].steps if step.what == JOINED or step.what.startswith("through ")]
            key = (finding.rule, made[-1]) if made else key
        known = best.get(key)
        if known is None or (finding.severity, finding.confidence) > (known.severity, known.confidence):
            best[key] = finding
    kept = {id(finding) for finding in best.values()}
    return [finding for finding in findings if id(finding) in kept]


def _numbered(findings: list[Finding]) -> list[Finding]:
    counts: dict[tuple[str, str, str, str], int] = {}
    made = []
    for finding in findings:
        key = (finding.rule_class, finding.place.path, finding.function, finding.expression)
        number = counts.get(key, 0)
        counts[key] = number + 1
        made.append(_with_ordinal(finding, number) if number else finding)
    return made


def _with_ordinal(finding: Finding, number: int) -> Finding:
    fields = {name: getattr(finding, name) for name in finding.__struct_fields__}
    fields["ordinal"] = number
    return Finding(**fields)
