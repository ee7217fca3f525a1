"""Pickles, by whatever name: of Python itself, torch before 1.6, joblib, dill, cloudpickle, paddle."""

from __future__ import annotations

import re
from typing import Final

from headwater.modelfiles.blob import Blob
from headwater.modelfiles.pickles.stream import LOADER, looks, pickles
from headwater.modelfiles.work import Examination

NAME: Final = "pickle"


STORAGE: Final = re.compile(r"(?:^|[/!])data/\d+$")
"""Names that torch gives to the numbers of its tensors."""

_FIRST: Final = frozenset(b"\x80(0IJKMNPSTUVX)]}cilFGLB\x8a\x8b\x8c\x8d\x8e\x88\x89\x8f\x95\x96\x97C")
"""Opcodes that a pickle can begin with."""


def matches(head: bytes, blob: Blob, path: str) -> bool:
    return head[:1] != b"" and head[0] in _FIRST and looks(blob, strict=STORAGE.search(path) is not None)


def examine(blob: Blob, work: Examination) -> None:
    pickles(blob, work, _loader(work.path))


def _loader(path: str) -> str:
    """Who loads it, for the words of a message: the name tells what the bytes cannot."""
    if path.endswith((".joblib", ".jl")):
        return "Loading it with joblib"
    if ("!" in path and path.endswith((".pkl", "/pickle"))) or path.endswith((".pt", ".pth", ".ckpt", ".bin")):
        return "Loading it with torch.load(weights_only=False)"
    return LOADER
