"""``MLmodel`` of MLflow: which module loads the model, and what it is packed in."""

from __future__ import annotations

import re
from typing import Final

from headwater.modelfiles import targets
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.formats import yaml_file
from headwater.modelfiles.paths import escapes
from headwater.modelfiles.work import Examination

NAME: Final = "mlflow"
_FLAVORS: Final = re.compile(rb"^flavors:\s*$", re.MULTILINE)
_LOADER: Final = re.compile(r"^\s+loader_module:\s*[\"']?([\w.]+)", re.MULTILINE)
_PATH: Final = re.compile(r"^\s+(?:data|code|python_model|model_path|pickled_model|artifact_path|path):\s*[\"']?([^\s\"'#]+)", re.MULTILINE)
_OWN: Final = re.compile(r"mlflow\.\w+(\.\w+)*\Z")


def matches(head: bytes, blob: Blob, path: str) -> bool:
    return _FLAVORS.search(head) is not None and (b"loader_module:" in head or b"mlflow_version:" in head)


def examine(blob: Blob, work: Examination) -> None:
    yaml_file.examine(blob, work)
    text = blob.read(0, 1 << 20).decode("utf-8", "replace")
    for match in _LOADER.finditer(text):
        loader = match[1]
        if _OWN.match(loader):
            continue
        said = f"mlflow.pyfunc.load_model imports {loader[:200]} and calls its _load_pyfunc: that code decides what happens."
        work.concern("mlflow-loader", "malicious" if targets.is_harmful(loader) else "review", said, match[0].strip(), match.start())
    for match in _PATH.finditer(text):
        if escapes(match[1]) and "://" not in match[1]:
            said = f"MLflow reads {match[1][:200]!r}, outside the folder of the model."
            work.concern("path-escape", "review", said, match[0].strip(), match.start())
