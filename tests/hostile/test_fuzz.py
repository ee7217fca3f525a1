"""A small part of ``benchmarks/fuzz.py``: hostile inputs made from the examples, the same on every run."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import fuzz  # noqa: E402
import targets  # noqa: E402

INPUTS = {
    "python": 60,
    "scripts": 90,
    "notebook": 60,
    "rules": 30,
    "configuration": 60,
    "suppressions": 8,
    "versions": 60,
    "ignored": 20,
    "reports": 12,
    "commands": 60,
    "baseline": 30,
    "cache": 20,
    "engine": 3,
    "scripts-engine": 3,
    "reviews": 1,
}


@pytest.fixture(scope="module")
def corpus() -> targets.Corpus:
    return fuzz.collect([ROOT / "examples"], 40)


def test_every_target_is_tried() -> None:
    assert set(INPUTS) == set(targets.TARGETS)


@pytest.mark.parametrize("name", targets.TARGETS)
def test_hostile_inputs(name: str, corpus: targets.Corpus, tmp_path: Path) -> None:
    target = targets.TARGETS[name]
    for number in range(INPUTS[name]):
        files = fuzz.made(name, number, 0, corpus)
        began = time.process_time()
        assert fuzz.attempt(target, files, tmp_path) == "", (
            f"python benchmarks/fuzz.py examples --files 40 --only {name} --from {number} --inputs 1"
        )
        assert time.process_time() - began < targets.seconds_of(target, files)


def test_inputs_are_the_same_on_every_run(corpus: targets.Corpus) -> None:
    for name in targets.TARGETS:
        assert fuzz.made(name, 7, 3, corpus) == fuzz.made(name, 7, 3, corpus) != fuzz.made(name, 8, 3, corpus)


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")  # the child only runs what is tried, and ends
def test_faults_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash, a fault that a report tells, a hang, and the end of the process each count; an error of the input does not."""

    def run(files: targets.Files, folder: Path) -> None:
        what = files["a"]
        if what == b"crash":
            raise KeyError("x")
        if what == b"fault":
            raise targets.FaultError("y")
        if what == b"wrong":
            raise ValueError("the input is wrong")
        if what == b"exit":
            os._exit(3)
        while what == b"hang":
            pass

    inputs = ["crash", "fine", "exit", "wrong", "fault", "hang", "fine"]
    tried = targets.Target(len(inputs), lambda rng, corpus: {"a": rng.choice(inputs).encode()}, run, (ValueError,))
    monkeypatch.setitem(fuzz.TARGETS, "tried", tried)  # type: ignore[arg-type]
    monkeypatch.setattr(fuzz, "made", lambda name, number, seed, corpus: {"a": inputs[number].encode()})
    monkeypatch.setattr(targets, "seconds_of", lambda target, files: 0.2)
    faults, _, slowest, _ = fuzz.fuzz("tried", range(len(inputs)), 0, targets.Corpus({}), tmp_path)
    assert [(fault.number, fault.hang, fault.what.split(":")[0]) for fault in faults] == [
        (0, False, "KeyError"),
        (2, False, "the process ended with 3"),
        (4, False, "FaultError"),
        (5, True, "hang"),
    ]
    assert slowest == 5
