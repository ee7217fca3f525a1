"""Workflow commands: read back as the runner reads them, by the rules of its ``ActionCommand.cs``."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.config import Config
from headwater.findings import Coverage, Review, Step, Trace
from headwater.reports import github
from headwater.reports.view import View, view
from headwater.rules.load import Rule

Show = Callable[[Config], View]
Command = tuple[str, dict[str, str], str]


def unescaped(text: str, *more: tuple[str, str]) -> str:
    for written, char in (("%0D", "\r"), ("%0A", "\n"), *more, ("%25", "%")):
        text = text.replace(written, char)
    return text


def parsed(line: str) -> Command:
    """``TryParseV2``: name, properties, message."""
    line = line.lstrip()
    assert line.startswith("::"), line
    end = line.index("::", 2)
    name, _, rest = line[2:end].partition(" ")
    properties = {}
    for pair in filter(None, rest.strip().split(",")):
        key, _, value = pair.partition("=")
        properties[key] = unescaped(value, ("%3A", ":"), ("%2C", ","))
    return name, properties, unescaped(line[end + 2 :])


def commands(shown: View) -> list[Command]:
    *lines, last = github.render(shown).decode().splitlines()
    assert last.startswith("headwater: ")
    return [parsed(line) for line in lines]


def test_each_finding_is_an_annotation_of_its_level(show: Show) -> None:
    coverage, *found = commands(show(Config(persona="audit")))
    assert [name for name, _, _ in found] == ["error", "warning", "notice"]
    assert found[0][1] == {
        "file": "app/agent 1.py",
        "line": "7",
        "endLine": "7",
        "col": "23",
        "endColumn": "55",
        "title": "Model output is run as code (model-output-run-as-code, critical)",
    }
    assert coverage[0] == "warning"


def test_the_message_has_the_fix_and_the_trace(show: Show) -> None:
    message = commands(show(Config()))[1][2].split("\n")
    assert message[0].startswith("The answer of the model reaches exec()")
    assert message[1].startswith("Fix: Run generated code in a sandbox")
    assert message[2] == "Trace of llm-output:"
    assert message[3] == "1. app/model.py:7 the answer of the model comes in"
    assert len(message) == 7


def test_columns_are_left_out_over_several_lines(show: Show) -> None:
    """GitHub refuses an annotation that has both."""
    _, properties, _ = commands(show(Config()))[2]
    assert (properties["line"], properties["endLine"]) == ("4", "10")
    assert not {"col", "endColumn"} & set(properties)


def test_an_incomplete_coverage_is_said_first(show: Show, review: Review, rules: dict[str, Rule]) -> None:
    name, properties, message = commands(show(Config()))[0]
    assert (name, properties) == ("warning", {"title": "headwater: coverage partial"})
    assert "2 parse-error: lib/[x].py:2: unexpected \\x1b[2J; old/print.py:3" in message
    assert "6 no-frontend: web/a.ts: TypeScript is not analysed yet; web/b.ts: TypeScript is not analysed yet; and 4 more" in message
    assert "NUL" not in message  # without effect
    nothing = msgspec.structs.replace(review, findings=(), coverage=Coverage(0, 0, 0, {}, (), {}))
    assert commands(view(nothing, Config(), rules, "0"))[0][0] == "error"


def test_a_clean_review_is_a_line_without_commands(review: Review, rules: dict[str, Rule]) -> None:
    clean = msgspec.structs.replace(review, findings=(), coverage=Coverage(2, 20, 1, {"python": 2}, (), {}))
    assert github.render(view(clean, Config(), rules, "0")) == b"headwater: 0 findings, gate passed, coverage complete\n"


HOSTILE = st.text(st.sampled_from("%0AD25:,;=\r\n\u2028\x85\ud800\u202e ]#[a")) | st.sampled_from(
    ["::error::x", "\n::set-output name=a::b", "%0A"]
)


@pytest.mark.parametrize("field", ["message", "fix", "title", "function"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=HOSTILE)
def test_hostile_text_stays_in_its_command(review: Review, rules: dict[str, Rule], field: str, text: str) -> None:
    finding = msgspec.structs.replace(review.findings[1], **{field: text})
    complete = Coverage(2, 20, 1, {"python": 2}, (), {})
    shown = view(msgspec.structs.replace(review, findings=(finding,), coverage=complete), Config(), rules, "0")
    ((name, properties, message),) = commands(shown)
    assert (name, properties["file"], properties["line"]) == ("error", "app/agent 1.py", "7")
    assert set(properties) == {"file", "line", "endLine", "col", "endColumn", "title"}
    assert message.isprintable() or set(filter(lambda char: not char.isprintable(), message)) <= {"\n"}


def test_text_comes_back_as_it_was(review: Review, rules: dict[str, Rule]) -> None:
    """Percent signs and what looks escaped are not unescaped twice."""
    text = "100%, %0A and %25: a::b,c=d"
    finding = msgspec.structs.replace(review.findings[1], message=text, title=text)
    _, properties, message = commands(view(msgspec.structs.replace(review, findings=(finding,)), Config(), rules, "0"))[1]
    assert message.split("\n")[0] == text
    assert properties["title"] == f"{text} (model-output-run-as-code, critical)"


def test_a_message_is_cut_before_the_runner_cuts_it(review: Review, rules: dict[str, Rule]) -> None:
    steps = (Step(review.findings[1].place, "x" * 1000, "llm-output", "f"),) * 30
    finding = msgspec.structs.replace(review.findings[1], traces=(Trace("llm-output", steps),))
    _, _, message = commands(view(msgspec.structs.replace(review, findings=(finding,)), Config(), rules, "0"))[1]
    assert len(message) == github.MESSAGE
    assert "Fix: " in message
