"""What git's own files say: which files are tracked. Read without running git, whose configuration may name programs to run."""

from __future__ import annotations

import os
import struct
from typing import Final

from headwater import limits
from headwater.files.read import UnreadableError, read_bytes

_HEADER: Final = 12
_MODE: Final = 24
_STAT: Final = 40  # what stands before the object id
_EXTENDED: Final = 0x4000
_NAME: Final = 0xFFF


class Tracked:
    """The tracked files of a repository, by their paths as bytes."""

    __slots__ = ("files", "folders")

    def __init__(self, files: frozenset[bytes]) -> None:
        self.files = files
        folders: set[bytes] = set()
        for file in files:
            parent = file.rpartition(b"/")[0]
            while parent and parent not in folders:
                folders.add(parent)
                parent = parent.rpartition(b"/")[0]
        self.folders = folders

    def below(self, folder: bytes) -> list[bytes]:
        """The tracked files below a folder."""
        return [file for file in self.files if file.startswith(folder + b"/")] if folder in self.folders else []


def git_folder(root: str) -> str | None:
    """The folder that holds the index: ``.git``, or what a ``.git`` file of a worktree or submodule names."""
    dot_git = os.path.join(root, ".git")
    if os.path.isdir(dot_git):
        return dot_git
    try:
        text = read_bytes(dot_git, limits.GIT_FILE_BYTES)
    except UnreadableError:
        return None
    if not text.startswith(b"gitdir:"):
        return None
    return os.path.join(root, os.fsdecode(text[len(b"gitdir:") :].strip()).replace("\0", ""))


def tracked(root: str) -> Tracked | None:
    """The tracked files; None where there is no index that can be read."""
    folder = git_folder(root)
    if folder is None:
        return None
    try:
        data = read_bytes(os.path.join(folder, "index"), limits.GIT_INDEX_BYTES)
    except UnreadableError:
        return None
    for id_bytes in (20, 32):  # SHA-1, SHA-256: only the configuration tells which
        try:
            return Tracked(frozenset(_names(data, id_bytes)))
        except (ValueError, IndexError, struct.error):
            continue
    return None


def _names(data: bytes, id_bytes: int) -> list[bytes]:
    """The names in an index of version 2, 3 or 4."""
    magic, version, count = struct.unpack_from(">4sII", data)
    if magic != b"DIRC" or version not in (2, 3, 4):
        raise ValueError
    out: list[bytes] = []
    at, name = _HEADER, b""
    for _ in range(count):
        begin = at
        if data[at + _MODE : at + _MODE + 2] != b"\0\0":
            raise ValueError
        at += _STAT + id_bytes
        flags = int.from_bytes(data[at : at + 2], "big")
        at += 4 if flags & _EXTENDED else 2
        if version == 4:
            dropped, at = _varint(data, at)
            end = data.index(b"\0", at)
            name = name[: max(len(name) - dropped, 0)] + data[at:end]
            at = end + 1
        else:
            end = data.index(b"\0", at)
            name = data[at:end]
            at = begin + ((end - begin + 8) & ~7)
        if not name or (flags & _NAME) != min(len(name), _NAME):
            raise ValueError
        out.append(name)
    return out


def _varint(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    at += 1
    value = byte & 0x7F
    while byte & 0x80:
        byte = data[at]
        at += 1
        value = ((value + 1) << 7) | (byte & 0x7F)
        if value > limits.GIT_INDEX_BYTES:
            raise ValueError
    return value, at
