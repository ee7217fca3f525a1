"""The review as SARIF 2.1.0, as GitHub code scanning and other readers take it (described in docs/sarif.md).

Same review, same bytes: no times, no absolute paths. What GitHub would refuse is left out here, and said in the file.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import msgspec

from headwater import gate, limits
from headwater.findings import (
    NOTES,
    Confidence,
    Coverage,
    Finding,
    Gap,
    Level,
    Mapping_,
    Place,
    Severity,
    Step,
    Suppression,
    Trace,
    level_of,
)
from headwater.knowledge import load as knowledge
from headwater.matching import encodable
from headwater.reports import escape, evidence, linehash, redteam, words
from headwater.reports.view import Span, View
from headwater.rules.load import Rule

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
CATEGORY: Final = "headwater/"  # a report of another category would close the alerts of this one
ROOT: Final = "%SRCROOT%"

# GitHub refuses the whole file above the first and the last; of the results it keeps the second.
RESULTS: Final = 25_000
RESULTS_KEPT: Final = 5_000
BYTES_COMPRESSED: Final = 10_000_000
TAGS: Final = 10
DESCRIPTION: Final = 1024
NOTIFICATIONS: Final = 100  # of one kind of gap: the JSON report has them all
SNIPPET: Final = 1000

_SECURITY_SEVERITY: Final = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0"}
_TAXONOMIES: Final[Mapping[tuple[str, str], str]] = {
    ("owasp-llm", "2025"): "OWASP LLM 2025",
    ("owasp-llm", "2026"): "OWASP LLM 2026",
    ("owasp-agentic", "2026"): "OWASP Agentic 2026",
    ("atlas", ""): "MITRE ATLAS",
    ("cwe", ""): "CWE",
}
_LINK: Final = re.compile(r"https?://[^\s)>\]]+")
_LIKE_A_LINK: Final = re.compile(r"\[[^\]]*\]\(")
_PLACEHOLDER: Final = re.compile(r"\{(\d+)\}")

Json = dict[str, Any]


def render(view: View) -> bytes:
    """One SARIF log. What makes it too large for GitHub is left out from its end: the shorter traces first."""
    findings = (*view.findings, *view.known, *view.suppressed)[:RESULTS]
    data = b""
    for kept, flows, detailed in (
        (len(findings), limits.TRACES, len(findings)),
        (len(findings), 1, RESULTS_KEPT),
        (RESULTS_KEPT, 1, RESULTS_KEPT // 5),
        (RESULTS_KEPT // 5, 1, 0),
    ):
        data = _encoded(_log(view, findings[:kept], flows, detailed))
        # Compressing is slow, and never makes it larger.
        if len(data) <= BYTES_COMPRESSED or len(gzip.compress(data, mtime=0)) <= BYTES_COMPRESSED:
            break
    return data


def _encoded(log: Json) -> bytes:
    return escape.json(msgspec.json.format(msgspec.json.encode(log), indent=1)) + b"\n"


def _log(view: View, findings: Sequence[Finding], flows: int, detailed: int) -> Json:
    """The log with these findings; those after the first ``detailed`` ones have no code flows."""
    rules = list(view.rules.values())
    taxonomies = _Taxonomies(rules, findings)
    index = {rule.id: number for number, rule in enumerate(rules)}
    lines = _LineHashes(view)
    gaps = _Gaps(view.coverage, len(view.findings) + len(view.known) + len(view.suppressed) - len(findings))
    run: Json = {
        "tool": {
            "driver": {
                "name": "Headwater",
                "semanticVersion": view.version,
                "rules": [_rule(rule, taxonomies) for rule in rules],
                "notifications": gaps.descriptors,
                "supportedTaxonomies": taxonomies.references,
            }
        },
        "automationDetails": {"id": CATEGORY},
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
        "columnKind": "utf16CodeUnits",
        "newlineSequences": ["\r\n", "\n", "\r"],
        "invocations": [
            {"executionSuccessful": view.coverage.status != "failed", "toolExecutionNotifications": gaps.notifications},
        ],
        "taxonomies": taxonomies.components,
        "results": [
            _result(view, finding, index, taxonomies, lines, flows if number < detailed else 0) for number, finding in enumerate(findings)
        ],
        "properties": {
            "coverage": _coverage(view.coverage),
            "persona": view.config.persona,
            "resultsLeftOut": gaps.left_out,
            **_comparison(view),
            **_red_team(view),
        },
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


# ------------------------------------------------------------------------------------------------------------- rules


def _rule(rule: Rule, taxonomies: _Taxonomies) -> Json:
    """One ``reportingDescriptor``."""
    sections = rule.sections
    about = _plain(sections.get("What it is", "").split("\n\n")[0]) or f"{rule.head.title}."
    page = rule.readable.partition("\n## Examples\n")[0].strip()
    short = [sections[name] for name in ("What it is", "What an attacker gains", "How to fix") if name in sections]
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": _cut(f"{rule.head.title}.")},
        "fullDescription": {"text": _cut(about)},
        "help": {"text": "\n\n".join(short) or rule.head.fix, "markdown": page or rule.head.fix},
        **({"helpUri": link} if (link := _help_uri(rule)) else {}),
        "defaultConfiguration": {"level": level_of(rule.severity, Confidence.HIGH).word, "rank": gate.highest_rank(rule.severity)},
        "relationships": [
            {"target": taxonomies.reference(mapping), "kinds": ["relevant"]} for mapping in rule.mappings if mapping in taxonomies
        ],
        "properties": {
            "tags": _tags(rule),
            "precision": rule.confidence.word,
            "security-severity": _SECURITY_SEVERITY[rule.severity],
        },
    }


def _tags(rule: Rule) -> list[str]:
    """The most telling first: GitHub keeps ten."""
    mapped = rule.mappings
    weaknesses = [f"external/cwe/cwe-{int(mapping.id):03}" for mapping in mapped if mapping.framework == "cwe"]
    others = [mapping.id for mapping in mapped if mapping.framework != "cwe"]
    return list(dict.fromkeys(["security", *weaknesses, *rule.head.tags, *others]))[:TAGS]


def _help_uri(rule: Rule) -> str:
    """The first reference of the page, else the page of its first weakness."""
    found = _LINK.search(rule.sections.get("References", ""))
    if found:
        return found.group()
    return next((knowledge.entry("cwe", str(number)).url for number in rule.head.mappings.cwe), "")


def _plain(markdown: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    return " ".join(re.sub(r"[`*]", "", text).split())


def _cut(text: str) -> str:
    return text if len(text) <= DESCRIPTION else text[: DESCRIPTION - 1] + "…"


class _Taxonomies:
    """The standards that rules and findings point into, with the items that they name."""

    def __init__(self, rules: Iterable[Rule], findings: Iterable[Finding]) -> None:
        used = {mapping for rule in rules for mapping in rule.mappings} | {mapping for finding in findings for mapping in mapped(finding)}
        self._index: dict[tuple[str, str, str], tuple[int, int]] = {}
        self.components: list[Json] = []
        for (framework, edition), name in _TAXONOMIES.items():
            items = sorted({mapping for mapping in used if mapping.framework == framework and edition in ("", mapping.edition)}, key=_by_id)
            if not items:
                continue
            about = knowledge.FRAMEWORKS[framework]
            for number, item in enumerate(items):
                self._index[item.framework, item.edition, item.id] = len(self.components), number
            self.components.append(
                {
                    "name": name,
                    "version": items[0].edition,
                    "organization": about.publisher,
                    "shortDescription": {"text": f"{about.title}, {items[0].edition}."},
                    "informationUri": about.url,
                    "isComprehensive": False,
                    "taxa": [_taxon(item) for item in items],
                }
            )

    def __contains__(self, mapping: Mapping_) -> bool:
        return (mapping.framework, mapping.edition, mapping.id) in self._index

    def reference(self, mapping: Mapping_) -> Json:
        component, number = self._index[mapping.framework, mapping.edition, mapping.id]
        return {"id": mapping.id, "index": number, "toolComponent": {"name": self.components[component]["name"], "index": component}}

    @property
    def references(self) -> list[Json]:
        return [{"name": component["name"], "index": number} for number, component in enumerate(self.components)]


def mapped(finding: Finding) -> list[Mapping_]:
    """All places of a finding in the standards, its weaknesses too."""
    found = list(finding.mappings)
    known = {mapping.id for mapping in found if mapping.framework == "cwe"}
    for number in finding.cwe:
        if str(number) not in known:
            entry = knowledge.entries("cwe").get(str(number))
            found.append(Mapping_("cwe", knowledge.editions("cwe")[-1], str(number), entry.name if entry else f"CWE-{number}"))
    return found


def _by_id(mapping: Mapping_) -> tuple[str, int, str]:
    return mapping.edition, int(mapping.id) if mapping.id.isdecimal() else 0, mapping.id


def _taxon(mapping: Mapping_) -> Json:
    entry = knowledge.entries(mapping.framework).get(mapping.id)
    return {
        "id": mapping.id,
        "name": mapping.name,
        "shortDescription": {"text": f"{mapping.name}."},
        **({"helpUri": entry.url} if entry and entry.url else {}),
    }


# ----------------------------------------------------------------------------------------------------------- results


def _result(view: View, finding: Finding, index: Mapping[str, int], taxonomies: _Taxonomies, lines: _LineHashes, flows: int) -> Json:
    span = view.span(finding.place)
    related = _sources(finding)
    result: Json = {
        "ruleId": finding.rule,
        **({"ruleIndex": index[finding.rule]} if finding.rule in index else {}),
        "level": finding.level.word,
        "rank": gate.rank(finding),
        **({"baselineState": "updated" if finding.state == "worse" else finding.state} if finding.state else {}),
        "message": {"text": _message(view, finding, related)},
        "locations": [_location(span, finding.function, snippet="" if span.cell else view.snippet(finding.place, SNIPPET))],
    }
    if related:
        result["relatedLocations"] = [
            {"id": number, **_location(view.span(step.place), step.function), "message": {"text": _text(step.what)}}
            for number, step in enumerate(related, 1)
        ]
    if flows and finding.traces:
        result["codeFlows"] = [_flow(view, trace) for trace in finding.traces[:flows]]
    if finding.suppression is not None:
        result["suppressions"] = [_suppression(finding.suppression)]
    result["partialFingerprints"] = {
        **({"primaryLocationLineHash": line} if (line := lines.of(finding.place, span)) else {}),
        "headwater/v1": finding.identity,
        "headwater-moved/v1": finding.moved_identity,
    }
    result["taxa"] = [taxonomies.reference(mapping) for mapping in mapped(finding) if mapping in taxonomies]
    result["properties"] = {
        "severity": finding.severity.word,
        "confidence": finding.confidence.word,
        "sourceKind": finding.kind,
        "sinkClass": finding.sink_class,
        "signedIn": finding.signed_in,
        "evidence": finding.evidence,
        **evidence.document(finding),
        **({"redTeam": escape.visible(encodable(told))} if (told := redteam.about(finding, view.red_team)) else {}),
        "weaknesses": [escape.visible(weakness) for weakness in finding.weaknesses],
        "function": encodable(finding.function),
        "expression": encodable(finding.expression),
        "ordinal": finding.ordinal,
        "shape": finding.shape,
        "around": list(finding.around),
    }
    return result


def _comparison(view: View) -> Json:
    one = view.comparison
    if one is None:
        return {}
    counts = {"known": len(view.known), "fixed": len(one.fixed), "unseen": one.unseen}
    return {"comparison": {"against": escape.visible(encodable(one.against)), **counts}}


def _red_team(view: View) -> Json:
    """Counts alone: whole answers of a model have no place here, and the JSON report has them."""
    if view.red_team is None:
        return {}
    results = [
        {
            "tool": one.tool,
            "probe": escape.visible(encodable(one.probe)),
            "detector": escape.visible(encodable(one.detector)),
            "passed": one.passed,
            "failed": one.failed,
            "unjudged": one.unjudged,
            "taxa": [mapping.id for mapping in one.mappings],
        }
        for one in view.red_team.results[:RESULTS_KEPT]
    ]
    return {
        "redTeam": {
            "judged": view.red_team.judged,
            "failed": view.red_team.failed,
            "missing": len(view.red_team.missing),
            "results": results,
        }
    }


def _suppression(found: Suppression) -> Json:
    until = f" (until {found.until})" if found.until else ""
    place = {"artifactLocation": _artifact(found.path), "region": {"startLine": found.line}}
    return {
        "kind": "inSource",
        "status": "accepted",
        "justification": escape.visible(found.reason) + until,
        "location": {"physicalLocation": place},
    }


def _sources(finding: Finding) -> list[Step]:
    """Where the data of the shown traces comes in."""
    found: dict[Place, Step] = {}
    for trace in finding.traces[: limits.TRACES]:
        if trace.steps:
            found.setdefault(trace.source.place, trace.source)
    return list(found.values())


def _message(view: View, finding: Finding, related: Sequence[Step]) -> str:
    """The message, links to the sources (GitHub shows related locations only where the message names them), and the fix."""
    cell = view.span(finding.place).cell
    parts = [f"Cell {cell.number}, line {cell.line}: {_sentence(_text(finding.message))}" if cell else _sentence(_text(finding.message))]
    if related:
        links = [f"[{_link_text(view.span(step.place))}]({number})" for number, step in enumerate(related, 1)]
        parts.append(f"The data comes in at {' and at '.join(links)}.")
    if unsure := words.unsure(finding):
        parts.append(_text(unsure))
    if finding.fix:
        parts.append(f"Fix: {_sentence(_text(finding.fix))}")
    return " ".join(parts)


def _link_text(span: Span) -> str:
    where = f" cell {span.cell.number} line {span.cell.line}" if span.cell else f":{span.line}"
    return re.sub(r"([\\\[\]])", r"\\\1", _text(f"{escape.path(span.path)}{where}"))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _text(text: str) -> str:
    """Text of the repository in a message: nothing in it is a link or a placeholder."""
    text = escape.visible(text)
    if _LIKE_A_LINK.search(text):
        text = re.sub(r"([\[\]])", r"\\\1", text)
    return _PLACEHOLDER.sub(r"{{\1}}", text)


def _location(span: Span, function: str = "", snippet: str = "") -> Json:
    location: Json = {"physicalLocation": {"artifactLocation": _artifact(span.path), "region": _region(span)}}
    if snippet:
        location["physicalLocation"]["region"]["snippet"] = {"text": snippet}
    if function:
        location["logicalLocations"] = [{"fullyQualifiedName": escape.visible(function), "kind": "function"}]
    if span.cell is not None:
        location["properties"] = {"cell": span.cell.number, "cellLine": span.cell.line, "cellEndLine": span.cell.end_line}
    return location


def _artifact(path: str) -> Json:
    return {"uri": escape.uri(path), "uriBaseId": ROOT}


def _region(span: Span) -> Json:
    if span.cell is not None:  # whole lines of the file, in which the code is a text in JSON
        return {"startLine": span.line, "endLine": span.end_line}
    return {
        "startLine": span.line,
        "startColumn": span.column_utf16,
        "endLine": span.end_line,
        "endColumn": span.end_column_utf16,
    }


def _flow(view: View, trace: Trace) -> Json:
    steps = list(enumerate(trace.steps))
    left_out = len(steps) - limits.TRACE_STEPS
    if left_out > 0:
        half = limits.TRACE_STEPS // 2
        steps = steps[: limits.TRACE_STEPS - half] + steps[-half:]
    locations = []
    before: Step | None = None
    for place, (number, step) in enumerate(steps):
        text = _text(step.what)
        if left_out > 0 and place and number - steps[place - 1][0] > 1:
            text = f"{text} ({left_out} steps before this one are not shown)"
        locations.append(_step(view, step, number, text, before))
        before = step
    return {"message": {"text": f"From {trace.kind} to the operation."}, "threadFlows": [{"locations": locations}]}


def _step(view: View, step: Step, number: int, text: str, before: Step | None) -> Json:
    moved = before is None or (before.place.path, before.function) != (step.place.path, step.function)
    return {
        "location": {**_location(view.span(step.place), step.function), "message": {"text": text}},
        "importance": "essential" if step.role in ("source", "sink") else "important" if moved else "unimportant",
        "executionOrder": number + 1,
        "kinds": ["danger"] if step.role == "sink" else ["taint"],
        "properties": {"dataKind": step.kind},
    }


class _LineHashes:
    """Line hashes, each file hashed once."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._hashes: dict[str, list[str]] = {}

    def of(self, place: Place, span: Span) -> str:
        source = self._view.sources.get(place.path)
        if source is None or source.layout is not None:  # of a notebook only the code is at hand: the upload action has the file
            return ""
        if place.path not in self._hashes:
            self._hashes[place.path] = linehash.hashes(source.data)
        hashes = self._hashes[place.path]
        return hashes[span.line - 1] if span.line <= len(hashes) else ""


