"""The compiled build says what the interpreted one says, to the byte; and that is the same in every run.

One of the projects is so large that bounds are met: an order that is not fixed shows there first.
"""

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
RELEASES = {"langchain==0.0.141": [("0", "1")], "langroid==0.59.32": [("0", "1"), ("1", "2"), ("2", "1")]}
"""With the hash seeds and the numbers of processes of the interpreted build's runs; the compiled one has its own."""
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
    subprocess.run(["make", "compiled", "OPT=0"], check=True, cwd=ROOT)  # what it says is asked, not how fast
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


def _reviewed(python: Path, folder: Path, target: Path, *options: str, **environment: str) -> bytes:
    command = [str(python), "-P", "-m", "headwater", "review", str(folder), "--format", "json", "--output", str(target), *options]
    command += ["--persona", "audit", "--min-confidence", "low", "--fail-on", "never", "--quiet"]
    subprocess.run(command, env={**os.environ, "HEADWATER_TRACEBACK": "1", **environment}, check=True, cwd="/")
    return target.read_bytes()


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes]]:
    """A released package, and what the interpreted build says of it, run by run."""
    folder = tmp_path_factory.mktemp("release")
    code = unpacked(request.param, folder / "code")
    runs = [
        _reviewed(Path(sys.executable), code, folder / f"{seed}.json", "--processes", processes, PYTHONHASHSEED=seed)
        for seed, processes in RELEASES[request.param]
    ]
    return code, runs


def test_every_run_says_the_same(release: tuple[Path, list[bytes]]) -> None:
    _, runs = release
    assert runs[0].count(b'"rule"') > 20
    assert [one == runs[0] for one in runs] == [True] * len(runs)


def test_the_compiled_build_says_the_same(release: tuple[Path, list[bytes]], compiled: Path, tmp_path: Path) -> None:
    code, runs = release
    assert _reviewed(compiled, code, tmp_path / "compiled.json") == runs[0]
