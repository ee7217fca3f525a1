"""What a folder is, by the files at its top: a package that others install, a service that is deployed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from headwater import limits
from headwater.files.npm import is_published
from headwater.files.read import UnreadableError, read_bytes

_PROJECT: Final = "pyproject.toml"
_BUILT: Final = re.compile(r"^[ \t]*\[(?:project|build-system|tool\.(?:poetry|flit\.metadata|flit\.module))\]", re.M)
_NOT_BUILT: Final = re.compile(
    r"^[ \t]*package-mode[ \t]*=[ \t]*false\b|^[ \t]*\[tool\.uv\](?:(?!^[ \t]*\[)[\s\S])*?^[ \t]*package[ \t]*=[ \t]*false\b", re.M
)
_BUILDS: Final = (_PROJECT, "setup.py", "setup.cfg", "PKG-INFO")
_DEPLOYS: Final = re.compile(
    r"(?i)(?:dockerfile(?:\..*)?|.*\.dockerfile|containerfile|(?:docker-)?compose(?:\..*)?\.ya?ml|procfile|fly\.toml|render\.ya?ml|vercel\.json)"
)
_CHARTS: Final = ("containers", "helm", "k8s", "kubernetes")


def tells(path: str) -> bool:
    """Whether a file decides what the folder is that its path begins at."""
    top, _, rest = path.partition("/")
    return top in _CHARTS if rest else top in (*_BUILDS, "package.json") or _DEPLOYS.fullmatch(top) is not None


def published(root: Path) -> frozenset[bool]:
    """Of which code the folder is a package that others install, by what builds or installs leave at its top: of scripts, of Python."""
    return frozenset(scripts for scripts, known in ((True, is_published(root)), (False, _is_built(root))) if known)


def _is_built(root: Path) -> bool:
    if any((root / name).is_file() for name in _BUILDS if name != _PROJECT) or _is_project(root):
        return True
    return root.is_dir() and any(one.name.endswith((".dist-info", ".egg-info")) for one in root.iterdir())


def _is_project(root: Path) -> bool:
    """Whether ``pyproject.toml`` is of a package: it may only configure tools, or say that nothing is built."""
    try:
        text = read_bytes(str(root / _PROJECT), limits.MANIFEST_BYTES).decode("utf-8", "replace")
    except UnreadableError:
        return False
    return _BUILT.search(text) is not None and _NOT_BUILT.search(text) is None


def is_deployed(root: Path) -> bool:
    """Whether the folder is a program that is run as it is, by the recipes of containers and hosts at its top."""
    if not root.is_dir():
        return False
    return any((_DEPLOYS.fullmatch(one.name) and one.is_file()) or (one.name in _CHARTS and one.is_dir()) for one in root.iterdir())
