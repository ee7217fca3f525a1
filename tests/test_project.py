"""The project's own papers agree with the code."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MODULES = {"PyYAML": "yaml"}


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=\[; ]", requirement)[0] for requirement in requirements}


def test_dependencies_are_explained() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    needed = names(PROJECT["dependencies"]) | names(PROJECT["optional-dependencies"]["dev"])
    assert {name for name in needed if f"`{name}`" not in text} == set()


def test_imports_are_declared_and_declared_ones_imported() -> None:
    imported = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).split(".")[0])
    others = imported - set(sys.stdlib_module_names) - {"headwater"}
    assert others == {MODULES.get(name, name.replace("-", "_")) for name in names(PROJECT["dependencies"])}


def test_the_readme_names_every_option() -> None:
    from headwater.cli.review import command

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    options = [max(parameter.opts, key=len) for parameter in command.params if parameter.param_type_name == "option"]
    assert [option for option in options if f"`{option}" not in text] == []
    assert "--help" not in options


def test_links_in_the_papers_lead_somewhere() -> None:
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.name}: {target}"
