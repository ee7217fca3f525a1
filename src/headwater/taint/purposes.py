"""Whether a tool is there to do what its caller asks for, and says so, on the machine of whoever started its server.

A server that speaks over standard input and output is started by its user, for his own agent: that a tool which is called ``run_query``
runs queries is what he has it for. Where the server is reached over a network, or the tool promises a limit, the flow is told as always.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from headwater.files.source import Source as File
from headwater.index.entities import Fn, is_test
from headwater.taint.operators import JOINED
from headwater.taint.solve import Solver
from headwater.taint.summary import Issue
from headwater.taint.trace import RawStep

_SQL: Final = re.compile(
    r"(?:(?:run|execute|exec|perform|write|raw|db|sql|database|mysql|mariadb|postgres|postgresql|pg|sqlite|duckdb|mssql|clickhouse|snowflake)_)*"
    r"(?:sql|query|statement)(?:_(?:tool|db|database|sql|sqlite|mysql|postgres|duckdb))?"
)
"""Names of tools that say that they run a statement of the caller's."""
_BROWSER: Final = re.compile(
    r"(?:(?:browser|puppeteer|playwright|selenium|chrome|page|web)_)?(?:navigate|go_?to|open|visit|browse)"
    r"(?:_to)?(?:_(?:url|page|website|webpage|web_?page|browser|tab|link))?"
)
"""Names of tools that say that they open any page."""
_LISTS: Final = re.compile(r"(?:list|ls|dir|find|scan|discover)(?:_\w{1,40})?")
_LIMITS: Final = re.compile(
    r"(?i)read[- ]?only|\bonly\b|\bsafe|\bsecure|restrict|\ballow|permitted|sandbox|\blimited\b|within\b|inside\b|cannot|\bmust\b"
    r"|\bmay not\b|\bvalidat|\bproject(?:'s)?\s+(?:root|folder|directory)|workspace|public\b"
)
"""In what a tool says: a promise of a limit."""
_SELECTS: Final = re.compile(r"\bSELECT\b")
_CHANGES: Final = re.compile(r"(?i)\b(?:insert|update|delete|create|any|arbitrary|write|ddl|dml)\b")
_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-. ]+")
_STDIO: Final = re.compile(r"StdioServerTransport|\bstdio_server\b|serveStdio|[\"']stdio[\"']|\.run_stdio|\.run\(\s*\)")
_NETWORK: Final = re.compile(
    r"(?i)streamable_?http|sse_?server|sse_?app|[\"']sse[\"']|\bexpress\b|fastify|\bhono\b|\bkoa\b|createServer\(|fastapi|starlette|uvicorn"
    r"|flask|aiohttp\.web|transport\s*=(?!\s*(?:[\"']stdio|new\b|await\b))|[\"']http[\"']|\.listen\("
)
_CODE: Final = (".py", ".ts", ".js", ".mts", ".mjs", ".cts", ".cjs")
_BETWEEN: Final = 2_000
"""Characters between the name of a tool in code that tells tools apart and what is done for it."""


class Purposes:
    """Judges the ways of one project."""

    def __init__(self, solver: Solver, files: Mapping[str, File]) -> None:
        self.solver = solver
        self.files = files
        self._local: dict[str, bool] = {}

    def asked(self, issue: Issue, way: Sequence[RawStep]) -> str:
        """In words: that the tool is there for what is done; empty where it is not."""
        class_ = issue.sink.class_
        if issue.source.kind != "tool-args" or class_ not in ("path-read", "sql", "url") or not self._of_user(issue.source.fn):
            return ""
        said = self.solver.tools_said.get(issue.source.fn.module.id, {})
        if class_ == "sql":
            return "the tool's server, which its user starts, is there to run any statement" if any(map(_runs, said.items())) else ""
        name = self._name(issue, way, said)
        text = said.get(name, "")
        if not name or _LIMITS.search(text) or any(step.what == JOINED for step in way):
            return ""
        if class_ == "url" and issue.sink.does.startswith("opens it in a browser") and _BROWSER.fullmatch(_flat(name)):
            return "the tool is there to open any page in the browser of whoever starts its server"
        if class_ == "path-read" and issue.sink.does == "lists it" and _LISTS.fullmatch(_flat(name)):
            return "the tool is there to name what is in a folder, for whoever starts its server"
        return ""

    def _name(self, issue: Issue, way: Sequence[RawStep], said: Mapping[str, str]) -> str:
        """The tool whose argument goes this way: that of the function, else the one that code names last before it goes on."""
        found = ""
        for step in way:
            file = self.files.get(step.fn.module.path)
            if file is None or step.fn.module.id != issue.source.fn.module.id:
                continue
            before = file.slice(max(step.fn.ir.start, step.start - _BETWEEN), step.start)
            at, name = max(((before.rfind(f"{quote}{one}{quote}"), one) for one in said for quote in "\"'`"), default=(-1, ""))
            found = name if at >= 0 else found
        return found or self.solver.tool_names.get(issue.source.fn.id, "")

    def _of_user(self, fn: Fn) -> bool:
        """Whether the package of a function speaks over standard input and output, and over no network."""
        symbols = self.solver.symbols
        root = max(symbols.scripts.root(fn.module.path), self.solver.versions.root(fn.module.path), key=len)
        known = self._local.get(root)
        if known is None:
            inside = [path for path in self.files if not is_test(path) and (not root or path.startswith(f"{root}/"))]
            texts = [self.files[path].text for path in sorted(inside) if path.endswith(_CODE)]
            spoken = any(_STDIO.search(text) for text in texts)
            known = self._local[root] = spoken and not any(_NETWORK.search(text) for text in texts)
        return known


def _flat(name: str) -> str:
    return _WORD.sub("_", name).lower()


def _runs(tool: tuple[str, str]) -> bool:
    """Whether a tool says that it runs whatever statement it is given."""
    name, text = tool
    reads = _SELECTS.search(text) is not None and _CHANGES.search(text) is None
    return _SQL.fullmatch(_flat(name)) is not None and not reads and _LIMITS.search(text) is None
