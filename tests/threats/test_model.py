"""The threat model of code: zones, flows, who can start what, the state of each threat and its evidence."""

from __future__ import annotations

import msgspec

from headwater.components import Component, Edge, Spot, SystemMap
from headwater.findings import Review
from headwater.threats.model import Case, ThreatModel, loose, model


def cases(made: ThreatModel, threat: str) -> list[Case]:
    return [one for one in made.cases if one.threat.id == threat]


def altered(review: Review, components: tuple[Component, ...] = (), edges: tuple[Edge, ...] = ()) -> ThreatModel:
    """The model of a review with more in its map."""
    system = SystemMap((*review.system.components, *components), (*review.system.edges, *edges))
    return model(msgspec.structs.replace(review, system=system))


def test_a_finding_shows_a_threat_with_its_place(small: Review) -> None:
    (found,) = cases(model(small), "tool-runs-commands")
    assert found.state == "finding"
    assert found.severity == "critical"
    assert found.findings == (("tool-args-to-shell", small.findings[0].identity),)
    assert found.evidence == (Spot("app.py", 14), Spot("app.py", 16))  # the tool, and the call in it
    assert {(one.framework, one.id) for one in found.mappings} >= {("cwe", "78"), ("owasp-llm", "LLM06:2025"), ("owasp-mcp", "MCP05:2025")}


def test_what_code_cannot_tell_is_a_question(small: Review) -> None:
    (found,) = cases(model(small), "approval-missing")
    assert (found.state, found.element, found.findings, found.answer) == ("question", "agent:app.py:agent", (), "")


def test_a_guard_before_the_agent_answers_it(small: Review) -> None:
    guard = Component("guard:1", "guard", "ask_a_person", "app.py", 30)
    agent = next(one.id for one in small.system.components if one.type == "agent")
    (found,) = cases(altered(small, (guard,), (Edge("guard:1", agent, "guards", "app.py", 31),)), "approval-missing")
    assert (found.state, found.answer) == ("mitigated", "ask_a_person")
    assert Spot("app.py", 31) in found.evidence


def test_a_guard_before_each_acting_tool_answers_it_and_before_one_of_two_not(small: Review) -> None:
    tool = next(one for one in small.system.components if one.type == "tool")
    agent = next(one.id for one in small.system.components if one.type == "agent")
    guard = Component("guard:1", "guard", "ask_a_person", "app.py", 30)
    before_run = Edge("guard:1", tool.id, "guards", "app.py", 31)
    assert cases(altered(small, (guard,), (before_run,)), "approval-missing")[0].state == "mitigated"
    other = msgspec.structs.replace(tool, id="tool:2", name="rm", line=40)
    offered = Edge(agent, "tool:2", "offers-tool", "app.py", 41)
    assert cases(altered(small, (guard, other), (before_run, offered)), "approval-missing")[0].state == "question"
    harmless = msgspec.structs.replace(tool, id="tool:2", name="clock", line=40, abilities=())
    assert cases(altered(small, (guard, harmless), (before_run, offered)), "approval-missing")[0].state == "mitigated"


def test_zones_and_what_crosses_them(small: Review) -> None:
    made = model(small)
    assert made.zones == {
        "secret:app.py:OPENAI_API_KEY": "data",
        "tool:app.py:run": "application",
        "llm:app.py:gpt-4o": "model-provider",
        "agent:app.py:agent": "application",
        "prompt:app.py:agent": "application",
        "server:app.py:app": "application",
        "entry-point:app.py:chat": "application",
    }
    crossing = {(one.source, one.target, one.crosses) for one in made.flows if one.crosses}
    assert crossing == {
        ("actor:callers", "entry-point:app.py:chat", "outside -> application"),
        ("agent:app.py:agent", "llm:app.py:gpt-4o", "application -> model-provider"),
    }
    assert [bool(one.crosses) for one in made.flows] == sorted((bool(one.crosses) for one in made.flows), reverse=True)
    boundaries = {one.element for one in cases(made, "flow-read")}
    assert boundaries == {"application / model-provider", "application / outside"}


def test_data_comes_out_of_what_is_searched() -> None:
    store = Component("s", "vector-store", "docs", "app.py", 1, {"api": "pinecone.Pinecone().Index"})
    call = Component("c", "llm-call", "ask", "app.py", 2)
    system = SystemMap((store, call), (Edge("c", "s", "retrieves-from", "app.py", 2),))
    from threats.test_catalogue import review_of

    (flow,) = model(review_of(system)).flows
    assert (flow.source, flow.target, flow.crosses) == ("vector-store:app.py:docs", "llm-call:app.py:ask", "hosted-data -> application")


def test_who_starts_a_script_is_no_stranger() -> None:
    from threats.test_catalogue import review_of

    script = Component("e", "entry-point", "__main__", "app.py", 1, {"kind": "script"})
    made = model(review_of(SystemMap((script,))))
    assert [one.id for one in made.actors] == ["actor:operators"]
    assert [one.crosses for one in made.flows] == [""]
    assert made.cases == ()


def test_findings_of_no_part_are_not_lost(small: Review) -> None:
    without = msgspec.structs.replace(small, system=SystemMap())
    assert loose(model(small), small) == []
    assert [one.rule for one in loose(model(without), without)] == ["tool-args-to-shell"]


def test_a_suppressed_finding_shows_nothing(small: Review) -> None:
    from headwater.findings import Suppression

    accepted = msgspec.structs.replace(small.findings[0], suppression=Suppression("app.py", 1, "tool-args-to-shell", "used", "agreed"))
    made = model(msgspec.structs.replace(small, findings=(accepted,)))
    assert cases(made, "tool-runs-commands")[0].state == "question"
