"""Model-level evidence for a terminal: each probe with what came of it, then what is missing."""

from __future__ import annotations

from headwater.redteam.evidence import MISSING, Evidence
from headwater.reports import escape, redteam, words

EXCERPT = 160  # characters of a prompt or an answer: the JSON has more
GAPS = 4  # examples of one kind


def lines(evidence: Evidence) -> list[str]:
    """The section."""
    shown = [redteam.TITLE, f"  {redteam.outcome(evidence)}", f"  {redteam.MEANING}", ""]
    for one in evidence.results:
        mark = "bad " if one.failed else "ok  " if one.judged and not one.unjudged else "part" if one.judged else "none"
        ids = words.standards(one.mappings, ())
        shown.append(f"  {mark} {one.tool} {_line(one.probe)}, {_line(one.detector)}: {redteam.tally(one)}")
        shown.append(f"       {one.kind or 'not in the table'}{f'  {ids}' if ids else ''}")
        if one.failed:
            shown += [
                f"       {word}: {_cut(said)}" for hit in one.hits[:1] for word, said in (("asked", hit.prompt), ("answer", hit.output))
            ]
            shown += [f"       note: {one.worth}"] if one.worth else []
    for kind, found in redteam.gaps(evidence):
        shown.append(f"  {len(found):>4} {kind}: {MISSING[kind]}")
        shown += [f"       {_line(redteam.gap(one))}" for one in found[:GAPS]]
        shown += [f"       and {len(found) - GAPS:,} more"] if len(found) > GAPS else []
    return shown


def render(evidence: Evidence) -> str:
    """The section alone."""
    return escape.log("\n".join(lines(evidence)) + "\n")


def _line(text: str) -> str:
    return escape.line(redteam.text(text))


def _cut(text: str) -> str:
    return words.cut(" ".join(_line(text).split()), EXCERPT)
