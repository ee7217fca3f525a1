"""Reads, parses and lowers files, in worker processes that may crash or hang: each costs only its own file.

Workers are started as plain subprocesses, and not by ``multiprocessing``. Its ``fork`` is unsafe where the caller has threads
(a progress display is enough); its ``spawn`` and ``forkserver`` begin with ``python -c`` without ``-P``, which puts
the working directory first on ``sys.path``: run inside a repository under review, a ``multiprocessing.py`` there
would be executed. They also pickle, and a worker that hostile bytes took over could answer with a pickle; here
both directions are typed msgpack.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Final, NamedTuple

import msgspec

import headwater
from headwater import ir, limits
from headwater.files.read import Entry, read_source
from headwater.files.source import Layout, Source
from headwater.findings import Gap

LOWERER: Final = "headwater.frontends.pool:lower_source"
_LENGTH: Final = 8
_READY: Final = b"ready"
_TICK: Final = 0.2
_JOIN_SECONDS: Final = 5.0
_BOOT: Final = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from headwater.frontends.pool import work; work(sys.argv[2])"

Progress = Callable[[int, int], None]
"""Called with the number of files done and the number of all."""


def lower_source(source: Source, language: str) -> ir.Module:
    """Lowers one file with the frontend of its language."""
    if language == "python":
        python = importlib.import_module("headwater.frontends.python")  # only workers pay for the parser
        module: ir.Module = python.lower(source.path, source.data)
        return module
    if language == "notebook":
        notebook = importlib.import_module("headwater.frontends.notebook")
        made: ir.Module = notebook.lower(source)
        return made
    if language in ("typescript", "javascript"):
        typescript = importlib.import_module("headwater.frontends.typescript")
        script: ir.Module = typescript.lower(source.path, source.data)
        return script
    if language in ("vue", "svelte"):
        components = importlib.import_module("headwater.frontends.components")
        component: ir.Module = components.lower(source.path, source.data)
        return component
    raise ValueError(f"no frontend for {language}")


class Lowered(NamedTuple):
    """What became of one file."""

    entry: Entry
    source: Source | None
    """None where the file could not be read, is not to be analysed, or ended a worker."""
    module: ir.Module | None
    gaps: list[Gap]
    packed: bytes | None
    """The module as msgpack, as a cache keeps it. No input of a digest: the order of a set in it is that of one process."""


def pack(module: ir.Module) -> bytes:
    """A module as msgpack."""
    return _MODULE_ENCODER.encode(module)


def unpack(packed: bytes) -> ir.Module:
    """The module that was packed."""
    return _MODULE_DECODER.decode(packed)


def lower_all(entries: Sequence[Entry], processes: int, progress: Progress | None = None, *, lowerer: str = LOWERER) -> Iterator[Lowered]:
    """Lowers files; yields in the order of the entries, the same for any number of processes.

    With ``processes`` below 2 all is done here, and a crash of a native parser is that of the caller. Closing the iterator
    (or an interrupt in it) ends the workers. ``lowerer`` is ``module:function``, with the signature of :func:`lower_source`.
    """
    if processes < 2 or not sys.executable:
        yield from _lower_here(entries, progress, lowerer)
        return
    if not entries:
        return
    supervisor = _Supervisor(entries, processes, lowerer)
    try:
        supervisor.start()
        yield from supervisor.results(progress)
    finally:
        supervisor.stop()


def _lower_here(entries: Sequence[Entry], progress: Progress | None, lowerer: str) -> Iterator[Lowered]:
    lower = _resolve(lowerer)
    for done, entry in enumerate(entries, 1):
        result = _result(entry, *_lower_one(entry, lower))
        if progress is not None:
            progress(done, len(entries))
        yield result


_Lower = Callable[[Source, str], ir.Module]


def _lower_one(entry: Entry, lower: _Lower) -> tuple[Source | None, bytes | None, list[Gap]]:
    source, gaps = read_source(entry)
    if source is None:
        return None, None, gaps
    try:
        return source, pack(lower(source, entry.language)), gaps
    except Exception as error:
        # Only the name of the error: its text may hold text of the repository.
        return source, None, [*gaps, _crash(entry, f"the frontend failed on it ({type(error).__name__})")]


def _result(entry: Entry, source: Source | None, packed: bytes | None, gaps: list[Gap]) -> Lowered:
    """The module is always unpacked again, here as from a worker: so what it is does not depend on where it was made."""
    module = None
    if packed is not None:
        try:
            module = unpack(packed)
        except (msgspec.MsgspecError, RecursionError):
            packed = None
            gaps = [*gaps, _crash(entry, "what the frontend made of it is malformed")]
    return Lowered(entry, source, module, gaps, packed)


def _crash(entry: Entry, reason: str) -> Gap:
    return Gap("crash", entry.path, 0, reason)


def _resolve(lowerer: str) -> _Lower:
    module, _, function = lowerer.partition(":")
    found: _Lower = getattr(importlib.import_module(module), function)
    return found


# -------------------------------------------------------------------------------------------------- messages


class _Answer(msgspec.Struct, array_like=True):
    """What a worker says of one file."""

    read: bool
    data: bytes
    encoding: str
    digest: str
    packed: bytes | None
    gaps: list[Gap]
    layout: Layout | None = None


_MODULE_ENCODER: Final = msgspec.msgpack.Encoder()
_MODULE_DECODER: Final = msgspec.msgpack.Decoder(ir.Module)
_ANSWER_DECODER: Final = msgspec.msgpack.Decoder(_Answer)
_CHUNK_DECODER: Final = msgspec.msgpack.Decoder(list[Entry])


def _send(stream: IO[bytes], message: bytes) -> None:
    stream.write(len(message).to_bytes(_LENGTH, "big"))
    stream.write(message)
    stream.flush()


def _receive(stream: IO[bytes], most: int) -> bytes | None:
    """The next message; None at the end of the stream, or where what comes is none."""
    head = stream.read(_LENGTH)
    size = int.from_bytes(head, "big")
    if len(head) < _LENGTH or size > most:
        return None
    message = stream.read(size)
    return message if len(message) == size else None


# ---------------------------------------------------------------------------------------------------- worker


def work(lowerer: str) -> None:
    """The main function of a worker: chunks of entries come on standard input, one answer for each file goes out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted too, and ends its workers
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a parser prints must not get among the answers
    _bound_memory()
    lower = _resolve(lowerer)
    _send(answers, _READY)
    while True:
        chunk = _receive(requests, limits.WORKER_ANSWER_BYTES)
        if chunk is None:
            break
        for entry in _CHUNK_DECODER.decode(chunk):
            _alarm(int(2 * limits.FILE_SECONDS))
            result = _lower_one(entry, lower)
            _alarm(0)
            _send(answers, _answer(*result))
    os._exit(0)


