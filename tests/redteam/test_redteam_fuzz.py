"""Reports are hostile: whatever they hold, reading ends with evidence or with a reason, and shows nothing that it did not escape."""

from __future__ import annotations

import copy
import functools
import json
import tempfile
from pathlib import Path
from typing import Any

import redteam_reports as made
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.redteam import formats
from headwater.redteam.evidence import MISSING, Evidence
from headwater.reports import redteam, redteam_text

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["\x1b[2J", "\u202e", "##[error]"])
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6
)

GARAK: list[made.Json] = [
    made.setup(),
    made.init(),
    made.attempt("dan.Dan_11_0", "asked", ["said"], {"dan.DAN": [1.0]}),
    made.evaluation("dan.Dan_11_0", "dan.DAN", 1, 1),
    made.logged_hit("dan.Dan_11_0", "dan.DAN", "asked", "said"),
    made.completion(),
]
ROWS = [made.row("ssrf", success=True), made.row("ssrf", success=False), made.row("ssrf", success=False, grader_error=True)]


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All places in a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, one in inner for place in paths(one, (*at, key)))]


def replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    whole = copy.deepcopy(value)
    one = whole
    for key in place[:-1]:
        one = one[key]
    one[place[-1]] = new
    return whole


def read(data: bytes, name: str) -> Evidence | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        try:
            return formats.read(str(path))
        except formats.ReportError:
            return None


def check(found: Evidence | None) -> None:
    if found is None:
        return
    for one in found.results:
        assert min(one.passed, one.failed, one.unjudged) >= 0
        assert one.judged or any(gap.probe == one.probe for gap in found.missing), "a probe without a verdict is missing"
        assert len(one.hits) <= 3
    assert {gap.kind for gap in found.missing} <= set(MISSING)
    assert found.judged or found.missing
    text = redteam_text.render(found)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "##[" not in text
    json.loads(redteam.render(found, "0.0.0"))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_report_of_garak_with_one_strange_value(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(GARAK) - 1))
    line = replaced(GARAK[number], data.draw(st.sampled_from(paths(GARAK[number]))), data.draw(VALUES))
    lines = [*GARAK[:number], line, *GARAK[number + 1 :]]
    check(read(b"\n".join(json.dumps(one).encode() for one in lines), "a.report.jsonl"))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_results_of_promptfoo_with_one_strange_value(data: st.DataObject) -> None:
    whole = {"evalId": "e", "results": {"version": 3, "results": ROWS}, "metadata": {"promptfooVersion": "0.121.20"}}
    new = replaced(whole, data.draw(st.sampled_from(paths(whole))), data.draw(VALUES))
    check(read(json.dumps(new).encode(), "out.json"))


@functools.cache
def database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        memory = made.Memory(Path(folder) / "pyrit.db")
        memory.attack("success", scenario=memory.scenario("WebInjection"), technique="task_xss")
        memory.attack("failure", labels={"headwater-probe": "headwater.sql"})
        return memory.path.read_bytes()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_memory_of_pyrit_with_strange_bytes(data: st.DataObject) -> None:
    content = bytearray(database())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(16, len(content) - 1))] = data.draw(st.integers(0, 255))
    check(read(bytes(content), "pyrit.db"))


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"SQLite format 3\0", b'{"entry_type": "', b'{"evalId": ', b'{\n  "schema": "headwater-redteam", ']),
)
def test_any_bytes(data: bytes, start: bytes) -> None:
    check(read(start + data, "file"))
