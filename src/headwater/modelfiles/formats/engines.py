"""Compiled models: TensorRT engines, ExecuTorch and PaddlePaddle programs; NCNN and old GGML, known by their marks."""

from __future__ import annotations

import re
from typing import Final

from headwater.modelfiles import payload
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.wire import Message, SpentError, WireError, shape
from headwater.modelfiles.work import Examination

NAME: Final = "engine"
_TENSORRT: Final = (b"ptrt", b"ftrt")
_LIBRARY: Final = re.compile(rb"(?:/[\w.-]+)*/?[\w.+-]+\.(?:so(?:\.\d+)*|dll|dylib)\b")
_SEEN: Final = 16 << 20
_PADDLE: Final = {"py_func", "run_program", "custom_python_op"}
_PADDLE_FILES: Final = {"save", "save_combine", "load", "load_combine", "write_to_file", "read_file"}


def matches(head: bytes, blob: Blob, path: str) -> bool:
    return bool(_kind(head, blob))


def _kind(head: bytes, blob: Blob) -> str:
    if head.startswith(_TENSORRT):
        return "tensorrt"
    if head[4:8] in (b"ET12", b"ET13") or head[4:8].startswith(b"ET1"):
        return "executorch"
    if head.startswith(b"7767517\n"):
        return "ncnn"
    if head[:4] in (b"tjgg", b"lmgg", b"algg", b"fmgg"):  # ggml before GGUF
        return "ggml"
    if head[:1] == b"\x0a" and _is_program(blob):
        return "paddle"
    return ""


def _is_program(blob: Blob) -> bool:
    """A ProgramDesc has blocks, and those have a number, that of their parent, variables and operators."""
    fields = shape(blob, 8)
    if not fields or fields[0].number != 1 or any((field.number, field.kind) not in ((1, 2), (4, 2), (5, 2)) for field in fields):
        return False
    inside = shape(blob, 8, fields[0].start, fields[0].end)
    if not inside or len(inside) < 3:
        return False
    return [(one.number, one.kind) for one in inside[:3]] == [(1, 0), (2, 0), (3, 2)]


def examine(blob: Blob, work: Examination) -> None:
    head = blob.read(0, 4096)
    work.format = _kind(head, blob)
    if work.format == "paddle":
        _paddle(blob, work)
        return
    if work.format == "ncnn":
        return
    data = blob.read(0, _SEEN)
    if work.format == "tensorrt":
        library = _LIBRARY.search(data)
        if library:
            message = "The engine names a library of native code: its layers are plugins that are loaded from there."
            work.concern("native-library", "review", message, library.group().decode("latin-1"), library.start())
        if b"python" in data[: 1 << 20].lower() and b"plugin" in data[: 1 << 20].lower():
            work.concern("python-operator", "review", "The engine names plugins in Python.")
    code = payload.code_in(data.decode("latin-1"))
    if code:
        work.concern("code-in-data", "review", "There is code in the engine.", code)


def _paddle(blob: Blob, work: Examination) -> None:
    try:
        for block in Message(blob).all(1):
            for operator in block.all(4):
                kind = operator.first(3)
                if kind in _PADDLE:
                    message = f"The operator '{kind}' calls a Python function of the process that loads the model."
                    work.concern("python-operator", "review", message, kind, operator.start)
                elif kind in _PADDLE_FILES:
                    work.concern("file-operator", "review", f"Running the model touches files (operator '{kind}').", kind, operator.start)
    except WireError:
        work.concern("broken", "inconclusive", "It is no whole program of PaddlePaddle: it is cut or damaged.")
    except SpentError:
        work.concern("size", "inconclusive", "It has more operators than are read.")
