"""The catalogue of threats holds what STRIDE asks of each kind of element, names nothing that does not exist, and each entry can appear."""

from __future__ import annotations

import re

import pytest

from headwater.apis.schema import CAPABILITIES, COMPONENTS
from headwater.components import Ability, Component, Edge, Spot, SystemMap
from headwater.findings import Coverage, Review, Severity
from headwater.rules import builtin
from headwater.threats.catalogue import ELEMENTS, FLOW, LETTERS, Threat, catalogue, elements, letters
from headwater.threats.model import mappings, model
from headwater.threats.zones import zone, zones

EDGES = ("offers-tool", "calls", "retrieves-from", "fills-slot", "delegates-to", "stores-in", "guards")
MADE_BY = {
    # What makes a component be in a zone: its API and its name.
    ("llm", "model-provider"): ("openai.OpenAI", "gpt"),
    ("llm", "application"): ("langchain_ollama.ChatOllama", "llama3"),
    ("llm", "model-hub"): ("transformers.AutoModelForCausalLM.from_pretrained", "org/model"),
    ("embedding-model", "model-provider"): ("langchain_openai.OpenAIEmbeddings", "text"),
    ("embedding-model", "application"): ("langchain_ollama.OllamaEmbeddings", "nomic"),
    ("embedding-model", "model-hub"): ("sentence_transformers.SentenceTransformer", "org/model"),
    ("model-file", "data"): ("torch.load", "weights.pt"),
    ("model-file", "model-hub"): ("transformers.AutoModel.from_pretrained", "org/model"),
    ("tool", "third-party"): ("langchain_community.tools.TavilySearchResults", "search"),
    ("vector-store", "hosted-data"): ("pinecone.Pinecone().Index", "index"),
    ("memory", "hosted-data"): ("mem0.MemoryClient", "memory"),
    ("retriever", "hosted-data"): ("langchain_pinecone.PineconeVectorStore().as_retriever", "retriever"),
}


def review_of(system: SystemMap) -> Review:
    return Review("/", (), Coverage(1, 1, 1, {}, (), {}), {}, system=system)


def part(type_: str, name: str = "", api: str = "", *abilities: str, line: int = 1, **detail: str) -> Component:
    spots = tuple(Ability(one, Spot("app.py", 90)) for one in abilities)
    return Component(f"{type_}:{line}", type_, name or type_, "app.py", line, {**({"api": api} if api else {}), **detail}, spots)


def example(threat: Threat, type_: str, condition: str) -> SystemMap:
    """The least map in which a condition holds for a component of a type."""
    terms = [term.strip().partition(" ") for term in condition.split(" and ")] if condition else []
    api, name = "", "it"
    can: list[str] = []
    others: list[Component] = []
    edges: list[Edge] = []
    me = f"{type_}:1"
    for word, _, rest in terms:
        line = 10 + len(others)
        if word == "can":
            can.append(rest)
        elif word == "in":
            api, name = MADE_BY.get((type_, rest), ("", "it"))
        elif word == "offers":
            others.append(part("tool", "tool", "", rest, line=line))
            edges.append(Edge(me, f"tool:{line}", "offers-tool", "app.py", line))
        elif word == "remote":
            if type_ not in ("entry-point", "mcp-server"):
                others.append(part("entry-point", "chat", line=line, kind="route"))
                edges.append(Edge(f"entry-point:{line}", me, "calls", "app.py", line))
        elif word == "with":
            others.append(part(rest, line=line))
            edges.append(Edge(me, f"{rest}:{line}", "retrieves-from", "app.py", line))
        else:
            others.append(part("agent", line=line))
            ends = (me, f"agent:{line}") if word == "uses" else (f"agent:{line}", me)
            edges.append(Edge(*ends, rest, "app.py", line))
    return SystemMap((part(type_, name, api, *can, kind="route"), *others), tuple(edges))


ALL = [(threat, type_, condition) for threat in catalogue() for type_ in threat.types if type_ != FLOW for condition in threat.when or [""]]


