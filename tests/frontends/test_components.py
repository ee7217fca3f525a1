"""Components: places are those of the file, and whatever a template says, there is a module in bounded time."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ir_check import check

from headwater import ir
from headwater.frontends.components import lower
from headwater.frontends.components.markup import Open, scan

SUITE = Path(__file__).parent.parent / "suites" / "components.md"
PATHS = ["A.vue", "A.svelte"]


def lowered(data: bytes | str, path: str, seconds: float = 20.0) -> ir.Module:
    data = data if isinstance(data, bytes) else data.encode()
    begin = time.process_time()
    module = lower(path, data)
    assert time.process_time() - begin < seconds
    assert module.path == path
    assert not [gap for gap in module.gaps if gap.reason.startswith("internal")], module.gaps
    assert all(0 <= gap.start <= gap.end <= len(data) for gap in module.gaps)
    assert all(0 <= one.start <= one.end <= len(data) and one.first <= one.last for one in module.remarks)
    check(module)
    return module


def test_places_are_those_of_the_component() -> None:
    text = '<template>\n  <p v-html="text"></p>\n</template>\n<script setup>\nimport { f } from "./f";\nconst text = f(1);\n</script>\n'
    module = lowered(text, "A.vue")
    assert text[module.imports["f"][0].start :].startswith("import { f }")
    (component,) = [one for one in module.functions if one.name == "A"]
    assert (component.start, component.end) == (0, len(text))
    places = [(type(one).__name__, text[one.start : one.end]) for one in component.body]
    assert ("Call", "f(1)") in places
    assert ("StoreAttr", 'v-html="text"') in places


def test_what_is_not_understood_is_told_and_the_rest_is_read() -> None:
    text = '<template><p v-html="a b"/><p v-html="c"/></template>\n<script setup>\nconst = 3;\nconst c = f();\n</script>'
    module = lowered(text, "A.vue")
    assert [text[gap.start : gap.end] for gap in module.gaps] == ["a b", "const ="]
    assert "StoreAttr" in {type(one).__name__ for function in module.functions for one in function.body}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("<a b=c d='>' e>{x}</a><!-- <i> --><br/>", ["a", "br"]),
        ('<script>if (a < b) "</p>";</script><p>', ["script", "p"]),
        ("<a b={{x: '}'}} {...c} {d}><b/></a>", ["a", "b"]),
        ("a < b <c", ["c"]),
        ("<a b='", ["a"]),
        ("<a b={", ["a"]),
    ],
)
def test_markup(text: str, names: list[str]) -> None:
    assert [part.name for part in scan(text.encode(), True) if isinstance(part, Open)] == names


LONG = [
    "<a>" * 20_000,
    "<p v-for='a in b' v-html='a'>" * 5_000,
    "<p v-if='a'>" * 20_000,
    "{#if a}" * 20_000,
    "{#each a as b}{@html b}" * 5_000,
    "{" * 100_000,
    "<a {" * 20_000,
    "<a b='" * 20_001,
    "</a>" * 20_000,
    "<script>" * 20_000,
    "<!--" * 20_000,
    "<p v-html='" + "a." * 20_000 + "b'/>",
    "<p v-html='" + "(" * 5_000 + ")" * 5_000 + "'/>",
    "<A :a='b' " * 5_000,
    "<script setup>" + "const a = ref(1);" * 5_000 + "</script><p v-html='a'/>",
    "<script>let a = $derived(b);" + "$: c = d;" * 5_000 + "</script>{@html a}",
    "<script>export default {data() {return {" + "a: {" * 2_000 + "</script>",
    "<script>export default {" + "computed: {" + "a() {}, " * 5_000 + "}}</script>{{a}}",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("text", LONG, ids=[text[:24] for text in LONG])
def test_long_and_deep(text: str, path: str) -> None:
    lowered(text, path)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    source = SUITE.read_bytes()
    r = random.Random(draw(st.integers(0, 1 << 32)))
    begin = r.randrange(len(source))
    data = bytearray(source[begin : begin + r.randrange(10, 3_000)])
    for _ in range(draw(st.integers(0, 12))):
        at = r.randrange(len(data) + 1)
        match r.randrange(5):
            case 0 if at < len(data):
                data[at] = r.randrange(256)
            case 1:
                del data[at : at + r.randrange(40)]
            case 2:
                data[at:at] = r.choice((b"<script>", b"</script>", b'"', b"{", b"}", b"{#each ", b"v-for='", b"\xff", b"\0", b"$", b"<!--"))
            case 3:
                other = r.randrange(len(source))
                data[at:at] = source[other : other + r.randrange(200)]
            case _:
                data[at:at] = data[at // 2 : at // 2 + r.randrange(60)]
    return bytes(data)


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(mutated(), st.sampled_from(PATHS))
def test_mutated_components(data: bytes, path: str) -> None:
    lowered(data, path)


def test_the_same_bytes_give_the_same_module() -> None:
    data = SUITE.read_bytes()
    for path in PATHS:
        assert lower(path, data) == lower(path, data)
