"""A released library with known holes: LangChain 0.0.141, downloaded from the package index, unpacked and reviewed, never installed."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import headwater
from headwater.config import Config
from headwater.findings import Finding, Review

RELEASE = "langchain==0.0.141"


@pytest.fixture(scope="module")
def review(tmp_path_factory: pytest.TempPathFactory) -> Review:
    folder = tmp_path_factory.mktemp("langchain")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder), RELEASE]
    subprocess.run(command, check=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "release")
    return headwater.review(folder / "release", Config())


@pytest.mark.parametrize(
    ("chain", "path", "operation", "sink_class"),
    [
        pytest.param("langchain/chains/pal/base.py", "langchain/python.py", "exec(", "code", id="PALChain"),
        pytest.param("langchain/chains/llm_bash/base.py", "langchain/utilities/bash.py", "subprocess.run(", "shell", id="LLMBashChain"),
        pytest.param("langchain/chains/sql_database/base.py", "langchain/sql_database.py", "connection.execute(", "sql", id="SQLDatabaseChain"),
        pytest.param("langchain/chains/llm_math/base.py", "langchain/chains/llm_math/base.py", "numexpr.evaluate(", "code", id="LLMMathChain"),
        pytest.param("langchain/tools/python/tool.py", "langchain/python.py", "exec(", "code", id="PythonREPLTool"),
    ],
)
def test_flow(review: Review, chain: str, path: str, operation: str, sink_class: str) -> None:
    """The answer of the model goes through the chain to the real operation, in another file."""
    found = [one for one in review.findings if one.place.path == path and one.sink_class == sink_class and operation in one.expression]
    assert found, [(one.place.path, one.expression) for one in review.findings if one.sink_class == sink_class]
    shown = [trace for one in found for trace in one.traces if chain in {step.place.path for step in trace.steps}]
    assert shown, [files(one) for one in found]
    for trace in shown:
        assert trace.steps[-1].place.path == path
        assert operation in review.sources[path].slice(trace.steps[-1].place.start, trace.steps[-1].place.end)
        assert {"tool": "tool-args"}.get(chain.split("/")[1].rstrip("s"), "llm-output") == trace.kind


def test_traces(review: Review) -> None:
    assert "traces-failed" not in review.coverage.counts
    assert review.coverage.files > 400


def files(finding: Finding) -> list[list[str]]:
    return [[step.place.path for step in trace.steps] for trace in finding.traces]
