"""The page beside this file: which findings of a project before and after a change are the same one."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

import headwater
from headwater import limits
from headwater.anchors import Anchor, anchor
from headwater.config import Config
from headwater.files.source import Source
from headwater.matching import Item, item, match
from headwater.rules.load import Case, Rule
from headwater.rules.schema import RuleHead
from suites.suites import write

PAGE = (Path(__file__).parent / "matching.md").read_text(encoding="utf-8")
HEAD = RuleHead(id="matching", title="matching", severity="low", message="x", fix="x")
CASES = Rule(HEAD, PAGE, 1, "matching.md").cases
_MARK = re.compile(r"(?:#|//) is: (\w+)$")


def items(root: Path) -> tuple[list[Item], list[str]]:
    """The findings of a project, and the mark of the line of each."""
    review = headwater.review(root, Config(processes=1))
    found, marks = [], []
    for one in review.findings:
        source = review.sources[one.place.path]
        line = source.position(one.place.start)[0]
        mark = _MARK.search(source.line_text(line))
        assert mark, f"{one.place.path}:{line}: {one.rule} is not marked"
        found.append(item(one, line))
        marks.append(mark[1])
    return found, marks


def expected(root: Path) -> list[str]:
    return sorted(mark for path in root.rglob("*.*") for mark in re.findall(r"(?:#|//) is: (\w+)$", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_case(case: Case, tmp_path: Path) -> None:
    write(case.files, tmp_path)
    before, was = items(tmp_path / "before")
    after, now = items(tmp_path / "after")
    assert sorted(was) == expected(tmp_path / "before")
    assert sorted(now) == expected(tmp_path / "after")
    pairs = match(before, after)
    told = [(was[pairs[number]] if number in pairs else "new") for number in range(len(after))]
    assert told == now
    assert sorted(mark for number, mark in enumerate(was) if number not in pairs.values()) == [
        mark for mark in sorted(was) if mark == "fixed"
    ]


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_a_project_is_the_same_as_itself_in_any_order(case: Case, tmp_path: Path) -> None:
    write(case.files, tmp_path)
    found, _ = items(tmp_path / "after")
    for seed in range(5):
        order = list(range(len(found)))
        random.Random(seed).shuffle(order)
        pairs = match(found, [found[number] for number in order])
        assert {new: order[new] for new in range(len(order))} == pairs


# ------------------------------------------------------------------------------------------------------------ anchors


def known(text: str, names: Sequence[str] = ()) -> Anchor:
    data = text.encode()
    return anchor(Source("a.py", data), 0, len(data), (0, len(data)), names)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f(a,b)", "f( a,\n   b, # why\n)"),
        ("f('a')", 'f("a")'),
        ("f('it\"s')", 'f("it\\"s")'),
        ("f(a, k=1, j=2)", "f(a, j=2, k=1)"),
        ("f(y=g(k=1, j=2), z=3)", "f(z=3, y=g(j=2, k=1))"),
        ("f('ab' f'{c}d')", "f(f'ab{c}d')"),
        ("f('''a\n   b''')", "f('''a\nb''')"),
        ("a \\\n  + b", "a+b"),
        ("[a, b,]", "[a, b]"),
    ],
)
def test_layout_does_not_count(one: str, other: str) -> None:
    assert known(one) == known(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f(a, b)", "f(b, a)"),
        ("f('a#b')", "f('a#c')"),
        ("f(a)", "f(a, x=1)"),
        ("f('a', 'b')", "f('ab')"),
        ("{1: a, 2: b}", "{2: b, 1: a}"),
        ("not x", "notx"),
        ("f('" + "a" * 300 + "b')", "f('" + "a" * 300 + "c')"),
    ],
)
def test_meaning_counts(one: str, other: str) -> None:
    assert known(one).expression != known(other).expression
    assert known(one).shape != known(other).shape


def test_only_names_of_local_variables_are_left_out_of_the_shape() -> None:
    assert known("f(cmd, shell=cmd.shell)", ["cmd"]).shape == known("f(line, shell=line.shell)", ["line"]).shape
    assert known("f(f'ls {cmd.path!r}')", ["cmd"]).shape == known("f(f'ls {line.path!r}')", ["line"]).shape
    assert known("f(a, b)", ["a", "b"]).shape != known("f(a, a)", ["a"]).shape
    assert known("f(x.cmd)", ["x", "cmd"]).shape != known("f(x.line)", ["x", "line"]).shape
    assert known("f(cmd=x)", ["x", "cmd"]).shape != known("f(line=x)", ["x", "line"]).shape
    assert known("f('cmd')", ["cmd"]).shape != known("f('line')", ["line"]).shape


@pytest.mark.parametrize("text", ["'''", '"\\', "f'{", "((((", "))))", "\\", "\x00", "'a\nb'", "é(ü)", '"' * 5, "#", ""])
def test_broken_text_is_taken_as_it_is(text: str) -> None:
    assert len(known(text).expression) <= limits.EXPRESSION_CHARS


@pytest.mark.parametrize("text", ['"""\\', "'''x", "\\\n", "(", ")", "f(", "a=", "{", "f'{", "0.", "#"])
def test_long_text_takes_linear_time(text: str) -> None:
    known(text * (limits.ANCHOR_BYTES // len(text)))


# --------------------------------------------------------------------------------------------------------- the matcher

ONE = Item("r", "code", "a.py", "f", "eval(x)", "s", ("p", "q"), 0, 1)


def test_what_is_ambiguous_is_not_paired() -> None:
    """One operation is gone, and two that are like it in all have come elsewhere."""
    apart = [msgspec.structs.replace(ONE, path=path, function=path) for path in ("b.py", "c.py")]
    assert match([ONE], apart) == {}


def test_what_is_no_call_is_known_by_what_it_is_like() -> None:
    """A message for a model, of which a text becomes a constant."""
    old = msgspec.structs.replace(ONE, class_="prompt-system", expression='{"role":"system", "content":value}')
    new = msgspec.structs.replace(old, expression='{"role":ROLE, "content":value}', shape="other")
    assert match([old], [new]) == {0: 0}
    assert match([old], [msgspec.structs.replace(new, function="g", around=("", ""), expression='{"a":b}')]) == {}


def test_a_known_rename_decides() -> None:
    apart = [msgspec.structs.replace(ONE, path=path, around=("", "")) for path in ("b.py", "c.py")]
    assert match([ONE], apart, {"a.py": "c.py"}) == {1: 0}


def test_many_equal_ones_are_compared_in_good_time() -> None:
    many = [
        msgspec.structs.replace(ONE, function=f"f{number}", shape=f"s{number % 7}", expression=f"eval(x{number})") for number in range(3000)
    ]
    other = [msgspec.structs.replace(one, path="b.py", function=f"g{number}") for number, one in enumerate(many)]
    assert match(many, other) == {number: number for number in range(3000)}
