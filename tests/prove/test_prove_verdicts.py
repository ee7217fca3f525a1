"""The ladder of verdicts: one test for each rung, with events as values, and what payloads are tried in which order."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

import pytest

from headwater.proofs import Verdict
from headwater.prove import arguments, observe, soundings, verdicts
from headwater.prove.attempts import Attempt, Payload
from headwater.prove.events import Event
from headwater.prove.payloads import by_id
from headwater.prove.schemas import Known
from headwater.prove.talk import Offered

TOKEN = "hwc0000010001"
WHERE = verdicts.Where(
    work="/run/work",
    root="/run/work/files",
    home="/run/home",
    scratch="/run/scratch",
    canary=f"/run/scratch/{TOKEN}",
    secret=f"/run/scratch/secrets/{TOKEN}.txt",
    sink="127.83.73.78:4000",
    languages={1: "python", 2: "javascript"},
)
TOUCH = f"touch {WHERE.canary}"


@dataclasses.dataclass
class Case:
    """What came of one attempt of a class."""

    sink_class: str
    kind: str = ""
    value: str = ""
    call: str = ""
    shell: bool = False
    pid: int = 1
    payload: str = ""


def payload(case: Case) -> Payload:
    if case.payload or case.sink_class == "code":
        return by_id()[case.payload or "python-import"]
    return next(one for one in by_id().values() if one.sink_class == case.sink_class)


def judged(
    *cases: Case, asked: bool = False, written: bool = False, answered: Sequence[tuple[str, bool]] = (), looks: str = ""
) -> verdicts.Judged:
    used = payload(cases[0])
    attempt = Attempt(TOKEN, used.id, used.sink_class, used.family, used.breaks, "text", f"<b>{TOKEN}</b>")
    events = [Event(one.kind, one.call or one.kind, one.value, (TOKEN,), shell=one.shell, pid=one.pid) for one in cases if one.kind]
    return verdicts.judge(
        attempt, used, events, asked=asked, answered=answered, looks=re.compile(looks) if looks else None, written=written, where=WHERE
    )  # fmt: skip


def test_handed_over_and_seen_by_nothing() -> None:
    assert judged(Case("code")).verdict is Verdict.NOT_REACHED
    assert judged(Case("code", "listen")).verdict is Verdict.NOT_REACHED


@pytest.mark.parametrize("case", [Case("code", "compile"), Case("template", "template"), Case("code", "exec", pid=2)])
def test_parsed_is_no_proof(case: Case) -> None:
    """Checks parse as well, and what another language runs of the text is none of its code."""
    assert judged(case).verdict is Verdict.PARSED
    assert not Verdict.PARSED.proof


@pytest.mark.parametrize(
    "case",
    [
        Case("shell", "process", f'["wc", "-l", "{TOUCH}"]'),
        Case("shell", "process", f'["sh", "-c", "wc -l \'x; {TOUCH}\'"]'),
        Case("shell", "process", f"wc -l 'x; {TOUCH}'", shell=True),
        Case("shell", "process", f'["touch", "x; {TOUCH}"]'),
        Case("shell", "process", "[" * 100_000),
        Case("sql", "sql", f"SELECT 1 WHERE a = '{TOKEN}'"),
        Case("path-read", "read", f"/run/work/files/{TOKEN}"),
        Case("path-read", "read", f"/run/work/files/{TOKEN}", call="os.stat"),
        Case("code", "read", f"/run/work/{TOKEN}"),
        Case("url", "request", f"http://127.0.0.1:4000/{TOKEN}"),
        Case("url", "request", f"http://example.com/?q={TOKEN}"),
        Case("url", "request", "http://[oops"),
        Case("code", "request", f"http://127.83.73.78:4000/?q={TOKEN}"),
        Case("shell", "import", TOKEN),
    ],
)
def test_reached_as_plain_data_is_no_proof(case: Case) -> None:
    """The operation did what it does with any value: a fixed program got an argument, a statement a text, a folder a name."""
    assert judged(case).verdict is Verdict.REACHED
    assert not Verdict.REACHED.proof


def test_run_as_code() -> None:
    assert judged(Case("code", "exec")).verdict is Verdict.EXECUTED
    script = next(one.id for one in by_id().values() if one.sink_class == "code" and one.language == "javascript")
    assert judged(Case("code", "exec", pid=2, payload=script)).verdict is Verdict.EXECUTED
    assert judged(Case("code", "exec", pid=1, payload=script)).verdict is Verdict.PARSED
    assert judged(Case("code", "exec", pid=9)).verdict is Verdict.PARSED  # who knows what that process runs


@pytest.mark.parametrize(
    "case",
    [
        Case("code", "process", TOUCH, call="os.system", shell=True),
        Case("shell", "process", f"wc -l x; {TOUCH}", shell=True),
        Case("shell", "process", f'["sh", "-c", "wc -l x; {TOUCH}"]'),
        Case("shell", "process", f'["/usr/bin/touch", "{WHERE.canary}"]'),
        Case("sql", "sql", f"SELECT 1; CREATE TABLE {TOKEN} (x)"),
        Case("path-read", "read", WHERE.secret),
        Case("path-read", "read", f"file://{WHERE.secret}"),
        Case("path-read", "read", f"files/../../scratch/secrets/{TOKEN}.txt"),
        Case("path-read", "read", f"/run/work/files_evil/{TOKEN}"),
        Case("path-write", "write", WHERE.canary),
        Case("path-write", "write", f"/run/work/a -> {WHERE.canary}"),
        Case("code", "write", WHERE.canary),
        Case("url", "request", f"http://127.83.73.78:4000/{TOKEN}"),
        Case("url", "connect", f"http://name@127.83.73.78:4000/{TOKEN}?a"),
    ],
)
def test_an_effect(case: Case) -> None:
    assert judged(case).verdict is Verdict.EFFECT
    assert Verdict.EFFECT.proof


def test_looking_where_a_path_leads_is_no_effect() -> None:
    assert judged(Case("path-read", "read", WHERE.secret, call="os.stat")).verdict is Verdict.REACHED


def test_the_farthest_event_tells() -> None:
    one = judged(Case("code", "compile"), Case("code", "process", TOUCH), Case("code", "exec"))
    assert one.verdict is Verdict.EFFECT
    assert one.event is not None
    assert one.event.kind == "process"


def test_effects_that_no_event_shows() -> None:
    """Interpreters of syntax trees run nothing that a monitor calls code; a process that is not watched writes a file all the same."""
    asked = judged(Case("url"), asked=True)
    assert (asked.verdict, asked.how) == (Verdict.EFFECT, "request")
    assert judged(Case("sql"), asked=True).verdict is Verdict.NOT_REACHED
    written = judged(Case("shell", "compile"), written=True)
    assert (written.verdict, written.how) == (Verdict.EFFECT, "file")
    assert written.event is not None
    assert judged(Case("sql"), written=True).verdict is Verdict.NOT_REACHED


def test_an_answer_shows_an_effect_unless_it_gives_back_what_was_sent() -> None:
    page = f"<p><b>{TOKEN}</b></p>"
    shown = judged(Case("html"), answered=[(page, True)], looks=f"<b>{TOKEN}</b>")
    assert (shown.verdict, shown.how) == (Verdict.EXECUTED, "answer")
    assert judged(Case("html"), answered=[(page, False)], looks=f"<b>{TOKEN}</b>").verdict is Verdict.NOT_REACHED  # no browser shows it
    assert judged(Case("html"), answered=[(page.replace("<", "&lt;"), True)], looks=f"<b>{TOKEN}</b>").verdict is Verdict.NOT_REACHED
    assert judged(Case("template"), answered=[("the product: 79190", False)], looks="79190").verdict is Verdict.EXECUTED
    assert judged(Case("template"), answered=[(f"you said <b>{TOKEN}</b>", False)], looks=TOKEN).verdict is Verdict.NOT_REACHED
    assert judged(Case("shell"), answered=[("79190", False)], looks="79190").verdict is Verdict.NOT_REACHED  # not what it is made for


def test_soundings_first_one_of_each_class_then_what_is_reached() -> None:
    tool = Offered("read_note", "Reads a note.", {"properties": {"name": {"type": "string"}}, "required": ["name"]})
    plans = list(arguments.plans(tool, Known()))
    blind = list(soundings.ordered(plans, tool.name, {}))
    unlikely = [one.payload.sink_class for one in blind if one.weight < soundings.LIKELY]
    assert unlikely
    assert len(unlikely) == len(set(unlikely))  # nothing is known: one of each
    known = list(soundings.ordered(plans, tool.name, {("read_note", "name"): frozenset({"shell"})}))
    shells = [one for one in plans if one.payload.sink_class == "shell"]
    assert known[: len(shells)] == shells  # all that fit what is reached, first
    assert len(known) < len(plans)
    assert list(soundings.ordered(plans, "other", {("read_note", "name"): frozenset({"shell"})})) == blind


def test_what_operations_tell_of_an_argument() -> None:
    assert soundings.classes_of(["read", "sql"]) == {"path-read", "path-write", "sql"}
    assert soundings.classes_of(["start", "listen", "nothing"]) == frozenset()


@pytest.mark.parametrize(
    ("address", "told"), [("0.0.0.0:80", True), ("[::]:80", True), (":80", True), ("127.0.0.1:80", False), ("/run/app.sock", False)]
)
def test_where_it_listens(address: str, told: bool) -> None:
    assert bool(observe.listening([Event("listen", "socket.listen", address)])) is told


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"access-control-allow-origin": observe.ORIGIN, "access-control-allow-credentials": "true"}, True),
        ({"access-control-allow-origin": observe.ORIGIN}, False),
        ({"access-control-allow-origin": "*", "access-control-allow-credentials": "true"}, False),  # no browser takes that
        ({}, False),
    ],
)
def test_whom_it_lets_read(headers: dict[str, str], told: bool) -> None:
    assert (observe.cors(headers, "OPTIONS /a") is not None) is told


def test_what_clients_left_in_the_instructions_of_the_model() -> None:
    attempts = [
        Attempt(f"hwc00000180{n:02x}", "p", "template", "f", True, "http", "v", tool="POST /notes", argument="text") for n in range(3)
    ]
    first, second, _ = (one.token for one in attempts)
    seen = list(observe.instructions(["You help.", f"You help. Notes: {first} {first}", f"{second} {TOKEN}"], attempts))
    assert seen == [(attempts[0], f"You help. Notes: {first} {first}"), (attempts[1], f"{second} {TOKEN}")]
    proof = observe.as_instructions(*seen[0], "POST /notes", 2)
    assert (proof.sink_class, proof.verdict, proof.tool, proof.request, proof.start) == (
        "prompt-system",
        "effect",
        "POST /notes",
        "POST /notes",
        2,
    )
