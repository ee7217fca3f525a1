"""GGUF, safetensors, ONNX, TensorFlow, Core ML, TFLite, R, Flax and programs: what is wrong is told, what is usual is clean."""

from __future__ import annotations

import base64
import json
import struct

import pytest
from model_builders import (
    PICKLE,
    checks,
    code,
    evidence,
    examined,
    form,
    gguf,
    gguf_pair,
    gguf_text,
    layer,
    msgpack,
    onnx,
    onnx_node,
    onnx_tensor,
    pb,
    safetensors,
    saved_model,
    tf_node,
    tf_text,
    tflite,
    verdict,
)

TWICE = '{"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}, "w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}'
TENSOR = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}


class TestGguf:
    USUAL = {"general.architecture": "llama", "general.alignment": 32, "tokenizer.ggml.tokens": ["<s>", "a"]}

    def test_usual(self) -> None:
        tensor = gguf_text("w") + struct.pack("<IQQIQ", 2, 4, 4, 0, 0)
        assert verdict(gguf(self.USUAL, tensor, 1, bytes(256))) == "clean"

    @pytest.mark.parametrize(
        "data",
        [
            b"GGUF" + struct.pack("<IQQ", 3, 1 << 62, 0),
            b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 40),
            b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", (1 << 63) - 1) + bytes(40),
            b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + gguf_text("a") + struct.pack("<IQ", 8, 1 << 60) + bytes(40),
            b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + gguf_text("a") + struct.pack("<IIQ", 9, 12, 1 << 61) + bytes(40),
            gguf({}, gguf_text("w") + struct.pack("<I", 0xFFFF) + bytes(64), 1),
            gguf({}, gguf_text("w") + struct.pack("<IQQIQ", 2, 1 << 40, 1 << 40, 0, 0), 1),
            gguf({}, gguf_text("w") + struct.pack("<IQIQ", 1, 4, 0, 1 << 63), 1),
            b"GGUF" + struct.pack(">IQQ", 3, 1 << 62, 0),
        ],
        ids=["tensors", "entries", "length of a key", "length of a text", "elements", "dimensions", "product", "offset", "big endian"],
    )
    def test_headers_that_overflow_are_malicious(self, data: bytes) -> None:
        # https://www.databricks.com/blog/ggml-gguf-file-format-vulnerabilities and CVE-2024-25664 to CVE-2024-25668
        assert verdict(data) == "malicious"

    def test_a_file_that_was_cut_is_inconclusive(self) -> None:
        whole = gguf(self.USUAL, gguf_text("w") + struct.pack("<IQQIQ", 2, 4, 4, 0, 0), 1, bytes(256))
        assert {verdict(whole[:end]) for end in range(24, len(whole) - 256)} == {"inconclusive"}

    def test_alignment(self) -> None:
        assert verdict(gguf({"general.alignment": 0})) == "review"
        assert verdict(gguf({"general.alignment": 24})) == "review"

    def test_data_in_texts(self) -> None:
        assert verdict(gguf({"general.description": base64.b64encode(PICKLE).decode()})) == "malicious"
        assert verdict(gguf({"general.author": "__import__('os').system('id')"})) == "review"
        assert verdict(gguf({"general.description": "Trained on text; run `llama-cli -m model.gguf` to try it."})) == "clean"

    def test_first_version(self) -> None:
        data = b"GGUF" + struct.pack("<III", 1, 0, 1) + struct.pack("<I", 1) + b"a" + struct.pack("<II", 8, 2) + b"ok"
        assert verdict(data) == "clean"
        assert gguf_pair("a", 1)


