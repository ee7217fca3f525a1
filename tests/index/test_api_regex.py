"""Regular expressions of conditions: what they match is what ``re`` says, the time is linear, and what cannot be so is refused."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.apis import conditions
from headwater.apis.load import load
from headwater.apis.regex import Automaton, RegexError, search
from headwater.rules.load import load_rules

ATOMS = [
    "a",
    "b",
    "A",
    ".",
    r"\w",
    r"\d",
    r"\s",
    "[ab]",
    "[^a]",
    "[a-c1]",
    r"[^\w]",
    "é",
    r"\.",
    "^",
    "$",
    r"\b",
    r"\B",
    r"\A",
    r"\Z",
    "()",
]
REPEATS = ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}?", "{2,}"]


def repeated(parts: tuple[str, str]) -> str:
    return f"(?:{parts[0]}){parts[1]}"


PATTERNS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(REPEATS)).map(repeated),
        inner.map(lambda part: f"(?i:{part})"),
    ),
    max_leaves=8,
)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(["", "(?i)", "(?m)", "(?s)", "(?a)", "(?im)"]), PATTERNS, st.text("abcAB1 é.\n_", max_size=8))
def test_matches_as_re_does(flags: str, pattern: str, text: str) -> None:
    assert Automaton(flags + pattern).search(text) == (re.search(flags + pattern, text) is not None)


def expressions() -> set[str]:
    """Those of all models and rules that are here."""
    apis = [api for _, file in load() for api in file.apis]
    whens = [text for api in apis for text in (api.when, api.clears_when, *(one.when for one in (*api.sinks, *api.guards)))]
    whens += [call.when for rule in load_rules().values() for call in rule.head.calls]
    terms = [term for text in whens for branch in conditions.condition(text) for term in branch]
    return {str(term.value) for term in terms if term.form == "matches"}


TEXTS = [
    "",
    "r",
    "wb",
    "a+",
    "0.0.0.0",
    "::",
    "*",
    "text/html; charset=utf-8",
    "/bin/bash",
    "cmd.exe",
    "-lc",
    "SELECT 1 WHERE x = ",
    "https://a/",
    "^[a-z]+$",
]


@pytest.mark.parametrize("pattern", sorted(expressions()))
def test_built_in_expressions_match_as_re_does(pattern: str) -> None:
    for text in TEXTS:
        assert search(pattern, text) == (re.search(pattern, text) is not None), text


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*)*x", ".*.*.*.*.*x", "(?:a?){60}a{60}$"])
def test_what_explodes_elsewhere_is_linear(pattern: str) -> None:
    began = time.process_time()
    assert not search(pattern, "a" * 400 + "!")
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"(a)\1", "back references"),
        ("(?=a)a", "look-around"),
        ("(?<!a)b", "look-around"),
        ("(?>a+)b", "atomic groups"),
        ("a++b", "atomic groups"),
        ("((a{30}){30}){30}", "more than 1,000 states"),
        ("(", "unterminated"),
        ("a{9999999999999}", "too large"),
        ("(" * 5_000 + ")" * 5_000, "recursion"),
    ],
)
def test_what_cannot_be_linear_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(RegexError, match=reason):
        Automaton(pattern)


def test_nothing_often_is_nothing() -> None:
    began = time.process_time()
    assert Automaton("(){4000000000}a").search("a")
    assert time.process_time() - began < 1
