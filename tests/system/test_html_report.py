"""The HTML report in a real browser, by the rules of axe: hostile and large repositories, both colour schemes, keyboard; the PDF."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
SYSTEM = ROOT / "build" / "system"
NODE = Path(os.environ.get("HEADWATER_SYSTEM_NODE", SYSTEM))
TOOLS = Path(os.environ.get("HEADWATER_SYSTEM_TOOLS", SYSTEM / "venv" / "bin"))
CHROMIUM = os.environ.get("HEADWATER_SYSTEM_CHROMIUM", "/usr/bin/chromium")
BYTES = 5_000_000
MILLISECONDS = 2_000

AGENT = """\
import os
import subprocess

from agents import Agent, Runner, function_tool
from fastapi import FastAPI
from openai import OpenAI

app = FastAPI()
client = OpenAI(api_key=os.environ["<script>window.ran=1</script>"])


@function_tool(name_override="<img src=x onerror=window.ran=1>")
def shell(command: str) -> str:
    # </code></pre><script>window.ran=1</script>
    return subprocess.run(command + "<svg onload=window.ran=1>", shell=True, capture_output=True, text=True).stdout


assistant = Agent(name="<script>window.ran=1</script>", instructions="</title><script>window.ran=1</script>", tools=[shell])


@app.post("/<iframe srcdoc='<script>parent.ran=1</script>'>")
async def ask(question: str) -> str:
    return str(await Runner.run(assistant, question))


@app.post("/run")
def run(code: str) -> str:
    return str(eval(code, {"\\"><img src=x onerror=window.ran=1>": "javascript:alert(1)"}))
"""


def report(folder: Path, target: Path, axe: bool = True) -> dict[str, Any]:
    """Reviews, opens the report, and gives what the browser saw."""
    command = [sys.executable, "-P", "-m", "headwater", "review", folder, "--format", "html", "--output", target]
    subprocess.run([*command, "--fail-on", "never", "--quiet", "--no-cache", "--persona", "audit"], check=True, timeout=600)
    done = subprocess.run(
        ["node", ROOT / "tests" / "system" / "browser.mjs", CHROMIUM, target],
        env={**os.environ, "HEADWATER_SYSTEM_NODE": str(NODE), "HEADWATER_SYSTEM_AXE": "on" if axe else "off"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def is_sound(seen: dict[str, Any]) -> None:
    assert seen["axe"] == []
    assert seen["requests"] == []
    assert seen["console"] == []
    assert seen["ran"] is False
    assert seen["noscript"] == {"pages": 7, "visible": 7}
    keyboard = seen["keyboard"]
    assert keyboard["skip"] == "skip"
    assert keyboard["heading"] == "System map"
    assert keyboard["theme"] == "dark"
    assert keyboard["count"].startswith("0 of ")
    assert keyboard["marked"] >= 1
    assert keyboard["row"] is True
    assert keyboard["without"] == keyboard["all"] - keyboard["worst"] < keyboard["all"]


def test_the_example(tmp_path: Path) -> None:
    is_sound(report(ROOT / "examples" / "vulnerable", tmp_path / "report.html"))


def test_nothing_of_a_hostile_repository_runs(tmp_path: Path) -> None:
    folder = tmp_path / "checkout" / "<script>window.ran=1<"  # with the name of the file: </script>
    folder.mkdir(parents=True)
    (folder / "script>.py").write_text(AGENT, encoding="utf-8")
    (folder / "' onfocus=window.ran=1 autofocus x='.py").write_text("import os\nos.system(input())\n(\n", encoding="utf-8")
    target = tmp_path / "report.html"
    is_sound(report(tmp_path / "checkout", target))
    assert target.read_text(encoding="utf-8").count("&lt;script&gt;window.ran=1&lt;/script&gt;") > 10


def test_a_large_application_opens_at_once(tmp_path: Path) -> None:
    """Some 300 components and 200 findings; the largest application of the benchmark of maps has 170 and 9."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for number in range(100):
        tool = f"@tool\ndef tool{number}(command: str) -> str:\n    '''Runs.'''\n    return os.popen(command).read()\n"
        route = f"@app.post('/r{number}')\ndef route{number}(code: str):\n    eval(code)\n    return ask{number}(code)\n"
        call = (
            f"def ask{number}(text):\n    key = os.environ['KEY_{number}']\n    return client.responses.create(model='gpt-5', input=text)\n"
        )
        head = "import os\nfrom fastapi import FastAPI\nfrom langchain_core.tools import tool\nfrom openai import OpenAI\n"
        (folder / f"part{number}.py").write_text(
            f"{head}\napp = FastAPI()\nclient = OpenAI()\n\n\n{call}\n\n{tool}\n\n{route}", encoding="utf-8"
        )
    target = tmp_path / "report.html"
    seen = report(folder, target, axe=False)  # the pages are made of the same parts as those above
    is_sound(seen)
    assert seen["keyboard"]["all"] >= 200
    assert target.stat().st_size < BYTES
    assert seen["milliseconds"] < MILLISECONDS


@pytest.mark.parametrize("example", ["vulnerable", "fixed"])
def test_the_pdf_is_the_same_in_every_run(example: str, tmp_path: Path) -> None:
    """WeasyPrint and pypdf have an environment of their own; Headwater and what it needs is lent to it."""
    path = os.pathsep.join([str(ROOT / "src"), *site.getsitepackages(), *filter(None, [os.environ.get("PYTHONPATH")])])
    files = []
    for seed in "12":
        files.append(tmp_path / f"{seed}.pdf")
        command = [TOOLS / "python", "-P", "-m", "headwater", "review", f"examples/{example}", "--no-cache", "--quiet"]
        arguments = ["--fail-on", "never", "--format", "pdf", "--output", files[-1]]
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed}
        subprocess.run([*command, *arguments], check=True, cwd=ROOT, env=environment, timeout=600)
    assert files[0].read_bytes() == files[1].read_bytes()
    code = "import sys, pypdf; print(*(page.extract_text() for page in pypdf.PdfReader(sys.argv[1]).pages))"
    text = subprocess.run([TOOLS / "python", "-c", code, files[0]], capture_output=True, text=True, check=True).stdout
    words = " ".join(text.split())
    for part in ("What this system is", "Threat model", "OWASP Top 10 for LLM Applications 2026", "Checklist"):
        assert part in words
    assert ("Remote input is compiled as a template" in words) == (example == "vulnerable")
    assert "run commands on the machine" in words or example == "fixed"