class TestSafetensors:
    def test_usual(self) -> None:
        data = safetensors({"__metadata__": {"format": "pt", "description": "A model. torch.load is not needed."}, "w": TENSOR}, bytes(16))
        assert (form(data), verdict(data)) == ("safetensors", "clean")

    @pytest.mark.parametrize(
        ("data", "wanted"),
        [
            (struct.pack("<Q", 1 << 60) + b'{"w": {"dtype": "F32"}}', "malicious"),
            (safetensors({"w": TENSOR})[:40], "inconclusive"),
            (safetensors({"w": TENSOR}, bytes(8)), "inconclusive"),
            (safetensors({"w": TENSOR}, bytes(32)), "review"),
            (safetensors({"w": TENSOR, "v": {**TENSOR, "data_offsets": [8, 24]}}, bytes(24)), "review"),
            (safetensors({"w": {**TENSOR, "data_offsets": [16, 32]}}, bytes(32)), "review"),
            (safetensors({"w": {**TENSOR, "shape": [4, 4]}}, bytes(16)), "review"),
            (safetensors({"w": {**TENSOR, "shape": [1 << 40, 1 << 40]}}, bytes(16)), "malicious"),
            (safetensors({"w": {**TENSOR, "data_offsets": [16, 0]}}, bytes(16)), "malicious"),
            (safetensors(TWICE, bytes(16)), "review"),
            (safetensors({"__metadata__": {"x": base64.b64encode(PICKLE).decode()}, "w": TENSOR}, bytes(16)), "malicious"),
            (safetensors({"__metadata__": {"x": PICKLE.hex()}, "w": TENSOR}, bytes(16)), "malicious"),
            (safetensors({"__metadata__": {"x": "__import__('os').system('id')"}, "w": TENSOR}, bytes(16)), "review"),
            (safetensors({"__metadata__": {"x": ["a"]}, "w": TENSOR}, bytes(16)), "review"),
            (safetensors('{"dtype": [}'), "inconclusive"),
        ],
    )  # fmt: skip
    def test_what_is_wrong(self, data: bytes, wanted: str) -> None:
        assert verdict(data) == wanted

    def test_what_hides_behind_the_tensors_is_examined_too(self) -> None:
        data = safetensors({"w": TENSOR}, bytes(16)) + b"\x7fELF" + bytes(60)
        assert [one.format for one in examined(data)] == ["safetensors", "executable"]


class TestOnnx:
    def test_usual(self) -> None:
        data = onnx(onnx_node("MatMul"), onnx_node("FusedMatMul", "com.microsoft"), pb(5, onnx_tensor("w")))
        assert (form(data), verdict(data)) == ("onnx", "clean")
        assert verdict(onnx(pb(5, onnx_tensor("w", location="weights.bin", offset="0", length="16")), onnx_node("Relu"))) == "clean"

    @pytest.mark.parametrize(
        "location",
        ["../../../etc/passwd", "/etc/passwd", "C:\\Windows\\win.ini", "..\\secret", "a/../../b", "https://example.org/x", "~/.ssh/id"],
    )
    def test_weights_outside_of_the_folder(self, location: str) -> None:
        # CVE-2022-25882, CVE-2024-27318, CVE-2024-5187: https://github.com/advisories/GHSA-hq47-66rc-9vgm
        tensor = onnx_tensor("w", location=location)
        inside = onnx(onnx_node("If", "", pb(1, "then_branch") + pb(6, pb(5, tensor) + pb(1, pb(4, "Relu")))))
        assert verdict(onnx(pb(5, tensor), onnx_node("Relu"))) == "malicious"
        assert verdict(onnx(onnx_node("Constant", "", pb(1, "value") + pb(5, tensor)))) == "malicious"
        assert verdict(inside) == "malicious"
        assert verdict(onnx(pb(15, pb(1, tensor) + pb(2, onnx_tensor("i"))), onnx_node("Relu"))) == "malicious"
        assert location in evidence(onnx(pb(5, tensor), onnx_node("Relu")))

    def test_places_that_run_over(self) -> None:
        assert verdict(onnx(pb(5, onnx_tensor("w", location="w.bin", offset="-8")), onnx_node("Relu"))) == "malicious"
        assert verdict(onnx(pb(5, onnx_tensor("w", location="w.bin", length=str(1 << 63))), onnx_node("Relu"))) == "malicious"

    def test_operators(self) -> None:
        assert verdict(onnx(onnx_node("PyOp", "ai.onnx.contrib"))) == "malicious"
        assert verdict(onnx(onnx_node("Mine", "com.example"))) == "review"
        function = pb(25, pb(1, "Mine") + pb(10, "com.example") + pb(7, pb(4, "Relu")))
        assert verdict(onnx(onnx_node("Mine", "com.example"), model=function)) == "clean"  # the file itself defines it
        hidden = pb(25, pb(1, "Mine") + pb(10, "local") + pb(7, pb(4, "PyOp") + pb(7, "ai.onnx.contrib")))
        assert verdict(onnx(onnx_node("Mine", "local"), model=hidden)) == "malicious"

    def test_a_file_that_was_cut_is_inconclusive(self) -> None:
        whole = onnx(onnx_node("Relu"), pb(5, onnx_tensor("w")), model=pb(14, pb(1, "k") + pb(2, "v" * 200)))
        assert verdict(whole[:-100], "m.onnx") == "inconclusive"


