"""The versions of libraries that a repository declares, as data: what its manifests pin and allow.

Read are ``requirements*.txt``, ``pyproject.toml`` (``[project]`` and Poetry), ``setup.cfg``, the literal ``install_requires`` of
``setup.py``, ``Pipfile.lock``, ``poetry.lock``, ``uv.lock``, ``pdm.lock``, ``pylock.toml`` and ``environment.yml``, and of an
unpacked package ``PKG-INFO`` or the ``METADATA`` of the one ``.dist-info`` beside it. For a module the nearest folder above it counts
that says something of the library; in one folder, exact versions beat ranges, because a lock was made from them. The files are hostile
input: all are bounded, none is run, and lock files, ``setup.py`` and metadata are scanned, not parsed.
"""

from __future__ import annotations

import configparser
import itertools
import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from headwater import limits
from headwater.files.discover import safe
from headwater.files.read import UnreadableError, read_bytes
from headwater.findings import Gap

_NAME: Final = re.compile(
    r"requirements[\w.-]{0,40}\.txt|pyproject\.toml|setup\.cfg|setup\.py|Pipfile\.lock|(?:poetry|uv|pdm)\.lock|pylock\.toml|environment\.ya?ml"
    r"|PKG-INFO"
)
_METADATA: Final = "METADATA"
_REQUIRES: Final = re.compile(r"^Requires-Dist: ([^;\r\n]+)\r?$", re.MULTILINE)
"""Without those that hold on some platforms or for an extra only."""
_LOCKED: Final = re.compile(r'^\[\[packages?\]\]\r?\nname = "([^"\n]{1,100})"\r?\nversion = "([^"\n]{1,100})"', re.MULTILINE)
_INSTALL: Final = re.compile(r"\binstall_requires[ \t]*=[ \t]*[\[(]")
_ITEM: Final = re.compile(r"(?:[\s,]|#[^\n]*\n)*(?:\"([^\"\\\n]*)\"|'([^'\\\n]*)')")
_CONDA: Final = re.compile(
    r"^[ \t]*-[ \t]+[\"']?(?:[\w-]+::)?([A-Za-z0-9][\w.-]*)[ \t]*([=<>!~][^#\"'\s]*(?:[ \t]*,[ \t]*[=<>!~][^#\"'\s]*)*)", re.MULTILINE
)
_CONDA_NAMES: Final = {"pytorch": "torch"}
"""Distributions that conda calls otherwise."""


class Declaration(NamedTuple):
    """What one line of a manifest says of a library."""

    path: str
    exact: str
    """The version, where it is one."""
    allowed: str
    """Else the specifiers; may be empty: any."""


class Versions:
    """All declarations, by folder and library."""

    def __init__(self, found: dict[str, dict[str, tuple[Declaration, ...]]] | None = None) -> None:
        self._found = found or {}
        self._known: dict[tuple[str, str], tuple[Declaration, ...]] = {}

    def key(self) -> bytes:
        """All of it as bytes: of equal declarations the same."""
        return repr(sorted((folder, sorted(found.items())) for folder, found in self._found.items())).encode("utf-8", "surrogatepass")

    def of(self, module: str, library: str) -> tuple[Declaration, ...]:
        """What counts for a module; empty where nothing is declared."""
        folder = module.rpartition("/")[0]
        name = canonicalize_name(library)
        key = (folder, name)
        known = self._known.get(key)
        if known is None:
            known = ()
            while not known:
                known = self._found.get(folder, {}).get(name, ())
                if not folder:
                    break
                folder = folder.rpartition("/")[0]
            exact = tuple(one for one in known if one.exact)
            known = self._known[key] = exact or known
        return known

    def root(self, module: str) -> str:
        """The nearest folder above a module for which something is declared; that of the project where there is none."""
        folder = module.rpartition("/")[0]
        while folder and folder not in self._found:
            folder = folder.rpartition("/")[0]
        return folder

    def all(self, module: str, library: str, operator: str, version: str) -> bool:
        """Whether every version that is declared is before (``<``), or not before (``>=``), the given one; False where none is."""
        limit = Version(version)
        below = operator == "<"
        declared = self.of(module, library)
        return bool(declared) and all((_below(one, limit) if below else _from(one, limit)) for one in declared)

    def words(self, module: str, library: str) -> str:
        """What is declared, as a sentence; empty where nothing is."""
        declared = self.of(module, library)
        if not declared:
            return ""
        one = declared[0]
        if one.exact:
            return f"{library} is pinned to {one.exact} in {one.path}"
        return f"{one.path} allows {library} {one.allowed}" if one.allowed else f"{one.path} allows any version of {library}"


