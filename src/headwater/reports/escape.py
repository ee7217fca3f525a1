"""Makes text from the reviewed repository safe to show: what cannot be seen, or would steer a reader's program, is written out.

Every report passes what it did not write itself through here.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

# Controls (C0 without tab and line feed, DEL, C1), and what Unicode calls format characters: bidirectional overrides,
# zero-width ones, tags; then surrogates, private use, line and paragraph separators, and blanks that look like nothing.
_HIDDEN_BASE: Final = (
    "\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_HIDDEN: Final = re.compile(f"[{_HIDDEN_BASE}\ud800-\udfff]")
_HIDDEN_BYTES: Final = re.compile(f"[{_HIDDEN_BASE}]")

# The logs of build servers are read for commands: GitHub (``::name::`` at the start of a line, ``##[name]`` anywhere), Azure
# (``##vso[name]``), TeamCity (``##teamcity[name]``). Quoted code could set their variables.
_COMMAND: Final = re.compile(r"(##\w{0,20})\[")
_COMMAND_LINE: Final = re.compile(r"^([^\S\n]*):(?=:)", re.MULTILINE)


def _written_out(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str) -> str:
    """The text with hidden characters written as Python would (``\\x1b``, ``\\u202e``). Tabs and line feeds stay."""
    return _HIDDEN.sub(_written_out, text)


def line(text: str) -> str:
    """The same on one line: line feeds are written out too, tabs become a blank."""
    return visible(text).replace("\t", " ").replace("\n", "\\n")


def log(text: str, bracket: str = r"\x5b", colon: str = r"\x3a") -> str:
    """A whole report without anything that a build server would take for a command when it is printed there."""
    return _COMMAND_LINE.sub(lambda found: found.group(1) + colon, _COMMAND.sub(lambda found: found.group(1) + bracket, text))


def path(text: str) -> str:
    """A path as text: bytes that are not UTF-8 are written as ``\\xff``."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def uri(text: str) -> str:
    """A relative path as a URI reference: percent-encoded, ``/`` kept."""
    return quote(text.encode("utf-8", "surrogateescape"), safe="/!$&'()*+,;=@~")


def json(data: bytes) -> bytes:
    """The same JSON value with hidden characters as escapes, so that the file can be shown on a terminal and in a log."""
    text = data.decode("utf-8")

    def escaped(found: re.Match[str]) -> str:
        units = found.group().encode("utf-16-be")
        return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))

    return log(_HIDDEN_BYTES.sub(escaped, text), bracket=r"\u005b").encode("utf-8")
