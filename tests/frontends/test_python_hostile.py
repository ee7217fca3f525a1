"""Input made to break the frontend: it always answers with a module, in bounded time, and tells what it left out."""

from __future__ import annotations

import random
import sysconfig
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ir_check import check

from headwater import ir, limits
from headwater.frontends.python import lower

STDLIB = Path(sysconfig.get_path("stdlib"))
DEEP = 5_000
NESTED = {
    "parentheses": ("(", ")"),
    "list": ("[", "]"),
    "set": ("{", "}"),
    "tuple": ("(", ",)"),
    "dict": ("{1:", "}"),
    "call": ("f(", ")"),
    "keyword": ("f(k=", ")"),
    "star": ("f(*", ")"),
    "starred list": ("[*", "]"),
    "subscript": ("a[", "]"),
    "slice": ("a[1:", "]"),
    "method": ("a.b(", ").c"),
    "not": ("not ", ""),
    "minus": ("-", ""),
    "await": ("await ", ""),
    "power": ("a**", ""),
    "binary": ("(a+", ")"),
    "and": ("(a and ", ")"),
    "or": ("(a or ", ")"),
    "and not": ("a and not ", ""),
    "comparison": ("(a < ", ")"),
    "chained": ("(a < b < ", ")"),
    "condition": ("1 if ", " else 2"),
    "conditional": ("(1 if x else ", ")"),
    "lambda": ("lambda: ", ""),
    "default": ("lambda x=", ":x"),
    "walrus": ("(a:=", ")"),
    "yield": ("(yield ", ")"),
    "iterable": ("[x for x in ", "]"),
    "element": ("[", " for x in y if z]"),
    "generator": ("(", " for x in y for z in x)"),
    "dict comprehension": ("{a:", " for a in b}"),
    "isinstance": ("isinstance(", ",x)"),
    "text": ('f"{', '}"'),
}


def lowered(data: bytes | str, seconds: float = 20.0) -> ir.Module:
    data = data if isinstance(data, bytes) else data.encode()
    begin = time.process_time()
    module = lower("m.py", data)
    assert time.process_time() - begin < seconds
    assert not [gap for gap in module.gaps if gap.reason.startswith("internal")], module.gaps
    assert all(0 <= gap.start <= gap.end <= len(data) for gap in module.gaps)
    check(module)
    return module


def reasons(module: ir.Module) -> set[str]:
    return {gap.reason for gap in module.gaps}


@pytest.mark.parametrize("kind", NESTED)
@pytest.mark.parametrize("place", ["value", "condition", "argument"])
def test_deep_expressions(kind: str, place: str) -> None:
    before, after = NESTED[kind]
    text = before * DEEP + "1" + after * DEEP
    head = {"value": f"x = {text}\n", "condition": f"if {text}:\n  pass\n", "argument": f"f({text}).g()\n"}[place]
    module = lowered(head + "after = here()\n")
    assert "after" in module.functions[0].names


@pytest.mark.parametrize("kind", NESTED)
def test_nesting_that_is_read(kind: str) -> None:
    before, after = NESTED[kind]
    assert not lowered("x = " + before * 30 + "1" + after * 30).gaps


STATEMENTS = ["if x:", "for x in y:", "while x:", "with a as b:", "def f(x):", "class A:", "async def f():", "if a and b or (c < d < e):"]


@pytest.mark.parametrize("head", STATEMENTS)
def test_deep_statements(head: str) -> None:
    def nested(depth: int) -> str:
        return "".join(" " * i + head + "\n" for i in range(depth)) + " " * depth + "pass\n"

    assert not lowered(nested(90)).gaps
    assert reasons(lowered(nested(250))) == {f"nesting beyond {limits.NESTING}"}
    # This many would write past the end of a buffer of the parser
    assert lowered(nested(900)).gaps[0].reason.endswith("levels of indentation")


@pytest.mark.parametrize("odd", ["", "f'{a}'\n", '"""', "\\\n"])
def test_indentation_that_the_parser_does_not_bear(odd: str) -> None:
    for step in (" ", "\t", " \\\n "):
        text = "".join(step * i + "match x:\n" + step * i + " case [a, b] if c:\n" + odd for i in range(600))
        lowered(text)


def test_mixed_statements() -> None:
    r = random.Random(7)
    heads = ["if x:", "for x in y:", "def f(x=[lambda: q for q in x]):", "class A:", "with a as b:", "while (a and not (b or c)):", "try:"]
    lowered("".join(" " * i + r.choice(heads) + "\n" for i in range(280)) + " " * 280 + "pass\n")


@pytest.mark.parametrize("pattern", [("[", "]"), ("A(b=", ")"), ("{1: ", "}"), ("(", " as b)"), ("A(", ")")])
def test_deep_patterns(pattern: tuple[str, str]) -> None:
    before, after = pattern
    assert lowered("match x:\n case " + before * 3_000 + "c" + after * 3_000 + ": pass\n").gaps


