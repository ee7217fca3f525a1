"""Chat templates in files of their own: ``chat_template.jinja``, and the named ones beside it."""

from __future__ import annotations

from typing import Final

from headwater import limits
from headwater.modelfiles import names, templates, texts
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.work import Examination

NAME: Final = "jinja"
_NAMES: Final = frozenset({"jinja", "jinja2", "j2"})


def matches(head: bytes, blob: Blob, path: str) -> bool:
    if not texts.is_text(head) or blob.size > limits.MODEL_TEMPLATE:
        return False
    if names.is_source(path) and not names.base(path).startswith("chat_template"):
        return False
    named = names.extension(path) in _NAMES or "chat_template" in names.base(path)
    if texts.first(head)[:1] in (b"<", b"{", b"[") and not named and not texts.first(head).startswith((b"{%", b"{{", b"{#")):
        return False
    return b"{{" in head or b"{%" in head or (named and blob.size > len(head))


def examine(blob: Blob, work: Examination) -> None:
    text = texts.whole(blob) or ""
    if templates.looks_like_chat(text) or "chat_template" in names.base(work.path):
        templates.judge(work, text, "The chat template")
        return
    # A template of something else, or text that only looks like one: what renders it offers functions that are not known here.
    # What reaches Python's internals is told.
    probe = Examination(work.path)
    parsed = templates.judge(probe, text, "The template")
    found = [one for one in probe.concerns if one.verdict == "malicious"]
    if not found or (not parsed and names.extension(work.path) not in _NAMES):
        work.format = "unknown" if names.extension(work.path) not in _NAMES else NAME
        return
    for one in found:
        work.concern(one.check, one.verdict, one.message, one.evidence, one.at)
