"""What proofs say of the findings of a review, on a small service that is written here."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest
from applications import prove, write

import headwater
from headwater.findings import Confidence, Finding, Review
from headwater.proofs import Evidence, Exercised, Frame, Proof, Run
from headwater.prove import campaign
from headwater.prove.join import joined
from headwater.reports import evidence, proof_json

APP = """\
import subprocess
from fastapi import FastAPI
from openai import OpenAI

app = FastAPI()
client = OpenAI()

@app.get("/count/{name}")
def count(name: str) -> str:
    return subprocess.run(f"wc -l {name}", shell=True, capture_output=True, text=True, timeout=5).stdout

@app.post("/work")
def work(text: str) -> str:
    answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}], max_tokens=5, timeout=5)
    exec(answer.choices[0].message.content)
    return "done"
"""
SHELL, CODE = 10, 15


@pytest.fixture(scope="module")
def review(tmp_path_factory: pytest.TempPathFactory) -> Review:
    folder = tmp_path_factory.mktemp("reviewed") / "apps" / "one"
    folder.mkdir(parents=True)
    (folder / "app.py").write_text(APP, encoding="utf-8")
    (folder.parent.parent / ".git").mkdir()
    return headwater.review(folder.parent.parent)


def proof(verdict: str = "effect", sink_class: str = "shell", line: int = SHELL, **more: object) -> Proof:
    stack = (Frame("{packages}/subprocess.py", 3, "run"), Frame("app.py", line, "count")) if line else ()
    values: dict[str, object] = {
        "payload": "p",
        "family": "f",
        "channel": "http",
        "value": "x; touch y",
        "event": "subprocess.Popen",
        "stack": stack,
    }
    return Proof(verdict=verdict, sink_class=sink_class, **{**values, **more})  # type: ignore[arg-type]


def found(review: Review, line: int, *proofs: Proof, attempts: int = 1) -> tuple[Finding, Evidence]:
    run = Run("s", "effect", proofs, Exercised(1, 1, attempts, (), (), True))
    after = joined(review, [run], "apps/one")
    for one in after.findings:
        source = after.sources[one.place.path]
        if source.file_line(source.position(one.place.start)[0]) == line and one.sink_class:
            assert one.proof is not None
            return one, one.proof
    raise AssertionError([one.rule for one in after.findings])


def test_proved_where_the_event_lies_in_the_operation(review: Review) -> None:
    finding, told = found(review, SHELL, proof("reached"), proof(blocked=True, tool="GET /count/{name}", argument="name"))
    assert told.state == "proved"
    assert told.why == (
        "by a request, 'x; touch y' as name of GET /count/{name}: subprocess.Popen did what it said (stopped by the monitor)"
    )
    assert (finding.evidence, finding.confidence) == ("proved", Confidence.HIGH)
    document = evidence.document(finding)["proof"]
    assert (document["state"], document["stack"][1]) == ("proved", "app.py:10 count")


@pytest.mark.parametrize(
    "other",
    [
        proof(line=CODE),  # another operation
        proof(sink_class="sql"),  # another kind of damage
        proof(stack=(Frame("other.py", SHELL, "count"),)),
        proof(stack=(Frame("helper.py", 1, "run"), Frame("app.py", SHELL, "count"))),  # it happened elsewhere, on the way
        proof("reached", line=CODE),
    ],
)
def test_proofs_of_something_else_say_nothing(review: Review, other: Proof) -> None:
    finding, told = found(review, SHELL, other)
    assert told.state == "not-exercised"
    assert (finding.evidence, told.proof) == ("static", None)


def test_granted(review: Review) -> None:
    _, told = found(review, SHELL, proof(granted=True, channel="tool", tool="run_command"))
    assert told.state == "granted"
    assert told.why == "a tool call of the model had it done: this is what run_command is there to do, for whoever asks"
    _, told = found(review, SHELL, proof(granted=True), proof())
    assert told.state == "proved"  # what was broken out of weighs more


def test_reached_as_plain_data(review: Review) -> None:
    _, told = found(review, SHELL, proof("not-reached"), proof("reached"))
    assert told.state == "reached"
    assert told.why == "of 2 hostile values the farthest came to subprocess.Popen as plain data and did nothing there"


def test_refused_on_the_way(review: Review) -> None:
    _, told = found(
        review, SHELL, proof("not-reached", line=0, tool="GET /count/{name}", request="GET /count/x", refused="error:\n  not allowed\n")
    )
    assert (told.state, told.why) == ("refuted", "1 hostile value was tried here and refused: not allowed")
    _, told = found(review, CODE, proof("parsed", "code", CODE, refused=""), proof("not-reached", "code", CODE))
    assert (told.state, told.why) == ("refuted", "2 hostile values were tried here and compiled and then refused")


def test_not_exercised_says_what_was_missing(review: Review) -> None:
    assert found(review, SHELL)[1].why == "no request or call came here"
    assert found(review, CODE)[1].why == "no answer of the model came here: no request or start led to it"
    assert found(review, CODE, attempts=0)[1].why == "nothing hostile was handed over in this run"


def test_the_map_tells_which_requests_can_be_sent(review: Review) -> None:
    assert [one.offered.name for one in campaign.known(review)] == ["GET /count/{name}"]


def test_a_report_follows_its_schema_and_is_joined_again(tmp_path: Path) -> None:
    code = "from client import say\n\nexec(say('Write Python code in a ```python fence.').strip('`').removeprefix('python'))\n"
    app = write(tmp_path / "app", app=code)
    client = (app / "client.py").read_text(encoding="utf-8")
    (app / "client.py").write_text(client.replace('os.environ["OPENAI_BASE_URL"] + "', '"https://api.openai.com/v1'), encoding="utf-8")
    run, _ = prove(app, run="python3 app.py")
    assert run.proved, run.gaps  # the address is written into the code: the monitor led it to the server
    reviewed = headwater.review(app)
    after = joined(reviewed, [run])
    data = proof_json.render([run], "", [(one, 1) for one in after.findings])
    schema = Path(__file__).parents[2] / "docs" / "schemas" / "proof-1.schema.json"
    jsonschema.validate(json.loads(data), json.loads(schema.read_text(encoding="utf-8")))
    (tmp_path / "r.json").write_bytes(data)
    scope, runs = proof_json.read(tmp_path / "r.json")
    again = joined(reviewed, runs, scope)
    assert [msgspec.to_builtins(one.proof) for one in again.findings] == [msgspec.to_builtins(one.proof) for one in after.findings]


def test_a_second_report_takes_nothing_back(review: Review) -> None:
    for reports in (((proof(),), ()), ((), (proof(),))):
        after = review
        for proofs in reports:
            after = joined(after, [Run("s", "effect", proofs, Exercised(1, 1, 1, (), (), True))], "apps/one")
        (finding,) = (one for one in after.findings if one.sink_class == "shell")
        assert finding.proof is not None
        assert (finding.proof.state, finding.evidence) == ("proved", "proved")
