"""What code reads and shows where it is run: settings that are kept secret, pages that it draws, questions to a person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from headwater import ir
from headwater.index.calls import instructions
from headwater.index.entities import Cls, Fn, Mod
from headwater.system.written import Places

_KEPT: Final = frozenset({"secrets", "session_state", "dialog", "fragment", "connection", "query_params", "runtime", "components"})
"""What Streamlit offers that draws nothing."""
_SECRET: Final = re.compile(r"(?:^|_)(?:[a-z0-9]*key|secret|token|password|passwd)(?:_id)?$", re.IGNORECASE)
"""Names of settings that are kept secret."""
_APPROVAL: Final = re.compile(
    r"\b(?:approve|approval|confirm|accept|allow|permit|proceed|feedback on|are you sure|continue\?)|\b(?:y/n|yes/no)\b", re.IGNORECASE
)
"""Questions whose answer decides whether something goes on."""
_APPROVER: Final = re.compile(r"(?:^|_)(?:approve|approval|confirm|confirmation|human|permission|consent|review)(?:_|$)", re.IGNORECASE)
"""Names of functions that ask such questions."""


class Reads(Places):
    """Definitions of registers, and what they tell of settings and pages."""

    def approvals(self, fn: Fn) -> list[int]:
        """Where a person is asked before something goes on: ``input("Send it? (y/n) ")``."""
        found = []
        for one in instructions(fn.ir.body):
            if type(one) is ir.Call and any(type(it) is ir.Name and it.name == "input" for it in self.definitions(fn).get(one.fn, ())):
                asked = " ".join(text.literal for at in one.args if at >= 0 for text in self.texts(fn, at))
                if _APPROVAL.search(asked) or _APPROVER.search(fn.name):
                    found.append(one.start)
        return found

    def draws(self, mod: Mod) -> bool:
        """Whether a file is a Streamlit script: it draws a page where it is run."""
        names = {local for local, aliases in mod.ir.imports.items() if any(one.path == "streamlit" for one in aliases)}
        if not names:
            return False
        registers = {one.dst for one in instructions(mod.body.ir.body) if type(one) is ir.Name and one.name in names}
        return any(
            type(one) is ir.Attr and one.obj in registers and one.name not in _KEPT and not one.name.startswith(("cache", "experimental"))
            for one in instructions(mod.body.ir.body)
        )

    def settings(self, fn: Fn) -> Iterator[tuple[str, int]]:
        """Names of the keys and passwords that a function reads from the environment, or from what Streamlit keeps."""
        for one in instructions(fn.ir.defaults + fn.ir.body):
            kind, name = type(one), None
            if kind is ir.Item and isinstance(one.key, str) and self._keeps_settings(fn, one.obj):
                name = one.key
            elif kind is ir.Attr and self._keeps_settings(fn, one.obj, "secrets"):
                name = one.name
            elif kind is ir.Call and one.args and one.args[0] >= 0:
                for callee in self.definitions(fn).get(one.fn, ()):
                    reads = type(callee) is ir.Attr and (
                        (callee.name == "get" and self._keeps_settings(fn, callee.obj))
                        or (callee.name == "getenv" and self._named(fn, callee.obj, "os"))
                    )
                    if reads or (type(callee) is ir.Name and self._imported(fn.module, callee.name, "os.getenv")):
                        name = self.constant(fn, one.args[0])
            if isinstance(name, str) and _SECRET.search(name):
                yield name, one.start

    def fields(self, cls: Cls) -> Iterator[tuple[str, int]]:
        """Names of the keys and passwords that a class of settings takes from the environment."""
        if any(path.text.rpartition(".")[2] == "BaseSettings()" for path in cls.instance.paths):
            for name, field in cls.ir.fields.items():
                if _SECRET.search(name):
                    yield name, field.start

    def _keeps_settings(self, fn: Fn, register: int, only: str = "") -> bool:
        """Whether a register holds ``os.environ`` or ``st.secrets``."""
        for one in self.definitions(fn).get(register, ()):
            if type(one) is ir.Attr:
                if one.name == "secrets" and self._named(fn, one.obj, "streamlit"):
                    return True
                if one.name == "environ" and not only and self._named(fn, one.obj, "os"):
                    return True
            if type(one) is ir.Name and not only and self._imported(fn.module, one.name, "os.environ"):
                return True
        return False

    def _named(self, fn: Fn, register: int, module: str) -> bool:
        """Whether a register holds a module."""
        return any(type(one) is ir.Name and self._imported(fn.module, one.name, module) for one in self.definitions(fn).get(register, ()))

    @staticmethod
    def _imported(mod: Mod, name: str, path: str) -> bool:
        return any(one.path == path for one in mod.ir.imports.get(name, ()))
