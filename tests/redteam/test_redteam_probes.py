"""The table of probes: its words are words that exist, and what it would send does no harm."""

from __future__ import annotations

import re

import pytest

from headwater.apis.schema import CAPABILITIES, COMPONENTS, SINK_CLASSES
from headwater.redteam import probes
from headwater.redteam.plan import NEEDS

TABLE = probes.table()
ENTRIES = [(tool, name, probe) for tool, one in TABLE.tools.items() for name, probe in one.probes.items()]
# What ``python -m garak --list_probes`` of 0.17.1 lists.
GARAK = {
    "adaptive_attacks", "agent_breaker", "ansiescape", "apikey", "atkgen", "audio", "av_spam_scanning", "badchars", "continuation",
    "dan", "divergence", "doctor", "donotanswer", "dra", "encoding", "exploitation", "fileformats", "fitd", "glitch", "goat",
    "goodside", "grandma", "latentinjection", "leakreplay", "lmrc", "malwaregen", "misleading", "packagehallucination", "phrasing",
    "promptinject", "propile", "realtoxicityprompts", "sata", "smuggling", "snowball", "suffix", "sysprompt_extraction", "tap",
    "test", "topic", "visual_jailbreak", "web_injection",
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE.kinds)
def test_places_in_standards_exist_in_both_editions(name: str) -> None:
    kind = TABLE.kinds[name]
    editions = {one.edition for one in kind.mappings if one.framework == "owasp-llm"}  # an id that does not exist raises
    assert editions in (set(), {"2025", "2026"})
    assert kind.mappings or name in ("none", "output-ldap")
    assert set(kind.sinks) <= set(SINK_CLASSES)


@pytest.mark.parametrize(("tool", "name", "probe"), ENTRIES)
def test_entries_use_words_that_exist(tool: str, name: str, probe: probes.Probe) -> None:
    assert probe.kind in TABLE.kinds
    assert set(probe.sinks) <= set(SINK_CLASSES)
    assert set(probe.needs) <= set(NEEDS)
    assert bool(probe.when) == bool(probe.run), "what is never run has no reason to be, and the other way about"
    for word in probe.when:
        kind, _, rest = word.partition(":")
        assert (
            word == "model"
            or (kind == "sink" and rest in SINK_CLASSES)
            or (kind == "entry" and rest in ("route", "ui", "script"))
            or word in COMPONENTS
            or word in CAPABILITIES
        ), word


def test_every_kind_is_used() -> None:
    used = {probe.kind for _, _, probe in ENTRIES} | {one.kind for tool in TABLE.tools.values() for one in tool.detectors.values()}
    assert set(TABLE.kinds) - used == set()


def test_every_module_of_garak_is_known() -> None:
    assert {name.partition(".")[0] for name in TABLE.tools["garak"].probes} == GARAK


@pytest.mark.parametrize(
    ("tool", "probe", "detector", "kind", "sinks"),
    [
        ("garak", "exploitation.SQLInjectionEcho", "exploitation.SQLiEcho", "output-sql", ("sql",)),
        ("garak", "exploitation.SomethingNew", "exploitation.New", "output-code", ("code", "sandboxed-code")),
        ("garak", "exploitationally.Named", "any", "", ()),
        ("garak", "of_tomorrow.Probe", "of_tomorrow.Detector", "", ()),
        # The scorer tells what a plain attack of PyRIT looked for.
        ("pyrit", "PromptSendingAttack", "XSSOutputScorer", "output-html", ("html",)),
        ("pyrit", "PromptSendingAttack", "SubStringScorer", "none", ()),
        ("pyrit", "OfTomorrowAttack", "ShellCommandOutputScorer", "output-shell", ("shell",)),
        ("pyrit", "WebInjection.task_xss", "XSSOutputScorer", "output-html", ("html",)),
        ("promptfoo", "harmful:cybercrime:malicious-code", "promptfoo:redteam:harmful", "malware", ()),
        ("promptfoo", "harmful:hate/jailbreak", "promptfoo:redteam:harmful", "harmful-content", ()),
        ("promptfoo", "test", "equals", "", ()),
    ],
)
def test_the_longest_name_tells(tool: str, probe: str, detector: str, kind: str, sinks: tuple[str, ...]) -> None:
    found = probes.about(tool, probe, detector)
    assert (found.kind, found.sinks) == (kind, sinks)


def test_detectors_that_look_for_words_are_said_to() -> None:
    for detector in ("mitigation.MitigationBypass", "dan.DAN", "promptinject.AttackRogueString"):
        assert "refus" in probes.about("garak", "dan.Dan_11_0", detector).worth
    assert "model judges" in probes.about("pyrit", "Cyber", "SelfAskTrueFalseScorer").worth
    assert probes.about("garak", "ansiescape.AnsiRaw", "ansiescape.Raw").worth == ""


def test_own_attacks_are_whole_and_harmless() -> None:
    attacks = TABLE.attacks
    own = {name.removeprefix("headwater.") for name in TABLE.tools["pyrit"].probes if name.startswith("headwater.")}
    assert own == set(attacks.payloads) | {"system-prompt"}
    for name, pattern in attacks.patterns.items():
        assert all(re.search(pattern, payload) for payload in attacks.payloads[name])
    for request in attacks.requests:
        assert "{payload}" in request
    for payloads in attacks.payloads.values():
        for payload in payloads:
            # Addresses are this machine's port for discarding, or of names that never resolve.
            for host in re.findall(r"(?:https?:|=)//([^/\s]+)", payload):
                assert host in ("127.0.0.1:9", "localhost:9", "headwater.invalid", "example.com@headwater.invalid")
            assert not re.search(r"\b(rm|drop|delete|truncate|insert|update|mkfs|dd|chmod|>)\b", payload, re.IGNORECASE)
