"""What functions were told of one another and is so no more is seen and mended, and costs no finding."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest

import headwater
from headwater import limits
from headwater.config import Config
from headwater.findings import Review
from headwater.index.entities import Fn
from headwater.taint import findings
from headwater.taint.mending import _groundless
from headwater.taint.solve import Solver
from headwater.taint.summary import EMPTY, Issue, ToSink
from headwater.taint.trace import RawStep, TraceError, Tracer

CODE = """
import subprocess
from fastapi import FastAPI

app = FastAPI()


@app.get("/run")
def run(command: str):
    outer(command)


@app.get("/play")
def play(ball: str):
    ping(ball)


def outer(text):
    inner(text)


def inner(text):
    subprocess.run(text, shell=True)


def ping(ball):
    pong(ball)


def pong(ball):
    ping(ball)
"""


def _review(folder: Path, spoil: Callable[[Solver], None], patch: pytest.MonkeyPatch, seen: bool = True) -> Review:
    """A review of the code, where ``spoil`` changes what was found before it is looked at; not ``seen``: until it is replayed."""
    (folder / "app.py").write_text(CODE)
    solve = Solver.solve

    def spoilt(solver: Solver) -> None:
        solve(solver)
        spoil(solver)

    patch.setattr(Solver, "solve", spoilt)
    if not seen:
        patch.setattr(findings, "unfounded", lambda *_: {})
    return headwater.review(folder, Config(processes=1, cache=""))


def _function(solver: Solver, name: str) -> Fn:
    return next(fn for fn in solver.symbols.functions if fn.name == name)


def _effect(solver: Solver, name: str) -> ToSink:
    (effect,) = solver.summaries[_function(solver, name).id].sinks
    return effect


def _told(solver: Solver, name: str, callee: str) -> None:
    """``name`` is told to lead to the operation, by a call of ``callee``."""
    fn = _function(solver, name)
    real = _effect(solver, "inner")
    made = copy.copy(solver.summaries[fn.id])
    made.sinks = (ToSink(0, (), True, 0, 0, real.sink, (), (fn.ir.start, fn.ir.end, _function(solver, callee), real.key)),)
    solver.summaries[fn.id] = made


def test_a_caller_that_was_told_something_else_is_interpreted_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def spoil(solver: Solver) -> None:
        effect = _effect(solver, "outer")
        assert effect.hop is not None
        effect.hop = (*effect.hop[:3], "what inner() did before")
        seen.append(solver.counts["evaluations"])

    made = _review(tmp_path, spoil, monkeypatch)
    assert [one.rule for one in made.findings] == ["remote-input-to-shell"]
    assert made.coverage.counts["evaluations"] > seen[0]


def test_mending_ends_with_its_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def spoil(solver: Solver) -> None:
        effect = _effect(solver, "outer")
        assert effect.hop is not None
        effect.hop = (*effect.hop[:3], "what inner() did before")
        seen.append(solver.counts["evaluations"])

    monkeypatch.setattr(limits, "MENDS_WORK", -1)
    made = _review(tmp_path, spoil, monkeypatch)
    assert made.coverage.counts["evaluations"] == seen[0]


def test_what_two_functions_told_one_another_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what leads there for a reason is found again."""

    def spoil(solver: Solver) -> None:
        _told(solver, "ping", "pong")
        _told(solver, "pong", "ping")
        true = solver.virtual[0]
        assert true.hop is not None
        source = copy.copy(true.source)
        source.key = (*true.source.key[:2], 0, 1)
        false = Issue(source, 0, 0, true.sink, _function(solver, "play"), (0, 0, _function(solver, "ping"), _effect(solver, "ping").key))
        false.entry = True
        solver.virtual.append(false)

    made = _review(tmp_path, spoil, monkeypatch)
    (finding,) = made.findings
    assert [trace.source.function for trace in finding.traces] == ["run"]
    assert "traces-failed" not in made.coverage.counts