def _below(one: Declaration, limit: Version) -> bool:
    if one.exact:
        return Version(one.exact) < limit
    return any(_ends(clause, limit) for clause in SpecifierSet(one.allowed))


def _from(one: Declaration, limit: Version) -> bool:
    if one.exact:
        return Version(one.exact) >= limit
    return any(clause.operator in (">=", ">", "~=", "==") and _base(clause) >= limit for clause in SpecifierSet(one.allowed))


def _ends(clause: Specifier, limit: Version) -> bool:
    """Whether a clause allows only versions before the limit."""
    base = _base(clause)
    if clause.operator == "<":
        return base <= limit
    if clause.operator == "<=":
        return base < limit
    if clause.operator not in ("==", "~="):
        return False
    parts = list(base.release)
    if clause.operator == "~=":
        parts = parts[:-1]
    elif not clause.version.endswith(".*"):
        return base < limit
    parts[-1] += 1
    return Version(".".join(map(str, parts))) <= limit


def _base(clause: Specifier) -> Version:
    try:
        return Version(clause.version.removesuffix(".*"))
    except InvalidVersion:  # of ``===``
        return Version("0")


# ------------------------------------------------------------------------------------------------------------- reading


def declared(root: str | os.PathLike[str], modules: Iterable[str]) -> tuple[Versions, list[Gap]]:
    """What the manifests in the folders of ``modules`` and above them declare; what could not be read is told."""
    folders = {""}
    for module in modules:
        folder = module.rpartition("/")[0]
        while folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    found: dict[str, dict[str, tuple[Declaration, ...]]] = {}
    gaps: list[Gap] = []
    count = 0
    for folder in sorted(folders):
        here: dict[str, dict[Declaration, None]] = {}
        for name in _manifests(os.path.join(root, folder)):
            count += 1
            shown = safe(f"{folder}/{name}" if folder else name)
            if count > limits.MANIFESTS:
                gaps.append(Gap("limit", shown, 0, f"more than {limits.MANIFESTS:,} files that declare versions", partial=False))
                return Versions(found), gaps
            try:
                data = read_bytes(os.path.join(root, folder, name), limits.MANIFEST_BYTES)
                for library, one in itertools.islice(_read(name, data.decode("utf-8", "replace"), shown), limits.DECLARATIONS):
                    here.setdefault(canonicalize_name(library), {})[one] = None
            except UnreadableError as error:
                gaps.append(Gap(error.kind, shown, 0, f"the versions that it declares are not known: {error.reason}", partial=False))
            except _UnreadError as error:
                gaps.append(Gap("limit", shown, 0, f"the versions that it declares are not known: {error}", partial=False))
        if here:
            found[folder] = {library: tuple(many) for library, many in here.items()}
    return Versions(found), gaps


def is_manifest(name: str) -> bool:
    """Whether a file of this name may declare versions."""
    return _NAME.fullmatch(name) is not None


