"""What earlier reviews found out and later ones need not find out again, in a folder of the user's, outside the repository.

Three kinds of things are kept. *Cards*, one file for each reviewed folder: of each source file what the ledger and the comments need, and
the digest of its IR. *IR*, one file for each source file, by the digest of what it was made from. *Results*, one file for each
analysis, by the digest of all that goes into it: the IR of all files, rules, models, declared versions. A change that leaves the IR
as it is (a comment at the end of a file) leaves the result valid.

A cache is never trusted: each file begins with the digest of the rest, all is typed msgpack, and what does not fit counts as absent.
Rules and API models are kept as well (``headwater.rules.builtin``), as they are read slower than most projects are reviewed.

Files are written beside their place and moved there, so that runs at the same time, full disks and killed processes leave only
whole files. Nothing that a report says depends on it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import msgspec

import headwater
from headwater import ir, limits
from headwater.components import SystemMap
from headwater.findings import Finding, Gap

VARIABLE: Final = "HEADWATER_CACHE"
_FORM: Final = b"headwater-cache 1\n"
_DIGEST: Final = 32
_MADE_WITH: Final = ("msgspec", "tree-sitter", "tree-sitter-python")
_Type = TypeVar("_Type")


class Card(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is known of one source file besides its code."""

    digest: str
    """SHA-256 of the file."""
    size: int
    """Of the file, in bytes."""
    lines: int
    module: str
    """SHA-256 of the IR as msgpack."""
    end: int
    """Where its code ends, as an offset: behind it are only comments."""
    parse: list[ir.Gap]
    """What parsing it said."""
    remarks: list[ir.Remark]
    keys: bool = False
    """Whether a key of a provider stands in it (``headwater.files.secrets``)."""


class Result(msgspec.Struct, frozen=True, array_like=True):
    """What an analysis found."""

    findings: list[Finding]
    gaps: list[Gap]
    functions: int
    counts: dict[str, int]
    texts: dict[str, str]
    """The digests of the files whose text was looked at beside their IR."""
    system: SystemMap = SystemMap()


class _Cards(msgspec.Struct, array_like=True):
    files: dict[str, Card]


def default_folder(environment: Mapping[str, str] = os.environ) -> str:
    """Where the cache is; empty: nowhere. ``HEADWATER_CACHE`` names the folder, or turns it off where it is empty or ``off``."""
    if VARIABLE in environment:
        named = environment[VARIABLE]
        return "" if named in ("", "off") else named
    home = os.path.expanduser("~")
    if home in ("~", "/", ""):  # a user without a home
        return ""
    if sys.platform == "win32":
        base = environment.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches")
    else:
        base = environment.get("XDG_CACHE_HOME", "") or os.path.join(home, ".cache")
    return os.path.join(base, "headwater") if os.path.isabs(base) else ""


def digest_of(parts: Iterable[bytes]) -> str:
    """SHA-256 of some texts, none of which can be taken for two."""
    made = hashlib.sha256()
    for part in parts:
        made.update(len(part).to_bytes(8, "big"))
        made.update(part)
    return made.hexdigest()


def sealed(data: bytes) -> bytes:
    """A file with this in it."""
    return _FORM + hashlib.sha256(data).digest() + data


def opened(file: bytes) -> bytes | None:
    """What is in such a file; None where it is not whole."""
    head = len(_FORM) + _DIGEST
    data = file[head:]
    return data if file.startswith(_FORM) and hashlib.sha256(data).digest() == file[len(_FORM) : head] else None


def tool() -> str:
    """What the program is: a change of one of its files makes all that was kept stale."""
    from importlib import metadata  # late: it takes as long as all that is read here, and runs without a cache do not need it

    home = Path(headwater.__file__).parent
    parts = [sys.version.encode(), headwater.__version__.encode(), *(metadata.version(name).encode() for name in _MADE_WITH)]
    for folder, folders, names in os.walk(home):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            found = os.stat(os.path.join(folder, name))
            parts.append(f"{os.path.relpath(folder, home)}/{name} {found.st_size} {found.st_mtime_ns}".encode("utf-8", "surrogateescape"))
    return digest_of(parts)


