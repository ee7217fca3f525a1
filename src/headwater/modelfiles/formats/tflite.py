"""TensorFlow Lite: operators of custom code and those that bring TensorFlow's own (Flex). FlatBuffers are read at their offsets."""

from __future__ import annotations

from typing import Final

from headwater import limits
from headwater.modelfiles import payload
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.flatbuffers import BrokenError, root
from headwater.modelfiles.work import Examination

NAME: Final = "tflite"
_CUSTOM: Final = 32
_HARMFUL: Final = frozenset(
    {"FlexPyFunc", "FlexPyFuncStateless", "FlexEagerPyFunc", "FlexWriteFile", "FlexReadFile", "FlexSaveV2", "FlexMatchingFiles"}
)
_LIBRARY: Final = (
    "TFLite_",
    "Mediapipe",
    "Convolution2DTransposeBias",
    "MaxPoolingWithArgmax2D",
    "MaxUnpooling2D",
    "Transform",
    "Landmarks",
)


def matches(head: bytes, blob: Blob, path: str) -> bool:
    return head[4:8] == b"TFL3"


def examine(blob: Blob, work: Examination) -> None:
    try:
        model = root(blob)
        for code in model.tables(1, limits.MODEL_FIELDS):
            name = code.text(1)
            if name:
                _operator(work, name)
        for metadata in model.tables(6, limits.MODEL_FIELDS):
            payload.look(work, metadata.text(0), "the metadata")
        payload.look(work, model.text(3), "the description")
        for number, buffer in enumerate(model.tables(4, limits.MODEL_FIELDS)):
            start, size = buffer.bytes_at(0)
            if start + size > blob.size:
                message = f"The buffer {number} announces {size} bytes, more than the file has: loaders that do not check read outside."
                work.concern("buffer-overflow", "malicious" if size >= 1 << 31 else "inconclusive", message, str(size), start)
                break
            offset, length = buffer.number(1, 8), buffer.number(2, 8)
            if offset > 1 and offset + length > blob.size:
                work.concern("truncated", "inconclusive", "Weights lie after the end of the file: it was cut.", f"{offset}+{length}")
                break
    except BrokenError as error:
        work.concern("broken", "inconclusive", "It is no whole model of TensorFlow Lite: it is cut or damaged.", str(error))


def _operator(work: Examination, name: str) -> None:
    if name in _HARMFUL:
        message = f"The operator '{name[4:]}' of TensorFlow touches files or calls Python when the model runs."
        work.concern("python-operator" if "Py" in name else "file-operator", "malicious", message, name)
    elif not name.startswith(("Flex", *_LIBRARY)):
        message = f"The operator '{name[:80]}' is none of TensorFlow Lite: the model runs only with native code for it."
        work.concern("custom-operator", "review", message, name)
