"""Entry point of the command ``headwater`` and of ``python -m headwater``."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Runs the command line and ends the process with its status."""
    from headwater.cli import USAGE, run

    gc.disable()  # for good: the first collection after a large review would look at all that it made
    status = run(sys.argv[1:])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        status = status or USAGE  # the report was not written whole
    os._exit(status)  # to take millions of objects apart one by one costs seconds


if __name__ == "__main__":
    main()
