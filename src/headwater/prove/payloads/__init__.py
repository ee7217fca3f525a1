"""Hostile texts as data, one file for each sink class, and how their placeholders are filled.

All are harmless: ``tests/prove/test_payload_laws.py`` says what they may do.
"""

from __future__ import annotations

import ast
import base64
import functools
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from headwater.prove.attempts import Payload

FOLDER: Final = Path(__file__).parent
UPWARDS: Final = 12  # folders that a traversal goes up: applications lie less deep
PLACEHOLDERS: Final = (
    "token", "canary", "sink", "address", "secret", "folder", "word", "up", "encoded-up", "doubled-up", "backslash-up", "root", "benign",
    "host", "number", "factor", "product", "codes",
)  # fmt: skip
PLACEHOLDER: Final = re.compile(rf"\{{({'|'.join(PLACEHOLDERS)})\}}")
FACTOR: Final = 7919  # a prime: the product is in no text by chance


@functools.cache
def payloads() -> tuple[Payload, ...]:
    """All, in order of files and lines; what a file says once is said of each of its payloads."""
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        document: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        for entry in document.pop("payloads"):
            found.append(msgspec.convert({**document, **entry}, Payload))
    return tuple(found)


@functools.cache
def by_id() -> Mapping[str, Payload]:
    return {payload.id: payload for payload in payloads()}


def word(token: str) -> str:
    """The secret word that stands in the file ``{secret}`` of an attempt: not the token, which is in the value as it was sent."""
    return "secret" + hashlib.blake2s(token.encode(), digest_size=8).hexdigest()


def canary(scratch: Path, token: str) -> Path:
    """A file that only the effect of a payload makes."""
    return scratch / token


def secret(scratch: Path, token: str) -> Path:
    """The file that holds the secret word; who uses a payload with ``{secret}`` must make it."""
    return scratch / "secrets" / f"{token}.txt"


def listed(scratch: Path, token: str) -> Path:
    """The folder that holds an entry whose name is the secret word; who uses a payload with ``{folder}`` must make it."""
    return scratch / "folders" / token


def values(token: str, scratch: Path, address: str, *, benign: str = "", root: str = "", host: str = "") -> dict[str, str]:
    """What placeholders stand for. ``address`` is that of the sink for this token."""
    number = 10_000 + int(token[-4:], 16)
    made = str(canary(scratch, token))
    return {
        "token": token,
        "canary": made,
        "sink": address,
        "address": address.partition("://")[2] or address,
        "secret": str(secret(scratch, token)),
        "folder": str(listed(scratch, token)),
        "word": word(token),
        "up": "../" * UPWARDS,
        "encoded-up": "..%2f" * UPWARDS,
        "doubled-up": "....//" * UPWARDS,
        "backslash-up": "..\\" * UPWARDS,
        "root": root or str(scratch / "root"),
        "benign": benign,
        "host": host or "localhost",
        "number": str(number),
        "factor": str(FACTOR),
        "product": str(number * FACTOR),
        "codes": ", ".join(str(code) for code in f"touch {made}".encode()),
    }


def prepare(payload: Payload, given: Mapping[str, str], scratch: Path) -> None:
    """Makes the files that a payload is about: the secret ones, and the sibling of a folder that the application may use.

    Nothing is made outside of the scratch folder: where the application's folder lies elsewhere, its sibling is not there.
    """
    made = []
    if "{secret}" in payload.text:
        made.append(Path(given["secret"]))
    if "{folder}" in payload.text:
        (Path(given["folder"]) / given["word"]).mkdir(parents=True, exist_ok=True)
    if "{root}_evil" in payload.text:
        made.append(Path(f"{given['root']}_evil") / given["token"])
    for path in made:
        if ".." not in path.parts and path.is_relative_to(scratch):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(given["word"], encoding="utf-8")


def fill(payload: Payload, given: Mapping[str, str]) -> str:
    """The text with everything filled in."""
    text = PLACEHOLDER.sub(lambda match: given[match[1]], payload.text)
    return base64.b64encode(text.encode()).decode() if payload.language == "pickle-base64" else text


def looks(payload: Payload, given: Mapping[str, str]) -> re.Pattern[str] | None:
    """What the application's answer must match, where the effect is in it."""
    if not payload.looks:
        return None
    return re.compile(PLACEHOLDER.sub(lambda match: re.escape(given[match[1]]), payload.looks), re.IGNORECASE)


@functools.cache
def is_expression(payload: Payload) -> bool:
    """Whether it is one expression of Python: fits where statements do not."""
    if payload.language != "python":
        return False
    text = PLACEHOLDER.sub("1", payload.text)
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return "\n" not in text
