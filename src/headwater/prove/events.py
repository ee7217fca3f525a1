"""What monitors saw in the process of an application, as values; the files that they write.

Each process writes one file of JSON lines, ``<folder>/events-<pid>-<n>.jsonl``, which may end in the middle of a line (a process that
was killed).
The file is written by the application under test: it is hostile input, bounded by ``limits``.
"""

from __future__ import annotations

from typing import Final

import msgspec

TOKEN: Final = r"hwc[0-9a-f]{10}"
"""What marks a hostile value: six digits of the run, four of the attempt. Monitors look for it in what operations are given."""

KINDS: Final = {
    "start": "a monitor was loaded into a process",
    "compile": "text was compiled or parsed as code (no proof: validators do it too)",
    "exec": "code that holds the token was executed",
    "process": "a program was started, or a shell was given a command",
    "read": "a file was opened for reading, a folder listed, or its attributes were read",
    "write": "a file was opened for writing, made, renamed or removed",
    "sql": "a statement was given to a database",
    "connect": "a connection was opened, or a name was looked up",
    "request": "a request of HTTP was sent",
    "import": "a module was imported by a name that holds the token",
    "unpickle": "an object of a pickle was looked up or made",
    "listen": "the process listens at an address",
    "template": "a text was compiled as a template",
    "outside": "a connection to something other than this machine was refused by the monitor",
    "lost": "events were not written, because a bound was reached",
}


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """One frame of a stack."""

    file: str
    line: int
    function: str


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that a process did or tried to do."""

    kind: str
    """One of ``KINDS``."""
    call: str
    """The operation, as the language calls it: ``os.system``, ``sqlite3.execute``, ``child_process.spawn``."""
    value: str
    """What it was given, as text, cut: the command (a list of arguments as JSON), path, statement, address, or the piece of code
    around the token."""
    tokens: tuple[str, ...] = ()
    """The tokens in what it was given, in order of first sight, each once; empty for kinds that are noted without one."""
    blocked: bool = False
    """Whether the monitor stopped it before it had an effect."""
    shell: bool = False
    """Of a process: a shell is given the command."""
    stack: tuple[Frame, ...] = ()
    """Innermost first, without the monitor's own frames and those of the interpreter's bootstrap."""
    pid: int = 0
    number: int = 0
    """Position within the process, from 1."""


class Control(msgspec.Struct, frozen=True):
    """What the monitor is told: the JSON file that the environment variable ``HEADWATER_PROOF`` names."""

    folder: str
    """Where events are written."""
    prefix: str
    """``hwc`` and the six digits of this run: tokens of other runs are none."""
    block: bool = True
    """Stop what carries a token before it has an effect."""
    scratch: str = ""
    """The folder of canaries."""
    hosts: tuple[str, ...] = ()
    """Names whose connections are redirected to ``redirect`` even where the environment is ignored; ``*``: all that are not loopback."""
    redirect: int = 0
    """Port on 127.0.0.1 that speaks TLS for any name and plain HTTP; 0: connections to the outside are refused."""
    authority: str = ""
    """PEM file of the certificate authority that is to be trusted besides others."""


ENVIRONMENT: Final = "HEADWATER_PROOF"
