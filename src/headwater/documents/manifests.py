"""What manifests and lock files say of packages: names and versions, each with its place in the file.

Read are requirements and constraints of pip, ``pyproject.toml`` (PEP 621, dependency groups, Poetry), ``setup.cfg``, ``setup.py``,
``Pipfile``, ``environment.yml``, ``package.json``, and the lock files of pip (PEP 751), uv, Poetry, PDM, pipenv, npm, pnpm, yarn and bun.
The files are hostile input: bounded, never run, and lock files are scanned, not parsed. Text is Latin-1 here, so that offsets are
those of bytes; names and versions are ASCII.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from headwater import limits
from headwater.files.versions import of_poetry

_PIP: Final = re.compile(r"(?:[\w.-]{0,40}[_.-])?(?:requirements|constraints)(?:[_.-][\w.-]{0,40})?\.(?:txt|in)")
_NAMES: Final = {
    "pyproject.toml": "pyproject",
    "setup.cfg": "setup",
    "setup.py": "setup",
    "Pipfile": "toml",
    "Pipfile.lock": "pipfile-lock",
    "uv.lock": "toml-lock",
    "poetry.lock": "toml-lock",
    "pdm.lock": "toml-lock",
    "pylock.toml": "toml-lock",
    "environment.yml": "conda",
    "environment.yaml": "conda",
    "package.json": "package",
    "package-lock.json": "package-lock",
    "npm-shrinkwrap.json": "package-lock",
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
}
_LOCKS: Final = frozenset({"pipfile-lock", "toml-lock", "package-lock", "pnpm", "yarn", "bun"})

_VERSION: Final = r"\d[0-9A-Za-z.+!-]{0,60}"
_NPM_NAME: Final = r"(?:@[\w.~-]{1,100}/)?[\w.~-]{1,150}"
_PIP_END: Final = r"(?:;[^\r\n]*)?(?:\\|--[^\r\n]*|#[^\r\n]*)?"
"""A marker; then the end of the line, an option, or a comment."""
_PIP_LINE: Final = re.compile(rf"^[ \t]*([A-Za-z0-9][^\r\n#;]*?)(?=[ \t]*{_PIP_END}[ \t]*\r?$)", re.M)
_PYLOCK: Final = re.compile(r"pylock\.[^.]+\.toml")
_TOML_LOCKED: Final = re.compile(r'^\[\[packages?\]\]\r?\nname = "([^"\n]{1,100})"[^\n]{0,100}\nversion = "([^"\n]{1,100})"', re.M)
_OWN: Final = re.compile(
    r"^(?:source = \{ *(?:editable|virtual|directory|path)\b|type = \"directory\"|(?:directory|path) = |\[packages\.directory\])", re.M
)
_PIPFILE_LOCKED: Final = re.compile(r'^\s{0,16}"([\w.-]{1,100})": \{[^{}]{0,20000}?"version": "==([^"\n]{1,100})"', re.M)
_NPM_FOLDERS: Final = re.compile(
    rf'node_modules/(?P<name>{_NPM_NAME})": \{{\s*(?:"name": "(?P<of>{_NPM_NAME})",\s*)?"version": "(?P<version>{_VERSION})"'
)
_NPM_NAMES: Final = re.compile(
    rf'"(?P<name>{_NPM_NAME})": \{{\s*"version": "(?:npm:(?P<of>{_NPM_NAME})@)?(?P<version>{_VERSION})"'  # before npm 7
)
"""A package under a name that is not its own has that beside it, or in its version."""
_PNPM_LOCKED: Final = re.compile(rf"^  ['\"]?/?(?P<name>{_NPM_NAME})[@/](?P<version>{_VERSION})(?:[(_][^\r\n]*)?['\"]?:", re.M)
_YARN_LOCKED: Final = re.compile(
    rf"^\"?(?P<name>{_NPM_NAME})@(?!workspace:)(?:npm:(?:(?P<of>{_NPM_NAME})@)?)?[^\r\n]{{0,2000}}:[ \t]*(?:#[^\r\n]*)?\r?\n"
    rf"  version:? \"?(?P<version>{_VERSION})",
    re.M,
)
_BUN_LOCKED: Final = re.compile(rf'": \["(?P<name>{_NPM_NAME})@(?P<version>{_VERSION})"')
_PNPM_END: Final = re.compile(r"^snapshots:", re.M)
"""From here on the packages are told once more, with what they need."""
_CONDA: Final = re.compile(r"^[ \t]*-[ \t]+[\"']?((?:[\w-]+::)?([A-Za-z0-9][\w.-]*)(?:\[[\w, -]*\])?[ \t]*([=<>!~][^#\"'\r\n]*)?)", re.M)
_CONDA_NAMES: Final = {"pytorch": "torch"}
"""Distributions that conda calls otherwise."""
_NPM_SECTION: Final = re.compile(r'"(dependencies|devDependencies|optionalDependencies)"\s*:\s*\{([^{}]*)\}')
_NPM_PEERS: Final = re.compile(r'"peerDependencies"\s*:\s*\{([^{}]*)\}')
_NPM_ITEM: Final = re.compile(rf'"({_NPM_NAME})"\s*:\s*"([^"\n]{{0,200}})"')
_QUOTED: Final = re.compile(r"\"([^\"\\\r\n]{1,300})\"|'([^'\\\r\n]{1,300})'")
_REQUIRES: Final = re.compile(r"\b(?:install_requires|setup_requires|tests_require|extras_require)[ \t]*=", re.M)
_TOML_ITEM: Final = re.compile(r"^[ \t]*[\"']?([A-Za-z0-9][\w.-]{0,100})[\"']?[ \t]*=[ \t]*([^\r\n]+)", re.M)
_TOML_VERSION: Final = re.compile(r"^[\"']([^\"']+)[\"']|\bversion[ \t]*=[ \t]*[\"']([^\"']+)[\"']")
_TOML_HEAD: Final = re.compile(r"^[ \t]*\[+([^\[\]\r\n]+)\]+", re.M)
_GROUP: Final = r"(?:dev|develop|development|tests?|testing|lint(?:ing)?|docs?|typing|types|benchmarks?|ci)"
"""The name of a group of packages that only those need who work on the code."""
_ASIDE_GROUP: Final = re.compile(_GROUP)
_ASIDE_TABLE: Final = re.compile(
    rf"tool\.poetry\.dev-dependencies|tool\.poetry\.group\.{_GROUP}\.dependencies|dev-packages|tool\.pdm\.dev-dependencies"
)
_ASIDE_PIP: Final = re.compile(
    rf"(?:^|/)(?:(?:requirements|constraints)[_./-]{_GROUP}|{_GROUP}[_.-](?:requirements|constraints))\.(?:txt|in)"
)
_TOML_TABLES: Final = re.compile(
    r"tool\.poetry\.(?:dev-)?dependencies|tool\.poetry\.group\.[^.]+\.dependencies|packages|dev-packages|tool\.pdm\.dev-dependencies"
)
_NPM_EXACT: Final = re.compile(r"\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?")
_NPM_ALIAS: Final = re.compile(rf"npm:({_NPM_NAME})@(.+)")
_NPM_OWN: Final = re.compile(rf'"name"\s*:\s*"({_NPM_NAME})"')
_PYPI_OWN: Final = re.compile(r"^\s*name\s*=\s*[\"']?([A-Za-z0-9][\w.-]{0,100})[\"']?\s*,?\s*$", re.M)
_OWN_BYTES: Final = 10_000  # of a manifest: its name stands at the begin
_SETUP_END: Final = re.compile(r"^(?:\w|\[)|^\)|\)\s*$", re.M)
_SETUP_CHARS: Final = 20_000  # of one list of requirements
_BLOCK_CHARS: Final = 200_000  # of what a lock file says of one package: hashes of all its files
_EXACT: Final = re.compile(r"===?\s*([0-9][\w.+!-]*)")


class Pin(NamedTuple):
    """What one place says of a package."""

    ecosystem: str
    name: str
    exact: str
    """The version, where it is one."""
    allowed: str
    """Else the range as it is written; may be empty: any."""
    start: int
    end: int
    locked: bool
    """Whether a tool wrote it, and not a person."""
    aside: bool = False
    """Whether it stands among what only those need who work on the code."""
    brought: bool = False
    """Whether who uses the package brings it along besides (npm: ``peerDependencies``)."""
    folder: str = ""
    """Where code has to be, below the file, to get this version of several: a workspace of its own."""


def kind_of(path: str) -> str:
    """What kind of manifest a file is, by its name; empty where it is none."""
    folder, _, name = path.rpartition("/")
    kind = _NAMES.get(name, "")
    of_pip = folder.rpartition("/")[2] in ("requirements", "constraints") and name.endswith((".txt", ".in"))
    if not kind and _PYLOCK.fullmatch(name):
        return "toml-lock"
    return "pip" if not kind and (of_pip or _PIP.fullmatch(name)) else kind


def is_lock(path: str) -> bool:
    """Whether a tool wrote a file, with the hashes of what it names."""
    return kind_of(path) in _LOCKS


def own_name(path: str, data: bytes) -> tuple[str, str] | None:
    """The package that a manifest is of: ecosystem and name."""
    kind = kind_of(path)
    if kind not in ("package", "pyproject", "setup"):
        return None
    pattern = _NPM_OWN if kind == "package" else _PYPI_OWN
    found = pattern.search(data[:_OWN_BYTES].decode("latin-1"))
    if found is None:
        return None
    return ("npm", found[1]) if kind == "package" else ("pypi", canonicalize_name(found[1]))


def pins(path: str, data: bytes) -> Iterator[Pin]:
    """What a file says; at most ``limits.DECLARATIONS`` of it."""
    kind = kind_of(path)
    made = _READERS[kind](data.decode("latin-1"), kind in _LOCKS) if kind else iter(())
    if kind == "pip" and _ASIDE_PIP.search(path) is not None:
        made = (pin._replace(aside=True) for pin in made)
    return itertools.islice(_once(made) if kind in _LOCKS else made, limits.DECLARATIONS)


def _once(pins: Iterable[Pin]) -> Iterator[Pin]:
    """Each version of a package where it stands first: a tree of folders has it many times."""
    seen: set[tuple[str, str]] = set()
    for pin in pins:
        if (pin.name, pin.exact) not in seen:
            seen.add((pin.name, pin.exact))
            yield pin


def _pip(text: str, locked: bool) -> Iterator[Pin]:
    for found in _PIP_LINE.finditer(text):
        yield from requirement(found[1], found.start(1))


def requirement(written: str, at: int) -> Iterator[Pin]:
    """What one requirement of pip says, which begins at a place."""
    written = written.rstrip()
    if not written or len(written) > limits.REQUIREMENT_CHARS:
        return
    try:
        found = Requirement(written)
    except InvalidRequirement:
        return  # an address, a path, a template
    if found.url is not None:
        return
    exact = next((one.version for one in found.specifier if one.operator in ("==", "===") and not one.version.endswith(".*")), "")
    yield Pin("pypi", canonicalize_name(found.name), exact, str(found.specifier), at, at + len(written), False)


def _pyproject(text: str, locked: bool) -> Iterator[Pin]:
    if any(line.count(".") > limits.CONFIG_DOTS for line in text.splitlines()):  # tomllib is quadratic in the parts of a dotted key
        return
    try:
        data: Any = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    lists = [(_at(data, "project", "dependencies"), False)]
    for keys in (("project", "optional-dependencies"), ("dependency-groups",), ("tool", "pdm", "dev-dependencies")):
        table = _at(data, *keys)
        named = table.items() if isinstance(table, dict) else ()
        lists += [(many, keys[0] == "tool" or _ASIDE_GROUP.fullmatch(name) is not None) for name, many in named]
    lists.append((_at(data, "tool", "uv", "dev-dependencies"), True))
    wanted: dict[str, bool] = {}
    for many, aside in lists:
        for one in many if isinstance(many, list) else ():
            if isinstance(one, str):
                wanted[one] = aside and wanted.get(one, True)
    for found in _QUOTED.finditer(text):
        number = 1 if found[1] is not None else 2
        if found[number] in wanted:
            for pin in requirement(found[number].partition(";")[0], found.start(number)):
                yield pin._replace(aside=wanted[found[number]])
    yield from _toml(text, locked)


def _at(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _toml(text: str, locked: bool) -> Iterator[Pin]:
    """Tables of names and versions, as Poetry and pipenv write them."""
    heads = [(found.start(), found.end(), found[1].strip()) for found in _TOML_HEAD.finditer(text)]
    for (_, begin, head), (end, _, _) in zip(heads, [*heads[1:], (len(text), 0, "")], strict=False):
        if not _TOML_TABLES.fullmatch(head):
            continue
        aside = _ASIDE_TABLE.fullmatch(head) is not None
        for found in _TOML_ITEM.finditer(text, begin, end):
            said = _TOML_VERSION.search(found[2])
            if said is None or found[1].lower() == "python":
                continue
            version = said[1] or said[2]
            exact = version if version[:1].isdigit() and not version.endswith("*") else ""
            pinned = _EXACT.fullmatch(version)
            exact = exact or (pinned[1] if pinned else "")
            name = canonicalize_name(found[1])
            yield Pin("pypi", name, exact, "" if exact else of_poetry(version), found.start(1), found.end(2), False, aside)


def _setup(text: str, locked: bool) -> Iterator[Pin]:
    for section in _REQUIRES.finditer(text):
        end = min(len(text), section.end() + _SETUP_CHARS)
        stop = _SETUP_END.search(text, section.end(), end)
        end = stop.start() if stop else end
        quoted = [(found[1] or found[2], found.start() + 1) for found in _QUOTED.finditer(text, section.end(), end)]
        lines = [(found[1], found.start(1)) for found in _PIP_LINE.finditer(text, section.end(), end)] if not quoted else []
        for written, at in quoted or lines:
            yield from requirement(written.partition(";")[0], at)


def _toml_lock(text: str, locked: bool) -> Iterator[Pin]:
    for found in _TOML_LOCKED.finditer(text):
        limit = min(len(text), found.end() + _BLOCK_CHARS)
        end = text.find("\n[[package", found.end(), limit)
        if not _OWN.search(text, found.end(), limit if end < 0 else end):
            yield Pin("pypi", canonicalize_name(found[1]), found[2], "", found.start(1) - 8, found.end(), locked)


def _pipfile_lock(text: str, locked: bool) -> Iterator[Pin]:
    for found in _PIPFILE_LOCKED.finditer(text):
        yield Pin("pypi", canonicalize_name(found[1]), found[2], "", found.start(1) - 1, found.end(1) + 1, locked)


def _conda(text: str, locked: bool) -> Iterator[Pin]:
    for found in _CONDA.finditer(text):
        said = (found[3] or "").strip()
        single = re.fullmatch(r"=([\w.]+)(?:=.*)?", said)
        if single is not None:  # ``pytorch=2.3`` is any 2.3; what follows a second ``=`` is the build
            said = f"=={single[1].removesuffix('.*')}.*" if single[1].count(".") < 2 else f"=={single[1]}"
        name = _CONDA_NAMES.get(found[2].lower(), found[2])
        for pin in requirement(f"{name}{said}", found.start(1)):
            yield pin._replace(end=found.end(1))


def _package(text: str, locked: bool) -> Iterator[Pin]:
    peers = {found[1] for section in _NPM_PEERS.finditer(text) for found in _NPM_ITEM.finditer(section[1])}
    for section in _NPM_SECTION.finditer(text):
        for found in _NPM_ITEM.finditer(text, section.start(2), section.end(2)):
            name, version = found[1], found[2].strip()
            alias = _NPM_ALIAS.fullmatch(version)
            if alias is not None:
                name, version = alias[1], alias[2]
            if ":" in version or "/" in version:
                continue  # an address, a folder, a workspace
            exact = version if _NPM_EXACT.fullmatch(version) else ""
            aside = section[1] == "devDependencies"
            yield Pin("npm", name, exact, version, found.start(), found.end(), False, aside, found[1] in peers)


def _pnpm(text: str, locked: bool) -> Iterator[Pin]:
    end = _PNPM_END.search(text)
    return _matches(_PNPM_LOCKED, text, end.start() if end else len(text))


def _matches(pattern: re.Pattern[str], text: str, end: int) -> Iterator[Pin]:
    for found in pattern.finditer(text, 0, end):
        names = found.groupdict()
        name, folder = names.get("of") or names["name"], _workspace(text, found.start())
        yield Pin("npm", name, found["version"], "", found.start(), found.end("version"), True, folder=folder)


def _workspace(text: str, at: int) -> str:
    """The folder in which a lock file of npm has its own version of a package; that of a package is the project's."""
    if not text.startswith("node_modules/", at):
        return ""
    start = text.rfind('"', max(0, at - limits.WORKSPACE_CHARS), at) + 1
    return text[start:at].partition("node_modules/")[0] if start else ""


_READERS: Final[dict[str, Callable[[str, bool], Iterator[Pin]]]] = {
    "pip": _pip,
    "pyproject": _pyproject,
    "toml": _toml,
    "setup": _setup,
    "toml-lock": _toml_lock,
    "pipfile-lock": _pipfile_lock,
    "conda": _conda,
    "package": _package,
    "package-lock": lambda text, _: _matches(_NPM_FOLDERS if '"node_modules/' in text else _NPM_NAMES, text, len(text)),
    "pnpm": _pnpm,
    "yarn": lambda text, _: _matches(_YARN_LOCKED, text, len(text)),
    "bun": lambda text, _: _matches(_BUN_LOCKED, text, len(text)),
}
