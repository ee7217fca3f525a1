"""Writes the files of a revision that a review reads into an empty folder, straight from git's objects.

Nothing of the repository is run: no hooks, no filters, no attributes, no submodules. Names that lead elsewhere are left out, and links
that leave the tree; what is left out is told.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from headwater import limits
from headwater.files import npm
from headwater.files.discover import FRONTENDS, is_deployed, language_of, language_of_shebang, safe
from headwater.files.gitobjects import GitError, LargeError, Objects
from headwater.files.package import tells
from headwater.files.papers import is_paper
from headwater.files.read import most_bytes
from headwater.files.versions import is_manifest
from headwater.files.weights import is_candidate
from headwater.findings import Gap

_FOLDER: Final = 0o040000
_LINK: Final = 0o120000
_SUBMODULE: Final = 0o160000
_OTHERS: Final = frozenset({"headwater.toml", "pyvenv.cfg"})
_METADATA: Final = b".dist-info/METADATA"
_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class Name(NamedTuple):
    """One name in a revision."""

    path: bytes
    mode: int
    id: str


class Written(NamedTuple):
    """What stands in the folder."""

    files: dict[str, str]
    """The id of the content of each file, by path."""
    gaps: list[Gap]


def write(objects: Objects, tree: str, folder: str, whole: Collection[str] = ()) -> Written:
    """Writes a tree into a folder that is empty. Below the paths in ``whole`` every file is written."""
    files: dict[str, str] = {}
    gaps: list[Gap] = []
    links: list[Name] = []
    made = {b""}
    asked_for = [os.fsencode(one) for one in whole]

    def told(name: Name, reason: str) -> None:
        if len(gaps) < limits.GAPS_OF_KIND:
            gaps.append(Gap("comparison", safe(os.fsdecode(name.path)), 0, reason, partial=False))

    for name in _names(objects, tree):
        file = os.fsdecode(name.path.rpartition(b"/")[2])
        if name.mode == _SUBMODULE:
            told(name, "a submodule: what it was before is not known, and its findings count as new")
            continue
        if name.mode == _LINK:
            links.append(name)
            continue
        asked = any(name.path == one or name.path.startswith(one + b"/") for one in asked_for)
        if not asked and not _is_read(name.path, file):
            continue
        model = is_candidate(file)
        try:
            data = objects.read(name.id, "blob", limits.MODEL_OF_BASE if model else most_bytes(language_of(file)))
        except LargeError:
            if model:
                told(name, "a model file that is too large to be compared: its findings count as new")
            continue  # as in the review of the work tree
        named = asked or "." in file or is_manifest(file) or is_paper(file) or tells(os.fsdecode(name.path))
        named = named or name.path.endswith(_METADATA)
        if not named and language_of_shebang(data[:128]) not in FRONTENDS:
            continue
        if data.startswith(_POINTER) and not model:
            told(name, "a pointer of git LFS: what the file was before is not known, and its findings count as new")
            continue
        if len(files) >= limits.FILES:
            raise GitError(f"the revision has more than {limits.FILES:,} source files")
        try:
            _folders(folder, name.path, made)
            descriptor = os.open(os.path.join(os.fsencode(folder), name.path), _FLAGS, 0o600)
        except OSError as error:
            told(name, f"it could not be written to be compared ({error.strerror or 'error'})")
            continue
        with open(descriptor, "wb") as out:
            out.write(data)
        files[safe(os.fsdecode(name.path))] = name.id
    for name in links:
        _link(objects, folder, name, made)
    return Written(files, gaps)


def _is_read(path: bytes, file: str) -> bool:
    """Whether a review may read a file of this name."""
    if (
        language_of(file) in FRONTENDS
        or is_candidate(file)
        or is_manifest(file)
        or file in npm.FILES
        or file in _OTHERS
        or tells(os.fsdecode(path))
    ):
        return True
    return "." not in file or path.endswith(_METADATA) or is_deployed(file) or is_paper(file)


def _names(objects: Objects, tree: str) -> Iterator[Name]:
    """All names of a tree but folders; raises GitError."""
    stack = [(b"", tree, 0)]
    seen = 0
    while stack:
        prefix, id, depth = stack.pop()
        if depth > limits.DEPTH_OF_FOLDERS:
            continue  # as in the review of the work tree
        below = []
        for mode, name, child in _entries(objects.read(id, "tree", limits.GIT_TREE_BYTES), len(id) // 2):
            seen += 1
            if seen > limits.NAMES:
                raise GitError(f"the revision has more than {limits.NAMES:,} names")
            if name in (b"", b".", b"..") or b"/" in name or b"\\" in name or name.lower() == b".git":
                continue  # git makes no such name
            if mode == _FOLDER:
                below.append((prefix + name + b"/", child, depth + 1))
            else:
                yield Name(prefix + name, _SUBMODULE if mode == _SUBMODULE else _LINK if stat.S_ISLNK(mode) else 0, child)
        stack.extend(reversed(below))


def _entries(data: bytes, size: int) -> Iterator[tuple[int, bytes, str]]:
    at = 0
    while at < len(data):
        blank, end = data.find(b" ", at), data.find(b"\0", at)
        if not at < blank < end or end + 1 + size > len(data):
            raise GitError("a tree is damaged")
        try:
            mode = int(data[at:blank], 8)
        except ValueError:
            raise GitError("a tree is damaged") from None
        yield mode, data[blank + 1 : end], data[end + 1 : end + 1 + size].hex()
        at = end + 1 + size


def _folders(folder: str, path: bytes, made: set[bytes]) -> None:
    """Makes the folders above a file. All of them are ours: links are made last."""
    parent = path.rpartition(b"/")[0]
    missing = []
    while parent not in made:
        missing.append(parent)
        parent = parent.rpartition(b"/")[0]
    for one in reversed(missing):
        os.mkdir(os.path.join(os.fsencode(folder), one), 0o700)
        made.add(one)


def _link(objects: Objects, folder: str, name: Name, made: set[bytes]) -> None:
    """A link inside the tree; any other one is left out, as a review does not follow it."""
    try:
        target = objects.read(name.id, "blob", 4_096)
    except LargeError:
        return
    if not target or b"\0" in target or target.startswith((b"/", b"\\")):
        return
    inside = os.path.normpath(os.path.join(b"/x/" + os.path.dirname(name.path), target))
    # Before links are followed: one that goes up behind another link could still leave.
    if not inside.startswith(b"/x/") or b".." in target.lstrip(b"./").split(b"/"):
        return
    try:
        _folders(folder, name.path, made)
        os.symlink(target, os.path.join(os.fsencode(folder), name.path))
    except OSError:
        return  # of two names that this file system does not tell apart
