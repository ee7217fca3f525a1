"""Entry point of the command ``headwater`` and of ``python -m headwater``."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line and ends the process with its status."""
    from headwater.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
