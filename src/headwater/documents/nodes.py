"""JSON (with comments and trailing commas), YAML and TOML as values that know their places in bytes.

The files are hostile input: depth and size are bounded, and nothing recurses. What cannot be read as a whole is read up to that place.
What an alias of YAML stands for is shared, never written out, and left out where all values are walked through.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import tomllib
from typing import Any, Final

import msgspec

from headwater import limits
from headwater.files.source import BOM


class Node(msgspec.Struct, gc=False):
    """A text, an object, a list, or something else (None)."""

    start: int
    end: int
    text: str | None = None
    fields: dict[str, Node] | None = None
    """A key that is there twice has its last value."""
    items: list[Node] | None = None
    key: int = -1
    """Where its key begins, in YAML."""

    def at(self, *keys: str) -> Node | None:
        """What stands below keys, one in the other."""
        node: Node | None = self
        for key in keys:
            node = node.fields.get(key) if node is not None and node.fields is not None else None
        return node

    def said(self, *keys: str) -> str:
        """The text there; empty where there is none."""
        node = self.at(*keys)
        return node.text or "" if node is not None else ""


_MERGE: Final = "<<"
_TOKEN: Final = re.compile(rb'(?:\s|//[^\n]*|/\*.*?\*/|,)+|"((?:[^"\\\n]|\\.)*)"|([{}\[\]:])|([^\s{}\[\]:,"/]+|.)', re.DOTALL)


def read(path: str, data: bytes) -> Node | None:
    """The value of a file, by its name; None where it has none."""
    name = path.rpartition("/")[2].lower()
    if name.endswith((".json", ".jsonc", ".json5")):
        return _json(data)
    if name.endswith((".yaml", ".yml")):
        return _yaml(data)
    return _toml(data) if name.endswith(".toml") else None


def _json(data: bytes) -> Node | None:
    root: Node | None = None
    stack: list[tuple[Node, str]] = []
    key = ""
    waiting = ""
    """The last text of an object, which is a key if a colon follows."""
    for found in _TOKEN.finditer(data):
        sign = found[2]
        if found[1] is None and sign is None and found[3] is None:
            continue
        node: Node | None = None
        if found[1] is not None:
            text = _text(found[1])
            if stack and stack[-1][0].fields is not None and not key:
                waiting = text
                continue
            node = Node(found.start(), found.end(), text)
        elif sign == b":":
            key, waiting = waiting or "\0", ""
            continue
        elif sign in (b"{", b"["):
            node = Node(found.start(), found.end(), fields={} if sign == b"{" else None, items=[] if sign == b"[" else None)
        elif sign in (b"}", b"]"):
            if not stack:
                break
            closed, key = stack.pop()
            closed.end = found.end()
            key = ""
            continue
        else:
            node = Node(found.start(), found.end())
        if root is None:
            root = node
        elif not stack:
            break
        elif not _put(stack[-1][0], key, node):
            continue
        if node.fields is not None or node.items is not None:
            if len(stack) >= limits.BESIDE_DEPTH:
                break
            stack.append((node, key))
        key = waiting = ""
    return root


def _put(owner: Node, key: str, node: Node) -> bool:
    if owner.items is not None:
        owner.items.append(node)
        return True
    if owner.fields is not None and key:
        owner.fields[key] = node
        return True
    return False


def _text(raw: bytes) -> str:
    try:
        return str(msgspec.json.decode(b'"' + raw + b'"'))
    except msgspec.DecodeError:
        return raw.decode("utf-8", "replace")


def _yaml(data: bytes) -> Node | None:
    reader = _Yaml(data, aliases=False)
    reader.read()
    return next(iter([*reader.roots, *(node for node, _ in reader.above[:1])]), None)


def documents(data: bytes) -> tuple[list[Node], bool]:
    """All documents of YAML that can be read, with aliases and merged mappings, and whether a limit cut them.

    A document with an error is none, since what stands behind it may change what is before: templates, for one.
    """
    reader = _Yaml(data, aliases=True)
    reader.read()
    cut = reader.nodes > limits.DEPLOYMENT_NODES
    return [*reader.roots, *(node for node, _ in reader.above[:1] if cut)], cut


class _Yaml:
    """Reads event by event. Without aliases it ends with the first document."""

    def __init__(self, data: bytes, aliases: bool) -> None:
        self.begin = len(BOM) if data.startswith(BOM) else 0
        self.text = data[self.begin :].decode("utf-8", "replace")
        self.places = None if self.text.isascii() else [0, *itertools.accumulate(map(_width, self.text))]
        self.aliases = aliases
        self.roots: list[Node] = []
        self.above: list[tuple[Node, list[Node]]] = []
        """Open mappings and sequences, each with the key that waits for its value."""
        self.anchors: dict[str, Node] = {}
        self.nodes = 0

    def read(self) -> None:
        import yaml  # late: few projects have such files

        with contextlib.suppress(yaml.YAMLError, RecursionError, ValueError):
            for event in yaml.parse(self.text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
                self.nodes += 1
                if self.nodes > limits.DEPLOYMENT_NODES or (isinstance(event, yaml.DocumentEndEvent) and not self.aliases):
                    return
                if isinstance(event, yaml.DocumentStartEvent):
                    self.anchors.clear()
                elif isinstance(event, yaml.CollectionEndEvent):
                    node = self.above.pop()[0]
                    _merge(node.fields)
                    if not self.above:
                        self.roots.append(node)
                elif isinstance(event, yaml.AliasEvent):
                    meant = self.anchors.get(event.anchor or "") if self.aliases else None
                    self._add(msgspec.structs.replace(meant) if meant is not None else Node(0, 0))
                elif isinstance(event, yaml.NodeEvent):
                    mapping, sequence = isinstance(event, yaml.MappingStartEvent), isinstance(event, yaml.SequenceStartEvent)
                    start, end = (self._place(mark.index if mark is not None else 0) for mark in (event.start_mark, event.end_mark))
                    node = Node(start, end, getattr(event, "value", None), {} if mapping else None, [] if sequence else None)
                    if event.anchor:
                        self.anchors[event.anchor] = node
                    self._add(node)
                    if mapping or sequence:
                        if len(self.above) >= limits.BESIDE_DEPTH:
                            return
                        self.above.append((node, []))

    def _place(self, index: int) -> int:
        return self.begin + (index if self.places is None else self.places[index])

    def _add(self, node: Node) -> None:
        if not self.above:
            if node.text is not None:
                self.roots.append(node)
            return
        outer, waiting = self.above[-1]
        if outer.items is not None:
            outer.items.append(node)
        elif not waiting:
            waiting.append(node)
        elif outer.fields is not None:
            key = waiting.pop()
            node.key = key.start
            outer.fields[key.text if key.text is not None else "\0"] = node


def _merge(fields: dict[str, Node] | None) -> None:
    """What other mappings say, where one takes them over."""
    if fields is None or (node := fields.pop(_MERGE, None)) is None:
        return
    for other in [node, *(node.items or ())]:
        for name, one in list((other.fields or {}).items()):
            fields.setdefault(name, one)


def _width(char: str) -> int:
    """The bytes of a character."""
    return 1 if char < "\x80" else 2 if char < "\u0800" else 3 if char < "\U00010000" else 4


def _toml(data: bytes) -> Node | None:
    text = data.decode("utf-8", "replace")
    if any(line.count(".") > limits.CONFIG_DOTS for line in text.splitlines()):  # tomllib is quadratic in the parts of a dotted key
        return None
    try:
        found: Any = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    return _placed(found, data, 0)


def _placed(value: Any, data: bytes, depth: int) -> Node:
    """TOML tells no places: a text is where it stands first between quotation marks."""
    node = Node(0, 0)
    if depth > limits.BESIDE_DEPTH:
        return node
    if isinstance(value, str):
        node.text = value
        raw = value.encode("utf-8", "replace")
        at = max(data.find(b'"' + raw + b'"'), data.find(b"'" + raw + b"'"))
        node.start, node.end = (at, at + len(raw) + 2) if at >= 0 else (0, 0)
    elif isinstance(value, dict):
        node.fields = {key: _placed(one, data, depth + 1) for key, one in value.items()}
        node.start = next((one.start for one in node.fields.values() if one.end), 0)
        node.end = max((one.end for one in node.fields.values()), default=0)
    elif isinstance(value, list):
        node.items = [_placed(one, data, depth + 1) for one in value]
        node.start = next((one.start for one in node.items if one.end), 0)
        node.end = max((one.end for one in node.items), default=0)
    return node
