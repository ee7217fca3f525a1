"""Reads the events that monitors wrote. The application could write to the same folder: all of it is hostile input."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from headwater import limits
from headwater.prove.events import KINDS, TOKEN, Event

_NAME = re.compile(r"events-([0-9]{1,9})-([0-9]{1,4})\.jsonl")
_TOKEN = re.compile(TOKEN)
_DECODER = msgspec.json.Decoder(Event)


def read(folder: Path) -> list[Event]:
    """The events of all processes, each process's in order. What is no event is left out; where a bound cuts, ``lost`` ends the list."""
    reader = Reader(folder)
    events = list(reader.news())
    if reader.cut:
        events.append(Event(kind="lost", call="headwater", value="there are more events than are read"))
    return events


class Reader:
    """Reads on in the files of a folder that are still being written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done: dict[str, int] = {}
        """By file: the bytes of it that were read, whole lines."""
        self._count = 0
        self.cut = False
        """Whether a bound was reached: there are events that are not told."""

    def news(self) -> Iterator[Event]:
        """The events since the last time, by process."""
        names, cut = _files(self._folder)
        self.cut |= cut
        for name in names:
            done = self._done.get(name, 0)
            data = _bytes(self._folder / name, done)
            if done + len(data) > limits.PROOF_EVENTS_BYTES:
                self.cut = True
                data = data[: limits.PROOF_EVENTS_BYTES - done]
            whole = data.rpartition(b"\n")[0]
            self._done[name] = done + len(whole) + 1 if whole else done
            for line in whole.split(b"\n"):
                event = _event(line)
                if event is None:
                    continue
                if self._count >= limits.PROOF_EVENTS:
                    self.cut = True
                    return
                self._count += 1
                yield event


def _files(folder: Path) -> tuple[list[str], bool]:
    """Names of files of events by process, and whether there are too many."""
    try:
        with os.scandir(folder) as entries:
            seen = [entry.name for entry in islice(entries, limits.PROOF_EVENTS_FILES + 1)]
    except OSError:
        return [], False
    matches = [match for match in map(_NAME.fullmatch, seen) if match]
    matches.sort(key=lambda match: (int(match[1]), int(match[2]), match[0]))
    return [match[0] for match in matches], len(seen) > limits.PROOF_EVENTS_FILES


def _bytes(path: Path, start: int) -> bytes:
    """A regular file from a place on, one byte more than is read of it; nothing of a link, a pipe or a device."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return b""
    with os.fdopen(descriptor, "rb") as file:
        try:
            file.seek(start)
            return file.read(limits.PROOF_EVENTS_BYTES - start + 1)
        except OSError:
            return b""


def _event(line: bytes) -> Event | None:
    if not line or len(line) > limits.PROOF_EVENT_BYTES:
        return None
    try:
        event = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if event.kind not in KINDS or not all(map(_TOKEN.fullmatch, event.tokens)):
        return None
    return event
