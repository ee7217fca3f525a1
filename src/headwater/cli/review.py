"""``headwater review``: everything static, a report in each asked format, exit status by the gate."""

from __future__ import annotations

import datetime
import importlib
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import click

from headwater import __version__
from headwater.cli import FAILED, GATE_FAILED, OK, FailureError, common, output
from headwater.config import Config, Format, Output, Persona
from headwater.findings import Confidence, Severity

if TYPE_CHECKING:
    from headwater.reports.view import View

_SEVERITIES: Final = [severity.word for severity in sorted(Severity, reverse=True)]
_CONFIDENCES: Final = [confidence.word for confidence in sorted(Confidence, reverse=True)]
_RENDERERS: Final[Mapping[str, str]] = {
    "json": "json_v1:render",
    "sarif": "sarif:render",
    "github": "github:render",
    "gitlab-codequality": "gitlab:code_quality",
    "junit": "junit:render",
    "markdown": "markdown:render",
    "html": "html.page:render",
    "pdf": "pdf:render",
}
_BUDGETS: Final = frozenset({"too-many"})  # kinds of gaps that mean that a budget of the whole run was hit


@click.command("review", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", type=click.Path(exists=True, path_type=Path), default=".")
@common.reported(get_args(Format))
@click.option("--fail-on", type=click.Choice([*_SEVERITIES, "never"]), help="Least severity that fails the gate. Default: high.")
@click.option("--min-confidence", type=click.Choice(_CONFIDENCES), help="Least confidence that is shown and counted. Default: low.")
@click.option("--persona", type=click.Choice(get_args(Persona)), help="'audit' shows notes too. Default: default.")
@click.option("--strict-coverage", is_flag=True, help="Status 3 if not everything could be looked at.")
@common.configuration
@common.cached
@click.option(
    "--baseline",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Earlier report (JSON or SARIF): what it has already is neither shown nor counted.",
)
@click.option(
    "--diff",
    "base",
    metavar="BASE",
    help="Revision of git: only what the change since it brings is shown and counted, and what it says to Headwater does not count.",
)
@click.option(
    "--proof",
    "proof_files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Report (JSON) of 'headwater prove': findings say whether they were proved; repeatable.",
)
@click.option(
    "--redteam",
    "evidence_files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Report of Garak, PyRIT, promptfoo or 'headwater redteam': it is shown beside the findings; repeatable.",
)
@click.option(
    "--import",
    "import_files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Report of pip-audit, OSV-Scanner, gitleaks or trufflehog: what it found is joined with the findings; repeatable.",
)
@common.running
def command(
    path: Path,
    formats: Sequence[Format],
    outputs: Sequence[str],
    fail_on: str | None,
    min_confidence: str | None,
    persona: Persona | None,
    strict_coverage: bool,
    config_file: Path | None,
    no_repo_config: bool,
    rule_folders: Sequence[str],
    cache: str | None,
    baseline: str | None,
    base: str | None,
    evidence_files: Sequence[str],
    proof_files: Sequence[str],
    import_files: Sequence[str],
    processes: int | None,
    no_progress: bool,
    quiet: bool,
) -> int:
    """Review the source below PATH (default: here) without running it.

    What is not given here is taken from headwater.toml, or from [tool.headwater] in pyproject.toml, in the root of
    the repository (see docs/configuration.md).

    Exit status: 0 nothing at or above the gate; 1 the gate failed; 2 wrong usage; 3 nothing could be analysed,
    or a budget of the run was hit.
    """
    given: dict[str, Any] = {"outputs": pair(formats, outputs)}
    if fail_on is not None:
        given["fail_on"] = None if fail_on == "never" else Severity[fail_on.upper()]
    if min_confidence is not None:
        given["min_confidence"] = Confidence[min_confidence.upper()]
    if persona is not None:
        given["persona"] = persona
    if strict_coverage:
        given["strict_coverage"] = True
    if processes is not None:
        given["processes"] = processes
    if import_files:
        given["imported"] = common.imports(import_files)
    if base is not None and baseline is not None:
        raise click.UsageError("--diff and --baseline are two ways to say what is known: give one.")
    chosen = (config_file, no_repo_config, rule_folders, cache, given)
    config = Config(**given) if base is not None else common.load(path, *chosen)
    earlier = None if baseline is None else common.baseline(baseline, path, no_repo_config)
    red_team = common.redteam(evidence_files) if evidence_files else None
    runs = common.proofs(proof_files)
    for one in config.outputs:
        if one.path != "-":
            output.check(one.path)
        if one.format == "gitlab-sast":
            _moment()
        elif one.format == "pdf":
            _printer()
    from headwater import review
    from headwater.comparison import compare
    from headwater.reports import escape, words
    from headwater.reports.view import view
    from headwater.rules import own

    with common.progress(not no_progress and not quiet and output.is_terminal(sys.stderr)) as progress:
        if base is None:
            result = review(path, config, progress)
        else:
            from headwater.change import review_change

            result, config = common.since(review_change, path, base, *chosen, progress)
        if earlier is not None:
            result = compare(result, *earlier, config.enabled(own.known(config.own)))
        if runs:
            from headwater.prove import join

            for scope, some in runs:
                result = join.joined(result, some, scope)
        if red_team is not None:
            from headwater.redteam.join import joined

            result = joined(result, red_team)
        shown = view(result, config, own.known(config.own), __version__, red_team)
    if result.notice and not quiet:
        output.say(escape.line(result.notice))
    for one in config.outputs:
        _write(shown, one)
    if not quiet and Output("text", "-") not in config.outputs:
        output.say(words.outcome(shown))
    return status(shown)


def pair(formats: Sequence[Format], outputs: Sequence[str]) -> tuple[Output, ...]:
    """Joins the n-th format with the n-th output; what has none goes to standard output, which holds one."""
    return tuple(Output(form, path) for form, path in common.pair(formats, outputs)) or (Output(),)


def status(view: View) -> int:
    """The exit status: a failed gate outranks what could not be looked at."""
    if view.gate.failed:
        return GATE_FAILED
    if view.coverage.status == "failed" or any(gap.kind in _BUDGETS for gap in view.coverage.gaps):
        return FAILED
    if view.config.strict_coverage and view.coverage.status != "complete":
        return FAILED
    return OK


def _write(view: View, one: Output) -> None:
    # Imported late: a format costs only those who ask for it.
    if one.format == "text":
        from headwater.reports import text

        if one.path == "-":
            terminal = output.is_terminal(sys.stdout)
            width = shutil.get_terminal_size().columns if terminal else 80
            output.show(output.encoded(text.render(view, color=terminal and not os.environ.get("NO_COLOR"), width=width)))
            return
        data = text.render(view).encode("utf-8", "backslashreplace")
    elif one.format == "gitlab-sast":
        from headwater.reports import gitlab

        data = gitlab.sast(view, _moment())
    else:
        module, _, function = _RENDERERS[one.format].partition(":")
        data = getattr(importlib.import_module(f"headwater.reports.{module}"), function)(view)
    if one.path == "-":
        output.show(data)
    else:
        output.write(one.path, data)


def _printer() -> None:
    """Fails where no PDF can be written."""
    from headwater.reports import pdf

    try:
        pdf.check()
    except pdf.MissingError as error:
        raise FailureError(str(error)) from None


def _moment() -> datetime.datetime:
    """The time for a report that states one."""
    from headwater.reports import gitlab

    try:
        return gitlab.moment(os.environ)
    except ValueError as error:
        raise FailureError(str(error)) from None
