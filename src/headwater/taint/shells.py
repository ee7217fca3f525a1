"""Names and words of shells of which one stands for all: where the platform decides between them, what is done is the same."""

from __future__ import annotations

from typing import Final

_SHELLS: Final = (
    *(folder + name for folder in ("", "/bin/", "/usr/bin/", "/usr/local/bin/") for name in ("sh", "bash", "dash", "ash", "zsh", "ksh")),
    *("cmd", "cmd.exe", "powershell", "powershell.exe", "pwsh", "pwsh.exe"),
)
"""Names of shells, in the order in which one stands for all."""
_WORDS: Final = ("-c", "-lc", "-ic", "-ec", "-lic", "-ilc", "/c", "/C", "/k", "/K", "-C", "-Command", "-command", "/Command")
"""Words behind which a shell finds its text, in the same way."""
_RANKS: Final = {text: (group, rank) for group, texts in enumerate((_SHELLS, _WORDS)) for rank, text in enumerate(texts)}


def one_for(a: str, b: str) -> str:
    """The one that stands for two that mean the same, empty where they do not."""
    first, second = _RANKS.get(a), _RANKS.get(b)
    return min(a, b, key=_RANKS.__getitem__) if first is not None and second is not None and first[0] == second[0] else ""