class TestTensorFlow:
    USUAL = (
        "Placeholder",
        "VarHandleOp",
        "ReadVariableOp",
        "MatMul",
        "SaveV2",
        "RestoreV2",
        "ShardedFilename",
        "MergeV2Checkpoints",
        "StatefulPartitionedCall",
    )

    def test_usual(self) -> None:
        data = saved_model(*(tf_node(kind) for kind in self.USUAL), functions=[[tf_node("MatMul")]])
        assert (form(data), verdict(data)) == ("savedmodel", "clean")

    @pytest.mark.parametrize(
        ("kind", "wanted"),
        [
            ("ReadFile", "review"), ("WriteFile", "malicious"), ("PyFunc", "malicious"), ("EagerPyFunc", "malicious"),
            ("PyFuncStateless", "malicious"), ("MatchingFiles", "review"), ("TextLineDatasetV2", "review"), ("SaveDataset", "malicious"),
        ],
    )  # fmt: skip
    def test_operators_that_touch_more_than_numbers(self, kind: str, wanted: str) -> None:
        assert verdict(saved_model(tf_node(kind))) == wanted
        assert verdict(saved_model(functions=[[tf_node("MatMul")], [tf_node(kind)]])) == wanted
        assert verdict(b"".join(pb(1, tf_node(one)) for one in ("Placeholder", kind))) == wanted  # a frozen graph

    def test_what_is_read_is_told(self) -> None:
        data = saved_model(tf_text("path", "/etc/passwd"), tf_node("ReadFile", "read", ["path"]))
        assert verdict(data) == "malicious"
        assert "ReadFile('/etc/passwd')" in evidence(data)
        table = saved_model(tf_text("path", "/etc/hosts"), tf_node("InitializeTableFromTextFileV2", "t", ["table", "path"]))
        assert verdict(table) == "review"

    def test_streams_and_addresses(self) -> None:
        assert verdict(saved_model(tf_node("PrintV2", "p", [], {"output_stream": pb(2, "file:///tmp/x")}))) == "malicious"
        assert verdict(saved_model(tf_node("PrintV2", "p", [], {"output_stream": pb(2, "stderr")}))) == "clean"
        listed = {"debug_urls": pb(1, pb(2, "grpc://203.0.113.1:6064"))}
        assert verdict(saved_model(tf_node("DebugIdentity", "d", [], listed))) == "malicious"

    def test_files_of_the_model(self) -> None:
        asset = pb(6, pb(1, pb(1, "t")) + pb(2, "../../etc/passwd"))
        assert verdict(saved_model(tf_node("MatMul"), meta=asset)) == "malicious"
        assert verdict(saved_model(tf_node("MatMul"), meta=pb(6, pb(1, pb(1, "t")) + pb(2, "vocab.txt")))) == "clean"

    def test_layers_of_keras(self) -> None:
        config = json.dumps({"class_name": "Lambda", "config": {"name": "l", "function": [code("lambda x: open('f')"), None, None]}})
        metadata = pb(1, pb(1, pb(1, 1)) + pb(2, 1) + pb(3, "root.layer-0") + pb(4, "_tf_keras_layer") + pb(5, config))
        assert (form(metadata), verdict(metadata)) == ("savedmodel", "malicious")
        plain = json.dumps({"class_name": "Dense", "config": {"name": "d", "units": 3}})
        assert verdict(metadata.replace(config.encode(), plain.encode())) in ("clean", "inconclusive")
        objects = pb(7, pb(1, pb(4, pb(1, "_tf_keras_layer") + pb(3, config))))  # where TensorFlow up to 2.4 keeps them
        assert verdict(saved_model(tf_node("MatMul"), meta=objects)) == "malicious"


