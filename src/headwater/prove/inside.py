"""Starts the application with bounds on it, and in a network of its own where the system has it.

A program of its own, ``python -I inside.py SPEC COMMAND...``, with the standard library alone: what it sets must hold in the application
and not in
Headwater, and a process with threads cannot set it safely between fork and exec. ``SPEC`` is JSON: ``limits`` (name of a limit to its
value),
``ports`` (``[host, port, socket]``: what is asked for at that address inside goes to a socket of the parent's) and ``doors`` (``[socket,
port]``: what comes
to that socket goes to the port of the application), ``told`` (a file that is written where processes of the application were ended that it
had left behind). Without ``ports`` the network is that of the system.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import socket
import struct
import sys
import threading
import time

_NEW_USER = 0x10000000  # CLONE_NEWUSER, linux/sched.h
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
_PARENT_DEATH = 1  # PR_SET_PDEATHSIG, linux/prctl.h
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER, linux/prctl.h
_SWEEPS = 1_000  # each ends a layer of processes: those whose parents have ended come up as children
_GRACE = 0.5  # seconds in which helpers that notice the end of what they help end by themselves
NOT_STARTED = 127  # the status of shells for a command that is not there
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP


def separated() -> bool:
    """Puts this process into a network without a way out, with a loopback that works. False where the system forbids it."""
    user, group = os.getuid(), os.getgid()
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(_NEW_USER | _NEW_NETWORK):
        return False
    # The same user inside: files keep their owner.
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        request = struct.pack("16sh", b"lo", 0).ljust(40, b"\0")
        flags = struct.unpack("16sh", fcntl.ioctl(one, _GET_FLAGS, request)[:18])[1]
        fcntl.ioctl(one, _SET_FLAGS, struct.pack("16sh", b"lo", flags | _UP).ljust(40, b"\0"))
    return True


def pump(one: socket.socket, other: socket.socket) -> None:
    """Hands on what comes, in both directions, until both have ended."""

    def half(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    back = threading.Thread(target=half, args=(other, one), daemon=True)
    back.start()
    half(one, other)
    back.join()
    one.close()
    other.close()


def relay(listener: socket.socket, family: int, target: object) -> None:
    """Hands each connection on to an address."""
    while True:
        try:
            came, _ = listener.accept()
        except OSError:
            return
        onward = socket.socket(family, socket.SOCK_STREAM)
        try:
            onward.connect(target)  # type: ignore[arg-type]
        except OSError:
            onward.close()
            came.close()
            continue
        threading.Thread(target=pump, args=(came, onward), daemon=True).start()


def listening(family: int, address: object) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    if family == socket.AF_INET:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(address)  # type: ignore[arg-type]
    one.listen(64)
    return one


def adopting() -> None:
    """Makes this process the parent of what the application starts and leaves behind (Linux; elsewhere a group of processes must do)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0)


def sweep(grace: float) -> int:
    """Ends all that the application left running, also in sessions of its own; returns how many processes there were after a while."""
    ended, until = 0, time.monotonic() + grace
    while children() and time.monotonic() < until:
        with contextlib.suppress(OSError):
            if not os.waitpid(-1, os.WNOHANG)[0]:
                time.sleep(0.02)
    for _ in range(_SWEEPS):
        mine = children()
        if not mine:
            break
        for one in mine:
            with contextlib.suppress(OSError):
                os.kill(one, signal.SIGKILL)
        for one in mine:
            with contextlib.suppress(OSError):
                os.waitpid(one, 0)
        ended += len(mine)
    return ended


def children() -> list[int]:
    """The processes whose parent is this one."""
    own, found = str(os.getpid()), []
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdigit():
                with contextlib.suppress(OSError, IndexError), open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    if file.read().rpartition(")")[2].split()[1] == own:
                        found.append(int(name))
    return found


def main() -> None:
    spec, command = json.loads(sys.argv[1]), sys.argv[2:]
    for name, value in spec.get("limits", {}).items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
    ports, doors = spec.get("ports"), spec.get("doors", [])
    pairs: list[tuple[socket.socket, int, object]] = []
    if ports is not None:
        if not separated():
            sys.exit("the network cannot be separated")
        pairs = [(listening(socket.AF_INET, (host, port)), socket.AF_UNIX, path) for host, port, path in ports]
        pairs += [(listening(socket.AF_UNIX, path), socket.AF_INET, ("127.0.0.1", port)) for path, port in doors]
    adopting()
    child = os.fork()
    if not child:
        for listener, _, _ in pairs:
            listener.close()
        try:
            os.execvpe(command[0], command, os.environ)
        except (OSError, ValueError) as error:
            sys.stderr.write(f"{command[0]}: {getattr(error, 'strerror', '') or error}\n")
            sys.stderr.flush()
            os._exit(NOT_STARTED)
    # The streams are the application's: who reads them sees the end when it has ended.
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    for listener, family, target in pairs:
        threading.Thread(target=relay, args=(listener, family, target), daemon=True).start()
    asked: list[int] = []

    def end(number: int, _: object) -> None:
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGKILL if asked else number)
        asked.append(number)

    def gone(_: int, __: object) -> None:
        asked.append(signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGKILL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    # Where Headwater is ended by a signal that it cannot answer, the application ends too.
    signal.signal(signal.SIGHUP, gone)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH, signal.SIGHUP, 0, 0, 0)
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == child:
            break
    left = sweep(0.0 if asked else _GRACE)
    code = os.waitstatus_to_exitcode(status)
    if left and spec.get("told"):
        with open(spec["told"], "w", encoding="ascii") as file:
            file.write(str(left))
    os._exit(128 - code if code < 0 else code)


if __name__ == "__main__":
    main()
