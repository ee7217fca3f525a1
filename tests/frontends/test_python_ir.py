"""Each construct of Python as the IR that it becomes: the suite in python_ir.md."""

from __future__ import annotations

from pathlib import Path

import pytest
from ir_check import check
from ir_suite import cases, update

from headwater.frontends.python import lower
from headwater.ir_text import format_module

SUITE = Path(__file__).with_name("python_ir.md")


def _dump(language: str, source: str) -> str:
    # \0 and \xNN stand for bytes that would make the suite itself unreadable
    data = source.encode().replace(b"\\0", b"\0").replace(b"\\377", b"\xff")
    module = lower("m.py", data)
    check(module)
    return format_module(module)


@pytest.mark.parametrize(("language", "source", "expected"), [pytest.param(*rest, id=title) for title, *rest in cases(SUITE)])
def test_construct(language: str, source: str, expected: str) -> None:
    assert _dump(language, source) == expected


def test_update() -> None:
    update(SUITE, _dump)
