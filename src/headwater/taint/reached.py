"""Data that reaches operations: findings, and effects of which callers are told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from headwater import limits
from headwater.apis import conditions
from headwater.apis.paths import ApiPath
from headwater.apis.schema import SinkModel
from headwater.index.entities import Fn
from headwater.taint import (
    guards,
    optin,
    prompts,
    secrets,
)
from headwater.taint.arguments import Args
from headwater.taint.labels import (
    ADDRESS,
    BASED,
    BEHIND,
    BIT,
    DECODED,
    ENDED,
    GLUED,
    HANDED,
    HOST_ALONE,
    HOSTED,
    LITERAL,
    NEAR,
    NO_DOT,
    NO_OPTION,
    OPTED_IN,
    PATHS,
    SERVICE,
    TREE_CHECKS,
    Label,
    derive,
    left_of,
    ordered,
    settled,
    steps_down,
)
from headwater.taint.learned import Learned
from headwater.taint.state import cleared
from headwater.taint.summary import ABSENT, Issue, Requirement, Sink, ToSink
from headwater.taint.value import (
    BOTTOM,
    NO_CONST,
    Value,
    join,
)

if TYPE_CHECKING:
    from headwater.taint.solve import Solver


CONFIDENCE_DROP = {"high": 0, "medium": 1, "low": 2}
_AGENTS = ("agent", "dispatcher", "http", "httpAgent", "https", "httpsAgent")
"""Settings of a request, and keys of such a setting, that hold what makes the connection."""
_PACKAGE = re.compile(r"[A-Za-z_]\w*\.")
GIVEN = {"response": "sends it to the caller", "prompt-system": "makes it part of the system prompt"}
"""What a library does with what a function returns that it calls."""
_NAMED_PARTS = prompts.SYSTEM | BIT["limit"]
_PROGRAMS = ("code", "import", "sandboxed-code")


class Reached(Learned):
    """What reaches operations in a function."""

    def __init__(self, solver: Solver, fn: Fn, traced: bool = False) -> None:
        super().__init__(solver, fn, traced)
        self.sinks: dict[Any, ToSink] = {}
        self.issues: dict[Any, Issue] = {}
        self.ways: dict[Any, dict[Any, Issue]] = {}
        """Of a traced run: all calls by which a source reaches a sink, and not the best alone."""
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
        weak |= label.weak & (bit | OPTED_IN | HANDED | DECODED | left | (TREE_CHECKS if sink.class_ in _PROGRAMS else 0))
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
                    less = drop + CONFIDENCE_DROP[model.confidence] + (doubt if label.source is not None or not asked else 0)
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


def _better(one: Issue | ToSink, other: Issue | ToSink) -> bool:
    """Whether less stands in the way of one than of the other, or it is shorter."""
    return _hindrance(one) < _hindrance(other)


def _hindrance(one: Issue | ToSink) -> tuple[bool, int, int, int, int, int]:
    return (bool(one.weak & HANDED), left_of(one.weak), one.drop, steps_down(one.weak), one.length, one.weak)
