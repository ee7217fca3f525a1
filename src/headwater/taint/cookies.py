"""Whether an application knows its callers by what browsers send along without being asked: cookies, sessions, sign-in by HTTP.

It is judged by words alone, those of the code of the whole package in one language: one that speaks of any of these counts.
A key or a token in a header is nothing that the page of somebody else could have sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from headwater.files.source import Source as File
from headwater.index.entities import Mod, is_test
from headwater.taint.project import Project

_SENT = re.compile(
    r"(?i)(?<!document\.)cookie|log_?in(?![a-z])|sign[-_]?in(?![a-z])|current_?user|authenticat|oauth|csrf|withcredentials"
    r"|session_?(?:middleware|interface|manager|factory|store)|get_?server_?session|\b(?:req|request|ctx|flask|scope)\.session\b"
    r"|(?:express|fastify|koa|iron|next|better)[-_](?:secure[-_])?(?:session|auth)|passport|clerk|auth0|keycloak|supabase"
    r"|from flask import[^\n]*\bsession\b|http_?basic|basic_?auth|digest_?auth|kerberos|negotiate|allauth|django"
)
_COMMENTS = re.compile(r"/\*.*?(?:\*/|\Z)|(?:(?<!:)//|#)[^\n]*", re.DOTALL)
"""One that nobody ends goes to the end of the file, so that no place is looked at twice."""


class Cookies:
    """Judges the packages of one project."""

    def __init__(self, project: Project, files: Mapping[str, File]) -> None:
        self.project = project
        self.files = files
        self._known: dict[str, bool] = {}

    def sent_to(self, mod: Mod) -> bool:
        """Whether the package of a module speaks of them."""
        root = self.project.symbols.scripts.root(mod.path) if mod.script else self.project.versions.root(mod.path)
        if root not in self._known:
            below = f"{root}/" if root else ""
            texts = (
                file.text
                for one in self.project.symbols.modules
                if one.script == mod.script
                and one.path.startswith(below)
                and not is_test(one.path)
                and (file := self.files.get(one.path)) is not None
            )
            self._known[root] = any(_SENT.search(_COMMENTS.sub("", text)) for text in texts)
        return self._known[root]
