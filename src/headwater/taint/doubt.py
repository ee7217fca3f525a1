"""Steps of traces of which more is known than their words. Subclasses of ``str``, which mypyc cannot make: this is not compiled."""

from __future__ import annotations


class Doubt(str):
    """The words of a step that is a check which can be passed, and the sink classes that it is about."""

    text: str
    weak: int

    def __new__(cls, text: str, weak: int) -> Doubt:
        made = super().__new__(cls, f"checked, but {text}")
        made.text = text
        made.weak = weak
        return made


class Aside(str):
    """The words of a step that is told only where no other one speaks of its line."""
