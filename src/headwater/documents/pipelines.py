"""The commands that files of CI services run, and the variables that they and Compose files set, each with its place.

Read are workflows and actions of GitHub, and the files of GitLab, CircleCI, Azure and Bitbucket, by their names. Nothing is run: what
an expression of the service stands for is not known. Text is Latin-1 here, so that offsets are those of bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from headwater import limits
from headwater.documents import nodes
from headwater.documents.commands import Command, Word, of_script
from headwater.documents.nodes import Node

_GITHUB: Final = re.compile(r"(?:^|/)(?:\.github/workflows/[^/]+|action)\.ya?ml$")
_OTHERS: Final = re.compile(
    r"(?:^|/)(?:\.gitlab-ci(?:[.-][\w.-]+)?|\.gitlab/.+|\.circleci/[^/]+|azure-pipelines(?:[.-][\w.-]+)?|bitbucket-pipelines)\.ya?ml$"
)
_COMPOSE: Final = re.compile(r"(?:^|/)(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml$")
_RUN: Final = frozenset({"run", "command"})
_SCRIPTS: Final = frozenset({*_RUN, "script", "before_script", "after_script", "bash"})
"""At GitHub, ``script`` is JavaScript of an action."""
_SET: Final = frozenset({"env", "environment", "variables", "args"})
_LANGUAGES: Final = ("python", "node", "perl", "ruby")
"""A step whose ``shell`` is one of these is no script of the shell."""
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_BEFORE: Final = re.compile(r"(?:[&!]\S*\s+)*")
"""An anchor or a tag before a value."""
_EXPRESSION: Final = re.compile(r"\$\{\{(?:[^{}]|\{\d\}){0,400}\}\}|\$\[\[[^\[\]]{0,400}\]\]")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


def is_read(path: str) -> bool:
    """Whether a file of this name is one of them."""
    return any(pattern.search(path) for pattern in (_GITHUB, _OTHERS, _COMPOSE))


def commands(path: str, data: bytes) -> Iterator[Command]:
    """What a file runs and sets, as far as it can be read."""
    if len(data) > limits.SERVERS_BYTES:
        return
    root = nodes.read(path, data)
    runs = frozenset() if _COMPOSE.search(path) else _RUN if _GITHUB.search(path) else _SCRIPTS
    text = data.decode("latin-1")
    todo = [root] if root is not None else []
    while todo:
        node = todo.pop()
        fields = node.fields or {}
        shell = fields["shell"].text or "" if "shell" in fields else ""
        for key, one in fields.items():
            if key in _SET:
                yield from _variables(one)
            if key in runs and not shell.startswith(_LANGUAGES):
                for script in _texts(one):
                    yield from of_script(*_raw(script, text))
        todo += [*(node.items or ()), *fields.values()]


def _variables(node: Node) -> Iterator[Command]:
    """Those of a mapping, and of a list of ``NAME=value``."""
    for key, one in (node.fields or {}).items():
        inner = one.fields.get("value") if one.fields is not None else one  # GitLab's have a description
        if _NAME.fullmatch(key) and inner is not None and inner.text is not None:
            yield Command((), (Word(f"{key}={inner.text}", inner.start, inner.end),))
    for one in node.items or ():
        if one.text is not None and _NAME.match(one.text):
            yield Command((), (Word(one.text, one.start, one.end),))


def _texts(node: Node) -> Iterator[Node]:
    """The scripts of a key: one, or some in lists."""
    todo = [node]
    while todo:
        one = todo.pop()
        if one.text is not None:
            yield one
        todo += one.items or ()


def _raw(node: Node, text: str) -> tuple[str, int]:
    """A script as it is written, without the marks of YAML, of the same length from where it begins: places stay where they are."""
    before = _BEFORE.match(text, node.start, node.end)
    start, end = before.end() if before else node.start, node.end
    sign = text[start : start + 1]
    if sign in ("|", ">"):
        start = text.find("\n", start, end) + 1 or end
        found = text[start:end] if sign == "|" else re.sub(r"(?<=\S)\r?\n(?=[ \t]*\S)", _blank, text[start:end])
    else:
        found = re.sub(r"\r?\n", _blank, text[start:end])
        if sign == '"':
            start, found = start + 1, _ESCAPED.sub(lambda one: "\n " if one[1] == "n" else f" {one[1]}", found[1:-1])
        elif sign == "'":
            start, found = start + 1, found[1:-1].replace("''", " '")
    return _EXPRESSION.sub(lambda one: "$".ljust(len(one[0]), "_"), found), start


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])
