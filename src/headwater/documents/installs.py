"""What commands install with pip, uv, pipx, npm, pnpm, yarn and bun: packages, their versions, and the indexes that are asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from headwater.documents import manifests, pipelines
from headwater.documents.commands import Command, Word, is_dockerfile
from headwater.documents.manifests import Pin
from headwater.documents.told import Told, is_aside
from headwater.findings import Confidence, Severity

UNPINNED: Final = "unpinned-package-install"
_PYTHON: Final = re.compile(r"(?:.*/)?python[\d.]*")
_PIP: Final = re.compile(r"(?:.*/)?pip[\d.]*")
_VERBS: Final = frozenset({"install", "add", "i"})
_PIP_WORDS: Final = (
    "-r -c -t -i -f -e -p --requirement --requirements --constraint --constraints --target --index-url --extra-index-url --find-links"
    " --trusted-host --platform --python-version --implementation --abi --root --prefix --src --cache-dir --timeout --default-timeout"
    " --retries --proxy --progress-bar --upgrade-strategy --no-binary --only-binary --global-option --config-settings --report --log"
    " --python --index --default-index --index-strategy --editable --overrides --override --python-platform --cert --client-cert"
    " --keyring-provider --extra --group --with --pip-args --allow-insecure-host --link-mode --exclude-newer --torch-backend"
)
_VALUES: Final = frozenset(_PIP_WORDS.split())
_NPM_WORDS: Final = "--registry --prefix --cache -w --workspace --loglevel --omit --include --tag --filter -C --dir --cwd"
_NPM_VALUES: Final = frozenset(_NPM_WORDS.split())
_NPM_SPEC: Final = re.compile(r"((?:@[\w.~-]{1,100}/)?[A-Za-z0-9][\w.~-]{0,150})(?:@([^\s/:]+))?")
_NPM_EXACT: Final = re.compile(r"\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?")
_TOOLS: Final = frozenset({"pip", "setuptools", "wheel", "uv", "build", "pipx", "virtualenv", "npm", "corepack"})
"""Installers themselves, which an image brings anyway."""
_SHOWN: Final = 4  # packages that a message names


class Install(NamedTuple):
    """One command that installs."""

    ecosystem: str
    by_uv: bool
    """uv takes a package from the first index that has it, pip from all of them."""
    pins: tuple[Pin, ...]
    """The packages that are named."""
    fixed: bool
    """Hashes or constraints say which versions are meant."""
    options: tuple[tuple[str, Word], ...]
    """Options with their values."""


def installs(commands: Iterable[Command]) -> Iterator[Install]:
    """The installing commands among some."""
    for command in commands:
        texts = [word.text for word in command.words]
        if not texts or not _VERBS.intersection(texts):
            continue
        at, by_uv = _python(texts)
        if at:
            yield _install("pypi", by_uv, command.words[at:], _VALUES)
        elif at := _scripts(texts):
            yield _install("npm", False, command.words[at:], _NPM_VALUES)


def _python(texts: Sequence[str]) -> tuple[int, bool]:
    """Where the arguments of an installer of Python packages begin; 0: it is none. And whether it is uv."""
    program = texts[0].rpartition("/")[2]
    if program == "uv":
        for words in (("pip", "install"), ("add",), ("tool", "install")):
            if tuple(texts[1 : 1 + len(words)]) == words:
                return 1 + len(words), True
        return 0, False
    if program == "pipx":
        return (2 if texts[1:2] == ["install"] else 0), False
    at = 0
    if _PYTHON.fullmatch(texts[0]):
        at = texts.index("-m") + 1 if "-m" in texts[:4] else 0
        if not at:
            return 0, False
    if at < len(texts) and _PIP.fullmatch(texts[at]):
        at += 1
        while at < len(texts) and texts[at].startswith("-"):  # options of pip itself
            at += 1 if "=" in texts[at] or texts[at] not in _VALUES else 2
        return (at + 1 if texts[at : at + 1] == ["install"] else 0), False
    return 0, False


def _scripts(texts: Sequence[str]) -> int:
    program = texts[0].rpartition("/")[2]
    verbs = {"npm": ("install", "i", "add"), "pnpm": ("add", "install", "i"), "yarn": ("add",), "bun": ("add", "install", "i")}.get(
        program, ()
    )
    at = 1
    while at < len(texts) and texts[at].startswith("-"):
        at += 1 if "=" in texts[at] or texts[at] not in _NPM_VALUES else 2
    if program == "yarn" and texts[at : at + 1] == ["global"]:
        at += 1
    return at + 1 if at < len(texts) and texts[at] in verbs else 0


def _install(ecosystem: str, by_uv: bool, words: Sequence[Word], values: frozenset[str]) -> Install:
    pins: list[Pin] = []
    options: list[tuple[str, Word]] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word.text.startswith((">", "<", "2>")):  # where the output goes
            continue
        if not word.text.startswith("-"):
            pins += _pins(ecosystem, word)
            continue
        key, equals, text = word.text.partition("=")
        if equals:
            options.append((key, Word(text, word.start, word.end)))
        elif key in values and at < len(words):
            options.append((key, words[at]))
            at += 1
        else:
            options.append((key, word))
    fixed = any(key in ("--require-hashes", "-c", "--constraint", "--constraints", "--no-index", "--exclude-newer") for key, _ in options)
    return Install(ecosystem, by_uv, tuple(pins), fixed, tuple(options))


def _pins(ecosystem: str, word: Word) -> Iterator[Pin]:
    text = word.text
    if (
        "$" in text
        or "://" in text
        or text.startswith((".", "/", "~", "git+", "file:"))
        or text.endswith((".whl", ".txt", ".gz", ".tgz", ".zip"))
    ):
        return
    if ecosystem == "pypi":
        yield from (pin._replace(start=word.start, end=word.end) for pin in manifests.requirement(text, word.start))
    elif found := _NPM_SPEC.fullmatch(text):
        version = found[2] or ""
        exact = version if _NPM_EXACT.fullmatch(version) else ""
        yield Pin("npm", found[1], exact, "" if exact else version, word.start, word.end, False)


def told(path: str, found: Iterable[Install]) -> Iterator[Told]:
    """Commands that take whatever version there is."""
    for one in found:
        loose = [pin for pin in one.pins if not pin.exact and pin.name not in _TOOLS]
        if not loose or one.fixed:
            continue
        names = [f"`{pin.name}{f' {pin.allowed}' if pin.allowed else ''}`" for pin in loose]
        more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
        what = "The image" if is_dockerfile(path) else "The pipeline" if pipelines.is_read(path) else "The script"
        yield Told(
            path,
            loose[0].start,
            loose[-1].end,
            UNPINNED,
            f"{', '.join(names[:_SHOWN])}{more}",
            what,
            f"{one.ecosystem}:{loose[0].name}",
            Severity.LOW,
            Confidence.LOW if is_aside(path) else Confidence.HIGH,
        )
