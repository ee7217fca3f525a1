"""Whether a function answers administrators alone, who say anyway how the installation works and what it talks to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from headwater.files.source import Source as File
from headwater.index.entities import Fn, is_test
from headwater.taint.summary import Issue
from headwater.taint.trace import RawStep

_NEAR: Final = 450
"""Characters before a function in which the call that it is handed to begins."""
_ROUTE: Final = re.compile(r"\.(?:all|delete|get|patch|post|put)\(\s*([\"'`])[^\"'`\n]{0,150}\1\s*,([^;]{1,300}?),?\s*(?:async\s*)?$")
"""Before a function that answers requests: what is asked before it."""
_NAMED: Final = re.compile(
    r"\.(?:all|delete|get|patch|post|put)\(\s*([\"'`])[^\"'`\n]{0,150}\1\s*,([^;]{0,300}?)"
    r"(?<![\w$.])((?:[\w$]{1,60}\.){0,3})([\w$]{1,60})(?:\.bind\([\w$.]{1,60}\))?\s*+,?\s*+\)(?:\s{0,5}\))?[ \t]{0,20}(?:;|$|\.)",
    re.MULTILINE,
)
"""A route that names the function which answers it: what is asked before it, what the function belongs to, and its name."""
_MANAGES: Final = re.compile(
    r"(?i)[\w.]*(?:permission|privilege|authori[sz]e|scope)\w*\(\s*[\[{]?\s*[\"']"
    r"(?:config(?:uration)?|global|instance|platform|roles?|security|server|settings?|sso|system)[:./_-](?:admin|edit|manage|update|write)[\"']"
)
"""A permission to say how the installation itself works is an administrator's."""
_ADMIN: Final = r"[\w.]*(?<!non)(?<!not)(?<!no)_?admin(?:s|istrators?)?(?![a-z])\w*"
_ADMINS: Final = re.compile(rf"(?i){_ADMIN}")
_OTHERS: Final = re.compile(r"(?i)\b(?:all|any|anyone|basic|default|editor|everyone|guest|member|user|viewer)s?\b|=>")
_GIVEN_ADMIN: Final = re.compile(rf"(?i)\b(?:Depends|Security)\(\s*{_ADMIN}\s*[,)]")
_REFUSED: Final = re.compile(
    r"(?i)\b(?:assert|check|ensure|must_be|require|verify)_?(?:is_?)?(?:super_?)?admin\w*\("
    r"|\brole\s*!==?\s*[\"'](?:super_?)?admin[\"']\s*\)?\s*[:{]?\s*(?:return|throw|raise|abort)\b"
    r"|(?:!|\bnot )\s*[\w.?]*\bis_?(?:super_?)?(?:admin|superuser)(?:\(\))?\s*\)?\s*[:{]?\s*(?:return|throw|raise|abort)\b"
)
"""In a function: who is no administrator goes no further."""


class Admins:
    """Judges the functions of one project."""

    def __init__(self, files: Mapping[str, File]) -> None:
        self.files = files
        self._routes: dict[str, list[tuple[str, str]]] | None = None

    def alone(self, issue: Issue, fn: Fn, way: Sequence[RawStep]) -> bool:
        """Whether an administrator is asked for before a function or given to it, or all others are refused before the data goes on."""
        file = self.files.get(fn.module.path)
        if file is None or not fn.index:
            return False
        start, end = fn.ir.start, issue.source.start if issue.source.fn is fn else fn.ir.end
        route = _ROUTE.search(file.slice(max(0, start - _NEAR), start)) if fn.module.script else None
        if route is not None and _asked(route[2]):
            return True
        last = max((step.start for step in way if step.fn is fn), default=end)
        if (
            _REFUSED.search(file.slice(start, end))
            or _refused_in_between(file.slice(end, max(end, last)))
            or (not fn.module.script and _GIVEN_ADMIN.search(file.slice(start, fn.ir.end)))
        ):
            return True
        named = self._named(fn) if fn.module.script and route is None else []
        return bool(named) and all(_asked(before) for before in named)

    def _named(self, fn: Fn) -> list[str]:
        """What is asked before a function where routes name it: those that may mean another one of that name, too."""
        if self._routes is None:
            self._routes = {}
            for path, file in self.files.items():
                if path.endswith((".ts", ".js", ".mts", ".mjs", ".cts", ".cjs")) and not is_test(path):
                    for found in _NAMED.finditer(file.text):
                        owner = found[3].rstrip(".").rpartition(".")[2].lower()
                        self._routes.setdefault(found[4], []).append((owner, found[2]))
        owner = fn.cls.name.lower() if fn.cls is not None else ""
        return [before for of, before in self._routes.get(fn.name, ()) if not owner or not of or of == owner]


def _refused_in_between(text: str) -> bool:
    """Whether all others are refused between where the data comes in and where it goes on, and not in one branch alone."""
    found = _REFUSED.search(text)
    return found is not None and text.count("{", 0, found.start()) == text.count("}", 0, found.start())


def _asked(before: str) -> bool:
    return bool(_MANAGES.search(before)) or (_ADMINS.search(before) is not None and _OTHERS.search(before) is None)
