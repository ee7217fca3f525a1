"""Model files that Dockerfiles, scripts and files of CI services fetch: those of which nothing says what they have to be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from headwater import limits
from headwater.documents.commands import Command, Word
from headwater.documents.told import Told, is_aside
from headwater.findings import Confidence, Severity

UNVERIFIED: Final = "unverified-model-download"
UNPINNED: Final = "unpinned-model-download"
MIRROR: Final = "model-hub-of-others"
PLAIN: Final = "model-hub-without-tls"
_HUB: Final = re.compile(r"https?://(?P<host>[\w.-]+\.[a-z]{2,})(?::\d+)?(?:/\S*)?", re.IGNORECASE)
_OWN_HUB: Final = re.compile(r"(?:.*\.)?(?:huggingface\.co|hf\.co|internal|local|corp|lan)", re.IGNORECASE)
_HUB_SETTING: Final = "HF_ENDPOINT"
_MODEL: Final = re.compile(
    r"https?://[^\s\"']+?(?:\.(?:pt|pth|pth\.tar|ckpt|safetensors|onnx|gguf|ggml|pkl|pickle|joblib|h5|keras|tflite|llamafile|nemo)"
    r"|(?:model|weights|ggml|checkpoint|adapter)[^/?#\s]*\.bin)(?:[?#].*)?",
    re.IGNORECASE,
)
_FIXED: Final = re.compile(r"/[0-9a-f]{40,64}/|[?&]versionId=|/resolve/\$", re.IGNORECASE)
"""An address that holds a commit or a digest, or what may be one."""
_NEAR: Final = re.compile(r"https?://(?:localhost|127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|\[|[\w-]+(?::\d+)?/)", re.IGNORECASE)
_CHECKED: Final = re.compile(
    rb"(?:sha\d{1,3}|md5|b2|b3)sum|shasum|--checksum|\bcosign\b|gpg\b.{0,40}--verify|openssl\s+dgst|rhash\b|minisign\b"
)
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def told(path: str, data: bytes, commands: Iterable[Command]) -> Iterator[Told]:
    """Downloads of a file; one that checks sums does so for what it fetches."""
    checked = _CHECKED.search(data) is not None
    for command in commands:
        yield from (one for word in command.set if (one := _hub(path, word)) is not None)
        program = command.words[0].text.rpartition("/")[2] if command.words else ""
        if program in ("curl", "wget", "aria2c", "ADD") and not checked:
            yield from (_unverified(path, word) for word in command.words[1:] if _is_loose(word.text))
        elif program in ("hf", "huggingface-cli") and (word := _repository(command)) is not None:
            yield _told(path, word, UNPINNED, f"huggingface:{word.text}")


def _hub(path: str, word: Word) -> Told | None:
    """The setting that has all models of Hugging Face taken from another host."""
    name, _, value = word.text.partition("=")
    found = _HUB.fullmatch(value) if name == _HUB_SETTING else None
    if found is None or _OWN_HUB.fullmatch(found["host"]) or _NEAR.match(f"{value}/"):
        return None
    plain = value.lower().startswith("http:")
    told = _told(path, word._replace(text=value), PLAIN if plain else MIRROR, f"{name}={found['host']}")
    return told._replace(severity=Severity.MEDIUM) if plain and not is_aside(path) else told


def _is_loose(text: str) -> bool:
    return (
        len(text) <= limits.REQUIREMENT_CHARS and _MODEL.fullmatch(text) is not None and not _FIXED.search(text) and not _NEAR.match(text)
    )


def _repository(command: Command) -> Word | None:
    """What ``hf download`` takes without a revision."""
    texts = [word.text for word in command.words]
    if texts[1:2] != ["download"] or any(text.startswith("--revision") for text in texts):
        return None
    named = next((word for word in command.words[2:] if not word.text.startswith("-")), None)
    return named if named is not None and _REPOSITORY.fullmatch(named.text) else None


def _unverified(path: str, word: Word) -> Told:
    return _told(path, word, UNVERIFIED, word.text.partition("?")[0][-120:])


def _told(path: str, word: Word, shape: str, known_by: str) -> Told:
    text = word.text.partition("?")[0]
    shown = text if len(text) <= 120 else f"{text[:60]}...{text[-57:]}"
    return Told(
        path, word.start, word.end, shape, f"`{shown}`", "", known_by, Severity.LOW, Confidence.LOW if is_aside(path) else Confidence.HIGH
    )
