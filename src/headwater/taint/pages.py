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


def _is_page(mod: Mod, file: File | None) -> bool:
    """Whether a script uses what only browsers have, and nothing of Node."""
    if file is None or any(alias.path.startswith("node:") for alias in mod.ir.imported):
        return False
    return _BROWSER.search(file.text) is not None and _EITHER.search(file.text) is None


def done_there(issue: Issue, file: File | None) -> bool:
    """Whether it is a browser that does it, to nobody's harm: it sends a request, or a component makes a message to be shown."""
    mod = issue.sink.fn.module
    if not mod.script or issue.sink.class_ not in ("url", "prompt-system"):
        return False
    return _DIRECTIVE in mod.body.ir.doc or (issue.sink.class_ == "url" and _is_page(mod, file))
