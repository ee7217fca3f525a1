"""``headwater threats``: the threat model of the AI system in the code, and what has changed since one that was kept."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from headwater.cli import FAILED, GATE_FAILED, OK, FailureError, common, output

if TYPE_CHECKING:
    from headwater.findings import Review
    from headwater.threats.model import ThreatModel

_FORMATS: Final = ("markdown", "json", "threat-dragon", "otm")


@click.command("threats", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", type=click.Path(exists=True, path_type=Path), default=".")
@click.option("--format", "form", type=click.Choice(_FORMATS), help="Default: markdown.")
@click.option("--output", "file", type=click.Path(), default="-", help="File, '-' for standard output (the default).")
@click.option("--title", default="AI system", metavar="TEXT", help="What Threat Dragon and OTM call the system. Default: AI system.")
@click.option(
    "--check",
    "kept",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Model that was kept as JSON: what is new, gone and changed since is shown. A report is written only with --output.",
)
@click.option("--fail-on-drift", is_flag=True, help="Status 1 where --check finds a change.")
@common.configuration
@common.cached
@common.running
def command(
    path: Path,
    form: str | None,
    file: str,
    title: str,
    kept: str | None,
    fail_on_drift: bool,
    config_file: Path | None,
    no_repo_config: bool,
    rule_folders: Sequence[str],
    cache: str | None,
    processes: int | None,
    no_progress: bool,
    quiet: bool,
) -> int:
    """Write the threat model of the AI system below PATH (default: here): scope, assets, trust boundaries, data flows, threats by STRIDE
    with their evidence, and the questions that code cannot answer.

    Exit status: 0 the model was made; 1 it has changed, with --fail-on-drift; 2 wrong usage; 3 nothing could be analysed.
    """
    if fail_on_drift and kept is None:
        raise click.UsageError("--fail-on-drift needs --check FILE.")
    if kept is not None and form is not None and file == "-":
        raise click.UsageError("With --check, standard output has what has changed: give --output FILE for the report.")
    given = {} if processes is None else {"processes": processes}
    config = common.load(path, config_file, no_repo_config, rule_folders, cache, given)
    if file != "-":
        output.check(file)
    before = None if kept is None else _read(kept)
    from headwater import review
    from headwater.threats.model import model

    with common.progress(not no_progress and not quiet and output.is_terminal(sys.stderr)) as progress:
        result = review(path, config, progress)
    made = model(result)
    found: list[str] = []
    if before is not None:
        found = _drift(str(kept), before, made, result)
    if before is None or file != "-":
        text = _rendered(form or "markdown", made, result, title)
        if file == "-":
            output.show(output.encoded(text))
        else:
            output.write(file, text.encode("utf-8", "backslashreplace"))
    if result.coverage.status == "failed":
        return FAILED
    return GATE_FAILED if found and fail_on_drift else OK


def _rendered(form: str, made: ThreatModel, review: Review, title: str) -> str:
    # Imported late: a format costs only those who ask for it.
    if form == "markdown":
        from headwater.reports import threats_markdown

        return threats_markdown.render(made, review)
    if form == "json":
        from headwater.reports import threats_json

        return threats_json.render(made, review)
    if form == "threat-dragon":
        from headwater.reports import threats_dragon

        return threats_dragon.render(made, review, title)
    from headwater.reports import threats_otm

    return threats_otm.render(made, review, title)


def _read(kept: str) -> bytes:
    from headwater.reports import threats_drift

    try:
        with open(kept, "rb") as file:
            data = file.read(threats_drift.BYTES + 1)
    except OSError as error:
        raise FailureError(f"cannot read {_named(kept)}: {error.strerror or error}") from None
    if len(data) > threats_drift.BYTES:
        raise FailureError(f"{_named(kept)}: it is larger than {threats_drift.BYTES:,} bytes")
    return data


def _drift(kept: str, before: bytes, made: ThreatModel, review: Review) -> list[str]:
    from headwater.reports import escape, threats_drift, words

    try:
        found = threats_drift.changes(before, made, review)
    except threats_drift.DriftError as error:
        raise FailureError(escape.line(f"{_named(kept)}: {error}")) from None
    last = f"{words.count(len(found), 'change')} since {_named(kept)}" if found else f"No change since {_named(kept)}"
    output.show(output.encoded(escape.log("".join(f"{line}\n" for line in [*found, last]))))
    return found


def _named(path: str) -> str:
    from headwater.files.discover import safe
    from headwater.reports import escape

    return escape.line(safe(os.path.basename(path)))
