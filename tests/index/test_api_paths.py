"""API paths and the patterns that match them."""

from __future__ import annotations

import pytest

from headwater import limits
from headwater.apis.paths import PatternError, Patterns, expand, find_all, split


def patterns(*paths: str, types: dict[str, list[str]] | None = None) -> Patterns[str]:
    made: Patterns[str] = Patterns(types or {})
    for path in paths:
        made.add(path, path)
    return made


def entries(made: Patterns[str], path: str) -> tuple[str, ...] | None:
    found = made.find(path)
    return None if found is None else found.entries


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("a", ("a",)),
        ("a.b", ("a", "b")),
        ("a.b().c[]", ("a", "b", "()", "c", "[]")),
        ("a()[]()", ("a", "()", "[]", "()")),
        ("?.b", ("?", "b")),
        ("?llm.b", ("?llm", "b")),
        ("a.**.b", ("a", "**", "b")),
    ],
)
def test_split(path: str, steps: tuple[str, ...]) -> None:
    assert split(path) == steps


@pytest.mark.parametrize("path", ["", "a..b", ".a", "a."])
def test_split_of_what_is_no_path(path: str) -> None:
    with pytest.raises(PatternError):
        split(path)


def test_expand() -> None:
    assert expand("a") == ("a",)
    assert expand("{a,b}.c") == ("a.c", "b.c")
    assert sorted(expand("{a,b}.{c,d}()")) == ["a.c()", "a.d()", "b.c()", "b.d()"]
    assert expand("x.{a,{b,c}.d}") == ("x.a", "x.b.d", "x.c.d")
    assert expand("{a,a}") == ("a",)
    assert expand("{a, b}") == ("a", "b")


@pytest.mark.parametrize("path", ["{a", "a}", "{a,{b}", "{a,b}}", "{0,1,2,3,4,5,6,7}" * 5])
def test_expand_of_what_is_wrong(path: str) -> None:
    with pytest.raises(PatternError):
        expand(path)


def test_exact() -> None:
    made = patterns("a.b().c")
    assert entries(made, "a.b().c") == ("a.b().c",)
    assert entries(made, "a.b()") == ()
    assert entries(made, "a.c") is None
    assert entries(made, "a.b") == ()
    assert made.root("x") is None


def test_one_name() -> None:
    made = patterns("a.*.c")
    assert entries(made, "a.x.c") == ("a.*.c",)
    assert not entries(made, "a.c")
    assert not entries(made, "a.x.y.c")
    assert not entries(made, "a().c")  # a call is no name


def test_any_names() -> None:
    made = patterns("a.**.c")
    for path in ("a.c", "a.x.c", "a.x.y.c"):
        assert entries(made, path) == ("a.**.c",), path
    assert not entries(made, "a.x().c")
    assert entries(made, "a.x") == ()


def test_any_names_then_calls() -> None:
    made = patterns("a.**.*().run")
    assert entries(made, "a.x().run") == ("a.**.*().run",)
    assert entries(made, "a.x.y.z().run") == ("a.**.*().run",)
    assert not entries(made, "a.x.y")


def test_the_most_specific_wins() -> None:
    made = patterns("a.**", "a.*.c", "a.b.c", "a.b.*")
    assert entries(made, "a.b.c") == ("a.b.c",)
    assert entries(made, "a.x.c") == ("a.*.c",)
    assert entries(made, "a.b.x") == ("a.b.*",)
    assert entries(made, "a.x.y") == ("a.**",)


def test_equally_specific_ones_all_count() -> None:
    made: Patterns[str] = Patterns({})
    made.add("a.b", "first")
    made.add("a.b", "second")
    assert entries(made, "a.b") == ("first", "second")


def test_types() -> None:
    made = patterns("Client.ask", "Client.chat.*", types={"Client": ["a.Client()", "b.{X,Y}()", "a.make()"]})
    for path in ("a.Client().ask", "b.X().ask", "b.Y().ask", "a.make().ask"):
        assert entries(made, path) == ("Client.ask",), path
    assert entries(made, "a.Client().chat.x") == ("Client.chat.*",)
    found = made.find("b.X()")
    assert found is not None
    assert found.types == {"Client"}
    assert entries(made, "Client.ask") is None  # the type's name is no name of code


def test_types_of_types_and_of_themselves() -> None:
    made = patterns("Any.run", types={"Model": ["a.M()", "Model.bind()"], "Any": ["Model", "b.Chain()"]})
    assert entries(made, "a.M().run") == ("Any.run",)
    assert entries(made, "a.M().bind().bind().run") == ("Any.run",)
    assert entries(made, "b.Chain().run") == ("Any.run",)
    found = made.find("a.M().bind()")
    assert found is not None
    assert found.types == {"Model", "Any"}


def test_types_that_name_each_other_end() -> None:
    made = patterns("A.x", "B.y", types={"A": ["B", "m.a()"], "B": ["A"]})
    assert entries(made, "m.a().x") == ("A.x",)
    assert entries(made, "m.a().y") == ("B.y",)


def test_unknown_receivers() -> None:
    made = patterns("?.run", "?llm.ask")
    assert entries(made, "?.run") == ("?.run",)
    assert entries(made, "?llm.ask") == ("?llm.ask",)
    assert entries(made, "?.ask") is None


def test_paths_are_interned() -> None:
    made = patterns("a.b.c")
    assert made.find("a.b") is made.find("a.b")
    assert made.root("a") is made.find("a")


def test_names_after() -> None:
    made = patterns("a.b.c", "a.d()", "a.*.x")
    root = made.root("a")
    assert root is not None
    assert made.names_after(root) == ["b", "d"]
    assert made.first_names() == {"a"}


def test_long_paths_end() -> None:
    made = patterns("a.**")
    assert entries(made, "a" + ".b" * (limits.API_PATH - 1)) == ("a.**",)
    assert entries(made, "a" + ".b" * 1_000) is None


def test_a_builder_that_returns_itself_is_the_same_path() -> None:
    """However long the chain is, it ends nowhere, makes no new paths, and says the same."""
    made = patterns("Page.text", types={"Page": ["web.open()", "Page.{first,next()}"]})
    assert made.find("web.open().first.next().first") is made.find("web.open().first")
    assert made.find("web.open().first.first") is made.find("web.open().first")
    assert entries(made, "web.open()" + ".first.next()" * limits.API_PATH + ".text") == ("Page.text",)


def test_find_all() -> None:
    made = patterns("a.b", "c.d")
    assert [found.text for found in find_all(made, ["a.b", "x.y", "c.d"])] == ["a.b", "c.d"]


def test_patterns_wait_until_they_are_asked_for() -> None:
    """When they were added, and what was asked for before, makes no difference."""
    made = patterns("{a,b[]}.c", "**.z", "T.x", types={"T": ["b.T()", "U"], "U": ["c.U()"]})
    assert made.first_names() == {"a", "b", "c"}
    assert entries(made, "b[].c") == ("{a,b[]}.c",)
    assert entries(made, "c.U().x") == ("T.x",)
    made.add("c.late", "late")
    made.add("T.late", "of the type")
    assert entries(made, "c.late") == ("late",)
    assert entries(made, "b.T().late") == ("of the type",)
    assert entries(made, "a.c") == ("{a,b[]}.c",)
    assert entries(made, "unheard.of.z") == ("**.z",)
    assert made.first_names() == {"a", "b", "c"}
