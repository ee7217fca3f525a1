"""The page for engineers: each finding with its code, the way of the data through the files, and the fix."""

from __future__ import annotations

from typing import Final

from headwater.files.source import Source
from headwater.findings import Finding, Severity, Trace
from headwater.reports import escape, evidence, words
from headwater.reports.html import fixes
from headwater.reports.html.context import Context, code, component_link, prose, severity, table
from headwater.reports.html.markup import Child, Markup, tag

MOST: Final = 1_000  # findings with all details; a browser opens them at once, and the other reports have all
LINES: Final = 9  # of code
CONTEXT: Final = 3  # lines around the operation
WIDTH: Final = 200  # characters of a line of code
TRACES: Final = 5  # of one finding


def page(context: Context) -> list[Child]:
    """The findings in the order in which to fix them."""
    view = context.view
    shown = view.findings[:MOST]
    parts: list[Child] = []
    if not shown:
        state = "." if view.coverage.status == "complete" else " in what was looked at; not everything was."
        parts.append(tag("p", f"No findings{state}"))
    elif not context.printed:
        parts.append(_filter(context))
    parts.append(tag("div", [_article(context, one) for one in shown], id="list"))
    if len(view.findings) > MOST:
        parts.append(tag("p", f"{len(view.findings) - MOST:,} more findings have no room here: the JSON report has all."))
    if view.suppressed:
        rows: list[list[Child]] = []
        for one in view.suppressed:
            assert one.suppression is not None
            until = one.suppression.until or "for ever"
            where = code(words.place(view.span(one.place)))
            rows.append([severity(one.severity.word), [one.title, " ", code(one.rule)], where, one.suppression.reason, until])
        parts += [
            tag("h2", "Accepted in the code"),
            table(("Severity", "Finding", "Where", "Reason", "Until"), rows, "Findings that comments of the code accept"),
        ]
    if view.comparison is not None and view.comparison.fixed:
        gone: list[list[Child]] = [[code(one.rule), code(one.path), code(one.function)] for one in view.comparison.fixed]
        parts += [tag("h2", "Fixed"), table(("Rule", "File", "Function"), gone, f"Fixed since {escape.line(view.comparison.against)}")]
    return parts


def _filter(context: Context) -> Markup:
    """Severity, kind of source, and words."""
    severities = [one for one in sorted(Severity, reverse=True) if any(found.severity == one for found in context.view.findings)]
    kinds = sorted({one.kind or "no data flow" for one in context.view.findings})
    return tag(
        "div",
        tag(
            "fieldset",
            tag("legend", "Severity"),
            [
                tag("label", tag("input", type="checkbox", checked=True, data_severity=one.word), " ", one.word, class_="check")
                for one in severities
            ],
        ),
        tag(
            "div",
            tag("label", "Source", for_="kind"),
            tag("select", tag("option", "all", value=""), [tag("option", one, value=one) for one in kinds], id="kind"),
        ),
        tag("label", "Search", for_="list-search"),
        tag("input", type="search", id="list-search", data_search="list", autocomplete="off", spellcheck="false"),
        tag("span", class_="quiet", role="status", id="list-count"),
        class_="tools needs-script",
    )


def _article(context: Context, one: Finding) -> Markup:
    view = context.view
    where = words.place(view.span(one.place))
    anchor = context.anchors[one.identity]
    facts: list[Child] = [severity(one.severity.word), " ", tag("span", f"{one.confidence.word} confidence", class_="badge plain")]
    if one.state == "worse":
        facts += [" ", tag("span", words.WORSE, class_="badge plain")]
    owners = context.owners[one.identity]
    parts: list[Child] = [
        tag("h2", tag("a", one.title, href=f"#{anchor}")),
        tag("p", facts, " ", code(one.rule), " ", code(where), " in ", code(one.function) if one.function else "the module"),
        tag("p", prose(one.message)),
        _frame(context, one),
    ]
    if owners:
        links: list[Child] = [[", " if number else None, component_link(context, key)] for number, key in enumerate(owners[:4])]
        parts.append(tag("p", tag("strong", "Part of the map: "), links))
    for number, trace in enumerate(one.traces[:TRACES]):
        parts.append(_trace(context, trace, number == 0 and (len(trace.steps) <= 6 or context.printed)))
    if len(one.traces) > TRACES:
        parts.append(tag("p", f"{words.count(len(one.traces) - TRACES, 'more source')}: the JSON report has all.", class_="quiet"))
    parts.append(tag("p", tag("strong", "Fix: "), prose(one.fix)))
    changed = fixes.diff(view, one)
    if changed:
        old, new = (words.cut(escape.line(line), WIDTH) for line in changed)
        parts.append(
            tag(
                "pre",
                tag("code", tag("del", f"- {old}"), "\n", tag("ins", f"+ {new}")),
                class_="diff",
                tabindex=0,
                role="region",
                aria_label="Fix",
            )
        )
    if told := evidence.about(one, view.red_team):
        parts.append(tag("p", tag("strong", "Evidence: "), told))
    if unsure := words.unsure(one):
        parts.append(tag("p", tag("strong", "Unsure: "), unsure.removeprefix("Unsure: ")))
    if standards := words.standards(one.mappings, one.cwe):
        parts.append(tag("p", standards, class_="quiet"))
    return tag(
        "article",
        parts,
        id=anchor,
        class_=f"finding {one.severity.word}",
        data_severity=one.severity.word,
        data_kind=one.kind or "no data flow",
    )


def _frame(context: Context, one: Finding) -> Child:
    """The operation with the lines around it."""
    source = context.view.sources.get(one.place.path)
    if source is None:
        return None
    line, _ = source.position(one.place.start)
    end, _ = source.position(max(one.place.start, one.place.end - 1))
    first = max(1, line - CONTEXT)
    rows: list[Child] = []
    for number in range(first, min(source.lines, end + CONTEXT, first + LINES - 1) + 1):
        marked = line <= number <= end
        text = words.cut(escape.visible(source.line_text(number)), WIDTH).replace("\t", "    ")
        written = f"{source.file_line(number):>5} {'>' if marked else ' '} "
        rows.append([tag("span", written, class_="number"), tag("mark", text) if marked else text, "\n"])
    label = f"Code of {words.place(context.view.span(one.place))}"
    return tag("pre", tag("code", rows), class_="code", tabindex=0, role="region", aria_label=label)


def _trace(context: Context, trace: Trace, opened: bool) -> Markup:
    """The steps, by file."""
    files = len(dict.fromkeys(step.place.path for step in trace.steps))
    title = f"Trace of {trace.kind}: {words.count(len(trace.steps), 'step')} through {words.count(files, 'file')}"
    items: list[Child] = []
    for index in words.steps(trace):
        if index is None:
            items.append(tag("li", f"{words.left_out(trace):,} steps are not shown", class_="quiet"))
            continue
        step = trace.steps[index]
        span = context.view.span(step.place)
        line = _line(context.view.sources.get(step.place.path), span.text)
        items.append(tag("li", code(words.place(span)), " ", step.what, line, class_=step.role, value=index + 1))
    return tag("details", tag("summary", title), tag("ol", items, class_="trace"), open=opened or context.printed)


def _line(source: Source | None, text: str) -> Child:
    shown = words.cut(escape.line(text).strip(), WIDTH)
    return tag("code", shown, class_="block") if source is not None and shown else None
