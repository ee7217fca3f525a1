"""Watches what a Python process does with the values of one proof. Standard library only, Python 3.8 and later.

``record`` writes events, ``audit`` hears the interpreter's audit events, ``wrappers`` the libraries that raise none, ``network``
keeps connections on this machine.
"""

from __future__ import annotations


def start() -> None:
    """Begins, once for a process and its forks, where the environment names a readable control file."""
    from . import record

    if record.started() or not record.load():
        return
    from . import audit, network, wrappers

    wrappers.install({**network.PATCHES, **wrappers.PATCHES})
    audit.install()
    record.announce()
