"""The folder of a run: a copy of the application, a home of its own, canaries, and what the monitors write. It is removed at the end.

Layout: ``work`` (the copy), ``home``, ``tmp``, ``scratch`` (canaries and secrets), ``events/<start>``, ``wire`` (certificates, sockets).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
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
        shutil.rmtree(root, ignore_errors=True)
        if root.exists():  # the application has taken rights away
            for place, _, _ in os.walk(root):
                with contextlib.suppress(OSError):
                    os.chmod(place, stat.S_IRWXU)
            shutil.rmtree(root, ignore_errors=True)


class CopyError(ValueError):
    """The application cannot be copied."""


def copy(source: Path, folder: Folder) -> None:
    """Copies the application to ``work``, in place of an earlier copy; links lead where they led.

    Raises :class:`CopyError` where it is too large.
    """
    if folder.work.exists():
        shutil.rmtree(folder.work, ignore_errors=True)
    left = [limits.PROVE_COPY_FILES, limits.PROVE_COPY_BYTES]
    _copy(source, folder.work, left)


def _copy(source: Path, target: Path, left: list[int]) -> None:
    target.mkdir()
    with os.scandir(source) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        made = target / entry.name
        if entry.name in LEFT_OUT:
            continue
        if entry.is_symlink():
            # Relative ones stay relative, so that they lead into the copy.
            made.symlink_to(os.readlink(entry.path))
        elif entry.is_dir():
            if entry.name in SHARED:
                made.symlink_to(os.path.realpath(entry.path))
            else:
                _copy(Path(entry.path), made, left)
        elif entry.is_file():
            left[0] -= 1
            left[1] -= entry.stat().st_size
            if min(left) < 0:
                raise CopyError(
                    f"the application has more than {limits.PROVE_COPY_FILES:,} files or {limits.PROVE_COPY_BYTES >> 20:,} MiB; "
                    "give the folder that it needs, or --in-place"
                )
            shutil.copy2(entry.path, made)
