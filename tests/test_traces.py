"""Every trace begins at a source, ends at the operation, and is told in words."""

from __future__ import annotations

from pathlib import Path

import pytest

import headwater
from headwater.config import Config
from suites.suites import Suite, suites, together
from suites.traces import check

VULNERABLE = Path(__file__).parent.parent / "examples" / "vulnerable"


def test_the_vulnerable_example() -> None:
    assert check(headwater.review(VULNERABLE, Config(processes=1))) > 10


@pytest.mark.parametrize("suite", suites(), ids=lambda suite: suite.name)
def test_suite(suite: Suite, tmp_path: Path) -> None:
    """All cases in one tree, where many modules have the same name; each alone is checked in ``test_suites``."""
    assert check(headwater.review(together(suite.cases, tmp_path), Config(processes=1))) > 5


def _files(texts: dict[str, str], root: Path) -> None:
    for name, text in texts.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)


def test_the_way_in_is_shown(tmp_path: Path) -> None:
    """From the route, over the calls that hand the request on, to the place where it is read."""
    _files(
        {
            "app.py": "import subprocess\nfrom fastapi import FastAPI, Request\nfrom parse import middle\n\napp = FastAPI()\n\n\n"
            "@app.post('/a')\nasync def run(sent: Request):\n    subprocess.run(await middle(sent), shell=True)\n",
            "parse.py": "from fastapi import Request\n\n\nasync def middle(req: Request):\n    return await parse(req)\n\n\n"
            "async def parse(request: Request):\n    return (await request.json())['command']\n",
        },
        tmp_path,
    )
    (finding,) = headwater.review(tmp_path, Config(processes=1)).findings
    steps = finding.traces[0].steps
    assert [step.what for step in steps][:6] == [
        "the parameter sent of run()",
        "passed to middle()",
        "the parameter req of middle()",
        "passed to parse()",
        "the parameter request of parse()",
        "the body of the request",
    ]
    assert [step.role for step in steps] == ["step"] * 5 + ["source"] + ["step"] * (len(steps) - 7) + ["sink"]
    assert finding.traces[0].source is steps[5]


def test_a_wrong_call_shows_what_it_works_on(tmp_path: Path) -> None:
    text = (
        "import tarfile\n\n\ndef unpack(path, out):\n    with tarfile.open(path) as tar:\n        tar.extractall(out)\n\n\n"
        "def install(name):\n    unpack(name, '/srv')\n"
    )
    _files({"a.py": text, "tests/test_a.py": text}, tmp_path)
    first, second = headwater.review(tmp_path, Config(processes=1)).findings
    assert [step.what for step in first.traces[0].steps][:3] == [
        "the parameter name of install()",
        "passed to unpack()",
        "the parameter path of unpack()",
    ]
    assert (first.severity.word, second.severity.word, second.level.word) == ("medium", "low", "note")  # in a test it is a note


def test_what_a_variable_is_called_is_told_where_no_other_step_speaks_of_its_line(tmp_path: Path) -> None:
    text = (
        "const { exec } = require('child_process');\n"
        "module.exports.run = (req, res) => {\n"
        "  start(req.body);\n"
        "};\n"
        "function start(params) {\n"
        "  const { program: name } = params;\n"
        "  const words = [\n"
        "    'sudo',\n"
        "    name,\n"
        "  ];\n"
        "  exec(words.join(' '));\n"
        "}\n"
    )
    _files({"a.js": text}, tmp_path)
    (finding,) = headwater.review(tmp_path, Config(processes=1)).findings
    assert [step.what for step in finding.traces[0].steps] == [
        "the parameter req of run()",
        "the request",
        "passed to start()",
        "the parameter params of start()",
        "kept in name",
        "kept in words",
        "runs it in a shell",
    ]


def test_other_ways_of_the_same_data_are_shown(tmp_path: Path) -> None:
    """Two calls and two parts of what one of them gives: another reader is served by each; what only names another source is none."""
    text = (
        "import subprocess\nfrom flask import Flask, request\n\napp = Flask(__name__)\n\n\n"
        "@app.post('/a')\ndef run():\n    sent = request.get_json()\n    if sent.get('all'):\n        start('ls', sent['folder'])\n"
        "    else:\n        start(sent['program'], sent['folder'])\n\n\n"
        "def start(program, folder):\n    subprocess.run(f'{program} {folder}', shell=True)\n"
    )
    _files({"app.py": text}, tmp_path)
    review = headwater.review(tmp_path, Config(processes=1))
    (finding,) = review.findings
    source = review.sources["app.py"]
    calls = [
        [
            (source.position(step.place.start)[0], step.what)
            for step in trace.steps
            if step.what.startswith(("passed to", "the parameter")) and step.what != "runs it in a shell"
        ]
        for trace in finding.traces
    ]
    assert calls == [
        [(11, "passed to start()"), (16, "the parameter folder of start()")],
        [(13, "passed to start()"), (16, "the parameter program of start()")],
        [(13, "passed to start()"), (16, "the parameter folder of start()")],
    ]


def test_a_setting_that_is_wrong_has_no_way_to_it_and_what_is_loaded_has(tmp_path: Path) -> None:
    """Where the other arguments of a call come from says nothing of a switch that stands in its code."""
    _files(
        {
            "app.py": "import sys\n\nimport requests\nimport torch\n\n\ndef main(argv):\n"
            "    requests.post('https://api.example.com', data=argv[1], verify=False)\n"
            "    torch.load(argv[2], weights_only=False)\n\n\nmain(sys.argv)\n",
        },
        tmp_path,
    )
    found = {one.rule: one.traces for one in headwater.review(tmp_path, Config(processes=1)).findings}
    assert found["tls-verification-off"] == ()
    assert found["unsafe-model-loading"]
