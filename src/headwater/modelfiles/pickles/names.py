"""The names that an unpickler looks up: those of Python 2 as Python 3 reads them, and what kind of thing a name names."""

from __future__ import annotations

import re
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from typing import Final

MODULE: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*\Z")


def modern(module: str, name: str) -> tuple[str, str]:
    """The name as an unpickler of Python 3 maps it for the old protocols. The names of Python 2 exist in none of Python 3."""
    if (module, name) in NAME_MAPPING:
        return NAME_MAPPING[(module, name)]
    return IMPORT_MAPPING.get(module, module), name


def plausible(module: str, name: str) -> bool:
    """Whether these can be names of Python; what cannot is no pickle or one that fails before it acts."""
    return MODULE.match(module) is not None and MODULE.match(name) is not None


def is_class(name: str) -> bool:
    """Whether a name is written as classes are, all parts of it: a guess for names that no list has."""
    return all(part.lstrip("_")[:1].isupper() and not part.isupper() for part in name.split("."))
