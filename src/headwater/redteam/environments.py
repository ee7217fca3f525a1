"""The environments in which Garak and PyRIT run: never Headwater's own, each with its version pinned, made only when the user says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from headwater.cache import default_folder

TIMEOUT: Final = 30 * 60  # of one step of an installation: pip may take many minutes to choose versions
_ASKED: Final = 60  # seconds in which an interpreter tells a version


class UnusableError(Exception):
    """There is no environment to run in; the message says why."""


class Package(msgspec.Struct, frozen=True):
    """What is installed, and what that costs, as measured."""

    name: str
    version: str
    size: str
    time: str


PACKAGES: Final = {
    "garak": Package(
        "garak", "0.17.1", "5.4 GB on Linux, where PyPI's torch brings CUDA; 1.7 GB where torch is one for the CPU", "1 to 15 minutes"
    ),
    "pyrit": Package("pyrit", "1.1.0", "0.8 GB with uv, 1.1 GB with pip", "under a minute to 7 minutes"),
}


def folder(tool: str) -> Path:
    """Where its environment is kept: in the user's cache."""
    base = default_folder()
    if not base:
        raise UnusableError("there is no cache folder to keep it in: name one with --environment DIR")
    return Path(base) / "redteam" / f"{tool}-{PACKAGES[tool].version}"


def interpreter(environment: Path) -> Path:
    """The Python of an environment."""
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def version(tool: str, python: Path) -> str:
    """The version of the tool that this Python has; empty where it has none."""
    ask = f"import importlib.metadata as m; print(m.version({PACKAGES[tool].name!r}))"
    try:
        done = subprocess.run([python, "-I", "-c", ask], capture_output=True, text=True, timeout=_ASKED, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnusableError(f"{python} cannot be run: {error}") from None
    return done.stdout.strip() if done.returncode == 0 else ""


def offer(tool: str, environment: Path) -> str:
    """What is said before anything is installed."""
    what = PACKAGES[tool]
    with_ = "uv" if shutil.which("uv") else "venv and pip"
    return f"{tool} {what.version} would be installed into {environment} with {with_}: {what.size}, {what.time}"


def commands(tool: str, environment: Path, uv: str | None) -> list[list[str]]:
    """The steps of the installation."""
    what = PACKAGES[tool]
    wanted = f"{what.name}=={what.version}"
    python = os.fspath(interpreter(environment))
    if uv is not None:
        return [
            [uv, "venv", "--python", sys.executable, os.fspath(environment)],
            [uv, "pip", "install", "--python", python, wanted],
        ]
    return [[sys.executable, "-m", "venv", os.fspath(environment)], [python, "-m", "pip", "install", "--quiet", wanted]]


def install(tool: str, environment: Path) -> None:
    """Makes the environment; what the installer says goes to standard error."""
    environment.parent.mkdir(parents=True, exist_ok=True)
    made = not environment.exists()
    try:
        for command in commands(tool, environment, shutil.which("uv")):
            done = subprocess.run(command, stdout=sys.stderr, timeout=TIMEOUT, check=False)
            if done.returncode:
                raise UnusableError(f"'{' '.join(command[:4])} ...' ended with status {done.returncode}")
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnusableError(f"the installation failed: {error}") from None
    finally:
        # Half an environment would be taken for a whole one.
        if made and sys.exc_info()[0] is not None:
            shutil.rmtree(environment, ignore_errors=True)
