"""``headwater suppressions``: the comments that suppress findings, each with its state and reason."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from headwater.cli import FAILED, GATE_FAILED, OK, common, output
from headwater.findings import Review, Suppression

SCHEMA: Final = "headwater-suppressions"
VERSION: Final = 1


@click.command("suppressions", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", type=click.Path(exists=True, path_type=Path), default=".")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Format of the list.")
@click.option("--check", is_flag=True, help="Status 1 if one is unused, expired or malformed.")
@common.configuration
@common.cached
def command(
    path: Path,
    format_: str,
    check: bool,
    config_file: Path | None,
    no_repo_config: bool,
    rule_folders: Sequence[str],
    cache: str | None,
) -> int:
    """List the comments '# headwater: ignore[rule-id] reason' below PATH (default: here).

    PATH is reviewed to know which of them are used. States: used; unused (it suppresses nothing); expired (its last day
    is over); malformed (not understood, no reason, or no such rule); ignored (--no-repo-config).

    Exit status: 0; with --check 1 if one is unused, expired or malformed; 2 wrong usage; 3 nothing could be analysed.
    """
    config = common.load(path, config_file, no_repo_config, rule_folders, cache)
    from headwater import review

    with common.progress(output.is_terminal(sys.stderr)) as progress:
        result = review(path, config, progress)
    output.show(_json(result) if format_ == "json" else output.encoded(_text(result.suppressions)))
    if check and any(one.state in ("unused", "expired", "malformed") for one in result.suppressions):
        return GATE_FAILED
    return FAILED if result.coverage.status == "failed" else OK


def _text(suppressions: tuple[Suppression, ...]) -> str:
    from headwater.reports import escape

    lines = []
    for one in suppressions:
        lines.append(f"{escape.line(escape.path(one.path))}:{one.line}: {one.state} [{escape.line(one.rule)}]")
        details = [one.reason, f"until {one.until}" if one.until else "", f"({one.problem})" if one.problem else ""]
        if any(details):
            lines.append("    " + escape.line(" ".join(part for part in details if part)))
    states = Counter(one.state for one in suppressions)
    counts = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    number = len(suppressions)
    lines.append(f"{number} suppression{'' if number == 1 else 's'}{f': {counts}' if counts else ''}")
    return "\n".join(lines) + "\n"


def _json(review: Review) -> bytes:
    import msgspec

    from headwater.reports import escape

    listed = [
        {
            "path": escape.path(one.path),
            "line": one.line,
            "rule": one.rule,
            "state": one.state,
            "reason": one.reason,
            "until": one.until,
            "problem": one.problem,
        }
        for one in review.suppressions
    ]
    document = {"schema": SCHEMA, "version": VERSION, "coverage": review.coverage.status, "suppressions": listed}
    return escape.json(msgspec.json.format(msgspec.json.encode(document), indent=2)) + b"\n"