# ---------------------------------------------------------------------------------------------------------- coverage


class _Gaps:
    """The coverage ledger as notifications."""

    def __init__(self, coverage: Coverage, left_out: int) -> None:
        self.left_out = left_out
        kinds = sorted({gap.kind for gap in coverage.gaps})
        names = ["coverage", *(f"coverage/{escape.visible(kind)}" for kind in kinds), *(["results-left-out"] if left_out else [])]
        self._index = {name: number for number, name in enumerate(names)}
        texts = {
            "coverage": "What the review looked at; problems may be hidden where it did not look.",
            "results-left-out": "Results that this file has no room for.",
        }
        self.descriptors: list[Json] = [_descriptor(name, texts.get(name) or _about_gap(name.partition("/")[2])) for name in names]
        self.notifications: list[Json] = [self._summary(coverage)]
        if left_out:
            text = f"{left_out} results are left out, the least severe ones: readers of this format refuse larger files."
            self.notifications.append(self._notification("results-left-out", "warning", text))
        ordered = sorted(coverage.gaps, key=lambda gap: (gap.kind, not gap.partial, gap))
        for kind, group in groupby(ordered, key=lambda gap: gap.kind):
            gaps = list(group)
            self.notifications += [self._gap(gap) for gap in gaps[:NOTIFICATIONS]]
            if len(gaps) > NOTIFICATIONS:
                text = f"{len(gaps) - NOTIFICATIONS} more of the kind {escape.visible(kind)}."
                self.notifications.append(self._notification(f"coverage/{escape.visible(kind)}", "note", text))

    def _summary(self, coverage: Coverage) -> Json:
        level = {"complete": Level.NOTE, "partial": Level.WARNING, "failed": Level.ERROR}[coverage.status]
        return self._notification(
            "coverage",
            level.word,
            f"Coverage {coverage.status}: {coverage.files} files, {coverage.lines} lines, {coverage.functions} functions, "
            f"{sum(gap.kind not in NOTES for gap in coverage.gaps)} gaps.",
        )

    def _gap(self, gap: Gap) -> Json:
        notification = self._notification(
            f"coverage/{escape.visible(gap.kind)}", "warning" if gap.partial else "note", _sentence(_text(gap.reason))
        )
        if gap.path:
            location: Json = {"artifactLocation": _artifact(gap.path)}
            if gap.line:
                location["region"] = {"startLine": gap.line}
            notification["locations"] = [{"physicalLocation": location}]
            if gap.cell:
                notification["locations"][0]["properties"] = {"cell": gap.cell, "cellLine": gap.cell_line}
        return notification

    def _notification(self, id: str, level: str, text: str) -> Json:
        return {"descriptor": {"id": id, "index": self._index[id]}, "level": level, "message": {"text": text}}


def _descriptor(id: str, text: str) -> Json:
    # No name: it would be the id once more. GitHub asks for a full description and a help text of notifications as well.
    return {"id": id, "shortDescription": {"text": text}, "fullDescription": {"text": text}, "help": {"text": text}}


def _about_gap(kind: str) -> str:
    if kind in NOTES:
        return f"What the reviewed repository says to Headwater, of the kind '{kind}'."
    return f"Files, or parts of files, that were not looked at or not wholly, of the kind '{kind}'."


def _coverage(coverage: Coverage) -> Json:
    return {
        "status": coverage.status,
        "files": coverage.files,
        "lines": coverage.lines,
        "functions": coverage.functions,
        "byLanguage": dict(sorted(coverage.by_language.items())),
        "gaps": len(coverage.gaps),
        "counts": dict(sorted(coverage.counts.items())),
    }