def test_coreml() -> None:
    plain = pb(1, 4) + pb(2, pb(1, pb(1, "x"))) + pb(500, pb(1, pb(1, "dense") + pb(140, pb(1, 4))))
    assert (form(plain), verdict(plain)) == ("coreml", "clean")
    custom = pb(1, 4) + pb(2, pb(1, pb(1, "x"))) + pb(555, pb(10, "MyModel"))
    assert verdict(custom) == "review"
    layered = pb(1, 4) + pb(2, pb(1, pb(1, "x"))) + pb(500, pb(1, pb(1, "mine") + pb(500, pb(10, "MyLayer"))))
    assert verdict(layered) == "review"
    assert verdict(pb(1, 4) + pb(2, pb(1, pb(1, "x"))) + pb(202, pb(1, custom))) == "review"  # in a pipeline


def test_tflite() -> None:
    assert (form(tflite("FlexErf")), verdict(tflite("FlexErf", "TFLite_Detection_PostProcess"))) == ("tflite", "clean")
    assert verdict(tflite("Mine")) == "review"
    assert verdict(tflite("FlexErf", "FlexWriteFile")) == "malicious"
    assert verdict(tflite("FlexEagerPyFunc")) == "malicious"
    assert verdict(tflite("Mine")[:40]) == "inconclusive"


def test_flax() -> None:
    array = msgpack((1, b"\x93\x91\x02\xa7float32\xc4\x08" + bytes(8)))
    plain = msgpack({"params": {"Dense_0": {"kernel": b"k" * 40, "name": "a layer of the encoder"}}}).replace(msgpack(b"k" * 40), array)
    assert (form(plain), verdict(plain)) == ("flax", "clean")
    assert verdict(msgpack({"params": {"x": (42, PICKLE)}})) == "malicious"
    assert verdict(msgpack({"params": {"x": (42, bytes(40))}})) == "review"
    assert verdict(msgpack({"params": {"x": PICKLE}})) == "malicious"
    assert verdict(plain + PICKLE) in ("review", "malicious")
    assert verdict(plain[:-2], "m.msgpack") == "inconclusive"


def rds(item: bytes, version: int = 2) -> bytes:
    head = b"X\n" + struct.pack(">III", version, 0x00040301, 0x00020300)
    return head + (struct.pack(">I", 5) + b"UTF-8" if version == 3 else b"") + item


def symbol(name: str) -> bytes:
    return struct.pack(">III", 1, 0x00040009, len(name)) + name.encode()


