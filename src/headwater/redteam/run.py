"""Runs Garak and PyRIT: commands, their surroundings, time limits. One process for each probe, so that one that breaks costs itself."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final

import msgspec

from headwater.redteam import formats
from headwater.redteam.bridge import MODEL, UNANSWERED, Bridge
from headwater.redteam.evidence import Evidence, Missing, joined
from headwater.redteam.plan import Choice
from headwater.redteam.probes import table
from headwater.redteam.target import end
from headwater.reports import words

_KEPT: Final = (
    "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT",
    "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "https_proxy",
)  # fmt: skip
"""Variables that a tool is given. Keys are not among them: it talks to the bridge."""
_TAIL: Final = 4000


class Settings(msgspec.Struct, frozen=True):
    """How a tool is run."""

    python: Path
    output: Path
    """A folder, for reports and logs."""
    home: Path
    """The tool's own: what it keeps and configures."""
    prompts: int = 32
    """Of one probe, at most about."""
    timeout: float = 900
    """Seconds for one step."""
    online: bool = False
    """It may fetch data sets."""
    system_prompt: str = ""


class Step(msgspec.Struct, frozen=True):
    """One process."""

    probe: str
    command: tuple[str, ...]
    report: Path
    log: Path


Say = Callable[[str], None]


def run(tool: str, choices: Sequence[Choice], bridge: Bridge, settings: Settings, scratch: Path, say: Say) -> Evidence:
    """Runs the probes one after another. ``scratch``: a folder for files that go away."""
    settings.output.mkdir(parents=True, exist_ok=True)
    settings.home.mkdir(parents=True, exist_ok=True)
    steps = list((garak if tool == "garak" else pyrit)(choices, bridge.url, bridge.key, settings, scratch))
    parts: list[Evidence] = []
    for number, step in enumerate(steps, 1):
        begun, asked = time.monotonic(), bridge.asked
        # Not all probes of Garak heed its bound. PyRIT ends at a prompt that is refused, and its jobs are bounded by us.
        bridge.bound(settings.prompts if tool == "garak" else 0)
        problem = _run(step, settings)
        found: list[Missing] = []
        if problem:
            found = [Missing("not-finished", tool, step.probe, problem)]
        try:
            part = formats.read(os.fspath(step.report))
        except formats.ReportError as error:
            part = Evidence()
            if not problem:
                found = [Missing("not-finished", tool, step.probe, f"it left no report: {error}")]
        parts.append(msgspec.structs.replace(part, missing=(*part.missing, *found)))
        counts = f"{words.count(bridge.asked - asked, 'prompt')}, {words.count(part.judged, 'verdict')}, {part.failed:,} of them bad"
        told = f"{counts}, {time.monotonic() - begun:.0f} s"
        say(f"{number}/{len(steps)} {tool} {step.probe}: {problem or told}")
    lost = [
        Missing("no-answer", tool, "", f"{reason} ({number:,} of {bridge.asked:,} prompts)") for reason, number in bridge.unanswered.items()
    ]
    return joined([*parts, Evidence(missing=tuple(lost))])


def garak(choices: Sequence[Choice], url: str, key: str, settings: Settings, scratch: Path) -> Iterator[Step]:
    """One process for each probe: where one cannot load its data, Garak ends, and what would come after it is lost."""
    target = scratch / "target.json"
    target.write_text(json.dumps({"rest": {"RestGenerator": _rest(url, key, settings)}}), encoding="utf-8")
    bounds = scratch / "garak.json"
    bounds.write_text(json.dumps({"run": {"soft_probe_prompt_cap": settings.prompts}}), encoding="utf-8")
    for probe in dict.fromkeys(one.probe for one in choices):
        prefix = settings.output / f"garak-{_file(probe)}"
        command = (
            os.fspath(settings.python), "-I", "-m", "garak",
            "--config", os.fspath(bounds),
            "--target_type", "rest", "--generator_option_file", os.fspath(target),
            "--spec", f"probes.{probe}", "--generations", "1", "--seed", "1",
            "--report_prefix", os.fspath(prefix), "--narrow_output",
        )  # fmt: skip
        yield Step(probe, command, prefix.with_name(f"{prefix.name}.report.jsonl"), prefix.with_name(f"{prefix.name}.log"))