def _manifests(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as names:
            found = [one.name for one in itertools.islice(names, limits.NAMES_OF_FOLDER)]
    except (OSError, ValueError):
        return []
    packages = [f"{one}/{_METADATA}" for one in found if one.endswith(".dist-info")]
    if len(packages) != 1 or not os.path.isfile(os.path.join(folder, packages[0])):
        packages = []  # many: a folder of installed packages, where one says nothing of the others
    return sorted([*(one for one in found if _NAME.fullmatch(one)), *packages])


class _UnreadError(Exception):
    """Why a manifest cannot be read."""


def _read(name: str, text: str, shown: str) -> Iterator[tuple[str, Declaration]]:
    """The declarations of one file, with the library of each."""
    if name.endswith(".txt"):
        yield from _requirements(_lines(text), shown)
    elif name == "pyproject.toml":
        yield from _pyproject(text, shown)
    elif name == "setup.cfg":
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(text)
        except configparser.Error as error:
            raise _UnreadError(str(error).partition("\n")[0][:200]) from None
        yield from _requirements(parser.get("options", "install_requires", fallback="").splitlines(), shown)
    elif name == "setup.py":
        for match in _INSTALL.finditer(text):
            yield from _requirements(_items(text, match.end()), shown)
    elif name == "PKG-INFO" or name.endswith(_METADATA):
        headers = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
        yield from _requirements((match[1] for match in _REQUIRES.finditer(headers)), shown)
    elif name == "Pipfile.lock":
        yield from _pipfile(text, shown)
    elif name.endswith((".lock", "pylock.toml")):
        for match in _LOCKED.finditer(text):
            yield from _exact(match[1], match[2], shown)
    else:
        for match in _CONDA.finditer(text):
            yield from _conda(match[1], match[2], shown)


def _lines(text: str) -> Iterator[str]:
    """Of a requirements file, without comments, options and continued hashes."""
    for line in text.splitlines():
        line = re.sub(r"(?:^|[ \t])#.*", "", line).strip().removesuffix("\\")
        line = line.partition(" --")[0].strip()
        if line and not line.startswith("-"):
            yield line


def _requirements(lines: Iterable[str], shown: str) -> Iterator[tuple[str, Declaration]]:
    for line in lines:
        if not line.strip() or len(line) > limits.REQUIREMENT_CHARS:
            continue
        try:
            found = Requirement(line.strip())
        except InvalidRequirement:
            continue  # an address, a path, a template
        if found.url is None:
            yield found.name, _declaration(found.specifier, shown)


def _declaration(allowed: SpecifierSet, shown: str) -> Declaration:
    clauses = sorted(allowed, key=str)
    for one in clauses:
        if one.operator == "==" and not one.version.endswith(".*"):
            return Declaration(shown, one.version, "")
    return Declaration(shown, "", ",".join(map(str, clauses)))


def _exact(library: str, version: str, shown: str) -> Iterator[tuple[str, Declaration]]:
    try:
        yield library, Declaration(shown, str(Version(version)), "")
    except InvalidVersion:
        return


def _pyproject(text: str, shown: str) -> Iterator[tuple[str, Declaration]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.count(".") > limits.CONFIG_DOTS:  # tomllib is quadratic in the parts of a dotted key
            raise _UnreadError(f"line {number} has more than {limits.CONFIG_DOTS} dots")
    try:
        data: Any = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _UnreadError(str(error)[:200] if not isinstance(error, RecursionError) else "it is nested too deeply") from None
    lines = _at(data, "project", "dependencies")
    yield from _requirements([one for one in lines if isinstance(one, str)] if isinstance(lines, list) else [], shown)
    poetry = _at(data, "tool", "poetry", "dependencies")
    for library, said in poetry.items() if isinstance(poetry, dict) else ():
        version = said.get("version") if isinstance(said, dict) else said
        if isinstance(version, str) and len(version) <= limits.REQUIREMENT_CHARS:
            yield from _specified(library, of_poetry(version), shown)


def _at(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def of_poetry(version: str) -> str:
    """Poetry's constraints as those of PEP 440: a caret, a tilde, a bare version."""
    made = []
    for part in version.split(","):
        part = part.strip()
        release = [int(one) for one in re.findall(r"\d{1,9}", part)[:3]] if re.fullmatch(r"[\^~]\d[\d.]*", part) else []
        if release and part[0] == "^":
            at = next((number for number, one in enumerate(release) if one), len(release) - 1)
            made.append(f">={part[1:]},<{'.'.join(map(str, [*release[:at], release[at] + 1]))}")
        elif release:
            kept = release[:2]
            made.append(f">={part[1:]},<{'.'.join(map(str, [*kept[:-1], kept[-1] + 1]))}")
        elif part[:1].isdigit():
            made.append(f"=={part}")
        elif part != "*":
            made.append(part)
    return ",".join(made)


def _specified(library: str, text: str, shown: str) -> Iterator[tuple[str, Declaration]]:
    try:
        yield library, _declaration(SpecifierSet(text), shown)
    except InvalidSpecifier:
        return


def _items(text: str, at: int) -> Iterator[str]:
    """The texts of a list that begins here, up to what is no text."""
    while (match := _ITEM.match(text, at)) is not None:
        yield match[1] or match[2] or ""
        at = match.end()


def _pipfile(text: str, shown: str) -> Iterator[tuple[str, Declaration]]:
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _UnreadError(str(error)[:200]) from None
    section = _at(data, "default")
    for library, said in section.items() if isinstance(section, dict) else ():
        version = _at(said, "version")
        if isinstance(version, str) and len(version) <= limits.REQUIREMENT_CHARS:
            yield from _specified(library, version, shown)


def _conda(library: str, said: str, shown: str) -> Iterator[tuple[str, Declaration]]:
    """``pytorch=2.3`` is any 2.3; what follows a second ``=`` is the build."""
    single = re.fullmatch(r"=([\w.]+)(?:=.*)?", said)
    if single is not None:
        said = f"=={single[1].removesuffix('.*')}.*" if single[1].count(".") < 2 else f"=={single[1]}"
    yield from _specified(_CONDA_NAMES.get(library.lower(), library), said, shown)