@pytest.mark.parametrize("version", [2, 3])
def test_rds(version: int) -> None:
    # CVE-2024-27322: https://hiddenlayer.com/research/r-bitrary-code-execution/
    call = struct.pack(">I", 6) + symbol("system") + struct.pack(">III", 2, 0x00040009, 4) + b"true" + struct.pack(">I", 0xFE)
    promise = struct.pack(">III", 0x405, 0xFD, 0xFC) + call
    assert verdict(rds(promise, version)) == "malicious"
    listed = struct.pack(">II", 0x13, 2) + struct.pack(">IIi", 0x0D, 1, 7) + struct.pack(">III", 0x405, 0xFD, 0xFB) + call
    assert verdict(rds(listed, version)) == "malicious"
    numbers = rds(struct.pack(">II3d", 0x0E, 3, 1, 2, 3), version)
    assert (form(numbers), verdict(numbers)) == ("rds", "clean")
    assert verdict(rds(struct.pack(">II", 0x13, 1) + call, version)) == "review"
    assert "system" in evidence(rds(promise, version))


def test_text_form_of_rds() -> None:
    assert verdict(b"A\n2\n262913\n131840\n1029\n253\n252\n6\n") == "malicious"
    assert verdict(b"A\n2\n262913\n131840\n14\n1\n3\n") == "clean"


ELF = b"\x7fELF\x02\x01\x01" + bytes(60)
PE = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + bytes(100)


@pytest.mark.parametrize("data", [ELF, PE, b"\xcf\xfa\xed\xfe" + bytes(60), b"\xca\xfe\xba\xbe\0\0\0\2" + bytes(60), b"#!/bin/sh\nid\n"])
def test_programs(data: bytes) -> None:
    assert verdict(data, "pytorch_model.bin") == "malicious"
    assert verdict(data, "model.safetensors") == "malicious"
    assert verdict(data, "model") == "review"
    assert form(data, "model") == "executable"


def test_programs_that_say_what_they_are() -> None:
    assert (
        verdict(ELF, "libx.so") == verdict(ELF, "libx.so.1.2") == verdict(PE, "a.dll") == verdict(b"#!/bin/sh\nid\n", "run.sh") == "clean"
    )
    assert verdict(b"MZ is the beginning of a text", "notes") == "clean"
    assert verdict(b"MZqFpD='\n" + bytes(4096), "model.llamafile") == "review"


def test_other_formats_are_known_by_their_marks() -> None:
    known = {
        "catboost": b"CBM1" + struct.pack("<I", 8) + bytes(8),
        "lightgbm": b"tree\nversion=v4\nnum_class=1\n",
        "xgboost": b"{L" + struct.pack(">q", 7) + b"learner{}",
        "torch7": struct.pack("<iii", 4, 1, 3) + b"V 1" + struct.pack("<i", 9) + b"nn.Linear",
        "executorch": struct.pack("<I", 64) + b"ET12" + bytes(64),
        "tensorrt": b"ptrt" + bytes(64),
        "paddle": pb(1, pb(1, 0) + pb(2, 0) + pb(3, pb(1, "x")) + pb(4, pb(3, "relu"))),
    }
    for name, data in known.items():
        assert (form(data), verdict(data)) == (name, "clean")


def test_other_formats_with_code() -> None:
    lua = struct.pack("<iii", 4, 1, 3) + b"V 1" + struct.pack("<i", 9) + b"nn.Linear"
    assert verdict(lua + b"os.execute('id')") == "malicious"
    assert verdict(lua + b"\x1bLJ\x02") == "review"
    assert verdict(b"ptrt" + bytes(64) + b"/tmp/evil/libplugin.so\0") == "review"
    assert verdict(pb(1, pb(1, 0) + pb(2, 0) + pb(3, pb(1, "x")) + pb(4, pb(3, "py_func")))) == "review"


def test_what_is_no_model_is_unknown_and_clean() -> None:
    for data in (b"", b"a text\n", bytes(range(256)) * 8, b"\x0b\x7f\x0c\x3f" * 100):
        assert (form(data), verdict(data)) == ("unknown", "clean")


def test_what_only_calls_itself_a_model_is_inconclusive() -> None:
    assert verdict(bytes(range(256)), "model.onnx") == "inconclusive"
    assert verdict(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "model.safetensors") == "inconclusive"
    assert checks(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "model.gguf") == {"pointer"}
    assert layer("Dense")
