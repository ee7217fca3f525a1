"""``benchmarks/maps.py``: the lists under ``tests/maps`` are sound, and a map is scored against one as its page says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import maps  # noqa: E402

LISTS = sorted((ROOT / "tests" / "maps").glob("*.yaml"))

TRUTH = """
repository: https://example.org/app
commit: 0000000
subset: ["app/**"]
components:
  app/main.py:
    ask: [entry-point, ask, 20]
    call: [llm-call, ask, 25]
    call.again: [llm-call, ask, 60]
    gpt: [llm, gpt-4o, 10]
    prompt: [prompt, SYSTEM, 3, {or: [24, "app/texts.py:1"]}]
    part: [prompt, PART, 5, {optional: true}]
    key: [secret, OPENAI_API_KEY, 9]
    search: [tool, search, 40, {capabilities: [network-out, reads-secrets]}]
    approve: [guard, approve, 50, {optional: true}]
edges:
  calls:
    ask: [call, call.again | search]
    call: [gpt]
  fills-slot:
    prompt: [call]
  offers-tool:
    call | gpt: [search]
optional-edges:
  calls:
    call.again: [gpt]
"""

DRAWN = [
    ("e", "entry-point", "ask", 19),  # at the decorator
    ("c", "llm-call", "ask", 33),  # the name is that of two calls, so the line must do, and it is too far
    ("c2", "llm-call", "answer", 62),
    ("m", "llm", "ChatOpenAI", 13),
    ("m2", "llm", "ChatOpenAI", 11),  # nearer, so this is the one
    ("k", "secret", "OPENAI_ORG_KEY", 9),  # another name is another secret
    ("t", "tool", "search", 99),  # known by its name
    ("o", "prompt", "PART", 5),  # near to one that is told elsewhere, and optional
    ("g", "guard", "approve", 50),
]


def document(*more: dict[str, Any]) -> dict[str, Any]:
    components = [{"id": i, "type": t, "name": n, "file": "app/main.py", "line": line, "capabilities": []} for i, t, n, line in DRAWN]
    components.append({"id": "p", "type": "prompt", "name": "text", "file": "app/texts.py", "line": 2})
    components.append({"id": "x", "type": "tool", "name": "aside", "file": "scripts/aside.py", "line": 1})
    next(item for item in components if item["id"] == "t")["capabilities"] = ["network-out", "executes-code"]
    edges = [
        ("e", "c2", "calls"),
        ("e", "m2", "calls"),  # nobody told so
        ("c2", "m2", "calls"),  # optional
        ("m2", "t", "offers-tool"),  # the other way to say it
        ("c", "m2", "calls"),  # an end that is spurious itself
        ("g", "t", "guards"),  # of an optional component
        ("x", "t", "calls"),  # out of the subset
    ]
    return {"components": components, "edges": [{"from": a, "to": b, "kind": kind} for a, b, kind in edges]}


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    path = tmp_path / "truth" / "app.yaml"
    path.parent.mkdir()
    path.write_text(TRUTH)
    return path


def test_a_map_is_scored(truth: Path) -> None:
    scores = maps.score(maps.load(truth), document())
    components, edges, capabilities = scores["components"], scores["edges"], scores["capabilities"]
    assert sorted(words for _, words in components.found) == [
        "entry-point ask app/main.py:20",
        "llm gpt-4o app/main.py:10",
        "llm-call ask app/main.py:60",
        "prompt SYSTEM app/main.py:3",
        "tool search app/main.py:40",
    ]
    assert [words for _, words in components.missed] == ["llm-call ask app/main.py:25", "secret OPENAI_API_KEY app/main.py:9"]
    assert sorted(words for _, words in components.spurious) == [
        "llm ChatOpenAI app/main.py:13",
        "llm-call ask app/main.py:33",
        "secret OPENAI_ORG_KEY app/main.py:9",
    ]
    assert maps.rates(components) == (5 / 7, 5 / 8)
    assert [words for _, words in edges.found] == [
        "entry-point ask app/main.py:20 --calls-> llm-call ask app/main.py:60",
        "llm-call ask app/main.py:25 --offers-tool-> tool search app/main.py:40",
    ]
    assert len(edges.missed) == 3
    assert sorted(words for _, words in edges.spurious) == [
        "entry-point ask app/main.py:20 --calls-> llm gpt-4o app/main.py:10",
        "llm-call ask app/main.py:33 --calls-> llm ChatOpenAI app/main.py:11",
    ]
    assert [[name for name, _ in part] for part in capabilities] == [["network-out"], ["reads-secrets"], ["executes-code"]]


def test_the_script_tells_rates_and_what_is_wrong(truth: Path, tmp_path: Path) -> None:
    (tmp_path / "app.json").write_text(json.dumps(document()))
    command = [sys.executable, str(ROOT / "benchmarks" / "maps.py"), str(tmp_path), "--truth", str(truth.parent), "--maps", str(tmp_path)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "  llm-call                   2      1         1    50.0%      50.0%\n" in out
    assert "  all                        7      5         3    71.4%      62.5%\n" in out
    assert "missed: component secret OPENAI_API_KEY app/main.py:9\n" in out
    assert "spurious: edge entry-point ask app/main.py:20 --calls-> llm gpt-4o app/main.py:10\n" in out
    assert "missed" not in subprocess.run([*command, "--quiet"], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    ("wrong", "right", "words"),
    [
        ("    call: [gpt]", "    call: [gtp]", "no such component: gtp"),
        ("  fills-slot:", "  calls:", "stands twice: calls"),
        ("[llm, gpt-4o", "[lmm, gpt-4o", "lmm"),
        ("    call | gpt: [search]", "    approve | gpt: [search]", "optional"),
        ("    call.again: [gpt]", "    call: [gpt]", "both required and optional"),
        ("ask: [call, call.again | search]", "ask: [call, call]", "told twice"),
    ],
)
def test_a_list_with_a_mistake_is_refused(truth: Path, wrong: str, right: str, words: str) -> None:
    assert wrong in TRUTH
    truth.write_text(TRUTH.replace(wrong, right))
    with pytest.raises(maps.ListError, match=words):
        maps.load(truth)


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_a_list_is_sound(path: Path) -> None:
    truth = maps.load(path)
    outside = [str(item) for item in truth.components.values() if not truth.holds(item.file)]
    assert not outside
    places = [(item.type, item.file, item.line, item.name) for item in truth.components.values()]
    assert len(places) == len(set(places))
    # A component that nothing is joined to was most likely forgotten when the edges were written.
    ends = {end for same in truth.edges for edge in same for end in edge[:2]} | {end for edge in truth.optional for end in edge[:2]}
    alone = {
        key for key, item in truth.components.items() if item.type in {"llm", "llm-call", "agent", "retriever", "embedding-model"}
    } - ends
    assert not {key for key in alone if not truth.components[key].optional}
