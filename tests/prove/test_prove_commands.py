"""The reader of shell commands and of SQL statements: where a hostile word stands decides what it does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.prove.commands import Operator, simple_commands, starts
from headwater.prove.statements import speaks

CANARY = "/run/scratch/hwc0000010001"


@pytest.mark.parametrize(
    ("script", "commands"),
    [
        ("ls -l /tmp", [["ls", "-l", "/tmp"]]),
        ("a; b && c || d | e & f", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]),
        ("echo 'a; b' \"c; d\" e\\;f", [["echo", "a; b", "c; d", "e;f"]]),
        ("echo ''", [["echo", ""]]),
        ('echo "a $(b "c d") e"', [["echo", "a  e"], ["b", "c d"]]),
        ("echo `b \\`c\\``", [["echo", ""], ["b", ""], ["c"]]),
        ("echo '$(b)' \"\\$(b)\"", [["echo", "$(b)", "$(b)"]]),
        ("(a; b)", [["a"], ["b"]]),
        ("if a; then b; fi", [["a"], ["b"]]),
        ("a # b; c\nd", [["a"], ["d"]]),
        ("a#b", [["a#b"]]),
        ("a b\\\nc", [["a", "bc"]]),
        ("a 'not closed", [["a", "not closed"]]),
        ('a "not $(closed', [["a", "not "], ["closed"]]),
        ("", []),
    ],
)
def test_words_of_commands(script: str, commands: list[list[str]]) -> None:
    assert list(simple_commands(script)) == commands


def test_redirections_are_told_from_words() -> None:
    (words,) = simple_commands("a > b 2>>c <d '>' e")
    assert [word for word in words if isinstance(word, Operator)] == [">", ">>", "<"]
    assert words == ["a", ">", "b", "2", ">>", "c", "<", "d", ">", "e"]


@pytest.mark.parametrize(
    "script",
    [
        f"wc -l x; touch {CANARY}",
        f"wc -l $(touch {CANARY})",
        f'wc -l "a$(touch {CANARY})"',
        f"wc -l `touch {CANARY}`",
        f"wc -l ''; touch {CANARY}; ''",
        f"wc -l x\ntouch {CANARY}\n",
        f"wc -l x;touch${{IFS}}{CANARY}",
        f"A=1 /usr/bin/touch {CANARY}",
        f"> /dev/null touch {CANARY}",
        f"if true; then touch {CANARY}; fi",
        f"touch '{CANARY}'",
        f"wc -l x > {CANARY}",
        f"wc -l x >>{CANARY}",
    ],
)
def test_a_command_of_the_payload_is_started(script: str) -> None:
    assert starts(script, "touch", CANARY)


@pytest.mark.parametrize(
    "script",
    [
        f"wc -l 'x; touch {CANARY}'",
        f'wc -l "x; touch {CANARY}"',
        f"wc -l x\\;\\ touch\\ {CANARY}",
        f"touch 'x; touch {CANARY}'",
        f"echo touch {CANARY}",
        f"grep '$(touch {CANARY})' file",
        f"wc -l < {CANARY}",
        f"echo '>' {CANARY}",
        f"sort > '/out/x; touch {CANARY}'",
        f"ls # ; touch {CANARY}",
        f"touched {CANARY}",
        "touch /run/scratch/other",
    ],
)
def test_a_value_among_the_words_of_another_command_is_data(script: str) -> None:
    assert not starts(script, "touch", CANARY)


@given(st.text(alphabet="ab \t\n'\"`$(){};&|<>\\#=!", max_size=60))
def test_any_text_is_read_and_no_quoted_text_starts_anything(text: str) -> None:
    for words in simple_commands(text):
        assert words
    quoted = "'" + f"{text}; touch {CANARY}".replace("'", "'\\''") + "'"
    assert not starts(f"wc -l {quoted}", "touch", CANARY)
    assert starts(f"wc -l {quoted}; touch {CANARY}", "touch", CANARY)


def test_deep_and_long_scripts_come_to_an_end() -> None:
    assert list(simple_commands("$(" * 5000))
    assert list(simple_commands('"$(' * 5000))
    assert list(simple_commands("`\\`" * 5000))
    assert not starts("a " * 50_000, "touch", CANARY)


TOKEN = "hwc0000010001"


@pytest.mark.parametrize(
    "statement",
    [
        f"SELECT * FROM t; CREATE TABLE {TOKEN} (x)",
        f"SELECT * FROM t WHERE a = '' UNION SELECT {TOKEN} --'",
        f'CREATE TABLE "{TOKEN}" (x)',
        f"CREATE TABLE `{TOKEN}` (x)",
        f"SELECT 'it''s' FROM {TOKEN}",
        f"SELECT /* a */ {TOKEN}",
        f"SELECT -- a\n{TOKEN}",
    ],
)
def test_a_word_of_the_statement_speaks(statement: str) -> None:
    assert speaks(statement, TOKEN)


@pytest.mark.parametrize(
    "statement",
    [
        f"SELECT * FROM t WHERE a = '{TOKEN}'",
        f"SELECT * FROM t WHERE a = 'it''s {TOKEN}'",
        f"SELECT * FROM t WHERE a = 'x\\' {TOKEN}'",
        f"SELECT * FROM t WHERE a = '{TOKEN}",
        f"SELECT 1 -- {TOKEN}",
        f"SELECT 1 /* {TOKEN} */",
        f"SELECT 1 /* {TOKEN}",
        f"SELECT $$ {TOKEN} $$",
        f"SELECT $tag$ {TOKEN} $tag$",
    ],
)
def test_data_and_comments_say_nothing(statement: str) -> None:
    assert not speaks(statement, TOKEN)


@given(st.text(alphabet="a'\"$-/*\\ \n", max_size=40))
def test_text_in_quotes_never_speaks(text: str) -> None:
    doubled = (text + TOKEN).replace("\\", "").replace("'", "''")
    assert not speaks(f"SELECT * FROM t WHERE a = '{doubled}'", TOKEN)
