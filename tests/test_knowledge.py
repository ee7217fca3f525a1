"""Standards as data: each has its edition, each id a name."""

from __future__ import annotations

import pytest

from headwater.knowledge.load import FRAMEWORKS, editions, entries, entry, read


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_item_has_name_and_edition(framework: str) -> None:
    assert entries(framework)
    for id, item in entries(framework).items():
        assert item.id == id
        assert item.name.strip() == item.name != ""
        assert item.edition
        assert item.framework == framework
        assert item.url.startswith("https://")


@pytest.mark.parametrize(
    ("framework", "id", "edition", "name"),
    [
        ("owasp-llm", "LLM05:2025", "2025", "Improper Output Handling"),
        ("owasp-llm", "LLM10:2026", "2026", "Improper Output Handling"),
        ("owasp-agentic", "ASI05:2026", "2026", "Unexpected Code Execution (RCE)"),
        ("atlas", "AML.T0051", "5.6.0", "LLM Prompt Injection"),
        ("cwe", "1427", "4.20", "Improper Neutralization of Input Used for LLM Prompting"),
    ],
)
def test_known_items(framework: str, id: str, edition: str, name: str) -> None:
    found = entry(framework, id)
    assert (found.edition, found.name) == (edition, name)


def test_editions_are_told_apart() -> None:
    assert editions("owasp-llm") == ("2025", "2026")
    assert len(entries("owasp-llm")) == 20


@pytest.mark.parametrize(
    ("framework", "id"), [("owasp-llm", "LLM05"), ("cwe", "1428"), ("atlas", "AML.T9999"), ("owasp-agentic", "ASI11:2026")]
)
def test_invented_ids_are_refused(framework: str, id: str) -> None:
    with pytest.raises(KeyError, match=id):
        entry(framework, id)


def test_the_crosswalk_names_what_there_is() -> None:
    crosswalk = read("crosswalk.yaml")
    items = {
        "nist-ai-600-1": set(entries("nist-ai-600-1")),
        "iso-42001": set(entries("iso-42001")),
        "eu-ai-act-15": {row["id"] for row in read("extras.yaml")["eu_ai_act_article_15"]["paragraphs"]},
    }
    assert set(crosswalk) == {"source", *items}
    for framework, known in items.items():
        assert set(crosswalk[framework]) <= known
        for row in crosswalk[framework].values():
            assert set(row) in ({"from"}, {"shows"})
            assert all(entry(other, str(id)) for other, ids in row.get("from", {}).items() for id in ids)
