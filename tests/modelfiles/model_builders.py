"""Writes small model files of many formats by hand, and examines them."""

from __future__ import annotations

import base64
import io
import json
import marshal
import struct
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from headwater.modelfiles import dispatch
from headwater.modelfiles.blob import BytesBlob
from headwater.modelfiles.verdicts import Examined, worst
from headwater.modelfiles.work import Examination


def examined(data: bytes, name: str = "model") -> list[Examined]:
    """The file and its members."""
    work = Examination(name, examine=dispatch.examine)
    blob = BytesBlob(data)
    dispatch.examine(blob, work)
    return [work.result(blob), *work.members]


def verdict(data: bytes, name: str = "model") -> str:
    return worst([one.verdict for one in examined(data, name)])


def form(data: bytes, name: str = "model") -> str:
    return examined(data, name)[0].format


def checks(data: bytes, name: str = "model") -> set[str]:
    return {concern.check for one in examined(data, name) for concern in one.concerns}


def evidence(data: bytes, name: str = "model") -> str:
    return "\n".join(f"{concern.message} {concern.evidence}" for one in examined(data, name) for concern in one.concerns)


# ------------------------------------------------------------------------------------------------------------ Protocol Buffers


def varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])


def pb(number: int, value: int | str | bytes) -> bytes:
    """One field."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def onnx_node(kind: str, domain: str = "", *attributes: bytes) -> bytes:
    return pb(1, pb(1, "x") + pb(2, "y") + pb(4, kind) + b"".join(pb(5, one) for one in attributes) + (pb(7, domain) if domain else b""))


def onnx_tensor(name: str, **external: str) -> bytes:
    entries = b"".join(pb(13, pb(1, key) + pb(2, value)) for key, value in external.items())
    return pb(1, 4) + pb(2, 1) + pb(8, name) + entries + (pb(14, 1) if external else pb(9, bytes(16)))


def onnx(*graph: bytes, model: bytes = b"") -> bytes:
    return pb(1, 8) + pb(2, "pytorch") + pb(7, b"".join(graph) + pb(2, "graph") + pb(12, pb(1, "y"))) + pb(8, pb(2, 17)) + model


def tf_node(kind: str, name: str = "n", inputs: Sequence[str] = (), attributes: Mapping[str, bytes] | None = None) -> bytes:
    made = pb(1, name) + pb(2, kind) + b"".join(pb(3, one) for one in inputs)
    return made + b"".join(pb(5, pb(1, key) + pb(2, value)) for key, value in (attributes or {}).items())


def tf_text(name: str, text: str) -> bytes:
    """A constant."""
    return tf_node("Const", name, (), {"value": pb(8, pb(1, 7) + pb(8, text))})


def saved_model(*nodes: bytes, functions: Sequence[Sequence[bytes]] = (), meta: bytes = b"") -> bytes:
    library = b"".join(pb(1, pb(1, pb(1, "f")) + b"".join(pb(3, node) for node in body)) for body in functions)
    graph = b"".join(pb(1, node) for node in nodes) + (pb(2, library) if library else b"")
    return pb(1, 1) + pb(2, pb(1, pb(4, "serve") + pb(5, "2.15.0")) + pb(2, graph) + meta)


# ---------------------------------------------------------------------------------------------------------------------- others


def gguf_text(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data


def gguf_pair(key: str, value: str | int | list[str]) -> bytes:
    if isinstance(value, str):
        return gguf_text(key) + struct.pack("<I", 8) + gguf_text(value)
    if isinstance(value, int):
        return gguf_text(key) + struct.pack("<II", 4, value)
    return gguf_text(key) + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(gguf_text(one) for one in value)


def gguf(pairs: Mapping[str, Any], tensors: bytes = b"", count: int = 0, tail: bytes = b"") -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", 3, count, len(pairs))
    return head + b"".join(gguf_pair(key, value) for key, value in pairs.items()) + tensors + tail


def safetensors(header: dict[str, Any] | str, data: bytes = b"") -> bytes:
    text = header if isinstance(header, str) else json.dumps(header)
    return struct.pack("<Q", len(text)) + text.encode() + data


def zipped(members: Mapping[str, bytes | str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return made.getvalue()


def code(source: str) -> str:
    """Compiled code as Keras writes it."""
    return base64.b64encode(marshal.dumps(compile(source, "<lambda>", "eval"))).decode()


def layer(kind: str, config: dict[str, Any] | str | None = None, module: str | None = "keras.layers", **more: Any) -> dict[str, Any]:
    return {
        "module": module,
        "class_name": kind,
        "config": {"name": kind.lower()} if config is None else config,
        "registered_name": None,
        **more,
    }


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "model", "layers": list(layers)}, "registered_name": None}


def keras(*layers: dict[str, Any], **members: bytes) -> bytes:
    parts: dict[str, bytes | str] = {"metadata.json": '{"keras_version": "3.9.0"}', "config.json": json.dumps(sequential(*layers))}
    return zipped(parts | {"model.weights.h5": b"\x89HDF\r\n\x1a\n" + bytes(64)} | members)


def hdf5(*texts: str) -> bytes:
    """A file that keeps these texts as attributes; the tables are not those of a real one."""
    return b"\x89HDF\r\n\x1a\n" + bytes(504) + b"".join(b"\x0c\0model_config\0" + text.encode() + bytes(8) for text in texts) + bytes(200)


def msgpack(value: object) -> bytes:
    if isinstance(value, dict):
        return b"\xdf" + struct.pack(">I", len(value)) + b"".join(msgpack(key) + msgpack(one) for key, one in value.items())
    if isinstance(value, str):
        return b"\xdb" + struct.pack(">I", len(value.encode())) + value.encode()
    if isinstance(value, bytes):
        return b"\xc6" + struct.pack(">I", len(value)) + value
    if isinstance(value, tuple):  # an extension type
        return b"\xc9" + struct.pack(">Ib", len(value[1]), value[0]) + value[1]
    assert isinstance(value, int)
    return b"\xd3" + struct.pack(">q", value)


def tflite(*operators: str) -> bytes:
    """A FlatBuffer with operator codes alone: each table behind a list of offsets to it."""
    tables: list[bytes] = []
    for name in operators:
        text = name.encode()
        table_of_fields = struct.pack("<HHHH", 8, 8, 0, 4)  # its size, that of the table, field 0 absent, field 1
        table = struct.pack("<iI", len(table_of_fields), 4) + struct.pack("<I", len(text)) + text + b"\0"
        tables.append(table_of_fields + table + bytes(-len(table_of_fields + table) % 4))
    model_fields = struct.pack("<HHHH", 8, 8, 0, 4)
    start = 8
    model = start + len(model_fields)
    made = bytearray(struct.pack("<I", model) + b"TFL3" + model_fields + struct.pack("<iI", len(model_fields), 4))
    at = len(made)
    made += struct.pack("<I", len(operators)) + bytes(4 * len(operators))
    for number, table in enumerate(tables):
        place = len(made) + 8
        struct.pack_into("<I", made, at + 4 + 4 * number, place - (at + 4 + 4 * number))
        made += table
    return bytes(made)


PICKLE = b"\x80\x02cposix\nsystem\n(X\x04\x00\x00\x00trueetR."
"""Calls a harmless command when it is loaded; it never is."""
