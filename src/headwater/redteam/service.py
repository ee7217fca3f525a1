"""Starts the application that is attacked, waits until it answers, and ends it."""

from __future__ import annotations

import contextlib
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from headwater.redteam.target import TargetError, end


@contextlib.contextmanager
def served(command: str, url: str, log: Path, wait: float) -> Iterator[None]:
    """Runs a command until the block ends. It is ready when something listens at the address; nothing may listen there before."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if _listens(host, port):
        raise TargetError(f"--serve: something listens at {host}:{port} already")
    try:
        words = shlex.split(command)
        with open(log, "wb") as file:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
    except (OSError, ValueError, IndexError) as error:
        raise TargetError(f"--serve: {error}") from None
    try:
        last = time.monotonic() + wait
        while not _listens(host, port):
            if process.poll() is not None:
                raise TargetError(f"--serve: the command ended with status {process.returncode}; what it said is in {log}")
            if time.monotonic() > last:
                raise TargetError(f"--serve: nothing listens at {host}:{port} after {wait:g} s; what it said is in {log}")
            time.sleep(0.1)
        yield
    finally:
        end(process)


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False
