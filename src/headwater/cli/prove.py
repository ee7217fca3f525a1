"""``headwater prove``: runs the application against a compromised model and shows what it does."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import click

from headwater import limits
from headwater.cli import FAILED, GATE_FAILED, OK, FailureError, common, output

if TYPE_CHECKING:
    from headwater.findings import Finding, Review
    from headwater.proofs import Run
    from headwater.prove.scenario import Scenario

_Format = Literal["text", "json"]
_OUTRANKS: Final = frozenset({"timeout", "starts", "go_on", "classes"})
"""Settings of the command line that hold for scenarios of headwater.toml, too: how much is tried, not what is run."""
_OPTIONS: Final = {"mcp_path": "path", "headers": "header"}
_FAIL_ON: Final = ("proved", "granted", "never")


@click.command("prove", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
@click.option("--run", metavar="COMMAND", help="Command that does the application's work and ends; it is started once for each attempt.")
@click.option("--serve", metavar="COMMAND", help="Command that starts a service of HTTP; {port} is the port that it is to use.")
@click.option("--call", metavar="MODULE:FUNCTION", help="Function of a Python application; --with gives its arguments.")
@click.option("--mcp", metavar="COMMAND", help="Command that starts an MCP server; with --path one that talks over HTTP.")
@click.option("--scenario", "names", multiple=True, metavar="NAME", help="Scenario of headwater.toml; needs --trust-config. Repeatable.")
@click.option("--trust-config", is_flag=True, help="Run what headwater.toml of the application says: it may be its attacker's.")
@click.option(
    "--send", "sends", multiple=True, metavar="REQUEST", help='Request to the service: \'POST /chat {"text": "hello"}\'. Repeatable.'
)
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="Header of every request to the service. Repeatable.")
@click.option("--honest", type=click.IntRange(0, 1000), help="Answers of the model that are as they should be, before it turns hostile.")
@click.option(
    "--play",
    type=click.Choice(["model", "tools"]),
    help="Who is hostile: the model, or an MCP server that the application uses, at {tools}. Default: model.",
)
@click.option("--openapi", metavar="PATH", help="Where the service describes itself. Default: /openapi.json.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the service where the command cannot be told one.")
@click.option("--path", "mcp_path", metavar="PATH", help="Path of an MCP server that talks over HTTP: /mcp.")
@click.option("--with", "given", metavar="JSON", help="Arguments of --call: a list, or an object of named ones.")
@click.option("--python", metavar="FILE", help="Interpreter of --call. Default: python3.")
@click.option("--root", metavar="FOLDER", help="Folder that the application may use, where that is not all of its own.")
@click.option("--plant", multiple=True, metavar="FILE", help="File that the application reads: put a hostile one in its place. Repeatable.")
@click.option(
    "--env", "pairs", multiple=True, metavar="NAME=VALUE", help="Variable for the application, which gets none of yours. Repeatable."
)
@click.option(
    "--only", "classes", multiple=True, metavar="CLASS", help="Sink class to try: code, shell, sql, ... Repeatable. Default: all."
)
@click.option(
    "--timeout", type=click.FloatRange(1, 3600), help=f"Seconds for one start, call or request. Default: {limits.PROVE_SECONDS:g}."
)
@click.option("--starts", type=click.IntRange(1, 1000), help=f"Starts of the application at most. Default: {limits.PROVE_STARTS}.")
@click.option("--all", "go_on", is_flag=True, help="Go on after a proof, until nothing is left to try.")
@click.option("--allow-effects", is_flag=True, help="Let the harmless effects of payloads happen instead of stopping them.")
@click.option("--no-review", is_flag=True, help="Do not review the source, to say what became of each finding.")
@click.option(
    "--replays", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Write a script for each proof that replays it."
)
@click.option(
    "--replay", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE", help="Answer as this record of a proof says."
)
@click.option("--fail-on", type=click.Choice(_FAIL_ON), default="proved", help="What fails the gate. Default: proved.")
@common.reported(get_args(_Format))
@common.running
def command(
    path: Path,
    run: str | None,
    serve: str | None,
    call: str | None,
    mcp: str | None,
    names: Sequence[str],
    trust_config: bool,
    given: str | None,
    pairs: Sequence[str],
    fail_on: str,
    formats: Sequence[_Format],
    outputs: Sequence[str],
    no_review: bool,
    replays: Path | None,
    replay: Path | None,
    processes: int | None,
    no_progress: bool,
    quiet: bool,
    allow_effects: bool,
    mcp_path: str | None,
    sends: Sequence[str],
    headers: Sequence[str],
    classes: Sequence[str],
    **settings: Any,
) -> int:
    """Run the application below PATH (default: here), unchanged, with its model played by Headwater, and watch what it does.

    It runs in a copy, with a home of its own, none of your keys, and no network but this machine's, as far as the system
    can do that. What hostile values would do is stopped before it happens, and kept as evidence (docs/prove.md).

    Exit status: 0 nothing proved; 1 the gate failed; 2 wrong usage; 3 nothing could be tried.
    """
    chosen: list[tuple[_Format, str]] = common.pair(formats, outputs) or [("text", "-")]
    for _, file in chosen:
        if file != "-":
            output.check(file)
    direct = {
        "run": run,
        "serve": serve,
        "call": call,
        "mcp": mcp,
        "path": mcp_path,
        "send": tuple(sends),
        "classes": tuple(classes),
        "headers": {name.strip(): value.strip() for name, _, value in (one.partition(":") for one in headers)},
        **settings,
    }
    if not names and not any((run, serve, call, mcp)):
        raise FailureError(_suggested(path, processes))
    scenarios = _scenarios(path, direct, given, pairs, names, trust_config, allow_effects)
    from headwater.prove import campaign, folder
    from headwater.prove import replay as record
    from headwater.prove.join import joined
    from headwater.prove.scenario import ScenarioError
    from headwater.reports import escape

    with common.progress(not no_progress and not quiet and output.is_terminal(sys.stderr)) as progress:
        review = None if no_review else _reviewed(path, processes, progress)
        operations = campaign.known(review) if review is not None else ()
        runs: list[Run] = []
        try:
            played = record.read(replay) if replay is not None else None
            for scenario in scenarios:
                result, records = campaign.run(scenario, path, operations, progress, played)
                runs.append(result)
                if replays is not None and scenario.play == "model":  # results of a server come as the application asks for them
                    record.write(replays, path, scenario, records)
        except (folder.CopyError, ScenarioError, record.RecordError) as error:
            raise FailureError(escape.line(str(error))) from None
        except OSError as error:
            raise FailureError(escape.line(f"{error.filename or ''}: {error.strerror or error}".strip(": "))) from None
    findings: list[tuple[Finding, int]] = []
    scope = _scope(path)
    if review is not None:
        review = joined(review, runs, scope)
        findings = [(one, _line(review, one)) for one in review.findings if one.suppression is None]
    for form, file in chosen:
        data = _rendered(form, runs, scope, findings, file == "-")
        if file == "-":
            output.show(data)
        else:
            output.write(file, data)
    if not quiet and ("text", "-") not in chosen:
        from headwater.proofs import strongest

        output.say(f"{sum(len(one.proved) for one in runs)} proved, strongest verdict: {strongest(runs).word}")
    return status(runs, fail_on)


def status(runs: Sequence[Run], fail_on: str) -> int:
    """The exit status: a proof outranks what could not be tried."""
    proofs = [proof for run in runs for proof in run.proved]
    if fail_on != "never" and any(fail_on == "granted" or not proof.granted for proof in proofs):
        return GATE_FAILED
    if not proofs and any(run.verdict == "not-exercised" for run in runs):
        return FAILED
    return OK


def _scenarios(
    path: Path, direct: Mapping[str, Any], given: str | None, pairs: Sequence[str], names: Sequence[str], trusted: bool, allow: bool
) -> list[Scenario]:
    import json

    import msgspec

    from headwater.prove import scenario

    values = {key: value for key, value in direct.items() if value not in (None, (), False, "", {})}
    try:
        if names:
            if any(values.get(key) for key in ("run", "serve", "call", "mcp")):
                raise scenario.ScenarioError("--scenario says what is started: leave out --run, --serve, --call and --mcp")
            if given is not None or pairs or (said := sorted(set(values) - _OUTRANKS)):
                option = "with" if given is not None else "env" if pairs else _OPTIONS.get(said[0], said[0])
                raise scenario.ScenarioError(f"--scenario says it all: leave out --{option}, or write it into headwater.toml")
            changed = {**values, **({"block": False} if allow else {})}
            return [scenario.checked(msgspec.structs.replace(one, **changed)) for one in scenario.of_file(path, names, trusted)]
        if given is not None:
            try:
                arguments = json.loads(given)
            except ValueError:
                raise scenario.ScenarioError("--with is no JSON") from None
            values |= (
                {"kwargs": arguments}
                if isinstance(arguments, dict)
                else {"args": tuple(arguments) if isinstance(arguments, list) else (arguments,)}
            )
        env: dict[str, str] = {}
        for pair in pairs:
            name, equals, value = pair.partition("=")
            if not equals or not name:
                raise scenario.ScenarioError(f"--env takes NAME=VALUE, not {pair!r}")
            env[name] = value
        return [scenario.checked(scenario.Scenario(**values, env=env, block=not allow))]
    except scenario.ScenarioError as error:
        from headwater.reports import escape

        raise FailureError(escape.line(str(error))) from None


def _scope(path: Path) -> str:
    """The application's folder relative to the root of its repository; empty where they are one."""
    from headwater.files.discover import root_of

    real = os.path.realpath(path)
    scope = os.path.relpath(real, root_of(real)).replace(os.sep, "/")
    return "" if scope == "." else scope


