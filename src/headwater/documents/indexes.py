"""Indexes that packages are taken from: without TLS, without a check of who answers, or beside the public one for private names.

Read are the options of install commands, ``config set`` of installers, variables that Dockerfiles, scripts and files of CI services
set, files of requirements, ``pip.conf``, ``.npmrc``, and the sources in ``pyproject.toml``, ``uv.toml`` and ``Pipfile``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from headwater.documents import manifests
from headwater.documents.commands import Command, Word
from headwater.documents.installs import Install
from headwater.documents.told import Told, is_aside
from headwater.findings import Confidence, Severity

UNTRUSTED: Final = "untrusted-package-index"
_NEAR: Final = re.compile(
    r"(?:localhost|127(?:\.\d+){3}|10(?:\.\d+){3}|192\.168(?:\.\d+){2}|172\.(?:1[6-9]|2\d|3[01])(?:\.\d+){2}|0\.0\.0\.0|\[?::1\]?|[\w-]+)(?::\d+)?",
    re.IGNORECASE,
)
"""This machine, and networks of one's own."""
_PUBLIC: Final = re.compile(
    r"(?:pypi\.org|files\.pythonhosted\.org|pypi\.python\.org|download\.pytorch\.org|(?:pypi|pypi\.ngc)\.nvidia\.com|developer\.download\.nvidia\.com"
    r"|wheels\.vllm\.ai|flashinfer\.ai|data\.pyg\.org|storage\.googleapis\.com|us-python\.pkg\.dev|(?:www\.)?piwheels\.org|pypi\.anaconda\.org"
    r"|[\w-]+\.github\.io|huggingface\.co|repo\.radeon\.com|pytorch-extension\.intel\.com|wheels\.[\w.-]+|whl\.[\w.-]+"
    r"|pypi\.tuna\.tsinghua\.edu\.cn|mirrors\.[\w.-]+|mirror\.[\w.-]+|pypi\.douban\.com|pypi\.mirrors\.ustc\.edu\.cn)",
    re.IGNORECASE,
)
"""Wheels that everybody may have, of names that the public index has, too; and mirrors of it."""
_KEYS: Final = {
    "-i": "index",
    "--index-url": "index",
    "--default-index": "index",
    "--index": "index",
    "--registry": "index",
    "--extra-index-url": "extra",
    "--trusted-host": "host",
    "--allow-insecure-host": "host",
}
_VARIABLES: Final = {
    "PIP_INDEX_URL": "index",
    "UV_INDEX_URL": "index",
    "UV_DEFAULT_INDEX": "index",
    "NPM_CONFIG_REGISTRY": "index",
    "npm_config_registry": "index",
    "PIP_EXTRA_INDEX_URL": "extra",
    "PIP_TRUSTED_HOST": "host",
    "UV_INSECURE_HOST": "host",
}
_OPTION: Final = re.compile(r"^[ \t]*(-i|--index-url|--extra-index-url|--trusted-host)(?:[ \t]+|=)([^\s#]+)", re.MULTILINE)
_SETTING: Final = re.compile(
    r"^[ \t]*(index-url|extra-index-url|trusted-host)[ \t]*=([^\r\n]*(?:\r?\n[ \t]+(?![\w-]+[ \t]*=)[^\s][^\r\n]*)*)", re.MULTILINE
)
"""A value of several parts goes on in the lines below that begin with a blank."""
_TOML_HEAD: Final = re.compile(r"^[ \t]*\[+([^\[\]\r\n]+)\]+", re.MULTILINE)
_SOURCES: Final = frozenset({"tool.uv.index", "tool.poetry.source", "tool.pdm.source", "source", "index"})
_SOURCE: Final = re.compile(r"^[ \t]*(?:url[ \t]*=[ \t]*[\"']([^\"'\r\n]*)[\"']|(verify_ssl[ \t]*=[ \t]*false)\b)", re.MULTILINE)
_NPMRC: Final = re.compile(r"^[ \t]*(?:(?:@[\w.-]+:)?(registry)|(strict-ssl))[ \t]*=[ \t]*([^\s#;]+)", re.MULTILINE)
_HOST: Final = re.compile(r"https?://(?:[^/@\s]*@)?([^/\s?#]+)", re.IGNORECASE)
_KINDS: Final = {"index-url": "index", "extra-index-url": "extra", "trusted-host": "host", "registry": "index"}
_CONFIGURED: Final = frozenset({"pip", "pip3", "npm", "pnpm", "yarn"})


