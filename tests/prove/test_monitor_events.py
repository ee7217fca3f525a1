"""Files of events are hostile input: the application can write to the same folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from headwater import limits
from headwater.prove.events import ENVIRONMENT, Control, Event, Frame
from headwater.prove.monitors import environment, read, write_control


def line(**changed: object) -> str:
    event = {"kind": "process", "call": "os.system", "value": "echo hwcabc1230001", "tokens": ["hwcabc1230001"], "pid": 7, "number": 1}
    return json.dumps({**event, **changed}) + "\n"


def test_events_of_all_processes_in_order(tmp_path: Path) -> None:
    (tmp_path / "events-10-0.jsonl").write_text(line(value="third"))
    (tmp_path / "events-9-1.jsonl").write_text(line(value="second", stack=[["/app.py", 3, "main"]], blocked=True, shell=True))
    (tmp_path / "events-9-0.jsonl").write_text(line(value="first"))
    events = read(tmp_path)
    assert [event.value for event in events] == ["first", "second", "third"]
    assert events[1] == Event(
        kind="process",
        call="os.system",
        value="second",
        tokens=("hwcabc1230001",),
        blocked=True,
        shell=True,
        stack=(Frame("/app.py", 3, "main"),),
        pid=7,
        number=1,
    )


@pytest.mark.parametrize(
    "bad",
    [
        line()[:-20],
        line(kind="proof"),
        line(tokens=["\x1b[2J"]),
        line(tokens=["hwcabc1230001 or so"]),
        line(verdict="EFFECT"),
        line(number="1"),
        line(stack=[["/app.py", 3]]),
        '{"kind": "start"',
        "[" * 100_000,
        "null",
        '{"kind": "process", "call": "x", "value": "\ud800"}'.encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_what_is_no_event_is_left_out(tmp_path: Path, bad: str) -> None:
    (tmp_path / "events-1-0.jsonl").write_text(line(value="before") + bad.rstrip("\n") + "\n" + line(value="after"), encoding="latin-1")
    assert [event.value for event in read(tmp_path)] == ["before", "after"]


def test_a_process_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "events-1-0.jsonl").write_text(line(value="whole") + line(value="half")[:40])
    assert [event.value for event in read(tmp_path)] == ["whole"]


def test_links_pipes_and_other_names_are_not_opened(tmp_path: Path) -> None:
    folder = tmp_path / "events"
    folder.mkdir()
    (tmp_path / "secret").write_text(line())
    (folder / "events-1-0.jsonl").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "events-2-0.jsonl")
    (folder / "events-3-0.jsonl").mkdir()
    (folder / "events-x-0.jsonl").write_text(line())
    (folder / "events-4-0.jsonl.bak").write_text(line())
    assert read(folder) == []
    assert read(tmp_path / "missing") == []


def test_bounds_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "events-1-0.jsonl").write_text(line() * 20)
    for name, bound, left in (("PROOF_EVENTS", 10, 10), ("PROOF_EVENTS_BYTES", len(line()) * 5, 5)):
        with monkeypatch.context() as patched:
            patched.setattr(limits, name, bound)
            events = read(tmp_path)
            assert [event.kind for event in events] == ["process"] * left + ["lost"]
    for number in range(8):
        (tmp_path / f"events-2-{number}.jsonl").write_text(line())
    monkeypatch.setattr(limits, "PROOF_EVENTS_FILES", 3)
    assert read(tmp_path)[-1].kind == "lost"
    monkeypatch.setattr(limits, "PROOF_EVENT_BYTES", 10)
    assert [event.kind for event in read(tmp_path)] == ["lost"]


def test_the_environment_of_an_application(tmp_path: Path) -> None:
    control = tmp_path / "run folder" / "control.json"
    control.parent.mkdir()
    write_control(Control(folder=str(tmp_path / "events"), prefix="hwcabc123"), control)
    assert (tmp_path / "events").is_dir()
    given = environment(control)
    assert set(given) == {ENVIRONMENT, "PYTHONPATH", "NODE_OPTIONS"}
    assert json.loads(Path(given[ENVIRONMENT]).read_bytes())["prefix"] == "hwcabc123"
    assert (Path(given["PYTHONPATH"]) / "sitecustomize.py").is_file()
    # All that an application could import by mistake
    assert {path.name for path in Path(given["PYTHONPATH"]).iterdir()} - {"__pycache__"} == {"sitecustomize.py", "headwater_monitor"}
