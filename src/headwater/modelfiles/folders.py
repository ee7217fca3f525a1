"""Finds the files to examine below the paths that a user names. No link is followed out of them."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from typing import Final, NamedTuple

from headwater import limits
from headwater.files.discover import safe
from headwater.modelfiles import dispatch
from headwater.modelfiles.verdicts import Examined

_STORES: Final = frozenset({".git", ".hg", ".svn", "__pycache__"})


class File(NamedTuple):
    """A file to examine."""

    name: str
    """What results call it: relative to the folder that was named, forward slashes."""
    absolute: str
    size: int


class Found(NamedTuple):
    files: list[File]
    """By name."""
    others: list[Examined]
    """What is not examined, and is told: links, and what cannot be read."""
    skipped: int
    """Programs, documents and pictures."""


def find(paths: Sequence[str]) -> Found:
    """The files at and below the paths. One that is named is examined whatever it is, and even where it is a link."""
    starts = [os.path.realpath(path) for path in paths]
    root = os.path.commonpath([start if os.path.isdir(start) else os.path.dirname(start) for start in starts])
    walk = _Walk(root)
    for start in starts:
        if os.path.isdir(start):
            walk.folder(start)
        else:
            walk.add(start, os.stat(start).st_size)
    return walk.found()


class _Walk:
    def __init__(self, root: str) -> None:
        self.root = root
        self.files: dict[str, File] = {}
        self.links: list[str] = []
        self.others: list[Examined] = []
        self.skipped = 0
        self.folders: set[str] = set()
        self.names = 0

    def name(self, absolute: str) -> str:
        return safe(os.path.relpath(absolute, self.root).replace(os.sep, "/"))

    def add(self, absolute: str, size: int) -> None:
        self.files.setdefault(absolute, File(self.name(absolute), absolute, size))

    def folder(self, start: str) -> None:
        stack = [(start, 0)]
        while stack:
            folder, depth = stack.pop()
            if folder in self.folders:
                continue
            self.folders.add(folder)
            below: list[str] = []
            try:
                with os.scandir(folder) as found:
                    children = sorted(found, key=lambda child: child.name)
            except OSError as error:
                self.others.append(dispatch.unreadable(self.name(folder), "unreadable", f"The folder cannot be read: {error.strerror}."))
                continue
            for child in children:
                self.names += 1
                if self.names > limits.NAMES:
                    message = f"There are more than {limits.NAMES:,} names; the rest was not looked at."
                    self.others.append(dispatch.unreadable(self.name(folder), "too-many", message))
                    return
                self.child(child, below)
            if depth >= limits.DEPTH_OF_FOLDERS and below:
                message = f"It is more than {limits.DEPTH_OF_FOLDERS} folders deep."
                self.others.append(dispatch.unreadable(self.name(folder), "nesting", message))
            else:
                stack += [(name, depth + 1) for name in reversed(below)]

    def child(self, child: os.DirEntry[str], below: list[str]) -> None:
        try:
            if child.is_symlink():
                self.links.append(child.path)
            elif child.is_dir(follow_symlinks=False):
                if child.name not in _STORES:
                    below.append(child.path)
            elif child.is_file(follow_symlinks=False):
                if dispatch.is_looked_at(child.path, child.name):
                    self.add(child.path, child.stat(follow_symlinks=False).st_size)
                else:
                    self.skipped += 1
        except OSError as error:
            self.others.append(dispatch.unreadable(self.name(child.path), "unreadable", f"It cannot be read: {error.strerror}."))

    def found(self) -> Found:
        for link in self.links:
            try:
                target = os.path.realpath(link, strict=True)
                kind = os.lstat(target).st_mode
            except (OSError, ValueError):
                continue  # it leads nowhere: nothing can be loaded by it
            inside = target in self.files or any(target == one or target.startswith(one + os.sep) for one in self.folders)
            if not inside and (stat.S_ISDIR(kind) or dispatch.is_looked_at(target, link)):
                message = "It is a link out of the folder that was named, and was not followed: what it leads to has to be named itself."
                self.others.append(dispatch.unreadable(self.name(link), "link", message))
        return Found(sorted(self.files.values()), self.others, self.skipped)
