"""Conditions and argument paths of the model language."""

from __future__ import annotations

import pytest

from headwater.apis.conditions import Argument, ConditionError, Term, argument, condition


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("self", Argument(True, -1, "", ())),
        ("$0", Argument(False, 0, "", ())),
        ("$12/name", Argument(False, 12, "name", ())),
        ("$name", Argument(False, -1, "name", ())),
        ("$*", Argument(False, -2, "", ())),
        ("$any", Argument(False, -3, "", ())),
        ("$anything", Argument(False, -1, "anything", ())),
        ("self.a.b", Argument(True, -1, "", ("a", "b"))),
        ("$0[]", Argument(False, 0, "", ("*",))),
        ("$*[]", Argument(False, -2, "", ("*",))),
        ("$0/args[2]", Argument(False, 0, "args", (2,))),
        ("$0[-1]", Argument(False, 0, "", (-1,))),
        ("""$0["a"]['b'][c].d""", Argument(False, 0, "", ("a", "b", "c", "d"))),
        (" $0 ", Argument(False, 0, "", ())),
    ],
)
def test_arguments(text: str, wanted: Argument) -> None:
    assert argument(text) == wanted


@pytest.mark.parametrize("text", ["", "0", "name", "$", "$0/", "$0.", "selfish", "$0[", "$0]x", "$0 $1", "$-1"])
def test_what_is_no_argument(text: str) -> None:
    with pytest.raises(ConditionError, match="not an argument"):
        argument(text)


ZERO = Argument(False, 0, "", ())
NAME = Argument(False, -1, "name", ())


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("$0 is True", Term(ZERO, False, "const", True)),
        ("$0 is not False", Term(ZERO, True, "const", False)),
        ("$0 is None", Term(ZERO, False, "const", None)),
        ("$0 is absent", Term(ZERO, False, "absent", None)),
        ("$name is not constant", Term(NAME, True, "constant", None)),
        ("$0 is list", Term(ZERO, False, "list", None)),
        ('$0 is "text"', Term(ZERO, False, "const", "text")),
        ("$0 is 'text'", Term(ZERO, False, "const", "text")),
        ('$0 is ""', Term(ZERO, False, "const", "")),
        ('$0 is "True"', Term(ZERO, False, "const", "True")),
        ("$0 is -3", Term(ZERO, False, "const", -3)),
        ("$0 is 0.5", Term(ZERO, False, "const", 0.5)),
        ("$0 is yaml.SafeLoader", Term(ZERO, False, "api", "yaml.SafeLoader")),
        ("$0 is a.{b,c}().*", Term(ZERO, False, "api", "a.{b,c}().*")),
        ('$0 matches "^a+$"', Term(ZERO, False, "matches", "^a+$")),
    ],
)
def test_terms(text: str, wanted: Term) -> None:
    assert condition(text) == ((wanted,),)


def test_and_binds_tighter_than_or() -> None:
    found = condition('$0 is True and $1 is "a or b and c" or $name is absent')
    assert [[(term.argument.position, term.value) for term in branch] for branch in found] == [
        [(0, True), (1, "a or b and c")],
        [(-1, None)],
    ]


def test_nothing_always_holds() -> None:
    assert condition("") == condition("  ") == ()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("$0", "not a term"),
        ("$0 = 1", "not a term"),
        ("$0 is", "not a term"),
        ("$0 is True and", "not a"),
        ("or $0 is True", "not a term"),
        ("name is True", "not an argument"),
        ('$0 is "open', "unfinished text"),
        ("$0 is 'mixed\"", "unfinished text"),
        ('$0 matches "("', "bad regular expression"),
        ("$0 matches abc", "needs a quoted regular expression"),
        ("$0 is a b", "not a value"),
        ("$0 is a+b", "not a value"),
    ],
)
def test_errors(text: str, what: str) -> None:
    with pytest.raises(ConditionError, match=what):
        condition(text)
