"""Core ML: models that are made by a class of the application, and layers of custom code."""

from __future__ import annotations

from typing import Final

from headwater.modelfiles import names, payload
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.wire import Message, SpentError, WireError, shape
from headwater.modelfiles.work import Examination

NAME: Final = "coreml"
_NETWORKS: Final = frozenset({303, 403, 500})
_PIPELINES: Final = frozenset({200, 201, 202})
_CUSTOM: Final = 555
_LINKED: Final = 556
_DEEP: Final = 10


def matches(head: bytes, blob: Blob, path: str) -> bool:
    if not head or head[0] != 0x08:
        return False
    fields = shape(blob, 8)
    if not fields or fields[0].number != 1 or fields[0].kind != 0 or not 0 < fields[0].value < 64:
        return False
    rest = fields[1:]
    return (
        any(field.number >= 200 and field.kind == 2 for field in rest)
        and any(field.number == 2 and field.kind == 2 for field in rest)
        and all(field.number in (2, 10) or 200 <= field.number <= 3000 for field in rest)
    )


def examine(blob: Blob, work: Examination) -> None:
    try:
        _model(Message(blob), work, 0)
    except WireError:
        work.concern("broken", "inconclusive", "The file is no whole Core ML model: it is cut or damaged.")
    except SpentError:
        work.concern("size", "inconclusive", "It has more layers than are read.")


def _model(model: Message, work: Examination, depth: int) -> None:
    if depth > _DEEP:
        work.concern("nesting", "inconclusive", "Its pipelines are nested too deep to be read.")
        return
    for field in model:
        if field.kind != 2:
            continue
        inside = model.inside(field)
        if field.number == 2:
            for metadata in inside.all(100):
                for key, text in metadata.pairs(100):
                    payload.look(work, text, f"the metadata '{key[:80]}'", field.start)
        elif field.number in _PIPELINES:
            for part in inside.all(1) if field.number == 202 else (deep for one in inside.all(1) for deep in one.all(1)):
                _model(part, work, depth + 1)
        elif field.number == _CUSTOM:
            name = inside.first(10)
            work.concern("custom-class", "review", "The model is made by a class of the application that loads it.", name, field.start)
        elif field.number == _LINKED:
            for linked in inside.all(1):
                for location in linked.all(1):
                    path = location.first(1) or location.first(2)
                    if names.leads_out(path):
                        work.concern("linked-model", "review", "Loading the model loads another one from outside.", path, field.start)
        elif field.number in _NETWORKS:
            for layer in inside.all(1):
                for entry in layer:
                    if entry.number == 500 and entry.kind == 2:  # CustomLayerParams
                        name = layer.inside(entry).first(10)
                        message = f"The layer '{layer.first(1)[:80]}' is made by a class of the application that loads the model."
                        work.concern("custom-class", "review", message, name, entry.start)
