"""The JSON report: its schema is a promise (docs/json.md)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headwater.config import Config
from headwater.findings import Review
from headwater.reports import json_v1
from headwater.reports.view import View, view
from headwater.rules.load import Rule

DOCS = Path(__file__).parent.parent.parent / "docs" / "json.md"
Show = Callable[[Config], View]


def document(show: Show, config: Config | None = None) -> Any:
    return json.loads(json_v1.render(show(config or Config())))


def test_names_its_schema(show: Show) -> None:
    report = document(show)
    assert (report["schema"], report["version"]) == ("headwater-review", 1)
    assert report["tool"] == {"name": "headwater", "version": "0.0.0"}


def test_a_finding_is_whole(show: Show, review: Review) -> None:
    finding = document(show)["findings"][0]
    assert (finding["level"], finding["severity"], finding["confidence"]) == ("error", "critical", "high")
    assert finding["identity"] == {
        "headwater/v1": review.findings[1].identity,
        "headwater-moved/v1": review.findings[1].moved_identity,
    }
    assert finding["place"] == {
        "path": "app/agent 1.py",
        "start": {"line": 7, "column": 23},
        "end": {"line": 7, "column": 55},
        "code": '\t\tprint("🌊 波", code); exec(code, {"__builtins__": {}})',
    }
    assert [step["role"] for step in finding["traces"][0]["steps"]] == ["source", "step", "step", "sink"]
    assert {mapping["id"] for mapping in finding["mappings"]} == {"LLM05:2025", "LLM10:2026", "ASI05:2026", "AML.T0050", "95", "1426"}


def test_gate_and_coverage(show: Show) -> None:
    report = document(show, Config(persona="audit"))
    assert report["gate"] == {"fail_on": "high", "failed": True, "counted": 2}
    assert report["selection"] == {"persona": "audit", "min_confidence": "low", "shown": 3, "hidden": 0, "suppressed": 0}
    assert report["coverage"]["status"] == "partial"
    assert report["coverage"]["gaps"][0] == {"kind": "binary", "path": "logo.py", "line": 0, "reason": "holds NUL bytes", "partial": False}


def test_says_nothing_of_the_machine(show: Show) -> None:
    data = json_v1.render(show(Config())).decode()
    assert "/somewhere/else" not in data
    assert data.endswith("}\n")


def test_hidden_characters_are_escaped_and_kept(show: Show) -> None:
    data = json_v1.render(show(Config())).decode()
    assert "\x1b" not in data
    assert "\u202e" not in data
    assert "\x1b[31mred\u202e" in json.loads(data)["findings"][1]["message"]


def test_bytes_that_are_no_text_do_no_harm(review: Review, rules: dict[str, Rule]) -> None:
    strange = msgspec.structs.replace(review.findings[0], expression="a\udcff", message="\udcff")
    shown = view(msgspec.structs.replace(review, findings=(strange,)), Config(), rules, "0")
    assert json.loads(json_v1.render(shown))["findings"][0]["expression"] == r"a\udcff"


def test_every_key_is_documented(show: Show) -> None:
    text = DOCS.read_text(encoding="utf-8")

    def keys(value: Any, at: str = "") -> set[str]:
        if isinstance(value, list):
            return {key for item in value for key in keys(item, at)}
        if isinstance(value, dict) and at not in ("by_language", "counts"):
            return set(value) | {key for name, item in value.items() for key in keys(item, name)}
        return set()

    assert {key for key in keys(document(show)) if f"`{key}`" not in text} == set()


@pytest.mark.parametrize("format", ["json_v1", "sarif"])
def test_same_review_same_bytes(format: str) -> None:
    """Over hash seeds, in processes of their own."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import conftest as c, importlib, hashlib\n"
        "from headwater.config import Config; from headwater.reports.view import view\n"
        "plain = lambda f: getattr(f, '__wrapped__', None) or f.__pytest_wrapped__.obj\n"
        "rules = plain(c.rules)(); review = plain(c.review)(rules)\n"
        f"module = importlib.import_module('headwater.reports.{format}')\n"
        "print(hashlib.sha256(module.render(view(review, Config(), rules, '0'))).hexdigest())"
    )
    folder = str(Path(__file__).parent)
    seen = {
        subprocess.run(
            [sys.executable, "-c", code, folder], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(seen) == 1
