"""The AI-BOM: valid by the strict schema in both versions, complete, and honest about what source does not tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import headwater
from headwater.cli import run
from headwater.components import Component, Edge, SystemMap
from headwater.config import Config
from headwater.files.versions import Versions
from headwater.findings import Coverage, Review
from headwater.reports import cyclonedx

SPECS: dict[cyclonedx.Spec, SchemaVersion] = {"1.6": SchemaVersion.V1_6, "1.7": SchemaVersion.V1_7}
HOSTILE = "\x1b[31m\u202e</x> ##[error]\n::error:: \ud800 'urn:x'"

APP = '''\
import subprocess

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.prebuilt import create_react_agent


@tool
def run(command: str) -> str:
    """Run a command."""
    return subprocess.run(command, shell=True, capture_output=True, text=True).stdout


llm = ChatOpenAI(model="gpt-4o")
again = ChatOpenAI(model="gpt-4o")
agent = create_react_agent(llm, [run], prompt="You help the people who keep the machines of this house.")
'''


def review_of(*components: Component, edges: tuple[Edge, ...] = ()) -> Review:
    return Review("/", (), Coverage(1, 1, 1, {}, (), {}), {}, system=SystemMap(components, edges))


def valid(text: str, spec: cyclonedx.Spec) -> Any:
    error = JsonStrictValidator(SPECS[spec]).validate_str(text)
    assert error is None, error
    return json.loads(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    (tmp_path / "requirements.txt").write_text("langchain-openai==1.0.2\nlanggraph>=0.6\n", encoding="utf-8")
    return tmp_path


def written(root: Path, *more: str, spec: cyclonedx.Spec = "1.6") -> Any:
    file = root / "bom.json"
    assert run(["map", str(root), "-q", "--no-cache", "--format", "cyclonedx", "--spec-version", spec, "--output", str(file), *more]) == 0
    return valid(file.read_text(encoding="utf-8"), spec)


@pytest.mark.parametrize("spec", SPECS)
def test_what_is_in_it(root: Path, spec: cyclonedx.Spec) -> None:
    bom = written(root, spec=spec)
    assert bom["specVersion"] == spec
    (llm,) = [one for one in bom["components"] if one["type"] == "machine-learning-model"]  # set up twice, one model
    assert llm["name"] == "gpt-4o"
    assert llm["modelCard"] == {"modelParameters": {"task": "text-generation"}}
    assert llm["evidence"]["occurrences"] == [{"location": "app.py", "line": 14}, {"location": "app.py", "line": 15}]
    assert "version" not in llm
    (tool,) = [one for one in bom["components"] if one["name"] == "run"]
    assert {"name": "headwater:capability", "value": "executes-shell"} in tool["properties"]
    assert {"name": "headwater:capability:executes-shell", "value": "app.py:11"} in tool["properties"]
    (provider,) = bom["services"]
    assert (provider["name"], provider["x-trust-boundary"], provider["trustZone"]) == (
        "langchain_openai.ChatOpenAI", True, "Model provider",
    )  # fmt: skip
    assert "endpoints" not in provider
    depends = {one["ref"]: one["dependsOn"] for one in bom["dependencies"]}
    assert depends["agent:app.py:agent"] == [
        "library:langgraph", llm["bom-ref"], *(one["bom-ref"] for one in bom["components"] if one["type"] == "data"), tool["bom-ref"],
    ]  # fmt: skip
    assert depends[llm["bom-ref"]] == ["library:langchain-openai", provider["bom-ref"]]


def test_versions_as_they_are_declared(root: Path) -> None:
    libraries = {one["name"]: one for one in written(root)["components"] if one["type"] == "library"}
    assert libraries["langchain-openai"]["version"] == "1.0.2"
    assert libraries["langchain-openai"]["purl"] == "pkg:pypi/langchain-openai@1.0.2"
    assert "version" not in libraries["langgraph"]  # a range is no version
    assert libraries["langgraph"]["properties"] == [{"name": "headwater:declared", "value": "requirements.txt: >=0.6"}]


def test_the_same_map_gives_the_same_bytes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    first = written(root)
    assert written(root) == first
    assert "timestamp" not in first["metadata"]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    dated = written(root)
    assert dated["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    assert dated["serialNumber"] == first["serialNumber"]
    (root / "app.py").write_text(APP.replace('again = ChatOpenAI(model="gpt-4o")', 'again = ChatOpenAI(model="o3")'), encoding="utf-8")
    assert written(root)["serialNumber"] != first["serialNumber"]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert run(["map", str(root), "-q", "--format", "cyclonedx"]) == 2


@pytest.mark.parametrize("spec", SPECS)
def test_each_type_of_component_is_valid(spec: cyclonedx.Spec) -> None:
    from headwater.apis.schema import COMPONENTS

    parts = [
        Component(f"c{n}", type_, "x", "app.py", n + 1, {"api": "lib.X", "url": "https://u:p@h:8/a b"})
        for n, type_ in enumerate(COMPONENTS)
    ]
    edges = tuple(Edge(f"c{n}", f"c{n + 1}", "calls", "app.py", 1) for n in range(len(parts) - 1))
    bom = valid(cyclonedx.render(review_of(*parts, edges=edges), Versions(), spec), spec)
    services = {one["bom-ref"]: one for one in bom["services"]}
    assert {ref.partition(":")[0] for ref in services} >= {"vector-store", "memory", "mcp-server", "mcp-client", "service"}
    assert services["mcp-client:app.py:x"]["endpoints"] == ["https://h:8/a%20b"]
    assert services["mcp-client:app.py:x"]["x-trust-boundary"] is True
    assert services["vector-store:app.py:x"]["x-trust-boundary"] is False
    assert "u:p@" not in json.dumps(bom)  # no password of an address


@pytest.mark.parametrize("spec", SPECS)
def test_hostile_text(spec: cyclonedx.Spec) -> None:
    from headwater.apis.schema import COMPONENTS

    name = HOSTILE.replace("\ud800", "")
    parts = [Component(f"c{n}", type_, name, f"{name}.py", n + 1, {"api": f"{name}.X", "url": name}) for n, type_ in enumerate(COMPONENTS)]
    text = cyclonedx.render(review_of(*parts), Versions(), spec)
    valid(text, spec)
    assert text.isascii()
    assert "##[" not in text
    assert not {"\x1b", "\u202e"} & set(json.dumps(json.loads(text), ensure_ascii=False))


def test_a_model_of_a_hub_says_where_it_comes_from() -> None:
    part = Component("c", "llm", "org/model", "app.py", 1, {"api": "transformers.AutoModelForCausalLM.from_pretrained"})
    bom = valid(cyclonedx.render(review_of(part), Versions()), "1.6")
    assert bom["components"][0]["externalReferences"] == [{"type": "distribution", "url": "https://huggingface.co/org/model"}]
    assert bom["services"] == []


def test_nothing_found_is_valid() -> None:
    valid(cyclonedx.render(review_of(), Versions()), "1.6")


def test_the_json_map_is_what_its_schema_says(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import jsonschema

    schema = json.loads((Path(__file__).parent.parent.parent / "docs" / "schemas" / "map-1.schema.json").read_text(encoding="utf-8"))
    assert run(["map", str(root), "-q", "--no-cache", "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(schema).validate(data)
    types, kinds, able = (
        schema["properties"][one]["items"]["properties"][key]
        for one, key in (("components", "type"), ("edges", "kind"), ("components", "capabilities"))
    )
    from headwater.apis.schema import CAPABILITIES, COMPONENTS

    assert types["enum"] == list(COMPONENTS)
    assert able["items"]["enum"] == list(CAPABILITIES)
    assert set(kinds["enum"]) == {"offers-tool", "calls", "retrieves-from", "fills-slot", "delegates-to", "stores-in", "guards"}
    assert msgspec.json.encode(data)
    assert headwater.review(root, Config(processes=1)).system.edges
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({**data, "version": 2})
