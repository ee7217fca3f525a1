"""What a finding or a capability means to the business, in words for those who decide; by CWE, which every rule names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from headwater.findings import Finding

_TAKEOVER: Final = ("Outsiders take over the machine", "They run programs of their own where this system runs, with all that it can reach.")
_DATABASE: Final = ("Data is read or changed in the database", "Questions to the database do something else than was meant.")
_FILES: Final = ("Files are read, replaced or deleted", "Paths that others choose lead out of the folder that was meant.")
_INNER: Final = ("The inner network is reached from outside", "The system fetches addresses that others choose, inner services too.")
_USERS: Final = ("Users of the web pages are attacked", "Text of others becomes part of a page and acts in the user's name.")
_LEAKS: Final = ("Confidential data gets out", "Keys, personal data, prompts or inner details reach people who must not have them.")
_COST: Final = ("Cost and standstill", "Somebody makes the system work without end, at your expense or until it fails for others.")
_OPEN: Final = ("Strangers use the system", "It does not ask who they are, or does not check what they say of themselves.")
_SUPPLY: Final = ("A changed model or package gets in", "What is loaded is not checked to be what was tested.")
_STEERED: Final = ("The model is steered by others", "Text of others is taken for instructions.")
_WEAK: Final = ("A protection is off", "Something that libraries do to protect is switched off.")
_ACTS: Final = (
    "Agents act where nobody was asked",
    "Tools change, send or spend what a model chooses, and who approves it does not see it.",
)
_OTHER: Final = ("Other weaknesses", "See the findings.")

_BY_CWE: Final = {
    **dict.fromkeys((77, 78, 94, 95, 502, 1336), _TAKEOVER),
    89: _DATABASE,
    **dict.fromkeys((22, 434, 732), _FILES),
    918: _INNER,
    **dict.fromkeys((79, 116), _USERS),
    **dict.fromkeys((200, 312, 359, 532, 798), _LEAKS),
    **dict.fromkeys((400, 674, 770), _COST),
    **dict.fromkeys((306, 639, 862, 863), _OPEN),
    **dict.fromkeys((494, 829, 1357, 1395), _SUPPLY),
    **dict.fromkeys((778, 1427), _STEERED),
    **dict.fromkeys((250, 693), _WEAK),
    **dict.fromkeys((441, 451, 912, 1188), _ACTS),
}

CAN: Final = {
    "executes-shell": "run commands on the machine",
    "executes-code": "run code",
    "writes-files": "write files",
    "database-write": "change a database",
    "spends-money": "spend money",
    "sends-messages": "send messages",
    "reads-secrets": "use keys",
    "network-out": "talk to other machines",
    "database-read": "read a database",
    "reads-files": "read files",
}
"""Capabilities of tools, the most dangerous first."""

TYPES: Final = {
    "entry-point": ("way in", "ways in"),
    "server": ("server", "servers"),
    "agent": ("agent", "agents"),
    "llm": ("language model", "language models"),
    "llm-call": ("place that asks a model", "places that ask a model"),
    "prompt": ("prompt", "prompts"),
    "tool": ("tool", "tools"),
    "guard": ("guard", "guards"),
    "retriever": ("retriever", "retrievers"),
    "vector-store": ("vector store", "vector stores"),
    "embedding-model": ("embedding model", "embedding models"),
    "memory": ("memory", "memories"),
    "document-source": ("source of documents", "sources of documents"),
    "dataset": ("data set", "data sets"),
    "model-file": ("model file", "model files"),
    "mcp-server": ("MCP server", "MCP servers"),
    "mcp-client": ("client of an MCP server", "clients of MCP servers"),
    "secret": ("key or password", "keys or passwords"),
}
"""Types of components in words."""


def of(finding: Finding) -> tuple[str, str]:
    """What it means: a few words, and a sentence."""
    numbers = [int(one.id) for one in finding.mappings if one.framework == "cwe"] or list(finding.cwe)
    return next((_BY_CWE[number] for number in numbers if number in _BY_CWE), _OTHER)


def grouped(findings: Iterable[Finding]) -> list[tuple[tuple[str, str], list[Finding]]]:
    """Findings by consequence, the worst first."""
    made: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        made.setdefault(of(finding), []).append(finding)
    return sorted(made.items(), key=lambda item: (-max(one.severity for one in item[1]), -len(item[1]), item[0]))


def number(count: int, type_: str) -> str:
    """``3 tools``."""
    one, many = TYPES.get(type_, (type_, f"{type_}s"))
    return f"{count:,} {one if count == 1 else many}"


def listed(parts: list[str]) -> str:
    """``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
