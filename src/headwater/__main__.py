"""Entry point of the command ``headwater`` and of ``python -m headwater``."""

from __future__ import annotations

import contextlib
import gc
import os
import sys


def main() -> None:
    """Runs the command line and ends the process with its status."""
    gc.disable()  # for good: the first collection after a large review would look at all that it made
    try:
        from headwater.cli import run

        status = run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules are still imported
        status = 130
        with contextlib.suppress(OSError):
            os.write(2, b"headwater: interrupted\n")
    try:
        if sys.stdout is not None:  # it was closed before the start
            sys.stdout.flush()
    except OSError:
        status = status or 2  # the report was not written whole
    with contextlib.suppress(OSError):
        if sys.stderr is not None:
            sys.stderr.flush()
    os._exit(status)  # to take millions of objects apart one by one costs seconds


if __name__ == "__main__":
    main()
