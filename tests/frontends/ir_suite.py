"""Suites of constructs and the IR that they become, as Markdown: a source, and the dump of its module."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

_CASE = re.compile(r"^### ([^\n]*)\n\n```(\w+)\n(.*?)\n```\n\n```text\n(.*?)\n```$", re.MULTILINE | re.DOTALL)

Dump = Callable[[str, str], str]
"""From the language of the fence and the source to the dump."""


def cases(suite: Path) -> list[tuple[str, str, str, str]]:
    """Title, language, source and expected dump of each."""
    return _CASE.findall(suite.read_text("utf-8"))


def update(suite: Path, dump: Dump) -> None:
    """Rewrites a suite from what is lowered now, to be read before it is kept."""
    if not os.environ.get("UPDATE_SUITE"):
        pytest.skip("only on demand")
    text = suite.read_text("utf-8")

    def again(match: re.Match[str]) -> str:
        title, language, source, _ = match.groups()
        return f"### {title}\n\n```{language}\n{source}\n```\n\n```text\n{dump(language, source)}\n```"

    suite.write_text(_CASE.sub(again, text), "utf-8")
