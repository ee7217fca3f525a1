"""Whether just anybody can send data to a place of the program: nothing near the web framework asks who calls, or how often.

It is judged by words alone: one name that speaks of signing in, of permissions or of limits, in any file that imports a web
framework, and the project is not called open. Nor is a place where data is kept apart by its owner. Scripts whose routes are files
have no such file: there the words of the route count, of the functions that its file imports, and of what runs before all routes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from headwater.files.source import Source as File
from headwater.index.entities import Fn, Mod, Var, is_test
from headwater.index.scripts import PACKAGE
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
_SERVERS = frozenset({"express", "fastify", "koa", "hono", "@hapi/hapi", "restify", "polka", "@nestjs/common", "@trpc/server"})
"""Packages whose programs say in one place what comes before their routes."""
_BEFORE = frozenset({"middleware", "proxy"})
"""What Next.js runs before its routes, but where it says that it does not for those of an API."""
_NOT_BEFORE = re.compile(r"\(\?!(?:[\w.|-]+\|)?api\b")
_ASKED = re.compile(
    rf"{_GUARDS.pattern}|authOptions|getServerSession|clerk|recaptcha|turnstile"
    r"|(?:verify|check|require|validate|get|current)(?:api_?key|token|user|admin|session)"
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
        self._scripts_guarded: bool | None = None
        self._asks: dict[int, bool] = {}

    def of(self, issue: Issue) -> bool:
        """Whether anybody can send what goes this way, into something that others share."""
        return self.way((issue.source.fn, issue.apex), None if issue.sink.class_ == "response" else issue.sink.fn)

    def way(self, first: tuple[Fn, ...], last: Fn | None) -> bool:
        """Whether anybody can have these functions run, and the last one, where it is given, works on what others share."""
        if first[0].module.script:
            if self._are_scripts_guarded() or any(self._asks_itself(fn.module) for fn in first):
                return False
        elif self._is_guarded():
            return False
        return last is None or not any(self._owned(fn) for fn in (*first, last))

    def _owned(self, fn: Fn) -> bool:
        file = self.files.get(fn.module.path)
        return file is not None and fn.index > 0 and _OWNED.search(file.slice(fn.ir.start, fn.ir.end)) is not None

    def _is_guarded(self) -> bool:
        if self._guarded is None:
            self._guarded = any(
                _GUARDS.search(file.slice(0, mod.ir.functions[0].end))
                for mod in self.symbols.modules
                if (file := self.files.get(mod.path)) is not None and not is_test(mod.path) and of_web(mod.ir.imported)
            )
        return self._guarded

    def _are_scripts_guarded(self) -> bool:
        """Whether what comes before all routes of scripts asks who calls."""
        if self._scripts_guarded is None:
            self._scripts_guarded = any(
                _ASKED.search(file.text) and not (before and _NOT_BEFORE.search(file.text))
                for mod in self.symbols.modules
                if mod.script and (file := self.files.get(mod.path)) is not None and not is_test(mod.path)
                if (before := self._comes_before(mod)) or _serves(mod.ir.imported)
            )
        return self._scripts_guarded

    def _comes_before(self, mod: Mod) -> bool:
        """Whether Next.js runs a script before its routes: it lies beside their folder."""
        folder, _, name = mod.path.rpartition("/")
        beside = f"{folder}/" if folder else ""
        return name.rpartition(".")[0] in _BEFORE and any(
            one.path.startswith((f"{beside}app/", f"{beside}pages/")) for one in self.symbols.modules
        )

    def _asks_itself(self, mod: Mod) -> bool:
        """Whether a script, or a function that it imports, asks who calls."""
        known = self._asks.get(mod.id)
        if known is None:
            file = self.files.get(mod.path)
            known = file is not None and _ASKED.search(file.text) is not None
            known = self._asks[mod.id] = known or any(_ASKED.search(text) for text in self._imported(mod))
        return known

    def _imported(self, mod: Mod) -> Iterator[str]:
        """The functions that a script imports."""
        for alias in (alias for _, aliases in sorted(mod.ir.imports.items()) for alias in aliases):
            for one in self.symbols.alias(mod, alias):
                file = self.files.get(one.module.path) if isinstance(one, Fn | Var) else None
                if file is not None:
                    yield file.slice(one.ir.start, one.ir.end) if isinstance(one, Fn) else file.text


def of_web(imported: list[Alias]) -> bool:
    return any(alias.path.partition(".")[0] in _FRAMEWORKS for alias in imported)


def _serves(imported: list[Alias]) -> bool:
    return any(alias.path.removeprefix(PACKAGE) in _SERVERS for alias in imported)
