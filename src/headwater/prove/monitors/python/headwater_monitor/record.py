"""What the monitor was told, which tokens a value holds, and the file of events: one for each process, also after a fork."""

from __future__ import annotations

import itertools
import json
import os
import sys
from _thread import _local
from errno import EACCES
from types import FrameType
from typing import Any

ENVIRONMENT = "HEADWATER_PROOF"
DIGITS = "0123456789abcdef"
OWN = os.path.dirname(os.path.abspath(__file__)) + os.sep

CONTROL_BYTES = 1_000_000
EVENTS = 5_000  # of one process: a payload can run in an endless loop
ALIKE = 40  # of one kind, by one operation, with the same tokens: others must not be crowded out
VALUE = 2_000  # characters that are kept of a value
BEFORE = 500  # of them before the token
FILE, FUNCTION = 240, 120  # characters of the names of a frame
FRAMES = 80
ITEMS = 2_000  # arguments of a command that are looked at
TOKENS = 20  # of one value
LOWERED = 65_536  # characters: longer texts are searched as they are

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_write, _open, _close, _fstat, _getpid = os.write, os.open, os.close, os.fstat, os.getpid


class _Thread(_local):
    busy = False
    """The monitor itself is at work: what it does is no event."""
    levels: list[tuple[Any, ...]]
    """Of each wrapped call that is running: what it has told."""

    outer: list[list[Any]]
    """The stack of who gave a pool the work that this thread does."""

    def __init__(self) -> None:
        self.levels, self.outer = [], []


class _State:
    """Of this process."""

    running = False
    folder = ""
    prefix = ""
    needle = b""
    block = True
    scratch = ""
    hosts: tuple[str, ...] = ()
    redirect = 0
    authority = ""
    cwd = ""

    pid = 0
    file = -1
    identity: tuple[int, int] = (0, 0)
    numbers = itertools.count(1)
    written = 0
    counts: dict[tuple[Any, ...], int] = {}


thread = _Thread()
state = _State()


def started() -> bool:
    return state.running


def load() -> bool:
    """Reads the control file; false where there is none, or none that can be used."""
    path = os.environ.get(ENVIRONMENT, "")
    if not path:
        return False
    with open(path, "rb") as file:
        told = json.loads(file.read(CONTROL_BYTES))
    state.folder, state.prefix = os.path.abspath(told["folder"]), str(told["prefix"])
    if len(state.prefix) < 9 or not os.path.isdir(state.folder):
        return False
    state.needle = state.prefix.encode("ascii")
    state.block = bool(told.get("block", True))
    scratch = str(told.get("scratch", ""))
    state.scratch = os.path.realpath(scratch) + os.sep if scratch else ""
    state.hosts = tuple(str(host).lower() for host in told.get("hosts", ()))
    state.redirect = int(told.get("redirect", 0))
    state.authority = str(told.get("authority", ""))
    try:
        state.cwd = os.getcwd()
    except OSError:
        state.cwd = os.sep
    state.running = True
    return True


def announce() -> None:
    """Writes the event of a start, with the command line."""
    thread.busy = True
    try:
        try:
            with open("/proc/self/cmdline", "rb") as file:
                line = [os.fsdecode(part) for part in file.read(65_536).split(b"\0")[:-1]]
        except OSError:
            line = [sys.executable, *getattr(sys, "argv", [])]
        record("start", "python " + ".".join(map(str, sys.version_info[:3])), json.dumps(line))
    finally:
        thread.busy = False


# Tokens


def text(value: Any) -> str:
    """A str, bytes or path as text; empty for what is none of them."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, memoryview):
        return value.tobytes().decode("utf-8", "replace")
    if isinstance(value, os.PathLike):
        return text(os.fspath(value))
    return ""


def tokens(value: Any) -> tuple[str, ...]:
    """The tokens of this run in a text, bytes, a path, or a list of them."""
    if isinstance(value, (list, tuple)):
        found: list[str] = []
        for item in value[:ITEMS]:
            for token in tokens(item):
                if token not in found:
                    found.append(token)
        return tuple(found[:TOKENS])
    if isinstance(value, (bytes, bytearray)):
        if state.needle not in value and len(value) > LOWERED:
            return ()
    elif value is None or isinstance(value, int):
        return ()
    whole = text(value)
    if state.prefix not in whole:
        if len(whole) > LOWERED:
            return ()
        whole = whole.lower()
        if state.prefix not in whole:
            return ()
    found = []
    length = len(state.prefix)
    at = whole.find(state.prefix)
    while at >= 0 and len(found) < TOKENS:
        token = whole[at : at + length + 4]
        if len(token) == length + 4 and all(digit in DIGITS for digit in token[length:]) and token not in found:
            found.append(token)
        at = whole.find(state.prefix, at + length)
    return tuple(found)


def piece(whole: str) -> str:
    """A long text cut to what stands around its first token."""
    if len(whole) <= VALUE:
        return whole
    at = max(whole.find(state.prefix), 0)
    begin = max(at - BEFORE, 0)
    return whole[begin : begin + VALUE]


# Stacks


def caller() -> FrameType | None:
    """The innermost frame that is not the monitor's."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code.co_filename.startswith(OWN):
        frame = frame.f_back
    return frame


