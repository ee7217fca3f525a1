"""Which files of a repository a review takes for model files, by their names: whether they are is decided by their bytes."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ENDINGS: Final = _words(
    """.pkl .pickle .pck .dill .joblib .cloudpickle .pt .pth .pt2 .ckpt .bin .t7 .mar .nemo .npy .npz .h5 .hdf5 .keras .onnx .ort .gguf
    .ggml .safetensors .tflite .mlmodel .pb .pdparams .pdmodel .pdopt .caffemodel .model .weights .msgpack .skops .pmml .rds .rda
    .rdata .ubj .cbm .engine .plan .trt .pte .mnn .llamafile"""
)
_ARCHIVES: Final = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".gz", ".bz2", ".xz", ".zst", ".lz4")
_ARCHIVED: Final = ("model", "checkpoint", "ckpt", "weights", ".pkl", ".pickle", ".joblib", ".pt", ".pth")
_CONFIGURATIONS: Final = _words(
    """config.json tokenizer_config.json processor_config.json preprocessor_config.json adapter_config.json generation_config.json
    chat_template.json model_index.json modules.json video_preprocessor_config.json model_config.yaml"""
)


def is_candidate(name: str) -> bool:
    """Whether a file may be a model, or say how one is loaded."""
    lower = name.lower()
    dot = lower.rfind(".")
    if (dot > 0 and lower[dot:] in _ENDINGS) or lower in _CONFIGURATIONS or lower.endswith((".safetensors.index.json", ".bin.index.json")):
        return True
    if lower.endswith((".jinja", ".jinja2")):
        return "chat" in lower or "template" in lower
    return lower.endswith(_ARCHIVES) and any(word in lower for word in _ARCHIVED)
