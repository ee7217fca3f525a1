"""Examines many files, in worker processes: one that ends a worker costs only its own verdict.

Workers are plain subprocesses that never look for modules in the working directory, and speak typed msgpack; the reasons are those of
``frontends.pool``.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import IO, Final

import msgspec

import headwater
from headwater import limits
from headwater.modelfiles import dispatch
from headwater.modelfiles.folders import File
from headwater.modelfiles.verdicts import Examined

Progress = Callable[[int, int], None]
_LENGTH: Final = 8
_TICK: Final = 0.2
_JOIN: Final = 2.0
_BOOT: Final = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from headwater.modelfiles.pool import work; work()"


class Scanned(msgspec.Struct, array_like=True):
    """What was found in one file."""

    files: list[Examined]
    """The file itself, then its members."""
    sources: list[tuple[str, bytes]]
    """Python code that loading it runs, or may run."""


_DECODER: Final = msgspec.msgpack.Decoder(Scanned)


def scan(files: Sequence[File], processes: int, progress: Progress | None = None, hashed: bool = True) -> list[Scanned]:
    """What was found in each of the files, in their order."""
    if processes < 2 or len(files) < 2 or not sys.executable:
        found = []
        for done, file in enumerate(files, 1):
            found.append(Scanned(*dispatch.scan_file(file.absolute, file.name, hashed)))
            if progress is not None:
                progress(done, len(files))
        return found
    pool = _Pool(files, min(processes, len(files)), hashed)
    try:
        pool.start()  # an interrupt may come while some workers are there already
        return pool.results(progress)
    finally:
        pool.stop()


def work() -> None:
    """The main function of a worker: a file comes on standard input, what was found in it goes out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted too, and ends its workers
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get among the answers
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        most = limits.WORKER_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    while (message := _receive(requests)) is not None:
        absolute, name, hashed = msgspec.msgpack.decode(message, type=tuple[bytes, str, bool])
        _send(answers, msgspec.msgpack.encode(Scanned(*dispatch.scan_file(os.fsdecode(absolute), name, hashed))))
    os._exit(0)


def _send(stream: IO[bytes], message: bytes) -> None:
    stream.write(len(message).to_bytes(_LENGTH, "big"))
    stream.write(message)
    stream.flush()


def _receive(stream: IO[bytes]) -> bytes | None:
    """The next message; None at the end of the stream."""
    head = stream.read(_LENGTH)
    size = int.from_bytes(head, "big")
    if len(head) < _LENGTH or size > limits.WORKER_ANSWER_BYTES:
        return None
    message = stream.read(size)
    return message if len(message) == size else None


class _Pool:
    """One thread for each worker, which only waits for it."""

    def __init__(self, files: Sequence[File], processes: int, hashed: bool) -> None:
        self.files = files
        self.hashed = hashed
        self.waiting: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        # The largest first, so that none is left for the end; results are put in order afterwards.
        for number in sorted(range(len(files)), key=lambda one: (-files[one].size, one)):
            self.waiting.put(number)
        for _ in range(processes):
            self.waiting.put(None)
        self.finished: queue.SimpleQueue[tuple[int, Scanned] | BaseException] = queue.SimpleQueue()
        self.stopping = False
        self.lock = threading.Lock()
        self.workers: set[subprocess.Popen[bytes]] = set()
        self.processes = processes
        self.threads: list[threading.Thread] = []

    def start(self) -> None:
        for _ in range(self.processes):
            thread = threading.Thread(target=self._serve, daemon=True)
            thread.start()
            self.threads.append(thread)

    def results(self, progress: Progress | None) -> list[Scanned]:
        found: dict[int, Scanned] = {}
        while len(found) < len(self.files):
            try:  # with a pause, so that an interrupt is seen
                one = self.finished.get(timeout=_TICK)
            except queue.Empty:
                continue
            if isinstance(one, BaseException):
                raise one
            found[one[0]] = one[1]
            if progress is not None:
                progress(len(found), len(self.files))
        return [found[number] for number in range(len(self.files))]

    def stop(self) -> None:
        with self.lock:
            self.stopping = True
            workers = list(self.workers)
        for worker in workers:
            worker.kill()
        for thread in self.threads:
            thread.join(_JOIN)

    def _serve(self) -> None:
        worker: subprocess.Popen[bytes] | None = None
        try:
            while (number := self.waiting.get()) is not None and not self.stopping:
                scanned = None
                for _ in range(2):  # a worker may have been ended by what is not the file's fault
                    worker = worker or self._begin()
                    if worker is None:
                        return
                    scanned = self._ask(worker, self.files[number])
                    if scanned is not None or self.stopping:
                        break
                    self._end(worker)
                    worker = None
                if scanned is None:
                    message = "The process that examined it ended: it asks for more memory than there is, or breaks the examination."
                    scanned = Scanned([dispatch.unreadable(self.files[number].name, "crash", message)], [])
                self.finished.put((number, scanned))
        except BaseException as error:
            self.finished.put(error)
        finally:
            if worker is not None:
                self._end(worker)

    def _begin(self) -> subprocess.Popen[bytes] | None:
        here, home = os.path.abspath("."), os.path.dirname(os.path.dirname(os.path.abspath(headwater.__file__)))
        places = [os.path.abspath(place) for place in sys.path if place]
        places = [place for place in places if place != here or place == home]
        with self.lock:
            if self.stopping:
                return None
            command = [sys.executable, "-P", "-c", _BOOT, json.dumps(places)]
            worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.workers.add(worker)
        return worker

    def _ask(self, worker: subprocess.Popen[bytes], file: File) -> Scanned | None:
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            _send(worker.stdin, msgspec.msgpack.encode((os.fsencode(file.absolute), file.name, self.hashed)))
            message = _receive(worker.stdout)
            return None if message is None else _DECODER.decode(message)
        except (OSError, msgspec.MsgspecError):
            return None

    def _end(self, worker: subprocess.Popen[bytes]) -> None:
        worker.kill()
        worker.wait()
        for stream in (worker.stdin, worker.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        with self.lock:
            self.workers.discard(worker)
