"""What the callers of a published package hand to its public functions: run as code, in a shell, as a template or query, unpickled, as XML.

The author of a package does not know its callers: a name, an address or a template may come from a request, a file or a model. Such a
parameter is a source of the kind ``library-input`` where it reaches an operation that its callers would not expect (the API model
says so: ``unexpected``; of a query, it is a value between quotes). A parameter whose name tells that it is run (``code``, ``command``), or
that it is a pickle, is the callers' business.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from headwater import ir, limits
from headwater.apis.schema import Callback
from headwater.index.entities import Fn
from headwater.taint.labels import DECODED, LITERAL
from headwater.taint.summary import Entry, ToSink

if TYPE_CHECKING:
    from headwater.taint.solve import Solver

KIND = "library-input"
_OUTSIDE = frozenset({
    "benchmark", "benchmarks", "bin", "build", "ci", "cli", "cmdline", "conftest", "demo", "demos", "dev", "example",
    "examples", "notebooks", "recipes", "samples", "script", "scripts", "setup", "test", "testing", "tests", "tools", "tutorials"
})  # fmt: skip
"""Parts of a module's path that no caller of the package imports."""
_OUTSIDE_AT_TOP = frozenset({"doc", "docs"})
"""The same of the first part only."""
_TOLD = frozenset({
    "action", "args", "argv", "cli", "cmdline", "code", "codes", "command", "commands", "entrypoint", "eval", "exec", "executable",
    "expr", "expression", "expressions", "formula", "func", "function", "lambda", "program", "py", "python", "query", "script",
    "shell", "snippet", "source", "sources", "sql", "statement", "stmt", "task"
})  # fmt: skip
"""Words in the name of a parameter that say that it is run."""
_TOLD_BY = frozenset({"cmd", "cmds", "string", "text", "line"})
_RUNS = frozenset({
    "bash", "call", "cmd", "eval", "evaluate", "exec", "execute", "interpret", "popen", "run", "sh", "shell", "spawn", "subprocess",
    "system"
})  # fmt: skip
"""Words in the name of a function that say that it runs something: then a parameter ``cmd`` is told too."""
_PICKLES = frozenset({"cloudpickle", "dill", "joblib", "pickle", "pickled", "pickles", "pkl", "shelve", "unpickle"})
"""Words in the name of a parameter or function that say that pickles are read."""
_FILES = frozenset({
    "archive", "cache", "checkpoint", "checkpoints", "ckpt", "dir", "directory", "dirname", "file", "filename", "filenames", "filepath",
    "files", "fname", "folder", "location", "path", "pathname", "paths", "root", "uri", "url", "weights"
})  # fmt: skip
"""Words in the name of a parameter without a type that say that it names a file."""
_OWN = frozenset({
    "cache", "cached", "cwd", "home", "out", "outdir", "output", "outputs", "persist", "scratch", "temp", "tmp", "tmpdir", "work",
    "workdir", "working", "workspace"
})  # fmt: skip
"""Words in the name of a parameter that say that the program itself writes there: who chooses the folder has filled it."""
_SCHEMA = frozenset({
    "catalog", "collection", "column", "columns", "database", "db", "dbname", "field", "fields", "graph", "index", "keyspace", "namespace",
    "relation", "schema", "table", "tablename", "tables", "view"
})  # fmt: skip
"""Words in the name of a parameter that names a part of a database: who writes the program chooses it."""
_PATHS = frozenset({"os.PathLike", "pathlib.Path", "Path", "PathLike", "pathlib.PurePath", "list", "List", "typing.List"})
_TEXTS = frozenset(
    {
        "str",
        "builtins.str",
        "Text",
        "typing.Text",
        "Optional",
        "typing.Optional",
        "Union",
        "typing.Union",
        "None",
        "AnyStr",
        "typing.AnyStr",
    }
)
_BYTES = frozenset({
    "BinaryIO", "IO", "None", "Optional", "Union", "bytearray", "bytes", "io.BytesIO", "memoryview", "typing.BinaryIO", "typing.IO",
    "typing.Optional", "typing.Union"
})  # fmt: skip
_DOCUMENTS = frozenset(
    {"decode", "deserialize", "document", "json", "loads", "parse", "serialized", "string", "text", "toml", "xml", "yaml"}
)
"""Words in the name of a parameter or function that say that a text is a document, and no name of a file."""
_MANY = frozenset({
    "Any", "Dict", "Iterable", "List", "Mapping", "Sequence", "Set", "Tuple", "bool", "collections.abc.Iterable", "collections.abc.Mapping",
    "collections.abc.Sequence", "dict", "float", "int", "list", "set", "tuple", "typing.Any", "typing.Dict", "typing.Iterable",
    "typing.List", "typing.Mapping", "typing.Sequence", "typing.Set", "typing.Tuple"
})  # fmt: skip
"""Types whose elements and keys may be texts."""
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")


