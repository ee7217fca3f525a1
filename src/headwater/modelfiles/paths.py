"""Names of members of archives: which of them leave the folder that they are unpacked to."""

from __future__ import annotations

import re
from typing import Final

_DRIVE: Final = re.compile(r"[A-Za-z]:")


def escapes(name: str) -> bool:
    """Whether unpacking a member of that name writes outside."""
    parts = name.replace("\\", "/").split("/")
    return name.startswith(("/", "\\")) or bool(_DRIVE.match(name)) or leaves(parts)


def leaves(parts: list[str]) -> bool:
    """Whether a path ever goes above where it begins."""
    depth = 0
    for part in parts:
        if part == "..":
            depth -= 1
            if depth < 0:
                return True
        elif part not in ("", "."):
            depth += 1
    return False


def link_escapes(name: str, target: str) -> bool:
    """Whether a link of that name leads outside."""
    if escapes(target) and not target.startswith(".."):
        return True
    folder = name.replace("\\", "/").rstrip("/").split("/")[:-1]
    return leaves([*folder, *target.replace("\\", "/").split("/")])
