"""The raw arrays that joblib writes between the opcodes of a pickle: how long they are, by their dtype and shape."""

from __future__ import annotations

import re
from typing import Final

from headwater.modelfiles.pickles.values import Global, Items, Made, Value, arguments

WRAPPERS: Final = frozenset({"joblib.numpy_pickle.NumpyArrayWrapper", "sklearn.externals.joblib.numpy_pickle.NumpyArrayWrapper"})

_CODE: Final = re.compile(r"[<>=|]?([?bBhHiIlLqQfdgFDGeO]|[biufcSVUOmMa]\d{0,9})(\[\w{1,4}\])?\Z")
_ONE: Final = {"?": 1, "b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "l": 8, "L": 8, "q": 8, "Q": 8, "f": 4, "d": 8, "g": 16} | {
    "F": 8, "D": 16, "G": 32, "e": 2
}  # fmt: skip
_NAMED: Final = {
    "bool": 1, "bool_": 1, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8, "uint64": 8,
    "float16": 2, "float32": 4, "float64": 8, "complex64": 8, "complex128": 16, "float": 8, "int": 8, "longdouble": 16,
}  # fmt: skip


def item(dtype: Value, depth: int = 0) -> int | None:
    """The bytes of one item; 0 where items are Python objects, which are pickled instead; None where it is not known."""
    if isinstance(dtype, Global):
        return _NAMED.get(dtype.name) if dtype.module in ("numpy", "builtins") else None
    values = arguments(dtype.args) if isinstance(dtype, Made) else (dtype,)
    if not values or depth > 16:
        return None
    if isinstance(values[0], Global | Made):
        return item(values[0], depth + 1)
    if not isinstance(values[0], str) or (match := _CODE.match(values[0])) is None:
        return _NAMED.get(values[0]) if isinstance(values[0], str) else None
    code, count = match[1][0], match[1][1:]
    if code == "O":
        return 0
    if isinstance(dtype, Made) and dtype.state is not None and (held := _objects(dtype.state, depth)) is not False:
        return 0 if held else None
    if code in "SUV" and isinstance(dtype, Made) and (told := _length(dtype.state)) is not None:
        return told
    if not count:
        return 8 if code in "mM" else _ONE.get(code)
    return int(count) * (4 if code == "U" else 1)


def _objects(state: Value, depth: int) -> bool | None:
    """Whether the fields of a dtype hold Python objects; None where that is not known."""
    values = arguments(state)
    if values is None or len(values) < 5:
        return None
    for part in (values[2], values[4]):  # the base of a sub-array; the fields by name
        if part is None:
            continue
        if isinstance(part, tuple) and part:
            parts: list[Value] = [part[0]]
        elif isinstance(part, Items) and part.kind == "dict" and not part.more:
            parts = [field[0] if isinstance(field, tuple) and field else None for field in part.items[1::2]]
        else:
            return None
        for one in parts:
            size = item(one, depth + 1)
            if size is None:
                return None
            if size == 0:
                return True
    return False


def _length(state: Value) -> int | None:
    """The length that a state gives to text and raw items, whatever the name of the dtype says."""
    values = arguments(state)
    told = values[5] if values is not None and len(values) > 5 else None
    return told if isinstance(told, int) and told > 0 else None


def wrapped(state: Value) -> tuple[int, bool] | None:
    """Of the state of joblib's wrapper: the bytes of its array (-1: a pickle follows instead) and whether padding stands before them."""
    if not isinstance(state, Items) or state.kind != "dict" or state.more:
        return None
    shape = arguments(state.get("shape"))
    size = item(state.get("dtype"))
    if shape is None or size is None:
        return None
    if size == 0:
        return -1, False
    for one in shape:
        if not isinstance(one, int) or one < 0 or size > 1 << 62:
            return None
        size *= one
    return size, state.get("numpy_array_alignment_bytes") is not None
