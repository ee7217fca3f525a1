"""What every report shows: the findings that the persona lets through, in reading order, with lines and columns.

How it looks is the business of one module for each format.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from headwater import gate
from headwater.config import Config
from headwater.files.source import Source
from headwater.findings import Comparison, Coverage, Finding, Place, Review
from headwater.gate import Gate
from headwater.redteam.evidence import Evidence
from headwater.rules.load import Rule


class CellSpan(msgspec.Struct, frozen=True):
    """A place in a cell of a notebook: 1-based lines of the cell."""

    number: int
    """Among all cells, from 1."""
    line: int
    end_line: int
    before: int
    """Lines of the source before the cell."""
    lines: int
    """Lines of the cell."""


class Span(msgspec.Struct, frozen=True):
    """A place in lines and columns, both 1-based; the end is exclusive. Columns count code points, ``*_utf16`` code units.

    In a notebook lines are those of the file, in which a line of code is a text in JSON; columns are those of the code.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    column_utf16: int
    end_column_utf16: int
    text: str
    """The first line of it, as it stands in the file."""
    cell: CellSpan | None = None
    """Of a notebook."""


class View(msgspec.Struct, frozen=True):
    """One review, ready to be written."""

    findings: tuple[Finding, ...]
    suppressed: tuple[Finding, ...]
    """Findings that comments of the code accept; the formats for programs tell them, with the reason."""
    known: tuple[Finding, ...]
    """Findings that the earlier review has already; the formats for programs tell them."""
    hidden: int
    """Open findings that the persona or the asked confidence leaves out."""
    gate: Gate
    comparison: Comparison | None
    """With the earlier review; None where there is none."""
    coverage: Coverage
    config: Config
    rules: Mapping[str, Rule]
    sources: Mapping[str, Source]
    version: str
    review: Review
    """All of it, for the reports that tell of the system, too."""
    red_team: Evidence | None = None
    """What red-teaming tools found out about the model; None where nobody gave it."""

    def span(self, place: Place) -> Span:
        return span(self.sources.get(place.path), place)

    def snippet(self, place: Place, most: int) -> str:
        """The text of a place, empty where it is longer than that."""
        source = self.sources.get(place.path)
        return source.slice(place.start, place.end) if source and place.end - place.start <= most else ""


def view(review: Review, config: Config, rules: Mapping[str, Rule], version: str, red_team: Evidence | None = None) -> View:
    """Chooses and orders."""
    ordered = sorted((finding for finding in review.findings if gate.is_shown(finding, config)), key=gate.order)
    shown = tuple(finding for finding in ordered if finding.is_open)
    return View(
        findings=shown,
        suppressed=tuple(finding for finding in ordered if finding.suppression is not None),
        known=tuple(finding for finding in ordered if finding.suppression is None and finding.known),
        hidden=sum(finding.is_open for finding in review.findings) - len(shown),
        gate=gate.decide(review.findings, config),
        comparison=review.comparison,
        coverage=review.coverage,
        config=config,
        rules={id: rule for id, rule in rules.items() if config.rules.get(id, rule.severity) is not None},
        sources=review.sources,
        version=version,
        review=review,
        red_team=red_team,
    )


def span(source: Source | None, place: Place) -> Span:
    """Lines and columns of a place; of a file that is not there any more, its first character."""
    if source is None:
        return Span(place.path, 1, 1, 1, 1, 1, 1, "")
    line, column = source.position(place.start)
    end = max(place.start, place.end)
    end_line, end_column = source.position(end)
    cell = source.cell(line)
    return Span(
        path=place.path,
        line=source.file_line(line),
        column=column,
        end_line=max(source.file_line(line), source.file_line(end_line)),
        end_column=end_column,
        column_utf16=source.utf16_column(place.start),
        end_column_utf16=source.utf16_column(end),
        text=source.line_text(line),
        cell=CellSpan(cell.number, line - cell.before, end_line - cell.before, cell.before, cell.lines) if cell else None,
    )
