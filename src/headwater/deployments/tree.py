"""YAML as a tree of texts that know where they stand.

The file is hostile: its events are read one by one, nesting and size are bounded, and what an alias stands for is shared, never
written out. Nothing of it becomes an object of Python's: each value is the text that is written.
"""

from __future__ import annotations

import contextlib
from typing import Any, Final, NamedTuple

from headwater import limits
from headwater.files.source import Source

_MERGE: Final = "<<"


class Text(NamedTuple):
    """One value, with the bytes where it stands."""

    text: str
    start: int
    end: int


class Table:
    """A mapping. A key that is there twice has its last value."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: dict[str, tuple[Text, Node]] = {}

    def get(self, *keys: str) -> Node | None:
        """What stands below keys, one in the other."""
        at: Node | None = self
        for key in keys:
            found = at.items.get(key) if isinstance(at, Table) else None
            at = found[1] if found is not None else None
        return at

    def text(self, *keys: str) -> str:
        """The text there; empty where there is none."""
        found = self.get(*keys)
        return found.text if isinstance(found, Text) else ""


Node = Text | Table | list[Any]


def documents(source: Source) -> tuple[list[Node], bool]:
    """The documents of a file, as far as they can be read, and whether a limit cut them; templates, which are no YAML yet, have none."""
    import yaml  # late: few projects have such files

    reader = _Reader(source)
    with contextlib.suppress(yaml.YAMLError, ValueError):  # documents before that count
        reader.read()
    return reader.documents, reader.nodes > limits.DEPLOYMENT_NODES


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.documents: list[Node] = []
        self.above: list[tuple[Node, list[Text]]] = []
        """Open mappings and sequences, each with the key that waits for its value."""
        self.anchors: dict[str, Node] = {}
        self.nodes = 0

    def read(self) -> None:
        import yaml

        for event in yaml.parse(self.source.text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            self.nodes += 1
            if self.nodes > limits.DEPLOYMENT_NODES:
                self.documents += [node for node, _ in self.above[:1]]
                return
            if isinstance(event, yaml.DocumentStartEvent):
                self.anchors.clear()
            elif isinstance(event, yaml.MappingStartEvent):
                self._open(Table(), event)
            elif isinstance(event, yaml.SequenceStartEvent):
                self._open([], event)
            elif isinstance(event, yaml.CollectionEndEvent):
                node = self.above.pop()[0]
                if not self.above:
                    self.documents.append(node)
            elif isinstance(event, yaml.ScalarEvent):
                mark: Any = event.start_mark
                end: Any = event.end_mark
                start = self.source.offset(mark.line + 1, mark.column + 1)
                text = Text(event.value, start, self.source.offset(end.line + 1, end.column + 1))
                self._add(text)
                if event.anchor:
                    self.anchors[event.anchor] = text
            elif isinstance(event, yaml.AliasEvent) and event.anchor in self.anchors:
                self._add(self.anchors[event.anchor])

    def _open(self, node: Node, event: Any) -> None:
        if len(self.above) >= limits.BESIDE_DEPTH:
            raise ValueError("too deep")
        if self.above:
            self._add(node)
        if event.anchor:
            self.anchors[event.anchor] = node
        self.above.append((node, []))

    def _add(self, node: Node) -> None:
        if not self.above:
            return
        outer, waiting = self.above[-1]
        if isinstance(outer, list):
            outer.append(node)
        elif isinstance(outer, Table):
            if not waiting:
                waiting.append(node if isinstance(node, Text) else Text("", 0, 0))
                return
            key = waiting.pop()
            if key.text == _MERGE:
                for other in node if isinstance(node, list) else [node]:
                    if isinstance(other, Table) and other is not outer:
                        for name, item in list(other.items.items()):
                            outer.items.setdefault(name, item)
            else:
                outer.items[key.text] = (key, node)
