"""``headwater map``: the AI system in the code, as a tree, JSON, Mermaid, SVG or a bill of materials; what a change does to it."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from headwater.cli import FAILED, OK, FailureError, common, output

if TYPE_CHECKING:
    import datetime

    from headwater.components import SystemMap
    from headwater.findings import Review

_FORMATS: Final = {"text": "map_text", "json": "map_json", "mermaid": "map_mermaid", "svg": "map_svg"}
"""Modules of ``headwater.reports`` with a function ``render``."""
_BOM: Final = "cyclonedx"


@click.command("map", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", type=click.Path(exists=True, path_type=Path), default=".")
@click.option("--format", "form", type=click.Choice([*_FORMATS, _BOM]), default="text", help="Default: text.")
@click.option("--output", "file", type=click.Path(), default="-", help="File, '-' for standard output (the default).")
@click.option("--spec-version", "spec", type=click.Choice(["1.6", "1.7"]), default="1.6", help="Of CycloneDX. Default: 1.6.")
@click.option("--diff", "base", metavar="BASE", help="Revision of git: only what the change since it does to the map, as text or JSON.")
@common.configuration
@common.cached
@common.running
def command(
    path: Path,
    form: str,
    file: str,
    spec: Literal["1.6", "1.7"],
    base: str | None,
    config_file: Path | None,
    no_repo_config: bool,
    rule_folders: Sequence[str],
    cache: str | None,
    processes: int | None,
    no_progress: bool,
    quiet: bool,
) -> int:
    """Show the AI system below PATH (default: here): entry points, models, prompts, agents, tools with what their code can do,
    retrievers, vector stores, memories, MCP servers and clients, secrets, and how they use each other.

    Exit status: 0 the map was made; 2 wrong usage; 3 nothing could be analysed.
    """
    given = {} if processes is None else {"processes": processes}
    if base is not None and form not in ("text", "json"):
        raise click.UsageError("--diff is shown as text or JSON.")
    if form == _BOM:
        _moment()
    if file != "-":
        output.check(file)
    with common.progress(not no_progress and not quiet and output.is_terminal(sys.stderr)) as progress:
        if base is not None:
            from headwater.change import map_change

            chosen = (config_file, no_repo_config, rule_folders, cache, given)
            text, result = _changed(form, *common.since(map_change, path, base, *chosen, progress))
        else:
            from headwater import review

            config = common.load(path, config_file, no_repo_config, rule_folders, cache, given)
            result = review(path, config, progress)
            text = _materials(result, spec) if form == _BOM else _rendered(form, result)
    data = output.encoded(text) if file == "-" else text.encode()
    if file == "-":
        output.show(data)
    else:
        output.write(file, data)
    return FAILED if result.coverage.status == "failed" else OK


def _rendered(form: str, review: Review) -> str:
    # Imported late: a format costs only those who ask for it.
    text: str = importlib.import_module(f"headwater.reports.{_FORMATS[form]}").render(review)
    return text


def _changed(form: str, before: SystemMap, review: Review, against: str) -> tuple[str, Review]:
    from headwater.reports import map_diff
    from headwater.system.diff import difference

    found = difference(before, review.system)
    return (map_diff.json if form == "json" else map_diff.text)(found, against), review


def _materials(review: Review, spec: Literal["1.6", "1.7"]) -> str:
    from headwater.files.versions import declared
    from headwater.reports import cyclonedx

    versions, _ = declared(review.root, sorted({one.file for one in review.system.components}))
    return cyclonedx.render(review, versions, spec, _moment())


def _moment() -> datetime.datetime | None:
    """The time that the bill of materials states."""
    from headwater.reports import cyclonedx

    try:
        return cyclonedx.moment(os.environ)
    except ValueError as error:
        raise FailureError(str(error)) from None
