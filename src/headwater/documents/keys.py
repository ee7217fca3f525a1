"""Keys of providers that are written into files: code, settings, prompts, pages, and notebooks with their outputs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from headwater import limits
from headwater.documents.reported import Reported, said
from headwater.documents.told import Told, is_aside
from headwater.files.secrets import Secret
from headwater.files.source import Layout, Source
from headwater.findings import Confidence, Severity

WRITTEN: Final = "secret-written-down"
_AROUND: Final = 60  # bytes shown before and after a key that stands in the output of a notebook
_FIREBASE: Final = re.compile(rb"firebase|authDomain|messagingSenderId|google-services", re.IGNORECASE)
_INSTALLED: Final = re.compile(
    rb"(?i)\"installed\"\s*:\s*\{|\binstalled[ _-]?app|\bdesktop (?:app|client)|urn:ietf:wg:oauth:2\.0:oob|oauth2\?[^\s\"']{0,40}#installed"
)
"""What says that an OAuth client is a program that is handed out: its provider asks for no secret that anybody keeps."""
_CLIENT: Final = "Google OAuth client secret"
_CELL: Final = re.compile(rb'"cell_type"\s*:')
_NEAR: Final = 400
_ID: Final = "AWS access key id"


def in_text(path: str, data: bytes, reported: Reported) -> Iterator[tuple[Told, list[str], int]]:
    """What is told of each key of a file; with the key (the lines of it) and the length of its prefix, to be masked."""
    for one in reported.secrets(path, data):
        yield _told(path, data, one), _values(data, one), one.shown


def in_notebook(path: str, raw: bytes, code: Source, reported: Reported) -> tuple[list[tuple[Told, list[str], int]], Source]:
    """The same for a notebook, and its code with a comment for each key that stands outside of it: in an output, or in a text."""
    made: list[tuple[Told, list[str], int]] = []
    data = bytearray(code.data)
    cells, pieces = (list(code.layout.cells), list(code.layout.pieces)) if code.layout is not None else ([], [])
    for one in reported.secrets(path, raw):
        value = raw[one.start : one.end]
        at = code.data.find(value)
        told = _told(path, raw, one)
        if at < 0:
            if data and not data.endswith(b"\n"):
                data += b"\n"
            cells.append((len(data), max(1, len(_CELL.findall(raw, 0, one.start)))))
            pieces.append((len(data), raw.count(b"\n", 0, one.start) + 1))
            first = max(raw.rfind(b"\n", 0, one.start) + 1, one.start - _AROUND)
            last = raw.find(b"\n", one.end)
            data += b"# " + raw[first : one.start].lstrip()
            at = len(data)
            data += value + raw[one.end : min(last if last >= 0 else len(raw), one.end + _AROUND)] + b"\n"
        made.append((told._replace(start=at, end=at + len(value)), _values(raw, one), one.shown))
    if len(data) == len(code.data):
        return made, code
    return made, Source(code.path, bytes(data), encoding=code.encoding, digest=code.digest, layout=Layout(cells, pieces))


def _values(data: bytes, one: Secret) -> list[str]:
    """A text of many lines is found again line by line, as reports show it."""
    text = data[one.start : one.end].decode("latin-1")
    return [text] if one.kind else [line for line in text.splitlines() if len(line.strip()) >= limits.IMPORT_SHORT]


def _told(path: str, data: bytes, one: Secret) -> Told:
    severity, confidence = (Severity.HIGH, Confidence.HIGH) if one.sure or one.verified else (Severity.MEDIUM, Confidence.MEDIUM)
    around = data[max(0, one.start - _NEAR) : one.end + _NEAR]
    if one.test or (one.kind == "Google API key" and _FIREBASE.search(around)):  # made to be public, in applications of browsers
        severity, confidence = Severity.LOW, Confidence.LOW
    elif (one.kind == _CLIENT and _INSTALLED.search(data)) or (one.kind == "private key" and is_aside(path)):
        severity = Severity.LOW  # every copy of the program has it; certificates of tests are made for them
    elif one.kind == _ID or is_aside(path):
        severity = min(severity, Severity.MEDIUM)
    evidence = "static" if one.kind else "imported"
    if not one.kind:
        sink = f"A secret, as {said(one.tools)} report{'s' if len(one.tools) == 1 else ''}{_tried(one)},"
        return Told(path, one.start, one.end, WRITTEN, sink, "", one.tools[0][1], severity, confidence, evidence=evidence)
    head = data[one.start : one.start + one.shown].decode("ascii", "replace")
    article = "An" if one.kind[0] in "AEIO" or one.kind.startswith(("npm", "xAI", "NVIDIA")) else "A"
    sink = f"{article} {one.kind}{f' (`{head}...`)' if head else ''}"
    if one.tools:
        sink += f", which {said(one.tools)} {'reports' if len(one.tools) == 1 else 'report'} too{_tried(one)},"
    return Told(path, one.start, one.end, WRITTEN, sink, "", one.kind, severity, confidence, evidence=evidence)


def _tried(one: Secret) -> str:
    return " (it was tried, and its provider takes it)" if one.verified else ""
