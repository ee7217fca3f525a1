"""Lines of JSON to and from a process, with an end to waiting."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import threading
import time
from typing import IO, Any, Final

from headwater import limits
from headwater.prove.launch import Process

_WAITING: Final = 64  # lines that were said and not read yet
_PATIENCE: Final = 10.0  # seconds until a process reads what is said to it


class Channel:
    """Standard input and output of a process that was started to talk. What it says is hostile: lines that are no object are skipped."""

    def __init__(self, process: Process) -> None:
        self._process = process
        # Who says more than is read must wait.
        self._came: queue.Queue[dict[str, Any] | None] = queue.Queue(maxsize=_WAITING)
        self._ended = False
        os.set_blocking(process.stdin.fileno(), False)
        threading.Thread(target=self._listen, args=(process.stdout,), daemon=True).start()

    def _listen(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            while line := stream.readline(16 * limits.PROVE_ANSWER):
                try:
                    value = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                if isinstance(value, dict):
                    self._came.put(value)
        self._came.put(None)

    def write(self, value: object) -> None:
        """Says one line; one that nobody reads is lost."""
        data = json.dumps(value).encode() + b"\n"
        until = time.monotonic() + _PATIENCE
        with contextlib.suppress(OSError, ValueError):
            place = self._process.stdin.fileno()
            while data and (left := until - time.monotonic()) > 0:
                if select.select([], [place], [], left)[1]:
                    data = data[os.write(place, data) :]

    def read(self, seconds: float) -> dict[str, Any] | None:
        """The next line; None where none comes in time, or none will."""
        if self._ended:
            return None
        try:
            value = self._came.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None
        self._ended = value is None
        return value
