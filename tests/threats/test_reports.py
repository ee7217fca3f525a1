"""The forms of the threat model: valid, the same in every run, readable, and safe whatever the repository says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from markdown_it import MarkdownIt

from headwater.cli import run
from headwater.components import Component, Edge, SystemMap
from headwater.findings import Review
from headwater.reports import threats_dragon, threats_drift, threats_json, threats_markdown, threats_otm
from headwater.reports.threats_layout import layout
from headwater.threats.model import model
from threats.conftest import APP, reviewed

ROOT = Path(__file__).parent.parent.parent
SCHEMAS = {
    "json": ROOT / "docs" / "schemas" / "threats-1.schema.json",
    "threat-dragon": ROOT / "tests" / "data" / "threat-dragon-v2.schema.json",
    "otm": ROOT / "tests" / "data" / "open-threat-model-0.2.0.schema.json",
}
RENDERERS: dict[str, Callable[[Review], str]] = {
    "json": lambda review: threats_json.render(model(review), review),
    "threat-dragon": lambda review: threats_dragon.render(model(review), review, "Helper"),
    "otm": lambda review: threats_otm.render(model(review), review, "Helper"),
    "markdown": lambda review: threats_markdown.render(model(review), review),
}
TAGS = {"h1", "h2", "h3", "ul", "ol", "li", "p", "strong", "em", "table", "thead", "tbody", "tr", "th", "td", "code", "br"}


def valid(form: str, review: Review) -> Any:
    data = json.loads(RENDERERS[form](review))
    schema = json.loads(SCHEMAS[form].read_text(encoding="utf-8"))
    if form == "threat-dragon":  # ajv reads OpenAPI's "nullable", which Threat Dragon's schema uses
        schema = json.loads(re.sub(r'"type": "string",\s*"nullable": true', '"type": ["string", "null"]', json.dumps(schema)))
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    validator(schema).validate(data)
    return data


def large() -> Review:
    """Three hundred components."""
    from threats.test_catalogue import review_of

    types = ("entry-point", "agent", "llm-call", "llm", "tool", "secret", "vector-store", "mcp-client", "prompt", "document-source")
    parts = tuple(Component(f"c{n}", types[n % 10], f"part{n}", f"f{n // 10}.py", n + 1, {"kind": "route"}) for n in range(300))
    edges = tuple(Edge(f"c{n}", f"c{n + 1}", "calls", parts[n].file, n + 1) for n in range(0, 300, 10))
    edges += tuple(Edge(f"c{n}", f"c{n + 3}", "calls", parts[n].file, n + 1) for n in range(0, 300, 10))
    return review_of(SystemMap(parts, tuple(sorted(edges))))


@pytest.mark.parametrize("form", SCHEMAS)
@pytest.mark.parametrize("which", ["small", "hostile", "large"])
def test_it_is_what_its_schema_says(form: str, which: str, small: Review, hostile: Review) -> None:
    assert valid(form, {"small": small, "hostile": hostile, "large": large()}[which])


@pytest.mark.parametrize("form", SCHEMAS)
def test_the_schema_refuses_another_thing(form: str) -> None:
    schema = json.loads(SCHEMAS[form].read_text(encoding="utf-8"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validators.validator_for(schema)(schema).validate({"version": 1})


@pytest.mark.parametrize("form", RENDERERS)
def test_the_same_bytes_and_no_word_of_this_machine(form: str, folder: Path, tmp_path: Path, small: Review) -> None:
    (tmp_path / "app.py").write_text((folder / "app.py").read_text(encoding="utf-8"), encoding="utf-8")
    text = RENDERERS[form](reviewed(tmp_path))
    assert text == RENDERERS[form](small)
    assert str(folder) not in text
    assert folder.name not in text


# ------------------------------------------------------------------------------------------------------------ hostile


class Page(HTMLParser):
    """The tags of a page, and its text outside of code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.open: list[str] = []
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert attrs == []
        self.tags.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if "code" not in self.open else " "


