"""HTML and SVG: whatever the repository says is text, nothing is loaded from anywhere, and each page says what it is for."""

from __future__ import annotations

import base64
import hashlib
import random
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import headwater
from headwater.apis.schema import COMPONENTS
from headwater.components import Ability, Component, Edge, Spot, SystemMap, Unresolved
from headwater.config import Config
from headwater.files.source import Source
from headwater.findings import Confidence, Coverage, Finding, Gap, Place, Review, Severity, Suppression
from headwater.reports import escape, map_svg
from headwater.reports.html import consequences, fixes, markup, page
from headwater.reports.html.context import context
from headwater.reports.map_layout import Box, layout
from headwater.reports.view import View, view
from headwater.rules import builtin
from headwater.rules.load import Rule
from headwater.threats import model as threats
from headwater.threats.zones import zone

Show = Callable[[Config], View]
VULNERABLE = Path(__file__).parent.parent.parent / "examples" / "vulnerable"
AUDIT = Config(persona="audit", min_confidence=Confidence.LOW)
VOID = {"meta", "input", "br", "hr"}
HOSTILE = (
    "<script>window.ran=1</script>",
    "\"><img src=x onerror='window.ran=1'>",
    "</style></title></textarea></svg><svg onload=alert(1)>",
    "' autofocus onfocus=window.ran=1 x='",
    "javascript:alert(1)",
    "&lt;b&gt;&#60;script&#62; \x1b[31m\u202e\ud800 ]]> <!-- --> ##[group] {{7*7}} ${x}",
)