def _rest(url: str, key: str, settings: Settings) -> dict[str, Any]:
    return {
        "name": MODEL,
        "uri": f"{url}/chat/completions",
        "method": "post",
        "headers": {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
        "req_template_json_object": {"model": MODEL, "messages": [{"role": "user", "content": "$INPUT"}]},
        "response_json": True,
        "response_json_field": "$.choices[0].message.content",
        "request_timeout": settings.timeout,
        "skip_codes": [UNANSWERED],
    }


def pyrit(choices: Sequence[Choice], url: str, key: str, settings: Settings, scratch: Path) -> Iterator[Step]:
    """One process for each technique of a scenario, and for each attack of our own: PyRIT ends a scenario at the first prompt that is
    not answered."""
    script = resources.files("headwater.redteam.scripts").joinpath("pyrit_job.py")
    (scratch / "pyrit_job.py").write_bytes(script.read_bytes())
    for choice in dict.fromkeys(choices):
        own = choice.probe.startswith("headwater.")
        name = choice.probe if own else f"{choice.probe}.{choice.technique}"
        database = settings.output / f"pyrit-{_file(name)}.db"
        database.unlink(missing_ok=True)  # PyRIT would add to it
        job: dict[str, Any] = {"endpoint": url, "key": key, "model": MODEL, "database": os.fspath(database), "prompts": settings.prompts}
        job |= _attack(choice, settings) if own else {"scenario": choice.probe, "technique": choice.technique}
        file = scratch / f"{_file(name)}.json"
        file.write_text(json.dumps(job), encoding="utf-8")
        command = (os.fspath(settings.python), "-I", os.fspath(scratch / "pyrit_job.py"), os.fspath(file))
        yield Step(name, command, database, database.with_suffix(".log"))


def _attack(choice: Choice, settings: Settings) -> dict[str, Any]:
    attacks = table().attacks
    name = choice.probe.removeprefix("headwater.")
    job: dict[str, Any] = {"label": choice.probe, "scorer": choice.technique}
    if name == "system-prompt":
        return {**job, "texts": attacks.extraction, "known": settings.system_prompt}
    return {**job, "texts": attacks.prompts(name), "pattern": attacks.patterns.get(name, "")}


def surroundings(settings: Settings, given: Mapping[str, str]) -> dict[str, str]:
    """The environment of a tool: nothing of the user's but what it needs to run, and a home where no file brings keys or settings."""
    home = os.fspath(settings.home)
    found = {name: given[name] for name in _KEPT if name in given}
    found |= {"HOME": home, "USERPROFILE": home, "NO_COLOR": "1", "NO_PROXY": "127.0.0.1,localhost", "DO_NOT_TRACK": "1"}
    found |= {f"XDG_{name}_HOME": os.path.join(home, name.lower()) for name in ("DATA", "CACHE", "CONFIG")}
    if not settings.online:
        found |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    return found


def _run(step: Step, settings: Settings) -> str:
    """Runs a step; what went wrong, in words, or nothing."""
    step.report.unlink(missing_ok=True)
    with open(step.log, "wb") as log:
        try:
            process = subprocess.Popen(
                step.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=surroundings(settings, os.environ),
                cwd=settings.output,
                start_new_session=True,
            )
        except OSError as error:
            return f"it cannot be started: {error}"
        try:
            status = process.wait(settings.timeout)
        except subprocess.TimeoutExpired:
            return f"it did not end within {settings.timeout:g} s"
        finally:
            end(process)
    return f"it ended with status {status}: {_last(step.log)}" if status else ""


def _last(log: Path) -> str:
    """The last line with a word that it said."""
    with open(log, "rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL))
        lines = file.read().decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if any(char.isalpha() for char in line)), "without a word")


def _file(probe: str) -> str:
    return "".join(char if char.isalnum() or char in "-_." else "-" for char in probe)