@pytest.mark.parametrize(("threat", "type_", "condition"), ALL, ids=[f"{one.id}-{type_}-{when}" for one, type_, when in ALL])
def test_each_threat_can_appear(threat: Threat, type_: str, condition: str) -> None:
    system = example(threat, type_, condition)
    wanted = [term.partition(" ")[2] for term in condition.split(" and ") if term.startswith("in ")]
    if wanted and wanted != [zone(system.components[0])]:  # a zone that this type is never in: another type of the entry is
        assert any(zone(example(threat, other, condition).components[0]) in wanted for other in threat.types)
        return
    found = {(case.threat.id, case.element) for case in model(review_of(system)).cases}
    assert (threat.id, f"{type_}:app.py:{system.components[0].name}") in found


@pytest.mark.parametrize("threat", [one for one in catalogue() if one.when], ids=lambda one: one.id)
def test_a_threat_is_not_said_of_what_it_does_not_concern(threat: Threat) -> None:
    for type_ in threat.types:
        if type_ != FLOW and not any(term.startswith("in ") for condition in threat.when for term in condition.split(" and ")):
            alone = Component("x", type_, "x", "app.py", 1, {"kind": "script"})
            found = [case.threat.id for case in model(review_of(SystemMap((alone,)))).cases]
            assert threat.id not in found or type_ == "mcp-server"


@pytest.mark.parametrize("type_", [*COMPONENTS, FLOW])
def test_each_kind_of_part_has_all_letters_of_its_element(type_: str) -> None:
    found = {one.letter for one in catalogue() if type_ in one.types}
    assert found == set(elements()[ELEMENTS[type_]])


@pytest.mark.parametrize("threat", catalogue(), ids=lambda one: one.id)
def test_what_an_entry_names_exists(threat: Threat) -> None:
    assert threat.letter in LETTERS
    assert threat.letter in letters()
    assert set(threat.types) <= {*COMPONENTS, FLOW}
    assert set(threat.rules) <= set(builtin.rules())
    assert threat.severity.upper() in Severity.__members__
    assert threat.mitigated in ("", *EDGES)
    assert mappings(threat)
    assert {one.framework for one in mappings(threat)} >= {"cwe"}
    words = {"uses": EDGES, "used-by": EDGES, "with": COMPONENTS, "can": CAPABILITIES, "offers": CAPABILITIES, "in": tuple(zones())}
    for term in (term.strip() for condition in threat.when for term in condition.split(" and ")):
        word, _, rest = term.partition(" ")
        assert term in ("remote", "crosses network") or rest in words[word], term


@pytest.mark.parametrize("threat", catalogue(), ids=lambda one: one.id)
def test_an_entry_says_something(threat: Threat) -> None:
    assert threat.question.endswith("?")
    assert threat.question.partition(" ")[0] in {
        "What", "Which", "Who", "Whose", "Where", "How", "Can", "Is", "May", "Does", "From", "After", "Over", "Are", "Was", "With", "As",
    }  # fmt: skip
    assert len(threat.gains.split()) > 8
    assert len(threat.mitigation.split()) > 5
    assert not re.search(r"best practice|appropriate|properly|secure(ly)?\b|robust|ensure", f"{threat.mitigation} {threat.gains}")


def test_entries_are_different() -> None:
    for field in ("id", "title", "gains", "mitigation", "question"):
        values = [getattr(one, field) for one in catalogue()]
        assert len(set(values)) == len(values), field


@pytest.mark.parametrize(("type_", "zone_"), MADE_BY)
def test_who_runs_it(type_: str, zone_: str) -> None:
    api, name = MADE_BY[(type_, zone_)]
    assert zone(part(type_, name, api)) == zone_


@pytest.mark.parametrize(
    ("type_", "name", "api", "zone_"),
    [
        ("tool", "search", "app.tools.ExampleTool", "application"),  # Exa is not in Example
        ("tool", "search", "", "application"),
        ("vector-store", "Chroma", "langchain_chroma.Chroma", "data"),
        ("vector-store", "docs", "qdrant_client.QdrantClient", "data"),
        ("llm", "./models/mine", "transformers.AutoModelForCausalLM.from_pretrained", "application"),
        ("llm", "gpt-4o", "langchain_openai.AzureChatOpenAI", "model-provider"),
        ("llm", "openai/gpt-4o", "openai.OpenAI", "model-provider"),  # a router's name is no name on a hub
        ("embedding-model", "HuggingFaceEmbeddings", "langchain_huggingface.HuggingFaceEmbeddings", "application"),
    ],
)
def test_who_runs_what_looks_like_something_else(type_: str, name: str, api: str, zone_: str) -> None:
    assert zone(part(type_, name, api)) == zone_
