"""Torch7 (``.t7``, ``.th``): objects of Lua, among them functions, which loading makes from byte code."""

from __future__ import annotations

import re
from typing import Final

from headwater.modelfiles import payload
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.work import Examination

NAME: Final = "torch7"
_CLASS: Final = re.compile(rb"(?:nn|torch|cudnn|nngraph|cunn|inn|paths|tds)\.[A-Z]\w+")
_CODE: Final = re.compile(
    rb"os\.execute|io\.popen|io\.open|loadstring|dofile|package\.loadlib|ffi\.C|ffi\.load|debug\.getregistry|\x1bLJ|\x1bLua"
)
_SEEN: Final = 64 << 20
_VERSION: Final = re.compile(rb"V \d")


def matches(head: bytes, blob: Blob, path: str) -> bool:
    # Little endian: the kind of the object (4: of torch, 3: table, 8: function), its number, and of the first the length of "V 1".
    if head[:4] in (b"\4\0\0\0", b"\3\0\0\0") and head[4:8] == b"\1\0\0\0":
        if head[:1] == b"\4":
            return head[8:12] == b"\3\0\0\0" and bool(_VERSION.match(head[12:15]))
        return bool(_CLASS.search(head)) and b"V 1" in head
    if head[:4] in (b"\6\0\0\0", b"\7\0\0\0", b"\x08\0\0\0") and head[4:8] == b"\1\0\0\0":
        return b"\x1bLJ" in head[:64] or b"\x1bLua" in head[:64]
    return bool(re.match(rb"[34]\n1\n3\nV 1\n", head))


def examine(blob: Blob, work: Examination) -> None:
    data = blob.read(0, _SEEN)
    if blob.size > _SEEN:
        work.concern("size", "inconclusive", "It is too long to be read whole.", str(blob.size))
    for found in _CODE.finditer(data):
        what = found.group()
        if what.startswith(b"\x1bL"):
            message = "The file holds a function as byte code of Lua: torch.load makes it, and byte code can break out of Lua."
            work.concern("lua-code", "review", message, what.hex(), found.start())
        else:
            message = "The file holds code of Lua that runs programs or touches files."
            around = data[max(0, found.start() - 40) : found.end() + 120]
            work.concern("lua-code", "malicious", message, around.decode("latin-1"), found.start())
    code = payload.code_in(data.decode("latin-1"))
    if code:
        work.concern("lua-code", "malicious", "The file holds code that runs programs.", code)
