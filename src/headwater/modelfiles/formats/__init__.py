"""One module per format, with ``NAME``, ``matches(head, blob, path)`` and ``examine(blob, work)`` (``dispatch.Format``)."""

from __future__ import annotations

from typing import Final

ORDER: Final[tuple[str, ...]] = (
    # What is run, whatever else the file may be taken for
    "pickled",
    "executable",
    # Magic bytes
    "zip_archive",
    "seven_zip",
    "rds",
    "compressed",
    "numpy_file",
    "tar_archive",
    "gguf",
    "hdf5",
    "tflite",
    "torch7",
    "boosters",
    # The shape of what is inside
    "safetensors",
    "onnx",
    "savedmodel",
    "coreml",
    "engines",
    "flax",
    # The looks of text
    "xml_file",
    "json_file",
    "mlmodel",
    "yaml_file",
    "jinja_file",
    # None of these
    "hidden_pickle",
)
"""In the order in which they are asked: what is known by magic bytes before what is known by the looks of its text."""
