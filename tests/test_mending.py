"""What functions were told of one another and is so no more is seen and mended, and costs no finding."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest

import headwater
from headwater.config import Config
from headwater.findings import Review
from headwater.index.entities import Fn
from headwater.taint import findings
from headwater.taint.solve import Solver
from headwater.taint.summary import Issue, ToSink

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
