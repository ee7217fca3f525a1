"""What a folder is, by the files at its top: a package that others install, a service that is deployed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from headwater.files.npm import is_published

_BUILDS: Final = ("pyproject.toml", "setup.py", "setup.cfg", "PKG-INFO")
_DEPLOYS: Final = re.compile(
    r"(?i)(?:dockerfile(?:\..*)?|.*\.dockerfile|containerfile|(?:docker-)?compose(?:\..*)?\.ya?ml|procfile|fly\.toml|render\.ya?ml|vercel\.json)"
)
_CHARTS: Final = ("containers", "helm", "k8s", "kubernetes")


def tells(path: str) -> bool:
    """Whether a file decides what the folder is that its path begins at."""
    top, _, rest = path.partition("/")
    return top in _CHARTS if rest else top in (*_BUILDS, "package.json") or _DEPLOYS.fullmatch(top) is not None


def is_package(root: Path) -> bool:
    """Whether the folder is a package that others install, by what builds or installs leave at its top."""
    if any((root / name).is_file() for name in _BUILDS) or is_published(root):
        return True
    return root.is_dir() and any(one.name.endswith((".dist-info", ".egg-info")) for one in root.iterdir())


def is_deployed(root: Path) -> bool:
    """Whether the folder is a program that is run as it is, by the recipes of containers and hosts at its top."""
    if not root.is_dir():
        return False
    return any((_DEPLOYS.fullmatch(one.name) and one.is_file()) or (one.name in _CHARTS and one.is_dir()) for one in root.iterdir())