class Cache:
    """A folder of kept things. Where it cannot be used, nothing is found and nothing is kept, and ``problem`` says why."""

    def __init__(self, folder: str, root: Path, *, cards: bool = True) -> None:
        self._with_cards = cards
        self.problem = ""
        self.written = 0
        self._tool = ""
        self._root = os.path.realpath(root)
        self._folder = os.path.abspath(folder) if folder else ""
        if self._folder:
            self._prepare()

    @property
    def usable(self) -> bool:
        """Whether there is one."""
        return bool(self._folder)

    @property
    def tool(self) -> str:
        """:func:`tool`, asked once."""
        if not self._tool:
            self._tool = tool()
        return self._tool

    def cards(self) -> dict[str, Card]:
        """By path: what is known of the files of this folder."""
        found = self._load(self._cards_name(), _Cards) if self.usable and self._with_cards else None
        return found.files if found is not None else {}

    def keep_cards(self, files: dict[str, Card]) -> None:
        if self._with_cards:
            self._save(self._cards_name(), _Cards(files))

    def module(self, path: str, card: Card) -> ir.Module | None:
        """The IR of a file."""
        data = self._read(self._module_name(path, card.digest))
        if data is None or hashlib.sha256(data).hexdigest() != card.module:
            return None
        try:
            return _MODULE.decode(data)
        except (msgspec.MsgspecError, RecursionError):
            return None

    def keep_module(self, path: str, digest: str, packed: bytes) -> None:
        self._write(self._module_name(path, digest), packed)

    def result(self, key: str) -> Result | None:
        return self._load(f"results/{key[:2]}/{key}", Result)

    def keep_result(self, key: str, result: Result) -> None:
        self._save(f"results/{key[:2]}/{key}", result)

    def made(self, name: str, type_: type[_Type], make: Callable[[], _Type]) -> _Type:
        """What the program makes of its own files, under a name: kept until they change."""
        if not self.usable:
            return make()
        place = f"made/{name}-{self.tool}"
        found = self._load(place, type_)
        if found is None:
            found = make()
            self._save(place, found)
        return found

    def shrink(self, most: int = limits.CACHE_BYTES) -> None:
        """Removes what was used least lately, until no more than ``most`` bytes are left; only where this run has added something."""
        if not self.usable or not self.written:
            return
        found: list[tuple[float, int, str]] = []
        for folder, _, names in os.walk(self._folder):
            for name in names:
                path = os.path.join(folder, name)
                with contextlib.suppress(OSError):
                    about = os.lstat(path)
                    found.append((about.st_mtime, about.st_size, path))
        left = sum(size for _, size, _ in found)
        if left <= most:
            return
        for _, size, path in sorted(found):
            if left <= most * 3 // 4:  # not again at once
                break
            with contextlib.suppress(OSError):
                os.unlink(path)
                left -= size

    # --------------------------------------------------------------------------------------------------- files

    def _prepare(self) -> None:
        """The folder must be the user's alone, and no part of what is reviewed."""
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            real = os.path.realpath(self._folder)
            about = os.stat(real)
        except OSError as error:
            self._give_up(f"it cannot be made ({error.strerror})")
            return
        if real == self._root or real.startswith(os.path.join(self._root, "")):
            self._give_up("it is inside the reviewed folder")
        elif hasattr(os, "getuid") and (about.st_uid != os.getuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
            self._give_up("others may write to it")
        else:
            self._folder = real

    def _give_up(self, why: str) -> None:
        self.problem = f"the cache {self._folder} is not used: {why}"
        self._folder = ""

    def _cards_name(self) -> str:
        return f"cards/{digest_of([self._root.encode('utf-8', 'surrogateescape'), self.tool.encode()])}"

    def _module_name(self, path: str, digest: str) -> str:
        key = digest_of([self.tool.encode(), path.encode("utf-8", "surrogateescape"), digest.encode()])
        return f"modules/{key[:2]}/{key}"

    def _load(self, name: str, type_: type[_Type]) -> _Type | None:
        data = self._read(name)
        if data is None:
            return None
        try:
            return msgspec.msgpack.decode(data, type=type_)
        except (msgspec.MsgspecError, RecursionError):
            return None

    def _read(self, name: str) -> bytes | None:
        if not self.usable:
            return None
        path = os.path.join(self._folder, name)
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
            with open(descriptor, "rb") as file:
                if os.fstat(descriptor).st_size > limits.CACHE_FILE_BYTES:
                    return None
                data = file.read()
        except OSError:
            return None
        inner = opened(data)
        if inner is not None:
            with contextlib.suppress(OSError):
                os.utime(path)
        return inner

    def _save(self, name: str, what: object) -> None:
        if self.usable:
            self._write(name, msgspec.msgpack.encode(what))

    def _write(self, name: str, data: bytes) -> None:
        if not self.usable or len(data) > limits.CACHE_FILE_BYTES // 2:
            return
        path = os.path.join(self._folder, name)
        temporary = ""
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
            with open(descriptor, "wb") as file:
                file.write(sealed(data))
            os.replace(temporary, path)
            self.written += len(data)
        except OSError as error:
            if temporary:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
            self._give_up(f"it cannot be written ({error.strerror})")


_MODULE: Final = msgspec.msgpack.Decoder(ir.Module)
