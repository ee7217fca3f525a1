"""What the interpreter's audit events tell: executions, files, processes, imports, connections."""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Callable
from json import dumps
from types import CodeType
from typing import Any

from . import network, record
from .record import note, piece, state, text, tokens

# Engines that make Python of templates: that their result is executed proves nothing about the text. ``wrappers`` has the text.
TEMPLATES = ("jinja2.", "mako.", "tornado.template", "tornado.util", "chameleon.", "genshi.", "Cheetah.")
# These make Python of names, which they check to be names.
CHECKED = frozenset({"collections", "dataclasses"})
SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "csh", "tcsh", "cmd", "cmd.exe", "powershell", "pwsh"})

CONSTANTS = 100_000  # of one code object that are looked at
COMPILED = 64  # pieces of compiled text that are remembered for their execution

_compiled: dict[str, str] = {}


def _generated() -> bool:
    module = record.module_of(record.caller())
    return module in CHECKED or module.startswith(TEMPLATES)


def _compile(event: str, args: tuple[Any, ...]) -> None:
    source = args[0]
    if source is None:
        return
    found = tokens(source)
    if found and not _generated():
        part = piece(text(source))
        if len(_compiled) > COMPILED:
            _compiled.clear()
        _compiled.update((token, part) for token in found)
        note("compile", event, part, noted=found, harmless=True)


def _strings(code: CodeType) -> list[str]:
    """Texts in a code object, and those in it, that hold a token."""
    found: list[str] = []
    todo: list[Any] = [code]
    left = CONSTANTS
    while todo and left:
        left -= 1
        item = todo.pop()
        if isinstance(item, CodeType):
            todo += (*item.co_consts, *item.co_names, *item.co_varnames, *item.co_freevars, *item.co_cellvars, item.co_name)
        elif isinstance(item, (tuple, frozenset)):
            todo.extend(item)
        elif isinstance(item, (str, bytes)) and tokens(item):
            found.append(text(item))
    return found


def _exec(event: str, args: tuple[Any, ...]) -> None:
    code = args[0]
    if not isinstance(code, CodeType):
        return
    try:
        if state.needle not in marshal.dumps(code):  # much faster than a walk, and nearly always the end
            return
    except ValueError:
        pass  # constants that no text has: it was made of a tree
    strings = _strings(code)
    found = tokens(strings)
    if found and not _generated():
        note("exec", event, _compiled.get(found[0]) or strings[0], noted=found, harmless=True)


def _path(value: Any) -> str:
    """A path as it was given, below the folder that it is relative to."""
    path = text(value)
    return path if os.path.isabs(path) else os.path.join(os.getcwd(), path)


def _ours(path: str) -> bool:
    return bool(state.scratch) and os.path.realpath(path).startswith(state.scratch)


def _file_opened(event: str, args: tuple[Any, ...]) -> BaseException | None:
    if not tokens(args[0]):
        return None
    path, mode, flags = args[0], args[1], args[2]
    writes = bool(isinstance(flags, int) and flags & record.WRITES) or (isinstance(mode, str) and any(sign in mode for sign in "wax+"))
    path = _path(path)
    if writes:
        return note("write", event, path)
    return note("read", event, path, harmless=_ours(path))  # a secret of ours may be read: it does no harm, and the answer tells


def _paths(kind: str, count: int) -> Callable[[str, tuple[Any, ...]], BaseException | None]:
    def check(event: str, args: tuple[Any, ...]) -> BaseException | None:
        paths = [path for path in args[:count] if isinstance(path, (str, bytes, os.PathLike))]
        if not tokens(paths):
            return None
        return note(kind, event, " -> ".join(map(_path, paths)), paths)

    return check


def _database(event: str, args: tuple[Any, ...]) -> BaseException | None:
    path = text(args[0])
    reads = path.startswith("file:") and "mode=ro" in path
    return note("read" if reads else "write", event, path)


