"""Each construct of TypeScript and JavaScript as the IR that it becomes: the suite in typescript_ir.md."""

from __future__ import annotations

from pathlib import Path

import pytest
from ir_check import check
from ir_suite import cases, update

from headwater import ir
from headwater.frontends.typescript import lower
from headwater.ir_text import format_module

SUITE = Path(__file__).with_name("typescript_ir.md")


def _dump(language: str, source: str) -> str:
    module = lower(f"m.{language}", source.encode())
    check(module)
    return format_module(module)


@pytest.mark.parametrize(("language", "source", "expected"), [pytest.param(*rest, id=title) for title, *rest in cases(SUITE)])
def test_construct(language: str, source: str, expected: str) -> None:
    assert _dump(language, source) == expected


def test_update() -> None:
    update(SUITE, _dump)


@pytest.mark.parametrize(
    ("path", "language"),
    [("a.ts", "typescript"), ("a.TSX", "typescript"), ("a.cts", "typescript"), ("a.jsx", "javascript"), ("a.mjs", "javascript")],
)
def test_language(path: str, language: str) -> None:
    assert lower(path, b"x = 1").language == language


def test_each_file_is_read_with_the_grammar_that_understands_it() -> None:
    assert not lower("a.ts", b"x = <T>y;\n").gaps
    assert not lower("a.tsx", b"x = <T>y</T>;\n").gaps
    assert not lower("a.js", b"x = <T>y</T>;\n").gaps
    assert not lower("a.js", b"x = <T>y;\n").gaps  # an assertion of a type, which the other grammar knows


@pytest.mark.parametrize(
    ("source", "gaps"),
    [
        ('export type * from "x";\nf();', ["type"]),
        ('import defer * as x from "y";\nx.f();', ["defer"]),
        ("interface A<in T, in out U> {}\nf();", ["in", "in out"]),
        ("using x = f();\nawait using y = g(x);\n", []),
    ],
)
def test_what_the_grammar_does_not_know_is_blanked_and_told(source: str, gaps: list[str]) -> None:
    module = lower("m.ts", source.encode())
    assert [source[gap.start : gap.end] for gap in module.gaps] == gaps
    assert any(isinstance(i, ir.Call) for i in module.functions[0].body)


SOURCE = """\
app.get("/x", (req, res) => {
  // headwater: ignore[a] because
  exec(
    `a
     ${req.q}`,
  );
  b(); // headwater: ignore[b] because
  c();
});
/* headwater: ignore[c] because */ // more
foo({
  a: 1,
});
const text = "// headwater: ignore[d] because";
"""


def test_remarks_are_about_logical_lines() -> None:
    found = lower("m.ts", SOURCE.encode()).remarks
    assert [
        (SOURCE[r.start : r.end].split()[2], SOURCE[r.first : r.last].split("\n")[0].strip(), SOURCE[r.first : r.last].count("\n"))
        for r in found
    ] == [
        ("ignore[a]", "exec(", 4),
        ("ignore[b]", "b(); // headwater: ignore[b] because", 1),
        ("ignore[c]", "foo({", 3),
    ]
