"""The folder of a run: a copy of the application, a home of its own, canaries, and what the monitors write. It is removed at the end.

Layout: ``work`` (the copy), ``home``, ``tmp``, ``scratch`` (canaries and secrets), ``events/<start>``, ``wire`` (certificates, sockets).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from headwater import limits

SHARED: Final = frozenset({".venv", "venv", "env", "node_modules", ".tox", ".nox"})
"""Folders of installed packages: linked, not copied. They are large, and environments of Python do not move."""
LEFT_OUT: Final = frozenset({".git", ".hg", ".svn", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"})


class Folder(NamedTuple):
    """The folders of one run."""

    root: Path

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def scratch(self) -> Path:
        return self.root / "scratch"

    @property
    def wire(self) -> Path:
        return self.root / "wire"

    def events(self, start: int) -> Path:
        return self.root / "events" / str(start)


@contextlib.contextmanager
def made() -> Iterator[Folder]:
    """A folder of a run, only the user's own, which is gone afterwards."""
    root = Path(os.path.realpath(tempfile.mkdtemp(prefix="headwater-prove-")))
    try:
        folder = Folder(root)
        for one in (folder.home, folder.temporary, folder.scratch, folder.wire, folder.root / "events"):
            one.mkdir(mode=0o700)
        yield folder
    finally:
        remove(root)


def remove(place: Path) -> bool:
    """Removes what is there, even where the application has taken rights away; False where that failed. Links are not followed."""
    if place.is_symlink() or not place.is_dir():
        with contextlib.suppress(OSError):
            place.unlink()
    else:
        shutil.rmtree(place, ignore_errors=True)
        if os.path.lexists(place):
            _unlock(place)
            shutil.rmtree(place, ignore_errors=True)
    return not os.path.lexists(place)


def _unlock(place: Path) -> None:
    """Gives rights back from the top down: a folder must be open before what is in it can be seen."""
    waiting = [place]
    while waiting:
        one = waiting.pop()
        with contextlib.suppress(OSError):
            os.chmod(one, stat.S_IRWXU)
            with os.scandir(one) as entries:
                waiting += [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]


def renew(folder: Folder) -> None:
    """Empties the home and the folder of temporary files: an application keeps answers there."""
    for one in (folder.home, folder.temporary):
        if remove(one):
            one.mkdir(mode=0o700)


class CopyError(ValueError):
    """The application cannot be copied."""


def copy(source: Path, folder: Folder) -> None:
    """Copies the application to ``work``, in place of an earlier copy; links within it lead into the copy, others where they led.

    Raises :class:`CopyError` where it is too large, or the earlier copy cannot be removed.
    """
    if not remove(folder.work):
        raise CopyError("the application has made a folder that cannot be removed")
    left = [limits.PROVE_COPY_FILES, limits.PROVE_COPY_BYTES]
    source = Path(os.path.realpath(source))
    _copy(source, folder.work, left, source, folder.work)


def _link(path: str, source: Path, work: Path) -> str:
    """Where a link of the copy leads."""
    named = os.readlink(path)
    target = os.path.normpath(os.path.join(os.path.dirname(path), named))
    if target != str(source) and not target.startswith(os.path.join(source, "")):
        return target
    return named if not os.path.isabs(named) else os.path.normpath(os.path.join(work, os.path.relpath(target, source)))


def _copy(source: Path, target: Path, left: list[int], top: Path, work: Path) -> None:
    target.mkdir()
    with os.scandir(source) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        made = target / entry.name
        if entry.name in LEFT_OUT:
            continue
        if entry.is_symlink():
            made.symlink_to(_link(entry.path, top, work))
        elif entry.is_dir():
            if entry.name in SHARED:
                made.symlink_to(os.path.realpath(entry.path))
            else:
                _copy(Path(entry.path), made, left, top, work)
        elif entry.is_file():
            left[0] -= 1
            left[1] -= entry.stat().st_size
            if min(left) < 0:
                raise CopyError(
                    f"the application has more than {limits.PROVE_COPY_FILES:,} files or {limits.PROVE_COPY_BYTES >> 20:,} MiB; "
                    "give the folder that it needs"
                )
            shutil.copy2(entry.path, made)


def usable(work: Path, names: Iterable[str]) -> str:
    """The last of these folders that is below the application's, with one beside it whose name begins the same; empty: none is."""
    named = [Path(os.path.normpath(os.path.join(work, name))) for name in names]
    inside = [one for one in named if one.is_dir() and one != work and one.is_relative_to(work)]
    if not inside:
        return ""
    root = Path(os.path.realpath(inside[-1]))
    if root.is_relative_to(work):  # where a link leads elsewhere nothing is made
        root.with_name(f"{root.name}_evil").mkdir(exist_ok=True)
    return str(root)
