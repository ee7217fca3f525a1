"""Safetensors: the header with its places and its free texts; the weights are not read."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final, TypeGuard

from headwater import limits
from headwater.modelfiles import names, payload, templates
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.work import Examination

NAME: Final = "safetensors"
_BITS: Final = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "F4": 4, "F6_E2M3": 6,
    "F6_E3M2": 6, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64,
}  # fmt: skip
_LARGEST: Final = 100_000_000
"""The loader refuses longer headers."""


def matches(head: bytes, blob: Blob, path: str) -> bool:
    if len(head) < 10 or head[8:9] != b"{" or not head[8:].lstrip(b"{ \n\r\t").startswith((b'"', b"}")):
        return False
    if b'"dtype"' in head or b'"data_offsets"' in head or b'"__metadata__"' in head or names.extension(path) == NAME:
        return True
    length = int.from_bytes(head[:8], "little")
    return length <= blob.size - 8 and blob.read(7 + length, 1) in (b"}", b" ")


class _Pairs(list[tuple[str, Any]]):
    """An object of the header, with keys that stand twice."""


def examine(blob: Blob, work: Examination) -> None:
    length = int.from_bytes(blob.read(0, 8), "little")
    if length > blob.size - 8:
        if length > _LARGEST:
            work.concern(
                "header-overflow",
                "malicious",
                f"The header announces {length} bytes of itself, more than the file has: loaders that allocate or add"
                " before they check run over.",
                str(length),
                0,
            )
        else:
            work.concern("truncated", "inconclusive", "The file ends within its header.", str(length), 0)
        return
    if length > _LARGEST or length > limits.MODEL_TEXT:
        work.concern("size", "inconclusive", "The header is too long to be read.", str(length), 0)
        return
    raw = blob.read(8, length)
    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        work.concern("header-broken", "inconclusive", "The header is no JSON.", str(error), 8)
        return
    if not isinstance(header, _Pairs):
        work.concern("header-broken", "inconclusive", "The header is no JSON object.", at=8)
        return
    keys = [name for name, _ in header]
    if len(set(keys)) < len(keys):
        counted = Counter(keys)
        twice = next(name for name in keys if counted[name] > 1)
        message = "A name stands twice in the header: which of the two counts depends on the loader."
        work.concern("header-twice", "review", message, twice, 8)
    spans: list[tuple[int, int, str]] = []
    for name, value in header:
        if name == "__metadata__":
            _metadata(work, value)
        elif isinstance(value, _Pairs):
            _tensor(work, name, dict(value), spans)
        else:
            work.concern("header-broken", "inconclusive", "An entry of the header is no tensor.", name, 8)
    _places(blob, work, 8 + length, spans)


def _metadata(work: Examination, value: object) -> None:
    if not isinstance(value, _Pairs):
        work.concern("header-broken", "review", "The metadata is no table of texts, as loaders want it.", str(value), 8)
        return
    for key, text in value:
        if not isinstance(text, str):
            work.concern("header-broken", "review", "The metadata holds something that is no text.", key, 8)
            continue
        payload.look(work, text, f"the metadata '{key[:120]}'", 8)
        if templates.looks_like_chat(text):
            templates.judge(work, text, f"The chat template in the metadata '{key[:120]}'", 8)


def _tensor(work: Examination, name: str, entry: dict[str, Any], spans: list[tuple[int, int, str]]) -> None:
    offsets, shape, kind = entry.get("data_offsets"), entry.get("shape"), entry.get("dtype")
    if not (_numbers(offsets) and len(offsets) == 2 and _numbers(shape)):
        work.concern(
            "header-broken", "review", f"The tensor '{name[:120]}' has no place or no shape that a loader understands.", str(entry), 8
        )
        return
    start, end = offsets
    if end < start or end >= 1 << 62:
        work.concern(
            "tensor-places", "malicious", f"The tensor '{name[:120]}' ends before it begins, or beyond all memory.", str(offsets), 8
        )
        return
    elements = 1
    for size in shape:
        elements *= size
        if elements >= 1 << 63:
            work.concern("header-overflow", "malicious", f"The sizes of the tensor '{name[:120]}' multiply beyond 64 bits.", str(shape), 8)
            return
    bits = _BITS.get(str(kind))
    if bits is not None and elements * bits != (end - start) * 8:
        message = f"The tensor '{name[:120]}' takes more or fewer bytes than its shape says: a loader that trusts the shape reads outside."
        work.concern("tensor-places", "review", message, f"{kind} {shape} in {end - start} bytes", 8)
    spans.append((start, end, name))


def _numbers(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in value)


def _places(blob: Blob, work: Examination, data: int, spans: list[tuple[int, int, str]]) -> None:
    spans.sort()
    at = 0
    for start, end, name in spans:
        if start < at:
            message = f"The tensor '{name[:120]}' lies over another one: loaders refuse this, or show one under two names."
            work.concern("tensor-places", "review", message, f"{start} before {at}", data + start)
        elif start > at:
            message = f"Before the tensor '{name[:120]}' there are {start - at} bytes that belong to no tensor: they may be anything."
            work.concern("tensor-places", "review", message, blob.read(data + at, 32).hex(), data + at)
        at = max(at, end)
    if data + at > blob.size:
        work.concern("truncated", "inconclusive", "Tensors lie after the end of the file: it was cut.", str(at), blob.size)
    elif data + at < blob.size:
        rest = blob.read(data + at, 64)
        message = f"After the last tensor there are {blob.size - data - at} bytes that belong to no tensor."
        work.concern("tensor-places", "review", message, rest.hex(), data + at)
        work.member("after-the-tensors", _rest(blob, data + at))


def _rest(blob: Blob, at: int) -> Blob:
    from headwater.modelfiles.blob import PartBlob

    return PartBlob(blob, at, blob.size - at)