class Page(HTMLParser):
    """What a browser would make of it: elements, their attributes, and the text."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.parts: list[str] = []
        self.raw: dict[str, list[str]] = {"style": [], "script": []}
        self._open: list[str] = []
        self.feed(data.decode("utf-8"))
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        assert len(attrs) == len({name for name, _ in attrs})
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in self.raw:
            self.raw[self._open[-1]].append(data)
        else:
            self.parts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def values(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.elements if name in attributes]


def loads_nothing(read: Page) -> None:
    """No script of others, no address but places in the file, one policy that forbids the rest."""
    tags = {tag for tag, _ in read.elements}
    assert not tags & {"img", "iframe", "link", "object", "embed", "form", "base", "use", "image", "foreignobject", "video", "audio"}
    names = {name for _, attributes in read.elements for name in attributes}
    assert not {name for name in names if name.startswith("on")} | names & {"src", "style", "srcset", "action", "xlink:href", "formaction"}
    ids = read.values("id")
    assert len(ids) == len(set(ids))
    assert set(read.values("href")) <= {f"#{one}" for one in ids}
    policies = [attributes["content"] for tag, attributes in read.elements if attributes.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 1
    assert len(read.raw["style"]) == 1
    allowed = re.findall(r"'sha256-([^']+)'", policies[0])
    texts = ["".join(read.raw["style"]), "".join(read.raw["script"])]
    assert allowed == [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
    assert policies[0].startswith("default-src 'none'; ")
    assert not re.search(r"url\(|@import|https?:", texts[0])


def hostile(review: Review, rules: dict[str, Rule]) -> View:
    """A review in which everything that comes from a repository is hostile."""
    bad = iter(HOSTILE * 40)
    source = Source(f"src/{HOSTILE[0]}.py", ("x = 1\n" + "\n".join(HOSTILE)).encode("utf-8", "replace"))
    sources = {**review.sources, source.path: source}
    findings = tuple(
        msgspec.structs.replace(
            one,
            message=f"{next(bad)} `{next(bad)}` {next(bad)}",
            place=Place(source.path, 6 + 2 * number, 20 + 3 * number),
            function=next(bad),
            expression=next(bad),
            fix=next(bad),
            weaknesses=(next(bad),),
            confidence=Confidence.MEDIUM,
            traces=tuple(
                msgspec.structs.replace(
                    trace,
                    steps=tuple(
                        msgspec.structs.replace(step, what=next(bad), function=next(bad), place=Place(source.path, 0, 3))
                        for step in trace.steps
                    ),
                )
                for trace in one.traces
            ),
            suppression=Suppression(source.path, 1, one.rule, "used", next(bad)) if number == 2 else None,
        )
        for number, one in enumerate(review.findings)
    )
    types = (
        "entry-point",
        "agent",
        "tool",
        "llm",
        "llm-call",
        "prompt",
        "secret",
        "vector-store",
        "mcp-client",
        "guard",
        "memory",
        "server",
    )
    components = tuple(
        Component(
            f"{type_} {HOSTILE[number % 6]}",
            type_,
            HOSTILE[number % 6],
            source.path,
            number + 1,
            {HOSTILE[(number + 1) % 6]: HOSTILE[(number + 2) % 6]},
            (Ability("executes-shell", Spot(source.path, 3)),) if type_ == "tool" else (),
        )
        for number, type_ in enumerate(types)
    )
    edges = tuple(
        Edge(one.id, two.id, kind, source.path, 2)
        for one, two, kind in (
            (components[0], components[1], "calls"),
            (components[1], components[2], "offers-tool"),
            (components[9], components[1], "guards"),
            (components[1], components[7], "retrieves-from"),
        )
    )
    unresolved = (Unresolved(components[1].id, HOSTILE[1], HOSTILE[0], 3),)
    gaps = tuple(Gap(HOSTILE[number % 2], HOSTILE[number], 3, HOSTILE[5 - number]) for number in range(6))
    coverage = Coverage(3, 31, 3, {HOSTILE[0]: 3}, gaps, {HOSTILE[1]: 9})
    changed = msgspec.structs.replace(
        review, findings=findings, sources=sources, coverage=coverage, system=SystemMap(components, edges, unresolved)
    )
    return view(changed, AUDIT, rules, "0.0.0")


@pytest.mark.parametrize("printed", [False, True])
def test_hostile_text_is_text(review: Review, rules: dict[str, Rule], printed: bool) -> None:
    made = page.document(context(hostile(review, rules), printed))
    read = Page(made)
    if printed:
        assert "<script" not in made.decode()
    else:
        loads_nothing(read)
        assert len([tag for tag, _ in read.elements if tag == "script"]) == 1
    for one in HOSTILE:
        assert escape.visible(one) in read.text
    assert not re.search("[\x1b\u202e]", made.decode("utf-8"))
    assert b"/somewhere/else" not in made
    assert b"##[" not in made  # which build servers read in what they print


def test_a_hostile_map_is_an_image(review: Review, rules: dict[str, Rule]) -> None:
    text = map_svg.render(hostile(review, rules).review)
    root = ElementTree.fromstring(text)
    tags = {one.tag.rpartition("}")[2] for one in root.iter()}
    assert tags == {"svg", "style", "defs", "marker", "path", "rect", "g", "text", "title", "circle"} - {"circle"}
    assert not any(name.startswith("on") or "href" in name for one in root.iter() for name in one.attrib)
    titles = "".join(one.text or "" for one in root.iter("{http://www.w3.org/2000/svg}title"))
    for one in HOSTILE:
        assert escape.visible(one) in titles


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_comes_back_as_it_was(what: str) -> None:
    read = Page(markup.tag("p", what, title=what).text.encode())
    expected = escape.visible(what)
    assert (read.elements, read.text) == ([("p", {"title": expected})], expected)


@pytest.fixture(scope="module")
def example() -> View:
    return view(headwater.review(VULNERABLE, Config(processes=1)), Config(fail_on=None), builtin.rules(), "0.0.0")


def section(made: bytes, name: str) -> str:
    """The text of one page, blanks joined."""
    found = re.search(rf'<section id="{name}" class="page".*?(?=<section id="\w+" class="page"|</main>)', made.decode(), re.DOTALL)
    assert found is not None
    inner = re.sub(r"<title>.*?</title>", "", found.group())
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", inner).replace("&#x27;", "'"))


def test_the_pages_of_the_example(example: View) -> None:
    made = page.render(example)
    loads_nothing(Page(made))
    assert page.render(example) == made
    overview = section(made, "overview")
    assert (
        "The code makes up 12 ways in, 1 server, 1 language model, 2 places that ask a model, 6 tools, 1 MCP server and 1 key or password."
        in overview
    )
    assert "run commands on the machine : search_attachments , diagnose_host" in overview
    assert "critical Outsiders take over the machine" in overview
    assert overview.count("Breaks it cheapest:") == 5
    assert overview.index("Remote input is compiled as a template") < overview.index("Remote input names a file")
    # Each finding once, in the order in which to fix them, with its place and its steps.
    articles = re.findall(r'<article id="(f\d+)" class="finding (\w+)"', made.decode())
    assert articles == [(f"f{number}", one.severity.word) for number, one in enumerate(example.findings, 1)]
    found = section(made, "findings")
    for one in example.findings:
        assert f"{one.place.path}:{example.span(one.place).line}" in found
        assert all(step.what in found for trace in one.traces[:1] for step in trace.steps)
    model = threats.model(msgspec.structs.replace(example.review, findings=example.findings))
    checks, cases = section(made, "checklist"), section(made, "threats")
    for case in model.cases:
        assert case.threat.title in cases
        assert (case.state == "question") <= (case.threat.question in checks)
    table = section(made, "map")
    assert all(f"{one.file}:{one.line}" in table for one in example.review.system.components)


def test_standards_say_what_is_known_of_them(example: View) -> None:
    text = section(page.render(example), "compliance")
    assert re.search(r"LLM05:2025 Improper Output Handling gap ", text)
    assert re.search(r"LLM10:2026 Improper Output Handling gap ", text)
    assert re.search(r"LLM09:2025 Misinformation no finding ", text)
    assert re.search(r"GAI-01 CBRN Information or Capabilities not assessable by source review ", text)
    assert re.search(r"A\.2\.2 AI policy not assessable by source review ", text)
    assert re.search(r"A\.4\.2 Resource documentation evidence the map lists", text)
    assert "15(5)" in text
    assert "is our own, and no standards body has checked it" in text


def test_a_review_that_saw_nothing_is_not_called_clean() -> None:
    empty = Review("/x", (), Coverage(0, 0, 0, {}, (Gap("unreadable", "a.py", 0, "no permission"),), {}), {})
    text = section(page.render(view(empty, Config(), builtin.rules(), "0.0.0")), "overview")
    assert "No findings in what was looked at; not everything was" in text
    assert "Nothing could be looked at" in text


def finding(source: Source, rule: str, operation: str) -> Finding:
    start = source.data.index(operation.encode())
    return Finding(
        rule, rule, "", Severity.HIGH, Confidence.HIGH, Place(source.path, start, start + len(operation)), "", "", "", "", 0, (), "", (), ()
    )


@pytest.mark.parametrize(
    ("rule", "line", "operation", "fixed"),
    [
        ("unsafe-yaml-load", "data = yaml.load(text, Loader=yaml.Loader)", "yaml.load(", "data = yaml.safe_load(text)"),
        ("unsafe-yaml-load", "data = yaml.load(read(path), Loader=choose())", "yaml.load(", None),  # which loader is not known
        ("unsafe-yaml-load", "data = yaml.load(text, Loader=yaml.Loader) or yaml.load(x)", "yaml.load(", None),  # two on a line
        ("tls-verification-off", "get(url, verify=False)", "get(url, verify=False)", "get(url, verify=True)"),
        ("flask-debug", "app.run(debug=True)", "app.run(debug=True)", "app.run(debug=False)"),
        ("flask-debug", "app.run(debug=DEBUG)", "app.run(debug=DEBUG)", None),
        ("llm-output-to-code", "exec(answer)", "exec(answer)", None),
    ],
)
def test_a_diff_only_where_it_is_sure(show: Show, rule: str, line: str, operation: str, fixed: str | None) -> None:
    source = Source("a.py", f"import x\n{line}\n".encode())
    shown = msgspec.structs.replace(show(Config()), sources={"a.py": source})
    assert fixes.diff(shown, finding(source, rule, operation)) == (None if fixed is None else (line, fixed))


def random_system(seed: int) -> SystemMap:
    choose = random.Random(seed)
    types = sorted({*COMPONENTS, "something-new"})
    number = choose.choice((0, 1, 7, 40, 300))
    components = tuple(Component(f"c{place}", choose.choice(types), "x", "a.py", place + 1) for place in range(number))
    pairs = [(choose.choice(components).id, choose.choice(components).id) for _ in range(number)] if number else []
    return SystemMap(components, tuple(Edge(from_, to, "calls", "a.py", 1) for from_, to in pairs))


@pytest.mark.parametrize("seed", range(30))
def test_boxes_stand_apart_and_in_their_zones(seed: int) -> None:
    system = random_system(seed)
    zones = {one.id: zone(one) for one in system.components}
    placed = layout(system, zones)
    assert set(placed.boxes) == set(zones)
    frames = dict(placed.zones)
    boxes = list(placed.boxes.items())
    for number, (key, box) in enumerate(boxes):
        assert within(box, frames[zones[key]])
        assert not any(touch(box, other) for _, other in boxes[number + 1 :])
    for number, (_, one) in enumerate(placed.zones):
        assert within(one, Box(0, 0, placed.width, placed.height))
        assert not any(touch(one, other) for _, other in placed.zones[number + 1 :])


def within(one: Box, other: Box) -> bool:
    return (
        other.x <= one.x
        and other.y <= one.y
        and one.x + one.width <= other.x + other.width
        and one.y + one.height <= other.y + other.height
    )


def touch(one: Box, other: Box) -> bool:
    return one.x < other.x + other.width and other.x < one.x + one.width and one.y < other.y + other.height and other.y < one.y + one.height


def test_every_rule_has_a_consequence_in_words() -> None:
    unknown = []
    for id, rule in builtin.rules().items():
        one = msgspec.structs.replace(finding(Source("a.py", b"x"), id, "x"), mappings=rule.mappings)
        if consequences.of(one)[0] == "Other weaknesses":
            unknown.append(id)
    assert unknown == []
