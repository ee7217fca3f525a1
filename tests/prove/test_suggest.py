"""What is suggested to who has not said how the application is started."""

from __future__ import annotations

from pathlib import Path

import headwater
from headwater.config import Config
from headwater.prove import suggest

EXAMPLE = Path(__file__).parents[2] / "examples" / "vulnerable"


def test_the_example() -> None:
    review = headwater.review(EXAMPLE, Config(processes=1))
    found = suggest.commands(review.system, EXAMPLE.relative_to(review.root).as_posix() if EXAMPLE != Path(review.root) else "")
    assert found[0].startswith("--serve 'python3 -m supportdesk' --port 8000 --send 'GET /health'")
    assert "--mcp 'python3 -m supportdesk.mcp_server'" in found
    assert "--run 'python3 -m supportdesk'" in found


def test_a_function_that_asks_a_model(tmp_path: Path) -> None:
    (tmp_path / "answers.py").write_text(
        "from openai import OpenAI\n\n\ndef ask(question):\n"
        '    return OpenAI().responses.create(model="m", input=question).output_text\n',
        encoding="utf-8",
    )
    assert suggest.commands(headwater.review(tmp_path, Config(processes=1)).system, "") == ["--call answers:ask --with '[\"hello\"]'"]


def test_nothing_to_suggest(tmp_path: Path) -> None:
    (tmp_path / "sums.py").write_text("def add(a, b):\n    return a + b\n", encoding="utf-8")
    assert suggest.commands(headwater.review(tmp_path, Config(processes=1)).system, "") == []
