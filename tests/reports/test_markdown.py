"""Markdown: rendered, it has the tags that we wrote and no other, whatever the repository says."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from headwater.config import Config
from headwater.files.source import Source
from headwater.findings import Confidence, Coverage, Gap, Place, Review, Step, Trace
from headwater.reports import markdown
from headwater.reports.view import View, view
from headwater.rules.load import Rule

Show = Callable[[Config], View]
TAGS = {"h2", "ul", "ol", "li", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "code", "pre", "details", "summary"}
# Links that GitHub and GitLab make of plain words, mentions, and references.
LINKING = re.compile(r"@\w|#\w|[!~%&$^](?=\w)|://|www\.|\bgh-\d", re.IGNORECASE)


class Page(HTMLParser):
    """Tags, and the text outside of code."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.code = ""
        self._open: list[str] = []
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(data.decode()))
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert attrs == [] or tag == "ol"
        self.tags.append(tag)
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "code" in self._open:
            self.code += data
            self.text += " "
        else:
            self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)


def test_what_a_reader_sees(show: Show) -> None:
    page = Page(markdown.render(show(Config())))
    assert set(page.tags) <= TAGS
    assert page.tags.count("tr") == 3
    assert page.tags.count("details") == 3
    for text in ("2 findings: 1 critical, 1 high", "1 more of lower level", "failed, 2 findings high or above", "partial, 3 files"):
        assert text in page.text
    assert "Unsure: the path is checked by a prefix test only" in page.text
    assert '   7 >   print("🌊 波", code); exec(code, {"__builtins__": {}})' in page.code
    assert "app/model.py:7" in page.code


def test_the_ledger_is_there(show: Show, review: Review, rules: dict[str, Rule]) -> None:
    page = Page(markdown.render(show(Config())))
    assert "6 no-frontend" in page.text
    assert "and 2 more" in page.text
    assert r"lib/[x].py:2: unexpected \x1b[2J" in page.code
    assert "1 binary, without effect" in page.text
    none = msgspec.structs.replace(review, findings=())
    text = markdown.render(view(none, Config(), rules, "0")).decode()
    assert "No findings in what was looked at; not everything was." in text
    assert "✅" not in text


def test_a_clean_review(review: Review, rules: dict[str, Rule]) -> None:
    clean = msgspec.structs.replace(review, findings=(), coverage=Coverage(2, 20, 1, {"python": 2}, (), {}))
    assert markdown.render(view(clean, Config(), rules, "0")).decode() == (
        "## ✅ Headwater\n\n- **No findings.**\n- Gate: passed, no finding high or above\n"
        "- Coverage: complete, 2 files, 20 lines, 1 function\n"
    )


PARTS = (
    "@octocat #1 !2 ~a %b &c $d ^e gh-12 GH-1 octo/cat#3",
    "https://evil.example www.evil.example a@b.example mailto:a@b.example",
    "<img src=x onerror=alert(1)> <!-- x --> </code></pre></details></summary> <script>",
    "[a](https://x) ![a](x) [a]: x <https://x> | a | b |",
    "```\n~~~\n    x\n# h\n- a\n1. a\n1) b\n> q\n===\n---\n***",
    "*a* __b__ _c_ ~~d~~ `e` ``f`` \\| \\` &lt; &#60; &amp;",
    "::error::x\n##[error]x\n##vso[task.x]y",
    "\x1b[2J\u202e\r\n\t\x00",
)
HOSTILE = st.lists(st.sampled_from([*PARTS, *"`|<>@#*_[]()\\\n&! -=:/1.+~", "w", "www.", "``"]), max_size=12).map("".join)


def hostile(review: Review, rules: dict[str, Rule], text: str) -> View:
    """The text wherever a repository can put one."""
    path = text.replace("\n", " ") or "x"
    source = Source(path, f"{text}\nexec(x)\n{text}\n".encode("utf-8", "surrogatepass"))
    place = Place(path, len(source.data) // 2, len(source.data) // 2 + 1)
    finding = msgspec.structs.replace(
        review.findings[1],
        message=f"{text} `{text}` {text}",
        function=text,
        expression=text,
        place=place,
        traces=(Trace("llm-output", (Step(place, text, "llm-output", text), Step(place, f"x {text}", "llm-output", text))),),
        weaknesses=(text,),
        confidence=Confidence.MEDIUM,
    )
    coverage = Coverage(1, 3, 1, {"python": 1}, (Gap("parse-error", path, 1, text), Gap("crash", "", 0, f"a {text}")), {})
    return view(
        msgspec.structs.replace(review, findings=(finding,), coverage=coverage, sources={path: source}), Config(persona="audit"), rules, "0"
    )


@pytest.mark.parametrize("text", [*PARTS, "".join(PARTS), "\n".join(PARTS)])
def test_hostile_text_is_neither_markdown_nor_html(review: Review, rules: dict[str, Rule], text: str) -> None:
    check(hostile(review, rules, text))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=HOSTILE)
def test_any_hostile_text(review: Review, rules: dict[str, Rule], text: str) -> None:
    check(hostile(review, rules, text))


def check(shown: View) -> None:
    data = markdown.render(shown)
    page = Page(data)
    assert set(page.tags) <= TAGS
    # As many of each as for harmless text, but for the code in the message, and places that are empty.
    assert (page.tags.count("details"), page.tags.count("table"), page.tags.count("tr"), page.tags.count("h2")) == (2, 1, 2, 1)
    assert (page.tags.count("ol"), page.tags.count("pre"), page.tags.count("strong")) == (1, 1, 5)
    assert LINKING.search(page.text) is None
    # GitHub makes links of addresses while it reads Markdown, before it knows ``<code>``.
    outside = re.sub(r"<pre>.*?</pre>", "", data.decode(), flags=re.DOTALL)
    assert re.search(r"://|www\.|@\w", outside) is None
    assert not [line for line in data.decode().splitlines() if re.search(r"^\s*::|##\w*\[", line)]


def test_mentions_and_links_can_still_be_read(review: Review, rules: dict[str, Rule]) -> None:
    page = Page(markdown.render(hostile(review, rules, "@octocat https://x.example")))
    assert "@\u200boctocat https:\u200b//x.example" in page.text


def test_a_comment_has_room_for_it(review: Review, rules: dict[str, Rule]) -> None:
    """GitHub refuses longer ones; what is missing is counted."""
    found = review.findings[1]
    many = tuple(msgspec.structs.replace(found, ordinal=number, message="<" * 5000) for number in range(1000))
    text = markdown.render(view(msgspec.structs.replace(review, findings=many), Config(), rules, "0")).decode()
    assert len(text) <= markdown.CHARS
    rows, details = text.count("| critical |"), text.count("<details>") - 1
    assert f"\n{1000 - rows} findings are not in this table: the other reports have all.\n" in text
    assert f"\n{1000 - details} findings are without details here: the other reports have all.\n" in text
    assert rows > 50
    assert details > 3
