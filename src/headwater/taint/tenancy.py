"""Whether the records of several users lie in one store, and whether a way to them asks whose they are.

It is judged by words, as ``headwater.taint.openness`` does: records belong to users where code that writes them, or that opens a part
of a store, names an owner; and a way asks whose they are where a function on it speaks of who has signed in, or of permissions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from headwater.apis.schema import Api
from headwater.files.source import Source as File
from headwater.index.entities import Fn, is_test
from headwater.taint.summary import Issue

if TYPE_CHECKING:
    from headwater.taint.solve import Solver

CLASS: Final = "tenant"
WRITES: Final = "vector-write"
_OWNER: Final = re.compile(
    r"(?i)(?<![a-z])(?:user|owner|tenant|account|org|organi[sz]ation|customer|workspace)_?id(?![a-z])|(?<![a-z])(?:owner|tenant)(?![a-z])"
)
"""In code that keeps records: they belong to somebody."""
_USERS: Final = re.compile(
    r"(?i)current_?user|get_?user|request\.user|req\.user|\bg\.user|user\.(id|sub|email)\b|session\.user|login|sign_?in|jwt|clerk|getServerSession"
)
"""The program tells users apart."""
_ASKS: Final = re.compile(
    r"(?i)current_?user|(?:request|req|g|state|ctx|context|session|auth|token)\??\.(?:state\.)?user|\buser\??[.\[]|\bsession\??\.(?:user|data)\b|\bsession\[|\bsession\.get\([\"']|getSession|request\.session|\bauth\w*\(|jwt|claims|principal"
    r"|identity|\.owner|is_?owner|owner\w*\s*[!=]==?|permission|authori[sz]|\ballow|has_?access|can_?access|check_?access|is_?member|membership|belongs|decode|verif|\bheaders?(?:\[|\.get\b|\()|\bconfigurable\b|runtime\.|\bctx\b|context\."
    r"|clerk|forbidden|\b403\b"
)
"""On a way: it is known who asks, or looked up whether he may."""
_PARTS: Final = re.compile(
    r"(?i)(?:namespace|tenant|collection|partition)\w*[\"']?\s*(?:[=:(]|\?\?)[^\n,)]*?(?<![a-z])(?:user|owner|tenant|account|org|customer|workspace)(?!_?agent)"
)
"""A part of a store belongs to somebody."""
_FILTERED: Final = re.compile(r"(?i)\b(?:where|filter|search_kwargs|match)\b|tenant")
_COMMENTS: Final = re.compile(r"/\*.*?\*/|(?:(?<!:)//|#)[^\n]*|\"\"\".*?\"\"\"", re.DOTALL)


class Tenancy:
    """Judges the stores and ways of one project."""

    def __init__(self, solver: Solver, files: Mapping[str, File]) -> None:
        self.solver = solver
        self.files = files
        self._several: bool | None = None
        self._parted: bool | None = None

    def of(self, issue: Issue) -> bool:
        """Whether what comes this way chooses among the records of several users, and nothing on it asks whose they are."""
        ways = {issue.source.fn, issue.apex, issue.sink.fn} | ({issue.hop[2]} if issue.hop is not None else set())
        if not self.several() or any(self.asks(self.body(fn)) for fn in ways):
            return False
        file = self.files.get(issue.sink.fn.module.path)
        text = file.slice(issue.sink.start, issue.sink.end) if file is not None else ""
        return _FILTERED.search(text) is not None or self.names_owner(text) or self.parted()

    def parted(self) -> bool:
        """Whether parts of a store, by their names, belong to users."""
        if self._parted is None:
            self._parted = any(_PARTS.search(self.text(fn)) for fn in self.writers() if not is_test(fn.module.path))
        return self._parted

    def several(self) -> bool:
        """Whether the project keeps records of several users."""
        if self._several is None:
            owned = any(self.owned(fn) for fn in self.writers() if not is_test(fn.module.path))
            self._several = owned and self._has_users()
        return self._several

    def writers(self) -> list[Fn]:
        """Functions that keep records, and those that bring what is kept."""
        solver = self.solver
        found = {
            fn.id: fn
            for number, sights in solver.sights.items()
            for sight in sights.values()
            if sight.entry is not None and self.writes(sight.entry)
            if (fn := solver.symbols.functions[number])
        }
        for issues in solver.issues.values():
            for issue in issues:
                if issue.sink.class_ == WRITES:
                    found |= {fn.id: fn for fn in (issue.source.fn, issue.apex, issue.sink.fn)}
        return [fn for _, fn in sorted(found.items())]

    def writes(self, entry: Api) -> bool:
        """Whether a call of this model keeps records."""
        return any(sink.class_ == WRITES for sink in entry.sinks)

    def owned(self, fn: Fn) -> bool:
        """Whether a function that keeps records names an owner."""
        return self.names_owner(self.text(fn))

    def names_owner(self, text: str) -> bool:
        """Whether code names an owner of records."""
        return _OWNER.search(text) is not None

    def asks(self, text: str) -> bool:
        """Whether code speaks of who has signed in, or of what he may."""
        return _ASKS.search(text) is not None

    def _has_users(self) -> bool:
        return any(
            _USERS.search(file.text)
            for mod in self.solver.symbols.modules
            if not is_test(mod.path) and (file := self.files.get(mod.path)) is not None
        )

    def text(self, fn: Fn) -> str:
        """The code of a function without its comments."""
        file = self.files.get(fn.module.path)
        return _COMMENTS.sub("", file.slice(fn.ir.start, fn.ir.end)) if file is not None else ""

    def body(self, fn: Fn) -> str:
        """The same without its header: a parameter that is not used asks nothing."""
        file = self.files.get(fn.module.path)
        if file is None:
            return ""
        first = min((one.start for one in fn.ir.body if one.start > fn.ir.start), default=fn.ir.end)
        line = file.line_start(file.position(first)[0])
        return _COMMENTS.sub("", file.slice(line if line > fn.ir.start else first, fn.ir.end))
