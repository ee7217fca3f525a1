"""``headwater redteam``: which probes the system calls for, running Garak or PyRIT with them, and reading their reports."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from headwater import __version__
from headwater.cli import FAILED, GATE_FAILED, OK, FailureError, common, output

if TYPE_CHECKING:
    from headwater.findings import Review
    from headwater.redteam.evidence import Evidence
    from headwater.redteam.plan import Choice
    from headwater.redteam.target import Target

_SETTINGS: Final = {"help_option_names": ["-h", "--help"]}
_TOOLS: Final = ("garak", "pyrit")
_FORMATS: Final = ("text", "json")
_WAIT: Final = 60.0  # seconds until a service listens


@click.group("redteam", context_settings=_SETTINGS)
def command() -> None:
    """Ask the model behind an application what it can be made to say, with Garak or PyRIT, and read what they report.

    'plan' shows which probes the code calls for, 'run' runs them, 'import' reads reports of Garak, PyRIT and promptfoo;
    'headwater review --redteam FILE' joins them with the findings.
    """


@command.command("plan", context_settings=_SETTINGS)
@click.argument("path", type=click.Path(exists=True, path_type=Path), default=".")
@common.configuration
@common.cached
@common.running
def plan(
    path: Path,
    config_file: Path | None,
    no_repo_config: bool,
    rule_folders: Sequence[str],
    cache: str | None,
    processes: int | None,
    no_progress: bool,
    quiet: bool,
) -> int:
    """Show which probes of Garak and PyRIT the system below PATH calls for, and why. Nothing is run.

    Exit status: 0 the plan was made; 2 wrong usage; 3 nothing could be analysed.
    """
    result = _review(path, config_file, no_repo_config, rule_folders, cache, processes, not no_progress and not quiet)
    from headwater.redteam.plan import NEEDS, choose, facts
    from headwater.reports import escape, redteam

    known = facts(result)
    lines: list[str] = []
    for tool in _TOOLS:
        lines.append(tool)
        for one in choose(tool, known):
            lines.append(f"  {_named(one)}  ({one.kind})")
            lines.append(f"      because of {escape.line(redteam.text('; '.join(one.because)))}")
            lines += [f"      needs {'; '.join(NEEDS[need] for need in one.needs)}"] if one.needs else []
    if len(lines) == len(_TOOLS):
        lines = ["Nothing in what was read calls for a probe: no model, no tool, no text of a model that goes anywhere."]
    output.show(output.encoded(escape.log("\n".join(lines) + "\n")))
    return FAILED if result.coverage.status == "failed" else OK


@command.command("import", context_settings=_SETTINGS)
@click.argument("files", type=click.Path(exists=True, dir_okay=False), nargs=-1, required=True, metavar="FILE...")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True, help="Format of what is shown.")
@click.option("--output", "file", type=click.Path(), default="-", help="File, '-' for standard output (the default).")
@click.option("--fail-on-hit", is_flag=True, help="Status 1 where a detector calls an answer bad.")
def import_(files: Sequence[str], form: str, file: str, fail_on_hit: bool) -> int:
    """Read reports: report.jsonl and hitlog.jsonl of Garak, the SQLite memory of PyRIT, results of promptfoo (JSON), and what
    'headwater redteam' wrote. What was skipped, not answered or not judged is no pass.

    Exit status: 0 something was judged; 1 an answer is bad, with --fail-on-hit; 2 wrong usage; 3 nothing was judged.
    """
    if file != "-":
        output.check(file)
    evidence = common.redteam(files)
    _written(evidence, form, file)
    return _status(evidence, fail_on_hit)


@command.command("run", context_settings=_SETTINGS)
@click.argument("tool", type=click.Choice(_TOOLS), metavar="garak|pyrit")
@click.argument("path", type=click.Path(exists=True, path_type=Path), default=".")
@click.option("--endpoint", metavar="URL", help="Target: an address of HTTP. '$INPUT' in it or in --request is the prompt.")
@click.option("--request", default="", metavar="TEXT", help="Body for --endpoint, JSON or text, with '$INPUT'.")
@click.option(
    "--answer", default="$", metavar="PATH", help="Where the answer stands in the response, as '$.choices[0].text'. Default: all of it."
)
@click.option("--method", default="", metavar="NAME", help="Default: POST with --request, else GET.")
@click.option(
    "--header", "headers", multiple=True, metavar="TEXT", help="'Name: value'; '${NAME}' is taken from the environment. Repeatable."
)
@click.option("--openai", metavar="URL", help="Target: a server that speaks OpenAI's protocol, up to and with its '/v1'.")
@click.option("--model", default="default", show_default=True, metavar="NAME", help="Of --openai.")
@click.option("--key-from", metavar="NAME", help="Variable of the environment with the key for --openai.")
@click.option(
    "--run", "runs", metavar="COMMAND", help="Target: a command started for each prompt, with it as '{prompt}' or on standard input."
)
@click.option("--serve", metavar="COMMAND", help="Start this first, wait until the target's address answers, and end it afterwards.")
@click.option("--probe", "probes", multiple=True, metavar="NAME", help="Run these instead of those that PATH calls for. Repeatable.")
@click.option(
    "--prompts",
    type=click.IntRange(1, 100_000),
    default=32,
    show_default=True,
    help="Of one probe, as far as the tool can be told; the rest counts as not judged.",
)
@click.option("--timeout", type=click.FloatRange(1, 3600), default=60.0, show_default=True, help="Seconds for one answer.")
@click.option("--step-timeout", type=click.FloatRange(1), default=1800.0, show_default=True, help="Seconds for one probe.")
@click.option(
    "--system-prompt", type=click.Path(exists=True, dir_okay=False), metavar="FILE", help="The application's, to see whether it is told."
)
@click.option("--online", is_flag=True, help="The tool may fetch data sets. Without it, it is told to fetch nothing.")
@click.option(
    "--environment",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Environment of the tool. Default: in your cache.",
)
@click.option(
    "--python", "python", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE", help="Python that has the tool."
)
@click.option("--install", is_flag=True, help="Make the environment where it is missing (large: the size is said first).")
@click.option(
    "--output", "folder", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR", help="For reports and logs."
)
@click.option("--fail-on-hit", is_flag=True, help="Status 1 where a detector calls an answer bad.")
@common.configuration
@common.cached
@common.running
def run(
    tool: str,
    path: Path,
    endpoint: str | None,
    request: str,
    answer: str,
    method: str,
    headers: Sequence[str],
    openai: str | None,
    model: str,
    key_from: str | None,
    runs: str | None,
    serve: str | None,
    probes: Sequence[str],
    prompts: int,
    timeout: float,
    step_timeout: float,
    system_prompt: str | None,
    online: bool,
    environment: Path | None,
    python: Path | None,
    install: bool,
    folder: Path,
    fail_on_hit: bool,
    config_file: Path | None,
    no_repo_config: bool,
    rule_folders: Sequence[str],
    cache: str | None,
    processes: int | None,
    no_progress: bool,
    quiet: bool,
) -> int:
    """Run Garak or PyRIT against a target, with the probes that the system below PATH (default: here) calls for.

    The tool runs in an environment of its own and talks to a bridge on this machine, which asks the target. Run it against a copy of
    the application: what the model is made to say goes where the application puts it. evidence.json in the folder of --output is
    what 'headwater review --redteam' reads.

    Exit status: 0 something was judged; 1 an answer is bad, with --fail-on-hit; 2 wrong usage; 3 nothing was judged.
    """
    from headwater.redteam.plan import choose, facts, named
    from headwater.redteam.target import TargetError

    try:
        target = _target(endpoint, request, answer, method, headers, openai, model, key_from, runs, timeout)
    except TargetError as error:
        raise click.UsageError(str(error)) from None
    if serve is not None and not (endpoint or openai):
        raise click.UsageError("--serve needs --endpoint or --openai: the address at which it will listen.")
    if python is not None and environment is not None:
        raise click.UsageError("--python and --environment are two ways to say where the tool is: give one.")
    interpreter = python or _interpreter(tool, environment, install)
    _checked(tool, interpreter)
    if probes:
        choices = named(tool, probes)
    else:
        result = _review(path, config_file, no_repo_config, rule_folders, cache, processes, not no_progress and not quiet)
        choices = choose(tool, facts(result))
        if not choices:
            raise FailureError("nothing in what was read calls for a probe: name some with --probe")
    prompt = Path(system_prompt).read_text(encoding="utf-8", errors="replace") if system_prompt is not None else ""
    folder.mkdir(parents=True, exist_ok=True)
    address = endpoint or openai or ""
    evidence = _run(tool, target, choices, interpreter, folder.resolve(), serve, address, prompts, step_timeout, online, prompt, quiet)
    from headwater.reports import redteam

    output.write(os.fspath(folder / "evidence.json"), redteam.render(evidence, __version__))
    _written(evidence, "text", "-")
    return _status(evidence, fail_on_hit)


def _run(
    tool: str,
    target: Target,
    choices: Sequence[Choice],
    python: Path,
    folder: Path,
    serve: str | None,
    address: str,
    prompts: int,
    step_timeout: float,
    online: bool,
    prompt: str,
    quiet: bool,
) -> Evidence:
    from headwater.redteam.bridge import Bridge
    from headwater.redteam.evidence import Evidence, Missing, joined
    from headwater.redteam.plan import lacking
    from headwater.redteam.run import Settings, run
    from headwater.redteam.service import served
    from headwater.redteam.target import TargetError

    def say(text: str) -> None:
        if not quiet:
            output.say(_safe(text))

    lacks = {one: lacking(one, online=online, role=target.whole, prompt=bool(prompt)) for one in choices}
    left = [Missing("not-run", tool, _named(one), f"it needs {'; '.join(what)}") for one, what in lacks.items() if what]
    ready = [one for one, what in lacks.items() if not what]
    settings = Settings(python, folder, folder / "home", prompts, step_timeout, online, prompt)
    # A build that is cancelled ends with this signal: what was started must end with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="headwater-"))
        if serve is not None and ready:
            try:
                stack.enter_context(served(serve, address, folder / "service.log", _WAIT))
            except TargetError as error:
                raise FailureError(_safe(str(error))) from None
        bridge = stack.enter_context(Bridge(target))
        found = run(tool, ready, bridge, settings, Path(scratch), say) if ready else Evidence()
    return joined([found, Evidence(missing=tuple(left))])


def _target(
    endpoint: str | None,
    request: str,
    answer: str,
    method: str,
    headers: Sequence[str],
    openai: str | None,
    model: str,
    key_from: str | None,
    runs: str | None,
    timeout: float,
) -> Target:
    from headwater.redteam.target import Command, Endpoint, OpenAI, TargetError

    given = [one for one in (endpoint, openai, runs) if one is not None]
    if len(given) != 1:
        raise TargetError("One target is needed: --endpoint URL, --openai URL, or --run COMMAND.")
    if endpoint is not None:
        return Endpoint(endpoint, method=method, request=request, answer=answer, headers=headers, timeout=timeout)
    if request or method or headers:
        raise TargetError("--request, --method and --header belong to --endpoint.")
    if openai is not None:
        key = ""
        if key_from is not None:
            key = os.environ.get(key_from, "")
            if not key:
                raise TargetError(f"The environment has no {key_from}, which --key-from names.")
        return OpenAI(openai, model=model, key=key, timeout=timeout)
    return Command(str(runs), timeout=timeout)


def _interpreter(tool: str, environment: Path | None, install: bool) -> Path:
    """The Python of the environment, which is made where the user says so."""
    from headwater.redteam import environments

    try:
        place = environment or environments.folder(tool)
        python = environments.interpreter(place)
        if python.exists():
            return python
        output.say(_safe(environments.offer(tool, place)))
        if not install and not (sys.stdin is not None and output.is_terminal(sys.stdin) and click.confirm("Install it?", err=True)):
            raise FailureError(f"{tool} is not there: --install makes the environment, --environment or --python names one")
        environments.install(tool, place)
        return python
    except environments.UnusableError as error:
        raise FailureError(_safe(str(error))) from None


def _checked(tool: str, python: Path) -> None:
    """Fails where the Python does not have the tool; says it where the version is another one."""
    from headwater.redteam import environments

    try:
        version = environments.version(tool, python)
    except environments.UnusableError as error:
        raise FailureError(_safe(str(error))) from None
    wanted = environments.PACKAGES[tool].version
    if not version:
        raise FailureError(_safe(f"{python} has no {tool}"))
    if version != wanted:
        output.say(_safe(f"{tool} {version} is there; Headwater was made for {wanted}"))


def _review(
    path: Path,
    config_file: Path | None,
    no_repo_config: bool,
    rule_folders: Sequence[str],
    cache: str | None,
    processes: int | None,
    visible: bool,
) -> Review:
    from headwater import review

    config = common.load(path, config_file, no_repo_config, rule_folders, cache, {} if processes is None else {"processes": processes})
    with common.progress(visible and output.is_terminal(sys.stderr)) as progress:
        return review(path, config, progress)


def _written(evidence: Evidence, form: str, file: str) -> None:
    from headwater.reports import redteam, redteam_text

    if form == "json":
        data = redteam.render(evidence, __version__)
    else:
        text = redteam_text.render(evidence)
        data = output.encoded(text) if file == "-" else text.encode("utf-8", "backslashreplace")
    if file == "-":
        output.show(data)
    else:
        output.write(file, data)


def _status(evidence: Evidence, fail_on_hit: bool) -> int:
    """A bad answer outranks that something was not judged."""
    if evidence.failed and fail_on_hit:
        return GATE_FAILED
    return OK if evidence.judged else FAILED


def _named(choice: Choice) -> str:
    return f"{choice.probe}.{choice.technique}" if choice.technique and not choice.probe.startswith("headwater.") else choice.probe


def _safe(text: str) -> str:
    from headwater.reports import escape, redteam

    return escape.line(redteam.text(text))
