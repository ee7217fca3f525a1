"""Makes hostile inputs out of real ones, each from a random number generator: the same seed gives the same bytes on every machine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

TOKENS: Final = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf0\x9f\x8c\x8a", b"\r", b"\r\n", b"\f", b"\t", b"\\\n", b"\x1b[2J", b"\x85",
    "\u202e".encode(), "\u2028".encode(), "\u0301".encode(), b'"""', b"'''", b'f"{', b"rb'", b't"{x!r:>{', b"((", b"]]", b"}}", b"{",
    b":", b":=",
    b"**", b"->", b"@", b"lambda: ", b"match x:\n case ", b"async ", b"await ", b"yield ", b"global x\n", b"nonlocal x\n", b"del ",
    b"type X[T: ",
    b"class A(A): ", b"import a.b as a\n", b"from . import *\n", b"exec 'x' in y\n", b"print >>x, y\n", b"except* E:\n", b"else:\n",
    b"finally:\n",
    b"# coding: utf-7\n", b"# headwater: ignore[", b"999999999999999999999", b"1e999", b"0x", b"1_", b"-", b"- ", b"&a ", b"*a",
    b"!!python/name:x ",
    b"<<: ", b"---\n", b"...\n", b"~", b"null", b"[", b"{{", b"%s", b"$0", b"=", b"[[x]]\n", b'"', b"'", b"\\u0000", b"\\ud800",
    b"1979-13-45", b"inf",
    b"nan", b"==1.*", b"!=1.0.post9999999999999999999999", b"===x", b"; python_version < '", b" @ file:///", b"\n\n", b"",
)  # fmt: skip
"""What has a meaning to one of the readers, or none to any."""

ENCODINGS: Final = (
    "utf-7", "utf-16", "utf-32-le", "latin-1", "cp1252", "shift_jis", "gb18030", "koi8-r", "utf-8-sig", "cp037", "iso2022_jp", "hz", "zip",
    "hex", "rot13", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "no-such", "mbcs", "utf_8\0", "x" * 300,
)  # fmt: skip

NESTS: Final = (
    ("(", ")"), ("[", "]"), ("{", "}"), ("{1:", "}"), ("f(", ")"), ("f(k=", ")"), ("f(*", ")"), ("a[", "]"), ("a.b(", ").c"), ("not ", ""),
    ("-", ""), ("await ", ""), ("a**", ""), ("(a+", ")"), ("a and not ", ""), ("(a or ", ")"), ("(a < b < ", ")"), ("1 if ", " else 2"),
    ("lambda: ", ""), ("lambda x=", ":x"), ("(a:=", ")"), ("(yield ", ")"), ("[x for x in ", "]"), ("{a:", " for a in b}"), ('f"{', '}"'),
    ("f'{x:{", "}}'"), ("a if b else ", ""), ("a.b", ""), ("a()", ""), ("a[0]", ""), ("'a' ", ""), ("a %", ""), ("*", ""),
)  # fmt: skip
"""Of expressions: what stands before and what after."""

SCRIPT_NESTS: Final = (
    ("(", ")"), ("[", "]"), ("({a: ", "})"), ("f(", ")"), ("a?.[", "]"), ("`${", "}`"), ("t`${", "}`"), ("() => ", ""),
    ("(() => { return ", " })"), ("!", ""), ("x ? 1 : ", ""), ("(a ?? ", ")"), ("new A(", ")"), ("class { static { x = ", " } }"),
    ("async () => await ", ""), ("<a>", "</a>"), ("<a b={", "}/>"), ("{", "}"), ("if (a) {", "}"), ("for (const a of b) {", "}"),
    ("switch (a) { case 1: {", "}}"), ("try {", "} finally {}"), ("function f() {", "}"), ("namespace N {", "}"), ("{#if a}", "{/if}"),
    ("{#each a as b}", "{/each}"), ("<p v-for='a in b'>", "</p>"), ("<template v-if='a'>", "</template>"), ("const {a: ", "} = b"),
    ("type A = {a: ", "}"), ("A<", ">"), ("import(", ")"), ("<script>", "</script>"), ("(a as ", ")"), ("...", ""), ("a.b(", ").c"),
    ("$: a = ", ";"), ("@a(", ") class {}"),
)  # fmt: skip
"""Of scripts and templates: what stands before and what after."""

SCRIPT_LINES: Final = (
    ("x = [", "1, ", "]"), ("x = ", "a + ", "b"), ("f(", "a, ", ")"), ("x = a", ".b", ""), ("x = a", "?.b()", ""), ("x = `", "${a}", "`"),
    ("// ", "word ", ""), ("x = {", "a: b, ", "}"), ("x = {", "...a, ", "}"), ("import {", "a, ", "b} from 'c'"),
    ("export * from ", "'a' ", ""), ("x = ", "a ? b : ", "c"), ("x = ", "a ?? ", "c"), ("<a ", ":b='c' ", "/>"), ("<p>", "{{a}}", "</p>"),
    ("", "{@html a}", ""), ("", "<p>", ""), ("type A = ", "B | ", "C"), ("const ", "a = 1, ", "b = 2"), ("x = /", "a|", "b/"),
    ("enum E {", "A, ", "}"), ("case", " 1:", ""), ("", "} ", ""),
)  # fmt: skip

SCRIPT_TOKENS: Final = (
    b"=>", b"?.", b"??=", b"...", b"`", b"${", b"#x", b"@", b"</", b"/>", b"<T>", b"/*", b"*/", b"//", b"<!--", b"-->", b"</script>",
    b"<script setup>", b"v-html=", b"{#each ", b"{:else}", b"{/if}", b"{@html ", b"$:", b"$state(", b"export default ", b"import ",
    b"require(", b"module.exports = ", b"prototype", b"async ", b"await ", b"yield* ", b"static {", b"get ", b"set ", b"accessor ",
    b"declare ", b"namespace N {", b"enum E {", b"as const", b"satisfies T", b"!", b"?", b":", b"{", b"}", b"(", b")", b"[", b"]", b"'",
    b'"', b";", b"\n", b"\0", b"\xff", b"\xe2\x80\xa8", b"\\", b"/", b"1n",
)  # fmt: skip

HEADS: Final = (
    "if x:", "for x in y:", "while x:", "with a as b:", "def f(x=1):", "class A(B):", "async def f():", "try:", "match x:", "case [a, *b]:",
    "else:", "elif x:", "except E as e:", "with (a as b, c as d):", "@a\ndef f():", "lambda:",
)  # fmt: skip
"""Of blocks."""

ODD: Final[tuple[Any, ...]] = (
    None, True, 0, -1, 1 << 70, 1.5, "", "x", "\0", "\ud800", "\u202e\x1b[2J", [], {}, [None], [[]], {"": ""}, "%%bash\n!ls",
    "%%time\n%%capture x",
    "a" * 5_000, ["x\n", 1], {"cells": []}, 10**30, "code", "markdown", 3, 4, "!x = ls {y}\nfor z in x:\n  %time z",
)  # fmt: skip
"""Values of JSON that stand where others belong."""

_WORD: Final = re.compile(rb"[A-Za-z_]\w*")


def some(rng: Random, most: int) -> int:
    """From 1 to ``most``, small ones more often."""
    return 1 + int((most - 1) * rng.random() ** 3)


def in_bytes(rng: Random, data: bytes, other: bytes) -> bytes:
    """Flips, cuts, repeats, inserts, moves, and splices with another input."""
    made = bytearray(data)
    for _ in range(some(rng, 6)):
        at = rng.randrange(len(made) + 1)
        end = min(len(made), at + some(rng, 200))
        match rng.randrange(9):
            case 0 if at < len(made):
                made[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(made):
                made[at] = rng.randrange(256)
            case 2:
                del made[at:end]
            case 3:
                made[at:at] = made[at:end] * some(rng, 20)
            case 4:
                made[at:at] = rng.choice(TOKENS)
            case 5:
                made[at:end] = rng.choice(TOKENS) * some(rng, 5)
            case 6:
                begin = rng.randrange(len(other) + 1)
                made[at:end] = other[begin : begin + some(rng, 2_000)]
            case 7:
                made[at:] = other[rng.randrange(len(other) + 1) :]
            case _:
                del made[at:]
    return bytes(made)


def in_lines(rng: Random, data: bytes, other: bytes) -> bytes:
    """Keeps lines whole, so that much of what comes out still means something."""
    lines = data.splitlines(keepends=True) or [b"\n"]
    for _ in range(some(rng, 30)):
        at = rng.randrange(len(lines))
        to = rng.randrange(len(lines))
        match rng.randrange(7):
            case 0 if len(lines) > 1:
                del lines[at]
            case 1:
                lines.insert(to, lines[at])
            case 2:
                lines[at], lines[to] = lines[to], lines[at]
            case 3:
                lines[at] = b"    " + lines[at]
            case 4:
                lines[at] = lines[at].removeprefix(b"    ")
            case 5:
                theirs = other.splitlines(keepends=True)
                begin = rng.randrange(len(theirs) + 1)
                lines[at:at] = theirs[begin : begin + some(rng, 40)]
            case _:
                lines[at:at] = lines[at : at + some(rng, 40)]
    return b"".join(lines)


def in_words(rng: Random, data: bytes, other: bytes) -> bytes:
    """Words take the place of others: everything calls, inherits, imports and overwrites everything."""
    words = [found.group() for found in _WORD.finditer(data)] or [b"x"]
    theirs = [found.group() for found in _WORD.finditer(other)] or [b"y"]
    if rng.randrange(2):
        fixed = {rng.choice(words): rng.choice(words if rng.randrange(3) else theirs) for _ in range(some(rng, 8))}
        return _WORD.sub(lambda found: fixed.get(found.group(), found.group()), data)
    share = rng.choice((0.01, 0.05, 0.3))
    return _WORD.sub(lambda found: rng.choice(words) if rng.random() < share else found.group(), data)


def nested(rng: Random, data: bytes, other: bytes) -> bytes:
    """Deep expressions or blocks in the middle of it."""
    depth = rng.choice((3, 20, 90, 190, 210, 600, 3_000))
    if rng.randrange(3):
        chosen = [rng.choice(NESTS) for _ in range(some(rng, 3))]
        before, after = "".join(one for one, _ in chosen), "".join(one for _, one in reversed(chosen))
        text = rng.choice(
            ("x = {}\n", "if {}: pass\n", "f({}).g()\n", "@{}\ndef f(): pass\n", "for {} in x: pass\n", "match {}:\n case {}: pass\n")
        )
        text = text.replace("{}", before * depth + "x" + after * (depth if rng.randrange(5) else rng.randrange(depth)))
    elif rng.randrange(4):
        chosen_heads = [rng.choice(HEADS) for _ in range(some(rng, 4))]
        step = rng.choice((" ", "\t", "  "))
        text = "".join(step * n + chosen_heads[n % len(chosen_heads)].replace("\n", "\n" + step * n) + "\n" for n in range(min(depth, 900)))
        text += step * min(depth, 900) + "pass\n"
    else:
        text = (
            rng.choice(("@a\n", "elif x: y\n", "import a\n", "x = x\n", "def f(): return f\n", "x += [x]\n", "else: pass\n", "del x\n"))
            * depth
        )
    at = rng.choice((0, data.rfind(b"\n", 0, rng.randrange(len(data) + 1)) + 1, len(data)))
    return data[:at] + text.encode() + data[at:]


def long_line(rng: Random, data: bytes, other: bytes) -> bytes:
    """One very long line: elements, operands, arguments, attributes, a text, a comment."""
    count = rng.choice((300, 3_000, 20_000))
    before, part, after = rng.choice((
        ("x = [", "1, ", "]"), ("x = ", "a + ", "b"), ("f(", "a, ", ")"), ("x = a", ".b", ""), ("x = f", "(a)", ""),
        ("x = '", "\\x41", "'"),
        ("x = ", "'a' ", "''"), ("# ", "word ", ""), ("x = {", "'a': b, ", "}"), ("", "x = ", "y"), ("", "x; ", "y"),
        ("x = f'", "{a}", "'"),
        ("import ", "a.", "b"), ("from a import ", "b, ", "c"), ("def f(", "a=1, ", "*b): pass"), ("x = a", "[0]", ""),
        ("global ", "x, ", "y"),
        ("with ", "a as b, ", "c: pass"), ("x = ", "a if b else ", "c"), ("x = ", "a or ", "c"), ("x = a < ", "b < ", "c"),
        ("del ", "x, ", "y"),
        ("class A(", "B, ", "C): pass"), ("\\\n", "\\\n", "x"), ("x = 1", "_1", ""), ("x = ", "\u0301é", ""),
    ))  # fmt: skip
    at = data.rfind(b"\n", 0, rng.randrange(len(data) + 1)) + 1
    return data[:at] + (before + part * count + after + "\n").encode() + data[at:]


def nested_script(rng: Random, data: bytes, other: bytes) -> bytes:
    """Deep expressions, blocks, elements or bindings in the middle of a script or a template."""
    depth = rng.choice((3, 20, 90, 190, 210, 600, 3_000))
    before, after = rng.choice(SCRIPT_NESTS)
    text = before * depth + "x" + after * (depth if rng.randrange(5) else rng.randrange(depth))
    text = rng.choice(("x = {};\n", "{}\n", "if ({}) y;\n", "f({}).g();\n", "<p v-html='{}'/>\n", "{@html {}}\n")).replace("{}", text)
    at = rng.choice((0, data.rfind(b"\n", 0, rng.randrange(len(data) + 1)) + 1, len(data)))
    return data[:at] + text.encode() + data[at:]


def long_script(rng: Random, data: bytes, other: bytes) -> bytes:
    """One very long line: elements, operands, arguments, attributes, a text, a comment."""
    count = rng.choice((300, 3_000, 20_000))
    before, part, after = rng.choice(SCRIPT_LINES)
    at = data.rfind(b"\n", 0, rng.randrange(len(data) + 1)) + 1
    return data[:at] + (before + part * count + after + "\n").encode() + data[at:]


def words_of_scripts(rng: Random, data: bytes, other: bytes) -> bytes:
    """Pieces of the languages where they do not belong."""
    made = bytearray(data)
    for _ in range(some(rng, 20)):
        at = rng.randrange(len(made) + 1)
        made[at : at + some(rng, 4) - 1] = rng.choice(SCRIPT_TOKENS)
    return bytes(made)


def encoded(rng: Random, data: bytes, other: bytes) -> bytes:
    """A declared encoding, that is the right one or not."""
    name = rng.choice(ENCODINGS)
    head = rng.choice(
        ("# coding: {}\n", "# -*- coding: {} -*-\n", "#!/usr/bin/python\n# vim: set fileencoding={} :\n", "\ufeff# coding={}\n", "{}\n")
    )
    text = head.format(name) + data.decode("utf-8", "replace")
    try:
        return text.encode(rng.choice(("utf-8", name)), "replace")
    except (LookupError, ValueError, TypeError, AssertionError):
        return text.encode("utf-8", "replace")


Mutator = Callable[[Random, bytes, bytes], bytes]

TEXT: Final[Sequence[Mutator]] = (in_bytes, in_bytes, in_lines, in_words)
CODE: Final[Sequence[Mutator]] = (in_bytes, in_bytes, in_bytes, in_lines, in_lines, in_words, in_words, nested, nested, long_line, encoded)
SCRIPT: Final[Sequence[Mutator]] = (
    in_bytes, in_bytes, in_bytes, in_lines, in_lines, in_words, in_words, nested_script, nested_script, long_script, words_of_scripts,
)  # fmt: skip
MEANING: Final[Sequence[Mutator]] = (in_lines, in_words, in_words)
"""After which most of a file can still be parsed."""


def mutated(rng: Random, files: Sequence[bytes], mutators: Sequence[Mutator]) -> bytes:
    """One of the files, changed in one to three ways."""
    data = rng.choice(files)
    for _ in range(some(rng, 3)):
        data = rng.choice(mutators)(rng, data, rng.choice(files))
    return data


def in_json(rng: Random, data: bytes) -> bytes:
    """Other values, keys and depths where the JSON had its own."""
    try:
        value = json.loads(data)
    except ValueError:
        return data
    for _ in range(some(rng, 8)):
        value = _placed(rng, value)
    try:
        return json.dumps(value, ensure_ascii=bool(rng.randrange(4)), indent=rng.choice((None, 1))).encode("utf-8", "surrogatepass")
    except (RecursionError, ValueError):  # a part has come to stand inside itself
        return data


def _placed(rng: Random, root: Any) -> Any:
    """One value of it replaced, removed or wrapped, on a random way down."""
    holder, key, here = None, None, root
    while isinstance(here, (dict, list)) and here and rng.randrange(5):
        holder = here
        key = rng.choice(list(here)) if isinstance(here, dict) else rng.randrange(len(here))
        here = here[key]
    match rng.randrange(5):
        case 0:
            made: Any = [here]
        case 1:
            made = {"cells": here, "source": here}
        case 2:
            made = here
            for _ in range(rng.choice((2, 90, 300))):
                made = [made]
        case _:
            made = rng.choice(ODD)
    if isinstance(holder, dict) and not rng.randrange(5):
        del holder[key]
        holder[rng.choice(("source", "input", "cell_type", "nbformat", "metadata", ""))] = made
    elif holder is not None:
        holder[key] = made
    else:
        return made if not rng.randrange(4) else root
    return root


HOSTILE: Final = (
    "\x1b[31m", "\x1b]0;x\x07", "\u202e", "\u200b", "\0", "\r\n", "\n::error::x", "##vso[x]", "##teamcity[x]",
    "<script>alert(1)</script>", "]]>",
    "<![CDATA[", "&lt;&#0;&x;", "-->", "\ud800", "\udcff", "\U000e0041", "|", "`" * 4, "```\n", "[x](javascript:x)", "![x](//x)",
    "@everyone",
    "#1", "GH-1", "{0}", "{source.__class__}", "%s", "\\", '"', "'", "[bold]", "[/]", "[link](1)", "\ufffe", "\uffff", "🌊", "波",
    "é\u0301", "\t",
    "x" * 3_000, "a b", "../../etc/passwd", "file:///x", "C:\\x", "", "\x85", "\u2028", "\x7f",
)  # fmt: skip
"""Pieces of text that steer a terminal, a browser, a log or a reader of a report."""


def text(rng: Random) -> str:
    """Hostile text, as names and comments of a repository can hold it."""
    parts = [
        rng.choice(HOSTILE) if rng.randrange(3) else chr(rng.choice((rng.randrange(256), rng.randrange(0x110000))))
        for _ in range(some(rng, 12))
    ]
    return "".join(parts)
