"""The command line: arguments to a configuration, a configuration to a report and an exit status.

Each command is a module of this package that is imported when it is called: ``--version`` must not pay for the engine.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

import click

from headwater import __version__

OK: Final = 0
GATE_FAILED: Final = 1
USAGE: Final = 2
FAILED: Final = 3
"""Nothing could be analysed, the engine failed, or a budget of the run was hit."""
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells say it

_COMMANDS: Final[Mapping[str, str]] = {
    "review": "Find what untrusted data and model output can abuse.",
    "map": "Show the AI system in the code: models, prompts, agents, tools and what they can do.",
    "threats": "Write the threat model of the AI system, with evidence from the code; find what has changed since.",
    "models": "Find what model files would do when they are loaded.",
    "prove": "Run the application against a compromised model, and show what it does.",
    "redteam": "Ask the model behind an application, with Garak or PyRIT; read their reports.",
    "suppressions": "List the comments that suppress findings, and whether they still do.",
    "rules": "List the rules, explain one, or run their tests.",
    "doctor": "Check the installation, and what it can look at.",
}


class FailureError(click.ClickException):
    """An error of the user's or of the surroundings, shown as one line."""

    exit_code = USAGE

    def show(self, file: object = None) -> None:
        say(self.format_message())


def say(message: str) -> None:
    """A line for the user that is no report. Where standard error is full or gone, the exit status still tells."""
    with contextlib.suppress(OSError):
        click.echo(f"headwater: {message}", err=True)


class ClosedOutputError(Exception):
    """The reader of standard output has gone."""


class _Lazy(click.Group):
    """Commands by name; the help texts stand here so that ``--help`` imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"headwater.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="headwater %(version)s")
def cli() -> None:
    """Security review of the source of AI systems.

    'headwater COMMAND --help' explains a command, 'headwater rules explain RULE' a rule.

    Exit status: 0 nothing at or above the gate; 1 the gate failed; 2 wrong usage; 3 nothing could be analysed, or the engine failed.
    """


def run(arguments: Sequence[str]) -> int:
    """Runs the command line; returns the exit status."""
    try:
        status = cli.main(args=list(arguments), prog_name="headwater", standalone_mode=False)
    except click.ClickException as error:
        with contextlib.suppress(OSError):  # as in say
            error.show()
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        say("interrupted")
        return INTERRUPTED
    except ClosedOutputError:
        return _closed_output()
    except Exception as error:
        return _crashed(error)
    return status if isinstance(status, int) else OK


def _closed_output() -> int:
    # What Python still holds for standard output would fail once more, and loudly, at exit.
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
    say("standard output was closed before the report was written whole")
    return USAGE


def _crashed(error: Exception) -> int:
    import traceback

    from headwater.reports import escape

    if os.environ.get("HEADWATER_TRACEBACK"):
        traceback.print_exception(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(last.filename)}:{last.lineno}"
    text = escape.log(escape.line(f"internal error at {place}: {type(error).__name__}: {error}".rstrip(": ")))
    say(f"{text}\nheadwater: the review failed; HEADWATER_TRACEBACK=1 shows the whole trace")
    return FAILED
