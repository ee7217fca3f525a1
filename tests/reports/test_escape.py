"""Hostile text is made visible, not interpreted."""

from __future__ import annotations

import json

import pytest

from headwater.reports import escape


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain é 波 🌊\tx\n", "plain é 波 🌊\tx\n"),
        ("\x1b[2J\x07\r\x7f\x9b", r"\x1b[2J\x07\x0d\x7f\x9b"),
        ("a\u202eb\u2066c\u200bd\ufeff", r"a\u202eb\u2066c\u200bd\ufeff"),
        ("\U000e0041\ufe0f\u2028", r"\U000e0041\ufe0f\u2028"),
        ("\udc80", r"\udc80"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
    ],
)
def test_visible(text: str, wanted: str) -> None:
    assert escape.visible(text) == wanted


def test_line_stays_one_line() -> None:
    assert escape.line("a\tb\nc\u2028d") == r"a b\nc\u2028d"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("app/a b.py", "app/a%20b.py"),
        ("a:b/[x]#1?.py", "a%3Ab/%5Bx%5D%231%3F.py"),
        ("ü/波.py", "%C3%BC/%E6%B3%A2.py"),
        ("100%.py", "100%25.py"),
        ("bad\udcff.py", "bad%FF.py"),
        ("a\\b.py", "a%5Cb.py"),
    ],
)
def test_uri(path: str, wanted: str) -> None:
    assert escape.uri(path) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("  ::set-output name=a::b", r"  \x3a:set-output name=a::b"),
        ("a\n\u3000::add-mask::x", "a\n\u3000\\x3a:add-mask::x"),
        ("x ##[set-env name=a]b", r"x ##\x5bset-env name=a]b"),
        ("##vso[task.setvariable]", r"##vso\x5btask.setvariable]"),
        ("##teamcity[x]", r"##teamcity\x5bx]"),
        ("a::b # [1] ## [x]", "a::b # [1] ## [x]"),
    ],
)
def test_log_has_no_commands_of_build_servers(text: str, wanted: str) -> None:
    assert escape.log(text) == wanted


def test_json_keeps_its_value() -> None:
    text = "##[a]##vso[b]\u202e\U000e0041é🌊\x7f\u200b"
    data = escape.json(json.dumps({"a": text}, ensure_ascii=False).encode())
    assert json.loads(data) == {"a": text}
    assert escape.visible(data.decode()) == data.decode()
    assert escape.log(data.decode()) == data.decode()
    assert "é🌊" in data.decode()
