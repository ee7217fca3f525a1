"""Stand-ins for a frontend that fails in every way; workers import them by name."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time

from headwater import ir
from headwater.files.source import Source


def good(source: Source, language: str) -> ir.Module:
    body: list[ir.AnyInstr] = [ir.Const(0, len(source.data), 0, source.text[:50])]
    function = ir.Function("<module>", "<module>", 0, len(source.data), [], (), (), 1, {}, {}, None, [], body, flags=("a", "b"))
    return ir.Module(source.path, language, [function], [], {}, [], [], None, {}, [ir.Gap(0, 1, source.digest)])


def by_text(source: Source, language: str) -> ir.Module:
    text = source.text
    if "segfault" in text:
        ctypes.string_at(0)
    if "exit" in text:
        os._exit(0)
    if "kill" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "hang" in text:
        time.sleep(1_000)
    if "raise" in text:
        raise ValueError(text)
    if "recurse" in text:
        return by_text(source, language)
    if "memory" in text:
        return ir.Module("x" * (1 << 44), language, [], [], {}, [], [], None, {}, [])
    if "print" in text:
        print("x" * 100_000)
        sys.stdout.flush()
        os.write(1, b"y" * 100_000)
    if "integer" in text:
        module = good(source, language)
        module.functions[0].body = [ir.Const(0, 1, 0, 1 << 80)]
        return module
    if "malformed" in text:
        module = good(source, language)
        module.functions[0].name = 5  # type: ignore[assignment]
        return module
    return good(source, language)


def once(source: Source, language: str) -> ir.Module:
    """Crashes on a file the first time: as when the system ends an innocent process."""
    if "kill" in source.text:
        marker = source.text.split()[1]
        if not os.path.exists(marker):
            with open(marker, "w"):
                os._exit(1)
    return good(source, language)


def slow(source: Source, language: str) -> ir.Module:
    time.sleep(0.05)
    return good(source, language)
