"""HDF5, as Keras and others write it: configurations in it, wherever they are kept, and data that is said to lie in other files.

The texts of attributes are stored as they are, in one piece, in each of the places where HDF5 keeps them. So they are looked for in the
bytes
of the file, which finds those too that its tables hide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from headwater import limits
from headwater.modelfiles import keras_config, payload
from headwater.modelfiles.blob import Blob, PartBlob
from headwater.modelfiles.work import Examination

NAME: Final = "keras-h5"
_MAGIC: Final = b"\x89HDF\r\n\x1a\n"
_PIECE: Final = 8 << 20
_START: Final = re.compile(rb'\{\s*"(?:class_name|name|module|config|registered_name|build_config|compile_config|keras_version)"\s*:')
_PICKLE: Final = re.compile(
    rb"\x80[\x02-\x05](?:\x95.{8}|[c}\]\[(]|\x8c)|\(?[ic](?:posix|nt|os|builtins|__builtin__|subprocess)\n\w+\n", re.DOTALL
)
_EXTERNAL: Final = re.compile(rb"\x01\x00(?:\x00|\x01)?([^\0]{2,200}\.(?:h5|hdf5|hdf|keras))\x00(/?[^\0]{1,200})\x00")
_BROKEN: Final = 3
"""Of those, how many that do not end are told; what follows is inside of them."""
_ATTRIBUTES: Final = 64
"""Configurations that one file may have: that of the model, that of its training, and those of nested models."""


def matches(head: bytes, blob: Blob, path: str) -> bool:
    if head.startswith(_MAGIC):
        return True
    # A block of the user's may stand before it, of 512, 1024, 2048 ... bytes.
    return any(blob.read(at, 8) == _MAGIC for at in (512, 1024, 2048) if blob.size > at + 8)


def examine(blob: Blob, work: Examination) -> None:
    found = False
    count = broken = 0
    for at, text in _configurations(blob):
        count += 1
        if count > _ATTRIBUTES:
            work.concern("size", "inconclusive", "It has more configurations than are read.", at=at)
            break
        if text is None:
            broken += 1
            if broken > _BROKEN:
                break
            work.concern("keras-config", "inconclusive", "A configuration in the file does not end, or is no JSON.", at=at)
            continue
        found = keras_config.judge(work, text, at) or found
    _pickles(blob, work)
    if not found:
        work.format = "hdf5"


def _configurations(blob: Blob) -> Iterator[tuple[int, object]]:
    """The configurations and their places; None for one that cannot be read."""
    at = 0
    while at < blob.size:
        data = blob.read(at, _PIECE + 256)
        start = _START.search(data)
        if start is None or start.start() >= _PIECE:
            at += _PIECE
            continue
        place = at + start.start()
        text, size = _object(blob, place)
        if size:
            yield place, text
        at = place + max(size, 2)


def _object(blob: Blob, place: int) -> tuple[object, int]:
    """The JSON object at a place, and its length; None and 1 where it cannot be read, None and 0 where it is none."""
    size = 1 << 16
    while True:
        data = blob.read(place, min(size, limits.MODEL_TEXT))
        end = _end(data)
        if end:
            try:
                return msgspec.json.decode(data[:end]), end
            except (msgspec.DecodeError, RecursionError):
                return None, 1 if b'"class_name"' in data[:end] else 0
        if len(data) < size or size >= limits.MODEL_TEXT:
            return None, 1 if b'"class_name"' in data[:400] else 0
        size *= 8


_MARK: Final = re.compile(rb'["{}\[\]\0]')


def _end(data: bytes) -> int:
    """Where the object that starts the bytes ends; 0 if it does not."""
    depth = at = 0
    while (found := _MARK.search(data, at)) is not None:
        mark = found.group()
        at = found.end()
        if mark == b'"':
            while True:
                close = data.find(b'"', at)
                if close < 0:
                    return 0
                slashes = close
                while data[slashes - 1 : slashes] == b"\\":
                    slashes -= 1
                at = close + 1
                if (close - slashes) % 2 == 0:
                    break
        elif mark in b"{[":
            depth += 1
        elif mark == b"\0":
            return 0
        else:
            depth -= 1
            if depth == 0:
                return at
    return 0


def _pickles(blob: Blob, work: Examination) -> None:
    """Pickles in attributes, as PyTables and pandas keep objects, and links to other files."""
    budget = 16
    for at in range(0, blob.size, _PIECE):
        data = blob.read(at, _PIECE + 1024)
        if b"PYTABLES" in data or b"pickle" in data or budget < 16 or at == 0:
            for found in _PICKLE.finditer(data[: _PIECE + 64]):
                kind = payload.packed_in(data[found.start() : found.start() + 1024])
                if kind and budget > 0 and re.search(rb"c[\w.]+\n\w+\n|\x93", data[found.start() : found.start() + 1024]):
                    budget -= 1
                    place = at + found.start()
                    work.member(f"pickle@{place}", PartBlob(blob, place, min(blob.size - place, 1 << 16)))
        for found in _EXTERNAL.finditer(data):
            name = found.group(1).decode("utf-8", "replace")
            if name.isprintable():
                message = "The file links to data in another file, which is read with it."
                work.concern("external-data", "review", message, name, at + found.start())
