"""Offsets, lines and columns of a source."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.files.source import BOM, Source, codec, cookie

TEXT = st.lists(st.sampled_from(["a", " ", "é", "€", "😀", "\n", "\r", "\r\n", "\u2028", "\x0c", "\x85"]), max_size=60).map("".join)


def reference(text: str) -> list[tuple[int, int, int, int]]:
    """(byte offset, line, column, UTF-16 column) of every character and of the end."""
    out = []
    offset, line, column, wide = 0, 1, 1, 1
    for index, char in enumerate(text):
        out.append((offset, line, column, wide))
        offset += len(char.encode())
        column += 1
        wide += len(char.encode("utf-16-le")) // 2
        if char == "\n" or (char == "\r" and text[index + 1 : index + 2] != "\n"):
            line, column, wide = line + 1, 1, 1
    out.append((offset, line, column, wide))
    return out


@given(TEXT, st.booleans())
def test_positions_are_those_of_the_text(text: str, mark: bool) -> None:
    shift = len(BOM) if mark else 0
    source = Source("a.py", BOM * mark + text.encode())
    places = reference(text)
    for offset, line, column, wide in places:
        assert source.position(offset + shift) == (line, column)
        assert source.utf16_column(offset + shift) == wide
        at_line_end = text.encode()[offset - 1 : offset + 1] == b"\r\n"
        if not at_line_end:
            assert source.offset(line, column) == offset + shift
    assert source.text == text
    last_line = places[-1][1]
    assert source.lines == (last_line - 1 if not text or text[-1] in "\r\n" else last_line)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert [source.line_text(line) for line in range(1, last_line + 1)] == lines


@given(st.binary(max_size=40), st.integers(-5, 50))
def test_any_bytes_have_positions(data: bytes, offset: int) -> None:
    source = Source("a.py", data, encoding="utf-8")
    line, column = source.position(offset)
    assert 1 <= line <= source.lines + 1
    start = source.line_start(line)
    inside = max(start, min(offset, len(data)))
    # No more columns than the decoder gives characters, and the same number at the end of the line.
    assert column <= len(data[start:inside].decode("utf-8", "replace")) + 1
    assert source.position(source.offset(line, column)) == (line, column)
    assert source.slice(start, inside) == data[max(start, source._bom) : inside].decode("utf-8", "replace")


def test_an_offset_inside_a_character_is_that_of_the_character() -> None:
    source = Source("a.py", "é😀x".encode())
    assert [source.position(offset)[1] for offset in range(8)] == [1, 1, 2, 2, 2, 2, 3, 4]


@pytest.mark.parametrize(
    ("data", "columns"),
    [
        (b"\x80\x80x", [1, 2, 3, 4]),  # stray continuation bytes
        (b"\xe2\x82x", [1, 1, 2, 3]),  # cut short: one character
        (b"\xe0\x80x", [1, 2, 3, 4]),  # overlong: two
        (b"\xf0\x9f\x98", [1, 1, 1, 2]),
        (b"\xed\xa0\x80", [1, 2, 3, 4]),  # a surrogate
    ],
)
def test_invalid_utf8_counts_replacement_characters(data: bytes, columns: list[int]) -> None:
    source = Source("a.py", data)
    assert [source.position(offset)[1] for offset in range(len(data) + 1)] == columns
    assert len(source.text) + 1 == columns[-1]


def test_empty_and_out_of_range() -> None:
    source = Source("a.py", b"")
    assert (source.lines, source.position(0), source.position(99), source.line_text(1), source.line_text(7)) == (0, (1, 1), (1, 1), "", "")
    source = Source("a.py", b"ab\ncd")
    assert source.position(-1) == (1, 1)
    assert source.position(99) == (2, 3)
    assert [source.offset(1, 99), source.offset(99, 1), source.offset(0, 0), source.offset(2, 1)] == [2, 5, 0, 3]
    assert source.line_text(0) == ""
    assert source.line_start(3) == 5
    assert source.slice(3, 99) == "cd"


def test_bom_is_no_column_and_no_text() -> None:
    source = Source("a.py", BOM + b"x = 1\n")
    assert source.position(0) == source.position(2) == source.position(3) == (1, 1)
    assert source.position(4) == (1, 2)
    assert source.line_text(1) == "x = 1"
    assert source.slice(0, 4) == "x"


def test_cookie_encodings() -> None:
    data = "# -*- coding: latin-1 -*-\nx = 'é' + y\n".encode("latin-1")
    source = Source("a.py", data)
    assert source.encoding == "iso8859-1"
    assert "é" in source.text
    assert source.position(data.index(b"y")) == (2, 11)
    assert source.offset(2, 11) == data.index(b"y")
    data = "# coding: gbk\nx = '中文' + y\n".encode("gbk")
    source = Source("a.py", data)
    assert source.line_text(2) == "x = '中文' + y"
    assert source.position(data.index(b"y")) == (2, 12)
    assert source.utf16_column(data.index(b"y")) == 12


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"# coding: latin-1\n", "latin-1"),
        (b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n", "cp1252"),
        (b"x = 1\n# coding: latin-1\n", ""),
        (b"\n\n# coding: latin-1\n", ""),
        (b"# one\r# coding:utf8\r", "utf8"),
        (BOM + b"# coding: utf-8\n", "utf-8"),
        (b"", ""),
        (b'"""coding: latin-1"""\n', ""),
    ],
)
def test_cookie(data: bytes, expected: str) -> None:
    assert cookie(data) == expected


@pytest.mark.parametrize(
    "name", ["zip", "hex", "rot13", "bz2", "idna", "punycode", "undefined", "utf-16", "utf_32_le", "nonsense", "a.b", ""]
)
def test_codecs_that_are_refused(name: str) -> None:
    assert codec(name) is None


def test_a_refused_cookie_is_read_as_utf8() -> None:
    assert Source("a.py", "# coding: zip\nx = 'é'\n".encode()).line_text(2) == "x = 'é'"


def test_digest_and_cheap_creation() -> None:
    source = Source("a.py", b"x")
    assert source.digest == hashlib.sha256(b"x").hexdigest()
    assert not hasattr(source, "__dict__")
    assert Source("a.py", b"x", digest="d").digest == "d"
