"""The page for those who decide: what the system is, what can happen, how, what to do this week, and what was not looked at."""

from __future__ import annotations

from collections import Counter
from typing import Final

from headwater.findings import Finding, Severity
from headwater.reports import words
from headwater.reports.html import consequences, plots, style
from headwater.reports.html.context import Context, component_link, finding_link, prose, severity, spot, table
from headwater.reports.html.markup import Child, Markup, tag
from headwater.system.paths import AttackPath

ACTIONS: Final = 7  # of a week
PLACES: Final = 6  # of one action; the page of findings has them all
BARS: Final = 14
NAMES: Final = 4  # of tools that can do one thing


def page(context: Context) -> list[Child]:
    """All of it."""
    return [
        _verdict(context),
        tag("h2", "What this system is"),
        _system(context),
        tag("h2", "What can happen"),
        _risks(context),
        tag("h2", "The ways an attacker would take"),
        _vectors(context),
        tag("h2", "What to do this week"),
        _actions(context),
        _plots(context),
        tag("h2", "What this review did not see"),
        honesty(context),
    ]


def _verdict(context: Context) -> Markup:
    view = context.view
    new = "" if view.comparison is None else "new "
    if view.findings:
        headline = f"{words.count(len(view.findings), f'{new}finding')}: {words.severities(view)}"
        grade = max(one.severity for one in view.findings).word
    elif view.coverage.status == "complete":
        headline, grade = f"No {new}findings", "good"
    else:
        headline, grade = "No findings in what was looked at; not everything was", "medium"
    lines: list[Child] = [f"Gate: {words.gate(view.gate)}.", f"Coverage: {words.coverage(view.coverage)}."]
    if view.hidden:
        lines.append(f"{words.count(view.hidden, 'finding')} of lower level or confidence not shown.")
    if compared := words.compared(view):
        lines.append(compared)
    if view.suppressed:
        lines.append(f"{words.count(len(view.suppressed), 'finding')} accepted by comments in the code.")
    return tag("div", tag("p", headline, class_="headline"), [tag("p", line) for line in lines], class_=f"verdict {grade}")


def _system(context: Context) -> list[Child]:
    system = context.model.system
    if not system.components:
        return [tag("p", "No part of an AI system was found in what was looked at.")]
    counts = Counter(one.type for one in system.components)
    named = [consequences.number(counts[type_], type_) for type_ in consequences.TYPES if counts[type_]]
    sentences: list[Child] = [tag("p", f"The code makes up {consequences.listed(named)}.")]
    able = []
    for can, what in consequences.CAN.items():
        tools = [one for one in system.components if can in one.capabilities]
        if tools:
            links: list[Child] = [[", " if number else None, component_link(context, one.id)] for number, one in enumerate(tools[:NAMES])]
            more = f" and {len(tools) - NAMES:,} more" if len(tools) > NAMES else None
            able.append(tag("li", tag("strong", what), ": ", links, more))
    if able:
        sentences += [tag("p", "Whoever steers its models can, by their tools:"), tag("ul", able)]
    unknown = len(system.unresolved)
    if unknown:
        sentences.append(tag("p", f"Of {words.count(unknown, 'part')} it could not be told what they are given; the map names them."))
    return sentences


def _risks(context: Context) -> list[Child]:
    rows: list[list[Child]] = []
    for (what, sentence), found in consequences.grouped(context.view.findings):
        worst = max(one.severity for one in found)
        rows.append(
            [
                severity(worst.word),
                [tag("strong", what), tag("br"), sentence],
                [tag("a", words.count(len(found), "finding"), href=f"#{context.anchors[found[0].identity]}")],
            ]
        )
    questions = len({case.threat.id for case in context.model.cases if case.state == "question"})
    lines: list[Child] = []
    if rows:
        lines.append(table(("Worst", "What can happen", "Shown by"), rows, "Risks, the worst first"))
    else:
        lines.append(tag("p", "The source shows no weakness of the kinds that were looked for."))
    if questions:
        lines.append(
            tag(
                "p",
                f"Besides, {words.count(questions, 'question')} of the threat model cannot be answered from source alone: ",
                tag("a", "the checklist", href="#checklist"),
                " has them.",
            )
        )
    return lines


def _vectors(context: Context) -> list[Child]:
    vectors = context.model.vectors
    if not vectors:
        return [tag("p", "No chain from outside to something harmful was found in the map.")]
    return [
        tag(
            "p", "Likelihood and impact from 1 to 5. A chain need not be a mistake: it may be what the tool is there to do.", class_="quiet"
        ),
        tag("ol", [tag("li", _vector(context, one)) for one in vectors], class_="vectors"),
    ]


