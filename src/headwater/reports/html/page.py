"""Joins the pages to one file: nothing is loaded from anywhere, and the policy in it lets no other script or style run."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Final

from headwater.reports import escape
from headwater.reports.html import checklist, compliance, executive, findings, ledger, redteam, style, system, threatmodel
from headwater.reports.html.context import Context, context
from headwater.reports.html.markup import Child, inner, tag, trusted
from headwater.reports.view import View

PAGES: Final[tuple[tuple[str, str, Callable[[Context], list[Child]]], ...]] = (
    ("overview", "Overview", executive.page),
    ("findings", "Findings", findings.page),
    ("map", "System map", system.page),
    ("threats", "Threat model", threatmodel.page),
    ("redteam", "Red team", redteam.page),
    ("compliance", "Standards", compliance.page),
    ("coverage", "Coverage", ledger.page),
    ("checklist", "Checklist", checklist.page),
)
"""Anchor, title, and who writes it."""


def render(view: View) -> bytes:
    """The file."""
    return document(context(view))


def document(shared: Context) -> bytes:
    """All pages of a review; that of red teaming only where somebody gave its evidence."""
    pages = [one for one in PAGES if one[0] != "redteam" or shared.view.red_team is not None]
    css = style.read("theme.css", "report.css", "plot.css", "map.css")
    script = "" if shared.printed else style.read("report.js")
    body = [
        tag("section", tag("h1", title, tabindex=-1), write(shared), id=anchor, class_="page", aria_label=title)
        for anchor, title, write in pages
    ]
    # What is kept in a browser (ticks of the checklist) belongs to one report.
    digest = hashlib.sha256(inner(body).encode("utf-8")).hexdigest()[:16]
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(css)}'",
            f"script-src '{_hash(script)}'" if script else "script-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", "Headwater security review"),
        tag("style", trusted(css)),
    )
    links = [tag("li", tag("a", title, href=f"#{anchor}", data_page=anchor)) for anchor, title, _ in pages]
    header = tag(
        "header",
        tag("a", "Skip to the content", href="#main", class_="skip"),
        tag("p", "Headwater", tag("span", f" {shared.view.version}", class_="quiet"), class_="brand"),
        tag("nav", tag("ul", links), aria_label="Pages"),
        None if shared.printed else tag("button", "Dark or light", type="button", id="theme", class_="needs-script"),
    )
    rest = [header, tag("main", body, id="main"), tag("script", trusted(script)) if script else None]
    page = tag("html", head, tag("body", rest, data_report=digest), lang="en")
    return ("<!DOCTYPE html>\n" + escape.log(page.text, bracket="&#91;", colon="&#58;") + "\n").encode("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode()}"
