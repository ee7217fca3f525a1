"""The project's own papers agree with the code."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import headwater
from headwater import configfile
from headwater.apis import load as apis
from headwater.config import Config
from headwater.rules import builtin
from headwater.rules import load as rules

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MODULES = {"PyYAML": "yaml"}


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=\[; ]", requirement)[0] for requirement in requirements}


def test_dependencies_are_explained() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    needed = names(PROJECT["dependencies"]) | names([one for extra in PROJECT["optional-dependencies"].values() for one in extra])
    assert {name for name in needed if f"`{name}`" not in text} == set()


def test_imports_are_declared_and_declared_ones_imported() -> None:
    imported = set()
    for path in (ROOT / "src").rglob("*.py"):
        if path.parent.name == "scripts":  # they run in environments of their own
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:  # the monitor has relative ones
                imported.add(str(node.module).split(".")[0])
    others = imported - set(sys.stdlib_module_names) - {"headwater"}
    assert others == {MODULES.get(name, name.replace("-", "_")) for name in names(PROJECT["dependencies"])}


def test_the_readme_names_every_option() -> None:
    from headwater.cli.review import command

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    options = [max(parameter.opts, key=len) for parameter in command.params if parameter.param_type_name == "option"]
    assert [option for option in options if f"`{option}" not in text] == []
    assert "--help" not in options


def test_the_readme_shows_the_true_output() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^```console\n\$ headwater (review examples/vulnerable [^\n]*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    command = [sys.executable, "-P", "-m", "headwater", *found.group(1).split(), "--no-progress"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    parts = [part.strip("\n") for part in found.group(2).split("[...]\n")]
    assert [part for part in parts if part not in output] == []
    assert output.rstrip().endswith(parts[-1])  # nothing more is said of what was not looked at


def test_links_in_the_papers_lead_somewhere() -> None:
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.name}: {target}"


def fenced(page: str, language: str) -> str:
    """The first fenced block of a language of a page in ``docs``."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found = re.search(rf"^(`{{3,}}){language}\n(.*?)^\1$", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found.group(2)


def reported(folder: Path, files: dict[str, str]) -> set[tuple[str, int, str]]:
    folder.mkdir()
    for path, text in files.items():
        (folder / path).write_text(text, encoding="utf-8")
    review = headwater.review(folder, Config(processes=1))
    return {(one.place.path, review.sources[one.place.path].position(one.place.start)[0], one.rule) for one in review.findings}


def test_the_model_in_the_docs_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = apis.read(fenced("api-models.md", "yaml"), "parrot.yaml")
    known = apis.load()
    monkeypatch.setattr(builtin, "models", lambda *_: [*known, ("parrot.yaml", file)])
    for number, example in enumerate(file.examples):
        marked = {
            ("app.py", line, rule)
            for line, text in enumerate(example.code.splitlines(), 1)
            for rule in re.findall(r"# expect: (\S+)", text)
        }
        assert reported(tmp_path / str(number), {"app.py": example.code}) == marked


def test_the_rule_in_the_docs_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = rules.read(fenced("rules.md", "markdown"), "unpickled-frame.md")
    monkeypatch.setattr(builtin, "rules", lambda *_: {rule.id: rule})
    assert len(rule.cases) == 2
    for number, case in enumerate(rule.cases):
        marked = {(mark.path, mark.line, mark.rule) for file in case.files for mark in file.marks}
        assert reported(tmp_path / str(number), {file.path: file.text for file in case.files}) == marked


def test_the_suppression_in_the_docs_works(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(fenced("suppressions.md", "python"), encoding="utf-8")
    review = headwater.review(tmp_path, Config(processes=1))
    assert [one.state for one in review.suppressions] == ["used"]
    assert [one.suppression is not None for one in review.findings] == [True]


def test_the_configuration_in_the_docs_works_and_is_whole(tmp_path: Path) -> None:
    text = fenced("configuration.md", "toml")
    (tmp_path / "headwater.toml").write_text(text, encoding="utf-8")
    settings = [key for key in configfile.SETTINGS if key not in configfile.OUTSIDE_ONLY]
    assert [key for key in settings if f"{key} = " not in text and f"[{key}]" not in text] == []
    assert len(configfile.load(tmp_path).notes) == 4


def limits_page() -> str:
    """``docs/limits.md``, made from ``limits.py``."""
    lines = [
        "# Limits",
        "",
        "Made from `src/headwater/limits.py`: `UPDATE_SNAPSHOTS=1 pytest tests/test_project.py -k limits` writes it anew. What a bound cut",
        "off is counted, and where something was not looked at, the coverage ledger of the report says so.",
    ]
    table = False
    for line in (ROOT / "src" / "headwater" / "limits.py").read_text(encoding="utf-8").splitlines():
        bound = re.fullmatch(r"(\w+): Final = ([^#]+?)(?:  # (.+))?", line)
        if bound:
            name, value, reason = bound.groups()
            lines += [] if table else ["", "| Limit | Value | Why |", "|---|---|---|"]
            lines.append(f"| `{name}` | `{value.replace('_', ',')}` | {reason or ''} |")
            table = True
        elif line.startswith("# "):
            heading, _, rest = line[2:].partition(". ")
            lines += ["", f"## {heading}", *(["", rest] if rest else [])]
            table = False
        else:
            assert ": Final" not in line, f"a bound that is not read: {line}"
    return "\n".join(lines) + "\n"


def test_the_page_of_limits_is_in_step() -> None:
    path = ROOT / "docs" / "limits.md"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(limits_page(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == limits_page(), "UPDATE_SNAPSHOTS=1 pytest tests/test_project.py -k limits"
