"""Probes are chosen by what the system has, and what they cannot do without is known before they run."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.components import Ability, Component, Spot, SystemMap
from headwater.config import Config
from headwater.findings import Coverage, Review
from headwater.pipeline import review
from headwater.redteam.plan import Choice, choose, facts, lacking, named
from headwater.redteam.probes import table

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def system(*parts: Component) -> Review:
    return Review("/nowhere", (), Coverage(1, 1, 1, {}, (), {}), {}, system=SystemMap(parts))


def part(type: str, *can: str, **detail: str) -> Component:
    return Component(f"{type}:a.py:1", type, "it", "a.py", 1, detail, tuple(Ability(one, Spot("a.py", 2)) for one in can))


def probes(tool: str, found: Review) -> set[str]:
    return {one.probe for one in choose(tool, facts(found))}


def test_a_system_without_a_model_calls_for_nothing() -> None:
    assert probes("garak", system(part("server"), part("vector-store"))) == {
        "latentinjection.LatentInjectionReport",
        "latentinjection.LatentInjectionResume",
        "latentinjection.LatentWhois",
    }
    assert probes("garak", system()) == probes("pyrit", system()) == set()


@pytest.mark.parametrize(
    ("parts", "tool", "there"),
    [
        ([part("llm")], "garak", "promptinject.HijackHateHumans"),
        ([part("agent")], "garak", "agent_breaker.AgentBreaker"),
        ([part("retriever")], "garak", "latentinjection.LatentWhois"),
        ([part("secret")], "garak", "apikey.GetKey"),
        ([part("tool", "executes-code")], "garak", "packagehallucination.Python"),
        ([part("tool", "executes-code")], "pyrit", "headwater.code"),
        ([part("entry-point", kind="route")], "garak", "web_injection.TaskXSS"),
        ([part("entry-point", kind="route")], "pyrit", "WebInjection"),
        ([part("model-file")], "garak", "leakreplay.LiteratureCloze"),
        ([part("llm-call")], "pyrit", "headwater.system-prompt"),
    ],
)
def test_parts_call_for_probes(parts: list[Component], tool: str, there: str) -> None:
    assert there in probes(tool, system(*parts))
    assert there not in probes(tool, system(part("guard")))


def test_the_plan_of_the_example_names_what_it_goes_by() -> None:
    found = review(EXAMPLES / "vulnerable", Config(processes=1))
    chosen = {one.probe: one for one in choose("garak", facts(found))}
    sql = chosen["exploitation.SQLInjectionEcho"]
    assert sql.because == ("sink:sql (llm-output-to-sql, examples/vulnerable/supportdesk/store.py:32)",)
    assert {one.probe for one in choose("pyrit", facts(found))} >= {"headwater.sql", "headwater.shell", "headwater.code", "headwater.url"}
    # A repaired application has no such findings: its model is asked what models are asked, and no more.
    fixed = review(EXAMPLES / "fixed", Config(processes=1))
    assert not {"headwater.sql", "headwater.shell", "headwater.code"} & {one.probe for one in choose("pyrit", facts(fixed))}


def test_probes_that_the_user_names() -> None:
    assert [one.probe for one in named("garak", ["dan.Dan_11_0"])] == ["dan.Dan_11_0"]
    assert [one.probe for one in named("garak", ["apikey"])] == ["apikey.CompleteKey", "apikey.GetKey"]
    assert [one.kind for one in named("garak", ["of_tomorrow.Probe"])] == [""]
    assert named("pyrit", ["WebInjection.task_xss"])[0] == Choice("WebInjection", "task_xss", "output-html", ("named by you",))
    assert named("pyrit", ["headwater.sql"])[0].technique == "SQLInjectionOutputScorer"


def test_what_a_probe_cannot_do_without() -> None:
    def lacks(needs: tuple[str, ...], **have: bool) -> int:
        return len(lacking(Choice("p", "", "", (), needs), **{"online": False, "role": False, "prompt": False, **have}))

    assert lacks(()) == 0
    assert (lacks(("data",)), lacks(("data",), online=True)) == (1, 0)
    assert (lacks(("data", "role"), online=True), lacks(("data", "role"), online=True, role=True)) == (1, 0)
    assert (lacks(("prompt",)), lacks(("prompt",), prompt=True)) == (1, 0)
    assert lacks(("attacker", "judge"), online=True, role=True, prompt=True) == 2


def test_scenarios_that_are_run_are_ones_that_the_job_can_run() -> None:
    from headwater.redteam.scripts.pyrit_job import SCENARIOS

    run = {
        name.partition(".")[0] for name, probe in table().tools["pyrit"].probes.items() if probe.run and not name.startswith("headwater.")
    }
    assert run == set(SCENARIOS)
