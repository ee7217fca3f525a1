"""Whether somebody gains anything by a flow that is there: what he reaches is his own, is granted to him, or runs nowhere.

Asked of each way to an operation; where one way is of use to somebody, the operation is told as always.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from headwater.files.source import Source as File
from headwater.findings import STRENGTH
from headwater.index.entities import Cls, Fn, Mod, Var, is_test
from headwater.taint import caches
from headwater.taint.admins import Admins
from headwater.taint.asked_before import AskedBefore
from headwater.taint.doubt import Doubt
from headwater.taint.labels import OPERATORS
from headwater.taint.openness import Openness, of_web
from headwater.taint.operators import JOINED
from headwater.taint.purposes import Purposes
from headwater.taint.solve import Solver
from headwater.taint.summary import Issue
from headwater.taint.trace import RawStep

_OWN_STATE = re.compile(
    r"(?:read back from|kept in) the (?:state|session|local)\b|the field (?:body|cookies|headers|params|query)$"  # of the request itself
)
_STORED = re.compile(r"the (?:field|module variable) |(?:read back from|kept in) the ")
_FOREIGN = frozenset({"retrieved-content", "tool-result", "dataset"})
_TOOLS = re.compile(r"\btools?\b|\bfunctions\s*[:=]|bind_?tools|function_call", re.IGNORECASE)
_ONLY = re.compile(r"[{(,]\s*[\"']?messages[\"']?\s*[:=]\s*\[\s*$")
_ALONE = re.compile(r"\s*+(?:as const\s*+)?,?\s*+(?:(?://|#)[^\n]*+\n\s*+)?\]")
"""Before and behind a message that is the only one of a call."""
_SHELL = re.compile(
    r"(?:run|exec|execute|start|launch)_?(?:a_)?(?:shell|bash|system|terminal|background|os|local|powershell)?_?"
    r"(?:command|cmd|commands|script|shell|bash|terminal|powershell)(?:_line)?(?:_tool)?"
    r"|(?:shell|bash|terminal|cmd|command|powershell|sh)(?:_(?:tool|exec|execute|run|command))?"
)
"""Names of tools that say that they run what they are given."""
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-. ]+")
_EXAMPLES = re.compile(r"examples?|samples?|cookbooks?|tutorials?", re.IGNORECASE)
_SERVED = frozenset({"app", "api", "components", "pages", "routes", "views"})
"""Folders of applications whose parts may be called like what an example is."""
_PROTOCOL = re.compile(
    r"(?<![\w.])(?:session\.(?:\w+\.)?)?protocol\.(?:handle|(?:register|intercept)(?:Buffer|File|Http|Stream|String)Protocol)"
    r"\(\s*[^(),]{1,60},\s*(?:async\s*)?$"
)
_ELSEWHERE = "runs it in a shell of another host"
_HEADER = "a header of the request"
_NAME_OF = 60
"""Bytes behind the headers in which the name of one stands."""
_NAMED_HEADER = re.compile(
    r"""(?i)headers?(?:\??\.get)?\s*(?:\??\.)?[(\[]\s*["'`][\w-]+["'`]|\.get\(\s*["'`][\w-]+["'`]|headers?\??\.[a-z]\w*"""
)
_COOKIE = re.compile(r"(?i)cookie")
_LINKED = re.compile(r"(?i)refer|forwarded|original|rewrite|host|\burl\b|cookie")
_NEAR = 150
"""Bytes before a function in which the call that it is handed to begins."""
_BY_HAND = frozenset({"scripts", "script"})
"""Folders of programs that a developer starts by hand."""
_ASKS = re.compile(r"(?<![\w.])input\(")
_MAIN = re.compile(r"^if __name__ == [\"']__main__[\"']", re.MULTILINE)
_FROM = (
    r"([\w$]{0,40}(?:args|body|data|form|input|params|parsed|payload|query|req|request|validated)[\w$]{0,40}"
    r"(?:\.(?:body|data|json|params|query))?)"
)
_HOST = re.compile(rf"\b(?:host|hostname|server|dsn|uri|url)[\"']?\s*[:=]\s*{_FROM}\.(?!hostname\b|netloc\b)\w+")
_LOGIN = re.compile(rf"\b(?:password|passwd|pwd|private_?key)[\"']?\s*[:=]\s*{_FROM}\.\w+", re.IGNORECASE)
"""Where a connection is made: what comes from the same object is the sender's own. An address that was taken apart may be anybody's."""


class Gains:
    """Judges the ways of one project."""

    def __init__(self, solver: Solver, files: Mapping[str, File], openness: Openness, before: AskedBefore) -> None:
        self.solver = solver
        self.files = files
        self.openness = openness
        self.before = before
        self.admins = Admins(files)
        self.purposes = Purposes(solver, files)
        self._used: frozenset[int] | None = None

    def little(self, issues: Sequence[Issue], ways: Sequence[tuple[Issue, Sequence[RawStep]]]) -> str:
        """Why whoever sends the data gains little by any of the ways, in words; empty where he does by one. ``issues``: all flows."""
        first = ""
        for issue, way in ways:
            why = self._of(issue, way, issues)
            if not why:
                return ""
            first = first or why
        looked_at = {issue.source.kind for issue, _ in ways}
        if any(one.sink.class_ == "prompt-system" and one.source.kind not in looked_at for one in issues):
            return ""
        return first

    def _of(self, issue: Issue, way: Sequence[RawStep], issues: Sequence[Issue]) -> str:
        class_, kind = issue.sink.class_, issue.source.kind
        functions = list({fn.id: fn for fn in (issue.sink.fn, issue.source.fn, issue.apex, *(step.fn for step in way))}.values())
        if any(self.is_example(fn.module) for fn in functions):
            return "it is an example, which nobody serves"
        if class_ == "url" and any(self._at_terminal(fn.module) for fn in functions):
            return "it is an example that asks at a terminal: what it fetches is shown to whoever runs it"
        if class_ == "log" and kind == "pii" and not _BY_HAND.isdisjoint(issue.sink.fn.module.path.split("/")[:-1]):
            return "it is a script that shows it to whoever runs it"
        if STRENGTH.get(kind) == 0 and any(self._of_own_window(fn) for fn in functions):
            return "no other program sends it: it comes from the window of this one"
        if class_ == "prompt-system" and STRENGTH.get(kind) == 0 and not _kept(way):
            if not any(fn.id in self.solver.acting for fn in functions):
                return "the model works for whoever sends it, and has no tool that acts"
            asked = any(self.before.handler(fn) for fn in functions) or not self.openness.way((issue.source.fn, issue.apex), None)
            if asked:  # what its tools may do is up to who was let in
                return "the model works for whoever sends it, and who that is was asked"
        acting = any(fn.id in self.solver.acting for fn in functions)
        if class_ == "prompt-system" and kind in _FOREIGN and (not acting or self._alone(issue)):
            return "it can bend what the model says, which has no tool that acts"
        if class_ == "shell" and kind == "tool-args" and self._granted(issue, way):
            return "the tool is there to run what it is given"
        if why := self.purposes.asked(issue, way):
            return why
        if class_ == "deserialize" and (kind in OPERATORS or kind == "library-input") and caches.own(issue.sink):
            return "it is a cache, which the same function has written"
        if class_ == "url" and kind == "http-input" and any(self.admins.alone(issue, fn, way) for fn in (issue.source.fn, issue.apex)):
            return "only administrators send it, who say anyway what this program talks to"
        if class_ == "html" and kind == "http-input" and issue.source.text == _HEADER and not _kept(way) and not self._of_link(issue):
            return "no link and no page has the browser of somebody else send that header"
        if class_ == "redirect" and kind == "http-input" and issue.source.text == _HEADER and self._of_cookie(issue):
            return "it is in a cookie, which this site or its user has set"
        if class_ in ("sql", "query") and any(self._own_account(fn) for fn in functions):
            return "the address and the password of the database are the sender's own"
        if class_ == "shell" and issue.sink.does == _ELSEWHERE and any(self._own_account(fn) for fn in functions):
            return "the host on which it runs, and the password or key for it, are the sender's own"
        return ""

    def _of_cookie(self, issue: Issue) -> bool:
        file = self.files.get(issue.source.fn.module.path)
        return file is not None and _COOKIE.search(file.slice(issue.source.start, issue.source.end)) is not None

    def _of_link(self, issue: Issue) -> bool:
        """Whether a header says where a browser comes from, or what a cache may keep an answer for; unknown where it is not named there."""
        file = self.files.get(issue.source.fn.module.path)
        text = file.slice(issue.source.start, issue.source.end + _NAME_OF) if file is not None else ""
        return _LINKED.search(text) is not None or not _NAMED_HEADER.search(text)

    def _alone(self, issue: Issue) -> bool:
        """Whether a message is the only one of its call, in a function that speaks of no tools."""
        file = self.files.get(issue.sink.fn.module.path)
        if file is None:
            return False
        before, after = file.slice(issue.sink.fn.ir.start, issue.sink.start), file.slice(issue.sink.end, issue.sink.fn.ir.end)
        return bool(_ONLY.search(before) and _ALONE.match(after)) and not (_TOOLS.search(before) or _TOOLS.search(after))

    def _of_own_window(self, fn: Fn) -> bool:
        """Whether a function answers what the windows of an Electron program ask for: no port is opened for it."""
        file = self.files.get(fn.module.path)
        return file is not None and fn.index > 0 and _PROTOCOL.search(file.slice(max(0, fn.ir.start - _NEAR), fn.ir.start)) is not None

    def _granted(self, issue: Issue, way: Sequence[RawStep]) -> bool:
        """Whether a tool is called like what it does, and its argument is all of the command."""
        name = _WORD.sub("_", self.solver.tool_names.get(issue.source.fn.id, "")).lower()
        return _SHELL.fullmatch(name) is not None and not any(step.what == JOINED or isinstance(step.what, Doubt) for step in way)

    def _own_account(self, fn: Fn) -> bool:
        """Whether a function connects to where the request says, with the password that the request brings."""
        file = self.files.get(fn.module.path)
        if file is None or not fn.index:
            return False
        text = file.slice(fn.ir.start, fn.ir.end)
        return not {one[1] for one in _HOST.finditer(text)}.isdisjoint(one[1] for one in _LOGIN.finditer(text))

    def _at_terminal(self, mod: Mod) -> bool:
        """Whether a file is an example that is run by hand: a program that asks for its input, and no part of a server."""
        file = self.files.get(mod.path) if not mod.script and _in_examples(mod) else None
        if file is None or _ASKS.search(file.text) is None or _MAIN.search(file.text) is None:
            return False
        return not of_web(mod.ir.imported) and mod.id not in self._used_by_others()

    def is_example(self, mod: Mod) -> bool:
        """Whether a file is an example of how to use the package beside it: no application of its own, and no part of one."""
        folders = mod.path.split("/")[:-1]
        at = next((number for number, name in enumerate(folders) if _EXAMPLES.fullmatch(name)), -1)
        if at < 0 or not _SERVED.isdisjoint(folders[:at]):
            return False
        root = max(self.solver.symbols.scripts.root(mod.path), self.solver.versions.root(mod.path), key=len)
        depth = len(root.split("/")) if root else 0
        return depth <= at + 1 and mod.id not in self._used_by_others()

    def _used_by_others(self) -> frozenset[int]:
        """The modules that code outside of examples and tests imports; all of them where there is no such code."""
        if self._used is None:
            others = [mod for mod in self.solver.symbols.modules if not is_test(mod.path) and not _in_examples(mod)]
            found = {id_ for mod in others for id_ in self._imported(mod)}
            self._used = frozenset(found if others else (mod.id for mod in self.solver.symbols.modules))
        return self._used

    def _imported(self, mod: Mod) -> Iterator[int]:
        for _, aliases in sorted(mod.ir.imports.items()):
            for alias in aliases:
                for one in self.solver.symbols.alias(mod, alias):
                    if isinstance(one, Mod):
                        yield one.id
                    elif isinstance(one, Fn | Cls | Var):
                        yield one.module.id


def _kept(way: Sequence[RawStep]) -> bool:
    """Whether others than the sender have theirs told a model."""
    return any(_STORED.match(step.what) and not _OWN_STATE.match(step.what) for step in way)


def _in_examples(mod: Mod) -> bool:
    return any(_EXAMPLES.fullmatch(name) for name in mod.path.split("/")[:-1])
