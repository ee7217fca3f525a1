"""How the tools are started: their commands, what they are given, what becomes of one that fails. They themselves run in `make redteam`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from headwater.redteam import environments, run
from headwater.redteam.bridge import MODEL, UNANSWERED
from headwater.redteam.plan import Choice


@pytest.fixture
def settings(tmp_path: Path) -> run.Settings:
    (tmp_path / "out").mkdir()
    return run.Settings(Path("/env/bin/python"), tmp_path / "out", tmp_path / "home", prompts=8, timeout=5, system_prompt="Be kind.")


def test_garak_runs_once_for_each_probe(settings: run.Settings, tmp_path: Path) -> None:
    choices = [Choice("dan.Dan_11_0", "", "", ()), Choice("dan.Dan_11_0", "", "", ()), Choice("web_injection.TaskXSS", "", "", ())]
    steps = list(run.garak(choices, "http://127.0.0.1:1/v1", "k", settings, tmp_path))
    assert [one.probe for one in steps] == ["dan.Dan_11_0", "web_injection.TaskXSS"]
    command = steps[0].command
    assert command[:4] == ("/env/bin/python", "-I", "-m", "garak")
    given = dict(zip(command[4::2], command[5::2], strict=False))
    assert given["--spec"] == "probes.dan.Dan_11_0"
    assert given["--report_prefix"] + ".report.jsonl" == str(steps[0].report)
    target = json.loads(Path(given["--generator_option_file"]).read_text())["rest"]["RestGenerator"]
    assert target["uri"] == "http://127.0.0.1:1/v1/chat/completions"
    assert target["headers"]["Authorization"] == "Bearer k"
    assert target["req_template_json_object"] == {"model": MODEL, "messages": [{"role": "user", "content": "$INPUT"}]}
    # Without it, Garak would ask again and again what is not answered.
    assert target["skip_codes"] == [UNANSWERED]
    assert json.loads(Path(given["--config"]).read_text()) == {"run": {"soft_probe_prompt_cap": 8}}
    assert "k" not in command


def test_pyrit_runs_once_for_each_attack(settings: run.Settings, tmp_path: Path) -> None:
    choices = [
        Choice("WebInjection", "task_xss", "", ()),
        Choice("headwater.code", "RegexScorer", "", ()),
        Choice("headwater.system-prompt", "SystemPromptExtractionScorer", "", ()),
    ]
    stale = settings.output / "pyrit-WebInjection.task_xss.db"
    stale.write_text("of an earlier run")
    steps = list(run.pyrit(choices, "http://127.0.0.1:1/v1", "k", settings, tmp_path))
    assert [one.probe for one in steps] == ["WebInjection.task_xss", "headwater.code", "headwater.system-prompt"]
    assert not stale.exists()
    scenario, code, prompt = (json.loads(Path(one.command[3]).read_text()) for one in steps)
    assert (scenario["scenario"], scenario["technique"], scenario["prompts"]) == ("WebInjection", "task_xss", 8)
    assert scenario["database"] == str(steps[0].report)
    assert (code["label"], code["scorer"]) == ("headwater.code", "RegexScorer")
    assert code["pattern"]
    assert all("getpid" in text or "subclasses" in text for text in code["texts"])
    assert (prompt["known"], bool(prompt["texts"])) == ("Be kind.", True)
    script = Path(steps[0].command[2]).read_text()
    assert "import headwater" not in script
    assert "from headwater" not in script


def test_a_tool_is_given_no_keys_and_no_home(settings: run.Settings) -> None:
    given = {
        "PATH": "/bin",
        "OPENAI_API_KEY": "secret",
        "HOME": "/root",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "PYTHONPATH": "/x",
        "LANG": "C",
    }
    found = run.surroundings(settings, given)
    assert "secret" not in found.values()
    assert (found["PATH"], found["LANG"], found["HOME"]) == ("/bin", "C", str(settings.home))
    assert found["XDG_CONFIG_HOME"].startswith(str(settings.home))
    assert "PYTHONPATH" not in found
    assert found["HF_HUB_OFFLINE"] == "1"
    online = run.Settings(settings.python, settings.output, settings.home, online=True)
    assert "HF_HUB_OFFLINE" not in run.surroundings(online, given)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("print('fine')", ""),
        ("import sys; sys.exit('Traceback: broken')", "status 1: Traceback: broken"),
        ("print('words'); print('+-----+'); raise SystemExit(2)", "status 2: words"),
        ("import time; time.sleep(60)", "did not end within"),
    ],
)
def test_what_became_of_a_step(settings: run.Settings, code: str, told: str) -> None:
    step = run.Step("p", (sys.executable, "-c", code), settings.output / "r", settings.output / "log")
    short = run.Settings(settings.python, settings.output, settings.home, timeout=3)
    problem = run._run(step, short)
    assert told in problem
    assert bool(problem) == bool(told)


def test_a_step_that_cannot_start_is_said(settings: run.Settings) -> None:
    step = run.Step("p", ("/nowhere/python",), settings.output / "r", settings.output / "log")
    assert "cannot be started" in run._run(step, settings)


# ------------------------------------------------------------------------------------------------------- environments


@pytest.mark.parametrize("tool", ["garak", "pyrit"])
def test_versions_are_pinned_and_nothing_goes_into_our_own_environment(tool: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADWATER_CACHE", str(tmp_path))
    from headwater.redteam.probes import table

    what = environments.PACKAGES[tool]
    assert what.version == table().tools[tool].version
    place = environments.folder(tool)
    assert place == tmp_path / "redteam" / f"{tool}-{what.version}"
    for uv in ("/usr/bin/uv", None):
        steps = environments.commands(tool, place, uv)
        assert steps[-1][-1] == f"{tool}=={what.version}"
        assert str(environments.interpreter(place)) in steps[-1]
        assert sys.executable not in steps[-1]
    assert all(word in environments.offer(tool, place) for word in (what.size, what.time, str(place)))


def test_without_a_cache_a_folder_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_CACHE", "off")
    with pytest.raises(environments.UnusableError, match="--environment"):
        environments.folder("garak")


def test_a_python_without_the_tool_has_no_version() -> None:
    assert environments.version("pyrit", Path(sys.executable)) == ""
    with pytest.raises(environments.UnusableError):
        environments.version("pyrit", Path("/nowhere/python"))