def test_hostile_text_is_neither_markdown_nor_html(hostile: Review) -> None:
    text = RENDERERS["markdown"](hostile)
    page = Page(text)
    assert page.tags <= TAGS
    assert "script" not in page.text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e]|##\[|^::", text, re.MULTILINE)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} <= {4, 5, 6, 7, 8}  # no name adds a cell
    assert "&lt;script" in MarkdownIt("commonmark", {"html": True}).enable("table").render(text)  # it is there to be read


@pytest.mark.parametrize("form", SCHEMAS)
def test_hostile_text_steers_no_terminal_and_no_build_server(form: str, hostile: Review) -> None:
    text = RENDERERS[form](hostile)
    assert text.isascii()
    assert not re.search(r"[\x00-\x09\x0b-\x1f]|##\[|^\s*::", text)
    if form != "json":  # programs show these as they are
        strings = json.dumps(json.loads(text), ensure_ascii=False)
        assert not re.search("[\u202a-\u202e\x1b]", strings)


def test_a_hostile_map_can_be_kept_and_compared(hostile: Review) -> None:
    made = model(hostile)
    assert threats_drift.changes(threats_json.render(made, hostile).encode(), made, hostile) == []


# ------------------------------------------------------------------------------------------------------------ Markdown


def test_what_a_reader_finds(small: Review) -> None:
    text = RENDERERS["markdown"](small)
    for heading in (
        "Scope",
        "Assets",
        "Trust boundaries",
        "Data flows",
        "Threats",
        "Questions that code cannot answer",
        "What was not looked at",
    ):
        assert f"## {heading}\n" in text
    (shown,) = [line for line in text.splitlines() if "**shown**" in line]
    assert "The model's words become commands" in shown
    assert "<code>tool-args-to-shell</code>" in shown
    assert "<code>app.py:16</code>" in shown
    assert "OWASP MCP MCP05:2025; ATLAS AML.T0050, AML.T0053; CWE 78, 94" in shown
    assert "Which of these tools may act without a person?" in text
    flows = text[text.index("## Data flows") : text.index("## STRIDE")]
    assert flows.index("| Outside → Application |") < flows.index("| none |")


def test_what_many_share_stands_once() -> None:
    review = large()
    text = RENDERERS["markdown"](review)
    (row,) = [line for line in text.splitlines() if line.startswith("| A key gets out |")]
    assert row.count("<br>") == threats_markdown.PLACES
    assert "and 24 more" in row
    assert text.count("What may this key do, and when was it last changed?") == 1
    assert len(text) < 60_000  # people read it


# -------------------------------------------------------------------------------------------------------------- diagrams


def test_nothing_in_the_diagram_covers_another_thing() -> None:
    drawn = layout(model(large()))
    assert len(drawn.parts) == 301  # and the callers
    for boxes in (drawn.parts, drawn.zones):
        for one, other in combinations(boxes.values(), 2):
            apart = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y
    for one in drawn.parts.values():
        assert any(
            zone.x < one.x and one.x + one.width < zone.x + zone.width and zone.y < one.y and one.y + one.height < zone.y + zone.height
            for zone in drawn.zones.values()
        )


def test_threat_dragon_has_all(small: Review) -> None:
    data = valid("threat-dragon", small)
    cells = data["detail"]["diagrams"][0]["cells"]
    ids = [cell["id"] for cell in cells]
    assert len(set(ids)) == len(ids)
    ends = {cell[end]["cell"] for cell in cells if cell["shape"] == "flow" for end in ("source", "target")}
    assert ends <= set(ids)
    threats = [threat for cell in cells for threat in cell["data"].get("threats", [])]
    assert len(threats) == len(model(small).cases) == data["detail"]["threatTop"]
    assert sorted(threat["number"] for threat in threats) == list(range(1, len(threats) + 1))
    tool = next(cell for cell in cells if cell["data"].get("name") == "tool: run")
    assert tool["data"]["hasOpenThreats"] is True
    worst = next(one for one in tool["data"]["threats"] if one["title"] == "The model's words become commands")
    assert (worst["type"], worst["status"], worst["severity"]) == ("Elevation of privilege", "Open", "Critical")
    assert "app.py:16" in worst["description"]


