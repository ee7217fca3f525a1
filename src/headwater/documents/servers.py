"""Configurations that start tool servers (MCP): the packages that they fetch, and those that have no version.

Read are JSON, YAML and TOML of any name that speaks of MCP: ``mcp.json``, ``claude_desktop_config.json``, settings of editors and
agents. A server is an object below a key that holds servers, with a command and its arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from headwater import limits
from headwater.documents import nodes
from headwater.documents.launch import Fetched, fetched, pin
from headwater.documents.manifests import Pin
from headwater.documents.nodes import Node
from headwater.documents.told import Told, is_aside
from headwater.findings import Confidence, Severity

UNPINNED: Final = "unpinned-tool-server"
_HOLDERS: Final = frozenset(
    {"mcpservers", "mcp_servers", "mcp-servers", "servers", "mcp", "context_servers", "extensions", "stdio_servers"}
)
_LAUNCHES: Final = (b"npx", b"uvx", b"bunx", b"pnpx", b"dlx", b"pipx", b"docker", b"podman", b"npm", b"tool")
_SPEAKS: Final = (b"mcp", b"MCP", b"Mcp", b"context_servers")
_FILE: Final = re.compile(r"\.(?:jsonc?|json5|ya?ml|toml)$", re.IGNORECASE)
PLUGIN: Final = ".claude-plugin/"
"""A folder beside which the configuration is one that users of the repository install."""
_OF_EDITORS: Final = re.compile(
    r"\.(?:mcp(?:\.local)?\.json$|(?!(?:circleci|config|deploy|docker|github|gitlab)/|[\w-]*plugins?/)[a-z][\w-]*/)"
)
"""At the root of a repository: what the editors and assistants of those who work on it start, and nobody else."""
_LEVELS: Final = 3  # of objects between the key that holds servers and a server: servers by name, by group and name


class Server(NamedTuple):
    """A server that fetches what it is."""

    node: Node
    name: str
    fetched: Fetched


def read(path: str, data: bytes) -> Iterator[Server]:
    """Those of a file."""
    if len(data) > limits.SERVERS_BYTES or not _FILE.search(path) or not ("mcp" in path.lower() or any(word in data for word in _SPEAKS)):
        return
    if not any(word in data for word in _LAUNCHES):
        return
    root = nodes.read(path, data)
    if root is None:
        return
    stack: list[tuple[Node, int, str]] = [(root, 0, "")]
    """Objects and lists still to be looked into, the levels below a key that holds servers (0: none is above), and the nearest name."""
    while stack:
        node, level, name = stack.pop()
        if node.fields is not None:
            if level > 1:
                found = fetched(words(node))
                if found is not None:
                    yield Server(node, name, found)
            for key, one in node.fields.items():
                inner = 1 if key.lower() in _HOLDERS else level + 1 if level and level < _LEVELS else 0
                stack.append((one, inner, key if level or not name else name))
        for one in node.items or ():
            stack.append((one, level + 1 if level else 0, name))


def words(node: Node) -> list[str]:
    """The command line of a server; empty where it has none."""
    fields = node.fields or {}
    command = fields.get("command") or fields.get("cmd")
    if command is None:
        return []
    found = [command.text] if command.text is not None else [one.text for one in command.items or () if one.text is not None]
    arguments = fields.get("args") or fields.get("arguments")
    found += [one.text or "" for one in arguments.items or ()] if arguments is not None else []
    return [one for one in found if one]


def pins(servers: Iterable[Server]) -> Iterator[Pin]:
    """The packages."""
    for one in servers:
        at = _place(one)
        yield from pin(one.fetched, at.start, at.end)


def told(path: str, servers: Iterable[Server], installed: bool = False) -> Iterator[Told]:
    """The servers that are not fixed; ``installed``: others than those who work on the repository get its configuration."""
    little = is_aside(path) or (not installed and _OF_EDITORS.match(path) is not None)
    for one in servers:
        if one.fetched.exact:
            continue
        at = _place(one)
        yield Told(
            path,
            at.start,
            at.end,
            UNPINNED,
            f"`{one.fetched.written}`",
            f"the server `{one.name}`" if one.name else "a server",
            f"{one.fetched.ecosystem}:{one.fetched.name}",
            Severity.LOW if little else Severity.MEDIUM,
            Confidence.HIGH,
            f"Write `{one.fetched.pinned}` with the version that was looked at.",
        )


def _place(one: Server) -> Node:
    """Where the package stands; else the server."""
    fields = one.node.fields or {}
    places = [found for key in ("args", "arguments", "command", "cmd") if (found := fields.get(key)) is not None]
    items = [item for found in places for item in (found.items or [found]) if item.text and one.fetched.written in item.text]
    return items[0] if items else one.node