LONG = {
    "elif": "if a: pass\n" + "elif b == 1 and c: x = f(1)\n" * 20_000,
    "case": "match x:\n" + " case 1: y = 2\n" * 20_000,
    "plus": "x = " + " + ".join(["a"] * 10_000),
    "and": "x = " + " and ".join(["a"] * 20_000),
    "and in a condition": "if " + " and ".join(["a"] * 20_000) + ": pass\n",
    "and or": "x = " + " and b or ".join(["a"] * 20_000),
    "comparison": "x = " + " < ".join(["a"] * 20_000),
    "conditional": "x = " + " if b else ".join(["a"] * 20_000),
    "calls": "x = a" + ".b(1)[2]" * 10_000,
    "targets": "=".join(["a"] * 20_000) + "=1",
    "texts": "x = " + '"a" ' * 20_000,
    "interpolations": 'x = f"' + "{a}" * 20_000 + '"',
    "alternatives": "match x:\n case " + "|".join(["1"] * 20_000) + ": pass\n",
    "decorators": "@a\n" * 20_000 + "def f(): pass\n",
    "attributes": "x: " + ".".join(["a"] * 20_000) + " = 1",
    "union": "x: " + "|".join(["A"] * 20_000),
    "import": "import " + ".".join(["a"] * 20_000),
    "lambdas": "f = lambda: 1\n" * 20_000,
    "continued lines": "x = 1\n" + "\\\n" * 100_000 + "y = 2\n",
}


@pytest.mark.parametrize("kind", LONG)
def test_long_chains_are_read_whole(kind: str) -> None:
    assert not lowered(LONG[kind]).gaps


def test_elif_chain_is_flat() -> None:
    module = lowered(LONG["elif"])
    (whole,) = module.functions[0].body
    assert isinstance(whole, ir.If)
    assert len(whole.arms) == 20_001


def test_function_beyond_the_limit_of_instructions() -> None:
    module = lowered("def f():\n" + " x = f(a.b, c[1])\n" * 60_000 + "def g(): return 1\n", 60)
    assert reasons(module) == {f"function beyond {limits.INSTRUCTIONS} instructions"}
    assert module.functions[1].registers < limits.INSTRUCTIONS + 100
    assert module.functions[2].body
    for text in ("x = " + "+".join(["a"] * 300_000), "f(" + "g(1)," * 200_000 + ")", "x = a" + ".b(1)" * 200_000):
        assert reasons(lowered(text, 60)) == {f"function beyond {limits.INSTRUCTIONS} instructions"}


def test_displays_beyond_the_limit() -> None:
    whole = lowered("x = [" + "(1, 'a', -2), " * 5_000 + "]")
    assert not whole.gaps
    body = whole.functions[0].body
    build = next(i for i in body if isinstance(i, ir.Build) and i.kind == "list")
    assert len(build.parts) == limits.BUILD_PARTS
    few = lowered("x = {" + "".join(f'"{i}": 1, ' for i in range(1_000)) + '"k": f, **g}')
    assert not few.gaps
    assert [i.key for i in few.functions[0].body if isinstance(i, ir.StoreItem)] == [None, None]
    many = lowered("x = [" + "f(1), " * 5_000 + "]")
    assert reasons(many) == {"display"}
    assert len([i for i in many.functions[0].body if isinstance(i, ir.StoreItem)]) == 64


@pytest.mark.parametrize(
    "text", ["(", "[", "{", "x = (", "{a:", ")", "]", "}", '"', "\\", "@", 'f"{', ";", ":", "if ", "def ", "class ", "match ", "..", "*"]
)
def test_a_hundred_thousand_of(text: str) -> None:
    lowered(text * 100_000)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"# only a comment",
        b" \n\t\n\f",
        b"\0" * 1_000,
        b"\xff\xfe" * 500,
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf\xef\xbb\xbfx",
        "import os\n".encode("utf-16"),
        b"\r",
        b"\\",
        b"'" * 1_001,
        b"x = '\\N{' \\N{}\n",
        b"x = 0x" + b"f" * 100_000 + b"\ny = " + b"9" * 100_000 + b"\nz = 1e999999\nw = 0b\nv = 09\n",
        b'x = "\\ud800\\udfff" b"\\xff"\n',
        b"x = (\n# comment\n\\\n)",
    ],
)
def test_strange_files(data: bytes) -> None:
    lowered(data)


def test_values_that_no_cache_could_hold() -> None:
    module = lowered('a = "\\ud800"\nb = 99999999999999999999\nc = "\\U00110000"\n')
    values = [i.value for i in module.functions[0].body if isinstance(i, ir.Const)]
    assert values == ["\ufffd", 1e20, "\ufffd"]