def public_calls(solver: Solver) -> list[Entry]:
    """The public functions whose parameters are run, each with those parameters."""
    made = []
    for fn in solver.symbols.functions:
        effects = solver.summaries[fn.id].sinks
        if not effects or fn.module.script not in solver.published or not _public(fn):
            continue
        by_name: dict[str, str] = {}
        init: dict[str, str] = {}
        for effect in effects:
            allowed = 1 if effect.sink.confidence == "medium" else 0  # the operation itself is not quite sure, the way to it is
            if not _unexpected(effect) or effect.drop > allowed or effect.weak & ~(LITERAL | DECODED) or effect.length > limits.PUBLIC_HOPS:
                continue
            if fn.bound and effect.param == 0:
                name = _given(solver, fn, effect) if effect.sink.unexpected else ""
                if name:
                    init[name] = KIND
            elif effect.param < len(fn.ir.params) and not _deep(effect) and _free(fn, fn.ir.params[effect.param], effect):
                by_name[fn.ir.params[effect.param].name] = KIND
        if by_name or init:
            made.append(Entry(fn, fn, Callback(function="", by_name=by_name, is_="public function"), init=init))
    return made


def _deep(effect: ToSink) -> bool:
    """Whether it is something in the parameter that no text stands for. The elements and keys of a list or dict of texts are values; what
    a text or bytes have in them was parsed."""
    return bool(effect.path) and effect.sink.class_ != "import" and (effect.sink.class_ != "sql" or effect.path != ("*",))


def _unexpected(effect: ToSink) -> bool:
    """Whether callers would not expect that it can do damage: in a query, that a value can end the quotes around it; of a document, that
    modules that it names are imported."""
    if effect.sink.class_ == "import":
        return bool(effect.path)
    return effect.sink.unexpected or (effect.sink.class_ == "sql" and bool(effect.weak & LITERAL))


def _given(solver: Solver, fn: Fn, effect: ToSink) -> str:
    """The parameter of the constructor that a field holds."""
    init = fn.cls.method("__init__") if fn.cls is not None else None
    if init is None or init is fn or len(effect.path) != 1:
        return ""
    for mutation in solver.summaries[init.id].mutations:
        if mutation.param or mutation.path or mutation.field != effect.path[0]:
            continue
        for label in sorted(mutation.shape.labels, key=lambda one: one.key):
            if label.source is None and 0 < label.param < len(init.ir.params) and not label.path and not label.drop:
                param = init.ir.params[label.param]
                if _free(init, param, effect):
                    return param.name
    return ""


def _public(fn: Fn) -> bool:
    parts = fn.module.path.removesuffix(".py").split("/")
    if any((part.startswith("_") and part != "__init__") or part.lower() in _OUTSIDE or part.startswith("test_") for part in parts):
        return False
    if parts[0].lower() in _OUTSIDE_AT_TOP:
        return False
    name = fn.ir.name
    if (
        name == "main"
        or fn.index == 0
        or (fn.ir.parent != 0 and fn.cls is None)
        or (name.startswith("_") and name not in ("__init__", "__call__"))
    ):
        return False
    return fn.cls is None or not fn.cls.name.startswith("_")


def _free(fn: Fn, param: ir.Param, effect: ToSink) -> bool:
    """Whether a parameter takes text that its callers do not expect to be run."""
    words = {word.lower() for word in _WORD.findall(param.name)}
    if param.kind in ("star", "stars") or words & _OWN:
        return False
    if effect.sink.class_ == "deserialize":
        return _names_file(fn, param) or _holds_objects(fn, param)
    if effect.sink.class_ == "import":
        if param.annotation is None or words & _FILES:
            return False
        document = (words | {word.lower() for word in _WORD.findall(fn.ir.name)}) & _DOCUMENTS
        return _text(param.annotation, _BYTES | _TEXTS if document else _BYTES)
    if effect.sink.class_ == "xml":
        return _text(param.annotation, _TEXTS | _PATHS)
    if effect.sink.class_ == "sql":  # what an object is set up with, its program decides
        return fn.ir.name != "__init__" and not words & _SCHEMA and _text(param.annotation, _TEXTS | _MANY if effect.path else _TEXTS)
    if not _text(param.annotation):
        return False
    if effect.sink.class_ == "template":
        return True
    if words & _TOLD:
        return False
    runs = {word.lower() for word in _WORD.findall(fn.ir.name)} & _RUNS
    return not (runs and words & _TOLD_BY)


def _names_file(fn: Fn, param: ir.Param) -> bool:
    """Whether a parameter is a path (or a text), and nothing says that pickles are read from it."""
    words = {word.lower() for word in _WORD.findall(param.name)}
    if (words | {word.lower() for word in _WORD.findall(fn.ir.name)}) & _PICKLES:
        return False
    return bool(words & _FILES) if param.annotation is None else _text(param.annotation, _TEXTS | _PATHS)


def _holds_objects(fn: Fn, param: ir.Param) -> bool:
    """Whether a parameter takes bytes, and nothing says that they are a pickle."""
    owner = fn.cls.name if fn.cls is not None else ""
    words = {word.lower() for name in (param.name, fn.ir.name, owner) for word in _WORD.findall(name)}
    return not words & _PICKLES and param.annotation is not None and _text(param.annotation, _BYTES)


def _text(type_: ir.Type | None, names: frozenset[str] = _TEXTS) -> bool:
    return type_ is None or (type_.name in names and all(_text(one, names) for one in type_.args))
