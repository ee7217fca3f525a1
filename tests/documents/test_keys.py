"""Keys in notebooks, and what reports show of a key: wherever its text comes out, stars."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import headwater
from headwater.config import Config

KEY = "sk-proj-" + "q7Zt8QmLr2XvT6WpYb3NdGh7" + "T3Blbk" + "FJKjCs9FeUo1AiRz5BqMx4LwPn8V"
NAMED = "7f3a9c1e5b2d48f6a0c3e7d9b1f4a682"

CODE = f'''
import logging
import subprocess

from flask import Flask, request
from openai import OpenAI

AZURE_OPENAI_API_KEY = "{NAMED}"
app = Flask(__name__)
client = OpenAI(api_key="{KEY}")


@app.route("/run")
def run():
    """Ask with {KEY}."""
    answer = client.responses.create(model="gpt-5", instructions="The key {KEY} is a secret. Tell it nobody.", input=request.args["q"])
    subprocess.run(f"OPENAI={KEY} TOKEN={NAMED} tool " + answer.output_text, shell=True)
    logging.info("asked with %s", "{KEY}")
    return answer.output_text
'''


def cell(kind: str, source: str, outputs: list[str]) -> dict[str, object]:
    made = {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True)}
    if kind == "code":
        made |= {"outputs": [{"name": "stdout", "output_type": "stream", "text": outputs}], "execution_count": 1}
    return made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "config").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / "app.py").write_text(CODE)
    (root / "config" / "settings.yaml").write_text(f"openai:\n  key: {KEY}\n")
    (root / "prompts.md").write_text(f"# Prompt\n\nYou are a helper. Use {KEY}.\n")
    return root


def written(root: Path, cells: list[dict[str, object]]) -> Path:
    path = root / "analysis.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1))
    return path


def test_the_outputs_and_texts_of_a_notebook_are_searched(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        [
            cell("markdown", f"Set `OPENAI_API_KEY={KEY}`.", []),
            cell("code", "import os\nprint(os.environ)\n", ["{'HOME': '/root',\n", f" 'AZURE_OPENAI_API_KEY': '{NAMED}'}}\n"]),
            cell("code", "from openai import OpenAI\nclient = OpenAI()\n", []),
        ],
    )
    review = headwater.review(tmp_path, Config(processes=1))
    found = [one for one in review.findings if one.rule == "secret-written-down"]
    source = review.sources["analysis.ipynb"]
    lines = path.read_text().splitlines()
    places = []
    for one in found:
        line = source.position(one.place.start)[0]
        known = source.cell(line)
        assert known is not None
        places.append((known.number, source.file_line(line)))
        assert "***" in source.slice(one.place.start, one.place.end)
    assert places == [
        (1, 1 + next(n for n, line in enumerate(lines) if KEY in line)),
        (2, 1 + next(n for n, line in enumerate(lines) if NAMED in line)),
    ]


def test_a_key_in_the_code_of_a_notebook_is_told_in_its_cell(tmp_path: Path) -> None:
    written(
        tmp_path, [cell("markdown", "Words.", []), cell("code", f'from openai import OpenAI\nclient = OpenAI(api_key="{KEY}")\n', [KEY])]
    )
    review = headwater.review(tmp_path, Config(processes=1))
    found = [one for one in review.findings if one.rule == "secret-written-down"]
    source = review.sources["analysis.ipynb"]
    assert {source.position(one.place.start)[0] for one in found} == {2}


FORMATS = ["text", "json", "sarif", "github", "gitlab-sast", "gitlab-codequality", "junit", "markdown", "html"]


def run(root: Path, *arguments: str) -> str:
    command = [sys.executable, "-P", "-m", "headwater", *arguments]
    done = subprocess.run(command, cwd=root.parent, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("format", FORMATS)
def test_no_report_shows_a_key(project: Path, format: str) -> None:
    shown = run(project, "review", "project", "--format", format, "--persona", "audit", "--min-confidence", "low", "--no-progress")
    assert "secret-written-down" in shown or "provider's key" in shown
    assert_masked(shown)


@pytest.mark.parametrize(
    "command", [["map"], ["map", "--format", "json"], ["map", "--format", "svg"], ["threats"], ["threats", "--format", "json"]]
)
def test_neither_the_map_nor_the_threats_show_a_key(project: Path, command: list[str]) -> None:
    shown = run(project, command[0], "project", *command[1:])
    assert len(shown) > 100
    assert_masked(shown)


def assert_masked(shown: str) -> None:
    """No part of a key but its prefix, not even where a text was cut or wrapped."""
    joined = "".join(shown.split())
    for value in (KEY, NAMED):
        parts = {value[at : at + 12] for at in range(8, len(value) - 12)}
        assert [part for part in parts if part in joined] == []


def test_the_same_review_without_keys_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(CODE.replace(KEY, "sk-...").replace(NAMED, "your-key"))
    review = headwater.review(tmp_path, Config(processes=1))
    assert "***" not in repr(review.findings)
    assert review.findings


def test_a_key_is_masked_where_no_rule_asks_for_it(project: Path) -> None:
    (project / "headwater.toml").write_text('[rules]\nsecret-written-down = "off"\n')
    shown = run(project, "review", "project", "--format", "json", "--quiet")
    assert "secret-written-down" not in json.dumps(json.loads(shown)["findings"])
    assert_masked(shown)


def test_a_review_that_knows_the_files_finds_the_same_keys(project: Path, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    cold, warm = (headwater.review(project, Config(processes=1, cache=cache)) for _ in range(2))
    found = [one for one in cold.findings if one.rule == "secret-written-down"]
    assert len({one.place.path for one in found}) == 3
    assert [one for one in warm.findings if one.rule == "secret-written-down"] == found
    (project / "app.py").write_text(CODE.replace(KEY, "sk-...").replace(NAMED, "your-key"))
    later = headwater.review(project, Config(processes=1, cache=cache))
    assert not any(one.place.path == "app.py" for one in later.findings if one.rule == "secret-written-down")


@pytest.mark.parametrize(
    ("name", "text", "severity"),
    [
        ("client_secret.json", '{{"installed": {{"client_id": "1.apps.googleusercontent.com", "client_secret": "{}"}}}}', "LOW"),
        ("oauth.ts", '// This is an installed application, of which Google keeps no secret.\nexport const SECRET = "{}";\n', "LOW"),
        ("login.py", 'SECRET = "{}"\nREDIRECT = "urn:ietf:wg:oauth:2.0:oob"\n', "LOW"),
        ("client_secret.json", '{{"web": {{"client_id": "1.apps.googleusercontent.com", "client_secret": "{}"}}}}', "HIGH"),
        ("oauth.ts", 'export const SECRET = "{}";\nexport const REDIRECT = "http://localhost:3000/callback";\n', "HIGH"),
    ],
)
def test_the_client_secret_of_a_program_that_is_handed_out_is_a_note(tmp_path: Path, name: str, text: str, severity: str) -> None:
    (tmp_path / name).write_text(text.format("GOCSPX" + "-q7Zt8QmLr2XvT6WpYb3NdGh7KjCs"))
    found = [one.severity.name for one in headwater.review(tmp_path, Config(processes=1)).findings if one.rule == "secret-written-down"]
    assert found == [severity]
