"""The commands in Dockerfiles and scripts of the shell, word by word, each with its place. Nothing is expanded or run.

Heredocs of scripts are texts of something else and left out. Text is Latin-1 here, so that offsets are those of bytes. Those in files
of CI services are found by ``pipelines``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from headwater import limits

_TOKEN: Final = re.compile(
    r"(?P<gap>(?:[ \t\f\v]|\\[ \t]*\r?\n)+)|(?P<end>[;&|()\r\n]+)|(?P<here><<-?[ \t]*[\"']?(?P<mark>\w+)[\"']?)"
    r"|(?P<word>(?:[^\s;&|()'\"\\]|\\[^\r\n]|\\\Z|\"(?:[^\"\\]|\\.)*\"|'[^']*'|[\"'])+)|(?P<other>.)",
    re.DOTALL,
)
_NAME: Final = re.compile(r"(?:^|/)(?:Dockerfile|Containerfile)(?:\.[\w.-]+)?$|\.(?:dockerfile)$", re.IGNORECASE)
_SCRIPT: Final = re.compile(r"\.(?:sh|bash)$")
_QUOTES: Final = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|\\(.)", re.DOTALL)
_ASSIGNED: Final = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_BEFORE: Final = frozenset(
    {"if", "then", "else", "elif", "do", "while", "until", "!", "{", "time", "exec", "sudo", "env", "nohup", "command"}
)


class Word(NamedTuple):
    """One word without its quotes, and where it stands with them."""

    text: str
    start: int
    end: int


class Command(NamedTuple):
    """One command of the shell, or ``ADD`` of a Dockerfile."""

    words: tuple[Word, ...]
    """None where variables are set and nothing else is done."""
    set: tuple[Word, ...]
    """Variables that are set for it, or for all that follows: ``NAME=value``."""


def is_dockerfile(path: str) -> bool:
    """By its name."""
    return _NAME.search(path) is not None


def is_read(path: str) -> bool:
    """Whether a file of this name has commands that are read."""
    return is_dockerfile(path) or _SCRIPT.search(path) is not None


def commands(path: str, data: bytes) -> Iterator[Command]:
    """Those of a file, in order; none of one that is too large to be written by hand."""
    if len(data) > limits.SERVERS_BYTES:
        return
    docker = is_dockerfile(path)
    instruction = ""
    for first, words in _lines(data.decode("latin-1"), docker):
        if docker and first:
            instruction = words[0].text.upper()
            words = words[1:]
            if instruction == "ADD":
                yield Command((Word(instruction, 0, 0), *words), ())
            elif instruction in ("ENV", "ARG"):
                yield Command((), _variables(words))
        if docker and instruction != "RUN":
            continue
        if docker and first:
            words = _run(words)
        yield from _plain(words)


def of_script(text: str, at: int) -> Iterator[Command]:
    """Those of a script that begins at a place of its file."""
    for _, words in _lines(text, False):
        yield from _plain([Word(word.text, word.start + at, word.end + at) for word in words])


def _variables(words: list[Word]) -> tuple[Word, ...]:
    """Those of ``ENV NAME=value ...``, and of the older ``ENV NAME value``."""
    if len(words) > 1 and "=" not in words[0].text:
        value = " ".join(word.text for word in words[1:])
        return (Word(f"{words[0].text}={value}", words[0].start, words[-1].end),)
    return tuple(word for word in words if _ASSIGNED.fullmatch(word.text))


def _lines(text: str, docker: bool) -> Iterator[tuple[bool, list[Word]]]:
    """The words between two ends, and whether they begin a line."""
    words: list[Word] = []
    first, at, waiting = True, 0, ""
    while at < len(text):
        if text[at] == "#" and (at == 0 or text[at - 1] in " \t\r\n;&|("):
            line = text.rfind("\n", 0, at) + 1
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            # A line of a Dockerfile that is a comment is taken out, even in the middle of a command.
            at = end + 1 if docker and not text[line:at].strip() else end
            continue
        found = _TOKEN.match(text, at)
        if found is None:
            break
        at = found.end()
        if found["mark"]:
            waiting = found["mark"]
        elif found["word"]:
            words.append(Word(_QUOTES.sub(_unquoted, found["word"]), found.start(), found.end()))
        elif found["end"]:
            if words:
                yield first, words
            begins = "\n" in found["end"] or "\r" in found["end"]
            first, words = begins and not (waiting and docker), []
            if begins and waiting and not docker:
                closed = re.compile(rf"^[ \t]*{waiting}\r?$", re.MULTILINE).search(text, at)
                at = closed.end() if closed else len(text)
            if begins:
                waiting = ""
    if words:
        yield first, words


def _unquoted(found: re.Match[str]) -> str:
    return next(part for part in found.groups() if part is not None)


def _run(words: list[Word]) -> list[Word]:
    """The command of ``RUN``, whose form may be that of JSON."""
    while words and words[0].text.startswith("--"):
        words = words[1:]
    if words and words[0].text.startswith("["):
        return [one._replace(text=text) for one in words if (text := one.text.strip("[],"))]
    return words


def _plain(words: list[Word]) -> Iterator[Command]:
    """Without what stands before the program; none where nothing is left."""
    at = 0
    variables = []
    while at < len(words) and (words[at].text in _BEFORE or _ASSIGNED.fullmatch(words[at].text)):
        if _ASSIGNED.fullmatch(words[at].text):
            variables.append(words[at])
        at += 1
    rest = words[at:]
    if rest and (rest[0].text in ("export", "declare") or (rest[0].text == "echo" and any("GITHUB_ENV" in word.text for word in rest))):
        variables += [word for word in rest[1:] if _ASSIGNED.fullmatch(word.text)]
        rest = []
    if rest or variables:
        yield Command(tuple(rest), tuple(variables))
