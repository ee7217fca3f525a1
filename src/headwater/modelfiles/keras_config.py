"""What a configuration of Keras builds when it is loaded: code in Lambda layers, objects of other modules, files and addresses.

The same for ``.keras``, HDF5 and SavedModel: a tree of objects, each with ``class_name`` and ``config``, some with ``module`` and
``registered_name``.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any, Final

from headwater import limits
from headwater.modelfiles import names, payload
from headwater.modelfiles.blob import BytesBlob
from headwater.modelfiles.names import words
from headwater.modelfiles.work import Examination

_OWN: Final = re.compile(r"(?:keras|keras_\w+|tf_keras|tensorflow|tensorflow_\w+|tf_\w+)(?:\.|$)")
_HARMFUL_MODULES: Final = words(
    """os posix nt subprocess sys shutil pty socket ctypes importlib runpy code codeop builtins __builtin__ pickle _pickle marshal dill
    cloudpickle
    joblib tempfile webbrowser urllib http ftplib smtplib telnetlib asyncio multiprocessing threading signal pathlib glob io platform
    commands
    timeit cProfile profile pdb bdb pydoc inspect types operator _operator functools ensurepip pip distutils setuptools
    requests httpx site sysconfig logging"""
)
_HARMFUL_BUILTINS: Final = frozenset(
    {"eval", "exec", "compile", "open", "__import__", "getattr", "input", "breakpoint", "execfile", "globals"}
)
_HARMFUL_KERAS: Final = re.compile(
    r"(?:enable_unsafe_deserialization|disable_safe_mode|get_file|load_model|load_weights|deserialize_keras_object|func_load|"
    r"extract_archive|_extract_archive|run_script|model_from_(?:json|config|yaml)|SafeModeScope|import_module)$"
)
_LOOKUPS: Final = re.compile(r"(?:\w*>)?(?:StringLookup|IntegerLookup|IndexLookup|TextVectorization|CategoryEncoding|Hashing)$")
_CODE_NAMES: Final = words(
    """eval exec compile open system popen Popen os subprocess socket __import__ import_module urlopen requests check_output run call
    marshal pickle loads ctypes getattr globals builtins posix pty spawn environ shutil rmtree write"""
)


def judge(work: Examination, tree: object, at: int = -1) -> bool:
    """Notes what a configuration does; whether it is one."""
    seen = False
    for path, node in _objects(work, tree):
        if isinstance(node.get("class_name"), str):
            seen = True
            _object(work, node, path, at)
        _paths(work, node, path, at)
    return seen


def _objects(work: Examination, tree: object) -> Iterator[tuple[str, dict[str, Any]]]:
    stack: list[tuple[str, object]] = [("", tree)]
    left = limits.MODEL_FIELDS
    while stack:
        path, node = stack.pop()
        left -= 1
        if left < 0:
            work.concern("size", "inconclusive", "The configuration has more entries than are read.")
            return
        if isinstance(node, dict):
            name = node.get("name") or (node["config"].get("name") if isinstance(node.get("config"), dict) else None)
            inner = f"{path}/{name}" if isinstance(name, str) and "class_name" in node else path
            yield inner, node
            stack += [(inner, value) for value in reversed(list(node.values())) if isinstance(value, (dict, list))]
        elif isinstance(node, list):
            stack += [(path, value) for value in reversed(node) if isinstance(value, (dict, list))]


def _object(work: Examination, node: dict[str, Any], path: str, at: int) -> None:
    kind = str(node["class_name"])
    named = node.get("module")
    module = named if isinstance(named, str) else ""
    config = node.get("config")
    plain = kind.rsplit(">", 1)[-1].rsplit(".", 1)[-1]
    where = f" ('{path[:200]}')" if path else ""
    if plain == "__lambda__":
        _code(work, config, where, at)
    elif plain == "Lambda":
        _lambda(work, config, where, at)
    elif "TorchModuleWrapper" in plain:
        message = (
            f"The layer{where} holds a module of PyTorch, packed as a pickle: loading it unpickles it (keras.layers.TorchModuleWrapper)."
        )
        packed = config.get("module") if isinstance(config, dict) else ""
        work.concern("torch-module", "malicious", message, str(packed)[:300], at)
        for text in _texts(packed):
            for data in payload.decoded(text)[-1:]:
                work.member(f"{path.rsplit('/', 1)[-1] or 'layer'}#module", BytesBlob(data))
    if plain == "function" or plain == "builtin_function_or_method":
        name = config if isinstance(config, str) else str(config.get("name", "")) if isinstance(config, dict) else ""
        _reference(work, module, name, where, at)
    elif kind.startswith("__"):
        return
    else:
        _reference(work, module, plain, where, at, kind_of="class")


def _reference(work: Examination, module: str, name: str, where: str, at: int, kind_of: str = "function") -> None:
    """An object that is fetched by module and name."""
    full = f"{module}.{name}" if module else name
    if _HARMFUL_KERAS.search(name) and (not module or _OWN.match(module)):
        message = f"Loading the model fetches '{full}'{where}: it can switch off the safe mode, or fetch and unpack files."
        work.concern("keras-reference", "malicious", message, full, at)
    elif module in ("builtins", "__builtin__"):
        if name in _HARMFUL_BUILTINS:
            message = f"Loading the model fetches the function '{full}'{where}, which runs code or opens files."
            work.concern("keras-reference", "malicious", message, full, at)
    elif module and not _OWN.match(module) and module != "__main__":
        harmful = module.split(".", 1)[0] in _HARMFUL_MODULES
        message = f"Loading the model imports '{module}' and uses its {kind_of} '{name}'{where}: it is no part of Keras."
        work.concern("keras-reference", "malicious" if harmful else "review", message, full, at)
    elif _OWN.match(module) and ("__" in name or "__" in module):
        message = f"Loading the model fetches '{full}'{where}, which is no part of a model."
        work.concern("keras-reference", "review", message, full, at)


def _lambda(work: Examination, config: object, where: str, at: int) -> None:
    function = config.get("function") if isinstance(config, dict) else None
    if isinstance(function, list):  # of Keras 2: code, defaults, closure
        _code(work, {"code": function[0] if function else ""}, where, at)
    elif isinstance(function, dict) and function.get("class_name") == "__lambda__":
        return  # is looked at by itself
    elif isinstance(function, str):
        harmful = function in _HARMFUL_BUILTINS
        message = f"The Lambda layer{where} calls the function '{function}', which the loader looks up by its name."
        work.concern("keras-lambda", "malicious" if harmful else "review", message, function, at)
    else:
        message = f"The Lambda layer{where} calls a function that the file names."
        work.concern("keras-lambda", "review", message, str(function)[:400], at)


def _code(work: Examination, config: object, where: str, at: int) -> None:
    code = config.get("code", "") if isinstance(config, dict) else config
    if isinstance(code, dict):
        code = next(iter(_texts(code)), "")
    called = names_in_code(str(code))
    harmful = sorted(set(called) & _CODE_NAMES)
    what = f" It names {', '.join(called[:12])}." if called else ""
    message = (
        f"The Lambda layer{where} holds compiled Python code, which loading without safe mode makes a function that the model calls.{what}"
    )
    work.concern("keras-lambda", "malicious" if harmful else "review", message, ", ".join(called) or str(code)[:200], at)


def names_in_code(text: str) -> list[str]:
    """The names and texts in code that ``marshal`` wrote and Base64 packed. It is not loaded, only searched for what looks like a text."""
    try:
        data = base64.b64decode("".join(text.split()), validate=False)
    except (binascii.Error, ValueError):
        data = text.encode("utf-8", "surrogateescape")
    found: list[str] = []
    # Short texts: a mark of the kind, the length in one byte, the text.
    for one in re.finditer(rb"[zZ\xda\xfa](.)", data[: limits.MODEL_TEXT], re.DOTALL):
        size = one.group(1)[0]
        part = data[one.end() : one.end() + size]
        if 2 <= size == len(part) and all(32 <= byte < 127 for byte in part):
            name = part.decode("ascii")
            if name not in found and len(found) < 60 and not name.startswith("<"):
                found.append(name)
    return found


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in _texts(part)][:20]


def _paths(work: Examination, node: dict[str, Any], path: str, at: int) -> None:
    """Files and addresses that layers read while they are built."""
    kind = str(node.get("class_name", ""))
    config = node.get("config") if kind else node
    if not isinstance(config, dict):
        return
    vocabulary = config.get("vocabulary")
    if isinstance(vocabulary, str) and vocabulary and (_LOOKUPS.match(kind) or not kind):
        outside = names.leads_out(vocabulary)
        what = "outside of the model" if outside else "by a path of its own"
        message = (
            f"The layer '{path or kind}' reads its vocabulary from a file {what} when it is loaded: the file's"
            " lines become part of the model."
        )
        work.concern("keras-file", "malicious" if outside else "review", message, vocabulary, at)
    if kind:
        for key, value in config.items():
            if key in (
                "filepath",
                "weights",
                "proto",
                "origin",
                "url",
                "file",
                "path",
                "fname",
                "weights_path",
                "checkpoint",
            ) and isinstance(value, str):
                if names.leads_out(value) and len(value) < 2_000:
                    message = f"The object '{path or kind}' is given the path or address in '{key}'."
                    work.concern("keras-file", "review", message, value, at)
            elif isinstance(value, str) and len(value) > 24:
                payload.look(work, value, f"the configuration '{key[:80]}'", at)