def test_open_threat_model_has_all(small: Review) -> None:
    data = valid("otm", small)
    parts = {one["id"] for one in data["components"]}
    zones = {one["id"] for one in data["trustZones"]}
    assert {one["parent"]["trustZone"] for one in data["components"]} <= zones
    assert {end for flow in data["dataflows"] for end in (flow["source"], flow["destination"])} <= parts
    used = [one["threat"] for part in (*data["components"], *data["dataflows"]) for one in part.get("threats", [])]
    assert sorted(used) == sorted(one["id"] for one in data["threats"])
    asked = {each["mitigation"] for part in data["components"] for one in part.get("threats", []) for each in one["mitigations"]}
    assert asked <= {one["id"] for one in data["mitigations"]}
    tool = next(one for one in data["components"] if one["id"] == "tool:app.py:run")
    assert [(one["file"], one["line"]) for one in tool["representations"] if one["representation"] == "code"] == [("app.py", 14)]
    assert tool["tags"] == ["executes-shell"]


# ----------------------------------------------------------------------------------------------------------------- drift


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "app.py").write_text(APP, encoding="utf-8")
    assert run(["threats", str(root), "-q", "--no-cache", "--format", "json", "--output", str(root / "threats.json")]) == 0
    return root


def checked(root: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, list[str]]:
    status = run(["threats", str(root), "-q", "--no-cache", "--check", str(root / "threats.json"), *more])
    return status, capsys.readouterr().out.splitlines()


def test_moved_lines_are_no_drift(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (kept / "app.py").write_text("# A comment.\n\n\n" + APP, encoding="utf-8")
    assert checked(kept, capsys, "--fail-on-drift") == (0, ["No change since threats.json"])


def test_a_new_tool_is_drift(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = APP.replace("llm = ", '@tool\ndef note(text: str) -> None:\n    """Note."""\n    open("notes", "a").write(text)\n\n\nllm = ')
    (kept / "app.py").write_text(text.replace("[run]", "[run, note]"), encoding="utf-8")
    status, lines = checked(kept, capsys, "--fail-on-drift")
    assert status == 1
    assert "+ component tool:app.py:note" in lines
    assert "+ flow agent:app.py:agent offers-tool tool:app.py:note" in lines
    assert "+ threat tool-changes-things tool:app.py:note (question)" in lines
    assert checked(kept, capsys)[0] == 0  # only on request


def test_what_is_fixed_gone_and_able_is_drift(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fixed = APP.replace("subprocess.run(command, shell=True, capture_output=True, text=True).stdout", "open('notes').read()")
    (kept / "app.py").write_text(fixed, encoding="utf-8")
    _, lines = checked(kept, capsys)
    assert "- threat tool-runs-commands tool:app.py:run" in lines
    assert "~ component tool:app.py:run: capabilities executes-shell -> reads-files" in lines
    (kept / "app.py").write_text("", encoding="utf-8")
    assert "- component agent:app.py:agent" in checked(kept, capsys)[1]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "x"}', "\x00", "[" * 100_000, '{"version": 1, "components": []}'])
def test_what_is_no_model_is_refused(kept: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (kept / "threats.json").write_text(text, encoding="utf-8")
    status = run(["threats", str(kept), "-q", "--no-cache", "--check", str(kept / "threats.json")])
    assert status == 2
    assert "threats.json: it is no threat model in JSON" in capsys.readouterr().err


def test_a_kept_model_is_hostile_text(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads((kept / "threats.json").read_text(encoding="utf-8"))
    data["components"].append({"key": "x\x1b[31m\n::error::y", "type": "tool", "zone": "data"})
    (kept / "threats.json").write_bytes(msgspec.json.encode(data))
    _, lines = checked(kept, capsys)
    assert "- component x\\x1b[31m\\n::error::y" in lines


def test_options_that_need_each_other(kept: Path) -> None:
    assert run(["threats", str(kept), "--fail-on-drift"]) == 2
    assert run(["threats", str(kept), "--check", str(kept / "threats.json"), "--format", "otm"]) == 2
