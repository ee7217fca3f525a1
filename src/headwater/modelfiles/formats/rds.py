"""Data of R (``.rds``, ``.rdata``): promises and code that R evaluates when the object is touched."""

from __future__ import annotations

import re
from typing import Final

from headwater.modelfiles.blob import Blob
from headwater.modelfiles.work import Examination

NAME: Final = "rds"
_MARKS: Final = (b"X\n", b"A\n", b"B\n", b"RDX2\nX\n", b"RDX3\nX\n", b"RDA3\n", b"RDA2\n", b"RDB3\n")
_SEEN: Final = 64 << 20
_PROMISE: Final = 5
_CALLS: Final = re.compile(
    rb"\0\0\0\x01\0.\0\x09\0\0\0([\x03-\x14])(system2?|shell|shell\.exec|eval|evalq|parse|source|do\.call|unlink|file\.remove|download\.file|url|pipe|socketConnection|"
    rb"dyn\.load|library\.dynam|sys\.source|readRDS|writeLines|install\.packages|Sys\.setenv)(?=\0)",
    re.DOTALL,
)


def matches(head: bytes, blob: Blob, path: str) -> bool:
    for mark in _MARKS:
        if head.startswith(mark):
            rest = head[len(mark) :]
            if mark[:1] in b"AR" and not mark.endswith(b"X\n"):
                return rest[:1].isdigit() and b"\n" in rest[:4]
            return rest[:4] in (b"\0\0\0\x02", b"\0\0\0\x03", b"\x02\0\0\0", b"\x03\0\0\0")
    return False


def examine(blob: Blob, work: Examination) -> None:
    data = blob.read(0, _SEEN)
    if blob.size > _SEEN:
        work.concern("size", "inconclusive", "It is too long to be read whole.", str(blob.size))
    marks = [place for place in (data.find(b"X\n", 0, 8), data.find(b"A\n", 0, 8), data.find(b"B\n", 0, 8)) if place >= 0]
    start = max(marks, default=0) + 2
    calls = [found.group(2).decode() for found in _CALLS.finditer(data) if found.group(1)[0] == len(found.group(2))]
    promise = _promise(data, start)
    if promise >= 0:
        harmful = f" It names {', '.join(sorted(set(calls)))}." if calls else ""
        message = "The object is a promise: R evaluates its expression when the object is first used (CVE-2024-27322)."
        work.concern("r-promise", "malicious", message + harmful, _words(data[promise : promise + 400]), promise)
    elif calls:
        message = f"The object holds code of R that calls {', '.join(sorted(set(calls)))}: who calls it or evaluates it runs it."
        work.concern("r-code", "review", message, ", ".join(calls[:20]))
    if data[start - 2 : start] == b"A\n":
        lines = data[start : start + 400].split(b"\n")
        at = 5 if lines[0] == b"3" else 3
        if len(lines) > at and lines[at].isdigit() and int(lines[at]) & 0xFF == _PROMISE:
            message = "The object is a promise: R evaluates its expression when the object is first used (CVE-2024-27322)."
            work.concern("r-promise", "malicious", message, _words(data[:400]), start)


def _promise(data: bytes, start: int) -> int:
    """The place of an item that is a promise: at the top, as a value of a list or an attribute; -1 if there is none.

    An item begins with four bytes: flags, and its kind in the last one. A promise holds an environment, a value and an expression. Its
    value is not
    bound yet (0xFB), which no other kind of item is followed by in this way.
    """
    top = start + 12
    if data[start + 3 : start + 4] == b"\x03":  # the third version names its encoding
        size = int.from_bytes(data[top : top + 4], "big")
        top += 4 + (size if size < 64 else 0)
    if data[top + 3 : top + 4] == b"\x05":
        return top
    # Global or base environment or none, unbound value, a call.
    for found in re.finditer(rb"\0\0[\0-\x07]\x05(?:\0\0\0[\xfd\xfe\xfc\xf1\xf2\xfa].{0,8})?\0\0\0\xfb", data, re.DOTALL):
        return found.start()
    for found in re.finditer(rb"\0\0[\0-\x07]\x05\0\0\0[\xfd\xfe\xf1\xf2]\0\0\0[\xfb\xfc]\0\0\0[\x06\x01]", data):
        return found.start()
    return -1


def _words(data: bytes) -> str:
    return " ".join(found.decode() for found in re.findall(rb"[ -~]{4,}", data))[:400]
