"""Whether just anybody can send data to a place of the program: nothing near the web framework asks who calls, or how often.

It is judged by words alone: one name that speaks of signing in, of permissions or of limits, in any file that imports a web
framework, and the project is not called open. Nor is a place where data is kept apart by its owner.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from headwater.files.source import Source as File
from headwater.index.entities import Fn, is_test
from headwater.index.symbols import Symbols
from headwater.ir import Alias
from headwater.taint.summary import Issue

_FRAMEWORKS = frozenset({
    "aiohttp", "bottle", "django", "falcon", "fastapi", "flask", "flask_restful", "flask_restx", "gradio", "litestar", "ninja", "quart",
    "rest_framework", "sanic", "starlette", "tornado",
})  # fmt: skip
_GUARDS = re.compile(
    r"(?i)(?<![a-z])(authenticat|authoriz|oauth|jwt|bearer|permission|ratelimit|rate_limit|throttl|slowapi|quota|signature)"
    r"|(?<![a-z])auth(?![a-z])|[a-z_]Auth(?![a-z])|login(?!fo)|current_user|(verify|check|require|validate|get)_(api_?key|token|key|user|admin)"
    r"|(?i:x[-_]api[-_]key)|APIKey(Header|Query|Cookie)|Limiter|HTTPBasic|hmac"
)
_OWNED = re.compile(
    r"(?i)(user|tenant|session|owner|account|workspace|thread|conversation|customer|client|project|org)[-_]?(id|name|key)"
    r"|namespace|tenant|\bsession\b|current_user|moderat|review|approv|sanitiz|checksum|sha256"
)


class Openness:
    """Judges the ways of one project."""

    def __init__(self, symbols: Symbols, files: Mapping[str, File]) -> None:
        self.symbols = symbols
        self.files = files
        self._guarded: bool | None = None

    def of(self, issue: Issue) -> bool:
        """Whether anybody can send what goes this way, into something that others share."""
        if self._is_guarded():
            return False
        return issue.sink.class_ == "response" or not any(self._owned(fn) for fn in (issue.source.fn, issue.apex, issue.sink.fn))

    def _owned(self, fn: Fn) -> bool:
        file = self.files.get(fn.module.path)
        return file is not None and fn.index > 0 and _OWNED.search(file.slice(fn.ir.start, fn.ir.end)) is not None

    def _is_guarded(self) -> bool:
        if self._guarded is None:
            self._guarded = any(
                _GUARDS.search(file.slice(0, mod.ir.functions[0].end))
                for mod in self.symbols.modules
                if (file := self.files.get(mod.path)) is not None and not is_test(mod.path) and _of_web(mod.ir.imported)
            )
        return self._guarded


def _of_web(imported: list[Alias]) -> bool:
    return any(alias.path.partition(".")[0] in _FRAMEWORKS for alias in imported)
