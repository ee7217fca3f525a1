"""What a command line fetches and runs: the package or image behind ``npx``, ``uvx`` or ``docker run``, and which version of it.

Nothing is asked of a registry: only how the command is written counts.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from packaging.utils import canonicalize_name

from headwater.documents.manifests import Pin

_SHELLS: Final = frozenset({"sh", "bash", "zsh", "dash", "cmd", "powershell", "pwsh"})
_OF_NPM: Final = frozenset({"npx", "bunx", "pnpx"})
_OF_PYPI: Final = frozenset({"uvx"})
_OF_IMAGES: Final = frozenset({"docker", "podman", "nerdctl"})
_TWO: Final = {
    ("npm", "exec"): "npx",
    ("npm", "x"): "npx",
    ("pnpm", "dlx"): "npx",
    ("yarn", "dlx"): "npx",
    ("bun", "x"): "npx",
    ("uv", "tool", "run"): "uvx",
    ("pipx", "run"): "uvx",
}
_LOCAL_TOOLS: Final = frozenset(
    {"tsx", "ts-node", "ts-node-esm", "nodemon", "vite-node", "tsc", "bun", "node", "python", "concurrently", "dotenv"}
)
"""What runs a script of the project, and is a development dependency of it mostly."""
_NPM_VALUES: Final = frozenset({"-p", "--package", "-c", "--call", "-w", "--workspace", "--registry"})
_UVX_WORDS: Final = (
    "--with -w --python -p --index --index-url -i --extra-index-url --default-index --directory --env-file --with-requirements -c -f"
    " --pip-args --find-links --with-editable --constraints --cache-dir --project --spec --from"
)
_UVX_VALUES: Final = frozenset(_UVX_WORDS.split())
_DOCKER_WORDS: Final = (
    "--rm -i -t -it -ti -d --interactive --tty --detach --init --privileged --read-only --no-healthcheck -P --publish-all --quiet -q"
    " --sig-proxy --oom-kill-disable --disable-content-trust --replace"
)
_DOCKER_ALONE: Final = frozenset(_DOCKER_WORDS.split())
_NPM_SPEC: Final = re.compile(r"((?:@[\w.~-]+/)?[\w.~-]+)(?:@(.*))?")
_EXACT_NPM: Final = re.compile(r"=?v?\d+\.\d+\.\d+(?:[-+][\w.+-]+)?")
_PYPI_SPEC: Final = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[\w, -]*\])?\s*(?:(===?|@|[<>~!]=?)\s*(.*))?")
_EXACT_PYPI: Final = re.compile(r"\d+(?:\.\d+)+[\w.+!-]*")
_IMAGE: Final = re.compile(r"(?P<name>[\w.-]+(?::\d+)?(?:/[\w.-]+)+)(?::(?P<tag>[\w.-]+))?(?P<digest>@sha256:[0-9a-f]{64})?")
_MOVING: Final = frozenset({"latest", "main", "master", "stable", "edge", "nightly", "dev", "head"})
_DEPTH: Final = 3  # shells in shells


class Fetched(NamedTuple):
    """A package or an image that a start fetches."""

    ecosystem: str
    name: str
    written: str
    """As the command has it."""
    pinned: str
    """How to write it so that it stays the same."""
    exact: str = ""
    """Its version; empty where it is whatever there is then."""


def unpinned(words: Sequence[str]) -> Fetched | None:
    """What a command fetches without a version; None where it fetches nothing, or something that is fixed."""
    found = fetched(words)
    return found if found is not None and not found.exact else None


def fetched(words: Sequence[str], depth: int = 0) -> Fetched | None:
    """What a command fetches; None where that is nothing, or an image or a repository that is fixed."""
    words = [word for word in words if word]
    while words and (re.fullmatch(r"[A-Za-z_]\w*=.*", words[0], re.DOTALL) or _program(words[0]) in ("env", "sudo", "nohup", "exec")):
        words = words[1:]
    if len(words) == 1 and " " in words[0]:
        words = _split(words[0])
    if not words or depth > _DEPTH:
        return None
    program = _program(words[0])
    if program in _SHELLS:
        return _in_shell(words[1:], depth)
    for start, meant in _TWO.items():
        if (program, *words[1 : len(start)]) == start:
            program, words = meant, [meant, *words[len(start) :]]
            break
    if program in _OF_NPM:
        return _npx(words[1:])
    if program in _OF_PYPI:
        return _uvx(words[1:])
    return _docker(words[1:]) if program in _OF_IMAGES else None


def _program(word: str) -> str:
    name = re.split(r"[/\\]", word)[-1].lower()
    return re.sub(r"\.(?:cmd|exe|ps1|bat)$", "", name)


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text[:2_000])
    except ValueError:
        return []


def _in_shell(words: Sequence[str], depth: int) -> Fetched | None:
    for number, word in enumerate(words):
        if word.lower() in ("/c", "/k", "-c", "-lc", "-ic", "-command"):
            rest = list(words[number + 1 :])
            if len(rest) == 1 or not word.startswith("/"):
                rest = _split(rest[0]) if rest else []
            return fetched(rest, depth + 1)
    return None


def _npx(words: Sequence[str]) -> Fetched | None:
    named, at = "", 0
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        key, equals, value = words[at].partition("=")
        if key in ("--no-install", "--no", "--offline"):
            return None
        if key in _NPM_VALUES and not equals:
            value, at = (words[at + 1] if at + 1 < len(words) else ""), at + 1
        if key in ("-p", "--package"):
            named = named or value
        at += 1
    if at < len(words) and words[at] == "--":
        at += 1
    written = named or (words[at] if at < len(words) else "")
    found = _NPM_SPEC.fullmatch(written)
    if found is None or found[1] in _LOCAL_TOOLS or written.startswith((".", "/", "~")) or "${" in written:
        return None
    exact = (found[2] or "").lstrip("=v") if _EXACT_NPM.fullmatch(found[2] or "") else ""
    return Fetched("npm", found[1], written, f"{found[1]}@1.2.3", exact)


def _uvx(words: Sequence[str]) -> Fetched | None:
    named, at = "", 0
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        key, equals, value = words[at].partition("=")
        if key in _UVX_VALUES and not equals:
            value, at = (words[at + 1] if at + 1 < len(words) else ""), at + 1
        if key in ("--from", "--spec"):
            named = value
        if key in ("--offline", "--with-editable"):
            return None
        at += 1
    if at < len(words) and words[at] == "--":
        at += 1
    written = named or (words[at] if at < len(words) else "")
    if written.startswith(("git+", "https://", "http://")):
        address, _, revision = written.rpartition("@") if "@" in written.partition("://")[2].partition("/")[2] else (written, "", "")
        if revision and revision.lower() not in _MOVING:
            return None
        name = address.removesuffix(".git").rstrip("/").rpartition("/")[2]
        return Fetched("git", name, written, f"{address}@<commit>") if written.startswith("git+") else None
    found = _PYPI_SPEC.fullmatch(written)
    if found is None or written.startswith((".", "/", "~")) or written.endswith((".py", ".whl")) or "${" in written:
        return None
    exact = found[3] if found[2] in ("==", "===", "@") and _EXACT_PYPI.fullmatch(found[3]) else ""
    return Fetched("pypi", found[1], written, f"{found[1]}==1.2.3", exact)


def pin(found: Fetched, start: int, end: int) -> Iterator[Pin]:
    """What it says of a package, at a place of its file; nothing of an image or a repository."""
    if found.ecosystem in ("npm", "pypi"):
        name = canonicalize_name(found.name) if found.ecosystem == "pypi" else found.name
        yield Pin(found.ecosystem, name, found.exact, "", start, end, False)


def _docker(words: Sequence[str]) -> Fetched | None:
    rest = list(words)
    while rest and rest[0].startswith("-"):
        rest = rest[1 if "=" in rest[0] else 2 :]
    if not rest or rest[0] != "run":
        return None
    at = 1
    while at < len(rest) and rest[at].startswith("-"):
        at += 1 if "=" in rest[at] or rest[at] in _DOCKER_ALONE else 2
    found = _IMAGE.fullmatch(rest[at]) if at < len(rest) else None
    if found is None or found["digest"] or (found["tag"] and found["tag"].lower() not in _MOVING):
        return None  # an image without an account is one of this machine, mostly
    return Fetched("image", found["name"], rest[at], f"{found['name']}@sha256:<digest>")
