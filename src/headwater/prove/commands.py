"""Which programs a command of a shell would start, as far as its text tells: where a hostile word stands decides what it does.

A reader of the POSIX shell's grammar (IEEE Std 1003.1-2017, Shell Command Language, 2.2 Quoting, 2.3 Token Recognition, 2.6.3 Command
Substitution) that knows quoting, operators and substitutions, and takes reserved words for what they are: enough to tell a word that is an
argument from one that is a command.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_RESERVED: Final = frozenset(
    {"if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for", "{", "}", "!", "in", "time"}
)
_DEPTH: Final = 8  # substitutions in substitutions; deeper ones are read as text


class Operator(str):
    """A redirection among the words of a command: the word after it is a file."""

    __slots__ = ()


def simple_commands(script: str, depth: int = 0) -> Iterator[list[str]]:
    """Each simple command as its words, those of substitutions after the command that holds them; redirections are :class:`Operator`s."""
    words: list[str] = []
    word: list[str] = []
    inner: list[str] = []
    started = False
    at, end = 0, len(script)

    def finished_word() -> None:
        nonlocal started
        if started:
            text = "".join(word)
            if words or text not in _RESERVED:
                words.append(text)
        word.clear()
        started = False

    while at < end:
        char = script[at]
        if char == "\\" and at + 1 < end:
            if script[at + 1] != "\n":
                word.append(script[at + 1])
                started = True
            at += 2
        elif char == "'":
            close = script.find("'", at + 1)
            close = end if close < 0 else close
            word.append(script[at + 1 : close])
            started = True
            at = close + 1
        elif char == '"':
            at = _quoted(script, at + 1, word, inner)
            started = True
        elif char == "`" or script.startswith("$(", at):
            text, at = _substituted(script, at)
            inner.append(text)
            started = True
        elif char == "#" and not started:
            at = script.find("\n", at)
            at = end if at < 0 else at
        elif char in " \t":
            finished_word()
            at += 1
        elif char in ";&|\n()":
            finished_word()
            if words:
                yield words
            words = []
            at += 1
        elif char in "<>":
            finished_word()
            first = at
            while at < end and script[at] in "<>&":
                at += 1
            words.append(Operator(script[first:at]))
        else:
            word.append(char)
            started = True
            at += 1
    finished_word()
    if words:
        yield words
    if depth < _DEPTH:
        for text in inner:
            yield from simple_commands(text, depth + 1)


def _quoted(script: str, at: int, word: list[str], inner: list[str]) -> int:
    """Reads on to the end of a text in double quotes; returns the place after it."""
    while at < len(script):
        char = script[at]
        if char == '"':
            return at + 1
        if char == "\\" and at + 1 < len(script) and script[at + 1] in '$`"\\\n':
            word.append(script[at + 1])
            at += 2
        elif char == "`" or script.startswith("$(", at):
            text, at = _substituted(script, at)
            inner.append(text)
        else:
            word.append(char)
            at += 1
    return at


def _substituted(script: str, at: int) -> tuple[str, int]:
    """The text of a command substitution that begins at ``at``, and the place after it."""
    if script[at] == "`":
        close = at + 1
        while close < len(script) and script[close] != "`":
            close += 2 if script[close] == "\\" else 1
        return script[at + 1 : close].replace("\\`", "`"), close + 1
    depth, place, quote = 1, at + 2, ""
    while place < len(script) and depth:
        char = script[place]
        if char == "\\" and quote != "'":
            place += 1
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        place += 1
    return script[at + 2 : place - 1 if not depth else place], place


def starts(script: str, program: str, argument: str) -> bool:
    """Whether a command of the script is the program with just this argument, or the script writes to it by redirection.

    A word that only holds the argument is data of another command: a text in quotes that was written to be one.
    """
    for words in simple_commands(script.replace("${IFS}", " ")):
        plain: list[str] = []
        operator = ""
        for word in words:
            if isinstance(word, Operator):
                operator = word
                continue
            if not operator:
                plain.append(word)
            elif operator.startswith(">") and word == argument:
                return True
            operator = ""
        named = next((n for n, word in enumerate(plain) if "=" not in word.partition("/")[0]), len(plain))
        if named < len(plain) and plain[named].rpartition("/")[2] == program and argument in plain[named + 1 :]:
            return True
    return False
