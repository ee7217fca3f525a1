"""GGUF, the format of llama.cpp: header, metadata, chat templates and the table of tensors; the weights are not read."""

from __future__ import annotations

from typing import Final

from headwater import limits
from headwater.modelfiles import payload, templates
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.reader import EndedError, Reader
from headwater.modelfiles.work import Examination

NAME: Final = "gguf"
_SIZES: Final = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING: Final = 8
_ARRAY: Final = 9
_DIMENSIONS: Final = 4
"""GGML_MAX_DIMS: loaders copy the sizes into an array of this length."""
_LARGEST: Final = 1 << 31
"""Lengths from here on cannot be the remains of a file that was cut: sizes computed from them overflow in loaders."""
_PAIRS: Final = 1 << 16
"""Metadata entries: real models have under 100."""
_NESTED: Final = 4


def matches(head: bytes, blob: Blob, path: str) -> bool:
    return head.startswith((b"GGUF", b"FUGG"))


def examine(blob: Blob, work: Examination) -> None:
    try:
        _Header(blob, work).read()
    except EndedError:
        work.concern("truncated", "inconclusive", "The file ends within its header.", at=blob.size)
    except _StopError:
        return


class _StopError(Exception):
    """What follows cannot be read; it has been said why."""


class _Header:
    def __init__(self, blob: Blob, work: Examination) -> None:
        self.blob = blob
        self.work = work
        self.reader = Reader(blob, 4)
        self.order = "little"
        self.wide = 8
        self.budget = limits.MODEL_FIELDS
        self.alignment = 32

    def read(self) -> None:
        version = int.from_bytes(self.reader.peek(4), "little")
        if version > 0xFFFF:
            self.order = "big"
        version = self.number(4)
        if version == 0 or version > 3:
            self.stop("version", "inconclusive", f"Version {version} of the format is not known.")
        if version == 1:
            self.wide = 4
        tensors, pairs = self.number(self.wide), self.number(self.wide)
        for what, count, least in (("tensors", tensors, 24), ("metadata entries", pairs, 9)):
            if count * least > self.blob.size and count < 1 << 20:  # it may have been cut
                raise EndedError
            if count * least > self.blob.size:
                self.overflow(f"The header announces {count} {what}, more than the file can hold.", str(count), 8)
        if pairs > _PAIRS:
            self.stop("size", "inconclusive", "It has more metadata than is read.", str(pairs), 16)
        for _ in range(pairs):
            at = self.reader.at
            key = self.string(at)
            self.value(key, self.number(4), at, 0)
        self.tensors(tensors)

    def number(self, size: int, signed: bool = False) -> int:
        return self.reader.number(size, self.order, signed)

    def stop(self, check: str, verdict: str, message: str, evidence: str = "", at: int = -1) -> None:
        self.work.concern(check, "malicious" if verdict == "malicious" else "inconclusive", message, evidence, at)
        raise _StopError

    def overflow(self, message: str, evidence: str, at: int) -> None:
        self.stop(
            "header-overflow",
            "malicious",
            f"{message} Loaders that compute memory sizes from it write outside of what they have allocated.",
            evidence,
            at,
        )

    def string(self, at: int) -> str:
        size = self.number(self.wide)
        if size >= _LARGEST and size > self.reader.left:
            self.overflow(f"The length of a text is {size} bytes, more than the file has.", str(size), at)
        if size > 1 << 24:
            self.reader.skip(size)
            return ""
        return self.reader.take(size).decode("utf-8", "replace")

    def value(self, key: str, kind: int, at: int, depth: int) -> None:
        self.budget -= 1
        if self.budget < 0:
            self.stop("size", "inconclusive", "It has more metadata than is read.", at=at)
        if kind == _STRING:
            self.text(key, self.string(at), at)
        elif kind == _ARRAY:
            self.array(key, at, depth)
        elif kind in _SIZES:
            data = self.number(_SIZES[kind])
            if key == "general.alignment":
                self.alignment = data
                if data == 0 or data & (data - 1):
                    message = (
                        f"The alignment is {data}, which is no power of two: loaders that divide by it or round to it fail or"
                        " read elsewhere."
                    )
                    self.work.concern("header-alignment", "review", message, str(data), at)
        else:
            self.stop("header-type", "inconclusive", f"The metadata entry '{key[:80]}' has a type that is not known: {kind}.", at=at)

    def array(self, key: str, at: int, depth: int) -> None:
        kind, count = self.number(4), self.number(self.wide)
        size = _SIZES.get(kind, 0)
        least = size or 4
        if count >= _LARGEST or count * least >= 1 << 63:
            if count * least > self.reader.left:
                self.overflow(f"The array '{key[:80]}' announces {count} elements, more than the file can hold.", str(count), at)
        if size:
            self.reader.skip(count * size)
            return
        if kind not in (_STRING, _ARRAY):
            self.stop("header-type", "inconclusive", f"The array '{key[:80]}' has a type that is not known: {kind}.", at=at)
        if depth >= _NESTED:
            self.stop("nesting", "inconclusive", f"The array '{key[:80]}' is nested too deep to be read.", at=at)
        for _ in range(count):
            if kind == _STRING:
                self.budget -= 1
                place = self.reader.at
                text = self.string(place)
                if len(text) > 60:  # words of a vocabulary are shorter
                    self.text(key, text, place)
                if self.budget < 0:
                    self.stop("size", "inconclusive", "It has more metadata than is read.", at=place)
            else:
                self.value(key, _ARRAY, self.reader.at, depth + 1)

    def text(self, key: str, text: str, at: int) -> None:
        if key.startswith("tokenizer.chat_template") or templates.looks_like_chat(text):
            name = "The chat template" if key == "tokenizer.chat_template" else f"The chat template '{key[:120]}'"
            templates.judge(self.work, text, name, at)
        elif not key.startswith("tokenizer.ggml."):
            payload.look(self.work, text, f"the metadata '{key[:120]}'", at)

    def tensors(self, count: int) -> None:
        largest = 0
        for _ in range(count):
            self.budget -= 1
            if self.budget < 0:
                self.stop("size", "inconclusive", "It has more tensors than are read.")
            at = self.reader.at
            name = self.string(at)
            dimensions = self.number(4)
            if dimensions > _DIMENSIONS:
                self.overflow(
                    f"The tensor '{name[:80]}' announces {dimensions} dimensions; loaders keep {_DIMENSIONS} in an array of that length.",
                    str(dimensions),
                    at,
                )
            elements = 1
            for _ in range(dimensions):
                elements *= self.number(self.wide)
            if elements >= 1 << 63:
                self.overflow(f"The sizes of the tensor '{name[:80]}' multiply to {elements} elements.", str(elements), at)
            kind, offset = self.number(4), self.number(8)
            if kind > 0xFF:
                self.work.concern(
                    "header-type", "review", f"The tensor '{name[:80]}' has a type that no loader has: {kind}.", str(kind), at
                )
            if offset >= 1 << 62:
                self.overflow(f"The tensor '{name[:80]}' lies at {offset}.", str(offset), at)
            largest = max(largest, offset)
        if count and self.reader.at + largest > self.blob.size + self.alignment:
            self.work.concern(
                "truncated", "inconclusive", "Tensors lie after the end of the file: it was cut.", str(largest), self.blob.size
            )
