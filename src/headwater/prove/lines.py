"""Lines of JSON to and from a process, with an end to waiting."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from typing import IO, Any

from headwater import limits
from headwater.prove.launch import Process


class Channel:
    """Standard input and output of a process that was started to talk. What it says is hostile: lines that are no object are skipped."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._came: queue.Queue[dict[str, Any] | None] = queue.Queue()
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
        """Says one line; one that nobody reads any more is lost."""
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(json.dumps(value).encode() + b"\n")
            self._process.stdin.flush()

    def read(self, seconds: float) -> dict[str, Any] | None:
        """The next line; None where none comes in time, or none will."""
        try:
            value = self._came.get(timeout=seconds)
        except queue.Empty:
            return None
        if value is None:
            self._came.put(None)
        return value
