"""Scripts made to break the frontend: it always answers with a module, in bounded time, and tells what it left out."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ir_check import check

from headwater import ir, limits
from headwater.frontends.typescript import lower
from headwater.ir_text import format_module

DEEP = 5_000
NESTED = {
    "parentheses": ("(", ")"),
    "array": ("[", "]"),
    "spread array": ("[...", "]"),
    "object": ("({a: ", "})"),
    "computed key": ("({[", "]: 1})"),
    "call": ("f(", ")"),
    "spread": ("f(...", ")"),
    "new": ("new A(", ")"),
    "item": ("a[", "]"),
    "method": ("a.b(", ").c"),
    "optional": ("a?.b?.(", ")"),
    "not": ("!", ""),
    "minus": ("- ", ""),
    "typeof": ("typeof ", ""),
    "void": ("void ", ""),
    "await": ("await ", ""),
    "power": ("a**", ""),
    "binary": ("(a+", ")"),
    "and": ("(a && ", ")"),
    "or": ("(a || ", ")"),
    "either": ("(a ?? ", ")"),
    "and not": ("a && !", ""),
    "comparison": ("(a < ", ")"),
    "condition": ("(", " ? 1 : 2)"),
    "conditional": ("x ? 1 : ", ""),
    "conditional in brackets": ("(x ? ", " : 2)"),
    "arrow": ("() => ", ""),
    "arrow in brackets": ("(() => ", ")"),
    "default": ("((x = ", ") => x)"),
    "function": ("(function () { return ", " })"),
    "class": ("class { x = ", " }"),
    "class that extends": ("class extends (", ") {}"),
    "assignment": ("(a = ", ")"),
    "property": ("(a.b = ", ")"),
    "augmented": ("(a ||= ", ")"),
    "sequence": ("(a, ", ")"),
    "template": ("`${", "}`"),
    "tagged": ("t`${", "}`"),
    "assertion": ("(", " as any)"),
    "sure": ("(", ")!"),
    "import": ("import(", ")"),
    "require": ("require(", ")"),
    "helper": ("__importStar(", ")"),
}


def lowered(data: bytes | str, seconds: float = 20.0, path: str = "m.ts") -> ir.Module:
    data = data if isinstance(data, bytes) else data.encode()
    begin = time.process_time()
    module = lower(path, data)
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
    head = {"value": f"x = {text};\n", "condition": f"if ({text}) {{}}\n", "argument": f"f({text}).g();\n"}[place]
    lowered(head + "after = here();\n")


@pytest.mark.parametrize("kind", NESTED)
def test_nesting_that_is_read(kind: str) -> None:
    before, after = NESTED[kind]
    assert not lowered("x = " + before * 30 + "1" + after * 30).gaps


@pytest.mark.parametrize("pair", [("<a>", "</a>"), ("<a b={", "}/>"), ("<A>{", "}</A>"), ("<><b/>", "</>"), ("<a.b {...", "}/>")])
def test_deep_tags(pair: tuple[str, str]) -> None:
    before, after = pair
    assert not lowered("x = " + before * 20 + ("1" if before.endswith("{") or "..." in before else "") + after * 20, path="m.tsx").gaps
    lowered("x = " + before * DEEP + "1" + after * DEEP, path="m.tsx")


HEADS = [
    "if (x) {",
    "for (const x of y) {",
    "while (x) {",
    "do {",
    "function f(x) {",
    "class A { m() {",
    "async () => {",
    "try {",
    "switch (x) { case 1: {",
    "namespace N {",
    "{",
    "for (;;) {",
    "x = {m() {",
    "a(function () {",
]


@pytest.mark.parametrize("head", HEADS)
def test_deep_statements(head: str) -> None:
    def nested(depth: int) -> str:
        ends = {"do {": "} while (x)", "try {": "} finally {}", "a(function () {": "})", "class A { m() {": "} }", "x = {m() {": "}}"}
        return (head + "\n") * depth + (ends.get(head, "}}" if head.startswith("switch") else "}") + "\n") * depth

    assert not lowered(nested(45)).gaps
    lowered(nested(DEEP))


def test_mixed_statements() -> None:
    r = random.Random(7)
    lowered("\n".join(r.choice(HEADS) for _ in range(2_000)))


@pytest.mark.parametrize("pair", [("[", "]"), ("{a: ", "}"), ("[[", "]]"), ("{a: [", "]}"), ("[...", "]"), ("{a: {b = c}, d: ", "}")])
def test_deep_patterns(pair: tuple[str, str]) -> None:
    before, after = pair
    pattern = before * 3_000 + "c" + after * 3_000
    for text in (f"const {pattern} = x;", f"function f({pattern}) {{}}", f"({pattern} = x);", f"for (const {pattern} of x) {{}}"):
        lowered(text)


TYPES = [("A<", ">"), ("(", ")"), ("A | (", ")"), ("{a: ", "}"), ("[", "]"), ("() => ", ""), ("keyof ", ""), ("", "[]"), ("Promise<", ">")]


@pytest.mark.parametrize("pair", TYPES)
def test_deep_types(pair: tuple[str, str]) -> None:
    before, after = pair
    kind = before * 3_000 + "T" + after * 3_000
    for text in (f"let x: {kind};", f"type X = {kind};", f"interface X {{ a: {kind} }}", f"function f(x: {kind}): {kind} {{}}"):
        lowered(text)


LONG = {
    "else if": "if (a) {}" + " else if (b === 1 && c) { x = f(1) }\n" * 20_000,
    "case": "switch (x) {" + " case 1: y = 2; break;\n" * 20_000 + "}",
    "case that falls through": "switch (x) {" + " case 1: y = f(2);\n" * 5_000 + "}",
    "empty case": "switch (x) {" + " case 1:\n" * 20_000 + " y() }",
    "plus": "x = " + " + ".join(["a"] * 10_000),
    "and": "x = " + " && ".join(["a"] * 20_000),
    "and in a condition": "if (" + " && ".join(["a"] * 20_000) + ") {}\n",
    "and or": "x = " + " && b || ".join(["a"] * 150),
    "comparison": "x = " + " == ".join(["a"] * 20_000),
    "conditional": "x = " + " ? b : ".join(["a"] * 20_001) + " ? b : c",
    "calls": "x = a" + ".b(1)[2]" * 10_000,
    "targets": "=".join(["a"] * 150) + "=1",
    "pieces": "x = `" + "${a}" * 20_000 + "`",
    "decorators": "@a\n" * 20_000 + "class A {}\n",
    "union": "let x: " + "|".join(["A"] * 20_000),
    "records": "type X = " + "|".join(["{a: A}"] * 3_000),
    "arrows": "const f = () => 1\n" * 20_000,
    "declarations": "const " + ", ".join(f"a{i} = {i}" for i in range(20_000)),
    "variables": "{ var x = 1; }\n" * 20_000,
    "vars in functions": "function f() { var x = 1; return x; }\n" * 20_000,
    "imports": 'import a from "x";\n' * 20_000,
    "exports": "exports.a = f;\n" * 20_000,
    "comments": "/**/ " * 50_000 + "\nx = f(1)",
    "enum": "enum E { " + ", ".join(f"A{i}" for i in range(4_000)) + " }",
    "sequence": "x = (" + ", ".join(["a"] * 20_000) + ")",
    "members": "class A { " + "m() {}\n" * 20_000 + "}",
    "remarks": "// headwater: ignore[a-b] c\n" * 5_000 + "x = 1\n",
    "remarks at ends": "x = 1 // headwater: ignore[a-b] c\n" * 5_000,
}


@pytest.mark.parametrize("kind", LONG)
def test_long_chains_are_read_whole(kind: str) -> None:
    assert not lowered(LONG[kind]).gaps


def test_else_if_chain_is_flat() -> None:
    (whole,) = lowered(LONG["else if"]).functions[0].body
    assert isinstance(whole, ir.If)
    assert len(whole.arms) == 20_001


def test_function_beyond_the_limit_of_instructions() -> None:
    module = lowered("function f() {" + " x = f(a.b, c[1]);\n" * 60_000 + "}\nfunction g() { return 1 }\n", 60)
    assert reasons(module) == {f"function beyond {limits.INSTRUCTIONS} instructions"}
    assert module.functions[1].registers < limits.INSTRUCTIONS + 100
    assert module.functions[2].body
    for text in ("x = " + "+".join(["a"] * 300_000), "f(" + "g(1)," * 200_000 + ")", "x = a" + ".b(1)" * 200_000):
        assert reasons(lowered(text, 60)) == {f"function beyond {limits.INSTRUCTIONS} instructions"}


def test_literals_beyond_the_limit() -> None:
    few = lowered("x = {" + "".join(f'"{i}": 1, ' for i in range(1_000)) + '"k": f, ...g}')
    assert not few.gaps
    assert [i.key for i in few.functions[0].body if isinstance(i, ir.StoreItem)] == [None, None]
    many = lowered("x = [" + "f(1), " * 5_000 + "]")
    assert reasons(many) == {"display"}
    assert len([i for i in many.functions[0].body if isinstance(i, ir.StoreItem)]) == 64


RUNS = '( [ { x=( {a: ) ] } " \\ @ `${ ; : if( => class_ <a> .. * a.prototype /* // a<b> import_ export* aaaa ,_in_ a? / #x export_type*'


@pytest.mark.parametrize("text", RUNS.split())
def test_twenty_thousand_of(text: str) -> None:
    for path in ("m.ts", "m.jsx"):
        lowered(text.replace("_", " ") * 20_000, path=path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"// only a comment",
        b" \n\t\n\f",
        b"\0" * 1_000,
        b"\xff\xfe" * 500,
        b"\xef\xbb\xbf",
        b"#!/usr/bin/env node\nx = 1",
        "import os from 'os'\n".encode("utf-16"),
        b"\r",
        b"\\",
        b"'" * 1_001,
        b"x = 0x" + b"f" * 100_000 + b"\ny = " + b"9" * 100_000 + b"\nz = 1e999999\nw = 0b\nv = 09\nu = 1_000n",
        b'x = "\\ud800\\udfff" + "\\u{110000}" + "\\u{1f600}" + "\\x4"\n',
        b"<!-- a\nx = 1\n--> b\n",
    ],
)
def test_strange_files(data: bytes) -> None:
    lowered(data)


def test_values_that_no_cache_could_hold() -> None:
    module = lowered('a = "\\ud800"; b = 99999999999999999999; c = "\\u{110000}"; d = 5n; e = "\\ud83d\\ude00";\n')
    values = [i.value for i in module.functions[0].body if isinstance(i, ir.Const)]
    assert values == ["\ufffd", 1e20, "\ufffd", 5, "\U0001f600"]


def test_files_with_a_mark_and_other_line_ends() -> None:
    module = lowered(b"\xef\xbb\xbfimport os from 'os'\nx = 1\n")
    assert not module.gaps
    assert module.imports["os"][0].start == 3
    module = lowered(b"import os from 'os'\r\nif (os) {\r\n  x = 1\r\n  y = 2\r\n}\r\n")
    assert not module.gaps
    assert list(module.functions[0].names) == ["x", "y"]


def test_garbage() -> None:
    r = random.Random(1)
    lowered(r.randbytes(100_000))
    lowered(bytes(r.choices(b"abc(){}[]:=.,\"'\n \t+-#@0123<>/`$", k=100_000)))


SUITE = Path(__file__).with_name("typescript_ir.md")
WORDS = (
    "function_f( class_A_{ switch_(x)_{_case_ ()_=> ( ) [ ] { } : = => ... * ** @ . ?. , ; \" ' ` ${ \\ // "
    "/* */ if_( else_ try_{ catch_(e)_{ finally_{ async_ await_ yield_ ! _in_ _of_ _instanceof_ typeof_ \x00 "
    "import_ export_ from_'x' require('x') default_ const_ let_ var_ type_X_= interface_I_{ enum_E_{ "
    "namespace_N_{ declare_ abstract_ static_ get_ set_ <T> <a> </a> /> as_any satisfies_T ??= && #x new_ "
    "delete_ void_ throw_ return_ break_ continue_ lbl: exports.x_= module.exports_= F.prototype.m_= "
    "this. super( 0777 1n é ? & using_"
)
TOKENS = ["\n", *(word.replace("_", " ") for word in WORDS.split(" "))]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    source = SUITE.read_bytes()
    r = random.Random(draw(st.integers(0, 1 << 32)))
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
            other = r.randrange(len(source))
            data[at:at] = source[other : other + r.randrange(200)]
        elif what == 4:
            del data[at:]
        else:
            data[at:at] = data[at // 2 : at // 2 + r.randrange(60)]
    return bytes(data)


@settings(max_examples=600, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(mutated(), st.sampled_from(["m.ts", "m.tsx", "m.js"]))
def test_mutated_code(data: bytes, path: str) -> None:
    lowered(data, path=path)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    lowered(data)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(TOKENS), max_size=60), st.sampled_from(["m.ts", "m.tsx"]))
def test_any_tokens(tokens: list[str], path: str) -> None:
    lowered("".join(tokens), path=path)


def test_the_same_bytes_give_the_same_module() -> None:
    data = SUITE.read_bytes()
    assert lower("m.ts", data) == lower("m.ts", data)


def test_what_is_broken_costs_only_itself() -> None:
    module = lowered("function f() { return g(1) }\nconst = = 3;\nclass A { m() { return 2 } }\nexport const z = f();\n")
    assert reasons(module) == {"syntax not understood"}
    assert {"f", "A"} <= set(module.definitions)
    assert module.exported == {"z": "z"}


@pytest.mark.parametrize("text", ["{" * 200_000, "if (a) {" * 100_000, "f({" * 100_000, "[" * 200_000 + "]" * 200_000])
def test_brackets_that_would_use_up_the_stack_of_the_parser(text: str) -> None:
    module = lower("a.ts", text.encode())
    assert [gap.reason for gap in module.gaps] == ["the parser would need too long for its broken syntax"]


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("x = <p>Preview & {f(1)} & (@$!%*?&-). &amp; &</p>;\nif (a & b && c) f(2);\n", 3),
        ("type A = { b?: import('zod').Output<{}, import('zod').Any, 'x'> | undefined } & { [k: string]: unknown };\nf(2);\n", 1),
        ("function f(a: import(\"./b\").B<string>) { return g(a) }\nconst m = import('./b').then<string>(f);\n", 1),
    ],
)
def test_what_the_grammar_does_not_read_and_we_do(text: str, calls: int) -> None:
    module = lowered(text, path="m.tsx")
    assert not module.gaps
    assert format_module(module).count("= call ") >= calls


DEEP_FILES = {
    "a.ts": "if (a) {",
    "b.ts": "!",
    "c.ts": "do ",
    "d.ts": "a => ",
    "e.ts": "`${",
    "f.ts": "x: ",
    "g.tsx": "<a>",
    "h.js": "f(() => {",
    "i.vue": "<p v-if='a'>",
    "j.svelte": "{#if a}",
    "k.vue": "<script setup>{{{{",
    "l.ts": "type A = B<",
}


def test_a_review_in_one_process_outlives_files_that_nest_too_deep(tmp_path: Path) -> None:
    """The parser's own stack: a crash in it would be that of the review."""
    for name, text in DEEP_FILES.items():
        (tmp_path / name).write_text(text * 95_000)
    (tmp_path / "z.ts").write_text(
        'import { exec } from "child_process";\nexpress().get("/", (req) => exec(req.query.a));\nimport express from "express";\n'
    )
    command = [
        sys.executable,
        "-P",
        "-m",
        "headwater",
        "review",
        str(tmp_path),
        "--format",
        "json",
        "--fail-on",
        "never",
        "--processes",
        "1",
    ]
    done = subprocess.run(command, env={**os.environ, "HEADWATER_CACHE": "off"}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    report = json.loads(done.stdout)
    assert [finding["place"]["path"] for finding in report["findings"]] == ["z.ts"]
    assert {gap["path"] for gap in report["coverage"]["gaps"]} >= set(DEEP_FILES)
