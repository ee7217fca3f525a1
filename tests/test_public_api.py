"""What importers may rely on."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys

import headwater


def test_public_names_are_these() -> None:
    assert headwater.__all__ == ["__version__", "review"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", headwater.__version__)
    assert list(inspect.signature(headwater.review).parameters) == ["path", "config", "progress", "baseline"]


def test_all_public_names_are_documented() -> None:
    assert headwater.__doc__
    assert headwater.review.__doc__


def test_import_loads_nothing_heavy() -> None:
    """Importing the package, or asking for the version, must not pay for the engine."""
    code = "import sys, headwater; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    assert loaded.isdisjoint({"msgspec", "rich", "yaml", "tree_sitter", "click"})
