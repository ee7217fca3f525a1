"""What is fetched from an account of a hub whose name is a placeholder, which anybody may register: ``git+https://github.com/your-org/tool``.

Looked at are commands, requirements, actions of GitHub and servers of tools, but not those of examples, pages and tests. Calls that
load a model by such a name are what the rule itself says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from headwater.documents import manifests
from headwater.documents.commands import Command
from headwater.documents.told import Told, is_aside
from headwater.findings import Severity

PLACEHOLDER: Final = "placeholder-account"
_ACCOUNT: Final = (
    r"(?:your|my)[-_]?(?:(?:hf|hugging[-_]?face|github|gitlab|docker|hub)[-_]?)?"
    r"(?:org|organi[sz]ation|user|user[-_]?name|name|account|company|team|namespace|handle|id)s?"
)
_HOSTS: Final = r"(?:github\.com|gitlab\.com|huggingface\.co|raw\.githubusercontent\.com)"
_REMOTE: Final = re.compile(rf"(?:git\+)?(?:(?:https?|ssh|git)://(?:[^@/\s\"']+@)?|git@){_HOSTS}[/:]({_ACCOUNT})/[\w.-]+", re.IGNORECASE)
_DEPENDENCY: Final = re.compile(
    rf"git\+(?:https?|ssh)://(?:[^@/\s\"']+@)?{_HOSTS}[/:]({_ACCOUNT})/[\w.-]+|\"(?:github|gitlab):({_ACCOUNT})/[\w.-]+", re.IGNORECASE
)
_ACTION: Final = re.compile(rf"^[ \t]*(?:-[ \t]+)?uses:[ \t]*[\"']?(({_ACCOUNT})/[\w./-]+@[\w.-]+)", re.IGNORECASE | re.MULTILINE)
_SCOPED: Final = re.compile(rf"@({_ACCOUNT})/[\w.-]+(?:@.*)?", re.IGNORECASE)
_HUB: Final = re.compile(rf"({_ACCOUNT})/[\w.-]+", re.IGNORECASE)
_FETCHES: Final = frozenset(
    {"ADD", "bun", "bunx", "curl", "git", "npm", "npx", "pip", "pip3", "pipx", "pnpm", "pnpx", "uv", "uvx", "wget", "yarn"}
)
_OF_HUB: Final = frozenset({"hf", "huggingface-cli"})
_MARKS: Final = (b"your", b"YOUR", b"Your", b"my", b"MY", b"My")
_SERVERS: Final = (b"npx", b"uvx", b"git+")


def in_commands(path: str, commands: Iterable[Command]) -> Iterator[Told]:
    """What commands name."""
    if is_aside(path):
        return
    for command in commands:
        texts = [word.text for word in command.words]
        program = texts[0].rpartition("/")[2] if texts else ""
        python = re.fullmatch(r"python[\d.]*", program) and texts[1:3] == ["-m", "pip"]
        for word in command.words[1:] if program in _FETCHES or program in _OF_HUB or python else ():
            found = _REMOTE.search(word.text) or (_HUB if program in _OF_HUB else _SCOPED).fullmatch(word.text)
            if found is not None:
                yield _told(path, word.start, word.end, found)


def in_text(path: str, data: bytes) -> Iterator[Told]:
    """What requirements, actions and servers of tools name."""
    if is_aside(path) or not any(mark in data for mark in _MARKS):
        return
    kind = manifests.kind_of(path)
    pattern: re.Pattern[str] | None = None
    if kind:
        pattern = _DEPENDENCY
    elif re.search(r"(?:^|/)\.github/workflows/[^/]+\.ya?ml$|(?:^|/)action\.ya?ml$", path):
        pattern = _ACTION
    elif path.endswith((".json", ".toml", ".yaml", ".yml")) and "mcp" in path.lower() and any(mark in data for mark in _SERVERS):
        pattern = _DEPENDENCY
    for found in pattern.finditer(data.decode("latin-1")) if pattern is not None else ():
        number = 1 if pattern is _ACTION else 0
        yield _told(path, found.start(number), found.end(number), found)


def _told(path: str, start: int, end: int, found: re.Match[str]) -> Told:
    named = found[1] if found.re is _ACTION else found[0].lstrip('"')
    shown = re.sub(r"//[^@/]*@", "//", named)  # no credentials
    return Told(path, start, end, PLACEHOLDER, f"`{shown[:120]}`", "This file", shown[:120], Severity.MEDIUM)
