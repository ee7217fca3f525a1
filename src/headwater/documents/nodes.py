"""JSON (with comments and trailing commas), YAML and TOML as values that know their places in bytes.

The files are hostile input: depth and size are bounded, aliases of YAML are not followed, and nothing recurses. What cannot be
read as a whole is read up to that place.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from typing import Any, Final

import msgspec

from headwater import limits


class Node(msgspec.Struct, gc=False):
    """A text, an object, a list, or something else (None)."""

    start: int
    end: int
    text: str | None = None
    fields: dict[str, Node] | None = None
    items: list[Node] | None = None


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
    import yaml  # late: few projects have such files

    text = data.decode("utf-8", "replace")
    places = None if text.isascii() else [0, *itertools.accumulate(map(_width, text))]
    root: Node | None = None
    stack: list[Node] = []
    keys: list[str | None] = []
    try:
        event: Any
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.CollectionEndEvent):
                stack.pop()
                keys.pop()
                continue
            if isinstance(event, yaml.DocumentEndEvent):
                break
            if not isinstance(event, yaml.NodeEvent) or event.start_mark is None or event.end_mark is None:
                continue
            start, end = event.start_mark.index, event.end_mark.index
            if places is not None:
                start, end = places[start], places[end]
            mapping, sequence = isinstance(event, yaml.MappingStartEvent), isinstance(event, yaml.SequenceStartEvent)
            node = Node(start, end, getattr(event, "value", None), {} if mapping else None, [] if sequence else None)
            if root is None:
                root = node
            elif stack:
                key = keys[-1]
                if stack[-1].fields is not None and key is None:
                    keys[-1] = node.text if node.text is not None else "\0"
                    if node.text is not None:
                        continue
                else:
                    _put(stack[-1], key or "", node)
                    keys[-1] = None
            if mapping or sequence:
                if len(stack) >= limits.BESIDE_DEPTH:
                    break
                stack.append(node)
                keys.append(None)
    except (yaml.YAMLError, RecursionError, ValueError):
        pass  # what was read until then counts
    return root


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