def command(args: list[str]) -> int:
    """The place of the command that a shell is given in a list of arguments; -1 where there is none."""
    for place, argument in enumerate(args):
        if os.path.basename(argument).lower() in SHELLS:
            for after in range(place + 1, len(args) - 1):
                option = args[after]
                if option[:1] not in "-/+":
                    break
                if option.lower() in ("/c", "-command", "/k") or (option[:1] == "-" and option[:2] != "--" and option[-1:] == "c"):
                    return after + 1
    return -1


def process(call: str, program: Any, args: Any) -> BaseException | None:
    """A program and its arguments."""
    if isinstance(args, (str, bytes, os.PathLike)) or args is None:
        args = [args] if args is not None else []
    given = [text(argument) for argument in list(args)[: record.ITEMS]]
    name = text(program)
    found = tokens([*given, name])
    if not found:
        return None
    if name and given and name != given[0] and tokens(name):
        given = [name, *given[1:]]
    place = command([name, *given[1:]] if name else given)
    shell = place >= 0 and bool(tokens(given[place]))
    return note("process", call, dumps(given), noted=found, harmless=place < 0 and not tokens(name) and optional(given), shell=shell)


def optional(given: list[str]) -> bool:
    """Whether the token stands in arguments only that a program may take for its options, or not: it alone can tell, so it is started."""
    return all(argument[:1] == "-" for argument in given if tokens(argument))


def _spawned(event: str, args: tuple[Any, ...]) -> BaseException | None:
    if record.module_of(record.caller()) == "subprocess":  # which has told
        return None
    return process(event, args[0], args[1])


def _system(event: str, args: tuple[Any, ...]) -> BaseException | None:
    return note("process", event, text(args[0]), shell=True)


def _import(event: str, args: tuple[Any, ...]) -> None:
    note("import", event, text(args[0]), harmless=True)


def _library(event: str, args: tuple[Any, ...]) -> BaseException | None:
    return note("import", event, text(args[0]))


def _unpickle(event: str, args: tuple[Any, ...]) -> None:
    note("unpickle", event, f"{text(args[0])}.{text(args[1])}", harmless=True)


def _command_line(event: str, args: tuple[Any, ...]) -> None:
    note("exec", event, text(args[0]), harmless=True)


READS = frozenset({"os.listdir", "os.scandir", "os.listxattr", "os.getxattr", "os.chdir", "glob.glob", "pathlib.Path.glob"})
WRITES = frozenset({"os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.chown", "os.truncate", "os.utime", "os.setxattr", "shutil.rmtree"})
WRITES_TWO = frozenset({"os.rename", "os.link", "os.symlink", "shutil.move"})

HANDLERS: dict[str, Callable[[str, tuple[Any, ...]], BaseException | None]] = {
    "compile": _compile,
    "exec": _exec,
    "cpython.run_command": _command_line,
    "open": _file_opened,
    **{event: _paths("read", 1) for event in READS},
    **{event: _paths("write", 1) for event in WRITES},
    **{event: _paths("write", 2) for event in WRITES_TWO},
    "sqlite3.connect": _database,
    "os.system": _system,
    "subprocess.Popen": lambda event, args: process(event, args[0], args[1]),
    "os.exec": lambda event, args: process(event, args[0], args[1]),
    "os.posix_spawn": _spawned,
    "os.spawn": lambda event, args: process(event, args[1], args[2]),
    "pty.spawn": lambda event, args: process(event, None, args[0]),
    "os.startfile": lambda event, args: process(event, args[0], [args[0]]),
    "import": _import,
    "ctypes.dlopen": _library,
    "pickle.find_class": _unpickle,
    **network.HANDLERS,
}


def install() -> None:
    sys.addaudithook(_hook)


def _hook(
    event: str,
    args: tuple[Any, ...],
    # bound here: names of modules are gone when the interpreter ends
    find: Any = HANDLERS.get,
    within: Any = record.within,
) -> None:
    check = find(event)
    if check is not None:
        within(check, event, args)
