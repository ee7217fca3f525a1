"""Functions that a function of the project was handed and gives to a framework itself: ``tool(name, callback)`` around ``registerTool``.

The framework calls them with data of its own, but which they are only the caller knows, who reads it in the summary. The same holds where
what the framework calls is a local function, which calls what the one around it was handed with what the framework gave it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from headwater import limits
from headwater.apis.paths import CALL
from headwater.apis.schema import Api, is_object
from headwater.index.entities import EXTERNAL, Fn
from headwater.taint import schemas
from headwater.taint.arguments import Args
from headwater.taint.described import ANY, Schema
from headwater.taint.labels import ordered
from headwater.taint.summary import Path, Summary, ToEntry

if TYPE_CHECKING:
    from headwater.apis.schema import Callback
    from headwater.taint.calls import Calls
    from headwater.taint.labels import Label
    from headwater.taint.shapes import Actuals
    from headwater.taint.value import Shape, Value

Place = tuple[int, Path] | None
"""A parameter, with an access path."""


def note(frame: Calls, function: Value, callback: Callback, schema: Schema, asked: Place) -> None:
    """A function is given to a framework; where the caller has handed it over, the caller is told."""
    if not (callback.parameters or callback.by_name or callback.given):
        return
    for label in ordered(function.labels):
        if not _is_handed(label):
            continue
        made = ToEntry(label.param, label.path, frame.at.start, callback, schema, asked)
        if made.key not in frame.entered and len(frame.entered) >= limits.CALLBACKS:
            frame.solver.count("callbacks-cut")
            return
        frame.entered[made.key] = made
    for ref in function.refs:
        if isinstance(ref, Fn) and ref.ir.captured:
            _inside(frame, ref, function, callback, schema, asked)


def _inside(frame: Calls, fn: Fn, function: Value, callback: Callback, schema: Schema, asked: Place) -> None:
    """What a framework calls may itself call what the function at hand was handed."""
    summary = frame.solver.summary(frame.fn, fn)
    first = len(fn.ir.params)
    if summary is None or not any(one.param >= first for one in summary.callbacks):
        return
    actuals = frame.bind(fn, None, Args([]), function)
    for one in summary.callbacks:
        called = frame.project(actuals, one.param, one.path) if one.param >= first else None
        if called is None or not any(map(_is_handed, called.labels)):
            continue
        kinds = [_kind(frame, shape, fn, callback) for shape in one.args]
        if any(kinds):
            whole = bool(one.args) and _is_first(one.args[0], fn)
            inner = msgspec.structs.replace(callback, given=kinds, by_name={}, parameters="")
            note(frame, called, inner, schema if whole else ANY, asked if whole else None)


def told(frame: Calls, summary: Summary, actuals: Actuals) -> None:
    """Functions that this caller hands over are given to a framework by the function that is called."""
    for one in summary.entries:
        function = frame.project(actuals, one.param, one.path)
        if function is None or (all(ref is EXTERNAL for ref in function.refs) and not function.labels):
            continue
        schema, asked = one.schema, None
        if one.asked is not None:
            described = frame.project(actuals, *one.asked)
            schema, asked = _described(frame, one.callback, described), place(described)
        frame.register(function, one.callback, "", schema)
        note(frame, function, one.callback, schema, asked)


def _described(frame: Calls, callback: Callback, value: Value | None) -> Schema:
    """What a framework has checked, which this value of the caller's says."""
    return schemas.of_callback(frame, callback, lambda _: value)


def place(value: Value | None) -> Place:
    """Where the caller has put something, if it is one thing that the caller has handed over."""
    found = [label for label in value.labels if _is_handed(label)] if value is not None else []
    return (found[0].param, found[0].path) if len(found) == 1 else None


def _is_handed(label: Label) -> bool:
    return label.source is None and label.exact and len(label.path) <= limits.ACCESS_PATH and CALL not in label.path


def _is_first(shape: Shape, fn: Fn) -> bool:
    return any(label.source is None and label.param == int(fn.bound) and not label.path and label.exact for label in shape.labels)


def _kind(frame: Calls, shape: Shape, fn: Fn, callback: Callback) -> str:
    """What a function is given that gets this, in the terms of what gave it to the one that calls it."""
    for label in ordered(shape.labels):
        number = label.param - int(fn.bound)
        if label.source is not None or not 0 <= number < len(fn.ir.params) - int(fn.bound):
            continue
        kind = callback.given[number] if number < len(callback.given) else ""
        kind = kind or callback.by_name.get(fn.ir.params[label.param].name, callback.parameters)
        if kind and is_object(kind) and label.path:
            kind = _part(frame, kind, label.path)
        if kind and (not is_object(kind) or label.exact):
            return kind
    return ""


def _part(frame: Calls, kind: str, path: Path) -> str:
    """The source kind of a part of an object that a framework hands over."""
    node = frame.solver.catalogue.paths.find(kind)
    for key in path:
        node = node.child(str(key)) if node is not None else None
        for entry in node.entries if node is not None else ():
            if isinstance(entry, Api) and entry.yields:
                return entry.yields
    return ""
