"""What a function asks of the result of a call, as far as its words tell: of a token that nobody checked, when it ends, and no more."""

from __future__ import annotations

import re
from collections.abc import Collection

_KEPT = re.compile(r"(?:(?:const|let|var)\s+)?([A-Za-z_$][\w$]*)(?:\s*:[^=\n]{1,60})?\s*=\s*(?:await\s+)?\(?\s*$")
_CAST = re.compile(r"\s*(?:as\s+[\w.<>\[\], |]{1,60})?\s*\)*\s*")
_PART = re.compile(r"""(?:[?!]*\.|(?:\?\.)?\[\s*["']|[?!]*\.get\(\s*["'])\s*([A-Za-z_$][\w$]*)(?![\w$]|\s*\()""")
_TESTED = re.compile(r"(?:&&|\|\||[=!]==?|\?(?!\.)|:|is\b|and\b|or\b|\))")
"""What comes after a name that a condition looks at."""

_KEEPERS = re.compile(
    r"(?:[a-z]\w*_?)?(?:acc|account|session|tokens|token_?(?:data|response|result|set))(?:_?row)?",
    re.IGNORECASE,
)
"""What holds the tokens of a sign-in service."""
_SENT = frozenset({"args", "body", "cookies", "headers", "params", "query", "req", "request"})

FIRST = re.compile(r"[^(]*\(\s*([\w.$]+)\s*[,)]")
"""The first argument of a call, where it is a name."""


def asks_only(before: str, after: str, parts: Collection[str]) -> bool:
    """Whether of what a call gives only these parts are read: ``before`` and ``after`` are the text of its function around it."""
    direct = _part(after)
    if direct:
        return direct in parts
    kept = _KEPT.search(before[-200:])
    if kept is None:
        return False
    seen = False
    for use in re.finditer(rf"(?<![\w$.]){re.escape(kept[1])}(?![\w$])", after):
        part = _part(after[use.end() : use.end() + 100])
        if part:
            if part not in parts:
                return False
            seen = True
        elif not _TESTED.match(after[use.end() : use.end() + 20].lstrip()) and not after[: use.start()].endswith(("typeof ", "!", "not ")):
            return False
    return seen


def given_again(call: str, after: str, functions: Collection[str]) -> bool:
    """Whether one of the functions is given the first argument of ``call`` again in the text behind it, and another argument beside it."""
    given = FIRST.match(call)
    if given is None or not functions:
        return False
    names = "|".join(map(re.escape, functions))
    return re.search(rf"(?<!\w)(?:{names})\s*\(\s*{re.escape(given[1])}\s*,(?![^()]*\boptions\b)", after) is not None


def received(call: str, members: Collection[str]) -> bool:
    """Whether the first argument of ``call`` is one of these members of what a sign-in service has answered, or of an account."""
    given = FIRST.match(call)
    parts = given[1].split(".") if given is not None else []
    return len(parts) > 1 and parts[-1] in members and _KEEPERS.fullmatch(parts[-2]) is not None and _SENT.isdisjoint(parts)


def _part(text: str) -> str:
    """The part that is read of what stands before the text, or nothing."""
    begin = _CAST.match(text)
    for at in (begin.end() if begin is not None else 0, 0):
        found = _PART.match(text, at)
        if found is not None:
            return found[1]
    return ""
