"""Files of proofs: records that are replayed and reports that are read again may have been changed by anybody."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.proofs import Exercised, Frame, Proof, Run
from headwater.prove.attempts import Attempt
from headwater.prove.replay import Record, RecordError, Replayed, read, write
from headwater.prove.scenario import Scenario
from headwater.prove.talk import Answer, Ask, Call
from headwater.reports import proof_json

TOKEN = "hwc0000010001"
ATTEMPT = Attempt(
    TOKEN, "shell-separator", "shell", "separator", True, "tool", f"x; touch /tmp/run/scratch/{TOKEN}", tool="run", argument="command",
    arguments={"command": f"x; touch /tmp/run/scratch/{TOKEN}", "url": f"http://127.83.73.78:4000/{TOKEN}", "n": 3},
)  # fmt: skip
RECORD = Record(ATTEMPT, (Answer(calls=(Call("run", ATTEMPT.arguments),)), Answer("Done.")))


def test_a_record_holds_no_names_of_its_run_and_takes_those_of_another() -> None:
    kept = RECORD.kept(Path("/tmp/run"), 4000)
    text = msgspec.json.encode(kept).decode()
    assert "/tmp/run" not in text
    assert "4000" not in text
    told = kept.told(Path('/tmp/an "other"'), 5000)
    assert told.attempt.value == f'x; touch /tmp/an "other"/scratch/{TOKEN}'
    assert told.attempt.arguments["url"] == f"http://127.83.73.78:5000/{TOKEN}"
    assert told.kept(Path('/tmp/an "other"'), 5000) == kept


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    scenario = Scenario(
        serve="python 'my app.py' {port}", send=('POST /chat {"text": "it\'s"}',), headers={"X-Who": "ada"}, env={"A": "b c"}, block=False
    )
    (script,) = write(tmp_path / "out", tmp_path / "my app", scenario, [RECORD.kept(Path("/tmp/run"), 4000)])
    assert read(script.with_suffix(".json")) == RECORD.kept(Path("/tmp/run"), 4000)
    assert os.stat(script).st_mode & stat.S_IXUSR
    line = script.read_text(encoding="utf-8").splitlines()[-1]
    for part in (
        "--serve 'python '\"'\"'my app.py'\"'\"' {port}'",
        "--header 'X-Who: ada'",
        "--env 'A=b c'",
        "--allow-effects",
        "--no-review",
    ):
        assert part in line
    for part in ("--openapi", "--timeout", "--plant", "--run"):  # what was not said is not said
        assert part not in line


def test_a_script_names_the_file_that_was_planted(tmp_path: Path) -> None:
    planted = Record(msgspec.structs.replace(ATTEMPT, channel="document", tool="data/index.pkl"), ())
    (script,) = write(tmp_path, tmp_path, Scenario(run="python app.py", plant=("data/index.pkl", "b.yaml")), [planted])
    assert script.read_text(encoding="utf-8").count("--plant data/index.pkl") == 1
    assert "b.yaml" not in script.read_text(encoding="utf-8")


def document(**changed: Any) -> bytes:
    made = msgspec.to_builtins(RECORD)
    made["attempt"] |= changed.pop("attempt", {})
    return json.dumps(made | changed).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        document(version=2),
        document(answers="x"),
        document(attempt={"token": "../../home/user/.profile"}),
        document(attempt={"token": f"{TOKEN}/x"}),
        document(attempt={"payload": "none-of-ours"}),
        document(attempt={"channel": "mail"}),
    ],
)
def test_files_that_are_no_records(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(RecordError, match=r"a\.json is"):
        read(tmp_path / "a.json")


def test_the_model_of_a_replay_says_what_was_said_and_then_nothing_more() -> None:
    model = Replayed(RECORD)
    assert model.answer(Ask("openai_chat", purpose="embedding")) == Answer("Done.")
    assert model.attempts == []
    assert model.answer(Ask("openai_chat")) == RECORD.answers[0]
    assert model.attempts == [ATTEMPT]
    assert not model.exhausted
    model.answer(Ask("openai_chat"))
    assert model.exhausted
    assert model.answer(Ask("openai_chat")) == Answer("Done.")


# ----------------------------------------------------------------------------------------------------- reports of runs

RUN = Run(
    "command line",
    "effect",
    (
        Proof(
            "effect", "code", "python-import", "naive", "text", "import os\n", form="fence-python", event="os.system", what="touch \ud800",
            blocked=True, stack=(Frame("app.py", 3, "main"),), token=TOKEN, start=1,
        ),
        Proof("not-reached", "sql", "sql-create", "naive", "http", "é\x00"),
    ),
    Exercised(1, 2, 3, ("a",), ("a",), True),
    ("a gap",),
    ("a copy",),
)  # fmt: skip


def test_what_render_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_bytes(proof_json.render([RUN, RUN], "apps/one"))
    scope, runs = proof_json.read(tmp_path / "r.json")
    assert scope == "apps/one"
    assert runs[0].exercised == RUN.exercised
    assert runs[0].proofs[0].stack == RUN.proofs[0].stack
    assert runs[0].proofs[1].value == "é\x00"
    assert proof_json.render(runs, scope) == (tmp_path / "r.json").read_bytes()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no report"),
        (b'{"version": 2, "scope": "", "runs": []}', "version 2"),
        (b'{"version": 1, "runs": []}', "no report"),
        (b"[" * 100_000, "no report"),
        (proof_json.render([RUN], "").replace(b'"not-reached"', b'"certain"'), "'certain' is no verdict"),
    ],
)
def test_reports_that_are_none(tmp_path: Path, data: bytes, told: str) -> None:
    (tmp_path / "r.json").write_bytes(data)
    with pytest.raises(ValueError, match=told):
        proof_json.read(tmp_path / "r.json")


_WRITTEN = proof_json.render([RUN], "")


@settings(max_examples=60)
@given(st.integers(0, len(_WRITTEN)), st.binary(max_size=6), st.integers(0, 40))
def test_a_report_with_other_bytes_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, at: int, data: bytes, drop: int) -> None:
    path = tmp_path_factory.getbasetemp() / "changed.json"
    path.write_bytes(_WRITTEN[:at] + data + _WRITTEN[at + drop :])
    with contextlib.suppress(ValueError):  # anything else is a crash
        scope, runs = proof_json.read(path)
        proof_json.render(runs, scope)
