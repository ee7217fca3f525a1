"""Texts of reports: cut, in one line, and without what ends a quotation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from packaging.utils import canonicalize_name

from headwater import limits

_NO_TEXT: Final = re.compile(r"[\x00-\x20\x7f-\x9f`\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")
_ID: Final = re.compile(r"[A-Za-z][A-Za-z0-9:._-]{2,79}")
_ECOSYSTEMS: Final = {"pypi": "pypi", "npm": "npm"}


def line(text: str, most: int = limits.IMPORT_TEXT) -> str:
    """A text to show."""
    plain = _NO_TEXT.sub(" ", text[: most * 2]).strip()
    return plain if len(plain) <= most else f"{plain[: most - 3]}..."


def name(text: str) -> str:
    """A name to show: of a rule, a package, a version."""
    return line(text, limits.IMPORT_NAME)


def path(text: str) -> str:
    """A path as the repository writes it; empty where it is none."""
    return text.replace("\\", "/") if len(text) <= limits.IMPORT_PATH and "\0" not in text else ""


def ids(found: Iterable[str]) -> tuple[str, ...]:
    """Those that look like ids of advisories, each once."""
    return tuple(dict.fromkeys(one for one in found if _ID.fullmatch(one)))[: limits.IMPORT_ALIASES]


def package(ecosystem: str, text: str) -> tuple[str, str]:
    """The ecosystem and the name of a package, as manifests have them."""
    kind = ecosystem.partition(":")[0].strip().lower()[: limits.IMPORT_NAME]
    short = name(text)
    return _ECOSYSTEMS.get(kind, kind), canonicalize_name(short) if kind == "pypi" else short
