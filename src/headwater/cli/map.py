"""``headwater map``: the AI system in the code, as a tree, as JSON, as Mermaid, as SVG."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from headwater.cli import FAILED, OK, common, output

_FORMATS: Final = {"text": "map_text", "json": "map_json", "mermaid": "map_mermaid", "svg": "map_svg"}
"""Modules of ``headwater.reports`` with a function ``render``."""


@click.command("map", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", type=click.Path(exists=True, path_type=Path), default=".")
@click.option("--format", "form", type=click.Choice(list(_FORMATS)), default="text", help="Default: text.")
@click.option("--output", "file", type=click.Path(), default="-", help="File, '-' for standard output (the default).")
@common.configuration
@common.cached
@click.option("--processes", type=click.IntRange(1, 256), help="Worker processes. Default: processors, at most 8.")
@click.option("--no-progress", is_flag=True, help="No progress bar.")
@click.option("-q", "--quiet", is_flag=True, help="Nothing on standard error but errors.")
def command(
    path: Path,
    form: str,
    file: str,
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
    config = common.load(path, config_file, no_repo_config, rule_folders, cache, given)
    if file != "-":
        output.check(file)
    from headwater import review

    with common.progress(not no_progress and not quiet and output.is_terminal(sys.stderr)) as progress:
        result = review(path, config, progress)
    text: str = importlib.import_module(f"headwater.reports.{_FORMATS[form]}").render(result)
    data = output.encoded(text) if file == "-" else text.encode()
    if file == "-":
        output.show(data)
    else:
        output.write(file, data)
    return FAILED if result.coverage.status == "failed" else OK
