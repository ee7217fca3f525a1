"""The values on the stack of the symbolic machine. Plain data are Python's own; all else is one of these."""

from __future__ import annotations

from typing import Final, Literal

from headwater import limits

Data = None | bool | int | float | str | bytes
How = Literal["call", "new"]
"""``call`` runs the callable itself; ``new`` makes an instance by ``__new__`` alone, as pickles of protocol 2 on do."""


class Mark:
    """The mark below the arguments of an opcode that takes all above it."""

    __slots__ = ()


class Big:
    """Bytes or text too long to be kept: where they are in the blob."""

    __slots__ = ("at", "head", "size", "text")

    def __init__(self, at: int, size: int, head: bytes, text: bool) -> None:
        self.at, self.size, self.head, self.text = at, size, head, text


_NOTHING: Final[list[Value]] = []
"""What all empty ones share: a file may have millions of them. It is never added to."""


class Items:
    """A list, dict, set or frozenset: its first items. A dict's are keys and values in turn."""

    __slots__ = ("items", "kind", "more")

    def __init__(self, kind: str) -> None:
        self.kind: Final = kind
        self.items: list[Value] = _NOTHING
        self.more = False

    def add(self, values: list[Value]) -> None:
        room = limits.MODEL_PICKLE_ITEMS - len(self.items)
        if room < len(values):
            self.more = True
            values = values[: max(room, 0)]
        if values:
            self.items = [*self.items, *values]

    def get(self, key: str) -> Value:
        """What a dict holds under a text, or None."""
        for at in range(0, len(self.items) - 1, 2):
            if isinstance(one := self.items[at], str) and one == key:
                return self.items[at + 1]
        return None


class Global:
    """A name that the unpickler imports."""

    __slots__ = ("module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    @property
    def full(self) -> str:
        return f"{self.module}.{self.name}"


class Made:
    """What came of a call; ``what`` is the callee, ``state`` what was built into it last."""

    __slots__ = ("args", "how", "keywords", "state", "what")

    def __init__(self, what: Value, args: Value, how: How, keywords: Value = None) -> None:
        self.what, self.args, self.how, self.keywords = what, args, how, keywords
        self.state: Value = None


class Persistent:
    """An object that the loader finds by an id of its own, such as the storage of a tensor."""

    __slots__ = ("id",)

    def __init__(self, id: Value) -> None:
        self.id = id


class Unknown:
    """A value that is not known here, such as an entry of the registry of extensions."""

    __slots__ = ("said",)

    def __init__(self, said: str) -> None:
        self.said: Final = said


Value = Data | tuple["Value", ...] | Mark | Big | Items | Global | Made | Persistent | Unknown


def arguments(value: Value) -> tuple[Value, ...] | None:
    """The arguments of a call where they are known."""
    if isinstance(value, tuple):
        return value
    if isinstance(value, Items) and not value.more and value.kind != "dict":
        return tuple(value.items)
    return None