def test_files_with_a_mark_and_other_line_ends() -> None:
    module = lowered(b"\xef\xbb\xbfimport os\nx = 1\n")
    assert not module.gaps
    assert module.imports["os"][0].start == 3
    for data in (b"import os\rx = 1\ry = 2\r", b"import os\r\nif os:\r\n  x = 1\r\n  y = 2\r\n"):
        module = lowered(data)
        assert not module.gaps
        assert list(module.functions[0].names) == ["x", "y"]


def test_garbage() -> None:
    r = random.Random(1)
    lowered(r.randbytes(100_000))
    lowered(bytes(r.choices(b"abc(){}[]:=.,\"'\n \t+-#@0123", k=300_000)))


TOKENS = [
    "def f(",
    "class A:",
    "match x:\n case ",
    "lambda ",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    "=",
    ":=",
    "*",
    "**",
    "@",
    ".",
    ",",
    "\n",
    "\n    ",
    "\t",
    '"',
    '"""',
    "'",
    'f"{',
    "\\",
    "#",
    "if ",
    "else",
    "elif x:",
    "try:",
    "except",
    "finally:",
    "async ",
    "await ",
    "yield ",
    "not ",
    " in ",
    " is ",
    "\x00",
    "print ",
    "exec ",
    "global x",
    "nonlocal x",
    "import ",
    "from ",
    "type X = ",
    "->",
    "for ",
    "while ",
    "with ",
    "as ",
    "del ",
    "raise ",
    "return ",
    "`",
    "<>",
    "0777",
    "1L",
    "!",
    "$",
    "?",
    "é",
    "ｅ",
]


def _snippets() -> list[bytes]:
    suite = Path(__file__).with_name("python_ir.md").read_bytes()
    files = [
        "argparse.py",
        "dataclasses.py",
        "asyncio/tasks.py",
        "contextlib.py",
        "test/test_patma.py",
        "test/test_fstring.py",
        "typing.py",
    ]
    return [suite, suite] + [(STDLIB / f).read_bytes() for f in files if (STDLIB / f).exists()]


SNIPPETS = _snippets()


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    r = random.Random(draw(st.integers(0, 1 << 32)))
    source = r.choice(SNIPPETS)
    begin = r.randrange(len(source))
    data = bytearray(source[begin : begin + r.randrange(10, 3_000)])
    for _ in range(draw(st.integers(0, 12))):
        at = r.randrange(len(data) + 1)
        what = r.randrange(6)
        if what == 0 and at < len(data):
            data[at] = r.randrange(256)
        elif what == 1:
            del data[at : at + r.randrange(40)]
        elif what == 2:
            data[at:at] = r.choice(TOKENS).encode()
        elif what == 3:
            other = r.choice(SNIPPETS)
            other_at = r.randrange(len(other))
            data[at:at] = other[other_at : other_at + r.randrange(200)]
        elif what == 4:
            del data[at:]
        else:
            data[at:at] = data[at // 2 : at // 2 + r.randrange(60)]
    return bytes(data)


@settings(max_examples=600, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_mutated_code(data: bytes) -> None:
    lowered(data)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    lowered(data)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(TOKENS), max_size=60))
def test_any_tokens(tokens: list[str]) -> None:
    lowered("".join(tokens))


def test_the_same_bytes_give_the_same_module() -> None:
    for data in SNIPPETS[1:4]:
        assert lower("m.py", data) == lower("m.py", data)


@pytest.mark.parametrize("text", ['x = b as e\ne += [""]\n', "a *= b: int\n", "a += b += c\n", "x = *y\n", "for *x in y: pass\n"])
def test_invalid_code_that_the_grammar_reads(text: str) -> None:
    lowered(text)


@pytest.mark.parametrize("count", [3_000, 100_000])
@pytest.mark.parametrize("text", ["x = {}y\n", "def f(a: '{}y') -> None: ...\n"], ids=["a line", "an annotation"])
def test_errors_that_the_parser_gets_over_ever_more_slowly(count: int, text: str) -> None:
    """Time is quadratic in their number: 3,000 on one line take seconds, and there are several rounds."""
    module = lowered(text.replace("{}", "from + " * count) + "after = here()\n")
    assert reasons(module) <= {"the parser would need too long for its broken syntax", "syntax not understood"}
    assert module.functions[0].name == "<module>"


def test_what_was_given_up_leaves_no_trace_in_the_next_file() -> None:
    expected = lowered("def f(x: 'int') -> str:\n    return g(x)\n")
    assert reasons(lowered("x = " + "from + " * 50_000)) == {"the parser would need too long for its broken syntax"}
    assert lowered("def f(x: 'int') -> str:\n    return g(x)\n") == expected
