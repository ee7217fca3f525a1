"""Starts the application: with an environment of its own, bounds on it, and an end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final, NamedTuple

from headwater import limits
from headwater.prove import inside
from headwater.prove.folder import Folder

_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TZ", "TERM", "SYSTEMROOT", "LD_LIBRARY_PATH", "NVM_DIR", "PYENV_ROOT", "VIRTUAL_ENV")
"""What the application gets of the user's environment: no key, no token, no address of a service."""


class Network(NamedTuple):
    """What the application may reach: ports of Headwater on loopback, given to it where its network is separate."""

    ports: tuple[tuple[str, int], ...]
    separate: bool


def can_separate() -> bool:
    """Whether this system lets a process have a network of its own."""
    if not sys.platform.startswith("linux"):
        return False
    probe = "import runpy,sys; sys.exit(not runpy.run_path(sys.argv[1])['separated']())"
    done = subprocess.run(
        [sys.executable, "-I", "-c", probe, inside.__file__], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return done.returncode == 0


def environment(folder: Folder, *parts: Mapping[str, str]) -> dict[str, str]:
    """The application's environment; later parts outrank earlier ones, but for search paths, which are joined."""
    made = {name: os.environ[name] for name in _KEPT if name in os.environ}
    made |= {
        "HOME": str(folder.home),
        "XDG_CONFIG_HOME": str(folder.home / ".config"),
        "XDG_CACHE_HOME": str(folder.home / ".cache"),
        "XDG_DATA_HOME": str(folder.home / ".local/share"),
        "TMPDIR": str(folder.temporary),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONHASHSEED": "0",
        "NO_COLOR": "1",
    }
    for part in parts:
        for name, value in part.items():
            if name == "PYTHONPATH" and made.get(name):
                value = f"{made[name]}{os.pathsep}{value}"
            elif name == "NODE_OPTIONS" and made.get(name):
                value = f"{made[name]} {value}"
            made[name] = value
    return made


class Process:
    """The application while it runs. What it prints is kept, its end at most ``limits.PROVE_OUTPUT`` bytes of each stream."""

    def __init__(self, started: subprocess.Popen[bytes], streams: Sequence[IO[bytes]]) -> None:
        self._started = started
        self.pid = started.pid
        self._kept: list[bytearray] = [bytearray() for _ in streams]
        self._readers = [threading.Thread(target=self._read, args=pair, daemon=True) for pair in zip(streams, self._kept, strict=True)]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream: IO[bytes], kept: bytearray) -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := os.read(stream.fileno(), 65536):
                kept += data
                if len(kept) > 2 * limits.PROVE_OUTPUT:
                    del kept[: -limits.PROVE_OUTPUT]

    @property
    def stdin(self) -> IO[bytes]:
        assert self._started.stdin is not None
        return self._started.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """Of one that was started to talk."""
        assert self._started.stdout is not None
        return self._started.stdout

    @property
    def running(self) -> bool:
        return self._started.poll() is None

    @property
    def status(self) -> int | None:
        """Its exit status, negative: ended by that signal; None while it runs."""
        return self._started.poll()

    @property
    def output(self) -> str:
        """What it printed: standard output (where it is not a channel of a driver) and standard error."""
        return "".join(bytes(one[-limits.PROVE_OUTPUT :]).decode("utf-8", "replace") for one in self._kept)

    def wait(self, seconds: float) -> bool:
        """Waits for its end; False where it still runs."""
        try:
            self._started.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        for reader in self._readers:
            reader.join(1.0)
        return True

    def end(self) -> None:
        """Ends it and all that it started, kindly at first."""
        # The first word goes to all, the second has the launcher end the application by force and then all that it left behind.
        for number, to, seconds in ((signal.SIGTERM, os.killpg, 2.0), (signal.SIGTERM, os.kill, 3.0), (signal.SIGKILL, os.killpg, 5.0)):
            if number == signal.SIGKILL or self.running:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    to(self._started.pid, number)
                self.wait(seconds)
        for stream in (self._started.stdin, self._started.stdout, self._started.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


@contextlib.contextmanager
def network(folder: Folder, network: Network) -> Iterator[list[tuple[str, int, str]]]:
    """Sockets through which a separate network reaches Headwater's ports."""
    listeners: list[socket.socket] = []
    made: list[tuple[str, int, str]] = []
    try:
        for number, (host, port) in enumerate(network.ports if network.separate else ()):
            path = str(folder.wire / f"{number}.sock")
            listener = inside.listening(socket.AF_UNIX, path)
            listeners.append(listener)
            threading.Thread(target=inside.relay, args=(listener, socket.AF_INET, (host, port)), daemon=True).start()
            made.append((host, port, path))
        yield made
    finally:
        for listener in listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # closing alone does not wake who waits for connections
            listener.close()


def start(
    command: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    *,
    seconds: float,
    ports: Sequence[tuple[str, int, str]] | None = None,
    doors: Sequence[tuple[str, int]] = (),
    talks: bool = False,
    told: str = "",
) -> Process:
    """Starts a command in a group of its own. ``ports`` and ``doors``: those of a separate network, None: that of the system.

    ``told``: a file that is written where the application left processes behind.

    ``talks``: standard input and output are a channel (``talk`` of the caller), only standard error is kept. Raises OSError.
    """
    bounds = {
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": limits.PROVE_FILE_BYTES,
        "RLIMIT_CPU": int(seconds * (os.cpu_count() or 1)) + 10,
    }
    spec: dict[str, object] = {"limits": bounds, "told": told}
    if ports is not None:
        spec |= {"ports": list(ports), "doors": list(doors)}
    launcher = [sys.executable, "-I", inside.__file__, json.dumps(spec)]
    started = subprocess.Popen(
        [*launcher, *command],
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert started.stdout is not None
    assert started.stderr is not None
    return Process(started, [started.stderr] if talks else [started.stdout, started.stderr])


def free_port() -> int:
    """A port on which nothing listens now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def opened(port: int, process: Process, seconds: float, door: str = "") -> bool:
    """Waits until the application listens; False where it ended, or did not in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.running:
        with contextlib.suppress(OSError), connected(port, door) as one:
            one.settimeout(0.2)
            if not door:
                return True
            # A door is open before what is behind it: an answer, or silence, tells that somebody is there.
            try:
                if one.recv(1):
                    return True
            except TimeoutError:
                return True
        time.sleep(0.05)
    return False


def ending(one: socket.socket, seconds: float) -> threading.Timer:
    """Ends a connection after some time, however little at a time comes from it; to be cancelled."""

    def end() -> None:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    return timer


def connected(port: int, door: str = "") -> socket.socket:
    """A connection to a port of the application."""
    if not door:
        return socket.create_connection(("127.0.0.1", port), timeout=limits.PROVE_REQUEST_SECONDS)
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    one.settimeout(limits.PROVE_REQUEST_SECONDS)
    try:
        one.connect(door)
    except OSError:
        one.close()
        raise
    return one
