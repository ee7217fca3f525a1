"""What the readers of files beside the code tell, and the findings that are made of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from headwater import limits
from headwater.findings import Confidence, Finding, Place, Severity
from headwater.index.entities import is_test
from headwater.rules.load import Rule
from headwater.rules.schema import ShapePattern

_ASIDE: Final = re.compile(
    r"(?:^|/)(?:examples?|samples?|demos?|docs?|documentation|cookbooks?|tutorials?|benchmarks?|evaluation|mocks?)/"
    r"|\.(?:example|sample|template)s?(?:\.\w+)?$",
    re.IGNORECASE,
)


class Told(NamedTuple):
    """One thing that is wrong at one place of a file."""

    path: str
    start: int
    end: int
    shape: str
    sink: str
    """What stands there, in words, already safe to show."""
    source: str
    """What is wrong with it, in words."""
    known_by: str
    """What it is recognised by in later versions of the file."""
    severity: Severity = Severity.CRITICAL
    """At most that of the rule."""
    confidence: Confidence = Confidence.HIGH
    fix: str = ""
    """Before the rule's own advice."""
    evidence: str = "static"
    """``imported`` where another tool alone found it."""


def is_aside(path: str) -> bool:
    """Whether a file is of an example, a page or a test, which nobody deploys."""
    return is_test(path) or _ASIDE.search(path) is not None


def shapes(rules: Mapping[str, Rule]) -> dict[str, tuple[Rule, ShapePattern]]:
    """The rules that ask for a shape, by its name."""
    return {one.shape: (rule, one) for rule in rules.values() for one in rule.head.shapes}


def findings(told: Iterable[Told], asked: Mapping[str, tuple[Rule, ShapePattern]]) -> list[Finding]:
    """In the order of their places; each place, rule and thing once."""
    made: list[Finding] = []
    counts: dict[tuple[str, str, str], int] = {}
    seen: set[tuple[str, str, int, str]] = set()
    for one in sorted(told, key=lambda one: (one.path, one.start, one.end, one.shape, one.source)):
        rule, pattern = asked[one.shape]
        place = (rule.id, one.path, one.start, one.known_by)
        if place in seen:
            continue
        seen.add(place)
        key = (rule.id, one.path, one.known_by)
        ordinal = counts[key] = counts.get(key, -1) + 1
        made.append(_finding(one, rule, pattern, ordinal))
    return made


def _finding(one: Told, rule: Rule, pattern: ShapePattern, ordinal: int) -> Finding:
    head = rule.head
    message = re.sub(
        r"\{(source|sink|function)\}",
        lambda found: {"source": one.source, "sink": one.sink, "function": one.path}[found[1]],
        pattern.message or head.message,
    )
    return Finding(
        rule=rule.id,
        title=head.title,
        message=message[:1].upper() + message[1:],
        severity=min(rule.severity, one.severity),
        confidence=min(Confidence[pattern.confidence.upper()], one.confidence),
        place=Place(one.path, one.start, one.end),
        function="",
        sink_class="",
        kind="",
        expression=one.known_by[: limits.EXPRESSION_CHARS],
        ordinal=ordinal,
        traces=(),
        fix=f"{one.fix} {head.fix}".strip(),
        cwe=tuple(head.mappings.cwe),
        mappings=rule.mappings,
        evidence=one.evidence,
    )
