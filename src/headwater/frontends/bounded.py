"""A parser that stops after a number of steps: hostile input must not keep it busy."""

from __future__ import annotations

from tree_sitter import Language, Parser, Tree

from headwater import limits


class EffortError(Exception):
    """The parser would need too long."""


class BoundedParser:
    """A parser that stops after a number of steps: getting over errors takes time that is quadratic in the length of some lines."""

    def __init__(self, language: Language) -> None:
        self._parser = Parser(language)
        self.left = 0

    def begin(self, size: int) -> None:
        """Allows what a file of this size may need in all."""
        self.left = limits.PARSE_STEPS + int(limits.PARSE_STEPS_PER_BYTE * size)

    def parse(self, data: bytes) -> Tree:
        """The tree of a text, or raises :class:`EffortError`. Its nodes do not know their text."""
        stopped = False

        def step(offset: int, has_error: bool) -> bool:
            nonlocal stopped
            self.left -= 1
            stopped = self.left < 0
            return stopped

        try:
            return self._parser.parse(lambda offset, point: data[offset:] if offset else data, progress_callback=step)
        except ValueError:
            self._parser.reset()  # else it would go on with this text when it is given the next one
            if stopped:
                raise EffortError from None
            raise
