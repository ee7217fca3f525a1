"""``headwater doctor``: whether the installation is whole, and what it can look at."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

import click

from headwater import __version__
from headwater.cli import GATE_FAILED, OK, common, output

NEEDED: Final = ("click", "msgspec", "packaging", "PyYAML", "rich", "tree-sitter", "tree-sitter-python", "tree-sitter-typescript")
PYTHON: Final = (3, 11)

Line = tuple[str, str, str]
"""``ok``, ``note`` or ``FAIL`` (then the status is 1), what it is about, and what was found."""


@click.command("doctor", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", type=click.Path(exists=True, path_type=Path), default=".")
@common.configuration
def command(path: Path, config_file: Path | None, no_repo_config: bool, rule_folders: Sequence[str]) -> int:
    """Check the installation, and the configuration of the repository at PATH (default: here).

    Exit status: 0 all that is needed is there; 1 something is missing or broken.
    """
    checks: list[tuple[str, Callable[[], Iterator[Line]]]] = [
        ("Python", _python),
        ("packages", _packages),
        ("extras", _extras),
        ("red team", _red_team),
        ("git", _git),
        ("parser", _parser),
        ("workers", _workers),
        ("rules", _rules),
        ("API models", _models),
        ("languages", _languages),
        ("cache", _cache),
        ("configuration", lambda: _configuration(path, config_file, no_repo_config, rule_folders)),
    ]
    lines: list[Line] = [("ok", "Headwater", __version__)]
    for name, check in checks:
        lines += _tried(name, check)
    from headwater.reports import escape

    text = "".join(f"{state:<5} {name:<18} {escape.line(found)}\n" for state, name, found in lines)
    output.show(output.encoded(text))
    return GATE_FAILED if any(state == "FAIL" for state, _, _ in lines) else OK


def _tried(name: str, check: Callable[[], Iterator[Line]]) -> list[Line]:
    """What a check found; that it fails is a finding as well."""
    lines: list[Line] = []
    try:
        lines.extend(check())
    except click.ClickException as error:
        lines.append(("FAIL", name, error.format_message()))
    except Exception as error:  # whatever it is, it is what the user asks for
        lines.append(("FAIL", name, f"{type(error).__name__}: {error}".rstrip(": ")))
    return lines


def _python() -> Iterator[Line]:
    found = f"{platform.python_version()} ({platform.python_implementation()}), {platform.system()}"
    yield ("ok" if sys.version_info >= PYTHON else "FAIL"), "Python", found


def _packages() -> Iterator[Line]:
    for name in NEEDED:
        version = _version(name)
        yield ("ok", name, version) if version else ("FAIL", name, "not installed")


def _extras() -> Iterator[Line]:
    """Optional packages, as the metadata of the installation names them."""
    try:
        requires = metadata.requires("headwater") or []
    except metadata.PackageNotFoundError:
        yield "note", "extras", "not known: Headwater runs from its source, it is not installed"
        return
    extras: dict[str, list[str]] = {}
    for requirement in requires:
        extra = re.search(r"extra\s*==\s*[\"']([^\"']+)", requirement)
        if extra:
            extras.setdefault(extra.group(1), []).append(re.split(r"[^\w.-]", requirement)[0])
    for extra_name, names in sorted(extras.items()):
        missing = [name for name in names if not _version(name)]
        yield "note", f"[{extra_name}]", f"not installed: {', '.join(missing)}" if missing else "installed"


def _red_team() -> Iterator[Line]:
    """The environments of Garak and PyRIT, which are never Headwater's own."""
    from headwater.redteam import environments

    for tool in environments.PACKAGES:
        try:
            place = environments.folder(tool)
        except environments.UnusableError as error:
            yield "note", tool, str(error)
            continue
        there = environments.interpreter(place).exists()
        yield "note", tool, f"in {place}" if there else f"not installed: 'headwater redteam run {tool} --install' makes its environment"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _git() -> Iterator[Line]:
    yield "note", "git", "found" if shutil.which("git") else "not found; it is not needed: git's files are read without it"


def _parser() -> Iterator[Line]:
    from headwater.frontends.python import lower

    gaps = lower("doctor.py", b"x = 1\n").gaps
    yield ("FAIL", "parser", f"it does not read Python: {gaps[0].reason}") if gaps else ("ok", "parser", "Python")


def _workers() -> Iterator[Line]:
    from headwater.files.read import Entry
    from headwater.frontends.pool import lower_all

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "doctor.py")
        Path(path).write_bytes(b"x = 1\n")
        (lowered,) = lower_all([Entry("doctor.py", path, 6, "python")], 2)
    yield ("ok", "workers", "start") if lowered.module else ("FAIL", "workers", "; ".join(gap.reason for gap in lowered.gaps))


def _rules() -> Iterator[Line]:
    from headwater.rules import builtin

    yield "ok", "rules", f"{len(builtin.rules())}"


def _models() -> Iterator[Line]:
    from headwater.rules import builtin

    yield "ok", "API models", f"{len(builtin.models())} files"


def _languages() -> Iterator[Line]:
    from headwater.files.discover import FRONTENDS

    analysed = ", ".join(sorted(FRONTENDS))
    yield "note", "languages", f"{analysed}; files of others are counted, and told in the coverage of each report"


def _cache() -> Iterator[Line]:
    from headwater.cache import Cache, default_folder

    folder = default_folder()
    problem = Cache(folder, Path(os.devnull)).problem if folder else "none is used"
    yield "note" if problem else "ok", "cache", problem or f"what reviews found out is kept in {folder}"


def _configuration(path: Path, config_file: Path | None, no_repo_config: bool, rule_folders: Sequence[str]) -> Iterator[Line]:
    config = common.load(path, config_file, no_repo_config, rule_folders)
    yield "ok", "configuration", f"{config.file} is valid" if config.file else "no configuration file"
    for note in config.notes:
        yield "note", "configuration", f"{note.path}: {note.reason}" if note.path else note.reason
