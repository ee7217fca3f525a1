"""``headwater models``: what model files would do when they are loaded."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args

import click

from headwater import __version__
from headwater.cli import FAILED, GATE_FAILED, OK, common, output
from headwater.config import default_processes

if TYPE_CHECKING:
    from headwater.modelfiles.result import FailOn, Result

_Format = Literal["text", "json", "sarif"]
_FAIL_ON: Final = ("malicious", "review", "inconclusive", "never")


@click.command("models", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("paths", type=click.Path(exists=True, path_type=Path), nargs=-1, required=True, metavar="PATH...")
@common.reported(get_args(_Format))
@click.option("--fail-on", type=click.Choice(_FAIL_ON), default="malicious", help="Least verdict that fails the gate. Default: malicious.")
@click.option("--all", "everything", is_flag=True, help="Name clean files too in the text.")
@click.option("--strict-coverage", is_flag=True, help="Status 3 if anything is inconclusive.")
@common.running
def command(
    paths: Sequence[Path],
    formats: Sequence[_Format],
    outputs: Sequence[str],
    fail_on: FailOn,
    everything: bool,
    strict_coverage: bool,
    processes: int | None,
    no_progress: bool,
    quiet: bool,
) -> int:
    """Examine the model files at and below each PATH, without loading any of them: pickles, archives and all other formats
    that docs/models.md lists, by what their bytes are and not by their names.

    Exit status: 0 nothing at or above the gate; 1 the gate failed; 2 wrong usage; 3 nothing could be examined.
    """
    chosen: list[tuple[_Format, str]] = common.pair(formats, outputs) or [("text", "-")]
    for _, file in chosen:
        if file != "-":
            output.check(file)
    from headwater.modelfiles import result

    with common.progress(not no_progress and not quiet and output.is_terminal(sys.stderr)) as progress:
        advance = None if progress is None else lambda done, total: progress("models", done, total)
        found = result.examine([os.fspath(path) for path in paths], processes or default_processes(), advance)
    for form, file in chosen:
        data = _rendered(form, found, fail_on, everything, file == "-")
        if file == "-":
            output.show(data)
        else:
            output.write(file, data)
    if not quiet and ("text", "-") not in chosen:
        counts = ", ".join(f"{number:,} {verdict}" for verdict, number in found.counts.items() if number)
        output.say(counts or "no model file was found")
    return status(found, fail_on, strict_coverage)


def status(found: Result, fail_on: FailOn, strict: bool) -> int:
    """The exit status: a failed gate outranks what could not be examined."""
    if found.fails(fail_on):
        return GATE_FAILED
    if found.nothing or (strict and found.counts["inconclusive"]):
        return FAILED
    return OK


def _rendered(form: str, found: Result, fail_on: FailOn, everything: bool, shown: bool) -> bytes:
    # Imported late: a format costs only those who ask for it.
    if form == "json":
        from headwater.reports import models_json

        return models_json.render(found)
    if form == "sarif":
        from headwater.reports import models_sarif

        return models_sarif.render(found, __version__)
    from headwater.reports import models_text

    if not shown:
        return models_text.render(found, fail_on, everything=everything).encode("utf-8", "backslashreplace")
    terminal = output.is_terminal(sys.stdout)
    width = shutil.get_terminal_size().columns if terminal else 80
    color = terminal and not os.environ.get("NO_COLOR")
    return output.encoded(models_text.render(found, fail_on, color=color, width=width, everything=everything))