def _vector(context: Context, one: AttackPath) -> list[Child]:
    hops = []
    for number, hop in enumerate(one.hops):
        how = tag("span", hop.how, class_="how") if number else None
        type_ = context.components[hop.component].type
        hops.append(tag("li", how, tag("span", type_, class_="quiet"), " ", component_link(context, hop.component), " ", spot(hop.spot)))
    end: Child = one.effect.words
    if one.effect.finding in context.findings:
        end = tag("a", one.effect.words, href=f"#{context.anchors[one.effect.finding]}")
    hops.append(tag("li", tag("span", "and so", class_="how"), tag("strong", end), " ", spot(one.effect.spot), class_="end"))
    return [
        tag("h3", f"{_capital(one.attacker)} can {_can(one)}"),
        tag(
            "p",
            tag("span", f"likelihood {one.likelihood}", class_="badge plain"),
            " ",
            tag("span", f"impact {one.impact}", class_="badge plain"),
        ),
        tag("ol", hops, class_="chain"),
        tag("p", tag("strong", "Breaks it cheapest: "), prose(one.breaks)),
    ]


def _can(one: AttackPath) -> str:
    if one.effect.finding:
        return f"reach a weakness: {one.effect.words[:1].lower()}{one.effect.words[1:]}"
    return one.effect.words


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _actions(context: Context) -> list[Child]:
    groups: dict[str, list[Finding]] = {}
    for finding in context.view.findings:
        groups.setdefault(finding.rule, []).append(finding)
    items: list[Child] = []
    for found in list(groups.values())[:ACTIONS]:
        more = len(found) - PLACES
        items.append(
            tag(
                "li",
                tag("p", severity(max(one.severity for one in found).word), " ", tag("strong", found[0].title)),
                tag("p", prose(found[0].fix)),
                tag("ul", [tag("li", finding_link(context, one.identity)) for one in found[:PLACES]]),
                tag("p", f"and {more:,} more places", class_="quiet") if more > 0 else None,
            )
        )
    breaks = dict.fromkeys(one.breaks for one in context.model.vectors if not one.effect.finding)
    for text in list(breaks)[: max(0, ACTIONS - len(items))]:
        items.append(tag("li", tag("p", tag("strong", "Break an attack path: "), prose(text))))
    if not items:
        return [tag("p", "Nothing that this review has found. The checklist has what a person should look at.")]
    left = len(groups) - ACTIONS
    rest = tag("p", f"After that: {words.count(left, 'other kind')} of findings, in order, on the page of findings.") if left > 0 else None
    return [tag("ol", items, class_="actions"), rest]


def _plots(context: Context) -> list[Child]:
    counts: dict[str, Counter[Severity]] = {}
    for finding in context.view.findings:
        owners = context.owners[finding.identity]
        one = context.components[owners[0]] if owners else None
        name = f"{one.type} {one.name}" if one else finding.place.path.rpartition("/")[2]
        counts.setdefault(name, Counter())[finding.severity] += 1
    rows = sorted(counts.items(), key=lambda row: (-max(row[1]), -sum(row[1].values()), row[0]))
    look = style.fixed("plot.css") if context.printed else ""
    figures: list[Child] = []
    if rows:
        rest = len(rows) - BARS
        figures.append(
            tag(
                "figure",
                tag("figcaption", "Findings by component, or by file where no component is theirs"),
                tag(
                    "div",
                    plots.severities(rows[:BARS], look),
                    class_="scroll",
                    tabindex=0,
                    role="region",
                    aria_label="Plot: findings by component",
                ),
                tag("p", f"and {rest:,} more with fewer or milder ones", class_="quiet") if rest > 0 else None,
            )
        )
    if context.chains:
        figures.append(tag("figure", tag("figcaption", "Attack paths by likelihood and impact"), plots.matrix(context.chains, look)))
    return [tag("h2", "In pictures"), tag("div", figures, class_="figures")] if figures else []


def honesty(context: Context, link: bool = True) -> list[Child]:
    """What was not looked at, and what source cannot tell."""
    coverage = context.view.coverage
    lines: list[Child] = []
    for kind, partial, gaps in words.gaps(coverage):
        lines.append(tag("li", f"{kind}: {words.count(len(gaps), 'gap')}{'' if partial else ', without effect on the result'}"))
    state = {
        "complete": "All files that it can read were read.",
        "partial": "Not everything could be looked at: what is missing may hold findings.",
        "failed": "Nothing could be looked at: this report says nothing about the system.",
    }[coverage.status]
    return [
        tag(
            "p",
            tag("strong", state),
            [" ", tag("a", "The coverage page", href="#coverage"), " has each gap with its place."] if link else None,
        ),
        tag("ul", lines) if lines else None,
        tag(
            "p",
            "A review of source does not see how the system is deployed and configured, what models answer, what is in the data, who has "
            "access, or how people use it. That nothing was found means that nothing was found.",
        ),
    ]
