"""Writes reports: to files in one step, to standard output as bytes."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from pathlib import Path

from headwater.cli import ClosedOutputError, FailureError, say

__all__ = ["check", "encoded", "is_terminal", "say", "show", "write"]


def check(path: str) -> None:
    """Fails before the analysis where the report could not be written after it."""
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise FailureError(f"cannot write {path}: it is a folder")
    if not target.parent.is_dir():
        raise FailureError(f"cannot write {path}: there is no folder {target.parent}")
    if not os.access(target if target.exists() else target.parent, os.W_OK):
        raise FailureError(f"cannot write {path}: no permission")


def write(path: str, data: bytes) -> None:
    """Replaces a file as a whole: a reader sees the old report or the new one, never half of one."""
    # A link stays a link: what it points to is replaced.
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file():  # a device or a pipe cannot be replaced
            target.write_bytes(data)
            return
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name[:40]}.", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                os.fchmod(file.fileno(), mode)
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise FailureError(f"cannot write {path}: {error.strerror or error}") from None


def _umask() -> int:
    # It can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def show(data: bytes) -> None:
    """Writes to standard output; raises ClosedOutputError where nobody reads it any more."""
    if sys.stdout is None:
        raise FailureError("cannot write to standard output: it is closed")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise ClosedOutputError from None  # click would end the process with the status of a failed gate
    except OSError as error:
        raise FailureError(f"cannot write to standard output: {error.strerror or error}") from None


def encoded(text: str) -> bytes:
    """Text in the encoding of standard output; what that cannot say is written as an escape."""
    return text.encode(getattr(sys.stdout, "encoding", None) or "utf-8", "backslashreplace")


def is_terminal(stream: object) -> bool:
    """Whether it shows colours and can be written over."""
    try:
        return bool(stream.isatty()) and os.environ.get("TERM") != "dumb"  # type: ignore[attr-defined]
    except (AttributeError, ValueError):  # none, or closed
        return False