def module_of(frame: FrameType | None) -> str:
    name = frame.f_globals.get("__name__") if frame is not None else ""
    return name if isinstance(name, str) else ""


def stack() -> list[list[Any]]:
    frames: list[list[Any]] = []
    frame = caller()
    while frame is not None and len(frames) < FRAMES:
        file = frame.f_code.co_filename
        if not file.startswith(("<frozen importlib", "<frozen runpy", "<frozen site", OWN)):
            if not file.startswith(("<", os.sep)):
                file = os.path.join(state.cwd, file)
            frames.append([_clean(file[-FILE:]), frame.f_lineno or 0, _clean(frame.f_code.co_name[:FUNCTION])])
        frame = frame.f_back
    return frames + thread.outer[: FRAMES - len(frames)]


# Events


def record(kind: str, call: str, value: str, found: tuple[str, ...] = (), blocked: bool = False, shell: bool = False) -> None:
    """Writes one event, or counts it as lost."""
    pid = _getpid()
    if pid != state.pid:
        _begin(pid)
    value = piece(value)
    # A layer and the one below it (SQLAlchemy and its driver, a connection and its cursor) tell of the same thing.
    if found and (kind, value) in thread.levels[:-1]:
        return
    if thread.levels:
        thread.levels[-1] = (kind, value)
    if state.written > EVENTS:
        return
    key = (kind, call, found)
    count = state.counts.get(key, 0) + 1
    state.counts[key] = count
    if state.written == EVENTS:
        _line("lost", call, f"{EVENTS} events of this process", found, False, False, [])
    elif count <= ALIKE:
        _line(kind, call, value, found, blocked, shell, stack() if kind != "start" else [])
    elif count == ALIKE + 1:
        _line("lost", call, f"{kind}: {ALIKE} events alike", found, False, False, [])


def _line(kind: str, call: str, value: str, found: tuple[str, ...], blocked: bool, shell: bool, frames: list[list[Any]]) -> None:
    state.written += 1
    event: dict[str, Any] = {"kind": kind, "call": call, "value": _clean(value), "tokens": found, "stack": frames}
    event.update(blocked=blocked, shell=shell, pid=state.pid, number=next(state.numbers))
    data = json.dumps(event).encode("ascii") + b"\n"
    try:
        status = _fstat(state.file)
        if (status.st_dev, status.st_ino) != state.identity:  # the application closed it, and opened its own
            raise OSError
    except OSError:
        _new()
    _write(state.file, data)


def _clean(value: str) -> str:
    """Without lone surrogates, which no reader of JSON needs to take."""
    return value.encode("utf-8", "replace").decode("utf-8")


def _begin(pid: int) -> None:
    """A new process, by a start or a fork."""
    if state.file >= 0:
        try:
            status = _fstat(state.file)
            if (status.st_dev, status.st_ino) == state.identity:
                _close(state.file)
        except OSError:
            pass
    state.pid, state.file, state.written = pid, -1, 0
    state.counts, state.numbers = {}, itertools.count(1)


def _new() -> None:
    state.file, state.identity = -1, (0, 0)
    for number in range(1_000):
        try:
            file = _open(
                os.path.join(state.folder, f"events-{state.pid}-{number}.jsonl"),
                os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_CLOEXEC", 0),
                0o600,
            )
        except FileExistsError:
            continue
        status = _fstat(file)
        state.file, state.identity = file, (status.st_dev, status.st_ino)
        return


def note(
    kind: str, call: str, value: str, held: Any = None, *, harmless: bool = False, shell: bool = False, noted: tuple[str, ...] | None = None
) -> BaseException | None:
    """An event if ``held`` (else ``value``) holds a token; what must be raised for it, where it is stopped."""
    found = noted if noted is not None else tokens(value if held is None else held)
    if not found:
        return None
    blocked = state.block and not harmless
    record(kind, call, value, found, blocked, shell)
    return refusal(call) if blocked else None


def refusal(call: str) -> BaseException:
    return PermissionError(EACCES, f"blocked by headwater: {call}")


def within(check: Any, *args: Any) -> None:
    """Runs a check of the monitor; raises only what it wants raised."""
    if thread.busy:
        return
    thread.busy = True
    try:
        error = check(*args)
    except Exception:  # a fault of the monitor is none of the application's
        error = None
    finally:
        thread.busy = False
    if error is not None:
        raise error


def told(check: Any, original: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call of ``original`` that is told of, with what it calls in turn."""
    levels = thread.levels
    levels.append(())
    try:
        within(check, args, kwargs)
        return original(*args, **kwargs)
    finally:
        levels.pop()
