"""What the JSON forms of the threat model share: text made visible, standards in words, the bytes."""

from __future__ import annotations

import json
from typing import Any, Final

from headwater.reports import escape, words
from headwater.threats.model import Case

TEXT: Final = 400
_FRAMEWORKS: Final = {
    "owasp-llm": "OWASP LLM",
    "owasp-agentic": "OWASP agentic",
    "owasp-mcp": "OWASP MCP",
    "atlas": "MITRE ATLAS",
    "cwe": "CWE",
}


def shown(text: str, most: int = TEXT) -> str:
    """Text of the repository on one line, with what cannot be seen written out."""
    return words.cut(space(text), most)


def space(text: str) -> str:
    """The same, as long as it is."""
    return escape.line(text)


def standards(case: Case) -> str:
    """The places in standards in words."""
    found: dict[str, list[str]] = {}
    for one in case.mappings:
        found.setdefault(one.framework, []).append(one.id)
    return "; ".join(f"{_FRAMEWORKS[framework]}: {', '.join(ids)}" for framework, ids in found.items())


def encoded(data: dict[str, Any]) -> str:
    """Indented, so that git can compare it, and safe to show in a log."""
    return escape.json((json.dumps(data, indent=2, ensure_ascii=True) + "\n").encode()).decode()
