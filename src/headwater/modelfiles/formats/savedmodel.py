"""TensorFlow: SavedModel, frozen graphs and the metadata of Keras: operators that touch files or call Python, and layers with code."""

from __future__ import annotations

import json
from typing import Final

from headwater.modelfiles import keras_config, names
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.wire import Field, Message, SpentError, WireError, shape
from headwater.modelfiles.work import Examination

NAME: Final = "savedmodel"

_PYTHON: Final = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})
_WRITES: Final = {
    "WriteFile": "writes a file",
    "SaveDataset": "writes files",
    "SaveDatasetV2": "writes files",
    "DatasetToTFRecord": "writes a file",
    "ExperimentalDatasetToTFRecord": "writes a file",
    "DumpTensor": "writes a file",
    "CreateSummaryFileWriter": "writes files",
    "CreateSummaryDbWriter": "writes a database",
    "DeleteFile": "deletes a file",
    "RenameFile": "renames a file",
}
_READS: Final = {
    "ReadFile": "reads a file",
    "MatchingFiles": "lists files",
    "MatchingFilesDataset": "lists files",
    "WholeFileReader": "reads files",
    "WholeFileReaderV2": "reads files",
    "TextLineReader": "reads files",
    "TextLineReaderV2": "reads files",
    "TFRecordReader": "reads files",
    "TFRecordReaderV2": "reads files",
    "FixedLengthRecordReader": "reads files",
    "FixedLengthRecordReaderV2": "reads files",
    "LMDBReader": "reads files",
    "LMDBDataset": "reads files",
    "TextLineDataset": "reads files",
    "TextLineDatasetV2": "reads files",
    "TFRecordDataset": "reads files",
    "TFRecordDatasetV2": "reads files",
    "FixedLengthRecordDataset": "reads files",
    "FixedLengthRecordDatasetV2": "reads files",
    "CSVDataset": "reads files",
    "CSVDatasetV2": "reads files",
    "SqlDataset": "asks a database",
    "ExperimentalSqlDataset": "asks a database",
    "LoadDataset": "reads files",
    "RpcCall": "calls another machine",
    "TryRpc": "calls another machine",
    "Rpc": "calls another machine",
    "RegisterDataset": "hands data to another machine",
    "DebugIdentityV2": "writes what passes through",
}
_TABLES: Final = frozenset({"InitializeTableFromTextFile", "InitializeTableFromTextFileV2"})
_META_GRAPH: Final = frozenset(range(1, 8))


def matches(head: bytes, blob: Blob, path: str) -> bool:
    return bool(head) and head[0] in (0x08, 0x0A, 0x12) and bool(_kind(blob))


def _kind(blob: Blob) -> str:
    fields = shape(blob, 16)
    if not fields:
        return ""
    numbers = {(field.number, field.kind) for field in fields}
    if numbers <= {(1, 0), (2, 2)} and (2, 2) in numbers:
        meta = next(field for field in fields if field.number == 2)
        inside = shape(blob, 64, meta.start, meta.end)
        if inside and all(field.kind == 2 and field.number in _META_GRAPH for field in inside):
            graphs = [field for field in inside if field.number == 2]
            if graphs and all(_is_graph(blob, field) for field in graphs):
                return "saved"
        return ""
    first = fields[0]
    if first.number != 1 or first.kind != 2:
        return ""
    if numbers <= {(1, 2)} and _is_metadata(blob, first):
        return "metadata"
    if numbers <= {(1, 2), (2, 2), (3, 0), (4, 2), (5, 2)} and _is_node(blob, first):
        return "graph"
    return ""


def _is_graph(blob: Blob, field: Field) -> bool:
    inside = shape(blob, 16, field.start, field.end)
    return inside is not None and all((one.number, one.kind) in ((1, 2), (2, 2), (3, 0), (4, 2), (5, 2)) for one in inside)


def _is_node(blob: Blob, field: Field) -> bool:
    """A NodeDef has a name and an operator, and nothing but texts and attributes."""
    inside = shape(blob, 32, field.start, field.end)
    if not inside or any(one.kind != 2 or one.number > 8 for one in inside):
        return False
    texts = {one.number: blob.read(one.start, min(200, one.end - one.start)) for one in inside if one.number in (1, 2)}
    operator = texts.get(2, b"")
    return 1 in texts and operator[:1].isalpha() and operator.replace(b"_", b"").replace(b">", b"").isalnum() and inside[0].number == 1


def _is_metadata(blob: Blob, field: Field) -> bool:
    inside = shape(blob, 16, field.start, field.end)
    if not inside or not all((one.number, one.kind) in ((1, 2), (2, 0), (2, 2), (3, 2), (4, 2), (5, 2)) for one in inside):
        return False
    return any(one.number == 5 and blob.read(one.start, 1) in (b"{", b"") for one in inside) and any(
        one.number == 4 and blob.read(one.start, 4).startswith((b"_tf_", b"_gen", b"trai", b"Cust")) for one in inside
    )


