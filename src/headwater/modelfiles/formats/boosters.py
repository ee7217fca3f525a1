"""Trees: XGBoost (UBJSON and its old binary form), LightGBM as text, CatBoost (cbm): numbers and names; nothing of them is run."""

from __future__ import annotations

import re
from typing import Final

from headwater.modelfiles import payload, texts
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.work import Examination

NAME: Final = "xgboost"
_UBJ: Final = re.compile(rb"\{[iUIlL].{1,8}?(?:learner|version|Model|Config)", re.DOTALL)
_LIGHT: Final = (b"tree\nversion=", b"tree\r\nversion=")
_SEEN: Final = 1 << 20


def matches(head: bytes, blob: Blob, path: str) -> bool:
    return bool(_kind(head))


def _kind(head: bytes) -> str:
    if head.startswith(b"CBM1"):
        return "catboost"
    if head.startswith(_LIGHT):
        return "lightgbm"
    if head.startswith((b"binf", b"bs64\t")) or _UBJ.match(head[:32]):
        return "xgboost"
    return ""


def examine(blob: Blob, work: Examination) -> None:
    head = blob.read(0, 4096)
    work.format = _kind(head)
    data = blob.read(0, _SEEN) + (blob.read(max(_SEEN, blob.size - _SEEN), _SEEN) if blob.size > _SEEN else b"")
    if work.format == "catboost" and int.from_bytes(head[4:8], "little") > blob.size:
        work.concern("truncated", "inconclusive", "The file ends before what its header announces.", at=4)
    if work.format == "lightgbm" and not texts.is_text(head):
        work.concern("broken", "inconclusive", "The text of the model has bytes that are no text.")
    code = payload.code_in(data.decode("latin-1"))
    if code:
        work.concern("code-in-data", "review", "There is code among the names and attributes of the model.", code)
