"""The review as Markdown, for a comment on a change and for the summary of a job.

Text of the repository goes into it as character references, so that it is neither Markdown nor HTML; what GitHub and GitLab make
of plain words (mentions, links) is broken by a zero-width space, or stands in ``<code>``, where they look for none.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from headwater.findings import Finding, Trace
from headwater.redteam.evidence import MISSING
from headwater.reports import escape, evidence, redteam, words
from headwater.reports.view import View

CHARS: Final = 60_000  # GitHub refuses comments of more than 65,536 characters
TABLE: Final = 25_000  # of them for the table, so that the worst findings have room for their details
MESSAGE: Final = 1_000
WORDS: Final = 200  # of a path, an expression, a reason
LINES: Final = 7  # of code
CONTEXT: Final = 2  # lines around the operation
RED_TEAM: Final = 20  # probes with bad answers
GAPS: Final = 4  # examples of one kind of gap; the JSON has them all

_SPACE: Final = re.compile(r"\s+")
# The signs that Markdown or HTML could read. Full stops and brackets after a digit begin lists; hyphens and underscores between
# letters do nothing.
_SIGN: Final = r"[^\w\s,;:'\"().?/={}-]|(?<![^\W_])_|_(?![^\W_])|(?<=\d)[.)]|(?<!\w)-|-(?!\w)"
# What begins a link anywhere in Markdown, and what begins a mention or a reference to something on GitHub or GitLab.
_LINK: Final = r"@(?=\w)|:(?=//)|www(?=\.)"
_REFERENCE: Final = r"[#!~%&$^](?=[\w\"{\[])|\bgh(?=-\d)"
_PLAIN: Final = re.compile(f"({_LINK}|{_REFERENCE})|{_SIGN}", re.IGNORECASE)
_CODE: Final = re.compile(f"({_LINK})|{_SIGN}", re.IGNORECASE)
_BACKTICKS: Final = re.compile(r"`([^`]+)`")


def render(view: View) -> bytes:
    """Outcome, table, details, ledger. What a comment has no room for is counted."""
    head = _head(view)
    ledger = [*_red_team(view), *_ledger(view)]
    rows = _fitting((_row(view, finding) for finding in view.findings), TABLE)
    table = ["| Severity | Finding | Where |", "|---|---|---|", *rows] if rows else []
    table += _missing(len(view.findings) - len(rows), "not in this table")
    room = CHARS - sum(len(line) + 1 for line in (*head, *table, *ledger)) - 200  # empty lines, and what says that some are missing
    details = _fitting((_details(view, finding) for finding in view.findings), room)
    missing = _missing(len(view.findings) - len(details), "without details here")
    text = "\n".join([*head, "", *table, "", *details, *missing, "", *ledger]).rstrip() + "\n"
    return escape.log(text, bracket="&#91;", colon="&#58;").encode("utf-8")


def _fitting(parts: Iterable[str], room: int) -> list[str]:
    """The first ones that have room together."""
    found: list[str] = []
    for part in parts:
        room -= len(part) + 1
        if room < 0:
            break
        found.append(part)
    return found


def _missing(number: int, what: str) -> list[str]:
    return ["", f"{words.count(number, 'finding')} {'is' if number == 1 else 'are'} {what}: the other reports have all."] if number else []


def _head(view: View) -> list[str]:
    sign = "❌" if view.gate.failed else "✅" if view.coverage.status == "complete" else "⚠️"
    new = "" if view.comparison is None else "new "
    if view.findings:
        found = f"**{words.count(len(view.findings), f'{new}finding')}**: {words.severities(view)}"
    elif view.coverage.status == "complete":
        found = f"**No {new}findings.**"
    else:
        found = "**No findings in what was looked at; not everything was.**"
    hidden = [f"- {view.hidden:,} more of lower level or confidence not shown"] if view.hidden else []
    return [
        f"## {sign} Headwater",
        "",
        f"- {found}",
        *hidden,
        *([f"- {plain(compared, WORDS * 2)}"] if (compared := words.compared(view)) else []),
        f"- Gate: {words.gate(view.gate)}",
        f"- Coverage: {words.coverage(view.coverage)}",
    ]


def _row(view: View, finding: Finding) -> str:
    sure = "" if finding.confidence.word == "high" else f", {finding.confidence.word} confidence"
    where = code(words.place(view.span(finding.place)))
    return f"| {finding.severity.word}{sure} | {plain(finding.title)} {code(finding.rule)} | {where} |"


def _details(view: View, finding: Finding) -> str:
    """A part to unfold. Empty lines end what HTML has begun, so that Markdown goes on."""
    where = words.place(view.span(finding.place))
    lines = [f"<details><summary>{finding.severity.word}: {plain(finding.title)}, {code(where)}</summary>", ""]
    lines += [*_frame(view, finding), "", message(finding.message), ""]
    for trace in finding.traces[:1]:
        lines += [*_trace(view, trace), ""]
    lines += [f"**Fix**: {message(finding.fix)}", ""]
    if told := evidence.about(finding, view.red_team):
        lines += [f"**Evidence**: {plain(told)}", ""]
    if finding.state == "worse":
        lines += [f"**Known**: {words.WORSE}", ""]
    if finding.weaknesses and finding.confidence.word != "high":
        lines += [f"**Unsure**: {plain('; '.join(finding.weaknesses))}", ""]
    if standards := words.standards(finding.mappings, finding.cwe):
        lines += [f"**Standards**: {plain(standards)}", ""]
    return "\n".join([*lines, "</details>", ""])


def _frame(view: View, finding: Finding) -> list[str]:
    """The operation with what stands around it. Inside ``<pre>`` there is no Markdown, and an empty line ends nothing."""
    source = view.sources.get(finding.place.path)
    if source is None:
        return []
    span = view.span(finding.place)
    first = max(1, span.line - CONTEXT)
    numbers = range(first, min(source.lines, max(span.line, span.end_line) + CONTEXT, first + LINES - 1) + 1)
    shown = []
    for number in numbers:
        mark = ">" if span.line <= number <= span.end_line else " "
        shown.append(f"{number:>4} {mark} {words.cut(escape.line(source.line_text(number)), WORDS)}".rstrip())
    return ["<pre><code>" + html.escape("\n".join(shown), quote=False) + "</code></pre>"] if shown else []


def _trace(view: View, trace: Trace) -> list[str]:
    lines = [f"**Trace** of {plain(trace.kind)}:", ""]
    shown = [index for index in words.steps(trace) if index is not None]
    for before, index in pairwise([-1, *shown]):
        step = trace.steps[index]
        missing = f" ({index - before - 1} steps before this one are not shown)" if index - before > 1 else ""
        lines.append(f"{index + 1}. {code(words.place(view.span(step.place)))} {plain(step.what)}{missing}")
    return lines


def _red_team(view: View) -> list[str]:
    """A part to unfold: the probes with bad answers, then what is missing, counted."""
    evidence = view.red_team
    if evidence is None:
        return []
    lines = [f"<details><summary>{redteam.TITLE}: {plain(redteam.outcome(evidence))}</summary>", "", redteam.MEANING, ""]
    bad = [one for one in evidence.results if one.failed]
    if bad:
        lines += ["| Probe | Detector | Answers | Standards |", "|---|---|---|---|"]
    for one in bad[:RED_TEAM]:
        ids = plain(words.standards(one.mappings, ()))
        lines.append(f"| {one.tool} {code(one.probe)} | {code(one.detector)} | {redteam.tally(one)} | {ids} |")
    lines += ["", f"{words.count(len(bad) - RED_TEAM, 'more probe')} with bad answers."] if len(bad) > RED_TEAM else []
    for kind, found in redteam.gaps(evidence):
        lines += ["", f"- {len(found):,} {kind}: {MISSING[kind]}"]
        lines += [f"  - {code(redteam.text(redteam.gap(one)))}" for one in found[:GAPS]]
    return [*lines, "", "</details>", ""]


def _ledger(view: View) -> list[str]:
    if not view.coverage.gaps:
        return []
    lines = [f"<details><summary>Coverage: {words.count(len(view.coverage.gaps), 'gap')}</summary>", ""]
    for kind, partial, gaps in words.gaps(view.coverage):
        lines.append(f"- {len(gaps):,} {plain(kind)}{'' if partial else ', without effect'}")
        lines += [f"  - {code(words.gap(gap))}" for gap in gaps[:GAPS]]
        lines += [f"  - and {len(gaps) - GAPS:,} more"] if len(gaps) > GAPS else []
    return [*lines, "", "</details>"]


def message(text: str) -> str:
    """The message of a finding: what stands in backticks is code."""
    parts = _BACKTICKS.split(words.cut(text, MESSAGE))
    return "".join((code(part) or " ") if place % 2 else plain(part, WORDS * 5) for place, part in enumerate(parts))


def plain(text: str, most: int = WORDS) -> str:
    """Words as they are: no Markdown, no HTML, no mention, no link."""
    return _references(_PLAIN, words.cut(_SPACE.sub(" ", escape.visible(text)), most))


def code(text: str) -> str:
    """A name, a path or an expression."""
    text = _SPACE.sub(" ", words.cut(escape.line(text), WORDS)).strip()
    return f"<code>{_references(_CODE, text)}</code>" if text else ""


def _references(signs: re.Pattern[str], text: str) -> str:
    def written(found: re.Match[str]) -> str:
        if found.group(1):
            return "".join(char if char.isalnum() else f"&#{ord(char)};" for char in found.group(1)) + "&#8203;"
        return f"&#{ord(found.group())};"

    return signs.sub(written, text)