def examine(blob: Blob, work: Examination) -> None:
    kind = _kind(blob)
    graph = _Graph(work)
    message = Message(blob)
    try:
        if kind == "metadata":
            for saved in message.all(1):
                graph.keras(saved.first(5), saved.start)
        elif kind == "graph":
            graph.read(message)
        else:
            for meta in message.all(2):
                graph.meta(meta)
    except WireError:
        work.concern("broken", "inconclusive", "The file is no whole graph of TensorFlow: it is cut or damaged.")
    except SpentError:
        work.concern("size", "inconclusive", "It has more operators than are read.")


class _Graph:
    def __init__(self, work: Examination) -> None:
        self.work = work

    def meta(self, meta: Message) -> None:
        for field in meta:
            if field.number == 2:
                self.read(meta.inside(field))
            elif field.number == 6:  # files that belong to the model
                name = meta.inside(field).first(2)
                if names.leads_out(name):
                    message = "A file that belongs to the model is said to lie outside of its folder: loading reads it from there."
                    self.work.concern("asset-path", "malicious", message, name, field.start)
            elif field.number == 7:  # the objects: Keras up to TensorFlow 2.4 keeps its layers here
                for node in meta.inside(field).all(1):
                    for user in node.all(4):
                        self.keras(user.first(3), user.start)

    def keras(self, text: str, at: int) -> None:
        if not text.startswith("{"):
            return
        try:
            tree = json.loads(text)
        except (ValueError, RecursionError):
            self.work.concern("keras-config", "inconclusive", "The description of a layer is no JSON.", text[:200], at)
            return
        keras_config.judge(self.work, tree, at)

    def read(self, graph: Message) -> None:
        constants: dict[str, str] = {}
        for field in graph:
            if field.number == 1:
                self.node(graph.inside(field), constants)
            elif field.number == 2:
                for function in graph.inside(field).all(1):
                    inner: dict[str, str] = {}
                    for node in function.all(3):
                        self.node(node, inner)

    def node(self, node: Message, constants: dict[str, str]) -> None:
        name = kind = ""
        inputs: list[str] = []
        attributes: list[Field] = []
        for field in node:
            if field.number == 1:
                name = node.text(field)
            elif field.number == 2:
                kind = node.text(field)
            elif field.number == 3:
                inputs.append(node.text(field).split(":")[0])
            elif field.number == 5:
                attributes.append(field)
        if kind == "Const":
            value = self.constant(node, attributes)
            if value:
                constants[name] = value
            return
        given = [constants[one] for one in inputs if one in constants]
        evidence = f"{kind}({', '.join(repr(one) for one in given)})" if given else f"{kind} '{name}'"
        if kind in _PYTHON:
            message = f"The operator '{kind}' calls a Python function of the process that loads the model."
            self.work.concern("python-operator", "malicious", message, evidence, node.start)
        elif kind in _WRITES:
            message = f"Running the model {_WRITES[kind]} (operator '{kind}')."
            self.work.concern("file-operator", "malicious", message, evidence, node.start)
        elif kind in _READS:
            outside = any(names.leads_out(one) for one in given)
            message = f"Running the model {_READS[kind]} (operator '{kind}')."
            self.work.concern("file-operator", "malicious" if outside else "review", message, evidence, node.start)
        elif kind in _TABLES:
            if any(names.leads_out(one) for one in given):
                message = "Loading the model reads a table from a file outside of its folder."
                self.work.concern("file-operator", "review", message, evidence, node.start)
        elif kind in ("PrintV2", "Print"):
            for key, text in self.strings(node, attributes):
                if key == "output_stream" and text.startswith("file:"):
                    message = "Running the model writes what passes through to a file (operator 'PrintV2')."
                    self.work.concern("file-operator", "malicious", message, text, node.start)
        elif kind.startswith("Debug"):
            for key, text in self.strings(node, attributes):
                if key == "debug_urls" and "://" in text:
                    message = f"Running the model sends what passes through to an address (operator '{kind}')."
                    self.work.concern("file-operator", "malicious", message, text, node.start)

    def strings(self, node: Message, attributes: list[Field]) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for field in attributes:
            entry = node.inside(field)
            key = entry.first(1)
            for value in entry.all(2):
                found += [(key, text) for text in value.texts(2)]
                for listed in value.all(1):
                    found += [(key, text) for text in listed.texts(2)]
        return found

    def constant(self, node: Message, attributes: list[Field]) -> str:
        """The first text of a constant that holds texts."""
        for field in attributes:
            entry = node.inside(field)
            if field.end - field.start > 1 << 16 or entry.first(1) != "value":
                continue
            for value in entry.all(2):
                for tensor in value.all(8):
                    return next((text for text in tensor.texts(8) if text), "")
        return ""
