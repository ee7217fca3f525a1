"""Scripts that run in a browser: the address of a request is then no matter of this server, and a list of messages is what a page shows."""

from __future__ import annotations

import re

from headwater.files.source import Source as File
from headwater.index.entities import Mod
from headwater.taint.summary import Issue

_DIRECTIVE = "use client"
_BROWSER = re.compile(
    r"(?<![\w.$])(?:window|document|localStorage|sessionStorage)\.[\w$]|(?<![\w.$])new (?:FileReader|IntersectionObserver|ResizeObserver)\b"
)
"""Names that only browsers have."""
_EITHER = re.compile(r"\btypeof (?:window|document|localStorage)\b")
"""A script that asks where it runs may run on either side."""


_DRIVERS = re.compile(
    r"^(?:node:|npm:(?:@?playwright|@?puppeteer|jsdom|happy-dom|linkedom|selenium-webdriver|webdriverio|@browserbasehq/))"
)
"""Node itself, and packages whose users write for a browser, or like one, in a program that is none."""
_TEXT = re.compile(r"""`(?:[^`\\]|\\.)*`|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""", re.DOTALL)
_SENT = frozenset({"http-input", "websocket-input", "network-peer", "tool-args"})
"""Source kinds of what no browser is sent."""


def _is_page(mod: Mod, file: File | None) -> bool:
    """Whether a script uses what only browsers have, outside of texts, and nothing of Node."""
    if file is None or any(_DRIVERS.match(alias.path) for alias in mod.ir.imported):
        return False
    return (
        _BROWSER.search(file.text) is not None
        and _EITHER.search(file.text) is None
        and _BROWSER.search(_TEXT.sub("", file.text)) is not None
    )


def done_there(issue: Issue, file: File | None) -> bool:
    """Whether it is a browser that does it, to nobody's harm: it sends a request, or a component makes a message to be shown."""
    mod = issue.sink.fn.module
    if not mod.script or issue.sink.class_ not in ("url", "prompt-system"):
        return False
    if issue.source.kind in _SENT:
        return False
    return _DIRECTIVE in mod.body.ir.doc or (issue.sink.class_ == "url" and _is_page(mod, file))
