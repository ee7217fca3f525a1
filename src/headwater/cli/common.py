"""What several commands share: options that choose a configuration, and the progress bar."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from headwater.cli import FailureError

if TYPE_CHECKING:
    from headwater.comparison import Known
    from headwater.config import Config
    from headwater.proofs import Run
    from headwater.redteam.evidence import Evidence
    from headwater.scanners.values import Report

Progress = Callable[[str, int, int], None]
_Command = TypeVar("_Command", bound=Callable[..., Any])
_Made = TypeVar("_Made")
_Form = TypeVar("_Form", bound=str)


def reported(forms: Sequence[str]) -> Callable[[_Command], _Command]:
    """Adds ``--format`` and ``--output``, which ``pair`` joins."""
    form = click.option(
        "--format", "formats", multiple=True, type=click.Choice(forms), help="Format of a report; repeatable. Default: text."
    )
    told = "File of a report, '-' for standard output; the n-th belongs to the n-th --format."
    file = click.option("--output", "outputs", multiple=True, type=click.Path(), help=told)
    return lambda command: form(file(command))


def own_rules(command: _Command) -> _Command:
    """Adds ``--rules``."""
    return click.option(
        "--rules",
        "rule_folders",
        multiple=True,
        type=click.Path(exists=True, file_okay=False),
        metavar="DIR",
        help="Folder of your own rules (*.md) and API models (*.yaml), beside the built-in ones; repeatable.",
    )(command)


def configuration(command: _Command) -> _Command:
    """Adds ``--config``, ``--no-repo-config`` and ``--rules``."""
    command = own_rules(command)
    command = click.option(
        "--no-repo-config",
        "--no-config",
        is_flag=True,
        help="Nothing in the repository counts: neither its configuration file nor comments that suppress findings.",
    )(command)
    return click.option(
        "--config",
        "config_file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Configuration file instead of the repository's own.",
    )(command)


def cached(command: _Command) -> _Command:
    """Adds ``--cache`` and ``--no-cache``."""
    command = click.option("--no-cache", "cache", flag_value="", help="Find out everything anew, and keep nothing.")(command)
    return click.option(
        "--cache", "cache", metavar="DIR", help="Folder of what earlier reviews found out. Default: $HEADWATER_CACHE, or a folder of yours."
    )(command)


def running(command: _Command) -> _Command:
    """Adds ``--processes``, ``--no-progress`` and ``--quiet``."""
    command = click.option("-q", "--quiet", is_flag=True, help="Nothing on standard error but errors.")(command)
    command = click.option("--no-progress", is_flag=True, help="No progress bar.")(command)
    return click.option("--processes", type=click.IntRange(1, 256), help="Worker processes. Default: processors, at most 8.")(command)


def pair(formats: Sequence[_Form], outputs: Sequence[str]) -> list[tuple[_Form, str]]:
    """Joins the n-th format with the n-th output; what has none goes to standard output, which holds one."""
    if len(outputs) > len(formats):
        raise click.UsageError(f"--output {outputs[len(formats)]} has no --format: give one --format for each --output.")
    chosen = [(form, outputs[n] if n < len(outputs) else "-") for n, form in enumerate(formats)]
    if sum(path == "-" for _, path in chosen) > 1:
        raise click.UsageError("Only one format can go to standard output: give each other one an --output.")
    files = [os.path.realpath(path) for _, path in chosen if path != "-"]
    if len(set(files)) < len(files):
        raise click.UsageError("Two reports would go to the same file.")
    return chosen


def load(
    path: Path,
    config_file: Path | None,
    no_repo_config: bool,
    rule_folders: Sequence[str],
    cache: str | None = "",
    given: Mapping[str, Any] | None = None,
) -> Config:
    """The configuration; what is wrong with a file of it is an error of usage. ``cache``: its folder, none if empty."""
    from headwater import configfile
    from headwater.cache import default_folder
    from headwater.reports import escape

    given = {**(given or {}), "cache": default_folder() if cache is None else cache}
    try:
        return configfile.load(path, given, file=config_file, repository=not no_repo_config, rules=rule_folders)
    except configfile.ConfigError as error:
        raise FailureError(escape.line(str(error))) from None


def baseline(file: str, path: Path, no_repo_config: bool) -> tuple[tuple[Known, ...], str]:
    """The findings of an earlier report, and what reports call it."""
    from headwater import baseline
    from headwater.files.discover import root_of, safe
    from headwater.reports import escape

    name = safe(os.path.basename(file))
    root = os.path.join(root_of(os.path.realpath(path)), "")
    inside = any(f"{one}{os.sep}".startswith(root) for one in (os.path.realpath(file), os.path.abspath(file)))
    if inside and no_repo_config:
        raise FailureError(escape.line(f"{safe(file)}: it is part of the repository, of which nothing is to count"))
    try:
        return baseline.read(file), f"{name}, which is part of what is reviewed" if inside else name
    except baseline.BaselineError as error:
        raise FailureError(escape.line(f"{safe(file)}: {error}")) from None


def _each(files: Sequence[str], read: Callable[[str], _Made], refused: type[ValueError] = ValueError) -> list[_Made]:
    """What each file says; one that the reader refuses is an error of usage."""
    from headwater.files.discover import safe
    from headwater.reports import escape

    made = []
    for file in files:
        try:
            made.append(read(file))
        except refused as error:
            raise FailureError(escape.line(f"{safe(file)}: {error}")) from None
    return made


def proofs(files: Sequence[str]) -> list[tuple[str, tuple[Run, ...]]]:
    """What reports of ``headwater prove`` say, each with the application's folder."""
    from headwater.reports import proof_json

    return _each(files, lambda file: proof_json.read(Path(file)))


def imports(files: Sequence[str]) -> tuple[Report, ...]:
    """What reports of other scanners say."""
    from headwater import scanners

    return tuple(_each(files, scanners.read, scanners.ReportError))


def redteam(files: Sequence[str]) -> Evidence:
    """What reports of red-teaming tools say together."""
    from headwater.redteam import formats
    from headwater.redteam.evidence import joined

    return joined(_each(files, formats.read, formats.ReportError))


def since(
    run: Callable[..., _Made],
    path: Path,
    base: str,
    config_file: Path | None,
    no_repo_config: bool,
    rule_folders: Sequence[str],
    cache: str | None,
    given: Mapping[str, Any],
    progress: Progress | None,
) -> _Made:
    """What a function of ``headwater.change`` makes of the change since a revision."""
    from headwater import configfile
    from headwater.cache import default_folder
    from headwater.change import ChangeError
    from headwater.reports import escape

    given = {**given, "cache": default_folder() if cache is None else cache}
    try:
        return run(path, base, given, file=config_file, repository=not no_repo_config, rules=rule_folders, progress=progress)
    except ChangeError as error:
        raise FailureError(escape.line(f"--diff {error}")) from None
    except configfile.ConfigError as error:
        raise FailureError(escape.line(str(error))) from None


@contextlib.contextmanager
def progress(visible: bool) -> Iterator[Progress | None]:
    """A bar on standard error that leaves nothing behind."""
    if not visible:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description:<12}", markup=False), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("start", total=None)

        def advance(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total or None)

        yield advance
