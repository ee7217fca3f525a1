"""What the schema of a skops file builds when it is loaded: functions, methods and types that are no part of the usual libraries."""

from __future__ import annotations

import re
from typing import Any, Final

from headwater import limits
from headwater.modelfiles import targets
from headwater.modelfiles.work import Examination

_USUAL: Final = re.compile(
    r"(?:sklearn|numpy|scipy|pandas|xgboost|lightgbm|catboost|quantile_forest|imblearn|joblib\.numpy_pickle|collections)(?:\.|$)"
    r"|builtins\.(?:int|float|str|bool|bytes|bytearray|list|dict|tuple|set|frozenset|complex|slice|map|type|object|NoneType|len|range)$"
    r"|functools\.partial$|_?operator\.(?:itemgetter|attrgetter|methodcaller)$|datetime\.|decimal\.Decimal$|uuid\.UUID$"
)
_UNUSUAL: Final = re.compile(
    r"numpy\.(?:f2py|distutils|testing|load|loadtxt|genfromtxt|memmap|fromfile|save|savez|savetxt|ctypeslib)|scipy\.(?:io\.|_lib\._test|weave)"
    r"|pandas\.(?:eval|read_|io\.)|sklearn\.(?:datasets\.(?:load_files|fetch_|_base)|utils\._testing|externals)|\.(?:__\w+__|_?eval|exec)\b"
)


def is_schema(tree: object) -> bool:
    return isinstance(tree, dict) and "__loader__" in tree and "__module__" in tree


def judge(work: Examination, tree: object) -> None:
    stack = [tree]
    left = limits.MODEL_FIELDS
    while stack:
        node = stack.pop()
        left -= 1
        if left < 0:
            work.concern("size", "inconclusive", "The schema has more entries than are read.")
            return
        if isinstance(node, dict):
            if isinstance(node.get("__loader__"), str):
                _node(work, node)
            stack += reversed([value for value in node.values() if isinstance(value, (dict, list))])
        elif isinstance(node, list):
            stack += reversed([value for value in node if isinstance(value, (dict, list))])


def _node(work: Examination, node: dict[str, Any]) -> None:
    loader = node["__loader__"]
    module, name = str(node.get("__module__", "")), str(node.get("__class__", ""))
    content = node.get("content")
    full = f"{module}.{name}"
    if loader == "FunctionNode":
        if isinstance(content, dict) and "module_path" in content:  # skops before 0.10
            full = f"{content.get('module_path')}.{content.get('function')}"
        _fetched(work, full, f"Loading it fetches the function '{full}' (FunctionNode), for the model to call.", loader)
    elif loader == "OperatorFuncNode":
        if module not in ("operator", "_operator"):
            message = (
                f"A node says to be of 'operator' and names '{full}' (CVE-2025-54412): loading calls a function that was not asked about."
            )
            work.concern("skops-node", "malicious", message, f"{loader} {full}")
        elif name in ("methodcaller", "attrgetter"):
            called = ", ".join(_words(node.get("attrs")))
            harmful = bool(re.search(r"__|(?:^|, )(?:eval|exec|query|to_pickle|system|popen|tofile|dump|save)\b", called))
            message = f"The model calls or reads '{called}' of what it is given (OperatorFuncNode)."
            work.concern("skops-node", "malicious" if harmful else "review", message, f"operator.{name}({called})")
    elif loader == "MethodNode":
        function = str(content.get("func", "")) if isinstance(content, dict) else ""
        inner = content.get("obj") if isinstance(content, dict) else None
        other = f"{inner.get('__module__')}.{inner.get('__class__')}" if isinstance(inner, dict) else ""
        if other != full or function.startswith("_"):
            message = (
                f"A node says to be a method of '{full}' and takes '{function}' of '{other}' (CVE-2025-54413): what it"
                " reaches was not asked about."
            )
            work.concern("skops-node", "malicious", message, f"{loader} {other}.{function}")
        else:
            _fetched(work, f"{full}.{function}", f"Loading it fetches the method '{full}.{function}' (MethodNode).", loader)
    elif loader == "JsonNode":
        return
    else:
        _fetched(work, full, f"Loading it imports '{module}' and builds a '{name}' ({loader}).", loader)


def _fetched(work: Examination, full: str, message: str, loader: str) -> None:
    usual = bool(_USUAL.match(full)) and not _UNUSUAL.search(full)
    if not usual:
        work.concern("skops-node", "malicious" if targets.is_harmful(full) else "review", message, f"{loader} {full}")


def _words(node: object) -> list[str]:
    """The texts of a tree of nodes."""
    if isinstance(node, dict):
        if node.get("__loader__") == "JsonNode" and isinstance(node.get("content"), str):
            return [node["content"].strip('"')]
        return [word for value in node.values() if isinstance(value, (dict, list)) for word in _words(value)]
    return [word for value in node for word in _words(value)] if isinstance(node, list) else []
