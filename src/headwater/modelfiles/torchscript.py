"""The code of TorchScript archives: which operators it calls that touch files, or that are not torch's own."""

from __future__ import annotations

import re
from typing import Final

from headwater.modelfiles.work import Examination

_FILES: Final = re.compile(
    r"\b(?:ops\.aten\.|torch\.ops\.aten\.|torch\.|aten::)(?:save|from_file|load|_load_from_file|from_file_\w*)\s*\(|\bops\.(?:aten|prim)\.(?:save|from_file|load)\b"
)
_OTHER: Final = re.compile(r"\b(?:torch\.)?ops\.([A-Za-z_]\w*)\.([A-Za-z_]\w*)")
_LIBRARY: Final = re.compile(r"\bload_library\s*\(|\bprim\.PythonOp|\^\w+\s*\(|\btorch\.classes\.load_library")
_KNOWN: Final = frozenset(
    [
        "aten",
        "prim",
        "quantized",
        "torchvision",
        "torchaudio",
        "inductor",
        "sparse",
        "prepacked",
        "static_runtime",
        "cuda",
        "cudnn",
        "mkldnn",
        "mkl",
        "xnnpack",
        "vulkan",
        "metal",
        "profiler",
        "_test",
        "image",
        "video",
        "torch_scatter",
        "torch_sparse",
        "torch_cluster",
        "torch_spline_conv",
        "fbgemm",
        "quantized_decomposed",
        "onnx",
        "caffe2",
        "_caffe2",
        "tensorrt",
        "torchtext",
        "text",
        "detectron2",
        "_quantized",
        "mkldnn_prepacked",
        "c10d",
        "higher_order",
        "rngprims",
        "prims",
        "symm_mem",
        "neuron",
        "xla",
    ]
)


def code(name: str, text: str, work: Examination) -> None:
    """Notes what a file of code does beyond computing."""
    for match in _FILES.finditer(text):
        line = _line(text, match.start())
        said = f"Running the model that torch.jit.load loads reads or writes a file: {name[:120]} calls {match[0].rstrip('( ')}."
        work.concern("torchscript-file", "malicious", said, line, match.start())
    for match in _LIBRARY.finditer(text):
        said = f"The code of the model in {name[:120]} loads native code or calls back into Python."
        work.concern("torchscript-native", "malicious", said, _line(text, match.start()), match.start())
    for match in _OTHER.finditer(text):
        if match[1] not in _KNOWN:
            said = f"The code of the model in {name[:120]} calls {match[0][:120]}, an operator of a native library beside it."
            work.concern("torchscript-operator", "review", said, _line(text, match.start()))


def _line(text: str, at: int) -> str:
    begin = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    return text[begin : end if end >= 0 else len(text)].strip()[:400]