def _alarm(seconds: int) -> None:
    """Ends the worker even inside a native parser: for when the parent, which would have killed it before, is gone."""
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)


def _answer(source: Source | None, packed: bytes | None, gaps: list[Gap]) -> bytes:
    if source is None:
        return msgspec.msgpack.encode(_Answer(False, b"", "", "", None, gaps))
    return msgspec.msgpack.encode(_Answer(True, source.data, source.encoding, source.digest, packed, gaps, source.layout))


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:  # not on this system
        return
    for what, most in ((resource.RLIMIT_AS, limits.WORKER_BYTES), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(what)[1]
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


# ---------------------------------------------------------------------------------------------------- parent


class WorkerError(RuntimeError):
    """Workers cannot be started: the installation is broken, not a file."""


class _Worker:
    """One process, as its thread in the parent sees it."""

    def __init__(self, lowerer: str) -> None:
        # The working directory may be the repository under review: it must not be where modules are found.
        here, home = os.path.abspath("."), os.path.dirname(os.path.dirname(os.path.abspath(headwater.__file__)))
        places = [os.path.abspath(place) for place in sys.path if place]
        places = [place for place in places if place != here or place == home]
        command = [sys.executable, "-P", "-c", _BOOT, json.dumps(places), lowerer]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.since = time.monotonic()
        self.limit = limits.WORKER_START_SECONDS
        self.busy = True
        self.killed = False

    def send(self, message: bytes) -> bool:
        assert self.process.stdin is not None
        try:
            _send(self.process.stdin, message)
        except OSError:
            return False
        return True

    def receive(self) -> bytes | None:
        assert self.process.stdout is not None
        return _receive(self.process.stdout, limits.WORKER_ANSWER_BYTES)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


class _Finished(NamedTuple):
    number: int
    source: Source | None
    packed: bytes | None
    gaps: list[Gap]


class _Supervisor:
    """Gives chunks to workers and takes their answers: one thread for each worker, which only waits for it."""

    def __init__(self, entries: Sequence[Entry], processes: int, lowerer: str) -> None:
        self.entries = entries
        self.lowerer = lowerer
        self.chunks = deque(_chunks(entries))
        self.processes = min(processes, len(self.chunks))
        self.finished: queue.SimpleQueue[_Finished | BaseException] = queue.SimpleQueue()
        self.threads: list[threading.Thread] = []
        self.lock = threading.Lock()
        self.workers: set[_Worker] = set()
        self.attempts: dict[int, int] = {}
        self.unfinished = len(entries)
        self.crashes = 0
        self.hangs = 0
        self.stopping = False
        self.changed = threading.Condition(self.lock)

    def start(self) -> None:
        for _ in range(self.processes):
            thread = threading.Thread(target=self._guarded, daemon=True)
            self.threads.append(thread)
            thread.start()

    def stop(self) -> None:
        with self.lock:
            self.stopping = True
            workers = list(self.workers)
            self.changed.notify_all()
        for worker in workers:
            worker.process.kill()
        for thread in self.threads:
            thread.join(_JOIN_SECONDS)

    def results(self, progress: Progress | None) -> Iterator[Lowered]:
        """In the order of the entries."""
        waiting: dict[int, _Finished] = {}
        following = done = 0
        looked = time.monotonic()
        while following < len(self.entries):
            if time.monotonic() - looked >= _TICK:
                self._end_hanging()
                looked = time.monotonic()
            try:
                result = self.finished.get(timeout=_TICK)
            except queue.Empty:
                continue
            if isinstance(result, BaseException):
                raise result
            waiting[result.number] = result
            done += 1
            if progress is not None:
                progress(done, len(self.entries))
            while following in waiting:
                _, source, packed, gaps = waiting.pop(following)
                yield _result(self.entries[following], source, packed, gaps)
                following += 1

    def _end_hanging(self) -> None:
        now = time.monotonic()
        with self.lock:
            for worker in self.workers:
                if worker.busy and now - worker.since > worker.limit:
                    worker.killed = True
                    worker.process.kill()

    # ------------------------------------------------------------------------------------- threads of the parent

    def _guarded(self) -> None:
        try:
            self._serve()
        except BaseException as error:
            self.finished.put(error)

    def _serve(self) -> None:
        worker: _Worker | None = None
        try:
            while (chunk := self._next()) is not None:
                if worker is None:
                    worker = self._begin()
                    if worker is None:
                        return
                if not self._chunk(worker, chunk):
                    self._drop(worker)
                    worker = None
        finally:
            if worker is not None:
                self._drop(worker)

    def _next(self) -> list[int] | None:
        """The next chunk; None at the end. An idle thread stays: another's worker may crash and leave a chunk."""
        with self.lock:
            while not self.chunks and self.unfinished and not self.stopping:
                self.changed.wait()
            return self.chunks.popleft() if self.chunks and not self.stopping else None

    def _begin(self) -> _Worker | None:
        """A worker that is ready. One that ends before may have been ended by another, as with files: it gets a second try."""
        for _ in range(2):
            with self.lock:
                if self.stopping:
                    return None
                worker = _Worker(self.lowerer)
                self.workers.add(worker)
            if worker.receive() == _READY:
                worker.busy = False
                worker.limit = limits.FILE_SECONDS
                return worker
            self._drop(worker)
            if self.stopping:
                return None
        raise WorkerError("a worker process could not be started; with one process the reason shows")

    def _drop(self, worker: _Worker) -> None:
        worker.end()
        with self.lock:
            self.workers.discard(worker)

    def _chunk(self, worker: _Worker, chunk: list[int]) -> bool:
        """Has a chunk lowered; false where the worker ended, and what is left was given back."""
        worker.since = time.monotonic()
        worker.busy = True
        alive = worker.send(msgspec.msgpack.encode([self.entries[index] for index in chunk]))
        for position, index in enumerate(chunk):
            message = worker.receive() if alive else None
            answer = _decoded(message) if message is not None else None
            if answer is None:
                if not self.stopping:
                    self._failed(worker, chunk[position:])
                return False
            worker.since = time.monotonic()
            self._finish(index, answer)
        worker.busy = False
        return True

    def _finish(self, index: int, answer: _Answer) -> None:
        entry = self.entries[index]
        source = None
        if answer.read:
            source = Source(entry.path, answer.data, encoding=answer.encoding, digest=answer.digest, layout=answer.layout)
        self._put(_Finished(index, source, answer.packed, answer.gaps))

    def _put(self, result: _Finished) -> None:
        with self.lock:
            self.unfinished -= 1
            if not self.unfinished:
                self.changed.notify_all()
        self.finished.put(result)

    def _failed(self, worker: _Worker, left: list[int]) -> None:
        """The worker ended on the first of ``left``: answers come in order, and all that were sent were read."""
        index, rest = left[0], left[1:]
        entry = self.entries[index]
        reason = ""
        with self.lock:
            self.attempts[index] = self.attempts.get(index, 0) + 1
            if worker.killed:
                self.hangs += 1
                reason = f"the frontend gave no answer within {limits.FILE_SECONDS:g} seconds"
            elif self.attempts[index] > 1:  # once may be another's doing: the system ends any process when memory runs out
                self.crashes += 1
                reason = "the frontend crashed on it"
            give_up = self.crashes > limits.CRASHES or self.hangs > limits.HANGS
            dropped: list[int] = []
            if give_up:
                dropped = [*([] if reason else [index]), *rest, *(other for chunk in self.chunks for other in chunk)]
                self.chunks.clear()
            else:
                if rest:
                    self.chunks.appendleft(rest)
                if not reason:
                    self.chunks.appendleft([index])
                self.changed.notify_all()
        if reason:
            self._put(_Finished(index, None, None, [_crash(entry, reason)]))
        for other in dropped:
            gap = _crash(self.entries[other], "not looked at: the frontend crashed on too many files")
            self._put(_Finished(other, None, None, [gap]))


def _decoded(message: bytes) -> _Answer | None:
    try:
        return _ANSWER_DECODER.decode(message)
    except msgspec.MsgspecError:
        return None


def _chunks(entries: Sequence[Entry]) -> list[list[int]]:
    """Large files first and alone, so that none is left for the end; the others in order, which keeps few results waiting."""
    large: list[int] = []
    chunks: list[list[int]] = []
    room = 0
    for index, entry in enumerate(entries):
        if entry.size >= limits.CHUNK_BYTES:
            large.append(index)
            continue
        if not chunks or room < entry.size or len(chunks[-1]) >= limits.CHUNK_FILES:
            chunks.append([])
            room = limits.CHUNK_BYTES
        chunks[-1].append(index)
        room -= entry.size
    large.sort(key=lambda index: (-entries[index].size, index))
    return [[index] for index in large] + chunks
