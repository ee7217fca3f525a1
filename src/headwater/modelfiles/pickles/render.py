"""Writes a symbolic value as the Python expression that it stands for, nested calls too, cut at a bound."""

from __future__ import annotations

from typing import Final

from headwater.modelfiles.pickles.values import Big, Global, Items, Made, Mark, Persistent, Unknown, Value

DEPTH: Final = 8
ITEMS: Final = 12
TEXT: Final = 400
PARTS: Final = 200

BRACKETS: Final = {"list": ("[", "]"), "set": ("{", "}"), "dict": ("{", "}"), "frozenset": ("frozenset({", "})")}
ALIASES: Final = {"posix": "os", "nt": "os", "__builtin__": "builtins"}
"""Names under which a reader knows a module."""


def spoken(name: Global) -> str:
    """The name as one writes it in Python."""
    module = ALIASES.get(name.module, name.module)
    return name.name if module == "builtins" else f"{module}.{name.name}"


class _Writer:
    def __init__(self) -> None:
        self.parts: list[str] = []

    def add(self, value: Value, depth: int = 0) -> None:
        if len(self.parts) > PARTS or depth > DEPTH:
            self.parts.append("...")
        elif isinstance(value, Global):
            self.parts.append(spoken(value))
        elif isinstance(value, Made):
            self.made(value, depth)
        elif isinstance(value, tuple):
            self.row("(", value[: ITEMS + 1], ",)" if len(value) == 1 else ")", depth)
        elif isinstance(value, Items):
            self.items(value, depth)
        elif isinstance(value, Big):
            self.parts.append(f"<{value.size} {'characters' if value.text else 'bytes'}>")
        elif isinstance(value, Persistent):
            self.parts.append("persistent_load(")
            self.add(value.id, depth + 1)
            self.parts.append(")")
        elif isinstance(value, Unknown):
            self.parts.append(value.said)
        elif isinstance(value, Mark):
            self.parts.append("<mark>")
        elif isinstance(value, str | bytes):
            text = repr(value[:TEXT])
            self.parts.append(text if len(value) <= TEXT else f"{text}...")
        elif isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 256:
            self.parts.append("<a large number>")
        else:
            self.parts.append(repr(value))

    def row(self, opening: str, values: tuple[Value, ...] | list[Value], closing: str, depth: int) -> None:
        self.parts.append(opening)
        for number, one in enumerate(values):
            if number:
                self.parts.append(", ")
            if number >= ITEMS:
                self.parts.append("...")
                break
            self.add(one, depth + 1)
        self.parts.append(closing)

    def items(self, value: Items, depth: int) -> None:
        opening, closing = BRACKETS[value.kind]
        if value.kind != "dict":
            return self.row(opening, value.items, closing, depth)
        self.parts.append(opening)
        for at in range(0, len(value.items) - 1, 2):
            if at:
                self.parts.append(", ")
            if at >= 2 * ITEMS:
                self.parts.append("...")
                break
            self.add(value.items[at], depth + 1)
            self.parts.append(": ")
            self.add(value.items[at + 1], depth + 1)
        self.parts.append(closing)

    def made(self, value: Made, depth: int) -> None:
        self.add(value.what, depth + 1)
        if value.how == "new":
            self.parts.append(".__new__")
        args = value.args
        if isinstance(args, tuple):
            self.row("(", args, "", depth)
        else:
            self.parts.append("(*")
            self.add(args, depth + 1)
        if isinstance(value.keywords, Items) and value.keywords.items:
            self.parts.append(", **")
            self.add(value.keywords, depth + 1)
        self.parts.append(")")


def render(value: Value) -> str:
    """The expression."""
    writer = _Writer()
    writer.add(value)
    return "".join(writer.parts)


def call(what: Value, args: Value, keywords: Value = None) -> str:
    """The expression of a call."""
    return render(Made(what, args, "call", keywords))
