"""Protocol buffers by tables of fields: messages become the dictionaries that the service takes as JSON, and back.

A kind is a scalar (``text``, ``int``, ``float``, ``double``, ``bool``, ``enum``), ``struct`` (any JSON), or the name of another table. With
``*`` before it, it is repeated; ``map`` and a name is a map from texts. Fields that are in no table are passed over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final

from headwater import limits
from headwater.prove.wire.shape import MalformedError

Table = Mapping[int, tuple[str, str]]
Tables = Mapping[str, Table]
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
VALUE: Final[Table] = {1: ("null", "int"), 2: ("number", "double"), 3: ("text", "text"), 4: ("bool", "bool"), 5: ("struct", "struct")}
LIST: Final = 6


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: number and content; numbers of four and eight bytes stay bytes."""
    place = 0
    while place < len(data):
        key, place = varint(data, place)
        kind = key & 7
        if kind == VARINT:
            number, place = varint(data, place)
            yield key >> 3, number
            continue
        size = {FIXED64: 8, FIXED32: 4}.get(kind)
        if kind == BYTES:
            size, place = varint(data, place)
        if size is None or place + size > len(data):
            raise MalformedError("a message that is none")
        yield key >> 3, data[place : place + size]
        place += size


def varint(data: bytes, place: int) -> tuple[int, int]:
    found = 0
    for index in range(10):
        if place + index >= len(data):
            break
        byte = data[place + index]
        found |= (byte & 127) << (7 * index)
        if byte < 128:
            return found, place + index + 1
    raise MalformedError("a number that is none")


def decode(data: bytes, name: str, tables: Tables, depth: int = 0) -> dict[str, Any]:
    if depth > limits.PROVE_JSON_DEPTH:
        raise MalformedError("a message that is nested too deeply")
    found: dict[str, Any] = {}
    for number, content in fields(data):
        field, kind = tables[name].get(number, ("", ""))
        if not kind:
            continue
        if kind.startswith("map "):
            entry = dict(fields(content)) if isinstance(content, bytes) else {}
            key, value = entry.get(1, b""), entry.get(2, b"")
            if isinstance(key, bytes) and isinstance(value, bytes):
                found.setdefault(field, {})[_text(key)] = decode(value, kind[4:], tables, depth + 1)
        elif kind.startswith("*"):
            found.setdefault(field, []).append(_decoded(content, kind[1:], tables, depth))
        else:
            found[field] = _decoded(content, kind, tables, depth)
    return found


def _decoded(content: int | bytes, kind: str, tables: Tables, depth: int) -> Any:
    if isinstance(content, int) and kind in ("int", "bool", "enum"):
        return bool(content) if kind == "bool" else content
    if isinstance(content, bytes):
        if kind == "text":
            return _text(content)
        if kind == "struct":
            return _structure(content, depth + 1)
        if kind in tables:
            return decode(content, kind, tables, depth + 1)
        form = {4: "<f", 8: "<d"}.get(len(content))
        if form and kind in ("float", "double"):
            return struct.unpack(form, content)[0]
    raise MalformedError("a field of another kind")


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _structure(data: bytes, depth: int) -> dict[str, Any]:
    """Google's ``Struct``: JSON as a message."""
    found = {}
    for number, content in fields(data):
        if number == 1 and isinstance(content, bytes):
            entry = dict(fields(content))
            key, value = entry.get(1, b""), entry.get(2, b"")
            if isinstance(key, bytes) and isinstance(value, bytes):
                found[_text(key)] = _value(value, depth + 1)
    return found


def _value(data: bytes, depth: int) -> Any:
    if depth > limits.PROVE_JSON_DEPTH:
        raise MalformedError("a message that is nested too deeply")
    for number, content in fields(data):
        if number == LIST and isinstance(content, bytes):
            return [_value(one, depth + 1) for inner, one in fields(content) if inner == 1 and isinstance(one, bytes)]
        if number in VALUE and number != 1:
            return _decoded(content, VALUE[number][1], {}, depth)
    return None


def encode(value: Mapping[str, Any], name: str, tables: Tables) -> bytes:
    parts = []
    for number, (field, kind) in tables[name].items():
        if field not in value:
            continue
        if kind == "*float":
            parts.append(_bytes(number, struct.pack(f"<{len(value[field])}f", *value[field])))
            continue
        for one in value[field] if kind.startswith("*") else [value[field]]:
            parts.append(_encoded(number, one, kind.removeprefix("*"), tables))
    return b"".join(parts)


def _encoded(number: int, value: Any, kind: str, tables: Tables) -> bytes:
    if kind == "text":
        return _bytes(number, str(value).encode())
    if kind in ("int", "bool", "enum"):
        return _varint(number << 3 | VARINT) + _varint(int(value))
    if kind == "double":
        return _varint(number << 3 | FIXED64) + struct.pack("<d", value)
    return _bytes(number, _struct(value) if kind == "struct" else encode(value, kind, tables))


def _struct(value: Mapping[str, Any]) -> bytes:
    return b"".join(_bytes(1, _bytes(1, str(key).encode()) + _bytes(2, _json(one))) for key, one in value.items())


def _json(value: Any) -> bytes:
    if isinstance(value, bool):
        return _encoded(4, value, "bool", {})
    if isinstance(value, int | float):
        return _encoded(2, value, "double", {})
    if isinstance(value, str):
        return _encoded(3, value, "text", {})
    if isinstance(value, Mapping):
        return _bytes(5, _struct(value))
    if isinstance(value, list | tuple):
        return _bytes(LIST, b"".join(_bytes(1, _json(one)) for one in value))
    return _encoded(1, 0, "int", {})


def _bytes(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
