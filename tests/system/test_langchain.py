"""A released library with known holes: LangChain 0.0.141, downloaded from the package index, unpacked and reviewed, never installed."""

from __future__ import annotations

import pytest
from releases import unpacked

import headwater
from headwater.config import Config
from headwater.findings import Finding, Review

RELEASE = "langchain==0.0.141"


@pytest.fixture(scope="module")
def review(tmp_path_factory: pytest.TempPathFactory) -> Review:
    return headwater.review(unpacked(RELEASE, tmp_path_factory.mktemp("langchain")), Config())


@pytest.mark.parametrize(
    ("chain", "path", "operation", "rule"),
    [
        pytest.param("chains/llm_math/base.py", "utilities/python.py", "exec(", "llm-output-to-code", id="LLMMathChain"),
        pytest.param("chains/pal/base.py", "utilities/python.py", "exec(", "llm-output-to-code", id="PALChain"),
        pytest.param("chains/llm_bash/base.py", "utilities/bash.py", "subprocess.run(", "llm-output-to-shell", id="LLMBashChain"),
        pytest.param("chains/sql_database/base.py", "sql_database.py", "connection.execute(", "llm-output-to-sql", id="SQLDatabaseChain"),
        pytest.param(
            "tools/sql_database/tool.py", "sql_database.py", "connection.execute(", "llm-output-to-sql", id="QuerySQLDataBaseTool"
        ),
    ],
)
def test_flow(review: Review, chain: str, path: str, operation: str, rule: str) -> None:
    """The answer of the model goes through the chain to the real operation, in another file."""
    found = [
        one for one in review.findings if one.place.path == f"langchain/{path}" and one.rule == rule and operation in line_of(review, one)
    ]
    assert found, [(one.place.path, one.expression) for one in review.findings if one.rule == rule]
    shown = [trace for one in found for trace in one.traces if f"langchain/{chain}" in {step.place.path for step in trace.steps}]
    assert shown, [[step.place.path for step in trace.steps] for one in found for trace in one.traces]
    for trace in shown:
        assert trace.steps[-1].place in {one.place for one in found}
        assert trace.kind == ("tool-args" if chain.startswith("tools/") else "llm-output")


def line_of(review: Review, finding: Finding) -> str:
    """The source line on which the finding stands."""
    source = review.sources[finding.place.path]
    return source.text.splitlines()[source.position(finding.place.start)[0] - 1]


def test_every_path_is_replayed(review: Review) -> None:
    assert review.coverage.files > 400
    assert [gap for gap in review.coverage.gaps if gap.kind == "trace"] == []
