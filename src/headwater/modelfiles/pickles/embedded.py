"""Functions, classes and modules that cloudpickle and dill put into a pickle: what code is in the file and what it names."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from headwater.modelfiles.pickles import gadgets, marshalled
from headwater.modelfiles.pickles.render import render
from headwater.modelfiles.pickles.values import Big, Global, Items, Made, Value, arguments
from headwater.modelfiles.verdicts import Verdict

_CLOUD: Final = ("cloudpickle.cloudpickle", "cloudpickle.cloudpickle_fast", "cloudpickle", "joblib.externals.cloudpickle.cloudpickle")
_FUNCTIONS: Final = frozenset(
    {f"{module}.{name}" for module in _CLOUD for name in ("_make_function", "_make_skel_func", "_fill_function", "_function_setstate")}
    | {"dill._dill._create_function", "dill.dill._create_function", "types.FunctionType", "types.LambdaType"}
)
_CLASSES: Final = frozenset(
    {f"{module}.{name}" for module in _CLOUD for name in ("_make_skeleton_class", "_make_skeleton_enum", "_rehydrate_skeleton_class")}
    | {"dill._dill._create_type", "dill.dill._create_type", "cloudpickle.cloudpickle._class_setstate"}
)
_CODES: Final = frozenset({"dill._dill._create_code", "dill.dill._create_code", "types.CodeType"})
_TYPES: Final = frozenset(
    {f"{module}._builtin_type" for module in _CLOUD}
    | {"dill._dill._load_type", "dill.dill._load_type", "cloudpickle.cloudpickle._get_bases"}
)
_MODULES: Final = frozenset(
    {f"{module}.{name}" for module in _CLOUD for name in ("subimport", "_import_module", "dynamic_subimport")}
    | {"dill._dill._import_module", "dill.dill._import_module", "dill._dill._create_module"}
)
_CELLS: Final = frozenset(
    {f"{module}.{name}" for module in _CLOUD for name in ("_make_empty_cell", "_make_cell", "_empty_cell_value")}
    | {"dill._dill._create_cell", "dill.dill._create_cell", "types.CellType"}
)

BUILDERS: Final = tuple(sorted(_FUNCTIONS | _CLASSES | _CODES | _TYPES | _MODULES | _CELLS))

_NUMERIC: Final = frozenset(
    [
        "numpy",
        "math",
        "scipy",
        "pandas",
        "sklearn",
        "torch",
        "collections",
        "itertools",
        "functools",
        "typing",
        "random",
        "re",
        "json",
        "string",
        "warnings",
    ]
)

_ARGS: Final = r"[\w ,=]*"
_TEMPLATE: Final = re.compile(
    rf"\s*def _parse_args\(self, {_ARGS}\):\n    return \({_ARGS}\), {_ARGS}\n\s*"
    rf"def _parse_args_rvs\(self, {_ARGS}, size=None\):\n    return self\._argcheck_rvs\({_ARGS}, size=size\)\n\s*"
    rf"def _parse_args_stats\(self, {_ARGS}, moments='mv'\):\n    return \({_ARGS}\), {_ARGS}, moments\s*\Z"
)
"""What scipy writes for its distributions, which run it when they are restored. No call of another function fits in."""

_TELLING: Final = frozenset(
    [
        "system",
        "popen",
        "Popen",
        "check_output",
        "check_call",
        "getoutput",
        "spawnv",
        "spawnl",
        "execv",
        "execve",
        "fork",
        "eval",
        "exec",
        "__import__",
        "import_module",
        "socket",
        "urlopen",
        "urlretrieve",
        "CDLL",
        "WinDLL",
        "subprocess",
        "pty",
        "ctypes",
        "b64decode",
        "rmtree",
        "urllib",
        "requests",
        "paramiko",
        "ftplib",
        "smtplib",
        "marshal",
    ]
)
"""Names in code that a pickle carries which say that it does more than compute."""


class Rebuilt(NamedTuple):
    """What a builder makes; no message where there is nothing to say."""

    value: Value
    message: str = ""
    verdict: Verdict = "review"
    evidence: str = ""


def is_template(value: Value) -> bool:
    """Whether a text is what scipy itself would run."""
    return isinstance(value, str) and _TEMPLATE.match(value) is not None


def is_distribution(state: Value) -> bool:
    """Whether the state of a distribution of scipy has nothing to run but what scipy itself writes."""
    if not isinstance(state, Items) or state.kind != "dict" or state.more:
        return False
    keys, values = state.items[::2], state.items[1::2]
    return all(isinstance(key, str) for key in keys) and all(
        key != "_parse_arg_template" or is_template(value) for key, value in zip(keys, values, strict=True)
    )


def is_function(value: Made) -> bool:
    return isinstance(value.what, Global) and value.what.full in _FUNCTIONS | _CODES


def is_class(value: Made) -> bool:
    return isinstance(value.what, Global) and value.what.full in _CLASSES


def words(value: Value) -> list[str]:
    """The names and texts in a code object, in their order."""
    found: list[str] = []
    stack: list[Value] = [value]
    steps = 0
    seen: set[int] = set()
    while stack and steps < 10_000 and len(found) < 200:
        steps += 1
        one = stack.pop()
        if isinstance(one, str):
            if one and one not in found and len(one) < 500:
                found.append(one)
        elif isinstance(one, bytes):
            found += [text for text in marshalled.texts(one) if text not in found]
        elif isinstance(one, Big):
            found += [text for text in marshalled.texts(one.head) if text not in found]
        elif isinstance(one, tuple):
            stack += reversed(one)
        elif isinstance(one, Items | Made) and id(one) not in seen:
            seen.add(id(one))
            stack += reversed(one.items) if isinstance(one, Items) else [one.state, one.args]
    return found


def describe(value: Value) -> str:
    """The names in code, as a message has them."""
    found = words(value)
    return ", ".join(repr(one[:80]) for one in found[:20]) if found else "no name is in its code."


def rebuild(what: Global, args: Value) -> Rebuilt | None:
    """What a builder of cloudpickle, dill or ``types`` makes; None where it is none of theirs."""
    full = what.full
    values = arguments(args)
    made = Made(what, args, "call")
    if full in _TYPES:
        if values and len(values) == 1 and isinstance(values[0], str) and values[0].isidentifier():
            if values[0] in _KINDS:
                return Rebuilt(Global("types", values[0]))
            return Rebuilt(Global("builtins", values[0])) if values[0] in _PLAIN else None
        return None
    if full in _CELLS:
        return Rebuilt(made)
    if full in _MODULES:
        return _module(what, values, made)
    if full not in _FUNCTIONS | _CODES | _CLASSES:
        return None
    found = words(args)
    telling = [one for one in found if one in _TELLING or one.rpartition(".")[2] in _TELLING]
    kind = "class" if full in _CLASSES else "function"
    message = f"rebuilds a {kind} from code that is in the file itself; it runs when the {kind} is used."
    if found:
        message += f" The code names {', '.join(repr(one[:60]) for one in found[:12])}."
    verdict: Verdict = "malicious" if telling and full not in _CLASSES else "review"
    return Rebuilt(made, message, verdict, render(made)[:1000] + f"\nnames and texts: {', '.join(map(repr, found[:60]))}")


_KINDS: Final = frozenset(
    ["CodeType", "FunctionType", "LambdaType", "ModuleType", "MethodType", "CellType", "BuiltinFunctionType", "SimpleNamespace"]
)


_PLAIN: Final = frozenset(
    [
        "int",
        "float",
        "str",
        "bytes",
        "bool",
        "list",
        "dict",
        "tuple",
        "set",
        "frozenset",
        "object",
        "complex",
        "bytearray",
        "type",
        "slice",
        "range",
        "NoneType",
    ]
)


def _module(what: Global, values: tuple[Value, ...] | None, made: Made) -> Rebuilt | None:
    if not values or not isinstance(values[0], str):
        return None
    module = values[0]
    if module.partition(".")[0] in _NUMERIC and gadgets.capability(Global(module, "")) is None:
        return Rebuilt(made)
    can = gadgets.capability(Global(module, ""))
    message = f"imports the module {module[:100]} for code that is in the file" + (f", which {can}." if can else ".")
    return Rebuilt(made, message, "review", render(made))
