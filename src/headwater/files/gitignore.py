"""The patterns of a .gitignore file, matched as git does, in time that no pattern can blow up.

A .gitignore belongs to the repository under review. Globs become regular expressions whose wildcards are
atomic: after a ``*`` the first place where the literal text behind it fits is taken and never tried again. That loses
no match, since the next ``*`` takes whatever follows, and leaves nothing to backtrack into. (pathspec's
expressions backtrack: ``*a*a*a*a*b`` takes minutes for one long name.)
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from typing import Final, NamedTuple

from headwater import limits

_CLASSES: Final[dict[bytes, bytes]] = {
    b"alnum": (string.digits + string.ascii_letters).encode(),
    b"alpha": string.ascii_letters.encode(),
    b"blank": b" \t",
    b"cntrl": bytes((*range(32), 127)),
    b"digit": string.digits.encode(),
    b"graph": bytes(range(33, 127)),
    b"lower": string.ascii_lowercase.encode(),
    b"print": bytes(range(32, 127)),
    b"punct": string.punctuation.encode(),
    b"space": string.whitespace.encode(),
    b"upper": string.ascii_uppercase.encode(),
    b"xdigit": string.hexdigits.encode(),
}
_SLASH: Final = b"/"
_STAR: Final = b"*"
_STARS: Final = b"**"  # a whole path segment
_NEVER: Final = b"(?!)"


class _Group(NamedTuple):
    """Neighbouring patterns of one sort as one expression."""

    ignored: bool
    by_name: bool
    expression: re.Pattern[bytes]


class Patterns:
    """One .gitignore file."""

    __slots__ = ("count", "dropped", "groups")

    def __init__(self, data: bytes, most: int = limits.GITIGNORE_LINES) -> None:
        self.count = 0
        """Patterns that are in force."""
        self.dropped = 0
        """Patterns over a limit."""
        parts: list[tuple[bool, bool, list[bytes]]] = []
        for line in _lines(data):
            if len(line) > limits.GITIGNORE_LINE_BYTES or self.count >= most:
                self.dropped += 1
                continue
            translated = _translate(line)
            if translated is None:
                continue
            ignored, by_name, expression = translated
            self.count += 1
            if not parts or parts[-1][:2] != (ignored, by_name):
                parts.append((ignored, by_name, []))
            parts[-1][2].append(expression)
        self.groups = tuple(
            _Group(ignored, by_name, re.compile(b"(?:" + b"|".join(expressions) + rb")\Z", re.DOTALL))
            for ignored, by_name, expressions in reversed(parts)
        )

    def decide(self, path: bytes, folder: bool) -> bool | None:
        """Whether a path relative to the folder of this file is ignored; None if no pattern says."""
        if folder:
            path += b"/"
        name = path[path.rfind(b"/", 0, len(path) - 1) + 1 :]
        for group in self.groups:
            if group.expression.match(name if group.by_name else path):
                return group.ignored
        return None


def _lines(data: bytes) -> Iterator[bytes]:
    """Lines that may be patterns, read as git reads them."""
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    for line in data.split(b"\n"):
        if line.startswith(b"#"):
            continue
        line = line.removesuffix(b"\r").partition(b"\0")[0]
        line = _trimmed(line)
        if line:
            yield line


def _trimmed(line: bytes) -> bytes:
    """Without trailing spaces, save one that is escaped."""
    bare = line.rstrip(b" ")
    if len(bare) < len(line) and (len(bare) - len(bare.rstrip(b"\\"))) % 2:
        return line[: len(bare) + 1]
    return bare


def _translate(line: bytes) -> tuple[bool, bool, bytes] | None:
    """(ignored, matched by name alone, expression); None where it can match nothing."""
    ignored = not line.startswith(b"!")
    pattern = line if ignored else line[1:]
    only_folders = pattern.endswith(b"/")
    if only_folders:
        pattern = pattern[:-1]
    by_name = b"/" not in pattern
    if not by_name:
        pattern = pattern.removeprefix(b"/")
    tokens = _tokens(pattern)
    if not tokens or _NEVER in tokens:
        return None
    segments: list[list[bytes]] = [[]]
    for token in tokens:
        if token == _SLASH:
            segments.append([])
        else:
            segments[-1].append(token)
    return ignored, by_name, _path(segments) + (b"/" if only_folders else b"/?")


def _path(segments: list[list[bytes]]) -> bytes:
    runs: list[list[bytes]] = [[]]  # between ``**``
    for segment in segments:
        if segment == [_STARS]:
            runs.append([])
        else:
            runs[-1].append(_segment(segment))
    if len(runs) == 1:
        return b"/".join(runs[0])
    out = b"/".join(runs[0]) + b"/" if runs[0] else b""
    for run in runs[1:-1]:
        if run:
            # A run has a fixed number of segments, so its first place leaves the most for the rest.
            out += b"(?>(?:[^/]+/)*?" + b"/".join(run) + b"/)"
    return out + (b"(?:[^/]+/)*" + b"/".join(runs[-1]) if runs[-1] else b".+")


def _segment(tokens: list[bytes]) -> bytes:
    chunks: list[bytes] = [b""]
    for token in tokens:
        if token in (_STAR, _STARS):
            chunks.append(b"")
        else:
            chunks[-1] += token
    if len(chunks) == 1:
        return chunks[0]
    middle = b"".join(b"(?>[^/]*?" + chunk + b")" for chunk in chunks[1:-1] if chunk)
    return chunks[0] + middle + b"[^/]*" + chunks[-1]


def _tokens(pattern: bytes) -> list[bytes]:
    """``/``, ``*``, ``**`` and expressions of one byte each."""
    out: list[bytes] = []
    at, size = 0, len(pattern)
    while at < size:
        char = pattern[at : at + 1]
        at += 1
        if char == b"*":
            begin = at - 1
            while at < size and pattern[at] == 0x2A:
                at += 1
            whole = (begin == 0 or pattern[begin - 1] == 0x2F) and (at == size or pattern[at] == 0x2F or pattern[at : at + 2] == b"\\/")
            out.append(_STARS if whole and at - begin > 1 else _STAR)
        elif char == b"?":
            out.append(b"[^/]")
        elif char == b"[":
            expression, at = _bracket(pattern, at)
            out.append(expression)
        elif char == b"\\":
            if at == size:
                out.append(_NEVER)
            else:
                following = pattern[at : at + 1]
                out.append(following if following == b"/" else re.escape(following))
                at += 1
        else:
            out.append(char if char == b"/" else re.escape(char))
    return out


def _bracket(pattern: bytes, at: int) -> tuple[bytes, int]:
    """The expression of a bracket whose ``[`` is just before ``at``, and where it ends."""
    size = len(pattern)
    negated = pattern[at : at + 1] in (b"!", b"^")
    if negated:
        at += 1
    members: set[int] = set()
    previous = -1
    begin = at
    while True:
        if at >= size:
            return _NEVER, size
        char = pattern[at]
        if char == 0x5D and at > begin:  # ]
            break
        if char == 0x5C:  # \
            at += 1
            if at >= size:
                return _NEVER, size
            previous = pattern[at]
            members.add(previous)
        elif char == 0x2D and previous >= 0 and at + 1 < size and pattern[at + 1] != 0x5D:  # -
            at += 1
            if pattern[at] == 0x5C:
                at += 1
                if at >= size:
                    return _NEVER, size
            members.update(range(previous, pattern[at] + 1))
            previous = -1
        elif pattern.startswith(b"[:", at):
            end = pattern.find(b"]", at + 2)
            if end < 0:
                return _NEVER, size
            if end > at + 2 and pattern[end - 1] == 0x3A:  # :
                named = _CLASSES.get(pattern[at + 2 : end - 1])
                if named is None:
                    return _NEVER, size
                members.update(named)
                previous = -1
                at = end
            else:
                members.add(char)
                previous = char
        else:
            members.add(char)
            previous = char
        at += 1
    if negated:
        members = set(range(256)) - members
    members.discard(0x2F)
    if not members:
        return _NEVER, at + 1
    return b"[" + b"".join(b"\\x%02x" % byte for byte in sorted(members)) + b"]", at + 1
