"""Writes elements. Whatever is not ``Markup`` is text and is escaped: text of the repository cannot become an element or an attribute.

There is no way from a string to ``Markup`` but ``tag``, and ``trusted`` for what stands in this package.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Final, Union

from headwater.reports import escape

_VOID: Final = frozenset({"meta", "input", "br", "hr"})


class Markup:
    """Something that is HTML or SVG already."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


Child = Union[Markup, str, int, None, "Iterable[Child]"]
Attribute = str | int | float | bool | None


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """An element. ``class_`` is the attribute class, ``aria_label`` is aria-label; None and False leave an attribute out."""
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{inner(children)}</{name}>")


def inner(children: Child) -> str:
    """What stands in an element."""
    if children is None:
        return ""
    if isinstance(children, Markup):
        return children.text
    if isinstance(children, (str, int)):
        return text(str(children))
    return "".join(inner(child) for child in children)


def text(what: str) -> str:
    """Text as HTML, with hidden characters written out."""
    return html.escape(escape.visible(what), quote=True)


def trusted(what: str) -> Markup:
    """A file of this package, as it is."""
    return Markup(what)


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(str(value))}"'
