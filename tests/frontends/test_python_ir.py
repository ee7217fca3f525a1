"""Each construct of Python as the IR that it becomes: the suite in python_ir.md."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from ir_check import check

from headwater.frontends.python import lower
from headwater.ir_text import format_module

SUITE = Path(__file__).with_name("python_ir.md")
_CASE = re.compile(r"^### ([^\n]*)\n\n```python\n(.*?)\n```\n\n```text\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


def _cases() -> list[tuple[str, str, str]]:
    return _CASE.findall(SUITE.read_text("utf-8"))


def _dump(source: str) -> str:
    # \0 and \xNN stand for bytes that would make the suite itself unreadable
    data = source.encode().replace(b"\\0", b"\0").replace(b"\\377", b"\xff")
    module = lower("m.py", data)
    check(module)
    return format_module(module)


@pytest.mark.parametrize(("source", "expected"), [pytest.param(s, e, id=t) for t, s, e in _cases()])
def test_construct(source: str, expected: str) -> None:
    assert _dump(source) == expected


def test_update() -> None:
    """Rewrites the suite from what is lowered now, to be read before it is kept."""
    if not os.environ.get("UPDATE_SUITE"):
        pytest.skip("only on demand")
    text = SUITE.read_text("utf-8")

    def again(match: re.Match[str]) -> str:
        title, source, _ = match.groups()
        return f"### {title}\n\n```python\n{source}\n```\n\n```text\n{_dump(source)}\n```"

    SUITE.write_text(_CASE.sub(again, text), "utf-8")
