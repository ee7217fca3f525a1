"""Damaged files of every format: nothing is raised, and no file costs more than its bounds."""

from __future__ import annotations

import json
import random
import struct
import time

import pytest
from model_builders import (
    PICKLE,
    code,
    gguf,
    gguf_text,
    hdf5,
    keras,
    layer,
    msgpack,
    onnx,
    onnx_node,
    onnx_tensor,
    pb,
    safetensors,
    saved_model,
    sequential,
    tf_node,
    tf_text,
    tflite,
    zipped,
)

from headwater.modelfiles import dispatch
from headwater.modelfiles.blob import BytesBlob
from headwater.modelfiles.work import Examination

LAMBDA = layer("Lambda", {"name": "l", "function": layer("__lambda__", {"code": code("lambda x: open('f')")}, None)})
SEEDS: dict[str, bytes] = {
    "a.gguf": gguf(
        {
            "general.alignment": 32,
            "tokenizer.ggml.tokens": ["a", "b"],
            "tokenizer.chat_template": "{% for m in messages %}{{ m.role }}{% endfor %}",
        },
        gguf_text("w") + struct.pack("<IQQIQ", 2, 4, 4, 0, 0),
        1,
        bytes(128),
    ),
    "a.safetensors": safetensors({"__metadata__": {"a": "b"}, "w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}, bytes(16)),
    "a.onnx": onnx(
        onnx_node("If", "", pb(6, pb(1, pb(4, "Relu")))),
        pb(5, onnx_tensor("w", location="x", offset="4")),
        model=pb(14, pb(1, "k") + pb(2, "v")),
    ),
    "saved_model.pb": saved_model(tf_text("p", "/x"), tf_node("ReadFile", "r", ["p"]), functions=[[tf_node("PyFunc")]]),
    "a.mlmodel": pb(1, 4) + pb(2, pb(1, pb(1, "x"))) + pb(500, pb(1, pb(1, "mine") + pb(500, pb(10, "L")))),
    "a.tflite": tflite("FlexErf", "Mine"),
    "a.msgpack": msgpack({"params": {"a": (1, b"x" * 30), "b": {"c": 3, "d": "text that is longer than a word"}}}),
    "a.rds": b"X\n" + struct.pack(">IIIIII", 2, 262914, 131840, 0x405, 0xFD, 0xFC) + struct.pack(">I", 6),
    "a.h5": hdf5(json.dumps(sequential(LAMBDA))),
    "a.keras": keras(LAMBDA),
    "a.skops": zipped(
        {"schema.json": json.dumps({"__class__": "function", "__module__": "os", "__loader__": "FunctionNode", "content": {}})}
    ),
    "a.t7": struct.pack("<iii", 4, 1, 3) + b"V 1" + b"os.execute nn.Linear",
    "a.xml": b"<?xml version='1.0'?><net name='m'><layers><layer id='0' version='opset1' library='x.so'/></layers></net>",
    "a.pmml": b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e SYSTEM 'f'>]><PMML><Extension name='script'>x</Extension></PMML>",
    "a.json": json.dumps({"auto_map": {"A": "b.C"}, "chat_template": "{{ ''.__class__ }}", "weight_map": {"a": "b"}}).encode(),
    "a.yaml": b"a: !!python/object/apply:os.system [id]\nb: {_target_: x.y}\n",
    "a.jinja": b"{# x #}"
    b"{% macro f(a, b=1) %}{% set x = a['\\x5f'] ~ b|join(',') %}{% endmacro %}{{ f(messages)[1:-1] if x is not none else 'y' }}",
    "a.bin": b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + bytes(40),
    "a.cbm": b"CBM1" + struct.pack("<I", 4) + b"abcd",
    "a.pickle": PICKLE,
}
LENGTHS = (b"\xff" * 8, b"\xff" * 7 + b"\x7f", bytes(8), (1 << 31).to_bytes(8, "little"), b"\x7f" + b"\xff" * 3, b"\x80\x80\x80\x80")


def damaged(data: bytes, chance: random.Random) -> bytes:
    made = bytearray(data)
    kind = chance.random()
    if kind < 0.5:
        for _ in range(chance.choice((1, 1, 2, 5, 20))):
            made[chance.randrange(len(made))] = chance.choice((chance.randrange(256), 0, 0x7F, 0x80, 0xFF))
    elif kind < 0.65:
        del made[chance.randrange(len(made)) :]
    elif kind < 0.8:
        other = chance.choice(list(SEEDS.values()))
        start, at = chance.randrange(len(made)), chance.randrange(len(other))
        made[start : start + chance.randrange(40)] = other[at : at + chance.randrange(200)]
    elif kind < 0.9:
        start = chance.randrange(len(made))
        made[start:start] = bytes([chance.choice(b"\0\xff{[(<\x81\x0a")]) * chance.choice((1, 8, 300, 5000))
    else:
        start = chance.randrange(len(made))
        length = chance.choice(LENGTHS)
        made[start : start + len(length)] = length
    return bytes(made)


@pytest.mark.parametrize("name", SEEDS)
def test_damaged_files_raise_nothing_and_end(name: str) -> None:
    chance = random.Random(name)
    for _ in range(400):
        data = damaged(SEEDS[name], chance)
        work = Examination(name, examine=dispatch.examine)
        before = time.process_time()
        dispatch.examine(BytesBlob(data), work)
        assert time.process_time() - before < 5
        assert [one for one in work.concerns if one.check == "unreadable"] == [], data
        work.result(BytesBlob(data))


@pytest.mark.parametrize(
    "data",
    [
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 19) + b"\0" * (1 << 23),
        pb(1, 8) + pb(7, pb(1, pb(4, "Relu")) * 60_000 + pb(2, "g")),
        b"\xdf\xff\xff\xff\xff\xa1a" + b"\x01\xa1a" * 300_000,
        b"{% if x %}" * 20_000,
        b'{"auto_map": {"a": "b"}, "x": [' + b"{}," * 400_000 + b"{}]}",
        b"<?xml version='1.0'?><PMML>" + b"<Extension name='script'>" * 20_000,
        b"<?xml version='1.0'?><PMML" + b' a="' * 50_000,
        b"a: !!python/tuple [" + b"[" * 20_000,
        b"\x89HDF\r\n\x1a\n" + b'{"class_name": ' * 20_000,
        b"\x89HDF\r\n\x1a\n" + b'{"class_name": "' * 20_000,
        b"X\n\0\0\0\2" + b"\0\0\0\5" * 200_000,
        safetensors({"__metadata__": {str(n): "a" * 30 for n in range(20_000)}}),
        safetensors({f"w{n}": {"dtype": "U8", "shape": [1], "data_offsets": [n, n + 1]} for n in range(60_000)}, bytes(60_000)),
    ],
    ids=["gguf", "onnx", "flax", "template", "json", "pmml", "attributes", "yaml", "h5 nested", "h5 open", "rds", "metadata", "tensors"],
)
def test_files_made_to_cost_much_end_soon(data: bytes) -> None:
    work = Examination("model", examine=dispatch.examine)
    before = time.process_time()
    dispatch.examine(BytesBlob(data), work)
    assert time.process_time() - before < 8
    assert [one for one in work.concerns if one.check == "unreadable"] == []
