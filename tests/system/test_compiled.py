"""The compiled build says what the interpreted one says, to the byte."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from releases import unpacked

from headwater.apis.load import load
from headwater.rules.load import load_rules

ROOT = Path(__file__).parents[2]
RELEASES = ["langchain==0.0.141", "langroid==0.59.32"]
STRUCTS = """
import importlib, json, pkgutil, sys, msgspec, headwater
found = {}
for module in pkgutil.walk_packages(headwater.__path__, "headwater."):
    if module.name.endswith("__main__"):
        continue
    for name, one in vars(importlib.import_module(module.name)).items():
        if isinstance(one, type) and issubclass(one, msgspec.Struct) and one.__module__ == module.name:
            config = one.__struct_config__
            found[f"{module.name}.{name}"] = {key: repr(getattr(config, key)) for key in dir(config) if not key.startswith("_")}
json.dump(found, sys.stdout)
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the compiled build."""
    header = Path(sysconfig.get_paths()["include"], "Python.h")
    if shutil.which("cc") is None or not header.is_file():
        pytest.skip("no C compiler, or no headers of Python")
    folder = tmp_path_factory.mktemp("compiled")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    subprocess.run(["make", "compiled"], check=True, cwd=ROOT)
    (wheel,) = (ROOT / "dist").glob("headwater-*-cp*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", str(wheel)], check=True)
    return python


def _said(python: Path, program: str) -> str:
    return subprocess.run([str(python), "-P", "-c", program], check=True, capture_output=True, text=True, cwd="/").stdout


def test_it_is_compiled(compiled: Path) -> None:
    assert _said(compiled, "import headwater.taint.value as one; print(one.__file__)").strip().endswith(".so")
    assert _said(Path(sys.executable), "import headwater.taint.value as one; print(one.__file__)").strip().endswith(".py")


def test_it_has_the_rules_and_api_models_made(compiled: Path) -> None:
    program = """
from headwater.apis.schema import ApiFile
from headwater.rules.builtin import beside
from headwater.rules.load import Rule
print(len(beside("rules", list[Rule]) or ()), len(beside("models", list[tuple[str, ApiFile]]) or ()))
"""
    assert _said(compiled, program).split() == [str(len(load_rules())), str(len(load()))]


def test_values_keep_what_their_classes_say(compiled: Path) -> None:
    ours, theirs = (json.loads(_said(python, STRUCTS)) for python in (Path(sys.executable), compiled))
    assert len(ours) > 40
    assert ours == theirs


@pytest.mark.parametrize("release", RELEASES)
def test_the_same_bytes(release: str, compiled: Path, tmp_path: Path) -> None:
    folder = unpacked(release, tmp_path / "code")
    outputs = []
    for number, python in enumerate((Path(sys.executable), compiled)):
        target = tmp_path / f"{number}.json"
        command = [str(python), "-P", "-m", "headwater", "review", str(folder), "--format", "json", "--output", str(target)]
        command += ["--persona", "audit", "--min-confidence", "low", "--fail-on", "never", "--quiet"]
        subprocess.run(command, env={**os.environ, "HEADWATER_TRACEBACK": "1"}, check=True, cwd="/")
        outputs.append(target.read_bytes())
    assert outputs[0].count(b'"rule"') > 20
    assert outputs[0] == outputs[1]
