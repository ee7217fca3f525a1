"""``headwater rules test``: runs the tests of rules and API models, and says which expectations do not hold."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from headwater.cli import GATE_FAILED, OK, FailureError, common, output

if TYPE_CHECKING:
    from headwater.ruletests import Outcome, Said

SCHEMA: Final = "headwater-rules-test"
VERSION: Final = 1


def run(folders: Sequence[str], format_: str) -> int:
    """Runs, writes, and returns the exit status."""
    from headwater import ruletests
    from headwater.reports import escape
    from headwater.rules.own import OwnError

    try:
        with common.progress(output.is_terminal(sys.stderr)) as progress:
            outcome = ruletests.run(folders, progress)
    except OwnError as error:
        raise FailureError(escape.line(str(error))) from None
    output.show(_json(outcome) if format_ == "json" else output.encoded(_text(outcome)))
    return GATE_FAILED if outcome.failures else OK


def _text(outcome: Outcome) -> str:
    from headwater.reports import escape

    groups = (("", outcome.failures), ("known: ", outcome.known), ("note: ", outcome.notes), ("warning: ", outcome.warnings))
    lines = [f"{word}{_line(one)}" for word, said in groups for one in said]
    subjects = [_count(outcome.rules, "rule")] if outcome.rules else []
    subjects += [f"{_count(outcome.models, 'file')} of API models"] if outcome.models else []
    counts = [_count(outcome.expectations, "expectation"), f"{len(outcome.failures)} failed"]
    counts += [_count(len(outcome.known), "known gap")] if outcome.known else []
    lines.append(f"{_count(outcome.tests, 'test')} of {' and '.join(subjects)}: {', '.join(counts)}")
    return "".join(f"{escape.log(escape.line(line))}\n" for line in lines)


def _line(one: Said) -> str:
    place = f"{one.path}:{one.line}" if one.line else one.path
    return f"{place}: {f'{one.rule}: ' if one.rule else ''}{one.message}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _json(outcome: Outcome) -> bytes:
    import msgspec

    from headwater.reports import escape

    document = {"schema": SCHEMA, "version": VERSION, "passed": not outcome.failures, **msgspec.to_builtins(outcome)}
    return escape.json(msgspec.json.format(msgspec.json.encode(document), indent=2)) + b"\n"
