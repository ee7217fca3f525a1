"""YAML: tags that make loaders build Python objects, and targets that configuration frameworks call."""

from __future__ import annotations

import re
from typing import Final

import yaml

from headwater import limits
from headwater.modelfiles import names, targets, texts
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.verdicts import Verdict
from headwater.modelfiles.work import Examination

NAME: Final = "yaml"
_TAG: Final = "tag:yaml.org,2002:python/"
_CALLS: Final = re.compile(r"python/(?:object/apply|object/new|object|name|module)\b:?(.*)")
_PLAIN: Final = frozenset(
    f"{_TAG}{kind}" for kind in ("none", "bool", "str", "unicode", "bytes", "int", "long", "float", "complex", "list", "tuple", "dict")
)
_EVENTS: Final = 100_000
_LONG: Final = 2_000_000
"""Characters of a file with tags; files of that kind are written by programs, and have some thousands."""
_LOOKS: Final = re.compile(rb"^[A-Za-z_][\w.-]*:(?:[ \t]|\r?$)", re.MULTILINE)
_NAMED: Final = frozenset({"yaml", "yml"})


def matches(head: bytes, blob: Blob, path: str) -> bool:
    if not texts.is_text(head) or names.is_source(path) or texts.first(head)[:1] in (b"<", b"{", b"["):
        return False
    return (
        names.extension(path) in _NAMED
        or b"!!python/" in head
        or b"tag:yaml.org,2002:python/" in head
        or (b"_target_" in head and bool(_LOOKS.search(head)))
    )


def examine(blob: Blob, work: Examination) -> None:
    text = texts.whole(blob)
    if text is None:
        work.concern("size", "inconclusive", "It is too long to be read.")
        return
    if "!" not in text and "%TAG" not in text and "_target_" not in text and "auto_map" not in text:
        return  # no tags: nothing but data
    if len(text) > _LONG or _depth(text) > limits.NESTING:
        work.concern("size", "inconclusive", "It has tags, and is too long or nested too deep to be read.")
        return
    try:
        _events(text, work)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        found = re.search(r"!!python/\S*|tag:yaml\.org,2002:python/\S*", text)
        if found:
            _tag(work, _TAG + found.group().split("python/", 1)[1], "", found.start())
        elif names.extension(work.path) in _NAMED:
            return  # a template of YAML, or broken: its loader refuses it
        work.concern("broken", "inconclusive", "It does not parse as YAML.", str(error)[:300])


def _depth(text: str) -> int:
    """The most brackets that are open at one place, those in texts among them."""
    depth = most = 0
    for bracket in re.findall(r"[\[\]{}]", text):
        depth = max(0, depth + (1 if bracket in "[{" else -1))
        most = max(most, depth)
    return most


def _events(text: str, work: Examination) -> None:
    keys: list[str] = []
    pending: list[tuple[str, int]] = []
    for number, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        if number > _EVENTS:
            work.concern("size", "inconclusive", "It has more entries than are read.")
            break
        value = event.value if isinstance(event, yaml.ScalarEvent) else ""
        if pending and value:
            name, at = pending.pop()
            _tag(work, name, value, at)
        tag = getattr(event, "tag", None)
        if isinstance(tag, str) and tag.startswith(_TAG) and tag not in _PLAIN:
            at = event.start_mark.index if event.start_mark else -1
            if value or isinstance(event, yaml.ScalarEvent):
                _tag(work, tag, value, at)
            else:
                pending.append((tag, at))
        if isinstance(event, yaml.ScalarEvent):
            keys.append(value)
            if len(keys) > 1 and keys[-2] == "_target_":
                targets.judge(work, value, event.start_mark.index if event.start_mark else -1)
            del keys[:-2]
    for name, at in pending:
        _tag(work, name, "", at)


def _tag(work: Examination, tag: str, argument: str, at: int) -> None:
    short = tag.removeprefix("tag:yaml.org,2002:")
    found = _CALLS.match(short)
    name = found.group(1) if found else ""
    evidence = f"!!{short} {argument}".strip()
    if short.startswith(("python/object/apply", "python/object/new")):
        what = f"calls '{name}'" + (f" with '{argument[:200]}'" if argument else "")
    elif short.startswith(("python/module", "python/name")):
        what = f"imports '{name}'"
    else:
        what = f"builds an object of the class '{name}'"
    if targets.is_data(name) or (short.startswith(("python/name", "python/module")) and not targets.is_harmful(name)):
        return  # a name is looked up, which calls nothing
    verdict: Verdict = "malicious" if targets.is_harmful(name) else "review"
    message = f"Loading it with yaml.load and a loader that is not safe (Loader, UnsafeLoader, FullLoader before PyYAML 5.4) {what}."
    work.concern("yaml-python-tag", verdict, message, evidence, at)
