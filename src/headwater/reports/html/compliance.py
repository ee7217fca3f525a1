"""The page for those who file it: each item of the frameworks with its evidence, gap, or why source review says nothing of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from headwater.findings import Finding, Mapping_
from headwater.knowledge import load as knowledge
from headwater.reports import words
from headwater.reports.html.context import Context, finding_link, search, table
from headwater.reports.html.markup import Child, tag
from headwater.threats.catalogue import catalogue
from headwater.threats.model import Case

LINKS: Final = 5  # findings of one item
Key = tuple[str, str]
"""Framework and id."""

STATES: Final = {
    "gap": "gap",
    "question": "open question",
    "answered": "answered in the code",
    "shown": "evidence",
    "none": "no finding",
    "unseen": "not looked for",
    "outside": "not assessable by source review",
}


class Item(msgspec.Struct, frozen=True):
    """One line of a framework."""

    id: str
    name: str
    keys: tuple[Key, ...]
    """What counts as evidence of it; empty: nothing does."""
    shows: str = ""
    assessable: bool = True


def page(context: Context) -> list[Child]:
    """All frameworks."""
    found, cases = _evidence(context)
    looked = _looked_for(context)
    parts: list[Child] = [
        tag(
            "p",
            "Evidence for those who file it, not a statement of conformity. Rules and threats are mapped to OWASP, MITRE ATLAS and CWE by "
            "Headwater; the crosswalk to NIST AI 600-1, ISO/IEC 42001 and the EU AI Act is our own, and no standards body has checked it.",
        ),
        tag(
            "p",
            "A gap: a finding shows it. An open question: the threat model asks it, and source does not answer. Answered: the code has a "
            "guard. No finding: it was looked for in what was read. Not looked for: no rule and no threat of this version is about it.",
            class_="quiet",
        ),
    ]
    if context.view.coverage.status != "complete":
        parts.append(tag("p", tag("strong", f"Coverage is {context.view.coverage.status}: “no finding” speaks only of what was read.")))
    summary: list[list[Child]] = []
    tables: list[Child] = []
    for number, (title, items) in enumerate(_frameworks(), 1):
        states = [(one, *_state(one, found, cases, looked)) for one in items]
        rows = [_row(context, *one) for one in states]
        name = f"framework{number}"
        counts = Counter(state for _, state, _, _ in states)
        summary.append([tag("a", title, href=f"#{name}-title"), *(str(counts[state] or "") for state in STATES)])
        tables += [
            tag("h2", title, id=f"{name}-title"),
            search(context, name, f"Search {title}"),
            table(("Item", "State", "Evidence"), rows, title, name),
        ]
    return [*parts, table(("Framework", *STATES.values()), summary, "Items of each framework by state", class_="summary"), *tables]


def _state(
    one: Item, found: Mapping[Key, list[Finding]], cases: Mapping[Key, list[Case]], looked: frozenset[Key]
) -> tuple[str, frozenset[str], list[Case]]:
    """The state, and what it comes from: identities of findings, and threats."""
    findings = frozenset(finding.identity for key in one.keys for finding in found.get(key, ()))
    threats = list({case.key: case for key in one.keys for case in cases.get(key, ())}.values())
    if findings:
        state = "gap"
    elif not one.assessable:
        state = "outside"
    elif any(case.state == "question" for case in threats):
        state = "question"
    elif any(case.state == "mitigated" for case in threats):
        state = "answered"
    elif one.shows:
        state = "shown"
    else:
        state = "none" if any(key in looked for key in one.keys) else "unseen"
    return state, findings, threats


def _row(context: Context, one: Item, state: str, findings: frozenset[str], threats: list[Case]) -> list[Child]:
    open_ = sum(case.state == "question" for case in threats)
    answered = sum(case.state == "mitigated" for case in threats)
    evidence: list[Child] = []
    if findings:
        order = [finding.identity for finding in context.view.findings if finding.identity in findings]
        evidence.append(tag("ul", [tag("li", finding_link(context, identity)) for identity in order[:LINKS]]))
        if len(order) > LINKS:
            evidence.append(tag("p", f"and {words.count(len(order) - LINKS, 'more finding')}"))
    if one.shows:
        evidence.append(tag("p", one.shows))
    if open_ or answered:
        said = [f"{words.count(open_, 'open question')}"] if open_ else []
        said += [f"{words.count(answered, 'threat')} answered"] if answered else []
        evidence.append(tag("p", tag("a", "Threat model", href="#threats"), f": {', '.join(said)}", class_="quiet"))
    return [[tag("strong", one.id), " ", one.name], tag("span", STATES[state], class_=f"state {state}"), evidence or None]


def _evidence(context: Context) -> tuple[dict[Key, list[Finding]], dict[Key, list[Case]]]:
    found: dict[Key, list[Finding]] = {}
    cases: dict[Key, list[Case]] = {}
    for finding in context.view.findings:
        for key in dict.fromkeys(_keys(finding.mappings)):
            found.setdefault(key, []).append(finding)
    for case in context.model.cases:
        for key in dict.fromkeys(_keys(case.mappings)):
            cases.setdefault(key, []).append(case)
    return found, cases


def _looked_for(context: Context) -> frozenset[Key]:
    keys = {key for rule in context.view.rules.values() for key in _keys(rule.mappings)}
    for threat in catalogue():
        keys.update(key for framework, ids in threat.standards.items() for id_ in ids for key in _with_parent((framework, str(id_))))
    return frozenset(keys)


def _keys(mappings: Iterable[Mapping_]) -> Iterator[Key]:
    for one in mappings:
        yield from _with_parent((one.framework, one.id))


def _with_parent(key: Key) -> tuple[Key, ...]:
    """A sub-technique of ATLAS speaks of its technique, too."""
    framework, id_ = key
    return (key, (framework, id_[:9])) if framework == "atlas" and len(id_) > 9 else (key,)


def _frameworks() -> Iterator[tuple[str, list[Item]]]:
    for edition in knowledge.editions("owasp-llm"):
        yield f"OWASP Top 10 for LLM Applications {edition}", _plain("owasp-llm", edition)
    for framework in ("owasp-agentic", "owasp-mcp"):
        for edition in knowledge.editions(framework):
            yield f"{knowledge.FRAMEWORKS[framework].title} {edition}", _plain(framework, edition)
    data = knowledge.read("atlas.yaml")
    core = [Item(row["id"], row["name"], (("atlas", row["id"]),)) for row in data["techniques"] if row.get("relevance") == "core"]
    yield f"MITRE ATLAS {data['source']['file_version']}, techniques that source can give evidence of", core
    risks = knowledge.read("nist-ai-600-1.yaml")["risks"]
    crossed = [_crossed("nist-ai-600-1", row["id"], row["name"], bool(row["code_review"])) for row in risks]
    yield "NIST AI 600-1, Generative AI Profile (its risks have no ids: GAI numbers are ours)", crossed
    controls = [row for area in knowledge.read("iso42001.yaml")["objectives"] for row in area["controls"]]
    yield "ISO/IEC 42001:2023 Annex A", [_crossed("iso-42001", row["id"], row["title"]) for row in controls]
    paragraphs = knowledge.read("extras.yaml")["eu_ai_act_article_15"]["paragraphs"]
    yield "EU AI Act, Article 15 (meanings in our words)", [_crossed("eu-ai-act-15", row["id"], row["meaning"]) for row in paragraphs]


def _plain(framework: str, edition: str) -> list[Item]:
    some = [one for one in knowledge.entries(framework).values() if one.edition == edition]
    return [Item(one.id, one.name, ((framework, one.id),)) for one in some]


def _crossed(framework: str, id_: str, name: str, assessable: bool = True) -> Item:
    crosswalk: Any = knowledge.read("crosswalk.yaml")[framework].get(id_)
    if crosswalk is None:
        return Item(id_, name, (), "", False)
    keys = tuple((other, str(one)) for other, ids in crosswalk.get("from", {}).items() for one in ids)
    return Item(id_, name, keys, crosswalk.get("shows", ""), assessable)
