"""Schemas as values: what makes them (zod, valibot, TypeBox, JSON Schema), and what is left of data that one has checked.

What a schema says is the constant of its value, so that it goes through variables, imports and functions as any value does. Where
nothing is known of a schema, it lets everything pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from headwater import limits
from headwater.apis import conditions, patterns
from headwater.apis.paths import ApiPath
from headwater.apis.schema import Callback, Checks, Describes
from headwater.index.entities import Fn
from headwater.taint.described import ANY, FIXED, Schema, both, either, of_elements, of_fields
from headwater.taint.labels import ALL, BIT, bits
from headwater.taint.state import cleared
from headwater.taint.value import BOTTOM, KEYS, STATE, Alloc, Value

if TYPE_CHECKING:
    from headwater.taint.arguments import Args
    from headwater.taint.frame import Frame
    from headwater.taint.handing import Handing
    from headwater.taint.learned import Learned

OPEN: Final = "$open"
"""The field of an object display into which something was spread of which nothing is known."""
_PLAIN_TYPES: Final = frozenset({"integer", "number", "boolean", "null"})
_PLAIN_FORMATS: Final = frozenset({"uuid", "date", "date-time", "time", "duration"})
_ADDRESSES: Final = frozenset({"ipv4", "ipv6"})
_STRUCTURE: Final = ("properties", "items", "anyOf", "oneOf", "allOf", "enum")
NO_ADDRESS: Final = ALL & ~(BIT["url"] | BIT["redirect"] | BIT["egress"])
"""What an address of a machine is safe for."""
_HOST: Final = re.compile(r"[a-z]+://[^/@\\?#]+/")
_ADDRESS: Final = BIT["url"] | BIT["redirect"]


class Conforms(NamedTuple):
    """In a fact: what a cell holds is as a schema says."""

    cell: Any
    schema: Schema


def read(frame: Handing, value: Value | None, documents: bool = False, depth: int = 0) -> Schema:
    """What a value says as a schema: one that a library has made, a table of them by name, with ``documents`` a JSON Schema."""
    if value is None:
        return ANY
    if type(value.const) is Schema:
        return value.const
    if len(value.allocs) != 1 or value.labels or depth > limits.SCHEMA_DEPTH:
        return ANY
    alloc = value.allocs[0]
    if alloc.kind != "dict" or not alloc.closed or alloc.mixed or OPEN in alloc.keys:
        return ANY
    held = {key: frame.cells.get((alloc, key), BOTTOM) for key in alloc.keys}
    if _is_document(held):
        return _document(frame, held, depth) if documents else ANY
    if any(not isinstance(key, str) or key[:1] in "*$" for key in held):
        return ANY
    return of_fields({str(key): read(frame, part, documents, depth + 1) for key, part in held.items()})


def of_callback(frame: Handing, callback: Callback, ask: Callable[[str], Value | None]) -> Schema:
    """What a library has checked of the first argument that it gives; ``ask`` tells the value of an argument path."""
    if not callback.schema:
        return of_parts(frame, callback, ask) if callback.parts else ANY
    named = [callback.schema] if isinstance(callback.schema, str) else callback.schema
    schema = read(frame, next((found for one in named if one and (found := ask(one)) is not None), None), callback.documents)
    return of_fields({**(schema.fields or {}), callback.within: schema}) if callback.within and schema != ANY else schema


def of_parts(frame: Handing, callback: Callback, ask: Callable[[str], Value | None]) -> Schema:
    """What a library has checked of the parts of an object that it gives."""
    made: dict[str, Schema] = {}
    for place, one in callback.parts.items():
        schema = read(frame, ask(one), callback.documents)
        first, _, rest = place.partition(".")
        if schema != ANY:
            made[first] = Schema(fields={rest: schema}, keyed=True) if rest else schema
    return Schema(fields=made, keyed=True) if made else ANY


def part_of(frame: Any, schema: Schema, name: str, found: Value) -> Value:
    """A part of an object of which a schema speaks: its data as it was checked, or else the part with what is said of it."""
    said = schema.fields.get(name) if schema.keyed and schema.fields is not None else None
    if said is None:
        return found
    return applied(frame, said, found, ("part", name)) if found.labels else found.with_(const=said)


def of_field(frame: Handing, callback: Callback, receiver: Value) -> Schema:
    """The same of a method that a library calls, where a field of the object says it."""
    if not isinstance(callback.schema, str) or not callback.schema.startswith("self."):
        return ANY
    return of_callback(frame, callback, lambda one: frame._inside(receiver, conditions.argument(one).steps))


def _is_document(held: dict[str | int, Value]) -> bool:
    """Whether an object is a JSON Schema, and no table of schemas by name."""
    if any(isinstance(held.get(key, BOTTOM).const, str) for key in ("type", "$ref", "$schema", "description")):
        return True
    return any(key in held and held[key].allocs and not held[key].refs for key in (*_STRUCTURE, "type")) or "const" in held


def _document(frame: Handing, held: dict[str | int, Value], depth: int) -> Schema:
    """What a JSON Schema says."""
    if "enum" in held or "const" in held:
        return FIXED
    made = ANY
    types = _words(frame, held.get("type", BOTTOM))
    if types and types <= _PLAIN_TYPES:
        return FIXED
    for key, join_ in (("anyOf", either), ("oneOf", either), ("allOf", both)):
        parts = [read(frame, part, True, depth + 1) for part in _parts(frame, held.get(key, BOTTOM))]
        for number, part in enumerate(parts):
            made = part if not number else join_(made, part)
        if parts:
            return made
    if "object" in types and "properties" in held:
        rest = held.get("additionalProperties", BOTTOM)
        return read_fields(frame, held["properties"], depth, rest.const is not False or "patternProperties" in held)
    if "array" in types and "items" in held:
        return of_elements(read(frame, held["items"], True, depth + 1))
    if types <= {"string"} | _PLAIN_TYPES and types:
        return Schema(_matching(held.get("pattern")) | _formed(held.get("format")))
    return ANY


def _matching(pattern: Value | None) -> int:
    """Sink classes for which a text is safe that matches a regular expression."""
    return bits(list(patterns.read(pattern.const).proves("search"))) if pattern is not None and isinstance(pattern.const, str) else 0


def _begun(first: Value | None) -> int:
    """Sink classes for which a text is safe that begins with this one: behind a host that ends there nobody chooses another."""
    return _ADDRESS if first is not None and isinstance(first.const, str) and _HOST.match(first.const) else 0


def _formed(form: Value | None) -> int:
    """Sink classes for which a text of a form is safe."""
    return 0 if form is None else ALL if form.const in _PLAIN_FORMATS else NO_ADDRESS if form.const in _ADDRESSES else 0


def read_fields(frame: Handing, value: Value, depth: int, open_: bool) -> Schema:
    """The properties of a JSON Schema."""
    if len(value.allocs) != 1 or value.labels or depth > limits.SCHEMA_DEPTH:
        return ANY
    alloc = value.allocs[0]
    if not alloc.closed or alloc.mixed or any(not isinstance(key, str) or key[:1] in "*$" for key in alloc.keys):
        return ANY
    return of_fields({str(key): read(frame, frame.cells.get((alloc, key), BOTTOM), True, depth + 1) for key in alloc.keys}, open_)


def _words(frame: Handing, value: Value) -> set[str]:
    """A text, or the texts of a list; none where one is not known."""
    if isinstance(value.const, str):
        return {value.const}
    found = [part.const for part in _parts(frame, value)]
    return {one for one in found if isinstance(one, str)} if all(isinstance(one, str) for one in found) else set()


def _parts(frame: Handing, value: Value) -> list[Value]:
    """The elements of a list display, or of an object display; none where they are not known."""
    if len(value.allocs) != 1 or value.labels or not value.allocs[0].closed or value.allocs[0].mixed or "*" in value.allocs[0].keys:
        return []
    alloc = value.allocs[0]
    return [frame.cells.get((alloc, key), BOTTOM) for key in alloc.keys]


# ------------------------------------------------------------------------------------------------ making schemas


def made(frame: Handing, model: Describes, args: Args) -> Value:
    """The schema that a call makes."""
    if model.when and frame.holds(model.when, args, []) is not True:
        return BOTTOM
    schema = read(frame, frame._argument(model.like, args), model.documents) if model.like else ANY
    if model.safe:
        schema = both(schema, Schema(bits(model.safe)))
    if model.fields:
        schema = both(schema, read(frame, frame._argument(model.fields, args)))
    for one in model.elements, model.values:
        if one:
            schema = of_elements(read(frame, frame._argument(one, args)), keyed=one == model.values)
    if model.any_of:
        schema = _joined(frame, model.any_of, args, either)
    if model.all_of:
        schema = _joined(frame, model.all_of, args, both)
    if model.pattern:
        schema = both(schema, Schema(_matching(frame._argument(model.pattern, args))))
    if model.begins:
        schema = both(schema, Schema(_begun(frame._argument(model.begins, args))))
    if model.form:
        schema = both(schema, Schema(_formed(frame._argument(model.form, args))))
    if model.shown_by:
        schema = both(schema, _shown(frame, frame._argument(model.shown_by, args)))
    if model.through and not schema.fixed:
        schema = _made_of(frame, frame._argument(model.through, args))
    if model.open and schema.fields is not None:
        schema = of_fields(schema.fields, True)
    return Value(const=schema) if schema != ANY else BOTTOM


def _joined(frame: Handing, places: list[str], args: Args, how: Any) -> Schema:
    parts: list[Schema] = []
    for place in places:
        value = frame._argument(place, args)
        if value is None:
            continue
        inside = _parts(frame, value) if type(value.const) is not Schema and any(one.kind == "list" for one in value.allocs) else []
        parts += [read(frame, one) for one in inside or [value]]
    if not parts:
        return ANY
    schema = parts[0]
    for one in parts[1:]:
        schema = one if how is both and one.remade and not schema.fixed else how(schema, one)
    return schema


def _shown(frame: Handing, function: Value | None) -> Schema:
    """What a function shows of the data for which it is true."""
    safe, weak, but = 0, 0, ""
    for number, ref in enumerate(function.refs if function is not None else ()):
        summary = frame.solver.tested(frame.fn, ref) if isinstance(ref, Fn) and not ref.bound else None
        proven = hindered = 0
        for index, shown, doubted, text in summary.when_true if summary is not None else ():
            if index == 0:
                proven, hindered, but = proven | shown & ALL, hindered | doubted & ALL, but or text
        safe, weak = (safe & proven, weak & (proven | hindered)) if number else (proven, hindered)
    return Schema(safe, weak=weak, but=but)


def _made_of(frame: Handing, function: Value | None) -> Schema:
    """What a function makes of data of any kind."""
    safe = ALL
    refs = function.refs if function is not None else ()
    for ref in refs:
        if isinstance(ref, ApiPath):
            if not any("all" in getattr(entry, "clears", ()) for entry in ref.entries):
                return Schema(remade=True)
            continue
        summary = frame.solver.summary(frame.fn, ref) if isinstance(ref, Fn) and not ref.bound else None
        if summary is None or summary.returns.fields is not None:
            return Schema(remade=True)
        for label in summary.returns.labels:
            safe &= label.cleared
    return Schema(safe, remade=safe != ALL) if refs else Schema(remade=True)


# ---------------------------------------------------------------------------------------------------- checking


def checked(frame: Handing, model: Checks, args: Args) -> Value:
    """The result of a call that compares data with a schema."""
    by = args.callee if model.by == "callee" else frame._argument(model.by, args)
    data = frame._argument(model.data, args)
    if data is None:
        return BOTTOM
    schema = read(frame, by, model.documents)
    position = int(model.data[1:]) if model.data[1:].isdecimal() else -1
    cells = args.cells[position] if 0 <= position < len(args.cells) else ()
    fact = (tuple(Conforms(cell, schema) for cell in cells), 0, 0, (), "")
    true = ((fact,), ()) if cells and schema != ANY else None
    result = applied(frame, schema, data, ("checked", args.name))
    if model.raises and true is not None:
        frame.refused = True
        frame.learn(fact)
    if model.gives == ".":
        return result
    if not model.gives:
        return Value(pred=true)
    alloc = frame.alloc((frame.at.start, frame.at.end, "outcome"), "dict", closed=True)
    frame.put(alloc, model.gives, result)
    frame.put(alloc, model.told, Value(pred=true))
    frame.put(alloc, model.refused, frame.derived([data], "in what the schema says is wrong"))
    return Value(allocs=(alloc,))


def applied(frame: Learned, schema: Schema, value: Value, site: Any) -> Value:
    """The data of a value that is as the schema says."""
    if schema == ANY or not frame.holds_something(value):
        return value
    if schema.fixed:
        return Value()
    if schema.remade:
        value = frame.derived([value], "made by the schema")
    if schema.fields is not None:
        alloc = frame.alloc((frame.at.start, "fields", site), STATE if schema.open else "dict", closed=not schema.open)
        for name, part in schema.fields.items():
            frame.put(alloc, name, applied(frame, part, frame._get(value, name), (site, name)))
        if schema.open:
            frame.put(alloc, "*", frame.elements_or_whole(value))
        return Value(allocs=(alloc,))
    if schema.elements is not None:
        alloc = frame.alloc((frame.at.start, "elements", site), "dict" if schema.keyed else "list", closed=True)
        if schema.keyed:
            frame.put(alloc, KEYS, frame.derived([value]))
        frame.put(alloc, "*", applied(frame, schema.elements, frame.elements_or_whole(value), (site, "*")))
        return Value(allocs=(alloc,))
    if schema.safe:
        value = cleared(value, schema.safe)
    return frame.hindered(value, schema.weak, schema.but) if schema.weak else value


def conforming(frame: Learned, fact: Conforms) -> None:
    """A check has passed: the data of the cell is as the schema says; of names of which it says nothing it may have any."""
    value, schema = frame.cells.get(fact.cell), fact.schema
    if value is None or not (value.labels or value.allocs):
        return
    site = ("conforms", fact.cell if type(fact.cell) is int else str(fact.cell))
    if schema.fields is None:
        frame.write(fact.cell, applied(frame, schema, value, site))
    elif value.allocs and all(alloc.root is not None for alloc in value.allocs):  # of the caller: it stays the same object
        for name, part in schema.fields.items():
            held = applied(frame, part, frame._get(value, name), (site, name))
            for alloc in value.allocs:
                alloc.keys[name] = None
                frame.write((alloc, name), held)
    else:
        frame.write(fact.cell, applied(frame, of_fields(schema.fields, True), value, site))


def put_fields(frame: Frame, alloc: Alloc, value: Value) -> bool:
    """Puts the fields that a schema names into an object, each as a schema; whether there are some."""
    if type(value.const) is not Schema or value.const.fields is None:
        return False
    for name, part in value.const.fields.items():
        frame.put(alloc, name, Value(const=part))
    return True
