"""A first look at Python code that comes with a model: whether it runs programs or hidden code. It is parsed, never run."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Final, NamedTuple

LARGEST: Final = 2_000_000

_PROGRAMS: Final = re.compile(
    r"(?:os|posix|nt)\.(?:system|popen|spawn\w+|exec[lv]\w*|posix_spawnp?|fork|startfile)$|subprocess\.(?:run|call|Popen|check_call|check_output|"
    r"getoutput|getstatusoutput)$|pty\.spawn$|commands\.\w+$|asyncio\.create_subprocess_\w+$|(?:builtins\.)?(?:eval|exec)$|"
    r"marshal\.loads$|ctypes\.(?:CDLL|cdll\.LoadLibrary|windll\.\w+|PyDLL)$|runpy\.run_\w+$|code\.InteractiveInterpreter$|os\.(?:dup2)$|"
    r"socket\.(?:socket|create_connection)$|webbrowser\.open$|types\.FunctionType$|torch\.ops\.load_library$|torch\.utils\.cpp_extension\.load\w*$"
)
_USUAL: Final = re.compile(r"(?:builtins\.)?(?:eval|exec)$|subprocess\.\w+$|ctypes\..+|types\..+|torch\..+")
"""What code that means no harm does, too, when it is imported: it installs a package, loads or builds a library, reads its version."""
_RELATIVE: Final = re.compile(
    rb"^[ \t]*from[ \t]+\.(\w{1,100})[ \t]+import\b|^[ \t]*from[ \t]+\.[ \t]+import[ \t]+(\w{1,100})", re.MULTILINE
)

_NETWORK: Final = re.compile(
    r"(?:urllib\.request\.\w+|requests\.(?:get|post|put|request)|http\.client\.\w+|httpx\.\w+|urllib2\.urlopen|ftplib\.FTP|smtplib\.\w+)$"
)


class Act(NamedTuple):
    """A call in the code that does more than compute."""

    line: int
    call: str
    at_import: bool
    usual: bool = False


def acts(data: bytes) -> list[Act] | None:
    """The calls of a module that run programs or code, and those at import that open connections; None where it cannot be parsed."""
    if len(data) > LARGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    names: dict[str, str] = {}
    found: list[Act] = []
    stack: list[tuple[ast.AST, bool]] = [(tree, True)]
    nodes: list[tuple[ast.AST, bool]] = []
    while stack:
        node, top = stack.pop()
        nodes.append((node, top))
        inner = top and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not _is_main(node)
        stack += [(child, inner) for child in reversed(list(ast.iter_child_nodes(node)))]
    for node, _ in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = alias.name if alias.asname else alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node, top in nodes:
        if isinstance(node, ast.Call):
            called = _dotted(node.func, names)
            if called and (_PROGRAMS.search(called) or (top and _NETWORK.search(called))) and _fullmatch(called):
                found.append(
                    Act(node.lineno, ast.unparse(node)[:300] if _shallow(node) else f"{called}(...)", top, _USUAL.match(called) is not None)
                )
    return sorted(set(found))


def imported(data: bytes) -> list[str]:
    """The modules beside a module that it imports, as loaders of remote code find them out: by their text."""
    return list(dict.fromkeys((one or other).decode("ascii", "replace") for one, other in _RELATIVE.findall(data)))


def _fullmatch(called: str) -> bool:
    return _PROGRAMS.fullmatch(called) is not None or _NETWORK.fullmatch(called) is not None


def _shallow(node: ast.AST) -> bool:
    return sum(1 for _ in ast.walk(node)) < 200


def _is_main(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.dump(node.test)[:300]


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    """The name that is called, by where it is imported from."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args and isinstance(node.args[0], ast.Constant):
        if node.func.id == "__import__" or names.get(node.func.id) == "importlib.import_module":
            return ".".join([str(node.args[0].value), *reversed(parts)])
        if node.func.id == "getattr":
            return ""
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([names.get(node.id, node.id), *reversed(parts)])
