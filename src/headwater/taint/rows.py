"""Rows: objects of classes that stand for tables. What is put into a column is what any object of the class holds that is read back.

API models say which classes those are (types whose names end in ``Row``), which calls make queries for their rows (``rows-of``), give rows
(``row-of``) and write columns by name (``writes-rows-of``). A column is a slot (``headwater.taint.slots``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headwater.index.entities import Cls, Inst
from headwater.index.symbols import instance_refs
from headwater.taint import slots
from headwater.taint.slots import BETWEEN
from headwater.taint.value import BOTTOM, Value, join_all

if TYPE_CHECKING:
    from headwater.apis.schema import Api
    from headwater.taint.arguments import Args, Arguments
    from headwater.taint.frame import Frame

COLUMN = "column"
_ROWS = "$rows"
"""The field of a query that holds what its rows are."""


def column(cls: Cls, name: str) -> str:
    """The slot of a column; nothing where the class declares none of that name."""
    for one in cls.mro:
        if name in one.ir.fields and not name.startswith("__"):
            return f"{COLUMN}{BETWEEN}{one.module.name}{BETWEEN}{one.name}.{name}"
    return ""


def stored(frame: Frame, value: Value, name: str, data: Value) -> None:
    """A field of an object is set: of a row it is the column, for all who read it."""
    for ref in value.refs:
        if type(ref) is Inst and frame.solver.is_row(frame.fn, ref.cls):
            slot = column(ref.cls, name)
            if slot:
                slots.keep(frame, slot, data)


def read(frame: Frame, cls: Cls, value: Value, name: str) -> Value:
    """What the column of a row holds that somebody has made."""
    slot = column(cls, name)
    if not slot or any((alloc, name) in frame.cells for alloc in value.allocs if alloc.root is None):
        return BOTTOM
    frame.solver.want_column(cls, name)
    return slots.recall(frame, slot)


def queried(frame: Arguments, entry: Api, made: Value, args: Args) -> Value:
    """What a call has to do with rows."""
    if entry.writes_rows_of:
        rows = _rows(frame, frame._argument(entry.writes_rows_of, args))
        given = dict(args.kw)
        for value in args.positional[:1]:
            for alloc in value.allocs:
                if alloc.kind == "dict":
                    given.update({str(key): frame.cells.get((alloc, key), BOTTOM) for key in alloc.keys})
        for name, data in given.items():
            stored(frame, rows, name, data)
    if entry.rows_of:
        rows = _rows(frame, frame._argument(entry.rows_of, args))
        if rows.refs:
            query = frame.alloc((frame.at.start, frame.at.end, "rows"), "instance")
            frame.put(query, _ROWS, rows)
            frame.put(query, "*", rows)
            made = made.with_(allocs=(query,))
    if entry.row_of:
        rows = _rows(frame, frame._argument(entry.row_of, args))
        if rows.refs:
            made = made.with_(refs=rows.refs)
    return made


def manager(frame: Frame, cls: Cls, made: Value) -> Value:
    """What an attribute of a table's class gives that a library has made (``Message.objects``): queries for its rows begin there."""
    query = frame.alloc(("rows", cls.id), "instance")
    if not query.keys:
        found = Value(refs=instance_refs(cls))
        frame.put(query, _ROWS, found)
        frame.put(query, "*", found)
    return made.with_(allocs=(query,))


def _rows(frame: Frame, value: Value | None) -> Value:
    """The rows of a class, or of a query."""
    if value is None:
        return BOTTOM
    found: list[Any] = [
        ref for cls in value.refs if isinstance(cls, Cls) and frame.solver.is_row(frame.fn, cls) for ref in instance_refs(cls)
    ]
    held = join_all(frame.cells.get((alloc, _ROWS), BOTTOM) for alloc in value.allocs)
    return Value(refs=tuple(dict.fromkeys((*found, *held.refs))))