def of_commands(path: str, commands: Iterable[Command], installs: Iterable[Install]) -> Iterator[Told]:
    """What the commands of a file say."""
    for one in installs:
        for key, word in one.options:
            kind = _KEYS.get(key, "")
            if kind == "extra" and (one.by_uv or one.fixed):
                continue
            yield from _told(path, kind, word)
    for command in commands:
        for word in command.set:
            name, equals, value = word.text.partition("=")
            if equals and name in _VARIABLES:
                for part in value.split():
                    yield from _told(path, _VARIABLES[name], Word(part, word.start, word.end))
        if (setting := _setting(command)) is not None:
            yield from _told(path, *setting)


def _setting(command: Command) -> tuple[str, Word] | None:
    """What ``pip config set`` or ``npm config set`` keeps for later commands."""
    texts = [word.text for word in command.words if not word.text.startswith("-")]
    if "set" not in texts[1:3] or texts[0].rpartition("/")[2] not in _CONFIGURED:
        return None
    words = [word for word in command.words if not word.text.startswith("-")][texts.index("set") + 1 :]
    if len(words) == 1 and "=" in words[0].text:  # npm config set registry=...
        key, _, value = words[0].text.partition("=")
        words = [words[0]._replace(text=key), words[0]._replace(text=value)]
    kind = _KINDS.get(words[0].text.rpartition(".")[2], "") if len(words) > 1 else ""
    return (kind, words[1]) if kind else None


def of_settings(path: str, data: bytes) -> Iterator[Told]:
    """What a file of requirements or of an installer's settings says."""
    name = path.rpartition("/")[2]
    if name == ".npmrc":
        for found in _NPMRC.finditer(data.decode("latin-1")):
            if found[1]:
                yield from _told(path, "index", Word(found[3], found.start(), found.end()))
            elif found[3].lower() == "false":
                yield _made(path, Word(found[0].strip(), found.start(), found.end()), "nothing checks who the registry is")
        return
    if name in ("pyproject.toml", "uv.toml", "Pipfile"):
        yield from _of_toml(path, data.decode("latin-1"))
        return
    pattern = _OPTION if manifests.kind_of(path) == "pip" else _SETTING if name in ("pip.conf", "pip.ini") else None
    if pattern is None:
        return
    text = data.decode("latin-1")
    for found in pattern.finditer(text):
        kind = _KEYS.get(found[1]) or _KINDS.get(found[1], "")
        if kind == "extra" and "--hash=" in text:
            continue
        for part in re.sub(r"#[^\r\n]*", "", found[2]).split():
            yield from _told(path, kind, Word(part, found.start(1), found.end()))


def _of_toml(path: str, text: str) -> Iterator[Told]:
    heads = [(found.end(), found[1].strip()) for found in _TOML_HEAD.finditer(text)]
    for (begin, name), (end, _) in zip(heads, [*heads[1:], (len(text), "")], strict=False):
        for found in _SOURCE.finditer(text, begin, end) if name in _SOURCES else ():
            if found[1] is not None:
                yield from _told(path, "index", Word(found[1], found.start(1), found.end(1)))
            else:
                yield _made(path, Word(found[2], found.start(2), found.end(2)), "nothing checks who the index is")


def _told(path: str, kind: str, word: Word) -> Iterator[Told]:
    host = (found[1] if (found := _HOST.match(word.text)) else "").rpartition("@")[2]
    if kind == "host":
        host = word.text.removeprefix("https://").removeprefix("http://").rstrip("/")
        if host and "$" not in host and not _NEAR.fullmatch(host):
            yield _made(path, word, f"nothing checks whether it is `{host}` that answers")
    elif not host or _NEAR.fullmatch(host):
        return
    elif word.text.lower().startswith("http://"):
        yield _made(path, word, f"what `{host}` sends is not protected on its way")
    elif kind == "extra" and not _PUBLIC.fullmatch(host.partition(":")[0]) and not _is_whole_mirror(word.text):
        what = "a further index" if "$" in host else f"`{host}`"
        yield _made(path, word, f"{what} and the public index are asked for each name, and the higher version wins", Confidence.MEDIUM)


def _is_whole_mirror(address: str) -> bool:
    """Whether an index names the public one's packages, as mirrors of it do (``/pypi/simple`` at a mirror, ``/root/pypi`` of devpi)."""
    return re.search(r"/root/pypi/|/pypi-(?:proxy|remote|mirror)/", address) is not None


def _made(path: str, word: Word, why: str, confidence: Confidence = Confidence.HIGH) -> Told:
    severity = Severity.LOW if is_aside(path) else Severity.MEDIUM
    text = _HOST.sub(lambda found: found[0].rpartition("@")[2] if "@" in found[0] else found[0], word.text)
    return Told(path, word.start, word.end, UNTRUSTED, f"`{text[:120]}`", why, text[:120], severity, confidence)