def _suggested(path: Path, processes: int | None) -> str:
    """What to say to who has not said how the application is started."""
    from headwater.prove import suggest
    from headwater.reports import escape

    found = suggest.commands(_reviewed(path, processes, None).system, _scope(path))
    asked = "say how the application is started: --run, --serve, --call, --mcp, or --scenario"
    if not found:
        return asked
    lines = [f"  headwater prove {escape.line(os.fspath(path))} {escape.line(one)}" for one in found]
    return "\n".join([f"{asked}. By the map of its source, perhaps:", *lines])


def _reviewed(path: Path, processes: int | None, progress: common.Progress | None) -> Review:
    from headwater import review

    config = common.load(path, None, False, (), None, {"processes": processes} if processes else {})
    return review(path, config, progress)


def _line(review: Review, finding: Finding) -> int:
    source = review.sources[finding.place.path]
    return source.file_line(source.position(finding.place.start)[0])


def _rendered(form: str, runs: Sequence[Run], scope: str, findings: Sequence[tuple[Finding, int]], shown: bool) -> bytes:
    if form == "json":
        from headwater.reports import proof_json

        return proof_json.render(runs, scope, findings)
    from headwater.reports import proof_text

    if not shown:
        return proof_text.render(runs, findings).encode("utf-8", "backslashreplace")
    terminal = output.is_terminal(sys.stdout)
    width = shutil.get_terminal_size().columns if terminal else 80
    return output.encoded(proof_text.render(runs, findings, color=terminal and not os.environ.get("NO_COLOR"), width=width))
