"""Which files beside the code are read for what they declare, start or give away: by their names.

Manifests, lock files, configurations, settings, prompts, scripts of the shell and pages of text. What they say is the business of
``headwater.documents``.
"""

from __future__ import annotations

from typing import Final

from headwater import limits

_ENDINGS: Final = (
    "bash bat cfg cnf conf config dockerfile env envrc example hbs hcl in ini j2 jinja jinja2 json json5 jsonc key lock log markdown md"
    " mdx mustache pem prompt prompty properties ps1 rst sample sh sql template tf tfvars tmpl toml txt xml yaml yml zsh"
)
_SUFFIXES: Final = frozenset(_ENDINGS.split())
_WHOLE: Final = ".bashrc .envrc .netrc .npmrc .pgpass .pypirc .yarnrc Caddyfile Containerfile Dockerfile Makefile Pipfile Procfile README"
_NAMES: Final = frozenset(_WHOLE.split())
_LOCKED: Final = (
    "Pipfile.lock bun.lock npm-shrinkwrap.json package-lock.json pdm.lock pnpm-lock.yaml poetry.lock pylock.toml uv.lock yarn.lock"
)
_LOCKS: Final = frozenset(_LOCKED.split())


def is_paper(name: str) -> bool:
    """Whether a file of this name is read."""
    _, dot, suffix = name.rpartition(".")
    return (bool(dot) and suffix.lower() in _SUFFIXES) or name in _NAMES or name.startswith((".env", "Dockerfile."))


def most_bytes(name: str) -> int:
    """The size of the largest such file that is read: larger ones are data."""
    return limits.MANIFEST_BYTES if name in _LOCKS else limits.PAPER_BYTES
