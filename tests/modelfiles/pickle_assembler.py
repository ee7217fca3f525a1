"""Writes pickles opcode by opcode, so that nothing dangerous is ever made by pickling it; and examines bytes as the command does."""

from __future__ import annotations

import struct
from pathlib import Path

from headwater.modelfiles.blob import BytesBlob
from headwater.modelfiles.dispatch import examine
from headwater.modelfiles.verdicts import Examined, worst
from headwater.modelfiles.work import Examination

STOP = b"."
HARMLESS_COMMAND = "touch /tmp/marker"


def text(value: str) -> bytes:
    raw = value.encode("utf-8", "surrogatepass")
    return b"\x8c" + bytes([len(raw)]) + raw if len(raw) < 256 else b"X" + struct.pack("<I", len(raw)) + raw


def raw(value: bytes) -> bytes:
    return b"C" + bytes([len(value)]) + value if len(value) < 256 else b"B" + struct.pack("<I", len(value)) + value


def value(one: object) -> bytes:
    """Opcodes that push a value. Bytes that are wrapped in ``Code`` are opcodes already."""
    if isinstance(one, Code):
        return one.opcodes
    if one is None or isinstance(one, bool):
        return {None: b"N", True: b"\x88", False: b"\x89"}[one]
    if isinstance(one, int):
        return b"J" + struct.pack("<i", one)
    if isinstance(one, float):
        return b"G" + struct.pack(">d", one)
    if isinstance(one, str):
        return text(one)
    if isinstance(one, bytes):
        return raw(one)
    if isinstance(one, tuple):
        return b"(" + b"".join(map(value, one)) + b"t"
    if isinstance(one, list):
        return b"](" + b"".join(map(value, one)) + b"e"
    if isinstance(one, dict):
        return b"}(" + b"".join(value(part) for pair in one.items() for part in pair) + b"u"
    raise TypeError(one)


class Code:
    """Opcodes."""

    def __init__(self, opcodes: bytes) -> None:
        self.opcodes = opcodes


def name(module: str, attribute: str) -> Code:
    """A name found by STACK_GLOBAL."""
    return Code(text(module) + text(attribute) + b"\x93")


def old_name(module: str, attribute: str) -> Code:
    """A name found by GLOBAL."""
    return Code(f"c{module}\n{attribute}\n".encode())


def call(callee: Code, *args: object) -> Code:
    return Code(callee.opcodes + value(args) + b"R")


def new(kind: Code, *args: object) -> Code:
    return Code(kind.opcodes + value(args) + b"\x81")


def build(target: Code, state: object) -> Code:
    return Code(target.opcodes + value(state) + b"b")


def pickled(one: object, protocol: int = 4) -> bytes:
    return b"\x80" + bytes([protocol]) + value(one) + STOP


SYSTEM = name("posix", "system")
RUN = call(SYSTEM, HARMLESS_COMMAND)
PAYLOAD = pickled(RUN)


def examined(data: bytes, path: str = "file") -> list[Examined]:
    """The file and its members, as ``headwater models`` examines them."""
    blob = BytesBlob(data)
    work = Examination(path, examine=examine)
    examine(blob, work)
    return [work.result(blob), *work.members]


def verdict(data: bytes, path: str = "file") -> str:
    return worst([one.verdict for one in examined(data, path)])


def said(data: bytes, path: str = "file") -> str:
    """All messages and evidence in one text."""
    return "\n".join(f"{one.check}: {one.message} | {one.evidence}" for result in examined(data, path) for one in result.concerns)


def checks(data: bytes) -> set[str]:
    return {one.check for result in examined(data) for one in result.concerns}


def marker() -> Path:
    """What a payload would make if any of it ran."""
    return Path("/tmp/marker")