@pytest.mark.parametrize("seen", [True, False])
def test_what_only_a_replay_shows_is_mended_too(seen: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(solver: Solver) -> None:
        true = solver.virtual[0]
        assert true.hop is not None
        false = Issue(true.source, 0, 0, true.sink, _function(solver, "outer"), true.hop)
        solver.issues.setdefault(false.apex.id, []).append(false)

    made = _review(tmp_path, spoil, monkeypatch, seen)
    assert [one.rule for one in made.findings] == ["remote-input-to-shell"]
    assert "traces-failed" not in made.coverage.counts


def test_who_has_told_what_has_no_ground_is_interpreted_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluated: list[str] = []

    def spoil(solver: Solver) -> None:
        inner = _function(solver, "inner")
        made = copy.copy(solver.summaries[inner.id])
        made.sinks = (ToSink(0, (), False, 0, 0, made.sinks[0].sink, (), None),)  # its replay says: as it came
        solver.summaries[inner.id] = made
        effect = _effect(solver, "outer")
        assert effect.hop is not None
        effect.hop = (*effect.hop[:3], made.sinks[0].key)
        interpret = solver._interpret
        monkeypatch.setattr(solver, "_interpret", lambda fn: evaluated.append(fn.name) or interpret(fn))

    made = _review(tmp_path, spoil, monkeypatch)
    assert [one.rule for one in made.findings] == ["remote-input-to-shell"]
    assert "traces-failed" not in made.coverage.counts
    assert {"inner", "outer"} <= set(evaluated)


def test_only_what_goes_round_in_circles_has_no_ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[dict[int, set[object]]] = []

    def spoil(solver: Solver) -> None:
        _told(solver, "ping", "pong")
        _told(solver, "pong", "ping")
        _told(solver, "play", "ping")
        found.append({**_groundless(solver, {_effect(solver, "inner").sink.key})})
        assert set(found[0]) == {_function(solver, name).id for name in ("ping", "pong", "play")}

    _review(tmp_path, spoil, monkeypatch)
    assert found


def test_what_stays_as_it_was_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay that fails for another reason than what was told costs one turn, and the ledger names it."""
    turns: list[object] = []
    mend = findings.mend

    def never(tracer: Tracer, issue: Issue) -> list[RawStep]:
        raise TraceError("it is not seen", (issue.apex, None))

    monkeypatch.setattr(Tracer, "path", never)
    monkeypatch.setattr(findings, "mend", lambda *given: turns.append(given) or mend(*given))
    made = _review(tmp_path, lambda _: None, monkeypatch)
    assert len(turns) == 1
    assert made.coverage.counts["traces-failed"] == 1


IN_TURN = """
import subprocess


def first(text):
    second(text)


def second(text):
    third(text)


def third(text):
    subprocess.run(text, shell=True)
"""


def test_what_is_interpreted_again_comes_after_what_it_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the calls that were seen; names alone suggest another order."""
    (tmp_path / "app.py").write_text(IN_TURN)
    solve = Solver.solve
    told: list[int] = []

    def emptied(solver: Solver) -> None:
        solve(solver)
        numbers = [_function(solver, name).id for name in ("first", "second", "third")]
        solver._order = list(range(len(solver._order)))
        for one in numbers:
            solver.summaries[one] = EMPTY
        solver._deep(lambda: told.append(solver._repair(set(numbers), 3, 1)))
        told.extend(len(solver.summaries[one].sinks) for one in numbers)

    monkeypatch.setattr(Solver, "solve", emptied)
    headwater.review(tmp_path, Config(processes=1, cache=""))
    assert told == [0, 1, 1, 1]


LARGE = """
import subprocess
from flask import Flask, request

app = Flask(__name__)


def asked():
    return request.args["command"]


@app.get("/run")
def run():
    box = asked()
{reads}
    subprocess.run(asked(), shell=True)
"""


@pytest.mark.parametrize("work", [2, 4, 8, 16])
def test_a_replay_goes_as_far_as_what_it_checks(work: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a function that is too large to be followed to its end: what was read before counts once, and a replay keeps nothing."""
    monkeypatch.setattr(limits, "WORK", work)
    (tmp_path / "app.py").write_text(LARGE.format(reads="\n".join(f"    a{number} = box.name.first" for number in range(12))))
    made = headwater.review(tmp_path, Config(processes=1, cache=""))
    assert "traces-failed" not in made.coverage.counts
    assert made.findings
