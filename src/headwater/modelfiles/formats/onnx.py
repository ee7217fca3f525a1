"""ONNX: where the weights are said to lie, and operators that need code from outside of the runtime."""

from __future__ import annotations

from typing import Final

from headwater.modelfiles import names, payload
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.wire import Field, Message, SpentError, WireError, shape
from headwater.modelfiles.work import Examination

NAME: Final = "onnx"
_MODEL: Final = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
_USUAL: Final = frozenset({"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview", "ai.onnx.preview.training"})
_USUAL_BEGINNINGS: Final = ("com.microsoft", "com.ms.", "org.pytorch.", "pkg.onnxscript", "pkg.torch", "pkg.onnxruntime", "ai.onnx.preview")
_PYTHON: Final = frozenset({"PyOp", "PyCustomOp", "PythonOp", "PythonOpGrad", "PyFunc", "ExternalCustomOp"})
_GRAPH_FIELDS: Final = {1: 2, 2: 2, 5: 2, 10: 2, 11: 2, 12: 2, 13: 2, 14: 2, 15: 2, 16: 2}
_DEEP: Final = 40


def matches(head: bytes, blob: Blob, path: str) -> bool:
    if not head or head[0] not in (0x08, 0x3A, 0x12, 0x42):
        return False
    fields = shape(blob)
    if not fields or any(_MODEL.get(field.number) != field.kind for field in fields):
        return False
    graphs = [field for field in fields if field.number == 7]
    if not graphs:
        return False
    inside = shape(blob, 64, graphs[0].start, graphs[0].end)
    # Graphs of tensors alone, as the weights of training, have a name; all others have nodes and outputs.
    return bool(inside) and all(_GRAPH_FIELDS.get(field.number) == field.kind for field in inside or ())


def examine(blob: Blob, work: Examination) -> None:
    try:
        _Model(blob, work).read()
    except WireError:
        work.concern("broken", "inconclusive", "The file is no whole ONNX model: it is cut or damaged.")
    except SpentError:
        work.concern("size", "inconclusive", "It has more nodes and tensors than are read.")


class _Model:
    def __init__(self, blob: Blob, work: Examination) -> None:
        self.work = work
        self.model = Message(blob)
        self.own: set[str] = set()

    def read(self) -> None:
        functions = list(self.model.all(25))
        self.own = {function.first(10) for function in functions}  # domains whose operators the file itself defines
        for field in self.model:
            if field.number == 7:
                self.graph(self.model.inside(field), 0)
            elif field.number == 20:
                for graph in [*self.model.inside(field).all(1), *self.model.inside(field).all(2)]:
                    self.graph(graph, 0)
            elif field.number == 14:
                entry = self.model.inside(field)
                payload.look(self.work, entry.first(2), f"the metadata '{entry.first(1)[:120]}'", field.start)
            elif field.number == 6:
                payload.look(self.work, self.model.text(field), "the description", field.start)
        for function in functions:
            for node in function.all(7):
                self.node(node, 0)

    def graph(self, graph: Message, depth: int) -> None:
        if depth > _DEEP:
            self.work.concern("nesting", "inconclusive", "Its graphs are nested too deep to be read.")
            return
        for field in graph:
            if field.number == 1:
                self.node(graph.inside(field), depth)
            elif field.number == 5:
                self.tensor(graph.inside(field))
            elif field.number == 15:
                self.sparse(graph.inside(field))

    def sparse(self, tensor: Message) -> None:
        for number in (1, 2):
            for one in tensor.all(number):
                self.tensor(one)

    def node(self, node: Message, depth: int) -> None:
        kind = domain = ""
        attributes: list[Field] = []
        for field in node:
            if field.number == 4:
                kind = node.text(field)
            elif field.number == 7:
                domain = node.text(field)
            elif field.number == 5:
                attributes.append(field)
        if kind in _PYTHON:
            message = f"The operator '{kind}' calls a Python function by its name when the model runs."
            self.work.concern("python-operator", "malicious", message, f"{domain}.{kind}", node.start)
        elif domain not in _USUAL and not domain.startswith(_USUAL_BEGINNINGS) and domain not in self.own:
            message = f"The operator '{domain}.{kind}' is none of the runtime: the model runs only with a library of native code for it."
            self.work.concern("custom-operator", "review", message, f"{domain}.{kind}", node.start)
        for field in attributes:
            self.attribute(node.inside(field), depth)

    def attribute(self, attribute: Message, depth: int) -> None:
        for field in attribute:
            if field.number in (5, 10) and field.kind == 2:
                self.tensor(attribute.inside(field))
            elif field.number in (6, 11) and field.kind == 2:
                self.graph(attribute.inside(field), depth + 1)
            elif field.number in (22, 23) and field.kind == 2:
                self.sparse(attribute.inside(field))
            elif field.number in (4, 9) and field.kind == 2 and field.end - field.start > 7:
                payload.look(self.work, attribute.text(field), f"the attribute '{attribute.first(1)[:120]}'", field.start)

    def tensor(self, tensor: Message) -> None:
        external: dict[str, str] = {}
        name = ""
        for field in tensor:
            if field.number == 13:
                entry = tensor.inside(field)
                external[entry.first(1)] = entry.first(2)
            elif field.number == 8:
                name = tensor.text(field)
        location = external.get("location", "")
        if location and names.leads_out(location):
            message = f"The weights of '{name[:120]}' are said to lie outside of the folder of the model: loading it reads that file."
            self.work.concern("external-data", "malicious", message, location, tensor.start)
        for key in ("offset", "length"):
            value = external.get(key, "0").strip()
            if value.startswith("-") or not value.isdigit() or int(value[:30] or "0") >= 1 << 62:
                message = f"The {key} of the weights of '{name[:120]}' in their file is no possible place: loaders that add it run over."
                self.work.concern("external-data", "malicious", message, value, tensor.start)
